"""The door in OpenAPI 3.1, derived from its routes: what cars send, and all that they are answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, TypedDict

from msgspec import Meta

from driveaway.updates.model import LAST_ACTION_ID
from driveaway.web.device import reported
from driveaway.web.device.routes import ROUTES, Route
from driveaway.web.http.media import Media
from driveaway.web.http.openapi import Content, Door, Operation, Parameter, describe

_WRITTEN: Final = tuple(media.value for media in Media)
_READ: Final = (Media.JSON.value, Media.CBOR.value)
_BYTES: Final = ("application/octet-stream", "multipart/byteranges")
_ROOT: Final = "/{tenant}/controller/v1/{car}"
_Id = Annotated[int, Meta(ge=0, le=LAST_ACTION_ID)]
_Plain = Annotated[str, Meta(min_length=1)]


class Failure(TypedDict):
    """What went wrong: as hawkBit says it, and in ``code`` as Driveaway does."""

    errorCode: str
    code: str
    message: str


_PARAMETERS: Final = {
    "tenant": Parameter(_Plain, "DEFAULT, unless the server is told otherwise."),
    "car": Parameter(
        Annotated[str, Meta(min_length=1, max_length=256)],
        "Id by which a car polls: its VIN, where the maker chose so.",
    ),
    "action": Parameter(_Id, "Id of an action, from the links of a poll."),
    "module": Parameter(_Id, "Id of a software module, from the links of a deployment."),
    "filename": Parameter(_Plain, "Name of a file; with .MD5SUM after it, the line that md5sum -c checks."),
    "actionHistory": Parameter(int, "How many messages about the action are wanted, -1 for all."),
}
_ABOUT: Final = (
    "What the server for cars answers: version 1 of Eclipse hawkBit's Direct Device Integration API. A car"
    " polls its own path and follows the links that it is given. Bodies are JSON or CBOR; fields that are"
    " not known are passed over. Below `fleet/v1` cars report, and gateways for many cars: a car gives its"
    " `vin` and shows what it shows when it polls; a gateway gives none and shows the gateway's token."
)
_SCHEMES: Final = {
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`TargetToken …`, the car's own; `GatewayToken …` where that is allowed, and wherever"
        " no car is named.",
    },
    "certificate": {"type": "mutualTLS", "description": "A certificate that names the car."},
}


def description() -> dict[str, Any]:
    """The door."""
    return describe(
        Door(
            "Driveaway API for cars",
            _ABOUT,
            [*(_operation(route) for route in ROUTES), *reported.OPERATIONS],
            _PARAMETERS | reported.PARAMETERS,
            Content(Failure, _READ),
            _SCHEMES,
        )
    )


def _operation(route: Route) -> Operation:
    words = route.path.replace("{", "").replace("}", "").split("/")[1:] or ["poll"]
    return Operation(
        route.method,
        _ROOT + route.path,
        words[0] if words[0] != "poll" else "Poll",
        "_".join((route.method.lower(), *words)),
        route.does,
        query=route.query,
        body=() if route.body is None else (Content(route.body, _READ),),
        optional=route.optional,
        answers=dict(_answers(route)),
        failures=frozenset(_failures(route)),
    )


def _answers(route: Route) -> Iterator[tuple[int, Content | None]]:
    if route.download:
        yield 200, Content(None, (*_BYTES[:1], "text/plain"))
        yield 206, Content(None, _BYTES)
    else:
        yield 200, None if route.answer is None else Content(route.answer, _WRITTEN)
    if route.download or not route.path:
        yield 304, None
    if route.made:
        yield 201, None


def _failures(route: Route) -> Iterator[int]:
    """Statuses of failures: what any request may meet, and what only some can."""
    yield from (400, 401, 404, 429, 503)
    if route.download or not route.path:
        yield 412
    if route.download:
        yield 416
    elif route.answer is not None:
        yield 406
    if route.method != "GET":
        yield from (403, 408, 409, 410, 413)
    if route.body is not None:
        yield 415
