"""A road: a maker's repository, a mirror that an attacker may hold, and a car behind one of two doors."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from driveaway.updates.signing.admitting import Car, Installed, admitted
from driveaway.updates.signing.bundle import pack
from driveaway.updates.signing.fetching import HttpFetcher, Patience
from driveaway.updates.signing.repository import Repository
from driveaway.updates.signing.verifying import Limits, Trust, Verified
from driveaway.values.clock import DAY
from tests.conformance.tuf import maker
from tests.conformance.tuf.maker import AT

FIRST = AT + DAY // 2
SECOND = AT + DAY


@dataclass
class Mirror:
    """What answers the car. ``files`` and ``payloads`` are whatever its holder wants them to be."""

    files: dict[str, bytes] = field(default_factory=dict)
    payloads: dict[str, bytes] = field(default_factory=dict)
    drips: bool = False
    drops: bool = False
    padding: int = 0
    url: str = ""

    def content(self, path: str) -> bytes | None:
        kind, _, name = path.lstrip("/").partition("/")
        found = {
            "metadata": self.files.get(name),
            "targets": self.payloads.get(name),
            "bundle": pack(self.files) if kind == "bundle" else None,
        }.get(kind)
        grows = name == "timestamp.json" or kind != "metadata"
        return None if found is None else found + b" " * (self.padding if grows else 0)


@contextmanager
def served(mirror: Mirror) -> Iterator[Mirror]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = mirror.content(self.path)
            if mirror.drops or content is None:
                self.send_error(503 if mirror.drops else 404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            step = max(1, len(content) // 10) if mirror.drips else len(content)
            try:
                for start in range(0, len(content), step or 1):
                    self.wfile.write(content[start : start + step])
                    if mirror.drips:
                        time.sleep(0.01)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the car hung up, as it should

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        mirror.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield mirror
        finally:
            server.shutdown()
            thread.join()


def order(scheme: str, a: str, b: str) -> int:
    assert scheme == "semver"
    return (float(a) > float(b)) - (float(a) < float(b))


_made: dict[object, tuple[list[str], Path]] = {}


def _prepared(folder: Path, rules: Rules) -> tuple[list[str], Path]:
    """The repository with its first release, made once for each set of rules."""
    named = (rules.roles().root.threshold, rules.roles().targets.threshold, rules.periods)
    if named not in _made:
        kept = Path(tempfile.mkdtemp(dir=folder.parent)) / "repository"
        repository = maker.founded(kept, rules.roles(), rules.periods)
        maker.with_suppliers(repository)
        _made[named] = maker.release(repository, 1, AT), kept
    return _made[named]


@dataclass
class Scene:
    """Everything an attack plays with.

    Attributes:
        door: ``http`` (a TUF repository) or ``bundle`` (metadata that travels as an artifact).
        rules: what the maker and the car do by default; a test takes a defence out of them.
    """

    door: str
    folder: Path
    mirror: Mirror
    rules: Rules
    repository: Repository = field(init=False)
    trust: Trust = field(init=False)
    car: Car = field(init=False)
    disk: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.first, prepared = _prepared(self.folder, self.rules)
        shutil.copytree(prepared, self.folder / "repository")
        online = maker.signers("snapshot", "timestamp", "snapshot2", "timestamp2")
        self.repository = Repository(self.folder / "repository", online, self.rules.periods)
        self.trust = Trust(self.folder / "car", self.read("1.root.json"), self.rules.limits)
        self.car = Car(frozenset({"hpc", "lidar"}), {})
        self.second: list[str] = []
        self.sync()

    def read(self, name: str) -> bytes:
        return (self.repository.metadata / name).read_bytes()

    def sync(self) -> None:
        """Let the mirror serve what the maker published."""
        self.mirror.files = {path.name: path.read_bytes() for path in self.repository.metadata.iterdir()}
        for document in self.repository.state().targets.values():
            for path in document.signed.targets:
                self.mirror.payloads[path] = maker.payload(path)

    def go_on(self, extra: tuple[str, ...] = ()) -> None:
        """The maker publishes the second release half a day later, and the mirror has it."""
        self.second = maker.release(self.repository, 2, FIRST, extra)
        self.sync()

    def verify(self, at: int) -> Verified:
        fetcher = HttpFetcher(patience=self.rules.patience if self.mirror.drips else None)
        if self.door == "http":
            return self.trust.online(f"{self.mirror.url}/metadata", at, fetcher)
        from driveaway.updates.signing.verifying import meaning

        with meaning("bundle"):
            bundle = fetcher.download_bytes(f"{self.mirror.url}/bundle", self.rules.limits.bundle)
        return self.trust.bundled(bundle, at)

    def install(self, paths: list[str], at: int) -> None:
        """What a car does with an offer: verify, admit, fetch, and only then put it to its disk."""
        verified = self.verify(at)
        entries = admitted(verified, paths, self.car, order)
        for each in entries:
            file = self.folder / "download"
            verified.fetch(each, f"{self.mirror.url}/targets/{each.path}", file)
            self.disk[each.custom.module] = file.read_bytes()
        modules = dict(self.car.modules)
        for each in entries:
            about = each.custom
            modules[about.module] = Installed(about.version, about.version_scheme, about.counter)
        self.car = Car(self.car.hardware, modules)


@dataclass
class Rules:
    """The defences that are choices of the maker or the car rather than code."""

    roles: Callable[[], maker.Roles] = maker.roles
    periods: maker.Periods | None = None
    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=lambda: Patience(start=0.02, pace=1e9))
    rotate: bool = True
