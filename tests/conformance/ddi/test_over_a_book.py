"""The door before the real desk: another process changes the database, and cars hear of it when they poll."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from driveaway.book.sqlite import SqliteStore
from driveaway.book.state.state import State
from driveaway.updates import assigning, registry, sets, software
from driveaway.updates.actions import steering
from driveaway.updates.artifacts import ArtifactStore
from driveaway.updates.assigning import Terms
from driveaway.updates.configuration import configure
from driveaway.updates.model import LAST_ACTION_ID
from driveaway.values.clock import now
from tests.conformance.ddi.server import Answer, Server

CONTENT = b"firmware" * 50_000
JSON = {"Content-Type": "application/json"}


class Fleet:
    """A server, and the database that it serves from."""

    def __init__(self, server: Server, state: State, release: int) -> None:
        self.server = server
        self.state = state
        self.release = release
        self.tokens: dict[str, str] = {}

    def enter(self, name: str) -> None:
        with self.state.change() as change:
            self.tokens[name] = registry.create(change, name, now()).security_token

    def assign(self, name: str) -> int:
        with self.state.change() as change:
            made = assigning.assign(change, self.release, [name], Terms(), now())
        return made.actions[name]

    def ask(self, name: str, method: str = "GET", rest: str = "", said: object = None) -> Answer:
        headers = {"Authorization": f"TargetToken {self.tokens.get(name, 'x' * 32)}", **JSON}
        body = None if said is None else json.dumps(said).encode()
        return self.server.ask(method, f"/DEFAULT/controller/v1/{name}{rest}", headers, body)

    def links(self, name: str) -> dict[str, str]:
        answer = self.ask(name)
        assert answer.status == 200, answer
        return {key: link["href"] for key, link in answer.json.get("_links", {}).items()}

    def follow(self, name: str, href: str) -> Answer:
        rest = href.partition(f"/controller/v1/{name}")[2]
        return self.ask(name, rest=rest)


def until(found: Callable[[], Any]) -> Any:
    """What is found within some seconds: changes of other processes are seen within 50 ms or so."""
    end = time.monotonic() + 5
    while not (value := found()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return value


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder: Path = tmp_path_factory.mktemp("book")
    store = SqliteStore(folder / "book.sqlite")
    store.create()
    state = State(store, lambda transaction, drafts: ())
    stored = ArtifactStore(folder / "artifacts").put([CONTENT])
    with state.change() as change:
        module = software.create_module(change, "os", "2.0", "os", now())
        software.add_artifact(change, module.id, "os.swu", stored, now())
        release = sets.create_set(change, "os", "2.0", "os", [module.id], now()).id
        configure(change, "releases.unsigned.enabled", True, now())
    with Server(folder, environment={"FAKE_BOOK": "1"}) as server:
        yield Fleet(server, state, release)
        assert server.stop() == 0
        assert "defect" not in server.log()
    store.close()


def feedback(execution: str, finished: str = "none") -> dict[str, Any]:
    return {"id": "1", "status": {"execution": execution, "result": {"finished": finished}, "details": ["d"]}}


def test_an_update_from_the_assignment_to_the_end(fleet: Fleet) -> None:
    fleet.enter("CAR1")
    until(lambda: fleet.ask("CAR1").status == 200)
    assert fleet.ask("CAR1", "PUT", "/configData", {"data": {"vin": "1"}}).status == 200
    assert "configData" not in fleet.links("CAR1")
    action = fleet.assign("CAR1")
    href = until(lambda: fleet.links("CAR1").get("deploymentBase"))
    chunk = fleet.follow("CAR1", href).json["deployment"]["chunks"][0]
    artifact = chunk["artifacts"][0]
    download = artifact["_links"]["download-http"]["href"]
    assert fleet.follow("CAR1", download).body == CONTENT
    assert fleet.follow("CAR1", artifact["_links"]["md5sum-http"]["href"]).body.endswith(b"  os.swu")
    at = f"/deploymentBase/{action}/feedback"
    assert fleet.ask("CAR1", "POST", at, feedback("proceeding")).status == 200
    assert "deploymentBase" in fleet.links("CAR1")
    assert fleet.ask("CAR1", "POST", at, feedback("closed", "success")).status == 200
    links = fleet.links("CAR1")
    assert "deploymentBase" not in links
    assert {"installedBase", "configData"} <= set(links)
    assert fleet.follow("CAR1", links["installedBase"]).json["id"] == str(action)
    # What is sent again because its answer was lost adds nothing; anything new comes too late.
    assert fleet.ask("CAR1", "POST", at, feedback("closed", "success")).status == 200
    assert fleet.ask("CAR1", "POST", at, feedback("resumed")).status == 410
    assert (
        fleet.ask("CAR1", "POST", f"/deploymentBase/{LAST_ACTION_ID}/feedback", feedback("closed")).status
        == 404
    )


def test_a_cancellation(fleet: Fleet) -> None:
    fleet.enter("CAR2")
    action = fleet.assign("CAR2")
    until(lambda: fleet.ask("CAR2").status == 200)
    assert "deploymentBase" in fleet.links("CAR2")
    with fleet.state.change() as change:
        steering.cancel(change, action, now())
    href = until(lambda: fleet.links("CAR2").get("cancelAction"))
    assert fleet.ask("CAR2", rest=f"/deploymentBase/{action}").status == 404
    assert fleet.follow("CAR2", href).json["cancelAction"] == {"stopId": str(action)}
    answer = fleet.ask("CAR2", "POST", f"/cancelAction/{action}/feedback", feedback("closed", "success"))
    assert answer.status == 200
    assert not {"cancelAction", "deploymentBase"} & set(fleet.links("CAR2"))


def test_what_is_set_holds_at_once_for_all(fleet: Fleet) -> None:
    fleet.enter("CAR3")
    until(lambda: fleet.ask("CAR3").status == 200)
    assert fleet.ask("CAR3").json["config"]["polling"]["sleep"] == "00:05:00"
    with fleet.state.change() as change:
        configure(change, "pollingTime", "00:01:30", now())
    until(lambda: fleet.ask("CAR3").json["config"]["polling"]["sleep"] == "00:01:30")
    assert fleet.ask("NOBODY").status == 401


def test_confirming(fleet: Fleet) -> None:
    fleet.enter("CAR4")
    until(lambda: fleet.ask("CAR4").status == 200)
    assert fleet.ask("CAR4", rest="/confirmationBase").json["autoConfirm"] == {"active": False}
    assert (
        fleet.ask("CAR4", "POST", "/confirmationBase/activateAutoConfirm", {"initiator": "me"}).status == 200
    )
    said = fleet.ask("CAR4", rest="/confirmationBase").json["autoConfirm"]
    assert (said["active"], said["initiator"]) == (True, "me")
    assert fleet.ask("CAR4", "POST", "/confirmationBase/deactivateAutoConfirm").status == 200
    assert fleet.ask("CAR4", rest="/confirmationBase").json["autoConfirm"] == {"active": False}
