"""The server for staff tools, asked whatever its description allows and whatever it does not."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis

from driveaway.web.management.routes import description
from tests.conformance.management.tool import Server, Tool, basic
from tests.fuzz.described import Asker, Described, asked, documents

DOOR = Described.of(description())
READING = [label for label in DOOR.labels() if label.startswith("GET")]
WRITING = [label for label in DOOR.labels() if label not in READING]
NUMBERS = itertools.count(1)
ROOT = "/rest/v1"
TARGET, MODULE, SET = "/targets/{target}", "/softwaremodules/{module}", "/distributionsets/{set}"
FILTER, ROLLOUT = "/targetfilters/{filter}", "/rollouts/{rollout}"
MODULE_TYPE, SET_TYPE = "/softwaremoduletypes/{type}", "/distributionsettypes/{type}"
PASSING = {"lastModifiedAt", "_links"}
"""Fields that a request for the same a moment later may answer otherwise."""


class World:
    """What there is to ask about, made anew for each operation."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.car = f"fuzz-{next(NUMBERS)}"
        name = self.car
        tool.target(name)
        tool.post(f"targets/{name}/metadata", [{"key": "note", "value": "1"}])
        tool.post(f"targets/{name}/tags", [{"name": "tagged"}])
        module = tool.post("softwaremodules", [{"name": name, "version": "1", "type": "os"}])[0]["id"]
        artifact = tool.upload(module, "a.swu", b"content" * 99).json["id"]
        tool.post(f"softwaremodules/{module}/metadata", [{"key": "note", "value": "1"}])
        body = {"name": name, "version": "1", "type": "os", "modules": [{"id": module}]}
        release = tool.post("distributionsets", [body])[0]["id"]
        tool.post(f"distributionsets/{release}/metadata", [{"key": "note", "value": "1"}])
        self.wish = {"name": name, "query": f"id=={name}"}
        found = tool.post("targetfilters", self.wish)["id"]
        self.plan = {
            "name": name,
            "targetFilterQuery": f"id=={name}",
            "distributionSetId": release,
            "amountGroups": 2,
        }
        rollout = tool.post("rollouts", self.plan)["id"]
        group = tool.get(f"rollouts/{rollout}/deploygroups")["content"][0]["id"]
        self.names: dict[str, Any] = {
            "target": name, "module": module, "artifact": artifact, "set": release, "filter": found,
            "rollout": rollout, "group": group, "key": "note", "tag": "tagged",
        }  # fmt: skip

    def assign(self) -> None:
        """Give the car the set, which locks it."""
        self.names["action"] = self.tool.assign(self.names["set"], self.car)

    def module(self, version: str = "2") -> int:
        """Another module, free to be changed."""
        body = [{"name": self.car, "version": version, "type": "os"}]
        return int(self.tool.post("softwaremodules", body)[0]["id"])

    def declare(self, path: str) -> None:
        """Declare a type of modules and, where the path is of one, a type of sets that has it."""
        key = f"{self.car}-{next(NUMBERS)}"
        module_type = self.tool.post("softwaremoduletypes", [{"key": key, "name": key}])[0]["id"]
        self.names |= {"type": module_type, "module_type": module_type}
        if path.startswith(SET_TYPE):
            among = "optionalmodules" if "/optional" in path else "mandatorymodules"
            body = {"key": key, "name": key, among: [{"id": module_type}]}
            self.names["type"] = self.tool.post("distributionsettypes", [body])[0]["id"]

    def prepare(self, label: str) -> None:
        """Bring about what an operation needs to succeed."""
        tool, names = self.tool, self.names
        method, path = label.split()[0], label.split()[1].removeprefix(ROOT)
        rollout = f"rollouts/{names['rollout']}"
        if "action" not in names and ("{action}" in path or path.endswith("/actions")):
            if path.endswith("/confirmation"):
                tool.done("PUT", "system/configs/user.confirmation.flow.enabled", {"value": True})
            self.assign()
        if path in (MODULE, MODULE + "/artifacts/{artifact}") and method == "DELETE":
            names["module"] = self.module()
            names["artifact"] = tool.upload(names["module"], "b.swu", b"b").json["id"]
        if path.startswith(SET + "/assignedSM/"):
            body = {"name": self.car, "version": "2", "type": "os", "modules": [{"id": self.module()}]}
            made = tool.post("distributionsets", [body])[0]
            names["set"], names["module"] = made["id"], made["modules"][0]["id"]
        if path == SET and method == "DELETE":
            body = {"name": self.car, "version": "3", "type": "os", "modules": []}
            names["set"] = tool.post("distributionsets", [body])[0]["id"]
        if path.startswith((MODULE_TYPE, SET_TYPE)):
            self.declare(path)
        if path.endswith("/configs/{key}"):
            names["key"] = "pollingTime"
        if path == FILTER + "/autoAssignDS" and method == "DELETE":
            tool.post(f"targetfilters/{names['filter']}/autoAssignDS", {"id": names["set"]})
        if path in (ROLLOUT + "/pause", ROLLOUT + "/resume", ROLLOUT + "/stop"):
            tool.post(f"{rollout}/start")
        if path == ROLLOUT + "/resume":
            tool.post(f"{rollout}/pause")
        if path in (ROLLOUT + "/approve", ROLLOUT + "/deny"):
            tool.done("PUT", "system/configs/rollout.approval.enabled", {"value": True})
            other = Tool(tool.port, "publisher")
            names["rollout"] = other.post("rollouts", self.plan | {"name": f"{self.car}-approved"})["id"]
            other.close()

    def right(self, label: str) -> dict[str, Any]:
        """A body, or what stands in the query, with which the operation succeeds."""
        names, name = self.names, f"{self.car}-more"
        bodies: dict[str, Any] = {
            "PUT /system/configs": {"pollingTime": "00:05:00"},
            "PUT /system/configs/{key}": {"value": "00:05:00"},
            "POST /targets": [{"controllerId": name, "name": name, "address": "http://127.0.0.1"}],
            f"PUT {TARGET}": {"name": "new", "requestAttributes": True, "group": "g"},
            f"POST {TARGET}/metadata": [{"key": "new", "value": "2"}],
            f"PUT {TARGET}/metadata/{{key}}": {"value": "2"},
            f"POST {TARGET}/tags": [{"name": "new"}],
            f"POST {TARGET}/assignedDS": {"id": names["set"], "type": "soft"},
            f"PUT {TARGET}/actions/{{action}}": {"forceType": "forced"},
            f"PUT {TARGET}/actions/{{action}}/confirmation": {"confirmation": "confirmed"},
            "POST /softwaremodules": [{"name": name, "version": "1", "type": "os", "vendor": "v"}],
            f"PUT {MODULE}": {"description": "new"},
            f"POST {MODULE}/metadata": [{"key": "new", "value": "2", "targetVisible": True}],
            f"PUT {MODULE}/metadata/{{key}}": {"value": "2"},
            "POST /distributionsets": [
                {"name": name, "version": "1", "type": "os", "modules": [{"id": names["module"]}]}
            ],
            f"PUT {SET}": {"description": "new"},
            f"POST {SET}/metadata": [{"key": "new", "value": "2"}],
            f"PUT {SET}/metadata/{{key}}": {"value": "2"},
            f"POST {SET}/assignedSM": [{"id": names["module"]}],
            f"POST {SET}/assignedTargets": [{"id": self.car}],
            f"POST {SET}/invalidate": {"actionCancelationType": "soft"},
            "POST /softwaremoduletypes": [{"key": name, "name": name, "colour": "c", "maxAssignments": 2}],
            f"PUT {MODULE_TYPE}": {"description": "new", "colour": "c"},
            "POST /distributionsettypes": [
                {"key": name, "name": name, "mandatorymodules": [{"id": 1}], "optionalmodules": [{"id": 2}]}
            ],
            f"PUT {SET_TYPE}": {"description": "new", "colour": "c"},
            f"POST {SET_TYPE}/mandatorymoduletypes": {"id": 2},
            f"POST {SET_TYPE}/optionalmoduletypes": {"id": 2},
            "POST /targetfilters": {"name": name, "query": "name==*"},
            f"PUT {FILTER}": {"name": name, "query": "id==x"},
            f"POST {FILTER}/autoAssignDS": {"id": names["set"], "type": "soft", "weight": 10},
            "POST /rollouts": self.plan | {"name": name},
            f"PUT {ROLLOUT}": {"description": "new"},
        }
        short = label.replace(ROOT, "")
        if short == f"DELETE {TARGET}/actions":
            return {"query": {"keepLast": 0}}
        return {"body": bodies[short]} if short in bodies else {}

    def leave(self) -> None:
        """Let what was set go."""
        # A line of its own: by now the server may have ended one that waited for long.
        tool = Tool(self.tool.port)
        for key in ("user.confirmation.flow.enabled", "rollout.approval.enabled", "pollingTime"):
            tool.done("DELETE", f"system/configs/{key}")
        tool.done("PUT", "system/configs/releases.unsigned.enabled", {"value": True})
        tool.close()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("staff-door") / "launch")
    yield server
    assert server.stop() == 0
    assert "defect" not in server.log.read_text()


@pytest.fixture(scope="module")
def asker(door: Server) -> Iterator[Asker]:
    made = Asker(f"http://127.0.0.1:{door.port}", basic("all"))
    yield made
    made.close()


@pytest.fixture
def tool(door: Server) -> Iterator[Tool]:
    made = door.tool()
    yield made
    made.close()


@pytest.fixture
def book(door: Server) -> Iterator[sqlite3.Connection]:
    """Sees whether the server committed anything."""
    connection = sqlite3.connect(door.launch.data / "book.sqlite")
    yield connection
    connection.close()


@pytest.fixture
def world(tool: Tool) -> Iterator[World]:
    made = World(tool)
    yield made
    made.leave()


def committed(book: sqlite3.Connection) -> int:
    """Changes whenever another connection committed."""
    ((found,),) = book.execute("PRAGMA data_version").fetchall()
    return int(found)


def hold(asker: Asker, book: sqlite3.Connection, case: schemathesis.Case) -> int:
    """Ask; what is refused changed nothing, and what is accepted is there. The status."""
    before = committed(book)
    answer = asker.ask(case)
    if answer.status_code >= 400 or case.method == "GET":
        assert committed(book) == before, (case.as_curl_command(), answer.status_code)
    elif answer.status_code < 300 and answer.content:
        for told in documents(answer.json()):
            kept = asker.get(told["_links"]["self"]["href"])
            assert kept.status_code == 200, told
            found = kept.json()
            same = {key for key in told if key in found} - PASSING
            assert {key: found[key] for key in same} == {key: told[key] for key in same}
    return answer.status_code


def send_form(asker: Asker, label: str, names: dict[str, Any]) -> int:
    operation = DOOR.operation(label)
    case = operation.Case(path_parameters=names, media_type="multipart/form-data")
    case.body = {"file": b"more", "filename": "more.swu"}
    return asker.ask(case).status_code


def own(label: str, names: dict[str, Any]) -> dict[str, Any]:
    """What stands at the names of an operation's path."""
    return {name: value for name, value in names.items() if f"{{{name}}}" in label}


def succeed_and_fuzz(
    asker: Asker, book: sqlite3.Connection, world: World, label: str, *, many: bool = False
) -> None:
    world.prepare(label)
    names = own(label, world.names)
    if label == f"POST {ROOT}{MODULE}/artifacts":
        names["module"] = world.module()
        assert send_form(asker, label, names) == 201
        return
    right = world.right(label)
    media = {"media_type": "application/json"} if "body" in right else {}
    status = hold(asker, book, DOOR.operation(label).Case(path_parameters=names, **right, **media))
    assert status in (200, 201, 204), (label, status)
    asked(DOOR, label, names, lambda case: hold(asker, book, case), many=many)


def test_what_is_read_is_as_described(
    asker: Asker, book: sqlite3.Connection, world: World, subtests: pytest.Subtests
) -> None:
    """Each resource is answered at least once, and whatever else it is asked is answered as described."""
    world.assign()
    for label in READING:
        world.names["key"] = "note"
        with subtests.test(label):
            succeed_and_fuzz(asker, book, world, label)


@pytest.mark.parametrize("label", WRITING)
def test_what_is_changed_is_as_described(
    asker: Asker, book: sqlite3.Connection, world: World, label: str
) -> None:
    """Each change is made at least once; what is accepted is there, what is refused changed nothing."""
    succeed_and_fuzz(asker, book, world, label)


@pytest.mark.nightly
@pytest.mark.parametrize("label", [*READING, *WRITING])
def test_many_requests(asker: Asker, book: sqlite3.Connection, world: World, label: str) -> None:
    succeed_and_fuzz(asker, book, world, label, many=True)


def test_what_is_taken_out_is_gone(asker: Asker, book: sqlite3.Connection, tool: Tool) -> None:
    """A resource that was deleted is answered with 404, and so is a second deletion."""
    gone = [label for label in WRITING if label.startswith("DELETE") and label.endswith("}")]
    gone = [label for label in gone if label.replace("DELETE", "GET") in READING and "configs" not in label]
    gone.remove(f"DELETE {ROOT}{TARGET}/actions/{{action}}")
    assert len(gone) >= 8
    for label in gone:
        world = World(tool)
        world.prepare(label)
        names = own(label, world.names)
        again = [label, label.replace("DELETE", "GET"), label]
        statuses = [hold(asker, book, DOOR.operation(each).Case(path_parameters=names)) for each in again]
        assert statuses == [204, 404, 404], label


WRONG: list[tuple[str, Any]] = [
    ("POST /targets", {"controllerId": "a"}),
    ("POST /targets", [{"controllerId": ["a"]}]),
    ("POST /targets", ["a"]),
    ("POST /softwaremodules", [{"name": "a", "version": "1"}]),
    ("POST /distributionsets", [{"name": "a", "version": "1", "modules": [{"id": "one"}]}]),
    ("POST /softwaremoduletypes", [{"key": "a"}]),
    ("POST /distributionsettypes", [{"key": "a", "name": "a", "mandatorymodules": [{"id": "one"}]}]),
    (f"PUT {SET_TYPE}", {"colour": 1}),
    (f"POST {SET_TYPE}/optionalmoduletypes", {"id": -1}),
    ("POST /targetfilters", {"name": {}, "query": "id==1"}),
    ("POST /rollouts", {"name": "a", "targetFilterQuery": "id==1", "distributionSetId": -1}),
    ("POST /rollouts", {"name": "a", "targetFilterQuery": "id==1", "distributionSetId": 1, "weight": 2000}),
    (f"PUT {TARGET}", {"requestAttributes": "perhaps"}),
    (f"PUT {TARGET}/actions/{{action}}", {"forceType": "brute"}),
    (f"POST {SET}/assignedTargets", [{"id": 1.5}]),
    ("PUT /system/configs/{key}", {"value": None}),
    ("PUT /system/configs/{key}", {}),
]  # fmt: skip


def test_wrong_types_are_refused_by_name(asker: Asker, book: sqlite3.Connection, world: World) -> None:
    """What is of the wrong type is answered with 400 and ``http.body``, and the message says where."""
    world.assign()
    world.names["key"] = "pollingTime"
    for short, body in WRONG:
        method, path = short.split()
        label = f"{method} {ROOT}{path}"
        world.prepare(label)
        names = own(label, world.names)
        before = committed(book)
        case = DOOR.operation(label).Case(path_parameters=names, body=body, media_type="application/json")
        answer = asker.ask(case)
        assert (answer.status_code, answer.json()["code"]) == (400, "http.body"), (short, body, answer.text)
        assert committed(book) == before


def test_the_description_is_answered_by_the_door(tool: Tool) -> None:
    assert tool.get("openapi.json") == description()
