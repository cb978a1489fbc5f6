"""The door in OpenAPI 3.1, derived from its routes: what they take, and all that they answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, TypedDict

from msgspec import Meta

from driveaway.web.http.media import Media
from driveaway.web.http.openapi import Content, Door, Operation, Parameter, describe
from driveaway.web.management.bodies import Number
from driveaway.web.management.calls import ROOT
from driveaway.web.management.documents import Failure
from driveaway.web.management.routing import Route

_WRITTEN: Final = (Media.HAL.value, Media.JSON.value)
_BYTES: Final = ("application/octet-stream", "multipart/byteranges")
_FORM: Final = ("multipart/form-data",)
_Name = Annotated[str, Meta(min_length=1)]


class UploadedFile(TypedDict, total=False):
    """A file, and what it is to be."""

    file: Annotated[str, Meta(extra_json_schema={"format": "binary"})]
    filename: str
    md5sum: str
    sha1sum: str
    sha256sum: str


def _number(of: str) -> Parameter:
    return Parameter(Number, f"Id of a {of}.")


_PARAMETERS: Final = {
    "target": Parameter(_Name, "Controller id of a target: a car's VIN, where the maker chose so."),
    "action": _number("action"),
    "module": _number("software module"),
    "artifact": _number("file"),
    "set": _number("distribution set"),
    "filter": _number("target filter"),
    "rollout": _number("rollout"),
    "group": _number("rollout's group"),
    "type": _number("type"),
    "module_type": _number("type of software modules"),
    "key": Parameter(_Name, "Key of a note or a setting."),
    "tag": Parameter(_Name, "Name of a tag."),
    "offset": Parameter(int, "Entries before the page; below 0 counts as 0."),
    "limit": Parameter(int, "Entries of the page, 1 to 500; usually 50. Beyond, it is brought within."),
    "sort": Parameter(str, "`field:ASC` or `field:DESC`, commas between."),
    "q": Parameter(str, "A filter in RSQL."),
    "representation": Parameter(str, "`full` adds details."),
    "offline": Parameter(bool, "The targets have it already: nothing is asked of them."),
    "force": Parameter(bool, "End what its target does not answer about."),
    "keepLast": Parameter(int, "How many of the latest actions stay."),
    "actionIds": Parameter(str, "Ids of ended actions, commas between."),
    "remark": Parameter(str, "Why: it stays with the decision."),
    "filename": Parameter(str, "Under which the file is kept."),
    "md5sum": Parameter(str, "What its MD5 must be."),
    "sha1sum": Parameter(str, "What its SHA-1 must be."),
    "sha256sum": Parameter(str, "What its SHA-256 must be."),
}
_TAGS: Final = {
    "actions": "Actions",
    "distributionsets": "Distribution sets",
    "distributionsettypes": "Distribution sets",
    "rollouts": "Rollouts",
    "softwaremodules": "Software modules",
    "softwaremoduletypes": "Software modules",
    "targetfilters": "Target filters",
    "targets": "Targets",
}
_ABOUT: Final = (
    "What the server for staff tools answers: the part of Eclipse hawkBit's Management API that its tools"
    " and fleets lean on. Times are milliseconds since 1970 UTC. Numbers and switches in bodies may stand in"
    " quotes; fields that are not known are passed over."
)


def description(routes: Sequence[Route]) -> dict[str, Any]:
    """The door with these routes."""
    return describe(
        Door(
            "Driveaway Management API",
            _ABOUT,
            [_operation(route) for route in routes],
            _PARAMETERS,
            Content(Failure, (Media.JSON.value,)),
            {"account": {"type": "http", "scheme": "basic"}},
        )
    )


def _operation(route: Route) -> Operation:
    return Operation(
        route.method,
        ROOT + route.path,
        _TAGS.get(route.path.split("/")[1], "Server"),
        _named(route),
        route.does,
        query=route.query,
        body=_body(route),
        optional=route.optional,
        answers=dict(_answers(route)),
        failures=frozenset(_failures(route)),
    )


def _named(route: Route) -> str:
    """``GET /targets/{target}/actions`` as ``get_targets_target_actions``."""
    words = route.path.replace("{", "").replace("}", "").replace(".", "_").split("/")
    return "_".join((route.method.lower(), *words[1:]))


def _body(route: Route) -> tuple[Content, ...]:
    if route.streamed == "upload":
        return (Content(UploadedFile, _FORM),)
    return () if route.body is None else (Content(route.body),)


def _answers(route: Route) -> Iterator[tuple[int, Content | None]]:
    if route.streamed == "download":
        yield from ((200, Content(None, _BYTES[:1])), (206, Content(None, _BYTES)), (304, None))
        return
    if route.answer is not None:
        yield route.status, Content(route.answer, _WRITTEN)
    if route.answer is None or route.perhaps:
        yield 204, None


def _failures(route: Route) -> Iterator[int]:
    """Statuses of failures: what any request may meet, and what only some can."""
    yield from (400, 401, 403, 404, 408, 413, 429, 503)
    if route.streamed == "download":
        yield from (412, 416)
        return
    yield 406
    if route.body is not None or route.streamed == "upload":
        yield 415
    if route.method != "GET":
        yield 409
        if "{action}" in route.path or route.path.endswith("/invalidate"):
            yield 405
        if route.path.endswith("/confirmation"):
            yield 410
        if route.path.startswith(("/softwaremodules", "/distributionsets")):
            yield 423
