"""An order from its reservation to the road, at the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.shell import Shell, balances, money, program, vin

MAX = ("--trim", "Max", "--colour", "Blue")


def test_from_a_new_folder_to_the_road(tmp_path: Path) -> None:
    """The real program, a process a command, in the folder that one stands in."""
    folder = tmp_path / "mine"
    assert program("new", folder).code == 0
    text = (folder / "launch.toml").read_text(encoding="utf-8")
    (folder / "launch.toml").write_text(
        text.replace('"29900.00"', '"31900.00"').replace("2027-", "2024-"), encoding="utf-8"
    )
    early = program("figure", "orders.reserved", "--as-of", "2024-03-02", cwd=folder)
    assert early.code == 0
    assert "unknown" in early.out
    assert "driveaway apply takes it in" in early.err
    assert "launch.described" in program("apply", cwd=folder).out
    made = program(
        "orders", "reserve", "--trim", "Base", "--province", "Berlin", "--at", "2024-03-02T10:00", cwd=folder
    )
    assert made.code == 0
    assert re.fullmatch(r"O-[0-9A-Z]{10}\n", made.out)
    told = program("order", made.out.strip(), cwd=folder, DRIVEAWAY_LAUNCH=str(folder))
    assert told.code == 0
    assert "EUR 31,900.00" in told.out
    assert told.err == ""


def test_a_whole_life(shell: Shell) -> None:
    order = shell.reserve(*MAX, "--city", "Hangzhou", "--province", "Zhejiang", "--deposit", "5000")
    assert shell.order(order)["status"] == "reserved"
    shell.done("orders", "lock", order, "--at", "2024-03-30T10:00")
    told = shell.order(order)
    assert told["status"] == "locked"
    assert told["configuration"]["province"] == "Zhejiang"
    lock = next(fact for fact in told["facts"] if fact["kind"] == "order.locked")
    assert lock["body"]["trim"] == "Max"

    shell.refused(
        "handover.not_built", "orders", "handover", order, "--vin", vin(1), "--at", "2024-04-02T09:00"
    )
    shell.done("cars", "build", vin(1), "plant=one", "trim=Max", "colour=Blue", "--at", "2024-04-02T10:00")
    shell.refused(
        "handover.not_pegged", "orders", "handover", order, "--vin", vin(1), "--at", "2024-04-02T11:00"
    )
    shell.done("cars", "peg", vin(1), f"order={order}", "--at", "2024-04-02T12:00")
    shell.done("cars", "ship", vin(1), "city=Hangzhou", "--at", "2024-04-02T13:00")
    shell.refused(
        "handover.not_paid", "orders", "handover", order, "--vin", vin(1), "--at", "2024-04-02T14:00"
    )
    shell.done("orders", "pay", order, "294900", "--at", "2024-04-03T09:00")
    shell.done("orders", "handover", order, "--vin", vin(1), "--city", "Hangzhou", "--at", "2024-04-03T10:00")

    told = shell.order(order)
    assert (told["status"], told["car"]) == ("handed over", vin(1))
    assert money(told)["applied to the price"] + money(told)["paid beside"] == 299_900
    assert balances(told)
    table = shell.done("order", order)
    assert "handed over" in table
    assert "CNY 5,000.00" in table
    for name, value in (
        ("orders.reserved", 1),
        ("orders.locked", 1),
        ("orders.waiting", 0),
        ("cars.delivered", 1),
    ):
        assert shell.value(name) == value, name
    assert shell.value("cars.delivered", "--as-of", "2024-04-02") == 0
    assert shell.value("targets.progress", "target=deliveries-april") == 1

    shell.done("cars", "take-back", vin(1), f"order={order}", "reason=colour", "--at", "2024-04-20T10:00")
    assert (shell.value("cars.delivered"), shell.value("cars.delivered_net")) == (1, 0)


@pytest.mark.parametrize(
    ("lock_first", "by", "refunded", "forfeited"),
    [(False, "buyer", 5000, 0), (True, "buyer", 0, 5000), (True, "maker", 5000, 0)],
)
def test_a_cancellation_settles_the_deposit(
    lock_first: bool, by: str, refunded: float, forfeited: float, shell: Shell
) -> None:
    order = shell.reserve(*MAX, "--deposit", "5,000.00")
    if lock_first:
        shell.done("orders", "lock", order, "--at", "2024-03-30T10:00")
    shell.done("orders", "cancel", order, "--by", by, "--reason", "moved", "--at", "2024-04-01T10:00")
    told = shell.order(order)
    assert told["status"] == "cancelled"
    ledger = money(told)
    assert (ledger["refunded"], ledger["forfeited"], ledger["deposit held"]) == (refunded, forfeited, 0)
    assert balances(told)
    shell.refused("order.cancelled_already", "orders", "lock", order, "--at", "2024-04-02T10:00")


def test_the_clock_locks_at_168_hours(shell: Shell) -> None:
    """Reserved on 29 March at 10:00: refundable until 5 April at 10:00."""
    waits, in_time, late = (shell.reserve(*MAX, "--deposit", "5000") for _ in range(3))
    shell.done("orders", "cancel", in_time, "--at", "2024-04-05T09:59")
    assert money(shell.order(in_time))["refunded"] == 5000

    # Too late: the clock had locked it, and the deposit is forfeited.
    said = shell.done("orders", "cancel", late, "--at", "2024-04-05T10:01")
    assert "order.cancelled" in said
    told = shell.order(late)
    (lock,) = [fact for fact in told["facts"] if fact["kind"] == "order.locked"]
    assert (lock["body"]["rule"], lock["happened"]) == ("unclaimed-reservation", "2024-04-05T10:00:00+08:00")
    assert lock["body"]["trim"] == "Max"
    assert money(told)["forfeited"] == 5000

    assert shell.order(waits)["status"] == "reserved"
    assert shell.done("orders", "clock", "--at", "2024-04-05T09:59") == "0 orders locked by the clock\n"
    assert shell.done("orders", "clock", "--at", "2024-04-06T00:00") == "1 orders locked by the clock\n"
    assert shell.done("orders", "clock", "--at", "2024-04-06T00:00") == "0 orders locked by the clock\n"
    assert shell.order(waits)["status"] == "locked"
    assert shell.value("orders.locked", "--as-of", "2024-04-05T09:59:59") == 0
    assert shell.value("orders.locked", "--as-of", "2024-04-05T10:00") == 2


def test_the_window_requeues(shell: Shell) -> None:
    order = shell.reserve(*MAX)
    shell.done("orders", "change", order, "--colour", "Green", "--at", "2024-03-29T11:00")
    shell.done("orders", "lock", order, "--at", "2024-03-30T10:00")
    change = ("orders", "change", order, "--trim", "Pro")
    shell.refused("order.change_closed", *change, "--at", "2024-04-18T23:59")
    error = shell.refused("order.requeue", *change, "--at", "2024-04-19T12:00")
    assert "april" in error
    shell.done(*change, "--requeue", "--at", "2024-04-19T12:00")
    told = shell.order(order)
    last = told["facts"][-1]["body"]
    assert (last["rule"], last["requeues"], last["colour"]) == ("april", True, "Green")
    # Another trim has its own list price.
    assert told["configuration"] == {"trim": "Pro", "colour": "Green", "price": "CNY 245,900.00"}
    shell.refused("order.change_closed", *change, "--requeue", "--at", "2024-04-20T00:01")


def test_the_founder_edition_has_a_quota_and_locks_when_paid(shell: Shell) -> None:
    first = shell.reserve(*MAX, "--edition", "founder")
    told = shell.order(first)
    assert told["status"] == "locked"
    assert money(told)["deposit held"] == 20_000
    shell.reserve(*MAX, "--edition", "founder")
    third = ("orders", "reserve", *MAX, "--edition", "founder", "--at", "2024-03-30T10:00")
    shell.refused("order.quota", *third)
    shell.refused("order.edition", *third[:-3], "another", *third[-2:])
    # A cancelled one is free again.
    shell.done("orders", "cancel", first, "--by", "maker", "--at", "2024-03-30T11:00")
    shell.done(*third[:-1], "2024-03-30T12:00")
    assert shell.value("orders.locked", "edition=founder") == 3
    assert shell.value("orders.locked_net", "edition=founder") == 2


def test_a_limit_per_person(shell: Shell) -> None:
    first = shell.reserve(*MAX, "--buyer", "B-7")
    shell.reserve(*MAX, "--buyer", "B-7")
    third = ("orders", "reserve", *MAX, "--buyer", "B-7", "--at", "2024-03-29T12:00")
    shell.refused("order.limit", *third)
    shell.reserve(*MAX, "--buyer", "B-8")
    shell.done("orders", "cancel", first, "--at", "2024-03-29T13:00")
    shell.done(*third[:-1], "2024-03-29T14:00")


def test_no_second_reservation_lock_or_handover(shell: Shell) -> None:
    order = shell.reserve(*MAX)
    again = ("orders", "reserve", *MAX, "--order-id", order, "--at", "2024-03-29T11:00")
    shell.refused("order.reserved_twice", *again)
    shell.done("orders", "lock", order, "--at", "2024-03-30T10:00")
    shell.refused("order.locked_twice", "orders", "lock", order, "--at", "2024-03-30T11:00")
    shell.refused("order.not_reserved", "orders", "lock", "O-000000001Y", "--at", "2024-03-30T11:00")


def test_a_car_serves_one_order_at_a_time(shell: Shell) -> None:
    one, two = shell.reserve(*MAX), shell.reserve(*MAX)
    other = shell.reserve("--trim", "Pro", "--colour", "Blue")
    for order in (one, two, other):
        shell.done("orders", "lock", order, "--at", "2024-03-30T10:00")
    shell.done("cars", "build", vin(1), "plant=one", "trim=Max", "colour=Blue", "--at", "2024-04-01T10:00")
    shell.done("cars", "build", vin(2), "plant=one", "trim=Max", "purpose=test", "--at", "2024-04-01T10:00")
    shell.refused("peg.incompatible", "cars", "peg", vin(1), f"order={other}", "--at", "2024-04-01T11:00")
    shell.refused("peg.purpose", "cars", "peg", vin(2), f"order={one}", "--at", "2024-04-01T11:00")
    shell.done("cars", "peg", vin(1), f"order={one}", "--at", "2024-04-01T12:00")
    shell.refused("peg.taken", "cars", "peg", vin(1), f"order={two}", "--at", "2024-04-01T13:00")
    shell.done("cars", "unpeg", vin(1), f"order={one}", "reason=damaged", "--at", "2024-04-01T14:00")
    shell.done("cars", "peg", vin(1), f"order={two}", "--at", "2024-04-01T15:00")
    assert (shell.order(one)["car"], shell.order(two)["car"]) == (None, vin(1))


def test_a_repeated_source_adds_nothing(shell: Shell) -> None:
    reserve = ("orders", "reserve", *MAX, "--deposit", "5000", "--source", "app/17")
    first = shell(*reserve)
    again = shell(*reserve)
    assert first.out == again.out
    assert (first.err, again.err) == ("2 facts recorded\n", "0 facts recorded\n")
    lock = ("orders", "lock", first.out.strip(), "--source", "app/18")
    assert "recorded as" in shell.done(*lock)
    assert "known already as" in shell.done(*lock)
    shell.refused("source.conflict", *reserve[:2], "--trim", "Pro", *reserve[4:])
    assert shell.value("orders.reserved", "--as-of", "2199-12-30") == 1


def test_no_value_gets_in_that_could_not_be_read_again(shell: Shell) -> None:
    long, order = "x" * 201, shell.reserve(*MAX, "--deposit", "5000")
    at = ("--at", "2024-03-30T10:00")
    mark = shell.mark()
    for command in (
        ("orders", "reserve", "--trim", "Max", "--city", long),
        ("orders", "reserve", "--trim", "Max", "--buyer", ""),
        ("orders", "change", order, "--city", long),
        ("orders", "cancel", order, "--reason", ""),
        ("cars", "build", vin(1), "plant=one", "trim=Max", f"colour={long}"),
        ("record", "buyer.described", order, "sex=unheard"),
    ):
        shell.refused("fact.body", *command, *at, exit_code=2)
    for command in (
        ("orders", "pay", order, "1e30"),
        ("orders", "reserve", "--trim", "Max", "--deposit", "1e30"),
    ):
        shell.refused("money.shape", *command, *at, exit_code=2)
    shell.refused("text.formula", "orders", "change", order, "--city", "=1+1", *at, exit_code=2)
    shell.refused("text.control", "orders", "change", order, "--city", "a\nb", *at, exit_code=2)
    shell.refused("money.negative", "orders", "reserve", "--trim", "Max", "--deposit=-5", *at, exit_code=2)
    shell.refused("money.precision", "orders", "pay", order, "1.005", *at, exit_code=2)
    assert shell.mark() == mark
    assert shell.value("orders.reserved") == 1


def test_ledgers_balance_whatever_happens(shell: Shell) -> None:
    """A walk through every way in which a deposit can go."""
    orders = [shell.reserve(*MAX, "--deposit", "5000", "--buyer", f"B-{n}") for n in range(4)]
    orders.append(shell.reserve(*MAX, "--edition", "founder"))
    shell.done("orders", "lock", orders[1], "--at", "2024-03-30T10:00")
    shell.done("orders", "cancel", orders[0], "--at", "2024-03-31T10:00")
    shell.done("orders", "cancel", orders[1], "--at", "2024-03-31T10:00")
    refund = ("record", "deposit.refunded", orders[2])
    shell.refused("money.more_than_held", *refund, "amount=5000.01", "--at", "2024-04-01T10:00")
    shell.refused("money.currency_differs", *refund, "amount=1", "currency=EUR", "--at", "2024-04-01T10:00")
    shell.done(*refund, "amount=1000", "--at", "2024-04-01T10:00")
    shell.done("orders", "cancel", orders[2], "--at", "2024-04-02T10:00")
    shell.done("orders", "cancel", orders[4], "--by", "buyer", "--at", "2024-04-02T10:00")
    ledgers = [shell.order(order) for order in orders]
    assert all(balances(told) for told in ledgers)
    held = [money(told)["deposit held"] for told in ledgers]
    assert held == [0, 0, 0, 5000, 0]
    assert money(ledgers[4])["forfeited"] == 20_000
