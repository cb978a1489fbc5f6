"""Growth by stages, rate, exponential and groups: how many, and why not more."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.updates.rollouts.columns import NEVER, SECOND
from driveaway.updates.rollouts.growth import Progress, allowed, earliest, raised_at
from driveaway.updates.rollouts.plans import (
    ByGroups,
    ByRate,
    ByStages,
    Exponential,
    Group,
    Stage,
    read_plan,
)
from driveaway.values.errors import BadValue
from tests.unit.updates.rollouts.fleet import DAY, HOUR

MINUTE = 60 * SECOND


def progress(**fields: Any) -> Progress:
    """Of 950 cars in one segment; single numbers stand for that segment."""
    values: dict[str, Any] = {"cars": 950, "opened": 0, "reported": 0, "last_opened": 0, "started": 0}
    values |= fields
    for name in ("cars", "opened", "reported"):
        values[name] = values[name] if isinstance(values[name], tuple) else (values[name],)
    return Progress(**values)


def test_the_default_stages_in_their_time() -> None:
    plan = ByStages()
    first = allowed(plan, 0, progress())
    assert (first.step, first.steps, first.cars, first.until) == (1, 5, 10, DAY)
    waits = allowed(plan, DAY - 1, progress(opened=10, steps=(0,)))
    assert (waits.cars, waits.waits, waits.until) == (10, "minimum_duration", DAY)
    assert "at least 24 h" in waits.text
    assert allowed(plan, DAY, progress(opened=10, steps=(0,))).cars == 48
    last = progress(opened=950, steps=(0, DAY, 2 * DAY, 4 * DAY, 11 * DAY))
    assert allowed(plan, 14 * DAY - 1, last).waits == "minimum_duration"
    assert allowed(plan, 14 * DAY, last).waits == "complete"
    assert allowed(plan, 14 * DAY, last).whole


def test_time_on_hold_does_not_count() -> None:
    held = progress(opened=10, steps=(0,), holds=((HOUR, 7 * HOUR), (20 * HOUR, NEVER)))
    assert allowed(ByStages(), 30 * HOUR, held).until == 30 * HOUR + 10 * HOUR
    resumed = progress(opened=10, steps=(0,), holds=((HOUR, 7 * HOUR),))
    assert allowed(ByStages(), 30 * HOUR, resumed).step == 2


def test_too_few_that_reported_hold_a_stage_until_its_limit() -> None:
    plan = ByStages(stages=(Stage(share=0.1, reported=0.5, at_most_s=3 * 86_400), Stage(share=1.0)))
    few = progress(opened=95, reported=40, steps=(0,))
    waits = allowed(plan, DAY, few)
    assert (waits.waits, waits.until) == ("too_few_reported", 3 * DAY)
    assert "42.1%" in waits.text
    assert "50.0%" in waits.text
    assert allowed(plan, DAY, progress(opened=95, reported=48, steps=(0,))).step == 2
    assert allowed(plan, 3 * DAY, few).step == 2
    endless = ByStages(stages=(Stage(share=0.1, reported=0.5), Stage(share=1.0)))
    assert allowed(endless, 90 * DAY, few).until is None


def test_at_a_rate_a_hold_is_not_caught_up() -> None:
    plan = ByRate(cars=60, per="hour")
    found = allowed(plan, 90 * MINUTE, progress())
    assert (found.cars, found.waits, found.until) == (90, "rate", 91 * MINUTE)
    held = allowed(plan, 90 * MINUTE, progress(holds=((10 * MINUTE, 70 * MINUTE),)))
    assert held.cars == 30
    assert allowed(ByRate(cars=24, per="day"), 3 * HOUR, progress()).cars == 3


def test_at_a_rate_it_lasts_once_all_are_open() -> None:
    plan = ByRate(cars=60, then_s=3600)
    assert allowed(plan, 20 * HOUR, progress()).waits == "minimum_duration"
    done = progress(opened=950, last_opened=16 * HOUR)
    assert allowed(plan, 17 * HOUR - 1, done).until == 17 * HOUR
    assert allowed(plan, 17 * HOUR, done).waits == "complete"


def test_exponential_growth_as_aws_describes_it() -> None:
    plan = Exponential(base_per_minute=10, increment_factor=2, every_notified=100, maximum_per_minute=30)
    raises = (10 * MINUTE, 15 * MINUTE, 19 * MINUTE)
    assert allowed(plan, 9 * MINUTE, progress()).cars == 90
    assert allowed(plan, 12 * MINUTE, progress(raises=raises[:1])).cars == 100 + 40
    # 40 a minute would come next: the maximum is 30, and stays.
    assert allowed(plan, 17 * MINUTE, progress(raises=raises[:2])).cars == 100 + 100 + 60
    assert allowed(plan, 20 * MINUTE, progress(raises=raises)).cars == 100 + 100 + 120 + 30
    assert raised_at(plan, list(range(250)), []) == (99, 199)
    by_success = Exponential(base_per_minute=1, every_succeeded=2)
    assert raised_at(by_success, [], [5, 7, 9, NEVER]) == (7,)
    assert raised_at(ByStages(), [1], [1]) == ()


def test_groups_in_turn() -> None:
    plan = ByGroups(
        groups=(Group(segments=("Shanghai", "Beijing"), reported=0.5), Group(segments=("Wuhan",)))
    )
    fleet = {"segments": ("Beijing", "Shanghai", "Wuhan", "Urumqi"), "cars": (100, 200, 50, 9)}
    none = progress(**{**fleet, "opened": (0, 0, 0, 0), "reported": (0, 0, 0, 0)})
    first = allowed(plan, 0, none)
    assert (first.segments, first.cars, first.whole) == (("Shanghai", "Beijing"), 300, True)
    waits = progress(**{**fleet, "opened": (100, 200, 0, 0), "reported": (90, 50, 0, 0), "steps": (0,)})
    assert allowed(plan, DAY, waits).waits == "too_few_reported"
    enough = progress(**{**fleet, "opened": (100, 200, 0, 0), "reported": (100, 50, 0, 0), "steps": (0,)})
    second = allowed(plan, DAY, enough)
    assert (second.segments, second.cars) == (("Shanghai", "Beijing", "Wuhan"), 350)
    done = progress(**{**fleet, "opened": (100, 200, 50, 0), "reported": (0, 0, 0, 0), "steps": (0, DAY)})
    assert allowed(plan, 2 * DAY, done).waits == "complete"


@given(
    st.sampled_from([ByRate(cars=7), Exponential(base_per_minute=0.5, every_notified=9)]),
    st.lists(st.integers(0, 40 * HOUR), min_size=2, max_size=2).map(sorted),
    st.lists(st.integers(0, 40 * HOUR), max_size=4).map(sorted),
)
def test_time_never_takes_cars_back(plan: ByRate | Exponential, times: list[int], raises: list[int]) -> None:
    early, late = (
        allowed(plan, now, progress(raises=tuple(each for each in raises if each <= now))) for now in times
    )
    assert early.cars <= late.cars <= 950


def test_plans_are_read_and_written() -> None:
    for plan in (
        ByStages(),
        ByRate(cars=5, per="day"),
        Exponential(base_per_minute=50, every_succeeded=1000),
        ByGroups(groups=(Group(segments=("Wuhan",)),)),
    ):
        assert read_plan(msgspec.to_builtins(plan)) == plan
    wrong: list[object] = [
        {"by": "stages", "stages": [{"share": 0.5}]},
        {"by": "stages", "stages": [{"share": 0.5}, {"share": 0.2}, {"share": 1}]},
        {"by": "exponential", "base_per_minute": 1},
        {"by": "groups", "groups": [{"segments": ["a"]}, {"segments": ["a"]}]},
        {"by": "luck"},
        {"by": "rate", "cars": 0},
    ]
    for content in wrong:
        with pytest.raises(BadValue, match=r"rollout\.growth"):
            read_plan(content)


@given(
    lasting=st.lists(st.integers(0, 72), min_size=1, max_size=6),
    held=st.tuples(st.integers(0, 100), st.integers(0, 50)),
    start=st.integers(0, 10),
)
def test_what_is_said_to_be_the_earliest_is_when_it_opens(
    lasting: list[int], held: tuple[int, int], start: int
) -> None:
    """Looked at each hour, with all that is opened reporting at once: each stage opens when it was told."""
    shares = [number / len(lasting) for number in range(1, len(lasting) + 1)]
    plan = ByStages(
        stages=tuple(
            Stage(share=share, minimum_s=hours * 3600) for share, hours in zip(shares, lasting, strict=True)
        )
    )
    hold = ((held[0] * HOUR, (held[0] + held[1]) * HOUR),)
    steps: tuple[int, ...] = ()
    told: tuple[int, ...] = ()
    for hour in range(start, start + 600):
        now = hour * HOUR
        past = tuple(each for each in hold if each[0] <= now)
        standing = progress(started=start * HOUR, steps=steps, holds=past, opened=1, reported=1)
        before, told = told, earliest(plan, now, standing)
        assert told[: len(steps)] == steps
        assert all(later >= now for later in told[len(steps) :])
        # A hold that begins moves what was told to later, and nothing moves it to earlier.
        assert not before or all(new >= old for new, old in zip(told, before, strict=True))
        if not any(since <= now < until for since, until in hold):
            while len(steps) < allowed(plan, now, progress(
                started=start * HOUR, steps=steps, holds=past, opened=1, reported=1)).step:  # fmt: skip
                assert told[len(steps)] == now
                steps = (*steps, now)
                told = earliest(plan, now, progress(started=start * HOUR, steps=steps, holds=past))
    assert len(steps) == len(lasting)


def test_plans_without_steps_begin_at_their_start() -> None:
    assert earliest(ByRate(cars=5), 7, progress(started=3)) == (3,)
