"""A door asked as its own description says, or not quite: what it answers must be what it describes.

Requests are made by schemathesis from the description; each is sent over loopback to the real server.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CODE = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z0-9_]*)+")
FEW, MANY = 3, 150
"""Requests of each sort for each operation: in every run, and in a nightly one."""
LONGEST = 300
"""Characters of a text in a request."""
Operation = schemathesis.APIOperation
Answer = requests.Response


def closed(description: Mapping[str, Any], *, bodies: bool) -> dict[str, Any]:
    """The description with answers that have no field beyond those it names; the same of ``bodies``.

    Requests are then made of the fields that are known; open ones would be mostly of others.
    """
    found = copy.deepcopy(dict(description))
    sent = {name for name in found["components"]["schemas"] if _is_body(found, name)}
    for name, schema in found["components"]["schemas"].items():
        if "properties" in schema and (bodies or name not in sent):
            schema["additionalProperties"] = False
        if name in sent:
            _shorten(schema)
    return found


def _shorten(schema: Any) -> None:
    """Make texts of requests short: to make long ones takes seconds, and other tests send them."""
    if isinstance(schema, dict):
        if "maxLength" in schema:
            schema["maxLength"] = min(schema["maxLength"], LONGEST)
        for inner in schema.values():
            _shorten(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _shorten(inner)


def _is_body(description: Mapping[str, Any], name: str) -> bool:
    """Whether a schema is of a request, or within one."""
    waiting = [
        operation["requestBody"]
        for methods in description["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    ]
    seen: set[str] = set()
    while waiting:
        for reference in re.findall(r"#/components/schemas/(\w+)", str(waiting.pop())):
            if reference not in seen:
                seen.add(reference)
                waiting.append(description["components"]["schemas"][reference])
    return name in seen


@dataclass(frozen=True)
class Described:
    """A door's description: what is asked rightly is made by one, what is asked wrongly by the other."""

    right: schemathesis.BaseSchema
    wrong: schemathesis.BaseSchema

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> Described:
        return cls(
            schemathesis.openapi.from_dict(closed(description, bodies=True)),
            schemathesis.openapi.from_dict(closed(description, bodies=False)),
        )

    def labels(self) -> list[str]:
        """Every operation, as method and path."""
        return [each.ok().label for each in self.right.get_all_operations()]

    def operation(self, label: str) -> Operation:
        """One of them."""
        found = self.right.find_operation_by_label(label)
        assert found is not None
        return found

    def cases(
        self, label: str, names: Mapping[str, Any], media: str | None = None
    ) -> st.SearchStrategy[schemathesis.Case]:
        """Requests for an operation: right ones, wrong ones to what is there, and wrong ones to anything.

        Bodies are of the given type, else of JSON where the operation takes it.
        """
        there = dict(names)
        mode = schemathesis.GenerationMode
        wrong = self.wrong.find_operation_by_label(label)
        assert wrong is not None
        if media is None and "application/json" in _media(wrong):
            media = "application/json"
        made = [self.operation(label).as_strategy(mode.POSITIVE, path_parameters=there, media_type=media)]
        if wrong.body or wrong.query:
            made.append(wrong.as_strategy(mode.NEGATIVE, path_parameters=there, media_type=media))
        if there:
            made.append(wrong.as_strategy(mode.NEGATIVE, media_type=media))
        return st.one_of(made)


def _media(operation: Operation) -> set[str]:
    return {body.media_type for body in operation.body}


class Asker:
    """Sends requests and holds the answers against the description."""

    def __init__(self, url: str, authorization: str, headers: Sequence[str] = ()) -> None:
        """``headers``: those that are sent; what stands in others is for the tests of the protocol."""
        self.url = url
        self._headers = headers
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = authorization

    def close(self) -> None:
        self._session.close()

    def ask(self, case: schemathesis.Case) -> Answer:
        """The answer, which is as described; of a refusal with our own code and a message."""
        case.headers = {name: case.headers[name] for name in self._headers if name in case.headers}
        answer = case.call(base_url=self.url, session=self._session, timeout=30)
        case.validate_response(answer, checks=CHECKS)
        response: Answer = answer
        if response.status_code >= 400:
            said = response.json()
            assert CODE.fullmatch(said["code"]), said
            assert said["message"], said
        return response

    def get(self, url: str) -> Answer:
        """What stands at a URL that was given out."""
        return self._session.get(url, timeout=30)


def asked(
    described: Described,
    label: str,
    names: Mapping[str, Any],
    each: Callable[[Any], None],
    *,
    many: bool,
    media: str | None = None,
) -> None:
    """Do something for each of some requests: a few, always the same ones; or many, each time others."""

    @settings(
        max_examples=3 * (MANY if many else FEW),
        derandomize=not many,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described.cases(label, names, media))
    def run(case: schemathesis.Case) -> None:
        each(case)

    run()


def documents(content: Any) -> Iterator[dict[str, Any]]:
    """What an answer tells of, with a link to itself."""
    for each in content if isinstance(content, list) else [content]:
        if isinstance(each, dict) and "self" in each.get("_links", {}):
            yield each
