"""The book beside a tiny model of it: whatever is asked, both accept or both refuse, and both say the same.

The model knows no index, no batch and no late path: it keeps a list, and judges a draft by playing the
whole history again with the draft in its place.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from driveaway.book.book import open_store
from driveaway.facts import Draft
from driveaway.launch.desk import state_of
from driveaway.launch.launch import Launch, open_launch
from tests.stores import acts
from tests.stores.conftest import empty

_TOML = acts.LAUNCH_TOML.split("[[editions]]")[0]
_ORDERS, _CARS = range(3), range(2)


class Known(NamedTuple):
    """A fact as the model remembers it."""

    seq: int
    place: int
    act: str
    order: int
    car: int
    hours: int


class Model:
    """All live facts, and the rules in their plainest form."""

    def __init__(self) -> None:
        self.facts: list[Known] = []
        self.replaced: dict[int, int] = {}
        self.size = 0

    def live(self, mark: int) -> list[Known]:
        return [f for f in self.facts if f.seq <= mark and self.replaced.get(f.seq, mark + 1) > mark]

    def asked(self, new: Known, replaces: int | None) -> int | None:
        """The seq that the fact gets, or None: refused."""
        if replaces is not None and (replaces in self.replaced or self.facts[replaces - 1].act == "withdraw"):
            return None
        history = [fact for fact in self.live(self.size) if fact.seq != replaces]
        if new.act != "withdraw":
            history.append(new)
        if not legal(history):
            return None
        self.size += 1
        self.facts.append(new._replace(seq=self.size, place=self.size if replaces is None else replaces))
        if replaces is not None:
            self.replaced[replaces] = self.size
        return self.size


def legal(history: list[Known]) -> bool:
    """Whether each fact may stand after those before it in valid time."""
    try:
        play(history)
    except AssertionError:
        return False
    return True


def play(history: list[Known]) -> tuple[dict[int, dict[str, Any]], dict[int, dict[str, Any]]]:
    orders: dict[int, dict[str, Any]] = {
        n: {"held": 0, "paid": 0, "status": "unknown", "car": None} for n in _ORDERS
    }
    cars: dict[int, dict[str, Any]] = {n: {"built": False, "order": None, "gone": None} for n in _CARS}
    for fact in sorted(history, key=lambda fact: (fact.hours, fact.place)):
        order, car, status = orders[fact.order], cars[fact.car], orders[fact.order]["status"]
        match fact.act:
            case "reserve":
                assert status == "unknown"
                order["status"] = "reserved"
            case "lock":
                assert status == "reserved"
                order["status"] = "locked"
            case "cancel":
                assert status in ("reserved", "locked")
                order["status"] = "cancelled"
            case "take":
                assert status != "unknown"
                order["held"] += acts.DEPOSIT
            case "refund":
                assert status != "unknown"
                assert order["held"] >= acts.DEPOSIT
                order["held"] -= acts.DEPOSIT
            case "pay":
                assert status not in ("unknown", "cancelled")
                assert order["paid"] + acts.PRICE - acts.DEPOSIT <= acts.PRICE
                order["paid"] += acts.PRICE - acts.DEPOSIT
            case "build":
                assert not car["built"]
                car["built"] = True
            case "peg":
                assert car["built"]
                assert car["order"] is None
                assert car["gone"] is None
                assert status == "locked"
                assert order["car"] is None
                car["order"], order["car"] = fact.order, fact.car
            case "unpeg":
                assert car["order"] == fact.order
                assert car["gone"] is None
                car["order"] = order["car"] = None
            case "hand over":
                assert status == "locked"
                assert car["order"] == fact.order
                assert car["gone"] is None
                assert order["held"] + order["paid"] >= acts.PRICE
                order["status"], car["gone"] = "handed over", fact.order
            case "return":
                assert car["gone"] == fact.order
                car["gone"] = car["order"] = None
    return orders, cars


_DRAFTS: dict[str, Callable[[int, int, float], Draft]] = {
    "reserve": lambda order, car, hours: acts.reserved(order, hours),
    "lock": lambda order, car, hours: acts.locked(order, hours),
    "cancel": lambda order, car, hours: acts.cancelled(order, hours),
    "take": lambda order, car, hours: acts.taken(order, hours),
    "refund": lambda order, car, hours: acts.refunded(order, hours),
    "pay": lambda order, car, hours: acts.paid(order, hours, acts.PRICE - acts.DEPOSIT),
    "build": lambda order, car, hours: acts.built(car, hours),
    "peg": lambda order, car, hours: acts.pegged(car, order, hours),
    "unpeg": lambda order, car, hours: acts.unpegged(car, order, hours),
    "hand over": lambda order, car, hours: acts.handed_over(order, car, hours),
    "return": lambda order, car, hours: acts.returned(car, order, hours),
}
# In the order of a life, so that shrinking and luck both tend to get somewhere.
_ACT = st.sampled_from([*_DRAFTS])
_WHEN = st.one_of(st.none(), st.none(), st.none(), st.integers(0, 40))


class Desk(RuleBasedStateMachine):
    """What hypothesis may ask of a book and of the model."""

    fresh: Callable[[], Launch]

    def __init__(self) -> None:
        super().__init__()
        self.launch = type(self).fresh()
        self.model = Model()
        self.clock = 0
        self.source = itertools.count()
        self.asked: list[tuple[Draft, int]] = []

    def teardown(self) -> None:
        self.launch.close()

    def _hours(self, when: int | None) -> int:
        """The next hour, unless an earlier one is wanted: a late fact."""
        if when is None:
            self.clock += 1
            return self.clock
        return min(when, self.clock)

    def _draft(self, act: str, order: int, car: int, hours: int, replaces: int | None = None) -> Draft:
        plain = _DRAFTS[act](order, car, hours)
        fields = {name: getattr(plain, name) for name in ("kind", "subject", "happened", "body")}
        return Draft(**fields, source=f"urn:model/{next(self.source)}", replaces=replaces)

    def _compare(self, draft: Draft, new: Known, replaces: int | None = None) -> None:
        (outcome,) = self.launch.append([draft], atomic=False)
        expected = self.model.asked(new, replaces)
        assert outcome.seq == expected, (new, replaces, outcome.error)
        if outcome.seq is not None:
            self.asked.append((draft, outcome.seq))

    @initialize(
        order=st.sampled_from(_ORDERS),
        car=st.sampled_from(_CARS),
        far=st.integers(1, 7),
        at_once=st.booleans(),
    )
    def a_life_begins(self, order: int, car: int, far: int, at_once: bool) -> None:
        for act in ("reserve", "take", "lock", "build", "peg", "pay", "hand over")[:far]:
            self.one(act, order, car, self.clock if at_once else None)

    @rule(act=_ACT, order=st.sampled_from(_ORDERS), car=st.sampled_from(_CARS), when=_WHEN)
    def one(self, act: str, order: int, car: int, when: int | None) -> None:
        hours = self._hours(when)
        self._compare(self._draft(act, order, car, hours), Known(0, 2**62, act, order, car, hours))

    @rule(
        acts=st.lists(
            st.tuples(_ACT, st.sampled_from(_ORDERS), st.sampled_from(_CARS), _WHEN), min_size=2, max_size=5
        )
    )
    def several_in_one_batch(self, acts: list[tuple[str, int, int, int | None]]) -> None:
        drafts, expected = [], []
        for act, order, car, when in acts:
            hours = self._hours(when)
            drafts.append(self._draft(act, order, car, hours))
            expected.append(self.model.asked(Known(0, 2**62, act, order, car, hours), None))
        outcomes = self.launch.append(drafts, atomic=False)
        assert [outcome.seq for outcome in outcomes] == expected, acts
        self.asked += [(outcome.draft, outcome.seq) for outcome in outcomes if outcome.seq is not None]

    def _picked(self, pick: int) -> Known:
        """A fact recorded lately, more often than not: little rests on it yet."""
        facts = self.model.facts if pick % 3 == 0 else self.model.facts[-4:]
        return facts[pick % len(facts)]

    @precondition(lambda self: self.model.facts)
    @rule(pick=st.integers(0, 99), when=_WHEN)
    def corrected_time(self, pick: int, when: int | None) -> None:
        old = self._picked(pick)
        if old.act == "withdraw":
            return
        hours = old.hours if when is None else min(when, self.clock)
        draft = self._draft(old.act, old.order, old.car, hours, old.seq)
        self._compare(draft, old._replace(seq=0, place=old.seq, hours=hours), old.seq)

    @precondition(lambda self: self.model.facts)
    @rule(pick=st.integers(0, 99), again=st.booleans())
    def taken_back(self, pick: int, again: bool) -> None:
        old = self._picked(pick)
        subject = self.launch.book.store.by_seq([old.seq])[0].subject
        draft = acts.withdrawn(subject, old.seq, self.clock)
        draft = msgspec.structs.replace(draft, source=f"urn:model/{next(self.source)}")
        self._compare(draft, old._replace(act="withdraw", hours=self.clock), old.seq)
        if again and old.act != "withdraw":
            self.one(old.act, old.order, old.car, None)

    @rule(pick=st.integers(0, 99))
    def said_again(self, pick: int) -> None:
        if self.asked:
            draft, seq = self.asked[pick % len(self.asked)]
            (outcome,) = self.launch.append([draft], atomic=False)
            assert (outcome.seq, outcome.added) == (seq, False)

    @rule()
    def the_program_starts_again(self) -> None:
        folder, url = self.launch.folder, self.launch.settings["book_url"]
        self.launch.close()
        self.launch = open_launch(folder, book_url=url)

    @invariant()
    def the_size_agrees(self) -> None:
        assert self.launch.book.edge().size == self.model.size

    @rule(order=st.sampled_from(_ORDERS))
    def the_state_agrees(self, order: int) -> None:
        expected = play(self.model.live(self.model.size))[0][order]
        if self.launch.book.about(acts.order(order)):
            state = state_of(self.launch, acts.order(order))
            assert (state.status, state.held, state.paid) == tuple(
                expected[name] for name in ("status", "held", "paid")
            )

    @rule(
        mark=st.integers(0, 60), when=st.integers(0, 40), act=st.sampled_from(["reserve", "lock", "cancel"])
    )
    def a_cut_agrees(self, mark: int, when: int, act: str) -> None:
        mark = min(mark, self.model.size)
        kind = {"reserve": "order.reserved", "lock": "order.locked", "cancel": "order.cancelled"}[act]
        view = self.launch.at(acts.at(when), mark=mark).view
        seqs = view.run(view.table(kind).select("seq").order_by("seq"))[0].column("seq").to_pylist()
        assert seqs == [f.seq for f in self.model.live(mark) if f.act == act and f.hours <= when]

    @rule()
    def the_evidence_holds(self) -> None:
        assert self.launch.book.verify().differences == []


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize("size", [20, pytest.param(400, marks=pytest.mark.nightly)], ids=["fair", "whole"])
def test_the_book_and_the_model(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, size: int
) -> None:
    template = tmp_path / "template.sqlite"
    url = request.getfixturevalue("emptied_url") if engine == "postgresql" else None
    if url is None:
        store = open_store(f"sqlite:///{template}")
        store.create()
        store.close()

    def fresh() -> Launch:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        (folder / "launch.toml").write_text(_TOML)
        (folder / "data").mkdir()
        if url is None:
            shutil.copy(template, folder / "data" / "book.sqlite")
        else:
            empty(url)
        return open_launch(folder, book_url=url)

    machine = type("Machine", (Desk,), {"fresh": staticmethod(fresh)})
    few = size if engine == "sqlite" else size // 3
    run_state_machine_as_test(
        machine, settings=settings(max_examples=few, stateful_step_count=25, print_blob=True)
    )
