"""Artifacts: ranges, conditions, sums, readers that are slow or gone."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.ddi.fake import CREATED, content, token
from tests.conformance.ddi.server import Answer, Connection, Server

FILE = "/DEFAULT/controller/v1/CAR000001/softwaremodules/7/artifacts/os%201.0%20%C3%BC.swu"
KNOWN = {"Authorization": f"TargetToken {token(1)}"}
DATA = content(100_000)
SHA1 = hashlib.sha1(DATA).hexdigest()
CHUNK = 128 * 1024


@pytest.fixture
def connection(server: Server) -> Iterator[Connection]:
    with server.connect() as opened:
        yield opened


def parts_of(answer: Answer) -> list[tuple[str, bytes]]:
    """(Content-Range, bytes) of each part, read as RFC 2046 §5.1 says."""
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    pieces = (b"\r\n" + answer.body).split(b"\r\n--" + boundary.encode())
    assert pieces[0] == b""
    assert pieces[-1] == b"--\r\n"
    found = []
    for piece in pieces[1:-1]:
        head, _, data = piece.partition(b"\r\n\r\n")
        match = re.search(rb"\r\nContent-Range: (bytes \d+-\d+/\d+)", head)
        assert match is not None
        assert b"\r\nContent-Type: application/octet-stream" in head
        found.append((match[1].decode(), data))
    return found


def test_head_then_get(connection: Connection) -> None:
    head = connection.ask("HEAD", FILE, KNOWN)
    whole = connection.ask("GET", FILE, KNOWN)
    assert (head.status, whole.status, whole.body) == (200, 200, DATA)
    for name in ("content-length", "etag", "last-modified", "accept-ranges", "content-disposition"):
        assert head.headers[name] == whole.headers[name]
    assert head.headers["content-length"] == "100000"
    assert head.headers["etag"] == f'"{SHA1}"'
    assert head.headers["last-modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert head.headers["accept-ranges"] == "bytes"
    expected = "attachment; filename=\"os 1.0 _.swu\"; filename*=UTF-8''os%201.0%20%C3%BC.swu"
    assert head.headers["content-disposition"] == expected
    assert CREATED // 10**6 == 1_700_000_000


def test_resuming(connection: Connection) -> None:
    answer = connection.ask("GET", FILE, {**KNOWN, "Range": "bytes=99990-"})
    assert (answer.status, answer.body) == (206, DATA[99990:])
    assert answer.headers["content-range"] == "bytes 99990-99999/100000"
    end = connection.ask("GET", FILE, {**KNOWN, "Range": "bytes=100000-"})
    assert (end.status, end.headers["content-range"]) == (416, "bytes */100000")
    assert connection.ask("HEAD", FILE, {**KNOWN, "Range": "bytes=0-1"}).status == 200


def test_streaming_in_closed_ranges_until_416(server: Server) -> None:
    found = b""
    with server.connect() as connection:
        while True:
            asked = f"bytes={len(found)}-{len(found) + CHUNK - 1}"
            answer = connection.ask("GET", FILE, {**KNOWN, "Range": asked})
            if answer.status == 416:
                break
            assert answer.status == 206
            found += answer.body
    assert found == DATA


def test_as_many_ranges_as_a_delta_needs(connection: Connection) -> None:
    wanted = [(600 * place + place % 7, 600 * place + place % 7 + 99) for place in range(150)]
    asked = ",".join(f"{first}-{last}" for first, last in wanted)
    answer = connection.ask("GET", FILE, {**KNOWN, "Range": f"bytes={asked}"})
    assert answer.status == 206
    assert "content-range" not in answer.headers
    expected = [(f"bytes {first}-{last}/100000", DATA[first : last + 1]) for first, last in wanted]
    assert parts_of(answer) == expected
    more = connection.ask("GET", FILE, {**KNOWN, "Range": f"bytes={asked},99999-99999"})
    assert more.status == 416


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 100_100), st.integers(0, 5000)), min_size=2, max_size=12))
def test_any_ranges_are_put_together_again(server: Server, wanted: list[tuple[int, int]]) -> None:
    asked = ",".join(f"{first}-{first + more}" for first, more in wanted)
    answer = server.ask("GET", FILE, {**KNOWN, "Range": f"bytes={asked}"})
    inside = [(first, min(first + more, 99_999)) for first, more in wanted if first < 100_000]
    if not inside:
        assert answer.status == 416
        return
    assert answer.status == 206
    if "content-range" in answer.headers:
        parts = [(answer.headers["content-range"], answer.body)]
    else:
        parts = parts_of(answer)
    got: dict[int, int] = {}
    for header, data in parts:
        match = re.fullmatch(r"bytes (\d+)-(\d+)/100000", header)
        assert match is not None
        assert len(data) == int(match[2]) - int(match[1]) + 1
        got.update(zip(range(int(match[1]), int(match[2]) + 1), data, strict=True))
    assert set(got) == {place for first, last in inside for place in range(first, last + 1)}
    assert all(DATA[place] == byte for place, byte in got.items())


@pytest.mark.parametrize(
    ("named", "status"),
    [
        ({"If-Range": f'"{SHA1}"'}, 206),
        ({"If-Range": f'W/"{SHA1}"'}, 200),
        ({"If-Range": '"other"'}, 200),
        ({"If-Range": "Tue, 14 Nov 2023 22:13:20 GMT"}, 206),
        ({"If-Range": "Tue, 14 Nov 2023 22:13:21 GMT"}, 200),
        ({"If-Match": f'"{SHA1}"'}, 206),
        ({"If-Match": '"other"'}, 412),
        ({"If-None-Match": f'"{SHA1}"'}, 304),
        ({"If-Modified-Since": "Tue, 14 Nov 2023 22:13:20 GMT"}, 304),
        ({"If-Unmodified-Since": "Tue, 14 Nov 2023 22:13:19 GMT"}, 412),
        ({"Range": "lines=0-9"}, 200),
        ({"Range": "bytes=9-0"}, 200),
        ({"Range": "bytes=0-9, 5"}, 200),
    ],
)
def test_conditions(connection: Connection, named: dict[str, str], status: int) -> None:
    answer = connection.ask("GET", FILE, {**KNOWN, "Range": "bytes=0-9", **named})
    assert answer.status == status
    if status in (200, 206):
        assert answer.body == (DATA if status == 200 else DATA[:10])


def test_md5sum(connection: Connection) -> None:
    answer = connection.ask("GET", f"{FILE}.MD5SUM", KNOWN)
    assert answer.body.decode() == f"{hashlib.md5(DATA).hexdigest()}  os 1.0 ü.swu"
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "rest",
    ["other.swu", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "os%201.0", ".MD5SUM", "other.MD5SUM", "a%5Cb"],
)
def test_names_that_lead_nowhere(connection: Connection, rest: str) -> None:
    at = f"/DEFAULT/controller/v1/CAR000001/softwaremodules/7/artifacts/{rest}"
    assert connection.ask("GET", at, KNOWN).status == 404


def test_who_reads_slowly_holds_nobody_up(tmp_path: Path) -> None:
    size = 32 * 1024 * 1024
    with Server(tmp_path, environment={"FAKE_SIZE": str(size)}) as server:
        slow = [server.connect() for _ in range(5)]
        for connection in slow:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            lines = f"GET {FILE} HTTP/1.1\r\nHost: x\r\nAuthorization: TargetToken {token(1)}\r\n\r\n"
            connection.write(lines.encode())
            assert connection.file.readline() == b"HTTP/1.1 200 OK\r\n"
        memory = _memory(server)
        # While five readers take nothing, others are served: polls, and the whole file.
        assert server.ask("GET", "/DEFAULT/controller/v1/CAR000001", KNOWN).status == 200
        whole = server.ask("GET", FILE, KNOWN)
        assert hashlib.sha1(whole.body).hexdigest() == whole.headers["etag"].strip('"')
        # Nothing of the files is held: the sockets' own buffers are the kernel's.
        assert _memory(server) - memory < 8 * 1024 * 1024
        for connection in slow[:3]:
            connection.__exit__()
        assert slow[3].read_rest(size) == content(size)[-8:]
        for connection in slow[3:]:
            connection.__exit__()
        assert server.ask("GET", "/health").status == 200
        assert server.stop() == 0
        assert "defect" not in server.log()
        assert "Exception" not in server.log()


def _memory(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    match = re.search(r"RssAnon:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024


def test_a_file_that_is_not_as_it_was_stored(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        (tmp_path / "content").write_bytes(DATA[:-1])
        answer = server.ask("GET", FILE, KNOWN)
        assert (answer.status, answer.json["code"]) == (503, "web.file")
        (tmp_path / "content").unlink()
        assert server.ask("GET", FILE, KNOWN).status == 503
        assert str(tmp_path) not in server.ask("GET", FILE, KNOWN).body.decode()


def test_two_downloads_on_one_line_one_after_the_other(connection: Connection) -> None:
    lines = f"GET {FILE} HTTP/1.1\r\nHost: x\r\nAuthorization: TargetToken {token(1)}\r\n\r\n".encode()
    connection.write(lines * 3)
    assert [connection.read().body == DATA for _ in range(3)] == [True] * 3


def test_over_tls_in_chunks(tmp_path: Path, certificates: Path) -> None:
    tls = f"tls=Tls(Path({str(certificates / 'server.pem')!r}), Path({str(certificates / 'server.key')!r}))"
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    with Server(tmp_path, tls, {"FAKE_SIZE": "3000000"}) as server:
        with server.connect(context) as connection:
            answer = connection.ask("GET", FILE, {**KNOWN, "Range": "bytes=1-2999998"})
            assert answer.body == content(3_000_000)[1:-1]
            multi = connection.ask("GET", FILE, {**KNOWN, "Range": "bytes=0-3,8-11"})
            assert [data for _, data in parts_of(multi)] == [content(4), content(12)[8:]]
            poll = connection.ask("GET", "/DEFAULT/controller/v1/CAR000001", {**KNOWN, "Host": "h:1"})
            assert poll.json["_links"]["confirmationBase"]["href"].startswith("https://h:1/")
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 15
