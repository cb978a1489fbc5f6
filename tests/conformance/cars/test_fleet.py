"""The simulated fleet at the real server."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from driveaway.updates.actions import steering
from driveaway.updates.assigning import Window
from driveaway.updates.car.fleet.behaviour import Behaviour, Fetch
from driveaway.updates.car.fleet.entering import enter, simulated_vin
from driveaway.updates.car.fleet.fleet import Fleet
from driveaway.updates.car.fleet.line import place_of
from driveaway.updates.car.fleet.member import Member
from driveaway.updates.model import ActionType
from driveaway.values.clock import now
from driveaway.values.errors import Unavailable
from tests.server import Server

CARS = 40


@pytest.fixture(scope="module")
def members(server: Server) -> list[Member]:
    server.start()
    return enter(server.state, CARS, now())


def lived(
    server: Server, members: list[Member], until: Callable[[Fleet], bool], seconds: float = 40, **given: Any
) -> tuple[Fleet, list[tuple[str, int, str, str]]]:
    """A fleet, after it polled until something was so."""
    taken: list[tuple[str, int, str, str]] = []
    usual: dict[str, Any] = {"install": 0.05, "reboot": 0.05, "poll": 0.2}
    fleet = Fleet(
        [Member(member.controller_id, member.credential.partition(" ")[2]) for member in members],
        place_of(server.url),
        Behaviour(**usual | given),
        connections=10,
        ramp=0.1,
        acknowledged=lambda *said: taken.append(said),
    )

    def done() -> bool:
        return until(fleet) and all(member.has_said_all for member in fleet.members)

    asyncio.run(fleet.run(seconds, stop=done))
    assert done()
    return fleet, taken


def test_updates_end_as_the_cars_behave(server: Server, members: list[Member]) -> None:
    behaviour = Behaviour(failing=0.3, silent=0.2)
    vins = [member.controller_id for member in members]
    actions = server.assign(server.release("fleet", "1", {"a": b"a" * 100_000}), *vins)
    fleet, taken = lived(
        server, members, lambda fleet: fleet.counts.ended.total() == CARS, failing=0.3, silent=0.2
    )
    wanted = Counter(behaviour.ending(vin, action) for vin, action in zip(vins, actions, strict=True))
    assert len(wanted) == 3
    assert fleet.counts.ended == wanted
    closed = {(vin, action): said for vin, action, said, _ in taken if said.startswith("closed/")}
    assert len(closed) == CARS - wanted["silent"]
    for vin, action in zip(vins, actions, strict=True):
        facts = server.facts(vin)
        if behaviour.ending(vin, action) == "silent":
            assert facts == []
            assert server.action(action).active
        else:
            (fact,) = facts
            assert fact.simulated
            assert (
                fact.body.outcome
                == {"success": "installed", "failure": "failed"}[behaviour.ending(vin, action)]
            )  # type: ignore[attr-defined]
            if fact.body.outcome == "installed":  # type: ignore[attr-defined]
                assert all(fact.simulated for fact in server.facts(vin, "version.reported"))
                assert server.action(action).verified
    assert fleet.counts.lost == 0
    assert set(fleet.counts.statuses) == {200}


@pytest.mark.parametrize("fetch", ["nothing", "head", "range", "whole"])
def test_what_is_fetched(server: Server, members: list[Member], fetch: Fetch) -> None:
    chosen = members[:4]
    server.assign(
        server.release(f"fetch-{fetch}", "1", {"a": b"a" * 100_000, "b": b"b"}),
        *(member.controller_id for member in chosen),
    )
    fleet, _ = lived(server, chosen, lambda fleet: fleet.counts.ended.total() == 4, fetch=fetch)
    assert fleet.counts.requests["artifact"] == (0 if fetch == "nothing" else 8)
    assert fleet.counts.statuses[206] == (8 if fetch == "range" else 0) or fetch == "range"


def test_cancelling_confirming_and_downloading_alone(server: Server, members: list[Member]) -> None:
    one, two, three = (member.controller_id for member in members[-3:])
    release = server.release("others", "1", {"a": b"a"})
    (stopped,) = server.assign(release, one)
    with server.state.change() as change:
        steering.cancel(change, stopped, now())
    server.assign(release, two, confirmation=True)
    server.assign(release, three, type=ActionType.DOWNLOAD_ONLY)

    def done(fleet: Fleet) -> bool:
        return all(
            any(fact.body.release == "others-1" for fact in server.facts(vin))  # type: ignore[attr-defined]
            for vin in (one, two, three)
        )

    lived(server, members[-3:], done)
    last = [server.facts(vin)[-1].body.outcome for vin in (one, two, three)]  # type: ignore[attr-defined]
    assert last == ["cancelled", "installed", "downloaded"]


def test_a_closed_window(server: Server, members: list[Member]) -> None:
    window = Window("0 0 3 1 1 ? 2099", "01:00:00", "+08:00")
    (action,) = server.assign(
        server.release("window", "1", {"a": b"a"}), members[0].controller_id, window=window
    )
    _, taken = lived(server, members[:1], lambda fleet: fleet.counts.requests["poll"] >= 4)
    assert taken == []
    assert server.action(action).heard is None


def test_entered_again_they_keep_their_tokens(server: Server, members: list[Member]) -> None:
    again = enter(server.state, CARS, now())
    assert [(member.controller_id, member.credential) for member in again] == [
        (member.controller_id, member.credential) for member in members
    ]
    assert again[0].controller_id == simulated_vin(1)
    assert len({member.credential for member in again}) == CARS


def test_a_server_that_does_not_know_them(server: Server, members: list[Member]) -> None:
    strangers = [Member(members[0].controller_id, "0" * 32)]
    with pytest.raises(Unavailable, match=r"car\.credential"):
        lived(server, strangers, lambda fleet: False)


def test_a_server_that_is_away_and_comes_back(server: Server, members: list[Member]) -> None:
    server.kill()
    started = []

    def back(fleet: Fleet) -> bool:
        if fleet.counts.lost > 3 and not started:
            started.append(fleet.counts.lost)
            server.start()
        return fleet.counts.requests["poll"] >= 20

    fleet, _ = lived(server, members[:10], back, seconds=30)
    assert fleet.counts.lost > 3
