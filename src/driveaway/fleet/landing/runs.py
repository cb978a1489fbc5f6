"""Sorted runs of fingerprints, in memory and on disk; few and large ones made of many small ones."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from driveaway.fleet.landing.loops.runs import find_keys, merge_words, sort_words

Words = NDArray[np.uint64]
_WORD: Final = 8
_PIECE: Final = 1 << 18
_TIER: Final = 4
"""So many runs of like size become one: each row is written anew once a tier."""


class Run(Protocol):
    """Keys in order, and a word beside each."""

    @property
    def rows(self) -> int:
        """How many."""
        ...

    def find(self, wanted: Words, order: NDArray[np.int64], out: Words, found: NDArray[np.bool_]) -> None:
        """Write the word beside each wanted key that is here, unless it was found before."""
        ...

    def pieces(self, first: int, last: int) -> tuple[Words, Words]:
        """Keys and words of a stretch, in memory."""
        ...


@dataclass(frozen=True)
class Held:
    """A run in memory.

    Attributes:
        keys: sorted.
        words: one beside each key.
    """

    keys: Words
    words: Words

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.keys)

    @classmethod
    def of(cls, keys: Words, words: Words) -> Held:
        """Put in order what is in none."""
        return cls(*sort_words(keys, words))

    def find(self, wanted: Words, order: NDArray[np.int64], out: Words, found: NDArray[np.bool_]) -> None:
        """See ``Run``."""
        _find(self.keys, self.words, wanted, order, out, found)

    def pieces(self, first: int, last: int) -> tuple[Words, Words]:
        """See ``Run``."""
        return self.keys[first:last], self.words[first:last]


class Stored:
    """A run in a file: all keys, then all words, 8 bytes each, little-endian.

    It is mapped into memory when it is searched and let go afterwards: what the kernel keeps of it in its
    cache is not this process's.
    """

    def __init__(self, path: Path, rows: int) -> None:
        self.path = path
        self.rows = rows

    def _mapped(self) -> NDArray[Any]:
        return np.memmap(self.path, np.uint64, "r", shape=(2 * self.rows,))

    def find(self, wanted: Words, order: NDArray[np.int64], out: Words, found: NDArray[np.bool_]) -> None:
        """See ``Run``."""
        if not self.rows:
            return
        mapped = self._mapped()
        _find(
            mapped[: self.rows].view(np.ndarray),
            mapped[self.rows :].view(np.ndarray),
            wanted,
            order,
            out,
            found,
        )
        underlying = getattr(mapped, "_mmap", None)
        if underlying is not None:
            underlying.madvise(mmap.MADV_DONTNEED)

    def pieces(self, first: int, last: int) -> tuple[Words, Words]:
        """See ``Run``."""
        keys = np.fromfile(self.path, np.uint64, last - first, offset=_WORD * first)
        words = np.fromfile(self.path, np.uint64, last - first, offset=_WORD * (self.rows + first))
        return keys, words


def _find(
    keys: Words, words: Words, wanted: Words, order: NDArray[np.int64], out: Words, found: NDArray[np.bool_]
) -> None:
    place = np.where(found, np.int64(0), np.int64(-1))
    # Both kinds of run look alike to the compiled loop: neither can be written.
    keys = keys.view()
    keys.flags.writeable = False
    if find_keys(wanted, order, keys, place):
        new = np.flatnonzero((place >= 0) & ~found)
        out[new] = words[place[new]]
        found[new] = True


def find(runs: Sequence[Run], wanted: Words) -> tuple[Words, NDArray[np.bool_]]:
    """The word beside each wanted key.

    Returns:
        (words, whether the key was found), shapes as ``wanted``.
    """
    out, found = np.zeros(len(wanted), np.uint64), np.zeros(len(wanted), bool)
    if len(wanted) and runs:
        # Asked in rough order, each page of a run is touched once; 16 bits sort fast.
        order = np.argsort((wanted >> np.uint64(48)).astype(np.uint16), kind="stable")
        for run in runs:
            run.find(wanted, order, out, found)
    return out, found


def merged(one: Run, two: Run) -> Held:
    """Two runs as one in memory."""
    keys, words = np.empty(one.rows + two.rows, np.uint64), np.empty(one.rows + two.rows, np.uint64)
    at = 0
    for some, more in _merging(one, two):
        keys[at : at + len(some)], words[at : at + len(some)] = some, more
        at += len(some)
    return Held(keys, words)


def tidy(runs: list[Run], largest: int) -> list[Run]:
    """Runs in memory, so many of like size made one; none larger than ``largest``."""
    out = list(runs)
    while len(out) >= _TIER and sum(run.rows for run in out[-_TIER:]) <= largest:
        tail = out[-_TIER:]
        if tail[0].rows > 2 * _TIER * tail[-1].rows:
            break
        while len(tail) > 1:
            tail = [merged(tail[at], tail[at + 1]) for at in range(0, len(tail), 2)]
        out[-_TIER:] = tail
    return out


def write_run(path: Path, runs: Sequence[Run]) -> Stored:
    """Merge runs into a file, piece by piece, and wait until the disk has it."""
    while len(runs) > 2:
        # All but the last merge stay in memory only when they are small.
        small = sorted(runs, key=lambda run: run.rows)
        rest = [run for run in runs if run is not small[0] and run is not small[1]]
        runs = [*rest, _Virtual(small[0], small[1])]
    one = runs[0]
    two: Run = runs[1] if len(runs) > 1 else Held(np.empty(0, np.uint64), np.empty(0, np.uint64))
    rows = one.rows + two.rows
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        at = 0
        for keys, words in _merging(one, two):
            _write_at(handle, _WORD * at, keys)
            _write_at(handle, _WORD * (rows + at), words)
            at += len(keys)
        os.fsync(handle)
    finally:
        os.close(handle)
    return Stored(path, rows)


def _write_at(handle: int, offset: int, array: Words) -> None:
    view = memoryview(np.ascontiguousarray(array).tobytes())
    while view:
        done = os.pwrite(handle, view, offset)
        view, offset = view[done:], offset + done


class _Virtual:
    """Two runs read as one, from the beginning to the end."""

    def __init__(self, one: Run, two: Run) -> None:
        self.rows = one.rows + two.rows
        self._merging = _merging(one, two)
        self._keys, self._words = np.empty(0, np.uint64), np.empty(0, np.uint64)
        self._first = 0

    def find(self, wanted: Words, order: NDArray[np.int64], out: Words, found: NDArray[np.bool_]) -> None:
        """Never searched."""
        raise AssertionError("a run that is being merged is read in order alone")

    def pieces(self, first: int, last: int) -> tuple[Words, Words]:
        """The next stretch; stretches are asked for one after the other."""
        keys, words = [self._keys], [self._words]
        have = len(self._keys)
        while have < last - first:
            more = next(self._merging)
            keys.append(more[0])
            words.append(more[1])
            have += len(more[0])
        all_keys, all_words = np.concatenate(keys), np.concatenate(words)
        wanted = last - first
        self._keys, self._words = all_keys[wanted:], all_words[wanted:]
        return all_keys[:wanted], all_words[:wanted]


class _Cursor:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.next = 0
        self.keys, self.words = np.empty(0, np.uint64), np.empty(0, np.uint64)

    def fill(self) -> bool:
        """Have something at hand; False at the end."""
        if not len(self.keys) and self.next < self.run.rows:
            last = min(self.next + _PIECE, self.run.rows)
            keys, words = self.run.pieces(self.next, last)
            self.keys, self.words = np.ascontiguousarray(keys), np.ascontiguousarray(words)
            self.next = last
        return len(self.keys) > 0

    def drop(self, count: int) -> None:
        self.keys, self.words = self.keys[count:], self.words[count:]


def _merging(one: Run, two: Run) -> Any:
    """Pieces of keys and words of two runs, in order."""
    a, b = _Cursor(one), _Cursor(two)
    while True:
        more_a, more_b = a.fill(), b.fill()
        if not (more_a or more_b):
            return
        if not (more_a and more_b):
            last = a if more_a else b
            yield last.keys, last.words
            last.drop(len(last.keys))
            continue
        keys, words = np.empty(2 * _PIECE, np.uint64), np.empty(2 * _PIECE, np.uint64)
        took_a, took_b = merge_words(a.keys, a.words, b.keys, b.words, keys, words)
        yield keys[: took_a + took_b], words[: took_a + took_b]
        a.drop(took_a)
        b.drop(took_b)
