"""The tree is that of RFC 9162 (and RFC 6962): published vectors, and the definition itself."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.book.canonical import canonical, encode_body, leaf
from driveaway.book.tree import HASH, Frontier, empty_root
from driveaway.facts.orders import BuyerDescribed, OrderReserved

# The reference vectors of Certificate Transparency (google/certificate-transparency, merkle_tree_test;
# transparency-dev/merkle, testonly): eight leaves, and the root after each.
_INPUTS = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
_ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
_leaves = st.lists(st.binary(min_size=HASH, max_size=HASH), max_size=70)


def _leaf(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def _root(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word."""
    n = len(leaves)
    if n == 0:
        return sha256(b"").digest()
    if n == 1:
        return leaves[0]
    k = 1
    while k * 2 < n:
        k *= 2
    return sha256(b"\x01" + _root(leaves[:k]) + _root(leaves[k:])).digest()


def test_the_published_vectors() -> None:
    assert empty_root().hex() == Frontier().root().hex() == _ROOTS[0]
    frontier = Frontier()
    for data, root in zip(_INPUTS, _ROOTS[1:], strict=True):
        frontier.extend([_leaf(bytes.fromhex(data))])
        assert frontier.root().hex() == root


@given(_leaves)
def test_as_the_definition_says(leaves: list[bytes]) -> None:
    frontier = Frontier()
    frontier.extend(leaves)
    assert frontier.root() == _root(leaves)
    assert len(frontier.peaks) == len(leaves).bit_count()


@given(_leaves, st.integers(0, 70))
def test_stored_and_gone_on(leaves: list[bytes], cut: int) -> None:
    first = Frontier()
    first.extend(leaves[:cut])
    again = Frontier(first.size, first.packed())
    assert again.root() == first.root()
    again.extend(leaves[cut:])
    assert again.root() == _root(leaves)
    assert again.size == len(leaves)


@given(_leaves.filter(bool), st.data())
def test_any_other_leaf_is_another_root(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(min_size=HASH, max_size=HASH).filter(lambda leaf: leaf != leaves[at]))
    assert _root(leaves) != _root([*leaves[:at], other, *leaves[at + 1 :]])
    assert _root(leaves) != _root(leaves[:-1])


def test_peaks_that_do_not_fit() -> None:
    for size, peaks in ((1, b""), (3, bytes(HASH)), (4, bytes(2 * HASH)), (2, bytes(HASH - 1))):
        with pytest.raises(ValueError, match="do not fit"):
            Frontier(size, peaks)


def test_the_leaf_of_a_fact_is_the_one_described() -> None:
    body, personal = encode_body(OrderReserved(trim="Max", buyer="b-1", city="北京", price=5))
    assert body == '{"city":"北京","price":5,"trim":"Max"}'
    assert personal == '{"buyer":"b-1"}'
    content = canonical("order.reserved", 1, "O-1", 7, 9, "urn:x", None, False, body, personal)
    assert content.decode() == (
        '{"body":{"city":"北京","price":5,"trim":"Max"},"happened":7,"kind":"order.reserved",'
        '"personal":{"buyer":"b-1"},"recorded":9,"replaces":null,"simulated":false,"source":"urn:x",'
        '"subject":"O-1","version":1}'
    )
    salt = bytes(range(16))
    assert leaf(salt, content) == sha256(b"\x00" + sha256(salt + content).digest()).digest()


def test_what_is_all_personal_or_not_at_all() -> None:
    assert encode_body(BuyerDescribed(sex="female")) == ("{}", '{"sex":"female"}')
    assert encode_body(BuyerDescribed()) == ("{}", "{}")
    assert encode_body(OrderReserved()) == ("{}", "{}")


_names = st.text(min_size=1, max_size=20)


@given(_names, _names, st.integers(), st.booleans())
def test_two_facts_never_share_their_bytes(subject: str, source: str, happened: int, simulated: bool) -> None:
    def content(*parts: object) -> bytes:
        subject, source, happened, simulated = parts
        return canonical("k", 1, subject, happened, 0, source, None, simulated, "{}", "{}")  # type: ignore[arg-type]

    base = content(subject, source, happened, simulated)
    for other in (
        (subject + "x", source, happened, simulated),
        (subject, source + "x", happened, simulated),
        (subject, source, happened + 1, simulated),
        (subject, source, happened, not simulated),
    ):
        assert content(*other) != base
