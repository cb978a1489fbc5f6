"""The client: one round of polling and doing what is asked, by hawkBit's Direct Device Integration.

The order of steps makes an update survive a loss of power at any point: what was downloaded stays, the slot
that does not run is written whole, the boot link is switched by one rename, the new slot is looked at after
the boot and left again when it is not whole, and the server hears of success only after that. Nothing is
installed while a new slot has not shown that it comes up: the other one is what the car falls back to.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

import msgspec

from driveaway.updates.car.documents import Base, Cancellation, Deployment, feedback, number, read
from driveaway.updates.car.exchange import Exchange, Patience
from driveaway.updates.car.memory import Identity, Memory, Pending
from driveaway.updates.car.parts import Part as Part
from driveaway.updates.car.parts import manifest_of as manifest_of
from driveaway.updates.car.parts import parts_of as parts_of
from driveaway.updates.car.parts import path_in_slot, wanted
from driveaway.updates.car.signing import Reporter
from driveaway.updates.car.slots import Manifest, Slots
from driveaway.values.errors import BadValue, Conflict, DriveawayError, NotFound, Unavailable

BOOTS: Final = 2
"""So often a new slot may fail to come up before the car falls back to the old one."""
LOOK_EVERY: Final = 60.0
"""Seconds between two looks, during a download, whether it is still wanted."""


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


class _Stopped(Exception):
    """The server does not want any longer what is under way."""


class Car:
    """A car in a folder.

    Args of the constructor: its folder; who verifies; whether the driver agrees to what is soft or wants
    to be confirmed; whether the software of a slot comes up (a look at its files by default); how long it
    waits for the server; a lap for each step, for tests that cut the power.
    """

    def __init__(
        self,
        folder: Path,
        verify: Verifier,
        *,
        agrees: Callable[[Mapping[str, Any]], bool] = lambda _: True,
        comes_up: Callable[[str], bool] | None = None,
        patience: Patience | None = None,
        look_every: float = LOOK_EVERY,
        lap: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.memory = Memory(folder)
        self.slots = Slots(folder / "slots")
        self.identity: Identity = self.memory.identity()
        self._reporter = Reporter.of(folder, self.identity.controller_id)
        self._downloads = folder / "download"
        self._verify = verify
        self._agrees = agrees
        self._comes_up = comes_up or self.slots.verify
        self._look_every = look_every
        self._lap = lap
        who = self.identity
        self._exchange = Exchange(
            who.server, who.credential, certificates=who.certificates, patience=patience
        )
        self.base = (
            f"{who.server.rstrip('/')}/{quote(who.tenant)}/controller/v1/{quote(who.controller_id, safe='')}"
        )
        self._told: tuple[int, str] = (0, "")

    def close(self) -> None:
        """Hang up."""
        self._exchange.close()

    @property
    def held(self) -> Manifest | None:
        """What the running slot holds."""
        return self.slots.manifest(self.slots.running)

    def round(self) -> Round:
        """Boot if an update waits for it, poll once, and do what is asked.

        Raises:
            Unavailable: the server cannot be reached; the next round goes on where this one stopped.
            Refused: the server does not know the car's credential, or says what cannot be read.
            NotFound, Conflict: what was offered is not there any longer; poll again.
        """
        pending = self.memory.pending()
        if pending is not None and pending.step == "switched":
            self.boot()
            pending = self.memory.pending()
            if pending is not None and pending.step == "switched":
                return Round(0, "to be booted again")
        base = self._poll()
        if pending is not None and pending.step == "reporting":
            self._report_end(pending)
            return Round(0, "reported " + ("success" if pending.succeeded else "failure"))
        if url := base.link("configData"):
            self._send_attributes(url)
        if url := base.link("cancelAction"):
            return Round(0, self._cancel(url))
        if url := base.link("confirmationBase"):
            return Round(base.sleep, self._confirm(url))
        if url := base.link("deploymentBase"):
            return self._deploy(url, base.sleep)
        return Round(base.sleep, "nothing to do")

    def boot(self) -> None:
        """Look whether the switched-to slot comes up; go back to the old one when it does not."""
        pending = self.memory.pending()
        if pending is None or pending.step != "switched":
            return
        if pending.tries >= BOOTS:
            self._fall_back(pending)
        elif self.slots.running != pending.slot:
            # The power was cut before the link was switched: the old software runs once more.
            self.slots.switch(pending.slot)
        else:
            # Counted before it is tried: what stops the car counts too.
            pending = msgspec.structs.replace(pending, tries=pending.tries + 1)
            self.memory.keep(pending)
            self._lap("booted")
            if self._comes_up(pending.slot):
                self.memory.keep(msgspec.structs.replace(pending, step="reporting", succeeded=True))
            elif pending.tries >= BOOTS:
                self._fall_back(pending)

    def _fall_back(self, pending: Pending) -> None:
        self.slots.switch(pending.before)
        self._lap("fell back")
        details = (*pending.details, "the new software did not come up; back on the old slot")
        self.memory.keep(msgspec.structs.replace(pending, step="reporting", details=details))

    def _poll(self) -> Base:
        return read(Base, self._exchange.get(self.base), self.base)

    # --- what the server may ask ---

    def _send_attributes(self, url: str) -> None:
        held = self.held
        data = {**self.identity.attributes, "slot": self.slots.running or ""}
        if self.identity.hardware:
            data["hardware"] = ",".join(self.identity.hardware)
        if held is not None:
            data |= {"release": held.name, "version": held.version}
            data |= {f"{module.name}.version": module.version for module in held.modules}
        content: dict[str, Any] = {"mode": "merge", "data": data}
        if self._reporter is not None:
            content["signed"] = msgspec.structs.asdict(self._reporter.signed(data))
        self._exchange.send("PUT", url, content)

    def _cancel(self, url: str) -> str:
        asked = read(Cancellation, self._exchange.get(url), url)
        action = number(asked.cancel_action.stop_id, url)
        # What was switched to already is booted and reported before a poll: it is too late for that here.
        shutil.rmtree(self._downloads, ignore_errors=True)
        self.memory.keep(None)
        self._lap("cancelled")
        # It may have been answered before a loss of power.
        with suppress(Conflict, NotFound):
            self._exchange.send(
                "POST", f"{url.split('?')[0]}/feedback", feedback(action, "closed", "success")
            )
        return "cancelled"

    def _confirm(self, url: str) -> str:
        asked = self._exchange.get(url)
        found = asked.get("confirmation") if isinstance(asked, dict) else None
        if not isinstance(found, dict):
            return "nothing to confirm"
        action = number(asked.get("id", ""), url)
        agreed = self._agrees(found)
        answer = "confirmed" if agreed else "denied"
        if agreed or self._told != (action, answer):
            details = ["the driver agrees" if agreed else "the driver does not want it now"]
            self._exchange.send(
                "POST", f"{url.split('?')[0]}/feedback", {"confirmation": answer, "details": details}
            )
            self._told = (action, answer)
        return answer

    def _deploy(self, url: str, sleep: float) -> Round:
        document = self._exchange.get(url)
        asked = read(Deployment, document, url)
        action, said = number(asked.id, url), document["deployment"]
        if asked.deployment.download == "skip":
            return Round(sleep, "a download is not allowed now")
        if asked.deployment.update == "attempt" and not self._agrees(said):
            self._say_once(action, "scheduled", "waiting for the driver")
            return Round(sleep, "waiting for the driver")
        try:
            offered = parts_of(said)
            manifest = self._verify(said, offered, self.held)
            parts = wanted(offered, manifest)
            self.memory.keep(Pending(action=action, step="downloading", before=self.slots.running))
            sources = self._download(action, parts)
            if asked.deployment.update == "skip":
                self._say_once(action, "downloaded", "downloaded; not to be installed yet")
                self.memory.keep(None)
                return Round(sleep, "downloaded")
            self._still_wanted(action)
            self._install(action, manifest, sources)
        except _Stopped:
            return Round(0, "not wanted any longer")
        except (Unavailable, Conflict):
            raise
        except (DriveawayError, OSError) as error:
            if isinstance(error, DriveawayError) and error.code in ("car.credential", "car.missing"):
                # Nothing is wrong with the software: the car is not let in, or the offer was withdrawn.
                raise
            return self._failed(action, error)
        return Round(0, f"installed {manifest.name} {manifest.version}, to be booted")

    def _failed(self, action: int, error: Exception) -> Round:
        """The software cannot be installed: what was fetched is dropped, and the server is to hear of it."""
        shutil.rmtree(self._downloads, ignore_errors=True)
        ended = Pending(action=action, step="reporting", before=self.slots.running, details=(str(error),))
        self.memory.keep(ended)
        return Round(0, f"refused: {error}")

    def _download(self, action: int, parts: Sequence[Part]) -> dict[str, Path]:
        self._drop_others(parts)
        sources: dict[str, Path] = {}
        looked = time.monotonic()

        def progress(_: int) -> None:
            nonlocal looked
            self._lap("downloading")
            if time.monotonic() - looked >= self._look_every:
                self._still_wanted(action)
                looked = time.monotonic()

        for done, part in enumerate(parts):
            place = self._downloads / part.sha256
            self._say(action, "download", f"downloading {part.filename}", (done, len(parts)))
            self._exchange.download(part.url, place, part.size, part.sha256, progress)
            sources[path_in_slot(part)] = place
            self._lap("downloaded")
        self._say(action, "proceeding", "everything is downloaded", (len(parts), len(parts)))
        return sources

    def _drop_others(self, parts: Sequence[Part]) -> None:
        """Leave nothing of earlier updates in the way of this one."""
        needed = {name for part in parts for name in (part.sha256, f"{part.sha256}.part")}
        if self._downloads.is_dir():
            for file in self._downloads.iterdir():
                if file.name not in needed:
                    file.unlink(missing_ok=True)

    def _still_wanted(self, action: int) -> None:
        """Stop where the server does not offer the action any longer; without an answer, go on."""
        with suppress(Unavailable):
            offered = self._poll().link("deploymentBase")
            if offered is None or f"/deploymentBase/{action}" not in offered:
                raise _Stopped

    def _install(self, action: int, manifest: Manifest, sources: dict[str, Path]) -> None:
        before = self.slots.running
        slot = self.slots.install(manifest, sources)
        self._lap("installed")
        # Remembered first: a car that loses power between the two boots the old slot and switches then.
        self.memory.keep(Pending(action=action, step="switched", slot=slot, before=before))
        self._lap("remembered")
        self.slots.switch(slot)
        self._lap("switched")
        shutil.rmtree(self._downloads, ignore_errors=True)
        with suppress(Conflict, NotFound):
            self._say(action, "proceeding", f"installed in slot {slot}; booting")

    # --- what the car tells ---

    def _say(self, action: int, execution: str, detail: str, progress: tuple[int, int] | None = None) -> None:
        """How far the car is; that a server cannot be reached, or wants none of it, stops nothing."""
        with suppress(Unavailable, BadValue):
            self._exchange.send(
                "POST", self._url(action), feedback(action, execution, "none", [detail], progress)
            )

    def _say_once(self, action: int, execution: str, detail: str) -> None:
        if self._told != (action, execution):
            self._exchange.send("POST", self._url(action), feedback(action, execution, "none", [detail]))
            self._told = (action, execution)

    def _report_end(self, pending: Pending) -> None:
        held = self.held
        now = f"running {held.name} {held.version}" if held is not None else "running the factory's software"
        finished = "success" if pending.succeeded else "failure"
        details = [*pending.details, now]
        # The server may have closed it meanwhile, heard of it before, or never understand it: then nothing
        # is left to tell.
        with suppress(Conflict, NotFound, BadValue):
            ended = feedback(pending.action, "closed", finished, details)
            self._exchange.send("POST", self._url(pending.action), ended)
        self._lap("reported")
        self.memory.keep(None)
        self._send_attributes(f"{self.base}/configData")

    def _url(self, action: int) -> str:
        return f"{self.base}/deploymentBase/{action}/feedback"
