"""A launch folder as a device server opens it: its tables, artifacts and desk, without any query engine.

What is imported here stays light: a server for cars has some 40 MB before the first car.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driveaway.book import writer
from driveaway.book.opening import open_store
from driveaway.book.state.state import State
from driveaway.book.state.together import Together
from driveaway.book.store import Store
from driveaway.facts import Draft
from driveaway.facts.description import Description, read_description
from driveaway.launch.reporting import KINDS as KINDS
from driveaway.launch.reporting import DeviceDecider as DeviceDecider
from driveaway.launch.reports import Reports
from driveaway.launch.settings import find_folder, read_settings
from driveaway.launch.updates.opening import DEMO_MARKER
from driveaway.updates.artifacts import ArtifactStore
from driveaway.updates.ddi.desk import DeviceDesk
from driveaway.updates.ddi.timing import Intervals, version_keys, window_open
from driveaway.values.clock import now, zone

if TYPE_CHECKING:
    from driveaway.fleet.landing.landing import Landing


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
        """Whether the demo made this launch: whatever happens in it is a simulation."""
        return (self.folder / DEMO_MARKER).is_file()

    def description(self) -> Description:
        """What ``launch.toml`` says now.

        Raises:
            BadValue: it cannot be read.
        """
        file = self.folder / "launch.toml"
        return read_description(file.read_text(encoding="utf-8"), str(file))

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

    @contextmanager
    def landing(self) -> Iterator[Landing]:
        """What lands trips. Loads Arrow, and no query engine."""
        from driveaway.book.mirror import Mirror
        from driveaway.launch.fleet.opening import make_landing
        from driveaway.launch.fleet.places import Cities

        store = self.store()
        description = self.description()
        place = zone(description.zone)
        mirror = Mirror(store, self.data / "mirror", place)

        def append(drafts: Sequence[Draft]) -> Sequence[writer.Outcome]:
            return writer.append(store, drafts, DeviceDecider())

        try:
            cities = Cities(self.folder)
            landing = make_landing(self.data, store, mirror, append, description.fleet, place, places=cities)
            try:
                yield landing
            finally:
                landing.close()
        finally:
            store.close()

    @contextmanager
    def reports(self, clock: Callable[[], int] = now) -> Iterator[Reports]:
        """What takes in cars' reports; what lands trips is opened with the first batch."""
        store = self.store()
        together = Together(state_of(store))
        reports = Reports(
            store,
            together,
            self.description().fleet,
            self.landing,
            clock=clock,
            simulated=self.simulated,
        )
        try:
            yield reports
        finally:
            reports.close()
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
