"""What cars report: batches of trips, how they did, functions that they switched on."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args
from urllib.parse import parse_qsl

import msgspec

from driveaway.updates.health import RowsTaken
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

BATCH_ID: Final = r"[A-Za-z0-9._~:/+=-]{1,120}"
Names = Literal["trips", "vss"]
LINES: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")
ARROW: Final = "application/vnd.apache.arrow.stream"
_NO_STORE: Final = ((b"cache-control", b"no-store"),)
_Query = dict[str, str]


class RowPutAside(msgspec.Struct, frozen=True):
    """A row that is in the quarantine: its number in the batch, from 0, why, and what to do about it."""

    row: int
    code: str
    reason: str
    remedy: str


class BatchTaken(msgspec.Struct, frozen=True):
    """What became of a batch of trips.

    Attributes:
        batch: its id.
        duplicate: it was there already; nothing was added.
        seq: of its fact.
        rows: accepted.
        repeated: rows that were there already with the same content.
        quarantined: rows put aside, by code.
        reasons: of the first hundred of them.
    """

    batch: str
    duplicate: bool
    seq: int
    rows: int
    repeated: int
    quarantined: Mapping[str, int]
    reasons: tuple[RowPutAside, ...]


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
        route = _BY_NAME.get(parts[0]) if len(parts) == 1 else None
        if route is None:
            raise NotFound(
                "there is no such resource",
                code="http.unknown_path",
                remedy="report to trips, health or functions",
            )
        if request.method != "POST":
            raise HttpError(
                "reports are posted", code="http.method", remedy="use POST", headers=((b"allow", b"POST"),)
            )
        query = _query(request.scope["query_string"], route.query)
        vin = query.get("vin")
        request.controller_id = "" if vin is None else controller_id(vin)
        await self._guard.admit(request, download=False)
        self._guard.count(request, download=False)
        media = _media(request, route.media)
        return document(await route.handler(self, request, query, media), Media.JSON, headers=_NO_STORE)

    async def trips(self, request: Request, query: _Query, media: str) -> BatchTaken:
        """Take a batch of trips; one that is sent again with the same id adds nothing."""
        key = _batch(request, query)
        names = query.get("names", "trips")
        if names not in get_args(Names):
            raise BadValue("names are trips or vss", code="http.query", remedy="leave it out, or say vss")
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
        return BatchTaken(
            key,
            landed.duplicate,
            landed.seq,
            landed.rows,
            landed.repeated,
            landed.quarantined,
            tuple(RowPutAside(each.row, each.code, each.reason, each.remedy) for each in landed.reasons),
        )

    async def health(self, request: Request, query: _Query, media: str) -> RowsTaken:
        """Take how cars did with a release, each row once."""
        rows = await self._rows(request, media)
        return await self._room.take_in(self._reports.health, rows, query.get("vin"))

    async def functions(self, request: Request, query: _Query, media: str) -> RowsTaken:
        """Take functions that cars switched on for the first time, each once."""
        rows = await self._rows(request, media)
        return await self._room.ask(self._reports.functions, rows, query.get("vin"))

    async def _rows(self, request: Request, media: str) -> Sequence[Any]:
        """The objects of a body: a JSON array, or one a line."""
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


@dataclass(frozen=True, slots=True)
class Route:
    """One name below a tenant's ``fleet/v1``, to which is posted.

    Attributes:
        name: the last part of its path.
        handler: does it: takes the request, its query and the body's media type.
        answer: what success is answered with.
        media: types that a body can have, the preferred one first.
        query: what may stand in the query.
        keyed: a report has an id of its own, which is never given to another (409).
    """

    name: str
    handler: Callable[[ReportResources, Request, _Query, str], Awaitable[Any]]
    answer: Any
    media: tuple[str, ...]
    query: tuple[str, ...] = ("vin",)
    keyed: bool = False

    @property
    def does(self) -> str:
        """What it does, in a sentence."""
        return (self.handler.__doc__ or "").partition("\n")[0]


_ROWS: Final = (Media.JSON.value, *LINES)
ROUTES: Final = (
    Route("trips", ReportResources.trips, BatchTaken, (*LINES, ARROW), ("vin", "batch", "names"), keyed=True),
    Route("health", ReportResources.health, RowsTaken, _ROWS),
    Route("functions", ReportResources.functions, RowsTaken, _ROWS),
)
_BY_NAME: Final = {route.name: route for route in ROUTES}


def _query(text: bytes, known: Sequence[str]) -> _Query:
    try:
        pairs = parse_qsl(
            text.decode("ascii"), keep_blank_values=True, strict_parsing=bool(text), errors="strict"
        )
    except ValueError as error:
        raise BadValue("the query is not readable", code="http.query", remedy="encode it as UTF-8") from error
    query = dict(pairs)
    if len(query) != len(pairs) or not query.keys() <= set(known):
        raise BadValue(
            "the query has a name that is not known, or one twice",
            code="http.query",
            remedy=f"give {', '.join(sorted(known))}, each once",
        )
    return query


def _batch(request: Request, query: _Query) -> str:
    """The batch's id: of the header Idempotency-Key, which may be quoted as its draft standard has it."""
    header = request.headers.get(b"idempotency-key")
    if b"idempotency-key" in request.headers.doubled:
        header = ""
    if header is not None and len(header) > 1 and header[0] == header[-1] == '"':
        header = header[1:-1]
    given = query.get("batch", header)
    if given is None or not re.fullmatch(BATCH_ID, given) or (header is not None and header != given):
        raise BadValue(
            "a batch needs one id of its own",
            code="fleet.batch_id",
            remedy="send Idempotency-Key with up to 120 letters, digits and ._~:/+=-, such as a UUID, and the"
            " same one when the batch is sent again",
        )
    return given


def _media(request: Request, known: Sequence[str]) -> str:
    given = (request.headers.get(b"content-type") or "").partition(";")[0].strip().lower()
    if given not in known:
        raise HttpError(
            "the body's media type is not known",
            code="http.media_type",
            remedy=f"send {known[0]} or {known[-1]}",
        )
    return given
