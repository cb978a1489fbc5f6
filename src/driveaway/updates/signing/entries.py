"""What is signed about one artifact: its bytes, and what a car must know before it installs them.

A target of The Update Framework (TUF 1.0, section 4.5) has a path, a length, hashes and an object
``custom`` that the framework leaves to its users. ``Custom`` is that object, for the side that
signs and for the car alike.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import msgspec
from tuf.api.metadata import TargetFile

from driveaway.values.errors import BadValue, Refused

FORMAT: Final = 1
LARGEST: Final = 2**53 - 1
"""Integers above it lose digits in readers of JSON that know floating point only."""
SUPPLIERS: Final = "suppliers/"
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20


class Function(msgspec.Struct, frozen=True):
    """A function of the car that a module carries.

    Attributes:
        name: of the function.
        gate: who may use it where: an expression as canonical JSON text (``canonical``). Text, since
            the canonical form that TUF signs has no fractions, and positions have.
    """

    name: str
    gate: str


class Dependency(msgspec.Struct, frozen=True, omit_defaults=True):
    """What another module of the same car must be once everything is installed.

    Attributes:
        module: its name.
        minimum_version: at least this one, in the order of its own scheme; None: any.
        excluded_versions: none of these.
        conflicts: True: the module must not be there at all in the versions that the other two name.
    """

    module: str
    minimum_version: str | None = None
    excluded_versions: tuple[str, ...] = ()
    conflicts: bool = False


class Release(msgspec.Struct, frozen=True):
    """The distribution set that a module is released in: complete, so that a part of it shows.

    Attributes:
        name: slug of the release.
        version: of the release.
        targets: SHA-256 in hexadecimal of every target of the release, for all hardware, by path.
    """

    name: str
    version: str
    targets: dict[str, str]


class Custom(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the signers say of a target besides its bytes.

    Attributes:
        module: name of the software module.
        version: its version, as people read it.
        version_scheme: how its versions are ordered.
        module_type: such as ``os`` or ``application``.
        hardware: identifiers of the hardware that it runs on.
        counter: release counter; grows with each release of the module and never falls in a car.
        release: what it is released in; None under ``suppliers/``, since only the maker composes releases.
        functions: that it carries.
        minimum_version: of the module in the car that it may be installed over; None: any.
        excluded_versions: of the module in the car that it must not be installed over.
        dependencies: on other modules.
        format: of this object; a car refuses one that it does not know.
    """

    module: str
    version: str
    version_scheme: str
    module_type: str
    hardware: tuple[str, ...]
    counter: int
    release: Release | None = None
    functions: tuple[Function, ...] = ()
    minimum_version: str | None = None
    excluded_versions: tuple[str, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    format: int = FORMAT

    def __post_init__(self) -> None:
        if not (self.module and self.version and self.version_scheme and self.module_type):
            raise ValueError("module, version, version_scheme and module_type may not be empty")
        if not self.hardware:
            raise ValueError("hardware may not be empty: name what the module runs on")
        if not 0 <= self.counter <= LARGEST:
            raise ValueError(f"counter {self.counter} is not within 0 and {LARGEST}")


class Entry(msgspec.Struct, frozen=True):
    """One artifact as it is signed.

    Attributes:
        path: its name in the repository, unique and never given to other bytes.
        length: in bytes.
        sha256: in hexadecimal; what the artifact store files it under.
        sha512: in hexadecimal.
        custom: what else the signers say of it.
    """

    path: str
    length: int
    sha256: str
    sha512: str
    custom: Custom

    def __post_init__(self) -> None:
        check_path(self.path)

    @classmethod
    def of(cls, path: str, content: BinaryIO, custom: Custom) -> Entry:
        """The entry of an artifact, read once from where the stream stands to its end.

        Raises:
            BadValue: ``path`` is none that a repository may serve.
        """
        short, long = hashlib.sha256(), hashlib.sha512()
        length = 0
        while chunk := content.read(_CHUNK):
            short.update(chunk)
            long.update(chunk)
            length += len(chunk)
        return cls(path, length, short.hexdigest(), long.hexdigest(), custom)

    @property
    def served(self) -> str:
        """Path under which clients fetch it from a repository with consistent snapshots (TUF 1.0, 6.2)."""
        folder, slash, name = self.path.rpartition("/")
        return f"{folder}{slash}{self.sha256}.{name}"


def target_of(entry: Entry) -> TargetFile:
    """The entry as TUF writes it."""
    hashes = {"sha256": entry.sha256, "sha512": entry.sha512}
    # By way of JSON, as it comes back: what was read and what is written compare as equal.
    custom = msgspec.json.decode(msgspec.json.encode(entry.custom))
    return TargetFile(entry.length, hashes, entry.path, {"custom": custom})


def entry_of(target: TargetFile) -> Entry:
    """What TUF read, as an entry.

    Raises:
        Refused: it says something that this version does not understand.
    """
    try:
        custom = msgspec.convert(target.custom, Custom)
        if custom.format > FORMAT:
            raise ValueError(f"format {custom.format} is newer than {FORMAT}")
        if not _DIGEST.fullmatch(target.hashes["sha256"]):
            raise ValueError("sha256 is not 64 hexadecimal digits")
        return Entry(target.path, target.length, target.hashes["sha256"], target.hashes["sha512"], custom)
    except (msgspec.ValidationError, KeyError, ValueError, BadValue) as error:
        raise Refused(
            f"what is signed about it cannot be read: {error}",
            code="updates.entry",
            place=target.path,
            remedy="take a newer client, or sign the release again",
        ) from error


def check_path(path: str) -> str:
    """A path that may name a target: segments of letters, digits and ``._+-``, none that climbs.

    Raises:
        BadValue: it is another.
    """
    segments = path.split("/")
    if len(path) > 200 or not all(_SEGMENT.fullmatch(segment) for segment in segments):
        raise BadValue(
            f"{path!r} cannot name a target",
            code="updates.path",
            remedy="at most 200 characters: segments of letters, digits and ._+-, joined by /",
        )
    return path


def canonical(expression: Mapping[str, Any]) -> str:
    """An expression as canonical JSON text: keys sorted, no white space, shortest numbers.

    Raises:
        BadValue: it holds what JSON cannot say, such as infinity.
    """
    try:
        text = msgspec.json.encode(expression, order="sorted").decode()
        # msgspec writes infinities as null: what does not come back as it was is not said.
        if msgspec.json.decode(text) != msgspec.to_builtins(expression):
            raise ValueError("it does not come back as it was written")
    except (TypeError, ValueError) as error:
        raise BadValue(str(error), code="updates.gate", remedy="write it with plain JSON values") from error
    return text
