"""A room in memory, for a server process that tests speak to: 1,000 cars, one release, one artifact."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from driveaway.updates.ddi.credentials import Credential
from driveaway.updates.ddi.links import Links
from driveaway.updates.ddi.messages import (
    ActionFeedback,
    AutoConfirmRequest,
    Config,
    ConfigData,
    ConfirmationFeedback,
    ControllerBase,
    InstalledBase,
    Link,
    Polling,
    attributes_of,
    report_of,
)
from driveaway.updates.ddi.polled import Polled
from driveaway.updates.model import Artifact
from driveaway.values.errors import BadValue, NotFound, Refused, Unavailable

CARS = 1000
CREATED = 1_700_000_000_123_456
GATEWAY = "gatewaygatewaygatewaygatewaygateway1"
AUTHORITY = "fc46ef7a"


def token(number: int) -> str:
    """The token of a car."""
    return hashlib.sha256(b"token %d" % number).hexdigest()[:48]


def content(size: int) -> bytes:
    """Bytes of an artifact: no two places alike."""
    return hashlib.shake_128(b"content").digest(size)


class FakeDesk:
    """Keeps everything in dictionaries; ``asked`` counts what it was asked."""

    def __init__(self, folder: Path, size: int = 100_000, cars: int = CARS) -> None:
        self.tokens = {f"CAR{number:06d}": token(number) for number in range(cars)}
        self.actions: dict[str, int] = {}
        self.attributes: dict[str, dict[str, str]] = {}
        self.feedbacks: list[tuple[str, int, ActionFeedback]] = []
        self.closed: set[int] = set()
        self.polled: dict[str, tuple[str, int]] = {}
        self.auto: dict[str, AutoConfirmRequest] = {}
        self.ran: dict[str, InstalledBase] = {}
        self.asked: dict[str, int] = {}
        self.log: list[str] = []
        self.gateway = False
        self.anonymous_download = False
        self.authority = AUTHORITY
        self.lock = threading.Lock()
        data = content(size)
        self.path = folder / "content"
        self.path.write_bytes(data)
        self.artifact_row = Artifact(
            id=1,
            module=7,
            filename="os 1.0 ü.swu",
            size=size,
            sha1=hashlib.sha1(data).hexdigest(),
            md5=hashlib.md5(data).hexdigest(),
            sha256=hashlib.sha256(data).hexdigest(),
            created=CREATED,
        )

    def _count(self, what: str) -> None:
        with self.lock:
            self.asked[what] = self.asked.get(what, 0) + 1

    def change(self, controller_id: str) -> None:
        with self.lock:
            self.log.append(controller_id)

    def switch(self, name: str, value: Any) -> None:
        setattr(self, name, value)
        self.change("")

    def renew(self, controller_id: str, new: str) -> None:
        self.tokens[controller_id] = new
        self.change(controller_id)

    def assign(self, controller_id: str, action_id: int) -> None:
        self.actions[controller_id] = action_id
        self.change(controller_id)

    def authenticate(self, controller_id: str, credential: Credential, *, download: bool = False) -> bool:
        self._count("authenticate")
        if download and self.anonymous_download:
            return True
        match credential.kind:
            case "target-token":
                return self.tokens.get(controller_id) == credential.value
            case "gateway-token":
                return self.gateway and credential.value == GATEWAY
            case "certificate":
                return (
                    controller_id in self.tokens
                    and credential.value == controller_id
                    and self.authority in credential.authorities
                )
            case _:
                return False

    def base(self, controller_id: str, links: Links, address: str) -> Polled:
        self._count("base")
        root = links.controller
        found = {"confirmationBase": Link(href=f"{root}/confirmationBase")}
        action = self.actions.get(controller_id)
        if action is not None:
            found["deploymentBase"] = Link(href=links.deployment(action, 1))
        if controller_id not in self.attributes:
            found["configData"] = Link(href=links.config_data)
        config = Config(polling=Polling(sleep="00:05:00"))
        return Polled(ControllerBase(config=config, links=found), None)

    def seen(self, controller_id: str, address: str, at: int) -> None:
        self.polled[controller_id] = (address, at)

    def last_change(self) -> int:
        return len(self.log)

    def changed_since(self, seq: int) -> tuple[int, list[str]]:
        with self.lock:
            return len(self.log), sorted(set(self.log[seq:]))

    def put_attributes(self, controller_id: str, data: ConfigData) -> Future[None]:
        self.attributes.setdefault(controller_id, {}).update(
            {key: value or "" for key, value in attributes_of(data).items()}
        )
        return _done(None)

    def deployment(self, controller_id: str, action_id: int, history: int, links: Links) -> Any:
        if self.actions.get(controller_id) != action_id:
            raise NotFound(f"there is no action {action_id}", code="action.unknown")
        root = f"{links.base}/{links.tenant}/controller/v1/{controller_id}/softwaremodules/7/artifacts"
        row = self.artifact_row
        artifact = {
            "filename": row.filename,
            "hashes": {"sha1": row.sha1, "md5": row.md5, "sha256": row.sha256},
            "size": row.size,
            "_links": {"download": {"href": f"{root}/{row.filename}"}},
        }
        chunk = {"part": "os", "version": "1.0", "name": "os", "artifacts": [artifact]}
        deployment = {"download": "forced", "update": "forced", "chunks": [chunk]}
        said = [str(entry[2].status.execution) for entry in self.feedbacks][::-1]
        messages = said if history < 0 else said[:history]
        return {
            "id": str(action_id),
            "deployment": deployment,
            "actionHistory": {"status": "RUNNING", "messages": messages},
        }

    def feedback(self, controller_id: str, action_id: int, feedback: ActionFeedback) -> Future[None]:
        if action_id in self.closed:
            return _failed(Refused(f"action {action_id} is closed", code="action.closed"))
        if len(report_of(feedback, "u").messages) > 50:
            return _failed(Refused("messages: 50 is the limit", code="quota.messages"))
        self.feedbacks.append((controller_id, action_id, feedback))
        if feedback.status.execution == "closed":
            self.closed.add(action_id)
            self.actions.pop(controller_id, None)
        return _done(None)

    def cancellation(self, controller_id: str, action_id: int) -> Any:
        if action_id != 11:
            raise NotFound("nothing is to be cancelled", code="action.not_waiting")
        return {"id": "11", "cancelAction": {"stopId": "11"}}

    def cancel_feedback(self, controller_id: str, action_id: int, feedback: ActionFeedback) -> Future[None]:
        return _done(None)

    def installed(self, controller_id: str, action_id: int, history: int, links: Links) -> Any:
        if action_id not in self.closed:
            raise NotFound("it has not ended", code="action.unknown")
        return {"id": str(action_id), "deployment": {"download": "forced", "update": "forced", "chunks": []}}

    def put_installed(self, controller_id: str, installed: InstalledBase) -> Future[bool]:
        new = self.ran.get(controller_id) != installed
        self.ran[controller_id] = installed
        return _done(new)

    def confirmation_base(self, controller_id: str, links: Links) -> Any:
        return {"autoConfirm": {"active": controller_id in self.auto}, "_links": {}}

    def confirmation(self, controller_id: str, action_id: int, links: Links, history: int = 0) -> Any:
        return {
            "id": str(action_id),
            "confirmation": {"download": "forced", "update": "forced", "chunks": []},
        }

    def confirm(self, controller_id: str, action_id: int, feedback: ConfirmationFeedback) -> Future[None]:
        if action_id != 12:
            return _failed(NotFound("waits for none", code="action.not_waiting"))
        return _done(None)

    def activate_auto_confirm(
        self, controller_id: str, request: AutoConfirmRequest | None = None
    ) -> Future[None]:
        wish = request or AutoConfirmRequest()
        if wish.remark == "nonsense":
            return _failed(BadValue("no remark", code="ddi.remark"))
        self.auto[controller_id] = wish
        return _done(None)

    def deactivate_auto_confirm(self, controller_id: str) -> Future[None]:
        self.auto.pop(controller_id, None)
        return _done(None)

    def module_artifacts(self, controller_id: str, module_id: int, links: Links) -> list[Any]:
        if module_id == 666:
            raise ZeroDivisionError("verysecret")
        if module_id == 667:
            raise Unavailable("the database cannot be reached", code="store.away", remedy="wait")
        return [{"filename": self.artifact_row.filename, "size": self.artifact_row.size}]

    def artifact(self, controller_id: str, module_id: int, filename: str) -> tuple[Artifact, Path]:
        self._count("artifact")
        if module_id != 7 or filename != self.artifact_row.filename:
            raise NotFound("there is no such artifact", code="artifact.unknown")
        return self.artifact_row, self.path


def _done(value: Any) -> Future[Any]:
    found: Future[Any] = Future()
    found.set_result(value)
    return found


def _failed(error: Exception) -> Future[Any]:
    found: Future[Any] = Future()
    found.set_exception(error)
    return found
