"""Whether a car can take a release: beside a search through every order, and case by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.updates.releases import About, Need, Terms
from driveaway.updates.resolving.resolution import Resolution, resolve
from driveaway.updates.resolving.stepping import Car, misfits, taken
from driveaway.updates.resolving.universe import Bringing, Brought, Universe

NAMES = ("a", "b", "c")
VERSIONS = ("1", "2", "3")


def release(
    number: int, modules: Mapping[str, str], *, offered: bool = True, **terms: Terms
) -> Bringing:
    brought = tuple(Brought(name, version, terms.get(name, Terms())) for name, version in modules.items())
    return Bringing(number, f"r-{number}", offered, brought, str(number))


def universe(*releases: Bringing, known: Mapping[tuple[str, str], About] | None = None) -> Universe:
    return Universe(releases, known or {}, [each.id for each in releases if each.offered])


def answer(all_: Universe, number: int, runs: Mapping[str, str], hardware: str = "", **bounds: int) -> Resolution:
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


def needs() -> st.SearchStrategy[Need]:
    return st.builds(
        Need,
        st.sampled_from(NAMES),
        st.none() | st.sampled_from(VERSIONS),
        st.lists(st.sampled_from(VERSIONS), max_size=1).map(tuple),
        st.booleans(),
    )


def terms() -> st.SearchStrategy[Terms]:
    return st.builds(
        Terms,
        st.none() | st.sampled_from(VERSIONS),
        st.lists(st.sampled_from(VERSIONS), max_size=1).map(tuple),
        st.lists(needs(), max_size=2).map(tuple),
    )


def modules() -> st.SearchStrategy[dict[str, tuple[str, Terms]]]:
    return st.dictionaries(
        st.sampled_from(NAMES), st.tuples(st.sampled_from(VERSIONS), terms()), min_size=1, max_size=2
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Universe, Bringing, Car]:
    drawn = draw(st.lists(st.tuples(modules(), st.booleans()), min_size=1, max_size=6))
    releases = [
        Bringing(
            number,
            f"r-{number}",
            offered or number == 1,
            tuple(Brought(name, version, said) for name, (version, said) in brought.items()),
        )
        for number, (brought, offered) in enumerate(drawn, 1)
    ]
    about = st.builds(
        About,
        st.sampled_from([("x",), ("y",), ("x", "y")]),
        st.just("semver"),
        st.none() | st.integers(1, 3),
    )
    known = draw(
        st.dictionaries(st.tuples(st.sampled_from(NAMES), st.sampled_from(VERSIONS)), about, max_size=5)
    )
    all_ = Universe(releases, known)
    runs = draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VERSIONS)))
    hardware = draw(st.sampled_from([frozenset[str](), frozenset("x"), frozenset("xy")]))
    return all_, releases[0], Car.of(all_, hardware, runs)


@settings(max_examples=600, deadline=None)
@given(worlds())
def test_it_agrees_with_a_search_through_every_order(world: tuple[Universe, Bringing, Car]) -> None:
    all_, goal, car = world
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
