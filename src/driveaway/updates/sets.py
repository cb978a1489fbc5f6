"""Distribution sets: the modules that a car gets together."""

from __future__ import annotations

from collections.abc import Iterable

from driveaway.book.state.state import Change, Reading
from driveaway.updates import changes, releases, types
from driveaway.updates.configuration import Configuration
from driveaway.updates.model import DistributionSet, SoftwareModule
from driveaway.updates.rows import MODULE, SET, module_of, set_of
from driveaway.updates.software import check_name, find_module
from driveaway.updates.versions import sort_key
from driveaway.values.errors import Conflict, NotFound, Refused


def create_set(
    change: Change,
    name: str,
    version: str,
    type: str,
    modules: Iterable[int],
    at: int,
    *,
    description: str = "",
    required_migration_step: bool = False,
    release: str = "{}",
    strict: bool = False,
) -> DistributionSet:
    """Enter a distribution set. ``release``: canonical JSON of what it says beyond its modules.

    ``strict``: hawkBit's own types bind as they do there, not only those that staff declared.

    Raises:
        BadValue: name, version or type is empty or too long.
        Refused: its type was deleted, or has no such modules.
        Conflict: there is one of this name and version.
        NotFound: there is no such module.
    """
    check_name(name, version, type)
    types.check_offered(change, "set", type)
    if change.rows(
        "SELECT id FROM distribution_sets WHERE name = :name AND version = :version AND deleted = 0",
        name=name,
        version=version,
    ):
        raise Conflict(
            f"there is a distribution set {name} {version} already",
            code="set.exists",
            remedy="what changes gets a new version",
        )
    made = change.insert(
        "distribution_sets",
        name=name,
        version=version,
        type=type,
        version_key=sort_key(version),
        description=description,
        required_migration_step=int(required_migration_step),
        release=release,
        created=at,
        modified=at,
    )
    put_modules(change, made, modules, at, strict=strict)
    return find_set(change, made)


def find_set(reading: Reading, distribution_set: int, *, deleted: bool = False) -> DistributionSet:
    """A distribution set by its id; deleted ones only where asked for.

    Raises:
        NotFound: there is none.
    """
    rows = reading.rows(f"SELECT {SET} FROM distribution_sets d WHERE d.id = :id", id=distribution_set)
    found = set_of(rows[0]) if rows else None
    if found is None or (found.deleted and not deleted):
        raise NotFound(
            f"there is no distribution set {distribution_set}", code="set.unknown", remedy="list the sets"
        )
    return found


def set_named(reading: Reading, name: str, version: str) -> DistributionSet:
    """A distribution set by name and version.

    Raises:
        NotFound: there is none.
    """
    rows = reading.rows(
        f"SELECT {SET} FROM distribution_sets d WHERE d.name = :name AND d.version = :version"
        " AND d.deleted = 0",
        name=name,
        version=version,
    )
    if not rows:
        raise NotFound(
            f"there is no distribution set {name!r} {version!r}", code="set.unknown", remedy="list the sets"
        )
    return set_of(rows[0])


def put_modules(
    change: Change, distribution_set: int, modules: Iterable[int], at: int, *, strict: bool = False
) -> None:
    """Add modules to a set; where it has only so many of a type, a further one takes an older one's place.

    Raises:
        NotFound: there is no such set or module.
        Refused: the set is locked, or its type has no such modules.
    """
    found = _open_set(change, distribution_set)
    for number in dict.fromkeys(modules):
        module = find_module(change, number)
        types.check_module(change, found.type, module, strict=strict)
        inside = modules_of(change, distribution_set)
        for older in types.crowded_out(change, inside, module, strict=strict):
            change.run(
                "DELETE FROM set_modules WHERE distribution_set = :set AND module = :module",
                set=distribution_set,
                module=older.id,
            )
        change.run(
            "INSERT INTO set_modules (distribution_set, module) VALUES (:set, :module)"
            " ON CONFLICT (distribution_set, module) DO NOTHING",
            set=distribution_set,
            module=number,
        )
    change.run("UPDATE distribution_sets SET modified = :at WHERE id = :id", at=at, id=distribution_set)
    changes.tell_everyone(change, at)


def take_module(change: Change, distribution_set: int, module: int, at: int) -> None:
    """Take a module out of a set.

    Raises:
        NotFound: there is no such set, or it has no such module.
        Refused: the set is locked.
    """
    _open_set(change, distribution_set)
    taken = change.run(
        "DELETE FROM set_modules WHERE distribution_set = :set AND module = :module",
        set=distribution_set,
        module=module,
    )
    if not taken:
        raise NotFound(
            f"distribution set {distribution_set} has no module {module}",
            code="set.module",
            remedy="list its modules",
        )
    change.run("UPDATE distribution_sets SET modified = :at WHERE id = :id", at=at, id=distribution_set)
    changes.tell_everyone(change, at)


def _open_set(reading: Reading, distribution_set: int) -> DistributionSet:
    found = find_set(reading, distribution_set)
    if found.locked:
        raise Refused(
            f"distribution set {found.name} {found.version} is locked",
            code="set.locked",
            remedy="what cars were given does not change; make a new version",
        )
    return found


def modules_of(reading: Reading, distribution_set: int) -> list[SoftwareModule]:
    """The modules of a set, by id, those deleted since included."""
    rows = reading.rows(
        f"SELECT {MODULE} FROM set_modules j JOIN software_modules m ON m.id = j.module"
        " WHERE j.distribution_set = :set ORDER BY m.id",
        set=distribution_set,
    )
    return [module_of(row) for row in rows]


def check_assignable(reading: Reading, distribution_set: int) -> DistributionSet:
    """A distribution set that may be given to cars.

    Raises:
        NotFound: there is none.
        Refused: it is incomplete, was invalidated, or nobody has signed and published it.
    """
    found = find_set(reading, distribution_set)
    if not found.valid:
        raise Refused(
            f"distribution set {found.name} {found.version} was invalidated",
            code="set.invalid",
            remedy="assign another version",
        )
    lacks = types.missing(reading, found.type, modules_of(reading, distribution_set))
    if lacks:
        raise Refused(
            f"distribution set {found.name} {found.version} is not complete: {lacks}",
            code="set.incomplete",
            remedy="add the module",
        )
    if releases.record_of(found).published is None and not Configuration(reading).enabled(releases.UNSIGNED):
        raise Refused(
            f"{found.name} {found.version} was not published: nobody has signed it",
            code="set.unpublished",
            remedy="driveaway release propose, sign and publish",
        )
    return found


def lock(change: Change, distribution_set: int, at: int) -> None:
    """Lock a set and its modules: what cars were given does not change any more."""
    change.run(
        "UPDATE distribution_sets SET locked = 1, modified = :at WHERE id = :set AND locked = 0",
        at=at,
        set=distribution_set,
    )
    change.run(
        "UPDATE software_modules SET locked = 1 WHERE locked = 0 AND id IN"
        " (SELECT module FROM set_modules WHERE distribution_set = :set)",
        set=distribution_set,
    )


def invalidate(change: Change, distribution_set: int, at: int) -> list[int]:
    """Let a set be given to no further car, for good; the ids of its actions that still go on.

    Raises:
        NotFound: there is none.
    """
    find_set(change, distribution_set)
    change.run(
        "UPDATE distribution_sets SET valid = 0, locked = 1, modified = :at WHERE id = :id",
        at=at,
        id=distribution_set,
    )
    rows = change.rows(
        "SELECT id FROM actions WHERE distribution_set = :set AND active = 1 AND status <> 'canceling'"
        " ORDER BY id",
        set=distribution_set,
    )
    return [action for (action,) in rows]


def delete_set(change: Change, distribution_set: int, at: int) -> None:
    """Take a set out of what is offered; one that was assigned stays for what runs already.

    Raises:
        NotFound: there is none.
        Refused: an action with it still goes on.
    """
    found = find_set(change, distribution_set)
    active = change.rows(
        "SELECT 1 FROM actions WHERE distribution_set = :set AND active = 1 LIMIT 1", set=found.id
    )
    if active:
        raise Refused(
            f"cars are being given distribution set {found.name} {found.version}",
            code="set.in_use",
            remedy="cancel its actions first",
        )
    if found.locked:
        change.run(
            "UPDATE distribution_sets SET deleted = 1, modified = :at WHERE id = :id", at=at, id=found.id
        )
        return
    for table in ("set_modules", "set_metadata"):
        change.run(f"DELETE FROM {table} WHERE distribution_set = :set", set=found.id)
    change.run("DELETE FROM distribution_sets WHERE id = :id", id=found.id)
