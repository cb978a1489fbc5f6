"""A changed launch is planned by the same code: each change does what it says, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from driveaway.delivery.planning.problem import Amounts, Limit
from driveaway.delivery.supply import NOT_LIMITED
from driveaway.delivery.whatif import apply, parse
from driveaway.facts.description import Description
from tests.unit.delivery.whatif.wished import AS_OF, DAYS, EVERYTHING, day, modelled


def changed(text: str) -> Description:
    return apply(EVERYTHING, parse(text, EVERYTHING, AS_OF))


def output(text: str, line: int = 0) -> Amounts:
    found = modelled(changed(text) if text else EVERYTHING)
    assert found.problems == ()
    return found.supply.lines[line].output


def limit(text: str, name: str) -> Limit:
    found = modelled(changed(text) if text else EVERYTHING)
    assert found.problems == ()
    return next(item for item in found.supply.limits if item.name == name)


def lead(text: str, code: str) -> float:
    found = {region.code: region.lead for region in modelled(changed(text)).supply.regions}[code]
    return float((found * np.arange(len(found))).sum())


BEFORE = output("")
SINCE = np.arange(DAYS)


def test_no_change_changes_nothing() -> None:
    assert apply(EVERYTHING, ()) is EVERYTHING


def test_a_second_shift_learns_as_the_first_did() -> None:
    after = output("second shift of 4 h from 2024-06-17 until 2024-07-12 on north")
    runs = (day("2024-06-17") <= SINCE) & (day("2024-07-12") >= SINCE) & (BEFORE > 0)
    learned = np.minimum(1.0, 0.5 + 0.05 * (SINCE - day("2024-06-17")))
    assert after == pytest.approx(BEFORE + np.where(runs, 20 * learned, 0))
    assert output("second shift from June on north", 1).tolist() == output("", 1).tolist()
    # Not said on which line: on all, of a plant without lines, too.
    assert output("second shift from June", 1)[day("2024-06-03")] == 10


def test_a_shift_that_ends() -> None:
    found = modelled(changed("no day shift from 2024-07-01 on north"))
    assert [problem.code for problem in found.problems] == ["delivery.calendar_gap"]
    assert found.supply.lines[0].output.tolist() == np.where(day("2024-07-01") > SINCE, BEFORE, 0).tolist()
    both = changed("second shift from June; no second shift from June")
    assert both.plants[0] == EVERYTHING.plants[0]


@pytest.mark.parametrize(("on", "line"), [("", 0), ("", 1), (" on south", 1), (" on south/line", 1)])
def test_a_line_stop_takes_its_days(on: str, line: int) -> None:
    inside = (day("2024-07-01") <= SINCE) & (day("2024-07-07") >= SINCE)
    after = output(f"line stop 1–7 July{on}", line)
    assert after.tolist() == np.where(inside, 0, output("", line)).tolist()
    if on:
        assert output(f"line stop 1–7 July{on}").tolist() == BEFORE.tolist()


def test_a_rate_holds_for_its_time_and_then_the_old_one() -> None:
    july = (day("2024-07-01") <= SINCE) & (day("2024-07-31") >= SINCE)
    for text, factor in (
        ("jobs per hour 12 in July on north", 1.2),
        ("jobs per hour +20% in July on north", 1.2),
        ("takt 300 s in July on north", 1.2),
        ("availability 60% in July on north", 1.2),
        ("availability +20% in July on north", 1.2),
        ("shift hours 9.6 in July on north", 1.2),
        ("shift hours +20% in July on north", 1.2),
        (
            "jobs per hour 5 until 2024-08-31; jobs per hour +140% in July; jobs per hour 10 until June; "
            "jobs per hour 10 in August",
            1.2,
        ),
    ):
        after = output(text)
        assert after == pytest.approx(np.where(july, BEFORE * factor, BEFORE)), text
    assert output("jobs per hour +10% on south", 1) == pytest.approx(output("", 1) * 1.1)
    assert changed("availability +150%").plants[0].lines[0].availability == 1.0


def test_days_of_the_week_and_days_off_that_are_worked() -> None:
    after = output("6 days a week in July on north")
    gained = {i for i in range(DAYS) if after[i] != BEFORE[i]}
    assert gained == {day(f"2024-07-{d:02}") for d in (6, 13, 20, 27)}
    after = output("work on 9–10 June")
    assert {i for i in range(DAYS) if after[i] != BEFORE[i]} == {day("2024-06-09"), day("2024-06-10")}
    assert after[day("2024-06-09")] == 40
    assert [h.from_day for h in changed("work on 9–10 June").calendar.holidays] == [
        "2024-06-08",
        "2024-06-11",
    ]


def test_a_limit_is_raised_for_its_time() -> None:
    before = limit("", "lidar").amount
    late = day("2024-05-20") <= SINCE
    assert (
        limit("lidar +25% from 2024-05-20", "lidar").amount.tolist()
        == np.where(late, before * 1.25, before).tolist()
    )
    assert limit("lidar +25%", "lidar").amount.tolist() == (before * 1.25).tolist()
    july = (day("2024-07-01") <= SINCE) & (day("2024-07-31") >= SINCE)
    assert limit("lidar 7 per day in July", "lidar").amount.tolist() == np.where(july, 7, before).tolist()
    lifted = limit("lidar unlimited in July", "lidar").amount
    assert lifted.tolist() == np.where(july, NOT_LIMITED, before).tolist()


def test_cars_without_a_limit_get_one() -> None:
    for text, covers in (
        ("Max 7 per day", [False, True]),
        ("Red 7 per day", [True, False]),
        ("101 kWh pack 7 per day", [False, True]),
    ):
        new = limit(text, text.split(" 7")[0])
        assert (new.covers.tolist(), new.period) == (covers, "day")
        assert set(new.amount.tolist()) == {7.0}
    weekly = limit("Max 70 per week from 2024-05-06 until 2024-05-19", "Max")
    assert weekly.amount[::7].tolist() == [NOT_LIMITED, 70, 70, *[NOT_LIMITED] * 23]
    again = limit("Max 7 per day in July; Max +100%; Max 9 per day in August", "Max").amount
    of_july, of_august = day("2024-07-01"), day("2024-08-01")
    assert again[[of_july - 1, of_july, of_august, of_august + 31]].tolist() == [
        NOT_LIMITED,
        14,
        9,
        NOT_LIMITED,
    ]


def test_parts_arrive_more_often() -> None:
    before = limit("", "motors").amount
    june = (day("2024-06-01") <= SINCE) & (day("2024-06-30") >= SINCE)
    assert limit("motors +50% in June", "motors").amount == pytest.approx(
        np.where(june, before * 1.5, before)
    )
    assert limit("motors +50%", "motors").amount[1:] == pytest.approx(before[1:] * 1.5)
    more = limit("motors 33 arrive on 2 June", "motors").amount
    assert (more - before).tolist() == np.where(day("2024-06-02") == SINCE, 33, 0).tolist()


def test_transport_takes_longer() -> None:
    assert lead("transport +3 days to 650000", "650000") == pytest.approx(11, abs=1e-3)
    assert lead("transport +3 days to 650000", "540000") == pytest.approx(8, abs=1e-3)
    assert lead("transport +3 days", "540000") == pytest.approx(11, abs=1e-3)
    assert lead("transport +3 days", "110000") == pytest.approx(7, abs=1e-3)
    assert lead("transport 2 days", "540000") == pytest.approx(2, abs=1e-3)
    assert lead("transport -9 days", "110000") == 0


def test_handovers_have_another_capacity() -> None:
    def capacity(text: str, code: str) -> list[float]:
        region = next(r for r in modelled(changed(text)).supply.regions if r.code == code)
        assert region.handovers is not None
        return region.handovers[[0, day("2024-07-01"), day("2024-08-01")]].tolist()

    assert capacity("handovers +10% in July", "110000") == [20, pytest.approx(22), 20]
    assert capacity("handovers -50% in Beijing", "110000") == [10, 10, 10]
    assert capacity("handovers 9 per day in Beijing in July", "110000") == [20, 9, 20]
    assert capacity("handovers 9 per day in Tibet, Hunan", "430000") == [9, 9, 9]


def test_targets_and_cancellations() -> None:
    assert [target.amount for target in changed("target deliveries-2024 500").targets] == [100, 500]
    assert changed("cancellations +50%").cancellations[0].per_day == pytest.approx(0.0015)
