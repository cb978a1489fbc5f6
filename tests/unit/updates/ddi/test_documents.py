"""What cars are told, to the letter of the protocol."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from driveaway.updates.ddi import documents
from driveaway.updates.ddi.documents import Moment, Piece, moment_of, tag_of
from driveaway.updates.ddi.links import Links
from driveaway.updates.model import (
    Action,
    ActionStatus,
    ActionType,
    Artifact,
    SoftwareModule,
    Target,
    TargetStatus,
)
from tests.unit.updates.actions.test_machine import action

LINKS = Links("https://cars.example/updates", "DEFAULT", "car 1/ä")
AT = "https://cars.example/updates/DEFAULT/controller/v1/car%201%2F%C3%A4"
OPEN = Moment(True, True, True)
PIECE = Piece(
    SoftwareModule(
        id=5,
        name="sw",
        version="1.2.0",
        type="os",
        vendor="",
        description="",
        encrypted=True,
        locked=True,
        deleted=False,
        created=0,
        modified=0,
    ),
    (Artifact(id=1, module=5, filename="a b.swu", size=3, sha1="11", md5="22", sha256="33", created=0),),
    (("k", "v"),),
)


def target(**given: Any) -> Target:
    fields: dict[str, Any] = dict.fromkeys(Target.__struct_fields__)
    fields |= {"id": 1, "controller_id": "car 1/ä", "status": TargetStatus.PENDING}
    fields |= {"auto_confirm": False, "attributes_requested": False, "version_reported": ""}
    return Target(**(fields | given))


def told(document: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(document))


def test_a_deployment() -> None:
    history = ["newest", "older"]
    document = documents.deployment(action(ActionStatus.RUNNING), OPEN, [PIECE], history, LINKS)
    file = f"{AT}/softwaremodules/5/artifacts/a%20b.swu"
    assert told(document) == {
        "id": "8",
        "deployment": {
            "download": "forced",
            "update": "forced",
            "chunks": [
                {
                    "part": "os",
                    "version": "1.2.0",
                    "name": "sw",
                    "encrypted": True,
                    "artifacts": [
                        {
                            "filename": "a b.swu",
                            "hashes": {"sha1": "11", "md5": "22", "sha256": "33"},
                            "size": 3,
                            "_links": {"download": {"href": file}, "md5sum": {"href": f"{file}.MD5SUM"}},
                        }
                    ],
                    "metadata": [{"key": "k", "value": "v"}],
                }
            ],
        },
        "actionHistory": {"status": "RUNNING", "messages": ["newest", "older"]},
    }


@pytest.mark.parametrize(("kind", "part"), [("application", "bApp"), ("runtime", "jvm"), ("adas", "adas")])
def test_older_names_of_parts_and_what_is_left_out(kind: str, part: str) -> None:
    module = msgspec.structs.replace(PIECE.module, type=kind, encrypted=False)
    document = told(documents.deployment(action(), OPEN, [Piece(module, (), ())], [], LINKS))
    (chunk,) = document["deployment"]["chunks"]
    assert chunk == {"part": part, "version": "1.2.0", "name": "sw", "artifacts": []}
    assert "actionHistory" not in document


def test_links_without_tls_have_names_of_their_own() -> None:
    plain = Links("http://localhost:8080", "DEFAULT", "c").artifact(1, "f")
    assert list(plain) == ["download-http", "md5sum-http"]
    both = Links("https://a", "DEFAULT", "c", plain="http://b").artifact(1, "f")
    assert both["download"].startswith("https://a/")
    assert both["download-http"].startswith("http://b/DEFAULT/controller/v1/c/")
    assert list(both) == ["download", "md5sum", "download-http", "md5sum-http"]


@pytest.mark.parametrize(
    ("kind", "given", "download", "update"),
    [
        (ActionType.SOFT, {}, "attempt", "attempt"),
        (ActionType.FORCED, {}, "forced", "forced"),
        (ActionType.TIME_FORCED, {"force_time": 101}, "attempt", "attempt"),
        (ActionType.TIME_FORCED, {"force_time": 100}, "forced", "forced"),
        (ActionType.DOWNLOAD_ONLY, {}, "forced", "skip"),
    ],
)
def test_how_urgently_a_car_is_asked(
    kind: ActionType, given: dict[str, Any], download: str, update: str
) -> None:
    asked = action(type=kind, **given)
    document = told(documents.deployment(asked, moment_of(asked, 100, (True, None)), [], [], LINKS))
    assert document["deployment"] == {"download": download, "update": update, "chunks": []}


def test_when_what_a_car_is_told_changes_by_itself() -> None:
    timed = action(type=ActionType.TIME_FORCED, force_time=500)
    assert moment_of(timed, 100, (True, None)).until == 500
    assert moment_of(timed, 500, (True, None)).until is None
    window = {"window_schedule": "0 0 3 ? * *", "window_duration": "01:00:00", "window_timezone": "+08:00"}
    closed = moment_of(action(**window), 100, (False, 400))
    assert (closed.offered, closed.until, closed.opens) == (False, 400, 400)
    opened = moment_of(action(**window), 450, (True, 600))
    assert (opened.offered, opened.until, opened.opens) == (True, 600, None)
    both = action(type=ActionType.TIME_FORCED, force_time=500, **window)
    assert moment_of(both, 100, (False, 400)).until == 400
    # What has begun is seen through, whatever the window does.
    begun = moment_of(action(heard=50, **window), 100, (False, 400))
    assert (begun.offered, begun.open, begun.until) == (True, True, None)
    soft = action(type=ActionType.SOFT)
    tags = {tag_of(action(**window), closed), tag_of(action(**window), opened), tag_of(soft, OPEN)}
    assert len(tags) == 3
    assert all(0 <= tag < 2**31 for tag in tags)


def links_of(active: Action | None, moment: Moment | None = OPEN, **given: Any) -> dict[str, str]:
    base = told(documents.base(target(**given), active, moment, "00:05:00", LINKS))
    assert base["config"] == {"polling": {"sleep": "00:05:00"}}
    return {name: link["href"] for name, link in base.get("_links", {}).items()}


def test_at_most_one_link_to_an_action() -> None:
    assert links_of(None, None) == {}
    tag = tag_of(action(), OPEN)
    assert links_of(action()) == {"deploymentBase": f"{AT}/deploymentBase/8?c={tag}"}
    assert links_of(action(ActionStatus.CANCELING)) == {"cancelAction": f"{AT}/cancelAction/8"}
    waiting = links_of(action(ActionStatus.WAIT_FOR_CONFIRMATION))
    assert list(waiting) == ["confirmationBase"]
    assert waiting["confirmationBase"].startswith(f"{AT}/confirmationBase/8?c=")
    withheld = Moment(True, False, False)
    assert links_of(action(), withheld) == {}
    # A request to stop is never withheld.
    assert list(links_of(action(ActionStatus.CANCELING), withheld)) == ["cancelAction"]
    assert links_of(None, None, installed_action=7, attributes_requested=True) == {
        "installedBase": f"{AT}/installedBase/7",
        "configData": f"{AT}/configData",
    }


def test_a_cancellation_and_confirmations() -> None:
    asked = action(ActionStatus.CANCELING, id=11)
    assert told(documents.cancellation(asked)) == {"id": "11", "cancelAction": {"stopId": "11"}}
    waiting = action(ActionStatus.WAIT_FOR_CONFIRMATION)
    base = told(documents.confirmation_base(target(), waiting, OPEN, LINKS))
    assert base["autoConfirm"] == {"active": False}
    assert sorted(base["_links"]) == ["activateAutoConfirm", "confirmationBase"]
    given = {"auto_confirm": True, "auto_confirm_initiator": "me", "auto_confirm_at": 1_500_000}
    active = told(documents.confirmation_base(target(**given), None, None, LINKS))
    assert active["autoConfirm"] == {"active": True, "initiator": "me", "activatedAt": 1500}
    assert active["_links"] == {
        "deactivateAutoConfirm": {"href": f"{AT}/confirmationBase/deactivateAutoConfirm"}
    }
    document = told(documents.confirmation(waiting, OPEN, [PIECE], [], LINKS))
    assert document["id"] == "8"
    assert document["confirmation"]["chunks"][0]["name"] == "sw"
