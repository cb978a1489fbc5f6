"""Batches landed together: each hears of its own, nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from driveaway.fleet.columns import TRIPS
from driveaway.fleet.doors import together
from driveaway.fleet.doors.together import TogetherLanding
from driveaway.fleet.landing.batch import Batch, Landed
from driveaway.values.errors import Conflict, DriveawayError, Unavailable


def batch(name: str) -> Batch:
    return Batch(name, "http", TRIPS.empty_table())


class Landing:
    """Waits for its gate; notes what was landed together."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.gate = threading.Event()
        self.full = False
        self.begun = threading.Event()

    def land_all(self, batches: Sequence[Batch]) -> list[Landed | DriveawayError]:
        self.begun.set()
        assert self.gate.wait(10)
        if self.full:
            raise Unavailable("full", code="disk.full")
        self.groups.append([each.id for each in batches])
        return [
            Conflict("another content", code="trips.batch_conflict")
            if each.id == "bad"
            else Landed(each.id, len(self.groups), 0)
            for each in batches
        ]


def _submitted(landing: Landing, names: Sequence[str]) -> tuple[TogetherLanding, list[Future[Landed]]]:
    joined = TogetherLanding(landing.land_all)
    futures = [joined.submit(batch("first"))]
    assert landing.begun.wait(10)
    futures += [joined.submit(batch(name)) for name in names]
    landing.gate.set()
    return joined, futures


def test_those_that_wait_land_as_one() -> None:
    landing = Landing()
    joined, futures = _submitted(landing, "abc")
    assert [future.result(10).batch for future in futures] == ["first", "a", "b", "c"]
    assert landing.groups == [["first"], ["a", "b", "c"]]
    joined.close()


def test_one_that_is_refused_is_refused_alone() -> None:
    landing = Landing()
    joined, futures = _submitted(landing, ["a", "bad", "b"])
    assert futures[1].result(10).batch == "a"
    with pytest.raises(Conflict):
        futures[2].result(10)
    assert futures[3].result(10).batch == "b"
    joined.close()


def test_a_full_disk_is_told_to_all_and_the_next_are_landed() -> None:
    landing = Landing()
    landing.full = True
    joined, futures = _submitted(landing, "ab")
    for future in futures:
        with pytest.raises(Unavailable):
            future.result(10)
    landing.full = False
    assert joined.submit(batch("later")).result(10).batch == "later"
    joined.close()


def test_what_is_queued_is_landed_before_it_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "_BATCHES", 2)
    landing = Landing()
    joined, futures = _submitted(landing, "abcde")
    joined.close()
    assert all(future.done() for future in futures)
    assert max(map(len, landing.groups)) == 2


def test_rows_landed_at_once_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "_ROWS", -1)
    landing = Landing()
    joined, futures = _submitted(landing, "abc")
    joined.close()
    assert [future.result(0).batch for future in futures] == ["first", "a", "b", "c"]
    assert landing.groups == [["first"], ["a"], ["b"], ["c"]]
