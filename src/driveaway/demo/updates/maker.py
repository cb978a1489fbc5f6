"""The maker's side of the demo: keys, releases that two persons sign, rollouts that a worker drives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zoneinfo import ZoneInfo

from driveaway.book.state.state import State
from driveaway.demo.updates.builds import (
    ASSISTANCE,
    COCKPIT,
    HARDWARE,
    NAME,
    STOPPED_BECAUSE,
    STOPPED_BY,
    Build,
)
from driveaway.launch.launch import Launch
from driveaway.launch.updates import adding, holding, releasing
from driveaway.launch.updates.holding import RoleKeys
from driveaway.launch.updates.opening import Updates, open_updates
from driveaway.launch.updates.resigning import resign_due
from driveaway.updates.releases import Terms, slug_of
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.plan import RolloutPlan

ROOT: Final = ("root-1", "root-2", "root-3")
SIGNERS: Final = ("publisher", "approver")
"""Persons of the demo, each with a key of the same name."""


@dataclass
class Folder:
    """A launch folder whose operational tables are those of a simulation."""

    folder: Path
    data: Path
    zone: ZoneInfo
    state: State


class Maker:
    """Publishes builds and rolls them out, each step at a given time.

    Attributes:
        state: operational tables of the simulation.
    """

    def __init__(self, launch: Launch, state: State) -> None:
        self.state = state
        self._updates: Updates = open_updates(Folder(launch.folder, launch.data, launch.zone, state))

    def found(self, at: int) -> None:
        """Make keys of five persons and of the worker, and found the signed repository."""
        for name in (*ROOT, *SIGNERS):
            holding.new_key(self._updates, name, name)
        for name in ("snapshot", "timestamp"):
            holding.new_key(self._updates, name, "")
        holding.init(
            self._updates, RoleKeys(ROOT, 2), RoleKeys(SIGNERS, 2), ["snapshot"], ["timestamp"],
            by=ROOT[0], at=at,
        )  # fmt: skip
        self._agree("founding", (*ROOT[:2], *SIGNERS), at, by=ROOT[1])

    def release(self, build: Build, at: int) -> int:
        """Publish a build: added, proposed, signed by two, published; the id of its distribution set."""
        with TemporaryDirectory() as folder:
            modules = [
                adding.add_software(
                    self._updates,
                    name,
                    build.version,
                    [_file(Path(folder), name, build)],
                    at,
                    hardware=HARDWARE[name],
                    type=kind,
                    vendor="simulated",
                    by=SIGNERS[0],
                )
                for name, kind in ((COCKPIT, "os"), (ASSISTANCE, "application"))
            ]
        terms = {module: Terms(functions=_names(functions)) for module, functions in build.functions}
        made = adding.create_release(
            self._updates, NAME, build.version, modules, at, by=SIGNERS[0], notes=build.notes, terms=terms
        )
        slug = slug_of(made)
        releasing.propose(self._updates, slug, by=SIGNERS[0], at=at)
        self._agree(slug, SIGNERS, at, by=SIGNERS[1])
        return made.id

    def roll_out(self, build: Build, distribution_set: int, at: int) -> Driver:
        """Plan the rollout of a build, let another person approve it, and start it."""
        plan = RolloutPlan(rules=build.rules, segment=COCKPIT, retries=1, retry_after_s=24 * 3_600)
        with self.state.change() as change:
            made = keeping.create_rollout(
                change, build.rollout, distribution_set, "controllerid==*", plan, at, by=SIGNERS[0],
                description=build.notes, approval=True,
            )  # fmt: skip
            keeping.approve(change, made, at, by=SIGNERS[1])
            keeping.start(change, keeping.find_rollout(change, made.id), at, by=STOPPED_BY, simulated=True)
        return Driver(self.state, made.id, simulated=True)

    def abort(self, build: Build, at: int) -> None:
        """End a rollout for good, and offer its release to no further car."""
        with self.state.change() as change:
            found = keeping.find_rollout(change, build.rollout)
            keeping.abort(change, found, at, by=STOPPED_BY, reason=STOPPED_BECAUSE, simulated=True)
        more = True
        while more:
            with self.state.change() as change:
                more = keeping.settle(change, found.id, at)
        slug = f"{NAME}-{build.version}"
        withdrawn = releasing.withdraw(self._updates, slug, STOPPED_BECAUSE, by=SIGNERS[0], at=at)
        self._agree(withdrawn.proposal, SIGNERS, at, by=SIGNERS[1])

    def resign(self, at: int) -> None:
        """Sign snapshot and timestamp again where it is due, as the worker does."""
        resign_due(self._updates, at)

    def _agree(self, proposal: str, who: Sequence[str], at: int, *, by: str) -> None:
        for person in who:
            releasing.sign(self._updates, proposal, person)
        releasing.publish(self._updates, proposal, by=by, at=at)


def _names(slugs: Sequence[str]) -> tuple[str, ...]:
    """As ``functions.toml`` names them."""
    return tuple(slug.replace("-", "_") for slug in slugs)


def _file(folder: Path, module: str, build: Build) -> Path:
    path = folder / f"{module}.img"
    path.write_text(f"no software: simulated {module} {build.version} of the demo\n", encoding="utf-8")
    return path
