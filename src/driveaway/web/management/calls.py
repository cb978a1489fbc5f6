"""One request as its handler sees it, and what a handler says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from driveaway.book.state.state import Change, State
from driveaway.launch.accounts import Account
from driveaway.updates.artifacts import ArtifactStore
from driveaway.updates.configuration import Configuration
from driveaway.updates.management.paging import USUAL, Page
from driveaway.updates.management.targetfilters import TargetFilter
from driveaway.updates.model import LAST_ACTION_ID, DistributionSet, SoftwareModule
from driveaway.updates.quotas import ARTIFACT_BYTES, STORE_BYTES
from driveaway.updates.rollouts.plan import Rollout
from driveaway.values.clock import now
from driveaway.values.errors import BadValue, NotFound
from driveaway.web.http.scope import Header

_DECIMAL: Final = re.compile(r"[0-9]{1,19}")
_SIGNED: Final = re.compile(r"[+-]?[0-9]{1,19}")
_SWITCHES: Final = {"true": True, "false": False}
ROOT: Final = "/rest/v1"


class Said(NamedTuple):
    """What a handler answers: a status and a document, or none."""

    status: int
    content: Any = None
    headers: tuple[Header, ...] = ()


OK: Final = 200
CREATED: Final = 201
NOTHING: Final = Said(204)


@dataclass(frozen=True, slots=True)
class Desk:
    """The room as staff see it.

    Attributes:
        state: the operational tables.
        artifacts: where contents of files are.
        clock: now, microseconds UTC.
        largest: bytes of one artifact.
        store: bytes of all of them.
        simulated: what is done here belongs to a simulation, and its facts say so.
    """

    state: State
    artifacts: ArtifactStore
    clock: Callable[[], int] = now
    largest: int = ARTIFACT_BYTES
    store: int = STORE_BYTES
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose sender is known.

    Attributes:
        desk: the room.
        account: who asks.
        base: scheme, host and port by which the server was reached.
        names: what stands in the path at the route's names, decoded.
        query: what stands in the query, decoded, each name once.
        body: read as the route says.
        at: now, microseconds UTC.
    """

    desk: Desk
    account: Account
    base: str
    names: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    at: int

    @property
    def state(self) -> State:
        """The operational tables."""
        return self.desk.state

    def change(self) -> AbstractContextManager[Change]:
        """Hold the book's write lock for one change."""
        return self.desk.state.change()

    def configuration(self) -> Configuration:
        """What is set."""
        return Configuration(self.desk.state)

    def number(self, name: str) -> int:
        """An id in the path.

        Raises:
            BadValue: not a number.
            NotFound: no id is as large.
        """
        text = self.names[name]
        if not _DECIMAL.fullmatch(text):
            raise BadValue(f"the id of a {name} is a number", code="management.id", remedy="give its id")
        if int(text) > LAST_ACTION_ID:
            raise NotFound(f"there is no {name} {text}", code="management.no_such", remedy="list them")
        return int(text)

    def whole(self, name: str, default: int) -> int:
        """A whole number in the query.

        Raises:
            BadValue: it is none.
        """
        text = self.query.get(name)
        if text is None or not text.strip():
            return default
        if not _SIGNED.fullmatch(text):
            raise BadValue(
                f"{name} is a whole number", code="management.query", field=name, remedy=f"{name}={default}"
            )
        return int(text)

    def switch(self, name: str) -> bool:
        """``true`` or ``false`` in the query; false where it does not stand.

        Raises:
            BadValue: something else.
        """
        text = self.query.get(name, "false").strip().lower()
        if text not in _SWITCHES:
            raise BadValue(
                f"{name} is true or false", code="management.query", field=name, remedy=f"{name}=true"
            )
        return _SWITCHES[text]

    @property
    def full(self) -> bool:
        """Whether lists are wanted with all details (``representation=full``)."""
        return self.query.get("representation", "").strip().lower() == "full"

    def page(self) -> Page:
        """Which part of a list is wanted."""
        return Page(
            offset=self.whole("offset", 0),
            limit=self.whole("limit", USUAL),
            sort=self.query.get("sort", ""),
            q=self.query.get("q", ""),
        )

    def url(self, *parts: str | int, query: str = "") -> str:
        """The address of a resource."""
        path = "/".join(quote(str(part), safe="") for part in parts)
        return f"{self.base}{ROOT}/{path}{query}"

    def link(self, *parts: str | int, query: str = "", name: str = "") -> dict[str, str]:
        """A HAL link to a resource."""
        href = {"href": self.url(*parts, query=query)}
        return href | {"name": name} if name else href

    def first_page(self, *parts: str | int, query: str = "") -> dict[str, str]:
        """A HAL link to a list, as hawkBit's tools expect it: its first page."""
        return self.link(*parts, query=f"?offset=0&limit={USUAL}{query}")

    def words(self, what: str) -> str:
        """What is noted of something done here."""
        return f"{what} by {self.account.name}"


def paged(content: Sequence[Any], total: int) -> Said:
    """A page of a list."""
    return Said(OK, {"content": content, "total": total, "size": len(content)})


def milliseconds(microseconds: int | None) -> int | None:
    """A time as the Management API writes it; None where there is none."""
    return None if microseconds is None else microseconds // 1000


def named_document(
    what: SoftwareModule | DistributionSet | TargetFilter | Rollout, links: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """The document of what is kept under a name: what all such say, and ``more``."""
    return without_nothing(
        {
            "createdAt": milliseconds(what.created),
            "lastModifiedAt": milliseconds(what.modified),
            "name": what.name,
            "description": getattr(what, "description", "") or None,
            **more,
            "id": what.id,
            "_links": links,
        }
    )


def without_nothing(document: dict[str, Any]) -> dict[str, Any]:
    """A document without the fields that say nothing."""
    return {name: value for name, value in document.items() if value is not None}
