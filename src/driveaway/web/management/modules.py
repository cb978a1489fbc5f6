"""Software modules and their artifacts."""

from __future__ import annotations

from typing import Any

from driveaway.book.state.state import Reading
from driveaway.updates import software
from driveaway.updates.artifacts import Stored
from driveaway.updates.management import amending
from driveaway.updates.management.paging import MODULES, read_page
from driveaway.updates.model import Artifact, SoftwareModule
from driveaway.updates.rows import module_of
from driveaway.values.errors import BadValue, Refused
from driveaway.web.http.files import Served
from driveaway.web.management import kinds
from driveaway.web.management.bodies import ModuleBody, ModuleChange
from driveaway.web.management.calls import (
    CREATED,
    NOTHING,
    OK,
    Call,
    Said,
    milliseconds,
    named_document,
    paged,
)


def document(
    call: Call, module: SoftwareModule, types: list[kinds.Kind], *, details: bool = False
) -> dict[str, Any]:
    """A module."""
    kind = kinds.named(types, module.type)
    own = ("softwaremodules", module.id)
    links = {"self": call.link(*own)}
    if details:
        links |= {
            "artifacts": call.link(*own, "artifacts"),
            "type": call.link("softwaremoduletypes", kind.id),
            "metadata": call.first_page(*own, "metadata"),
        }
    return named_document(
        module,
        links,
        version=module.version,
        type=module.type,
        typeName=kind.name,
        vendor=module.vendor or None,
        locked=module.locked,
        deleted=module.deleted,
        encrypted=module.encrypted,
    )


def listing(call: Call) -> Said:
    """Modules, page by page."""
    rows, total = read_page(call.state, MODULES, call.page(), call.at)
    types = kinds.of_modules(call.state)
    return paged([document(call, module_of(row), types) for row in rows], total)


def create(call: Call) -> Said:
    """Enter modules, all or none."""
    bodies: tuple[ModuleBody, ...] = call.body
    with call.change() as change:
        made = [
            software.create_module(
                change,
                body.name,
                body.version,
                body.type,
                call.at,
                vendor=amending.describe(body.vendor or ""),
                description=amending.describe(body.description or ""),
                encrypted=bool(body.encrypted),
            )
            for body in bodies
        ]
        types = kinds.of_modules(change)
    return Said(CREATED, [document(call, module, types) for module in made])


def _detailed(call: Call, reading: Reading) -> Said:
    module = software.find_module(reading, call.number("module"))
    return Said(OK, document(call, module, kinds.of_modules(reading), details=True))


def get(call: Call) -> Said:
    """One module."""
    return _detailed(call, call.state)


def amend(call: Call) -> Said:
    """Change what is said of a module, or lock it."""
    body: ModuleChange = call.body
    with call.change() as change:
        amending.amend_module(
            change,
            call.number("module"),
            call.at,
            description=body.description,
            vendor=body.vendor,
            locked=body.locked,
        )
        return _detailed(call, change)


def delete(call: Call) -> Said:
    """Take a module out."""
    with call.change() as change:
        software.delete_module(change, call.number("module"), call.at)
    return NOTHING


# --- artifacts ----------------------------------------------------------------------------------------


def artifact_document(call: Call, artifact: Artifact) -> dict[str, Any]:
    """A file of a module."""
    own = ("softwaremodules", artifact.module, "artifacts", artifact.id)
    return {
        "createdAt": milliseconds(artifact.created),
        "lastModifiedAt": milliseconds(artifact.created),
        "hashes": {"sha1": artifact.sha1, "md5": artifact.md5, "sha256": artifact.sha256},
        "providedFilename": artifact.filename,
        "size": artifact.size,
        "id": artifact.id,
        "_links": {"self": call.link(*own), "download": call.link(*own, "download")},
    }


def artifacts(call: Call) -> Said:
    """The files of a module."""
    module = software.find_module(call.state, call.number("module"))
    return Said(
        OK, [artifact_document(call, artifact) for artifact in software.artifacts(call.state, module.id)]
    )


def artifact(call: Call) -> Said:
    """One file of a module."""
    found = software.find_artifact(call.state, call.number("module"), call.number("artifact"))
    return Said(OK, artifact_document(call, found))


def delete_artifact(call: Call) -> Said:
    """Take a file from a module."""
    with call.change() as change:
        software.find_module(change, call.number("module"))
        software.delete_artifact(change, call.number("module"), call.number("artifact"), call.at)
    return NOTHING


def check_open(call: Call) -> None:
    """See that a module takes files, before one is received.

    Raises:
        NotFound: there is no such module.
        Refused: it is locked.
    """
    module = software.find_module(call.state, call.number("module"))
    if module.locked:
        raise Refused(
            f"module {module.name} {module.version} is locked",
            code="module.locked",
            remedy="what cars were given does not change; make a new version",
        )


def add_artifact(call: Call, filename: str, stored: Stored) -> Said:
    """Give a module a file that was received.

    Raises:
        BadValue, Conflict, Refused: as ``software.add_artifact``; or it is empty.
    """
    if stored.size == 0:
        raise BadValue("the file is empty", code="artifact.upload", remedy="send one with a content")
    with call.change() as change:
        made = software.add_artifact(
            change,
            call.number("module"),
            filename,
            stored,
            call.at,
            largest=call.desk.largest,
            store=call.desk.store,
        )
    return Said(CREATED, artifact_document(call, made))


def served(call: Call) -> Served:
    """A file's content.

    Raises:
        NotFound: there is no such file, or its content is gone.
    """
    found = software.find_artifact(call.state, call.number("module"), call.number("artifact"))
    path = call.desk.artifacts.existing(found.sha256)
    return Served(path, f'"{found.sha1}"', found.created, found.size, filename=found.filename)
