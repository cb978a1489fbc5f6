"""The packaged cases read well, and the SU7's hold the whole public record."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from driveaway.briefing import Texts
from driveaway.cases import NAMES, case_claims, case_description, case_drafts, case_text
from driveaway.facts.public import CarTested, ClaimMade, EventHeld
from driveaway.values.clock import parse_as_of, parse_instant, show, zone
from driveaway.values.errors import NotFound
from driveaway.values.ids import parse_slug

TZ = zone("Asia/Shanghai")
CLAIMS = {d.subject: d.body for d in case_claims("su7") if isinstance(d.body, ClaimMade)}


@pytest.mark.parametrize("name", NAMES)
def test_every_case_describes_a_launch(name: str) -> None:
    description = case_description(name)
    for target in description.targets:
        assert parse_slug(target.name)
        assert target.measure in {"cars.delivered", "outlets.open", "outlets.cities"}


def test_su7_is_the_car_of_the_record() -> None:
    su7 = case_description("su7")
    assert {t.name: t.price for t in su7.trims} == {"Standard": "215900", "Pro": "245900", "Max": "299900"}
    assert {t.name: t.range_m for t in su7.trims} == {
        "Standard": 700_000,
        "Pro": 830_000,
        "Max": 800_000,
    }
    assert len(su7.colours) == 9
    assert su7.rules.refundable_hours == 168
    founder, second = su7.editions
    assert (founder.quota, founder.deposit, founder.locks_at_payment) == (5000, "20000", True)
    assert (second.quota, second.deposit, second.locks_at_payment) == (None, "20000", True)
    raised = [(t.set_on, t.amount) for t in su7.targets if t.name == "deliveries-2024"]
    assert raised == [("2024-03-28", 76_000), ("2024-04-23", 100_000)]
    assert su7.plants[0].takt_seconds == 76


def test_every_claim_of_the_record_is_there() -> None:
    # The record to 25 April has 72 lines that claim a figure or a plan, and 9 of publicity; two
    # more claims stand in its notes: the four days, and the wording "within 28 days". Two lines say
    # two things each (orders locked, and the share returned): they are two claims each.
    families = Counter(
        "wait" if slug.startswith("wait-") else "range" if slug.startswith("range-") else "other"
        for slug in CLAIMS
    )
    assert families == {"wait": 24, "range": 10, "other": 42}
    assert len(CLAIMS) == 72 + 2 + 2
    assert Counter(type(d.body) for d in case_drafts("su7")) == {ClaimMade: 76, EventHeld: 9, CarTested: 5}


def test_each_claim_can_be_checked_or_says_why_not() -> None:
    figures = {
        "orders.reserved",
        "orders.locked",
        "cars.delivered",
        "cars.delivered_since_launch_days",
        "buyers.share",
        "outlets.open",
        "outlets.cities",
        "trials.range_kept",
        "fleet.active_rate",
        "fleet.assisted_distance",
        "fleet.most_in_one_day",
    }
    for slug, claim in CLAIMS.items():
        assert parse_slug(slug)
        assert claim.reference
        assert (claim.figure is None) != (claim.why_not is None), slug
        assert parse_as_of(claim.as_of, TZ)
        if claim.figure:
            assert claim.figure in figures
            assert claim.value is not None
    assert {c.figure for c in CLAIMS.values()} - {None} == figures


def test_a_claim_says_one_thing() -> None:
    """Where a sentence holds two numbers, the second is a claim of its own: none agrees half-checked."""
    for day, share in (("2024-04-02", "40"), ("2024-04-14", "55")):
        locked, returned = CLAIMS[f"locked-{day}"], CLAIMS[f"returned-{day}"]
        assert locked.figure == "orders.locked"
        assert f"{share}%" not in locked.said
        assert f"{share}%" in returned.said
        assert (returned.figure, returned.value, returned.percent) == (None, share, True)
        assert (returned.grade, returned.reference) == (locked.grade, locked.reference)


def test_the_record_stands_in_chinese_too() -> None:
    drafts = [d.body for d in case_drafts("su7")]
    words = Texts("zh")
    for body in drafts:
        if isinstance(body, ClaimMade):
            assert body.said_zh
            assert words.number(body.speaker, "speaker") != body.speaker
            digits = re.sub(r"\D", "", body.value or "")
            if body.percent and body.value:
                assert f"{body.value}%" in body.said_zh
            elif digits and body.unit in {"orders", "cars", "outlets", "weeks"}:
                said = re.sub(r"[,，]", "", body.said_zh)
                count = int(digits)
                assert str(count) in said or f"{count // 10_000}万" in said or count == 0, body.said_zh
        elif isinstance(body, EventHeld):
            assert body.title_zh
        elif isinstance(body, CarTested):
            assert words.number(body.tester, "speaker") != body.tester
            assert words.number(body.condition, "condition") != body.condition


def test_wording_traps_are_named() -> None:
    assert "22 days" in (CLAIMS["delivered-2024-04-24"].trap or "")
    assert "22 days" in (CLAIMS["delivered-within-28-days"].trap or "")
    assert "27 days and 2 hours" in (CLAIMS["delivered-within-28-days"].trap or "")
    assert "76,000" in (CLAIMS["year-target-100000"].trap or "")
    assert "rest" in (CLAIMS["assistance-longest-day"].trap or "")


def test_grades_follow_the_record() -> None:
    assert CLAIMS["locked-2024-04-02"].grade == "B"
    assert CLAIMS["locked-2024-04-14"].grade == "C"
    assert CLAIMS["locked-2024-04-24"].grade == "A"
    assert not CLAIMS["locked-2024-04-02"].by_construction
    assert not CLAIMS["locked-2024-04-14"].by_construction


def test_drafts_are_public_and_known_by_the_press_event() -> None:
    drafts = list(case_drafts("su7"))
    today = parse_instant(case_description("su7").today or "", TZ)
    assert [d.happened for d in drafts] == sorted(d.happened for d in drafts)
    assert len({d.source for d in drafts}) == len({d.subject for d in drafts}) == len(drafts)
    for draft in drafts:
        assert not draft.simulated
        assert draft.source == f"urn:driveaway:case:su7/{draft.subject}"
        assert draft.happened <= today, show(draft.happened, TZ)


def test_range_tests_are_in_metres_with_rivals() -> None:
    tests = {d.subject: d.body for d in case_drafts("su7") if isinstance(d.body, CarTested)}
    most = tests["test-dongchedi-su7-max"]
    assert (most.distance, most.claimed_distance, most.rival) == (643_000, 800_000, False)
    assert sum(t.rival for t in tests.values()) == 3
    for test in tests.values():
        claim = next(
            c for c in CLAIMS.values() if c.arguments == f"car={test.car}&condition={test.condition}"
        )
        assert test.distance is not None
        assert test.claimed_distance is not None
        assert f"{100 * test.distance / test.claimed_distance:.1f}" == claim.value


def test_unknown_cases_and_files_are_named() -> None:
    with pytest.raises(NotFound, match=r"case\.unknown"):
        case_text("su8")
    with pytest.raises(NotFound, match=r"case\.file"):
        case_text("bare", "claims.csv")
    assert list(case_drafts("bare")) == []
