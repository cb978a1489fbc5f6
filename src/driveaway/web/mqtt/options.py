"""How the broker is reached, and how messages are taken together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from driveaway.values.errors import BadValue

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_VIN: Final = re.compile(r"[0-9A-HJ-NPR-Z]{17}")
_GROUP: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and who asks.

    Attributes:
        tls: over TLS, its certificate checked.
        authorities: who may have signed that certificate, in PEM; None: those that the system trusts.
        certificate, key: shown to a broker that asks for them, in PEM.
    """

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = None
    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def place(self) -> str:
        """Its URL, without secrets."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is read, and how much of it at once.

    Attributes:
        topics: filters; a ``+`` may stand where cars write their VIN.
        client_id: names the session that the broker keeps; no two readers have the same.
        share: group of readers that share the messages; None: this one reads all.
        names: of the fields in JSON.
        expiry: seconds that the broker keeps the session of a reader that is away.
        receive_maximum: messages that the broker may send before the first is acknowledged.
        flush_messages: messages that land together at the most.
        flush_bytes: likewise, bytes.
        flush_seconds: after which those that came land, also when more are coming.
        idle_seconds: after which they land when no further one came: the broker may wait for
            acknowledgements with fewer messages under way than would land together.
        largest: bytes of a message; one that is larger is put aside.
    """

    topics: tuple[str, ...] = ("driveaway/+/trips",)
    client_id: str = "driveaway-ingest"
    share: str | None = None
    names: Literal["trips", "vss"] = "trips"
    expiry: int = 14 * 86_400
    receive_maximum: int = 2_000
    flush_messages: int = 1_000
    flush_bytes: int = 8 << 20
    flush_seconds: float = 0.25
    idle_seconds: float = 0.005
    largest: int = 1 << 20

    def check(self) -> None:
        """See that it can be subscribed so.

        Raises:
            BadValue: a filter is none, or a name cannot be.
        """
        for topic in self.topics:
            levels = topic.split("/")
            odd = any(("#" in each or "+" in each) and len(each) > 1 for each in levels)
            if not topic or odd or "#" in levels[:-1] or topic.startswith("$") or "\0" in topic:
                raise BadValue(
                    f"{topic!r} is no topic filter",
                    code="mqtt.topic",
                    remedy="give one such as driveaway/+/trips",
                )
        if self.share is not None and not _GROUP.fullmatch(self.share):
            raise BadValue(
                f"{self.share!r} is no name of a group", code="mqtt.share", remedy="use letters and digits"
            )
        if not self.client_id or len(self.client_id.encode()) > 128:
            raise BadValue("a reader needs a name", code="mqtt.client_id", remedy="give 1 to 128 characters")

    @property
    def filters(self) -> tuple[str, ...]:
        """What is subscribed to."""
        if self.share is None:
            return self.topics
        return tuple(f"$share/{self.share}/{topic}" for topic in self.topics)


def read_broker(
    url: str,
    password: str | None = None,
    authorities: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> Broker:
    """A broker by its URL, ``mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]``.

    Raises:
        BadValue: it is none, or certificates are given to a connection without TLS.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad_url(url) from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise _bad_url(url)
    tls = parts.scheme == "mqtts"
    if not tls and (authorities or certificate or key):
        raise BadValue("certificates need mqtts://", code="mqtt.tls", remedy="begin the URL with mqtts://")
    if (certificate is None) != (key is None):
        raise BadValue("a certificate needs its key", code="mqtt.tls", remedy="give both, or neither")
    user = None if parts.username is None else unquote(parts.username)
    if password is None and parts.password is not None:
        password = unquote(parts.password)
    return Broker(
        parts.hostname, port or _PORTS[parts.scheme], tls, user, password, authorities, certificate, key
    )


def car_of(topic: str, filters: tuple[str, ...]) -> str | None:
    """The VIN that stands in a topic where its filter has a ``+``; None where none does.

    A broker's access list can hold a car to its own topic; so what comes by it can only be its own.
    """
    levels = topic.split("/")
    for each in filters:
        wanted = each.split("/")
        if len(wanted) == len(levels) or wanted[-1] == "#":
            pairs = list(zip(wanted, levels, strict=False))
            if all(want in ("+", "#") or want == level for want, level in pairs):
                for want, level in pairs:
                    if want == "+" and _VIN.fullmatch(level):
                        return level
    return None


def _bad_url(url: str) -> BadValue:
    return BadValue(
        f"{url.rpartition('@')[2]!r} is no broker's URL",
        code="mqtt.url",
        remedy="give mqtt://USER@HOST:PORT, or mqtts:// for TLS",
    )
