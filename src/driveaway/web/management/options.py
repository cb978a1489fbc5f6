"""How the door for staff is set up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from driveaway.launch.accounts import Accounts
from driveaway.web.http.limits import Rate
from driveaway.web.http.listening import Listener
from driveaway.web.management.calls import Desk

_FAILURES: Final = Rate(0.5, 20)


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be asked of the server.

    Attributes:
        failures: logins of one address that may fail, before they are answered with 429.
        body: bytes of a request's body, files apart.
        body_seconds: within which it must be there.
        waiting: requests that wait for the room; more are answered with 503.
        logins: passwords that wait to be checked; each check costs some 80 ms.
        uploads: files that are received at once.
    """

    failures: Rate = _FAILURES
    body: int = 4 << 20
    body_seconds: float = 30.0
    waiting: int = 200
    logins: int = 20
    uploads: int = 4


@dataclass(frozen=True, slots=True)
class ManagementOptions:
    """How requests are answered.

    Attributes:
        public: the URL that documents point to; "" for the one that was asked.
        trusted_proxies: addresses or networks whose X-Forwarded-… headers count.
        threads: that ask the room.
    """

    public: str = ""
    trusted_proxies: tuple[str, ...] = ()
    threads: int = 4
    limits: Limits = field(default_factory=Limits)


class Opened(NamedTuple):
    """The room and the accounts of a server process."""

    desk: Desk
    accounts: Accounts


@dataclass(frozen=True, slots=True)
class ServeOptions(Listener):
    """How the server runs.

    Attributes:
        room: opens it, once in each worker process; must be importable by name.
        door: how requests are answered.
    """

    room: Callable[[], AbstractContextManager[Opened]]
    door: ManagementOptions = field(default_factory=ManagementOptions)
    port: int = field(default=8081, kw_only=True)

    def check(self) -> None:
        """See that the server may listen so; as ``Listener.check_place``."""
        self.check_place(self.door.trusted_proxies)
