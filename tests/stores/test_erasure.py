"""Erasing a subject: what is personal is gone for good, and the tree still verifies."""

from __future__ import annotations

from pathlib import Path

import pytest

from driveaway.launch.launch import Launch
from driveaway.values.errors import NotFound
from tests.stores import acts
from tests.stores.acts import Place

_SECRET = "pseudonym-7f3a9c51"


def _two_buyers(launch: Launch) -> None:
    for number in (1, 2):
        buyer = _SECRET if number == 1 else "somebody-else"
        launch.append([acts.reserved(number, buyer=buyer), acts.taken(number), acts.locked(number)])
        launch.append([acts.described(number, 2, sex="female", phone_brand=f"Brand-{buyer}")])


def test_secrets_are_gone_and_the_rest_stands(place: Place, launch: Launch) -> None:
    _two_buyers(launch)
    before = launch.at(acts.at(9)).figure("orders.locked").value
    root = launch.book.verify().root
    shredded, subjects = launch.erase(_SECRET, "art. 17")
    assert (shredded, subjects) == (4, [acts.order(1)])
    facts = launch.book.about(acts.order(1))
    assert [fact.erased for fact in facts] == [True] * 4 + [False]
    assert facts[0].body.buyer is None
    assert facts[0].body.trim == "Max"
    assert facts[3].body.phone_brand is None
    assert facts[4].kind == "subject.erased"
    assert launch.book.about(f"buyer:{_SECRET}") == []
    assert place.sql("SELECT count(*) FROM fact_secret") == [(5,)]
    verdict = launch.book.verify()
    assert (verdict.differences, verdict.erased, verdict.size) == ([], 4, 9)
    assert verdict.root != root
    assert launch.at(acts.at(9)).figure("orders.locked").value == before == 2
    assert launch.book.about(acts.order(2))[3].body.phone_brand == "Brand-somebody-else"


def test_no_file_of_the_launch_holds_it_any_more(launch: Launch) -> None:
    _two_buyers(launch)
    launch.at(acts.at(9)).figure("orders.reserved")
    launch.erase(acts.order(1), "art. 17")
    launch.book.store.scrub()
    files = [path for path in Path(launch.folder).rglob("*") if path.is_file()]
    assert len(files) > 3
    assert [path.name for path in files if _SECRET.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_no_row_of_postgresql_holds_it_any_more(place: Place, launch: Launch) -> None:
    _two_buyers(launch)
    launch.erase(acts.order(1), "art. 17")
    for table in ("fact", "fact_secret", "fact_key", "book_edge"):
        assert place.sql(f"SELECT count(*) FROM {table} t WHERE t::text LIKE ?", f"%{_SECRET}%") == [(0,)]
    for table in ("fact_secret", "fact_key"):
        assert place.sql("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = ?", table) == [(0,)]


def test_the_mirror_forgets(launch: Launch) -> None:
    _two_buyers(launch)
    cut = launch.at(acts.at(9))
    assert len(cut.view.facts("buyer.described")) == 2
    launch.erase(acts.order(1), "art. 17")
    for _ in range(2):
        table = launch.at(acts.at(9)).view.table("buyer.described").order_by("seq")
        rows = launch.at(acts.at(9)).view.run(table)[0].to_pylist()
        assert [row["sex"] for row in rows] == [None, "female"]
        launch.book.mirror.drop()


def test_erased_twice(launch: Launch) -> None:
    _two_buyers(launch)
    launch.erase(acts.order(1), "first")
    launch.append([acts.described(1, 3, sex="male")], atomic=False)
    launch.erase(acts.order(1), "second")
    assert launch.book.verify().differences == []


def test_a_repeated_import_does_not_bring_it_back(launch: Launch) -> None:
    _two_buyers(launch)
    launch.erase(acts.order(1), "art. 17")
    again = [
        acts.reserved(1, buyer=_SECRET),
        acts.described(1, 2, sex="female", phone_brand=f"Brand-{_SECRET}"),
    ]
    assert [outcome.added for outcome in launch.append(again, atomic=False)] == [False, False]
    assert launch.book.about(acts.order(1))[0].body.buyer is None


def test_nothing_is_known_of_it(launch: Launch) -> None:
    with pytest.raises(NotFound):
        launch.erase("nobody", "art. 17")
    assert launch.book.edge().size == 0


def test_where_nothing_is_left_to_shred_nothing_is_recorded(launch: Launch) -> None:
    _two_buyers(launch)
    assert launch.erase(acts.order(1), "art. 17")[0] == 4
    size = launch.book.edge().size
    assert launch.erase(acts.order(1), "asked again") == (0, [acts.order(1)])
    assert launch.book.edge().size == size
    # What is recorded later is shredded by a further erasure.
    launch.append([acts.paid(1, 5)])
    assert launch.erase(acts.order(1), "once more")[0] == 1
    assert launch.book.verify().differences == []
