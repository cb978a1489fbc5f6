"""Bars beside each other: progress to targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from driveaway.figures.answer import Answer
from driveaway.plots.picture import Picture, Words, nothing, subtitle
from driveaway.plots.theme import (
    FAINT,
    INK,
    MAIN,
    PAPER,
    RIGHT,
    RULE,
    WIDTH,
    cut,
    frame,
)

_RAW: Final[dict[str, Any]] = {"type": "quantitative", "scale": None, "axis": None}


def progress(
    answer: Answer,
    words: Words,
    *,
    title: str,
    label: Callable[[Mapping[str, Any]], str],
    pace: Callable[[Mapping[str, Any]], float | None],
) -> Picture:
    """A bar for each target: reached of wanted, the time used up as a line, an earlier target as a diamond.

    Args:
        label: what a row aims at, in words.
        pace: the share of a row's days that have passed, 0–1, or None before its first day.
    """
    width, pitch = WIDTH - 2 - RIGHT, 62
    rows = list(answer.rows or ())
    bars: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        top = number * pitch
        share = row["share"]
        passed = pace(row)
        if passed is None:
            state = words("plot.progress.not_begun")
        elif row["value"] is None or share is None:
            state = words("plot.progress.unknown")
        else:
            state = words("plot.progress.state", value=row["value"], share=share)
        before = row.get("previous_amount")
        bars.append(
            {
                "label": cut(label(row), 50),
                "state": state,
                "text_y": top + 10,
                "top": top + 22,
                "bottom": top + 38,
                "inner_top": top + 25,
                "inner_bottom": top + 35,
                "x": 0,
                "x2": width,
                "value_x2": width * min(max(share or 0, 0), 1),
                "pace_x": None if passed is None else width * passed,
                "before_x": width * before / row["amount"] if before and before <= row["amount"] else None,
                "middle": top + 30,
            }
        )
    paced = [b for b in bars if b["pace_x"] is not None]
    raised = [b for b in bars if b["before_x"] is not None]
    reached = [b for b in bars if b["value_x2"] > 0]
    layers: list[dict[str, Any]] = [
        _text(bars, "label", {"value": 0}, align="left"),
        _text(bars, "state", {"value": width}, align="right", weight="bold"),
        _box(bars, "x2", "top", "bottom", fill=FAINT, stroke=RULE),
        _box(reached, "value_x2", "inner_top", "inner_bottom", fill=MAIN),
        {
            "data": {"values": paced},
            "mark": {"type": "rule", "color": INK, "strokeWidth": 2},
            "encoding": {
                "x": _RAW | {"field": "pace_x"},
                "y": _RAW | {"field": "top"},
                "y2": {"field": "bottom"},
            },
        },
        {
            "data": {"values": raised},
            "mark": {
                "type": "point",
                "shape": "diamond",
                "size": 70,
                "color": INK,
                "fill": PAPER,
                "opacity": 1,
            },
            "encoding": {"x": _RAW | {"field": "before_x"}, "y": _RAW | {"field": "middle"}},
        },
    ]
    key = [words("plot.progress.key")]
    if raised:
        key.append(words("plot.progress.key_before"))
    spec = frame(
        [layer for layer in layers if layer["data"]["values"]] or [nothing(words)],
        title=title,
        subtitle=[*subtitle(words, " ".join(key), answer.simulated)],
        height=max(len(bars) * pitch - 16, 30),
        left=2,
        bottom=4,
        gap=16,
    )
    description = " ".join(f"{label(r)}: {b['state']}." for r, b in zip(rows, bars, strict=True))
    return Picture(spec, title, description or words("plot.empty"), words.language, answer.simulated)


def _text(
    rows: Sequence[Mapping[str, Any]], field: str, x: Mapping[str, Any], *, align: str, weight: str = "normal"
) -> dict[str, Any]:
    return {
        "data": {"values": list(rows)},
        "mark": {"type": "text", "align": align, "baseline": "middle", "fontWeight": weight},
        "encoding": {"x": dict(x), "y": _RAW | {"field": "text_y"}, "text": {"field": field}},
    }


def _box(
    rows: Sequence[Mapping[str, Any]],
    right: str,
    top: str,
    bottom: str,
    *,
    fill: str,
    stroke: str | None = None,
) -> dict[str, Any]:
    return {
        "data": {"values": list(rows)},
        "mark": {"type": "rect", "fill": fill, "stroke": stroke},
        "encoding": {
            "x": _RAW | {"field": "x"},
            "x2": {"field": right},
            "y": _RAW | {"field": top},
            "y2": {"field": bottom},
        },
    }
