"""Every error a person can meet: a stable code, the place, the value and the remedy.

The classes say whose turn it is: the caller's (``BadValue``, ``NotFound``), the
book's rules (``Conflict``, ``Refused``) or the world's (``Unavailable``). Doors
turn a class into an exit code or an HTTP status in one table each.
"""

from __future__ import annotations


class DriveawayError(Exception):
    """Base of all errors raised on purpose.

    Attributes:
        code: stable, lower-case, dotted; scripts may rely on it.
        place: where it was found (a file and line, an option, a subject), or "".
        remedy: what to do about it, or "".
        field: the field of a fact that it speaks of, or "".
    """

    default_code = "error"

    def __init__(
        self, message: str, *, code: str = "", place: str = "", remedy: str = "", field: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.place = place
        self.remedy = remedy
        self.field = field

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        if self.remedy:
            text += f" — {self.remedy}"
        return f"{text} [{self.code}]"

    def at(self, place: str) -> DriveawayError:
        """The same error with its place filled in, unless it already has one."""
        if not self.place:
            self.place = place
        return self


class BadValue(DriveawayError):
    """What was given cannot be read: a wrong type, an impossible date, an unknown option."""

    default_code = "bad_value"


class NotFound(DriveawayError):
    """What was named does not exist."""

    default_code = "not_found"


class Conflict(DriveawayError):
    """The same source was recorded before with other content, or replaced before."""

    default_code = "conflict"


class Refused(DriveawayError):
    """A rule of the launch forbids it."""

    default_code = "refused"


class Unavailable(DriveawayError):
    """The store, the disk or a peer cannot be reached now; trying again is safe."""

    default_code = "unavailable"


class Tampered(DriveawayError):
    """The book's own evidence does not agree with its content."""

    default_code = "tampered"
