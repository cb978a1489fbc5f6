"""The reference client in front of servers that break, lie or never come to an end."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.updates.car.client import Car, parts_of
from driveaway.updates.car.documents import Base, Cancellation, Deployment, read
from driveaway.updates.car.driving import LONGEST_WAIT, Patient, drive, settle
from driveaway.updates.car.exchange import MOST_DOCUMENT, Exchange, Patience
from driveaway.updates.car.memory import Identity, Memory
from driveaway.updates.car.parts import path_in_slot, unsigned, wanted
from driveaway.updates.car.slots import InstalledFile, InstalledModule, Manifest
from driveaway.values.errors import BadValue, Conflict, DriveawayError, NotFound, Refused, Unavailable

CONTENT = b"software " * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(connect=2, silence=1, document=0.4, pace=1e9)
Handler = BaseHTTPRequestHandler


class Evil:
    """A server that does what it is told; ``asked`` are the requests as they came."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.answers: dict[str, Callable[[Handler], None]] = {}
        evil = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                evil.asked.append((self.command, self.path, dict(self.headers)))
                try:
                    evil.answers[self.path.partition("?")[0]](self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_PUT = do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def says(self, path: str, content: bytes | Any, status: int = 200, **headers: str) -> None:
        body = content if isinstance(content, bytes) else msgspec.json.encode(content)

        def answer(handler: Handler) -> None:
            handler.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        self.answers[path] = answer

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def evil() -> Iterator[Evil]:
    server = Evil()
    yield server
    server.close()


BASE = "/DEFAULT/controller/v1/CAR"


@pytest.fixture
def car(evil: Evil, tmp_path: Path) -> Iterator[Car]:
    """A car that runs an update already."""
    Memory(tmp_path).name(
        Identity(controller_id="CAR", server=evil.url, credential="TargetToken secret", signed=False)
    )
    made = Car(tmp_path, unsigned, patience=QUICK)
    source = tmp_path.parent / f"{tmp_path.name}-source"
    source.write_bytes(CONTENT)
    file = InstalledFile(path="os/a.swu", size=len(CONTENT), sha256=SHA256)
    module = InstalledModule(name="os", version="1", type="os", files=(file,))
    made.slots.switch(
        made.slots.install(Manifest(name="os", version="1", modules=(module,)), {file.path: source})
    )
    offer(evil)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def offer(evil: Evil, **artifact: Any) -> dict[str, Any]:
    """Offer action 2, an update to version 2; the document."""
    evil.says(BASE, {"_links": {"deploymentBase": {"href": f"{evil.url}{BASE}/deploymentBase/2"}}})
    described = {
        "filename": "a.swu",
        "size": len(CONTENT),
        "hashes": {"sha256": SHA256},
        "_links": {"download": {"href": f"{evil.url}/file"}},
        **artifact,
    }
    chunk = {"part": "os", "name": "os", "version": "2", "artifacts": [described]}
    document = {"id": 2, "deployment": {"download": "forced", "update": "forced", "chunks": [chunk]}}
    evil.says(f"{BASE}/deploymentBase/2", document)
    evil.says("/file", CONTENT)
    evil.says(f"{BASE}/deploymentBase/2/feedback", b"")
    evil.says(f"{BASE}/configData", b"")
    return document


def failed(car: Car) -> None:
    """A round, and the same software as before it."""
    with pytest.raises(DriveawayError):
        settle(car)
    assert whole(car)


def whole(car: Car) -> bool:
    held = car.held
    return held is not None and held.version == "1" and car.slots.verify(str(car.slots.running))


def refused(car: Car) -> None:
    """The update is refused, and reported as a failure."""
    did = [car.round().did for _ in range(2)]
    assert did[0].startswith("refused")
    assert did[1] == "reported failure"
    assert whole(car)


@pytest.mark.parametrize(
    "junk",
    [
        b"", b"nonsense", b"[]", b"7", b"null", b'{"_links": 7}', b'{"_links": {"deploymentBase": {}}}',
        b'{"_links": {"deploymentBase": {"href": 7}}}', b'{"config": []}', b"\xff\xfe", b"[" * 100_000,
        b'{"_links": {"deploymentBase": {"href": "gopher://x"}}}',
        b'{"_links": {"deploymentBase": {"href": "http://[::"}}}',
    ],
)  # fmt: skip
def test_junk_for_a_poll(evil: Evil, car: Car, junk: bytes) -> None:
    evil.says(BASE, junk)
    failed(car)


@pytest.mark.parametrize(
    "changed",
    [
        {"id": None}, {"id": "two"}, {"id": [2]}, {"deployment": None}, {"deployment": {}},
        {"deployment": {"download": "now", "update": "forced", "chunks": []}},
        {"deployment": {"download": "forced", "update": "forced", "chunks": [7]}},
    ],
)  # fmt: skip
def test_junk_for_a_deployment(evil: Evil, car: Car, changed: dict[str, Any]) -> None:
    evil.says(f"{BASE}/deploymentBase/2", offer(evil) | changed)
    failed(car)


@pytest.mark.parametrize(
    "artifact",
    [
        {"filename": "../../running"}, {"filename": ".."}, {"filename": ""}, {"filename": "a/b"},
        {"filename": "a\0b"}, {"filename": "x" * 300}, {"hashes": {}}, {"hashes": {"sha256": "00"}},
        {"hashes": {"sha256": "Z" * 64}}, {"size": -1}, {"size": 0}, {"size": 1 << 62}, {"_links": {}},
        {"_links": {"download": {"href": "file:///etc/passwd"}}},
        {"hashes": {"sha256": hashlib.sha256(b"").hexdigest()}},
        {"size": len(CONTENT) - 1},
    ],
)  # fmt: skip
def test_files_that_cannot_be(evil: Evil, car: Car, artifact: dict[str, Any]) -> None:
    offer(evil, **artifact)
    if artifact.get("size") == 1 << 62:
        # It ends too early: the line may have broken.
        failed(car)
    else:
        refused(car)
    outside = {path.name for path in car.folder.iterdir()}
    assert outside <= {"car.json", "download", "lock", "pending.json", "slots"}


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410, 429, 500])
@pytest.mark.parametrize("where", [BASE, f"{BASE}/deploymentBase/2"])
def test_any_status(evil: Evil, car: Car, status: int, where: str) -> None:
    evil.says(where, b"{}", status, Location="http://127.0.0.2/", Retry_After="9")
    failed(car)
    assert {path for _, path, _ in evil.asked} <= {BASE, where}


@pytest.mark.parametrize("status", [302, 400, 404, 410, 429, 500])
def test_messages_that_are_not_taken_stop_no_update(evil: Evil, car: Car, status: int) -> None:
    evil.says(f"{BASE}/deploymentBase/2/feedback", b"{}", status)
    if status in (404, 410):
        # The action is not open any longer.
        failed(car)
        return
    assert car.round().did.startswith("installed")
    if status in (429, 500):
        for _ in range(2):
            with pytest.raises(Unavailable):
                car.round()
        evil.says(f"{BASE}/deploymentBase/2/feedback", b"")
    assert car.round().did == "reported success"


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410, 416, 500])
def test_any_status_for_the_file(evil: Evil, car: Car, status: int) -> None:
    evil.says("/file", b"{}", status)
    if status in (401, 404, 410, 500):
        failed(car)
    else:
        refused(car)


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    while True:
        handler.wfile.write(chunk)


def dripping(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    for byte in CONTENT[:200]:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.01)


def silent(handler: Handler) -> None:
    time.sleep(1.3)
    handler.close_connection = True


def cut_off(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT[:1000])
    handler.close_connection = True


@pytest.mark.parametrize("answer", [endless, dripping, silent, cut_off])
def test_documents_that_do_not_come_to_an_end(evil: Evil, car: Car, answer: Callable[..., None]) -> None:
    evil.answers[BASE] = answer
    begun = time.monotonic()
    failed(car)
    assert time.monotonic() - begun < 30


def test_a_file_that_does_not_come_to_an_end(evil: Evil, car: Car) -> None:
    evil.answers["/file"] = endless
    refused(car)


@pytest.mark.parametrize("answer", [dripping, silent, cut_off])
def test_a_file_that_stops_is_kept_for_later(evil: Evil, car: Car, answer: Callable[..., None]) -> None:
    evil.answers["/file"] = answer
    failed(car)
    evil.says("/file", CONTENT)
    settle_until_booted(car)


def settle_until_booted(car: Car) -> None:
    assert car.round().did.startswith("installed")
    assert car.round().did == "reported success"
    held = car.held
    assert held is not None
    assert held.version == "2"


def test_a_range_from_elsewhere_is_not_taken(evil: Evil, car: Car) -> None:
    evil.answers["/file"] = cut_off
    failed(car)
    evil.says("/file", CONTENT, 206, Content_Range=f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}")
    refused(car)


def test_a_server_that_knows_no_ranges_sends_it_whole(evil: Evil, car: Car) -> None:
    evil.answers["/file"] = cut_off
    failed(car)
    evil.says("/file", CONTENT)
    evil.asked.clear()
    settle_until_booted(car)
    (asked,) = [headers for _, path, headers in evil.asked if path == "/file"]
    assert asked["Range"] == "bytes=1000-"


def test_the_token_goes_to_the_own_server_alone(evil: Evil, car: Car) -> None:
    other = Evil()
    try:
        other.says("/file", CONTENT)
        offer(evil, _links={"download": {"href": f"{other.url}/file"}})
        settle_until_booted(car)
        assert [headers.get("Authorization") for _, _, headers in other.asked] == [None]
        assert {headers.get("Authorization") for _, _, headers in evil.asked} == {"TargetToken secret"}
    finally:
        other.close()


def test_documents_that_have_not_changed_are_not_sent_again(evil: Evil, tmp_path: Path) -> None:
    exchange = Exchange(evil.url, "")
    evil.says("/x", {"a": 1}, ETag='"1"')
    assert exchange.get(f"{evil.url}/x") == {"a": 1}
    evil.says("/x", b"", 304)
    assert exchange.get(f"{evil.url}/x") == {"a": 1}
    assert evil.asked[-1][2]["If-None-Match"] == '"1"'
    exchange.close()


def test_a_document_of_any_length_is_not_read(evil: Evil) -> None:
    exchange = Exchange(evil.url, "")
    evil.says("/x", b" " * (MOST_DOCUMENT + 1))
    with pytest.raises(Refused, match="no end"):
        exchange.get(f"{evil.url}/x")
    exchange.close()


# --- what is read, whatever it is ---

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["config", "polling", "sleep", "_links", "deploymentBase", "href", "id", "deployment",
                 "download", "update", "chunks", "part", "name", "version", "artifacts", "filename", "size",
                 "hashes", "sha256", "cancelAction", "stopId"]
            ),
            inner,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@given(_json)
def test_no_document_is_a_defect(document: Any) -> None:
    for kind in (Base, Deployment, Cancellation):
        try:
            found = read(kind, document, "x")
        except Refused:
            continue
        assert not isinstance(found, Base) or found.sleep >= 1
    if isinstance(document, dict):
        with suppress(Refused):
            parts_of(document)


@given(st.text(), st.text(), st.text())
def test_a_file_stays_in_its_slot(module: str, name: str, other: str) -> None:
    artifact = {
        "filename": name, "size": 1, "hashes": {"sha256": "0" * 64}, "_links": {"download": {"href": "http://x"}}
    }  # fmt: skip
    chunks = [
        {"part": "os", "name": each, "version": "1", "artifacts": [artifact]} for each in (module, other)
    ]
    try:
        parts = parts_of({"chunks": chunks})
        parts = wanted(parts, unsigned({}, parts, None))
    except Refused:
        return
    slot = Path("/slot")
    places = [(slot / path_in_slot(part)).resolve() for part in parts]
    assert len(set(places)) == 2
    assert all(place.parent.parent == slot for place in places)


# --- slots, memory, pace ---


def test_a_slot_is_whole_or_has_no_manifest(car: Car, tmp_path: Path) -> None:
    held = car.held
    assert held is not None
    source = tmp_path / "x"
    source.write_bytes(CONTENT)
    assert car.slots.install(held, {"os/a.swu": source}) == "b"
    assert car.slots.verify("b")
    source.write_bytes(CONTENT[:-1])
    with pytest.raises(Refused, match="not what was signed"):
        car.slots.install(held, {"os/a.swu": source})
    assert car.slots.manifest("b") is None
    assert not car.slots.verify("b")
    assert whole(car)


def test_what_a_folder_says(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    with pytest.raises(NotFound):
        memory.identity()
    (tmp_path / "car.json").write_text("{")
    with pytest.raises(BadValue):
        memory.identity()
    (tmp_path / "car.json").unlink()
    memory.name(Identity(controller_id="CAR", server="http://x", credential="TargetToken secret"))
    assert (tmp_path / "car.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict):
        memory.name(Identity(controller_id="OTHER", server="http://x"))
    (tmp_path / "pending.json").write_text("half a docu")
    assert memory.pending() is None


def test_a_fleet_comes_back_little_by_little() -> None:
    waits = [Patient().failed() for _ in range(100)]
    assert len(set(waits)) > 90
    assert all(0 <= wait <= 2 for wait in waits)
    patient = Patient()
    assert all(0 <= patient.failed() <= LONGEST_WAIT for _ in range(2000))
    patient.succeeded()
    assert patient.failed() <= 2


def test_driving_goes_on_through_failures(evil: Evil, car: Car, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(Patient, "failed", lambda self: 0.0)

    def told(text: str) -> None:
        said.append(text)
        if len(said) == 2:
            evil.says(BASE, {})

    evil.says(BASE, b"junk")
    drive(car, told=told, stopped=lambda wait: len(said) >= 4)
    assert ["not JSON" in text for text in said] == [True, True, False, False]
    assert said[2:] == ["nothing to do"] * 2


def test_driving_for_a_while(evil: Evil, car: Car) -> None:
    evil.says(BASE, {"config": {"polling": {"sleep": "01:00:00"}}})
    said: list[str] = []
    drive(car, seconds=0.05, told=said.append)
    assert said == ["nothing to do"]


def test_a_server_that_finds_no_end(evil: Evil, car: Car) -> None:
    evil.says(BASE, {"_links": {"cancelAction": {"href": f"{evil.url}/cancel"}}})
    evil.says("/cancel", {"id": "2", "cancelAction": {"stopId": "2"}})
    evil.says("/cancel/feedback", b"")
    with pytest.raises(Unavailable, match="no end"):
        settle(car, rounds=3)
