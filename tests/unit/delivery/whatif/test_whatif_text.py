"""The grammar of what-if: what it reads, how it prints back, and how it says what it did not understand."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from driveaway.delivery.whatif import FORMS, parse, read_changes, sentence, show, toml
from driveaway.delivery.whatif.changes import Change
from driveaway.values.errors import BadValue
from tests.unit.delivery.whatif.wished import AS_OF, EVERYTHING


def canonical(text: str, as_of: date = AS_OF) -> list[str]:
    """Each change in its canonical form."""
    return [show(change) for change in parse(text, EVERYTHING, as_of)]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.pattern)
def test_every_form_has_an_example_that_it_reads(form) -> None:  # type: ignore[no-untyped-def]
    (change,) = parse(form.example, EVERYTHING, AS_OF)
    assert parse(show(change), EVERYTHING, AS_OF) == (change,)
    assert read_changes(toml([change])) == (change,)
    assert sentence(change).endswith(".")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("second shift from 2024-09-01", "second shift from 2024-09-01"),
        ("Second Shift of 7.5 h from September on north", "second shift of 7.5 h from 2024-09-01 on north"),
        ("no day shift from 1 August", "no day shift from 2024-08-01"),
        ("lidar +20% from July", "lidar +20% from 2024-07-01"),
        ("LIDAR −5% until August", "lidar -5% until 2024-08-31"),
        ("line stop 1–7 July", "line stop 2024-07-01..2024-07-07"),
        ("line stop July 1-7", "line stop 2024-07-01..2024-07-07"),
        ("line stop on north/1 1 July to 7 July", "line stop 2024-07-01..2024-07-07 on north/1"),
        ("line stop 2024-07-01..2024-07-07", "line stop 2024-07-01..2024-07-07"),
        ("line stop 28 December – 3 January", "line stop 2024-12-28..2025-01-03"),
        ("line stop August", "line stop 2024-08-01..2024-08-31"),
        ("line stop 3rd July 2026", "line stop 2026-07-03..2026-07-03"),
        ("jobs per hour 50 from 2024-08-01", "jobs per hour 50 from 2024-08-01"),
        ("jobs per hour +2.5% in July", "jobs per hour +2.5% from 2024-07-01 until 2024-07-31"),
        ("takt 72s on north, south", "takt 72 s on north, south"),
        ("availability 90% from May", "availability 0.9 from 2024-05-01"),
        ("availability +5%", "availability +5%"),
        ("6 days a week until 1 June", "6 days a week until 2024-06-01"),
        ("work on 10 June", "work on 2024-06-10..2024-06-10"),
        ("101 kWh pack 300 per day from June", "101 kWh pack 300 per day from 2024-06-01"),
        ("Blue 40 per week", "Blue 40 per week"),
        ("motors 5_000 arrive on 1 June", "motors 5000 arrive on 2024-06-01"),
        ("transport +3 days to Xinjiang, 西藏", "transport +3 days to 650000, 540000"),
        ("transport 1 day", "transport 1 days"),
        ("handovers 40 per day in Beijing from May", "handovers 40 per day in 110000 from 2024-05-01"),
        ("handovers +10% in May", "handovers +10% from 2024-05-01 until 2024-05-31"),
        ("target deliveries-2024 1_000", "target deliveries-2024 1000"),
        ("cancellations -50%", "cancellations -50%"),
        # A name of a limit stands for it, and cars that one limit covers stand for that limit.
        ('"odd; \\"name\\"" +10%', '"odd; \\"name\\"" +10%'),
        ("Base +10%", '"odd; \\"name\\"" +10%'),
    ],
)
def test_what_is_written_and_what_it_means(text: str, meant: str) -> None:
    assert canonical(text) == [meant]
    assert canonical(meant) == [meant]


def test_several_changes_build_on_one_another() -> None:
    text = "second shift from June; no second shift from August ; Blue 40 per day; Blue +10%;"
    several = canonical(text)
    assert several == [
        "second shift from 2024-06-01",
        "no second shift from 2024-08-01",
        "Blue 40 per day",
        "Blue +10%",
    ]
    assert [show(change) for change in parse(several, EVERYTHING, AS_OF)] == several


def test_a_day_without_a_year_is_the_next_one() -> None:
    for text, as_of, first in (
        ("line stop 25 April", date(2024, 4, 25), "2024-04-25"),
        ("line stop 24 April", date(2024, 4, 25), "2025-04-24"),
        ("line stop 29 February", date(2025, 1, 1), "2028-02-29"),
        ("line stop 20–30 April", date(2024, 4, 25), "2025-04-20"),
        ("line stop April", date(2024, 4, 25), "2024-04-01"),
        ("line stop March", date(2024, 4, 25), "2025-03-01"),
    ):
        (change,) = parse(text, EVERYTHING, as_of)
        assert change.from_day == first, text  # type: ignore[union-attr]
    # Without an as-of it is the description's.
    assert EVERYTHING.today == "2024-04-25"
    assert parse("work on 1 July", EVERYTHING) == parse("work on 2024-07-01", EVERYTHING)


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("lidr +20% from July", 1, "did you mean 'lidar'? forms: LIMIT ±N%"),
        ("second shft from 2024-09-01", 8, "did you mean 'shift'"),
        ("work on 1 July; lidar +20% fron July", 28, "did you mean 'from'"),
        ("lidar +20", 10, "something is missing"),
        ("lidar 20 per month", 14, "'month' is not understood"),
        ("line stop 31 June", 11, "June has 30 days"),
        ("line stop 2023-02-29", 11, "February 2023 has 28 days"),
        ("line stop 2024-99-01", 11, "no month 99"),
        ("line stop 2024-07-07..2024-07-01", 11, "2024-07-01 is before 2024-07-07"),
        ("line stop 1 July on nrth", 21, "did you mean 'north'"),
        ("lidar +5% from July until 2024-06-30", 27, "2024-06-30 is before 2024-07-01"),
        ("transport +3 days to Xinjang", 22, "did you mean 'Xinjiang'"),
        ("target delivries 5", 8, "did you mean 'deliveries-2024'"),
        ("9 days a week", 1, "a week of 9 days"),
        ('"lidr" +20%', 1, "did you mean 'lidar'"),
        ("handovers 40 per day", 21, "something is missing"),
        ("lidar +20% from July please", 22, "'please' is not understood"),
    ],
)
def test_bad_text_shows_the_place_and_what_comes_near(text: str, column: int, says: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse(text, EVERYTHING, AS_OF)
    error = caught.value
    assert error.code == "whatif.text"
    assert error.place == f"column {column}"
    lines = error.message.splitlines()
    assert lines[1] == f"  {text}"
    assert lines[2] == f"  {' ' * (column - 1)}^"
    assert lines[3].startswith("  understood: ")
    assert says in str(error)
    assert "forms: " in error.remedy


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "whatif.empty"),
        (" ; ", "whatif.empty"),
        ("day shift from June", "whatif.shift"),
        ("no late shift from June", "whatif.no_shift"),
        ("Blue +10%", "whatif.no_limit"),
        ("Blue unlimited", "whatif.no_limit"),
        ("lidar 30 per week", "whatif.per"),
        ("motors 30 per day", "whatif.part"),
        ("availability 90", "whatif.range"),
        ("takt 0 s", "whatif.range"),
        ("lidar -120%", "whatif.range"),
        ("handovers +10% in Tibet", "whatif.handovers"),
    ],
)
def test_a_change_that_the_launch_does_not_allow(text: str, code: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse(text, EVERYTHING, AS_OF)
    assert caught.value.code == code
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("[[changes]", "whatif.toml", ""),
        ("[[changes]]\nchange = 'shft'\n", "whatif.shape", "shft"),
        ("[[changes]]\nchange = 'shift'\n", "whatif.shape", "changes[0]"),
        (
            "[[changes]]\nchange = 'work'\nfrom_day = '2024-07-01'\nuntil = '2024-07-01'",
            "whatif.shape",
            "until",
        ),
        ("[[changes]]\nchange = 'rate'\n", "whatif.one_of", "jobs_per_hour"),
        ("[[changes]]\nchange = 'rate'\npercent = 5\ntakt_seconds = 9\n", "whatif.one_of", ""),
        ("[[changes]]\nchange = 'limit'\nlimit = 'a'\namount = 5\n", "whatif.limit", "per"),
        ("[[changes]]\nchange = 'week'\ndays = 8\n", "whatif.range", "8"),
        ("[[changes]]\nchange = 'handovers'\nper_day = 8\n", "whatif.regions", ""),
        (
            "[[changes]]\nchange = 'work'\nfrom_day = '2024-07-02'\nuntil_day = '2024-07-01'",
            "whatif.days",
            "",
        ),
        ("[[changes]]\nchange = 'work'\nfrom_day = '1 July'\nuntil_day = '2024-07-01'", "time.day", "1 July"),
    ],
)
def test_a_bad_file_of_changes(text: str, code: str, says: str) -> None:
    with pytest.raises(BadValue) as caught:
        read_changes(text, "changes.toml")
    assert caught.value.code == code
    assert says in str(caught.value)


def test_changes_as_a_file_and_in_words() -> None:
    changes = parse("second shift of 8 h from September; lidar +20% from July; takt 72 s", EVERYTHING, AS_OF)
    assert (
        toml(changes)
        == """[[changes]]
change = "shift"
name = "second"
hours = 8
from_day = "2024-09-01"

[[changes]]
change = "limit"
limit = "lidar"
percent = 20
from_day = "2024-07-01"

[[changes]]
change = "rate"
takt_seconds = 72
"""
    )
    assert [sentence(change) for change in changes] == [
        "A further shift (second) of 8 hours runs from 1 September 2024 on.",
        "The limit 'lidar' allows 20% more from 1 July 2024 on.",
        "The line runs at a car every 72 seconds.",
    ]
    assert toml(()) == ""
    assert read_changes("") == ()


def test_the_guide_lists_every_form_and_every_attribute() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs/how-to/plan-what-if.md").read_text(encoding="utf-8")
    cells = set(re.findall(r"`([^`]+)` \|", page.replace("\\|", "¦")))
    for form in FORMS:
        assert form.pattern.replace("|", "¦") in cells
        assert form.example in cells
    for kind in get_args(Change):
        config = kind.__struct_config__
        (row,) = re.findall(rf"^\| `{config.tag}` \| (.*) \|$", page, re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row)) == set(kind.__struct_fields__), config.tag
    (file,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(read_changes(file)) == 3
