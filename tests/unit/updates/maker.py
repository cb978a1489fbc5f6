"""A launch folder with keys and a founded repository, and short ways to release in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from driveaway.launch.launch import Launch, open_launch
from driveaway.launch.updates import adding, holding, releasing
from driveaway.launch.updates.holding import RoleKeys
from driveaway.launch.updates.opening import DEMO_MARKER, Updates, open_updates
from driveaway.updates.releases import Terms, slug_of
from driveaway.values.clock import parse_instant
from tests.stores.acts import LAUNCH_TOML

AT = int(parse_instant("2024-05-06T12:00:00+08:00", None))
ROOT, SIGNERS = ("anna", "ben", "chen"), ("dora", "emil", "fang")
FUNCTIONS = """
[[functions]]
name = "parking"
hardware = { lidar = ">= 1" }
"""


class Maker:
    """A release manager at work. ``at`` is the time."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.updates: Updates = open_updates(launch)
        self.at = AT
        self.files = launch.folder / "files"
        self.files.mkdir(exist_ok=True)

    def found(self) -> None:
        """Keys of six persons and of the worker, and a first root."""
        for name in (*ROOT, *SIGNERS):
            holding.new_key(self.updates, name, name)
        for name in ("snapshot", "timestamp"):
            holding.new_key(self.updates, name, "")
        holding.init(
            self.updates, RoleKeys(ROOT, 2), RoleKeys(SIGNERS, 2), ["snapshot"], ["timestamp"],
            by="anna", at=self.at,
        )  # fmt: skip
        self.agree("founding", "anna", "ben", "dora", "emil", by="ben")

    def agree(self, name: str, *who: str, by: str = "emil") -> None:
        """Sign by each, and publish with an approval."""
        for person in who:
            releasing.sign(self.updates, name, person)
        releasing.publish(self.updates, name, by=by, at=self.at)

    def file(self, name: str, content: str) -> Path:
        path = self.files / name
        path.write_text(content)
        return path

    def create(
        self,
        version: str,
        name: str = "su7",
        *,
        terms: Terms | None = None,
        hardware: tuple[str, ...] = ("hpc",),
        counter: int | None = None,
        files: tuple[str, ...] = ("os.swu",),
    ) -> str:
        """A release of one module ``os`` of the same version; its slug."""
        module = adding.add_software(
            self.updates, "os", version, [self.file(file, f"{name} {version} {file}") for file in files],
            self.at, hardware=hardware, counter=counter,
        )  # fmt: skip
        made = adding.create_release(
            self.updates, name, version, [module], self.at, notes=f"what {version} brings",
            terms={} if terms is None else {"os": terms},
        )  # fmt: skip
        return slug_of(made)

    def publish(self, slug: str) -> str:
        """Propose, sign by two, publish."""
        releasing.propose(self.updates, slug, by="dora", at=self.at)
        self.agree(slug, "dora", "emil")
        return slug


@contextmanager
def maker(folder: Path, book_url: str | None = None, *, demo: bool = True) -> Iterator[Maker]:
    """A maker in a new folder; a demonstration, so that keys may lie in files."""
    folder.mkdir(exist_ok=True)
    (folder / "launch.toml").write_text(LAUNCH_TOML)
    (folder / "functions.toml").write_text(FUNCTIONS)
    if demo:
        (folder / DEMO_MARKER).touch()
    with open_launch(folder, book_url=book_url) as launch:
        if book_url is None:
            launch.book.store.create()
        yield Maker(launch)
