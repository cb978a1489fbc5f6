"""Notes (metadata) on targets, modules and sets: one way for all three."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from driveaway.book.state.state import Change, Reading
from driveaway.updates import labels, sets, software
from driveaway.updates.registry import target_named
from driveaway.values.errors import NotFound
from driveaway.web.management.bodies import Pair
from driveaway.web.management.calls import CREATED, NOTHING, OK, Call, Said, paged

Note = dict[str, Any]


class Noted(NamedTuple):
    """What can be noted on: who it is, its notes, and how one is set (None: removed)."""

    owner: Callable[[Reading, Call], int]
    read: Callable[[Reading, int], list[Note]]
    write: Callable[[Change, Call, int, str, str | None, bool], None]


def _target(reading: Reading, call: Call) -> int:
    return target_named(reading, call.names["target"]).id


def _write_target(change: Change, call: Call, owner: int, key: str, value: str | None, visible: bool) -> None:
    labels.set_metadata(change, call.names["target"], {key: value}, call.at)


def _module(reading: Reading, call: Call) -> int:
    return software.find_module(reading, call.number("module")).id


def _read_module(reading: Reading, owner: int) -> list[Note]:
    rows = reading.rows(
        "SELECT key, value, target_visible FROM module_metadata WHERE module = :owner ORDER BY key",
        owner=owner,
    )
    return [{"key": key, "value": value, "targetVisible": bool(visible)} for key, value, visible in rows]


def _write_module(change: Change, call: Call, owner: int, key: str, value: str | None, visible: bool) -> None:
    software.set_metadata(change, "module", owner, key, value, call.at, visible=visible)


def _set(reading: Reading, call: Call) -> int:
    return sets.find_set(reading, call.number("set")).id


def _read_set(reading: Reading, owner: int) -> list[Note]:
    rows = reading.rows(
        "SELECT key, value FROM set_metadata WHERE distribution_set = :owner ORDER BY key", owner=owner
    )
    return [{"key": key, "value": value} for key, value in rows]


def _write_set(change: Change, call: Call, owner: int, key: str, value: str | None, visible: bool) -> None:
    software.set_metadata(change, "distribution_set", owner, key, value, call.at)


TARGET: Final = Noted(
    _target,
    lambda reading, owner: [
        {"key": key, "value": value} for key, value in labels.metadata(reading, owner).items()
    ],
    _write_target,
)
MODULE: Final = Noted(_module, _read_module, _write_module)
SET: Final = Noted(_set, _read_set, _write_set)
Handler = Callable[[Call], Said]


def listing(noted: Noted) -> Handler:
    """Every note."""

    def handle(call: Call) -> Said:
        notes = noted.read(call.state, noted.owner(call.state, call))
        return paged(notes, len(notes))

    handle.__doc__ = listing.__doc__
    return handle


def one(noted: Noted) -> Handler:
    """One note."""

    def handle(call: Call) -> Said:
        owner = noted.owner(call.state, call)
        return Said(OK, _named(noted.read(call.state, owner), call.names["key"]))

    handle.__doc__ = one.__doc__
    return handle


def create(noted: Noted) -> Handler:
    """Set notes."""

    def handle(call: Call) -> Said:
        given: tuple[Pair, ...] = call.body
        with call.change() as change:
            owner = noted.owner(change, call)
            for pair in given:
                noted.write(change, call, owner, pair.key, pair.value, bool(pair.target_visible))
            notes = noted.read(change, owner)
        return Said(CREATED, [_named(notes, pair.key) for pair in given])

    handle.__doc__ = create.__doc__
    return handle


def amend(noted: Noted) -> Handler:
    """Change one note; a module's stays as visible as it was, unless that is said."""

    def handle(call: Call) -> Said:
        key = call.names["key"]
        with call.change() as change:
            owner = noted.owner(change, call)
            found = _named(noted.read(change, owner), key)
            visible = call.body.target_visible
            if visible is None:
                visible = bool(found.get("targetVisible"))
            noted.write(change, call, owner, key, call.body.value, visible)
            found = _named(noted.read(change, owner), key)
        return Said(OK, found)

    handle.__doc__ = amend.__doc__
    return handle


def delete(noted: Noted) -> Handler:
    """Remove one note."""

    def handle(call: Call) -> Said:
        key = call.names["key"]
        with call.change() as change:
            owner = noted.owner(change, call)
            _named(noted.read(change, owner), key)
            noted.write(change, call, owner, key, None, False)
        return NOTHING

    handle.__doc__ = delete.__doc__
    return handle


def _named(notes: list[Note], key: str) -> Note:
    for note in notes:
        if note["key"] == key:
            return note
    raise NotFound(f"there is no note {key[:40]!r}", code="metadata.unknown", remedy="list the notes")
