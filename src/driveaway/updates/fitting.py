"""Which cars a release does not fit, by what they said of themselves: it would only be refused by them.

What is asked is what a car itself checks against the signed metadata before it installs anything
(``signing.admitting``); here it saves an offer that cannot be taken. A car that said nothing about a point
is taken to fit on it: the car has the last word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

import msgspec

from driveaway.book.state.state import Reading
from driveaway.updates.model import SoftwareModule
from driveaway.updates.releases import ABOUT_KEY, About, Need, Record, Terms, record_of
from driveaway.updates.rows import parts, places
from driveaway.updates.sets import find_set, modules_of
from driveaway.updates.versions import compare_in

HARDWARE: Final = "hardware"
"""The attribute in which a car names its control units, between commas."""
_VERSION: Final = ".version"
_DEFAULT_SCHEME: Final = About().version_scheme


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


def unfit(reading: Reading, distribution_set: int, target_ids: Iterable[int]) -> dict[int, str]:
    """Why a release does not fit cars, in words; cars that it fits are left out.

    Args:
        reading: the tables. Two or three statements, and one or two for each 500 cars.
        distribution_set: the release. One that was not made as a release asks nothing.
        target_ids: of the cars.

    Raises:
        NotFound: there is no such set.
        BadValue: a module declares an order of versions that is not known.
    """
    found = misfits(reading, distribution_set, target_ids)
    return {target: "; ".join(misfit.text for misfit in each) for target, each in found.items()}


def misfits(
    reading: Reading, distribution_set: int, target_ids: Iterable[int]
) -> dict[int, tuple[Misfit, ...]]:
    """The same, each point by itself."""
    asked = _asked(reading, distribution_set)
    if asked is None:
        return {}
    out = {}
    for target, said in _said(reading, asked, target_ids):
        if found := tuple(asked.misfits(said)):
            out[target] = found
    return out


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a release asks of cars: its modules, its terms, and what is said of modules by name and version.

    ``alone``: name of its one module, where that has the release's own version, so that the version which a
    car reports is the module's; else "".
    """

    modules: list[SoftwareModule]
    record: Record
    known: dict[tuple[str, str], About]
    alone: str

    @property
    def keys(self) -> list[str]:
        """The attributes that it depends on."""
        names = {module.name for module in self.modules}
        names.update(need.module for terms in self.record.terms.values() for need in terms.needs)
        return [HARDWARE, *(name + _VERSION for name in sorted(names))]

    def misfits(self, said: Mapping[str, str]) -> Iterator[Misfit]:
        """Why a car that says this cannot take it."""
        has = {part.strip() for part in said.get(HARDWARE, "").split(",")} - {""}
        fitting = [module for module in self.modules if self._runs_on(module, has)]
        if not fitting:
            yield Misfit(
                code="not_compatible",
                text=f"nothing of it is for the car's hardware, which is {', '.join(sorted(has))}",
            )
        versions = {
            key.removesuffix(_VERSION): value
            for key, value in said.items()
            if key.endswith(_VERSION) and value
        }
        after = versions | {module.name: module.version for module in fitting}
        for module in fitting:
            terms = self.record.terms.get(module.name, Terms())
            if runs := versions.get(module.name):
                yield from self._step(module, terms, runs)
            for need in terms.needs:
                if there := after.get(need.module):
                    yield from self._need(module.name, need, there)

    def _about(self, name: str, version: str) -> About:
        return self.known.get((name, version), About())

    def _runs_on(self, module: SoftwareModule, has: set[str]) -> bool:
        wanted = self._about(module.name, module.version).hardware
        return not has or not wanted or not has.isdisjoint(wanted)

    def _compare(self, name: str, one: str, other: str) -> int:
        """By the scheme of the installed version, else of the module as the release has it."""
        own = next((each.version for each in self.modules if each.name == name), "")
        said = self.known.get((name, one)) or self.known.get((name, own))
        return compare_in(said.version_scheme if said else _DEFAULT_SCHEME, one, other)

    def _step(self, module: SoftwareModule, terms: Terms, runs: str) -> Iterator[Misfit]:
        """From the version that the car runs to the release's."""
        name, least = module.name, terms.minimum_version
        if runs in terms.excluded_versions:
            yield Misfit(code="excluded_version", text=f"{name} may not be installed over {runs}")
        if least is not None and self._compare(name, runs, least) < 0:
            text = f"{name} needs {least} first, and the car runs {runs}"
            minimum = least if len(self.modules) == 1 else f"{name} {least}"
            yield Misfit(code="below_minimum_version", text=text, minimum=minimum)
        if self._backwards(module, runs):
            text = f"the car runs {name} {runs}, and {module.version} would be a step back"
            yield Misfit(code="not_compatible", text=text)

    def _backwards(self, module: SoftwareModule, runs: str) -> bool:
        """By release counters, as the car does; by versions where a counter was left to the signing."""
        old = self._about(module.name, runs).counter
        new = self._about(module.name, module.version).counter
        if old is not None and new is not None:
            return new < old
        return self._compare(module.name, module.version, runs) < 0

    def _need(self, name: str, need: Need, there: str) -> Iterator[Misfit]:
        least = need.minimum_version
        meets = there not in need.excluded_versions and (
            least is None or self._compare(need.module, there, least) >= 0
        )
        if meets is need.conflicts:
            verb = "does not go with" if need.conflicts else "needs another"
            text = f"{name} {verb} {need.module}, which is {there}"
            yield Misfit(code="not_compatible", text=text)


def _asked(reading: Reading, distribution_set: int) -> _Asked | None:
    found = find_set(reading, distribution_set, deleted=True)
    record = record_of(found)
    if record.published is None and not record.terms:
        return None
    modules = modules_of(reading, distribution_set)
    one = modules[0] if len(modules) == 1 else None
    names = {module.name for module in modules}
    names.update(need.module for terms in record.terms.values() for need in terms.needs)
    known = {}
    for part in parts(sorted(names)):
        rows = reading.rows(
            "SELECT m.name, m.version, x.value FROM software_modules m JOIN module_metadata x"
            f" ON x.module = m.id AND x.key = :key WHERE m.name IN ({places()}) ORDER BY m.id",
            key=ABOUT_KEY,
            **part,
        )
        known.update({(row[0], row[1]): msgspec.json.decode(row[2], type=About) for row in rows})
    alone = one.name if one is not None and one.version == found.version else ""
    return _Asked(modules=modules, record=record, known=known, alone=alone)


def _said(
    reading: Reading, asked: _Asked, target_ids: Iterable[int]
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """What each car said that matters; cars that said nothing of it are left out."""
    keys = {f"k{number}": key for number, key in enumerate(asked.keys)}
    wanted = ", ".join(f":{name}" for name in keys)
    for part in parts(target_ids):
        said: dict[int, dict[str, str]] = {}
        if asked.alone:
            rows = reading.rows(
                "SELECT id, version_reported FROM targets"
                f" WHERE version_reported <> '' AND id IN ({places()})",
                **part,
            )
            said = {row[0]: {asked.alone + _VERSION: row[1]} for row in rows}
        rows = reading.rows(
            f"SELECT target, key, value FROM target_attributes WHERE target IN ({places()})"
            f" AND key IN ({wanted})",
            **keys,
            **part,
        )
        for target, key, value in rows:
            if value:
                said.setdefault(target, {})[key] = value
        yield from said.items()
