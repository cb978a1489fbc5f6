"""Each public claim beside the book."""

from __future__ import annotations

from typing import Any

import pytest

from driveaway.briefing import CheckedClaim, check_claims
from driveaway.briefing.claims import arranged, parse_arguments
from driveaway.facts.public import ClaimMade
from driveaway.values.errors import BadValue


def found(launch: Any) -> dict[str, CheckedClaim]:
    return {claim.claim: claim for claim in check_claims(launch)}


def claim(launch: Any, **fields: Any) -> CheckedClaim:
    content: dict[str, Any] = {
        "speaker": "The maker",
        "said": "So it is.",
        "qualifier": "exactly",
        "as_of": "2024-04-24",
    }
    launch.recorded["claim.made"] = []
    launch.record("claim.made", "one", "2024-04-24T10:00", ClaimMade(**content | fields))
    return found(launch)["one"]


def test_each_claim_is_checked_as_of_its_own_time(launch: Any) -> None:
    claims = found(launch)
    assert claims["locked-75723"].verdict == "agrees"
    early = claims["locked-40000"]
    assert early.measured == "24531"
    assert early.difference == "-5469"
    assert early.verdict == "disagrees"
    assert early.text["en"] == "The book has 24,531, 5,469 below what was said."
    assert early.evidence is not None
    assert early.evidence.as_of.startswith("2024-04-03T23:59:59")
    assert "--as-of 2024-04-03 --mark 512345 --launch launches/su7" in early.evidence.recompute


def test_arguments_and_percent(launch: Any) -> None:
    women = found(launch)["women-28"]
    assert (women.verdict, women.measured, women.difference) == ("agrees", "28.00", "0.00")
    assert women.evidence is not None
    assert women.evidence.arguments == {"sex": "female"}


def test_by_construction_is_told(launch: Any) -> None:
    claims = found(launch)
    assert claims["locked-75723"].by_construction
    assert not claims["women-28"].by_construction
    assert claims["locked-75723"].simulated
    assert not claims["stores"].simulated


def test_about_is_shown_with_the_difference(launch: Any) -> None:
    stores = found(launch)["stores"]
    assert (stores.verdict, stores.difference) == ("approximate", "-1")


def test_deliveries_counted_from_the_release_are_a_trap(launch: Any) -> None:
    (trap,) = found(launch)["delivered-5781"].traps
    assert "first car was handed over on 3 April 2024" in trap.text["en"]
    assert "in 22 days" in trap.text["en"]
    assert "22天" in trap.text["zh"]


def test_no_trap_where_no_period_was_said(launch: Any) -> None:
    said = claim(launch, said="5,781 cars by 24 April.", figure="cars.delivered", value="5781")
    assert said.traps == ()


def test_a_raised_target_is_a_trap(launch: Any) -> None:
    claims = found(launch)
    (trap,) = claims["year-target"].traps
    assert trap.text["en"] == "The target of 100,000 was raised from 76,000 on 23 April 2024."
    assert claims["year-target"].verdict == "cannot be checked"
    assert claims["year-target"].why == {
        "en": "It is an aim; the year is not over.",
        "zh": "It is an aim; the year is not over.",
    }


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"figure": "fleet.active", "value": "79"}, "There is no figure 'fleet.active'"),
        ({"figure": "orders.locked"}, "No number was said."),
        ({"value": "3"}, "No figure of the book answers it."),
        ({"figure": "orders.locked", "value": "3", "as_of": "2024-12-31"}, "after the as-of"),
        ({"figure": "orders.locked", "value": "3", "as_of": "some day"}, "is not a time"),
        ({"figure": "trials.range_kept", "value": "80"}, "The figure gives 5 rows"),
        ({"figure": "orders.locked", "value": "3", "arguments": "trim"}, "is not a query"),
    ],
)
def test_what_cannot_be_checked_says_why(launch: Any, fields: dict[str, Any], why: str) -> None:
    said = claim(launch, **fields)
    assert said.verdict == "cannot be checked"
    assert said.why is not None
    assert why in said.why["en"]
    assert said.measured is None


def test_an_unknown_answer_gives_its_reason(launch: Any) -> None:
    launch.answers["orders.locked"] = lambda at, by, a: {"unknown": "the book holds no order.locked"}
    said = claim(launch, figure="orders.locked", value="3")
    assert said.why == {"en": "The book holds no order.locked.", "zh": "The book holds no order.locked."}


def test_a_suppressed_cell_cannot_be_checked(launch: Any) -> None:
    launch.answers["buyers.share"] = lambda at, by, a: {
        "rows": [{"sex": "other", "value": None, "suppressed": True}]
    }
    said = claim(launch, figure="buyers.share", arguments="sex=other", value="1", percent=True)
    assert said.why is not None
    assert said.why["en"] == "It rests on too few people to be shown."


def test_one_row_is_its_value(launch: Any) -> None:
    launch.answers["orders.locked"] = lambda at, by, a: {"rows": [{"trim": "Max", "value": 7}]}
    assert claim(launch, figure="orders.locked", value="7", arguments="trim=Max").verdict == "agrees"


def test_a_small_disagreement_is_never_shown_as_nothing(launch: Any) -> None:
    launch.answers["buyers.share"] = lambda at, by, a: {"value": 0.279_999_9}
    said = claim(launch, figure="buyers.share", qualifier="at least", value="28", percent=True)
    assert said.verdict == "disagrees"
    assert said.text["en"] == "The book has 27.99999%, 0.00001 percentage points below what was said."


def test_a_day_of_1400_km_raises_the_question_of_rest(launch: Any) -> None:
    (flag,) = found(launch)["assisted-1400"].flags
    assert flag.entry == "rest-en"


def test_arranged_tells_disagreement_first_and_groups_the_rest(launch: Any) -> None:
    launch.record(
        "claim.made",
        "plain",
        "2024-04-24T10:00",
        ClaimMade(speaker="X", said="y", qualifier="about", as_of="2024-04-24", why_not="No trips."),
    )
    told, reasons = arranged(check_claims(launch))
    assert [c.verdict for c in told][:2] == ["disagrees", "disagrees"]
    assert {c.claim for c in told} >= {"year-target", "assisted-1400"}
    assert [(why["en"], [c.claim for c in claims]) for why, claims in reasons] == [("No trips.", ["plain"])]


def test_arguments_are_read_as_a_query() -> None:
    assert parse_arguments(None) == {}
    assert parse_arguments("previous_brand=BMW|Mercedes-Benz&car=SU7+Max") == {
        "previous_brand": "BMW|Mercedes-Benz",
        "car": "SU7 Max",
    }
    with pytest.raises(BadValue, match="twice"):
        parse_arguments("sex=female&sex=male")


def test_json_of_a_claim_has_its_evidence(launch: Any) -> None:
    told = found(launch)["delivered-5781"].json()
    assert told["verdict"] == "agrees"
    assert told["by_construction"] is True
    assert told["evidence"]["figure"] == "cars.delivered"
    assert told["evidence"]["mark"] == 512_345
