"""Two times: a correction made later never changes what an earlier mark said."""

from __future__ import annotations

import pytest

from driveaway.launch.launch import Launch
from driveaway.values.errors import BadValue, Conflict, Refused
from tests.stores import acts


def _count(launch: Launch, figure: str, hours: float, mark: int | None = None, **more: str) -> object:
    return launch.at(acts.at(hours), mark=mark).figure(figure, **more).value


def test_as_of_is_inclusive_and_blind_to_what_came_after(launch: Launch) -> None:
    launch.append([acts.reserved(1, 0), acts.reserved(2, 5)])
    assert launch.at(acts.at(5)).figure("orders.reserved").value == 2
    assert launch.at(acts.at(5) - 1).figure("orders.reserved").value == 1


def test_a_correction_holds_from_its_own_mark_on(launch: Launch) -> None:
    launch.append([acts.reserved(1, 0), acts.taken(1, 1), acts.reserved(2, 0)])
    launch.append([acts.reserved(1, 0, source="urn:fix", replaces=1, trim="Pro")])
    assert _count(launch, "orders.reserved", 9, 3, trim="Max") == 2
    assert _count(launch, "orders.reserved", 9, 4, trim="Max") == 1
    assert _count(launch, "orders.reserved", 9, 4, trim="Pro") == 1
    # Out even when the replacement happened after the as-of.
    launch.append([acts.reserved(2, 7, source="urn:later", replaces=3)])
    assert _count(launch, "orders.reserved", 5, 4) == 2
    assert _count(launch, "orders.reserved", 5, 5) == 1
    assert _count(launch, "orders.reserved", 7, 5) == 2


def test_a_withdrawal_takes_a_fact_back(launch: Launch) -> None:
    launch.append([acts.reserved(1), acts.locked(1)])
    launch.append([acts.withdrawn(acts.order(1), 2)])
    assert _count(launch, "orders.locked", 9, 2) == 1
    assert _count(launch, "orders.locked", 9, 3) == 0
    launch.append([acts.locked(1, 2)])
    assert _count(launch, "orders.locked", 9) == 1
    assert [fact.replaces for fact in launch.book.about(acts.order(1))] == [None, None, 2, None]


def test_a_fact_is_replaced_once(launch: Launch) -> None:
    launch.append([acts.reserved(1)])
    launch.append([acts.reserved(1, source="urn:fix/1", replaces=1, colour="green")])
    for late in (acts.reserved(1, source="urn:fix/2", replaces=1), acts.withdrawn(acts.order(1), 1)):
        with pytest.raises(Conflict) as conflict:
            launch.append([late])
        assert conflict.value.code == "fact.replaced"
    both = [
        acts.reserved(1, source="urn:fix/3", replaces=2, trim="Pro"),
        acts.reserved(1, source="urn:fix/4", replaces=2),
    ]
    outcomes = launch.append(both, atomic=False)
    assert [outcome.seq for outcome in outcomes] == [3, None]
    # A correction of the correction.
    launch.append([acts.reserved(1, source="urn:fix/5", replaces=3)])
    assert launch.book.edge().size == 4


def test_a_correction_keeps_kind_and_subject(launch: Launch) -> None:
    launch.append([acts.reserved(1), acts.reserved(2), acts.taken(1)])
    for other in (acts.reserved(2, source="urn:x", replaces=1), acts.locked(1, replaces=1, source="urn:y")):
        with pytest.raises(Conflict) as conflict:
            launch.append([other])
        assert conflict.value.code == "fact.replaces_other"


def test_a_repeated_correction_adds_nothing(launch: Launch) -> None:
    launch.append([acts.reserved(1)])
    fix = acts.reserved(1, source="urn:fix", replaces=1, colour="green")
    assert [outcome.seq for outcome in launch.append([fix]) + launch.append([fix])] == [2, 2]


def test_late_facts_stand_where_they_happened(launch: Launch) -> None:
    launch.append([acts.reserved(1, 0), acts.locked(1, 50)])
    launch.append([acts.changed(1, 20)])
    with pytest.raises(Refused) as refused:
        launch.append([acts.cancelled(1, 30)])
    assert refused.value.code == "order.cancelled_already"
    assert "fact 2" in refused.value.message
    with pytest.raises(Refused):
        launch.append([acts.changed(1, -1)])
    assert launch.book.edge().size == 3


def test_the_order_of_arrival_does_not_matter_where_the_order_of_time_is_legal(launch: Launch) -> None:
    life = acts.delivered(1, 1)
    launch.append([life[0], life[3], life[2], life[1], life[5], life[4], life[6]])
    assert launch.at(acts.at(9)).figure("cars.delivered").value == 1


def test_what_others_rest_on_cannot_be_withdrawn(launch: Launch) -> None:
    launch.append(acts.delivered(1, 1))
    for seq, subject in ((1, acts.order(1)), (3, acts.order(1)), (4, acts.car(1)), (5, acts.car(1))):
        with pytest.raises(Refused) as refused:
            launch.append([acts.withdrawn(subject, seq)])
        assert "could then not stand" in refused.value.message
    launch.append([acts.withdrawn(acts.order(1), 7)])
    launch.append([acts.withdrawn(acts.car(1), 5)])
    assert launch.book.edge().size == 9


def test_a_withdrawn_order_is_free_again_in_the_same_batch(launch: Launch) -> None:
    launch.append([acts.reserved(1)])
    again = acts.reserved(1, 3, source="urn:again")
    outcomes = launch.append([acts.withdrawn(acts.order(1), 1), again], atomic=False)
    assert [outcome.seq for outcome in outcomes] == [2, 3]


def test_facts_of_one_moment_keep_their_place_when_corrected(launch: Launch) -> None:
    launch.append([acts.reserved(1, 0), acts.taken(1, 0), acts.locked(1, 0)])
    launch.append([acts.reserved(1, 0, source="urn:fix", replaces=1, colour="green")])
    launch.append([acts.cancelled(1, 5)])
    assert launch.at(acts.at(9)).figure("orders.cancelled").value == 1


def test_an_erasure_and_a_withdrawal_are_for_ever(launch: Launch) -> None:
    launch.append([acts.reserved(1, buyer="b"), acts.reserved(2)])
    launch.append([acts.withdrawn(acts.order(2), 2)])
    launch.erase(acts.order(1), "asked")
    for subject, seq in ((acts.order(2), 3), (acts.order(1), 4)):
        with pytest.raises(Refused) as refused:
            launch.append([acts.withdrawn(subject, seq)])
        assert refused.value.code == "fact.final"


def test_outlets_open_before_they_close(launch: Launch) -> None:
    launch.append([acts.opened("beijing-1", 0), acts.closed("beijing-1", 10)])
    with pytest.raises(Refused):
        launch.append([acts.closed("beijing-1", 5)])
    with pytest.raises(Refused):
        launch.append([acts.withdrawn("beijing-1", 1)])
    launch.append([acts.opened("beijing-1", 20)])
    launch.append([acts.withdrawn("beijing-1", 3)])
    launch.append([acts.withdrawn("beijing-1", 2)])
    assert launch.at(acts.at(30)).figure("outlets.open").value == 1


def test_a_mark_beyond_the_book(launch: Launch) -> None:
    launch.append([acts.reserved(1)])
    for mark in (-1, 2):
        with pytest.raises(BadValue) as bad:
            _count(launch, "orders.reserved", 5, mark)
        assert bad.value.code == "mark.range"


def test_known_at_finds_the_mark(launch: Launch) -> None:
    for number, hours in enumerate((100, 200, 300)):
        launch.append([acts.reserved(number)], clock=lambda _, hours=hours: acts.at(hours))
    shown = launch.when(acts.at(0), known_at="2024-04-06T06:00:00+08:00")
    assert shown.mark == 2
