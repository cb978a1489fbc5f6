"""Provinces on a tile grid: one equal tile a province, no boundary drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from driveaway.figures.answer import Answer
from driveaway.plots.picture import Picture, Words, subtitle
from driveaway.plots.theme import INK, MAIN, MUTED, ON_MAIN, PAPER, RULE, WIDTH, frame
from driveaway.values.provinces import PROVINCES

_TILE: Final = 44
_PITCH: Final = 48
_LEFT: Final = 4


def tile_map(answer: Answer, words: Words, *, title: str) -> Picture:
    """The 31 provinces, filled where the value is above zero and hollow where it is not.

    The answer's rows have ``province`` (GB/T 2260) and ``value``.
    """
    values: Mapping[str, Any] = {str(row["province"]): row["value"] for row in answer.rows or ()}
    chinese = words.language == "zh"
    counts = any((value or 0) > 1 for value in values.values())
    first = min(p.column for p in PROVINCES)
    tiles = []
    for province in PROVINCES:
        value = values.get(province.code) or 0
        left, top = (province.column - first) * _PITCH, province.row * _PITCH
        tiles.append(
            {
                "x": left,
                "x2": left + _TILE,
                "y": top,
                "y2": top + _TILE,
                "cx": left + _TILE / 2,
                "name": province.short if chinese else province.iso[-2:],
                "value": words.number(value, "count") if value and counts else "",
                "name_y": top + (_TILE * 0.36 if value and counts else _TILE / 2),
                "value_y": top + _TILE * 0.72,
                "covered": bool(value),
            }
        )
    height = (max(p.row for p in PROVINCES) + 1) * _PITCH
    layers = [
        *_layer([t for t in tiles if t["covered"]], fill=MAIN, stroke=MAIN, text=ON_MAIN),
        *_layer([t for t in tiles if not t["covered"]], fill=PAPER, stroke=RULE, text=MUTED),
        *_legend(words),
    ]
    covered = [p for p in PROVINCES if values.get(p.code)]
    missing = [p for p in PROVINCES if not values.get(p.code)]
    description = words(
        "plot.tiles.description",
        covered=len(covered),
        of=len(PROVINCES),
        names=words("list.separator").join(p.name_zh if chinese else p.name for p in covered) or "–",
        missing=words("list.separator").join(p.name_zh if chinese else p.name for p in missing) or "–",
    )
    spec = frame(
        layers,
        title=title,
        subtitle=subtitle(words, words("plot.tiles.subtitle"), answer.simulated),
        height=height,
        left=_LEFT,
        right=WIDTH - _LEFT - 8 * _PITCH,
        bottom=6,
    )
    return Picture(spec, title, description, words.language, answer.simulated)


_RAW: Final[dict[str, Any]] = {"type": "quantitative", "scale": None, "axis": None}


def _layer(tiles: Sequence[Mapping[str, Any]], fill: str, stroke: str, text: str) -> list[dict[str, Any]]:
    if not tiles:
        return []
    out: list[dict[str, Any]] = [
        {
            "data": {"values": list(tiles)},
            "mark": {"type": "rect", "fill": fill, "stroke": stroke, "strokeWidth": 1.25, "cornerRadius": 3},
            "encoding": {
                "x": _RAW | {"field": "x"},
                "x2": {"field": "x2"},
                "y": _RAW | {"field": "y"},
                "y2": {"field": "y2"},
            },
        }
    ]
    for field, size, weight in (("name", 13, "normal"), ("value", 13, "bold")):
        out.append(
            {
                "data": {"values": [t for t in tiles if t[field]]},
                "mark": {
                    "type": "text",
                    "color": text,
                    "fontSize": size,
                    "fontWeight": weight,
                    "align": "center",
                    "baseline": "middle",
                },
                "encoding": {
                    "x": _RAW | {"field": "cx"},
                    "y": _RAW | {"field": f"{field}_y"},
                    "text": {"field": field},
                },
            }
        )
    return out


def _legend(words: Words) -> list[dict[str, Any]]:
    """Two tiles in the empty north-west corner, with what they mean."""
    entries = [
        {"x": 0, "x2": 18, "y": 6, "y2": 24, "label": words("plot.tiles.covered"), "covered": True},
        {"x": 0, "x2": 18, "y": 34, "y2": 52, "label": words("plot.tiles.missing"), "covered": False},
    ]
    box = {
        "x": _RAW | {"field": "x"},
        "x2": {"field": "x2"},
        "y": _RAW | {"field": "y"},
        "y2": {"field": "y2"},
    }
    return [
        {
            "data": {"values": [entries[0]]},
            "mark": {"type": "rect", "fill": MAIN, "cornerRadius": 3},
            "encoding": box,
        },
        {
            "data": {"values": [entries[1]]},
            "mark": {"type": "rect", "fill": PAPER, "stroke": RULE, "strokeWidth": 1.25, "cornerRadius": 3},
            "encoding": box,
        },
        {
            "data": {"values": [e | {"middle": (int(str(e["y"])) + int(str(e["y2"]))) / 2} for e in entries]},
            "mark": {"type": "text", "align": "left", "baseline": "middle", "color": INK},
            "encoding": {"x": {"value": 26}, "y": _RAW | {"field": "middle"}, "text": {"field": "label"}},
        },
    ]
