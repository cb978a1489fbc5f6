"""Reading a large file in a process of its own, so that the book's rules have this one to themselves.

Python runs one thread at a time: parsing here would take turns with deciding and hashing. The other
process sends what the rows ask for, a batch at a time, over its standard output.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import IO, Final

import msgspec

from driveaway.book.canonical import encode_body
from driveaway.facts import KINDS, Draft
from driveaway.facts.base import Body, Encoded
from driveaway.launch.imports.files import BrokenOff, Opened, opened
from driveaway.launch.imports.problems import Problem
from driveaway.launch.imports.reading import Here, Reading, never_collect
from driveaway.launch.imports.rows import Proposal, Proposals
from driveaway.values.errors import BadValue, Conflict, DriveawayError, NotFound, Refused, Unavailable

_NAMES: Final = tuple(KINDS)
_NUMBERS: Final = {name: number for number, name in enumerate(_NAMES)}
_ERRORS: Final = {
    error.__name__: error for error in (BrokenOff, BadValue, Conflict, NotFound, Refused, Unavailable)
}
_PROGRAM: Final = "from driveaway.launch.imports.beside import main; main()"
_LENGTH: Final = 8
_ROWS: Final = 1_000
"""Rows of a frame at the most: one is taken over while the next is read."""
# A batch fits into the pipe at once, so that the other process need not wait to be read.
_PIPE: Final = 1024 * 1024
_F_SETPIPE_SZ: Final = 1031
_LARGE: Final = {"parquet": 1024 * 1024}
_LARGE_TEXT: Final = 8 * 1024 * 1024


class _Batch(msgspec.Struct, array_like=True, gc=False):
    """Proposals, column by column; the bodies by the number of their kind, in the order of the facts."""

    position: int
    lines: list[int]
    passed_over: list[int]
    in_order: bool
    problems: list[Problem]
    kinds: list[int]
    subjects: list[str]
    happened: list[int]
    sources: list[str]
    simulated: list[bool]
    at: list[int]
    labels: list[str] | None
    corrects: list[str] | None
    origins: list[dict[str, str]]
    origin: list[int] | None
    bodies: dict[int, msgspec.Raw]
    public: list[str]
    personal: list[str]


class _End(msgspec.Struct, array_like=True, tag=True):
    """Nothing follows: ``error`` is the class of what went wrong, or ""."""

    notes: list[str]
    error: str = ""
    message: str = ""
    code: str = ""
    place: str = ""
    remedy: str = ""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Batch)
_end_decoder = msgspec.msgpack.Decoder(_End)
_bodies = [msgspec.msgpack.Decoder(list[kind.body]) for kind in KINDS.values()]  # type: ignore[name-defined]


def is_large(file: Opened) -> bool:
    """Whether a file is worth a process: it takes a few tenths of a second to start."""
    return file.size >= _LARGE.get(file.format, _LARGE_TEXT)


class Beside:
    """A file that is read in another process."""

    def __init__(self, reading: Reading) -> None:
        """Start the other process, which begins to read at once; ``close`` ends it."""
        self._path = reading.path
        self._position = 0
        self.notes: list[str] = []
        # -P: what lies in the folder one stands in is not imported by mistake.
        command = [sys.executable, "-P", "-c", _PROGRAM]
        # Nothing is calculated there: threads for linear algebra would only take the cores.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._frames = _frames(self._process.stdout)
        _widen(self._process.stdout)
        # Should it have died already, the end of its frames says so.
        with suppress(BrokenPipeError), self._process.stdin as asked:
            asked.write(pickle.dumps(reading._replace(batch=min(_ROWS, reading.batch))))

    def position(self) -> int:
        """Bytes of the file that were read so far."""
        return self._position

    def proposals(self) -> Iterator[Proposals]:
        """What the rows ask for, some rows at a time.

        Raises:
            NotFound, BadValue, BrokenOff: as when it is read here.
            Unavailable: the other process ended early; importing again is safe.
        """
        for is_end, frame in self._frames:
            if is_end:
                _finish(_end_decoder.decode(frame), self.notes)
                return
            batch = _decoder.decode(frame)
            self._position = batch.position
            yield _unpacked(batch)
        raise Unavailable(
            "the process that reads the file ended early", code="import.reader",
            place=str(self._path), remedy="import it again; nothing is recorded twice",
        )  # fmt: skip

    def close(self) -> None:
        """End the other process."""
        self._process.kill()
        with self._process:
            return


def _finish(end: _End, notes: list[str]) -> None:
    notes += end.notes
    if end.error:
        raise _ERRORS[end.error](end.message, code=end.code, place=end.place, remedy=end.remedy)


def _frames(stream: IO[bytes]) -> Iterator[tuple[bool, bytes]]:
    """(whether it is the last, content) of each frame; an end without a last one is a death."""
    while len(head := stream.read(_LENGTH)) == _LENGTH:
        length = int.from_bytes(head, "little", signed=True)
        frame = stream.read(abs(length))
        if len(frame) < abs(length):
            return
        yield length < 0, frame


def _unpacked(batch: _Batch) -> Proposals:
    bodies = {kind: iter(_bodies[kind].decode(raw)) for kind, raw in batch.bodies.items()}
    labels: Sequence[str] = batch.subjects if batch.labels is None else batch.labels
    corrects: Sequence[str] = [""] * len(labels) if batch.corrects is None else batch.corrects
    origin = [0] * len(labels) if batch.origin is None else batch.origin
    facts = []
    for kind, subject, at, source, simulated, line, label, other, columns, public, personal in zip(
        batch.kinds,
        batch.subjects,
        batch.happened,
        batch.sources,
        batch.simulated,
        batch.at,
        labels,
        corrects,
        origin,
        batch.public,
        batch.personal,
        strict=True,
    ):
        body = next(bodies[kind])
        encoded = Encoded(body, public, personal)
        draft = Draft(_NAMES[kind], subject, at, body, source, None, simulated, "", encoded)
        facts.append(Proposal(draft, line, label, other, batch.origins[columns]))
    return Proposals(batch.lines, facts, batch.problems, batch.passed_over, batch.in_order)


def _packed(proposals: Proposals, position: int) -> bytes:
    drafts = [proposal.draft for proposal in proposals.facts]
    bodies: dict[int, list[Body]] = {}
    encoded = [encode_body(draft.body) for draft in drafts]
    kinds = [_NUMBERS[draft.kind] for draft in drafts]
    for kind, draft in zip(kinds, drafts, strict=True):
        bodies.setdefault(kind, []).append(draft.body)
    subjects = [draft.subject for draft in drafts]
    labels = [proposal.label for proposal in proposals.facts]
    corrects = [proposal.corrects for proposal in proposals.facts]
    # Rows share what says their columns: it is sent once.
    shared = {id(proposal.origin): proposal.origin for proposal in proposals.facts}
    places = {known: place for place, known in enumerate(shared)}
    origin = [places[id(proposal.origin)] for proposal in proposals.facts] if len(shared) > 1 else None
    return _encoder.encode(
        _Batch(
            position, proposals.lines, proposals.passed_over, proposals.in_order, proposals.problems,
            kinds, subjects, [draft.happened for draft in drafts], [draft.source for draft in drafts],
            [draft.simulated for draft in drafts], [proposal.line for proposal in proposals.facts],
            None if labels == subjects else labels, corrects if any(corrects) else None,
            [dict(columns) for columns in shared.values()], origin,
            {kind: msgspec.Raw(_encoder.encode(of_kind)) for kind, of_kind in bodies.items()},
            [public for public, _ in encoded], [personal for _, personal in encoded],
        )
    )  # fmt: skip


def _widen(stream: IO[bytes]) -> None:
    """Give the pipe room for a batch, where the system can."""
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(stream.fileno(), _F_SETPIPE_SZ, _PIPE)
        except OSError:
            return


def _send(out: IO[bytes], frame: bytes, *, last: bool = False) -> None:
    out.write((-len(frame) if last else len(frame)).to_bytes(_LENGTH, "little", signed=True))
    out.write(frame)
    out.flush()


def main() -> None:
    """The other process: read what standard input asks for, and send it."""
    # Whoever stops the import stops this process too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(10)
    never_collect()
    reading: Reading = pickle.load(sys.stdin.buffer)
    # Nothing but frames may go to standard output.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        try:
            with opened(reading.path, reading.declared, reading.limits) as file:
                source = Here(reading, file)
                for proposals in source.proposals():
                    _send(out, _packed(proposals, source.position()))
            end = _End(source.notes)
        except DriveawayError as error:
            names = (cls.__name__ for cls in type(error).__mro__)
            name = next(name for name in names if name in _ERRORS)
            end = _End([], name, error.message, error.code, error.place, error.remedy)
        _send(out, _encoder.encode(end), last=True)
    except BrokenPipeError:
        # The import was stopped.
        os._exit(1)
