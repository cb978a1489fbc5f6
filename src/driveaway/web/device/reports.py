"""What cars report: batches of trips, how they did, functions that they switched on."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from driveaway.values.errors import BadValue, NotFound, Unavailable
from driveaway.web.device.asking import Room
from driveaway.web.device.desk import Reports
from driveaway.web.device.guard import Guard
from driveaway.web.device.options import Limits
from driveaway.web.device.requests import Request, controller_id
from driveaway.web.http.answers import Response, document
from driveaway.web.http.encodings import unpacked
from driveaway.web.http.errors import HttpError
from driveaway.web.http.media import Media

_KEY: Final = re.compile(r"[A-Za-z0-9._~:/+=-]{1,120}")
_TRIPS: Final = frozenset({"vin", "batch", "names"})
_OTHERS: Final = frozenset({"vin"})
_LINES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_ARROW: Final = "application/vnd.apache.arrow.stream"
_NO_STORE: Final = ((b"cache-control", b"no-store"),)


class Space:
    """Bytes of bodies that may stand in memory at once."""

    def __init__(self, size: int) -> None:
        self._left = size

    def take(self, size: int) -> None:
        """Take some.

        Raises:
            Unavailable: there are not as many.
        """
        if size > self._left:
            raise Unavailable(
                "too much is being reported at once", code="web.busy", remedy="send the same batch again"
            )
        self._left -= size

    def give(self, size: int) -> None:
        """Give some back."""
        self._left += size


class ReportResources:
    """``trips``, ``health`` and ``functions`` below a tenant's ``fleet/v1``.

    With ``?vin=`` a car speaks of itself, and shows what it shows when it polls; without, a gateway speaks
    for many and shows the gateway's token.
    """

    def __init__(self, reports: Reports, room: Room, guard: Guard, limits: Limits) -> None:
        self._reports = reports
        self._room = room
        self._guard = guard
        self._limits = limits
        self._space = Space(limits.batches)

    async def answer(self, request: Request, parts: tuple[str, ...]) -> Response:
        """What is answered to a request.

        Raises:
            HttpError, DriveawayError: as it is answered.
        """
        if parts not in (("trips",), ("health",), ("functions",)):
            raise NotFound(
                "there is no such resource",
                code="http.unknown_path",
                remedy="report to trips, health or functions",
            )
        if request.method != "POST":
            raise HttpError(
                "reports are posted", code="http.method", remedy="use POST", headers=((b"allow", b"POST"),)
            )
        query = _query(request.scope["query_string"], _TRIPS if parts == ("trips",) else _OTHERS)
        vin = query.get("vin")
        request.controller_id = "" if vin is None else controller_id(vin)
        await self._guard.admit(request, download=False)
        self._guard.count(request, download=False)
        if parts == ("trips",):
            return await self._trips(request, query)
        rows = await self._rows(request)
        if parts == ("health",):
            landed = await self._room.take_in(self._reports.health, rows, vin)
            return _told(msgspec.to_builtins(landed))
        taken = await self._room.ask(self._reports.functions, rows, vin)
        return _told(msgspec.to_builtins(taken))

    async def _trips(self, request: Request, query: dict[str, str]) -> Response:
        key = _batch(request, query)
        names = query.get("names", "trips")
        if names not in ("trips", "vss"):
            raise BadValue("names are trips or vss", code="http.query", remedy="leave it out, or say vss")
        media = _media(request)
        if media not in _LINES and media != _ARROW:
            raise _unknown(f"send application/x-ndjson or {_ARROW}")
        encoding = request.headers.get(b"content-encoding")
        limit = self._limits.batch
        held = 0
        try:

            def hold(size: int) -> None:
                nonlocal held
                self._space.take(size)
                held += size

            body = await request.body.read(limit, self._limits.body_seconds, hold)
            if encoding is not None and encoding.strip().lower() != "identity":
                packed = len(body)
                # What it becomes is known only afterwards: the most is set aside while it is unpacked.
                hold(limit)
                body = await self._room.ask(unpacked, body, encoding, limit)
                given = limit - len(body) + packed
                self._space.give(given)
                held -= given
            landed = await self._room.take_in(
                self._reports.trips, body, media, key, query.get("vin"), names, time.time_ns() // 1000
            )
        finally:
            self._space.give(held)
        return _told(
            {
                "batch": key,
                "duplicate": landed.duplicate,
                "seq": landed.seq,
                "rows": landed.rows,
                "repeated": landed.repeated,
                "quarantined": dict(landed.quarantined),
                "reasons": [
                    {"row": each.row, "code": each.code, "reason": each.reason, "remedy": each.remedy}
                    for each in landed.reasons
                ],
            }
        )

    async def _rows(self, request: Request) -> Sequence[Any]:
        """The objects of a body: a JSON array, or one a line."""
        media = _media(request)
        if media not in _LINES and media != Media.JSON:
            raise _unknown("send application/json or application/x-ndjson")
        limit = self._limits.body
        body = await request.body.read(limit, self._limits.body_seconds)
        body = unpacked(body, request.headers.get(b"content-encoding"), limit)
        try:
            if media == Media.JSON:
                found = msgspec.json.decode(body)
                return found if isinstance(found, list) else [found]
            return msgspec.json.Decoder(Any).decode_lines(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadValue(
                "the body is not readable", code="http.body", remedy="send well-formed JSON"
            ) from error


def _query(text: bytes, known: frozenset[str]) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            text.decode("ascii"), keep_blank_values=True, strict_parsing=bool(text), errors="strict"
        )
    except ValueError as error:
        raise BadValue("the query is not readable", code="http.query", remedy="encode it as UTF-8") from error
    query = dict(pairs)
    if len(query) != len(pairs) or not query.keys() <= known:
        raise BadValue(
            "the query has a name that is not known, or one twice",
            code="http.query",
            remedy=f"give {', '.join(sorted(known))}, each once",
        )
    return query


def _batch(request: Request, query: dict[str, str]) -> str:
    """The batch's id: of the header Idempotency-Key, which may be quoted as its draft standard has it."""
    header = request.headers.get(b"idempotency-key")
    if b"idempotency-key" in request.headers.doubled:
        header = ""
    if header is not None and len(header) > 1 and header[0] == header[-1] == '"':
        header = header[1:-1]
    given = query.get("batch", header)
    if given is None or not _KEY.fullmatch(given) or (header is not None and header != given):
        raise BadValue(
            "a batch needs one id of its own",
            code="fleet.batch_id",
            remedy="send Idempotency-Key with up to 120 letters, digits and ._~:/+=-, such as a UUID, and the"
            " same one when the batch is sent again",
        )
    return given


def _media(request: Request) -> str:
    return (request.headers.get(b"content-type") or "").partition(";")[0].strip().lower()


def _unknown(remedy: str) -> HttpError:
    return HttpError("the body's media type is not known", code="http.media_type", remedy=remedy)


def _told(content: Any) -> Response:
    return document(content, Media.JSON, headers=_NO_STORE)
