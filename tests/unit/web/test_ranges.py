"""Ranges against a reading of RFC 9110 §14 byte by byte, which knows of no spans."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.web.http.ranges import MOST, Span, Unsatisfiable, multipart, spans

SIZE = st.integers(0, 40)
PLACE = st.integers(0, 50)


@st.composite
def specs(draw: st.DrawFn) -> str:
    """One range, well-formed or nearly."""
    kind = draw(st.integers(0, 9))
    first, last = draw(PLACE), draw(PLACE)
    if kind == 0:
        return f"-{first}"
    if kind == 1:
        return f"{first}-"
    if kind == 2:
        return draw(st.sampled_from(["", "-", "a-b", "1-2-3", "+1-2", "1 -2", "0x1-2", "--1", "٣-٤"]))
    return f"{min(first, last)}-{max(first, last)}" if kind < 9 else f"{first}-{last}"


def asked_bytes(spec: str, size: int) -> set[int] | None:
    """Which bytes a range asks for; None where it is not well-formed."""
    digits = set("0123456789")
    before, dash, after = spec.partition("-")
    if not dash or set(before) - digits or set(after) - digits or not before + after:
        return None
    if not before:
        return {byte for byte in range(size) if byte >= size - int(after)}
    if after and int(after) < int(before):
        return None
    return {byte for byte in range(size) if byte >= int(before) and (not after or byte <= int(after))}


def read(spec_list: list[str], size: int) -> list[set[int]] | str | None:
    named = [spec for spec in (text.strip(" \t") for text in spec_list) if spec]
    sets = [asked_bytes(spec, size) for spec in named]
    if not named or (any(found is None for found in sets) and len(named) <= MOST):
        return None
    wanted = [found for found in sets if found]
    return wanted or "416"


@given(st.lists(specs(), min_size=1, max_size=8), SIZE)
def test_what_is_sent_is_what_was_asked(listed: list[str], size: int) -> None:
    expected = read(listed, size)
    header = "bytes=" + ", ".join(listed)
    if expected is None:
        assert spans(header, size) is None
        return
    if expected == "416":
        with pytest.raises(Unsatisfiable):
            spans(header, size)
        return
    sent = spans(header, size)
    assert sent is not None
    assert not isinstance(expected, str)
    bytes_of = [set(range(span.first, span.last + 1)) for span in sent]
    # Every byte asked for, none twice, none else.
    assert sum(len(found) for found in bytes_of) == len(set().union(*bytes_of))
    assert set().union(*bytes_of) == set().union(*expected)
    # Each range lies in one part, whole; parts are in the order of the first range in them.
    homes = [next(place for place, found in enumerate(bytes_of) if wanted <= found) for wanted in expected]
    firsts = [homes.index(place) for place in range(len(sent))]
    assert firsts == sorted(firsts)
    # Ranges share a part only where a chain of overlaps leads from one to the other.
    for place in range(len(sent)):
        inside = [wanted for wanted, home in zip(expected, homes, strict=True) if home == place]
        reached, left = set(inside[0]), inside[1:]
        while more := [wanted for wanted in left if wanted & reached]:
            reached |= set().union(*more)
            left = [wanted for wanted in left if not wanted & reached]
        assert not left


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        ("bytes=0-499", 10000, [Span(0, 499)]),
        ("bytes=-500", 10000, [Span(9500, 9999)]),
        ("bytes=9500-", 10000, [Span(9500, 9999)]),
        ("bytes=0-0,-1", 10000, [Span(0, 0), Span(9999, 9999)]),
        (" bytes= 0-999, 4500-5499, -1000", 10000, [Span(0, 999), Span(4500, 5499), Span(9000, 9999)]),
        ("bytes=500-700,601-999", 10000, [Span(500, 999)]),
        ("bytes=7-9,0-3,2-4", 10, [Span(7, 9), Span(0, 4)]),
        ("bytes=0-4,5-9", 10, [Span(0, 4), Span(5, 9)]),
        ("bytes=0-99999999999999999999999", 10, None),
        ("items=0-4", 10, None),
        ("bytes", 10, None),
        ("bytes=", 10, None),
        ("bytes=,,", 10, None),
    ],
)
def test_examples_of_the_rfc(header: str, size: int, expected: list[Span] | None) -> None:
    assert spans(header, size) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-0", "bytes=10-11,12-"])
def test_outside_the_file(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        spans(header, 10)


def test_as_many_ranges_as_a_delta_client_asks_and_no_more() -> None:
    listed = [f"{2 * place}-{2 * place}" for place in range(MOST)]
    assert spans("bytes=" + ",".join(listed), 1000) == [Span(2 * place, 2 * place) for place in range(MOST)]
    with pytest.raises(Unsatisfiable):
        spans("bytes=" + ",".join([*listed, "999-999"]), 1000)


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 20)), min_size=2, max_size=6))
def test_the_length_said_is_the_length_sent(places: list[tuple[int, int]]) -> None:
    asked = [Span(first, first + size - 1) for first, size in places]
    body = multipart(asked, 1000, "application/octet-stream")
    sent = b"".join(part.head + b"x" * part.span.size for part in body.parts) + body.tail
    assert len(sent) == body.size
    boundary = body.content_type.partition("boundary=")[2].encode()
    assert sent.count(b"--" + boundary) == len(asked) + 1
    assert sent.endswith(b"--" + boundary + b"--\r\n")
    assert boundary.decode() not in multipart(asked, 1000, "text/plain").content_type
