"""What is remembered of cars is never older than what was heard of them, whatever happens in between."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from driveaway.values.errors import Unavailable
from driveaway.web.device.asking import Changes, Room
from driveaway.web.device.cars import Cars, Ticket, Variant
from driveaway.web.device.variants import Variants
from driveaway.web.http.media import Media

IDS = st.sampled_from(["a", "b"])
VARIANT = Variant("http://h", Media.HAL)


class Remembering(RuleBasedStateMachine):
    """Documents are computed from versions; a version grows with each change. What is remembered of a car
    must be its version now, unless a change has not been heard of yet."""

    def __init__(self) -> None:
        super().__init__()
        self.cars = Cars(most=2)
        self.version = dict.fromkeys("ab", 0)
        self.heard = dict.fromkeys("ab", 0)
        self.unheard: list[str] = []
        self.computing: list[tuple[Ticket, int]] = []

    @rule(car=IDS)
    def change(self, car: str) -> None:
        self.version[car] += 1
        self.unheard.append(car)

    @rule()
    def change_all(self) -> None:
        for car in self.version:
            self.version[car] += 1
        self.unheard.append("")

    @rule()
    def hear(self) -> None:
        self.cars.changed(self.unheard)
        self.unheard = []
        self.heard = dict(self.version)

    @rule(car=IDS)
    def begin(self, car: str) -> None:
        self.computing.append((self.cars.ask(car), self.version[car]))

    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        if not self.computing:
            return
        ticket, version = self.computing.pop(data.draw(st.integers(0, len(self.computing) - 1)))
        # Credentials change more rarely than documents.
        self.cars.keep_proof(ticket, b"%d" % (version // 3))
        if data.draw(st.booleans()):
            self.cars.keep_document(ticket, VARIANT, b"%d" % version, b'"e"', None)
            row: Any = version
            self.cars.keep_file(ticket, (1, "f"), (row, Path("x")))
        self.cars.done(ticket)

    @invariant()
    def nothing_older_than_what_was_heard(self) -> None:
        for name in self.version:
            car = self.cars.get(name)
            if car is None or car.epoch != self.cars.epoch:
                continue
            assert int(car.proof) >= self.heard[name] // 3
            assert car.variant is None or int(car.body) >= self.heard[name]
            for found, _ in (car.files or {}).values():
                assert found >= self.heard[name]  # type: ignore[operator]


Remembering.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestRemembering = Remembering.TestCase


def test_no_more_are_remembered_than_allowed() -> None:
    cars = Cars(most=2)
    for name in "abcd":
        remember(cars, name)
    assert [cars.get(name) is not None for name in "abcd"] == [False, False, True, True]


def test_whoever_showed_it_before_is_known_again_after_a_change() -> None:
    cars = Cars()
    for change in (["a"], [""]):
        remember(cars, "a")
        car = cars.get("a")
        assert car is not None
        assert car.variant is VARIANT
        cars.changed(change)
        assert car.proof == b"p"
        assert car.epoch != cars.epoch
        ticket = cars.ask("a")
        assert cars.keep_proof(ticket, b"p") is car
        cars.done(ticket)
        # It is known, and nothing of what was said to it before.
        assert car.epoch == cars.epoch
        assert (car.variant, car.files) == (None, None)


def test_what_was_asked_before_a_change_is_not_kept_after_it_by_another_request() -> None:
    cars = Cars()
    early = cars.ask("a")
    cars.changed(["a"])
    late = cars.ask("a")
    cars.keep_proof(late, b"p")
    assert not cars.keep_document(early, VARIANT, b"old", b'"e"', None)
    row: Any = None
    cars.keep_file(early, (1, "f"), (row, Path("old")))
    car = cars.get("a")
    assert car is not None
    assert (car.variant, car.files) == (None, None)
    assert cars.keep_document(late, VARIANT, b"new", b'"e"', None)


class Told:
    """A room whose changes are given, or that cannot be reached."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.broken = False
        self.asked = 0

    def last_change(self) -> int:
        return len(self.log)

    def changed_since(self, seq: int) -> tuple[int, list[str]]:
        self.asked += 1
        if self.broken:
            raise Unavailable("away")
        return len(self.log), self.log[seq:]


def remember(cars: Cars, name: str) -> None:
    ticket = cars.ask(name)
    cars.keep_proof(ticket, b"p")
    cars.keep_document(ticket, VARIANT, b"d", b'"e"', None)
    cars.done(ticket)


def test_a_room_that_cannot_be_asked_makes_what_is_remembered_useless() -> None:
    async def run() -> None:
        told, cars = Told(), Cars()
        told.log = ["before"]
        changes = Changes(told, cars, 0.005, 0.05)  # type: ignore[arg-type]
        await changes.start()
        remember(cars, "a")
        remember(cars, "b")
        told.log.append("a")
        a, b = cars.get("a"), cars.get("b")
        assert a is not None
        assert b is not None
        while a.variant is not None:
            await asyncio.sleep(0.005)
        assert (b.epoch, b.variant) == (cars.epoch, VARIANT)
        told.broken = True
        while changes.fresh:
            await asyncio.sleep(0.005)
        assert b.epoch != cars.epoch
        told.broken = False
        while not changes.fresh:
            await asyncio.sleep(0.005)
        asked = told.asked
        await changes.stop()
        await asyncio.sleep(0.02)
        assert told.asked <= asked + 1

    asyncio.run(run())


def test_no_more_wait_for_the_room_than_allowed() -> None:
    async def run() -> None:
        room = Room(1, 2)
        loop = asyncio.get_running_loop()
        gate = asyncio.Event()

        def wait() -> int:
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()
            return 1

        waiting = [asyncio.create_task(room.ask(wait)) for _ in range(2)]
        await asyncio.sleep(0)
        try:
            await room.ask(wait)
        except Unavailable as error:
            refused = error.code
        gate.set()
        assert await asyncio.gather(*waiting) == [1, 1]
        assert refused == "web.busy"
        assert await room.ask(lambda: 2) == 2
        room.close()

    asyncio.run(run())


def test_brief_questions_are_answered_together_each_for_itself() -> None:
    async def run() -> None:
        room = Room(4, 100)
        threads: set[int] = set()

        def divide(by: int) -> float:
            threads.add(threading.get_ident())
            return 12 / by

        answers = [asyncio.create_task(room.read(divide, by)) for by in (1, 0, 2, 3)]
        gone = asyncio.create_task(room.read(divide, 4))
        await asyncio.sleep(0)
        gone.cancel()
        found = await asyncio.gather(*answers, return_exceptions=True)
        assert (found[0], *found[2:]) == (12, 6, 4)
        assert isinstance(found[1], ZeroDivisionError)
        assert len(threads) == 1
        assert await room.read(divide, 6) == 2
        room.close()

    asyncio.run(run())


@pytest.mark.parametrize("threads", [1, 3])
def test_brief_questions_that_wait_too_long_are_helped(threads: int) -> None:
    async def run() -> None:
        room = Room(threads, 100)
        gate = threading.Event()
        slow = [asyncio.create_task(room.read(gate.wait, 10)) for _ in range(2)]
        await asyncio.sleep(0)
        quick = asyncio.create_task(room.read(lambda: 3))
        done, _ = await asyncio.wait([quick], timeout=0.5 if threads == 1 else 10)
        assert bool(done) == (threads == 3)
        gate.set()
        assert await asyncio.gather(*slow, quick) == [True, True, 3]
        room.close()

    asyncio.run(run())


def test_variants_are_told_by_identity_and_bounded() -> None:
    variants = Variants()
    one = variants.direct("https", b"h:1", b"application/json")
    assert one is variants.direct("https", b"h:1", b"application/json")
    assert one is variants.of("https://h:1", "application/json;q=0.9")
    assert one is not variants.direct("http", b"h:1", b"application/json")
    assert variants.direct("https", b"a b", None) is None
    assert variants.direct("https", b"h", b"text/html") is None
    for number in range(500):
        variants.direct("https", b"h%d" % number, None)
        assert variants.direct("https", b"h:1", b"application/json") is one
    assert len(variants._by_headers) <= 65
    assert Variants("https://p").direct("http", None, None).base == "https://p"  # type: ignore[union-attr]
