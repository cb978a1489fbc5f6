"""Whatever a change says, its text and its TOML say the same."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from driveaway.delivery.whatif import apply, parse, read_changes, sentence, show, toml
from driveaway.delivery.whatif.changes import (
    AddShift,
    Availability,
    Cancelling,
    Change,
    Handovers,
    LimitTo,
    LineRate,
    LineStop,
    PartArrival,
    ShiftHours,
    TargetAmount,
    TransportTime,
    WorkingWeek,
    WorkOn,
)
from driveaway.values.errors import BadValue
from tests.unit.delivery.whatif.wished import AS_OF, EVERYTHING, modelled

DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31)).map(date.isoformat)
SPANS = st.tuples(DAYS, DAYS).map(sorted).map(lambda days: {"from_day": days[0], "until_day": days[1]})
TIMES = st.one_of(
    st.just({}),
    SPANS,
    DAYS.map(lambda day: {"from_day": day}),
    DAYS.map(lambda day: {"until_day": day}),
)
NUMBERS = st.floats(0.001, 1e6)
PERCENTS = st.floats(-100, 1000)
LINES = st.sampled_from([(), ("north",), ("south/line",), ("north/1", "south")])
CODES = st.lists(st.sampled_from(["110000", "540000", "650000"]), unique=True, max_size=3).map(tuple)
NAMES = st.text(min_size=1, max_size=12)


def made(
    kind: type, times: st.SearchStrategy[dict[str, Any]] = TIMES, **fields: Any
) -> st.SearchStrategy[Any]:
    """A change of this kind with what its fields draw, and a time."""
    return st.builds(lambda when, said: kind(**when, **said), times, st.fixed_dictionaries(fields))


CHANGES: st.SearchStrategy[Change] = st.one_of(
    made(
        AddShift, SPANS, name=NAMES.filter(lambda name: name != "day"), hours=st.none() | NUMBERS, lines=LINES
    ),
    made(LineStop, SPANS, lines=LINES),
    made(LineRate, jobs_per_hour=NUMBERS, lines=LINES),
    made(LineRate, takt_seconds=NUMBERS, lines=LINES),
    made(LineRate, percent=PERCENTS, lines=LINES),
    made(Availability, share=st.floats(0, 1), lines=LINES),
    made(Availability, percent=PERCENTS, lines=LINES),
    made(ShiftHours, hours=NUMBERS, lines=LINES),
    made(WorkingWeek, days=st.integers(1, 7), lines=LINES),
    made(
        WorkOn,
        st.dates(date(2024, 1, 1), date(2030, 12, 31)).map(
            lambda day: (
                {"from_day": day.isoformat(), "until_day": day.replace(day=28).isoformat()}
                if day.day <= 28
                else {"from_day": day.isoformat(), "until_day": day.isoformat()}
            )
        ),
    ),
    made(LimitTo, limit=st.sampled_from(["lidar", 'odd; "name"']), percent=PERCENTS),
    made(
        LimitTo,
        limit=st.sampled_from(["lidar", "Max", "tow bar", "101 kWh pack"]),
        amount=NUMBERS,
        per=st.just("day"),
    ),
    made(LimitTo, limit=st.just("lidar")),
    made(PartArrival, DAYS.map(lambda day: {"day": day}), part=st.just("motors"), amount=NUMBERS),
    made(TransportTime, st.just({}), more_days=st.floats(-50, 50), regions=CODES),
    made(TransportTime, st.just({}), days=st.floats(0, 50), regions=CODES),
    made(Handovers, percent=PERCENTS, regions=st.sampled_from([(), ("110000",)])),
    made(Handovers, per_day=NUMBERS, regions=CODES.filter(bool)),
    made(TargetAmount, st.just({}), target=st.just("deliveries-2024"), amount=st.integers(0, 10**9)),
    made(Cancelling, st.just({}), percent=PERCENTS),
)


@given(CHANGES)
def test_text_and_file_say_the_same(change: Change) -> None:
    assert parse(show(change), EVERYTHING, AS_OF) == (change,)
    assert read_changes(toml([change])) == (change,)
    assert "\n" not in sentence(change) or "\n" in getattr(change, "name", "")


@given(st.lists(CHANGES, max_size=4))
def test_one_after_the_other_is_all_at_once(changes: list[Change]) -> None:
    names = [change.name for change in changes if isinstance(change, AddShift)]
    assume(len(set(names)) == len(names))
    whole = apply(EVERYTHING, changes)
    stepwise = EVERYTHING
    for change in changes:
        stepwise = apply(stepwise, [change])
    assert whole == stepwise
    if changes:
        assert parse("; ".join(map(show, changes)), EVERYTHING, AS_OF) == tuple(changes)
    found = modelled(whole)
    assert all((line.output >= 0).all() for line in found.supply.lines)


@given(st.text(max_size=40) | st.text(alphabet="lidar shftopen0129+-%.;:\"' ", max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        changes = parse(text, EVERYTHING, AS_OF)
    except BadValue as error:
        said = error
    else:
        assert parse(list(map(show, changes)), EVERYTHING, AS_OF) == changes
        return
    assert said.code
    assert said.remedy


@pytest.mark.parametrize("percent", [0.0, -0.0])
def test_no_percent_changes_no_plan(percent: float) -> None:
    changed = apply(EVERYTHING, [LimitTo(limit="lidar", percent=percent), LineRate(percent=percent)])
    before, after = modelled(EVERYTHING).supply, modelled(changed).supply
    assert [line.output.tolist() for line in after.lines] == [line.output.tolist() for line in before.lines]
    assert [x.amount.tolist() for x in after.limits] == [x.amount.tolist() for x in before.limits]
