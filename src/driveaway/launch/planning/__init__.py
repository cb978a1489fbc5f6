"""Plans and promises of a launch: proposed from the book, landed, adopted, compared."""

from __future__ import annotations

from importlib.util import find_spec

from driveaway.values.errors import Unavailable

if find_spec("scipy") is None or find_spec("numba") is None:  # pragma: no cover - the plain install
    raise Unavailable(
        "planning needs the extra 'delivery', which is not installed",
        code="extra.missing",
        remedy="pip install 'driveaway[delivery]'",
    )
