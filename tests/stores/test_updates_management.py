"""What staff ask of the update tables, on both stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driveaway.launch.launch import Launch
from driveaway.updates import labels, registry, sets, software
from driveaway.updates.management import amending, counting, paging, targetfilters
from driveaway.updates.management.paging import Page, read_page
from driveaway.updates.model import ActionType
from driveaway.updates.releases import UNSIGNED
from driveaway.updates.rollouts import groups, keeping
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.plan import RolloutPlan
from driveaway.updates.rollouts.thresholds import HawkbitGroup
from driveaway.values.clock import SECOND
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused
from tests.stores.garage import VINS, Garage, garage


@pytest.fixture
def g(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        made.set(UNSIGNED, True)
        yield made


def page(g: Garage, listing: paging.Listing, **asked: object) -> tuple[list[object], int]:
    """Keys of a page, and how many rows there are in all."""
    rows, total = read_page(g.state, listing, Page(**asked), g.at)  # type: ignore[arg-type]
    return [row[0] for row in rows], total


def test_every_table_is_paged_filtered_and_sorted(g: Garage) -> None:
    g.enter(*VINS[:5])
    first, second = g.release("1.10.0"), g.release("1.9.0")
    g.assign(first, *VINS[:3])
    with g.state.change() as change:
        made = targetfilters.create_filter(change, "all", "id==*", g.at)
        targetfilters.give_automatically(change, made.id, second, g.at)
        keeping.create_rollout(change, "wave", first, "id==*", RolloutPlan(), g.at, by="eva")
        labels.tag(change, "beta", VINS[:1], g.at)
    assert page(g, paging.TARGETS, limit=2)[1] == 5
    assert len(page(g, paging.TARGETS, q="assignedds.version=vgt=1.9;updatestatus==pending")[0]) == 3
    assert len(page(g, paging.TARGETS, q="tag==beta")[0]) == 1
    assert len(page(g, paging.TARGETS, q="createdat=lt=${NOW_TS}")[0]) == 0
    # Versions are sorted as versions.
    assert page(g, paging.SETS, sort="version:ASC") == ([second, first], 2)
    assert page(g, paging.SETS, sort="version:DESC", offset=1) == ([second], 2)
    assert page(g, paging.MODULES, q="name==su7", sort="createdat:ASC,id:DESC")[1] == 2
    assert page(g, paging.ACTIONS, q=f"target.id=={VINS[0]}")[1] == 1
    assert len(page(g, paging.ACTIONS, sort="distributionset.version:ASC,target.name:DESC")[0]) == 3
    assert page(g, paging.ACTIONS)[0] == sorted(page(g, paging.ACTIONS)[0], reverse=True)
    assert page(g, paging.FILTERS, q="autoassigndistributionset.version==1.9.0")[1] == 1
    assert page(g, paging.ROLLOUTS, q="distributionset.name==su7;status==ready")[1] == 1
    with pytest.raises(BadValue, match="nothing is sorted"):
        page(g, paging.TARGETS, sort="tag:ASC")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    limit=st.integers(-3, 7),
    sort=st.sampled_from(["", "name:ASC", "name:DESC", "updatestatus:ASC,group:DESC"]),
)
def test_pages_cover_everything_once(g: Garage, limit: int, sort: str) -> None:
    known = {row[0] for row in g.state.rows("SELECT controller_id FROM targets")}
    g.enter(*(vin for vin in VINS[:13] if vin not in known))
    seen: list[object] = []
    while True:
        found, total = page(g, paging.TARGETS, offset=len(seen), limit=limit, sort=sort)
        seen += found
        if not found:
            break
    assert total == 13
    assert len(seen) == len(set(seen)) == 13


def test_who_is_overdue(g: Garage) -> None:
    g.set("pollingTime", "00:10:00~20%, name==x -> 01:00:00")
    g.set("pollingOverdueTime", "00:05:00")
    g.enter(*VINS[:2])
    with g.state.change() as change:
        for vin, minutes in zip(VINS, (14, 16), strict=False):
            change.run(
                "UPDATE targets SET polled = :at WHERE controller_id = :id",
                at=g.at - minutes * 60 * SECOND,
                id=vin,
            )
    late = registry.target_named(g.state, VINS[1]).id
    assert page(g, paging.TARGETS, q="lastcontrollerrequestat=le=${OVERDUE_TS}") == ([late], 1)


def test_a_filter_gives_its_set_to_whoever_it_finds_once(g: Garage) -> None:
    g.enter(*VINS[:6])
    release, next_one = g.release("1.0"), g.release("2.0")
    with g.state.change() as change:
        made = targetfilters.create_filter(change, "first", f"id=in=({','.join(VINS[:4])})", g.at).id
        assert targetfilters.assign_due(change, made, g.at) == (0, None)
        targetfilters.give_automatically(change, made, release, g.at, type=ActionType.SOFT, weight=7)
        given, last = targetfilters.assign_due(change, made, g.at, most=3)
        assert (given, last) == (3, g.target(VINS[2]).id)
        assert targetfilters.assign_due(change, made, g.at, most=3) == (1, None)
        assert targetfilters.assign_due(change, made, g.at, most=3) == (0, None)
    (action,) = [
        row[0]
        for row in g.state.rows(
            "SELECT a.id FROM actions a JOIN targets t ON t.id = a.target WHERE t.controller_id = :id",
            id=VINS[0],
        )
    ]
    found = g.action(action)
    assert (found.type, found.weight, found.initiated_by) == (ActionType.SOFT, 7, "target filter first")
    # Whatever became of it, it is given once.
    g.say(VINS[0], action, "closed", "failure")
    g.assign(next_one, VINS[1])
    with g.state.change() as change:
        assert targetfilters.assign_due(change, made, g.at) == (0, None)
        targetfilters.give_automatically(change, made, None, g.at)
        assert targetfilters.find_filter(change, made).action_type == ""
        targetfilters.delete_filter(change, made)
        with pytest.raises(NotFound):
            targetfilters.find_filter(change, made)


def test_filters_that_cannot_be(g: Garage) -> None:
    release = g.release("1.0")
    with g.state.change() as change:
        made = targetfilters.create_filter(change, "a", "id==x", g.at).id
        targetfilters.create_filter(change, "b", "id==x", g.at)
        with pytest.raises(Conflict):
            targetfilters.amend_filter(change, made, g.at, name="b")
        with pytest.raises(BadValue, match="filter"):
            targetfilters.amend_filter(change, made, g.at, query="id==")
        for name in ("", " ", "x" * 129, "a\nb"):
            with pytest.raises(BadValue):
                targetfilters.create_filter(change, name, "id==x", g.at)
        with pytest.raises(BadValue):
            targetfilters.give_automatically(change, made, release, g.at, type=ActionType.TIME_FORCED)
        with pytest.raises(BadValue):
            targetfilters.give_automatically(change, made, release, g.at, weight=1001)
        sets.invalidate(change, release, g.at)
        with pytest.raises(Refused):
            targetfilters.give_automatically(change, made, release, g.at)


def test_counts_of_a_rollout_and_its_groups(g: Garage) -> None:
    g.enter(*VINS[:8])
    release = g.release("1.0")
    plan = RolloutPlan(hawkbit=(HawkbitGroup(target_percentage=50), HawkbitGroup(name="rest")))
    with g.state.change() as change:
        made = keeping.create_rollout(change, "wave", release, "id==*", plan, g.at, by="eva")
        assert sum(counting.rollout_counts(change, made.id).values()) == 0
        keeping.start(change, made, g.at, by="eva")
    Driver(g.state, made.id).look(g.at)
    counts = counting.rollout_counts(g.state, made.id)
    assert (counts["running"], counts["notstarted"]) == (4, 4)
    first, rest = groups.all_groups(g.state, made.id)
    by_group = counting.group_counts(g.state, made.id)
    assert by_group.keys() == {first.id}
    assert by_group[first.id]["running"] == 4
    found = keeping.find_rollout(g.state, made.id)
    for group in (first, rest):
        where, position = counting.in_group(found), group.position
        rows, total = read_page(
            g.state, paging.TARGETS, Page(), g.at, where, rollout=made.id, group=group.id, position=position
        )
        assert len(rows) == total == 4
    rows = g.state.rows(
        "SELECT a.id, t.controller_id FROM actions a JOIN targets t ON t.id = a.target ORDER BY a.id"
    )
    g.say(rows[0][1], rows[0][0], "closed", "success")
    g.say(rows[1][1], rows[1][0], "closed", "failure")
    g.say(rows[2][1], rows[2][0], "canceled")
    counts = counting.rollout_counts(g.state, made.id)
    assert counts == {
        "running": 1, "notstarted": 4, "scheduled": 0, "cancelled": 1, "finished": 1, "error": 1
    }  # fmt: skip
    said = counting.set_statistics(g.state, release)
    assert said["actions"]["total"] == 4
    assert said["rollouts"] == {"RUNNING": 1, "total": 1}
    with g.state.change() as change, pytest.raises(Refused):
        amending.delete_rollout(change, made.id)


def test_a_rollout_by_stages_has_targets_in_its_groups(g: Garage) -> None:
    g.enter(*VINS[:40])
    release = g.release("1.0")
    with g.state.change() as change:
        made = keeping.create_rollout(change, "wave", release, "id==*", RolloutPlan(), g.at, by="eva")
        keeping.start(change, made, g.at, by="eva")
    Driver(g.state, made.id).look(g.at)
    found = keeping.find_rollout(g.state, made.id)
    where = counting.in_group(found)
    group = groups.all_groups(g.state, made.id)[0].id
    _, total = read_page(
        g.state, paging.TARGETS, Page(), g.at, where, rollout=made.id, group=group, position=0
    )
    assert total == counting.rollout_counts(g.state, made.id)["running"] > 0


def test_what_is_locked_stays(g: Garage) -> None:
    release = g.release("1.0")
    (module,) = sets.modules_of(g.state, release)
    with g.state.change() as change:
        amending.amend_module(change, module.id, g.at, description="d", vendor="v")
        amending.amend_set(change, release, g.at, name="new", version="2.0", required_migration_step=True)
        found = sets.find_set(change, release)
        assert (found.name, found.version, found.required_migration_step) == ("new", "2.0", True)
        assert sets.set_named(change, "new", "2.0").id == release
        amending.amend_module(change, module.id, g.at, locked=True)
        with pytest.raises(Refused):
            amending.amend_module(change, module.id, g.at, locked=False)
        amending.amend_set(change, release, g.at, locked=True)
        amending.amend_set(change, release, g.at, description="still", name="new")
        for wrong in ({"name": "x"}, {"version": "3"}, {"required_migration_step": False}, {"locked": False}):
            with pytest.raises(Refused):
                amending.amend_set(change, release, g.at, **wrong)  # type: ignore[arg-type]
        other = sets.create_set(change, "other", "2.0", "os", [], g.at)
        with pytest.raises(Conflict):
            amending.amend_set(change, other.id, g.at, name="new")
        with pytest.raises(BadValue):
            amending.amend_set(change, other.id, g.at, description="x" * 513)
        assert software.find_module(change, module.id).locked


def test_actions_are_taken_out_once_they_have_ended(g: Garage) -> None:
    g.enter(VINS[0])
    kept: list[int] = []
    for number in range(4):
        (action,) = g.assign(g.release(f"1.{number}"), VINS[0])
        kept.append(action)
        if number < 3:
            g.say(VINS[0], action, "closed", "success" if number == 1 else "failure")
    with g.state.change() as change:
        assert amending.oldest_actions(change, VINS[0], 1) == [kept[0], kept[2]]
        for wrong in (kept[3], kept[1]):
            with pytest.raises(Refused):
                amending.delete_actions(change, VINS[0], g.at, [wrong])
        with pytest.raises(NotFound):
            amending.delete_actions(change, VINS[0], g.at, [kept[0], 10_000])
        assert amending.delete_actions(change, VINS[0], g.at, [kept[0], kept[2]]) == 2
    assert page(g, paging.ACTIONS)[0] == [kept[3], kept[1]]


def test_a_rollout_is_renamed_and_taken_out_before_it_starts(g: Garage) -> None:
    g.enter(VINS[0])
    release = g.release("1.0")
    with g.state.change() as change:
        for name in ("a", "b"):
            keeping.create_rollout(change, name, release, "id==*", RolloutPlan(), g.at, by="eva")
        first, second = keeping.all_rollouts(change)
        amending.describe_rollout(change, first.id, g.at, "c", "now c")
        with pytest.raises(Conflict):
            amending.describe_rollout(change, first.id, g.at, "b", None)
        with pytest.raises(BadValue):
            amending.describe_rollout(change, first.id, g.at, "\n", None)
        keeping.start(change, keeping.find_rollout(change, first.id), g.at, by="eva")
        with pytest.raises(Refused):
            amending.describe_rollout(change, first.id, g.at, "d", None)
        amending.describe_rollout(change, first.id, g.at, None, "running")
        amending.delete_rollout(change, second.id)
        assert [each.name for each in keeping.all_rollouts(change)] == ["c"]
