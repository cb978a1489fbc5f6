"""DuckDB and Spark give one answer: every figure, on a standalone cluster of a master and two workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from driveaway.catalogue import FIGURES
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.errors import DriveawayError
from tests.engines.drives import CARS, Rows, drives, handed_over, land
from tests.laws.histories import LAST, Act, Question, at, cuts, empty_launch, few, play, questions

# PySpark leaves the sockets by which results come to be closed by Python.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
DRIVING = [figure for figure in FIGURES if figure.name.startswith("fleet.")]
OTHERS = [figure for figure in FIGURES if not figure.name.startswith("fleet.")]


def told(launch: Launch, asked: Sequence[Question], as_of: int) -> list[Any]:
    """What a launch answers, in an order that ties do not change; errors are answers too."""
    out: list[Any] = []
    for question in asked:
        try:
            said = launch.at(as_of).figure(question.name, by=question.by, **dict(question.arguments)).json()
        except DriveawayError as error:
            out.append((question, error.code, error.message))
            continue
        said.pop("sql", None)
        if "rows" in said:
            said["rows"] = sorted(said["rows"], key=repr)
        out.append((question, said))
    return out


def agree(launch: Launch, master: str, asked: Sequence[Question], as_of: int) -> list[Any]:
    """Both engines' answers, which are the same."""
    ours = told(launch, asked, as_of)
    with open_launch(launch.folder, engine=master) as other:
        theirs = told(other, asked, as_of)
    for one, another in zip(ours, theirs, strict=True):
        assert one == another
    return ours


@few(3)
@given(drives(), st.integers(LAST // 2, LAST + 3000), questions(DRIVING), st.booleans())
def test_what_the_cars_drive_is_the_same_on_a_cluster(
    cluster: str, batches: list[Rows], as_of: int, asked: list[Question], simulated: bool
) -> None:
    with handed_over(simulated) as launch:
        assert land(launch, batches)
        answers = agree(launch, cluster, asked, at(as_of))
    event(f"known: {sum('unknown' not in said for _, said, *_ in answers)}")


def test_a_file_that_is_damaged_comes_back(cluster: str) -> None:
    with handed_over(simulated=False) as launch, open_launch(launch.folder, engine=cluster) as other:
        before = other.at(at(LAST)).figure("cars.delivered").value
        (segment,) = (launch.data / "mirror").glob("order.handed_over-*.parquet")
        content = segment.read_bytes()
        segment.write_bytes(b"\0" * len(content))
        assert (
            other.at(at(LAST), mark=launch.book.edge().size).figure("cars.delivered").value == before == CARS
        )


@pytest.mark.nightly
@few(2)
@given(cuts(), questions(OTHERS))
def test_every_other_figure_is_the_same_on_a_cluster(
    cluster: str, case: tuple[list[Act], int], asked: list[Question]
) -> None:
    acts, as_of = case
    with empty_launch() as launch:
        launch.apply()
        play(launch, acts)
        agree(launch, cluster, asked, as_of)
