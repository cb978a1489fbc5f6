"""A launch folder as a device server opens it: its tables, artifacts and desk, without any query engine.

What is imported here stays light: a server for cars has some 40 MB before the first car.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from driveaway.book import writer
from driveaway.book.opening import open_store
from driveaway.book.state.state import State
from driveaway.book.state.together import Together
from driveaway.book.store import Store
from driveaway.facts import Draft, kind_named
from driveaway.launch.settings import find_folder, read_settings
from driveaway.updates.artifacts import ArtifactStore
from driveaway.updates.ddi.desk import DeviceDesk
from driveaway.updates.ddi.timing import Intervals, version_keys, window_open
from driveaway.values.clock import now
from driveaway.values.errors import BadValue, Refused

KINDS: Final = frozenset({"update.finished", "version.reported", "function.activated"})
"""What cars bring about by themselves. Anything else is recorded through other doors."""
DEMO: Final = ".made-by-demo"
"""A file in every launch folder that the demo made: whatever happens there is a simulation."""


class DeviceDecider:
    """The rules for what a device door may append: its few kinds, new facts about cars alone.

    The rules of the launch hold these kinds to nothing more, so no state is loaded.
    """

    seen = -1

    def prepare(self, drafts: Sequence[Draft], reader: writer.Reader, size: int) -> None:
        """Nothing to load."""

    def decide(self, draft: Draft) -> Sequence[Draft]:
        """The draft as it is.

        Raises:
            BadValue: it says something else than its kind.
            Refused: another kind, or a correction.
        """
        if draft.kind not in KINDS or draft.replaces is not None:
            raise Refused(
                f"a device server does not record {draft.kind}",
                code="device.kind",
                remedy="record it through the launch",
            )
        kind = kind_named(draft.kind)
        if type(draft.body) is not kind.body:
            raise BadValue(
                f"{draft.kind} was given a {type(draft.body).__name__}",
                code="fact.body",
                remedy=f"give it a {kind.body.__name__}",
            )
        return (draft,)


@dataclass(frozen=True)
class DeviceLaunch:
    """Where a launch's updates are, found by its settings. A value: every worker process opens it anew.

    Attributes:
        folder: the launch folder.
        data: its folder of data.
        book_url: where its book is.
    """

    folder: Path
    data: Path
    book_url: str

    @property
    def artifacts(self) -> Path:
        """Folder of the artifacts' contents."""
        return self.data / "artifacts"

    @property
    def tuf(self) -> Path:
        """Folder of the signed repository, with ``metadata`` and ``targets``."""
        return self.data / "tuf"

    @property
    def simulated(self) -> bool:
        """Whether the demo made this launch."""
        return (self.folder / DEMO).is_file()

    def store(self) -> Store:
        """The book's row store, opened.

        Raises:
            NotFound: there is no book.
            Unavailable: it cannot be reached.
        """
        store = open_store(self.book_url)
        try:
            store.edge()
        except BaseException:
            store.close()
            raise
        return store

    @contextmanager
    def state(self) -> Iterator[State]:
        """The operational tables alone, for what needs no desk."""
        store = self.store()
        try:
            yield state_of(store)
        finally:
            store.close()

    @contextmanager
    def desk(self, clock: Callable[[], int] = now) -> Iterator[DeviceDesk]:
        """The desk that cars speak to."""
        store = self.store()
        state = state_of(store)
        together = Together(state)
        desk = DeviceDesk(
            state,
            together,
            ArtifactStore(self.artifacts),
            clock=clock,
            window_open=window_open,
            poll_interval=Intervals(
                state,
                lambda: desk.configuration.text("pollingTime"),
                lambda: desk.configuration.number("maintenanceWindowPollCount"),
                clock,
            ),
            version_keys=version_keys,
            simulated=self.simulated,
        )
        try:
            yield desk
        finally:
            desk.close()
            together.close()
            store.close()


def state_of(store: Store) -> State:
    """Operational tables, with the few facts that a device door may append."""
    return State(
        store, lambda transaction, drafts: writer.append_within(transaction, drafts, DeviceDecider())
    )


def find_launch(folder: str | Path | None = None, book_url: str | None = None) -> DeviceLaunch:
    """The launch that a folder and the settings name (default: the one stood in).

    Raises:
        NotFound: it is not a launch folder.
        BadValue: its settings cannot be read.
    """
    found = find_folder(None if folder is None else str(folder)).resolve()
    settings = read_settings(found, {"book_url": book_url})
    data = found / settings["data"]
    return DeviceLaunch(found, data, settings["book_url"] or f"sqlite:///{data / 'book.sqlite'}")
