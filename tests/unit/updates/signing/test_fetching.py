"""How a car fetches: exactly what is signed, from whatever answers."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from driveaway.updates.signing.bundle import pack, unpack
from driveaway.updates.signing.fetching import HttpFetcher, Patience
from driveaway.updates.signing.repository import Repository
from driveaway.updates.signing.verifying import Limits, Trust, Verified
from driveaway.values.clock import DAY
from driveaway.values.errors import DriveawayError, Refused, Unavailable
from tests.conformance.tuf import maker
from tests.conformance.tuf.maker import AT, agree, custom, entry

CONTENT = b"software" * 100
PATH = "su7/1/os.swu"


@contextmanager
def answering(answer: bytes, *, hold: bool = False) -> Iterator[str]:
    """A server that answers one request with these very bytes."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                if hold:
                    done.wait(30)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/{PATH}"
        finally:
            done.set()
            thread.join()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = maker.founded(tmp_path / "repository")
    repository.propose("one", [entry(PATH, CONTENT, custom("os", 1))], by="dana", at=AT)
    agree(repository, "one", AT, "dana", "eli")
    return repository


@pytest.fixture
def verified(repository: Repository, tmp_path: Path) -> Verified:
    trust = Trust(tmp_path / "car", (repository.metadata / "1.root.json").read_bytes())
    return trust.bundled(repository.bundle(), AT)


def head(length: int | None, extra: str = "", status: str = "200 OK") -> bytes:
    size = "" if length is None else f"Content-Length: {length}\r\n"
    return f"HTTP/1.1 {status}\r\n{size}{extra}\r\n".encode()


def chunked(content: bytes) -> bytes:
    parts = [content[start : start + 300] for start in range(0, len(content), 300)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    return head(None, "Transfer-Encoding: chunked\r\n") + body


@pytest.mark.parametrize(
    "answer",
    [head(len(CONTENT)) + CONTENT, chunked(CONTENT), head(None) + CONTENT],
    ids=("length", "chunks", "until-the-end"),
)
def test_what_is_signed_arrives(answer: bytes, verified: Verified, tmp_path: Path) -> None:
    file = tmp_path / "os.swu"
    with answering(answer) as url:
        verified.fetch(verified.entry(PATH), url, file)
    assert file.read_bytes() == CONTENT
    verified.check(verified.entry(PATH), file)
    assert [path.name for path in tmp_path.glob(".*")] == []


BOMB = gzip.compress(bytes(1 << 22))


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("content", head(len(CONTENT)) + CONTENT.upper()),
        ("content", head(10) + CONTENT[:10]),
        ("too_long", head(len(CONTENT) + 1) + CONTENT + b"!"),
        ("too_long", chunked(CONTENT * 2)),
        ("unreachable", head(len(CONTENT)) + CONTENT[:-1]),
        ("unreachable", head(0, status="404 Not Found")),
        ("unreachable", head(0, "Location: http://127.0.0.1:9/\r\n", "302 Found")),
        ("unreachable", b"what?"),
        ("too_long", head(len(BOMB), "Content-Encoding: gzip\r\n") + BOMB),
    ],
    ids=("changed", "short", "long", "long-chunks", "cut", "missing", "redirected", "no-http", "bomb"),
)
def test_what_is_not_signed_does_not(code: str, answer: bytes, verified: Verified, tmp_path: Path) -> None:
    file = tmp_path / "os.swu"
    with answering(answer) as url, pytest.raises(DriveawayError) as caught:
        verified.fetch(verified.entry(PATH), url, file)
    assert caught.value.code == f"updates.{code}"
    assert not file.exists()
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_silence_is_given_up(verified: Verified, tmp_path: Path) -> None:
    fetcher = HttpFetcher(patience=Patience(silence=0.05))
    for answer in (b"", head(len(CONTENT)) + CONTENT[:10]):
        with answering(answer, hold=True) as url, pytest.raises(Unavailable, match=r"updates\.slow"):
            verified.fetch(verified.entry(PATH), url, tmp_path / "os.swu", fetcher)


def test_a_file_that_came_another_way_is_checked(verified: Verified, tmp_path: Path) -> None:
    file = tmp_path / "os.swu"
    file.write_bytes(CONTENT[:-1])
    with pytest.raises(Refused, match=r"updates\.content"):
        verified.check(verified.entry(PATH), file)


# --- bundles --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"metadata":{},"format":2}', b'{"metadata":{"a":1}}', b"\xff"]
)
def test_what_is_no_bundle_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match=r"updates\.metadata"):
        unpack(content)


def spoiled(change: Callable[[dict[str, bytes]], object]) -> Callable[[bytes], bytes]:
    def spoil(bundle: bytes) -> bytes:
        files = unpack(bundle)
        change(files)
        return pack(files)

    return spoil


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("unreachable", spoiled(lambda files: files.pop("timestamp.json"))),
        ("unreachable", spoiled(lambda files: files.pop("2.snapshot.json"))),
        ("unreachable", spoiled(lambda files: files.pop("2.targets.json"))),
        ("metadata", spoiled(lambda files: files.update({"timestamp.json": b"{}"}))),
        ("metadata", spoiled(lambda files: files.update({"timestamp.json": files["1.root.json"]}))),
        (
            "content",
            spoiled(lambda files: files.update({"2.snapshot.json": files["2.snapshot.json"].lower()})),
        ),
        ("too_long", spoiled(lambda files: files.update({"2.targets.json": b" " * (1 << 20)}))),
    ],
    ids=map(str, range(7)),
)
def test_a_spoiled_bundle_is_refused(
    code: str, spoil: Callable[[bytes], bytes], repository: Repository, tmp_path: Path
) -> None:
    trust = Trust(
        tmp_path / "car", (repository.metadata / "1.root.json").read_bytes(), Limits(bundle=1 << 21)
    )
    with pytest.raises(DriveawayError) as caught:
        trust.bundled(spoil(repository.bundle()), AT)
    assert caught.value.code == f"updates.{code}"
    assert trust.bundled(repository.bundle(), AT).entry(PATH).length == len(CONTENT)


def test_a_car_that_was_off_for_years_follows_the_roots(repository: Repository, tmp_path: Path) -> None:
    root = (repository.metadata / "1.root.json").read_bytes()
    for year in range(1, 4):
        at = AT + year * 300 * DAY
        for number, propose in enumerate((repository.rotate, None)):
            name = f"renew-{year}-{number}"
            if propose:
                propose(name, None, by="ann", at=at)
                agree(repository, name, at, "ann", "ben")
            else:
                repository.propose(name, by="dana", at=at)
                agree(repository, name, at, "dana", "eli")
    assert Trust(tmp_path / "car", root).bundled(repository.bundle(), at).entry(PATH)
    with pytest.raises(Refused, match=r"updates\.(expired|rolled_back)"):
        Trust(tmp_path / "short", root, Limits(roots=1)).bundled(repository.bundle(), at)
