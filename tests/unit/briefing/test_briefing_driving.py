"""The section about what the cars drive."""

from __future__ import annotations

from typing import Any

from driveaway.briefing.claims import check_claims
from driveaway.briefing.document import Briefing, brief
from driveaway.briefing.statement import Section
from driveaway.facts.public import ClaimMade


def _row(value: Any, **group: Any) -> dict[str, Any]:
    return {**group, "value": value, "simulated": True}


def _asked_by(rows: dict[str, list[dict[str, Any]]], value: Any) -> Any:
    def answer(at: int, by: tuple[str, ...], arguments: Any) -> dict[str, Any]:
        if not by:
            return {"value": value, "unit": "m", "simulated": True}
        return {"rows": rows[by[0]], "unit": "m", "simulated": True}

    return answer


def driven(launch: Any, *, longest: int | None = 1_400_000) -> Any:
    """A launch whose cars have driven."""
    days = [_row(200_000_000, day="2024-04-23"), _row(420_977_672, day="2024-04-24")]
    cities = [
        _row(900_000, city="Beijing"), _row(800_000, city="Wuhan"),
        _row(None, city="Jilin", suppressed=True), _row(5, city=None),
    ]  # fmt: skip
    trims = [_row(0.8, trim="Max", active=8, of=10), _row(None, trim="Standard", active=None, of=None)]
    peak = [_row(900_000, day="2024-04-19"), _row(longest, day="2024-04-20")]
    launch.answers |= {
        "fleet.distance": _asked_by({}, 2_091_762_065),
        "fleet.assisted_distance": _asked_by({"day": days, "city": cities}, 620_977_672),
        "fleet.assisted_share": _asked_by({}, 0.297),
        "fleet.active_rate": _asked_by({"trim": trims}, 0.7926),
        "fleet.active_cars": _asked_by({}, 4_582),
        "fleet.most_in_one_day": _asked_by({"day": peak}, longest),
        "fleet.deactivations_per_1000km": _asked_by({}, 3.21),
    }
    return launch


def section(document: Briefing) -> Section | None:
    return next((each for each in document.sections if each.id == "driving"), None)


def test_a_launch_without_trips_says_nothing_of_them(launch: Any) -> None:
    document = brief(launch)
    assert section(document) is None
    assert not any("fleet" in each.text["en"] for each in document.risks.sentences)
    launch.answers["fleet.distance"] = lambda at, by, a: {"unknown": "the book holds no trips.landed"}
    assert section(brief(launch)) is None


def test_what_was_driven_is_told_in_both_languages_and_marked_as_simulated(launch: Any) -> None:
    told = section(brief(driven(launch)))
    assert told is not None
    english = [each.text["en"] for each in told.sentences]
    assert english == [
        "79.3% of the delivered cars drove with assistance in the last 28 days: 4,582 cars with a metre or"
        " more of it.",
        "620,977.7 km were driven with a driving function engaged since the first handover, 29.7% of the"
        " 2,091,762.1 km driven in all.",
        "The most that one car drove with assistance on one local day was 1,400 km, on 20 April 2024.",
        "In 1,000 km with a function engaged, the system ended it by itself 3.21 times and the driver took"
        " over 3.21 times (last 28 days).",
    ]
    assert all(each.simulated and each.text["zh"] for each in told.sentences)
    assert told.sentences[2].flags, "a day of 1,400 km raises the question of rest"


def test_pictures_by_day_trim_and_city_have_their_numbers_beside(launch: Any) -> None:
    told = section(brief(driven(launch)))
    assert told is not None
    exhibits = {each.id: each for each in told.exhibits}
    assert list(exhibits) == ["fleet-assisted-per-day", "fleet-active-by-trim", "fleet-assisted-by-city"]
    assert all(each.picture.simulated for each in told.exhibits)
    assert exhibits["fleet-assisted-per-day"].rows[-1] == ("24 April 2024", "420,977.7 km")
    assert exhibits["fleet-active-by-trim"].rows == (
        ("Max", "80%", "8", "10"),
        ("Standard", "–", "–", "–"),
    )
    assert exhibits["fleet-assisted-by-city"].rows == (
        ("Beijing", "900 km"),
        ("Wuhan", "800 km"),
        ("1 more", "too few to show"),
    )
    assert "Jilin" not in exhibits["fleet-assisted-by-city"].picture.description


def test_no_longest_day_where_nobody_used_assistance(launch: Any) -> None:
    told = section(brief(driven(launch, longest=0)))
    assert told is not None
    assert len(told.sentences) == 3


def test_a_claim_in_kilometres_is_checked_against_metres(launch: Any) -> None:
    said = ClaimMade(
        speaker="Maker", said="1,400 km in a day", figure="fleet.most_in_one_day", qualifier="exactly",
        value="1400", unit="km", as_of="2024-04-24", reference="a paper", grade="A",
    )  # fmt: skip
    verdicts = []
    for longest in (1_400_000, 1_400_499, 1_400_500, 1_399_499):
        one = driven(launch.alone(), longest=longest)
        one.recorded["claim.made"] = []
        one.record("claim.made", "longest-day", "2024-04-24T20:00", said)
        (checked,) = check_claims(one)
        verdicts.append(checked.verdict)
    assert verdicts == ["agrees", "agrees", "disagrees", "disagrees"]
