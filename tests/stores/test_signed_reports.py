"""Where a car can sign, only its signed report says what it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from driveaway.launch.launch import Launch
from driveaway.updates import labels, registry, reports
from driveaway.updates.car.signing import Reporter, make_key
from driveaway.updates.ddi import messages
from driveaway.updates.registry import Mode
from driveaway.updates.signed_report import Signed
from driveaway.values.errors import BadValue, Refused
from tests.stores.garage import Garage, garage

CAR, OTHER = "LNBSU7M01RB000001", "LNBSU7M0XRB000002"


@pytest.fixture
def g(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        made.set("verification.attribute", "version")
        made.enter(CAR, OTHER)
        yield made


@pytest.fixture
def signing(g: Garage, tmp_path: Path) -> Reporter:
    """A car that the maker entered with its public key."""
    public = make_key(tmp_path)
    with g.state.change() as change:
        labels.set_metadata(change, CAR, {reports.KEY: public}, g.at)
    found = Reporter.of(tmp_path, CAR)
    assert found is not None
    return found


def send(g: Garage, data: dict[str, str], signed: Signed | None, mode: Mode = Mode.MERGE) -> None:
    said = messages.ConfigData(data=dict(data), mode=mode, signed=signed)
    g.settled(g.desk.put_attributes(CAR, said))


def known(g: Garage) -> dict[str, str]:
    return registry.attributes(g.state, g.target(CAR).id)


def test_an_unsigned_word_on_the_version_is_passed_over(g: Garage, signing: Reporter) -> None:
    claims = {"version": "9.9", "su7.version": "9.9", "hardware": "dcu", "release": "su7"}
    send(g, {**claims, "province": "310000"}, None)
    assert known(g) == {"province": "310000"}
    assert g.target(CAR).version_reported == ""


def test_an_update_is_verified_by_the_signed_report_alone(g: Garage, signing: Reporter) -> None:
    (action,) = g.assign(g.release("2.0"), CAR)
    g.say(CAR, action, "closed", "success")
    send(g, {"version": "2.0"}, None)
    assert g.action(action).verified is None
    send(g, {"version": "1.0"}, signing.signed({"version": "2.0", "su7.version": "2.0"}))
    assert g.action(action).verified
    assert known(g)["su7.version"] == "2.0"
    assert g.target(CAR).version_reported == "2.0"


def test_what_a_report_says_beside_versions_is_not_taken_from_it(g: Garage, signing: Reporter) -> None:
    send(g, {"province": "310000"}, signing.signed({"version": "1.0", "province": "110000"}))
    assert known(g) == {"province": "310000", "version": "1.0"}


def test_an_older_report_is_refused_and_the_same_again_adds_nothing(g: Garage, signing: Reporter) -> None:
    old, new = signing.signed({"version": "1.0"}), signing.signed({"version": "2.0"})
    send(g, {}, new)
    send(g, {}, new)
    assert known(g) == {"version": "2.0"}
    with pytest.raises(Refused, match="comes after one with 2") as caught:
        send(g, {"province": "310000"}, old)
    assert caught.value.code == "report.replayed"
    assert known(g) == {"version": "2.0"}


def test_other_keys_other_cars_and_changed_words_are_refused(
    g: Garage, signing: Reporter, tmp_path: Path
) -> None:
    right = signing.signed({"version": "1.0"})
    changed = msgspec.structs.replace(right, report=right.report.replace("1.0", "2.0"))
    thief = tmp_path / "thief"
    make_key(thief)
    for signed, code in (
        (changed, "report.signature"),
        (Reporter(thief, CAR).signed({"version": "1.0"}), "report.signature"),
        (Reporter(tmp_path, OTHER).signed({"version": "1.0"}), "report.other_car"),
    ):
        with pytest.raises(Refused) as caught:
            send(g, {}, signed)
        assert caught.value.code == code
    assert known(g) == {}


def test_signed_words_that_are_no_report_are_told(g: Garage, signing: Reporter) -> None:
    text = '{"version": "1.0"}'
    key = signing._key
    with pytest.raises(BadValue, match="no report") as caught:
        send(g, {}, Signed(report=text, signature=key.sign(text.encode()).hex()))
    assert caught.value.code == "report.form"


def test_replacing_and_removing_leave_what_was_signed(g: Garage, signing: Reporter) -> None:
    send(g, {"province": "310000"}, signing.signed({"version": "1.0"}))
    send(g, {"city": "Shanghai"}, None, Mode.REPLACE)
    assert known(g) == {"city": "Shanghai", "version": "1.0"}
    send(g, {"city": "", "version": ""}, None, Mode.REMOVE)
    assert known(g) == {"version": "1.0"}


def test_an_installed_set_told_unsigned_is_refused(g: Garage, signing: Reporter) -> None:
    g.release("2.0")
    future = g.desk.put_installed(CAR, messages.InstalledBase(name="su7", version="2.0"))
    error = future.exception(10)
    assert isinstance(error, Refused)
    assert error.code == "report.unsigned"


def test_a_car_without_a_key_is_believed(g: Garage) -> None:
    send(g, {"version": "1.0"}, None)
    assert known(g) == {"version": "1.0"}


def test_the_counter_outlives_a_restart(tmp_path: Path) -> None:
    make_key(tmp_path)
    counters = []
    for _ in range(3):
        reporter = Reporter(tmp_path, CAR)
        counters.append(msgspec.json.decode(reporter.signed({}).report)["counter"])
    assert counters == [1, 2, 3]
    assert (tmp_path / "report.key").stat().st_mode & 0o077 == 0
