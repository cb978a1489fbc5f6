"""The Merkle tree of RFC 9162, section 2.1: heads from leaves, kept up leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

HASH = 32


def empty_root() -> bytes:
    """The head of a tree without leaves (RFC 9162, 2.1.1: the hash of nothing)."""
    return sha256(b"").digest()


class Frontier:
    """The right edge of a tree: enough to add leaves and to know the head.

    ``peaks`` are the roots of the perfect subtrees, largest first: one for each bit set in ``size``.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: bytes = b"") -> None:
        if len(peaks) != HASH * size.bit_count():
            raise ValueError(f"{len(peaks)} bytes of peaks do not fit a tree of {size} leaves")
        self.size = size
        self.peaks = [peaks[i : i + HASH] for i in range(0, len(peaks), HASH)]

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaves (already hashed) at the right edge."""
        peaks, size = self.peaks, self.size
        for node in leaves:
            bits = size
            while bits & 1:
                node = sha256(b"\x01" + peaks.pop() + node).digest()
                bits >>= 1
            peaks.append(node)
            size += 1
        self.size = size

    def root(self) -> bytes:
        """The head of the tree (RFC 9162, 2.1.1)."""
        if not self.peaks:
            return empty_root()
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = sha256(b"\x01" + peak + node).digest()
        return node

    def packed(self) -> bytes:
        """The peaks as bytes, for storing."""
        return b"".join(self.peaks)
