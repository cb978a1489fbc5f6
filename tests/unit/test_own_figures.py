"""Figures that a launch adds by Python files of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from driveaway.cli import main
from driveaway.facts import Draft
from driveaway.facts.public import ClaimMade
from driveaway.facts.trips import TripSegment
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.clock import parse_instant
from driveaway.values.errors import BadValue, NotFound
from tests.laws.histories import at, empty_launch, vin
from tests.trips import land

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "own-figures.md"
_PARKED = HOW_TO.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]


@pytest.fixture
def folder() -> Iterator[Path]:
    with empty_launch() as launch:
        start = parse_instant("2024-04-02T10:00:00+02:00", None)
        trips = [
            TripSegment(
                vin=vin(car), trip=trip, start=start + trip, end=start + 60_000_000, distance_m=40,
                assisted_m=30, function="parking" if car < 3 else "highway_pilot", city="Suzhou",
            )
            for car in (1, 2, 3)
            for trip in (1, 2)
        ]  # fmt: skip
        land(launch, "one", trips)
        yield launch.folder


def listing(folder: Path, *names: str) -> None:
    text = (folder / "launch.toml").read_text(encoding="utf-8")
    quoted = ", ".join(f'"{name}"' for name in names)
    (folder / "launch.toml").write_text(f"figures = [{quoted}]\n{text}", encoding="utf-8")


def write(folder: Path, text: str, name: str = "measures.py") -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_the_how_tos_figure_is_asked_and_listed_like_ours(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, _PARKED)
    listing(folder, "measures.py")
    with open_launch(folder) as launch:
        assert launch.apply()
        answer = launch.at("2024-04-09").figure("own.cars_that_parked")
        assert (answer.value, answer.unit) == (2, "cars")
        assert launch.at("2024-04-09").figure("own.cars_that_parked", function="highway_pilot").value == 1
        claim = ClaimMade(
            speaker="Maker", said="Two cars parked.", figure="own.cars_that_parked", as_of="2024-04-09",
            qualifier="exactly", value="2",
        )  # fmt: skip
        launch.append([Draft("claim.made", "parked", at(5), claim)])
    assert list(folder.rglob("__pycache__")) == []
    there = ("--launch", str(folder))
    assert main(["figure", "own.cars_that_parked", "--by", "city", "--function", "parking", *there]) == 0
    assert "Suzhou" in capsys.readouterr().out
    assert main(["figures", "--format", "json", *there]) == 0
    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert listed["own.cars_that_parked"]["arguments"][0]["name"] == "function"
    assert "orders.locked" in listed
    assert main(["figure", "own.cars_that_parked", "--kind", "x", *there]) == 2
    assert "function, day, city, software" in capsys.readouterr().err


_HEAD = "from driveaway.figures.figure import figure\nfrom driveaway.figures.measure import Unknown\n"


def one(name: str, doc: str = '"""What it says."""', argument: str = "") -> str:
    return (
        f"@figure({name!r}, title='T', title_zh='题', unit='cars', evidence=('trips.landed',))\n"
        f"def f(view{argument}):\n    {doc}\n    return Unknown('nothing')\n"
    )


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "own.empty", ""),
        ("x = = 1\n", "own.syntax", ":1"),
        ("\n\n1 / 0\n", "own.failed", ":3"),
        ("import nothing_like_it\n", "own.failed", ":1"),
        (_HEAD + one("orders.mine"), "own.prefix", ":3"),
        (_HEAD + one("cars.mine"), "own.prefix", ":3"),
        (_HEAD + one("fleet.active_rate"), "own.prefix", ":3"),
        (_HEAD + one("mine"), "own.name", ":3"),
        (_HEAD + one("Own.mine"), "own.name", ":3"),
        (_HEAD + one("own.mine", "pass"), "own.failed", ":3"),
        (_HEAD + one("own.mine", argument=", *, city: str = ''"), "own.failed", ":3"),
        (_HEAD + one("own.mine") + one("own.mine").replace("def f", "def g"), "own.clash", ":7"),
    ],
)
def test_a_file_that_is_not_fit_is_told_with_its_line(folder: Path, text: str, code: str, line: str) -> None:
    write(folder, text)
    listing(folder, "measures.py")
    with open_launch(folder) as launch:
        with pytest.raises(BadValue) as caught:
            launch.at("2024-04-09").figure("own.mine")
        assert caught.value.code == code
        assert caught.value.place.startswith(str(folder / "measures.py") + line)
        # Nothing is recorded of a folder that is not fit, and built-in figures go on.
        size = launch.book.edge().size
        with pytest.raises(BadValue):
            launch.apply()
        assert launch.book.edge().size == size
        assert launch.at("2024-04-09").figure("fleet.distance").value == 240


@pytest.mark.parametrize(
    ("name", "code"),
    [("nothing.py", "own.missing"), ("../measures.py", "own.file"), ("launch.toml", "own.file")],
)
def test_only_python_files_of_the_folder(folder: Path, name: str, code: str) -> None:
    write(folder.parent, "raise AssertionError('it must not run')\n")
    listing(folder, name)
    with open_launch(folder) as launch, pytest.raises(BadValue) as caught:
        _ = launch.figures
    assert caught.value.code == code


def test_two_files_that_clash(folder: Path) -> None:
    write(folder, _HEAD + one("own.mine"))
    write(folder, _HEAD + one("own.mine"), "others.py")
    listing(folder, "measures.py", "others.py")
    with open_launch(folder) as launch, pytest.raises(BadValue, match=r"measures\.py:3 already") as caught:
        _ = launch.figures
    assert caught.value.place == f"{folder / 'others.py'}:3"


def test_an_unknown_name_is_told_with_what_is_near(folder: Path) -> None:
    write(folder, _HEAD + one("own.mine"))
    listing(folder, "measures.py")
    with open_launch(folder) as launch, pytest.raises(NotFound, match="no figure") as caught:
        launch.at("2024-04-09").figure("own.min")
    assert "own.mine" in caught.value.remedy


def test_files_run_only_when_one_of_theirs_is_asked_for(folder: Path) -> None:
    write(folder, "raise AssertionError('it must not run')\n")
    listing(folder, "measures.py")
    with open_launch(folder) as launch:
        assert isinstance(launch, Launch)
        assert launch.at("2024-04-09").figure("fleet.distance").value == 240
