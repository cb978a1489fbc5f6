"""Listening: the socket, TLS, descriptors, signals, and uvicorn as every door has it."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import uvicorn
from uvicorn.supervisors import Multiprocess

from driveaway.values.errors import BadValue, Refused, Unavailable
from driveaway.web.http.protocol import DoorProtocol

Listening = Callable[[str, int], None]
"""Told the address and the port, which matters where port 0 lets the system choose."""
_KEEP_ALIVE: Final = 20
"""Seconds that a connection may wait for its next request; between two polls lie minutes."""
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True)
class Tls:
    """Direct TLS: the server's certificate and key, and who may sign the clients' certificates.

    With ``authorities`` a client may show a certificate, and must where ``required``.
    """

    certificate: Path
    key: Path
    authorities: Path | None = None
    required: bool = False

    def check(self) -> None:
        """See that its files are there.

        Raises:
            BadValue: one is none.
        """
        for file in (self.certificate, self.key, self.authorities):
            if file is not None and not file.is_file():
                raise BadValue(
                    f"{file} is no file", code="web.tls", remedy="give certificates and keys in PEM"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where and how a server listens, whatever its door.

    Attributes:
        host: an IP address, or localhost; loopback unless another one is given.
        port: 0 lets the system choose.
        workers: processes; each remembers for itself.
        tls: how TLS is ended here; None: it is not.
        plain: HTTP without TLS on other than loopback, which otherwise only a trusted proxy may have.
        backlog: connections that wait to be accepted.
        grace: seconds that requests have to end when the server is told to stop.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    tls: Tls | None = None
    plain: bool = False
    backlog: int = 4096
    grace: float = 30.0

    def check_place(self, trusted_proxies: Sequence[str]) -> None:
        """See that the server may listen so, behind these proxies.

        Raises:
            BadValue: no address, no number of workers, or a file of TLS that is none.
            Refused: credentials would cross a network in the clear.
        """
        if self.workers < 1:
            raise BadValue("at least one worker", code="web.workers", remedy="give 1 or more")
        try:
            loopback = self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError as error:
            raise BadValue(
                f"{self.host!r} is no address to listen on", code="web.host", remedy="give an IP address"
            ) from error
        if not loopback and self.tls is None and not self.plain and not trusted_proxies:
            raise Refused(
                "beyond loopback credentials would be sent in the clear",
                code="web.plain_http",
                remedy="give a certificate and key, or the proxy that ends TLS, or allow plain HTTP",
            )
        if self.tls is not None:
            self.tls.check()


def run(application: Callable[[], Any], listener: Listener, listening: Listening | None = None) -> None:
    """Serve until told to stop (SIGTERM, SIGINT); requests under way are ended first.

    Args:
        application: makes the ASGI application, in each process that serves.
        listener: where and how, checked.
        listening: told the address and the port.

    Raises:
        Unavailable: the address is not free, or not this machine's.
    """
    _more_descriptors()
    config = _config(application, listener)
    with _bound(listener.host, listener.port, listener.backlog) as bound, _stopping_quietly() as stop:
        if listening is not None:
            name = bound.getsockname()
            listening(name[0], name[1])
        if listener.workers > 1:
            supervisor = Multiprocess(config, [bound])
            if not stop.told:
                supervisor.run()
        else:
            stop.server = uvicorn.Server(config)
            stop.server.should_exit = stop.told
            stop.server.run([bound])


class _Stop:
    """What SIGTERM and SIGINT do while the server does not mind them itself.

    Before it does, they are kept for it: it would else never hear of one that comes while it starts.
    """

    def __init__(self) -> None:
        self.told = False
        self.server: uvicorn.Server | None = None

    def __call__(self, *_: object) -> None:
        self.told = True
        if self.server is not None:
            self.server.should_exit = True


@contextmanager
def _stopping_quietly() -> Iterator[_Stop]:
    """Let the server end as a call that returns: when it is done it raises the signal that stopped it."""
    stop = _Stop()
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _config(application: Callable[[], Any], listener: Listener) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        factory=True,
        http=DoorProtocol,
        ws="none",
        interface="asgi3",
        lifespan="on",
        workers=listener.workers,
        # Who asks is found out by the door itself, which trusts nobody unasked.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="error",
        backlog=listener.backlog,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=round(listener.grace),
        **_tls(listener.tls),
    )


def _tls(tls: Tls | None) -> dict[str, Any]:
    if tls is None:
        return {}
    if tls.authorities is None:
        asks = ssl.CERT_NONE
    else:
        asks = ssl.CERT_REQUIRED if tls.required else ssl.CERT_OPTIONAL
    return {
        "ssl_certfile": tls.certificate,
        "ssl_keyfile": tls.key,
        "ssl_ca_certs": None if tls.authorities is None else str(tls.authorities),
        "ssl_cert_reqs": asks,
        "ssl_ciphers": _CIPHERS,
    }


def _bound(host: str, port: int, backlog: int) -> socket.socket:
    address = "127.0.0.1" if host == "localhost" else host
    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family, backlog=backlog)
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {address} port {port}: {error.strerror}",
            code="web.listen",
            remedy="choose another port, or end what listens there",
        ) from error


def _more_descriptors() -> None:
    """As many open connections and files as the system allows this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
