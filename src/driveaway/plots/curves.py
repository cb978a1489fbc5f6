"""Figures by day: the cumulative curve with its events, and bars per day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from driveaway.figures.answer import Answer
from driveaway.plots.picture import Picture, Words, subtitle
from driveaway.plots.theme import (
    INK,
    LEFT,
    MAIN,
    MUTED,
    PAPER,
    RIGHT,
    SECOND,
    WIDTH,
    axis,
    cut,
    frame,
    haloed,
    scale_ticks,
    wrap,
)

_HEIGHT: Final = 190
_KEY_LINE: Final = 18
_KEY_WIDTH: Final = 64
_MARKER: Final = 18
_MOST_TICKS: Final = 6


@dataclass(frozen=True)
class Event:
    """Something held on a day, to be marked on a curve."""

    day: str
    title: str


def ended_days(answer: Answer) -> Sequence[Mapping[str, Any]]:
    """The rows of the days that have ended; where only one has begun, that one, which is then said."""
    rows = answer.rows or ()
    return [row for row in rows if row.get("complete", True)] or rows


def _subtitle(key: str, rows: Sequence[Mapping[str, Any]], words: Words) -> str:
    begun = any(not row.get("complete", True) for row in rows)
    return words(key) + (words("plot.not_ended") if begun else "")


def cumulative(answer: Answer, words: Words, *, title: str, events: Sequence[Event] = ()) -> Picture:
    """The running total by day, with numbered events and their key below.

    The answer's rows have ``day`` and ``cumulative``; events outside the days shown are left out.
    """
    rows = ended_days(answer)
    days = [str(row["day"]) for row in rows]
    data = [{"i": i, "y": row["cumulative"]} for i, row in enumerate(rows)]
    ticks = scale_ticks(max((row["y"] for row in data), default=0))
    x, y = day_axis(days, words), value_axis(ticks, words, headroom=1.12)
    marks = [(days.index(e.day), e) for e in events if e.day in days]
    last = data[-1] if data else {"i": 0, "y": 0}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": data},
            "mark": {"type": "area", "color": MAIN, "opacity": 0.13},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": data},
            "mark": {"type": "line", "color": MAIN, "strokeWidth": 2.25},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": [last]},
            "mark": {"type": "point", "filled": True, "size": 42, "opacity": 1, "color": MAIN},
            "encoding": {"x": x, "y": y},
        },
    ]
    layers += _event_layers(marks, x, len(days), words)
    layers += haloed(
        {
            "data": {"values": [last | {"label": words.number(last["y"], "count")}]},
            "mark": {
                "type": "text",
                "align": "right",
                "dy": -10,
                "dx": 6,
                "fontWeight": "bold",
                "color": INK,
                "fontSize": 14,
            },
            "encoding": {"x": x, "y": y, "text": {"field": "label"}},
        }
    )
    spec = frame(
        layers,
        title=title,
        subtitle=subtitle(words, _subtitle("plot.cumulative.subtitle", rows, words), answer.simulated),
        height=_HEIGHT,
        bottom=30 + (sum(len(key) for key in _keys(marks, words)) * _KEY_LINE + 8 if marks else 0),
        gap=14 + (_levels([i for i, _ in marks], len(days))[1] * _MARKER if marks else 0),
    )
    description = (
        words(
            "plot.cumulative.description",
            last=last["y"],
            first_day=days[0],
            last_day=days[-1],
            half_day=next(d for d, row in zip(days, data, strict=True) if row["y"] * 2 >= last["y"]),
        )
        if days
        else words("plot.empty")
    )
    if marks:
        description += " " + words(
            "plot.cumulative.events",
            events=words("list.separator").join(
                f"{n}. {e.title} ({words.number(e.day, 'short')})" for n, (_, e) in enumerate(marks, 1)
            ),
        )
    return Picture(spec, title, description, words.language, answer.simulated)


def per_day(
    answer: Answer, words: Words, *, title: str, second: bool = False, days: Sequence[str] = ()
) -> Picture:
    """Bars by day, the highest labelled. The answer's rows have ``day`` and ``value``.

    ``second`` takes the second colour and ``days`` the days of another picture that it stands beside.
    """
    rows = ended_days(answer)
    days = sorted({*days, *(str(row["day"]) for row in rows)})
    place = {day: i for i, day in enumerate(days)}
    data = [
        {"a": i - 0.38, "b": i + 0.38, "i": i, "y": row["value"] or 0, "z": 0}
        for row in rows
        for i in [place[str(row["day"])]]
    ]
    ticks = scale_ticks(max((row["y"] for row in data), default=0))
    x, y = day_axis(days, words), value_axis(ticks, words, headroom=1.08)
    peak = max(data, key=lambda row: row["y"], default=None)
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": data},
            "mark": {"type": "rect", "color": SECOND if second else MAIN},
            "encoding": {"x": x | {"field": "a"}, "x2": {"field": "b"}, "y": y, "y2": {"field": "z"}},
        }
    ]
    if peak:
        peak_day = days[int(peak["i"])]
        side = "left" if peak["i"] < len(days) / 2 else "right"
        label = f"{words.number(peak['y'], 'count')} · {words.number(peak_day, 'short')}"
        layers.append(
            {
                "data": {"values": [peak | {"label": label}]},
                "mark": {"type": "text", "align": side, "dy": -8, "fontWeight": "bold", "color": INK},
                "encoding": {
                    "x": x | {"field": "a" if side == "left" else "b"},
                    "y": y,
                    "text": {"field": "label"},
                },
            }
        )
    description = (
        words(
            "plot.per_day.description",
            peak=peak["y"],
            peak_day=days[int(peak["i"])],
            last=data[-1]["y"],
            first_day=str(rows[0]["day"]),
            last_day=str(rows[-1]["day"]),
        )
        if peak
        else words("plot.empty")
    )
    spec = frame(
        layers,
        title=title,
        subtitle=subtitle(words, _subtitle("plot.per_day.subtitle", rows, words), answer.simulated),
        height=_HEIGHT,
        bottom=30,
        gap=20,
    )
    return Picture(spec, title, description, words.language, answer.simulated)


def _event_layers(
    marks: Sequence[tuple[int, Event]], x: Mapping[str, Any], days: int, words: Words
) -> list[dict[str, Any]]:
    if not marks:
        return []
    levels, _ = _levels([i for i, _ in marks], days)
    data: list[dict[str, Any]] = [
        {"i": i, "n": str(n), "top": -10 - levels[n - 1] * _MARKER} for n, (i, _) in enumerate(marks, 1)
    ]
    keys = _keys(marks, words)
    key: list[dict[str, Any]] = [
        {"n": f"{n}" if place == 0 else "", "t": text, "line": sum(map(len, keys[: n - 1])) + place + 1}
        for n, lines in enumerate(keys, 1)
        for place, text in enumerate(lines)
    ]
    raw: dict[str, Any] = {"type": "quantitative", "scale": None, "axis": None}
    place = raw | {"field": "top"}
    layers = [
        {
            "data": {"values": [row | {"bottom": _HEIGHT} for row in data]},
            "mark": {"type": "rule", "color": MUTED, "strokeDash": [2, 3]},
            "encoding": {"x": x, "y": place, "y2": {"field": "bottom"}},
        },
        {
            "data": {"values": data},
            "mark": {
                "type": "point",
                "filled": True,
                "size": 210,
                "opacity": 1,
                "color": PAPER,
                "stroke": INK,
                "strokeWidth": 1,
            },
            "encoding": {"x": x, "y": place},
        },
        {
            "data": {"values": data},
            "mark": {"type": "text", "fontSize": 11, "fontWeight": "bold", "baseline": "middle", "dy": 0.5},
            "encoding": {"x": x, "y": place, "text": {"field": "n"}},
        },
    ]
    for field, at, weight in (("n", 6 - LEFT, "bold"), ("t", 24 - LEFT, "normal")):
        layers.append(
            {
                "data": {
                    "values": [row | {"at": _HEIGHT + 36 + (row["line"] - 1) * _KEY_LINE} for row in key]
                },
                "mark": {"type": "text", "align": "left", "baseline": "middle", "fontWeight": weight},
                "encoding": {
                    "x": {"value": at},
                    "y": raw | {"field": "at"},
                    "text": {"field": field},
                },
            }
        )
    return layers


def _keys(marks: Sequence[tuple[int, Event]], words: Words) -> list[list[str]]:
    """The lines of the key: an event's day and title, on as many lines as it takes, three at most."""
    out = []
    for _, event in marks:
        text = cut(f"{words.number(event.day, 'short')}  {event.title}", 3 * _KEY_WIDTH - 20)
        out.append(wrap(text, _KEY_WIDTH))
    return out


def _levels(places: Sequence[int], days: int) -> tuple[list[int], int]:
    """A row for each marker so that none covers another, and the number of rows above the first."""
    width = (WIDTH - LEFT - RIGHT) / max(days, 1)
    last_in_row: list[float] = []
    levels = []
    for place in places:
        at = place * width
        row = next((r for r, last in enumerate(last_in_row) if at - last >= _MARKER), len(last_in_row))
        if row == len(last_in_row):
            last_in_row.append(at)
        last_in_row[row] = at
        levels.append(row)
    return levels, len(last_in_row)


def day_axis(days: Sequence[str], words: Words) -> dict[str, Any]:
    """Days as whole numbers with their own labels: no time zone can move them."""
    count = len(days)
    step = next((s for s in (1, 2, 7, 14, 28, 56, 91, 182, 365) if count / s <= _MOST_TICKS), max(count, 1))
    values = list(range(0, count, step))
    texts = [words.number(days[i], "short") for i in values]
    if count and date.fromisoformat(days[0]).year != date.fromisoformat(days[-1]).year and step >= 91:
        texts = [days[i][:7] for i in values]
    return {
        "field": "i",
        "type": "quantitative",
        "scale": {"domain": [-0.6, max(count - 0.4, 0.6)], "nice": False, "zero": False},
        "axis": axis(values, texts),
    }


def value_axis(ticks: Sequence[float], words: Words, headroom: float = 1.0) -> dict[str, Any]:
    """Values from 0 up, with these ticks."""
    return {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [0, ticks[-1] * headroom], "nice": False},
        "axis": axis(ticks, [words.number(t, "tick") for t in ticks], grid=True),
    }
