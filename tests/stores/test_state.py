"""Operational tables: read and changed beside facts, alone or many together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from driveaway.book.state.state import Change, State
from driveaway.book.state.together import Together
from driveaway.book.store import Store
from driveaway.facts import Draft
from driveaway.facts.cars import CarShipped
from driveaway.facts.updates import VersionReported
from driveaway.launch.launch import Launch
from driveaway.values.errors import Conflict, DriveawayError, Refused
from tests.stores.garage import START, VINS, empty

INSERT = "INSERT INTO settings (key, value, modified) VALUES (:key, :value, 0)"


@pytest.fixture
def state(launch: Launch) -> State:
    empty(launch.state)
    return launch.state


@pytest.fixture
def together(state: State) -> Iterator[Together]:
    made = Together(state)
    yield made
    made.close()


def keys(state: State) -> list[str]:
    return [key for (key,) in state.rows("SELECT key FROM settings ORDER BY key")]


def put(change: Change, key: str) -> None:
    change.run(INSERT, key=key, value="1")


def reported(number: int) -> Draft:
    return Draft("version.reported", VINS[number], int(START), VersionReported(version="1"))


def test_a_change_is_seen_once_it_is_committed(state: State) -> None:
    with state.change() as change:
        put(change, "a:b 100%")
        assert change.rows("SELECT key FROM settings WHERE value = :value", value="1") == [("a:b 100%",)]
        assert keys(state) == []
    assert keys(state) == ["a:b 100%"]
    assert state.rows("SELECT value FROM settings WHERE key LIKE '%100\\%' ESCAPE '\\'") == [("1",)]


def test_a_change_that_fails_changes_nothing(state: State, launch: Launch) -> None:
    size = launch.book.edge().size

    def change_it() -> None:
        with state.change() as change:
            put(change, "a")
            change.append([reported(0)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_it()
    assert keys(state) == []
    assert launch.book.edge().size == size


def test_ids_are_never_given_again(state: State) -> None:
    with state.change() as change:
        first = change.insert("tags", name="a", created=0)
        change.run("DELETE FROM tags WHERE id = :id", id=first)
        assert change.insert("tags", name="b", created=0) > first
        assert change.run("UPDATE tags SET description = :text", text="x") == 1
        change.run_many(INSERT, [{"key": key, "value": key} for key in "abc"])
        change.run_many(INSERT, [])
    assert keys(state) == ["a", "b", "c"]


def test_what_must_be_unique_is(state: State) -> None:
    with pytest.raises(Conflict), state.change() as change:
        change.run_many(INSERT, [{"key": "a", "value": "1"}] * 2)
    assert keys(state) == []


def test_facts_and_tables_in_one_transaction(state: State, launch: Launch) -> None:
    with state.change() as change:
        put(change, "a")
        (seq,) = change.append([reported(0)])
        assert change.append([]) == ()
    assert [fact.seq for fact in launch.book.about(VINS[0])] == [seq]
    assert launch.book.verify().differences == []


def test_a_step_is_taken_back_alone(state: State, launch: Launch) -> None:
    def step(change: Change) -> None:
        with change.step():
            put(change, "b")
            change.append([reported(1)])
            raise ZeroDivisionError

    with state.change() as change:
        put(change, "a")
        with pytest.raises(ZeroDivisionError):
            step(change)
        with pytest.raises(Conflict), change.step():
            put(change, "a")
        change.append([reported(2)])
    assert keys(state) == ["a"]
    assert launch.book.about(VINS[1]) == []
    assert len(launch.book.about(VINS[2])) == 1
    assert launch.book.verify().differences == []


def test_without_a_launch_no_facts(store: Store) -> None:
    bare = State(store)
    empty(bare)
    with bare.change() as change, pytest.raises(Refused) as refused:
        change.append([reported(0)])
    assert refused.value.code == "state.no_append"


def test_a_text_that_a_store_cannot_keep_is_its_own_error(state: State, together: Together) -> None:
    bad = together.submit(lambda change: put(change, "a\x00b"))
    good = together.submit(lambda change: put(change, "good"))
    good.result(10)
    # SQLite keeps it, PostgreSQL does not; neither speaks in its own words.
    assert bad.exception(10) is None or isinstance(bad.exception(10), DriveawayError)
    assert "good" in keys(state)


def test_many_changes_together(state: State, launch: Launch, together: Together) -> None:
    def job(number: int) -> int:
        def change_it(change: Change) -> int:
            put(change, f"{number:03}")
            if number % 7 == 3:
                change.append([reported(number % len(VINS))])
                raise ZeroDivisionError
            change.append([reported(number % len(VINS))])
            return number

        future = together.submit(change_it)
        if number % 7 == 3:
            assert isinstance(future.exception(10), ZeroDivisionError)
            return 0
        assert future.result(10) == number
        # What is done is there for everybody.
        assert (f"{number:03}",) in state.rows("SELECT key FROM settings")
        return 1

    done: list[int] = []
    threads = [
        threading.Thread(target=lambda k=k: done.append(sum(job(n) for n in range(k, 90, 6))))
        for k in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [number for number in range(90) if number % 7 != 3]
    assert sum(done) == len(kept)
    assert keys(state) == [f"{number:03}" for number in kept]
    assert sum(len(launch.book.about(vin)) for vin in VINS) == len(kept)
    assert launch.book.verify().differences == []


def test_facts_left_for_later_come_with_their_change(
    state: State, launch: Launch, together: Together
) -> None:
    def fails(change: Change) -> None:
        with change.step():
            change.append_later([reported(0)])
            raise ZeroDivisionError

    with state.change() as change:
        change.append_later([reported(1)])
        with pytest.raises(ZeroDivisionError):
            fails(change)
        assert launch.book.about(VINS[1]) == []
    assert len(launch.book.about(VINS[1])) == 1
    assert launch.book.about(VINS[0]) == []


def test_a_fact_that_is_refused_fails_its_own_change_alone(
    state: State, launch: Launch, together: Together
) -> None:
    """Whatever else is committed with it, and though it is judged only at the end."""
    hold = threading.Event()
    together.submit(lambda change: hold.wait(10))

    def job(number: int, draft: Draft) -> Callable[[Change], int]:
        def change_it(change: Change) -> int:
            put(change, str(number))
            change.append_later([draft])
            return number

        return change_it

    bad = Draft("car.shipped", VINS[5], int(START), CarShipped())
    futures = [together.submit(job(n, bad if n in (2, 5) else reported(n))) for n in range(8)]
    hold.set()
    for number, future in enumerate(futures):
        if number in (2, 5):
            assert isinstance(future.exception(10), Refused)
        else:
            assert future.result(10) == number
    assert keys(state) == [str(number) for number in (0, 1, 3, 4, 6, 7)]
    assert [len(launch.book.about(VINS[n])) for n in range(8)] == [1, 1, 0, 1, 1, 0, 1, 1]
    assert launch.book.verify().differences == []


def test_what_is_queued_is_done_before_it_closes(state: State) -> None:
    made = Together(state)
    futures = [made.submit(lambda change, n=n: put(change, str(n))) for n in range(20)]
    made.close()
    assert all(future.done() and future.exception() is None for future in futures)
    assert len(keys(state)) == 20
