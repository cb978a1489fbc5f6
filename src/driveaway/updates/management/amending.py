"""Changes of software and cars that only staff make: descriptions, locks, actions that are taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driveaway.book.state.state import Change
from driveaway.updates import changes, sets, software
from driveaway.updates.registry import target_named
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.plan import RolloutStatus
from driveaway.updates.rows import parts, places
from driveaway.updates.versions import sort_key
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused

_UNSTARTED = (RolloutStatus.READY, RolloutStatus.WAITING_FOR_APPROVAL, RolloutStatus.APPROVAL_DENIED)
_LONGEST = 512


def describe(text: str) -> str:
    """A description, as given.

    Raises:
        BadValue: longer than 512 characters, or with a NUL.
    """
    if len(text) > _LONGEST or "\x00" in text:
        raise BadValue(
            "this cannot be a description",
            code="software.description",
            field="description",
            remedy=f"at most {_LONGEST} characters",
        )
    return text


def put_address(change: Change, controller_id: str, address: str, at: int) -> None:
    """Note under which address a car is reached.

    Raises:
        NotFound: there is no such car.
        BadValue: longer than 512 characters, or not printable.
    """
    target = target_named(change, controller_id)
    if len(address) > _LONGEST or not address.isprintable():
        raise BadValue(
            "this cannot be an address", code="target.address", field="address", remedy="give a URI"
        )
    change.run(
        "UPDATE targets SET address = :address, modified = :at WHERE id = :id",
        address=address,
        at=at,
        id=target.id,
    )


def amend_module(
    change: Change,
    module: int,
    at: int,
    *,
    description: str | None = None,
    vendor: str | None = None,
    locked: bool | None = None,
) -> None:
    """Change what is said of a module; once locked it stays so.

    Raises:
        NotFound: there is none.
        Refused: it is locked and would be unlocked.
    """
    found = software.find_module(change, module)
    if found.locked and locked is False:
        raise _stays_locked("module.locked")
    values: dict[str, Any] = {}
    if description is not None:
        values["description"] = describe(description)
    if vendor is not None:
        values["vendor"] = describe(vendor)
    if locked:
        values["locked"] = 1
    _update(change, "software_modules", module, at, values)


def amend_set(
    change: Change,
    distribution_set: int,
    at: int,
    *,
    name: str | None = None,
    version: str | None = None,
    description: str | None = None,
    required_migration_step: bool | None = None,
    locked: bool | None = None,
) -> None:
    """Change what is said of a distribution set; of a locked one only its description.

    Raises:
        NotFound: there is none.
        Refused: it is locked.
        Conflict: another one has this name and version.
        BadValue: a name or version that cannot be.
    """
    found = sets.find_set(change, distribution_set)
    renamed = (name or found.name, version or found.version) != (found.name, found.version)
    step = required_migration_step
    if found.locked and (renamed or locked is False or step not in (None, found.required_migration_step)):
        raise _stays_locked("set.locked")
    values: dict[str, Any] = {}
    if renamed:
        new_name, new_version = name or found.name, version or found.version
        software.check_name(new_name, new_version, found.type)
        if change.rows(
            "SELECT 1 FROM distribution_sets WHERE name = :name AND version = :version AND deleted = 0",
            name=new_name,
            version=new_version,
        ):
            raise Conflict(
                f"there is a distribution set {new_name} {new_version} already",
                code="set.exists",
                remedy="what changes gets a new version",
            )
        values |= {"name": new_name, "version": new_version, "version_key": sort_key(new_version)}
    if description is not None:
        values["description"] = describe(description)
    if step is not None:
        values["required_migration_step"] = int(step)
    _update(change, "distribution_sets", distribution_set, at, values)
    if locked:
        sets.lock(change, distribution_set, at)
    changes.tell_everyone(change, at)


def _update(change: Change, table: str, row: int, at: int, values: dict[str, Any]) -> None:
    setting = "".join(f"{name} = :{name}, " for name in values)
    change.run(f"UPDATE {table} SET {setting}modified = :at WHERE id = :id", at=at, id=row, **values)


def _stays_locked(code: str) -> Refused:
    return Refused(
        "what is locked stays as it is",
        code=code,
        remedy="what cars were given does not change; make a new version",
    )


def delete_actions(change: Change, controller_id: str, at: int, actions: Sequence[int]) -> int:
    """Take actions of a car that have ended out of the tables; what became of them stays, as facts.

    Raises:
        NotFound: there is no such car, or it has no such action.
        Refused: one still goes on, or brought what the car runs.
    """
    target = target_named(change, controller_id)
    for part in parts(actions):
        rows = change.rows(
            f"SELECT id, active FROM actions WHERE target = :target AND id IN ({places()})",
            target=target.id,
            **part,
        )
        known = {row[0] for row in rows}
        for action in set(part.values()) - known:
            raise NotFound(
                f"{controller_id} has no action {action}", code="action.unknown", remedy="list its actions"
            )
        for action, active in rows:
            if active or action == target.installed_action:
                why = "still goes on" if active else "brought what the car runs"
                raise Refused(f"action {action} {why}", code="action.in_use", remedy="leave it out")
        change.run(f"DELETE FROM action_statuses WHERE action IN ({places()})", **part)
        change.run(f"DELETE FROM actions WHERE id IN ({places()})", **part)
    changes.tell(change, (target.id,), at)
    return len(set(actions))


def oldest_actions(change: Change, controller_id: str, keep: int) -> list[int]:
    """Actions of a car beyond its latest ones that can be taken out.

    Raises:
        NotFound: there is no such car.
    """
    target = target_named(change, controller_id)
    rows = change.rows(
        "SELECT id FROM actions WHERE target = :target AND active = 0 AND id NOT IN"
        " (SELECT id FROM actions WHERE target = :target ORDER BY id DESC LIMIT :keep)",
        target=target.id,
        keep=keep,
    )
    return [action for (action,) in rows if action != target.installed_action]


def delete_rollout(change: Change, rollout: int) -> None:
    """Take out a rollout that never started.

    Raises:
        NotFound: there is none.
        Refused: it was started; what it did stays on record.
    """
    found = keeping.find_rollout(change, rollout)
    if found.status not in _UNSTARTED:
        raise Refused(
            f"rollout {found.name} was started", code="rollout.started", remedy="stop it; it stays on record"
        )
    for table in ("rollout_groups", "rollout_members"):
        change.run(f"DELETE FROM {table} WHERE rollout = :rollout", rollout=rollout)
    change.run("DELETE FROM rollouts WHERE id = :rollout", rollout=rollout)


def describe_rollout(
    change: Change, rollout: int, at: int, name: str | None, description: str | None
) -> None:
    """Change a rollout's description; its name only before it starts.

    Raises:
        NotFound: there is none.
        Refused: it was started, and facts speak of it by its name.
        Conflict: the name is taken.
    """
    found = keeping.find_rollout(change, rollout)
    values: dict[str, Any] = {}
    if name is not None and name != found.name:
        if found.status not in _UNSTARTED:
            raise Refused(
                f"rollout {found.name} was started",
                code="rollout.started",
                remedy="its name stays; change its description",
            )
        if not name.strip() or len(name) > 128 or not name.isprintable():
            raise BadValue(
                f"{name[:40]!r} is no name of a rollout",
                code="rollout.name",
                remedy="1 to 128 printable characters",
            )
        if change.rows("SELECT 1 FROM rollouts WHERE name = :name", name=name):
            raise Conflict(
                f"there is a rollout {name!r}", code="rollout.exists", remedy="choose another name"
            )
        values["name"] = name
    if description is not None:
        values["description"] = describe(description)
    _update(change, "rollouts", rollout, at, values)
