"""A door's description in OpenAPI 3.1, from what the door itself answers by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import msgspec

_REFERENCE: Final = "#/components/schemas/{name}"
_PHRASES: Final = {413: "Content Too Large", 416: "Range Not Satisfiable"}
"""As RFC 9110 has them; Python's own changed between its versions."""
_NAMED: Final = re.compile(r"\{(\w+)\}")
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """What a body or an answer is.

    Attributes:
        kind: its type, or several of which it is one; the JSON Schema is that of msgspec. None: bytes.
        media: the types that it can be written in.
    """

    kind: Any
    media: tuple[str, ...] = ("application/json",)


@dataclass(frozen=True, slots=True)
class Parameter:
    """What may stand in a query or a header, or at a name of a path; ``kind`` is its type."""

    kind: Any
    means: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A resource and method.

    Attributes:
        method: as HTTP writes it.
        path: with names in braces.
        tag: under which it is listed.
        name: unique in the door; generated clients call it so.
        does: in a sentence.
        query: names of what may stand in the query.
        headers: names of headers that it reads, beside those that OpenAPI has places of their own for.
        body: what it takes, in one form or another; none: nothing.
        takes: what is to be said of the body beside.
        optional: whether the body may be left out.
        answers: what success is answered with, by status; None: without a body.
        failures: statuses that are answered with an error's document.
    """

    method: str
    path: str
    tag: str
    name: str
    does: str
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    body: tuple[Content, ...] = ()
    takes: str = ""
    optional: bool = False
    answers: Mapping[int, Content | None] = field(default_factory=dict)
    failures: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Door:
    """What is common to all operations of a door.

    Attributes:
        title: of the description.
        about: what it is for.
        operations: in the order in which they are listed.
        parameters: what names in paths, queries and headers mean.
        error: what a failure is answered with.
        schemes: how who asks shows who it is, as OpenAPI writes it; each alone is enough.
    """

    title: str
    about: str
    operations: Sequence[Operation]
    parameters: Mapping[str, Parameter]
    error: Content
    schemes: Mapping[str, Schema]


def describe(door: Door) -> Schema:
    """The description of a door (OpenAPI Specification 3.1.0)."""
    kinds = _Kinds(door)
    failures = sorted({status for each in door.operations for status in each.failures})
    paths: dict[str, Schema] = {}
    for operation in door.operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, kinds)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": door.title,
            # Of the interface, which its paths name; Driveaway's own does not change it.
            "version": "1",
            "description": door.about,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": tag} for tag in dict.fromkeys(each.tag for each in door.operations)],
        "security": [{name: []} for name in door.schemes],
        "paths": paths,
        "components": {
            "schemas": kinds.components,
            "responses": {
                _failed(status): {"description": _phrase(status), "content": kinds.content(door.error)}
                for status in failures
            },
            "securitySchemes": dict(door.schemes),
        },
    }


class _Kinds:
    """Schemas of all types of a door, made together, so that each stands once."""

    def __init__(self, door: Door) -> None:
        kinds = [parameter.kind for parameter in door.parameters.values()]
        for operation in door.operations:
            contents = (*operation.body, *operation.answers.values())
            kinds += [kind for content in contents if content is not None for kind in _kinds(content)]
        kinds += _kinds(door.error)
        schemas, self.components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
        # Types need not be hashable (tuple[Annotated[…], …] is not), so they are told by identity.
        self._schemas = {id(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
        self.door = door

    def content(self, content: Content) -> Schema:
        """A body as OpenAPI writes it."""
        schemas = [self._schemas[id(kind)] for kind in _kinds(content)]
        schema = {"anyOf": schemas} if len(schemas) > 1 else schemas[0] if schemas else {}
        return {media: {"schema": schema} if schema else {} for media in content.media}

    def parameter(self, name: str, place: str) -> Schema:
        """A parameter as OpenAPI writes it."""
        found = self.door.parameters[name]
        return {
            "name": name,
            "in": place,
            "required": place == "path",
            "description": found.means,
            "schema": self._schemas[id(found.kind)],
        }


def _kinds(content: Content) -> tuple[Any, ...]:
    if isinstance(content.kind, tuple):
        return content.kind
    return () if content.kind is None else (content.kind,)


def _operation(operation: Operation, kinds: _Kinds) -> Schema:
    parameters = [kinds.parameter(name, "path") for name in _NAMED.findall(operation.path)]
    parameters += [kinds.parameter(name, "query") for name in operation.query]
    parameters += [kinds.parameter(name, "header") for name in operation.headers]
    answers = {
        str(status): {"description": _phrase(status)}
        | ({} if content is None else {"content": kinds.content(content)})
        for status, content in operation.answers.items()
    }
    failures = {
        str(status): {"$ref": f"#/components/responses/{_failed(status)}"}
        for status in sorted(operation.failures)
    }
    found: Schema = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.does.replace("``", "`"),
        "responses": answers | failures,
    }
    if parameters:
        found["parameters"] = parameters
    if operation.body:
        found["requestBody"] = {
            **({"description": operation.takes} if operation.takes else {}),
            "required": not operation.optional,
            "content": {
                media: said for content in operation.body for media, said in kinds.content(content).items()
            },
        }
    return found


def _failed(status: int) -> str:
    return "".join(word.capitalize() for word in _phrase(status).split())


def _phrase(status: int) -> str:
    return _PHRASES.get(status) or HTTPStatus(status).phrase
