"""When an outlet may open and close."""

from __future__ import annotations

from collections.abc import Iterable

from driveaway.facts import Fact
from driveaway.values.errors import Refused


def check_outlet(history: Iterable[Fact]) -> None:
    """Refuse a history in which an outlet opens twice or closes before it opened.

    Raises:
        Refused: with the rule's code.
    """
    is_open, was_open = False, False
    for fact in history:
        if fact.kind == "outlet.opened":
            if is_open:
                raise Refused(
                    f"outlet {fact.subject} is open already",
                    code="outlet.open_already",
                    remedy="give another outlet another name, or correct the first opening",
                )
            is_open = was_open = True
        elif fact.kind == "outlet.closed":
            if not is_open:
                said = "is closed already" if was_open else "has not opened by then"
                raise Refused(
                    f"outlet {fact.subject} {said}", code="outlet.not_open", remedy="record its opening first"
                )
            is_open = False
