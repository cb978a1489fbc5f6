"""Software: modules, their artifacts, and what is noted on modules and distribution sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from driveaway.book.state.state import Change, Reading
from driveaway.updates import changes, types
from driveaway.updates.artifacts import Stored, check_filename
from driveaway.updates.model import Artifact, SoftwareModule
from driveaway.updates.quotas import ARTIFACT_BYTES, KEY_LENGTH, METADATA_LENGTH, STORE_BYTES, exceeded
from driveaway.updates.rows import ARTIFACT, MODULE, artifact_of, module_of
from driveaway.updates.versions import sort_key
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused

_LONGEST: Final = 128
_VERSION_LENGTH: Final = 64
Of = Literal["module", "distribution_set"]
_METADATA: Final[Mapping[Of, str]] = {"module": "module_metadata", "distribution_set": "set_metadata"}


def check_name(name: str, version: str, type: str) -> None:
    """Refuse what no module and no set can be called.

    Raises:
        BadValue: name, version or type is empty or too long.
    """
    for what, text, longest in (
        ("name", name, _LONGEST),
        ("version", version, _VERSION_LENGTH),
        ("type", type, _VERSION_LENGTH),
    ):
        if not 0 < len(text.strip()) <= longest or len(text) > longest or not text.isprintable():
            raise BadValue(
                f"{text[:40]!r} cannot be a {what}",
                code=f"software.{what}",
                field=what,
                remedy=f"1 to {longest} printable characters",
            )


# --- modules ---------------------------------------------------------------------------------------


def create_module(
    change: Change,
    name: str,
    version: str,
    type: str,
    at: int,
    *,
    vendor: str = "",
    description: str = "",
    encrypted: bool = False,
) -> SoftwareModule:
    """Enter a module.

    Raises:
        BadValue: name, version or type is empty or too long.
        Conflict: there is one of this name, version and type.
        Refused: its type was deleted.
    """
    check_name(name, version, type)
    types.check_offered(change, "module", type)
    same = change.rows(
        "SELECT id FROM software_modules WHERE name = :name AND version = :version AND type = :type"
        " AND deleted = 0",
        name=name,
        version=version,
        type=type,
    )
    if same:
        raise Conflict(
            f"there is a module {name} {version} of type {type} already",
            code="module.exists",
            remedy="what changes gets a new version",
        )
    module = change.insert(
        "software_modules",
        name=name,
        version=version,
        type=type,
        version_key=sort_key(version),
        vendor=vendor,
        description=description,
        encrypted=int(encrypted),
        created=at,
        modified=at,
    )
    return find_module(change, module)


def find_module(reading: Reading, module: int, *, deleted: bool = False) -> SoftwareModule:
    """A module by its id; deleted ones only where asked for.

    Raises:
        NotFound: there is none.
    """
    rows = reading.rows(f"SELECT {MODULE} FROM software_modules m WHERE m.id = :id", id=module)
    if not rows or (rows[0][SoftwareModule.__struct_fields__.index("deleted")] and not deleted):
        raise NotFound(f"there is no module {module}", code="module.unknown", remedy="list the modules")
    return module_of(rows[0])


def delete_module(change: Change, module: int, at: int) -> None:
    """Take a module out of what is offered; one that a set uses stays for what runs already.

    Raises:
        NotFound: there is none.
    """
    find_module(change, module)
    used = change.rows("SELECT 1 FROM set_modules WHERE module = :module LIMIT 1", module=module)
    if used:
        change.run("UPDATE software_modules SET deleted = 1, modified = :at WHERE id = :id", at=at, id=module)
        return
    for table in ("artifacts", "module_metadata"):
        change.run(f"DELETE FROM {table} WHERE module = :module", module=module)
    change.run("DELETE FROM software_modules WHERE id = :id", id=module)


def _open_module(reading: Reading, module: int) -> SoftwareModule:
    found = find_module(reading, module)
    if found.locked:
        raise Refused(
            f"module {found.name} {found.version} is locked",
            code="module.locked",
            remedy="what cars were given does not change; make a new version",
        )
    return found


def add_artifact(
    change: Change,
    module: int,
    filename: str,
    stored: Stored,
    at: int,
    *,
    largest: int = ARTIFACT_BYTES,
    store: int = STORE_BYTES,
) -> Artifact:
    """Give a module a file whose content is in the artifact store.

    Raises:
        NotFound: there is no such module.
        BadValue: that is no file name.
        Conflict: the module has a file of this name.
        Refused: the module is locked, or a quota is reached.
    """
    check_filename(filename)
    _open_module(change, module)
    if stored.size > largest:
        exceeded("artifact", "bytes of an artifact", largest, "split it, or raise the limit")
    ((used,),) = change.rows(
        "SELECT COALESCE(SUM(size), 0) FROM (SELECT DISTINCT sha256, size FROM artifacts"
        " WHERE sha256 <> :sha256) AS kept",
        sha256=stored.sha256,
    )
    if int(used) + stored.size > store:
        exceeded("store", "bytes of all artifacts", store, "delete what no car needs")
    if change.rows(
        "SELECT 1 FROM artifacts WHERE module = :module AND filename = :filename",
        module=module,
        filename=filename,
    ):
        raise Conflict(
            f"module {module} has a file {filename!r} already",
            code="artifact.exists",
            remedy="delete it first",
        )
    artifact = change.insert(
        "artifacts",
        module=module,
        filename=filename,
        size=stored.size,
        sha1=stored.sha1,
        md5=stored.md5,
        sha256=stored.sha256,
        created=at,
    )
    changes.tell_everyone(change, at)
    return find_artifact(change, module, artifact)


def artifacts(reading: Reading, module: int) -> list[Artifact]:
    """The files of a module, by name."""
    rows = reading.rows(
        f"SELECT {ARTIFACT} FROM artifacts f WHERE f.module = :module ORDER BY f.filename", module=module
    )
    return [artifact_of(row) for row in rows]


def find_artifact(reading: Reading, module: int, artifact: int) -> Artifact:
    """A module's file by its id.

    Raises:
        NotFound: there is none.
    """
    rows = reading.rows(
        f"SELECT {ARTIFACT} FROM artifacts f WHERE f.module = :module AND f.id = :id",
        module=module,
        id=artifact,
    )
    if not rows:
        raise NotFound(
            f"module {module} has no artifact {artifact}",
            code="artifact.unknown",
            remedy="list its artifacts",
        )
    return artifact_of(rows[0])


def delete_artifact(change: Change, module: int, artifact: int, at: int) -> None:
    """Take a file from a module; its content goes with the next sweep when nothing else uses it.

    Raises:
        NotFound: there is no such file.
        Refused: the module is locked.
    """
    find_artifact(change, module, artifact)
    _open_module(change, module)
    change.run("DELETE FROM artifacts WHERE id = :id", id=artifact)
    changes.tell_everyone(change, at)


def known_contents(reading: Reading) -> set[str]:
    """SHA-256 of every content that a module uses, for the sweep of the store."""
    return {sha256 for (sha256,) in reading.rows("SELECT DISTINCT sha256 FROM artifacts")}


# --- metadata --------------------------------------------------------------------------------------


def set_metadata(
    change: Change, of: Of, owner: int, key: str, value: str | None, at: int, *, visible: bool = False
) -> None:
    """Set, or with None remove, a note on a module or a set; cars see a module's where ``visible``.

    Raises:
        BadValue: key or value is too long.
    """
    if not 0 < len(key) <= KEY_LENGTH or len(value or "") > METADATA_LENGTH:
        raise BadValue(
            f"{key[:40]!r} is no metadata that can be kept",
            code="metadata.length",
            remedy=f"keys of 1 to {KEY_LENGTH} characters, values of at most {METADATA_LENGTH}",
        )
    table = _METADATA[of]
    change.run(f"DELETE FROM {table} WHERE {of} = :owner AND key = :key", owner=owner, key=key)
    if value is not None:
        names, places = ("", "") if of != "module" else (", target_visible", ", :visible")
        more = {"visible": int(visible)} if of == "module" else {}
        change.run(
            f"INSERT INTO {table} ({of}, key, value{names}) VALUES (:owner, :key, :value{places})",
            owner=owner,
            key=key,
            value=value,
            **more,
        )
    changes.tell_everyone(change, at)


def visible_metadata(reading: Reading, module: int) -> list[tuple[str, str]]:
    """Key and value of what cars are told about a module, by key."""
    rows = reading.rows(
        "SELECT key, value FROM module_metadata WHERE module = :module AND target_visible = 1 ORDER BY key",
        module=module,
    )
    return [(key, value) for key, value in rows]
