"""What cars and gateways report to the server, right and nearly right: as described, and no row is lost."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
import requests
import schemathesis
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driveaway.facts.trips import OVERLAY, VSS
from driveaway.web.device.describing import description
from driveaway.web.device.reported import OF_TENANT
from tests.faults.reporting import compiled, lines, trip
from tests.fuzz.described import Answer, Asker, Described, asked
from tests.server import Server, vin

DOOR = Described.of(description())
LABELS = [label for label in DOOR.labels() if OF_TENANT in label]
TRIPS, HEALTH, FUNCTIONS = (f"POST {OF_TENANT}{name}" for name in ("trips", "health", "functions"))
JSON, LINES, ARROW = "application/json", "application/x-ndjson", "application/vnd.apache.arrow.stream"
SIGNALS = {*VSS.values(), *OVERLAY.values()}
TENANT = {"tenant": "DEFAULT"}
GATEWAY = "gateway" * 6
KEY, CODING = "Idempotency-Key", "Content-Encoding"
PACKED = {"gzip": gzip.compress, "x-gzip": gzip.compress, "zstd": zstandard.compress}
NUMBERS = itertools.count(1)
MEDIA = [(label, media) for label in LABELS for media in (JSON, LINES) if (label, media) != (TRIPS, JSON)]
NEVER = schemathesis.core.NotSet


@schemathesis.serializer(LINES)
def one_a_line(_: Any, rows: Any) -> bytes:
    return lines(rows) if isinstance(rows, list) else json.dumps(rows).encode()


@schemathesis.serializer(ARROW)
def as_it_is(_: Any, body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


class Packing(requests.Session):
    """Packs a body with what its header says, where that can be done."""

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        made = super().prepare_request(request)
        pack = PACKED.get(str(made.headers.get(CODING, "")))
        if pack is not None:
            body = made.body or b""
            made.prepare_body(pack(body if isinstance(body, bytes) else body.encode()), None)
        return made


class Gateway(Asker):
    """Reports for all cars; sees what there is beside."""

    def __init__(self, server: Server, token: str = GATEWAY) -> None:
        super().__init__(server.url, f"GatewayToken {token}", (KEY, CODING))
        headers, self._session = self._session.headers, Packing()
        self._session.trust_env = False
        self._session.headers = headers
        self.server = server

    def there(self) -> tuple[Any, ...]:
        """How many facts there are, and how many reports of health."""
        state = self.server.state
        (facts,), (health,) = (
            state.rows(f"SELECT COUNT(*) FROM {name}")[0] for name in ("fact", "car_health")
        )
        return facts, health

    def hold(self, case: schemathesis.Case) -> Answer:
        """Ask; what is refused has changed nothing, of what is taken every row is told of."""
        before = self.there()
        answer = self.ask(case)
        if answer.status_code >= 400:
            assert self.there() == before, case.as_curl_command()
        else:
            assert counted(answer.json()) == rows_of(case), case.as_curl_command()
        return answer

    def twice(self, case: schemathesis.Case) -> None:
        """Ask; asked again nothing is added. A batch that lacks an id of its own gets one."""
        answer = self.hold(case)
        if answer.status_code == 400 and answer.json()["code"] == "fleet.batch_id":
            keyed(case)
            answer = self.hold(case)
        if answer.status_code == 200:
            there = self.there()
            again = self.hold(case)
            assert again.status_code == 200
            assert again.json().get("added", 0) == 0
            assert again.json().get("duplicate", True)
            assert self.there() == there


def keyed(case: schemathesis.Case) -> None:
    """Give a batch an id that is its own."""
    case.headers = {KEY: f"batch-{next(NUMBERS)}"}
    case.query = {name: value for name, value in case.query.items() if name != "batch"}


def rows_of(case: schemathesis.Case) -> int:
    if isinstance(case.body, bytes):
        return int(pa.ipc.open_stream(case.body).read_all().num_rows)
    if isinstance(case.body, NEVER):
        return 0
    return len(case.body) if isinstance(case.body, list) else 1


def counted(said: dict[str, Any]) -> int:
    if "added" in said:
        return int(said["added"] + said["repeated"] + len(said["refused"]))
    return int(said["rows"] + said["repeated"] + sum(said["quarantined"].values()))


def signals() -> dict[str, Any]:
    """A row under names of VSS that is taken."""
    row = trip(next(NUMBERS))
    start = datetime.fromtimestamp(row["start"] / 10**6, UTC).isoformat()
    return {
        VSS["vin"]: row["vin"], OVERLAY["trip"]: row["trip"], VSS["start"]: start, VSS["duration_s"]: 5.0,
        VSS["distance_m"]: row["distance_m"],
    }  # fmt: skip


def nearly_right(label: str, case: schemathesis.Case, *, vss: bool) -> list[dict[str, Any]]:
    """Rows that would be taken, but for some fields that are a request's."""
    rows = [
        row for row in (case.body if isinstance(case.body, list) else [case.body]) if isinstance(row, dict)
    ]
    found = []
    for row in rows:
        named = [(name, value) for name, value in row.items() if (str(name) in SIGNALS) == vss]
        found += [
            (signals() if vss else right(label)) | dict(named[first : first + 2])
            for first in range(0, len(named), 2)
        ]
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    compiled()
    folder = tmp_path_factory.mktemp("reports") / "small"
    server = Server(folder)
    file = folder / "launch.toml"
    file.write_text(file.read_text() + "\n[fleet]\ndelivered_only = false\n")
    server.set("authentication.gatewaytoken.enabled", True)
    server.set("authentication.gatewaytoken.key", GATEWAY)
    server.start()
    yield server
    code, said = server.stop()
    server.close()
    assert code == 0, said
    assert "defect" not in said


def right(label: str) -> dict[str, Any]:
    """A row that is taken."""
    row = trip(next(NUMBERS))
    if label == TRIPS:
        return row
    if label == HEALTH:
        return {name: row[name] for name in ("vin", "start", "end")} | {
            "release": f"r{row['trip']}", "signal": "crash", "count": 1,
        }  # fmt: skip
    return {"vin": row["vin"], "function": f"f{next(NUMBERS)}", "at": row["start"]}


def case_of(label: str, body: Any, media: str, **query: str) -> schemathesis.Case:
    case = DOOR.operation(label).Case(path_parameters=TENANT, query=query, body=body, media_type=media)
    if label == TRIPS:
        keyed(case)
    return case


def report_and_fuzz(server: Server, label: str, media: str, *, many: bool = False) -> None:
    asker = Gateway(server)
    said = asker.hold(case_of(label, [right(label), right(label)], media))
    assert said.status_code == 200
    assert said.json().get("rows", said.json().get("added")) == 2, said.json()

    def each(case: schemathesis.Case) -> None:
        asker.twice(case)
        if rows := nearly_right(label, case, vss=False):
            asker.twice(case_of(label, rows, media))
            if label == TRIPS and (stream := arrow(rows)):
                asker.twice(case_of(label, stream, ARROW))
        if rows := nearly_right(label, case, vss=True):
            asker.twice(case_of(label, rows, media, names="vss"))

    asked(DOOR, label, TENANT, each, many=many, media=media)
    asker.close()


def arrow(rows: Sequence[dict[str, Any]]) -> bytes:
    """Rows as an Arrow stream; none where they cannot stand in columns."""
    try:
        table = pa.Table.from_pylist(rows)
        table.validate(full=True)
    except (pa.ArrowException, OverflowError, TypeError, UnicodeError):
        return b""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(("label", "media"), MEDIA)
def test_reports_are_answered_as_described(server: Server, label: str, media: str) -> None:
    report_and_fuzz(server, label, media)


@pytest.mark.nightly
@pytest.mark.parametrize(("label", "media"), MEDIA)
def test_many_reports(server: Server, label: str, media: str) -> None:
    report_and_fuzz(server, label, media, many=True)


def damaged(server: Server, number: int, *, derandomize: bool) -> None:
    """Streams that lost their end, or in which bytes were changed."""
    asker = Gateway(server)
    whole = arrow([trip(next(NUMBERS), function=None, city="Beijing", sent=1) for _ in range(5)])
    place = st.integers(0, len(whole) - 1)

    @settings(
        max_examples=number,
        derandomize=derandomize,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(changes=st.lists(st.tuples(place, st.integers(0, 255)), max_size=4), end=st.none() | place)
    def run(changes: list[tuple[int, int]], end: int | None) -> None:
        body = bytearray(whole)
        for at, value in changes:
            body[at] = value
        answer = asker.ask(case_of(TRIPS, bytes(body[:end]), ARROW))
        assert answer.status_code in (200, 400), answer.text

    run()
    asker.close()


def test_damaged_arrow_streams(server: Server) -> None:
    damaged(server, 60, derandomize=True)


@pytest.mark.nightly
def test_many_damaged_arrow_streams(server: Server) -> None:
    damaged(server, 3_000, derandomize=False)


@pytest.mark.parametrize("label", LABELS)
def test_who_shows_nothing_valid_reports_nothing(server: Server, label: str) -> None:
    asker = Gateway(server, "wrong")
    for query in ({}, {"vin": vin(1)}):
        assert asker.hold(case_of(label, [right(label)], LINES, **query)).status_code == 401
    asker.close()
