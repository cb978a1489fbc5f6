"""The machine around the tests: what it said before they began, and a network that ends at it."""

from __future__ import annotations

import os
import sys
from typing import Any

MACHINE = dict(os.environ)
"""The environment before any test changed it."""

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# A proxy that nothing listens on: child processes and compiled libraries cannot get out either.
NOWHERE = "http://127.0.0.1:9"
_HERE = frozenset({"127.0.0.1", "::1", "localhost", "", "0.0.0.0", "::"})


class NetworkClosed(RuntimeError):
    """A test tried to reach another machine."""


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if isinstance(host, str) and host not in _HERE and not host.startswith("127."):
        raise NetworkClosed(f"{event} to {host}: tests reach nothing but this machine")


def close_network() -> None:
    """From now on this process connects to nothing but itself and its neighbours on loopback."""
    sys.addaudithook(_watch)
