"""Responses built from rows: pure, so that they may be kept for as long as the rows hold."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import msgspec

from driveaway.updates.ddi.links import Links
from driveaway.updates.ddi.messages import (
    ActionHistory,
    ArtifactDocument,
    AutoConfirm,
    CancelDocument,
    Chunk,
    Config,
    ConfirmationBase,
    ConfirmationDocument,
    ControllerBase,
    Deployment,
    DeploymentDetails,
    Hashes,
    Link,
    Metadata,
    Polling,
    ToStop,
)
from driveaway.updates.model import Action, ActionStatus, ActionType, Artifact, SoftwareModule, Target

_LEGACY: Final = {"application": "bApp", "runtime": "jvm"}
"""Names of module types that clients know under an older one."""


class Piece(msgspec.Struct, frozen=True):
    """A module of a distribution set with its files and the notes that cars see."""

    module: SoftwareModule
    artifacts: tuple[Artifact, ...]
    metadata: tuple[tuple[str, str], ...]


class Moment(msgspec.Struct, frozen=True):
    """How an action stands at a moment.

    Attributes:
        forced: whether the car installs without asking.
        open: whether its maintenance window is open, or there is none.
        offered: whether the car is shown it.
        until: when this changes by itself, microseconds, None: it does not.
        opens: when its window opens, None: it is open, or never will be again.
    """

    forced: bool
    open: bool
    offered: bool
    until: int | None = None
    opens: int | None = None


def moment_of(action: Action, at: int, window: tuple[bool, int | None]) -> Moment:
    """How an action stands; ``window``: whether its maintenance window is open, and when that changes.

    A closed window withholds the action until the car has begun it. From then on the car sees it through:
    clients look for the action again after their restart, and could not report how it ended.
    """
    timed = action.type is ActionType.TIME_FORCED and action.force_time is not None
    due = timed and (action.force_time or 0) <= at
    until = action.force_time if timed and not due else None
    if not action.window_schedule or action.heard is not None:
        return Moment(action.type is ActionType.FORCED or due, True, True, until)
    is_open, turns = window
    if turns is not None:
        until = turns if until is None else min(until, turns)
    return Moment(
        action.type is ActionType.FORCED or due, is_open, is_open, until, None if is_open else turns
    )


def tag_of(action: Action, moment: Moment) -> int:
    """A number that changes when what an action says changes, whatever caches stand between."""
    said = f"{action.id}/{action.type}/{moment.forced}/{moment.open}"
    return zlib.crc32(said.encode()) & 0x7FFFFFFF


def is_canceling(action: Action) -> bool:
    """Whether a car is asked to stop it."""
    return action.status in (ActionStatus.CANCELING, ActionStatus.CANCELED)


def base(
    target: Target, action: Action | None, moment: Moment | None, sleep: str, links: Links
) -> ControllerBase:
    """What there is to do; ``action`` is the one that the car sees of its active ones."""
    found: dict[str, Link] = {}
    if action is not None and moment is not None:
        if is_canceling(action):
            found["cancelAction"] = Link(href=links.cancellation(action.id))
        elif moment.offered and action.status is ActionStatus.WAIT_FOR_CONFIRMATION:
            found["confirmationBase"] = Link(href=links.confirmation(action.id, tag_of(action, moment)))
        elif moment.offered:
            found["deploymentBase"] = Link(href=links.deployment(action.id, tag_of(action, moment)))
    if target.installed_action is not None:
        found["installedBase"] = Link(href=links.installed(target.installed_action))
    if target.attributes_requested:
        found["configData"] = Link(href=links.config_data)
    return ControllerBase(config=Config(polling=Polling(sleep=sleep)), links=found)


def first_base(sleep: str, links: Links) -> ControllerBase:
    """What a car is told that was not known before."""
    wanted = {"configData": Link(href=links.config_data)}
    return ControllerBase(config=Config(polling=Polling(sleep=sleep)), links=wanted)


def deployment(
    action: Action, moment: Moment, pieces: Sequence[Piece], history: Sequence[str], links: Links
) -> Deployment:
    """What a car is to install, or installed."""
    return Deployment(
        id=str(action.id),
        deployment=_details(action, moment, pieces, links),
        action_history=_history(action, history),
    )


def confirmation(
    action: Action, moment: Moment, pieces: Sequence[Piece], history: Sequence[str], links: Links
) -> ConfirmationDocument:
    """What waits for a car's confirmation."""
    return ConfirmationDocument(
        id=str(action.id),
        confirmation=_details(action, moment, pieces, links),
        action_history=_history(action, history),
    )


def cancellation(action: Action) -> CancelDocument:
    """A request to stop an action."""
    return CancelDocument(id=str(action.id), cancel_action=ToStop(stop_id=str(action.id)))


def confirmation_base(
    target: Target, action: Action | None, moment: Moment | None, links: Links
) -> ConfirmationBase:
    """How a car confirms, and what waits for it."""
    active = target.auto_confirm
    which = "deactivateAutoConfirm" if active else "activateAutoConfirm"
    found = {which: Link(href=links.auto_confirm(activate=not active))}
    if action is not None and moment is not None and action.status is ActionStatus.WAIT_FOR_CONFIRMATION:
        found["confirmationBase"] = Link(href=links.confirmation(action.id, tag_of(action, moment)))
    state = AutoConfirm(active=False)
    if active:
        state = AutoConfirm(
            active=True,
            initiator=target.auto_confirm_initiator or None,
            remark=target.auto_confirm_remark or None,
            activated_at=None if target.auto_confirm_at is None else target.auto_confirm_at // 1000,
        )
    return ConfirmationBase(auto_confirm=state, links=found)


def artifact(found: Artifact, links: Links) -> ArtifactDocument:
    """A file and where it is."""
    return ArtifactDocument(
        filename=found.filename,
        hashes=Hashes(sha1=found.sha1, md5=found.md5, sha256=found.sha256),
        size=found.size,
        links={name: Link(href=href) for name, href in links.artifact(found.module, found.filename).items()},
    )


def _details(action: Action, moment: Moment, pieces: Sequence[Piece], links: Links) -> DeploymentDetails:
    asked = "forced" if moment.forced else "attempt"
    download, update = asked, asked
    if action.type is ActionType.DOWNLOAD_ONLY:
        download, update = "forced", "skip"
    window = None
    if action.window_schedule:
        window = "available" if moment.open else "unavailable"
    return DeploymentDetails(
        download=download,
        update=update,
        maintenance_window=window,
        chunks=tuple(_chunk(piece, links) for piece in pieces),
    )


def _chunk(piece: Piece, links: Links) -> Chunk:
    module = piece.module
    return Chunk(
        part=_LEGACY.get(module.type, module.type),
        version=module.version,
        name=module.name,
        encrypted=True if module.encrypted else None,
        artifacts=tuple(artifact(found, links) for found in piece.artifacts),
        metadata=tuple(Metadata(key=key, value=value) for key, value in piece.metadata) or None,
    )


def _history(action: Action, messages: Sequence[str]) -> ActionHistory | None:
    return ActionHistory(status=action.status.name, messages=tuple(messages)) if messages else None
