"""A small update server without a door: a desk, its store of artifacts, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from driveaway.book.state.state import State
from driveaway.book.state.tables import operational
from driveaway.book.state.together import Together
from driveaway.facts import Fact
from driveaway.launch.launch import Launch
from driveaway.updates import assigning, changes, registry, sets, software
from driveaway.updates.actions import acting
from driveaway.updates.artifacts import ArtifactStore
from driveaway.updates.assigning import Assigned, Terms
from driveaway.updates.configuration import configure
from driveaway.updates.ddi import messages
from driveaway.updates.ddi.desk import DeviceDesk
from driveaway.updates.ddi.links import Links
from driveaway.updates.model import Action, Target
from driveaway.values.clock import parse_instant
from driveaway.values.errors import BadValue, NotFound, Refused
from driveaway.values.ids import make_vin

START = parse_instant("2024-05-06T12:00:00+08:00", None)
VINS = [make_vin("LNB", "SU7M0", 2024, "B", number) for number in range(1, 60)]


class Garage:
    """Everything at hand; ``at`` is the time."""

    def __init__(self, launch: Launch, folder: Path, **desk: Any) -> None:
        self.launch = launch
        self.state: State = launch.state
        self.at = int(START)
        self.windows: dict[str, tuple[bool, int | None]] = {}
        self.together = Together(self.state)
        self.artifacts = ArtifactStore(folder / "artifacts")
        self.desk = DeviceDesk(
            self.state,
            self.together,
            self.artifacts,
            clock=lambda: self.at,
            window_open=lambda schedule, duration, zone, at: self.windows[schedule],
            **desk,
        )
        self.changes = self.desk.last_change()

    def close(self) -> None:
        """Stop the threads."""
        self.desk.close()
        self.together.close()

    def catch_up(self) -> list[str]:
        """What a door does now and then."""
        self.changes, changed = self.desk.changed_since(self.changes)
        return changed

    def settled(self, wait: Future[Any] | None = None) -> Any:
        """Wait until what was queued is committed."""
        result = None if wait is None else wait.result(10)
        self.together.submit(lambda change: None).result(10)
        return result

    def links(self, controller_id: str) -> Links:
        return Links("https://cars.example", "DEFAULT", controller_id)

    def base(self, controller_id: str) -> dict[str, str]:
        """The links that a car is offered."""
        polled = self.desk.base(controller_id, self.links(controller_id), "192.0.2.1")
        return {name: link.href for name, link in polled.document.links.items()}

    def enter(self, *controller_ids: str) -> None:
        with self.state.change() as change:
            for controller_id in controller_ids:
                registry.create(change, controller_id, self.at)

    def release(self, version: str, *, name: str = "su7", files: tuple[str, ...] = ("a.swu",)) -> int:
        """A distribution set of one module; its id."""
        stored = [self.artifacts.put([f"{name} {version} {file}".encode()]) for file in files]
        with self.state.change() as change:
            module = software.create_module(change, name, version, "os", self.at)
            for file, content in zip(files, stored, strict=True):
                software.add_artifact(change, module.id, file, content, self.at)
            return sets.create_set(change, name, version, "os", [module.id], self.at).id

    def assign(self, release: int, *controller_ids: str, **terms: Any) -> list[int]:
        """Give cars a set; the actions in the order of the cars."""
        made = self.assigned(release, *controller_ids, **terms)
        return [made.actions[controller_id] for controller_id in controller_ids]

    def assigned(self, release: int, *controller_ids: str, **terms: Any) -> Assigned:
        with self.state.change() as change:
            return assigning.assign(change, release, controller_ids, Terms(**terms), self.at)

    def set(self, key: str, value: Any) -> None:
        with self.state.change() as change:
            configure(change, key, value, self.at)
        self.catch_up()

    def say(
        self, controller_id: str, action: int, execution: str, finished: str = "none", **more: Any
    ) -> None:
        """Feedback about a deployment."""
        self.settled(self.desk.feedback(controller_id, action, feedback(execution, finished, **more)))

    def answer(
        self, controller_id: str, action: int, execution: str, finished: str = "none", **more: Any
    ) -> None:
        """Feedback about a cancellation."""
        self.settled(self.desk.cancel_feedback(controller_id, action, feedback(execution, finished, **more)))

    def action(self, action: int) -> Action:
        return acting.find(self.state, action)[1]

    def target(self, controller_id: str) -> Target:
        return registry.target_named(self.state, controller_id)

    def facts(self, subject: str, kind: str = "update.finished") -> list[Fact]:
        return [fact for fact in self.launch.book.about(subject) if fact.kind == kind]


def feedback(execution: str, finished: str = "none", **more: Any) -> messages.ActionFeedback:
    """A message as a car sends it."""
    status: dict[str, Any] = {"execution": execution, "result": {"finished": finished}}
    for name in ("code", "details"):
        if name in more:
            status[name] = more.pop(name)
    return messages.convert(messages.ActionFeedback, {"status": status, **more})


def empty(state: State) -> None:
    """Take every row out of the operational tables."""
    with state.change() as change:
        for table in operational.sorted_tables:
            change.run(f"DELETE FROM {table.name}")


@contextmanager
def garage(launch: Launch, folder: Path, **desk: Any) -> Iterator[Garage]:
    """A garage with nothing in it."""
    empty(launch.state)
    with launch.state.change() as change:
        # Numbers go on where an earlier test ended: those that hear of changes begin there.
        changes.tell_everyone(change, START)
        # Sets are given to cars as they are made: signing is tested elsewhere.
        configure(change, "releases.unsigned.enabled", True, START)
    made = Garage(launch, folder, **desk)
    try:
        yield made
    finally:
        made.close()


def refused(g: Garage, code: str, *what: Any) -> None:
    """That something said by a car fails with this code."""
    ask, *arguments = what
    error = ask(*arguments).exception(10)
    assert isinstance(error, Refused | NotFound | BadValue), error
    assert error.code == code


def config(g: Garage, car: str, mode: str | None = None, **data: Any) -> None:
    body = {"data": data} | ({} if mode is None else {"mode": mode})
    g.settled(g.desk.put_attributes(car, messages.convert(messages.ConfigData, body)))
