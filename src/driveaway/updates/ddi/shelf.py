"""What distribution sets are made of, kept at hand: a set that cars were given does not change."""

from __future__ import annotations

from threading import Lock
from typing import Final

from driveaway.book.state.state import Reading
from driveaway.updates import releases, sets, software
from driveaway.updates.ddi.documents import Piece
from driveaway.updates.model import Artifact
from driveaway.values.errors import NotFound

_MOST: Final = 1_000


class Shelf:
    """Modules and files of distribution sets, read once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._pieces: dict[int, tuple[Piece, ...]] = {}
        self._lock = Lock()
        self._cleared = 0

    def clear(self) -> None:
        """Forget what is at hand: some software changed."""
        with self._lock:
            self._pieces.clear()
            self._cleared += 1

    def pieces(self, distribution_set: int) -> tuple[Piece, ...]:
        """The modules of a set with their files, by id."""
        found = self._pieces.get(distribution_set)
        if found is not None:
            return found
        cleared = self._cleared
        release = sets.find_set(self._reading, distribution_set, deleted=True)
        found = tuple(
            Piece(
                module,
                tuple(software.artifacts(self._reading, module.id)),
                (
                    *software.visible_metadata(self._reading, module.id),
                    *releases.told(release, module.name, releases.about(self._reading, module.id).supplier),
                ),
            )
            for module in sets.modules_of(self._reading, distribution_set)
        )
        with self._lock:
            # What was read before it was cleared may be old.
            if cleared == self._cleared and len(self._pieces) < _MOST:
                self._pieces[distribution_set] = found
        return found

    def artifacts(self, distribution_set: int, module: int) -> tuple[Artifact, ...] | None:
        """The files of a module of a set; None: the set has no such module."""
        return next(
            (piece.artifacts for piece in self.pieces(distribution_set) if piece.module.id == module), None
        )


def artifact_named(artifacts: tuple[Artifact, ...], filename: str) -> Artifact:
    """The file of this name.

    Raises:
        NotFound: there is none.
    """
    for found in artifacts:
        if found.filename == filename:
            return found
    raise NotFound(
        f"there is no artifact {filename[:80]!r}", code="artifact.unknown", remedy="follow the links offered"
    )
