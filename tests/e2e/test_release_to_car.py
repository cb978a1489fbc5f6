"""A signed release on its whole way: published, offered by the device door, verified and run by a car."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from tuf.ngclient import Updater

from driveaway.book.state.together import Together
from driveaway.launch.updates import adding, holding, releasing, supplying
from driveaway.launch.updates.holding import RoleKeys
from driveaway.updates import assigning, registry, releases
from driveaway.updates.assigning import Terms
from driveaway.updates.car.client import Car
from driveaway.updates.car.memory import Identity, Memory
from driveaway.updates.car.verifying import SignedVerifier, online, pin
from driveaway.updates.ddi.desk import DeviceDesk
from driveaway.updates.model import Outcome
from driveaway.updates.releases import slug_of
from driveaway.updates.signing.fetching import HttpFetcher
from driveaway.updates.signing.supplying import supplied
from driveaway.values.clock import now
from driveaway.web.device.app import DeviceDoor
from driveaway.web.device.options import DoorOptions
from driveaway.web.http.protocol import DoorProtocol
from tests.stores.garage import VINS
from tests.unit.updates.maker import Maker, maker


@contextmanager
def served(m: Maker) -> Iterator[int]:
    """The device door over this maker's launch; its port."""
    together = Together(m.updates.state)
    desk = DeviceDesk(m.updates.state, together, m.updates.artifacts)
    door = DeviceDoor(desk, DoorOptions(tuf=m.updates.tuf))
    config = uvicorn.Config(
        door,
        http=DoorProtocol,
        ws="none",
        interface="asgi3",
        lifespan="on",
        proxy_headers=False,
        log_config=None,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
        desk.close()
        together.close()


@pytest.fixture
def m(tmp_path: Path) -> Iterator[Maker]:
    with maker(tmp_path / "launch") as made:
        made.at = int(now())
        made.found()
        yield made


def test_a_car_verifies_what_a_supplier_signed(m: Maker, tmp_path: Path) -> None:
    """A release with a supplier's file, over the real door, to our car and to python-tuf's own client."""
    for name in ("gus", "hu"):
        holding.new_key(m.updates, name, name)
    supplying.delegate(m.updates, "lidar", RoleKeys(("gus", "hu"), 2), by="dora", at=m.at)
    m.agree("supplier-lidar", "dora", "emil", "gus", "hu")
    file = m.file("lidar-2.bin", "a lidar's software")
    root = (m.updates.tuf / "metadata" / "1.root.json").read_bytes()
    proposal = supplied(
        "lidar-2", "lidar",
        supplying.entries_of("lidar", [file], module="lidar", version="2", hardware=["adas"]),
        bundle=(m.updates.tuf / "targets" / "tuf-metadata.json").read_bytes(), root=root, by="gus", at=m.at,
    )  # fmt: skip
    for key in ("gus", "hu"):
        proposal = proposal.signed_by(m.updates.keys.signer(key, files=True))
    (lidar,) = supplying.take(m.updates, proposal.encode(), [file], m.at, by="dora")
    releasing.publish(m.updates, proposal.name, by="dora", at=m.at)
    own = adding.add_software(m.updates, "os", "1", [m.file("os.swu", "os 1")], m.at, hardware=["hpc"])
    slug = m.publish(slug_of(adding.create_release(m.updates, "su7", "1", [own, lidar], m.at)))
    with m.updates.state.change() as change:
        token = registry.create(change, VINS[0], m.at).security_token
    folder = tmp_path / "car"
    with served(m) as port:
        server = f"http://127.0.0.1:{port}"
        identity = Identity(
            controller_id=VINS[0], server=server, tenant="DEFAULT", credential=f"TargetToken {token}",
            hardware=("hpc", "adas"),
        )  # fmt: skip
        Memory(folder).name(identity)
        pin(folder, root)
        car = Car(folder, SignedVerifier(folder, identity.hardware, online(identity)))
        offered(m, slug)
        did = [car.round().did for _ in range(4)]
        assert "installed su7 1, to be booted" in did
        running = folder / "slots" / "running"
        assert (running / "lidar" / "lidar-2.bin").read_text() == "a lidar's software"
        (tmp_path / "client").mkdir()
        updater = Updater(
            str(tmp_path / "client"), f"{server}/DEFAULT/tuf/metadata/", str(tmp_path / "client"),
            f"{server}/DEFAULT/tuf/targets/", fetcher=HttpFetcher(), bootstrap=root,
        )  # fmt: skip
        target = updater.get_targetinfo("suppliers/lidar/lidar-2.bin")
        assert target is not None
        assert Path(updater.download_target(target)).read_text() == "a lidar's software"


def offered(m: Maker, slug: str) -> int:
    found = releases.find(m.updates.state, slug)
    with m.updates.state.change() as change:
        # A server that was taken over would not ask whether it fits.
        made = assigning.assign(change, found.id, [VINS[0]], Terms(), int(now()), anew=True, checked=True)
        return made.actions[VINS[0]]


def test_a_car_runs_what_was_signed_and_refuses_the_rest(m: Maker, tmp_path: Path) -> None:
    first, second = m.publish(m.create("1")), m.publish(m.create("2"))
    with m.updates.state.change() as change:
        token = registry.create(change, VINS[0], m.at).security_token
    folder = tmp_path / "car"
    root = (m.updates.tuf / "metadata" / "1.root.json").read_bytes()
    with served(m) as port:
        server = f"http://127.0.0.1:{port}"
        identity = Identity(
            controller_id=VINS[0], server=server, tenant="DEFAULT", credential=f"TargetToken {token}",
            hardware=("hpc",),
        )  # fmt: skip
        Memory(folder).name(identity)
        pin(folder, root)
        car = Car(folder, SignedVerifier(folder, identity.hardware, online(identity)))

        def rounds() -> str:
            """Until there is nothing to do; what the last deployment came to."""
            did = [car.round().did for _ in range(4)]
            return next((said for said in did if said.startswith(("installed", "refused"))), str(did))

        offered(m, second)
        assert rounds() == "installed su7 2, to be booted"
        assert car.held is not None
        assert car.held.version == "2"
        assert (folder / "slots" / "running" / "os" / "os.swu").read_text() == "su7 2 os.swu"

        # Signed, but older: whoever holds the server cannot take the car back.
        offered(m, first)
        assert "updates.rolled_back" in rounds()
        # Signed no more.
        withdrawn = releasing.withdraw(m.updates, first, "too old", by="dora", at=int(now()))
        m.agree(withdrawn.proposal, "dora", "emil")
        # Other bytes under a signed name, as whoever holds the database could offer them.
        third = m.publish(m.create("3"))
        forged = m.updates.artifacts.put([b"forged"])
        with m.updates.state.change() as change:
            change.run(
                "UPDATE artifacts SET sha256 = :sha256, sha1 = :sha1, md5 = :md5, size = :size WHERE module ="
                " (SELECT MAX(id) FROM software_modules)",
                sha256=forged.sha256, sha1=forged.sha1, md5=forged.md5, size=forged.size,
            )  # fmt: skip
        action = offered(m, third)
        assert "updates.content" in rounds()
        assert car.held.version == "2"
        outcomes = m.updates.state.rows("SELECT outcome FROM actions ORDER BY id")
        assert [Outcome(outcome) for (outcome,) in outcomes] == ["installed", "failed", "failed"]
        assert action == len(outcomes)

        # Any client of the framework gets the same from the same door.
        (tmp_path / "client").mkdir()
        updater = Updater(
            str(tmp_path / "client"), f"{server}/DEFAULT/tuf/metadata/", str(tmp_path / "client"),
            f"{server}/DEFAULT/tuf/targets/", fetcher=HttpFetcher(), bootstrap=root,
        )  # fmt: skip
        updater.refresh()
        target = updater.get_targetinfo("su7/2/os/os.swu")
        assert target is not None
        assert Path(updater.download_target(target)).read_text() == "su7 2 os.swu"
        assert updater.get_targetinfo("su7/1/os/os.swu") is None
