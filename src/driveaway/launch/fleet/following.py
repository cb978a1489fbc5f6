"""The ledger of drives brought up while rows are still being taken in, so that they can be asked at once."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from driveaway.book.book import DUCKDB
from driveaway.fleet.ledger.ledger import Ledger
from driveaway.values.errors import DriveawayError

if TYPE_CHECKING:
    from driveaway.launch.launch import Launch

_ROWS: Final = 250_000
"""Landed rows from which the ledger follows; of fewer the next question is as fast."""
_log = logging.getLogger(__name__)


class Following:
    """A thread that opens the launch for itself and brings its ledger up, again and again.

    The ledger is a cache: what goes wrong here is logged, and comes up again at the next question. Loops
    and Arrow work without Python's lock, so that landing and this share two cores.
    """

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._rows = 0
        self._poke, self._over = Event(), Event()
        self._thread: Thread | None = None

    def landed(self, rows: int) -> None:
        """So many rows more are in the book."""
        self._rows += rows
        if self._rows < _ROWS:
            return
        self._rows = 0
        self._poke.set()
        self.begin()

    def begin(self) -> None:
        """Many rows will come: load what the ledger goes on from while the first are read."""
        if self._thread is None:
            self._thread = Thread(target=self._follow, name="bringing the ledger up", daemon=True)
            self._thread.start()

    def __enter__(self) -> Following:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait until all that was landed is in the ledger; not where landing itself went wrong."""
        self._over.set()
        self._poke.set()
        if self._thread is not None and kind is None:
            self._thread.join()

    def _follow(self) -> None:
        from driveaway.launch.launch import Launch

        try:
            with Launch(self._launch.folder, {**self._launch.settings, "engine": DUCKDB}) as launch:
                launch.book.mirror.catch_up()
                ledger = Ledger(launch.data / "fleet", launch.book.mirror)
                ledger.prepare()
                ended = False
                while not ended:
                    self._poke.wait()
                    self._poke.clear()
                    # Asked first: what lands before it is set is brought up below.
                    ended = self._over.is_set()
                    launch.book.mirror.catch_up()
                    ledger.catch_up()
        except (DriveawayError, OSError, ValueError) as error:
            _log.warning("the ledger of drives was not brought up, the next question does it: %s", error)
