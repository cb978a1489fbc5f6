"""The announced updates on the demo's cars: facts, gates, a rollout that stops itself, the briefing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from driveaway import briefing
from driveaway.demo.running import beyond, foreign, make_demo, record_ends
from driveaway.demo.updates.builds import BUILDS, FIRST, MENDED, SECOND
from driveaway.facts import Fact
from driveaway.launch.launch import Launch
from driveaway.launch.updates.briefed import BriefedFleet
from driveaway.launch.updates.counting import count, list_cars
from driveaway.launch.updates.opening import open_updates
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.plan import RolloutStatus
from driveaway.values.clock import parse_as_of, parse_instant

SCALE = 0.02
TEN = {
    "Beijing", "Shanghai", "Guangzhou", "Shenzhen", "Hangzhou", "Suzhou", "Nanjing", "Chengdu", "Xi'an",
    "Wuhan",
}  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    with make_demo(tmp_path_factory.mktemp("demo") / "su7", scale=SCALE, until="2024-08-31") as launch:
        yield launch


@pytest.fixture(scope="module")
def facts(played: Launch) -> list[Fact]:
    return list(played.book.facts(0, played.book.edge().size))


def of(facts: list[Fact], kind: str) -> list[Fact]:
    return [fact for fact in facts if fact.kind == kind]


def test_all_that_is_played_is_marked_simulated_and_in_its_time(facts: list[Fact], played: Launch) -> None:
    end = record_ends()
    later = [fact for fact in facts if fact.happened > end]
    assert {fact.kind for fact in later} == {
        "function.activated", "function.opened", "release.published", "release.withdrawn", "rollout.decided",
        "update.finished", "version.reported",
    }  # fmt: skip
    assert {fact.kind for fact in later if not fact.simulated} == {"function.opened"}
    assert all(a.recorded <= b.recorded for a, b in pairwise(facts))
    assert all(0 <= fact.recorded - fact.happened < 24 * 3_600_000_000 for fact in later)
    assert max(fact.happened for fact in facts) <= parse_as_of("2024-08-31", played.zone)
    assert len({fact.source for fact in facts}) == len(facts)
    assert foreign(played.folder) is None


def test_a_shorter_demo_is_the_beginning_of_a_longer_one(facts: list[Fact], tmp_path: Path) -> None:
    with make_demo(tmp_path / "su7", scale=SCALE, until="2024-05-23T12:00:00+08:00") as short:
        begun = list(short.book.facts(0, short.book.edge().size))
    assert begun[-1].happened > parse_instant("2024-05-20T00:00:00+08:00", None)
    for mine, whole in zip(begun, facts, strict=False):
        if mine.kind != "launch.described":
            assert mine == whole


def test_the_defective_build_stops_itself_and_a_mended_one_follows(facts: list[Fact], played: Launch) -> None:
    rollouts = {each.name: each for each in keeping.all_rollouts(played.state)}
    assert list(rollouts) == [build.rollout for build in BUILDS]
    assert rollouts[FIRST.rollout].status is RolloutStatus.FINISHED
    assert rollouts[SECOND.rollout].status is RolloutStatus.STOPPED
    assert rollouts[MENDED.rollout].status is RolloutStatus.FINISHED
    decided = [fact.body for fact in of(facts, "rollout.decided") if fact.subject == SECOND.rollout]
    *_, paused, aborted = decided
    assert (paused.decision, paused.decided_by) == ("paused", None)
    (why,) = [finding for finding in paused.findings if finding.verdict == "pause"]
    assert why.log_e >= why.needed_log_e > 0
    assert 0 < paused.opened < paused.cars
    assert (aborted.decision, aborted.decided_by) == ("aborted", "operator")
    assert aborted.reason
    (withdrawn,) = of(facts, "release.withdrawn")
    assert withdrawn.subject == "su7-2024.5.2"
    bad = [f.body for f in of(facts, "update.finished") if f.body.release == "su7-2024.5.2"]
    outcomes = Counter(body.outcome for body in bad)
    assert outcomes["failed"] >= 2
    assert sum(outcomes.values()) <= paused.opened
    cut = played.at()
    installed = {
        row["release"]: row["value"] for row in cut.figure("updates.installed", by=("release",)).rows
    }
    assert set(installed) <= {"su7-2024.5.1", "su7-2024.5.3"}
    assert installed["su7-2024.5.3"] > 0.9 * paused.cars


def test_signed_metadata_names_what_was_published_and_not_withdrawn(played: Launch) -> None:
    updates = open_updates(played)
    repository = updates.repository()
    end = parse_as_of("2024-08-31", played.zone)
    assert not any(role.expired for role in repository.status(end))
    paths = repository.state().targets["targets"].signed.targets
    assert {path.split("/")[1] for path in paths} == {"2024.5.1", "2024.5.3"}
    assert repository.proposals() == ()


def test_persons_need_not_sign_again_before_the_demo_is_played_with(played: Launch) -> None:
    later = parse_as_of("2033-12-31", played.zone)
    status = {role.role: role.expired for role in open_updates(played).repository().status(later)}
    assert status["root"] is status["targets"] is False


def test_functions_are_switched_on_as_their_gates_allow(facts: list[Fact], played: Launch) -> None:
    trim = {fact.subject: fact.body.trim for fact in of(facts, "car.built")}
    city = {fact.body.vin: fact.body.city for fact in of(facts, "order.handed_over")}
    first, everywhere = (parse_instant(f"2024-{day}T00:00:00+08:00", None) for day in ("05-31", "08-01"))
    activated = of(facts, "function.activated")
    assert {fact.body.function for fact in activated} == {
        "wireless_carplay", "end_to_end_parking", "city_navigation",
    }  # fmt: skip
    assert len({(fact.subject, fact.body.function) for fact in activated}) == len(activated)
    assert all(fact.body.version in ("2024.5.1", "2024.5.2", "2024.5.3") for fact in activated)
    ten, others = set(), set()
    for fact in activated:
        if fact.body.function != "wireless_carplay":
            assert trim[fact.subject] in ("Pro", "Max")
        if fact.body.function == "city_navigation":
            assert fact.happened >= first
            assert fact.body.version == "2024.5.3"
            (others if city[fact.subject] not in TEN else ten).add(fact.subject)
            assert city[fact.subject] in TEN or fact.happened >= everywhere
    assert ten
    assert others


def test_the_server_allows_what_is_active(played: Launch) -> None:
    cut = played.at()
    for name in ("wireless_carplay", "end_to_end_parking", "city_navigation"):
        (row,) = count(played, cut, name)["rows"]
        assert 0 < row["active"] <= row["eligible"] <= row["equipped"] <= row["delivered"] == 116
        assert row["eligible_unknown"] == 0
        assert all(car["eligible"] for car in list_cars(played, cut, name)["rows"] if car["active"])
    (before,) = count(played, played.at("2024-06-20"), "city_navigation")["rows"]
    (row,) = count(played, cut, "city_navigation")["rows"]
    assert before["eligible"] < row["eligible"]


def test_the_briefing_tells_of_updates_and_of_a_book_that_ends(played: Launch) -> None:
    cut = played.at()
    assert played.description.today == "2024-08-31"
    written = briefing.brief(cut, "en", BriefedFleet(played, cut))
    sections = {section.id: section for section in written.sections}
    text = {key: " ".join(s.text["en"] for s in section.sentences) for key, section in sections.items()}
    assert "No orders and no handovers are simulated after 24 April 2024" in text["orders"]
    assert "the 7 complete days to 24 April 2024 brought" in text["orders"]
    days = sections["orders"].exhibits[0].rows
    assert days[-1][0] == "24 April 2024"
    assert f"The rollout {SECOND.rollout} of su7-2024.5.2 was stopped by its own rule at" in text["updates"]
    assert "withdrawn on" in text["updates"]
    assert "City navigation" in text["updates"]
    cities = "Beijing, Chengdu, Guangzhou, Hangzhou, Nanjing, Shanghai, Shenzhen, Suzhou, Wuhan, Xi'an"
    opened = f"The gate of city navigation opens it in {cities} from 31 May 2024 on; everywhere from 1 August"
    assert opened in text["updates"]
    picture, by_city = sections["updates"].exhibits
    assert SECOND.rollout in picture.picture.title
    assert picture.picture.simulated
    drawn = picture.picture.standalone()
    assert drawn.count(">100 : 1<") == drawn.count(">10 : 1<") == 1
    assert {row[0] for row in by_city.rows} == {*TEN, "Elsewhere"}
    for render in (briefing.render_html, briefing.render_markdown, briefing.render_json):
        assert "su7-2024.5.3" in render(written)
    verdicts = {claim.claim: claim.verdict for claim in written.claims}
    assert "disagrees" not in verdicts.values()
    assert {v for claim, v in verdicts.items() if claim.startswith("software-")} == {"cannot be checked"}


def test_as_of_the_record_nothing_is_told_of_updates(played: Launch) -> None:
    cut = played.at("2024-04-25")
    written = briefing.brief(cut, "zh", BriefedFleet(played, cut))
    assert "updates" not in {section.id for section in written.sections}
    assert not any(sentence.id.startswith("sentence-orders-stale") for sentence in written.sentences)


def test_what_lies_beyond_is_said() -> None:
    assert beyond(None) is None
    assert beyond("2024-04-03") is None
    assert "played to 2024-05-10" in (beyond("2024-05-10") or "")
    assert "nothing after it until 2024-12-31" in (beyond("2024-12-31") or "")
