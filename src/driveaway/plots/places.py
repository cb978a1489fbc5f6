"""Functions by place: how many cars have what a function needs, may switch it on, and have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from driveaway.plots.picture import Picture, Words, subtitle
from driveaway.plots.theme import FAINT, MAIN, MUTED, RULE, SECOND, WIDTH, cut, frame

_RAW: Final[dict[str, Any]] = {"type": "quantitative", "scale": None, "axis": None}
_LEFT: Final = 110
_RIGHT: Final = 128
_PITCH: Final = 24


class Row(NamedTuple):
    """A place and its delivered cars; ``active`` None: unknown.

    One that is not ``drawn`` has its numbers alone: all other places together would make each bar tiny.
    """

    name: str
    equipped: int
    eligible: int
    active: int | None
    drawn: bool = True


def by_place(rows: Sequence[Row], words: Words, *, title: str, simulated: bool) -> Picture:
    """For each place a box for cars that are equipped, a rule for those that may, a bar for those that have.

    The numbers stand beside each bar, so that neither colour nor length alone tells them.
    """
    width = WIDTH - _LEFT - _RIGHT
    most = max((row.equipped for row in rows if row.drawn), default=0) or 1
    scale = [width / most if row.drawn else 0.0 for row in rows]
    bars = [
        {
            "name": cut(row.name, 15),
            "state": words(
                "plot.places.state" if row.active is not None else "plot.places.state_unknown",
                active=row.active or 0,
                eligible=row.eligible,
                equipped=row.equipped,
            ),
            "x": 0,
            "equipped_x": scale[number] * row.equipped,
            "eligible_x": scale[number] * row.eligible,
            "active_x": scale[number] * (row.active or 0),
            "top": number * _PITCH,
            "bottom": number * _PITCH + 16,
            "inner_top": number * _PITCH + 3,
            "inner_bottom": number * _PITCH + 13,
            "middle": number * _PITCH + 8,
        }
        for number, row in enumerate(rows)
    ]
    layers = [
        _text(bars, "name", {"value": -_LEFT}, "left"),
        _text(bars, "state", {"value": width + _RIGHT - 2}, "right", color=MUTED),
        _box([bar for bar in bars if bar["equipped_x"]], "equipped_x", "top", "bottom", FAINT, RULE),
        _box([bar for bar in bars if bar["active_x"]], "active_x", "inner_top", "inner_bottom", MAIN),
        {
            "data": {"values": [bar for bar in bars if bar["equipped_x"]]},
            "mark": {"type": "rule", "color": SECOND, "strokeWidth": 2},
            "encoding": {
                "x": _RAW | {"field": "eligible_x"},
                "y": _RAW | {"field": "top"},
                "y2": {"field": "bottom"},
            },
        },
    ]
    spec = frame(
        [layer for layer in layers if layer["data"]["values"]],
        title=title,
        subtitle=subtitle(words, words("plot.places.subtitle"), simulated),
        height=max(len(bars) * _PITCH, 30),
        left=_LEFT,
        right=_RIGHT,
        bottom=4,
        gap=14,
    )
    description = " ".join(f"{row.name}: {bar['state']}." for row, bar in zip(rows, bars, strict=True))
    return Picture(spec, title, description, words.language, simulated)


def _text(
    rows: Sequence[dict[str, Any]], field: str, x: dict[str, Any], align: str, **style: str
) -> dict[str, Any]:
    return {
        "data": {"values": list(rows)},
        "mark": {"type": "text", "align": align, "baseline": "middle", **style},
        "encoding": {"x": x, "y": _RAW | {"field": "middle"}, "text": {"field": field}},
    }


def _box(
    rows: Sequence[dict[str, Any]], right: str, top: str, bottom: str, fill: str, stroke: str | None = None
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
