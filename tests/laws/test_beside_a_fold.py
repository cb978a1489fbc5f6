"""Figures beside an independent fold of the same facts in plain Python."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from driveaway.launch.launch import Launch
from tests.laws.histories import Act, cuts, empty_launch, few, play
from tests.laws.oracle import by_trim, cut, expected, fold, rollouts, shares

FEW = 2


@few(6)
@given(cuts(), st.data())
def test_figures_agree_with_a_fold(case: tuple[list[Act], int], data: st.DataObject) -> None:
    acts, as_of = case
    with empty_launch() as launch:
        launch.apply()
        play(launch, acts)
        size = launch.book.edge().size
        compare(launch, as_of, size)
        # Often just when a correction or a withdrawal came in.
        changes = [fact.seq for fact in launch.book.facts(0, size) if fact.replaces is not None]
        earlier = data.draw(st.sampled_from(changes) if changes else st.integers(0, size), label="mark")
        compare(launch, as_of, earlier)


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
    told = at.figure("updates.rollout_state").rows or ()
    columns = ("rollout", "decision", "value", "succeeded", "failed", "simulated")
    assert {tuple(row[name] for name in columns) for row in told} == rollouts(state)
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
