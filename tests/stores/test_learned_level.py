"""The level that windows are asked at, as it is learned from promises in the book."""

from __future__ import annotations

from math import e

import pytest

from driveaway.delivery.kept.learned import LEAST, learned_level
from driveaway.delivery.supply.reading import number_of
from driveaway.facts import Draft
from driveaway.launch.launch import Launch
from driveaway.values.clock import parse_day
from tests.stores import acts

# Orders open on 28 March 2024, 22:00; hour 50 is 31 March.
_FIRST, _LAST = "2024-03-30", "2024-03-31"
_APRIL = number_of(parse_day("2024-04-01"))


def _order(number: int, handed: float | None, last: str = _LAST) -> list[Draft]:
    life = [acts.reserved(number), acts.taken(number), acts.locked(number, 1)]
    life.append(acts.promised(number, 2, _FIRST, last))
    if handed is not None:
        life += [acts.built(number, handed - 3), acts.pegged(number, number, handed - 2)]
        life += [acts.paid(number, handed - 1), acts.handed_over(number, number, handed)]
    return life


def _promised(launch: Launch, kept: int, missed: int) -> None:
    drafts = [draft for number in range(kept) for draft in _order(number, 40)]
    drafts += [draft for number in range(kept, kept + missed) for draft in _order(number, None)]
    launch.append(drafts)


def _level(
    launch: Launch, day: int = _APRIL, hours: float = 74, nominal: float = 0.9
) -> tuple[float, int, int]:
    # Hour 74 is midnight before 1 April.
    found = learned_level(launch.at(acts.at(hours) - 1).view, nominal, day)
    assert found.nominal == nominal
    return found.used, found.promises, found.kept


def test_nothing_is_learned_before_enough_promises_came_due(launch: Launch) -> None:
    assert _level(launch) == (0.9, 0, 0)
    _promised(launch, 5, LEAST - 6)
    assert _level(launch) == (0.9, LEAST - 1, 5)
    # The car of a further one came too early to tell: its last day has not passed.
    launch.append(_order(90, 40, "2024-04-05"))
    assert _level(launch) == (0.9, LEAST - 1, 5)
    assert _level(launch, _APRIL + 5, 74 + 24 * 5)[1:] == (LEAST, 6)


def test_promises_kept_too_seldom_raise_it_and_those_always_kept_lower_it(launch: Launch) -> None:
    _promised(launch, 10, 15)
    used, due, kept = _level(launch)
    assert (due, kept) == (25, 10)
    # All were given on one day, so that 25 were in flight, then 24 and so on; 15 of them were missed.
    assert 0.9 < used <= 0.98
    # The day before, none had come due.
    assert _level(launch, _APRIL - 1, 50) == (0.9, 0, 0)
    # Promises to be kept otherwise teach nothing of this.
    assert _level(launch, nominal=0.8) == (0.8, 0, 0)
    assert _level(launch, nominal=1.0) == (1.0, 0, 0)


def test_promises_that_were_always_kept_lower_it_by_a_step_each(launch: Launch) -> None:
    _promised(launch, 20, 0)
    used, due, kept = _level(launch)
    assert (due, kept) == (20, 20)
    flying, level = 0.0, 0.9
    for settled, in_flight in enumerate(range(20, 0, -1), 1):
        flying += (max(in_flight, 10) - flying) / settled
        level -= 0.1 / (e * flying)
    assert used == pytest.approx(level, abs=6e-4)


def test_promises_in_flight_make_its_steps_small(launch: Launch) -> None:
    _promised(launch, 0, 20)
    alone, *_ = _level(launch)
    launch.append([draft for number in range(30, 200) for draft in _order(number, None, "2024-06-30")])
    beside, due, _ = _level(launch)
    assert due == 20
    assert 0.9 < beside < alone


def test_only_the_first_promise_counts_and_an_order_called_off_before_its_day_not_at_all(
    launch: Launch,
) -> None:
    _promised(launch, 10, 12)
    launch.append([acts.promised(15, 60, "2024-04-10", "2024-04-20", reason="a part was late")])
    launch.append([acts.cancelled(16, 30)])
    # A buyer who was not ready moves the day.
    launch.append([acts.postponed(17, 40, "2024-05-10")])
    assert _level(launch)[1:] == (20, 10)
    # Called off after its day, the promise stays missed.
    launch.append([acts.cancelled(18, 100)])
    assert _level(launch, _APRIL + 2, 74 + 48)[1:] == (20, 10)
