"""Promises as figures tell of them: scored when the car is handed over, or when the last day has passed."""

from __future__ import annotations

from typing import Any

from driveaway.facts import Draft
from driveaway.launch.launch import Launch
from tests.stores import acts

# Orders open on 28 March 2024, 22:00; hour 50 is 31 March.
_FIRST, _LAST = "2024-03-30", "2024-03-31"


def _order(number: int, handed: float | None, **promise: Any) -> list[Draft]:
    """An order promised for 31 March at the latest, and handed over at that hour."""
    life = [acts.reserved(number), acts.taken(number), acts.locked(number, 1)]
    life.append(acts.promised(number, 2, _FIRST, _LAST, **promise))
    if handed is not None:
        life += [acts.built(number, handed - 3), acts.pegged(number, number, handed - 2)]
        life += [acts.paid(number, handed - 1), acts.handed_over(number, number, handed)]
    return life


def _kept(launch: Launch, hours: float, **arguments: str) -> tuple[Any, str | None]:
    answer = launch.at(acts.at(hours)).figure("delivery.promise_kept", **arguments)
    return answer.value, answer.unknown


def test_without_promises_it_is_unknown(launch: Launch) -> None:
    launch.append([acts.reserved(1)])
    assert _kept(launch, 1) == (None, "the book holds no promise.given by this date")


def test_a_promise_counts_once_its_car_is_there_or_its_last_day_is_over(launch: Launch) -> None:
    launch.append([*_order(1, 40), *_order(2, 100), *_order(3, None)])
    assert _kept(launch, 30)[0] is None
    assert _kept(launch, 45)[0] == 1.0
    # From 1 April on the other two are broken, handed over late or not at all.
    assert _kept(launch, 80)[0] == 1 / 3
    assert _kept(launch, 200)[0] == 1 / 3


def test_a_later_promise_does_not_heal_the_first(launch: Launch) -> None:
    launch.append(_order(1, None))
    launch.append([acts.promised(1, 60, "2024-04-01", "2024-04-05", reason="a part was late")])
    launch.append(_order(2, 40))
    late = [acts.built(1, 90), acts.pegged(1, 1, 91), acts.paid(1, 92), acts.handed_over(1, 1, 93)]
    launch.append(late)
    assert _kept(launch, 200)[0] == 0.5
    assert _kept(launch, 200, which="last")[0] == 1.0


def test_a_delay_by_the_buyer_breaks_no_promise(launch: Launch) -> None:
    launch.append([*_order(1, None), acts.postponed(1, 30, "2024-04-10")])
    late = [acts.built(1, 90), acts.pegged(1, 1, 91), acts.paid(1, 92), acts.handed_over(1, 1, 300)]
    launch.append(late)
    assert _kept(launch, 200) == (None, "nothing to take a share of by this date")
    assert _kept(launch, 400)[0] == 1.0


def test_a_promise_to_an_order_that_was_called_off_is_not_scored(launch: Launch) -> None:
    launch.append([*_order(1, None), acts.cancelled(1, 30), *_order(2, 40)])
    assert _kept(launch, 200)[0] == 1.0


def test_the_wait_is_told_beside_the_last_day_that_was_promised(launch: Launch) -> None:
    launch.append([*_order(1, 40), *_order(2, 100), *_order(3, None)])
    answer = launch.at(acts.at(200)).figure("delivery.wait_quoted_vs_actual")
    assert answer.rows is not None
    middle = next(row for row in answer.rows if row["quantile"] == 0.5)
    # One a day early, one two days late (2 April).
    assert middle["value"] == 0.5


def test_it_stands_by_trim_and_week(launch: Launch) -> None:
    launch.append([*_order(1, 40, trim="Max"), *_order(2, None, trim="Pro")])
    answer = launch.at(acts.at(200)).figure("delivery.promise_kept", by=("trim",))
    assert answer.rows is not None
    assert {row["trim"]: row["value"] for row in answer.rows} == {"Max": 1.0, "Pro": 0.0}
