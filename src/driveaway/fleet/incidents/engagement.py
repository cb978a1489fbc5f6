"""What driving functions did before an incident: the one place where that is worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from driveaway.facts.incidents import FunctionState

WINDOW: Final = 30
"""Seconds before an incident in which a function counts as engaged: NHTSA's Standing General Order 2021-01,
definition of "engaged" (from 30 seconds before the crash to its end)."""

Summary = Literal["engaged", "overridden", "deactivated", "off", "unknown"]
"""What the functions were doing, in one word."""

SUMMARIES: Final[tuple[Summary, ...]] = ("engaged", "overridden", "deactivated", "off", "unknown")


@dataclass(frozen=True)
class Engagement:
    """What the functions of a car did in the last seconds before an incident.

    Attributes:
        engaged: whether any was engaged at any moment of the window; None: not known.
        functions: those that were, sorted.
        levels: their SAE levels where said, sorted.
        at_start: when the incident began, in one word. ``engaged``: one still was. Else, of those that had
            been engaged in the window, how the last one ended: ``deactivated`` by itself or ``overridden``
            by the driver (of two in the same second: by itself). ``off``: none had been engaged.
            ``unknown``: nothing was reported of the window.
    """

    engaged: bool | None
    functions: tuple[str, ...]
    levels: tuple[int, ...]
    at_start: Summary


def engagement(states: Sequence[FunctionState], within: int = WINDOW) -> Engagement:
    """What the functions did in the last ``within`` seconds before an incident.

    An entry holds from its second on until the next entry of the same function (of several entries for one
    second the last one holds), so that a function that was engaged 12 seconds before and overridden 3
    seconds before was engaged within 5 seconds. A function that was ``overridden`` or ``deactivated``
    within the window, and of which no earlier entry says that it was not engaged, was engaged until then.

    Args:
        states: entries, in any order.
        within: seconds before the incident's beginning, 0 to 30.

    Raises:
        ValueError: the window is outside 0 to 30 seconds.
    """
    if not 0 <= within <= WINDOW:
        raise ValueError(f"what functions did is known for {WINDOW} seconds before, not for {within}")
    by_function: dict[str, list[FunctionState]] = {}
    for entry in states:
        by_function.setdefault(entry.function, []).append(entry)
    if not by_function:
        return Engagement(None, (), (), "unknown")
    functions: set[str] = set()
    levels: set[int] = set()
    still = False
    endings: list[tuple[int, Summary]] = []
    for name, entries in by_function.items():
        course = _course(entries)
        engaged = False
        for number, entry in enumerate(course):
            until = course[number + 1].second if number + 1 < len(course) else 0
            if entry.state == "engaged":
                # Entries run down to the incident: this one holds until ``until`` seconds before it.
                if until <= within:
                    engaged = True
                    if entry.level is not None:
                        levels.add(entry.level)
            elif entry.state in ("overridden", "deactivated") and entry.second <= within:
                before = course[number - 1].state if number else "engaged"
                if before == "engaged":
                    engaged = True
                    if entry.level is not None:
                        levels.add(entry.level)
                    endings.append((entry.second, entry.state))
        if engaged:
            functions.add(name)
        still = still or course[-1].state == "engaged"
    return Engagement(bool(functions), tuple(sorted(functions)), tuple(sorted(levels)), _word(still, endings))


def _course(entries: Sequence[FunctionState]) -> list[FunctionState]:
    """Entries of one function from the earliest on, one for each second: the last that was given."""
    of_second = {entry.second: entry for entry in entries}
    return [of_second[second] for second in sorted(of_second, reverse=True)]


def _word(still: bool, endings: Sequence[tuple[int, Summary]]) -> Summary:
    if still:
        return "engaged"
    if not endings:
        return "off"
    last = min(second for second, _ in endings)
    words = {word for second, word in endings if second == last}
    return "deactivated" if "deactivated" in words else "overridden"
