"""What cars report, whatever they say: a row that no database can hold is refused by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from driveaway.book.store import Store
from driveaway.launch.device import find_launch
from driveaway.launch.reports import Reports
from driveaway.values.clock import now
from tests.stores.acts import LAUNCH_TOML, Place

START = now() - 10**9
CAR = "LNBSU7M05RB000001"
HEALTH = {"vin": CAR, "release": "r", "start": START, "end": START + 5, "signal": "crash", "count": 1}
FUNCTION = {"vin": CAR, "function": "highway_pilot", "at": START, "version": "2"}


@pytest.fixture
def reports(store: Store, place: Place, tmp_path: Any) -> Iterator[Reports]:
    folder = tmp_path / "small"
    folder.mkdir(exist_ok=True)
    (folder / "launch.toml").write_text(LAUNCH_TOML)
    with find_launch(folder, place.url).reports() as opened:
        yield opened


@pytest.mark.parametrize(
    "wrong",
    [{"start": -(2**63) - 1}, {"start": -(2**80)}, {"start": -(2**80), "end": -(2**80)}]
    + [{name: "a\0b"} for name in ("vin", "release")],
)
def test_health(reports: Reports, wrong: dict[str, Any]) -> None:
    landed = reports.health([HEALTH, HEALTH | wrong, HEALTH | {"signal": "fire"}], None).result()
    assert landed.added == 2
    assert [(each.row, each.code) for each in landed.refused] == [(1, "health.row")]


@pytest.mark.parametrize("wrong", [{name: "a\0b"} for name in ("vin", "function", "version")])
def test_functions(reports: Reports, wrong: dict[str, Any]) -> None:
    taken = reports.functions([FUNCTION, FUNCTION | wrong, FUNCTION | {"function": "parking"}], None)
    assert taken.added == 2
    assert [(each.row, each.code) for each in taken.refused] == [(1, "function.row")]


def test_texts_as_long_as_they_may_be(reports: Reports) -> None:
    long = {name: "".join(chr(0x20000 + 97 * n % 40_000) for n in range(200)) for name in ("vin", "release")}
    assert reports.health([HEALTH | long], None).result().added == 1
    named = {"vin": long["vin"], "function": long["release"], "version": long["release"]}
    assert reports.functions([FUNCTION | named], None).added == 1
