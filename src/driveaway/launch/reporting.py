"""What doors for cars may append by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from driveaway.book import writer
from driveaway.facts import Draft, kind_named
from driveaway.values.errors import BadValue, Refused

KINDS: Final = frozenset({"update.finished", "version.reported", "function.activated", "trips.landed"})
"""What cars bring about by themselves. Anything else is recorded through other doors."""


class DeviceDecider:
    """The rules for what a device door may append: its few kinds, new facts about cars alone.

    The rules of the launch hold these kinds to nothing more, so no state is loaded.
    """

    seen = -1

    def prepare(self, drafts: Sequence[Draft], reader: writer.Reader, size: int) -> None:
        """Nothing to load."""

    def decide(self, draft: Draft) -> Sequence[Draft]:
        """The draft as it is.

        Raises:
            BadValue: it says something else than its kind.
            Refused: another kind, or a correction.
        """
        if draft.kind not in KINDS or draft.replaces is not None:
            raise Refused(
                f"a device server does not record {draft.kind}",
                code="device.kind",
                remedy="record it through the launch",
            )
        kind = kind_named(draft.kind)
        if type(draft.body) is not kind.body:
            raise BadValue(
                f"{draft.kind} was given a {type(draft.body).__name__}",
                code="fact.body",
                remedy=f"give it a {kind.body.__name__}",
            )
        return (draft,)
