"""Figures beside an independent fold of the same facts in plain Python."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from driveaway.launch.launch import Launch
from tests.laws.histories import Act, empty_launch, few, histories, instants, play
from tests.laws.oracle import by_trim, cut, expected, fold, shares

FEW = 2


@few(8)
@given(histories(orders=7), instants(), st.floats(0.2, 1))
def test_figures_agree_with_a_fold(acts: list[Act], as_of: int, part: float) -> None:
    with empty_launch() as launch:
        launch.apply()
        play(launch, acts)
        size = launch.book.edge().size
        compare(launch, as_of, size)
        compare(launch, as_of, round(part * size))


def compare(launch: Launch, as_of: int, mark: int) -> None:
    seen = cut(launch.book.facts(0, launch.book.edge().size), as_of, mark)
    state, at = fold(seen), launch.at(as_of, mark=mark)
    for name, (value, simulated) in expected(state).items():
        answer = at.figure(name)
        assert (answer.value, answer.simulated) == (value, simulated), name
        assert (answer.unknown is None) == (value is not None), name
    for name, groups in by_trim(state).items():
        answer = at.figure(name, by=["trim"])
        assert {row["trim"]: row["value"] for row in answer.rows or ()} == groups, name
    for attribute in ("sex", "phone_brand"):
        people, all_people = shares(state, attribute)
        answer = at.figure("buyers.share", by=[attribute])
        rows = {row[attribute]: row["value"] for row in answer.rows or ()}
        assert rows.keys() == people.keys()
        for label, value in rows.items():
            if value is None:
                assert people[label] < FEW or min(people.values()) < FEW
            else:
                assert people[label] >= FEW
                assert value == people[label] / all_people
