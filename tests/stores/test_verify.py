"""Somebody who owns the database changes it: the first fact that differs is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest

from driveaway.book.book import open_store
from driveaway.book.canonical import canonical, leaf
from driveaway.book.tree import Frontier
from driveaway.book.verify import Verdict, verify
from driveaway.facts import Draft
from driveaway.facts.launches import SubjectErased
from driveaway.launch.launch import Launch
from tests.stores import acts
from tests.stores.acts import Place


@pytest.fixture
def twenty(launch: Launch) -> Launch:
    """A launch with twenty facts and a logged head after each."""
    for number in range(10):
        launch.append([acts.reserved(number, buyer=f"b-{number}")])
        launch.book.log_head(force=True)
        launch.append([acts.taken(number)])
        launch.book.log_head(force=True)
    assert launch.book.verify().differences == []
    assert launch.book.verify().heads == 20
    return launch


def _first(verdict: Verdict) -> int:
    assert verdict.differences
    assert [d.seq for d in verdict.differences] == sorted(d.seq for d in verdict.differences)
    return verdict.differences[0].seq


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE fact SET body = \'{"trim":"Pro"}\' WHERE seq = 7',
        "UPDATE fact SET happened = happened + 1 WHERE seq = 7",
        "UPDATE fact SET recorded = recorded + 1 WHERE seq = 7",
        "UPDATE fact SET subject = 'O-other' WHERE seq = 7",
        "UPDATE fact SET kind = 'order.cancelled' WHERE seq = 7",
        "UPDATE fact SET source = 'urn:other' WHERE seq = 7",
        "UPDATE fact SET replaces = 3 WHERE seq = 7",
        "UPDATE fact SET simulated = (1 = 1) WHERE seq = 7",
        'UPDATE fact_secret SET personal = \'{"buyer":"other"}\' WHERE seq = 7',
        "UPDATE fact_secret SET personal = NULL WHERE seq = 7",
        "UPDATE fact SET leaf = (SELECT leaf FROM fact WHERE seq = 8) WHERE seq = 7",
        "DELETE FROM fact_secret WHERE seq = 7",
    ],
)
def test_a_changed_column(place: Place, twenty: Launch, statement: str) -> None:
    place.tamper(statement)
    assert _first(twenty.book.verify()) == 7


def test_several_changes_name_the_first(place: Place, twenty: Launch) -> None:
    place.tamper("UPDATE fact SET body = '{}' WHERE seq IN (15, 11, 19)")
    verdict = twenty.book.verify()
    assert [d.seq for d in verdict.differences] == [11, 15, 19]
    assert "order.reserved" in verdict.differences[0].what


def _rewritten(place: Place, launch: Launch, seq: int) -> None:
    """Change a fact and its leaf, as one can who reads our source."""
    (row,) = launch.book.store.by_seq([seq])
    body = json.dumps({**json.loads(row.body), "amount": 1}, separators=(",", ":"), sort_keys=True)
    content = canonical(
        row.kind, row.version, row.subject, row.happened, row.recorded, row.source, row.replaces,
        bool(row.simulated), body, row.personal or "{}",
    )  # fmt: skip
    assert row.salt is not None
    place.tamper("UPDATE fact SET body = ?, leaf = ? WHERE seq = ?", body, leaf(row.salt, content), seq)


def test_a_leaf_rewritten_with_its_body(place: Place, twenty: Launch) -> None:
    _rewritten(place, twenty, 8)
    verdict = twenty.book.verify()
    assert _first(verdict) == 8
    assert "head logged at 8" in verdict.differences[0].what


def test_a_whole_tree_rewritten_is_found_by_the_logged_head(place: Place, twenty: Launch) -> None:
    _rewritten(place, twenty, 8)
    frontier = Frontier()
    frontier.extend(row.leaf for row in twenty.book.store.rows(0, 20, 99))
    place.tamper("UPDATE book_edge SET peaks = ?", frontier.packed())
    assert _first(twenty.book.verify()) == 8
    twenty.book.head_log.unlink()
    assert twenty.book.verify().differences == []


def test_with_few_heads_the_first_possible_fact_is_named(place: Place, twenty: Launch) -> None:
    lines = {json.loads(line)["size"]: line for line in twenty.book.head_log.read_text().splitlines()}
    twenty.book.head_log.write_text(f"{lines[5]}\n{lines[14]}\n")
    _rewritten(place, twenty, 8)
    assert _first(twenty.book.verify()) == 6


def test_a_tail_cut_off(place: Place, twenty: Launch) -> None:
    for table in ("fact", "fact_secret", "fact_key"):
        place.tamper(f"DELETE FROM {table} WHERE seq > 17")
    assert _first(twenty.book.verify()) == 18
    frontier = Frontier()
    frontier.extend(row.leaf for row in twenty.book.store.rows(0, 17, 99))
    place.tamper("UPDATE book_edge SET size = 17, peaks = ?", frontier.packed())
    verdict = twenty.book.verify()
    assert _first(verdict) == 18
    assert "head was logged at 20" in verdict.differences[0].what


def test_a_fact_taken_out_of_the_middle(place: Place, twenty: Launch) -> None:
    place.tamper("DELETE FROM fact WHERE seq = 9")
    assert _first(twenty.book.verify()) == 9


def test_two_facts_swapped(place: Place, twenty: Launch) -> None:
    for table in ("fact", "fact_secret"):
        for old, new in ((6, 99), (13, 6), (99, 13)):
            place.tamper(f"UPDATE {table} SET seq = {new} WHERE seq = {old}")
    assert _first(twenty.book.verify()) == 6
    twenty.book.head_log.unlink()
    assert twenty.book.verify().differences != []


def test_a_fact_slipped_in_at_the_end(place: Place, twenty: Launch) -> None:
    place.tamper(
        "INSERT INTO fact (seq, kind, version, subject, happened, recorded, source, simulated, body, leaf,"
        " source_key) SELECT 21, kind, version, subject, happened, recorded, 'urn:forged', simulated,"
        " body, leaf, 5"
        " FROM fact WHERE seq = 20"
    )
    assert _first(twenty.book.verify()) == 21


def test_an_edge_that_lies(place: Place, twenty: Launch) -> None:
    place.tamper("UPDATE book_edge SET peaks = ?", bytes(64))
    assert twenty.book.verify().differences
    place.tamper("UPDATE book_edge SET size = 25")
    assert _first(twenty.book.verify()) == 21


def test_an_erasure_that_nobody_recorded(place: Place, twenty: Launch) -> None:
    twenty.erase(acts.order(3), "asked")
    assert twenty.book.verify().differences == []
    place.tamper("DELETE FROM fact_secret WHERE seq = 5")
    verdict = twenty.book.verify()
    assert _first(verdict) == 5
    assert "never erased" in verdict.differences[0].what


def test_a_head_log_cut_off_by_a_crash(twenty: Launch) -> None:
    with twenty.book.head_log.open("ab") as log:
        log.write(b'{"size": 20, "ro')
    assert twenty.book.verify().differences == []
    twenty.append([acts.reserved(50)])
    twenty.book.log_head(force=True)
    assert twenty.book.verify().differences == []


def test_progress_reaches_the_end(twenty: Launch) -> None:
    seen: list[tuple[int, int]] = []
    twenty.book.verify(lambda done, of: seen.append((done, of)))
    assert seen[-1] == (20, 20)


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE fact SET source_key = source_key + 1 WHERE seq IN (7, 9)", 7),
        ("DELETE FROM fact_key WHERE seq = 7", 7),
        ("DELETE FROM fact_key WHERE seq >= 7", 7),
        ("UPDATE fact_key SET key = 'buyer:other' WHERE seq = 7", 7),
        ("UPDATE fact_key SET seq = 8 WHERE seq = 9", 8),
        ("INSERT INTO fact_key VALUES ('edition:founder', 7)", 7),
        ("INSERT INTO fact_key VALUES ('O-other', 8)", 8),
        ("INSERT INTO fact_key VALUES ('O-other', 0)", 1),
        ("INSERT INTO fact_key VALUES ('O-other', 21)", 21),
    ],
)
def test_a_changed_key(place: Place, twenty: Launch, statement: str, seq: int) -> None:
    place.tamper(statement)
    assert _first(twenty.book.verify()) == seq


def test_keys_of_every_kind_are_recomputed(launch: Launch) -> None:
    launch.append([*acts.delivered(1, 1), acts.reserved(2, 6, edition="founder", buyer="b")])
    launch.append([acts.returned(1, 1, 7), acts.built(2, 8), acts.locked(2, 8)])
    launch.append([acts.pegged(2, 2, 9), acts.unpegged(2, 2, 10)])
    assert launch.book.verify().differences == []


def test_an_erased_person_is_found_under_no_key(place: Place, twenty: Launch) -> None:
    twenty.append([acts.reserved(50, buyer="b-50", edition="founder")])
    twenty.erase(acts.order(50), "asked")
    assert twenty.book.verify().differences == []
    place.tamper("INSERT INTO fact_key VALUES ('buyer:b-50', 21)")
    assert _first(twenty.book.verify()) == 21
    place.tamper("DELETE FROM fact_key WHERE seq = 21")
    assert "edition:founder" in twenty.book.verify().differences[0].what


def test_what_is_recorded_meanwhile_is_no_difference(twenty: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    store = twenty.book.store
    erased, keys = store.erased, store.keys

    def after_another(call: Callable[[], Any], number: int) -> Any:
        twenty.append([acts.reserved(number, buyer="late")])
        return call()

    monkeypatch.setattr(store, "keys", lambda: after_another(keys, 50))
    monkeypatch.setattr(store, "erased", lambda: after_another(erased, 51))
    verdict = twenty.book.verify()
    assert (verdict.size, verdict.differences) == (20, [])


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_keys_of_an_older_book_are_made_anew(place: Place, twenty: Launch) -> None:
    place.tamper("UPDATE fact SET source_key = 5")
    place.sql("UPDATE alembic_version SET version_num = '0001'")
    with closing(open_store(place.url)) as store:
        assert verify(store).differences == []
    with pytest.raises(psycopg.Error, match="only ever get added"):
        place.sql("UPDATE fact SET source_key = 5")


def _erased_elsewhere(number: int, hours: float) -> Draft:
    return acts.draft("subject.erased", acts.order(number), hours, SubjectErased(reason="asked there"))


def test_an_erasure_of_another_book_excuses_no_salt_that_is_gone(place: Place, twenty: Launch) -> None:
    twenty.append([_erased_elsewhere(3, 9)], checked=True)
    assert twenty.book.verify().differences == []
    place.tamper("DELETE FROM fact_secret WHERE seq = 8")
    verdict = twenty.book.verify()
    assert [difference.seq for difference in verdict.differences] == [8]
    assert "no erasure" in verdict.differences[0].what
    twenty.erase(acts.order(3), "asked here")
    assert twenty.book.verify().differences == []


def test_an_erasure_excuses_nothing_after_it(place: Place, twenty: Launch) -> None:
    twenty.erase(acts.order(3), "asked")
    twenty.append([acts.described(3, 5, sex="female"), acts.paid(3, 6, 100)])
    twenty.append([_erased_elsewhere(3, 9)], checked=True)
    assert twenty.book.verify().differences == []
    place.tamper("DELETE FROM fact_secret WHERE seq = 23")
    assert _first(twenty.book.verify()) == 23
    twenty.erase(acts.order(3), "asked again")
    assert twenty.book.verify().differences == []
    twenty.append([acts.paid(3, 11, 100)])
    place.tamper("DELETE FROM fact_secret WHERE seq = (SELECT max(seq) FROM fact)")
    assert _first(twenty.book.verify()) == twenty.book.edge().size


def test_missing_facts_come_before_the_traces_of_their_loss(place: Place, twenty: Launch) -> None:
    """An erasure that was cut off leaves facts without a salt, far earlier than the facts that are gone."""
    twenty.erase(acts.order(1), "asked")
    twenty.erase(acts.order(2), "asked")
    assert twenty.book.verify().differences == []
    for table in ("fact", "fact_secret", "fact_key"):
        place.tamper(f"DELETE FROM {table} WHERE seq > 18")
    place.tamper("UPDATE book_edge SET size = 18")
    differences = twenty.book.verify().differences
    assert differences[0].seq == 19
    assert "facts after 18 are missing" in differences[0].what
    assert [d.seq for d in differences[1:]] == [3, 4, 5, 6]


def test_an_edge_alone_that_differs_has_its_own_place(place: Place, twenty: Launch) -> None:
    place.tamper("UPDATE book_edge SET peaks = ?", bytes(64))
    (difference,) = twenty.book.verify().differences
    assert difference.seq == 21
    assert "stored edge" in difference.what
