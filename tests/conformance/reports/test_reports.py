"""Reports over real connections to the real server and book: who may say what, and what is answered."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pytest
import zstandard

from driveaway.facts.trips import TripsLanded
from driveaway.values.clock import now
from tests.conformance.ddi.server import Answer, Connection
from tests.faults.reporting import compiled, facts, key, landed, lines, trip
from tests.server import Server, vin

GATEWAY = "gateway" * 6
CAR = vin(1)
TOKEN = "token" * 8
LINES = "application/x-ndjson"
ARROW = "application/vnd.apache.arrow.stream"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    compiled()
    folder = tmp_path_factory.mktemp("reports") / "small"
    server = Server(folder)
    file = folder / "launch.toml"
    file.write_text(file.read_text() + "\n[fleet]\ndelivered_only = false\n")
    server.set("authentication.gatewaytoken.enabled", True)
    server.set("authentication.gatewaytoken.key", GATEWAY)
    server.set("authentication.targettoken.enabled", True)
    server.enter(CAR, TOKEN)
    server.start()
    yield server
    server.close()


_numbers = iter(range(10_000))


def fresh(count: int = 1) -> list[int]:
    """Numbers of trips that no other test has."""
    return [next(_numbers) for _ in range(count)]


def own(count: int = 1) -> list[int]:
    """Numbers of trips of the one car that has a token."""
    found: list[int] = []
    while len(found) < count:
        number = next(_numbers)
        if key(number)[0] == CAR:
            found.append(number)
    return found


def ask(
    server: Server,
    path: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    media: str = LINES,
    batch: str | None = None,
    method: str = "POST",
) -> Answer:
    said = {"Authorization": f"GatewayToken {GATEWAY}", "Content-Type": media, **(headers or {})}
    if batch is not None:
        said["Idempotency-Key"] = batch
    with Connection(int(server.url.rpartition(":")[2])) as connection:
        connection.socket.settimeout(120)
        return connection.ask(method, f"/DEFAULT/fleet/v1/{path}", said, body)


def trips(numbers: list[int]) -> bytes:
    return lines([trip(number) for number in numbers])


def stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def test_a_batch_is_answered_once_it_is_in_the_book_and_known_when_it_comes_again(server: Server) -> None:
    numbers = fresh(30)
    answer = ask(server, "trips", trips(numbers), batch="first")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json
    fact = facts(server.launch)[-1]
    assert isinstance(fact.body, TripsLanded)
    assert said == {
        "batch": "first", "duplicate": False, "seq": fact.seq, "rows": 30, "repeated": 0, "quarantined": {},
        "reasons": [],
    }  # fmt: skip
    assert (fact.body.door, fact.body.origin, fact.body.rows) == ("http", "gateway", 30)
    found = landed(server.launch)
    assert all(found[key(number)] == 1 for number in numbers)
    again = ask(server, "trips", trips(numbers), batch='"first"').json
    assert (again["duplicate"], again["seq"], again["rows"]) == (True, fact.seq, 30)
    other = ask(server, "trips?batch=second", trips(numbers)).json
    assert (other["duplicate"], other["rows"], other["repeated"]) == (False, 0, 30)
    conflict = ask(server, "trips", trips(fresh()), batch="first")
    assert (conflict.status, conflict.json["code"]) == (409, "trips.batch_conflict")
    assert landed(server.launch) == found


@pytest.mark.parametrize(
    ("coding", "pack"), [(None, bytes), ("gzip", gzip.compress), ("zstd", zstandard.compress)]
)
def test_both_forms_in_every_coding(server: Server, coding: str | None, pack: Any) -> None:
    headers = {} if coding is None else {"Content-Encoding": coding}
    as_lines = ask(server, "trips", pack(trips(fresh(5))), headers, batch=f"lines-{coding}")
    table = pa.Table.from_pylist([trip(number) for number in fresh(5)])
    as_arrow = ask(server, "trips", pack(stream(table)), headers, media=ARROW, batch=f"arrow-{coding}")
    assert (as_lines.status, as_lines.json["rows"]) == (200, 5)
    assert (as_arrow.status, as_arrow.json["rows"]) == (200, 5), as_arrow.json


def test_bad_rows_are_told_and_the_others_are_taken(server: Server) -> None:
    one, two, three = fresh(3)
    body = b"\n".join(
        (
            json.dumps(trip(one)).encode(),
            b"{",
            json.dumps(trip(two) | {"end": 0}).encode(),
            json.dumps(trip(three) | {"sent": now() + 10**9}).encode(),
            b"",
        )
    )
    said = ask(server, "trips", body, batch="bad-rows").json
    assert said["rows"] == 1
    reasons = {each["row"]: each for each in said["reasons"]}
    assert set(reasons) == {1, 2, 3}
    assert (reasons[1]["code"], reasons[3]["code"]) == ("trips.json", "trips.clock")
    assert sum(said["quarantined"].values()) == 3
    assert all(each["reason"] and each["remedy"] for each in said["reasons"])


def test_no_more_than_a_hundred_reasons_are_told(server: Server) -> None:
    said = ask(server, "trips", b"x\n" * 250, batch="many-bad").json
    assert said["quarantined"] == {"trips.json": 250}
    assert len(said["reasons"]) == 100


def test_a_car_reports_of_itself_alone(server: Server) -> None:
    shown = {"Authorization": f"TargetToken {TOKEN}"}
    numbers = own(2)
    said = ask(server, f"trips?vin={CAR}", trips(numbers), shown, batch="1")
    assert (said.status, said.json["rows"]) == (200, 2)
    assert facts(server.launch)[-1].body.origin == "car"  # type: ignore[attr-defined]
    # The same id of another sender is another batch.
    assert ask(server, "trips", trips(fresh()), batch="1").json["duplicate"] is False
    others = [number for number in fresh(11) if key(number)[0] != CAR]
    refused = ask(server, f"trips?vin={CAR}", trips(others), shown, batch="2")
    assert (refused.status, refused.json["code"]) == (403, "trips.other_car")
    for path, headers in (
        (f"trips?vin={vin(2)}", shown),
        ("trips", shown),
        (f"trips?vin={CAR}", {"Authorization": "TargetToken wrong"}),
        ("trips", {"Authorization": "GatewayToken wrong"}),
        ("trips", {"Authorization": ""}),
    ):
        answer = ask(server, path, trips(numbers), headers, batch="3")
        assert (answer.status, answer.json["code"]) == (401, "http.unauthenticated")
    speaks_for = ask(server, f"trips?vin={CAR}", trips(own()), batch="4")
    assert speaks_for.status == 200


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "code"),
    [
        ("trips", b"x", {}, 400, "fleet.batch_id"),
        ("trips", b"x", {"Idempotency-Key": "with blank"}, 400, "fleet.batch_id"),
        ("trips?batch=a", b"x", {"Idempotency-Key": "b"}, 400, "fleet.batch_id"),
        ("trips?batch=a&batch=b", b"x", {}, 400, "http.query"),
        ("trips?other=a", b"x", {}, 400, "http.query"),
        ("trips?batch=n&names=own", b"x", {}, 400, "http.query"),
        ("trips?batch=n&vin=%00", b"x", {}, 400, "ddi.controller_id"),
        ("health?vin=a%00b", b"x", {}, 400, "ddi.controller_id"),
        ("trips?batch=e", b"", {}, 400, "trips.empty"),
        ("trips?batch=m", b"x", {"Content-Type": "text/csv"}, 415, "http.media_type"),
        ("trips?batch=m", b"x", {"Content-Encoding": "br"}, 415, "http.media_type"),
        ("trips?batch=m", b"x", {"Content-Encoding": "gzip"}, 400, "http.encoding"),
        ("trips?batch=m", b"x", {"Content-Type": ARROW}, 400, "trips.arrow"),
        ("trips?batch=m", stream(pa.table({"vin": ["x"]})), {"Content-Type": ARROW}, 400, "trips.column"),
        ("trips?batch=m", gzip.compress(bytes(9 << 20)), {"Content-Encoding": "gzip"}, 413, "http.too_large"),
        ("health", b"{", {"Content-Type": "application/json"}, 400, "http.body"),
        ("health", b"x", {"Content-Type": "text/plain"}, 415, "http.media_type"),
        ("trips/more?batch=m", b"x", {}, 404, "http.unknown_path"),
    ],
)
def test_what_is_refused_whole(
    server: Server, path: str, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    before = len(facts(server.launch))
    answer = ask(server, path, body, headers)
    assert (answer.status, answer.json["code"]) == (status, code), answer.json
    assert len(facts(server.launch)) == before


def test_other_methods(server: Server) -> None:
    answer = ask(server, "trips", b"", method="GET")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_ten_gigabytes_are_refused_before_they_are_sent(server: Server) -> None:
    said = {
        "Authorization": f"GatewayToken {GATEWAY}", "Content-Type": LINES, "Idempotency-Key": "huge",
        "Host": "127.0.0.1",
    }  # fmt: skip
    head = "POST /DEFAULT/fleet/v1/trips HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in said.items())
    port = int(server.url.rpartition(":")[2])
    with Connection(port) as connection:
        connection.write((head + f"Content-Length: {10**10}\r\nExpect: 100-continue\r\n\r\n").encode())
        answer = connection.read("POST")
        assert (answer.status, answer.headers["connection"]) == (413, "close")
    with Connection(port) as connection:
        connection.write((head + "Transfer-Encoding: chunked\r\n\r\n").encode())
        part = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        sent = 0
        try:
            while sent < 1 << 30:
                connection.write(part)
                sent += 0x10000
        except OSError:
            pass
        assert sent < 64 << 20


def test_signals_of_vss(server: Server) -> None:
    record = {
        "Vehicle.VehicleIdentification.VIN": vin(3),
        "Vehicle.Driveaway.Trip.Number": 900_000,
        "Vehicle.StartTime": "2026-01-03T01:00:00Z",
        "Vehicle.TripDuration": 600.0,
        "Vehicle.TraveledDistanceSinceStart": 7_000,
    }
    said = ask(server, "trips?names=vss", lines([record]), batch="vss").json
    assert (said["rows"], said["quarantined"]) == (1, {})


def test_many_at_once_are_landed_together_each_with_its_own_answer(server: Server) -> None:
    sizes = list(range(1, 25))
    numbers = [fresh(size) for size in sizes]
    before = len(facts(server.launch))
    answers: dict[int, Any] = {}

    def send(which: int) -> None:
        answers[which] = ask(server, "trips", trips(numbers[which]), batch=f"together-{which}").json

    threads = [threading.Thread(target=send, args=(which,)) for which in range(len(sizes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answers[which]["rows"] for which in range(len(sizes))] == sizes
    assert len(facts(server.launch)) == before + len(sizes)
    found = landed(server.launch)
    assert all(found[key(number)] == 1 for some in numbers for number in some)


def test_health_lands_once_and_contradictions_are_told(server: Server) -> None:
    start = now() - 10**9
    row = {"vin": CAR, "release": "r1", "start": start, "end": start + 5, "signal": "crash", "count": 1}
    shown = {"Authorization": f"TargetToken {TOKEN}"}
    first = ask(server, f"health?vin={CAR}", json.dumps([row, {}]).encode(), shown, media="application/json")
    assert first.status == 200
    assert (first.json["added"], first.json["repeated"]) == (1, 0)
    assert [each["code"] for each in first.json["refused"]] == ["health.row"]
    again = ask(server, "health", lines([row, row | {"count": 2}, row | {"end": now() + 10**12}])).json
    assert (again["added"], again["repeated"]) == (0, 1)
    assert [(each["row"], each["code"]) for each in again["refused"]] == [
        (1, "health.conflict"),
        (2, "health.future"),
    ]
    rows = server.state.rows("SELECT vin, signal, count FROM car_health")
    assert rows == [(CAR, "crash", 1)]
    foreign = ask(server, f"health?vin={CAR}", lines([row | {"vin": vin(2)}]), shown)
    assert (foreign.status, foreign.json["code"]) == (403, "reports.other_car")


def test_functions_are_recorded_once(server: Server) -> None:
    at = now() - 10**9
    row = {"vin": CAR, "function": "highway_pilot", "at": at, "version": "2"}
    shown = {"Authorization": f"TargetToken {TOKEN}"}
    said = ask(server, f"functions?vin={CAR}", lines([row]), shown).json
    assert said == {"added": 1, "repeated": 0, "refused": []}
    (fact,) = server.facts(CAR, "function.activated")
    assert (fact.happened, fact.body.function, fact.body.version) == (at, "highway_pilot", "2")  # type: ignore[attr-defined]
    rows = [row, row | {"at": at + 1}, row | {"at": 5}, row | {"at": now() + 10**10}, {}]
    again = ask(server, "functions", lines(rows)).json
    assert (again["added"], again["repeated"]) == (0, 1)
    assert [(each["row"], each["code"]) for each in again["refused"]] == [
        (1, "source.conflict"), (2, "function.row"), (3, "function.future"), (4, "function.row"),
    ]  # fmt: skip
    assert len(server.facts(CAR, "function.activated")) == 1


def test_a_car_that_reports_too_often_is_slowed_down(server: Server) -> None:
    shown = {
        "Authorization": f"TargetToken {TOKEN}", "Content-Type": LINES, "Idempotency-Key": "fast",
    }  # fmt: skip
    statuses = []
    with Connection(int(server.url.rpartition(":")[2])) as connection:
        until = time.monotonic() + 20
        while time.monotonic() < until and 429 not in statuses:
            answer = connection.ask("POST", f"/DEFAULT/fleet/v1/functions?vin={CAR}", shown, b"{}")
            statuses.append(answer.status)
    assert statuses[-1] == 429
    assert int(answer.headers["retry-after"]) >= 1
