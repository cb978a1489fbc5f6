"""Which trims are equipped for a driving function, as launch.toml says."""

from __future__ import annotations

from collections.abc import Sequence

from driveaway.book.view import View


def trims_equipped(view: View, functions: Sequence[str] | None) -> frozenset[str] | None:
    """Trims equipped for at least one of these functions (None: of all that are listed); None: every trim."""
    out: set[str] = set()
    for function in view.description.fleet.functions:
        if functions is None or function.name in functions:
            if not function.trims:
                return None
            out.update(function.trims)
    return frozenset(out)
