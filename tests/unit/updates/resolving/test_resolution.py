"""Whether a car can take a release: beside a search through every order, and case by case."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.updates.releases import About, Need, Terms
from driveaway.updates.resolving.resolution import Resolution, resolve
from driveaway.updates.resolving.stepping import Car, misfits, taken
from driveaway.updates.resolving.universe import Bringing, Brought, Universe

NAMES = ("a", "b", "c", "d")
VERSIONS = ("1", "2", "3", "4")


def release(number: int, modules: Mapping[str, str], *, offered: bool = True, **terms: Terms) -> Bringing:
    brought = tuple(Brought(name, version, terms.get(name, Terms())) for name, version in modules.items())
    return Bringing(number, f"r-{number}", offered, brought, str(number))


def universe(*releases: Bringing, known: Mapping[tuple[str, str], About] | None = None) -> Universe:
    return Universe(releases, known or {}, [each.id for each in releases if each.offered])


def answer(
    all_: Universe, number: int, runs: Mapping[str, str], hardware: str = "", **bounds: int
) -> Resolution:
    car = Car.of(all_, frozenset(hardware.split()), runs)
    return resolve(all_, all_.releases[number], car, **bounds)


def slugs(found: Resolution) -> list[str]:
    return [each.slug for each in found.first]


# --- beside a search through every order ------------------------------------------------------------


def reachable(all_: Universe, goal: Bringing, car: Car) -> int | None:
    """How many releases must come first at least; None: no order of any length ends with the goal."""
    layer, seen, steps = [car], [car], 0
    while layer:
        if any(not list(misfits(all_, goal, each)) for each in layer):
            return steps
        following = [
            taken(all_, other, each)
            for each in layer
            for other in all_.releases.values()
            if other.offered and other.id != goal.id and not list(misfits(all_, other, each))
        ]
        layer = []
        for each in following:
            if each not in seen:
                seen.append(each)
                layer.append(each)
        steps += 1
    return None


def world_of(seed: int) -> tuple[Universe, Bringing, Car]:
    """A small world: old modules in the car, newer ones in releases, and a little of every statement."""
    draw = random.Random(seed)

    def need() -> Need:
        conflicts = draw.random() < 0.25
        least = draw.choice((None, "3", "4") if conflicts else (None, "2", "2", "3", "4"))
        excluded = draw.sample(VERSIONS, draw.random() < 0.15)
        return Need(draw.choice(NAMES), least, tuple(excluded), conflicts)

    def terms(many: float) -> Terms:
        least = draw.choice(VERSIONS[:3]) if draw.random() < many / 2 else None
        excluded = draw.sample(VERSIONS, draw.random() < many / 4)
        return Terms(least, tuple(excluded), tuple(need() for _ in range(2) if draw.random() < many))

    many = draw.choice((0.2, 0.4, 0.6))
    releases = [
        Bringing(
            number,
            f"r-{number}",
            number == 1 or draw.random() < 0.9,
            tuple(
                Brought(name, draw.choice(VERSIONS[1:]), terms(0.8 if number == 1 else many))
                for name in draw.sample(NAMES, draw.choice((1, 1, 2, 3)))
            ),
        )
        for number in range(1, draw.randint(3, 8))
    ]
    known = {
        (name, version): About(
            draw.choice((("x",), ("x", "y"), ("y",))) if draw.random() < 0.3 else (),
            "semver",
            draw.randint(1, 3) if draw.random() < 0.1 else None,
        )
        for name in NAMES
        for version in VERSIONS
    }
    all_ = Universe(releases, known)
    runs = {name: draw.choice(("1", "1", "1", "2", "3")) for name in NAMES if draw.random() < 0.9}
    hardware = draw.choice((frozenset[str](), frozenset("x"), frozenset("xy")))
    return all_, releases[0], Car.of(all_, hardware, runs)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**64))
def test_it_agrees_with_a_search_through_every_order(seed: int) -> None:
    all_, goal, car = world_of(seed)
    found, steps = resolve(all_, goal, car), reachable(all_, goal, car)
    expected = "unsolvable" if steps is None else "after" if steps else "fits"
    assert found.verdict == expected
    assert (found.reasons == ()) == (expected == "fits")
    for each in found.first:
        assert each.offered
        assert list(misfits(all_, each, car)) == []
        car = taken(all_, each, car)
    if steps is not None:
        assert list(misfits(all_, goal, car)) == []
