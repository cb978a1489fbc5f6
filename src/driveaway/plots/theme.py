"""Colours, fonts and the frame that all pictures share.

A specification is written in sentinel colours, which no picture uses otherwise. In the SVG they
become either the light colours (a file of its own) or CSS variables that fall back to them (inlined
in a page, where light and dark follow the reader).
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple


class Colour(NamedTuple):
    """One role of a colour: how it stands in a specification, its CSS variable, and its values."""

    sentinel: str
    variable: str
    light: str
    dark: str


COLOURS: Final = {
    "ink": Colour("#0d1e01", "--ink", "#15191e", "#e9ebee"),
    "muted": Colour("#0d1e02", "--muted", "#59616b", "#a4acb6"),
    "rule": Colour("#0d1e03", "--rule", "#d5d9de", "#363d46"),
    "faint": Colour("#0d1e04", "--faint", "#e9ecef", "#252b33"),
    "main": Colour("#0d1e05", "--main", "#0b4f80", "#7cbcea"),
    "second": Colour("#0d1e06", "--second", "#a8321c", "#f0977a"),
    "paper": Colour("#0d1e07", "--paper", "#ffffff", "#14181d"),
    "on_main": Colour("#0d1e08", "--on-main", "#ffffff", "#0d1a26"),
}
INK, MUTED, RULE, FAINT, MAIN, SECOND, PAPER, ON_MAIN = (c.sentinel for c in COLOURS.values())

FONT_SENTINEL: Final = "Arimo"
"""Measures like Arial and comes with vl-convert, so that layout does not depend on the machine."""
FONTS: Final = (
    "'Helvetica Neue', Helvetica, Arial, 'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', "
    "'Microsoft YaHei', 'WenQuanYi Zen Hei', sans-serif"
)

WIDTH: Final = 460
LEFT: Final = 50
RIGHT: Final = 16
_TITLE_LINE: Final = 21
_SUBTITLE_LINE: Final = 17


def frame(
    layers: Sequence[Mapping[str, Any]],
    *,
    title: str,
    subtitle: Sequence[str],
    height: int,
    left: int = LEFT,
    right: int = RIGHT,
    bottom: int = 28,
    gap: int = 14,
) -> dict[str, Any]:
    """A whole Vega-Lite specification: fixed sizes, the title at the picture's left edge.

    Nothing is sized by the measured width of text: the same data give the same picture everywhere.
    """
    title_lines = wrap(title, 48)
    lines = [line for text in subtitle for line in wrap(text, 68)]
    top = _TITLE_LINE * len(title_lines) + _SUBTITLE_LINE * len(lines) + gap
    # The words on top are marks, not Vega's title: that one moves with the extent of what is below.
    head = [
        _head(line, left, -top + _TITLE_LINE * i + 15, {"fontSize": 16, "fontWeight": "bold"})
        for i, line in enumerate(title_lines)
    ] + [
        _head(
            line,
            left,
            -top + _TITLE_LINE * len(title_lines) + _SUBTITLE_LINE * i + 12,
            {"fontSize": 13, "color": MUTED},
        )
        for i, line in enumerate(lines)
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.1.0.json",
        "autosize": {"type": "none"},
        "width": WIDTH - left - right,
        "height": height,
        "padding": {"left": left, "right": right, "top": top, "bottom": bottom},
        "background": "transparent",
        "layer": [*layers, *head],
        "config": _CONFIG,
    }


def haloed(layer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A layer of text, over its own outline in the paper's colour, so that no line runs through it."""
    outline = {"stroke": PAPER, "strokeWidth": 4, "strokeJoin": "round", "color": PAPER}
    return [dict(layer) | {"mark": dict(layer["mark"]) | outline}, dict(layer)]


def _head(text: str, left: int, at: int, style: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "data": {"values": [{"t": text}]},
        "mark": {"type": "text", "align": "left", "baseline": "alphabetic", **style},
        "encoding": {"x": {"value": -left}, "y": {"value": at}, "text": {"field": "t"}},
    }


def scale_ticks(top: float, wanted: int = 4) -> list[float]:
    """Round tick values from 0 to at least ``top``: steps of 1, 2, 2.5 or 5 times a power of ten."""
    if top <= 0:
        return [0, 1]
    rough = top / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    return [tidy(step * i) for i in range(math.ceil(tidy(top / step)) + 1)]


def tidy(value: float) -> float:
    """A number without the dust of binary fractions; an int where it is whole."""
    value = round(value, 10)
    return int(value) if value == int(value) else value


def labels(values: Sequence[float], texts: Sequence[str]) -> str:
    """A Vega expression that gives each tick value its text."""
    return (
        f"[{','.join(_quoted(t) for t in texts)}][indexof([{','.join(str(v) for v in values)}],datum.value)]"
    )


def axis(values: Sequence[float], texts: Sequence[str], **more: Any) -> dict[str, Any]:
    """An axis with exactly these ticks and texts."""
    return {"title": None, "values": list(values), "labelExpr": labels(values, texts), **more}


def text_width(text: str) -> float:
    """Width in ems of half: a Chinese character counts 2, a Latin one 1."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def cut(text: str, width: int) -> str:
    """A text shortened with … to a width in half ems; control characters become spaces."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if text_width(text) <= width:
        return text
    out = ""
    for character in text:
        if text_width(out + character) > width - 1:
            break
        out += character
    return out.rstrip() + "…"


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most a width in half ems, broken at spaces or between Chinese characters."""
    lines, line = [], ""
    for piece in _pieces(" ".join(text.split())):
        if line and text_width((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() else lines or [""]


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for character in text:
        wide = unicodedata.east_asian_width(character) in "WF"
        closing = character in "，。；：、）！？”》"
        if pieces and (closing or (not wide and not pieces[-1].endswith(" ") and not _wide_end(pieces[-1]))):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _wide_end(piece: str) -> bool:
    return unicodedata.east_asian_width(piece[-1]) in "WF"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_CONFIG: Final[dict[str, Any]] = {
    "aria": False,
    "font": FONT_SENTINEL,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "labelFontSize": 13,
        "labelOverlap": False,
        "domainColor": INK,
        "tickColor": INK,
        "gridColor": RULE,
        "labelFlush": False,
    },
    "axisX": {"grid": False, "tickSize": 4, "labelPadding": 4},
    "axisY": {"domain": False, "ticks": False, "labelPadding": 8},
    "text": {"color": INK, "fontSize": 13},
}
