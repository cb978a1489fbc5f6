"""The order of versions: published examples, an independent reading of SemVer, and the laws of an order."""

from __future__ import annotations

from datetime import date
from functools import cmp_to_key
from itertools import pairwise, zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.updates.versions import FIRST_KEY, compare, is_version, sort_key

# Semantic Versioning 2.0.0, section 11, and what follows from the rules in the module's words.
ASCENDING = [
    ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"],
    ["1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "2.0.0", "2.1.0", "2.1.1"],
    ["1.2.9", "1.2.10", "1.2.10.1", "1.3"],
    ["2024.5", "2024.05.31", "2024-06-01", "2024.06.01.2", "2024-06-01-3", "2024.10"],
    ["1.0.2", "1.0.2a", "1.0.2b", "1.0.2.1"],
    ["1.0.3.0", "1.0.3.0.UNCC", "1.0.3.0.1"],
    ["1.1.0rc1", "1.1.0_rc2", "1.1.0"],
    ["1.1.0~1", "1.1.0~2", "v1.1.0"],
    ["9" * 7, "1" + "0" * 7, "9" * 40, "1" + "0" * 40, "9" * 5000, "1" + "0" * 5000],
    ["", "black", "unknown", "0", "0.0.1"],
]


@pytest.mark.parametrize(("before", "after"), [pair for line in ASCENDING for pair in pairwise(line)])
def test_published_and_documented_orders(before: str, after: str) -> None:
    assert compare(before, after) == -1
    assert compare(after, before) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.2", "1.2.0"),
        ("v1.2.0", "1.2"),
        ("V1.2.0", " 1.2\t"),
        ("1.0.0+build.5", "1.0.0"),
        ("1.0.0-rc.1+build.5", "1.0.0-rc.1"),
        ("2024-05-31", "2024.5.31"),
        ("2024.05.31", "2024.5.31"),
        ("1.1.0rc1", "1.1.0-rc1"),
        ("1.1.0.RC1", "1.1.0-RC1"),
        ("0.0.0", "v0"),
        ("1.0-", "1.0"),
        ("1.0- +7", "1.0"),
        ("1.0-rc 1", "1.0-rc.1"),
    ],
)
def test_the_same_version_in_other_words(one: str, other: str) -> None:
    assert compare(one, other) == 0


@pytest.mark.parametrize("text", ["", "red", "vw", "-1", "v", "٣.1"])
def test_what_is_no_version_lies_below_every_version(text: str) -> None:
    assert not is_version(text)
    assert sort_key(text) < FIRST_KEY <= sort_key("0.0.0-0")


numbers = st.one_of(st.integers(0, 12), st.integers(0, 10**12)).map(str)
identifiers = st.one_of(numbers, st.from_regex(r"[0-9]*[A-Za-z-][0-9A-Za-z-]{0,4}", fullmatch=True))
Version = tuple[tuple[str, ...], list[str], str]
SEMVER = st.tuples(
    st.tuples(numbers, numbers, numbers),
    st.lists(identifiers, max_size=4),
    st.sampled_from(["", "+7", "+a.b"]),
)
ANY = st.one_of(
    st.text(max_size=8),
    st.text(alphabet="v01293.-~_+ arcbetZ测", max_size=12),
    st.from_regex(r"v?[0-9]{1,3}([.-][0-9]{1,3}|-?rc[0-9]|[a-z]){0,4}(\+x)?", fullmatch=True),
)


def _written(version: Version) -> str:
    core, pre, build = version
    return ".".join(core) + ("-" + ".".join(pre) if pre else "") + build


def _by_semver(one: Version, other: Version) -> int:
    """Section 11, word by word."""
    for a, b in zip(map(int, one[0]), map(int, other[0]), strict=True):
        if a != b:
            return -1 if a < b else 1
    if not one[1] or not other[1]:
        return bool(other[1]) - bool(one[1])
    for x, y in zip_longest(one[1], other[1]):
        if x is None or y is None:
            return -1 if x is None else 1
        if x.isdigit() and y.isdigit():
            if int(x) != int(y):
                return -1 if int(x) < int(y) else 1
        elif x.isdigit() != y.isdigit():
            return -1 if x.isdigit() else 1
        elif x != y:
            return -1 if x < y else 1
    return 0


@given(SEMVER, SEMVER)
def test_it_agrees_with_semver(one: Version, other: Version) -> None:
    assert compare(_written(one), _written(other)) == -_by_semver(other, one) == _by_semver(one, other)


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=6),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=6),
)
def test_dotted_numbers_compare_as_numbers(one: list[int], other: list[int]) -> None:
    width = max(len(one), len(other))
    a, b = (tuple(v + [0] * (width - len(v))) for v in (one, other))
    assert compare(".".join(map(str, one)), ".".join(map(str, other))) == (a > b) - (a < b)


days = st.dates(min_value=date(1900, 1, 1))


@given(days, days, st.sampled_from(["%Y-%m-%d", "%Y.%m.%d"]))
def test_dates_compare_as_dates(one: date, other: date, form: str) -> None:
    assert compare(f"{one}", f"{other:{form}}") == (one > other) - (one < other)


@given(st.lists(ANY, min_size=3, max_size=3))
def test_it_is_a_total_order(texts: list[str]) -> None:
    a, b, c = sorted(texts, key=cmp_to_key(compare))
    assert compare(a, a) == 0
    assert compare(a, b) <= 0
    assert compare(b, c) <= 0
    assert compare(a, c) <= 0
    assert compare(a, b) == -compare(b, a)
    if compare(a, c) == 0:
        assert compare(a, b) == compare(b, c) == 0


@given(ANY, ANY)
def test_the_key_in_utf8_has_the_same_order(one: str, other: str) -> None:
    first, second = (sort_key(text).encode("utf-8", "surrogatepass") for text in (one, other))
    assert compare(one, other) == (first > second) - (first < second)


@given(ANY, ANY)
def test_build_metadata_says_nothing(version: str, build: str) -> None:
    if is_version(version):
        assert compare(version + "+" + build, version) == 0
