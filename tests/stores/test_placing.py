"""Places of cars are written alike in every store."""

from __future__ import annotations

from pathlib import Path

import pytest

from driveaway.launch.launch import Launch
from driveaway.launch.updates import columns
from driveaway.launch.updates.placing import asked_at_work, place_cars
from tests.stores.garage import VINS, garage


def test_places_follow_the_homes(launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homes = {VINS[0]: frozenset({"city:beijing", "province:110000"}), VINS[9]: frozenset({"city:wuhan"})}
    monkeypatch.setattr(columns, "homes_of", lambda launch, cut: homes)
    with garage(launch, tmp_path) as made:
        made.enter(*VINS[:2])
        assert not asked_at_work(launch.state)
        assert (place_cars(launch), place_cars(launch)) == (2, 0)
        homes[VINS[0]] = frozenset({"city:wuhan"})
        assert place_cars(launch) == 3
        assert launch.state.rows("SELECT place FROM target_places") == [("city:wuhan",)]
