"""Every resource of the DDI, as bytes on a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator

import cbor2
import pytest

from tests.conformance.ddi.fake import token
from tests.conformance.ddi.server import Connection, Server

JSON = {"Content-Type": "application/json"}
FEEDBACK = {
    # As SWUpdate sends it: fields that nobody knows must be ignored.
    "id": 8,
    "time": "20260101T000000",
    "status": {
        "result": {"progress": {"cnt": 0, "of": 0}, "finished": "none"},
        "execution": "proceeding",
        "details": ["line"],
    },
}


def path(number: int, rest: str = "") -> str:
    return f"/DEFAULT/controller/v1/CAR{number:06d}{rest}"


def known(number: int) -> dict[str, str]:
    return {"Authorization": f"TargetToken {token(number)}"}


@pytest.fixture
def connection(server: Server) -> Iterator[Connection]:
    with server.connect() as opened:
        yield opened


def body(content: object) -> bytes:
    return json.dumps(content).encode()


def test_a_poll_and_its_links(connection: Connection) -> None:
    answer = connection.ask("GET", path(1), {**known(1), "Host": "cars.example:8443"})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/hal+json"
    assert answer.json["config"] == {"polling": {"sleep": "00:05:00"}}
    href = answer.json["_links"]["configData"]["href"]
    assert href == "http://cars.example:8443/DEFAULT/controller/v1/CAR000001/configData"


def test_a_poll_as_cbor_and_as_json(connection: Connection) -> None:
    for _ in range(2):
        plain = connection.ask("GET", path(2), {**known(2), "Accept": "application/json"})
        binary = connection.ask("GET", path(2), {**known(2), "Accept": "application/cbor"})
        assert binary.headers["content-type"] == "application/cbor"
        assert plain.headers["content-type"] == "application/json"
        assert cbor2.loads(binary.body) == plain.json
        assert plain.headers["etag"] != binary.headers["etag"]
    assert connection.ask("GET", path(2), {**known(2), "Accept": "text/html"}).status == 406


def test_a_poll_is_conditional_and_has_a_head(connection: Connection) -> None:
    first = connection.ask("GET", path(3), known(3))
    head = connection.ask("HEAD", path(3), known(3))
    assert head.status == 200
    assert head.headers["etag"] == first.headers["etag"]
    assert head.headers["content-length"] == str(len(first.body))
    same = connection.ask("GET", path(3), {**known(3), "If-None-Match": first.headers["etag"]})
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", first.headers["etag"])
    other = connection.ask("GET", path(3), {**known(3), "If-None-Match": '"other"'})
    assert other.body == first.body
    assert connection.ask("GET", path(3), {**known(3), "If-Match": '"other"'}).status == 412


def test_an_update_from_offer_to_end(server: Server, connection: Connection) -> None:
    server.room("assign", "CAR000004", 8)
    for _ in range(100):
        answer = connection.ask("GET", path(4), known(4))
        if "deploymentBase" in answer.json["_links"]:
            break
    assert answer.json["_links"]["deploymentBase"]["href"].endswith("/deploymentBase/8?c=1")
    deployment = connection.ask("GET", path(4, "/deploymentBase/8?c=1&actionHistory=2"), known(4))
    assert deployment.json["deployment"]["chunks"][0]["artifacts"][0]["size"] == 100_000
    headers = {**known(4), **JSON}
    assert (
        connection.ask("POST", path(4, "/deploymentBase/8/feedback"), headers, body(FEEDBACK)).status == 200
    )
    last = {"status": {"execution": "closed", "result": {"finished": "success"}}}
    closed = connection.ask("POST", path(4, "/deploymentBase/8/feedback"), headers, body(last))
    assert (closed.status, closed.body) == (200, b"")
    # What was said is known at once, not only when the next change is looked for.
    assert "deploymentBase" not in connection.ask("GET", path(4), known(4)).json["_links"]
    again = connection.ask("POST", path(4, "/deploymentBase/8/feedback"), headers, body(last))
    assert (again.status, again.json["code"]) == (410, "action.closed")
    history = connection.ask("GET", path(4, "/installedBase/8?actionHistory=-1"), known(4))
    assert history.json["id"] == "8"


@pytest.mark.parametrize("media", ["application/json", "application/hal+json", "application/cbor"])
def test_what_a_car_says_of_itself(server: Server, connection: Connection, media: str) -> None:
    said = {"mode": "merge", "data": {"VIN": media}, "id": "", "unheard": [1]}
    content = cbor2.dumps(said) if media == "application/cbor" else body(said)
    answer = connection.ask("PUT", path(5, "/configData"), {**known(5), "Content-Type": media}, content)
    assert (answer.status, answer.body) == (200, b"")
    assert server.room("attributes")["CAR000005"] == {"VIN": media}
    assert "configData" not in connection.ask("GET", path(5), known(5)).json["_links"]


@pytest.mark.parametrize(
    ("method", "rest", "content", "status"),
    [
        ("GET", "/cancelAction/11", None, 200),
        ("GET", "/cancelAction/10", None, 404),
        ("POST", "/cancelAction/11/feedback", FEEDBACK, 200),
        ("PUT", "/installedBase", {"name": "os", "version": "1"}, 201),
        ("PUT", "/installedBase", {"name": "os", "version": "1"}, 200),
        ("GET", "/installedBase/99", None, 404),
        ("GET", "/confirmationBase", None, 200),
        ("GET", "/confirmationBase/12", None, 200),
        ("POST", "/confirmationBase/12/feedback", {"confirmation": "denied", "code": 1}, 200),
        ("POST", "/confirmationBase/13/feedback", {"confirmation": "confirmed"}, 404),
        ("POST", "/confirmationBase/12/feedback", {"confirmation": "maybe"}, 400),
        ("POST", "/confirmationBase/activateAutoConfirm", None, 200),
        ("POST", "/confirmationBase/activateAutoConfirm", {"initiator": "driver", "remark": "r"}, 200),
        ("POST", "/confirmationBase/activateAutoConfirm", {"remark": "nonsense"}, 400),
        ("POST", "/confirmationBase/deactivateAutoConfirm", None, 200),
        ("GET", "/softwaremodules/7/artifacts", None, 200),
        ("GET", "/deploymentBase/1", None, 404),
        ("GET", "/deploymentBase/2147483648", None, 404),
        ("GET", "/deploymentBase/one", None, 400),
        ("GET", "/deploymentBase/8?actionHistory=many", None, 400),
        ("POST", "/deploymentBase/77/feedback", {"status": {"execution": "flying"}}, 400),
        ("POST", "/deploymentBase/77/feedback", {"status": {"execution": 7}}, 400),
        ("POST", "/deploymentBase/77/feedback", {}, 400),
        (
            "POST",
            "/deploymentBase/77/feedback",
            {"status": {"execution": "proceeding", "details": ["m"] * 51}},
            429,
        ),
        ("GET", "/nothing", None, 404),
        ("GET", "/", None, 404),
        ("PUT", "/deploymentBase/8/feedback", {}, 405),
        ("DELETE", "", None, 405),
        ("POST", "", {}, 405),
    ],
)
def test_paths_and_codes(
    connection: Connection, method: str, rest: str, content: object, status: int
) -> None:
    data = None if content is None else body(content)
    answer = connection.ask(method, path(6, rest), {**known(6), **JSON}, data)
    assert answer.status == status, answer
    if status >= 400:
        assert set(answer.json) == {"errorCode", "code", "message"}
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/OTHER/controller/v1/CAR000001", 404),
        ("/default/controller/v1/CAR000001", 404),
        ("/DEFAULT/controller/v2/CAR000001", 404),
        ("/DEFAULT/controller/v1", 404),
        ("/DEFAULT/controller/v1/", 400),
        ("/", 404),
        ("*", 404),
        ("/DEFAULT/controller/v1/%FF", 400),
        ("/DEFAULT/controller/v1/a%00b", 400),
        ("/DEFAULT/controller/v1/a%20b", 400),
        ("/DEFAULT/controller/v1/a%2Fb", 400),
        ("/DEFAULT/controller/v1/..", 400),
        ("/DEFAULT/controller/v1/" + "a" * 257, 400),
        ("/DEFAULT/controller/v1/%43AR000001", 200),
        ("/%44EFAULT/controller/v1/CAR000001", 200),
        ("/DEFAULT/controller/v1/CAR000001?x=%FF", 200),
    ],
)
def test_targets_of_requests(connection: Connection, target: str, status: int) -> None:
    assert connection.ask("GET", target, known(1)).status == status


def test_a_body_is_sent_when_it_is_wanted(connection: Connection) -> None:
    content = body({"data": {"a": "b"}})
    head = f"PUT {path(7, '/configData')} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    connection.write(f"{head}Authorization: TargetToken {token(7)}\r\n\r\n".encode())
    assert connection.read().status == 100
    connection.write(content)
    assert connection.read().status == 200
    # Without a credential the body is not wanted, and the connection ends: nobody knows what follows on it.
    connection.write(f"{head}\r\n".encode())
    answer = connection.read()
    assert (answer.status, answer.headers["connection"]) == (401, "close")
    assert connection.file.read() == b""


def test_bodies_have_an_end(connection: Connection, server: Server) -> None:
    headers = {**known(8), **JSON}
    answer = connection.ask("PUT", path(8, "/configData"), {**headers, "Content-Length": "5000"}, b"")
    assert (answer.status, answer.json["code"]) == (413, "http.too_large")
    with server.connect() as other:
        chunked = {**headers, "Transfer-Encoding": "chunked"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in chunked.items())
        other.write(f"PUT {path(8, '/configData')} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
        other.write(b"1000\r\n" + b" " * 4096 + b"\r\n10\r\n" + b" " * 16 + b"\r\n")
        assert other.read().status == 413
    with server.connect() as other:
        slow = other.ask("PUT", path(8, "/configData"), {**headers, "Content-Length": "10"}, b"{")
        assert slow.status == 408


def test_bodies_of_other_kinds(connection: Connection) -> None:
    for content_type, content, status in (
        ("text/csv", b"a", 415),
        ("application/json", b"{", 400),
        ("application/json", b"\xff", 400),
        ("application/json", b"[" * 4000, 400),
        ("application/cbor", b"\x81" * 4000, 400),
        ("application/cbor", b"", 400),
    ):
        headers = {**known(9), "Content-Type": content_type}
        answer = connection.ask("PUT", path(9, "/configData"), headers, content)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/json")


def test_errors_in_cbor_for_who_asked_for_it(connection: Connection) -> None:
    answer = connection.ask("GET", path(9, "/nothing"), {**known(9), "Accept": "application/cbor"})
    assert answer.headers["content-type"] == "application/cbor"
    assert cbor2.loads(answer.body)["code"] == "http.unknown_path"


def test_health(connection: Connection) -> None:
    for rest in ("", "/live", "/ready"):
        answer = connection.ask("GET", f"/health{rest}")
        assert (answer.status, answer.json) == (200, {"live": True, "ready": True})
    assert connection.ask("GET", "/health/other").status == 404


def test_last_seen(server: Server, connection: Connection) -> None:
    for _ in range(3):
        connection.ask("GET", path(10), known(10))
    address, at = server.room("polled")["CAR000010"]
    assert (address, at > 1_700_000_000_000_000) == ("127.0.0.1", True)


def test_an_up_to_date_car_is_answered_without_asking_the_room(
    server: Server, connection: Connection
) -> None:
    connection.ask("GET", path(11), known(11))
    before = server.room("asked")
    for _ in range(20):
        assert connection.ask("GET", path(11), known(11)).status == 200
    assert server.room("asked") == before


def test_requests_one_after_the_other_on_one_line(connection: Connection) -> None:
    one = f"GET {path(12)} HTTP/1.1\r\nHost: x\r\nAuthorization: TargetToken {token(12)}\r\n\r\n".encode()
    connection.write(one * 5)
    answers = [connection.read() for _ in range(5)]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
