"""Whether a car can take a release: beside a search through every order, and case by case."""

from __future__ import annotations

import random
from collections.abc import Mapping

from hypothesis import example, given, settings
from hypothesis import strategies as st

from driveaway.updates.releases import About, Need, Terms
from driveaway.updates.resolving.possible import impossible
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
@example(15_496)  # Modules that need each other in a circle, and that nothing else needs.
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


# --- case by case --------------------------------------------------------------------------------------


def test_what_a_car_runs_already_or_never_spoke_of_fits() -> None:
    goal = release(9, {"a": "3"}, a=Terms("2", needs=(Need("b", "2"), Need("c", conflicts=True))))
    all_ = universe(goal)
    for runs in ({}, {"a": "2"}, {"a": "3"}, {"a": "2", "b": "2"}, {"b": "3", "d": "1"}):
        assert answer(all_, 9, runs).verdict == "fits"


def test_a_module_that_is_too_old_comes_with_another_release() -> None:
    goal = release(9, {"a": "3"}, a=Terms(needs=(Need("b", "2"),)))
    withdrawn = release(3, {"b": "3"}, offered=False)
    all_ = universe(release(1, {"b": "1.5"}), release(2, {"b": "2"}), withdrawn, goal)
    found = answer(all_, 9, {"a": "1", "b": "1"})
    assert (found.verdict, slugs(found)) == ("after", ["r-2"])
    assert found.reasons == ("a needs another b, which is 1",)


def test_minimum_versions_are_climbed_one_after_another() -> None:
    steps = [release(n, {"a": str(n)}, a=Terms(str(n - 1))) for n in range(2, 7)]
    found = answer(universe(*steps), 6, {"a": "1"})
    assert (found.verdict, slugs(found)) == ("after", ["r-2", "r-3", "r-4", "r-5"])
    lost = answer(universe(*(each for each in steps if each.id != 4)), 6, {"a": "1"})
    assert lost.verdict == "unsolvable"
    assert lost.reasons == (
        "a needs 5 first, and the car runs 1",
        "a 6 of r-6 is installed over 5 or later, never back from a later one",
        "of a: the car runs 1; r-6 brings 6; published for it: 2 (r-2), 3 (r-3), 5 (r-5)",
        "a 5 of r-5 is installed over 4 or later, never back from a later one",
    )


def test_excluded_versions_are_left_behind_first() -> None:
    goal = release(9, {"a": "3"}, a=Terms(excluded_versions=("1",)))
    assert answer(universe(goal), 9, {"a": "1"}).verdict == "unsolvable"
    found = answer(universe(release(1, {"a": "2"}), goal), 9, {"a": "1"})
    assert slugs(found) == ["r-1"]


def test_a_release_is_taken_whole() -> None:
    """What would bring b 2 also brings c 2, which the release that is asked about does not go with."""
    goal = release(9, {"a": "3"}, a=Terms(needs=(Need("b", "2"), Need("c", "2", conflicts=True))))
    both = release(1, {"b": "2", "c": "2"})
    runs = {"b": "1", "c": "1"}
    found = answer(universe(both, goal), 9, runs)
    assert found.verdict == "unsolvable"
    words = "; ".join(found.reasons)
    assert "a 3 of r-9 does not go with c 2 or later" in words
    assert "r-1 brings c 2" in words
    assert slugs(answer(universe(both, release(2, {"b": "2"}), goal), 9, runs)) == ["r-2"]


def test_what_stays_in_the_car_keeps_what_its_own_release_asked_for() -> None:
    parking = release(1, {"parking": "3"}, parking=Terms(needs=(Need("os", "5", conflicts=True),)))
    goal = release(9, {"os": "5"})
    runs = {"os": "4", "parking": "3"}
    found = answer(universe(parking, goal), 9, runs)
    assert found.verdict == "unsolvable"
    assert found.reasons[0] == "parking 3, which stays, does not go with os 5"
    # A later parking takes it away; what was never met is no reason.
    assert slugs(answer(universe(parking, release(2, {"parking": "4"}), goal), 9, runs)) == ["r-2"]
    assert answer(universe(parking, goal), 9, {"os": "5", "parking": "3"}).verdict == "fits"


def test_what_only_one_of_two_releases_asked_for_binds_no_car() -> None:
    strict = release(1, {"parking": "3"}, parking=Terms(needs=(Need("os", "5", conflicts=True),)))
    goal = release(9, {"os": "5"})
    all_ = universe(strict, release(2, {"parking": "3"}), goal)
    assert answer(all_, 9, {"os": "4", "parking": "3"}).verdict == "fits"


def test_other_hardware_gets_other_releases() -> None:
    known = {("b", "2"): About(("y",)), ("a", "3"): About(("x",))}
    goal = release(9, {"a": "3"}, a=Terms(needs=(Need("b", "2"),)))
    all_ = universe(release(1, {"b": "2"}), goal, known=known)
    assert answer(all_, 9, {"b": "1"}, "x y").verdict == "after"
    without = answer(all_, 9, {"b": "1"}, "x")
    assert without.verdict == "unsolvable"
    assert "of b: the car runs 1; no other release brings it" in without.reasons
    nothing = answer(all_, 9, {}, "z")
    reason = "nothing of it is for the car's hardware, which is z"
    assert nothing == Resolution("unsolvable", (), (reason,))


def test_releases_that_wait_for_each_other_are_told_so() -> None:
    one = release(1, {"a": "2"}, a=Terms(needs=(Need("b", "2"),)))
    other = release(2, {"b": "2"}, b=Terms(needs=(Need("a", "2"),)))
    goal = release(9, {"c": "1"}, c=Terms(needs=(Need("a", "2"), Need("b", "2"))))
    runs = {"a": "1", "b": "1"}
    found = answer(universe(one, other, goal), 9, runs)
    assert found.verdict == "unsolvable"
    assert found.reasons[2:] == (
        "c 1 of r-9 needs a 2 or later",
        "of a: the car runs 1; published for it: 2 (r-1)",
        "a 2 of r-1 needs b 2 or later",
        "of b: the car runs 1; published for it: 2 (r-2)",
        "b 2 of r-2 needs a 2 or later",
        "these wait for each other, and one release is taken at a time: put them into one",
    )
    terms = {"a": one.modules[0].terms, "b": other.modules[0].terms}
    together = release(3, {"a": "2", "b": "2"}, **terms)
    assert slugs(answer(universe(one, other, together, goal), 9, runs)) == ["r-3"]


def test_what_no_order_reaches_though_it_would_stand_together() -> None:
    """Each of two would break what the other's present version asks for: only both at once could go."""
    one = release(1, {"a": "1"}, a=Terms(needs=(Need("b", "2", conflicts=True),)))
    two = release(2, {"b": "1"}, b=Terms(needs=(Need("a", "2", conflicts=True),)))
    newer = (release(3, {"a": "2"}), release(4, {"b": "2"}))
    goal = release(9, {"c": "1"}, c=Terms(needs=(Need("a", "2"), Need("b", "2"))))
    runs = {"a": "1", "b": "1"}
    found = answer(universe(one, two, *newer, goal), 9, runs)
    assert found.verdict == "unsolvable"
    assert found.reasons[2:] == (
        "r-3 would have to come first, and cannot: b 1, which stays, does not go with a 2",
        "r-4 would have to come first, and cannot: a 1, which stays, does not go with b 2",
        "one release is taken at a time, and no order of them ends with r-9:"
        " put into one release what needs each other",
    )
    assert slugs(answer(universe(one, two, release(5, {"a": "2", "b": "2"}), goal), 9, runs)) == ["r-5"]


def pigeons(number: int, holes: int) -> tuple[Universe, dict[str, str]]:
    """Modules of which no two may have the same version, and fewer versions than modules."""
    names = [f"m{place}" for place in range(number)]
    releases = []
    for name in names:
        for hole in range(2, holes + 2):
            others = tuple(str(each) for each in range(hole + 1, holes + 2))
            terms = Terms(
                needs=tuple(
                    Need(other, str(hole), others, conflicts=True) for other in names if other != name
                )
            )
            brought = (Brought(name, str(hole), terms),)
            releases.append(Bringing(len(releases) + 1, f"{name}-{hole}", True, brought))
    goal = Terms(needs=tuple(Need(name, "2") for name in names))
    releases.append(release(999, {"goal": "1"}, goal=goal))
    return universe(*releases), dict.fromkeys(names, "1")


def test_what_is_too_much_to_try_ends_within_its_bounds() -> None:
    few, runs = pigeons(3, 2)
    assert answer(few, 999, runs).verdict == "unsolvable"
    all_, runs = pigeons(8, 7)
    found = answer(all_, 999, runs, rounds=300)
    assert found.verdict == "undecided"
    assert found.reasons[-1] == "not found out within 300 choices: too many releases depend on each other"
    room, runs = pigeons(5, 5)
    taken_ = answer(room, 999, runs)
    assert (taken_.verdict, len(taken_.first)) == ("after", 5)


def test_an_order_that_is_too_long_to_find_is_given_up() -> None:
    steps = [release(n, {"a": str(n)}, a=Terms(str(n - 1))) for n in range(2, 12)]
    found = answer(universe(*steps), 11, {"a": "1"}, steps=20)
    assert found.verdict == "undecided"
    assert "not found out within 20 steps" in found.reasons[-1]


# --- before a release is signed --------------------------------------------------------------------------


def never(all_: Universe, number: int, **versions: str) -> str:
    known = {name: frozenset(text.split()) for name, text in versions.items()}
    return "; ".join(impossible(all_, all_.releases[number], known))


def test_a_release_that_no_car_could_take_is_found() -> None:
    goal = release(9, {"a": "3"}, offered=False, a=Terms(needs=(Need("b", "3"),)))
    assert never(universe(goal), 9, b="1 2 10", a="3") == ""
    said = "a 3 of r-9 needs b 3 or later; of b: known versions: 1, 2"
    assert never(universe(goal), 9, b="1 2") == said
    # Of what nothing is known, anything may be there; what must not be there may be missing.
    assert never(universe(goal), 9) == ""
    conflict = release(9, {"a": "3"}, offered=False, a=Terms(needs=(Need("b", "1", conflicts=True),)))
    assert never(universe(conflict), 9, b="1 2") == ""


def test_what_it_needs_may_itself_be_impossible() -> None:
    b = release(1, {"b": "3"}, b=Terms(needs=(Need("a", "3", conflicts=True),)))
    goal = release(9, {"a": "3"}, offered=False, a=Terms(needs=(Need("b", "3"),)))
    assert "b 3 does not go with a 3 or later" in never(universe(b, goal), 9, b="2 3")
    assert never(universe(b, goal), 9, b="2 3 4") == ""


def test_a_step_back_by_its_own_minimum() -> None:
    back = release(9, {"a": "3"}, offered=False, a=Terms("4"))
    assert never(universe(back), 9, a="3 4") == "a 3 is installed over 4 or later, which is a step back"
    counted = universe(back, known={("a", "3"): About(("x",), "semver", 7)})
    assert never(counted, 9, a="3 4") == ""


def test_one_kind_of_hardware_that_can_take_it_is_enough() -> None:
    known = {("a", "3"): About(("x",)), ("c", "1"): About(("y",))}
    goal = release(9, {"a": "3", "c": "1"}, offered=False, a=Terms(needs=(Need("b", "3"),)))
    assert never(universe(goal, known=known), 9, b="1") == ""
    assert never(universe(goal), 9, b="1") != ""
