"""How the door for staff is set up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, NamedTuple

from driveaway.launch.accounts import Accounts
from driveaway.values.errors import BadValue, Refused
from driveaway.web.http.limits import Rate
from driveaway.web.http.listening import Tls
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
class ServeOptions:
    """How the server runs.

    Attributes:
        room: opens it, once in each worker process; must be importable by name.
        host: loopback unless another one is given.
        workers: processes.
        plain: HTTP without TLS on other than loopback, which otherwise only a trusted proxy may have.
        grace: seconds that requests have to end when the server is told to stop.
    """

    room: Callable[[], AbstractContextManager[Opened]]
    door: ManagementOptions = field(default_factory=ManagementOptions)
    host: str = "127.0.0.1"
    port: int = 8081
    workers: int = 1
    tls: Tls | None = None
    plain: bool = False
    grace: float = 30.0

    def check(self) -> None:
        """See that the server may listen so.

        Raises:
            BadValue: no address, or no number of workers.
            Refused: passwords would cross a network in the clear.
        """
        if self.workers < 1:
            raise BadValue("at least one worker", code="management.workers", remedy="give 1 or more")
        try:
            loopback = self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError as error:
            raise BadValue(
                f"{self.host!r} is no address to listen on",
                code="management.host",
                remedy="give an IP address",
            ) from error
        if not loopback and self.tls is None and not self.plain and not self.door.trusted_proxies:
            raise Refused(
                "beyond loopback passwords would be sent in the clear",
                code="management.plain_http",
                remedy="give a certificate and key, or the proxy that ends TLS, or allow plain HTTP",
            )
