"""A figure that is added in one place appears at every door."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator

import pytest

from driveaway import catalogue
from driveaway.book.view import View
from driveaway.briefing import say
from driveaway.cli import main
from driveaway.facts import Draft
from driveaway.facts.public import OutletOpened
from driveaway.figures.figure import figure
from driveaway.figures.measure import Count, Measure
from driveaway.launch.launch import Launch
from driveaway.outlets import figures as room
from tests.laws.histories import at, empty_launch
from tools.reference import asked


@figure(
    "outlets.by_the_sea",
    title="Outlets by the sea",
    title_zh="沿海网点",
    unit="outlets",
    evidence=("outlet.opened",),
    dimensions=("province", "city"),
)
def by_the_sea(view: View, *, least: int = 0) -> Measure:
    """Outlets that opened in a coastal city by the as-of.

    Args:
        least: only those whose longitude is more than this.
    """
    rows = view.table("outlet.opened")
    return Count(rows.filter(rows.longitude > least))


by_the_sea.compute.__module__ = room.__name__


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The room lists the figure: that is all that a contributor does."""
    with monkeypatch.context() as patch:
        patch.setattr(room, "FIGURES", (*room.FIGURES, by_the_sea))
        importlib.reload(catalogue)
        yield
    importlib.reload(catalogue)


@pytest.fixture
def launch() -> Iterator[Launch]:
    with empty_launch() as launch:
        for number, city in enumerate(("Qingdao", "Dalian", "Qingdao")):
            body = OutletOpened(role="store", province="370000", city=city, longitude=120.0 + number)
            launch.append([Draft("outlet.opened", f"store-{number}", at(number), body)])
        yield launch


@pytest.mark.usefixtures("listed")
def test_every_door_knows_it(launch: Launch, capsys: pytest.CaptureFixture[str]) -> None:
    answer = launch.at().figure("outlets.by_the_sea")
    assert (answer.value, answer.unit, answer.title) == (3, "outlets", "Outlets by the sea")
    assert launch.at().figure("outlets.by_the_sea", least="121").value == 1

    assert main(["figures"]) == 0
    assert "outlets.by_the_sea" in capsys.readouterr().out
    assert main(["figures", "--format", "json"]) == 0
    (row,) = [row for row in json.loads(capsys.readouterr().out) if row["name"] == "outlets.by_the_sea"]
    assert row["definition"] == "Outlets that opened in a coastal city by the as-of."
    assert [argument["name"] for argument in row["arguments"]] == ["least"]
    assert row["dimensions"] == ["province", "city"]

    asked_for = ["figure", "outlets.by_the_sea", "least=120", "--launch", str(launch.folder)]
    assert main([*asked_for, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == launch.at().figure("outlets.by_the_sea", least="120").json()
    assert main([*asked_for, "--by", "city"]) == 0
    assert "Dalian" in capsys.readouterr().out
    assert main(["figure", "outlets.by_the_sea", "most=1", "--launch", str(launch.folder)]) == 2
    assert "least, province, city" in capsys.readouterr().err

    sentence = say(launch.at(), "outlets.by_the_sea", {})
    assert "3" in sentence.text["en"]
    assert "沿海网点" in sentence.text["zh"]

    page = asked.figures()
    assert page is not None
    assert "## outlets.by_the_sea" in page
    assert "only those whose longitude is more than this" in page
    assert "room: `outlets`" in page


def test_it_is_gone_where_no_room_lists_it(launch: Launch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["figure", "outlets.by_the_sea", "--launch", str(launch.folder)]) == 2
    assert "there is no figure 'outlets.by_the_sea'" in capsys.readouterr().err
    assert "## outlets.by_the_sea" not in (asked.figures() or "")
