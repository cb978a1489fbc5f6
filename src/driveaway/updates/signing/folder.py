"""Files that are there whole or not at all, and the folder of a repository."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from driveaway.values import files
from driveaway.values.errors import Conflict, Unavailable


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, finds the old content or the new.

    Raises:
        Unavailable: it cannot be written.
    """
    try:
        files.write_whole(path, content)
    except OSError as error:
        raise Unavailable(
            f"cannot be written: {error.strerror}", code="updates.folder", place=str(path)
        ) from error


def file_name(role: str, version: int | None = None) -> str:
    """The file of a role's metadata: with its version, or the newest's name (TUF 1.0, sections 3 and 6.2)."""
    encoded = quote(role, "")
    return f"{encoded}.json" if version is None else f"{version}.{encoded}.json"


class Folder:
    """The folder of a repository.

    Attributes:
        metadata: what is served to cars, and nothing else.
        staged: proposals that wait for signatures; never served.
    """

    def __init__(self, path: Path) -> None:
        self.metadata = path / "metadata"
        self.staged = path / "staged"
        self._lock = path / ".lock"
        self._begun = path / ".publishing"

    def make(self) -> None:
        """Make the folder.

        Raises:
            Conflict: a repository is there already.
        """
        if any(self.metadata.glob("*.root.json")):
            raise Conflict(
                "a repository is there already",
                code="updates.repository_exists",
                place=str(self.metadata),
                remedy="open it, or name another folder",
            )
        self.metadata.mkdir(parents=True, exist_ok=True)
        self.staged.mkdir(exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time, among all processes of this machine; waits for its turn."""
        with self._lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def begin(self, name: str, by: str) -> None:
        """Note that a proposal is being published, and who approved it."""
        write_whole(self._begun, msgspec.json.encode((name, by)))

    def begun(self) -> tuple[str, str] | None:
        """The proposal whose publication a crash interrupted, and who approved it."""
        try:
            return msgspec.json.decode(self._begun.read_bytes(), type=tuple[str, str])
        except FileNotFoundError:
            return None

    def end(self) -> None:
        """Note that it is published."""
        self._begun.unlink(missing_ok=True)

    def read(self, name: str) -> bytes | None:
        """A served file; None: there is none."""
        try:
            return (self.metadata / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a served file, unless it says just that already."""
        if self.read(name) != content:
            write_whole(self.metadata / name, content)

    def versions(self, role: str) -> list[int]:
        """Versions of a role that are kept, ascending."""
        ending = f".{file_name(role)}"
        numbers = (path.name.removesuffix(ending) for path in self.metadata.glob(f"*{ending}"))
        return sorted(int(number) for number in numbers if number.isdecimal())
