"""The order desk's rules, as the book enforces them: in one batch, over several, late or in time."""

from __future__ import annotations

import pytest

from driveaway.facts import Draft
from driveaway.facts.orders import DepositForfeited
from driveaway.launch.launch import Launch
from driveaway.values.errors import Refused
from tests.stores import acts

_REFUSALS: dict[str, tuple[list[Draft], Draft]] = {
    "order.not_reserved": ([], acts.locked(1)),
    "order.reserved_twice": ([acts.reserved(1)], acts.reserved(1, 1)),
    "order.locked_twice": ([acts.reserved(1), acts.locked(1)], acts.locked(1, 2)),
    "order.cancelled_already": ([acts.reserved(1), acts.cancelled(1, 1)], acts.locked(1, 2)),
    "order.trim": ([], acts.reserved(1, trim="Ultra")),
    "order.colour": ([], acts.reserved(1, colour="mauve")),
    "order.edition": ([], acts.reserved(1, edition="winter")),
    "order.change_closed": ([acts.reserved(1), acts.locked(1)], acts.changed(1, 2)),
    "order.requeue": ([acts.reserved(1), acts.locked(1)], acts.changed(1, 24 * 14)),
    "promise.reason": (
        [acts.reserved(1), acts.locked(1), acts.promised(1, 2, "2024-06-01", "2024-06-07")],
        acts.promised(1, 3, "2024-06-08", "2024-06-14"),
    ),
    "promise.window": (
        [acts.reserved(1), acts.locked(1)],
        acts.promised(1, 2, "2024-06-07", "2024-06-01"),
    ),
    "money.currency_differs": ([acts.reserved(1), acts.taken(1)], acts.taken(1, 1, currency="EUR")),
    "money.more_than_held": ([acts.reserved(1), acts.taken(1)], acts.refunded(1, 2, acts.DEPOSIT + 1)),
    "car.built_twice": ([acts.built(1, 0)], acts.built(1, 1)),
    "car.not_built": ([acts.reserved(1), acts.locked(1)], acts.pegged(1, 1, 2)),
    "peg.purpose": (
        [acts.reserved(1), acts.locked(1), acts.built(1, 2, purpose="demonstration")],
        acts.pegged(1, 1, 3),
    ),
    "peg.incompatible": (
        [acts.reserved(1), acts.locked(1), acts.built(1, 2, colour="green")],
        acts.pegged(1, 1, 3),
    ),
    "order.not_locked": ([acts.reserved(1), acts.built(1, 2)], acts.pegged(1, 1, 3)),
    "peg.taken": (
        [
            acts.reserved(1),
            acts.locked(1),
            acts.reserved(2),
            acts.locked(2),
            acts.built(1, 2),
            acts.pegged(1, 1, 3),
        ],
        acts.pegged(1, 2, 4),
    ),
    "peg.order_served": (
        [acts.reserved(1), acts.locked(1), acts.built(1, 2), acts.built(2, 2), acts.pegged(1, 1, 3)],
        acts.pegged(2, 1, 4),
    ),
    "peg.other": (
        [acts.reserved(1), acts.locked(1), acts.built(1, 2), acts.pegged(1, 1, 3)],
        acts.unpegged(1, 2, 4),
    ),
    "handover.not_built": ([acts.reserved(1), acts.locked(1), acts.paid(1, 2)], acts.handed_over(1, 1, 3)),
    "handover.not_pegged": (
        [acts.reserved(1), acts.locked(1), acts.built(1, 2), acts.paid(1, 2)],
        acts.handed_over(1, 1, 3),
    ),
    "handover.not_paid": (
        [acts.reserved(1), acts.locked(1), acts.built(1, 2), acts.pegged(1, 1, 3), acts.taken(1, 3)],
        acts.handed_over(1, 1, 4),
    ),
    "order.handed_over_already": (acts.delivered(1, 1), acts.cancelled(1, 9)),
    "handover.car_gone": (acts.delivered(1, 1), acts.unpegged(1, 1, 9)),
    "return.not_handed_over": (acts.delivered(1, 1)[:5], acts.returned(1, 1, 9)),
    "buyer.described_twice": (
        [acts.reserved(1), acts.described(1, 0, sex="female")],
        acts.described(1, 1, sex="male"),
    ),
}


@pytest.mark.parametrize("code", _REFUSALS)
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_refused_with_its_code(launch: Launch, code: str, together: bool) -> None:
    before, last = _REFUSALS[code]
    if together:
        outcomes = launch.append([*before, last], atomic=False)
        assert [outcome.error for outcome in outcomes[:-1]] == [None] * len(before)
        error = outcomes[-1].error
        assert isinstance(error, Refused)
    else:
        launch.append(before)
        with pytest.raises(Refused) as refused:
            launch.append([last])
        error = refused.value
    assert error.code == code
    assert launch.book.edge().size == len(before)


def test_a_whole_life_and_the_ledger(launch: Launch) -> None:
    launch.append(acts.delivered(1, 1))
    launch.append([acts.returned(1, 1, 100), acts.reserved(2, 0), acts.locked(2, 1)])
    launch.append([acts.pegged(1, 2, 101), acts.paid(2, 102), acts.handed_over(2, 1, 103)])
    cut = launch.at(acts.at(200))
    assert cut.figure("cars.delivered").value == 2
    assert launch.book.verify().differences == []


def test_a_car_goes_to_the_next_order(launch: Launch) -> None:
    launch.append([acts.reserved(1), acts.locked(1), acts.reserved(2), acts.locked(2), acts.built(1, 2)])
    launch.append([acts.pegged(1, 1, 3), acts.cancelled(1, 4), acts.unpegged(1, 1, 5), acts.pegged(1, 2, 6)])
    launch.append([acts.paid(2, 7), acts.handed_over(2, 1, 8)])
    assert launch.at(acts.at(9)).figure("cars.delivered").value == 1


def test_the_limit_per_person(launch: Launch) -> None:
    launch.append([acts.reserved(1, buyer="b"), acts.reserved(2, buyer="b")])
    with pytest.raises(Refused) as refused:
        launch.append([acts.reserved(3, buyer="b")])
    assert refused.value.code == "order.limit"
    outcomes = launch.append(
        [
            acts.reserved(3, buyer="b"),
            acts.cancelled(1, 1),
            acts.reserved(3, 2, buyer="b"),
            acts.reserved(4, buyer="b"),
        ],
        atomic=False,
    )
    assert [outcome.added for outcome in outcomes] == [False, True, True, False]


def test_the_limit_counts_orders_that_the_batch_does_not_name(launch: Launch) -> None:
    launch.append([acts.reserved(1, buyer="b"), acts.reserved(2, buyer="b")])
    outcomes = launch.append([acts.taken(1), acts.reserved(3, buyer="b")], atomic=False)
    assert [outcome.added for outcome in outcomes] == [True, False]


def test_the_quota_of_an_edition(launch: Launch) -> None:
    founders = [acts.reserved(n, n, edition="founder") for n in (1, 2, 3)]
    assert [outcome.added for outcome in launch.append(founders, atomic=False)] == [True, True, False]
    outcomes = launch.append([acts.taken(1, 9), acts.reserved(4, 9, edition="founder")], atomic=False)
    assert [outcome.added for outcome in outcomes] == [True, False]
    launch.append([acts.cancelled(1, 10), acts.reserved(4, 11, edition="founder")])
    with pytest.raises(Refused) as refused:
        launch.append([acts.reserved(5, 12, edition="founder")])
    assert refused.value.code == "order.quota"


def test_the_clock_locks_what_nobody_took_back(launch: Launch) -> None:
    launch.append([acts.reserved(1, 0)])
    launch.append([acts.taken(1, 168)])
    assert launch.book.edge().size == 2
    (outcome,) = launch.append([acts.taken(1, 168.5)])
    assert outcome.seq == 4
    lock = launch.book.about(acts.order(1))[2]
    assert (lock.kind, lock.happened, lock.body.rule) == (
        "order.locked",
        acts.at(168),
        "unclaimed-reservation",
    )
    assert lock.body.trim == "Max"


def test_a_refusal_after_the_clock_leaves_nothing_behind(launch: Launch) -> None:
    launch.append([acts.reserved(1, 0)])
    outcomes = launch.append([acts.locked(1, 169), acts.taken(1, 170)], atomic=False)
    assert [outcome.error.code if outcome.error else "" for outcome in outcomes] == ["order.locked_twice", ""]
    kinds = [fact.kind for fact in launch.book.about(acts.order(1))]
    assert kinds == ["order.reserved", "order.locked", "deposit.taken"]


def test_the_clock_locks_the_order_that_a_car_is_pegged_to(launch: Launch) -> None:
    launch.append([acts.reserved(1, 0), acts.built(1, 200)])
    launch.append([acts.pegged(1, 1, 201)])
    kinds = [fact.kind for fact in launch.book.about(acts.order(1))]
    assert kinds == ["order.reserved", "order.locked", "car.pegged"]


def test_a_withdrawn_lock_of_the_clock_may_come_again(launch: Launch) -> None:
    launch.append([acts.reserved(1, 0), acts.taken(1, 0)])
    launch.append([acts.paid(1, 170, 100)])
    launch.append([acts.withdrawn(acts.order(1), 3)])
    launch.append([acts.paid(1, 180, 100)])
    kinds = [fact.kind for fact in launch.book.about(acts.order(1))]
    assert kinds[-2:] == ["order.locked", "payment.received"]


def test_a_change_in_its_window(launch: Launch) -> None:
    launch.append([acts.reserved(1), acts.locked(1), acts.changed(1, 24 * 14, requeues=True)])
    assert launch.at(acts.at(24 * 20)).figure("orders.locked", trim="Pro").value == 1


def test_before_the_lock_anything_may_change(launch: Launch) -> None:
    launch.append([acts.reserved(1), acts.changed(1, 2), acts.locked(1, 3)])
    assert launch.book.about(acts.order(1))[-1].body.trim == "Pro"


def test_a_late_word_takes_back_what_the_clock_did(launch: Launch) -> None:
    week = 168
    launch.append([acts.reserved(1), acts.taken(1, week + 5)])
    clock = launch.book.edge().size - 1
    assert launch.at(acts.at(week + 9)).figure("orders.locked").value == 1
    launch.append([acts.cancelled(1, 50)])
    assert launch.at(acts.at(week + 9)).figure("orders.locked").value == 0
    assert launch.at(acts.at(week + 9), mark=clock + 1).figure("orders.locked").value == 1
    assert launch.at(acts.at(week + 9)).figure("orders.cancelled").value == 1
    launch.append([acts.reserved(2), acts.taken(2, week + 5)])
    launch.append([acts.locked(2, 50)])
    assert launch.at(acts.at(60)).figure("orders.locked").value == 1
    assert launch.book.verify().differences == []


def test_a_cancellation_corrected_to_after_the_clock_was_due(launch: Launch) -> None:
    week = 168
    launch.append([acts.reserved(1), acts.taken(1), acts.changed(1, 2), acts.cancelled(1, 50)])
    launch.append([acts.cancelled(1, week, replaces=4)])
    assert launch.book.edge().size == 5
    (outcome,) = launch.append([acts.cancelled(1, week + 5, replaces=5)])
    assert outcome.seq == 7
    lock = next(fact for fact in launch.book.about(acts.order(1)) if fact.kind == "order.locked")
    assert (lock.seq, lock.happened, lock.body.rule) == (6, acts.at(week), "unclaimed-reservation")
    assert lock.body.trim == "Pro"
    assert launch.at(acts.at(week + 4)).figure("orders.locked").value == 1
    # And back to a time before it, and after it once more.
    launch.append([acts.cancelled(1, 51, replaces=7)])
    assert launch.at(acts.at(week + 4)).figure("orders.locked").value == 0
    launch.append([acts.cancelled(1, week + 6, replaces=9)])
    assert launch.at(acts.at(week + 4)).figure("orders.locked").value == 1
    assert launch.book.edge().size == 11
    launch.append(
        [
            acts.draft(
                "deposit.forfeited",
                acts.order(1),
                week + 7,
                DepositForfeited(amount=acts.DEPOSIT, currency="CNY"),
            )
        ]
    )
    assert launch.book.verify().differences == []
