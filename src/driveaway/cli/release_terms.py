"""What options of ``release create`` say of modules, such as ``--minimum os=2024.4``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driveaway.updates.releases import Need, Terms


def pairs_of(option: str, given: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Module and value of each argument of an option.

    Raises:
        BadValue: one names no module.
    """
    from driveaway.values.errors import BadValue

    for text in given:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise BadValue(
                f"{text!r} is not MODULE=…",
                code="argument.shape",
                place=option,
                remedy="name the module first",
            )
        yield name, value


def terms_of(
    names: list[str],
    functions: tuple[str, ...],
    minimum: tuple[str, ...],
    exclude: tuple[str, ...],
    needs: tuple[str, ...],
    conflicts: tuple[str, ...],
) -> dict[str, Terms]:
    """The terms of each module that the options speak of; ``names`` are the release's modules.

    Raises:
        BadValue: one names no module, or a function's module is not clear.
    """
    from driveaway.updates.releases import Terms
    from driveaway.values.errors import BadValue

    least = dict(pairs_of("--minimum", minimum))
    never: dict[str, list[str]] = {}
    for name, version in pairs_of("--exclude", exclude):
        never.setdefault(name, []).append(version)
    others: dict[str, list[Need]] = {}
    for option, given, conflicting in (("--needs", needs, False), ("--conflicts", conflicts, True)):
        for name, text in pairs_of(option, given):
            others.setdefault(name, []).append(_need(text, conflicting))
    carried: dict[str, list[str]] = {}
    for text in functions:
        name, _, function = text.rpartition("=")
        if not name and len(names) != 1:
            raise BadValue(
                f"which module brings {function}?", code="argument.shape", place="--function",
                remedy="write MODULE=FUNCTION",
            )  # fmt: skip
        carried.setdefault(name or names[0], []).append(function)
    return {
        name: Terms(
            least.get(name),
            tuple(never.get(name, ())),
            tuple(others.get(name, ())),
            tuple(dict.fromkeys(carried.get(name, ()))),
        )
        for name in dict.fromkeys([*least, *never, *others, *carried])
    }


def _need(text: str, conflicts: bool) -> Need:
    from driveaway.updates.releases import Need

    module, _, version = text.partition(">=")
    return Need(module.strip(), version.strip() or None, conflicts=conflicts)
