"""A rollout's picture, and what a plan says about nights and hawkBit."""

from __future__ import annotations

import itertools
import json
import re
from zoneinfo import ZoneInfo

import msgspec
import pytest
from altair.vegalite.v6.schema import core
from hypothesis import given
from hypothesis import strategies as st

from driveaway.briefing.texts import Texts
from driveaway.plots.rollout import Decided, rolled_out, spread
from driveaway.updates.rollouts.plan import Night, RolloutPlan, read_rollout_plan
from driveaway.updates.rollouts.story import Line, Story
from driveaway.updates.windows import parse_window
from driveaway.values.clock import HOUR, parse_instant
from driveaway.values.errors import BadValue

START = int(parse_instant("2024-05-06T12:00:00+08:00", None))


def story(hours: int, stops: bool = True) -> Story:
    cars = tuple(
        Line(name=name, points=((START, 0.0), (START + HOUR, high / 2), (START + hours * HOUR, high)))
        for name, high in (("opened", 400.0), ("succeeded", 90.0), ("failed", 88.0))
    )
    line = Line(name="comparisons", points=((START, 0.0), (START + HOUR, 30.0)), stops_at=4.6)
    return Story(start=START, end=START + hours * HOUR, cars=cars, evidence=(line,) if stops else ())


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("hours", [1, 30, 24 * 90])
def test_a_rollouts_picture_says_all_without_colour(language: str, hours: int) -> None:
    decided = [
        Decided(START + n * HOUR // 30, each) for n, each in enumerate(["started", *["advanced"] * 20])
    ]
    picture = rolled_out(
        story(hours), decided, Texts(language), title="may", zone=ZoneInfo("Asia/Shanghai"), simulated=True
    )
    core.TopLevelLayerSpec.from_json(json.dumps(picture.spec))
    words = re.sub(r"<[^>]+>", " ", picture.standalone())
    for text in ("400", "90", "88"):
        assert text in words
    assert ("Simulated" if language == "en" else "模拟") in words
    dashes = {json.dumps(layer["mark"]["strokeDash"]) for layer in picture.spec["layer"][:3]}
    assert len(dashes) == 3


@given(st.lists(st.floats(0, 300), max_size=40).map(sorted), st.floats(1, 50))
def test_what_crowds_is_moved_apart_within_its_room(places: list[float], least: float) -> None:
    found = spread(places, least, 0, 300)
    apart = min(least, 300 / max(1, len(places) - 1))
    assert len(found) == len(places)
    assert all(-1e-6 <= place <= 300 + 1e-6 for place in found)
    assert all(b - a >= apart - 1e-6 for a, b in itertools.pairwise(found))
    roomy = all(b - a >= least for a, b in itertools.pairwise(places))
    assert not roomy or found == pytest.approx(places, abs=1e-9)


@pytest.mark.parametrize("minutes", [3, 8, 59, 60 * 30])
def test_marks_at_both_ends_of_a_short_rollout_stand_apart_inside_the_plot(minutes: int) -> None:
    """Each number is readable, every tick too, and names of lines stay below the numbers."""
    length = minutes * HOUR // 60
    kinds = ["started", "advanced", "paused", "resumed", "advanced", "paused", "resumed", "finished"]
    shares = [0, 0, 0.01, 0.97, 0.98, 0.99, 1, 1]
    decided = [Decided(START + int(length * at), kind) for at, kind in zip(shares, kinds, strict=True)]
    cars = tuple(
        Line(name=name, points=((START, 0.0), (START + length, high)))
        for name, high in (("opened", 400.0), ("succeeded", 399.0), ("failed", 398.0))
    )
    drawn = rolled_out(
        Story(start=START, end=START + length, cars=cars, evidence=()),
        decided, Texts("en"), title="may", zone=ZoneInfo("UTC"), simulated=False,
    )  # fmt: skip
    layers = drawn.spec["layer"]
    x = layers[0]["encoding"]["x"]
    assert x["scale"]["domain"] == [0, minutes]
    assert 2 <= len(x["axis"]["values"]) <= 6
    (marks,) = [layer for layer in layers if layer["mark"]["type"] == "point"]
    units = [row["p"] / minutes * 300 for row in marks["data"]["values"]]
    assert len(units) == len(decided)
    assert min(b - a for a, b in itertools.pairwise(units)) >= 17.9
    assert (min(units), max(units)) == (0, pytest.approx(300))
    names = next(layer for layer in layers if layer["data"]["values"][0].get("t", "").startswith("failed"))
    places = [row["y"] for row in names["data"]["values"]]
    assert max(places) <= names["encoding"]["y"]["scale"]["domain"][1]
    assert min(b - a for a, b in itertools.pairwise(places)) / 400 * 150 >= 15.9


def test_a_picture_of_a_rollout_without_evidence_or_decisions_is_drawn() -> None:
    picture = rolled_out(
        story(5, stops=False), [], Texts("en"), title="may", zone=ZoneInfo("UTC"), simulated=False
    )
    assert picture.png().startswith(b"\x89PNG")
    assert "Simulated" not in picture.standalone()


def test_a_night_follows_the_clock_of_its_place() -> None:
    night = Night(hours="22:30-05:00", zone="Europe/Berlin")
    for day, offset in (("2024-01-10", "+01:00"), ("2024-07-10", "+02:00")):
        at = int(parse_instant(f"{day}T23:00:00{offset}", None))
        window = night.window(at)
        assert window.timezone == offset
        opened = parse_window(window.schedule, window.duration, window.timezone).current(at)
        assert opened is not None
        assert opened.end - opened.start == 6.5 * HOUR
    assert night.window(START, "Asia/Kolkata").timezone == "+05:30"
    assert night.window(START, "no/where").timezone == "+02:00"


@pytest.mark.parametrize(
    "content",
    [
        {"night": {"hours": "22:00-06:00", "zone": "no/where"}},
        {"night": {"hours": "22-6", "zone": "UTC"}},
        {
            "night": {"hours": "22:00-06:00", "zone": "UTC"},
            "window": {"schedule": "0 0 1 * * ?", "duration": "01:00:00", "timezone": "+08:00"},
        },
        {"hawkbit": [{}], "segment": "city"},
        {"type": "timeforced"},
        {"retries": 11},
        {"colour": "blue"},
    ],
)
def test_what_is_no_plan_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(BadValue):
        read_rollout_plan(content)


def test_a_plan_survives_its_json_and_hawkbits_has_no_holdout() -> None:
    plan = read_rollout_plan({"hawkbit": [{"name": "a", "target_percentage": 10}, {}], "retries": 2})
    assert msgspec.json.decode(msgspec.json.encode(plan), type=RolloutPlan) == plan
    assert (plan.held_back, plan.succeeds) == (0.0, "finished")
    assert (RolloutPlan().held_back, RolloutPlan().succeeds) == (0.05, "reported")
