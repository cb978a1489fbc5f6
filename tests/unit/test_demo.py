"""The simulated launch passes through the public checkpoints and keeps the order desk's rules."""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise

import msgspec
import numpy as np
import pytest

from driveaway.cases import case_description, case_drafts, case_text
from driveaway.demo import checkpoints as points
from driveaway.demo import launch_record, launch_text, simulate
from driveaway.demo.labels import Scramble, order_ids
from driveaway.demo.places import read_places
from driveaway.demo.running import parse_until, record_ends
from driveaway.facts.description import read_description
from driveaway.facts.public import ClaimMade
from driveaway.values.clock import DAY, local_day, parse_as_of, parse_instant, zone
from driveaway.values.errors import BadValue
from driveaway.values.ids import order_id
from driveaway.values.provinces import BY_CODE
from tests.unit.demo_rules import Checker

SU7 = case_description("su7")
TZ = zone(SU7.zone)


class Book:
    """Drafts with the counts that the checkpoints speak of."""

    def __init__(self, scale: float, seed: int = 1) -> None:
        self.scale = scale
        self.description = read_description(launch_text("su7", scale))
        self.drafts = list(simulate(self.description, seed=seed, scale=scale))
        self.times: dict[str, np.ndarray] = {}
        kinds = np.array([d.kind for d in self.drafts])
        happened = np.array([d.happened for d in self.drafts])
        for kind in np.unique(kinds):
            self.times[str(kind)] = happened[kinds == kind]

    def count(self, kind: str, as_of: str) -> int:
        return int(np.searchsorted(self.times[kind], parse_as_of(as_of, TZ), "right"))

    def stated(self, count: int) -> int:
        return points.scaled(count, self.scale)

    def of(self, kind: str):
        return [d for d in self.drafts if d.kind == kind]


@pytest.fixture(scope="module")
def full() -> Book:
    return Book(1.0)


@pytest.fixture(scope="module", params=[1.0, 0.1, 0.01])
def book(request: pytest.FixtureRequest, full: Book) -> Book:
    return full if request.param == 1.0 else Book(request.param)


def test_reservations_pass_through_the_checkpoints(book: Book) -> None:
    count, stated = book.count, book.stated
    assert count("order.reserved", "2024-03-28T22:00:00+08:00") == 0
    assert count("order.reserved", "2024-03-28T22:04:00+08:00") > stated(10_000)
    assert count("order.reserved", "2024-03-28T22:07:00+08:00") > stated(20_000)
    assert count("order.reserved", "2024-03-28T22:27:00+08:00") >= stated(50_000)
    assert count("order.reserved", "2024-03-29T22:00:00+08:00") == stated(88_898)
    assert count("order.reserved", "2024-04-03T10:00:00+08:00") > stated(100_000)
    assert count("order.reserved", "2024-04-24") == len(book.of("order.reserved"))
    assert 0.98 * stated(120_000) < count("order.reserved", "2024-04-24") < 1.05 * stated(120_000)


def test_locks_pass_through_the_checkpoints(book: Book) -> None:
    count, stated = book.count, book.stated
    assert count("order.locked", "2024-04-03T10:00:00+08:00") > stated(40_000)
    assert count("order.locked", "2024-04-20") > stated(70_000)
    assert count("order.locked", "2024-04-24") == stated(75_723)
    assert count("order.locked", "2024-04-24") - count("order.locked", "2024-04-20") > stated(5_000)
    assert len(book.of("order.locked")) == stated(75_723)


def test_handovers_pass_through_the_checkpoints(book: Book) -> None:
    assert book.count("order.handed_over", "2024-04-02") == 0
    assert book.count("order.handed_over", "2024-04-03") > 0
    assert book.count("order.handed_over", "2024-04-24") == book.stated(5_781)
    assert len(book.of("order.handed_over")) == book.stated(5_781)
    edition = {d.subject: d.body.edition for d in book.of("order.locked")}
    trim = {d.subject: d.body.trim for d in book.of("order.locked")}
    ordinary_from = parse_as_of("2024-04-17", TZ)
    kinds = Counter()
    for handover in book.of("order.handed_over"):
        kinds[edition[handover.subject] is not None] += 1
        if edition[handover.subject] is None:
            assert handover.happened > ordinary_from
            assert trim[handover.subject] in {"Standard", "Max"}
    assert kinds[True] > kinds[False] > 0


def test_the_rules_of_the_order_desk_hold(book: Book) -> None:
    checked = Checker(book.description).run(book.drafts)
    assert set(checked.described) == set(checked.locked)
    assert not checked.cancelled & set(checked.locked)
    refundable = [d for d in checked.reserved.values() if d.body.edition is None]
    end = parse_as_of("2024-04-24", TZ)
    for draft in refundable:
        resolved = draft.subject in checked.locked or draft.subject in checked.cancelled
        assert resolved or draft.happened + 7 * DAY > end
    resolved = sum(d.subject in checked.locked or d.subject in checked.cancelled for d in refundable)
    assert 0.35 < len(checked.cancelled) / resolved < 0.55
    waiting = sum(d.body.purpose == "order" for d in checked.built.values()) - len(checked.handed)
    assert book.stated(700) < waiting < book.stated(2_500)


def test_second_founder_edition_locks_when_it_is_reserved(book: Book) -> None:
    reserved = {d.subject: d for d in book.of("order.reserved") if d.body.edition == "founder-2"}
    locked = {d.subject: d for d in book.of("order.locked") if d.body.edition == "founder-2"}
    assert reserved.keys() == locked.keys()
    assert len(reserved) == book.stated(400)
    for order, draft in locked.items():
        assert draft.body.rule == "edition-at-payment"
        assert draft.happened == reserved[order].happened
        assert draft.happened > parse_instant("2024-03-31T00:00:00+08:00", TZ)


def test_buyers_shares_are_met_within_their_rounding(book: Book) -> None:
    bodies = [d.body for d in book.of("buyer.described")]
    count = len(bodies)
    women = 100 * sum(b.sex == "female" for b in bodies) / count
    apple = 100 * sum(b.phone_brand == "Apple" for b in bodies) / count
    premium = 100 * sum(b.previous_brand in {"Mercedes-Benz", "BMW", "Audi"} for b in bodies) / count
    assert 27.5 <= women < 28.5
    assert 51.85 <= apple < 51.95
    assert 28.5 <= premium < 29.5


def test_all_of_a_full_launch_is_there(full: Book) -> None:
    counts = Counter(d.kind for d in full.drafts)
    assert 500_000 < len(full.drafts) < 600_000
    assert counts["deposit.taken"] == counts["order.reserved"]
    assert counts["deposit.refunded"] == counts["order.cancelled"]
    assert 20 < counts["car.unpegged"] < 200
    assert counts["car.pegged"] > counts["car.unpegged"] + counts["order.handed_over"]
    requeued = [d for d in full.of("order.changed") if d.body.requeues]
    assert {local_day(d.happened, TZ).isoformat() for d in requeued} == {"2024-04-19"}
    assert 0.015 < len(requeued) / full.count("order.locked", "2024-04-18") < 0.025
    assert sum(not d.body.requeues for d in full.of("order.changed")) > 500
    purposes = Counter(d.body.purpose for d in full.of("car.built"))
    assert purposes["demonstration"] == 59
    assert purposes["test"] > 0
    assert purposes["stock"] > 0
    hardware = {unit.hardware for d in full.of("car.built") for unit in d.body.ecus}
    assert {"DA-508-A", "DA-508-B", "CK-1-A", "CK-1-B"} <= hardware
    assert {d.body.province for d in full.of("order.reserved")} == set(BY_CODE)
    rules = Counter(d.body.rule for d in full.of("order.locked"))
    assert set(rules) == {"buyer", "unclaimed-reservation", "edition-at-payment"}
    buyers = Counter(d.body.buyer for d in full.of("order.reserved"))
    assert max(buyers.values()) == 2


def test_outlets_are_those_of_the_record(book: Book) -> None:
    opened = book.of("outlet.opened")
    stores = [d for d in opened if d.body.role == "store"]
    assert len(stores) == 59
    assert len({(d.body.province, d.body.city) for d in stores}) == 29
    assert len({d.body.province for d in stores}) < 31
    assert any(d.body.role == "delivery" for d in opened)
    last = max(d.happened for d in opened)
    assert last <= parse_instant("2024-03-25T10:00:00+08:00", TZ)
    assert all("simulated" in d.body.name for d in opened)


def test_the_same_seed_gives_the_same_launch() -> None:
    first = list(simulate(SU7, seed=7, scale=0.02))
    assert first == list(simulate(SU7, seed=7, scale=0.02))
    assert len({d.source for d in first}) == len(first)
    assert first[0].source == "urn:driveaway:demo:7/1"
    other = list(simulate(SU7, seed=8, scale=0.02))
    assert {d.subject for d in first if d.kind == "order.reserved"}.isdisjoint(
        d.subject for d in other if d.kind == "order.reserved"
    )


def test_until_only_cuts_the_stream() -> None:
    whole = list(simulate(SU7, scale=0.02))
    until = parse_as_of("2024-04-05", TZ)
    cut = list(simulate(SU7, scale=0.02, until=until))
    assert cut == [d for d in whole if d.happened <= until]
    assert 0 < len(cut) < len(whole)
    assert list(simulate(SU7, scale=0.02, until=0)) == []


@pytest.mark.parametrize("seed", range(2, 14))
def test_other_seeds_and_odd_scales_keep_rules_and_checkpoints(seed: int) -> None:
    scale = (0.01, 0.013, 0.017, 0.029)[seed % 4]
    book = Book(scale, seed)
    Checker(book.description).run(book.drafts)
    test_reservations_pass_through_the_checkpoints(book)
    test_locks_pass_through_the_checkpoints(book)
    test_handovers_pass_through_the_checkpoints(book)


def test_checkpoints_are_the_claims_met_by_construction() -> None:
    claims = {d.subject: d.body for d in case_drafts("su7") if isinstance(d.body, ClaimMade)}
    words = {"=": "exactly", ">": "more than", ">=": "at least"}
    stated = (*points.RESERVED, *points.LOCKED, points.LOCKED_IN_FOUR_DAYS, points.DELIVERED)
    for point in stated:
        claim = claims[point.claim]
        assert claim.by_construction
        assert int(claim.value or "") == point.count
        assert claim.qualifier == words[point.relation]
    opened = parse_instant(SU7.car.orders_open or "", TZ)
    for point in (*points.RESERVED[:4],):
        at = parse_as_of(claims[point.claim].as_of, TZ)
        assert (at - opened) / 3.6e9 == pytest.approx(point.hour)
    for point in (*points.LOCKED[1:], points.DELIVERED):
        at = parse_as_of(claims[point.claim].as_of, TZ) + 1
        assert (at - opened) / 3.6e9 == point.hour


def test_scaled_case_says_that_it_is_scaled() -> None:
    assert launch_text("su7") == launch_text("su7", 1.0)
    small = read_description(launch_text("su7", 0.01))
    assert launch_text("su7", 0.01).startswith("# Scaled")
    assert small.edition("founder").quota == 50  # type: ignore[union-attr]
    assert {t.amount for t in small.targets if t.measure == "cars.delivered"} == {100, 760, 1000}
    assert {t.amount for t in small.targets if t.measure == "outlets.open"} == {211, 219, 143}
    assert small.plants[0].daily_output == 4
    for full_draft, draft in zip(launch_record("su7"), launch_record("su7", 0.01), strict=True):
        grows = isinstance(draft.body, ClaimMade) and draft.body.figure == "fleet.assisted_distance"
        if isinstance(draft.body, ClaimMade) and (grows or draft.body.unit in {"orders", "cars"}):
            assert "scaled by 0.01" in draft.body.said
            assert int(draft.body.value or "") == points.scaled(int(full_draft.body.value), 0.01)
            assert draft.source != full_draft.source
        else:
            assert draft == full_draft


def test_order_ids_are_those_of_the_values() -> None:
    numbers = Scramble(np.random.Generator(np.random.PCG64(3)))(np.arange(5_000))
    assert len(set(numbers.tolist())) == 5_000
    assert [name.decode() for name in order_ids(numbers)] == [order_id(n) for n in numbers.tolist()]


def test_places_cover_all_provinces() -> None:
    places = read_places()
    assert {city.province for city in places.cities} == set(BY_CODE)
    assert places.weights().sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [({"scale": 0.001}, "demo.scale"), ({"scale": 101.0}, "demo.scale"), ({"seed": -1}, "demo.seed")],
)
def test_arguments_out_of_range_are_named(arguments: dict, code: str) -> None:
    with pytest.raises(BadValue) as caught:
        simulate(SU7, **arguments)
    assert caught.value.code == code


@pytest.mark.parametrize("case", ["bare", "new"])
def test_a_launch_that_the_demo_cannot_make_is_refused(case: str) -> None:
    with pytest.raises(BadValue, match=r"demo\.launch"):
        simulate(case_description(case))


def test_the_stream_is_lazy_and_in_order() -> None:
    drafts = list(islice(simulate(SU7, scale=3.0), 50_000))
    assert len(drafts) == 50_000
    assert all(a.happened <= b.happened for a, b in pairwise(drafts))


def test_targets_say_that_they_are_scaled_and_planning_is_at_the_scale() -> None:
    made = read_description(launch_text("su7", 0.05))
    scaled_targets = {t.name: t for t in made.targets if t.measure == "cars.delivered"}
    assert scaled_targets["deliveries-2024"].amount == 5_000
    for target in made.targets:
        said = target.said or ""
        assert said.endswith(" (here scaled by 0.05)") == (target.measure == "cars.delivered"), target
    assert made.planning is not None
    assert made.planning.scale == 0.05
    assert launch_text("su7", 1) == case_text("su7")
    assert SU7.planning is not None
    assert SU7.planning.scale == 1


def test_the_launch_of_a_demo_that_ends_early_has_that_today() -> None:
    made = read_description(launch_text("su7", 1, "2024-04-03"))
    assert made.today == "2024-04-03"
    assert msgspec.structs.replace(made, today=SU7.today) == SU7
    assert parse_until(None) == (None, None)
    assert parse_until("2024-04-03") == (parse_as_of("2024-04-03", TZ), "2024-04-03")
    assert parse_until("2024-05-01") == (parse_as_of("2024-05-01", TZ), "2024-05-01")
    assert parse_until(SU7.today) == (record_ends(), None)
    assert parse_until("2024-04-03T12:00:00+08:00")[1] == "2024-04-03T12:00:00+08:00"
    with pytest.raises(BadValue, match="when orders opened"):
        parse_until("2024-03-27")
