"""The server for cars, asked whatever its description allows and whatever it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis

from driveaway.updates import registry
from driveaway.updates.actions import log, steering
from driveaway.updates.model import ActionStatus
from driveaway.values.clock import now
from driveaway.web.device.describing import description
from tests.fuzz.described import Asker, Described, asked
from tests.server import Server, serving

DOOR = Described.of(description())
ROOT = "/{tenant}/controller/v1/{car}"
LABELS = [label for label in DOOR.labels() if ROOT in label]
ACTION = "/{action}"
CONFIRM = ROOT + "/confirmationBase"
FLOW = "user.confirmation.flow.enabled"
RIGHT: dict[str, Any] = {
    f"PUT {ROOT}/configData": {"data": {"a": "1", "b": 2}, "mode": "merge"},
    f"POST {ROOT}/deploymentBase{ACTION}/feedback": {"id": 1, "status": {"execution": "proceeding"}},
    f"POST {ROOT}/cancelAction{ACTION}/feedback": {"status": {"execution": "rejected", "details": "no"}},
    f"PUT {ROOT}/installedBase": {"name": "os", "version": "1.0"},
    f"POST {CONFIRM}/activateAutoConfirm": {"initiator": "owner", "remark": "always"},
    f"POST {CONFIRM}{ACTION}/feedback": {"confirmation": "confirmed"},
}


class World:
    """A car with what it is offered, made anew for each operation."""

    def __init__(self, server: Server, release: int, label: str) -> None:
        self.server = server
        car = server.enter()
        self.token = car.security_token
        self.names: dict[str, Any] = {
            "tenant": "DEFAULT", "car": car.controller_id, "module": 1, "filename": "os.swu",
        }  # fmt: skip
        confirming = CONFIRM + ACTION in label
        server.set(FLOW, confirming)
        (self.action,) = server.assign(release, car.controller_id)
        self.names["action"] = self.action
        if "/cancelAction" in label:
            with server.state.change() as change:
                steering.cancel(change, self.action, now(), by="staff")

    def told(self) -> tuple[Any, ...]:
        """What the server knows of the car but when it was last seen."""
        state, car = self.server.state, self.server.target(self.names["car"])
        action = self.server.action(self.action)
        said = [message.messages for message in log.entries(state, self.action, limit=10_000)]
        attributes = registry.attributes(state, car.id)
        return attributes, car.auto_confirm, car.installed, action.status, action.active, said


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("device-door") / "launch", "--rate", 100_000) as running:
        yield running
        code, said = running.stop()
        assert code == 0, said
        assert "defect" not in said


@pytest.fixture(scope="module")
def release(server: Server) -> int:
    return server.release("os", "1.0", {"os.swu": b"firmware" * 999}, [("note", "1")])


def hold(asker: Asker, world: World, case: schemathesis.Case) -> int:
    """Ask; what is refused changed nothing of the car, and what it said is kept. The status."""
    before = world.told()
    answer = asker.ask(case)
    if answer.status_code >= 400:
        assert world.told() == before, case.as_curl_command()
    return answer.status_code


def own(label: str, names: dict[str, Any]) -> dict[str, Any]:
    """What stands at the names of an operation's path."""
    return {name: value for name, value in names.items() if f"{{{name}}}" in label}


def succeed_and_fuzz(server: Server, release: int, label: str, *, many: bool = False) -> None:
    world = World(server, release, label)
    asker = Asker(server.url, f"TargetToken {world.token}")
    names = own(label, world.names)
    if label == f"GET {ROOT}/installedBase{ACTION}":
        said = {"status": {"execution": "closed", "result": {"finished": "success"}}}
        feedback = DOOR.operation(f"POST {ROOT}/deploymentBase{ACTION}/feedback")
        case = feedback.Case(path_parameters=names, body=said, media_type="application/json")
        assert asker.ask(case).status_code == 200
        assert server.action(world.action).status is ActionStatus.FINISHED
    right: dict[str, Any] = {}
    if label in RIGHT:
        right = {"body": RIGHT[label], "media_type": "application/json"}
    status = hold(asker, world, DOOR.operation(label).Case(path_parameters=names, **right))
    assert status in (200, 201), (label, status)
    asked(DOOR, label, names, lambda case: hold(asker, world, case), many=many)
    asker.close()


@pytest.mark.parametrize("label", LABELS)
def test_an_operation_does_what_it_describes(server: Server, release: int, label: str) -> None:
    """Each succeeds at least once, and whatever else it is asked is answered as described."""
    succeed_and_fuzz(server, release, label)


@pytest.mark.nightly
@pytest.mark.parametrize("label", LABELS)
def test_many_requests(server: Server, release: int, label: str) -> None:
    succeed_and_fuzz(server, release, label, many=True)


WRONG: list[tuple[str, Any]] = [
    (f"PUT {ROOT}/configData", {"data": {"a": ["1"]}}),
    (f"PUT {ROOT}/configData", {"data": "a=1"}),
    (f"PUT {ROOT}/configData", {"data": {}, "mode": "append"}),
    (f"POST {ROOT}/deploymentBase{ACTION}/feedback", {"status": {"execution": "done"}}),
    (f"POST {ROOT}/deploymentBase{ACTION}/feedback", {"status": "closed"}),
    (
        f"POST {ROOT}/deploymentBase{ACTION}/feedback",
        {"status": {"execution": "closed", "result": {"finished": True}}},
    ),
    (f"PUT {ROOT}/installedBase", {"name": "os", "version": 1.0}),
    (f"PUT {ROOT}/installedBase", {"name": ""}),
    (f"POST {CONFIRM}{ACTION}/feedback", {"confirmation": "perhaps"}),
]


def test_wrong_types_are_refused_by_name(server: Server, release: int) -> None:
    """What is of the wrong type is answered with 400 and ``http.body``, and nothing is changed."""
    world = World(server, release, "")
    asker = Asker(server.url, f"TargetToken {world.token}")
    before = world.told()
    for label, body in WRONG:
        case = DOOR.operation(label).Case(
            path_parameters=own(label, world.names), body=body, media_type="application/json"
        )
        answer = asker.ask(case)
        assert (answer.status_code, answer.json()["code"]) == (400, "http.body"), (label, body, answer.text)
        assert "`$" in answer.json()["message"]
    assert world.told() == before
    asker.close()


def test_feedback_is_kept_once_and_not_after_the_end(server: Server, release: int) -> None:
    """What a car says is there; said again it adds nothing; after the end it is refused with 410."""
    world = World(server, release, "")
    asker = Asker(server.url, f"TargetToken {world.token}")
    operation = DOOR.operation(f"POST {ROOT}/deploymentBase{ACTION}/feedback")
    names = own(operation.label, world.names)

    def say(execution: str, detail: str, finished: str = "none") -> int:
        body = {"status": {"execution": execution, "result": {"finished": finished}, "details": [detail]}}
        case = operation.Case(path_parameters=names, body=body, media_type="application/json")
        return asker.ask(case).status_code

    for number in range(5):
        assert say("proceeding", f"step {number}") == 200
    kept = world.told()
    assert [f"step {number}" for number in range(5)] == [
        said[0] for said in reversed(kept[-1]) if said and said[0].startswith("step")
    ]
    assert say("proceeding", "step 4") == 200
    assert world.told() == kept
    assert say("closed", "done", "success") == 200
    ended = world.told()
    assert say("closed", "not done", "failure") == 410
    assert world.told() == ended
    asker.close()
