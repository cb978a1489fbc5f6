"""The order desk as Python uses it: what one command records, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.facts import Fact
from driveaway.launch import desk, recording
from driveaway.launch.launch import Launch, open_launch
from driveaway.launch.life import life
from driveaway.orders.rules import CLOCK_RULE
from driveaway.values.clock import parse_instant
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused
from driveaway.values.ids import OrderId, order_id
from tests.e2e.shell import LAUNCH_TOML, vin
from tests.laws.histories import few

MAX = {"trim": "Max", "colour": "Blue"}


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    with opened(tmp_path) as launch:
        yield launch


def opened(folder: Path) -> Launch:
    (folder / "launch.toml").write_text(LAUNCH_TOML, encoding="utf-8")
    launch = open_launch(folder)
    launch.book.store.create()
    launch.apply()
    return launch


def at(text: str) -> int:
    return parse_instant(f"2024-{text}+08:00", None)


def facts(launch: Launch) -> list[Fact]:
    return list(launch.book.facts(0, launch.book.edge().size))


def kinds(launch: Launch, order: str) -> list[str]:
    return [fact.kind for fact in facts(launch) if fact.subject == order]


def test_a_reservation_has_the_list_price_and_its_deposit(launch: Launch) -> None:
    order, outcomes = desk.reserve(
        launch, {**MAX, "city": None, "province": "北京"}, deposit="5000", at=at("03-29T10:00")
    )
    assert [outcome.added for outcome in outcomes] == [True, True]
    state = desk.state_of(launch, order)
    assert state.configuration is not None
    assert (state.configuration.price, state.configuration.currency) == (29_990_000, "CNY")
    assert (state.configuration.province, state.configuration.city) == ("110000", None)
    assert (state.taken, state.held, state.status) == (500_000, 500_000, "reserved")
    _, _ = desk.reserve(launch, MAX, order_id=order_id(7), at=at("03-29T10:00"))
    assert kinds(launch, order_id(7)) == ["order.reserved"]


def test_all_or_nothing(launch: Launch) -> None:
    """The reservation would be fine, but its deposit is not."""
    size = launch.book.edge().size
    with pytest.raises(BadValue):
        desk.reserve(launch, MAX, deposit="-1", at=at("03-29T10:00"))
    desk.reserve(launch, MAX, order_id=order_id(7), at=at("03-29T10:00"))
    with pytest.raises(Refused):
        desk.reserve(launch, MAX, order_id=order_id(7), deposit="5000", at=at("03-29T11:00"))
    assert launch.book.edge().size == size + 1


def test_a_source_makes_the_order_id(launch: Launch) -> None:
    one, first = desk.reserve(launch, MAX, deposit="5000", source="shop/1")
    two, again = desk.reserve(launch, MAX, deposit="5000", source="shop/1")
    three, _ = desk.reserve(launch, MAX, deposit="5000", source="shop/2")
    assert one == two != three
    assert [outcome.added for outcome in (*first, *again)] == [True, True, False, False]
    with pytest.raises(Conflict):
        desk.reserve(launch, {"trim": "Pro"}, source="shop/1")
    with pytest.raises(Conflict):
        desk.reserve(launch, MAX, source="shop/1", at=at("03-29T10:00"))


def test_a_change_keeps_what_is_not_named(launch: Launch) -> None:
    order, _ = desk.reserve(launch, {**MAX, "city": "Beijing"}, at=at("03-29T10:00"))
    desk.change(launch, order, {"trim": "Pro", "city": None}, requeues=False, at=at("03-29T11:00"))
    configuration = desk.state_of(launch, order).configuration
    assert configuration is not None
    assert (configuration.trim, configuration.colour, configuration.city) == ("Pro", "Blue", "Beijing")
    assert configuration.price == 24_590_000


def test_the_clock_at_the_very_hour(launch: Launch) -> None:
    order, _ = desk.reserve(launch, {**MAX, "edition": None}, deposit="5000", at=at("03-29T10:00"))
    assert desk.clock(launch, at=at("04-05T10:00") - 1) == []
    (outcome,) = desk.clock(launch, at=at("04-05T10:00"))
    lock = next(fact for fact in facts(launch) if fact.seq == outcome.seq)
    body: Any = lock.body
    assert (lock.subject, lock.happened, body.rule, body.trim) == (
        order,
        at("04-05T10:00"),
        CLOCK_RULE,
        "Max",
    )
    assert desk.clock(launch, at=at("04-09T10:00")) == []


def test_a_deposit_is_refundable_up_to_the_very_hour(launch: Launch) -> None:
    for number, when, kind in ((1, at("04-05T10:00"), "refunded"), (2, at("04-05T10:00") + 1, "forfeited")):
        order = order_id(number)
        desk.reserve(launch, MAX, order_id=order, deposit="5000", at=at("03-29T10:00"))
        desk.cancel(launch, order, by="buyer", reason=None, at=when)
        assert kinds(launch, order)[-1] == f"deposit.{kind}"


def test_an_unknown_order(launch: Launch) -> None:
    for ask in (
        lambda: desk.state_of(launch, order_id(9)),
        lambda: life(launch, order_id(9)),
        lambda: desk.change(launch, order_id(9), MAX, requeues=False),
        lambda: desk.cancel(launch, order_id(9), by="buyer", reason=None),
    ):
        with pytest.raises(NotFound) as caught:
            ask()
        assert caught.value.code == "order.missing"


def test_a_life_tells_what_was_corrected_and_erased(launch: Launch) -> None:
    order, _ = desk.reserve(
        launch, {**MAX, "buyer": "B-1", "province": "110000"}, deposit="5000", at=at("03-29T10:00")
    )
    first = facts(launch)[-2].seq
    recording.correct(launch, first, {"colour": "Green"})
    told = life(launch, order)
    assert told["configuration"] == {
        "trim": "Max",
        "colour": "Green",
        "province": "Beijing",
        "price": "CNY 299,900.00",
    }
    assert told["facts"][0]["replaced_by"] == first + 2
    assert f"(replaced by {first + 2})" in told["facts"][0]["says"]
    assert "buyer B-1" in told["facts"][0]["says"]
    launch.erase(order, "asked for")
    assert "B-1" not in str(life(launch, order))
    assert "(erased)" in life(launch, order)["facts"][0]["says"]


def test_a_correction_keeps_the_rest_and_may_move_in_time(launch: Launch) -> None:
    order, _ = desk.reserve(launch, {**MAX, "city": "Beijing"}, at=at("03-29T10:00"))
    first = facts(launch)[-1].seq
    recording.correct(launch, first, {"price": "1.50", "currency": "CNY"}, at=at("03-28T23:00"))
    last = facts(launch)[-1]
    body: Any = last.body
    assert (body.trim, body.city, body.price, last.happened) == ("Max", "Beijing", 150, at("03-28T23:00"))
    assert (last.replaces, last.subject) == (first, order)
    with pytest.raises(BadValue, match="has no field"):
        recording.correct(launch, last.seq, {"height": "3"})
    with pytest.raises(Conflict):
        recording.withdraw(launch, first, "again")
    with pytest.raises(BadValue):
        recording.withdraw(launch, last.seq, "x" * 5000)


@pytest.mark.parametrize(
    ("kind", "subject", "fields", "code"),
    [
        ("car.painted", "x", {}, "kind.unknown"),
        ("order.locked", "17", {}, "order_id.shape"),
        ("car.built", vin(1), {"plant": "one", "trim": "Max", "battery_code": "short"}, "battery.shape"),
        ("car.pegged", vin(1), {"order": "17"}, "order_id.shape"),
        ("order.handed_over", order_id(1), {"vin": "X"}, "vin.shape"),
        ("deposit.taken", order_id(1), {"amount": "1", "currency": "yuan"}, "money.currency"),
        ("test.measured", "t", {"car": "C", "rival": "maybe", "tester": "T", "condition": "c"}, "fact.body"),
        ("outlet.opened", "one", {"role": "shop", "province": "110000", "city": "Beijing"}, "fact.body"),
        ("event.held", "show", {"title": "@x"}, "text.formula"),
        ("fact.withdrawn", order_id(1), {"reason": "x"}, "record.kind"),
    ],
)
def test_what_cannot_be_read_is_refused(
    kind: str, subject: str, fields: dict[str, str], code: str, launch: Launch
) -> None:
    with pytest.raises(BadValue) as caught:
        recording.record(launch, kind, subject, fields)
    assert caught.value.code == code


def test_any_kind_is_recorded_from_text(launch: Launch) -> None:
    code = "0" * 24
    recording.record(
        launch, "car.built", vin(1), {"plant": "one", "trim": "Max", "options": "a|b", "battery_code": code}
    )
    fields = {"car": "C", "rival": "true", "tester": "T", "condition": "c", "distance": "500000"}
    recording.record(launch, "test.measured", "t", fields)
    built, tested = (fact.body for fact in facts(launch)[-2:])
    assert (built.options, built.battery_code) == (("a", "b"), code)  # type: ignore[attr-defined]
    assert (tested.rival, tested.distance) == (True, 500_000)  # type: ignore[attr-defined]


# --- money ---

Step = tuple[str, int, int]
STEPS = ("reserve", "founder", "lock", "cancel", "call off", "take", "refund", "forfeit", "pay", "clock")


@few(15)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 3), st.integers(0, 60)), max_size=25))
def test_every_ledger_balances(tmp_path_factory: pytest.TempPathFactory, steps: list[Step]) -> None:
    """Whatever is tried, and whatever of it is refused: taken = refunded + forfeited + held."""
    hours = 0
    with opened(tmp_path_factory.mktemp("ledger")) as launch:
        for step, number, later in steps:
            hours += later
            try:
                take(launch, step, order_id(number), at("03-29T10:00") + hours * 3_600_000_000)
            except (Refused, NotFound):
                continue
        entries = facts(launch)
        for number in (1, 2, 3):
            order = order_id(number)
            amounts = {"deposit.taken": 0, "deposit.refunded": 0, "deposit.forfeited": 0}
            for fact in entries:
                if fact.subject == order and fact.kind in amounts:
                    amounts[fact.kind] += fact.body.amount  # type: ignore[attr-defined]
            if not kinds(launch, order):
                continue
            state = desk.state_of(launch, order)
            assert list(amounts.values()) == [state.taken, state.refunded, state.forfeited]
            assert state.held == state.taken - state.refunded - state.forfeited >= 0


def take(launch: Launch, step: str, order: OrderId, when: int) -> None:
    def money(kind: str) -> Callable[[], object]:
        return lambda: recording.record(launch, kind, order, {"amount": "3000"}, at=when)

    steps: dict[str, Callable[[], object]] = {
        "reserve": lambda: desk.reserve(launch, MAX, order_id=order, deposit="5000", at=when),
        "founder": lambda: desk.reserve(launch, {**MAX, "edition": "founder"}, order_id=order, at=when),
        "lock": lambda: desk.lock(launch, order, at=when),
        "cancel": lambda: desk.cancel(launch, order, by="buyer", reason=None, at=when),
        "call off": lambda: desk.cancel(launch, order, by="maker", reason="shortage", at=when),
        "take": money("deposit.taken"),
        "refund": money("deposit.refunded"),
        "forfeit": money("deposit.forfeited"),
        "pay": lambda: desk.pay(launch, order, "1000", at=when),
        "clock": lambda: desk.clock(launch, at=when),
    }
    steps[step]()
