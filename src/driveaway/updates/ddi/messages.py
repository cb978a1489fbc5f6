"""Requests and responses of the Direct Device Integration API, version 1, as they stand on the wire.

Fields that are not known are passed over, as the protocol demands. What clients were seen to send is
taken: an ``id`` that is a number or a text, details that are one text, ``progress.of`` 0, times in any form.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from driveaway.updates.actions.machine import Execution, Finished, Report
from driveaway.updates.registry import Mode
from driveaway.updates.signed_report import Signed
from driveaway.values.clock import instant
from driveaway.values.errors import BadValue

Message = TypeVar("Message")
_LAST_MILLISECOND: Final = 2**53
_PLAIN: Final = r"^[^\x00]*$"
_Code = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class _Said(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """What a car sends."""


class _Told(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel", omit_defaults=True):
    """What a car is told; fields left at their default are left out."""


# --- requests ----------------------------------------------------------------------------------------


class Progress(_Said, frozen=True, kw_only=True):
    """``cnt`` steps of ``of`` are done; 0 of 0 where the client does not know."""

    cnt: int | float | None = None
    of: int | float | None = None


class Result(_Said, frozen=True, kw_only=True):
    """How it ended, and how far it got."""

    finished: Finished = Finished.NONE
    progress: Progress | None = None


class Status(_Said, frozen=True, kw_only=True):
    """What a car does about an action."""

    execution: Execution
    result: Result | None = None
    code: _Code | None = None
    details: tuple[str, ...] | str | None = None


class ActionFeedback(_Said, frozen=True, kw_only=True):
    """Feedback about a deployment or a cancellation."""

    status: Status
    id: int | str | None = None
    timestamp: int | float | str | None = None
    time: int | float | str | None = None


class ConfigData(_Said, frozen=True, kw_only=True):
    """A car's attributes; null removes one. ``signed``: what it runs, signed by its own key."""

    data: dict[str, str | int | float | bool | None]
    mode: Mode | None = None
    signed: Signed | None = None


class ConfirmationFeedback(_Said, frozen=True, kw_only=True):
    """Whether the car's user agrees to an action."""

    confirmation: Annotated[str, Meta(pattern="^(confirmed|denied)$")]
    code: _Code | None = None
    details: tuple[str, ...] | str | None = None


class AutoConfirmRequest(_Said, frozen=True, kw_only=True):
    """Who agrees to all that comes, and why."""

    initiator: Annotated[str, Meta(max_length=64, pattern=_PLAIN)] | None = None
    remark: Annotated[str, Meta(max_length=512, pattern=_PLAIN)] | None = None


class InstalledBase(_Said, frozen=True, kw_only=True):
    """The distribution set that a car says it runs."""

    name: Annotated[str, Meta(min_length=1, pattern=_PLAIN)]
    version: Annotated[str, Meta(min_length=1, pattern=_PLAIN)]


def read(kind: type[Message], body: bytes) -> Message:
    """A request of a kind, from JSON.

    Raises:
        BadValue: it is not JSON, or says something else; the field is named.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(error) from None


def convert(kind: type[Message], content: object) -> Message:
    """The same from what a decoder of another form (CBOR) made of it.

    Raises:
        BadValue: it says something else.
    """
    try:
        return msgspec.convert(content, type=kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _wrong(error) from None


def _wrong(error: Exception) -> BadValue:
    return BadValue(
        f"the message cannot be read: {error}"[:400],
        code="ddi.message",
        remedy="send what the Direct Device Integration API asks for",
    )


def report_of(feedback: ActionFeedback, kind: str) -> Report:
    """Feedback as the state machine takes it; ``kind`` keeps answers to different questions apart.

    The digest is over all that was sent and known, the car's own time included.
    """
    status = feedback.status
    return Report(
        execution=status.execution,
        finished=Finished.NONE if status.result is None else status.result.finished,
        code=status.code,
        messages=_texts(status.details),
        reported=_milliseconds(feedback.timestamp) or _written(feedback.time),
        digest=_digest(feedback, kind),
    )


def report_of_confirmation(feedback: ConfirmationFeedback) -> Report:
    """A confirmation as the log keeps it."""
    return Report(
        execution=Execution.PROCEEDING,
        code=feedback.code,
        messages=_texts(feedback.details),
        digest=_digest(feedback, "y"),
    )


def attributes_of(data: ConfigData) -> dict[str, str | None]:
    """Attributes as texts, as they would stand in JSON."""
    return {
        key: value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
        for key, value in data.data.items()
    }


def _texts(details: tuple[str, ...] | str | None) -> tuple[str, ...]:
    return (details,) if isinstance(details, str) else details or ()


def _digest(said: msgspec.Struct, kind: str) -> str:
    content = hashlib.blake2b(msgspec.json.encode(said, order="sorted"), digest_size=16)
    return kind + content.hexdigest()


def _milliseconds(timestamp: int | float | str | None) -> int | None:
    """Milliseconds since 1970 as microseconds; None where it is no such number."""
    try:
        milliseconds = int(timestamp or 0)
    except (ValueError, OverflowError):
        return None
    return milliseconds * 1000 if 0 < milliseconds < _LAST_MILLISECOND else None


def _written(time: int | float | str | None) -> int | None:
    """A time as SWUpdate and RAUC write it, ``YYYYMMDDTHHMMSS`` in UTC; None where it is none."""
    try:
        return instant(datetime.strptime(str(time), "%Y%m%dT%H%M%S").replace(tzinfo=UTC))
    except ValueError:
        return None


# --- responses ---------------------------------------------------------------------------------------


class Link(_Told, frozen=True, kw_only=True):
    """A HAL link."""

    href: str


class Polling(_Told, frozen=True, kw_only=True):
    """When to poll next: ``HH:MM:SS`` from now."""

    sleep: str


class Config(_Told, frozen=True, kw_only=True):
    """What a car is to keep to."""

    polling: Polling


class ControllerBase(_Told, frozen=True, kw_only=True):
    """What there is for a car to do."""

    config: Config
    links: dict[str, Link] = msgspec.field(name="_links", default_factory=dict)


class Hashes(_Told, frozen=True, kw_only=True):
    """Hashes of a file, in lower-case hexadecimal digits."""

    sha1: str
    md5: str
    sha256: str


class ArtifactDocument(_Told, frozen=True, kw_only=True):
    """A file and where it is."""

    filename: str
    hashes: Hashes
    size: int
    links: dict[str, Link] = msgspec.field(name="_links", default_factory=dict)


class Metadata(_Told, frozen=True, kw_only=True):
    """A note on a module."""

    key: str
    value: str


class Chunk(_Told, frozen=True, kw_only=True):
    """A module."""

    part: str
    version: str
    name: str
    encrypted: bool | None = None
    artifacts: tuple[ArtifactDocument, ...]
    metadata: tuple[Metadata, ...] | None = None


class DeploymentDetails(_Told, frozen=True, kw_only=True):
    """What is to be done with which software: ``skip``, ``attempt`` or ``forced``."""

    download: str
    update: str
    maintenance_window: str | None = None
    chunks: tuple[Chunk, ...]


class ActionHistory(_Told, frozen=True, kw_only=True):
    """What was said about an action, newest first."""

    status: str
    messages: tuple[str, ...]


class Deployment(_Told, frozen=True, kw_only=True):
    """An action: what the car is to install, or installed."""

    id: str
    deployment: DeploymentDetails
    action_history: ActionHistory | None = None


class ConfirmationDocument(_Told, frozen=True, kw_only=True):
    """An action that waits for the car's confirmation."""

    id: str
    confirmation: DeploymentDetails
    action_history: ActionHistory | None = None


class ToStop(_Told, frozen=True, kw_only=True):
    """The action to be stopped."""

    stop_id: str


class CancelDocument(_Told, frozen=True, kw_only=True):
    """A request to stop an action."""

    id: str
    cancel_action: ToStop


class AutoConfirm(_Told, frozen=True, kw_only=True):
    """Whether what comes is confirmed without asking, by whom, why and since when (milliseconds)."""

    active: bool
    initiator: str | None = None
    remark: str | None = None
    activated_at: int | None = None


class ConfirmationBase(_Told, frozen=True, kw_only=True):
    """How a car confirms what is to be done."""

    auto_confirm: AutoConfirm
    links: dict[str, Link] = msgspec.field(name="_links", default_factory=dict)
