"""How many delivered cars a function is open to, and where; and why one car does not get it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driveaway.launch.functions import folder_places
from driveaway.launch.launch import Cut, Launch
from driveaway.launch.updates.columns import Delivered, delivered_cars
from driveaway.launch.updates.functions import FunctionState, function_named
from driveaway.updates.gates.columns import Categories
from driveaway.updates.gates.eligibility import COLUMNS, count_cars, equipment
from driveaway.updates.gates.expression import NEVER, Within, leaves
from driveaway.updates.gates.fleet import FleetJudge, Verdicts
from driveaway.updates.gates.text import show_gate
from driveaway.updates.outcomes import release_slug
from driveaway.values.clock import show
from driveaway.values.errors import NotFound
from driveaway.values.ids import parse_vin

BY: Final = ("place", "province", "trim")
GOES_ON: Final = (
    "A gate decides only whether the next activation is allowed; a session that is active goes on until the"
    " driver, the car's own ODD logic or the ignition ends it."
)
_PLACE_NOTE: Final = "place is the city of delivery: no server knows where a car is now"
_CLOSED: Final = ("function.closed", "the function to be open")
_UNSEEN: Final = "no car has reported an activation of any function by this date"


@dataclass(frozen=True)
class Judged:
    """Delivered cars and what a function is to each of them.

    Attributes:
        state: the function.
        cars: the delivered cars.
        verdicts: of the whole gate.
        equipped: whether trim and hardware meet the gate; 1, 0, -1 unknown, int8, shape (cars,).
        offered: whether a release that carries it was given to the car, alike; None: unknown of all.
        active: whether the car ever switched it on, alike; None: unknown of all.
        simulated: whether anything counted was made up.
        notes: caveats, for people.
    """

    state: FunctionState
    cars: Delivered
    verdicts: Verdicts
    equipped: NDArray[np.int8]
    offered: NDArray[np.int8] | None
    active: NDArray[np.int8] | None
    simulated: bool
    notes: tuple[str, ...]

    @property
    def eligible(self) -> NDArray[np.int8]:
        """Whether the function is open to each car: the gate's answer, and to none once it is closed."""
        return self.verdicts.value if self.state.open else np.zeros(self.cars.cars.count, np.int8)


def judge_cars(launch: Launch, cut: Cut, name: str, vin: str | None = None) -> Judged:
    """Judge every delivered car, or one, by a function's gate.

    Raises:
        NotFound: the function had not been opened by the as-of.
    """
    state = function_named(cut.view, name)
    cars = delivered_cars(launch, cut, state.gate, vin)
    notes = list(cars.notes) if cars.vins else ["no car with a VIN had been delivered by this date"]
    if any(isinstance(leaf, Within) for leaf in leaves(state.gate)):
        notes.append(_PLACE_NOTE)
    offered, why = _offered(launch, cut, state, cars.vins)
    notes += [f"offered: unknown, {why}"] if why else []
    active, made_up = _active(cut, state, cars.vins)
    notes += [f"active: unknown, {_UNSEEN}"] if active is None else []
    if not state.open:
        notes.append(f"closed since {show(state.since, launch.zone)}: {state.reason}")
    return Judged(
        state=state,
        cars=cars,
        verdicts=FleetJudge(state.gate, folder_places(launch.folder).values()).verdicts(cars.cars),
        equipped=FleetJudge(equipment(state.gate)).verdicts(cars.cars).value,
        offered=offered,
        active=active,
        simulated=cars.simulated or made_up or state.simulated,
        notes=tuple(notes),
    )


def count(launch: Launch, cut: Cut, name: str, by: str | None = None) -> dict[str, Any]:
    """How many delivered cars are equipped, eligible, offered and active.

    Args:
        launch: whose cars.
        cut: as of when.
        name: of the function.
        by: ``place`` (city of delivery), ``province`` or ``trim``; None: all together.

    Returns:
        ``rows`` (with as many cars of which each is unknown), ``why_not`` (for each condition of the gate
        the cars that fail it first, and at all), the cut, ``simulated``, and ``notes``.

    Raises:
        NotFound: the function had not been opened by the as-of.
    """
    judged = judge_cars(launch, cut, name)
    cars, groups = judged.cars, _groups(judged.cars, by)
    table, _ = count_cars(
        cars.cars,
        judged.state.gate if judged.state.open else NEVER,
        groups,
        offered=judged.offered,
        active=judged.active,
    )
    # A car is equipped by what it is, whether the function is open or not.
    equipped = _tally(judged.equipped, groups)
    rows = []
    for counted in table.to_pylist():
        row = _row(counted, by)
        row["equipped"], row["equipped_unknown"] = equipped[counted["place"]]
        if judged.offered is None:
            row["offered"] = None
        if judged.active is None:
            row["active"] = None
        rows.append(row)
    return {
        **told_state(judged.state, launch),
        "rows": rows,
        "why_not": _why_not(judged),
        **_cut(cut, judged),
    }


def list_cars(launch: Launch, cut: Cut, name: str) -> dict[str, Any]:
    """Every delivered car with what a function is to it; the same cut and keys as ``count``.

    Raises:
        NotFound: the function had not been opened by the as-of.
    """
    judged = judge_cars(launch, cut, name)
    return {**told_state(judged.state, launch), "rows": list(_each(judged)), **_cut(cut, judged)}


def explain(launch: Launch, cut: Cut, vin: str, name: str) -> dict[str, Any]:
    """Whether a car may switch a function on, and every reason why not.

    Raises:
        BadValue: not a VIN.
        NotFound: the function had not been opened, or the car not been delivered, by the as-of.
    """
    vin = parse_vin(vin)
    judged = judge_cars(launch, cut, name, vin)
    if not judged.cars.vins:
        raise NotFound(
            f"no car {vin} had been handed over by this date, or it was given back",
            code="function.car",
            remedy="compare the VIN, or give a later --as-of",
        )
    places = folder_places(launch.folder)
    verdict = FleetJudge(judged.state.gate, places.values()).explain(judged.cars.cars, 0)
    reasons = [
        {"code": reason.code, "needs": reason.needs, "has": reason.has, "unknown": reason.unknown}
        for reason in verdict.reasons
    ]
    if not judged.state.open:
        code, needs = _CLOSED
        reasons.insert(0, {"code": code, "needs": needs, "has": judged.state.reason, "unknown": False})
    (row,) = _each(judged)
    return {
        **told_state(judged.state, launch),
        **row,
        "next_activation": "allowed"
        if row["eligible"]
        else "unknown"
        if row["eligible"] is None
        else "refused",
        "reasons": reasons,
        "active_session": GOES_ON,
        **_cut(cut, judged),
    }


def told_state(state: FunctionState, launch: Launch) -> dict[str, Any]:
    """A function for people and programs."""
    return {
        "function": state.name,
        "open": state.open,
        "gate": show_gate(state.gate),
        "since": show(state.since, launch.zone),
        "release": state.release,
        "reason": state.reason,
        "by": state.by or ("functions.toml" if state.from_file else None),
    }


def _cut(cut: Cut, judged: Judged) -> dict[str, Any]:
    return {
        "as_of": show(cut.as_of, cut.view.zone),
        "mark": cut.mark,
        "simulated": judged.simulated,
        "notes": list(judged.notes),
    }


def _groups(cars: Delivered, by: str | None) -> Categories:
    if by == "trim" and cars.cars.trim is not None:
        return cars.cars.trim
    if by == "province":
        return cars.province
    if by == "place":
        # Cities of one name in two provinces are two.
        names = (
            None if cars.city.at(row) is None else f"{cars.province.at(row) or ''}/{cars.city.at(row)}"
            for row in range(cars.cars.count)
        )
        return Categories.of(names)
    return Categories.of("all" for _ in range(cars.cars.count))


def _row(row: dict[str, Any], by: str | None) -> dict[str, Any]:
    label = row["place"]
    named: dict[str, Any] = {}
    if by == "place":
        province, _, city = ("", "", None) if label is None else label.partition("/")
        named = {"province": province or None, "city": city}
    elif by is not None:
        named = {by: label}
    return {**named, **{column: row[column] for column in COLUMNS}}


def _tally(truth: NDArray[np.int8], groups: Categories) -> dict[str | None, tuple[int, int]]:
    labels = (*groups.values, None)
    yes = np.bincount(groups.codes[truth == 1] % len(labels), minlength=len(labels))
    unknown = np.bincount(groups.codes[truth < 0] % len(labels), minlength=len(labels))
    return {label: (int(yes[number]), int(unknown[number])) for number, label in enumerate(labels)}


def _why_not(judged: Judged) -> list[dict[str, Any]]:
    if not judged.state.open:
        code, needs = _CLOSED
        cars = judged.cars.cars.count
        return [{"code": code, "needs": needs, "first": cars, "all": cars}]
    rows = [
        {"code": code, "needs": needs, "first": first, "all": every}
        for code, needs, first, every in judged.verdicts.why_not()
    ]
    return sorted(rows, key=lambda row: -int(row["first"]))


def _each(judged: Judged) -> Iterator[dict[str, Any]]:
    cars, first = judged.cars, judged.verdicts.first()
    needs = [entry.needs for entry in judged.verdicts.conditions.leaves]
    eligible = judged.eligible
    for row, vin in enumerate(cars.vins):
        reason = None
        if not judged.state.open:
            reason = _CLOSED[1]
        elif eligible[row] != 1:
            reason = needs[first[row]] if first[row] >= 0 else "the gate to be open at all"
        yield {
            "vin": vin,
            "trim": None if cars.cars.trim is None else cars.cars.trim.at(row),
            "province": cars.province.at(row),
            "city": cars.city.at(row),
            "equipped": _flag(judged.equipped, row),
            "eligible": _flag(eligible, row),
            "offered": _flag(judged.offered, row),
            "active": _flag(judged.active, row),
            "needs": reason,
        }


def _flag(column: NDArray[np.int8] | None, row: int) -> bool | None:
    return None if column is None or column[row] < 0 else bool(column[row])


def _offered(
    launch: Launch, cut: Cut, state: FunctionState, vins: tuple[str, ...]
) -> tuple[NDArray[np.int8] | None, str]:
    """Cars that were given a release which carries the function; or why that is not known."""
    releases = {
        fact.subject
        for fact in cut.facts("release.published")
        if any(_same(name, state) for name in fact.body.functions)  # type: ignore[attr-defined]
    }
    if state.release is not None:
        releases.add(state.release)
    if not releases:
        return None, "no release that carries it is published by this date"
    finished = cut.view.table("update.finished")
    finished = finished.filter(finished.release.isin(sorted(releases))).select("subject").distinct()
    given = set(cut.view.run(finished)[0].column("subject").to_pylist())
    sets = [
        number
        for number, name, version in launch.state.rows("SELECT id, name, version FROM distribution_sets")
        if release_slug(name, version) in releases
    ]
    for number in sets:
        rows = launch.state.rows(
            "SELECT DISTINCT t.controller_id FROM actions a JOIN targets t ON t.id = a.target"
            " WHERE a.distribution_set = :number AND a.created <= :as_of",
            number=number,
            as_of=cut.as_of,
        )
        given.update(car for (car,) in rows)
    return np.array([vin in given for vin in vins], dtype=np.int8), ""


def _same(name: str, state: FunctionState) -> bool:
    """Facts may name a function by its name or its slug."""
    return name.replace("_", "-") == state.slug


def _active(cut: Cut, state: FunctionState, vins: tuple[str, ...]) -> tuple[NDArray[np.int8] | None, bool]:
    table = cut.view.table("function.activated")
    rows = cut.view.run(table.select("subject", "function", "simulated"))[0].to_pylist()
    if not rows:
        return None, False
    own = [row for row in rows if _same(row["function"], state)]
    switched_on = {row["subject"] for row in own}
    return np.array([vin in switched_on for vin in vins], dtype=np.int8), any(r["simulated"] for r in own)
