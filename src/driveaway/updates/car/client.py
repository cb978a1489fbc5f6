"""The client: one round of polling and doing what is asked, by hawkBit's Direct Device Integration.

The order of steps makes an update survive a loss of power at any point: what was downloaded stays, the slot
that does not run is written whole, the boot link is switched by one rename, the new slot is looked at after
the boot and left again when it is not whole, and the server hears of success only after that.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

import msgspec

from driveaway.updates.car.exchange import Exchange
from driveaway.updates.car.memory import Identity, Memory, Pending
from driveaway.updates.car.slots import InstalledFile, InstalledModule, Manifest, Slots
from driveaway.values.errors import Conflict, DriveawayError, NotFound, Refused, Unavailable

BOOTS: Final = 2
"""So often a new slot may fail to come up before the car falls back to the old one."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a deployment, as the server describes it. ``chunk`` is the module's part, name, version."""

    chunk: tuple[str, str, str]
    filename: str
    size: int
    sha256: str
    url: str


class Verifier(Protocol):
    """Says what a deployment may install: the signers' word, not the server's."""

    def __call__(
        self, deployment: Mapping[str, Any], parts: Sequence[Part], held: Manifest | None
    ) -> Manifest:
        """The manifest that the signers allow for exactly these files.

        Raises:
            Refused: a file is not signed, or is older than what the car holds, or not for this car.
        """
        ...


@dataclass(frozen=True)
class Round:
    """What a round of polling came to: seconds until the next, and what was done, in words."""

    sleep: float
    did: str


class Car:
    """A car in a folder.

    Args of the constructor: its folder; who verifies; whether the driver agrees to a soft update; whether the
    software of a slot comes up (a look at its files by default); a lap for each step, for tests that cut
    the power.
    """

    def __init__(
        self,
        folder: Path,
        verify: Verifier,
        *,
        agrees: Callable[[Mapping[str, Any]], bool] = lambda _: True,
        comes_up: Callable[[str], bool] | None = None,
        lap: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.memory = Memory(folder)
        self.slots = Slots(folder / "slots")
        self.identity: Identity = self.memory.identity()
        self._verify = verify
        self._agrees = agrees
        self._comes_up = comes_up or self.slots.verify
        self._lap = lap
        self._exchange = Exchange(self.identity.credential, certificates=self.identity.certificates)
        path = f"{quote(self.identity.tenant)}/controller/v1/{quote(self.identity.controller_id, safe='')}"
        self.base = f"{self.identity.server.rstrip('/')}/{path}"

    @property
    def held(self) -> Manifest | None:
        """What the running slot holds."""
        return self.slots.manifest(self.slots.running)

    def round(self) -> Round:
        """Boot if an update waits for it, poll once, and do what is asked.

        Raises:
            Unavailable: the server cannot be reached; the next round goes on where this one stopped.
            Refused: the server does not know the car's credential.
        """
        if (pending := self.memory.pending()) is not None and pending.step == "switched":
            self.boot()
        document = self._exchange.get(self.base)
        links = document.get("_links", {})
        sleep = _seconds(document.get("config", {}).get("polling", {}).get("sleep", "00:05:00"))
        pending = self.memory.pending()
        if pending is not None and pending.step == "reporting":
            self._report_end(pending)
            return Round(0, "reported " + ("success" if pending.succeeded else "failure"))
        if "configData" in links:
            self._send_attributes(links["configData"]["href"])
        if "cancelAction" in links:
            return Round(0, self._cancel(links["cancelAction"]["href"]))
        if "confirmationBase" in links:
            return Round(sleep, self._confirm(links["confirmationBase"]["href"]))
        if "deploymentBase" in links:
            return Round(sleep, self._deploy(links["deploymentBase"]["href"]))
        return Round(sleep, "nothing to do")

    def boot(self) -> None:
        """Look whether the switched-to slot comes up; go back to the old one when it does not."""
        pending = self.memory.pending()
        if pending is None or pending.step != "switched":
            return
        pending = msgspec.structs.replace(pending, tries=pending.tries + 1)
        self.memory.keep(pending)
        self._lap("booted")
        if self.slots.running == pending.slot and self._comes_up(pending.slot):
            self.memory.keep(msgspec.structs.replace(pending, step="reporting", succeeded=True))
        elif pending.tries < BOOTS:
            # The power was cut before the link was switched, or while the new software came up.
            self.slots.switch(pending.slot)
        else:
            if pending.before is not None:
                self.slots.switch(pending.before)
            details = (*pending.details, "the new software did not come up; back on the old slot")
            self.memory.keep(msgspec.structs.replace(pending, step="reporting", details=details))

    # --- what the server may ask ---

    def _send_attributes(self, url: str) -> None:
        held = self.held
        data = {**self.identity.attributes, "slot": self.slots.running or ""}
        if held is not None:
            data |= {"release": held.name, "version": held.version}
            data |= {f"{module.name}.version": module.version for module in held.modules}
        self._exchange.send("PUT", url, {"mode": "merge", "data": data})

    def _cancel(self, url: str) -> str:
        asked = self._exchange.get(url)
        action = int(asked["cancelAction"]["stopId"])
        pending = self.memory.pending()
        if pending is not None and pending.action == action and pending.step != "downloading":
            self._exchange.send(
                "POST", f"{url.split('?')[0]}/feedback", _feedback(action, "rejected", "none")
            )
            return "too late to cancel"
        shutil.rmtree(self.folder / "download", ignore_errors=True)
        self.memory.keep(None)
        self._exchange.send("POST", f"{url.split('?')[0]}/feedback", _feedback(action, "closed", "success"))
        return "cancelled"

    def _confirm(self, url: str) -> str:
        asked = self._exchange.get(url)
        agreed = "confirmation" in asked and self._agrees(asked["confirmation"])
        if not agreed:
            return "waiting for the driver"
        answer = {"confirmation": "confirmed", "details": ["the driver agrees"]}
        self._exchange.send("POST", f"{url.split('?')[0]}/feedback", answer)
        return "confirmed"

    def _deploy(self, url: str) -> str:
        document = self._exchange.get(url)
        action, deployment = int(document["id"]), document["deployment"]
        if deployment["download"] == "skip":
            return "a download is not allowed now"
        optional = deployment["update"] == "attempt"
        if optional and not self._agrees(deployment):
            self._say(action, "scheduled", "none", "waiting for the driver")
            return "waiting for the driver"
        try:
            parts = parts_of(deployment)
            manifest = self._verify(deployment, parts, self.held)
            wanted = {file.path for module in manifest.modules for file in module.files}
            # A release may have files for other hardware than this car's.
            parts = [part for part in parts if path_in_slot(part) in wanted]
            self.memory.keep(Pending(action=action, step="downloading", before=self.slots.running))
            sources = self._download(action, parts)
            if deployment["update"] == "skip":
                self._say(action, "downloaded", "none", "downloaded; not to be installed yet")
                self.memory.keep(None)
                return "downloaded"
            self._install(action, manifest, sources)
        except (Unavailable, Conflict):
            raise
        except DriveawayError as error:
            self.memory.keep(
                Pending(action=action, step="reporting", before=self.slots.running, details=(str(error),))
            )
            return f"refused: {error}"
        return f"installed {manifest.name} {manifest.version}, to be booted"

    def _download(self, action: int, parts: Sequence[Part]) -> dict[str, Path]:
        sources: dict[str, Path] = {}
        for number, part in enumerate(parts, start=1):
            self._say(action, "download", "none", f"downloading {part.filename}", (number - 1, len(parts)))
            place = self.folder / "download" / part.sha256
            self._exchange.download(part.url, place, part.size, part.sha256)
            sources[path_in_slot(part)] = place
            self._lap("downloaded")
        self._say(action, "proceeding", "none", "everything is downloaded", (len(parts), len(parts)))
        return sources

    def _install(self, action: int, manifest: Manifest, sources: dict[str, Path]) -> None:
        before = self.slots.running
        slot = self.slots.install(manifest, sources)
        self._lap("installed")
        # Remembered first: a car that loses power between the two boots the old slot and goes back to it.
        self.memory.keep(Pending(action=action, step="switched", slot=slot, before=before))
        self._lap("remembered")
        self.slots.switch(slot)
        self._lap("switched")
        shutil.rmtree(self.folder / "download", ignore_errors=True)
        self._say(action, "proceeding", "none", f"installed in slot {slot}; booting")

    # --- what the car tells ---

    def _say(
        self, action: int, execution: str, finished: str, detail: str, progress: tuple[int, int] | None = None
    ) -> None:
        self._exchange.send(
            "POST", self._url(action), _feedback(action, execution, finished, [detail], progress)
        )

    def _report_end(self, pending: Pending) -> None:
        held = self.held
        now = f"running {held.name} {held.version}" if held is not None else "running the factory's software"
        finished = "success" if pending.succeeded else "failure"
        details = [*pending.details, now]
        # The server may have closed it meanwhile, or heard of it before: then there is nothing left to tell.
        with suppress(Conflict, NotFound):
            ended = _feedback(pending.action, "closed", finished, details)
            self._exchange.send("POST", self._url(pending.action), ended)
        self.memory.keep(None)
        self._send_attributes(f"{self.base}/configData")

    def _url(self, action: int) -> str:
        return f"{self.base}/deploymentBase/{action}/feedback"


def parts_of(deployment: Mapping[str, Any]) -> list[Part]:
    """Every file of a deployment.

    Raises:
        Refused: a file has no SHA-256, no link, or a name that leads elsewhere.
    """
    parts = []
    for chunk in deployment["chunks"]:
        for artifact in chunk["artifacts"]:
            links = artifact["_links"]
            link = links.get("download") or links.get("download-http") or {}
            name, sha256 = str(artifact["filename"]), str(artifact["hashes"].get("sha256", ""))
            if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
                raise Refused(f"{name!r} is no file name", code="car.filename")
            if not link.get("href") or len(sha256) != 64:
                raise Refused(f"{name} comes without a link or a SHA-256", code="car.document")
            described = (str(chunk["part"]), str(chunk["name"]), str(chunk["version"]))
            parts.append(
                Part(
                    chunk=described,
                    filename=name,
                    size=int(artifact["size"]),
                    sha256=sha256.lower(),
                    url=link["href"],
                )
            )
    return parts


def path_in_slot(part: Part) -> str:
    """Where a file lies in a slot: a folder for each module."""
    return f"{quote(part.chunk[1], safe='')}/{part.filename}"


def manifest_of(name: str, version: str, parts: Sequence[Part], counters: Mapping[str, int]) -> Manifest:
    """The manifest of these files. ``counters`` are release counters by the modules' names."""
    modules: dict[tuple[str, str, str], list[InstalledFile]] = {}
    for part in parts:
        file = InstalledFile(path=path_in_slot(part), size=part.size, sha256=part.sha256)
        modules.setdefault(part.chunk, []).append(file)
    return Manifest(
        name=name,
        version=version,
        modules=tuple(
            InstalledModule(
                name=chunk[1],
                version=chunk[2],
                type=chunk[0],
                counter=counters.get(chunk[1], 0),
                files=tuple(files),
            )
            for chunk, files in modules.items()
        ),
    )


def _feedback(
    action: int,
    execution: str,
    finished: str,
    details: Sequence[str] = (),
    progress: tuple[int, int] | None = None,
) -> dict[str, Any]:
    result: dict[str, Any] = {"finished": finished}
    if progress is not None:
        result["progress"] = {"cnt": progress[0], "of": progress[1]}
    status = {"execution": execution, "result": result, "details": list(details)}
    return {"id": str(action), "status": status}


def _seconds(text: str) -> float:
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return hours * 3600.0 + minutes * 60 + seconds
