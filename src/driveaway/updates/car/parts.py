"""The files of a deployment, and where each goes in a slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from driveaway.updates.car.documents import Details, read
from driveaway.updates.car.slots import InstalledFile, InstalledModule, Manifest
from driveaway.values.errors import Refused

_DIGITS: Final = frozenset("0123456789abcdef")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a deployment, as the server describes it. ``chunk`` is the module's part, name, version."""

    chunk: tuple[str, str, str]
    filename: str
    size: int
    sha256: str
    url: str


def parts_of(deployment: Mapping[str, Any]) -> list[Part]:
    """Every file of a deployment.

    Raises:
        Refused: a file has no SHA-256, no link, or a name that leads elsewhere; or there is none.
    """
    parts: list[Part] = []
    for chunk in read(Details, {"download": "skip", "update": "skip", **deployment}, "deployment").chunks:
        for artifact in chunk.artifacts:
            link = artifact.links.get("download") or artifact.links.get("download-http")
            name, sha256 = artifact.filename, artifact.hashes.get("sha256", "").lower()
            if _leads_elsewhere(name) or _leads_elsewhere(quote(chunk.name, safe="")):
                raise Refused(f"{chunk.name!r}, {name!r}: no file's name", code="car.filename")
            if link is None or urlsplit(link.href).scheme not in ("http", "https"):
                raise Refused(f"{name} comes without a link", code="car.document")
            if len(sha256) != 64 or not set(sha256) <= _DIGITS or artifact.size < 0:
                raise Refused(f"{name} comes without a size or a SHA-256", code="car.document")
            described = (chunk.part, chunk.name, chunk.version)
            parts.append(
                Part(chunk=described, filename=name, size=artifact.size, sha256=sha256, url=link.href)
            )
    if not parts:
        raise Refused("there is nothing to install", code="car.document")
    return parts


def wanted(parts: Sequence[Part], manifest: Manifest) -> list[Part]:
    """Those that a manifest names: a release may have files for other hardware than this car's.

    Raises:
        Refused: two files have one name.
    """
    named = {file.path for module in manifest.modules for file in module.files}
    found = [part for part in parts if path_in_slot(part) in named]
    if len({path_in_slot(part) for part in found}) < len(found):
        raise Refused("two files have one name", code="car.filename")
    return found


def _leads_elsewhere(name: str) -> bool:
    return name in ("", ".", "..") or any(letter in name for letter in "/\\\0")


def path_in_slot(part: Part) -> str:
    """Where a file lies in a slot: a folder for each module."""
    return f"{quote(part.chunk[1], safe='')}/{part.filename}"


def manifest_of(name: str, version: str, parts: Sequence[Part], counters: Mapping[str, int]) -> Manifest:
    """The manifest of these files. ``counters`` are release counters by the modules' names."""
    modules: dict[tuple[str, str, str], list[InstalledFile]] = {}
    for part in parts:
        file = InstalledFile(path=path_in_slot(part), size=part.size, sha256=part.sha256)
        modules.setdefault(part.chunk, []).append(file)
    return Manifest(
        name=name,
        version=version,
        modules=tuple(
            InstalledModule(
                name=chunk[1],
                version=chunk[2],
                type=chunk[0],
                counter=counters.get(chunk[1], 0),
                files=tuple(files),
            )
            for chunk, files in modules.items()
        ),
    )


def unsigned(deployment: Mapping[str, Any], parts: Sequence[Part], held: Manifest | None) -> Manifest:
    """Takes the server's word for everything: for trials of a server alone, never for a car.

    Whoever speaks for the server decides what such a car runs.
    """
    _, name, version = parts[0].chunk
    return manifest_of(name, version, parts, {})
