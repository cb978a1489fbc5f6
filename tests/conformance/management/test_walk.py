"""The ways that hawkBit's tools and documentation go, from a target to a finished action."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import Any

import pytest

from driveaway.launch.management import opened
from driveaway.updates import registry
from driveaway.updates.actions import acting
from driveaway.updates.actions.machine import Execution, Finished, Report
from driveaway.values.clock import now
from tests.conformance.management.tool import ACCOUNTS, Server, Tool

NUMBERS = itertools.count(1)


def fresh(what: str = "car") -> str:
    return f"{what}{next(NUMBERS)}"


def say(staff: Server, controller_id: str, action: int, execution: str, finished: str = "none") -> None:
    """What a car says, as the server for cars would take it."""
    report = Report(
        execution=Execution(execution), finished=Finished(finished), digest=f"u{execution}{finished}"
    )
    with opened(staff.launch) as found, found.state.change() as change:
        acting.take_report(change, controller_id, action, report, now())


def test_from_a_target_to_a_finished_action(staff: Server, tool: Tool) -> None:
    """What a client's own test suite does: configure, enter, upload, assign, look, cancel, clean up."""
    for key, value in (("pollingTime", "00:00:30"), ("authentication.targettoken.enabled", True)):
        tool.done("PUT", f"system/configs/{key}", {"value": value})
        assert tool.get(f"system/configs/{key}")["value"] == value
    token = "ieHai3du7gee7aPhojeth4ongieHai3du"
    assert tool.target("walker", securityToken=token)["securityToken"] == token
    release = tool.release("1.0")
    action = tool.assign(release, "walker")
    found = tool.get(f"targets/walker/actions/{action}")
    assert (found["type"], found["status"], found["detailStatus"]) == ("update", "pending", "running")
    assert found["forceType"] == "forced"
    assert tool.get("targets/walker")["updateStatus"] == "pending"
    assert tool.get("targets/walker/assignedDS")["id"] == release
    say(staff, "walker", action, "proceeding")
    say(staff, "walker", action, "closed", "success")
    found = tool.get(f"targets/walker/actions/{action}")
    assert (found["status"], found["detailStatus"]) == ("finished", "finished")
    history = tool.get(f"targets/walker/actions/{action}/status?offset=0&limit=50&sort=id:DESC")["content"]
    assert [entry["type"] for entry in history] == ["finished", "running", "running"]
    assert all(entry["messages"] for entry in history)
    oldest = tool.get(f"targets/walker/actions/{action}/status?sort=id:ASC&limit=1")
    assert (oldest["content"][0]["id"], oldest["total"]) == (history[-1]["id"], 3)
    target = tool.get("targets/walker")
    assert target["updateStatus"] == "in_sync"
    assert target["installedAt"] > 1_600_000_000_000
    assert tool.get("targets/walker/installedDS")["version"] == "1.0"
    tool.done("DELETE", f"distributionsets/{release}")
    tool.done("DELETE", "targets/walker")
    assert tool.refused(404, "GET", "targets/walker") == "repo.entitiyNotFound"


def test_links_lead_where_they_say(tool: Tool) -> None:
    car, release = fresh(), tool.release(fresh("v"))
    action = tool.assign(release, car_of(tool, car))
    module = tool.get(f"distributionsets/{release}")["modules"][0]["id"]
    roots = [
        f"targets/{car}",
        f"targets/{car}/actions/{action}",
        f"distributionsets/{release}",
        f"softwaremodules/{module}",
        f"softwaremodules/{module}/artifacts",
        "system/configs/pollingTime",
        "softwaremoduletypes",
        "distributionsettypes",
    ]
    seen: set[str] = set()

    def follow(document: Any) -> None:
        if isinstance(document, list):
            for each in document:
                follow(each)
        elif isinstance(document, dict):
            for link in document.get("_links", {}).values():
                if link["href"] not in seen:
                    seen.add(link["href"])
                    answer = tool.ask("GET", link["href"])
                    assert answer.status in (200, 204), link
                    if answer.status == 200 and not link["href"].endswith("/download"):
                        follow(answer.json)
            for value in document.values():
                follow(value)

    for root in roots:
        follow(tool.get(root))
    assert len(seen) > 20


def car_of(tool: Tool, name: str) -> str:
    return str(tool.target(name)["controllerId"])


def test_pages_orders_and_filters(tool: Tool) -> None:
    mark = fresh("page")
    tool.post(
        "targets",
        [{"controllerId": f"{mark}-{n}", "name": f"n{9 - n}", "description": mark} for n in range(7)],
    )
    query = f"q=description=={mark}"
    first = tool.get(f"targets?{query}&limit=3")
    assert (first["total"], first["size"], len(first["content"])) == (7, 3, 3)
    assert [each["controllerId"] for each in first["content"]] == [f"{mark}-{n}" for n in range(3)]
    last = tool.get(f"targets?{query}&limit=3&offset=6")
    assert (last["size"], last["content"][0]["controllerId"]) == (1, f"{mark}-6")
    assert tool.get(f"targets?{query}&offset=100")["content"] == []
    named = tool.get(f"targets?{query}&sort=name:ASC")["content"]
    assert [each["name"] for each in named] == [f"n{n}" for n in range(3, 10)]
    assert tool.get(f"targets?{query}&limit=100000")["size"] == 7
    assert tool.get(f"targets?q=controllerId=={mark}-3%20or%20controllerid=={mark}-4")["total"] == 2
    assert tool.refused(400, "GET", "targets?q=name==") == "rest.param.rsqlParamSyntax"
    assert tool.refused(400, "GET", "targets?q=colour==red") == "rest.param.rsqlInvalidField"
    assert tool.refused(400, "GET", "targets?sort=name") == "rest.param.sortParamSyntax"
    assert tool.refused(400, "GET", "targets?sort=name:UP") == "rest.param.invalidDirection"
    assert tool.refused(400, "GET", "targets?sort=colour:ASC") == "rest.param.invalidField"
    tool.refused(400, "GET", "targets?limit=many")


def test_a_target_is_changed(tool: Tool) -> None:
    car = car_of(tool, fresh())
    assert tool.ask("GET", f"targets/{car}/attributes").status == 204
    changed = tool.done(
        "PUT", f"targets/{car}", {"name": "N", "group": "Europe/East", "requestAttributes": True}
    )
    assert (changed["name"], changed["group"], changed["requestAttributes"]) == ("N", "Europe/East", True)
    tool.refused(400, "PUT", f"targets/{car}", {"requestAttributes": False})
    tool.refused(400, "PUT", f"targets/{car}", {"securityToken": "short"})
    tool.refused(400, "PUT", f"targets/{car}", {"targetType": 3})
    assert tool.refused(409, "POST", "targets", [{"controllerId": car}]) == "repo.entitiyAlreayExists"
    both = [{"controllerId": f"{car}-new"}, {"controllerId": car}]
    tool.refused(409, "POST", "targets", both)
    tool.refused(404, "GET", f"targets/{car}-new")
    tool.post(f"targets/{car}/metadata", [{"key": "owner", "value": "fleet"}, {"key": "k", "value": "v"}])
    assert tool.get(f"targets/{car}/metadata")["total"] == 2
    assert tool.done("PUT", f"targets/{car}/metadata/k", {"value": "w"})["value"] == "w"
    assert tool.get(f"targets?q=metadata.k==w;id=={car}")["total"] == 1
    tool.done("DELETE", f"targets/{car}/metadata/k")
    tool.refused(404, "GET", f"targets/{car}/metadata/k")
    assert tool.post(f"targets/{car}/tags", [{"name": "beta"}]) == [{"name": "beta"}]
    assert tool.get(f"targets?q=tag==beta;id=={car}")["total"] == 1
    tool.done("DELETE", f"targets/{car}/tags/beta")
    assert tool.get(f"targets/{car}/tags") == []


def test_auto_confirm(tool: Tool) -> None:
    car, release = car_of(tool, fresh()), tool.release(fresh("v"))
    assert tool.get(f"targets/{car}/autoConfirm")["active"] is False
    waiting = tool.assign(release, car, confirmationRequired=True)
    assert tool.get(f"targets/{car}/actions/{waiting}")["detailStatus"] == "wait_for_confirmation"
    tool.done("PUT", f"targets/{car}/actions/{waiting}/confirmation", {"confirmation": "denied"})
    assert tool.get(f"targets/{car}/actions/{waiting}")["detailStatus"] == "wait_for_confirmation"
    tool.post(f"targets/{car}/autoConfirm/activate", {"remark": "trial"})
    said = tool.get(f"targets/{car}/autoConfirm")
    assert (said["active"], said["initiator"], said["remark"]) == (True, "all", "trial")
    assert tool.get(f"targets/{car}/actions/{waiting}")["detailStatus"] == "running"
    tool.refused(404, "PUT", f"targets/{car}/actions/{waiting}/confirmation", {"confirmation": "confirmed"})
    tool.post(f"targets/{car}/autoConfirm/deactivate")
    assert tool.get(f"targets/{car}/autoConfirm")["active"] is False


def test_assignments_of_every_type(tool: Tool) -> None:
    release = tool.release(fresh("v"))
    window = {"schedule": "0 0 2 * * ? *", "duration": "02:30:00", "timezone": "+08:00"}
    for terms in (
        {"type": "soft"},
        {"type": "forced", "forcetime": 1_900_000_000_000},
        {"type": "downloadonly", "weight": 7},
        {"type": "timeforced", "forcetime": 1_900_000_000_123},
        {"type": "soft", "maintenanceWindow": window},
    ):
        car = car_of(tool, fresh())
        found = tool.get(f"targets/{car}/actions/{tool.assign(release, car, **terms)}")
        assert found["forceType"] == terms["type"]
        assert found["weight"] == terms.get("weight", 1000)
        assert found.get("forceTime") == (terms["forcetime"] if terms["type"] == "timeforced" else None)
        if "maintenanceWindow" in terms:
            assert {key: found["maintenanceWindow"][key] for key in window} == window
    car = car_of(tool, fresh())
    bad = [{"id": car, "maintenanceWindow": {**window, "schedule": "every night"}}]
    assert tool.refused(400, "POST", f"distributionsets/{release}/assignedTargets", bad) == (
        "maintenanceScheduleInvalid"
    )
    tool.refused(
        400, "POST", f"distributionsets/{release}/assignedTargets", [{"id": car, "type": "timeforced"}]
    )
    made = tool.post(f"distributionsets/{release}/assignedTargets", [{"id": car}, {"id": "nobody"}])
    assert (made["assigned"], made["alreadyAssigned"], made["total"]) == (1, 0, 1)
    again = tool.post(f"targets/{car}/assignedDS", {"id": release})
    assert (again["assigned"], again["alreadyAssigned"]) == (0, 1)
    offline = car_of(tool, fresh())
    tool.post(f"targets/{offline}/assignedDS?offline=true", [{"id": release}])
    assert tool.get(f"targets/{offline}/installedDS")["id"] == release
    listed = tool.get(f"distributionsets/{release}/installedTargets")
    assert [each["controllerId"] for each in listed["content"]] == [offline]
    assert tool.get(f"distributionsets/{release}/assignedTargets")["total"] == 7
    counted = tool.get(f"distributionsets/{release}/statistics")
    assert counted["totalActionsPerStatus"]["total"] == 7


def test_what_was_only_downloaded_is_installed_when_it_is_assigned_again(staff: Server, tool: Tool) -> None:
    release, car = tool.release(fresh("v")), car_of(tool, fresh())
    action = tool.assign(release, car, type="downloadonly")
    assert tool.post(f"targets/{car}/assignedDS", {"id": release, "type": "downloadonly"})["assigned"] == 0
    say(staff, car, action, "downloaded")
    assert tool.post(f"targets/{car}/assignedDS", {"id": release, "type": "downloadonly"})["assigned"] == 0
    again = tool.post(f"targets/{car}/assignedDS", {"id": release, "type": "soft"})
    assert (again["assigned"], again["alreadyAssigned"]) == (1, 0)
    following = again["assignedActions"][0]["id"]
    assert tool.get(f"targets/{car}/actions/{following}")["forceType"] == "soft"
    assert tool.post(f"targets/{car}/assignedDS", {"id": release, "type": "forced"})["assigned"] == 0
    say(staff, car, following, "closed", "success")
    assert tool.post(f"targets/{car}/assignedDS", {"id": release, "type": "forced"})["assigned"] == 0
    assert tool.get(f"targets/{car}/installedDS")["id"] == release


def test_cancelling_and_forcing(staff: Server, tool: Tool) -> None:
    car, release = car_of(tool, fresh()), tool.release(fresh("v"))
    action = tool.assign(release, car, type="soft")
    path = f"targets/{car}/actions/{action}"
    assert tool.refused(405, "DELETE", f"{path}?force=true") == "action.notforcequitable"
    tool.refused(400, "PUT", path, {"forceType": "soft"})
    assert tool.done("PUT", path, {"forceType": "forced"})["forceType"] == "forced"
    tool.done("DELETE", path)
    found = tool.get(path)
    assert (found["type"], found["status"], found["detailStatus"]) == ("cancel", "pending", "canceling")
    assert "canceledaction" in found["_links"]
    assert tool.refused(405, "DELETE", path) == "action.notcancelable"
    tool.done("DELETE", f"{path}?force=true")
    found = tool.get(path)
    assert (found["type"], found["status"], found["detailStatus"]) == ("cancel", "finished", "canceled")
    tool.refused(404, "GET", f"targets/{car_of(tool, fresh())}/actions/{action}")
    tool.refused(410, "PUT", f"{path}/confirmation", {"confirmation": "confirmed"})
    everywhere = tool.get(f"actions?q=target.id=={car}&representation=full")
    assert everywhere["content"][0]["_links"]["target"]["name"] == car
    assert tool.get(f"actions/{action}")["id"] == action
    other = tool.assign(tool.release(fresh("v")), car)
    tool.refused(405, "DELETE", f"targets/{car}/actions?actionIds={other}")
    tool.refused(400, "DELETE", f"targets/{car}/actions")
    tool.done("DELETE", f"targets/{car}/actions?keepLast=1")
    assert [each["id"] for each in tool.get(f"targets/{car}/actions")["content"]] == [other]


def test_software(tool: Tool) -> None:
    version = fresh("v")
    module = tool.post(
        "softwaremodules",
        [{"name": "ü", "version": version, "type": "application", "vendor": "ACME", "encrypted": True}],
    )[0]
    number = module["id"]
    assert (module["typeName"], module["encrypted"], module["locked"]) == ("Application", True, False)
    twice = [{"name": "ü", "version": version, "type": "application"}]
    assert tool.refused(409, "POST", "softwaremodules", twice) == "repo.entitiyAlreayExists"
    changed = tool.done("PUT", f"softwaremodules/{number}", {"description": "d", "vendor": "B"})
    assert (changed["description"], changed["vendor"]) == ("d", "B")
    tool.post(f"softwaremodules/{number}/metadata", [{"key": "a", "value": "1", "targetVisible": True}])
    assert tool.done("PUT", f"softwaremodules/{number}/metadata/a", {"value": "2"}) == {
        "key": "a",
        "value": "2",
        "targetVisible": True,
    }
    content = bytes(range(256)) * 64
    sums = {name + "sum": hashlib.new(name, content).hexdigest() for name in ("md5", "sha1", "sha256")}
    answer = tool.upload(number, "größe 1.swu", content, **sums)
    assert answer.status == 201, answer
    made = answer.json
    assert made["providedFilename"] == "größe 1.swu"
    assert made["size"] == len(content)
    assert made["hashes"] == {name: sums[name + "sum"] for name in ("sha1", "md5", "sha256")}
    assert [each["id"] for each in tool.get(f"softwaremodules/{number}/artifacts")] == [made["id"]]
    download = made["_links"]["download"]["href"]
    assert tool.ask("GET", download).body == content
    part = tool.ask("GET", download, headers={"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, content[10:20])
    assert tool.upload(number, "größe 1.swu", content).status == 409
    tool.done("DELETE", f"softwaremodules/{number}/artifacts/{made['id']}")
    assert tool.get(f"softwaremodules/{number}/artifacts") == []
    tool.done("DELETE", f"softwaremodules/{number}")
    tool.refused(404, "GET", f"softwaremodules/{number}")


def test_distribution_sets(tool: Tool) -> None:
    name, version = fresh("set"), fresh("v")
    modules = tool.post(
        "softwaremodules",
        [{"name": name, "version": version, "type": kind} for kind in ("os", "application")],
    )
    system, application = (each["id"] for each in modules)
    made = tool.post(
        "distributionsets", [{"name": name, "version": version, "modules": [{"id": application}]}]
    )[0]
    number = made["id"]
    assert (made["type"], made["complete"], made["locked"], made["valid"]) == ("os_app", False, False, True)
    car = car_of(tool, fresh())
    assert (
        tool.refused(400, "POST", f"targets/{car}/assignedDS", {"id": number}) == "distributionset.incomplete"
    )
    tool.post(f"distributionsets/{number}/assignedSM", [{"id": system}])
    assert tool.get(f"distributionsets/{number}")["complete"] is True
    assert tool.get(f"distributionsets/{number}/assignedSM?sort=name:ASC")["total"] == 2
    tool.done("DELETE", f"distributionsets/{number}/assignedSM/{application}")
    changed = tool.done("PUT", f"distributionsets/{number}", {"description": "d", "version": version + "b"})
    assert (changed["description"], changed["version"]) == ("d", version + "b")
    tool.post(f"targets/{car}/assignedDS", {"id": number})
    assert tool.refused(423, "PUT", f"distributionsets/{number}", {"version": "3"}) == "locked"
    assert (
        tool.refused(423, "POST", f"distributionsets/{number}/assignedSM", [{"id": application}]) == "locked"
    )
    assert tool.upload(system, "late.swu", b"late").status == 423
    tool.refused(409, "DELETE", f"distributionsets/{number}")
    assert tool.get("distributionsets?q=name==" + name)["content"][0]["id"] == number
    tool.post(f"distributionsets/{number}/invalidate", {"actionCancelationType": "force"})
    assert tool.get(f"distributionsets/{number}")["valid"] is False
    assert tool.get(f"targets/{car}/actions")["content"][0]["detailStatus"] == "canceled"
    assert tool.refused(400, "POST", f"targets/{car}/assignedDS", {"id": number}) == "distributionset.invalid"
    kinds = tool.get("distributionsettypes")["content"]
    assert {"os", "app", "os_app"} <= {kind["key"] for kind in kinds}
    assert [kind["key"] for kind in tool.get("distributionsettypes/3/mandatorymoduletypes")] == ["os"]


def test_target_filters(staff: Server, tool: Tool) -> None:
    name, release = fresh("filter"), tool.release(fresh("v"))
    made = tool.post("targetfilters", {"name": name, "query": f"name=={name}*"})
    number = made["id"]
    assert (
        tool.refused(409, "POST", "targetfilters", {"name": name, "query": "id==a"})
        == "repo.entitiyAlreayExists"
    )
    assert (
        tool.refused(400, "POST", "targetfilters", {"name": "x", "query": "id="})
        == "rest.param.rsqlParamSyntax"
    )
    assert tool.ask("GET", f"targetfilters/{number}/autoAssignDS").status == 204
    given = tool.post(f"targetfilters/{number}/autoAssignDS", {"id": release, "type": "soft", "weight": 5})
    assert (given["autoAssignDistributionSet"], given["autoAssignActionType"]) == (release, "soft")
    tool.refused(400, "POST", f"targetfilters/{number}/autoAssignDS", {"id": release, "type": "timeforced"})
    assert tool.get(f"targetfilters/{number}/autoAssignDS")["id"] == release
    assert tool.get(f"distributionsets/{release}/autoAssignTargetFilters")["total"] == 1
    assert tool.get(f"targetfilters?q=name=={name}")["total"] == 1
    tool.done("DELETE", f"targetfilters/{number}/autoAssignDS")
    assert tool.done("PUT", f"targetfilters/{number}", {"query": "id==b"})["query"] == "id==b"
    tool.done("DELETE", f"targetfilters/{number}")
    tool.refused(404, "GET", f"targetfilters/{number}")


def test_rollouts(staff: Server, tool: Tool) -> None:
    mark, release = fresh("wave"), tool.release(fresh("v"))
    tool.post("targets", [{"controllerId": f"{mark}-{n}"} for n in range(10)])
    body = {
        "name": mark,
        "targetFilterQuery": f"id=={mark}-*",
        "distributionSetId": release,
        "amountGroups": 5,
        "type": "forced",
        "successCondition": {"condition": "THRESHOLD", "expression": "10"},
        "successAction": {"action": "NEXTGROUP", "expression": ""},
        "errorCondition": {"condition": "THRESHOLD", "expression": "80"},
        "errorAction": {"action": "PAUSE", "expression": ""},
        "forcetime": 1682408571791,
    }
    made = tool.post("rollouts", body)
    number = made["id"]
    assert (made["status"], made["totalTargets"], made["totalGroups"]) == ("ready", 10, 5)
    assert made["totalTargetsPerStatus"]["notstarted"] == 10
    assert tool.refused(409, "POST", "rollouts", body) == "repo.entitiyAlreayExists"
    groups = tool.get(f"rollouts/{number}/deploygroups")
    assert groups["total"] == 5
    first = groups["content"][0]
    assert (first["name"], first["targetPercentage"]) == ("group-1", 20.0)
    assert first["successCondition"] == {"condition": "THRESHOLD", "expression": "10"}
    assert first["errorCondition"] == {"condition": "THRESHOLD", "expression": "80"}
    assert tool.refused(400, "POST", f"rollouts/{number}/pause") == "rollout.illegalstate"
    tool.post(f"rollouts/{number}/start")
    assert tool.get(f"rollouts/{number}")["status"] == "running"
    drive(staff, number)
    counts = tool.get(f"rollouts/{number}")["totalTargetsPerStatus"]
    assert (counts["running"], counts["notstarted"]) == (2, 8)
    given = tool.get(f"rollouts/{number}/deploygroups/{first['id']}/targets")["content"]
    assert len(given) == 2
    action = tool.get(f"targets/{given[0]['controllerId']}/actions")["content"][0]
    assert (action["rollout"], action["rolloutName"]) == (number, mark)
    say(staff, given[0]["controllerId"], action["id"], "closed", "success")
    drive(staff, number)
    assert tool.get(f"rollouts/{number}")["totalTargetsPerStatus"]["running"] == 3
    tool.post(f"rollouts/{number}/pause")
    assert tool.get(f"rollouts/{number}")["status"] == "paused"
    tool.post(f"rollouts/{number}/resume")
    tool.refused(400, "DELETE", f"rollouts/{number}")
    tool.post(f"rollouts/{number}/stop")
    assert tool.get(f"rollouts/{number}")["status"] == "stopped"
    listed = tool.get(f"rollouts?q=name=={mark}")["content"][0]
    assert "totalTargetsPerStatus" not in listed
    assert listed["status"] == "stopped"


def drive(staff: Server, rollout: int) -> None:
    """What the worker does."""
    from driveaway.updates.rollouts.driving import Driver

    with opened(staff.launch) as found:
        Driver(found.state, rollout).look(now())


def test_rollouts_that_cannot_be(tool: Tool) -> None:
    release = tool.release(fresh("v"))
    body = {"name": fresh("r"), "targetFilterQuery": "id==a", "distributionSetId": release}
    for wrong in (
        {"dynamic": True},
        {"type": "timeforced"},
        {"amountGroups": 0},
        {"amountGroups": 2, "groups": [{"name": "a"}]},
        {"groups": [{"name": "a"}, {"name": "a"}]},
        {"groups": [{"targetPercentage": 101}]},
        {"successCondition": {"condition": "THRESHOLD", "expression": "half"}},
        {"successCondition": {"condition": "COUNT", "expression": "5"}},
        {"errorAction": {"action": "EXPLODE"}},
        {"weight": 1001},
    ):
        tool.refused(400, "POST", "rollouts", {**body, **wrong})
    assert (
        tool.refused(400, "POST", "rollouts", {**body, "targetFilterQuery": "id"})
        == "rest.param.rsqlParamSyntax"
    )
    tool.refused(404, "POST", "rollouts", {**body, "distributionSetId": 10_000_000})
    made = tool.post("rollouts", {**body, "startAt": 1_900_000_000_000})
    assert made["startAt"] == 1_900_000_000_000
    tool.done("PUT", f"rollouts/{made['id']}", {"name": body["name"] + "b", "description": "later"})
    tool.done("DELETE", f"rollouts/{made['id']}")


def test_a_rollout_is_approved_by_somebody_else(staff: Server, tool: Tool) -> None:
    tool.done("PUT", "system/configs/rollout.approval.enabled", {"value": True})
    try:
        release = tool.release(fresh("v"))
        body = {"targetFilterQuery": "id==a", "distributionSetId": release}
        first, second = (tool.post("rollouts", {"name": fresh("r"), **body}) for _ in range(2))
        assert first["status"] == "waiting_for_approval"
        assert tool.refused(403, "POST", f"rollouts/{first['id']}/approve") == "entityreadonly"
        approver = staff.tool("approver")
        approver.post(f"rollouts/{first['id']}/approve")
        approver.post(f"rollouts/{second['id']}/deny?remark=not%20now")
        assert tool.get(f"rollouts/{first['id']}")["approveDecidedBy"] == "approver"
        denied = tool.get(f"rollouts/{second['id']}")
        assert (denied["status"], denied["approvalRemark"]) == ("approval_denied", "not now")
        approver.close()
    finally:
        tool.done("DELETE", "system/configs/rollout.approval.enabled")


def test_settings(staff: Server, tool: Tool) -> None:
    listed = tool.get("system/configs")
    assert listed["pollingOverdueTime"] == {
        "value": "00:05:00",
        "global": True,
        "_links": listed["pollingOverdueTime"]["_links"],
    }
    both = {"pollingOverdueTime": "00:10:00", "anonymous.download.enabled": False}
    tool.done("PUT", "system/configs", both)
    assert tool.get("system/configs/pollingOverdueTime")["value"] == "00:10:00"
    tool.done("DELETE", "system/configs/pollingOverdueTime")
    assert tool.refused(400, "PUT", "system/configs/pollingTime", {"value": "soon"}) == "configValueInvalid"
    assert tool.refused(400, "PUT", "system/configs/pollingTime", {"value": 5}) == "configValueInvalid"
    assert tool.refused(400, "GET", "system/configs/colour") == "configKeyInvalid"
    wrong = {"pollingOverdueTime": "00:20:00", "pollingTime": "soon"}
    tool.refused(400, "PUT", "system/configs", wrong)
    assert tool.get("system/configs/pollingOverdueTime")["value"] == "00:05:00"
    assert tool.get("userinfo")["username"] == "all"


@pytest.mark.parametrize("name", ["viewer", "operator", "publisher", "approver"])
def test_each_account_does_what_its_roles_permit(staff: Server, name: str) -> None:
    may = {"operator": "operate", "publisher": "publish", "approver": "approve"}.get(name, "")
    asked = {
        "operate": ("DELETE", "targets/nobody"),
        "publish": ("DELETE", "softwaremodules/999999"),
        "approve": ("POST", "rollouts/999999/approve"),
        "administer": ("DELETE", "system/configs/colour"),
    }
    account = staff.tool(name)
    assert "roles" in account.get("userinfo")
    assert ACCOUNTS[name]
    for permission, (method, path) in asked.items():
        answer = account.ask(method, path)
        assert answer.status == (404 if permission == may else 403), (permission, answer)
    account.refused(403, "GET", "system/configs/authentication.gatewaytoken.key")
    assert "authentication.gatewaytoken.key" not in account.get("system/configs")
    with opened(staff.launch) as found, found.state.change() as change:
        registry.register(change, "told", "192.0.2.1", now())
    told = account.get("targets/told")
    assert ("securityToken" in told) == (name == "operator")
    assert told["ipAddress"] == "192.0.2.1"
    assert told["pollStatus"]["overdue"] is False
    account.close()


def test_nothing_is_left_of_uploads(staff: Server) -> None:
    incoming = Path(staff.launch.artifacts) / "incoming"
    assert not incoming.exists() or list(incoming.iterdir()) == []
