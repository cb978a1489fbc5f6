"""Whether a car can take a release: as it is, after others, or never; and why.

A car takes one whole release at a time. So an answer "after others" is walked step by step before it is
given, by the same rules that a car goes by; and an answer "never" has its reason: nothing stands together
(``solving``), or what does waits for each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from driveaway.updates.resolving.reaching import Reach
from driveaway.updates.resolving.stepping import Car, misfits, taken
from driveaway.updates.resolving.universe import Bringing, Universe

ROUNDS: Final = 2_000
"""Choices that the resolver tries before it gives up: a candidate pinned, or a step back from one."""
STEPS: Final = 20_000
"""Single installations that are looked at before a search for an order is given up."""
Verdict = Literal["fits", "after", "unsolvable", "undecided"]


class Resolution(NamedTuple):
    """What becomes of a release in cars of one configuration.

    Attributes:
        verdict: "fits": they can take it now; "after": once they have taken others; "unsolvable": never,
            as far as what is published goes; "undecided": it was not found out in the steps allowed.
        first: releases to be taken before, in this order.
        reasons: why it cannot be taken now, and where nothing helps why not.
    """

    verdict: Verdict
    first: tuple[Bringing, ...] = ()
    reasons: tuple[str, ...] = ()


class _Exhausted(Exception):
    """More steps than allowed."""


def resolve(
    universe: Universe, release: Bringing, car: Car, *, rounds: int = ROUNDS, steps: int = STEPS
) -> Resolution:
    """Find out whether a car can take a release.

    Args:
        universe: all releases; those that are offered may be taken before.
        release: that is asked about, published or not.
        car: its hardware and what it runs.
        rounds: choices that the resolver tries at the most.
        steps: installations that are looked at for an order at the most.
    """
    now = tuple(misfit.text for misfit in misfits(universe, release, car))
    if not now:
        return Resolution("fits")
    if not universe.fitting(release, car.hardware):
        return Resolution("unsolvable", reasons=now)
    search = _Search(universe, release, car, steps)
    reach = Reach(universe, release, car, search.helpful)
    if release.id in reach.blocked:
        return Resolution("unsolvable", reasons=(*now, *reach.chain()))
    search.helpful = list(reversed(reach.reached))
    try:
        order = search.climb()
    except _Exhausted:
        order = None
    if order is not None:
        return Resolution("after", tuple(order), now)
    try:
        from driveaway.updates.resolving.solving import Solved, TooLarge, solve
    except ImportError:
        return Resolution("undecided", reasons=(*now, "what would help is found with driveaway[updates]"))
    found = solve(universe, release, car, search.helpful, rounds)
    if isinstance(found, TooLarge):
        return Resolution("undecided", reasons=(*now, _given_up(rounds, "choices")))
    if not isinstance(found, Solved):
        return Resolution("unsolvable", reasons=(*now, *found.chain))
    search.left = steps
    try:
        order = search.order(found.releases)
        if order is None:
            # What stands together in the end can be reached by way of releases that are replaced meanwhile.
            order = search.order(search.helpful)
    except _Exhausted:
        return Resolution("undecided", reasons=(*now, _given_up(steps, "steps")))
    if order is None:
        return Resolution("unsolvable", reasons=(*now, *_waiting(universe, release, found.releases, car)))
    return Resolution("after", tuple(order), now)


class _Search:
    """Looks for an order in which releases can be taken, the one that is asked about last."""

    def __init__(self, universe: Universe, release: Bringing, car: Car, steps: int) -> None:
        self._universe = universe
        self._release = release
        self._car = car
        self.left = steps
        self.helpful = self._helpful(car)

    def _helpful(self, car: Car) -> list[Bringing]:
        """Every release that may be taken before and on which it can depend, the newest first."""
        names = self._universe.relevant(self._release)
        found = {
            release.id: release
            for name in names
            for release, _ in self._universe.bringing(name)
            if release.offered
            and release.id != self._release.id
            and self._universe.fitting(release, car.hardware)
        }
        return [found[number] for number in sorted(found, reverse=True)]

    def climb(self) -> list[Bringing] | None:
        """An order that is soon found: a single release, or all that can be taken less what is not needed.

        Where releases need versions and exclude none, whatever can be taken may be taken. None: that does not
        lead to it, and something else may.
        """
        for release in self.helpful:
            if self._reached([release]):
                return [release]
        way: list[Bringing] = []
        here, left, more = self._car, list(self.helpful), True
        while more and not self._fits(self._release, here):
            more = False
            for release in list(left):
                if self._fits(release, here):
                    here, more = taken(self._universe, release, here), True
                    way.append(release)
                    left.remove(release)
                    if self._fits(self._release, here):
                        break
        if not self._fits(self._release, here):
            return None
        for release in reversed(way):
            without = [each for each in way if each is not release]
            if self._reached(without):
                way = without
        return way

    def _reached(self, way: Iterable[Bringing]) -> bool:
        """Whether releases can be taken in this order, and then the one that is asked about."""
        here = self._car
        for release in way:
            if not self._fits(release, here):
                return False
            here = taken(self._universe, release, here)
        return self._fits(self._release, here)

    def order(self, among: Sequence[Bringing]) -> list[Bringing] | None:
        """The shortest order, breadth first; None: there is none among these."""
        car = self._car
        waiting: deque[tuple[Car, list[Bringing]]] = deque([(car, [])])
        seen = {_state(car)}
        while waiting:
            here, way = waiting.popleft()
            for release in among:
                if not self._fits(release, here):
                    continue
                after = taken(self._universe, release, here)
                if (state := _state(after)) in seen:
                    continue
                seen.add(state)
                if self._fits(self._release, after):
                    return [*way, release]
                waiting.append((after, [*way, release]))
        return None

    def _fits(self, release: Bringing, car: Car) -> bool:
        if self.left == 0:
            raise _Exhausted
        self.left -= 1
        return next(misfits(self._universe, release, car), None) is None


def _state(car: Car) -> frozenset[object]:
    return frozenset({*car.versions.items(), *((name, needs) for name, needs in car.stated.items())})


def _waiting(universe: Universe, release: Bringing, among: Iterable[Bringing], car: Car) -> tuple[str, ...]:
    """Why releases whose modules would go together cannot be taken one after another."""
    said = []
    for each in among:
        why = next((misfit.text for misfit in misfits(universe, each, car)), "")
        if why:
            said.append(f"{each.slug} would have to come first, and cannot: {why}")
    said.append(
        f"one release is taken at a time, and no order of them ends with {release.slug}:"
        " put into one release what needs each other"
    )
    return tuple(said)


def _given_up(number: int, what: str) -> str:
    return f"not found out within {number:,} {what}: too many releases depend on each other"
