"""A rollout over time: cars opened, succeeded and failed, its decisions, and the evidence below them."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from driveaway.plots.picture import Picture, Words, subtitle
from driveaway.plots.theme import (
    INK,
    MAIN,
    MUTED,
    PAPER,
    SECOND,
    axis,
    cut,
    frame,
    haloed,
    scale_ticks,
)
from driveaway.updates.rollouts.story import Line, Story
from driveaway.values.clock import moment

_UPPER: Final = 150
_GAP: Final = 62
_LOWER: Final = 90
_KEY_LINE: Final = 18
_MARKER: Final = 18
_MARKERS: Final = -18
"""Where they stand, above the upper panel."""
_LEFT: Final = 64
_WIDTH: Final = 300
_ROOM: Final = 96
"""Units right of the plot, for the names of the lines."""
_DAY: Final = 1440
_MINUTES: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720,
    *(_DAY * days for days in (1, 2, 4, 7, 14, 28, 56, 112)),
)  # fmt: skip
"""Between two ticks of time."""
_MOST_TICKS: Final = 5
_MOST_DECISIONS: Final = 12
_DASHES: Final = {"opened": [1, 0], "succeeded": [6, 3], "failed": [2, 2]}
_OTHER_DASHES: Final = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2])
_ODDS: Final = (1, 10, 100, 1_000, 10_000)
_MINUTE: Final = 60_000_000


class Decided(NamedTuple):
    """A decision: when, in microseconds since 1970 UTC, and which, in the words of its fact."""

    at: int
    decision: str


def rolled_out(
    story: Story,
    decided: Sequence[Decided],
    words: Words,
    *,
    title: str,
    zone: ZoneInfo,
    simulated: bool,
) -> Picture:
    """Two panels over one axis of time; every line has its name beside it, so that no colour is needed.

    Of very many decisions the first and the last ones are marked.
    """
    x = _time_axis(story, words, zone)
    top = max((value for line in story.cars for _, value in line.points), default=0)
    ticks = scale_ticks(top, 3)
    y: dict[str, Any] = {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [0, ticks[-1]], "range": [_UPPER, 0], "nice": False},
        "axis": axis(ticks, [words.number(tick, "tick") for tick in ticks], grid=True, orient="left"),
    }
    layers: list[dict[str, Any]] = []
    for number, line in enumerate(story.cars):
        colour = SECOND if line.name == "failed" else MAIN
        layers += _drawn(story, line, x, _once(y, number), colour, _DASHES[line.name], step=True)
    layers += _ends(story, story.cars, x, y, words)
    marked = _chosen(decided)
    layers += _marks(story, marked, x)
    if story.evidence:
        layers += _evidence(story, words, x)
    layers += _keys(marked, words, zone, bool(story.evidence))
    height = _UPPER + (_GAP + _LOWER if story.evidence else 0)
    spec = frame(
        layers,
        title=title,
        subtitle=subtitle(words, words("plot.rollout.subtitle"), simulated),
        height=height,
        left=_LEFT,
        right=_ROOM,
        bottom=40 + _KEY_LINE * len(marked),
        gap=30,
    )
    spec["resolve"] = {"scale": {"y": "independent"}, "axis": {"y": "independent"}}
    return Picture(spec, title, _description(story, decided, words, zone), words.language, simulated)


def _minutes(story: Story, at: int) -> float:
    return (at - story.start) / _MINUTE


def _length(story: Story) -> float:
    return max(_minutes(story, story.end), 1.0)


def spread(places: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Places moved apart, in their order, to at least ``least`` from each other, within ``low`` and ``high``.

    Each is moved no further than it must be from the left, then from the right; where there is no room for
    all, they stand evenly.
    """
    if len(places) > 1:
        least = min(least, (high - low) / (len(places) - 1))
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + least if found else low))
    limit = high
    for index in reversed(range(len(found))):
        found[index] = limit = min(found[index], limit)
        limit -= least
    return found


def _time_axis(story: Story, words: Words, zone: ZoneInfo) -> dict[str, Any]:
    length = _length(story)
    step = next((each for each in _MINUTES if length / each <= _MOST_TICKS), _MINUTES[-1])
    values = list(range(0, int(length) + 1, step))
    texts = []
    for value in values:
        local = moment(story.start + value * _MINUTE, zone)
        texts.append(
            words.number(local.date().isoformat(), "short") if step >= _DAY else local.strftime("%H:%M")
        )
    return {
        "field": "x",
        "type": "quantitative",
        "scale": {"domain": [0, length], "nice": False, "zero": False},
        "axis": axis(values, texts),
    }


def _drawn(
    story: Story,
    line: Line,
    x: dict[str, Any],
    y: dict[str, Any],
    colour: str,
    dash: list[int],
    *,
    step: bool,
) -> list[dict[str, Any]]:
    domain = y["scale"]["domain"]
    data = [
        {"x": _minutes(story, at), "y": min(max(value, domain[0]), domain[1])} for at, value in line.points
    ]
    mark: dict[str, Any] = {"type": "line", "color": colour, "strokeWidth": 2, "strokeDash": dash}
    if step:
        mark["interpolate"] = "step-after"
    return [{"data": {"values": data}, "mark": mark, "encoding": {"x": x, "y": y}}]


def _once(y: dict[str, Any], number: int) -> dict[str, Any]:
    """The axis belongs to the first layer of a panel alone: drawn over itself it looks bold."""
    return y if number == 0 else y | {"axis": None}


def _ends(
    story: Story, lines: Sequence[Line], x: dict[str, Any], y: dict[str, Any], words: Words
) -> list[dict[str, Any]]:
    """The name and last value of each line, beside its end, one above the other where they are close."""
    out: list[dict[str, Any]] = []
    scale = y["scale"]["domain"][1]
    ordered = sorted(lines, key=lambda each: each.points[-1][1])
    lasts = [line.points[-1][1] for line in ordered]
    for line, last, place in zip(ordered, lasts, spread(lasts, 16 / _UPPER * scale, 0, scale), strict=True):
        text = f"{words('plot.rollout.' + line.name)} {words.number(int(last), 'count')}"
        out.append({"x": _minutes(story, story.end), "y": place, "t": cut(text, 16)})
    return haloed(
        {
            "data": {"values": out},
            "mark": {"type": "text", "align": "left", "baseline": "middle", "dx": 5, "clip": False},
            "encoding": {"x": x, "y": y | {"axis": None}, "text": {"field": "t"}},
        }
    )


def _chosen(decided: Sequence[Decided]) -> list[Decided]:
    if len(decided) <= _MOST_DECISIONS:
        return list(decided)
    return [*decided[: _MOST_DECISIONS - 3], *decided[-3:]]


def _marks(story: Story, decided: Sequence[Decided], x: dict[str, Any]) -> list[dict[str, Any]]:
    """A numbered rule for each decision, through both panels."""
    raw: dict[str, Any] = {"type": "quantitative", "scale": None, "axis": None}
    bottom = _UPPER + (_GAP + _LOWER if story.evidence else 0)
    length = _length(story)
    at = [min(max(_minutes(story, each.at), 0.0), length) for each in decided]
    places = spread(at, _MARKER * length / _WIDTH, 0, length)
    # A marker that would cover another stands beside its rule; a slanting line leads down to it.
    data = [
        {"x": found, "p": place, "n": str(number), "top": _MARKERS, "foot": 0, "bottom": bottom}
        for number, (found, place) in enumerate(zip(at, places, strict=True), 1)
    ]
    return [
        {
            "data": {"values": data},
            "mark": {"type": "rule", "color": MUTED, "strokeDash": [2, 3]},
            "encoding": {"x": x, "y": raw | {"field": "foot"}, "y2": {"field": "bottom"}},
        },
        {
            "data": {"values": data},
            "mark": {"type": "rule", "color": MUTED},
            "encoding": {
                "x": x | {"field": "p"}, "x2": {"field": "x"},
                "y": raw | {"field": "top"}, "y2": {"field": "foot"},
            },
        },
        {
            "data": {"values": data},
            "mark": {
                "type": "point", "filled": True, "size": 210, "opacity": 1, "color": PAPER, "stroke": INK,
                "strokeWidth": 1,
            },
            "encoding": {"x": x | {"field": "p"}, "y": raw | {"field": "top"}},
        },
        {
            "data": {"values": data},
            "mark": {"type": "text", "fontSize": 11, "fontWeight": "bold", "baseline": "middle", "dy": 0.5},
            "encoding": {"x": x | {"field": "p"}, "y": raw | {"field": "top"}, "text": {"field": "n"}},
        },
    ]  # fmt: skip


def _evidence(story: Story, words: Words, x: dict[str, Any]) -> list[dict[str, Any]]:
    """The lower panel: how strong the evidence of harm was, and the line from which it stops."""
    stops = sorted({line.stops_at for line in story.evidence if line.stops_at is not None})
    highest = max([value for line in story.evidence for _, value in line.points] + stops + [log(100)])
    highest = min(highest, log(_ODDS[-1]))
    ticks = [log(odds) for odds in _ODDS if log(odds) <= highest + 0.1]
    start, end = _UPPER + _GAP, _UPPER + _GAP + _LOWER
    y: dict[str, Any] = {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [-2.0, highest * 1.1], "range": [end, start], "nice": False, "zero": False},
        "axis": axis(ticks, [f"{odds:,} : 1" for odds in _ODDS[: len(ticks)]], grid=True, orient="left"),
    }
    out: list[dict[str, Any]] = []
    ends = []
    for number, line in enumerate(story.evidence):
        out += _drawn(story, line, x, _once(y, number), MAIN if number % 2 == 0 else SECOND,
                      list(_OTHER_DASHES[number % 4]), step=True)  # fmt: skip
        ends.append((line.points[-1][1], line.name))
    top = highest * 1.1
    ends.sort()
    lasts = [min(max(last, -2.0), highest) for last, _ in ends]
    room = spread(lasts, 15 / _LOWER * (top + 2), -2.0, top)
    placed = [
        {"x": _minutes(story, story.end), "y": place, "t": cut(name, 16)}
        for place, (_, name) in zip(room, ends, strict=True)
    ]
    for stop in stops:
        if stop > highest * 1.1:
            continue
        row = {"x": 0, "x2": _minutes(story, story.end), "y": stop, "t": words("plot.rollout.stops")}
        out.append(
            {
                "data": {"values": [row]},
                "mark": {"type": "rule", "color": INK, "strokeWidth": 1.5},
                "encoding": {"x": x, "x2": {"field": "x2"}, "y": y | {"axis": None}},
            }
        )
        out += haloed(
            {
                "data": {"values": [row]},
                "mark": {
                    "type": "text",
                    "align": "left",
                    "baseline": "bottom",
                    "dx": 4,
                    "dy": -2,
                    "fontSize": 11,
                },
                "encoding": {"x": x, "y": y | {"axis": None}, "text": {"field": "t"}},
            }
        )
    out += haloed(
        {
            "data": {"values": placed},
            "mark": {"type": "text", "align": "left", "baseline": "middle", "dx": 5, "fontSize": 11},
            "encoding": {"x": x, "y": y | {"axis": None}, "text": {"field": "t"}},
        }
    )
    heading = {
        "data": {"values": [{"t": words("plot.rollout.evidence")}]},
        "mark": {"type": "text", "align": "left", "baseline": "alphabetic", "color": MUTED},
        "encoding": {"x": {"value": -_LEFT}, "y": {"value": start - 18}, "text": {"field": "t"}},
    }
    return [*out, *haloed(heading)]


def _keys(decided: Sequence[Decided], words: Words, zone: ZoneInfo, two: bool) -> list[dict[str, Any]]:
    """What each number means, below."""
    base = _UPPER + (_GAP + _LOWER if two else 0) + 40
    rows = [
        {
            "n": str(number),
            "t": f"{moment(each.at, zone):%m-%d %H:%M}  {words('plot.rollout.decision.' + each.decision)}",
            "at": base + (number - 1) * _KEY_LINE,
        }
        for number, each in enumerate(decided, 1)
    ]
    raw: dict[str, Any] = {"type": "quantitative", "scale": None, "axis": None}
    return [
        {
            "data": {"values": rows},
            "mark": {"type": "text", "align": "left", "baseline": "middle", "fontWeight": weight},
            "encoding": {"x": {"value": at}, "y": raw | {"field": "at"}, "text": {"field": field}},
        }
        for field, at, weight in (("n", 6 - _LEFT, "bold"), ("t", 24 - _LEFT, "normal"))
    ]


def _description(story: Story, decided: Sequence[Decided], words: Words, zone: ZoneInfo) -> str:
    last = {line.name: int(line.points[-1][1]) for line in story.cars}
    said = words("plot.rollout.description", **last)
    steps = [
        f"{moment(each.at, zone):%m-%d %H:%M} {words('plot.rollout.decision.' + each.decision)}"
        for each in decided
    ]
    return said + " " + words("plot.rollout.decisions", decisions=words("list.separator").join(steps))
