"""What a car remembers between two starts: who it is, and how far an update has come."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from driveaway.updates.car.files import write_whole
from driveaway.values.errors import BadValue, NotFound

_IDENTITY: Final = "car.json"
_PENDING: Final = "pending.json"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A car and its server.

    ``server`` is the base URL and ``tenant`` the first part of the path; ``credential`` the value of the
    Authorization header. ``attributes`` are what the car tells of itself (hardware, trim).
    """

    controller_id: str
    server: str
    tenant: str = "DEFAULT"
    credential: str = ""
    hardware: tuple[str, ...] = ()
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    certificates: str | None = None


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
        """Tell the car who it is; the file is readable by its owner only, for it holds the token."""
        path = self.folder / _IDENTITY
        write_whole(path, msgspec.json.format(msgspec.json.encode(identity), indent=1))
        path.chmod(0o600)

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
        else:
            write_whole(self.folder / _PENDING, msgspec.json.encode(pending))
