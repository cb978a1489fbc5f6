"""Rows with a mark each: shares with intervals, amounts, tests beside rivals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from driveaway.figures.answer import Answer
from driveaway.plots.picture import Picture, Words, nothing, subtitle
from driveaway.plots.theme import (
    INK,
    MAIN,
    MUTED,
    PAPER,
    RULE,
    SECOND,
    WIDTH,
    axis,
    cut,
    frame,
    haloed,
    scale_ticks,
    text_width,
)

_RAW: Final[dict[str, Any]] = {"type": "quantitative", "scale": None, "axis": None}
_HALF_EM: Final = 6.9
_SPAN: Final = 96
"""Room for the two ends of an interval: 51.5%–52.3%."""


def shares(groups: Sequence[tuple[str, str, Answer]], words: Words, *, title: str, most: int = 6) -> Picture:
    """A dot with its interval for each share, in groups; a cell with too few people says so.

    Args:
        groups: heading, dimension and answer; rows have the dimension, ``value``, ``low``, ``high``.
        most: at most so many rows of a group, the largest.
    """
    lines: list[dict[str, Any]] = []
    told: list[str] = []
    for heading, dimension, answer in groups:
        rows = [r for r in answer.rows or () if r.get(dimension) is not None]
        rows.sort(key=lambda r: (r["value"] is None, -(r["value"] or 0), str(r[dimension])))
        lines.append({"heading": heading})
        told.append(f"{heading}:")
        if not rows:
            lines.append({"name": "", "state": answer.unknown or words("plot.empty")})
        for row in rows[:most]:
            name = words.number(row[dimension], "name")
            low, high = row.get("low"), row.get("high")
            known, span = row["value"] is not None, ""
            state = words.number(row["value"], "percent") if known else words("plot.shares.suppressed")
            if known and low is not None and high is not None:
                span = f"{words.number(low, 'percent')}–{words.number(high, 'percent')}"
            lines.append(
                {"name": name, "state": state, "span": span, "value": row["value"], "low": low, "high": high}
            )
            told.append(f"{name} {state}{f' ({span})' if span else ''};")
    simulated = any(answer.simulated for _, _, answer in groups)
    top = max((line.get("high") or line.get("value") or 0 for line in lines), default=0)
    return _dots(
        lines,
        words,
        title=title,
        note=words("plot.shares.subtitle"),
        simulated=simulated,
        ticks=scale_ticks(top or 1, 3),
        style="percent",
        description=" ".join(told).rstrip(";") + ".",
        left=132,
        right=58 + (_SPAN if any(line.get("span") for line in lines) else 0),
    )


def ranked(
    groups: Sequence[tuple[str, str, Answer]],
    words: Words,
    *,
    title: str,
    note: str,
    style: str,
    most: int = 8,
) -> Picture:
    """A mark for each group's amount, the largest first; a group that is not shown says so.

    Args:
        groups: heading, dimension and answer; rows have the dimension and ``value``.
        words: texts of a language.
        title: of the picture.
        note: what the amounts are.
        style: of the numbers, such as ``percent`` or ``km``.
        most: at most so many rows of each answer.
    """
    lines: list[dict[str, Any]] = []
    told: list[str] = []
    for heading, dimension, answer in groups:
        rows = [row for row in answer.rows or () if row.get(dimension) is not None]
        rows.sort(key=lambda r: (r["value"] is None, -(r["value"] or 0), str(r[dimension])))
        lines.append({"heading": heading})
        told.append(f"{heading}:")
        for row in rows[:most]:
            name, value = words.number(row[dimension], "name"), row["value"]
            state = words("plot.shares.suppressed") if value is None else words.number(value, style)
            lines.append({"name": name, "state": state, "value": value})
            told.append(f"{name} {state};")
    return _dots(
        lines,
        words,
        title=title,
        note=note,
        simulated=any(answer.simulated for _, _, answer in groups),
        ticks=scale_ticks(max((line.get("value") or 0 for line in lines), default=0) or 1, 3),
        style=style,
        description=" ".join(told).rstrip(";") + ".",
        left=132,
        right=96,
    )


def measured(
    answer: Answer, words: Words, *, title: str, percent: bool, group: Callable[[Mapping[str, Any]], str]
) -> Picture:
    """A mark for each car tested: our own a filled diamond, a rival's a hollow circle.

    The answer's rows have ``car``, ``condition``, ``tester``, ``rival`` and ``value``: a share of the
    claimed range where ``percent``, else kWh/100 km. ``group`` gives the heading under which a row
    stands: only cars under one heading can be compared.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in answer.rows or ():
        groups.setdefault(group(row), []).append(row)
    lines: list[dict[str, Any]] = []
    told: list[str] = []
    style = "percent" if percent else "number"
    for heading, rows in groups.items():
        lines.append({"heading": heading})
        told.append(f"{heading}:")
        for row in sorted(
            rows, key=lambda r: (r["value"] is None, -(r["value"] or 0) if percent else r["value"] or 0)
        ):
            state = (
                words("plot.progress.unknown") if row["value"] is None else words.number(row["value"], style)
            )
            lines.append(
                {"name": str(row["car"]), "state": state, "value": row["value"], "rival": bool(row["rival"])}
            )
            told.append(f"{row['car']} {state};")
    top = max((line.get("value") or 0 for line in lines), default=0)
    return _dots(
        lines,
        words,
        title=title,
        note=words("plot.tests.range" if percent else "plot.tests.consumption"),
        simulated=answer.simulated,
        ticks=scale_ticks(1 if percent and top <= 1 else top or 1),
        style=style,
        description=(" ".join(told).rstrip(";") + ".") if told else words("plot.empty"),
        left=_name_width(str(row["car"]) for row in answer.rows or ()),
    )


def _name_width(names: Iterable[str]) -> int:
    """Room for the longest of these names, within reason."""
    return int(min(max((text_width(name) for name in names), default=0), 30) * _HALF_EM) + 24


def _dots(
    lines: Sequence[Mapping[str, Any]],
    words: Words,
    *,
    title: str,
    note: str,
    simulated: bool,
    ticks: Sequence[float],
    style: str,
    description: str,
    left: int,
    right: int = 58,
) -> Picture:
    pitch = 23
    width = WIDTH - left - right
    placed: list[dict[str, Any]] = []
    at = 0.0
    for line in lines:
        at += pitch * (1.25 if "heading" in line and placed else 1) if placed else 8
        placed.append(dict(line) | {"y": at})
    height = int(at + 16)
    for line in placed:
        if "heading" in line:
            line["heading"] = cut(str(line["heading"]), int((WIDTH - 10) / _HALF_EM))
        else:
            line["name"] = cut(str(line["name"]), int((left - 14) / _HALF_EM))
    headings = [line for line in placed if "heading" in line]
    named = [line for line in placed if "heading" not in line]
    valued = [line for line in named if line.get("value") is not None]
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": [0, ticks[-1]], "nice": False},
        "axis": axis(ticks, [words.number(t, style) for t in ticks], grid=True, domain=False, ticks=False),
    }
    y = _RAW | {"field": "y"}
    ours = [line | {"end": width} for line in valued if not line.get("rival")]
    rivals = [line for line in valued if line.get("rival")]
    spans = [line for line in valued if line.get("low") is not None and line.get("high") is not None]
    state_at = width + (right - 2 if not any(line.get("span") for line in spans) else 56)
    dot: dict[str, Any] = {"type": "point", "opacity": 1, "strokeWidth": 1.75}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": valued},
            "mark": {"type": "rule", "color": RULE, "strokeDash": [1, 3]},
            "encoding": {"x": x | {"field": "zero"}, "x2": {"field": "value"}, "y": y},
            "transform": [{"calculate": "0", "as": "zero"}],
        },
        {
            "data": {"values": spans},
            "mark": {"type": "rule", "color": INK, "strokeWidth": 2},
            "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "y": y},
        },
        # The ends of an interval stand out above and below the dot, however narrow it is.
        *(
            {
                "data": {"values": spans},
                "mark": {"type": "tick", "orient": "vertical", "color": INK, "size": 17, "thickness": 1.5},
                "encoding": {"x": x | {"field": end}, "y": y},
            }
            for end in ("low", "high")
        ),
        {
            "data": {"values": ours},
            "mark": dot | {"shape": "diamond", "size": 60 if spans else 95, "color": MAIN, "fill": MAIN},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": rivals},
            "mark": dot | {"shape": "circle", "size": 70, "color": SECOND, "fill": PAPER},
            "encoding": {"x": x, "y": y},
        },
        *haloed(
            {
                "data": {"values": headings},
                "mark": {
                    "type": "text",
                    "align": "left",
                    "baseline": "middle",
                    "fontWeight": "bold",
                    "color": MUTED,
                },
                "encoding": {"x": {"value": -left}, "y": y, "text": {"field": "heading"}},
            }
        ),
        {
            "data": {"values": named},
            "mark": {"type": "text", "align": "left", "baseline": "middle"},
            "encoding": {"x": {"value": -left + 8}, "y": y, "text": {"field": "name"}},
        },
        {
            "data": {"values": valued},
            "mark": {"type": "text", "align": "right", "baseline": "middle", "fontWeight": "bold"},
            "encoding": {"x": {"value": state_at}, "y": y, "text": {"field": "state"}},
        },
        {
            "data": {"values": [line for line in spans if line.get("span")]},
            "mark": {"type": "text", "align": "right", "baseline": "middle", "color": MUTED},
            "encoding": {"x": {"value": width + right - 2}, "y": y, "text": {"field": "span"}},
        },
        {
            "data": {"values": [line for line in named if line.get("value") is None]},
            "mark": {"type": "text", "align": "left", "baseline": "middle", "color": MUTED},
            "encoding": {"x": {"value": 0}, "y": y, "text": {"field": "state"}},
        },
    ]
    spec = frame(
        [layer for layer in layers if layer["data"]["values"]] or [nothing(words)],
        title=title,
        subtitle=subtitle(words, note, simulated),
        height=max(height, 40),
        left=left,
        right=right,
        bottom=26,
        gap=16,
    )
    return Picture(spec, title, description, words.language, simulated)
