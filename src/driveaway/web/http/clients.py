"""Who asks, and under which address: what proxies say counts only where the proxy is trusted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from driveaway.values.errors import BadValue
from driveaway.web.http.errors import HttpError
from driveaway.web.http.scope import Headers, Scope

Network = IPv4Network | IPv6Network
# A registered name, an IPv4 address or an IPv6 one in brackets; then perhaps a port (RFC 3986 §3.2.2).
_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class Client(NamedTuple):
    """Who asks: the address, the URL by which it reached this server, and whether a trusted proxy says so."""

    address: str
    base: str
    through_proxy: bool


class TrustedProxies:
    """Addresses whose word counts on whom they speak for."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """``networks`` as addresses or in CIDR notation.

        Raises:
            BadValue: not an address.
        """
        try:
            self._networks = tuple(ip_network(text, strict=False) for text in networks)
        except ValueError as error:
            raise BadValue(
                str(error), code="web.trusted_proxies", remedy="give addresses such as 10.0.0.0/8"
            ) from error
        self.trusts = lru_cache(maxsize=4096)(self._trusts)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def _trusts(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks if network.version == address.version)

    def client(self, scope: Scope, headers: Headers, public: str = "") -> Client:
        """Who asks.

        The address is the last one in X-Forwarded-For that is not itself a trusted proxy's: what stands
        before it was written by who knows whom. ``public`` is the URL to answer with whatever was asked.

        Raises:
            HttpError: no usable Host (RFC 9112 §3.2).
        """
        peer = scope.get("client")
        address = str(peer[0]) if peer else ""
        scheme, host = str(scope.get("scheme", "http")), headers.get(b"host")
        trusted = bool(self._networks) and self.trusts(address)
        if trusted:
            address = self._forwarded(address, headers.get(b"x-forwarded-for"))
            said = _last(headers.get(b"x-forwarded-proto"))
            if said in ("http", "https"):
                scheme = said
            host = _last(headers.get(b"x-forwarded-host")) or host
            port = _last(headers.get(b"x-forwarded-port"))
            if host and port.isdecimal() and ":" not in host.rpartition("]")[2]:
                host = host if port == {"http": "80", "https": "443"}[scheme] else f"{host}:{port}"
        if public:
            return Client(address, public, trusted)
        if host is None and scope.get("http_version") == "1.0" and scope.get("server"):
            host = "{}:{}".format(*scope["server"])
        if host is None or not usable_host(host) or b"host" in headers.doubled:
            raise HttpError("the request names no usable host", code="http.host")
        return Client(address, f"{scheme}://{host}", trusted)

    def _forwarded(self, peer: str, chain: str | None) -> str:
        if not chain:
            return peer
        found = peer
        for part in reversed(chain.split(",")):
            text = _address(part.strip())
            if text is None:
                return found
            found = text
            if not self.trusts(text):
                return found
        return found


@lru_cache(maxsize=4096)
def subscriber(address: str) -> str:
    """What one subscriber has: an IPv4 address, of IPv6 a /64, within which it can choose freely."""
    if ":" not in address:
        return address
    try:
        found = IPv6Address(address)
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> 64 << 64)}/64"


def usable_host(text: str) -> bool:
    """Whether a Host is one that URLs can be made of."""
    return _HOST.fullmatch(text) is not None


def _address(text: str) -> str | None:
    """The address of a member of X-Forwarded-For, which may carry a port; None where it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def _last(text: str | None) -> str:
    """The member that the nearest proxy wrote."""
    parts: Sequence[str] = (text or "").split(",")
    return parts[-1].strip().lower() if parts else ""
