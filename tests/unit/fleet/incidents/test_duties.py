"""Duties to report: the packaged list, to whom they apply, and until when."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.facts.duties import Duty
from driveaway.facts.fleet import Fleet
from driveaway.facts.incidents import OUTCOMES, FunctionState, IncidentFiled, IncidentReported
from driveaway.fleet.incidents.due import OPEN, open_reports, reports
from driveaway.fleet.incidents.duties import (
    applies,
    deadline,
    duties_of,
    duty_named,
    packaged_duties,
    period_ends,
)
from driveaway.fleet.incidents.register import Filing, Incident, Register
from driveaway.values.clock import DAY, HOUR, parse_instant
from driveaway.values.errors import NotFound
from driveaway.values.ids import parse_slug

ZONE = ZoneInfo("Asia/Shanghai")
AT = parse_instant("2025-07-01T10:00:00+08:00", None)
ENGAGED = (FunctionState(second=30, function="pilot", state="engaged", level=2),)
TAKEN_OVER = (*ENGAGED, FunctionState(second=10, function="pilot", state="overridden"))


def incident(
    *outcomes: str, country: str = "US", at: int = AT, corrected: int | None = None, **more: Any
) -> Incident:
    more.setdefault("states", ENGAGED)
    report = IncidentReported(incident="i", outcomes=outcomes, country=country, **more)  # type: ignore[arg-type]
    return Incident("i", "VIN", at, 1, corrected, False, report)


def named(name: str) -> Duty:
    return duty_named(Fleet(), name)


def asked(one: Incident) -> dict[str, str]:
    """Duty → whether it applies, of those that do or may."""
    verdicts = {duty.name: applies(duty, one, ZONE) for duty in packaged_duties()}
    return {name: verdict for name, verdict in verdicts.items() if verdict != "no"}


def test_every_packaged_duty_says_where_it_is_from() -> None:
    names = [duty.name for duty in packaged_duties()]
    assert len(set(names)) == len(names) >= 10
    for duty in packaged_duties():
        assert duty.reference
        assert duty.source
        assert duty.to
        date.fromisoformat(duty.valid_from)
        terms = (duty.hours, duty.days, duty.month_day, duty.every)
        # A number, or why there is none; never both, never neither.
        assert (duty.when_said is None) == any(term is not None for term in terms), duty.name
        assert duty.certain or duty.note, duty.name
        assert parse_slug(f"{duty.name}.2025-12-31")


@pytest.mark.parametrize(
    ("outcomes", "level", "duties"),
    [
        (("airbag_deployed",), 2, {"us.sgo.five-day-level-2"}),
        (("tow_away", "crash"), 2, set()),
        (("tow_away", "crash"), 3, {"us.sgo.five-day-ads"}),
        (("crash",), 4, {"us.sgo.monthly-ads"}),
        (("fatality", "crash"), 4, {"us.sgo.five-day-ads"}),
    ],
)
def test_in_the_united_states(outcomes: tuple[str, ...], level: int, duties: set[str]) -> None:
    states = (FunctionState(second=20, function="pilot", state="engaged", level=level),)
    assert set(asked(incident(*outcomes, states=states))) == duties


def test_thirty_seconds_and_five() -> None:
    assert asked(incident("hospital", states=TAKEN_OVER)) == {"us.sgo.five-day-level-2": "yes"}
    assert not asked(incident("hospital", country="DE", states=TAKEN_OVER))
    late = (*ENGAGED, FunctionState(second=5, function="pilot", state="deactivated"))
    assert set(asked(incident("hospital", country="DE", states=late))) == {
        "un.r171.notification",
        "un.r171.short-term",
    }


def test_what_is_not_known_is_said() -> None:
    assert asked(incident("fatality", states=())) == {
        "us.sgo.five-day-level-2": "unknown",
        "us.sgo.five-day-ads": "unknown",
    }
    no_level = (FunctionState(second=0, function="pilot", state="engaged"),)
    assert asked(incident("fatality", states=no_level))["us.sgo.five-day-ads"] == "unknown"
    assert not asked(incident("fatality", states=(FunctionState(second=30, function="pilot", state="off"),)))


def test_a_fire_in_china() -> None:
    hurt = incident("fire", "injury", country="CN", states=())
    assert set(asked(hurt)) == {
        "cn.fire.first",
        "cn.fire.first-casualties",
        "cn.fire.form",
        "cn.2025-45.incident",
    }
    assert set(asked(incident("fire", country="CN"))) == {"cn.fire.first", "cn.fire.form"}
    terms = [deadline(named(name), hurt, ZONE) for name in ("cn.fire.first-casualties", "cn.fire.form")]
    assert terms == [AT + 6 * HOUR, AT + 48 * HOUR]
    assert deadline(named("cn.2025-45.incident"), hurt, ZONE) is None


def test_time_runs_from_when_it_was_learned_of() -> None:
    duty = named("us.sgo.five-day-level-2")
    assert deadline(duty, incident("fatality", learned=AT + DAY), ZONE) == AT + 6 * DAY
    assert deadline(duty, incident("fatality"), ZONE) == AT + 5 * DAY


def test_before_it_held_it_did_not() -> None:
    before = parse_instant("2025-06-15T23:59:59+08:00", None)
    assert not asked(incident("fatality", at=before))
    assert asked(incident("fatality", at=before, learned=before + DAY))


def test_a_day_of_the_following_month() -> None:
    duty = named("us.sgo.monthly-ads")
    end = parse_instant("2025-08-15T23:59:59+08:00", None)
    assert deadline(duty, incident("crash"), ZONE) == end
    last = msgspec.structs.replace(duty, month_day=31)
    january = parse_instant("2026-01-31T08:00:00+08:00", None)
    assert deadline(last, incident("crash", at=january), ZONE) == parse_instant(
        "2026-02-28T23:59:59+08:00", None
    )
    december = parse_instant("2025-12-31T23:59:00+08:00", None)
    assert deadline(duty, incident("crash", at=december), ZONE) == parse_instant(
        "2026-01-15T23:59:59+08:00", None
    )


def test_what_the_maker_had_not_learned_of_was_not_due() -> None:
    one = incident("fatality", learned=AT + 3 * DAY)
    found = Register((one,), (), (), {"i": one})
    assert reports(found, Fleet(), ZONE, AT + 3 * DAY - 1) == []
    assert len(reports(found, Fleet(), ZONE, AT + 3 * DAY)) == 1
    assert len(open_reports(found, (one,), Fleet(), ZONE)) == 1


def test_an_update_is_due_once_it_was_corrected() -> None:
    first = incident("fatality")
    assert "us.sgo.update" not in asked(first)
    corrected = incident("fatality", corrected=AT + DAY)
    found = Register((corrected,), (_filing("us.sgo.update", AT + HOUR),), (), {"i": corrected})
    (row,) = [each for each in reports(found, Fleet(), ZONE, AT + DAY) if each.duty.name == "us.sgo.update"]
    # What was filed before the correction does not tell of it.
    assert row.standing == "due"


def _filing(duty: str, at: int, outcome: Any = "filed") -> Filing:
    return Filing("i", duty, at, 2, IncidentFiled(duty=duty, outcome=outcome))


@pytest.mark.parametrize(
    ("filings", "as_of", "standing"),
    [
        ([], AT + 5 * DAY, "due"),
        ([], AT + 5 * DAY + 1, "overdue"),
        ([AT + 5 * DAY], AT + 9 * DAY, "filed"),
        ([AT + 5 * DAY + 1], AT + 9 * DAY, "filed_late"),
    ],
)
def test_how_a_report_stands(filings: list[int], as_of: int, standing: str) -> None:
    one = incident("fatality")
    made = tuple(_filing("us.sgo.five-day-level-2", at) for at in filings)
    (row,) = reports(Register((one,), made, (), {"i": one}), Fleet(), ZONE, as_of)
    assert (row.standing, row.open) == (standing, standing in OPEN)


def test_a_launch_adds_and_replaces_duties() -> None:
    own = msgspec.structs.replace(named("us.sgo.five-day-level-2"), days=2)
    more = msgspec.structs.replace(own, name="us.own")
    rules = Fleet(duties=(own, more))
    assert duty_named(rules, own.name).days == 2
    assert len(duties_of(rules)) == len(packaged_duties()) + 1
    with pytest.raises(NotFound):
        duty_named(rules, "us.none")


def test_regular_reports_are_due_where_the_launch_says_so() -> None:
    as_of = parse_instant("2026-02-01T00:00:00+08:00", None)
    assert reports(Register(), Fleet(), ZONE, as_of) == []
    rows = reports(Register(), Fleet(countries=("DE",)), ZONE, as_of)
    assert {(row.subject, row.standing) for row in rows} == {
        ("un.r171.yearly.2024-12-31", "overdue"),
        ("un.r171.yearly.2025-12-31", "overdue"),
        ("un.r171.yearly.2026-12-31", "due"),
    }
    filing = Filing(
        "un.r171.yearly.2024-12-31", "un.r171.yearly", as_of, 3, IncidentFiled(duty="un.r171.yearly")
    )
    found = reports(Register(filings=(filing,)), Fleet(countries=("DE",)), ZONE, as_of)
    assert [row.standing for row in found] == ["overdue", "due", "filed_late"]


@given(st.dates(date(2024, 1, 1), date(2027, 1, 1)), st.sampled_from(["month", "year"]), st.integers(0, 900))
def test_periods_leave_no_gap(first: date, every: Any, length: int) -> None:
    until = date.fromordinal(first.toordinal() + length)
    duty = msgspec.structs.replace(named("un.r171.yearly"), every=every, valid_from=first.isoformat())
    periods = period_ends(duty, until)
    assert periods[0][0] == first
    assert periods[-1][0] <= until <= periods[-1][1]
    assert all(after[0].toordinal() == before[1].toordinal() + 1 for before, after in pairwise(periods))


@given(
    st.lists(st.sampled_from(OUTCOMES), min_size=1, unique=True),
    st.sampled_from(["US", "DE", "CN", "FR", "BR"]),
    st.sampled_from([(), ENGAGED, TAKEN_OVER]),
    st.booleans(),
)
def test_more_outcomes_never_mean_that_nothing_is_due(
    outcomes: list[Any], country: str, states: Any, learned: bool
) -> None:
    """Of a report that was due, another one is due in its place at the least when it was worse."""
    one = incident(*outcomes, country=country, states=states, learned=AT + DAY if learned else None)
    worse = incident(*outcomes, "fatality", country=country, states=states)
    if asked(one):
        assert asked(worse)
    for name in asked(one):
        due = deadline(named(name), one, ZONE)
        assert due is None or due > AT
