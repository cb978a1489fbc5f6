"""Functions judged in the car, offline."""

from __future__ import annotations

import pytest

from driveaway.updates.car.functions import functions_of
from driveaway.updates.car.memory import Identity
from driveaway.updates.car.slots import InstalledFunction, InstalledModule, Manifest
from driveaway.updates.gates.expression import All, Amount, Assisted, Gate, Software, Within, values
from driveaway.updates.gates.making import policy_of
from driveaway.updates.gates.policy import encode_policy
from driveaway.updates.places.place import Place, position
from driveaway.values.clock import parse_instant

AT = int(parse_instant("2024-06-01T08:00:00+08:00", None))
RING = tuple(position(x, y) for x, y in ((116.0, 39.0), (117.0, 39.0), (117.0, 40.0), (116.0, 40.0)))
CITY = Place(code="city:here", polygons=((RING,),))
INSIDE, OUTSIDE = position(116.5, 39.5), position(118.5, 39.5)


def held(gate: Gate, version: str = "2024.5.2") -> Manifest:
    policy = encode_policy(policy_of("city_navigation", gate, {CITY.code: CITY})).decode()
    return Manifest(
        name="su7",
        version=version,
        modules=(InstalledModule(name="adas", version="3.1", type="application"),),
        functions=(InstalledFunction(name="city_navigation", policy=policy),),
    )


def car(**attributes: str) -> Identity:
    said = {name.replace("_dot_", "."): value for name, value in attributes.items()}
    return Identity(controller_id="CAR", server="http://x", attributes=said)


GATE = All((Within(values("city:here")), Amount("lidar", ">=", 1), Assisted(">=", 1_000_000)))
FULL = {"hardware_dot_lidar": "1", "assisted_metres": "1000000"}


def test_what_the_signed_policy_allows() -> None:
    (found,) = functions_of(held(GATE), car(**FULL), at=AT, position=INSIDE)
    assert found.available
    assert found.reasons == ()


@pytest.mark.parametrize(
    ("changed", "where", "code"),
    [
        ({}, OUTSIDE, "gate.place"),
        ({}, None, "gate.place"),
        ({"hardware_dot_lidar": "0"}, INSIDE, "gate.hardware"),
        ({"hardware_dot_lidar": "many"}, INSIDE, "gate.hardware"),
        ({"assisted_metres": "999999"}, INSIDE, "gate.assisted_metres"),
        ({"assisted_metres": "-5"}, INSIDE, "gate.assisted_metres"),
    ],
)
def test_what_it_does_not(changed: dict[str, str], where: tuple[int, int] | None, code: str) -> None:
    (found,) = functions_of(held(GATE), car(**FULL | changed), at=AT, position=where)
    assert not found.available
    assert [reason.code for reason in found.reasons] == [code]


@pytest.mark.parametrize("standing", ["expired", "withdrawn", "unverified"])
def test_metadata_that_does_not_stand_opens_nothing(standing: str) -> None:
    (found,) = functions_of(held(GATE), car(**FULL), at=AT, standing=standing, position=INSIDE)  # type: ignore[arg-type]
    assert not found.available
    assert [reason.code for reason in found.reasons] == [f"gate.{standing}"]


def test_software_is_what_runs_whatever_the_car_says() -> None:
    gate = All((Software("vehicle", ">=", "2024.5.2"), Software("adas", ">=", "3")))
    assert functions_of(held(gate), car(), at=AT)[0].available
    lying = car(vehicle_dot_version="9999", vehicle="9999")
    assert not functions_of(held(gate, "2024.5.1"), lying, at=AT)[0].available


def test_no_software_no_function() -> None:
    assert functions_of(None, car(), at=AT) == ()


def test_a_policy_that_cannot_be_read_opens_nothing() -> None:
    broken = Manifest(name="x", version="1", functions=(InstalledFunction(name="noa", policy="{"),))
    (found,) = functions_of(broken, car(), at=AT)
    assert not found.available
    assert found.reasons[0].code == "gate.policy"
