"""Cars as targets, on both stores: first polls, attributes, credentials, settings, what others hear of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driveaway.launch.launch import Launch
from driveaway.updates import changes, labels, registry
from driveaway.updates.actions import acting
from driveaway.updates.configuration import configure, reset
from driveaway.updates.ddi import messages
from driveaway.updates.ddi.credentials import NOTHING, Credential
from driveaway.updates.ddi.desk import EVERYONE
from driveaway.updates.model import TargetStatus
from driveaway.updates.seen import LastSeen
from driveaway.values.clock import HOUR
from driveaway.values.errors import BadValue, Conflict, NotFound
from tests.stores.garage import VINS, Garage, config, garage, refused

CAR, OTHER = VINS[:2]


@pytest.fixture
def g(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        yield made


def test_a_car_enters_itself_with_its_first_poll(g: Garage) -> None:
    polled = g.desk.base(CAR, g.links(CAR), "192.0.2.9")
    assert polled.document.config.polling.sleep == "00:05:00"
    assert list(polled.document.links) == ["configData"]
    assert polled.valid_until is not None
    assert polled.valid_until > g.at
    g.settled()
    assert list(g.base(CAR)) == ["configData"]
    target = g.target(CAR)
    assert (target.status, target.address, target.polled) == (TargetStatus.REGISTERED, "192.0.2.9", g.at)
    assert len(target.security_token) == 32
    assert len(g.state.rows("SELECT id FROM targets")) == 1
    assert g.catch_up() == [CAR]
    assert g.catch_up() == []
    config(g, CAR, device="su7")
    assert g.base(CAR) == {}
    with pytest.raises(BadValue):
        g.desk.base("a b", g.links("a b"), "")


def test_attributes(g: Garage) -> None:
    g.enter(CAR)
    config(g, CAR, a="1", b="2")
    config(g, CAR, b="3", c=None, d=True)
    assert registry.attributes(g.state, g.target(CAR).id) == {"a": "1", "b": "3", "d": "true"}
    config(g, CAR, "replace", x="y")
    config(g, CAR, "merge", z="")
    config(g, CAR, "remove", x="whatever", nothing="")
    assert registry.attributes(g.state, g.target(CAR).id) == {"z": ""}
    many = {f"k{number}": "v" for number in range(100)}
    too_many = messages.ConfigData(data={**many})
    refused(g, "quota.attributes", g.desk.put_attributes, CAR, too_many)
    assert registry.attributes(g.state, g.target(CAR).id) == {"z": ""}
    config(g, CAR, "replace", **many)
    assert len(registry.attributes(g.state, g.target(CAR).id)) == 100
    for data in ({"": "x"}, {"k" * 129: "x"}, {"k": "v" * 129}, {"k\x00": "x"}, {"k": "\x1b[31m"}):
        error = g.desk.put_attributes(CAR, messages.ConfigData(data=data)).exception(10)
        assert isinstance(error, BadValue)
        assert error.code.startswith("attribute.")
    refused(g, "target.unknown", g.desk.put_attributes, OTHER, messages.ConfigData(data={}))


def test_last_polls_are_written_in_batches(g: Garage) -> None:
    g.enter(*VINS[:5])
    seen = LastSeen(g.together, seconds=3600, most=3)
    seen.add(VINS[0], "192.0.2.1", g.at + 5)
    seen.add(VINS[0], "192.0.2.2", g.at + 6)
    seen.add(VINS[1], "192.0.2.1", g.at + 6)
    g.settled()
    assert g.target(VINS[0]).polled is None
    seen.add("nobody", "192.0.2.1", g.at)
    g.settled()
    first = g.target(VINS[0])
    assert (first.polled, first.address, first.status) == (g.at + 6, "192.0.2.2", TargetStatus.REGISTERED)
    seen.add(VINS[0], "192.0.2.3", g.at + 1)
    seen.add(VINS[2], "192.0.2.3", g.at + 1)
    seen.close()
    assert g.target(VINS[0]).polled == g.at + 6
    assert g.target(VINS[2]).polled == g.at + 1
    g.desk.seen(VINS[3], "192.0.2.4", g.at + 9)
    g.desk.close()
    assert g.target(VINS[3]).polled == g.at + 9


def test_cars_are_entered_amended_tagged_and_taken_out(g: Garage) -> None:
    with g.state.change() as change:
        made = registry.create(change, CAR, g.at, name="first", token="A" * 32)
        assert (made.status, made.security_token) == (TargetStatus.UNKNOWN, "A" * 32)
        with pytest.raises(Conflict):
            registry.create(change, CAR, g.at)
        for token in ("short", "A" * 129, "A" * 31 + "-"):
            with pytest.raises(BadValue):
                registry.create(change, OTHER, g.at, token=token)
        registry.create(change, OTHER, g.at)
        amended = registry.amend(change, CAR, g.at, name="second", target_group="vip")
        assert (amended.name, amended.target_group) == ("second", "vip")
        assert labels.tag(change, "beta", [CAR, OTHER, "nobody"], g.at) == 2
        assert labels.tag(change, "beta", [CAR], g.at) == 0
        assert labels.untag(change, "beta", [OTHER]) == 1
        labels.set_metadata(change, CAR, {"a": "1", "b": "2"}, g.at)
        labels.set_metadata(change, CAR, {"a": None, "b": "3"}, g.at)
    assert labels.tags(g.state, g.target(CAR).id) == ["beta"]
    assert labels.metadata(g.state, g.target(CAR).id) == {"b": "3"}
    (action,) = g.assign(g.release("1"), CAR)
    g.catch_up()
    with g.state.change() as change:
        registry.delete(change, CAR, g.at)
    assert g.catch_up() == [EVERYONE]
    for table in ("actions", "action_statuses", "target_tags", "target_metadata"):
        assert g.state.rows(f"SELECT * FROM {table}") == []
    with pytest.raises(NotFound):
        acting.find(g.state, action)


def test_credentials(g: Garage) -> None:
    g.enter(CAR, OTHER)
    own = Credential("target-token", g.target(CAR).security_token)
    admits = g.desk.authenticate
    for _ in range(2):
        assert admits(CAR, own)
        assert not admits(OTHER, own)
        assert not admits("nobody", Credential("target-token", ""))
        assert not admits(CAR, NOTHING)
    gateway = Credential("gateway-token", "g" * 32)
    certificate = Credential("certificate", CAR, ("DEADBEEF", "12345678"))
    assert not admits(CAR, gateway)
    assert not admits(CAR, certificate)
    g.set("authentication.gatewaytoken.enabled", True)
    assert not admits(CAR, Credential("gateway-token", ""))
    g.set("authentication.gatewaytoken.key", "g" * 32)
    assert admits("new car", gateway)
    assert not admits(CAR, Credential("gateway-token", "h" * 32))
    g.set("authentication.header.enabled", True)
    assert not admits(CAR, certificate)
    g.set("authentication.header.authority", "00000000, deadbeef")
    assert admits(CAR, certificate)
    assert not admits(OTHER, certificate)
    assert not admits(CAR, Credential("certificate", CAR, ("12345678",)))
    with g.state.change() as change:
        registry.amend(change, CAR, g.at, security_token="N" * 40)
    g.catch_up()
    assert not admits(CAR, own)
    assert admits(CAR, Credential("target-token", "N" * 40))
    g.set("authentication.targettoken.enabled", False)
    assert not admits(CAR, Credential("target-token", "N" * 40))
    assert not admits(CAR, NOTHING, download=True)
    g.set("anonymous.download.enabled", True)
    assert admits(CAR, NOTHING, download=True)
    assert not admits(CAR, NOTHING)
    g.set("authentication.anonymous.enabled", True)
    assert admits(CAR, NOTHING)


def test_settings(g: Garage) -> None:
    g.set("pollingTime", "00:01:00")
    assert g.desk.base(CAR, g.links(CAR), "").document.config.polling.sleep == "00:01:00"
    with g.state.change() as change:
        for key, value, error in (
            ("pollingTime", "soon", BadValue),
            ("pollingTime", 5, BadValue),
            ("maintenanceWindowPollCount", True, BadValue),
            ("nothing", 1, NotFound),
        ):
            with pytest.raises(error):
                configure(change, key, value, g.at)
        reset(change, "pollingTime", g.at)
    assert EVERYONE in g.catch_up()
    assert g.desk.configuration.text("pollingTime") == "00:05:00"


def test_changes_are_pruned_without_a_car_missing_them(g: Garage) -> None:
    begun = g.changes
    g.enter(CAR)
    g.at += HOUR
    g.enter(OTHER)
    with g.state.change() as change:
        assert changes.prune(change, g.at) >= 1
    last, changed = g.desk.changed_since(begun)
    assert EVERYONE in changed
    assert OTHER in changed
    assert g.desk.changed_since(last) == (last, [])
    with g.state.change() as change:
        assert changes.prune(change, g.at + HOUR) == 0
    assert g.desk.last_change() == last


def test_progress_alone_tells_nobody(g: Garage) -> None:
    g.enter(CAR)
    (action,) = g.assign(g.release("1"), CAR)
    g.catch_up()
    before = g.base(CAR)
    g.desk.deployment(CAR, action, 0, g.links(CAR))
    g.say(CAR, action, "proceeding")
    g.say(CAR, action, "downloaded")
    assert g.catch_up() == []
    assert g.base(CAR) == before
