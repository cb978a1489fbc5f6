"""One step of a car: whether it can take a release as it is, and what it runs afterwards.

What is asked is what a car itself checks against the signed metadata before it installs anything
(``signing.admitting``), and beyond that: nothing that the car keeps loses what its own release asked for.
A car that said nothing about a point is taken to fit on it: the car has the last word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from driveaway.updates.releases import Need
from driveaway.updates.resolving.universe import Bringing, Brought, Universe


class Misfit(msgspec.Struct, frozen=True, kw_only=True):
    """One point on which a release does not fit a car.

    Attributes:
        code: what kind of point; a downgrade, other hardware and another module are "not_compatible".
        text: in words.
        minimum: the version that is needed first, with its module where the release has several; else "".
    """

    code: Literal["excluded_version", "below_minimum_version", "not_compatible"]
    text: str
    minimum: str = ""


class Car(msgspec.Struct, frozen=True):
    """What a car says that it is, and what the releases of what it runs asked for.

    Attributes:
        hardware: identifiers of its control units; none: it did not say.
        versions: of modules that it runs, by name.
        stated: what each of those asks of others, by its name.
    """

    hardware: frozenset[str]
    versions: Mapping[str, str]
    stated: Mapping[str, tuple[Need, ...]]

    @classmethod
    def of(cls, universe: Universe, hardware: frozenset[str], versions: Mapping[str, str]) -> Car:
        """A car that said this of itself."""
        return cls(
            hardware,
            dict(versions),
            {name: needs for name, version in versions.items() if (needs := universe.stated(name, version))},
        )


def misfits(universe: Universe, release: Bringing, car: Car) -> Iterator[Misfit]:
    """Why a car cannot take a release now, each point by itself; none: it can."""
    fitting = universe.fitting(release, car.hardware)
    if not fitting:
        has = ", ".join(sorted(car.hardware))
        yield Misfit(
            code="not_compatible",
            text=f"nothing of it is for the car's hardware, which is {has or 'unknown'}",
        )
    after = {**car.versions, **{module.name: module.version for module in fitting}}
    for module in fitting:
        if runs := car.versions.get(module.name):
            yield from _step(universe, module, runs, alone=len(release.modules) == 1)
        for need in module.terms.needs:
            if universe.broken(need, after.get(need.module)):
                verb = "does not go with" if need.conflicts else "needs another"
                text = f"{module.name} {verb} {need.module}, which is {after[need.module]}"
                yield Misfit(code="not_compatible", text=text)
    brought = {module.name for module in fitting}
    for name, needs in car.stated.items():
        if name in brought:
            continue
        for need in needs:
            there, before = after.get(need.module), car.versions.get(need.module)
            if universe.broken(need, there) and not universe.broken(need, before):
                verb = "does not go with" if need.conflicts else "needs another"
                text = f"{name} {car.versions[name]}, which stays, {verb} {need.module} than {there}"
                if need.conflicts:
                    text = text.replace(f"{need.module} than", need.module)
                yield Misfit(code="not_compatible", text=text)


def taken(universe: Universe, release: Bringing, car: Car) -> Car:
    """What the car is once it has taken a release."""
    fitting = universe.fitting(release, car.hardware)
    stated = {**car.stated, **{module.name: module.terms.needs for module in fitting}}
    return Car(
        car.hardware,
        {**car.versions, **{module.name: module.version for module in fitting}},
        {name: needs for name, needs in stated.items() if needs},
    )


def _step(universe: Universe, module: Brought, runs: str, *, alone: bool) -> Iterator[Misfit]:
    """From the version that the car runs to the release's."""
    name, terms = module.name, module.terms
    least = terms.minimum_version
    if runs in terms.excluded_versions:
        yield Misfit(code="excluded_version", text=f"{name} may not be installed over {runs}")
    if least is not None and universe.compare(name, runs, least, module.version) < 0:
        text = f"{name} needs {least} first, and the car runs {runs}"
        yield Misfit(code="below_minimum_version", text=text, minimum=least if alone else f"{name} {least}")
    if universe.backwards(name, runs, module.version):
        text = f"the car runs {name} {runs}, and {module.version} would be a step back"
        yield Misfit(code="not_compatible", text=text)


def steps_over(universe: Universe, module: Brought, runs: str) -> bool:
    """Whether a module may be installed over a version."""
    return next(_step(universe, module, runs, alone=True), None) is None
