"""One request on its way through the door."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from driveaway.updates.ddi.links import Links
from driveaway.updates.model import LAST_ACTION_ID
from driveaway.values.errors import BadValue, NotFound
from driveaway.web.device.cars import Car, Variant
from driveaway.web.http.bodies import Body
from driveaway.web.http.clients import Client
from driveaway.web.http.scope import Headers, Scope, Send

_LONGEST: Final = 256
_DECIMAL: Final = re.compile(r"[0-9]{1,19}")


class Request:
    """What was asked, by whom.

    Attributes:
        parts: of the path below the car, decoded.
        variant: how the document of a poll is to be written.
        car: None where nothing was shown that is remembered (anonymous downloads).
    """

    __slots__ = (
        "body",
        "car",
        "client",
        "controller_id",
        "headers",
        "links",
        "method",
        "parts",
        "scope",
        "send",
        "variant",
    )

    def __init__(self, scope: Scope, body: Body, send: Send, headers: Headers, client: Client) -> None:
        self.scope = scope
        self.body = body
        self.send = send
        self.headers = headers
        self.client = client
        self.method: str = scope["method"]
        self.controller_id = ""
        self.parts: tuple[str, ...] = ()
        self.links = Links(client.base, "", "")
        self.variant: Variant | None = None
        self.car: Car | None = None


def segments(raw_path: bytes) -> tuple[str, ...]:
    """The parts of a path, each decoded by itself.

    Raises:
        BadValue: not UTF-8, or with control characters.
    """
    parts: list[str] = []
    for raw in raw_path.partition(b"?")[0].split(b"/")[1:]:
        try:
            part = (unquote_to_bytes(raw) if b"%" in raw else raw).decode()
        except UnicodeDecodeError as error:
            raise BadValue("the path is not UTF-8", code="http.path", remedy="encode it as UTF-8") from error
        if not part.isprintable():
            raise BadValue("the path has control characters", code="http.path", remedy="leave them out")
        parts.append(part)
    return tuple(parts)


def controller_id(part: str) -> str:
    """A car's id as it stands in a path or query: up to 256 characters, no blanks, slashes or controls.

    Raises:
        BadValue: it is none.
    """
    if (
        not 0 < len(part) <= _LONGEST
        or not part.isprintable()
        or any(c in " /\\" for c in part)
        or part in (".", "..")
    ):
        raise BadValue(
            "not a controller id",
            code="ddi.controller_id",
            remedy="1 to 256 printable characters without blanks and slashes",
        )
    return part


def number(part: str, what: str) -> int:
    """An id in a path.

    Raises:
        BadValue: not a number.
        NotFound: no id is as large.
    """
    if not _DECIMAL.fullmatch(part):
        raise BadValue(f"the {what}'s id is a number", code="ddi.id", remedy="follow the links offered")
    value = int(part)
    if value > LAST_ACTION_ID:
        raise NotFound(f"there is no {what} {value}", code="ddi.id", remedy="follow the links offered")
    return value


def history_length(query: bytes) -> int:
    """``actionHistory`` of a query: how many messages, -1 for all, 0 where it does not stand.

    Raises:
        BadValue: not a number.
    """
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name == b"actionHistory":
            text = unquote_to_bytes(value).decode("latin-1")
            if not re.fullmatch(r"-?[0-9]{1,9}", text):
                raise BadValue(
                    "actionHistory is a number", code="ddi.action_history", remedy="give 0 or more"
                )
            return max(int(text), -1)
    return 0
