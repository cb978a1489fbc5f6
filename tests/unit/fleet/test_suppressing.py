"""Rare places are hidden, and none can be worked out from a total."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from driveaway.fleet.suppressing import hidden, hidden_within

counts = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 30), max_size=8)


@given(counts, st.integers(0, 12))
def test_what_is_hidden(cars: dict[str, int], least: int) -> None:
    gone = hidden(cars, least)
    rare = {place for place, count in cars.items() if count < least}
    assert rare <= gone
    if not rare:
        assert not gone
    elif gone != set(cars):
        # Something is shown: what is hidden is not one place alone, and not few cars.
        assert len(gone) > 1
        assert sum(cars[place] for place in gone) >= least
    # No more than it takes: without the last one that was added, it would be too little.
    added = sorted(gone - rare, key=lambda place: (cars[place], place))
    if added:
        before = gone - {added[-1]}
        assert len(before) < 2 or sum(cars[place] for place in before) < least


@given(
    st.dictionaries(st.tuples(st.sampled_from("AB"), st.sampled_from("xyz")), st.integers(1, 20)),
    st.integers(0, 9),
)
def test_parts_of_groups_are_hidden_group_by_group(cars: dict[tuple[str, str], int], least: int) -> None:
    gone = hidden_within(cars, least, groups="A")
    for group in "AB":
        parts = {part: count for (one, part), count in cars.items() if one == group}
        want = set(parts) if group == "A" else hidden(parts, least)
        assert {part for one, part in gone if one == group} == want
