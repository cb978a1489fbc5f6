"""What a car does with what it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from driveaway.facts.updates import VersionReported
from driveaway.launch.launch import open_launch
from driveaway.updates import registry
from driveaway.updates.actions import steering
from driveaway.updates.assigning import Terms, Window, assign
from driveaway.updates.car.client import BOOTS
from driveaway.updates.car.exchange import Exchange
from driveaway.updates.car.memory import Memory
from driveaway.updates.model import ActionStatus, ActionType, TargetStatus
from driveaway.values.clock import now
from driveaway.values.errors import Conflict, Refused, Unavailable
from tests.conformance.cars.conftest import IMAGE, Driven

Release = Callable[..., int]


def test_an_update_is_installed_booted_and_then_reported(driven: Driven, release: Release) -> None:
    (action,) = driven.server.assign(release(), driven.vin)
    did = driven.rounds("reported success")
    assert any(text.startswith("installed") for text in did)
    assert driven.version == "1.0.0"
    assert driven.car.slots.verify("a")
    assert driven.outcomes() == ["installed"]
    assert driven.said(action) == ["download", "running", "running", "finished"]
    target = driven.server.target(driven.vin)
    assert (target.status, target.version_reported) == (TargetStatus.IN_SYNC, "1.0.0")
    (fact,) = driven.server.facts(driven.vin, "version.reported")
    assert isinstance(fact.body, VersionReported)
    assert fact.body.agrees is True
    assert not fact.simulated
    assert driven.server.action(action).verified
    assert not driven.car.memory.pending()
    assert not (driven.folder / "download").exists()


def test_the_next_goes_into_the_other_slot(driven: Driven, release: Release) -> None:
    for version, slot, other in (("1", "a", None), ("2", "b", "1"), ("3", "a", "2")):
        driven.server.assign(release(version), driven.vin)
        driven.rounds("reported success")
        assert (driven.version, driven.car.slots.running) == (version, slot)
        left = driven.car.slots.manifest(driven.car.slots.other)
        assert (left.version if left else None) == other
    assert driven.outcomes() == ["installed"] * 3


def test_what_does_not_come_up_is_left_again(driven: Driven, release: Release) -> None:
    driven.server.assign(release("1"), driven.vin)
    driven.rounds("reported success")
    driven.server.assign(release("2"), driven.vin)
    boots: list[str] = []
    driven.started(comes_up=lambda slot: bool(boots.append(slot)))
    driven.rounds("reported failure")
    assert boots == ["b"] * BOOTS
    assert (driven.version, driven.car.slots.running) == ("1", "a")
    assert driven.car.slots.verify("a")
    assert driven.outcomes() == ["installed", "failed"]
    assert driven.server.target(driven.vin).status is TargetStatus.ERROR
    assert driven.rounds("nothing to do")


def test_a_first_update_that_does_not_come_up_leaves_the_factorys_software(
    driven: Driven, release: Release
) -> None:
    driven.server.assign(release(), driven.vin)
    driven.started(comes_up=lambda slot: False)
    driven.rounds("reported failure")
    assert driven.car.slots.running is None


def test_one_bad_boot_is_no_failure_and_spoils_nothing_to_fall_back_to(
    driven: Driven, release: Release
) -> None:
    driven.server.assign(release("1"), driven.vin)
    driven.rounds("reported success")
    (action,) = driven.server.assign(release("2"), driven.vin)
    comes_up = iter([False, True])
    driven.started(comes_up=lambda slot: next(comes_up))
    driven.rounds("to be booted again")
    assert driven.car.slots.verify("a")
    driven.rounds("reported success")
    assert driven.version == "2"
    assert driven.said(action).count("finished") == 1


def test_a_cancellation_before_the_switch(driven: Driven, release: Release) -> None:
    (action,) = driven.server.assign(release(), driven.vin)

    def lap(name: str) -> None:
        if name == "downloaded":
            with driven.server.state.change() as change:
                steering.cancel(change, action, now())
            time.sleep(0.2)

    driven.started(lap=lap)
    did = driven.rounds("cancelled")
    assert "not wanted any longer" in did
    assert driven.version is None
    assert driven.outcomes() == ["cancelled"]
    assert not (driven.folder / "download").exists()
    assert driven.rounds("nothing to do")


def test_a_cancellation_after_the_switch_comes_too_late(driven: Driven, release: Release) -> None:
    (action,) = driven.server.assign(release(), driven.vin)

    def lap(name: str) -> None:
        if name == "switched":
            with driven.server.state.change() as change:
                steering.cancel(change, action, now())
            time.sleep(0.2)

    driven.started(lap=lap)
    driven.rounds("reported success")
    assert driven.version == "1.0.0"
    assert driven.outcomes() == ["installed"]


def test_a_driver_who_declines_is_asked_again_and_nobody_else_is_bothered(
    driven: Driven, release: Release
) -> None:
    (action,) = driven.server.assign(release(), driven.vin, type=ActionType.SOFT)
    wants = False
    driven.started(agrees=lambda asked: wants)
    driven.rounds("waiting for the driver")
    for _ in range(3):
        assert driven.car.round().did == "waiting for the driver"
    assert driven.said(action) == ["running"]
    assert driven.version is None
    wants = True
    driven.rounds("reported success")


def test_forced_asks_nobody(driven: Driven, release: Release) -> None:
    driven.server.assign(release(), driven.vin, type=ActionType.FORCED)
    driven.started(agrees=lambda asked: False)
    driven.rounds("reported success")


def test_soft_becomes_forced(driven: Driven, release: Release) -> None:
    (action,) = driven.server.assign(release(), driven.vin, type=ActionType.SOFT)
    driven.started(agrees=lambda asked: False)
    driven.rounds("waiting for the driver")
    with driven.server.state.change() as change:
        steering.force(change, action, now())
    driven.rounds("reported success")


def test_a_closed_window_withholds_the_update(driven: Driven, release: Release) -> None:
    closed = Window("0 0 3 1 1 ? 2099", "01:00:00", "+08:00")
    driven.server.assign(release("1"), driven.vin, window=closed)
    time.sleep(0.2)
    assert [driven.car.round().did for _ in range(3)] == ["nothing to do"] * 3
    always = Window("0 * * * * ?", "00:02:00", "+08:00")
    driven.server.assign(release("2"), driven.vin, window=always)
    driven.rounds("reported success")
    assert driven.version == "2"


def test_confirming(driven: Driven, release: Release) -> None:
    (action,) = driven.server.assign(release(), driven.vin, confirmation=True)
    wants = False
    driven.started(agrees=lambda asked: wants)
    driven.rounds("denied")
    assert driven.car.round().did == "denied"
    assert driven.server.action(action).status is ActionStatus.WAIT_FOR_CONFIRMATION
    wants = True
    did = driven.rounds("reported success")
    assert "confirmed" in did


def test_download_only_and_the_installation_later(
    driven: Driven, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = release()
    driven.server.assign(made, driven.vin, type=ActionType.DOWNLOAD_ONLY)
    driven.rounds("downloaded")
    assert driven.outcomes() == ["downloaded"]
    driven.rounds("nothing to do")
    assert driven.version is None
    (action,) = driven.server.assign(made, driven.vin, type=ActionType.SOFT)
    # Whatever fetches a file's bytes is gone: what it has is enough.
    monkeypatch.setattr(Exchange, "_append", None)
    driven.started()
    driven.rounds("reported success")
    assert driven.version == "1.0.0"
    assert driven.outcomes() == ["downloaded", "installed"]
    assert driven.server.action(action).verified


def test_an_installation_overtakes_the_download_of_the_same_and_no_byte_comes_twice(
    driven: Driven, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(range(256)) * 20_000
    made = release(content=content)
    driven.server.assign(made, driven.vin, type=ActionType.DOWNLOAD_ONLY)
    starts: list[str] = []
    given: list[int] = []
    request = Exchange._request

    def noted(self: Exchange, method: str, url: str, headers: dict[str, str], body: bytes | None = None):  # type: ignore[no-untyped-def]
        if url.endswith("/os.swu"):
            starts.append(headers.get("Range", "whole"))
        return request(self, method, url, headers, body)

    monkeypatch.setattr(Exchange, "_request", noted)

    def lap(name: str) -> None:
        if name == "downloading" and not given:
            with open_launch(driven.server.launch.folder) as launch, launch.state.change() as change:
                given.extend(assign(change, made, [driven.vin], Terms(), now()).actions.values())
            time.sleep(0.2)

    driven.started(lap=lap, look_every=0.0)
    driven.rounds("not wanted any longer")
    (part,) = (driven.folder / "download").iterdir()
    have = part.stat().st_size
    driven.rounds("reported success", 30)
    # It goes on with what it has, whether that is all of the file or its beginning.
    assert starts == (["whole"] if have == len(content) else ["whole", f"bytes={have}-"])
    assert driven.outcomes() == ["cancelled", "installed"]
    assert "cancelled" not in [driven.car.round().did]


def test_a_damaged_file_is_not_installed(driven: Driven, release: Release) -> None:
    made = release(content=b"damaged " * 1000)
    (row,) = driven.server.state.rows("SELECT sha256 FROM artifacts ORDER BY id DESC LIMIT 1")
    place = driven.server.artifacts.existing(row[0])
    place.write_bytes(place.read_bytes()[::-1])
    driven.server.assign(made, driven.vin)
    did = driven.rounds("reported failure")
    assert any("car.content" in text for text in did)
    assert driven.car.slots.running is None
    assert driven.outcomes() == ["failed"]


def test_a_full_disk_is_reported(driven: Driven, release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    driven.server.assign(release(), driven.vin)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(driven.car.slots, "install", full)
    did = driven.rounds("reported failure")
    assert any("No space left" in text for text in did)
    assert driven.car.slots.running is None


def test_a_verifier_that_refuses_is_the_end_of_it(driven: Driven, release: Release) -> None:
    driven.server.assign(release(), driven.vin)

    def refuse(*_: object) -> None:
        raise Refused("nobody signed it", code="updates.unsigned_target")

    driven.started(verify=refuse)
    driven.rounds("reported failure")
    assert not (driven.folder / "download").exists()


def test_a_car_that_is_not_let_in_says_so(driven: Driven) -> None:
    with driven.server.state.change() as change:
        registry.amend(change, driven.vin, now(), security_token="0" * 32)
    with pytest.raises(Refused) as caught:
        driven.rounds("never")
    assert caught.value.code == "car.credential"


def test_a_line_that_breaks_is_taken_up_where_it_broke(
    driven: Driven, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(range(256)) * 200_000
    driven.server.assign(release(content=content), driven.vin)
    ranges: list[str] = []
    request = Exchange._request

    def noted(self: Exchange, method: str, url: str, headers: dict[str, str], body: bytes | None = None):  # type: ignore[no-untyped-def]
        ranges.append(headers.get("Range", ""))
        return request(self, method, url, headers, body)

    monkeypatch.setattr(Exchange, "_request", noted)

    def cut(name: str) -> None:
        if name == "downloading":
            driven.server.kill()

    driven.started(lap=cut)
    with pytest.raises(Unavailable):
        driven.rounds("reported success")
    (part,) = (driven.folder / "download").iterdir()
    have = part.stat().st_size
    assert 0 < have < len(content)
    with pytest.raises(Unavailable):
        driven.car.round()
    driven.server.start()
    driven.started()
    driven.rounds("reported success", 30)
    assert [text for text in ranges if text] == [f"bytes={have}-"]
    assert driven.car.slots.verify("a")


def test_what_a_loss_of_power_left_is_begun_anew(driven: Driven, release: Release) -> None:
    driven.server.assign(release(), driven.vin)
    (row,) = driven.server.state.rows("SELECT sha256 FROM artifacts ORDER BY id DESC LIMIT 1")
    part = driven.folder / "download" / f"{row[0]}.part"
    part.parent.mkdir()
    part.write_bytes(b"\0" * 1000)
    driven.rounds("reported success")
    assert driven.version == "1.0.0"


def test_downloads_of_other_updates_are_dropped(driven: Driven, release: Release) -> None:
    stale = driven.folder / "download" / "stale.part"
    stale.parent.mkdir()
    stale.write_bytes(IMAGE)
    driven.server.assign(release(), driven.vin)

    def lap(name: str) -> None:
        assert not stale.exists()

    driven.started(lap=lap)
    driven.rounds("reported success")


def test_a_car_runs_once(driven: Driven, tmp_path: Path) -> None:
    memory = Memory(driven.folder)
    with memory.alone(), pytest.raises(Conflict, match="runs already"), memory.alone():
        pass
