"""What the door asks of the room behind it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from driveaway.updates.model import Artifact

Kind = Literal["target-token", "gateway-token", "certificate", "none"]


class Credential(msgspec.Struct, frozen=True):
    """What a car shows for itself.

    Attributes:
        kind: of credential.
        value: the token; of a certificate the controller id that it names; else "".
        authorities: hashes of a certificate's issuers, as ``openssl x509 -issuer_hash`` prints them.
    """

    kind: Kind
    value: str = ""
    authorities: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without the value: it may be a secret."""
        return f"Credential(kind={self.kind!r})"


class Links(msgspec.Struct, frozen=True):
    """Under which URLs a car finds what a document points to.

    Attributes:
        base: scheme, host and port by which the car reached this server.
        tenant, controller_id: as in the paths.
    """

    base: str
    tenant: str
    controller_id: str


class Polled(Protocol):
    """The document of a poll; ``valid_until`` in microseconds UTC, None: until something changes."""

    @property
    def document(self) -> Any:
        """What is answered."""
        ...

    @property
    def valid_until(self) -> int | None:
        """Until when it holds."""
        ...


class Desk(Protocol):
    """The room: reads answer at once, from any thread; changes are done once their future is.

    Every method may raise a ``DriveawayError``.
    """

    def authenticate(self, controller_id: str, credential: Any, *, download: bool = False) -> bool:
        """Whether who shows this may speak for a car; ``download``: only fetch an artifact for it."""
        ...

    def base(self, controller_id: str, links: Any, address: str) -> Polled:
        """The document of a poll; a car that polls for the first time becomes known."""
        ...

    def seen(self, controller_id: str, address: str, at: int) -> None:
        """Take note of a poll; must cost next to nothing: it is called on every one."""
        ...

    def last_change(self) -> int:
        """The number of the latest change, to begin with."""
        ...

    def changed_since(self, seq: int) -> tuple[int, list[str]]:
        """The latest change, and the ids of the cars that changed since; "" or "*" means all."""
        ...

    def put_attributes(self, controller_id: str, config: Any) -> Future[None]:
        """Take what a car says of itself."""
        ...

    def deployment(self, controller_id: str, action_id: int, history: int, links: Any) -> Any:
        """What an action asks to be installed, with so many messages (-1: all)."""
        ...

    def feedback(self, controller_id: str, action_id: int, feedback: Any) -> Future[None]:
        """Take how far a car is with an action."""
        ...

    def cancellation(self, controller_id: str, action_id: int) -> Any:
        """What is to be stopped."""
        ...

    def cancel_feedback(self, controller_id: str, action_id: int, feedback: Any) -> Future[None]:
        """Take whether a car stopped."""
        ...

    def installed(self, controller_id: str, action_id: int, history: int, links: Any) -> Any:
        """What an ended action asked to be installed, with so many messages (-1: all)."""
        ...

    def put_installed(self, controller_id: str, installed: Any) -> Future[bool]:
        """Take what the car says it runs; whether that is new."""
        ...

    def confirmation_base(self, controller_id: str, links: Any) -> Any:
        """Whether a car confirms by itself, and what waits for it."""
        ...

    def confirmation(self, controller_id: str, action_id: int, links: Any, history: int = 0) -> Any:
        """What an action asks to be confirmed."""
        ...

    def confirm(self, controller_id: str, action_id: int, feedback: Any) -> Future[None]:
        """Take whether a car confirms."""
        ...

    def activate_auto_confirm(self, controller_id: str, wish: Any) -> Future[None]:
        """Let a car confirm by itself from now on."""
        ...

    def deactivate_auto_confirm(self, controller_id: str) -> Future[None]:
        """Ask a car each time from now on."""
        ...

    def module_artifacts(self, controller_id: str, module_id: int, links: Any) -> Sequence[Any]:
        """The artifacts of a module that a car may have."""
        ...

    def artifact(self, controller_id: str, module_id: int, filename: str) -> tuple[Artifact, Path]:
        """An artifact that a car may have, and where its content is."""
        ...


class Language(NamedTuple):
    """The classes in which the room is spoken to: how its messages are read, how its arguments are made."""

    config_data: type[Any]
    action_feedback: type[Any]
    confirmation_feedback: type[Any]
    auto_confirm: type[Any]
    installed_base: type[Any]
    credential: type[Any] = Credential
    links: type[Any] = Links
