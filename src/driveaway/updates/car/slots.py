"""Two slots, one of them running: a release is installed beside the running one and taken back whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

import msgspec

from driveaway.values.errors import Refused
from driveaway.values.files import sync_folder, write_whole

SLOTS: Final = ("a", "b")
_MANIFEST: Final = "manifest.json"
_RUNNING: Final = "running"
_CHUNK: Final = 1 << 20


class InstalledFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a slot: its path inside the slot, length in bytes and SHA-256 in hex."""

    path: str
    size: int
    sha256: str


class InstalledModule(msgspec.Struct, frozen=True, kw_only=True):
    """A module that a slot holds. ``counter`` is its release counter, which never falls.

    ``version_scheme`` says how its versions are ordered.
    """

    name: str
    version: str
    type: str
    counter: int = 0
    files: tuple[InstalledFile, ...] = ()
    version_scheme: str = "semver"


class InstalledFunction(msgspec.Struct, frozen=True, kw_only=True):
    """A function that the software brought, and its availability policy as it was signed: JSON."""

    name: str
    policy: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a slot holds. ``name`` and ``version`` are those of the release."""

    name: str
    version: str
    modules: tuple[InstalledModule, ...] = ()
    functions: tuple[InstalledFunction, ...] = ()


class Slots:
    """The two slots of a car's folder. The link ``running`` names the slot that the car boots from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._link = folder / _RUNNING

    @property
    def running(self) -> str | None:
        """The slot that the car boots from; None before anything was installed."""
        try:
            return os.readlink(self._link)
        except FileNotFoundError:
            return None

    @property
    def other(self) -> str:
        """The slot that may be written to."""
        return SLOTS[1] if self.running == SLOTS[0] else SLOTS[0]

    def manifest(self, slot: str | None) -> Manifest | None:
        """What a slot holds; None when nothing whole."""
        if slot is None:
            return None
        try:
            return msgspec.json.decode((self.folder / slot / _MANIFEST).read_bytes(), type=Manifest)
        except (OSError, msgspec.DecodeError):
            return None

    def install(self, manifest: Manifest, sources: dict[str, Path]) -> str:
        """Copy verified files into the slot that does not run; the slot.

        The manifest is written last: a slot without one holds nothing whole.

        Args:
            manifest: what the slot will hold.
            sources: where each file is, by its path inside the slot.

        Raises:
            Refused: a file is not what the manifest says.
        """
        slot = self.other
        place = self.folder / slot
        # The manifest first: what is half deleted must not pass for whole.
        (place / _MANIFEST).unlink(missing_ok=True)
        if place.exists():
            shutil.rmtree(place)
        place.mkdir(parents=True)
        for module in manifest.modules:
            for file in module.files:
                _copy(sources[file.path], place / file.path, file)
        for folder in place.iterdir():
            sync_folder(folder)
        write_whole(place / _MANIFEST, msgspec.json.encode(manifest))
        sync_folder(self.folder)
        return slot

    def verify(self, slot: str) -> bool:
        """Whether every file of a slot is there and is what its manifest says."""
        manifest = self.manifest(slot)
        if manifest is None:
            return False
        return all(
            _is(self.folder / slot / file.path, file) for module in manifest.modules for file in module.files
        )

    def switch(self, slot: str | None) -> None:
        """Boot from this slot from now on, with None from what the factory put in; atomic."""
        if slot is None:
            self._link.unlink(missing_ok=True)
            sync_folder(self.folder)
            return
        draft = self.folder / f"{_RUNNING}.new"
        draft.unlink(missing_ok=True)
        draft.symlink_to(slot)
        draft.replace(self._link)
        sync_folder(self.folder)


def _copy(source: Path, place: Path, file: InstalledFile) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reading, place.open("wb") as writing:
        while block := reading.read(_CHUNK):
            digest.update(block)
            size += len(block)
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())
    if (size, digest.hexdigest()) != (file.size, file.sha256):
        raise Refused(
            f"{file.path} is not what was signed",
            code="car.content",
            place=str(source),
            remedy="download it again",
        )


def _is(path: Path, file: InstalledFile) -> bool:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as reading:
            while block := reading.read(_CHUNK):
                digest.update(block)
    except OSError:
        return False
    return digest.hexdigest() == file.sha256
