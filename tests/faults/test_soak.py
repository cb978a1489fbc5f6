"""Cars update while their server is killed: what it took is there, once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.updates.soak import Outcome, Soak, compare, run
from tests.server import make_launch

HOURS = float(os.environ.get("DRIVEAWAY_TEST_SOAK_HOURS", "2"))


@pytest.mark.parametrize(
    "soak",
    [
        pytest.param(
            Soak(300, 10.0, 2.2, batch=100, pause=0.5, poll=1.0, install=0.3, reboot=0.3, connections=40),
            id="sample",
        ),
        pytest.param(
            Soak(50_000, 3600 * HOURS, 120.0, batch=600, pause=5.0, poll=120.0),
            id="nightly",
            marks=[pytest.mark.nightly, pytest.mark.timeout(int(3600 * HOURS) + 1800)],
        ),
    ],
)
def test_nothing_is_lost_and_nothing_is_doubled(tmp_path: Path, soak: Soak) -> None:
    outcome = run(soak, tmp_path / "launch")
    assert outcome.wrong == []
    assert outcome.kills >= 2
    assert outcome.counts.lost > 0
    assert outcome.actions >= soak.cars
    assert outcome.closed > soak.cars / 2
    assert outcome.acknowledged > outcome.closed


def test_what_is_lost_would_be_found(tmp_path: Path) -> None:
    launch = make_launch(tmp_path / "launch")
    outcome, taken = Outcome(), {("CAR", 7): [("closed/success", "booted"), ("proceeding/none", "at it")]}
    store = launch.store()
    with launch.state() as state:
        compare(outcome, store, state, taken, {7: "CAR"})
    store.close()
    assert sorted(outcome.wrong) == [
        "action 7 is lost",
        "action 7 of CAR is lost",
        "action 7 was closed, and 0 facts say so",
        "action 7: 'at it' was taken and is lost",
        "action 7: 'booted' was taken and is lost",
    ]
