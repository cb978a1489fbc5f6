"""How the door is set up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from driveaway.web.device.desk import Desk, Reports
from driveaway.web.http.limits import Rate
from driveaway.web.http.listening import Listener
from driveaway.web.http.listening import Tls as Tls

_CAR: Final = Rate(100, 300)
_DOWNLOADS: Final = Rate(2000, 2000)
_FAILURES: Final = Rate(10, 100)
_CHECKS: Final = Rate(50, 50)
_GATEWAY: Final = Rate(2000, 2000)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one car, or one address, may ask of the server.

    Attributes:
        car: requests of a car that has shown who it is, whatever address it comes from.
        downloads: requests of such a car for artifacts.
        failures: failed authentications of one address, before they are answered with 429.
        checks: what is still looked up for an address beyond that, for cars that this process does not know.
        gateway: batches that gateways of one address report.
        body: bytes of a request's body.
        batch: bytes of a batch of trips, as sent and as unpacked.
        batches: bytes of such batches that may stand in memory at once; more are answered with 503.
        body_seconds: within which it must be there.
        waiting: requests that wait for the room; more are answered with 503.
    """

    car: Rate = _CAR
    downloads: Rate = _DOWNLOADS
    failures: Rate = _FAILURES
    checks: Rate = _CHECKS
    gateway: Rate = _GATEWAY
    body: int = 1 << 20
    batch: int = 8 << 20
    batches: int = 48 << 20
    body_seconds: float = 30.0
    waiting: int = 2000


@dataclass(frozen=True, slots=True)
class DoorOptions:
    """How requests are answered.

    Attributes:
        tenant: the first part of every path.
        public: the URL that documents point to; "" for the one that was asked.
        trusted_proxies: addresses or networks whose X-Forwarded-… and certificate headers count.
        controller_header, authority_header: of a proxy that ends mutual TLS; the latter also with -0, -1, …
        tuf: folder with ``metadata`` and ``targets`` of a TUF repository.
        changes_every: seconds between two looks for changes.
        stale_after: seconds without such a look after which nothing remembered is used.
        threads: that ask the room.
    """

    tenant: str = "DEFAULT"
    public: str = ""
    trusted_proxies: tuple[str, ...] = ()
    controller_header: str = "X-Controller-Id"
    authority_header: str = "X-Authority"
    tuf: Path | None = None
    changes_every: float = 0.05
    stale_after: float = 10.0
    threads: int = 4
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class ServeOptions(Listener):
    """How the server runs.

    Attributes:
        desk: opens the room, once in each worker process; must be importable by name.
        door: how requests are answered.
        reports: opens what takes in reports, likewise; None: nothing is reported here.
    """

    desk: Callable[[], AbstractContextManager[Desk]]
    door: DoorOptions = field(default_factory=DoorOptions)
    reports: Callable[[], AbstractContextManager[Reports]] | None = None

    def check(self) -> None:
        """See that the server may listen so; as ``Listener.check_place``."""
        self.check_place(self.door.trusted_proxies)
