"""Which orders wait for their car, in which order, and what was said about each."""

from __future__ import annotations

from typing import Any

import pytest

from driveaway.facts import Draft
from driveaway.launch.launch import Launch
from driveaway.orders.open import open_orders
from driveaway.values.errors import Refused
from tests.stores import acts


def _firm(number: int, hours: float = 0, **body: Any) -> list[Draft]:
    return [acts.reserved(number, hours, **body), acts.taken(number, hours), acts.locked(number, hours + 1)]


def _waiting(launch: Launch, hours: float = 10**4) -> list[dict[str, Any]]:
    return list(open_orders(launch.at(acts.at(hours)).view).to_pylist())


def test_firm_orders_that_are_neither_cancelled_nor_handed_over_wait(launch: Launch) -> None:
    launch.append([*_firm(1), *_firm(2), *_firm(3), acts.cancelled(2, 5), acts.reserved(4, 3)])
    launch.append(acts.delivered(5, 5))
    assert [row["order_id"] for row in _waiting(launch, 6)] == [acts.order(1), acts.order(3)]
    assert [row["order_id"] for row in _waiting(launch, 4)] == [acts.order(n) for n in (1, 2, 3, 5)]


def test_a_change_that_requeues_moves_an_order_behind_and_its_configuration_with_it(launch: Launch) -> None:
    launch.append([*_firm(1), *_firm(2, 1)])
    window = 24 * 14
    launch.append([acts.changed(1, window, requeues=True)])
    rows = _waiting(launch)
    assert [row["order_id"] for row in rows] == [acts.order(2), acts.order(1)]
    assert (rows[1]["queued"], rows[1]["trim"]) == (acts.at(window), "Pro")
    assert (rows[0]["queued"], rows[0]["trim"]) == (acts.at(2), "Max")


def test_the_last_word_about_an_order_stands_beside_it(launch: Launch) -> None:
    launch.append(
        [
            *_firm(1),
            acts.promised(1, 3, "2024-06-01", "2024-06-07"),
            acts.promised(1, 4, "2024-06-08", "2024-06-14", reason="the paint shop stood still"),
            acts.postponed(1, 5, "2024-07-01"),
            acts.prioritised(1, 6, 1),
        ]
    )
    (row,) = _waiting(launch)
    assert (row["promised_first"], row["promised_last"]) == ("2024-06-08", "2024-06-14")
    assert (row["ready_day"], row["rank"]) == ("2024-07-01", 1)
    assert row["rank_reason"] == "the first car was damaged in transport"
    (before,) = _waiting(launch, 3)
    assert (before["promised_last"], before["ready_day"], before["rank"]) == ("2024-06-07", None, None)


def test_a_pegged_car_stands_beside_its_order_until_it_is_taken_away(launch: Launch) -> None:
    launch.append([*_firm(1), acts.built(1, 2), acts.pegged(1, 1, 3), acts.unpegged(1, 1, 4)])
    assert [row["built"] for row in _waiting(launch, 3)] == [acts.at(2)]
    assert [row["built"] for row in _waiting(launch, 4)] == [None]
    launch.append([acts.built(2, 5), acts.pegged(2, 1, 6)])
    assert [row["built"] for row in _waiting(launch)] == [acts.at(5)]


@pytest.mark.parametrize(
    "said",
    [
        acts.promised(1, 2, "2024-06-01", "2024-06-07"),
        acts.postponed(1, 2, "2024-07-01"),
        acts.prioritised(1, 2),
    ],
)
def test_only_firm_orders_are_promised_postponed_or_put_first(launch: Launch, said: Draft) -> None:
    launch.append([acts.reserved(1)])
    with pytest.raises(Refused) as refused:
        launch.append([said])
    assert refused.value.code == "order.not_locked"
