"""Debian's SWUpdate against the real server for cars, over loopback: nothing of either is stood in for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from driveaway.updates.actions import log, steering
from driveaway.updates.assigning import Window
from driveaway.updates.model import ActionStatus, ActionType, Outcome, TargetStatus
from driveaway.updates.registry import attributes
from driveaway.values.clock import now
from tests.conformance.swupdate.device import SWUPDATE, Device, Image, Signer, Wire, image, script, to_file
from tests.server import Server, serving

pytestmark = pytest.mark.skipif(
    SWUPDATE is None or shutil.which("swupdate-ipc") is None,
    reason="SWUpdate is not installed; Debian: apt-get install swupdate zchunk",
)
TOKEN = "0123456789abcdef" * 2
NUMBERS = count(1)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("swupdate") / "launch") as running:
        running.set("releases.unsigned.enabled", True)
        yield running


@pytest.fixture
def device(server: Server, signer: Signer, tmp_path: Path) -> Iterator[Device]:
    """A device that the server knows, switched off."""
    target = server.enter(token=TOKEN)
    made = Device(tmp_path / "device", signer, server.url, target.controller_id, TOKEN)
    yield made
    made.stop()


def offered(server: Server, device: Device, content: bytes, **terms: object) -> int:
    """An action of the device with an image as its release."""
    version = f"1.{next(NUMBERS)}.0"
    release = server.release("os", version, {"a.swu": content})
    return server.assign(release, device.name, **terms)[0]


def installed(device: Device) -> None:
    """Wait until it has installed, and restart it as after a reboot into the new slot."""
    device.wait("executing post-update actions")
    device.stop()


def ended(server: Server, device: Device, action: int) -> None:
    """Wait until the server holds an action for closed."""
    device.wait(lambda: not server.action(action).active)


def version_of(server: Server, action: int) -> str:
    ((version,),) = server.state.rows(
        "SELECT d.version FROM actions a JOIN distribution_sets d ON d.id = a.distribution_set"
        " WHERE a.id = :id",
        id=action,
    )
    return str(version)


def test_it_installs_what_is_signed_and_reports_after_its_boot(
    server: Server, signer: Signer, device: Device
) -> None:
    content = os.urandom(20_000)
    action = offered(server, device, image(signer, "1", to_file("rootfs", content, device.slot)))
    device.start()
    installed(device)
    assert device.slot.read_bytes() == content
    # Until it has booted the new software nothing is called finished.
    assert server.action(action).active
    assert server.target(device.name).status is TargetStatus.PENDING
    device.identify(version=version_of(server, action), vin=device.name)
    device.start("-c 2")
    ended(server, device, action)
    device.wait(lambda: server.action(action).verified is True)
    found = server.action(action)
    assert (found.status, found.outcome) == (ActionStatus.FINISHED, Outcome.INSTALLED)
    target = server.target(device.name)
    assert (target.status, target.version_reported) == (TargetStatus.IN_SYNC, version_of(server, action))
    assert attributes(server.state, target.id) == {"version": target.version_reported, "vin": device.name}
    (fact,) = server.facts(device.name)
    assert fact.body.outcome == "installed"
    said = [entry.status for entry in log.entries(server.state, action)]
    assert said[-2:] == [ActionStatus.RETRIEVED, ActionStatus.RUNNING]
    assert said[0] is ActionStatus.FINISHED
    # It asks on, and is offered nothing more.
    device.wait("No pending action")


@pytest.mark.parametrize(("type", "word"), [(ActionType.SOFT, "attempt"), (ActionType.FORCED, "forced")])
def test_soft_and_forced_arrive_as_such(
    server: Server, signer: Signer, device: Device, type: ActionType, word: str
) -> None:
    offered(server, device, image(signer, "1", to_file("rootfs", b"new", device.slot)), type=type)
    device.start()
    device.wait(f"Update classified as '{word}' by server")
    installed(device)
    assert device.slot.read_bytes() == b"new"


def test_a_cancelled_action_is_not_installed(server: Server, signer: Signer, device: Device) -> None:
    action = offered(server, device, image(signer, "1", to_file("rootfs", b"new", device.slot)))
    with server.state.change() as change:
        assert steering.cancel(change, action, now()) is ActionStatus.CANCELING
    device.start()
    ended(server, device, action)
    assert (server.action(action).status, server.action(action).outcome) == (
        ActionStatus.CANCELED,
        Outcome.CANCELLED,
    )
    assert not device.slot.exists()


def test_a_download_that_breaks_off_goes_on_where_it_was(
    server: Server, signer: Signer, tmp_path: Path
) -> None:
    target = server.enter(token=TOKEN)
    wire = Wire(int(server.url.rpartition(":")[2]), hold_after=1_000_000)
    device = Device(tmp_path / "device", signer, wire.url, target.controller_id, TOKEN)
    content = os.urandom(16_000_000)
    action = offered(server, device, image(signer, "1", to_file("rootfs", content, device.slot)))
    try:
        device.start()
        device.wait(wire.held.is_set)
        server.kill()
        wire.cut()
        try:
            device.wait("Lost connection")
        finally:
            server.start()
        wire.mend()
        installed(device)
        assert device.slot.read_bytes() == content
        assert wire.ranges
        assert all(500_000 < begin < len(content) for begin in wire.ranges)
        device.start("-c 2")
        ended(server, device, action)
        assert server.action(action).outcome is Outcome.INSTALLED
    finally:
        device.stop()
        wire.cut()


@pytest.mark.parametrize("why", ["stranger", "changed", "script"])
def test_what_cannot_be_installed_is_reported_as_failed(
    server: Server, signer: Signer, device: Device, why: str
) -> None:
    parts: list[Image] = [to_file("rootfs", b"new" * 1000, device.slot)]
    if why == "script":
        parts.insert(0, script("check.sh", "#!/bin/sh\nexit 1\n"))
    made = image(Signer("stranger") if why == "stranger" else signer, "1", *parts)
    if why == "changed":
        made = made.replace(b"newnew", b"nEwnew", 1)
    action = offered(server, device, made)
    device.start()
    ended(server, device, action)
    assert (server.action(action).status, server.action(action).outcome) == (
        ActionStatus.ERROR,
        Outcome.FAILED,
    )
    assert server.target(device.name).status is TargetStatus.ERROR
    assert not device.slot.exists() or device.slot.read_bytes() != b"new" * 1000
    (fact,) = server.facts(device.name)
    assert fact.body.outcome == "failed"


def test_a_device_that_falls_back_to_its_old_slot_reports_a_failure(
    server: Server, signer: Signer, device: Device
) -> None:
    action = offered(server, device, image(signer, "1", to_file("rootfs", b"new", device.slot)))
    device.start()
    installed(device)
    device.start("-c 3")
    ended(server, device, action)
    assert server.action(action).outcome is Outcome.FAILED
    assert server.target(device.name).installed is None


def test_a_closed_window_is_not_taken_for_an_installation(
    server: Server, signer: Signer, device: Device
) -> None:
    """Told ``skip``, this client would report success without installing: the link is withheld instead."""
    made = image(signer, "1", to_file("rootfs", b"new", device.slot))
    far = Window("0 0 0 1 1 ? 2099", "01:00:00", "+00:00")
    action = offered(server, device, made, window=far)
    device.start()
    device.wait("No pending action")
    device.wait(lambda: len(re.findall("No pending action", device.said())) > 1)
    assert server.action(action).active
    assert server.action(action).heard is None
    assert not device.slot.exists()


@pytest.mark.skipif(
    shutil.which("zck") is None, reason="zck is not installed; Debian: apt-get install zchunk"
)
def test_of_a_delta_only_what_is_new_is_fetched(
    server: Server, signer: Signer, device: Device, tmp_path: Path
) -> None:
    """zchunk: the image carries the index alone; what the old slot lacks is fetched in ranges."""
    old = os.urandom(600_000)
    new = old[:200_000] + os.urandom(20_000) + old[200_000:-9_000] + os.urandom(9_000)
    source, rootfs = tmp_path / "old", tmp_path / "rootfs"
    source.write_bytes(old)
    rootfs.write_bytes(new)
    # Chunks carry the hash of their plain content, by which the device finds those that it has.
    subprocess.run(["zck", "-u", "-h", "sha256", "-o", "rootfs.zck", "rootfs"], cwd=tmp_path, check=True)
    zck = (tmp_path / "rootfs.zck").read_bytes()
    told = subprocess.run(
        ["zck_read_header", "-v", "rootfs.zck"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    header = zck[: int(re.findall(r"Header size: (\d+)", told)[0])]
    ((module,),) = server.state.rows("SELECT COALESCE(MAX(id), 0) + 1 FROM software_modules")
    path = f"DEFAULT/controller/v1/{device.name}/softwaremodules/{module}/artifacts/rootfs.zck"
    entry = (
        f'type = "delta"; device = "{device.slot}"; properties: {{ url = "{server.url}/{path}";'
        f' chain = "raw"; source = "{source}"; zckloglevel = "error"; }};'
    )
    swu = image(signer, "1", Image("rootfs.header", header, entry))
    assert len(swu) < 60_000
    # The process that fetches chunks sends no credential.
    server.set("anonymous.download.enabled", True)
    device.slot.touch()
    release = server.release("os", "delta", {"a.swu": swu, "rootfs.zck": zck})
    (action,) = server.assign(release, device.name)
    device.start()
    installed(device)
    assert device.slot.read_bytes()[: len(new)] == new
    assert re.search(r"Range request : \d+-\d+,\d+-\d+", device.said())
    (fetched,) = re.findall(r"Total downloaded data : (\d+) bytes", device.said())
    assert 20_000 < int(fetched) < len(new) / 3
    device.start("-c 2")
    ended(server, device, action)
    assert server.action(action).outcome is Outcome.INSTALLED
