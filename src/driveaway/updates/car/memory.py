"""What a car remembers between two starts: who it is, and how far an update has come."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec

from driveaway.values.errors import BadValue, Conflict, NotFound
from driveaway.values.files import sync_folder, write_whole

_IDENTITY: Final = "car.json"
_PENDING: Final = "pending.json"
_LOCK: Final = "lock"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A car and its server.

    ``server`` is the base URL and ``tenant`` the first part of the path; ``credential`` the value of the
    Authorization header. ``attributes`` are what the car tells of itself (trim, province); ``signed`` False:
    it installs whatever the server gives, for trials of a server alone. ``certificates`` is a file of those
    that it trusts for TLS.
    """

    controller_id: str
    server: str
    tenant: str = "DEFAULT"
    credential: str = ""
    hardware: tuple[str, ...] = ()
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    certificates: str | None = None
    signed: bool = True


Step = Literal["downloading", "switched", "reporting"]


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """An update under way.

    ``step``: ``downloading`` until the other slot is whole; ``switched`` until the car has booted from it and
    looked; ``reporting`` until the server has heard of the end. ``before`` is the slot to fall back to,
    ``tries`` how often it was booted.
    """

    action: int
    step: Step
    slot: str = ""
    before: str | None = None
    tries: int = 0
    succeeded: bool = False
    details: tuple[str, ...] = ()


class Memory:
    """The files of a car's folder that outlive a loss of power."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def identity(self) -> Identity:
        """Who the car is.

        Raises:
            NotFound: nobody has told it.
            BadValue: the file is not readable as that.
        """
        path = self.folder / _IDENTITY
        try:
            return msgspec.json.decode(path.read_bytes(), type=Identity)
        except FileNotFoundError:
            raise NotFound(
                "this folder is no car", code="car.identity", place=str(path), remedy="driveaway car new DIR"
            ) from None
        except msgspec.DecodeError as error:
            raise BadValue(str(error), code="car.identity", place=str(path)) from error

    def name(self, identity: Identity) -> None:
        """Tell a new car who it is; the file is readable by its owner only, for it holds the token.

        Raises:
            Conflict: it is a car already.
        """
        if (self.folder / _IDENTITY).exists():
            raise Conflict(
                "this folder is a car already", code="car.exists", place=str(self.folder),
                remedy="take another folder",
            )  # fmt: skip
        content = msgspec.json.format(msgspec.json.encode(identity), indent=1)
        write_whole(self.folder / _IDENTITY, content, mode=0o600)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the car: two processes that install at once would spoil both slots.

        Raises:
            Conflict: another process holds it.
        """
        with (self.folder / _LOCK).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(
                    "this car runs already",
                    code="car.runs",
                    place=str(self.folder),
                    remedy="end the process that runs it",
                ) from None
            yield

    def pending(self) -> Pending | None:
        """The update under way, if any."""
        try:
            return msgspec.json.decode((self.folder / _PENDING).read_bytes(), type=Pending)
        except (OSError, msgspec.DecodeError):
            return None

    def keep(self, pending: Pending | None) -> None:
        """Remember an update under way, or that there is none."""
        if pending is None:
            (self.folder / _PENDING).unlink(missing_ok=True)
            sync_folder(self.folder)
        else:
            write_whole(self.folder / _PENDING, msgspec.json.encode(pending))
