"""What becomes of a release in the cars of the tables: by configuration, and wherever cars are given it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driveaway.launch.launch import Launch
from driveaway.launch.updates import explaining, rolling
from driveaway.launch.updates.resolving import told_resolution
from driveaway.updates import assigning, registry, releases, sets, software
from driveaway.updates.assigning import Terms as Asked
from driveaway.updates.management import targetfilters
from driveaway.updates.model import ActionType
from driveaway.updates.registry import Mode
from driveaway.updates.releases import About, Need, Record, Terms
from driveaway.updates.resolving.possible import check_possible
from driveaway.updates.resolving.universe import read_universe
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.guards import InstallGuard, Rules
from driveaway.updates.rollouts.plan import RolloutPlan
from driveaway.updates.rollouts.plans import ByStages, Stage
from driveaway.values.errors import Refused
from tests.stores.garage import VINS, Garage, garage

CARS = VINS[:7]
READY, OLD, LOST, SILENT = CARS[:2], CARS[2:4], CARS[4:6], CARS[6:]
ALL_AT_ONCE = Rules(
    growth=ByStages(stages=(Stage(share=1.0, minimum_s=3600),)),
    comparisons=(),
    guards=(InstallGuard(name="installs", threshold=0.2, minimum=1, bound="observed"),),
)


@pytest.fixture
def small(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        made.enter(*CARS)
        says(made, READY, {"hardware": "hpc, adas", "lidar.version": "2.0", "unrelated": "1"})
        says(made, READY[1:], {"hardware": "adas,hpc", "unrelated": "2"})
        says(made, OLD, {"hardware": "hpc,adas", "lidar.version": "1.0"})
        says(made, LOST, {"hardware": "hpc", "lidar.version": "1.0"})
        yield made


def says(small: Garage, vins: list[str], said: dict[str, str]) -> None:
    with small.state.change() as change:
        for vin in vins:
            registry.put_attributes(change, vin, said, Mode.MERGE, small.at)


def release(
    small: Garage,
    module: str,
    version: str,
    hardware: str,
    terms: Terms | None = None,
    *,
    published: bool = True,
) -> int:
    with small.state.change() as change:
        made = software.create_module(change, module, version, "os", small.at)
        releases.set_about(change, made.id, About(hardware=(hardware,)), small.at)
        found = sets.create_set(change, f"r-{module}", version, "os", [made.id], small.at)
        record = Record(
            terms={} if terms is None else {module: terms}, published=small.at if published else None
        )
        releases.write_record(change, found.id, record, small.at)
    return found.id


def parking(small: Garage) -> int:
    """It needs a lidar that a release of its own brings, to cars with a control unit for it."""
    release(small, "lidar", "2.0", "adas")
    return release(small, "parking", "1.0", "hpc", Terms(needs=(Need("lidar", "2.0"),)))


def test_the_fleet_is_resolved_by_configuration(small: Garage) -> None:
    told = told_resolution(small.state, parking(small), "controllerid==*", small.at)
    assert told["cars"] == len(CARS)
    assert told["verdicts"] == {"after": 2, "fits": 3, "unsolvable": 2}
    rows = {row["example"]: row for row in told["rows"]}
    cars = {vin: row["cars"] for vin, row in rows.items()}
    assert cars == {min(READY): 2, min(OLD): 2, min(LOST): 2, SILENT[0]: 1}
    assert rows[min(READY)]["hardware"] == ["adas", "hpc"]
    assert rows[min(OLD)]["first"] == [{"release": "r-lidar-2.0", "brings": {"lidar": "2.0"}}]
    assert rows[min(OLD)]["reasons"] == ["parking needs another lidar, which is 1.0"]
    assert rows[min(LOST)]["reasons"][-1] == "of lidar: the car runs 1.0; no other release brings it"
    some = told_resolution(small.state, parking_of(small), f"controllerid=={OLD[1]}", small.at)
    assert (some["cars"], some["verdicts"]) == (1, {"after": 1})


def parking_of(small: Garage) -> int:
    return sets.set_named(small.state, "r-parking", "1.0").id


def test_a_set_that_is_no_release_fits_all(small: Garage) -> None:
    told = told_resolution(small.state, small.release("1.0"), "controllerid==*", small.at)
    assert told == {"cars": len(CARS), "verdicts": {"fits": len(CARS)}, "rows": []}


def test_direct_assignment_passes_over_what_does_not_fit(small: Garage) -> None:
    made = parking(small)
    with small.state.change() as change:
        done = assigning.assign(change, made, CARS, Asked(), small.at)
        again = assigning.assign(change, made, READY, Asked(), small.at)
    assert set(done.actions) == {*READY, *SILENT}
    why = "parking needs another lidar, which is 1.0"
    assert done.passed_over == dict.fromkeys([*OLD, *LOST], why)
    assert (done.already, again.already, again.passed_over) == (0, len(READY), {})
    assert small.target(OLD[0]).assigned is None


def test_a_target_filter_goes_on_behind_cars_that_are_passed_over(small: Garage) -> None:
    made = parking(small)
    with small.state.change() as change:
        number = targetfilters.create_filter(change, "all", "controllerid==*", small.at).id
        targetfilters.give_automatically(change, number, made, small.at)
        given, last = targetfilters.assign_due(change, number, small.at, most=4)
        assert (given, last) == (len(READY), small.target(OLD[1]).id)
        assert targetfilters.assign_due(change, number, small.at, after=last or 0, most=4) == (1, None)
    says(small, OLD, {"lidar.version": "2.0"})
    with small.state.change() as change:
        assert targetfilters.assign_due(change, number, small.at) == (len(OLD), None)


def test_a_rollout_counts_and_explains_what_it_passes_over(small: Garage) -> None:
    plan = RolloutPlan(rules=ALL_AT_ONCE, type=ActionType.FORCED, holdout=0)
    made = parking(small)
    with small.state.change() as change:
        rollout = keeping.create_rollout(change, "r", made, "controllerid==*", plan, small.at, by="li.na")
        keeping.start(change, rollout, small.at, by="li.na")
    Driver(small.state, rollout.id).look(small.at)
    told = rolling.told(small.launch, keeping.find_rollout(small.state, rollout.id))
    assert (told["opened"], told["offered"], told["passed_over"]) == (7, 3, 4)

    def reasons(vin: str) -> dict[str, str]:
        found = explaining.told_reasons(small.launch, "r", vin, small.at)
        assert not found["gets_it"]
        return {each["code"]: each["text"] for each in found["reasons"]}

    old, lost = reasons(OLD[0]), reasons(LOST[0])
    assert old["release_first"] == "it can take 1.0 after r-lidar-2.0"
    assert "unsolvable" not in old
    assert lost["unsolvable"] == (
        "nothing published helps: parking 1.0 of r-parking-1.0 needs lidar 2.0 or later;"
        " of lidar: the car runs 1.0; no other release brings it"
    )


def test_what_no_car_could_take_is_refused(small: Garage) -> None:
    """Versions are known that were added or that cars report; no lidar 3 is among them, but a radar 9."""
    says(small, READY, {"radar.version": "9"})
    for need, refused in ((Need("lidar", "3"), True), (Need("radar", "9"), False), (Need("ear", "1"), False)):
        made = release(small, f"m-{need.module}", "1.0", "hpc", Terms(needs=(need,)), published=False)
        universe = read_universe(small.state, made)
        if not refused:
            check_possible(small.state, universe, universe.releases[made])
            continue
        with pytest.raises(Refused, match=r"known versions: 1\.0, 2\.0 .*release\.unsolvable"):
            check_possible(small.state, universe, universe.releases[made])
