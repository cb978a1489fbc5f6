"""A rollout's picture, and what a plan says about nights and hawkBit."""

from __future__ import annotations

import json
import re
from zoneinfo import ZoneInfo

import msgspec
import pytest
from altair.vegalite.v6.schema import core

from driveaway.briefing.texts import Texts
from driveaway.plots.rollout import Decided, rolled_out
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
