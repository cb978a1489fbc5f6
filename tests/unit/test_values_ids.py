"""Order ids and slugs: what a slip of the finger becomes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.values.errors import BadValue
from driveaway.values.ids import (
    BASE32,
    ORDER_NUMBERS,
    new_order_id,
    order_id,
    order_id_of_foreign,
    parse_order_id,
    parse_slug,
)

_numbers = st.integers(0, ORDER_NUMBERS - 1)
# Luhn's algorithm modulo 32 doubles every other digit. Doubling is d → 2d below 16 and 2d − 31 from 16 on,
# so swapping a and b goes unseen exactly when double(a) − a = double(b) − b modulo 32: 0 and 31 alone.
_UNSEEN = {BASE32[0], BASE32[31]}


@given(_numbers)
def test_reads_back(number: int) -> None:
    made = order_id(number)
    assert len(made) == 12
    assert parse_order_id(made) == made
    assert parse_order_id(made.lower().removeprefix("o-")) == made
    assert parse_order_id(f" {made} ") == made


@given(_numbers)
def test_read_out_over_the_telephone(number: int) -> None:
    made = order_id(number)
    heard = made[2:].replace("1", "I").replace("0", "O")
    assert parse_order_id(heard) == made
    assert parse_order_id(made[2:].replace("1", "l")) == made


@given(_numbers, st.integers(0, 9))
def test_every_single_wrong_character_is_caught(number: int, at: int) -> None:
    body = order_id(number)[2:]
    for wrong in BASE32:
        if wrong != body[at]:
            with pytest.raises(BadValue) as bad:
                parse_order_id(body[:at] + wrong + body[at + 1 :])
            assert bad.value.code == "order_id.check"


@given(_numbers, st.integers(0, 8))
def test_two_neighbours_swapped_are_caught(number: int, at: int) -> None:
    body = order_id(number)[2:]
    first, second = body[at], body[at + 1]
    swapped = body[:at] + second + first + body[at + 2 :]
    if first == second or {first, second} == _UNSEEN:
        parse_order_id(swapped)
    else:
        with pytest.raises(BadValue):
            parse_order_id(swapped)


def test_the_swaps_that_go_unseen_are_those_and_no_others() -> None:
    def doubled(value: int) -> int:
        return 2 * value // 32 + 2 * value % 32

    unseen = {
        frozenset((BASE32[a], BASE32[b]))
        for a, b in itertools.combinations(range(32), 2)
        if (doubled(a) + b - doubled(b) - a) % 32 == 0
    }
    assert unseen == {frozenset(_UNSEEN)}


@pytest.mark.parametrize(
    "text", ["", "O-", "O-123", "O-000000001Y0", "O-00000000U1", "O-0000000-01", "O-00000００01"]
)
def test_not_an_order_id(text: str) -> None:
    with pytest.raises(BadValue) as bad:
        parse_order_id(text)
    assert bad.value.code == "order_id.shape"


def test_out_of_range() -> None:
    for number in (-1, ORDER_NUMBERS):
        with pytest.raises(BadValue):
            order_id(number)


def test_the_example_of_the_remedy_is_one() -> None:
    assert parse_order_id("O-000000001Y") == order_id(1)


def test_new_ids_are_random() -> None:
    assert len({new_order_id() for _ in range(100)}) == 100


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_foreign_id_always_gets_the_same(namespace: str, foreign: str) -> None:
    made = order_id_of_foreign(namespace, foreign)
    assert made == order_id_of_foreign(namespace, foreign) == parse_order_id(made)


def test_foreign_ids_of_different_systems_differ() -> None:
    made = {order_id_of_foreign(system, str(n)) for system in ("a", "b") for n in range(500)}
    assert len(made) == 1000


@pytest.mark.parametrize("text", ["beijing-1", "1.1.0", "a", "outlet-2024.05", "a" * 80])
def test_slugs(text: str) -> None:
    assert parse_slug(text) == text


@pytest.mark.parametrize(
    "text", ["", "Beijing", "a--b", "-a", "a-", "a_b", "a b", "北京", "a" * 81, "a\n", "a/b"]
)
def test_not_slugs(text: str) -> None:
    with pytest.raises(BadValue) as bad:
        parse_slug(text)
    assert bad.value.code == "slug.shape"
