"""Parts of the simulated fleet: choices, percentiles, lines."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.updates.car.fleet.behaviour import Behaviour
from driveaway.updates.car.fleet.counts import Latencies
from driveaway.updates.car.fleet.line import Line, Place, place_of
from driveaway.values.errors import BadValue


def test_choices_follow_from_the_seed() -> None:
    one, same, other = (Behaviour(seed=seed, failing=0.3, silent=0.1) for seed in (1, 1, 2))
    cars = [f"CAR{number}" for number in range(2000)]
    endings = [one.ending(car, 7) for car in cars]
    assert endings == [same.ending(car, 7) for car in cars]
    assert endings != [other.ending(car, 7) for car in cars]
    assert endings != [one.ending(car, 8) for car in cars]
    counted = Counter(endings)
    # Four standard deviations.
    assert abs(counted["failure"] - 600) < 82
    assert abs(counted["silent"] - 200) < 54
    assert all(5 <= one.lasts(10, car, "reboot") <= 15 for car in cars)


@pytest.mark.parametrize(("failing", "silent"), [(-0.1, 0), (0, 1.1), (0.6, 0.6)])
def test_shares_that_cannot_be(failing: float, silent: float) -> None:
    with pytest.raises(BadValue):
        Behaviour(failing=failing, silent=silent)


@given(st.lists(st.floats(1e-5, 100), min_size=1, max_size=60), st.floats(0.01, 1))
def test_percentiles_within_two_percent(seconds: list[float], share: float) -> None:
    latencies = Latencies()
    for each in seconds:
        latencies.add(each)
    found = latencies.percentile(share)
    assert found is not None
    # That of the rank, or a neighbour's where the share meets a rank within a rounding.
    ordered = sorted(seconds)
    rank = share * len(ordered)
    near = [ordered[min(len(ordered) - 1, max(0, place))] for place in (int(rank) - 1, int(rank))]
    assert any(0.98 * value <= found <= 1.02 * value for value in near)


def test_no_answers_have_no_percentile() -> None:
    assert Latencies().percentile(0.5) is None


@pytest.mark.parametrize("url", ["", "cars.example", "ftp://cars.example", "http://", "http://x:port"])
def test_what_is_no_server(url: str) -> None:
    with pytest.raises(BadValue):
        place_of(url)


def test_places() -> None:
    assert place_of("http://cars.example")[:2] == ("cars.example", 80)
    secure = place_of("https://cars.example:8443/")
    assert secure[:2] == ("cars.example", 8443)
    assert secure.tls is not None


async def asked(answers: list[bytes], questions: int = 1, method: str = "GET") -> list[tuple[int, bytes]]:
    """What a line makes of what a server sends, in these pieces, for each question."""

    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while await reader.readline():
            while await reader.readline() != b"\r\n":
                pass
            for piece in answers:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.002)
            if answers[-1:] == [b""]:
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    line = Line(Place("127.0.0.1", port, None, "x"))
    try:
        return [tuple(await line.ask(method, "/", "TargetToken x")) for _ in range(questions)]
    finally:
        line.close()
        server.close()
        for writer in writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        await asyncio.sleep(0.02)


def test_answers_in_pieces() -> None:
    pieces = [b"HTTP/1.1 20", b"0 OK\r\nContent-Le", b"ngth: 4\r\n\r", b"\nab", b"cd"]
    assert asyncio.run(asked(pieces, questions=3)) == [(200, b"abcd")] * 3


def test_answers_without_a_body() -> None:
    assert asyncio.run(asked([b"HTTP/1.1 304 x\r\n\r\n"])) == [(304, b"")]
    head = [b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"]
    assert asyncio.run(asked(head, method="HEAD")) == [(200, b"")]


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\n\r\nabc"],
        [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", b""],
        [b"HTTP/1.1 200", b""],
        [b""],
    ],
)
def test_answers_that_break_off(pieces: list[bytes]) -> None:
    with pytest.raises(ConnectionError):
        asyncio.run(asked(pieces))


def test_a_line_that_is_closed_is_opened_anew() -> None:
    pieces = [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na", b""]
    assert asyncio.run(asked(pieces, questions=3)) == [(200, b"a")] * 3
