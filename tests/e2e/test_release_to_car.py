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
from driveaway.launch.updates import releasing
from driveaway.updates import assigning, registry, releases
from driveaway.updates.assigning import Terms
from driveaway.updates.car.client import Car
from driveaway.updates.car.memory import Identity, Memory
from driveaway.updates.car.verifying import SignedVerifier, online, pin
from driveaway.updates.ddi.desk import DeviceDesk
from driveaway.updates.model import Outcome
from driveaway.updates.signing.fetching import HttpFetcher
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


def offered(m: Maker, slug: str) -> int:
    found = releases.find(m.updates.state, slug)
    with m.updates.state.change() as change:
        return assigning.assign(change, found.id, [VINS[0]], Terms(), int(now()), anew=True).actions[VINS[0]]


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
