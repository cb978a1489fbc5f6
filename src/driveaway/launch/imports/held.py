"""Facts held back until the end of a file: spilled to disk, given back in order of valid time."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import msgspec

from driveaway.facts import Draft, kind_named
from driveaway.launch.imports.rows import Proposal

_RUN = 20_000
# Where several facts happened at the same moment, the one that the others need comes first.
_STAGES = (
    "launch.described", "outlet.opened", "order.reserved", "deposit.taken", "order.locked", "order.changed",
    "car.built", "car.shipped", "car.unpegged", "car.pegged", "payment.received", "order.handed_over",
)  # fmt: skip
_STAGE = {kind: stage for stage, kind in enumerate(_STAGES)}
_LAST = len(_STAGES)


class _Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    happened: int
    stage: int
    line: int
    kind: str
    subject: str
    body: bytes
    source: str
    simulated: bool
    label: str
    corrects: str
    origin: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Record)


class Held:
    """A pile of proposals that may be larger than memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._memory: list[_Record] = []
        self._runs: list[IO[bytes]] = []
        # What rows share is kept once, by the place of its first row's.
        self._origins: list[Mapping[str, str]] = []
        self._places: dict[int, int] = {}
        self.count = 0

    def __len__(self) -> int:
        return self.count

    def add(self, proposal: Proposal) -> None:
        """Put one on the pile."""
        draft = proposal.draft
        place = self._places.setdefault(id(proposal.origin), len(self._origins))
        if place == len(self._origins):
            self._origins.append(proposal.origin)
        record = _Record(
            draft.happened, _STAGE.get(draft.kind, _LAST), proposal.line, draft.kind, draft.subject,
            msgspec.json.encode(draft.body), draft.source, draft.simulated, proposal.label, proposal.corrects,
            place,
        )  # fmt: skip
        self._memory.append(record)
        self.count += 1
        if len(self._memory) >= _RUN:
            self._spill()

    def _spill(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        run = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by close()
        for record in sorted(self._memory, key=_order):
            data = _encoder.encode(record)
            run.write(len(data).to_bytes(4, "little"))
            run.write(data)
        self._memory.clear()
        self._runs.append(run)

    def __iter__(self) -> Iterator[Proposal]:
        """Everything on the pile, by valid time; the pile stays."""
        parts = [_read(run) for run in self._runs]
        for record in heapq.merge(*parts, sorted(self._memory, key=_order), key=_order):
            body = msgspec.json.decode(record.body, type=kind_named(record.kind).body)
            draft = Draft(
                record.kind, record.subject, record.happened, body, record.source, None, record.simulated
            )
            yield Proposal(draft, record.line, record.label, record.corrects, self._origins[record.origin])

    def close(self) -> None:
        """Let go of the files."""
        for run in self._runs:
            run.close()


def by_time(proposal: Proposal) -> tuple[int, int, int]:
    """Sorts proposals by valid time; at the same moment what others need comes first."""
    draft = proposal.draft
    return draft.happened, _STAGE.get(draft.kind, _LAST), proposal.line


def _order(record: _Record) -> tuple[int, int, int]:
    return record.happened, record.stage, record.line


def _read(run: IO[bytes]) -> Iterator[_Record]:
    run.seek(0)
    while head := run.read(4):
        yield _decoder.decode(run.read(int.from_bytes(head, "little")))
