"""What functions did before an incident, beside a walk through the seconds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.facts.incidents import FunctionState
from driveaway.fleet.incidents.engagement import Engagement, engagement

entries = st.builds(
    FunctionState,
    second=st.integers(0, 30),
    function=st.sampled_from(["highway_pilot", "city_navigation"]),
    state=st.sampled_from(["engaged", "overridden", "deactivated", "off"]),
    level=st.sampled_from([None, 2, 3]),
)
series = st.lists(entries, max_size=8, unique_by=lambda entry: (entry.function, entry.second))


def says(*texts: str) -> list[FunctionState]:
    out = []
    for text in texts:
        second, state, *level = text.split()
        out.append(
            FunctionState(
                second=int(second), function="pilot", state=state, level=int(level[0]) if level else None
            )
        )
    return out


@pytest.mark.parametrize(
    ("states", "within", "engaged", "word"),
    [
        ([], 30, None, "unknown"),
        (["30 engaged 2"], 30, True, "engaged"),
        (["0 engaged 2"], 30, True, "engaged"),
        (["30 off"], 30, False, "off"),
        (["30 engaged 2", "4 overridden"], 30, True, "overridden"),
        (["30 engaged 2", "4 deactivated"], 30, True, "deactivated"),
        (["4 overridden"], 30, True, "overridden"),
        (["12 engaged 2", "3 overridden"], 5, True, "overridden"),
        (["25 engaged 2", "20 overridden"], 5, False, "off"),
        (["25 engaged 2", "20 overridden"], 30, True, "overridden"),
        (["25 engaged 2", "20 overridden", "10 engaged 2"], 30, True, "engaged"),
        (["30 off", "6 overridden"], 30, False, "off"),
        (["30 engaged 2", "5 overridden"], 5, True, "overridden"),
    ],
)
def test_examples(states: list[str], within: int, engaged: bool | None, word: str) -> None:
    found = engagement(says(*states), within)
    assert (found.engaged, found.at_start) == (engaged, word)


def test_two_functions_and_their_levels() -> None:
    states = [
        FunctionState(second=30, function="a", state="engaged", level=2),
        FunctionState(second=9, function="a", state="overridden"),
        FunctionState(second=9, function="b", state="engaged", level=3),
        FunctionState(second=9, function="c", state="off"),
    ]
    assert engagement(states) == Engagement(True, ("a", "b"), (2, 3), "engaged")
    same = [
        FunctionState(second=4, function="a", state="overridden"),
        FunctionState(second=4, function="b", state="deactivated"),
    ]
    assert engagement(same).at_start == "deactivated"


def _walk(states: Sequence[FunctionState], within: int) -> tuple[bool, str]:
    """Second by second: what each function was doing in it, and what happened at its beginning."""
    engaged, ended = False, []
    doing_last = set()
    for name in {entry.function for entry in states}:
        at = {entry.second: entry for entry in states if entry.function == name}
        doing: str | None = None
        for second in range(30, -1, -1):
            before = doing
            if second in at:
                doing = at[second].state
                stops = doing in ("overridden", "deactivated") and before in (None, "engaged")
                if second <= within and (stops or (doing == "off" and before == "engaged")):
                    engaged = True
                if second <= within and stops:
                    ended.append((second, doing))
            if doing == "engaged" and second <= within:
                engaged = True
        doing_last.add(doing)
    if "engaged" in doing_last:
        return engaged, "engaged"
    if not ended:
        return engaged, "off"
    last = min(second for second, _ in ended)
    return engaged, "deactivated" if (last, "deactivated") in ended else "overridden"


@given(series, st.integers(0, 30))
def test_beside_a_walk_through_the_seconds(states: list[FunctionState], within: int) -> None:
    found = engagement(states, within)
    if not states:
        assert found == Engagement(None, (), (), "unknown")
        return
    assert (found.engaged, found.at_start) == _walk(states, within)
    assert bool(found.functions) == found.engaged


@given(series, st.integers(0, 30), st.integers(0, 30), st.randoms())
def test_a_longer_window_sees_no_less_and_order_does_not_matter(
    states: list[FunctionState], one: int, other: int, dice: object
) -> None:
    short, long = sorted((one, other))
    assert set(engagement(states, short).functions) <= set(engagement(states, long).functions)
    shuffled = list(states)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert engagement(shuffled, long) == engagement(states, long)


def test_nothing_is_known_of_earlier_seconds() -> None:
    with pytest.raises(ValueError, match="31"):
        engagement([], 31)
