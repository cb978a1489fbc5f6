"""Wilson's interval beside published values and its own properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.figures.statistics import wilson


@pytest.mark.parametrize(
    ("hits", "people", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_examples(hits: int, people: int, low: float, high: float) -> None:
    found = wilson(hits, people)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)
    assert found.level == 0.95


counts = st.integers(1, 10**9).flatmap(lambda people: st.tuples(st.integers(0, people), st.just(people)))


@given(counts)
def test_it_holds_the_share_and_stays_within_bounds(count: tuple[int, int]) -> None:
    hits, people = count
    found = wilson(hits, people)
    assert 0 <= found.low <= hits / people <= found.high <= 1


@given(counts)
def test_it_mirrors(count: tuple[int, int]) -> None:
    hits, people = count
    one, other = wilson(hits, people), wilson(people - hits, people)
    assert one.low == pytest.approx(1 - other.high, abs=1e-12)


@given(counts)
def test_more_people_narrow_it_and_more_confidence_widens_it(count: tuple[int, int]) -> None:
    hits, people = count
    one, more, sure = wilson(hits, people), wilson(10 * hits, 10 * people), wilson(hits, people, 0.99)
    assert more.high - more.low < one.high - one.low < sure.high - sure.low


@pytest.mark.parametrize(("hits", "people"), [(0, 0), (-1, 5), (6, 5), (1, -1)])
def test_no_share(hits: int, people: int) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        wilson(hits, people)
