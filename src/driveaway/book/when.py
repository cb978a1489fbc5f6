"""``When``: the only way in time."""

from __future__ import annotations

from typing import NamedTuple


class When(NamedTuple):
    """What was known at ``mark``, of what had happened by ``as_of``.

    Attributes:
        as_of: valid time, microseconds since 1970 UTC; happened ≤ as_of counts.
        mark: transaction time as the last ``seq`` seen; later corrections are unseen.
    """

    as_of: int
    mark: int
