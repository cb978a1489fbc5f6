"""Plans of a launch: from the book, adopted, kept to, and told apart from what was adopted."""

from __future__ import annotations

import numpy as np
import pytest

from driveaway.delivery.planning.problem import NO_DAY
from driveaway.delivery.plans import last_plan
from driveaway.delivery.supply.reading import number_of
from driveaway.facts import Draft
from driveaway.facts.delivery import OrderPrioritised
from driveaway.launch.desk import cancel
from driveaway.launch.launch import Launch
from driveaway.launch.planning import adopting, telling
from driveaway.launch.planning.landing import landed, plans_folder
from driveaway.launch.planning.proposing import Proposal, propose
from driveaway.values.clock import DAY, local_day
from driveaway.values.errors import Refused, Unavailable
from driveaway.values.ids import parse_order_id


@pytest.fixture
def proposal(launch: Launch) -> Proposal:
    return propose(launch, launch.at())


def test_every_open_order_has_a_slot_or_stands_beyond_the_plan(launch: Launch, proposal: Proposal) -> None:
    waiting = launch.at().figure("orders.waiting").value
    assert proposal.open == waiting
    assert len(proposal.plan.unplannable) == 0
    slots = proposal.plan.slot[: proposal.open]
    assert [slot < 0 for slot in slots.tolist()] == proposal.orders["built"].is_valid().to_pylist()
    assert (slots[slots != NO_DAY] < proposal.plan.supply.days).all()


def test_an_earlier_lock_of_the_same_configuration_is_never_built_later(proposal: Proposal) -> None:
    plan, seen = proposal.plan, {}
    rows = [row for row in range(proposal.open) if plan.slot[row] >= 0]
    for row in sorted(rows, key=lambda row: (plan.demand.locked[row], plan.demand.order_ids[row])):
        kind = (plan.demand.configuration[row], plan.demand.priority[row])
        assert seen.get(kind, -1) <= plan.slot[row]
        seen[kind] = plan.slot[row]


def test_a_lock_lies_in_a_day_of_the_launch_s_zone(proposal: Proposal) -> None:
    demand, zone = proposal.plan.demand, proposal.zone
    locked = demand.locked[: proposal.open]
    told = demand.lock_day[: proposal.open].tolist()
    assert told == [number_of(local_day(instant, zone)) for instant in locked.tolist()]
    assert told != (locked // DAY).tolist()
    # Who is still to come does not stand before a buyer who asks on the plan's first day.
    assert (demand.lock_day[proposal.open :] > proposal.plan.supply.first_day).all()
    assert len(demand) > proposal.open


def test_the_chance_to_be_there_rises_with_the_day(proposal: Proposal) -> None:
    dates = proposal.plan.promises.handed
    assert (np.diff(dates, axis=0) >= 0).all()


def test_a_trim_is_not_handed_over_before_its_first_day(proposal: Proposal) -> None:
    plan = proposal.plan
    opens = next(i for i in range(400) if str(proposal.day(i)) == "2024-05-18")
    pro = [
        row
        for row in range(proposal.open)
        if plan.demand.configurations[plan.demand.configuration[row]].trim == "Pro" and plan.slot[row] >= 0
    ]
    assert pro
    for row in pro:
        assert plan.promises.handed[0, row] >= opens - 2


def test_what_is_adopted_answers_the_figures(launch: Launch, proposal: Proposal) -> None:
    adopted = adopting.adopt(launch, proposal)
    body = adopting.body_of(proposal, "")
    cut = launch.at()
    odds = {row["target"]: row["value"] for row in cut.figure("delivery.target_odds").rows or ()}
    assert odds == {each.target: each.odds for each in body.odds}
    assert set(odds) == {"deliveries-2024", "deliveries-2024-06"}
    answer = cut.figure("delivery.expected")
    assert [row["value"] for row in answer.rows or ()] == [week.delivered for week in body.weeks]
    assert answer.simulated
    assert f"fact {adopted.seq}" in (answer.note or "")


def test_the_same_plan_is_adopted_once(launch: Launch, proposal: Proposal) -> None:
    first, again = adopting.adopt(launch, proposal), adopting.adopt(launch, proposal)
    assert (first.added, again.added, again.seq) == (True, False, first.seq)


def test_an_unchanged_book_moves_nobody(launch: Launch, proposal: Proposal) -> None:
    adopting.adopt(launch, proposal)
    later = propose(launch, launch.at())
    told = telling.of_difference(later, later.previous)  # type: ignore[arg-type]
    assert told["slots_earlier"] == told["slots_later"] == told["orders_new"] == told["orders_gone"] == 0
    assert told["slots_unmoved"] > 0


def test_a_cancelled_order_gives_its_frozen_slot_away_and_moves_nobody_back(
    launch: Launch, proposal: Proposal
) -> None:
    adopting.adopt(launch, proposal)
    plan = proposal.plan
    row = int(np.flatnonzero((plan.slot[: proposal.open] >= 0) & (plan.slot[: proposal.open] < 3))[0])
    order_id = str(plan.demand.order_ids[row])
    cancel(launch, parse_order_id(order_id), at=launch.at().as_of, by="buyer", reason=None, source="")
    later = propose(launch, launch.at())
    assert order_id not in later.orders["order_id"].to_pylist()
    told = telling.of_difference(later, later.previous)  # type: ignore[arg-type]
    assert told["orders_gone"] == 1
    assert told["slots_later"] == 0
    # At four cars a day everybody behind the gap moves up by one place, and a fourth of them by a day.
    assert told["slots_earlier"] < told["slots_unmoved"] / 2


def test_a_landed_plan_that_is_missing_or_changed_is_told(launch: Launch, proposal: Proposal) -> None:
    adopting.adopt(launch, proposal)
    fact = last_plan(launch.at().view)
    assert fact is not None
    assert landed(launch, fact).table.num_rows == proposal.open
    file = next(path for path in plans_folder(launch).iterdir() if path.stem == fact.body.table)  # type: ignore[attr-defined]
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(Unavailable, match="not the one that was adopted"):
        propose(launch, launch.at())
    file.unlink()
    with pytest.raises(Unavailable, match="is missing"):
        propose(launch, launch.at())
    assert propose(launch, launch.at(), stable=False).previous is None


def test_before_the_launch_there_is_nothing_to_plan(launch: Launch) -> None:
    with pytest.raises(Refused) as refused:
        propose(launch, launch.at("2024-03-01"))
    assert refused.value.code == "delivery.no_orders"


def test_the_plan_is_the_same_on_the_same_book(launch: Launch, proposal: Proposal) -> None:
    again = propose(launch, launch.at())
    assert adopting.body_of(again, "") == adopting.body_of(proposal, "")
    assert adopting.table_of(again).equals(adopting.table_of(proposal))


def test_orders_to_come_count_for_targets_and_get_no_date(launch: Launch, proposal: Proposal) -> None:
    assert len(proposal.plan.demand) > proposal.open
    assert adopting.table_of(proposal).num_rows == proposal.open
    body = adopting.body_of(proposal, "")
    assert body.orders == proposal.open


def test_it_is_told_in_weeks_trims_limits_and_regions(proposal: Proposal) -> None:
    told = telling.of_proposal(proposal)
    assert set(told["by_trim"]) == {"Max", "Pro", "Standard"}
    assert {"101 kWh pack", "lidar"} <= set(told["limits"])
    pack = told["limits"]["101 kWh pack"]
    assert all(used <= most + 1 for used, most in zip(pack["used"], pack["allowed"], strict=True) if most)
    assert sum(map(sum, told["by_region"].values())) > 0
    assert told["lp_gap"] < 0.05
    assert told["simulated"] is True


def test_an_exception_is_served_first_and_told_with_its_reason(launch: Launch, proposal: Proposal) -> None:
    plan = proposal.plan
    last = int(np.argmax(np.where(plan.slot[: proposal.open] == NO_DAY, -1, plan.slot[: proposal.open])))
    order_id, day = str(plan.demand.order_ids[last]), int(plan.slot[last])
    body = OrderPrioritised(rank=0, reason="the first car was damaged in transport")
    launch.append([Draft("order.prioritised", order_id, launch.at().as_of, body)])
    later = propose(launch, launch.at())
    row = later.orders["order_id"].to_pylist().index(order_id)
    assert later.plan.slot[row] < day
    (told,) = telling.of_proposal(later)["exceptions"]
    assert told == {"order": order_id, "rank": 0, "reason": body.reason}


def test_days_add_up_to_weeks(proposal: Proposal) -> None:
    told = telling.of_proposal(proposal)
    assert len(told["by_day"]) == proposal.plan.supply.days
    assert [row["day"] for row in told["by_day"]] == sorted(row["day"] for row in told["by_day"])
    assert all(row["built_low"] <= row["built"] <= row["built_high"] for row in told["by_day"])
