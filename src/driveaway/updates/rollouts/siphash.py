"""SipHash-2-4 over many short texts at once.

J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012. A keyed pseudorandom
function: without the key nobody can tell, or choose, where an identifier falls.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_BLOCK = 16_384
"""Rows worked on at a time, so that the four state columns stay in the processor's cache."""


def _rotated(words: Words, bits: int) -> Words:
    return (words << np.uint64(bits)) | (words >> np.uint64(64 - bits))


def _round(v0: Words, v1: Words, v2: Words, v3: Words) -> tuple[Words, Words, Words, Words]:
    v0 = v0 + v1
    v1 = _rotated(v1, 13) ^ v0
    v0 = _rotated(v0, 32)
    v2 = v2 + v3
    v3 = _rotated(v3, 16) ^ v2
    v0 = v0 + v3
    v3 = _rotated(v3, 21) ^ v0
    v2 = v2 + v1
    v1 = _rotated(v1, 17) ^ v2
    v2 = _rotated(v2, 32)
    return v0, v1, v2, v3


def _hashed(key: Words, blocks: Words) -> Words:
    """Hashes of rows of 64-bit blocks, the last of which carries the length."""
    rows = len(blocks)
    v0, v1, v2, v3 = (
        np.full(rows, word ^ constant, dtype=np.uint64)
        for word, constant in zip(
            (key[0], key[1], key[0], key[1]),
            np.frombuffer(b"uespemosmodnarodarenegylsetybdet", dtype="<u8"),
            strict=True,
        )
    )
    for block in blocks.T:
        v3 = v3 ^ block
        for _ in range(2):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 = v0 ^ block
    v2 = v2 ^ np.uint64(0xFF)
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


def siphash(key: bytes, texts: Sequence[str] | NDArray[np.bytes_]) -> Words:
    """SipHash-2-4 of each text's UTF-8 bytes.

    Args:
        key: 16 bytes.
        texts: texts, or an array of bytes (shape ``n``); a text does not end in a zero byte.

    Returns:
        64-bit hashes, shape ``n``.

    Raises:
        ValueError: the key is not 16 bytes long.
    """
    if len(key) != 16:
        raise ValueError(f"a key of SipHash is 16 bytes long, not {len(key)}")
    words = np.frombuffer(key, dtype="<u8").astype(np.uint64)
    if not isinstance(texts, np.ndarray):
        texts = np.array([text.encode() for text in texts] or [b""][:0], dtype=np.bytes_)
    out = np.empty(len(texts), dtype=np.uint64)
    if not len(texts):
        return out
    given = np.ascontiguousarray(texts)
    width = given.dtype.itemsize
    letters = given.view(np.uint8).reshape(len(given), width)
    lengths = np.strings.str_len(given)
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        for start in range(0, len(rows), _BLOCK):
            chosen = rows[start : start + _BLOCK]
            padded = np.zeros((len(chosen), (length // 8 + 1) * 8), dtype=np.uint8)
            padded[:, :length] = letters[chosen, :length]
            padded[:, -1] = length & 0xFF
            out[chosen] = _hashed(words, padded.view("<u8").astype(np.uint64, copy=False))
    return out
