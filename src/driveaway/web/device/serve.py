"""The server for cars: one or several processes over one listening socket."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from typing import Any, Final

import uvicorn
from uvicorn.supervisors import Multiprocess

from driveaway.values.errors import BadValue, Unavailable
from driveaway.web.device.app import DeviceDoor
from driveaway.web.device.options import ServeOptions, Tls
from driveaway.web.http.protocol import DoorProtocol

Listening = Callable[[str, int], None]
_KEEP_ALIVE: Final = 20
"""Seconds that a connection may wait for its next request; between two polls lie minutes."""
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"


class Opening:
    """Opens the room and makes the application, in the process that serves."""

    def __init__(self, options: ServeOptions) -> None:
        self._options = options

    def __call__(self) -> DeviceDoor:
        """The application; it closes the room when the server stops."""
        opened = ExitStack()
        desk = opened.enter_context(self._options.desk())
        return DeviceDoor(desk, self._options.door, opened.close)


def serve(options: ServeOptions, listening: Listening | None = None) -> None:
    """Serve until told to stop (SIGTERM, SIGINT); requests under way are ended first.

    ``listening`` is told the address and the port, which matters where port 0 lets the system choose.

    Raises:
        BadValue: an option cannot be.
        Refused: cars' credentials would cross a network in the clear.
        Unavailable: the address is not free, or not this machine's.
    """
    options.check()
    _more_descriptors()
    with _bound(options) as listener:
        if listening is not None:
            name = listener.getsockname()
            listening(name[0], name[1])
        config = _config(options)
        with _stopping_quietly():
            if options.workers > 1:
                Multiprocess(config, [listener]).run()
            else:
                uvicorn.Server(config).run([listener])


@contextmanager
def _stopping_quietly() -> Iterator[None]:
    """Let the server end as a call that returns: when it is done it raises the signal that stopped it."""
    stopping = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: None) for number in stopping}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _config(options: ServeOptions) -> uvicorn.Config:
    return uvicorn.Config(
        Opening(options),
        factory=True,
        http=DoorProtocol,
        ws="none",
        interface="asgi3",
        lifespan="on",
        workers=options.workers,
        # Who asks is found out by the door itself, which trusts nobody unasked.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="error",
        backlog=options.backlog,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=round(options.grace),
        **_tls(options.tls),
    )


def _tls(tls: Tls | None) -> dict[str, Any]:
    if tls is None:
        return {}
    for file in (tls.certificate, tls.key, tls.authorities):
        if file is not None and not file.is_file():
            raise BadValue(
                f"{file} is no file", code="device.tls", remedy="give certificates and keys in PEM"
            )
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


def _bound(options: ServeOptions) -> socket.socket:
    host = "127.0.0.1" if options.host == "localhost" else options.host
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    try:
        return socket.create_server((host, options.port), family=family, backlog=options.backlog)
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {host} port {options.port}: {error.strerror}",
            code="device.listen",
            remedy="choose another port, or end what listens there",
        ) from error


def _more_descriptors() -> None:
    """As many open connections and files as the system allows this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
