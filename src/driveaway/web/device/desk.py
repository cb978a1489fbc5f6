"""What the door asks of the rooms behind it: what desk and reports of a launch offer, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from driveaway.updates.ddi import messages
from driveaway.updates.ddi.credentials import Credential
from driveaway.updates.ddi.links import Links
from driveaway.updates.ddi.polled import Polled
from driveaway.updates.model import Artifact

if TYPE_CHECKING:
    from driveaway.fleet.landing.batch import Landed


class Desk(Protocol):
    """The room: reads answer at once, from any thread; changes are done once their future is.

    Every method may raise a ``DriveawayError``, every future fail with one.
    """

    def authenticate(self, controller_id: str, credential: Credential, *, download: bool = False) -> bool:
        """Whether who shows this may speak for a car; ``download``: only fetch an artifact for it."""
        ...

    def base(self, controller_id: str, links: Links, address: str) -> Polled:
        """The document of a poll; a car that polls for the first time becomes known."""
        ...

    def seen(self, controller_id: str, address: str, at: int) -> None:
        """Take note of a poll; must cost next to nothing: it is called on every one."""
        ...

    def last_change(self) -> int:
        """The number of the latest change, to begin with."""
        ...

    def changed_since(self, seq: int) -> tuple[int, list[str]]:
        """The latest change, and the ids of the cars that changed since; ``EVERYONE`` means all."""
        ...

    def put_attributes(self, controller_id: str, data: messages.ConfigData) -> Future[None]:
        """Take what a car says of itself."""
        ...

    def deployment(self, controller_id: str, action_id: int, history: int, links: Links) -> Any:
        """What an action asks to be installed, with so many messages (-1: all)."""
        ...

    def feedback(self, controller_id: str, action_id: int, feedback: messages.ActionFeedback) -> Future[None]:
        """Take how far a car is with an action."""
        ...

    def cancellation(self, controller_id: str, action_id: int) -> Any:
        """What is to be stopped."""
        ...

    def cancel_feedback(
        self, controller_id: str, action_id: int, feedback: messages.ActionFeedback
    ) -> Future[None]:
        """Take whether a car stopped."""
        ...

    def installed(self, controller_id: str, action_id: int, history: int, links: Links) -> Any:
        """What an ended action asked to be installed, with so many messages (-1: all)."""
        ...

    def put_installed(self, controller_id: str, installed: messages.InstalledBase) -> Future[bool]:
        """Take what the car says it runs; whether that is new."""
        ...

    def confirmation_base(self, controller_id: str, links: Links) -> Any:
        """Whether a car confirms by itself, and what waits for it."""
        ...

    def confirmation(self, controller_id: str, action_id: int, links: Links, history: int = 0) -> Any:
        """What an action asks to be confirmed, with so many messages (-1: all)."""
        ...

    def confirm(
        self, controller_id: str, action_id: int, feedback: messages.ConfirmationFeedback
    ) -> Future[None]:
        """Take whether a car confirms."""
        ...

    def activate_auto_confirm(
        self, controller_id: str, request: messages.AutoConfirmRequest | None = None
    ) -> Future[None]:
        """Let a car confirm by itself from now on."""
        ...

    def deactivate_auto_confirm(self, controller_id: str) -> Future[None]:
        """Ask a car each time from now on."""
        ...

    def module_artifacts(self, controller_id: str, module_id: int, links: Links) -> Sequence[Any]:
        """The artifacts of a module that a car may have."""
        ...

    def artifact(self, controller_id: str, module_id: int, filename: str) -> tuple[Artifact, Path]:
        """An artifact that a car may have, and where its content is."""
        ...


class Reports(Protocol):
    """What takes in reports. Nothing is answered before it is on disk and in the book."""

    def trips(
        self, body: bytes, media: str, key: str, vin: str | None, names: str, received: int
    ) -> Future[Landed]:
        """Take a batch of trips of one car, or of many where ``vin`` is None; ``key`` is the sender's id."""
        ...

    def health(self, rows: Sequence[Any], vin: str | None) -> Future[Any]:
        """Take how cars did; what became of each row."""
        ...

    def functions(self, rows: Sequence[Any], vin: str | None) -> Any:
        """Take functions that cars switched on for the first time; what became of each row."""
        ...
