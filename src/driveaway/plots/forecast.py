"""A forecast by week: the middle of the simulated paths and the band that nine of ten lie in."""

from __future__ import annotations

from typing import Any, Final

from driveaway.figures.answer import Answer
from driveaway.plots.curves import day_axis, value_axis
from driveaway.plots.picture import Picture, Words, subtitle
from driveaway.plots.theme import INK, MAIN, frame, scale_ticks

_HEIGHT: Final = 190


def by_week(answer: Answer, words: Words, *, title: str) -> Picture:
    """The answer's rows have ``first_day``, ``value``, ``low`` and ``high``; parts of weeks are left out."""
    rows = [row for row in answer.rows or () if row["value"] is not None]
    whole = rows[1:-1] if len(rows) > 2 else rows
    days = [str(row["first_day"]) for row in whole]
    data = [
        {"i": i, "y": row["value"], "low": row["low"], "high": row["high"]} for i, row in enumerate(whole)
    ]
    ticks = scale_ticks(max((row["high"] for row in data), default=0))
    x, y = day_axis(days, words), value_axis(ticks, words, headroom=1.08)
    peak = max(data, key=lambda row: row["y"], default=None)
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": data},
            "mark": {"type": "area", "color": MAIN, "opacity": 0.2},
            "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
        }
    ]
    # The edges are drawn as well: the band must be seen without its tint.
    layers += [
        {
            "data": {"values": data},
            "mark": {"type": "line", "color": MAIN, "strokeWidth": 1, "strokeDash": [3, 3]},
            "encoding": {"x": x, "y": y | {"field": edge}},
        }
        for edge in ("low", "high")
    ]
    layers.append(
        {
            "data": {"values": data},
            "mark": {"type": "line", "color": MAIN, "strokeWidth": 2.25},
            "encoding": {"x": x, "y": y},
        }
    )
    if peak:
        label = f"{words.number(peak['y'], 'count')} · {words.number(days[int(peak['i'])], 'short')}"
        layers.append(
            {
                "data": {"values": [peak | {"label": label}]},
                "mark": {
                    "type": "text", "align": "left" if peak["i"] < len(days) / 2 else "right", "dy": 16,
                    "fontWeight": "bold", "color": INK,
                },
                "encoding": {"x": x, "y": y, "text": {"field": "label"}},
            }
        )  # fmt: skip
    description = (
        words(
            "plot.forecast.description",
            first_day=days[0],
            last_day=days[-1],
            first=data[0]["y"],
            peak=peak["y"],
            peak_day=days[int(peak["i"])],
            low=peak["low"],
            high=peak["high"],
        )
        if peak
        else words("plot.empty")
    )
    spec = frame(
        layers,
        title=title,
        subtitle=subtitle(words, words("plot.forecast.subtitle"), answer.simulated),
        height=_HEIGHT,
        bottom=30,
    )
    return Picture(spec, title, description, words.language, answer.simulated)
