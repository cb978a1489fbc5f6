"""The real server for cars, as ``driveaway serve device`` starts it, in a process that can be killed."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from driveaway.book.opening import open_store
from driveaway.book.reading import fact_of
from driveaway.book.state.state import State
from driveaway.facts import Fact
from driveaway.launch.device import DeviceLaunch, find_launch
from driveaway.updates import registry, sets, software
from driveaway.updates.actions import acting
from driveaway.updates.artifacts import ArtifactStore
from driveaway.updates.assigning import Terms, assign
from driveaway.updates.configuration import configure
from driveaway.updates.model import Action, Target
from driveaway.updates.releases import UNSIGNED
from driveaway.values.clock import now
from driveaway.values.ids import make_vin
from tests.stores.acts import LAUNCH_TOML

ROOT = Path(__file__).resolve().parents[1]


def vin(number: int) -> str:
    return make_vin("LNB", "SU7M0", 2024, "B", number)


def make_launch(folder: Path) -> DeviceLaunch:
    """A launch folder with an empty book."""
    (folder / "data").mkdir(parents=True)
    (folder / "launch.toml").write_text(LAUNCH_TOML)
    launch = find_launch(folder)
    store = open_store(launch.book_url)
    store.create()
    store.close()
    return launch


class Process:
    """A command of the real program that says where it listens."""

    def __init__(self, *arguments: object, listens: str = r"cars: (\S+)", log: Path | None = None) -> None:
        """``log``: where stderr goes, for one that says more than a pipe holds."""
        self._log = log
        with ExitStack() as opened:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "driveaway", *map(str, arguments)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if log is None else opened.enter_context(log.open("w")),
                text=True,
            )
        self.said = ""
        self.place = self._wait(listens)

    def _wait(self, pattern: str, seconds: float = 60) -> str:
        assert self.process.stdout is not None
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            while time.monotonic() < end and waiting.select(end - time.monotonic()):
                line = self.process.stdout.readline()
                self.said += line
                if found := re.search(pattern, self.said):
                    return found[1]
                if not line:
                    break
        self.process.kill()
        raise AssertionError(f"it never listened: {self.said} {self._errors(60)}")

    def _errors(self, seconds: float) -> str:
        _, said = self.process.communicate(timeout=seconds)
        return said if self._log is None else self._log.read_text()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """End it; its exit code and what it said on stderr."""
        self.process.send_signal(number)
        said = self._errors(60)
        return self.process.returncode, said

    def kill(self) -> None:
        """``kill -9``."""
        self.process.kill()
        self.process.communicate()


class Server:
    """One launch and its server for cars; what is done beside the server is done as another process would."""

    def __init__(self, folder: Path, *options: object) -> None:
        """``options`` of ``serve device``."""
        self._options = options
        self.launch = make_launch(folder)
        self._store = self.launch.store()
        self.state = State(self._store)
        self.artifacts = ArtifactStore(self.launch.artifacts)
        self.set(UNSIGNED, True)
        self._process: Process | None = None
        self._port = 0
        self._cars = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.process.pid

    def start(self) -> None:
        """Start, on the same port as before."""
        if self._process is None:
            where = ("--port", self._port, "--launch", self.launch.folder)
            log = self.launch.folder / "log"
            self._process = Process("serve", "device", *where, *self._options, log=log)
            self._port = int(re.findall(r":(\d+)/", self._process.place)[0])
            self._answers()

    def _answers(self) -> None:
        import urllib3

        pool = urllib3.PoolManager(retries=urllib3.Retry(40, backoff_factor=0.02, backoff_max=0.2))
        assert pool.request("GET", f"{self.url}/health").status == 200

    def kill(self) -> None:
        """``kill -9``."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Tell it to end; its exit code and what it said on stderr."""
        assert self._process is not None
        process, self._process = self._process, None
        return process.stop(number)

    def close(self) -> None:
        if self._process is not None:
            self.stop()
        self._store.close()

    # --- what staff does ---

    def enter(self, controller_id: str = "", token: str = "") -> Target:
        """A car; a new one unless it is named."""
        self._cars += 1
        with self.state.change() as change:
            return registry.create(change, controller_id or vin(self._cars), now(), token=token)

    def release(
        self, name: str, version: str, files: dict[str, bytes], notes: Sequence[tuple[str, str]] = ()
    ) -> int:
        """A distribution set of one module; its id."""
        stored = {file: self.artifacts.put([content]) for file, content in files.items()}
        with self.state.change() as change:
            module = software.create_module(change, name, version, "os", now())
            for file, content in stored.items():
                software.add_artifact(change, module.id, file, content, now())
            for key, value in notes:
                software.set_metadata(change, "module", module.id, key, value, now(), visible=True)
            return sets.create_set(change, name, version, "os", [module.id], now()).id

    def assign(self, release: int, *controller_ids: str, **terms: object) -> list[int]:
        """Give cars a set; the actions in the order of the cars."""
        with self.state.change() as change:
            made = assign(change, release, controller_ids, Terms(**terms), now())  # type: ignore[arg-type]
        return [made.actions[controller_id] for controller_id in controller_ids]

    def set(self, key: str, value: str | int | bool) -> None:
        with self.state.change() as change:
            configure(change, key, value, now())

    # --- what became of it ---

    def action(self, action: int) -> Action:
        return acting.find(self.state, action)[1]

    def target(self, controller_id: str) -> Target:
        return registry.target_named(self.state, controller_id)

    def facts(self, subject: str, kind: str = "update.finished") -> list[Fact]:
        return [fact for row in self._store.about(subject) if (fact := fact_of(row)).kind == kind]


@contextmanager
def serving(folder: Path, *options: object) -> Iterator[Server]:
    """A server of a launch of its own, running."""
    server = Server(folder, *options)
    try:
        server.start()
        yield server
    finally:
        server.close()
