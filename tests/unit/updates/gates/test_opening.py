"""Where a gate opens its function, step by step."""

from __future__ import annotations

import pytest

from driveaway.updates.gates.opening import openings
from driveaway.updates.gates.text import parse
from driveaway.values.clock import parse_instant

MAY, AUGUST, LATE = (parse_instant(f"2024-0{day}T00:00:00Z", None) for day in ("5-31", "8-01", "9-01"))
TEN = "place in [city:beijing, city:suzhou]"
CITIES = frozenset({"city:beijing", "city:suzhou"})
IN_MAY, IN_AUGUST = "from 2024-05-31T00:00:00Z", "from 2024-08-01T00:00:00Z"


@pytest.mark.parametrize(
    ("gate", "steps"),
    [
        (f"trim in [Max] and ({IN_MAY} and {TEN} or {IN_AUGUST})", [(MAY, CITIES), (AUGUST, None)]),
        (
            f"({IN_MAY} and place in [city:beijing]) or ({IN_AUGUST} and {TEN})",
            [(MAY, frozenset({"city:beijing"})), (AUGUST, CITIES)],
        ),
        (f"{TEN} and trim in [Max]", [(MAY - 1, CITIES)]),
        ("trim in [Max]", [(MAY - 1, None)]),
        # Nothing is said of what shuts, of what lies in two, or of what is told by what it is not.
        (f"{IN_MAY} and until 2024-06-30T00:00:00Z and {TEN} or {IN_AUGUST} and never", []),
        (f"{TEN} and place in [province:110000]", []),
        (f"not {TEN}", []),
    ],
)
def test_steps(gate: str, steps: list[tuple[int, frozenset[str] | None]]) -> None:
    assert list(openings(parse(gate), LATE, MAY - 1)) == steps


def test_what_is_to_come_is_not_told() -> None:
    gate = parse(f"{IN_MAY} and {TEN} or {IN_AUGUST}")
    assert openings(gate, AUGUST - 1, MAY) == ((MAY, CITIES),)
    assert openings(gate, MAY - 1, MAY - 1) == ()
