"""Appending: in order, once, all or each by itself."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from driveaway.book import writer
from driveaway.book.book import open_store
from driveaway.book.store import Edge, Row, Store
from driveaway.launch.decide import LaunchDecider
from driveaway.launch.launch import Launch
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused
from tests.stores import acts
from tests.stores.acts import Place


def test_seq_has_no_gap_even_where_a_batch_had_refusals(launch: Launch) -> None:
    drafts = [
        acts.reserved(1),
        acts.locked(2),
        acts.taken(1),
        acts.reserved(3, trim="Ultra"),
        acts.reserved(3),
    ]
    outcomes = launch.append(drafts, atomic=False)
    assert [outcome.seq for outcome in outcomes] == [1, None, 2, None, 3]
    assert [outcome.error.code if outcome.error else "" for outcome in outcomes] == [
        "", "order.not_reserved", "", "order.trim", "",
    ]  # fmt: skip
    launch.append([acts.reserved(4)])
    assert [fact.seq for fact in launch.book.facts(0, 99)] == [1, 2, 3, 4]
    assert launch.book.edge().size == 4
    assert launch.book.verify().differences == []


def test_atomic_is_all_or_nothing(launch: Launch) -> None:
    with pytest.raises(Refused) as refused:
        launch.append([acts.reserved(1), acts.locked(2)])
    assert refused.value.code == "order.not_reserved"
    assert launch.book.edge().size == 0
    assert list(launch.book.facts(0, 99)) == []


def test_what_was_recorded_comes_back_as_it_was(launch: Launch) -> None:
    asked = acts.reserved(1, 0.5, buyer="b-1", options=("tow bar", "轮毂"), city="北京", edition="founder")
    launch.append([asked])
    (fact,) = launch.book.about(acts.order(1))
    assert (fact.kind, fact.subject, fact.happened, fact.source, fact.body) == (
        asked.kind, asked.subject, asked.happened, asked.source, asked.body,
    )  # fmt: skip
    assert launch.book.about("buyer:b-1") == launch.book.about("edition:founder") == [fact]


def test_a_repeated_source_adds_nothing(launch: Launch) -> None:
    drafts = [acts.reserved(1, options=("tow bar",)), acts.taken(1), acts.locked(1)]
    first = launch.append(drafts)
    again = launch.append(drafts)
    assert [outcome.seq for outcome in again] == [outcome.seq for outcome in first] == [1, 2, 3]
    assert not any(outcome.added for outcome in again)
    assert launch.book.edge().size == 3


def test_a_repeated_source_with_other_content_is_a_conflict(launch: Launch) -> None:
    launch.append([acts.reserved(1, source="urn:x/1")])
    for other in (acts.reserved(1, source="urn:x/1", colour="green"), acts.reserved(2, source="urn:x/1")):
        with pytest.raises(Conflict) as conflict:
            launch.append([other])
        assert conflict.value.code == "source.conflict"
    assert launch.book.edge().size == 1


def test_duplicates_inside_one_batch(launch: Launch) -> None:
    drafts = [
        acts.reserved(1),
        acts.reserved(1),
        acts.reserved(1, colour="green"),
        acts.taken(1),
        acts.taken(1),
    ]
    outcomes = launch.append(drafts, atomic=False)
    assert [(outcome.seq, outcome.added) for outcome in outcomes] == [
        (1, True), (1, False), (None, False), (2, True), (2, False),
    ]  # fmt: skip
    assert outcomes[2].error is not None
    assert outcomes[2].error.code == "source.conflict"


def test_a_batch_of_old_new_and_refused(launch: Launch) -> None:
    launch.append([acts.reserved(1), acts.taken(1)])
    drafts = [
        acts.taken(1),
        acts.reserved(2),
        acts.locked(9),
        acts.reserved(1),
        acts.locked(1),
        acts.locked(8),
    ]
    for expected in (True, False):
        outcomes = launch.append(drafts, atomic=False)
        assert [outcome.added for outcome in outcomes] == [False, expected, False, False, expected, False]
        assert [outcome.seq for outcome in outcomes] == [2, 3, None, 1, 4, None]
    assert launch.book.verify().differences == []


def test_a_batch_that_is_refused_whole(launch: Launch) -> None:
    for _ in range(2):
        outcomes = launch.append([acts.locked(1), acts.locked(2)], atomic=False)
        assert [outcome.error.code for outcome in outcomes if outcome.error] == ["order.not_reserved"] * 2
    assert launch.book.edge().size == 0


def test_without_a_source_each_is_a_fact_of_its_own(launch: Launch) -> None:
    launch.append([acts.reserved(1)])
    twice = acts.taken(1, source="")
    assert [outcome.seq for outcome in launch.append([twice, twice])] == [2, 3]
    sources = {fact.source for fact in launch.book.facts(0, 99)}
    assert len(sources) == 3


def test_a_large_batch(launch: Launch) -> None:
    drafts = [draft for n in range(700) for draft in (acts.reserved(n), acts.taken(n), acts.locked(n))]
    assert all(outcome.added for outcome in launch.append(drafts))
    assert not any(outcome.added for outcome in launch.append(drafts))
    assert launch.book.edge().size == 2100
    assert launch.book.verify().differences == []
    assert launch.at(acts.at(2)).figure("orders.locked").value == 700


def test_a_draft_of_another_kind_of_body(launch: Launch) -> None:
    wrong = acts.draft("order.locked", acts.order(1), 0, acts.taken(1).body)
    with pytest.raises(BadValue):
        launch.append([wrong])
    with pytest.raises(BadValue) as unknown:
        launch.append([acts.draft("order.eaten", acts.order(1), 0, acts.taken(1).body)])
    assert unknown.value.code == "kind.unknown"


def test_replacing_what_is_not_there(launch: Launch) -> None:
    with pytest.raises(NotFound):
        launch.append([acts.reserved(1, replaces=7)])


def test_reading_in_pieces(launch: Launch) -> None:
    launch.append([acts.reserved(n) for n in range(25)])
    assert [fact.seq for fact in launch.book.facts(3, 20, batch=4)] == list(range(4, 21))
    assert [row.seq for row in launch.book.store.by_seq([5, 2, 99])] == [2, 5]
    assert launch.book.store.by_seq([]) == []
    assert launch.book.about("nobody") == []


def test_the_mark_of_a_time(launch: Launch) -> None:
    times = [10, 10, 20, 30]
    for number, recorded in enumerate(times):
        launch.append([acts.reserved(number)], clock=lambda _, recorded=recorded: recorded)
    assert [launch.book.mark_at(at) for at in (9, 10, 19, 20, 29, 30, 31)] == [0, 2, 2, 3, 3, 4, 4]


def test_the_time_of_recording_never_falls(launch: Launch) -> None:
    for number, recorded in enumerate([50, 40, 60]):
        launch.append([acts.reserved(number)], clock=lambda _, recorded=recorded: recorded)
    assert [fact.recorded for fact in launch.book.facts(0, 9)] == [50, 50, 60]


def test_the_mark_of_an_empty_book(launch: Launch) -> None:
    assert launch.book.mark_at(acts.at(0)) == 0
    assert launch.book.verify().differences == []


def test_a_reader_sees_nothing_before_the_commit(place: Place, store: Store) -> None:
    other = open_store(place.url)
    with store.write() as transaction:
        edge = transaction.edge()
        assert other.edge() == edge
        assert other.rows(0, 9, 9) == []
    other.close()


def test_who_waits_is_seen_unless_patient(place: Place, store: Store) -> None:
    for patient, seen in ((False, True), (True, False)):
        other = open_store(place.url)
        other.edge()
        entered = threading.Event()

        def take(other: Store = other, patient: bool = patient, entered: threading.Event = entered) -> None:
            with other.write(patient=patient):
                entered.set()

        with store.write():
            assert not store.others_wait()
            thread = threading.Thread(target=take)
            thread.start()
            assert not entered.wait(0.5)
            assert store.others_wait() is seen
        thread.join(20)
        assert entered.is_set()
        assert not store.others_wait()
        other.close()


def test_what_a_failed_transaction_wrote_is_gone(store: Store) -> None:
    row = Row(1, "order.cancelled", 1, "O-1", 0, 5, "urn:x", None, False, "{}", bytes(32), bytes(16), None)

    def half_an_append() -> None:
        with store.write() as transaction:
            transaction.insert([row], [("key", 1)], Edge(1, 5, bytes(32)))
            assert transaction.edge().size == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_an_append()
    with store.write() as transaction:
        assert transaction.edge().size == 0
        assert transaction.by_seq([1]) == []


def test_it_describes_itself(store: Store) -> None:
    described = store.describe()
    assert described["engine"] in ("SQLite", "PostgreSQL")
    assert described["bytes"] > 0
    assert described["version"]


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many facts each commit of an import took, in small numbers."""
    monkeypatch.setattr(writer, "_COURTEOUS", 3)
    monkeypatch.setattr(writer, "_courteous_until", {})
    monkeypatch.setattr(writer, "_sizes", {})
    taken: list[int] = []
    commit = writer._append_batch

    def watched(*arguments: Any) -> list[writer.Outcome]:
        done = commit(*arguments)
        taken.append(len(done))
        return done

    monkeypatch.setattr(writer, "_append_batch", watched)
    return taken


def test_an_import_begins_with_small_batches(store: Store, sizes: list[int]) -> None:
    drafts = [acts.reserved(number) for number in range(50)]
    writer.append(store, drafts, LaunchDecider(acts.DESCRIPTION), patient=True)
    assert sizes == [12, 24, 14]


def test_an_import_that_gave_way_stays_in_small_batches(
    store: Store, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_LOOK_EVERY", 5)
    looks = iter([True])
    # Who waited is served at the commit, and is seen waiting no more.
    monkeypatch.setattr(type(store), "others_wait", lambda _: next(looks, False))
    drafts = [acts.reserved(number) for number in range(12)]
    outcomes = writer.append(store, drafts, LaunchDecider(acts.DESCRIPTION), patient=True)
    assert [outcome.seq for outcome in outcomes] == list(range(1, 13))
    assert sizes == [4, 3, 3, 2]


def test_all_or_nothing_is_one_commit_however_patient(store: Store, sizes: list[int]) -> None:
    drafts = [*(acts.reserved(number) for number in range(20)), acts.locked(99)]
    with pytest.raises(Refused):
        writer.append(store, drafts, LaunchDecider(acts.DESCRIPTION), atomic=True, patient=True)
    assert store.edge().size == 0
    writer.append(store, drafts[:20], LaunchDecider(acts.DESCRIPTION), atomic=True, patient=True)
    assert sizes == [20]
