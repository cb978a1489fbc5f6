"""Types of modules and sets as hawkBit's tools declare them, and what sets of them are made of."""

from __future__ import annotations

from typing import Any

from tests.conformance.management.test_walk import fresh
from tests.conformance.management.tool import Tool


def module_type(tool: Tool, **more: Any) -> Any:
    key = fresh("kind")
    return tool.post("softwaremoduletypes", [{"key": key, "name": f"Name of {key}", **more}])[0]


def set_type(tool: Tool, must: list[int], may: list[int], **more: Any) -> Any:
    key = fresh("settype")
    body = {
        "key": key,
        "name": f"Name of {key}",
        "mandatorymodules": [{"id": each} for each in must],
        "optionalmodules": [{"id": each} for each in may],
        **more,
    }
    return tool.post("distributionsettypes", [body])[0]


def module(tool: Tool, kind: str) -> int:
    return int(tool.post("softwaremodules", [{"name": fresh("m"), "version": "1", "type": kind}])[0]["id"])


def of_type(tool: Tool, kind: str, *modules: int) -> Any:
    body = {"name": fresh("s"), "version": "1", "type": kind, "modules": [{"id": each} for each in modules]}
    return tool.post("distributionsets", [body])[0]


def inside(tool: Tool, found: dict[str, Any]) -> list[int]:
    return [each["id"] for each in tool.get(f"distributionsets/{found['id']}")["modules"]]


def test_types_are_declared_changed_and_taken_out(tool: Tool) -> None:
    made = module_type(tool, description="a radar", colour="#ff0000", maxAssignments=3)
    path = f"softwaremoduletypes/{made['id']}"
    assert tool.get(path) == made
    assert (made["maxAssignments"], made["colour"], made["deleted"]) == (3, "#ff0000", False)
    assert made["createdAt"] > 1_600_000_000_000
    changed = tool.done("PUT", path, {"description": "another radar", "key": "no", "maxAssignments": 9})
    assert (changed["description"], changed["key"]) == ("another radar", made["key"])
    assert changed["maxAssignments"] == 3
    assert made["key"] in [each["key"] for each in tool.get("softwaremoduletypes?limit=500")["content"]]
    tool.done("DELETE", path)
    assert tool.refused(404, "GET", path) == "repo.entitiyNotFound"


def test_what_cannot_be_declared(tool: Tool) -> None:
    made = module_type(tool)
    for body, status, key in (
        ({"key": made["key"], "name": "x"}, 409, "repo.entitiyAlreayExists"),
        ({"key": fresh(), "name": made["name"]}, 409, "repo.entitiyAlreayExists"),
        ({"key": "os", "name": "x"}, 409, "repo.entitiyAlreayExists"),
        ({"key": "", "name": "x"}, 400, "repo.constraintViolation"),
        ({"key": "k" * 65, "name": "x"}, 400, "repo.constraintViolation"),
        ({"key": fresh(), "name": "x", "maxAssignments": 0}, 400, "repo.constraintViolation"),
        ({"key": fresh()}, 400, "rest.body.notReadable"),
    ):
        assert tool.refused(status, "POST", "softwaremoduletypes", [body]) == key
    both = {"key": fresh(), "name": fresh(), "mandatorymodules": [{"id": 1}], "optionalmodules": [{"id": 1}]}
    assert tool.refused(400, "POST", "distributionsettypes", [both]) == "repo.constraintViolation"
    unknown = {"key": fresh(), "name": fresh(), "mandatorymodules": [{"id": 999_999}]}
    assert tool.refused(404, "POST", "distributionsettypes", [unknown]) == "repo.entitiyNotFound"
    # All or none.
    good = {"key": fresh(), "name": fresh()}
    tool.refused(404, "POST", "distributionsettypes", [good, unknown])
    tool.post("distributionsettypes", [good])


def test_hawkbits_own_types_stay_as_they_are(tool: Tool) -> None:
    for method, path, body in (
        ("PUT", "softwaremoduletypes/1", {"description": "x"}),
        ("DELETE", "distributionsettypes/3", None),
        ("POST", "distributionsettypes/3/mandatorymoduletypes", {"id": 2}),
    ):
        assert tool.refused(403, method, path, body) == "entityreadonly"


def test_a_set_has_what_its_type_says(tool: Tool) -> None:
    radar, map_ = module_type(tool), module_type(tool, maxAssignments=2)
    kind = set_type(tool, [radar["id"]], [map_["id"], 2])
    one, two, other = module(tool, radar["key"]), module(tool, radar["key"]), module(tool, "os")
    maps = [module(tool, map_["key"]) for _ in range(3)]
    made = of_type(tool, kind["key"], maps[0])
    assert not made["complete"]
    path = f"distributionsets/{made['id']}/assignedSM"
    unsupported = "distributionset.modules.unsupported"
    assert tool.refused(400, "POST", path, [{"id": other}]) == unsupported
    whole = {"name": fresh(), "version": "1", "type": kind["key"], "modules": [{"id": one}, {"id": other}]}
    assert tool.refused(400, "POST", "distributionsets", [whole]) == unsupported
    car = tool.target(fresh())["controllerId"]
    assign = f"distributionsets/{made['id']}/assignedTargets"
    assert tool.refused(400, "POST", assign, [{"id": car}]) == "distributionset.incomplete"
    tool.post(path, [{"id": one}])
    assert tool.get(f"distributionsets/{made['id']}")["complete"]
    # Of one radar and two maps at the most the oldest makes room.
    tool.post(path, [{"id": two}, {"id": maps[1]}, {"id": maps[2]}])
    assert inside(tool, made) == [two, *maps[1:]]
    tool.assign(made["id"], car)


def test_hawkbits_own_set_types_bind_here_as_there(tool: Tool) -> None:
    app, first, second = module(tool, "application"), module(tool, "os"), module(tool, "os")
    made = of_type(tool, "os", first)
    path = f"distributionsets/{made['id']}/assignedSM"
    assert tool.refused(400, "POST", path, [{"id": app}]) == "distributionset.modules.unsupported"
    tool.post(path, [{"id": second}])
    assert inside(tool, made) == [second]
    # What nobody declared may have anything.
    free = of_type(tool, fresh("free"), app, first)
    assert inside(tool, free) == [app, first]


def test_what_a_type_is_made_of_changes_until_sets_have_it(tool: Tool) -> None:
    radar = module_type(tool)
    kind = set_type(tool, [], [2])
    must = f"distributionsettypes/{kind['id']}/mandatorymoduletypes"
    may = f"distributionsettypes/{kind['id']}/optionalmoduletypes"

    def keys(path: str) -> list[str]:
        return [each["key"] for each in tool.get(path)]

    tool.post(must, {"id": radar["id"]})
    assert (keys(must), keys(may)) == ([radar["key"]], ["application"])
    assert tool.get(f"{must}/{radar['id']}")["key"] == radar["key"]
    assert tool.refused(404, "GET", f"{may}/{radar['id']}") == "repo.entitiyNotFound"
    tool.post(may, {"id": radar["id"]})
    assert (keys(must), keys(may)) == ([], ["application", radar["key"]])
    tool.done("DELETE", f"{may}/2")
    assert tool.refused(404, "DELETE", f"{may}/2") == "repo.entitiyNotFound"
    of_type(tool, kind["key"], module(tool, radar["key"]))
    assert tool.refused(403, "POST", must, {"id": 1}) == "entityreadonly"
    assert tool.refused(403, "DELETE", f"{may}/{radar['id']}") == "entityreadonly"


def test_what_has_a_type_keeps_it_when_it_is_taken_out(tool: Tool) -> None:
    radar = module_type(tool)
    kind = set_type(tool, [radar["id"]], [])
    made = of_type(tool, kind["key"], module(tool, radar["key"]))
    for path in (f"softwaremoduletypes/{radar['id']}", f"distributionsettypes/{kind['id']}"):
        tool.done("DELETE", path)
        assert tool.get(path)["deleted"]
        assert tool.refused(403, "DELETE", path) == "entityreadonly"
    found = tool.get(f"distributionsets/{made['id']}")
    assert (found["type"], found["typeName"], found["complete"]) == (kind["key"], kind["name"], True)
    assert tool.get(found["_links"]["type"]["href"])["deleted"]
    listed = [each["key"] for each in tool.get("distributionsettypes?limit=500")["content"]]
    assert kind["key"] not in listed
    body = {"name": fresh(), "version": "1", "type": kind["key"]}
    assert tool.refused(403, "POST", "distributionsets", [body]) == "entityreadonly"
    assert tool.refused(403, "POST", "softwaremodules", [body | {"type": radar["key"]}]) == "entityreadonly"
    tool.post("distributionsettypes", [{"key": kind["key"], "name": kind["name"]}])


def test_who_may_not(tool: Tool) -> None:
    viewer = Tool(tool.port, "viewer")
    try:
        viewer.get("softwaremoduletypes")
        body = [{"key": fresh(), "name": fresh()}]
        assert viewer.refused(403, "POST", "softwaremoduletypes", body) == "insufficientpermission"
    finally:
        viewer.close()
