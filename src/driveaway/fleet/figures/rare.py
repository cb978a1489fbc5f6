"""Groups of so few cars that their city gives persons away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driveaway.book.view import View
from driveaway.values.errors import NotFound


def hide_rare(rows: Sequence[dict[str, Any]], view: View, beside: Sequence[str]) -> None:
    """Take the values of groups with fewer ``cars`` than ``[fleet].suppress_under`` out.

    Where one group alone is hidden, the sum of all would tell it: the next smallest is hidden with it.

    Args:
        rows: changed in place; ``cars`` goes from all of them.
        view: whose description says how many are few.
        beside: the dimensions beside the city: groups that agree in them add up to what is known.
    """
    try:
        least = view.description.fleet.suppress_under
    except NotFound:
        least = 5
    together: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        together.setdefault(tuple(row[name] for name in beside), []).append(row)
    for group in together.values():
        few = [row for row in group if 0 < row["cars"] < least]
        if len(few) == 1 and len(group) > 1:
            few.append(min((row for row in group if row is not few[0]), key=lambda row: int(row["cars"])))
        for row in few:
            for name in set(row) & {"active", "of", "unknown"}:
                del row[name]
            row |= {"value": None, "suppressed": True}
    for row in rows:
        del row["cars"]
