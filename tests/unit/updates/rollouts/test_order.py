"""Places and holdout: by keyed hash, the same for ever, independent of other cars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.updates.rollouts.order import cut_for, held_out, holdout_share, places
from driveaway.updates.rollouts.siphash import siphash
from driveaway.values.errors import BadValue

NAMES = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=24), max_size=8
)


def test_siphash_is_the_published_one() -> None:
    # The vectors of the authors' reference: key 00…0f, messages 00, 00 01, 00 01 02, …
    key = bytes(range(16))
    assert siphash(key, np.array([b""])).tolist() == [0x726FDB47DD0E0E31]
    assert siphash(key, np.array([bytes(range(15))])).tolist() == [0xA129CA6149BE45E5]
    assert siphash(key, np.array([bytes(range(8))])).tolist() == [0x93F5F5799A932462]
    with pytest.raises(ValueError, match="16 bytes"):
        siphash(b"short", ["a"])


PLACE = 17395664457581996372


def test_an_order_stays_as_it_was_once_drawn() -> None:
    assert places("city-nav", ["LSJE0000000000001"]).tolist() == [PLACE]
    assert places("city-nav-2", ["LSJE0000000000001"]).tolist() != [PLACE]


@settings(max_examples=30)
@given(NAMES, st.text(max_size=10))
def test_a_place_depends_on_the_car_and_the_seed_alone(names: list[str], seed: str) -> None:
    together = places(seed, names).tolist()
    assert together == [int(places(seed, [name])[0]) for name in names]
    assert together[::-1] == places(seed, names[::-1]).tolist()


def test_places_are_uniform_and_independent_of_the_holdout() -> None:
    names = np.array([f"LSJE{number:013d}" for number in range(40_000)], dtype=np.bytes_)
    place, behind = places("s", names), held_out("s", names, 0.05)
    assert len(np.unique(place)) == len(names)
    tenths = np.bincount((place >> np.uint64(32)).astype(np.int64) * 10 // 2**32, minlength=10)
    assert np.abs(tenths - 4_000).max() < 4.5 * (40_000 * 0.1 * 0.9) ** 0.5
    assert abs(behind.sum() - 2_000) < 4.5 * (40_000 * 0.05 * 0.95) ** 0.5
    early = place < np.uint64(2**63)
    assert abs(behind[early].sum() - behind[~early].sum()) < 4.5 * 2_000**0.5
    neighbours = np.corrcoef(place[:-1].astype(float), place[1:].astype(float))[0, 1]
    assert abs(neighbours) < 4.5 / 200


def test_a_larger_holdout_holds_the_same_cars_and_more() -> None:
    names = [str(number) for number in range(2_000)]
    small, large = held_out("s", names, 0.05), held_out("s", names, 0.2)
    assert not (small & ~large).any()
    assert large.sum() > small.sum() > 0
    assert not held_out("s", names, 0.0).any()


def test_nobody_is_held_back_from_a_recall() -> None:
    assert holdout_share("recall", 0.1) == holdout_share("security") == 0
    assert holdout_share("feature") == 0.05
    with pytest.raises(BadValue, match=r"rollout\.holdout"):
        holdout_share("quality", 1.0)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, unique=True), st.integers(-1, 12))
def test_a_cut_opens_exactly_as_many(values: list[int], cars: int) -> None:
    among = np.array(values, dtype=np.uint64)
    assert sum(value <= cut_for(among, cars) for value in values) == max(0, min(cars, len(values)))
