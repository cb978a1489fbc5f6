"""Many batches one after the other: the same as one by one, whatever goes wrong under way."""

from __future__ import annotations

import threading
import time

import pytest

from driveaway.fleet.ahead import ahead
from driveaway.fleet.landing.batch import Landed
from driveaway.fleet.landing.locking import landing_lock, others_wait
from driveaway.fleet.landing.streaming import land_stream
from driveaway.values.errors import BadValue, Conflict, Unavailable
from tests.unit.fleet.kit import Kit, batch, kit, row, table, vin


@pytest.fixture
def fleet(tmp_path) -> Kit:
    return kit(tmp_path)


def test_the_same_as_one_by_one(fleet):
    landing = fleet.landing()
    batches = [
        batch(f"b-{n}", row(1, n), row(2, n), row(1, max(n - 1, 1)), row(3, n, vin="?")) for n in range(1, 7)
    ]
    batches.insert(3, batches[2])
    batches.insert(5, batch("b-1", row(1, 99)))
    batches.insert(6, batch("wrong"))
    object.__setattr__(batches[6], "table", table(row()).select(["vin"]))
    done = list(land_stream(landing, batches))
    assert [type(each) for each in done] == [Landed] * 5 + [Conflict, BadValue] + [Landed] * 2
    assert done[3].duplicate
    assert [each.repeated for each in done if isinstance(each, Landed)] == [1, 1, 1, 1, 1, 1, 1]
    assert [each["trip"] for each in fleet.stored() if each["vin"] == vin(1)] == [1, 2, 3, 4, 5, 6]
    assert fleet.landing().land(batch("again", row(2, 4))).repeated == 1


def test_one_that_is_refused_is_not_known_to_the_next(fleet):
    landing = fleet.landing()
    landing.land(batch("b-2", row(1, 50)))
    about, fleet.book.about = fleet.book.about, lambda subject: []
    done = list(land_stream(landing, [batch(f"b-{n}", row(1, n), row(1, 9)) for n in (1, 2, 3)]))
    fleet.book.about = about
    assert [type(each) for each in done] == [Landed, Conflict, Landed]
    assert [(each.rows, each.repeated) for each in done if isinstance(each, Landed)] == [(2, 0), (1, 1)]
    assert sorted(each["trip"] for each in fleet.stored()) == [1, 3, 9, 50]


def test_a_book_that_is_gone(fleet):
    landing = fleet.landing()
    batches = [batch(f"b-{n}", row(1, n)) for n in range(1, 6)]
    stream = land_stream(landing, batches)
    assert next(stream).rows == 1
    fleet.book.fail = Unavailable("gone", code="store.unreachable")
    with pytest.raises(Unavailable):
        list(stream)
    done = list(land_stream(landing, batches))
    assert [each.duplicate for each in done][:2] == [True, False]
    assert len(fleet.stored()) == 5


def test_who_waits_is_let_in(fleet):
    landing, other = fleet.landing(), fleet.landing()
    landed: list[int] = []

    def come_between() -> None:
        landed.append(other.land(batch("other", row(2, 1))).seq)

    waiting = threading.Thread(target=come_between)
    stream = land_stream(landing, [batch(f"b-{n}", row(1, n)) for n in range(1, 9)])
    next(stream)
    assert not others_wait(fleet.folder)
    waiting.start()
    while not others_wait(fleet.folder):
        time.sleep(0.001)
    done = list(stream)
    waiting.join()
    assert landed[0] < done[-1].seq
    assert len(fleet.stored()) == 9
    with landing_lock(fleet.folder):
        pass


def test_reading_ahead():
    def source():
        yield 1
        yield 2
        raise BadValue("no more", code="x")

    with ahead(source()) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(BadValue):
            next(items)
    with ahead(iter([1, 2, 3])) as items:
        assert list(items) == [1, 2, 3]
