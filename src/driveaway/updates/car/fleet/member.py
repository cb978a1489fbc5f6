"""One simulated car: what it is at, and what it says next."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from driveaway.updates.car.documents import Base, Cancellation, Deployment, feedback, number, read
from driveaway.updates.car.fleet.behaviour import Behaviour
from driveaway.updates.car.fleet.counts import Counts
from driveaway.updates.car.fleet.line import Line, Reply
from driveaway.values.errors import BadValue, DriveawayError, NotFound, Refused, Unavailable

Acknowledged = Callable[[str, int, str, str], None]
"""Told of a message that the server took: the car, the action, what was said, its detail."""
_RANGE: Final = "Range: bytes=0-65535\r\n"


class Message(NamedTuple):
    """Something that the server is to hear, and hears again until it has answered."""

    method: str
    path: str
    body: bytes
    action: int
    said: str
    detail: str


class Member:
    """A car of the fleet. Small: there are a hundred thousand of them.

    A message stays first in the queue until the server has answered it, so that one whose answer was lost
    is said again in the same words.
    """

    __slots__ = ("_action", "_ending", "_phase", "_queue", "base", "controller_id", "credential", "version")

    def __init__(self, controller_id: str, token: str, tenant: str = "DEFAULT") -> None:
        self.controller_id = controller_id
        self.credential = f"TargetToken {token}"
        self.base = f"/{quote(tenant)}/controller/v1/{quote(controller_id, safe='')}"
        self.version = "0"
        self._phase = "polling"
        self._action = 0
        self._ending = ""
        self._queue: deque[Message] = deque()

    @property
    def has_said_all(self) -> bool:
        """Whether the server has heard everything that the car has to say."""
        return not self._queue

    async def step(
        self, line: Line, behaviour: Behaviour, counts: Counts, acknowledged: Acknowledged
    ) -> float:
        """Do what is next; seconds until the step after it.

        Raises:
            ConnectionError: the line broke; the same is to be done again.
            Unavailable: the server has no time; alike.
            DriveawayError: the server says what a car does not understand.
        """
        await self._speak(line, counts, acknowledged)
        if self._phase == "installing":
            self._phase = "rebooting"
            self._say(self._action, "proceeding", "none", "installed; booting")
            await self._speak(line, counts, acknowledged)
            return behaviour.lasts(behaviour.reboot, self.controller_id, f"reboot/{self._action}")
        if self._phase == "rebooting":
            return await self._back(line, behaviour, counts, acknowledged)
        base = read(Base, await self._get(line, counts, self.base, "poll"), self.base)
        wait = base.sleep if behaviour.poll is None else behaviour.poll
        if url := base.link("configData"):
            self._tell_attributes(urlsplit(url).path)
        if url := base.link("cancelAction"):
            await self._cancel(line, counts, url)
            wait = 0.0
        elif url := base.link("confirmationBase"):
            content = msgspec.json.encode({"confirmation": "confirmed", "details": ["simulated"]})
            self._queue.append(Message("POST", f"{urlsplit(url).path}/feedback", content, 0, "confirmed", ""))
        elif url := base.link("deploymentBase"):
            wait = await self._begin(line, behaviour, counts, url, wait)
        await self._speak(line, counts, acknowledged)
        return wait

    async def _begin(self, line: Line, behaviour: Behaviour, counts: Counts, url: str, wait: float) -> float:
        """Take up an action: fetch what it names, and be at its installation."""
        parts = urlsplit(url)
        document = await self._get(line, counts, f"{parts.path}?{parts.query}", "deployment")
        asked = read(Deployment, document, self.base)
        action, details = number(asked.id, self.base), asked.deployment
        if action == self._action and self._phase == "silent":
            return wait
        self._say(action, "download", "none", "downloading")
        for artifact in (one for chunk in details.chunks for one in chunk.artifacts):
            link = artifact.links.get("download-http") or artifact.links.get("download")
            if link is None:
                raise Refused(f"{artifact.filename} comes without a link", code="car.document")
            await self._fetch(line, behaviour, counts, urlsplit(link.href).path)
        if details.update == "skip":
            self._say(action, "downloaded", "none", "downloaded")
            return wait
        self._say(action, "proceeding", "none", "downloaded")
        self._action, self._phase = action, "installing"
        self._ending = behaviour.ending(self.controller_id, action)
        if self._ending == "success":
            self.version = max((chunk.version for chunk in details.chunks), default=self.version)
        return behaviour.lasts(behaviour.install, self.controller_id, f"install/{action}")

    async def _fetch(self, line: Line, behaviour: Behaviour, counts: Counts, path: str) -> None:
        match behaviour.fetch:
            case "head":
                await self._asked(line, counts, "HEAD", path, "artifact")
            case "range":
                await self._asked(line, counts, "GET", path, "artifact", more=_RANGE)
            case "whole":
                await self._asked(line, counts, "GET", path, "artifact")
            case "nothing":
                pass

    async def _back(
        self, line: Line, behaviour: Behaviour, counts: Counts, acknowledged: Acknowledged
    ) -> float:
        """Back from the reboot, if the car ever is."""
        counts.ended[self._ending] += 1
        if self._ending == "silent":
            self._phase = "silent"
            return float("inf")
        self._phase = "polling"
        self._say(self._action, "closed", self._ending, f"booted: {self._ending}")
        self._tell_attributes(f"{self.base}/configData")
        await self._speak(line, counts, acknowledged)
        return 0.0

    async def _cancel(self, line: Line, counts: Counts, url: str) -> None:
        path = urlsplit(url).path
        asked = read(Cancellation, await self._get(line, counts, path, "cancellation"), path)
        action = number(asked.cancel_action.stop_id, path)
        body = msgspec.json.encode(feedback(action, "closed", "success", ["stopped"]))
        self._queue.append(Message("POST", f"{path}/feedback", body, action, "cancelled", "stopped"))

    # --- what it says ---

    def _say(self, action: int, execution: str, finished: str, detail: str) -> None:
        told = f"{self.controller_id}: {detail}"
        body = msgspec.json.encode(feedback(action, execution, finished, [told]))
        path = f"{self.base}/deploymentBase/{action}/feedback"
        said = f"{execution}/{finished}"
        self._queue.append(Message("POST", path, body, action, said, told))

    def _tell_attributes(self, path: str) -> None:
        body = msgspec.json.encode({"mode": "merge", "data": {"version": self.version, "simulated": "yes"}})
        self._queue.append(Message("PUT", path, body, 0, "attributes", ""))

    async def _speak(self, line: Line, counts: Counts, acknowledged: Acknowledged) -> None:
        """Say what is queued; what the server does not want any longer is dropped."""
        while self._queue:
            message = self._queue[0]
            kind = "feedback" if message.action else message.said
            try:
                await self._asked(line, counts, message.method, message.path, kind, message.body)
            except (NotFound, BadValue):
                self._queue.popleft()
                continue
            self._queue.popleft()
            if message.action:
                acknowledged(self.controller_id, message.action, message.said, message.detail)

    # --- how it asks ---

    async def _get(self, line: Line, counts: Counts, path: str, kind: str) -> Any:
        reply = await self._asked(line, counts, "GET", path, kind)
        try:
            return msgspec.json.decode(reply.body)
        except msgspec.DecodeError as error:
            raise Refused(f"not JSON: {error}", code="car.document", place=path) from error

    async def _asked(
        self, line: Line, counts: Counts, method: str, path: str, kind: str, body: bytes = b"", more: str = ""
    ) -> Reply:
        began = time.perf_counter()
        try:
            reply = await line.ask(method, path, self.credential, body, more)
        except OSError:
            counts.lost += 1
            raise
        counts.latencies.add(time.perf_counter() - began)
        counts.requests[kind] += 1
        counts.statuses[reply.status] += 1
        if reply.status < 300:
            return reply
        raise _error(reply.status, path)


def _error(status: int, path: str) -> DriveawayError:
    said = f"status {status}"
    if status in (404, 410):
        return NotFound(said, code="car.missing", place=path)
    if status in (401, 403):
        return Refused(said, code="car.credential", place=path)
    if status in (408, 429) or status >= 500:
        return Unavailable(said, code="car.busy", place=path)
    return BadValue(said, code="car.refused", place=path)
