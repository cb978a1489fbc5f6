"""Two writers that take turns judge as one that loads everything anew each time."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from driveaway.book import writer
from driveaway.book.book import open_store
from driveaway.facts import Draft
from driveaway.facts import orders as o
from driveaway.launch.decide import LaunchDecider
from tests.stores import acts


def _draft(dice: random.Random, number: int) -> Draft:
    order = dice.randrange(6)
    subject = acts.order(order)
    at = acts.START + number * 1_000_000
    source = f"urn:turns/{number}"
    reserved = o.OrderReserved(
        trim="Max", buyer=dice.choice((None, "one", "two")), edition=dice.choice((None, "founder")), price=2,
        currency="CNY",
    )  # fmt: skip
    choices = [
        ("order.reserved", subject, reserved),
        ("order.reserved", acts.order(10 + number), reserved),
        ("deposit.taken", subject, o.DepositTaken(amount=2, currency="CNY")),
        ("order.locked", subject, o.OrderLocked()),
        ("order.cancelled", subject, o.OrderCancelled()),
    ]
    kind, subject, body = dice.choice(choices)
    if dice.random() < 0.1:
        at -= 5_000_000
    return Draft(kind, subject, at, body, source)


@pytest.mark.parametrize("seed", range(25))
def test_turns(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    shared, alone = (f"sqlite:///{tmp_path / name / 'book.sqlite'}" for name in ("shared", "alone"))
    stores = [open_store(shared), open_store(shared)]
    deciders = [LaunchDecider(acts.DESCRIPTION), LaunchDecider(acts.DESCRIPTION)]
    judge = open_store(alone)
    stores[0].create()
    judge.create()
    number = 0
    told: list[tuple[str, str]] = []
    expected: list[tuple[str, str]] = []
    for _ in range(40):
        turn = dice.randrange(2)
        batch = [_draft(dice, number + n) for n in range(dice.choice((1, 1, 2, 5)))]
        number += len(batch)
        for outcomes, kept in (
            (writer.append(stores[turn], batch, deciders[turn]), told),
            (writer.append(judge, batch, LaunchDecider(acts.DESCRIPTION)), expected),
        ):
            kept += [(one.draft.source, one.error.code if one.error else "added") for one in outcomes]
    for store in (*stores, judge):
        store.close()
    assert told == expected
    codes = {code for _, code in told}
    assert "added" in codes
    assert codes & {"order.limit", "order.quota"}


def test_an_edition_is_not_counted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'book.sqlite'}"
    mine, theirs = open_store(url), open_store(url)
    mine.create()
    decider = LaunchDecider(acts.DESCRIPTION)
    counted: list[tuple[str, ...]] = []
    count = LaunchDecider._load_shared

    def watched(self: LaunchDecider, shared: set[str], reader: writer.Reader) -> None:
        if self is decider:
            counted.append(tuple(sorted(set(shared) - self._counted)))
        count(self, shared, reader)

    monkeypatch.setattr(LaunchDecider, "_load_shared", watched)
    for number in range(3):
        body = o.OrderReserved(trim="Max", edition="founder")
        (outcome,) = writer.append(mine, [Draft("order.reserved", acts.order(number), number, body)], decider)
        assert (outcome.error is None) == (number < 2)
        other = Draft("order.reserved", acts.order(100 + number), number, o.OrderReserved(trim="Max"))
        writer.append(theirs, [other], LaunchDecider(acts.DESCRIPTION))
    assert counted == [("edition:founder",), (), ()]
    mine.close()
    theirs.close()
