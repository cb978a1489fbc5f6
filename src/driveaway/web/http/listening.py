"""Listening: the socket, TLS, descriptors, signals, and uvicorn as every door has it."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import uvicorn
from uvicorn.supervisors import Multiprocess

from driveaway.values.errors import BadValue, Unavailable
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


def run(
    application: Callable[[], Any],
    host: str,
    port: int,
    listening: Listening | None = None,
    *,
    workers: int = 1,
    tls: Tls | None = None,
    backlog: int = 4096,
    grace: float = 30.0,
) -> None:
    """Serve until told to stop (SIGTERM, SIGINT); requests under way are ended first.

    Args:
        application: makes the ASGI application, in each process that serves.
        host: an IP address, or localhost.
        port: 0 lets the system choose.
        listening: told the address and the port.
        workers: processes.
        tls: how TLS is ended here; None: it is not.
        backlog: connections that wait to be accepted.
        grace: seconds that requests have to end.

    Raises:
        BadValue: a file of TLS is none.
        Unavailable: the address is not free, or not this machine's.
    """
    _more_descriptors()
    config = _config(application, workers, tls, backlog, grace)
    with _bound(host, port, backlog) as listener, _stopping_quietly() as stop:
        if listening is not None:
            name = listener.getsockname()
            listening(name[0], name[1])
        if workers > 1:
            supervisor = Multiprocess(config, [listener])
            if not stop.told:
                supervisor.run()
        else:
            stop.server = uvicorn.Server(config)
            stop.server.should_exit = stop.told
            stop.server.run([listener])


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


def _config(
    application: Callable[[], Any], workers: int, tls: Tls | None, backlog: int, grace: float
) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        factory=True,
        http=DoorProtocol,
        ws="none",
        interface="asgi3",
        lifespan="on",
        workers=workers,
        # Who asks is found out by the door itself, which trusts nobody unasked.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="error",
        backlog=backlog,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=round(grace),
        **_tls(tls),
    )


def _tls(tls: Tls | None) -> dict[str, Any]:
    if tls is None:
        return {}
    for file in (tls.certificate, tls.key, tls.authorities):
        if file is not None and not file.is_file():
            raise BadValue(f"{file} is no file", code="web.tls", remedy="give certificates and keys in PEM")
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
