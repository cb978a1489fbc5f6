"""Compressed bodies are unpacked whole or not at all, and never without end."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from driveaway.web.http.encodings import unpacked
from driveaway.web.http.errors import HttpError, status_of

PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstandard.compress}
NAMES = pytest.mark.parametrize("name", PACK)


@given(st.sampled_from(sorted(PACK)), st.lists(st.binary(max_size=2_000), max_size=4))
def test_parts_that_follow_each_other_are_all_unpacked(name: str, parts: list[bytes]) -> None:
    packed = b"".join(map(PACK[name], parts))
    assert unpacked(packed, name, 8_000) == b"".join(parts)


@NAMES
def test_neither_a_part_nor_what_is_none_is_taken_for_the_whole(name: str) -> None:
    packed = PACK[name](bytes(range(256)) * 20)
    for cut in (1, len(packed) // 2, len(packed) - 1):
        with pytest.raises(HttpError) as error:
            unpacked(packed[:cut], name, 10_000)
        assert (error.value.code, status_of(error.value)) == ("http.encoding", 400)
    with pytest.raises(HttpError):
        unpacked(packed + b"more", name, 10_000)


@NAMES
def test_a_bomb_is_refused_before_it_goes_off(name: str) -> None:
    packed = PACK[name](bytes(32 << 20))
    assert len(packed) < 200_000
    with pytest.raises(HttpError) as error:
        unpacked(packed, name, 1 << 20)
    assert status_of(error.value) == 413
    assert unpacked(PACK[name](bytes(1 << 20)), name, 1 << 20) == bytes(1 << 20)


def test_a_window_that_would_take_much_memory_is_refused() -> None:
    terms = zstandard.ZstdCompressionParameters(window_log=27)
    writer = zstandard.ZstdCompressor(compression_params=terms).compressobj()
    packed = writer.compress(b"small") + writer.flush()
    with pytest.raises(HttpError):
        unpacked(packed, "zstd", 1 << 20)


@pytest.mark.parametrize("name", ["br", "gzip, gzip", "deflate"])
def test_other_codings_are_refused_by_name(name: str) -> None:
    with pytest.raises(HttpError) as error:
        unpacked(zlib.compress(b"x"), name, 100)
    assert status_of(error.value) == 415
    assert error.value.headers


def test_plain_is_plain() -> None:
    assert unpacked(b"x", None, 0) == unpacked(b"x", "identity", 0) == b"x"
