"""What is signed about an artifact survives the way to the car, and nothing else passes for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuf.api.metadata import Metadata, TargetFile, Targets

from driveaway.updates.signing.entries import (
    Custom,
    Dependency,
    Entry,
    Function,
    Release,
    canonical,
    check_path,
    entry_of,
    target_of,
)
from driveaway.updates.signing.roles import role_for
from driveaway.values.errors import BadValue, Refused

words = st.text("abcxyz城-", min_size=1, max_size=4)
versions = st.lists(words, max_size=3).map(tuple)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
expressions = st.dictionaries(words, json_values, max_size=4)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
customs = st.builds(
    Custom,
    module=words, version=words, version_scheme=words, module_type=words,
    hardware=st.lists(words, min_size=1, max_size=3).map(tuple),
    counter=st.integers(0, 2**53 - 1),
    release=st.none() | st.builds(Release, words, words, st.dictionaries(words, digests, max_size=3)),
    functions=st.lists(st.builds(Function, words, expressions.map(canonical)), max_size=2).map(tuple),
    minimum_version=st.none() | words, excluded_versions=versions,
    dependencies=st.lists(
        st.builds(Dependency, words, st.none() | words, versions, st.booleans()), max_size=2
    ).map(tuple),
)  # fmt: skip
ABOUT: dict[str, Any] = {
    "module": "os", "version": "1", "version_scheme": "semver", "module_type": "os", "hardware": ["hpc"],
    "counter": 1,
}  # fmt: skip
HASHES = {"sha256": "0" * 64, "sha512": "0" * 128}
entries = st.builds(
    Entry, st.just("su7/1/os.swu"), st.integers(0, 2**53 - 1), digests,
    st.binary(min_size=64, max_size=64).map(bytes.hex), customs,
)  # fmt: skip


@given(entries)
def test_it_comes_back_from_signed_metadata(entry: Entry) -> None:
    targets = Targets(targets={entry.path: target_of(entry)})
    document = Metadata(targets)
    assert document.signed_bytes  # the canonical form of TUF has no fractions: gates must pass all the same
    read = Metadata[Targets].from_bytes(document.to_bytes()).signed.targets[entry.path]
    assert read == target_of(entry)
    assert entry_of(read) == entry


@given(expressions, st.randoms())
def test_an_expression_has_one_text(expression: dict[str, Any], random: Any) -> None:
    keys = list(expression)
    random.shuffle(keys)
    text = canonical(expression)
    assert canonical({name: expression[name] for name in keys}) == text
    assert json.loads(text) == expression


@pytest.mark.parametrize(
    "bad", [{"x": float("inf")}, {"x": float("nan")}, {"x": object()}], ids=("inf", "nan", "object")
)
def test_what_json_cannot_say_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(BadValue):
        canonical(bad)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        "a/./b",
        ".a",
        "a b",
        "a\\b",
        "a\n",
        "城",
        "a" * 201,
        "a?b",
        "%2e%2e/a",
    ],
)
def test_paths_that_climb_or_surprise_are_refused(path: str) -> None:
    with pytest.raises(BadValue):
        check_path(path)


@given(st.text("aZ09._+-/\\%~ \n城", max_size=12))
def test_a_path_that_passes_stays_where_it_is(path: str) -> None:
    try:
        check_path(path)
    except BadValue:
        return
    assert path.isascii()
    assert not any(part in ("", ".", "..") for part in path.split("/"))


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2}, {"counter": -1}, {"counter": "1"}, {"counter": 2**53}, {"module": ""},
        {"hardware": []}, {"release": {"name": "su7"}}, {"dependencies": [{}]},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_read_is_refused(change: dict[str, Any]) -> None:
    assert entry_of(TargetFile(1, HASHES, "a", {"custom": ABOUT})).custom.counter == 1
    with pytest.raises(Refused):
        entry_of(TargetFile(1, HASHES, "a", {"custom": ABOUT | change}))


def test_what_a_newer_writer_adds_does_not_stop_a_car() -> None:
    assert entry_of(TargetFile(1, HASHES, "a", {"custom": ABOUT | {"notes": "new"}})).custom.module == "os"


def test_who_signs_a_path() -> None:
    assert role_for("su7/1/os.swu") == "targets"
    assert role_for("suppliers/lidar/a.bin") == "supplier.lidar"
    with pytest.raises(BadValue):
        role_for("suppliers/lidar/deep/a.bin")
