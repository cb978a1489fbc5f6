"""Both evaluators agree on random gates and cars, and with the definition of three-valued logic."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import driveaway
from driveaway.updates.gates.columns import Cars, Categories, Numbers, cars_of
from driveaway.updates.gates.expression import ALWAYS, NEVER, All, Any_, Gate, Leaf, Not, Trim
from driveaway.updates.gates.fleet import FleetJudge
from driveaway.updates.gates.judging import CarState, Judge
from driveaway.updates.gates.text import parse
from driveaway.updates.gates.versions import compare
from driveaway.values.errors import BadValue
from tests.unit.updates.gates.gates import PLACES, cars, gates, small

SOURCE = Path(driveaway.__file__).parents[1]


@st.composite
def fleets(draw: st.DrawFn) -> list[CarState]:
    return draw(st.lists(cars(draw(st.none() | small)), max_size=8))


@given(gates, fleets(), st.booleans())
def test_server_and_car_agree_in_verdict_and_reasons(gate: Gate, states: list[CarState], all_: bool) -> None:
    places = PLACES if all_ else PLACES[:1]
    columns = cars_of(states, states[0].now if states else None)
    fleet, judge = FleetJudge(gate, places), Judge(gate, places)
    verdicts = fleet.verdicts(columns)
    for row, state in enumerate(states):
        verdict = judge.verdict(state)
        assert {1: True, 0: False, -1: None}[int(verdicts.value[row])] is verdict.value
        assert tuple(np.flatnonzero(verdicts.blamed[:, row])) == verdict.conditions
        assert int(verdicts.first()[row]) == (verdict.conditions[0] if verdict.conditions else -1)
        assert judge.allows(state) is verdict.eligible is bool(verdicts.eligible[row])
        assert fleet.explain(columns, row) == verdict


def kleene(gate: Gate, truth: dict[Leaf, Any]) -> bool | None:
    """Strong three-valued logic, as it is defined: false is least, true is greatest."""
    rank = {False: 0, None: 1, True: 2}
    back = {number: value for value, number in rank.items()}
    if isinstance(gate, Not):
        return back[2 - rank[kleene(gate.of, truth)]]
    if isinstance(gate, All):
        return back[min((rank[kleene(part, truth)] for part in gate.of), default=2)]
    if isinstance(gate, Any_):
        return back[max((rank[kleene(part, truth)] for part in gate.of), default=0)]
    return truth[gate]


@given(gates, cars(2))
def test_verdicts_follow_three_valued_logic(gate: Gate, car: CarState) -> None:
    judge = Judge(gate, PLACES)
    truth = {entry.leaf: Judge(entry.leaf, PLACES).verdict(car).value for entry in judge.conditions.leaves}
    assert judge.verdict(car).value is kleene(gate, truth)


@given(gates, cars(2))
def test_a_car_that_mends_every_reason_is_eligible(gate: Gate, car: CarState) -> None:
    # The reasons are enough: were each of their conditions met, the gate would be open, unless it is never.
    judge = Judge(gate, PLACES)
    verdict = judge.verdict(car)
    if verdict.eligible:
        assert not verdict.reasons
        return
    met = {entry.leaf: entry.wanted for entry in judge.conditions.leaves}
    if kleene(gate, met) is True and len(met) == len(judge.conditions.leaves):
        assert verdict.reasons
        blamed = {judge.conditions.leaves[number].leaf for number in verdict.conditions}
        truth = {leaf: Judge(leaf, PLACES).verdict(car).value for leaf in met}
        assert kleene(gate, truth | {leaf: met[leaf] for leaf in blamed}) is True


def test_unknown_is_not_eligible_and_says_so() -> None:
    gate = parse("trim in [Max] and assisted_metres >= 1_000_000 and hardware.lidar >= 1")
    verdict = Judge(gate).verdict(CarState(trim="Standard", hardware={"lidar": 1}))
    assert verdict.value is False
    assert [str(reason) for reason in verdict.reasons] == [
        "needs trim in [Max]; has Standard",
        "unknown: needs assisted_metres >= 1000000",
    ]
    assert verdict.first is not None
    assert verdict.first.code == "gate.trim"
    assert Judge(gate).verdict(CarState(trim="Max", hardware={"lidar": 1})).value is None


def test_every_condition_that_fails_can_be_told() -> None:
    gate = parse(
        "not (trim in [Pro] or market in [DE]) and hardware.compute in [thor] and software.adas >= 2 and "
        "entitlement plus and training city and from 1970-01-01T00:00:02Z and until 1970-01-01T00:00:00Z "
        "and place in [city:one] and not hardware.lidar < 2"
    )
    car = CarState(
        trim="Pro", market="DE", hardware={"compute": "orin-x", "lidar": 1}, software={"adas": "1.0"},
        entitlements=frozenset(), trainings=frozenset({"valet"}), position=(50, 50), now=1_000_000,
    )  # fmt: skip
    verdict = Judge(gate, PLACES).verdict(car)
    assert [reason.has for reason in verdict.reasons] == [
        "Pro", "DE", "orin-x", "1.0", "none", "valet", "1970-01-01T00:00:01+00:00",
        "1970-01-01T00:00:01+00:00", "a position outside", "1",
    ]  # fmt: skip
    assert verdict.reasons[0].needs == "not trim in [Pro]"


def test_always_and_never_need_no_reason() -> None:
    assert Judge(ALWAYS).verdict(CarState()).value is True
    verdict = Judge(NEVER).verdict(CarState())
    assert verdict.value is False
    assert verdict.first is None
    verdicts = FleetJudge(NEVER).verdicts(Cars(count=2))
    assert verdicts.first().tolist() == [-1, -1]
    assert verdicts.why_not() == []


def test_why_not_counts_first_and_all_reasons() -> None:
    states = [
        CarState(trim="Pro", assisted_metres=5),
        CarState(trim="Max"),
        CarState(trim="Max", assisted_metres=20),
    ]
    verdicts = FleetJudge(parse("trim in [Max] and assisted_metres >= 10")).verdicts(cars_of(states, None))
    assert verdicts.why_not() == [
        ("gate.trim", "trim in [Max]", 1, 1),
        ("gate.assisted_metres", "assisted_metres >= 10", 1, 2),
    ]


def test_columns_of_other_lengths_or_types_are_refused() -> None:
    with pytest.raises(BadValue, match="trim has 1 rows for 2 cars"):
        Cars(count=2, trim=Categories.of(["Pro"]))
    with pytest.raises(BadValue, match=r"hardware\.lidar has 1 rows"):
        Cars(count=2, hardware={"lidar": Numbers.of([1])})
    with pytest.raises(BadValue, match="a number in some cars"):
        cars_of([CarState(hardware={"lidar": 1}), CarState(hardware={"lidar": "roof"})], None)


def test_versions_are_asked_once_for_each_different_one() -> None:
    asked: list[str] = []

    def order(one: str, two: str) -> int:
        asked.append(one)
        return compare(one, two)

    states = [CarState(software={"adas": f"1.{n % 3}"}) for n in range(300)]
    verdicts = FleetJudge(parse("software.adas >= 1.1"), order=order).verdicts(cars_of(states, None))
    assert verdicts.eligible.sum() == 200
    assert sorted(asked) == ["1.0", "1.1", "1.2"]


@pytest.mark.parametrize(
    "ordered",
    [
        ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
         "1.0.0-rc.1", "1.0.0"],
        ["2023.9.8", "2024.5.1", "2024.5.2", "2024.12"],
        ["1", "1.0.0.1", "1.9", "1.10"],
    ],
)  # fmt: skip
def test_versions_are_ordered(ordered: list[str]) -> None:
    # The first list is the example of SemVer 2.0.0, section 11.
    for i, one in enumerate(ordered):
        for j, two in enumerate(ordered):
            assert compare(one, two) == (i > j) - (i < j)
    assert compare("1.0", "1.0.0+build.7") == 0
    for wrong in ("", "v1.0", "1..0", "١.0", "9" * 201):
        with pytest.raises(BadValue, match=r"gate\.version"):
            compare(wrong, "1.0")


def test_the_cars_side_needs_no_arrays() -> None:
    program = (
        "import sys, driveaway.updates.gates.session, driveaway.updates.gates.text;"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=SOURCE
    )
    assert not set(done.stdout.split()) & {"numpy", "pyarrow", "shapely", "duckdb", "sqlalchemy"}


def test_equal_values_make_equal_conditions() -> None:
    with pytest.raises(BadValue, match="sort"):
        Trim(("Pro", "Max"))
