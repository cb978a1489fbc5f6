"""What an operator says of cars: notes (metadata) and tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from driveaway.book.state.state import Change, Reading
from driveaway.updates.quotas import KEY_LENGTH, METADATA_LENGTH
from driveaway.updates.registry import target_named
from driveaway.updates.rows import parts, places
from driveaway.values.errors import BadValue


def set_metadata(change: Change, controller_id: str, given: Mapping[str, str | None], at: int) -> None:
    """Set, or with None remove, an operator's notes about a car.

    Raises:
        NotFound: there is no such car.
        BadValue: a key or value is too long.
    """
    target = target_named(change, controller_id)
    for key, value in given.items():
        if not 0 < len(key) <= KEY_LENGTH or len(value or "") > METADATA_LENGTH:
            raise BadValue(
                f"{key[:40]!r} is no metadata that can be kept",
                code="metadata.length",
                remedy=f"keys of 1 to {KEY_LENGTH} characters, values of at most {METADATA_LENGTH}",
            )
        if value is None:
            change.run(
                "DELETE FROM target_metadata WHERE target = :target AND key = :key", target=target.id, key=key
            )
        else:
            change.run(
                "INSERT INTO target_metadata (target, key, value) VALUES (:target, :key, :value)"
                " ON CONFLICT (target, key) DO UPDATE SET value = excluded.value",
                target=target.id,
                key=key,
                value=value,
            )
    change.run("UPDATE targets SET modified = :at WHERE id = :id", at=at, id=target.id)


def metadata(reading: Reading, target: int) -> dict[str, str]:
    """An operator's notes about a car, by key."""
    rows = reading.rows(
        "SELECT key, value FROM target_metadata WHERE target = :target ORDER BY key", target=target
    )
    return dict(rows)


def tag(change: Change, name: str, controller_ids: Iterable[str], at: int) -> int:
    """Put a tag, made where it is new, on cars; how many did not have it.

    Raises:
        BadValue: that can be no tag.
    """
    if not 0 < len(name) <= KEY_LENGTH:
        raise BadValue(
            f"{name[:40]!r} cannot be a tag", code="tag.name", remedy=f"1 to {KEY_LENGTH} characters"
        )
    change.run(
        "INSERT INTO tags (name, created) VALUES (:name, :at) ON CONFLICT (name) DO NOTHING", name=name, at=at
    )
    sql = (
        "INSERT INTO target_tags (target, tag) SELECT t.id, :tag FROM targets t"
        f" WHERE t.controller_id IN ({places()}) ON CONFLICT (target, tag) DO NOTHING"
    )
    return sum(change.run(sql, tag=name, **part) for part in parts(controller_ids))


def untag(change: Change, name: str, controller_ids: Iterable[str]) -> int:
    """Take a tag off cars; how many had it."""
    sql = (
        "DELETE FROM target_tags WHERE tag = :tag AND target IN"
        f" (SELECT t.id FROM targets t WHERE t.controller_id IN ({places()}))"
    )
    return sum(change.run(sql, tag=name, **part) for part in parts(controller_ids))


def tags(reading: Reading, target: int) -> list[str]:
    """The tags on a car."""
    rows = reading.rows("SELECT tag FROM target_tags WHERE target = :target ORDER BY tag", target=target)
    return [name for (name,) in rows]
