"""What a resource of the door is, and which one a path names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from driveaway.values.errors import NotFound
from driveaway.web.http.errors import HttpError
from driveaway.web.management.calls import ROOT, Call, Said

Permission = Literal["view", "operate", "publish", "approve", "administer"]
Streamed = Literal["", "upload", "download"]


@dataclass(frozen=True, slots=True)
class Route:
    """One resource and method.

    Attributes:
        method: GET answers HEAD too.
        path: below ``/rest/v1``; names in braces.
        permission: what the account must be allowed.
        handler: does it.
        answer: what success is answered with; None: nothing (204).
        body: what the body must be; None: there is none.
        query: what may stand in the query.
        status: of success with an answer.
        perhaps: success may have nothing to answer (204).
        streamed: whether a file comes or goes, which the handler does not see.
        optional: whether the body may be left out.
        said: what it does, in a sentence; "" where the handler says it.
    """

    method: str
    path: str
    permission: Permission
    handler: Callable[[Call], Said]
    answer: Any = None
    body: Any = None
    query: tuple[str, ...] = ()
    status: int = 200
    perhaps: bool = False
    streamed: Streamed = ""
    optional: bool = False
    said: str = ""

    @property
    def does(self) -> str:
        """What it does, in a sentence."""
        return self.said or (self.handler.__doc__ or "").partition("\n")[0]


class Table:
    """Routes, found by path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_size: dict[int, dict[tuple[str, ...], dict[str, Route]]] = {}
        for route in routes:
            parts = tuple((ROOT + route.path).split("/")[1:])
            self._by_size.setdefault(len(parts), {}).setdefault(parts, {})[route.method] = route

    def find(self, method: str, parts: tuple[str, ...]) -> tuple[Route, dict[str, str]]:
        """The route of a request, and what stands at its names.

        Raises:
            NotFound: there is nothing at this path.
            HttpError: it has no such method (405).
        """
        for pattern, methods in self._by_size.get(len(parts), {}).items():
            names = _matched(pattern, parts)
            if names is None:
                continue
            route = methods.get("GET" if method == "HEAD" else method)
            if route is None:
                allowed = ", ".join(["GET, HEAD" if name == "GET" else name for name in methods])
                raise HttpError(
                    "the resource has no such method",
                    code="http.method",
                    remedy=f"use {allowed}",
                    headers=((b"allow", allowed.encode()),),
                )
            return route, names
        raise NotFound(
            "there is nothing at this path",
            code="http.unknown_path",
            remedy="see the reference of the Management API",
        )


def _matched(pattern: tuple[str, ...], parts: tuple[str, ...]) -> dict[str, str] | None:
    names: dict[str, str] = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            if not part:
                return None
            names[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return names
