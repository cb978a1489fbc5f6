"""What a server says, read with care, and what a car answers: messages of the Direct Device Integration."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeVar

import msgspec

from driveaway.values.errors import Refused

Content = TypeVar("Content")
_CLOCK: Final = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)")
_SHORTEST: Final = 1.0
_USUAL: Final = 300.0
"""Seconds to the next poll where the server says none."""
Wish = Literal["skip", "attempt", "forced"]


class Link(msgspec.Struct, frozen=True):
    """Where something is."""

    href: str


class Polling(msgspec.Struct, frozen=True):
    """When to poll again."""

    sleep: str = ""


class Config(msgspec.Struct, frozen=True):
    """What the server wants of the car's manners."""

    polling: Polling = Polling()


class Base(msgspec.Struct, frozen=True):
    """What there is to do."""

    config: Config = Config()
    links: dict[str, Link] = msgspec.field(name="_links", default_factory=dict)

    @property
    def sleep(self) -> float:
        """Seconds to the next poll."""
        found = _CLOCK.fullmatch(self.config.polling.sleep)
        if found is None:
            return _USUAL
        hours, minutes, seconds = (int(part) for part in found.groups())
        return max(_SHORTEST, hours * 3600.0 + minutes * 60 + seconds)

    def link(self, name: str) -> str | None:
        """Where a thing is, None if it is not offered."""
        found = self.links.get(name)
        return None if found is None else found.href


class Artifact(msgspec.Struct, frozen=True):
    """A file and where it is."""

    filename: str
    size: int
    hashes: dict[str, str]
    links: dict[str, Link] = msgspec.field(name="_links", default_factory=dict)


class Chunk(msgspec.Struct, frozen=True):
    """A module."""

    part: str
    name: str
    version: str
    artifacts: tuple[Artifact, ...] = ()


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with which software."""

    download: Wish
    update: Wish
    chunks: tuple[Chunk, ...] = ()


class Deployment(msgspec.Struct, frozen=True):
    """An action. ``said`` is ``deployment`` as the server wrote it, for whoever verifies it."""

    id: int | str
    deployment: Details


class ToStop(msgspec.Struct, frozen=True, rename="camel"):
    """The action to be stopped."""

    stop_id: int | str


class Cancellation(msgspec.Struct, frozen=True, rename="camel"):
    """A request to stop an action."""

    cancel_action: ToStop


def read(kind: type[Content], document: Any, place: str) -> Content:
    """A document as its kind; what is not known in it is passed over.

    Raises:
        Refused: it is no such document.
    """
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise Refused(
            f"the server's document cannot be read: {error}",
            code="car.document",
            place=place,
            remedy="see whether this is the address of a server for cars",
        ) from error


def number(text: int | str, place: str) -> int:
    """The id of an action.

    Raises:
        Refused: it is no number.
    """
    if isinstance(text, str) and not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Refused("an action's id is a number", code="car.document", place=place)
    return int(text)


def feedback(
    action: int,
    execution: str,
    finished: str,
    details: Sequence[str] = (),
    progress: tuple[int, int] | None = None,
) -> Mapping[str, Any]:
    """How far a car is with an action.

    It carries no time: said again after a loss of power it is the same, and counts once.
    """
    result: dict[str, Any] = {"finished": finished}
    if progress is not None:
        result["progress"] = {"cnt": progress[0], "of": progress[1]}
    status = {"execution": execution, "result": result, "details": list(details)}
    return {"id": str(action), "status": status}
