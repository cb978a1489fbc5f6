"""What single figures answer in cases that are easy to get wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from driveaway.facts import Draft
from driveaway.facts import cars as c
from driveaway.facts import orders as o
from driveaway.facts import public as p
from driveaway.launch.launch import Launch
from driveaway.values.clock import parse_instant
from driveaway.values.errors import BadValue
from tests.laws.histories import empty_launch, order_id, vin

ONE, TWO, THREE = order_id(1), order_id(2), order_id(3)


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Zone Europe/Berlin, orders open on 28 March 2024, cells under 2 people suppressed."""
    with empty_launch() as launch:
        launch.apply()
        yield launch


def at(text: str) -> int:
    return parse_instant(f"2024-{text}+02:00", None)


def say(launch: Launch, *facts: tuple[str, str, str, Any], simulated: bool = False) -> None:
    launch.append(
        [Draft(kind, about, at(when), body, simulated=simulated) for kind, about, when, body in facts]
    )


def rows(
    launch: Launch, name: str, *columns: str, by: Sequence[str] = (), as_of: str = "2024-04-30", **more: str
) -> list[Any]:
    answer = launch.at(as_of).figure(name, by=by, **more)
    assert answer.rows is not None, answer.unknown
    return [tuple(row[column] for column in columns) for row in answer.rows]


def reserved(order: str, when: str = "04-01T10:00", **body: Any) -> tuple[str, str, str, Any]:
    return ("order.reserved", order, when, o.OrderReserved(**body))


def locked(order: str, when: str = "04-02T10:00", **body: Any) -> tuple[str, str, str, Any]:
    return ("order.locked", order, when, o.OrderLocked(**body))


def test_a_lock_may_say_another_configuration_and_a_change_after_it_counts(launch: Launch) -> None:
    say(launch, reserved(ONE, trim="Max"), locked(ONE, trim="Pro"), reserved(TWO, trim="Max"), locked(TWO))
    for name in ("orders.reserved", "orders.locked"):
        assert rows(launch, name, "trim", "value", by=["trim"]) == [("Max", 1), ("Pro", 1)]
    say(launch, ("order.changed", ONE, "04-03T10:00", o.OrderChanged(trim="Standard")))
    for name in ("orders.reserved", "orders.locked"):
        assert rows(launch, name, "trim", "value", by=["trim"]) == [("Max", 1), ("Standard", 1)]
        assert rows(launch, name, "trim", "value", by=["trim"], as_of="2024-04-02") == [
            ("Max", 1),
            ("Pro", 1),
        ]


def test_days_weeks_and_months_are_local(launch: Launch) -> None:
    """Half past midnight in Berlin is still the day before in UTC; the week of ISO 8601 begins on Monday."""
    say(launch, reserved(ONE, "04-01T00:30"), reserved(TWO, "04-07T23:59"), reserved(THREE, "04-08T00:00"))
    assert rows(launch, "orders.reserved", "day", by=["day"]) == [
        ("2024-04-01",),
        ("2024-04-07",),
        ("2024-04-08",),
    ]
    assert rows(launch, "orders.reserved", "week", "value", by=["week"]) == [("2024-W14", 2), ("2024-W15", 1)]
    assert rows(launch, "orders.reserved", "month", "value", by=["month"]) == [("2024-04", 3)]
    assert launch.at("2024-04-30").figure("orders.reserved", week="2024-W14").value == 2
    assert launch.at("2024-04-30").figure("orders.reserved", day="2024-04-07|2024-04-08").value == 2
    assert launch.at("2024-04-01").figure("orders.reserved").value == 1
    assert launch.at("2024-04-07T23:58").figure("orders.reserved").value == 1


def test_days_without_any_are_there(launch: Launch) -> None:
    say(launch, reserved(ONE), reserved(TWO), locked(ONE, "04-02T10:00"))
    say(launch, locked(TWO, "04-04T10:00"), simulated=True)
    columns = ("day", "value", "cumulative", "simulated")
    assert rows(launch, "orders.locked_per_day", *columns, as_of="2024-04-05") == [
        ("2024-04-02", 1, 1, False),
        ("2024-04-03", 0, 1, False),
        ("2024-04-04", 1, 2, True),
        ("2024-04-05", 0, 2, True),
    ]


def test_a_simulated_lock_makes_the_rate_simulated(launch: Launch) -> None:
    say(launch, reserved(ONE))
    assert not launch.at("2024-04-30").figure("orders.lock_rate").simulated
    say(launch, locked(ONE), simulated=True)
    assert launch.at("2024-04-30").figure("orders.lock_rate").simulated


def opened(slug: str, when: str, province: str, city: str, role: Any = "store") -> tuple[str, str, str, Any]:
    return ("outlet.opened", slug, when, p.OutletOpened(role=role, province=province, city=city))


def test_outlets_move_and_cities_share_names(launch: Launch) -> None:
    say(
        launch,
        opened("one", "04-01T10:00", "320000", "Suzhou"),
        opened("two", "04-01T10:00", "340000", "Suzhou"),
        opened("abroad", "04-01T10:00", "900001", "Elsewhere"),
        ("outlet.closed", "one", "04-05T18:00", p.OutletClosed()),
        # It opens again at the very moment at which it closed.
        opened("one", "04-05T18:00", "320000", "Nanjing"),
        ("outlet.closed", "two", "04-06T18:00", p.OutletClosed()),
    )
    at_first, moved, last = (launch.at(day) for day in ("2024-04-02", "2024-04-05", "2024-04-30"))
    assert [cut.figure("outlets.open").value for cut in (at_first, moved, last)] == [3, 3, 2]
    assert [cut.figure("outlets.cities").value for cut in (at_first, moved, last)] == [3, 3, 2]
    assert [cut.figure("outlets.provinces_covered").value for cut in (at_first, moved, last)] == [2, 2, 1]
    assert rows(launch, "outlets.open", "city", "value", by=["city"]) == [("Elsewhere", 1), ("Nanjing", 1)]
    assert "service" in (last.figure("outlets.open", role="service").unknown or "")
    assert last.figure("outlets.open", role="store|service").value == 2


def test_a_province_is_filtered_by_code_or_name(launch: Launch) -> None:
    say(
        launch,
        opened("one", "04-01T10:00", "320000", "Suzhou"),
        opened("two", "04-01T10:00", "900001", "Elsewhere"),
    )
    cut = launch.at("2024-04-30")
    for province in ("320000", "Jiangsu", "江苏", "CN-JS", "jiangsu|Tibet"):
        assert cut.figure("outlets.open", province=province).value == 1
    assert cut.figure("outlets.open", province="900001").value == 1
    assert cut.figure("outlets.open", province="Tibet").value == 0
    with pytest.raises(BadValue, match="not a province"):
        cut.figure("outlets.open", province="Atlantis")


def test_what_is_not_sold_is_no_nought(launch: Launch) -> None:
    say(launch, reserved(ONE, trim="Max", edition="founder"))
    cut = launch.at("2024-04-30")
    assert cut.figure("orders.reserved", edition="founder").value == 1
    assert cut.figure("orders.locked", edition="founder").value == 0
    # This launch lists no trims: any may be asked for.
    assert cut.figure("orders.reserved", trim="max").value == 0
    with pytest.raises(BadValue, match="no edition 'Founder'"):
        cut.figure("orders.reserved", edition="founder|Founder")


def described(order: str, **body: Any) -> tuple[str, str, str, Any]:
    return ("buyer.described", order, "04-03T10:00", o.BuyerDescribed(**body))


def people(launch: Launch, *phones: str) -> None:
    for number, phone in enumerate(phones, 1):
        order = order_id(number)
        say(launch, reserved(order), locked(order), described(order, phone_brand=phone, sex="female"))


def test_shares_that_rest_on_few_people_are_hidden_at_every_door(launch: Launch) -> None:
    people(launch, "Apple", "Apple", "Apple", "Xiaomi", "Xiaomi", "Nokia")
    found = dict(rows(launch, "buyers.share", "phone_brand", "value", by=["phone_brand"]))
    # The one Nokia is hidden, and Xiaomi with it: from the sum one could be told from the other.
    assert found == {"Apple": 0.5, "Nokia": None, "Xiaomi": None}
    cut = launch.at("2024-04-30")
    assert cut.figure("buyers.share", phone_brand="Apple").value == 0.5
    assert "too few" in (cut.figure("buyers.share", phone_brand="Nokia").unknown or "")
    # All but one have it: that tells of the one.
    assert "too few" in (cut.figure("buyers.share", phone_brand="Apple|Xiaomi").unknown or "")
    assert cut.figure("buyers.share", phone_brand="Apple|Nokia").value == 4 / 6
    assert cut.figure("buyers.share", phone_brand="Motorola").value == 0
    assert cut.figure("buyers.share", sex="female").value == 1


def test_a_share_of_nothing_asks_back(launch: Launch) -> None:
    people(launch, "Apple", "Apple")
    cut = launch.at("2024-04-30")
    assert "group by one of" in (cut.figure("buyers.share").unknown or "")
    assert "one attribute" in (cut.figure("buyers.share", sex="female", phone_brand="Apple").unknown or "")


def test_only_buyers_of_locked_orders_count_and_erased_ones_do_not(launch: Launch) -> None:
    people(launch, "Apple", "Apple", "Xiaomi", "Xiaomi")
    say(launch, reserved(order_id(9)), described(order_id(9), phone_brand="Apple"))
    cut = launch.at("2024-04-30")
    answer = cut.figure("buyers.share", phone_brand="Apple")
    assert answer.value == 0.5
    assert answer.interval is not None
    assert answer.interval.low < 0.5 < answer.interval.high
    mark = launch.book.edge().size
    launch.erase(order_id(3), "asked for")
    assert launch.at("2024-04-30").figure("buyers.share", phone_brand="Apple").unknown
    # An older answer cannot be given again: what was erased is gone at every mark.
    assert launch.at("2024-04-30", mark=mark).figure("buyers.share", phone_brand="Apple").unknown


def test_waits_are_days_from_lock_to_handover(launch: Launch) -> None:
    for number, day in ((1, "04-03"), (2, "04-06")):
        order = order_id(number)
        say(
            launch,
            reserved(order),
            locked(order),
            ("car.built", vin(number), "04-02T12:00", c.CarBuilt(plant="one", trim="Max")),
            ("car.pegged", vin(number), "04-02T13:00", c.CarPegged(order=order)),
            ("order.handed_over", order, f"{day}T10:00", o.OrderHandedOver(vin=vin(number))),
        )
    found = rows(launch, "orders.wait_days", "quantile", "value", "count")
    assert found[2] == (0.5, 2.5, 2)
    assert launch.at("2024-04-02").figure("orders.wait_days").unknown
    # Of the order, as it names no place; the trim is that of the car.
    assert rows(launch, "cars.delivered", "trim", "value", by=["trim"]) == [("Max", 2)]
    seven = launch.at("2024-04-30").figure("cars.delivered_since_launch_days", days="7")
    assert seven.value == 1
    assert seven.note == "day 1 is 2024-03-28 and day 7 is 2024-04-03; handovers began on 2024-04-03, day 7"


def target(measure: str, when: str, *, amount: int = 4, role: str | None = None) -> tuple[str, str, str, Any]:
    body = p.TargetSet(
        measure=measure, amount=amount, from_day="2024-04-02", until_day="2024-04-04", role=role
    )
    return ("target.set", "goal", when, body)


def test_targets_of_events_count_their_days_and_of_stocks_their_end(launch: Launch) -> None:
    for number, day in ((1, "04-01"), (2, "04-02"), (3, "04-04"), (4, "04-05")):
        say(
            launch,
            reserved(order_id(number), f"{day}T10:00"),
            opened(f"store-{number}", f"{day}T10:00", "110000", "Beijing"),
        )
    columns = ("value", "share", "previous_amount", "begun")

    def only(as_of: str) -> tuple[Any, ...]:
        found = [
            row for row in launch.at(as_of).figure("targets.progress").rows or () if row["target"] == "goal"
        ]
        return tuple(found[0][column] for column in columns)

    say(launch, target("orders.reserved", "03-30T10:00"))
    assert only("2024-04-01") == (None, None, None, False)
    assert only("2024-04-02") == (1, 0.25, None, True)
    assert only("2024-04-30") == (2, 0.5, None, True)
    say(launch, target("outlets.open", "04-03T10:00", amount=6, role="store"))
    assert only("2024-04-02") == (1, 0.25, None, True)
    assert only("2024-04-03") == (2, 2 / 6, 4, True)
    assert only("2024-04-30") == (3, 0.5, 4, True)


def test_a_target_is_read_as_its_figure_counts(launch: Launch) -> None:
    """What happened before a target's days is in a stock, and not among events."""
    say(launch, reserved(ONE, "03-29T10:00"), locked(ONE, "03-29T11:00"))
    measures = (("orders.locked", 0), ("orders.locked_net", 1), ("orders.waiting", 1))
    for hour, (measure, reached) in enumerate(measures, 10):
        say(launch, target(measure, f"03-30T{hour}:00"))
        found = rows(launch, "targets.progress", "target", "measure", "value")
        assert ("goal", measure, reached) in found


@pytest.mark.parametrize(
    ("measure", "reason"),
    [
        ("cars.teleported", "cannot be asked: there is no figure"),
        ("orders.lock_rate", "a share"),
        ("orders.locked_per_day", "cannot be asked"),
        ("service.visits", "cannot be asked"),
    ],
)
def test_a_target_that_cannot_be_measured_is_unknown(
    measure: str, reason: str, launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A book of an older or another program may hold a target for a figure that is not ours."""
    monkeypatch.setattr("driveaway.launch.decide.check_contents", lambda body, description: None)
    say(launch, reserved(ONE, "04-02T10:00"), locked(ONE, "04-02T11:00"), target(measure, "03-30T10:00"))
    answer = launch.at("2024-04-30").figure("targets.progress")
    (row,) = [row for row in answer.rows or () if row["target"] == "goal"]
    assert row["value"] is None
    assert reason in row["unknown"]
    alone = launch.at("2024-04-30").figure("targets.progress", target="goal")
    assert alone.value is None
    assert reason in (alone.unknown or "")


def test_a_target_of_impossible_days_is_unknown_and_hides_no_other(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such targets could be recorded once, and a fact is read for ever."""
    monkeypatch.setattr("driveaway.launch.decide.check_contents", lambda body, description: None)
    wrong = p.TargetSet(measure="orders.locked", amount=9, from_day="2024-02-30", until_day="2024-06-30")
    say(launch, reserved(ONE), locked(ONE), target("orders.locked", "03-30T10:00"))
    say(launch, ("target.set", "wrong", "03-29T10:00", wrong))
    found = {row["target"]: row for row in launch.at("2024-04-30").figure("targets.progress").rows or ()}
    assert found["goal"]["value"] == 1
    assert found["wrong"]["value"] is None
    assert found["wrong"]["begun"] is False
    assert "2024-02-30" in found["wrong"]["unknown"]


def measured(name: str, **body: Any) -> tuple[str, str, str, Any]:
    fixed = {"car": "Car", "rival": False, "tester": "T", "condition": "winter"}
    return ("test.measured", name, "04-01T10:00", p.CarTested(**(fixed | body)))


def test_tests_measured_and_claimed(launch: Launch) -> None:
    say(
        launch,
        measured("a", distance=300_000, claimed_distance=600_000, energy=60_000, energy_at="wall"),
        measured("b", car="Rival", rival=True, claimed_distance=500_000, claimed_energy=80_000),
        measured("c", distance=1000, claimed_distance=0),
    )
    assert rows(launch, "trials.range_kept", "car", "value") == [("Car", 0.5), ("Car", None)]
    found = rows(launch, "trials.consumption", "car", "basis", "value")
    assert found == [("Car", "measured", 20.0), ("Rival", "claimed", 16.0)]
    assert launch.at("2024-04-30").figure("trials.consumption", basis="claimed").value == 16.0
    assert (
        launch.at("2024-04-30").figure("trials.consumption", car="Nobody's").unknown
        == "no row fits the arguments"
    )


def test_locks_around_an_event_stop_at_the_as_of(launch: Launch) -> None:
    say(
        launch,
        reserved(ONE),
        reserved(TWO),
        locked(ONE, "04-02T10:00"),
        locked(TWO, "04-04T10:00"),
        ("event.held", "show", "04-03T20:00", p.EventHeld(title="A show")),
    )
    columns = ("day", "offset_days", "value")
    assert rows(launch, "publicity.locks_around_event", *columns, days="2", as_of="2024-04-04") == [
        ("2024-04-02", -1, 1),
        ("2024-04-03", 0, 0),
        ("2024-04-04", 1, 1),
    ]
    # At noon the day of 4 April has not ended: its few hours would look like a drop.
    noon = "2024-04-04T12:00"
    assert [row[0] for row in rows(launch, "publicity.locks_around_event", "day", as_of=noon)] == [
        "2024-04-02",
        "2024-04-03",
    ]
    assert rows(launch, "orders.locked_per_day", "day", "complete", as_of=noon)[1:] == [
        ("2024-04-03", True),
        ("2024-04-04", False),
    ]
    answer = launch.at("2024-04-04").figure("publicity.locks_around_event")
    assert "a cause is not identified" in (answer.note or "")


def test_before_the_launch_was_described_nothing_is_known() -> None:
    with empty_launch() as launch:
        say(launch, reserved(ONE), locked(ONE), described(ONE, sex="female"))
        cut = launch.at("2024-04-30")
        assert "no launch.toml" in (cut.figure("buyers.share", sex="female").unknown or "")
        assert "no launch.toml" in (cut.figure("cars.delivered_since_launch_days").unknown or "")
        assert cut.figure("orders.locked", province="Tibet").value == 0


def test_dimensions_named_twice_are_one(launch: Launch) -> None:
    say(launch, reserved(ONE, trim="Max"))
    assert rows(launch, "orders.reserved", "trim", "value", by=["trim", "trim"]) == [("Max", 1)]
    assert rows(launch, "orders.reserved", "trim", "colour", by=["trim", "colour"]) == [("Max", None)]
