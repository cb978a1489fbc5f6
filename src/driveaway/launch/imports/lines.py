"""Lines of a text file of any size: bounded, counted, and each with its own fate when it cannot be read."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO, NamedTuple

from driveaway.launch.imports.encodings import Encoding
from driveaway.launch.imports.files import BrokenOff
from driveaway.launch.imports.limits import Limits
from driveaway.values.errors import BadValue, DriveawayError

_CHUNK = 256 * 1024


class Block(NamedTuple):
    """Consecutive lines.

    Attributes:
        first: number of the first line, from 1.
        lines: their text, without line ends. A line that could not be read is None.
        errors: number of a line → why it could not be read.
    """

    first: int
    lines: list[str | None]
    errors: dict[int, tuple[DriveawayError, str]]


def blocks(stream: IO[bytes], encoding: Encoding, limits: Limits) -> Iterator[Block]:
    """The lines of a stream in blocks of about 256 KiB; LF, CR LF and CR end a line, also mixed.

    Raises:
        BrokenOff: the stream cannot be read further, or goes on and on without saying anything.
    """
    number, blank = 1, 0
    for data, complete in _cut(_narrow(stream, encoding), limits.line):
        if not complete:
            error = BadValue(
                f"the line is longer than {limits.line:,} bytes",
                code="line.too_long",
                remedy="look for a missing line end or quote",
            )
            shown = data[:200].decode("utf-8" if encoding.wide else encoding.name, "replace")
            yield Block(number, [None], {number: (error, shown)})
            number += 1
            continue
        # Each line costs its readers something, and these say nothing: a small file may unpack to a billion.
        blank = blank + data.count(b"\n") + data.count(b"\r") if data.isspace() else 0
        if blank > limits.blank_lines:
            raise too_blank(limits)
        block = _decoded(data, "utf-8" if encoding.wide else encoding.name, number, encoding.wide)
        number += len(block.lines)
        yield block


def too_blank(limits: Limits) -> BrokenOff:
    """What is said of a file that goes on and on without a row."""
    return BrokenOff(
        f"more than {limits.blank_lines:,} lines in a row say nothing: it is taken for a bomb",
        code="file.bomb",
        remedy="remove the empty lines, if you trust it",
    )


def _narrow(stream: IO[bytes], encoding: Encoding) -> Iterator[bytes]:
    # read1 gives what there is before it meets a damage.
    read = getattr(stream, "read1", stream.read)
    if encoding.skip:
        stream.read(encoding.skip)
    if not encoding.wide:
        while chunk := read(_CHUNK):
            yield chunk
        return
    decoder = codecs.getincrementaldecoder(encoding.name)("replace")
    while chunk := read(_CHUNK):
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")


def _cut(chunks: Iterator[bytes], longest: int) -> Iterator[tuple[bytes, bool]]:
    """Whole lines (True), or the beginning of one that is too long (False); few chunks are held."""
    carry = b""
    skipping = False
    for chunk in chunks:
        if skipping:
            end = _first_end(chunk)
            if end < 0:
                continue
            # A CR that ends the chunk may belong to a CR LF; the LF then makes a harmless empty line.
            skip = 2 if chunk[end : end + 2] == b"\r\n" else 1
            chunk, skipping = chunk[end + skip :], False
        data = carry + chunk if carry else chunk
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
        whole, carry = data[:cut], data[cut:]
        if whole:
            yield from _bounded(whole, longest)
        if len(carry) > longest:
            yield carry[:200], False
            carry, skipping = b"", True
    if carry:
        yield from _bounded(carry, longest)


def _bounded(whole: bytes, longest: int) -> Iterator[tuple[bytes, bool]]:
    if len(whole) <= longest:
        yield whole, True
        return
    start = 0
    pending = bytearray()
    while start < len(whole):
        end = _first_end(whole, start)
        if end < 0:
            end = len(whole)
        stop = end + (2 if whole[end : end + 2] == b"\r\n" else 1)
        if end - start > longest:
            if pending:
                yield bytes(pending), True
                pending.clear()
            yield whole[start : start + 200], False
        else:
            pending += whole[start:stop]
        start = stop
    if pending:
        yield bytes(pending), True


def _first_end(data: bytes, start: int = 0) -> int:
    line_feed, carriage = data.find(b"\n", start), data.find(b"\r", start)
    if line_feed < 0 or carriage < 0:
        return max(line_feed, carriage)
    return min(line_feed, carriage)


def _decoded(data: bytes, encoding: str, first: int, wide: bool) -> Block:
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    data = data.removesuffix(b"\n")
    errors: dict[int, tuple[DriveawayError, str]] = {}
    lines: list[str | None]
    try:
        text = data.decode(encoding)
        lines = list(text.split("\n"))
        doubtful = "\x00" in text or (wide and "\N{REPLACEMENT CHARACTER}" in text)
    except UnicodeDecodeError:
        lines = []
        for number, raw in enumerate(data.split(b"\n"), first):
            try:
                lines.append(raw.decode(encoding))
            except UnicodeDecodeError as error:
                lines.append(None)
                problem = BadValue(
                    f"byte {error.start + 1} of the line is not {encoding}",
                    code="encoding.invalid",
                    remedy="save the line again in the encoding of the rest",
                )
                errors[number] = (problem, raw[:200].decode(encoding, "replace"))
        doubtful = True
    if doubtful:
        for index, line in enumerate(lines):
            if line is not None and "\x00" in line:
                lines[index] = None
                problem = BadValue(
                    "the line holds NUL bytes", code="line.nul", remedy="export the file again"
                )
                errors[first + index] = (problem, line[:200])
            elif line is not None and wide and "\N{REPLACEMENT CHARACTER}" in line:
                lines[index] = None
                problem = BadValue(
                    "the line is not valid in its encoding",
                    code="encoding.invalid",
                    remedy="export the file again",
                )
                errors[first + index] = (problem, line[:200])
    return Block(first, lines, errors)
