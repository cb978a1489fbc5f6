"""Laws that every figure of the catalogue obeys, over random small histories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.catalogue import FIGURES
from driveaway.figures.answer import Answer
from driveaway.figures.figure import Figure
from driveaway.figures.measure import Count
from driveaway.launch.launch import Cut, Launch
from tests.laws.histories import (
    Act,
    Question,
    cuts,
    empty_launch,
    few,
    launch_of,
    play,
    questions,
)
from tests.laws.oracle import cut

Case = tuple[list[Act], int]
BY_NAME = {figure.name: figure for figure in FIGURES}
# A history is asked a third of the figures, so that every figure meets several histories at little cost.
THIRDS = [FIGURES[first::3] for first in range(3)]
in_thirds = pytest.mark.parametrize("figures", THIRDS, ids=("first", "second", "third"))


def answers(launch: Launch, asked: Sequence[Question], as_of: int, mark: int) -> list[Answer]:
    at = launch.at(as_of, mark=mark)
    return [at.figure(q.name, by=q.by, **dict(q.arguments)) for q in asked]


def told(found: Sequence[Answer], *, mark: bool = True) -> list[dict[str, Any]]:
    """What answers say, in an order that ties do not change."""
    out = []
    for answer in found:
        said = answer.json()
        if not mark:
            del said["mark"]
        if "rows" in said:
            said["rows"] = sorted(said["rows"], key=repr)
        out.append(said)
    return out


@in_thirds
@few(3)
@given(cuts(), st.integers(0, 40), st.booleans(), st.data())
def test_an_answer_never_changes(
    figures: Sequence[Figure], case: Case, first: int, described: bool, data: st.DataObject
) -> None:
    acts, as_of = case
    asked = data.draw(questions(figures), label="questions")
    with empty_launch() as launch:
        if described:
            launch.apply()
        play(launch, acts[:first])
        mark = launch.book.edge().size
        stopped_here = told(answers(launch, asked, as_of, mark))

        # Late facts, corrections and withdrawals; the mirror catches up in steps.
        play(launch, acts[first:])
        assert told(answers(launch, asked, as_of, mark)) == stopped_here
        last = launch.book.edge().size
        newest = told(answers(launch, asked, as_of, last))

        # The mirror is a cache: made anew, at once, it says the same.
        launch.book.mirror.drop()
        assert launch.book.landed is not None
        launch.book.landed.drop()
        assert told(answers(launch, asked[::2], as_of, mark)) == stopped_here[::2]
        assert told(answers(launch, asked[1::2], as_of, last)) == newest[1::2]

        # An answer rests on the cut alone: what happened later is unseen, what was replaced is gone.
        known = sorted(cut(launch.book.facts(0, last), as_of, last), key=lambda fact: fact.seq)
        known = [fact for fact in known if fact.kind != "fact.withdrawn"]
    with launch_of(known) as other:
        again = told(answers(other, asked, as_of, len(known)), mark=False)
    assert again == [{k: v for k, v in said.items() if k != "mark"} for said in newest]


@few(6)
@given(cuts(), questions(FIGURES), st.booleans())
def test_an_answer_is_honest_and_in_shape(case: Case, asked: list[Question], described: bool) -> None:
    acts, as_of = case
    with empty_launch() as launch:
        if described:
            launch.apply()
        play(launch, acts)
        mark = launch.book.edge().size
        seen = cut(launch.book.facts(0, mark), as_of, mark)
        found = answers(launch, asked, as_of, mark)
    kinds = {fact.kind for fact in seen}
    made_up = any(fact.simulated for fact in seen)
    for question, answer in zip(asked, found, strict=True):
        figure = BY_NAME[question.name]
        if not kinds & set(figure.evidence):
            assert answer.unknown, f"{figure.name} answers without evidence"
        assert made_up or not answer.simulated
        in_shape(answer, question)


def in_shape(answer: Answer, question: Question) -> None:
    """The JSON conventions."""
    said = answer.json()
    assert said["name"] == question.name
    assert {"unit", "as_of", "mark", "definition", "simulated"} <= said.keys()
    if "unknown" in said:
        assert said["value"] is None
        assert said["unknown"]
        assert "rows" not in said
        assert not said["simulated"]
    else:
        assert ("value" in said) is not ("rows" in said)
        assert "rows" in said or said["value"] is not None
    if question.by:
        assert "value" not in said or "unknown" in said
    for row in said.get("rows", ()):
        assert set(question.by) <= row.keys()
        assert isinstance(row["simulated"], bool)
        assert all(key == key.lower() and key.isidentifier() for key in row)
    if "rows" in said:
        assert said["simulated"] is any(row["simulated"] for row in said["rows"])
    if said["unit"] == "share" and isinstance(said.get("value"), float):
        assert 0 <= said["value"] <= 1
    if "interval" in said:
        assert said["interval"]["low"] <= said["value"] <= said["interval"]["high"]
        assert said["interval"]["level"] == 0.95
    assert said.get("parameters", {}) == dict(question.arguments)


@in_thirds
@few(4)
@given(cuts(), st.data())
def test_groups_add_up(figures: Sequence[Figure], case: Case, data: st.DataObject) -> None:
    acts, as_of = case
    with empty_launch() as launch:
        launch.apply()
        play(launch, acts)
        at = launch.at(as_of)
        for figure in figures:
            if not figure.dimensions or figure.builds_on_others:
                continue
            dimension = data.draw(st.sampled_from(figure.dimensions), label=figure.name)
            total, grouped = at.figure(figure.name), at.figure(figure.name, by=[dimension])
            if figure.groups_itself:
                filtered(at, figure, dimension, grouped)
                continue
            assert total.simulated == grouped.simulated or total.unknown is not None
            if not isinstance(total.value, int):
                continue
            assert grouped.rows is not None
            parts = [row["value"] for row in grouped.rows]
            assert all(part > 0 for part in parts)
            measure = figure.compute(at.view)
            if isinstance(measure, Count) and measure.distinct is None:
                assert sum(parts) == total.value
            else:
                assert max(parts, default=0) <= total.value <= sum(parts)
            # A filter answers what its group says.
            for row in list(grouped.rows)[:1]:
                if row[dimension] is not None:
                    assert at.figure(figure.name, **{dimension: row[dimension]}).value == row["value"]


def filtered(at: Cut, figure: Figure, dimension: str, grouped: Answer) -> None:
    """A filter answers what its group says; how such figures add up stands in tests/unit/fleet."""
    for row in list(grouped.rows or ())[:2]:
        if row[dimension] is not None and row["value"] is not None:
            assert at.figure(figure.name, **{dimension: str(row[dimension])}).value == row["value"]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_a_figure_is_documented(figure: Figure) -> None:
    assert figure.name.partition(".")[2]
    assert figure.title
    assert any("\u4e00" <= character <= "\u9fff" for character in figure.title_zh)
    assert figure.unit
    assert figure.version >= 1
    assert figure.definition.endswith(".")
    assert figure.evidence
    for parameter in figure.parameters:
        assert parameter.meaning, parameter.name
    assert len(set(figure.dimensions)) == len(figure.dimensions)


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(FIGURES)
