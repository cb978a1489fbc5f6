"""Which outlets orders and cars may name: as soon as one is recorded, only those that are."""

from __future__ import annotations

from collections.abc import Sequence

from driveaway.book.writer import Reader
from driveaway.facts import Draft
from driveaway.orders.rules import Desk
from driveaway.values.errors import Refused

_OPENED = "outlet.opened"


class Outlets:
    """The outlets that a batch of drafts names.

    A launch that records no outlet may name any: its outlets are another system's.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._kept = False
        # Up to this seq the book holds no opening: it need not be looked through again.
        self._none_until = self._size = 0

    def prepare(self, drafts: Sequence[Draft], reader: Reader, size: int) -> None:
        """Look up what these drafts name, with one indexed read, in a book of this size."""
        self._size = size
        names = {getattr(draft.body, "outlet", None) for draft in drafts}
        opened = reader.live([name for name in names if name is not None], [])
        self._known = {fact.subject for fact in opened if fact.kind == _OPENED}
        self._kept = self._kept or bool(self._known)

    def opened(self, name: str) -> None:
        """One more, opened in this batch."""
        self._known.add(name)
        self._kept = True

    def check(self, name: str, draft: Draft, desk: Desk, reader: Reader) -> None:
        """Refuse an outlet that was never opened.

        One that the order has already, or that a corrected fact named, is not questioned again.

        Raises:
            Refused: others were opened, this one was not.
        """
        if name in self._known or self._had(name, draft, desk, reader):
            return
        if not self._kept:
            self._kept = reader.any_of(_OPENED, self._none_until)
            self._none_until = self._size
        if self._kept:
            raise Refused(
                f"there is no outlet {name!r}",
                code="outlet.unknown",
                remedy="record its opening first, or correct the name",
                field="outlet",
            )

    @staticmethod
    def _had(name: str, draft: Draft, desk: Desk, reader: Reader) -> bool:
        if draft.replaces is not None:
            return getattr(reader.replaced(draft.replaces).body, "outlet", None) == name
        state = desk.orders.get(draft.subject)
        configuration = None if state is None else state.configuration
        return configuration is not None and configuration.outlet == name
