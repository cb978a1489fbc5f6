"""What is reported at the door, in OpenAPI 3.1: derived from its routes and from what reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, structs

from driveaway.facts.health import CarHealth
from driveaway.facts.trips import OVERLAY, VSS
from driveaway.fleet.doors.rows import TripRow
from driveaway.launch.reports import Activation
from driveaway.web.device.reports import ARROW, BATCH_ID, LINES, ROUTES, Names, Route
from driveaway.web.http.encodings import CODINGS
from driveaway.web.http.media import Media
from driveaway.web.http.openapi import Content, Operation, Parameter

OF_TENANT: Final = "/{tenant}/fleet/v1/"
_Batch = Annotated[str, Meta(pattern=f"^{BATCH_ID}$")]
_Quoted = Annotated[str, Meta(pattern=f'^({BATCH_ID}|"{BATCH_ID}")$')]
_Coding = Annotated[str, Meta(extra_json_schema={"enum": list(CODINGS)})]
_KEY: Final = "Idempotency-Key"
PARAMETERS: Final = {
    "vin": Parameter(
        Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^\s/\\]+$")],
        "The car that reports of itself, by the id by which it polls; left out by a gateway, which reports"
        " for many.",
    ),
    "batch": Parameter(_Batch, f"Id of the batch, where it does not stand in {_KEY}."),
    "names": Parameter(Names, "How fields of rows in JSON are called: signals of VSS, or as they are here."),
    _KEY: Parameter(
        _Quoted,
        "Id of the batch, chosen by the sender and never given to other rows; as it is or quoted. It must"
        " stand here or in `batch`; where in both, alike.",
    ),
    "Content-Encoding": Parameter(_Coding, "What the body is packed with."),
}
"""What stands in queries and headers of reports."""
_SIGNALS: Final[dict[str, Any]] = {
    "start": Annotated[str, Meta(extra_json_schema={"format": "date-time"})],
    "duration_s": Annotated[float, Meta(ge=0, lt=2**40)],
    "level": Annotated[str, Meta(pattern="^SAE_[0-5](_DISENGAGING)?$")],
}
"""Columns whose signals are of another type than a row's field."""


def _signals() -> type[msgspec.Struct]:
    """A row under names of VSS."""
    columns = structs.fields(TripRow)
    kinds = {each.name: each.type for each in columns} | _SIGNALS
    required = {each.name for each in columns if each.required}
    names: dict[str, str] = {}
    fields: list[Any] = []
    for column in dict.fromkeys((*VSS, *OVERLAY)):
        found = [signals[column] for signals in (VSS, OVERLAY) if column in signals]
        needed = len(found) == 1 and column in required
        for signal in found:
            name = f"signal_{len(names)}"
            names[name] = signal
            fields.append((name, kinds[column]) if needed else (name, kinds[column] | None, None))
    fields += [("sent", kinds["sent"], None), ("simulated", kinds["simulated"], False)]
    return msgspec.defstruct(
        "Signals",
        fields,
        rename=names,
        kw_only=True,
        namespace={
            "__doc__": "A row under names of COVESA's VSS; other signals of the standard are passed over."
        },
    )


_ROWS: Final[dict[str, tuple[Any, ...]]] = {
    "trips": (TripRow, _signals()),
    "health": (CarHealth,),
    "functions": (Activation,),
}
"""What the rows of a body are: all of them one or the other."""
_LISTS: Final = {name: tuple(list[row] for row in rows) for name, rows in _ROWS.items()}  # type: ignore[valid-type]
_TAKES: Final = (
    "Rows, each judged by itself. In the types of NDJSON the list's rows stand one a line, without brackets"
    " and commas."
)
_ARROW: Final = (
    " An Arrow IPC stream has columns named as the fields of a row; its buffers are not compressed."
)


def _bodies(route: Route) -> Iterator[Content]:
    for media in route.media:
        if media in LINES:
            yield Content(_LISTS[route.name], (media,))
        elif media == ARROW:
            yield Content(None, (media,))
        else:
            yield Content((*_LISTS[route.name], *_ROWS[route.name]), (media,))


def _failures(route: Route) -> Iterator[int]:
    """Statuses of failures."""
    yield from (400, 401, 403, 404, 408, 413, 415, 429, 503)
    if route.keyed:
        yield 409


def _operation(route: Route) -> Operation:
    headers = (_KEY, "Content-Encoding") if route.keyed else ("Content-Encoding",)
    return Operation(
        "POST",
        OF_TENANT + route.name,
        "Reports",
        f"post_{route.name}",
        route.does,
        query=route.query,
        headers=headers,
        body=tuple(_bodies(route)),
        takes=_TAKES + (_ARROW if ARROW in route.media else ""),
        answers={200: Content(route.answer, (Media.JSON.value,))},
        failures=frozenset(_failures(route)),
    )


OPERATIONS: Final = tuple(_operation(route) for route in ROUTES)
"""Every route of reports."""
