"""Who may pass, what is too much, what cannot be read: clear statuses, nothing kept, nothing told."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driveaway.values.errors import BadValue, Refused
from driveaway.web.management.options import ManagementOptions, ServeOptions
from driveaway.web.management.routes import ROUTES
from driveaway.web.management.serve import serve
from tests.conformance.management.run import LARGEST, room
from tests.conformance.management.test_walk import fresh
from tests.conformance.management.tool import PASSWORD, Answer, Server, Tool, basic, form


def module(tool: Tool) -> int:
    return int(tool.post("softwaremodules", [{"name": "m", "version": fresh("m"), "type": "os"}])[0]["id"])


# --- who may pass ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic %%%",
        "Bearer " + basic("all").split()[1],
        basic("all", PASSWORD + "x"),
        basic("nobody"),
        basic("all", "x" * 10_000),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"no colon").decode(),
    ],
)
def test_who_shows_nothing_valid_is_not_answered(staff: Server, header: str) -> None:
    tool = staff.tool()
    tool.authorization = header
    answer = tool.ask("GET", "targets")
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    # Nothing is told of what there is.
    assert tool.ask("GET", "nowhere").status == 401
    assert tool.ask("POST", "targets", [{"controllerId": "x"}]).status == 401
    tool.close()


def test_a_tenant_before_the_name_is_passed_over(staff: Server) -> None:
    tool = staff.tool()
    tool.authorization = basic("DEFAULT\\viewer")
    assert tool.get("userinfo") == {"tenant": "DEFAULT", "username": "viewer", "roles": ["viewer"]}
    tool.close()


def test_failed_logins_are_slowed_down_and_known_ones_pass(tmp_path: Path) -> None:
    server = Server(tmp_path / "launch", failures="3")
    good, bad = server.tool(), server.tool()
    try:
        assert good.ask("GET", "userinfo").status == 200
        bad.authorization = basic("all", "wrong-wrong-wrong")
        statuses = [bad.ask("GET", "userinfo").status for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        answer = bad.ask("GET", "userinfo")
        assert int(answer.headers["retry-after"]) >= 1
        assert good.ask("GET", "userinfo").status == 200
        # Who was not here before waits, right or not: nobody can try faster under another name.
        other = server.tool("viewer")
        assert other.ask("GET", "userinfo").status == 429
        other.close()
    finally:
        good.close()
        bad.close()
        assert server.stop() == 0
    log = server.log.read_text()
    assert "code=http.unauthenticated" in log
    assert "wrong" not in log
    assert PASSWORD not in log


def test_secrets_are_never_logged(staff: Server, tool: Tool) -> None:
    token = "s3cr3t" * 8
    car = fresh("secret")
    tool.target(car, securityToken=token)
    tool.refused(400, "PUT", f"targets/{car}", {"securityToken": token[:20]})
    tool.refused(400, "PUT", "system/configs/authentication.gatewaytoken.key", {"value": token[:20]})
    tool.refused(400, "POST", "targets", [{"controllerId": token + " ", "securityToken": token}])
    tool.refused(400, "GET", f"targets?q={token}")
    assert token[:20] not in staff.log.read_text()


def test_pages_of_other_sites_are_refused(tool: Tool) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = tool.ask("POST", "rollouts/1/start", headers=headers)
        assert (answer.status, answer.json["code"]) == (403, "management.origin")
    own = {"Origin": f"http://127.0.0.1:{tool.port}", "Sec-Fetch-Site": "same-origin"}
    assert tool.ask("POST", "rollouts/999999/start", headers=own).status == 404


def test_passwords_do_not_cross_a_network_in_the_clear() -> None:
    with pytest.raises(Refused, match="clear"):
        serve(ServeOptions(room, host="0.0.0.0"))  # type: ignore[arg-type]
    with pytest.raises(BadValue, match="address"):
        serve(ServeOptions(room, host="staff.example"))  # type: ignore[arg-type]
    with pytest.raises(BadValue, match="worker"):
        serve(ServeOptions(room, workers=0))  # type: ignore[arg-type]
    ServeOptions(room, host="0.0.0.0", plain=True).check()  # type: ignore[arg-type]
    behind = ManagementOptions(trusted_proxies=("10.0.0.1",))
    ServeOptions(room, behind, host="0.0.0.0").check()  # type: ignore[arg-type]


# --- what cannot be read ----------------------------------------------------------------------------------


def test_every_route_is_known_and_no_other_method(tool: Tool) -> None:
    for path in {route.path for route in ROUTES}:
        at = path.lstrip("/")
        for name in ("target", "key", "tag"):
            at = at.replace("{" + name + "}", "nobody")
        for name in ("action", "module", "artifact", "type", "set", "filter", "rollout", "group"):
            at = at.replace("{" + name + "}", "999999")
        answer = tool.ask("PATCH", at)
        assert answer.status == 405
        allowed = {name.strip() for name in answer.headers["allow"].split(",")} - {"HEAD"}
        assert allowed == {route.method for route in ROUTES if route.path == path}
        for route in ROUTES:
            if route.path == path and route.method != "GET" and route.body is not None:
                assert tool.ask(route.method, at, b"{", {"Content-Type": "application/json"}).status == 400
                assert tool.ask(route.method, at, b"{}", {"Content-Type": "text/plain"}).status == 415
    assert tool.refused(404, "GET", "nowhere") == "repo.entitiyNotFound"
    tool.refused(404, "GET", "/rest/v2/targets")
    tool.refused(404, "GET", "targets//actions")
    tool.refused(400, "GET", "softwaremodules/one")
    tool.refused(404, "GET", "softwaremodules/99999999999")
    tool.refused(400, "GET", "targets/%00")
    tool.refused(400, "GET", "targets/%ff")
    tool.refused(400, "GET", "targets?q=%ff")
    tool.refused(400, "GET", "targets?" + "&".join(f"a{n}=1" for n in range(60)))
    assert tool.ask("GET", "targets", headers={"Accept": "text/html"}).status == 406
    assert tool.ask("HEAD", "targets").body == b""


def test_bodies_have_an_end(staff: Server, tool: Tool) -> None:
    # One that says itself how large it is, is not read at all.
    head = f"POST /rest/v1/targets HTTP/1.1\r\nHost: x\r\nAuthorization: {basic('all')}\r\n"
    with socket.create_connection(("127.0.0.1", staff.port), timeout=20) as connection:
        connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100001\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
    deep = b"[" * 50_000
    assert tool.ask("POST", "targets", deep, {"Content-Type": "application/json"}).status == 400
    with socket.create_connection(("127.0.0.1", staff.port), timeout=20) as connection:
        connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 10\r\n\r\n[".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")


# --- files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["", "..", "../../etc/passwd", "a/b.swu", "a\\b.swu", "c:x", "a\x7fb", "a.MD5SUM", "x" * 300],
)
def test_names_that_are_more_than_names(tool: Tool, name: str) -> None:
    number = module(tool)
    answer = tool.upload(number, name, b"content")
    assert (answer.status, answer.json["code"]) == (400, "artifact.filename")
    if name:
        assert tool.upload(number, "good", b"content", filename=name).status == 400
    assert tool.get(f"softwaremodules/{number}/artifacts") == []


def test_hashes_and_names_may_be_said_before_or_after(tool: Tool) -> None:
    number = module(tool)
    for name in ("md5", "sha1", "sha256"):
        wrong = hashlib.new(name, b"other").hexdigest()
        answer = tool.upload(number, "a", b"content", **{f"{name}sum": wrong})
        key = f"hawkbit.server.error.artifact.uploadFailed.checksum.{name}.match"
        assert (answer.status, answer.json["errorCode"]) == (400, key)
    right = hashlib.sha256(b"content").hexdigest().upper()
    kind, body = form({"file": ("a", b"content")})
    answer = tool.ask(
        "POST",
        f"softwaremodules/{number}/artifacts?filename=named&sha256sum={right}",
        body,
        {"Content-Type": kind},
    )
    assert (answer.status, answer.json["providedFilename"]) == (201, "named")
    assert (
        tool.ask("GET", f"softwaremodules/{number}/artifacts/{answer.json['id']}/download").body == b"content"
    )


def test_files_have_an_end(staff: Server, tool: Tool) -> None:
    number = module(tool)
    answer = tool.upload(number, "large", b"x" * (LARGEST + 1))
    assert (answer.status, answer.json["errorCode"]) == (413, "hawkbit.server.error.quota.fileSizeExceeded")
    # One that says itself how large it is, is not read at all.
    with socket.create_connection(("127.0.0.1", staff.port), timeout=20) as connection:
        head = (
            f"POST /rest/v1/softwaremodules/{number}/artifacts HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: {basic('all')}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            "Content-Length: 100000000000\r\nExpect: 100-continue\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
    assert tool.upload(number, "all", b"x" * LARGEST).status == 201
    tool.refused(404, "POST", "softwaremodules/999999/artifacts")
    empty = tool.upload(number, "empty", b"")
    assert empty.status == 400


def test_what_is_no_form(tool: Tool) -> None:
    number = module(tool)
    path = f"softwaremodules/{number}/artifacts"
    kind, body = form({"file": ("a", b"content")})
    other, two = form({"file": ("a", b"1")})
    boundary = other.partition("boundary=")[2].encode()
    twice = two.removesuffix(b"--" + boundary + b"--\r\n") + two
    fields = {f"f{n}": "x" for n in range(30)}
    cases: list[tuple[int, str, bytes]] = [
        (415, "application/json", body),
        (415, "multipart/form-data", body),
        (415, "multipart/form-data; boundary=" + "b" * 300, body),
        (400, "multipart/form-data; boundary=another", body),
        (400, kind, body[:-10]),
        (400, kind, body[:60]),
        (400, kind, b""),
        (400, kind, b"\r\n"),
        (400, other, twice),
        (400, *form({"other": ("a", b"content")})),
        (400, *form({"file": ("a", b"content")}, {"md5sum": "x" * 5000})),
        (400, *form({"file": ("a", b"content")}, fields)),
    ]
    for status, content_type, content in cases:
        answer = tool.ask("POST", path, content, {"Content-Type": content_type})
        assert answer.status == status, (content_type, content[:80], answer)
    assert tool.get(path) == []


def test_an_upload_that_breaks_off_leaves_nothing(staff: Server, tool: Tool) -> None:
    number = module(tool)
    kind, body = form({"file": ("broken", b"y" * 200_000)})
    connection = http.client.HTTPConnection("127.0.0.1", staff.port, timeout=20)
    connection.putrequest("POST", f"/rest/v1/softwaremodules/{number}/artifacts")
    for name, value in (
        ("Authorization", basic("all")),
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
    ):
        connection.putheader(name, value)
    connection.endheaders(body[:150_000])
    incoming = Path(staff.launch.artifacts) / "incoming"
    end = time.monotonic() + 20
    while not list(incoming.iterdir()) and time.monotonic() < end:
        time.sleep(0.02)
    connection.close()
    while list(incoming.iterdir()) and time.monotonic() < end:
        time.sleep(0.02)
    assert list(incoming.iterdir()) == []
    assert tool.get(f"softwaremodules/{number}/artifacts") == []


# --- anything at all ----------------------------------------------------------------------------------------

WORDS = sorted(
    {
        "controllerId", "name", "version", "type", "modules", "id", "query", "targetFilterQuery", "groups",
        "distributionSetId", "amountGroups", "successCondition", "expression", "weight", "forcetime", "key",
        "value", "maintenanceWindow", "schedule", "duration", "timezone", "securityToken", "confirmation",
        "actionCancelationType", "targetPercentage", "startAt", "description", "forceType", "locked",
    }
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False),
        st.text(max_size=20),
        st.sampled_from(
            ["forced", "timeforced", "THRESHOLD", "os", "id==*", "x" * 70_000, "\u0000", "\ud800"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
    ),
    max_leaves=12,
)
WRITING = [route for route in ROUTES if route.body is not None]


@pytest.fixture(scope="module")
def fuzzed(staff: Server) -> Any:
    tool = staff.tool()
    tool.target("fuzzed")
    tool.release("fuzzed")
    yield tool
    tool.close()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=st.sampled_from(WRITING), body=VALUES, number=st.sampled_from([1, 2, 999_999]))
def test_no_body_brings_it_down(fuzzed: Tool, route: Any, body: Any, number: int) -> None:
    path = route.path.lstrip("/").replace("{target}", "fuzzed").replace("{key}", "pollingTime")
    for name in ("action", "module", "artifact", "type", "set", "filter", "rollout", "group"):
        path = path.replace("{" + name + "}", str(number))
    content = json.dumps([body] if "tuple" in str(route.body) else body).encode()
    answer: Answer = fuzzed.ask(route.method, path, content, {"Content-Type": "application/json"})
    assert answer.status in (200, 201, 204, 400, 403, 404, 405, 409, 410, 413, 423, 429), (route.path, answer)
    if answer.status >= 400:
        assert {"errorCode", "message"} <= set(answer.json)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(
        sorted({route.path for route in ROUTES if route.method == "GET" and "{" not in route.path})
    ),
    query=st.dictionaries(
        st.sampled_from(["q", "sort", "offset", "limit", "representation"]),
        st.one_of(
            st.text(max_size=30),
            st.integers(-(2**65), 2**65).map(str),
            st.sampled_from(
                ["id==1", "name==*a*;id=gt=3", "createdat=lt=${NOW_TS}", "id:ASC", "name:desc,id:ASC"]
            ),
        ),
    ),
)
def test_no_query_brings_it_down(fuzzed: Tool, path: str, query: dict[str, str]) -> None:
    from urllib.parse import urlencode

    answer = fuzzed.ask("GET", f"{path.lstrip('/')}?{urlencode(query, errors='surrogatepass')}")
    assert answer.status in (200, 400), (path, query, answer)


PIECES = [
    b"--b", b"\r\n", b"--", b"--b--\r\n", b"\r\n\r\n", b": ", b"x", b"\xff", b'; filename="a"',
    b'Content-Disposition: form-data; name="file"',
]  # fmt: skip
FORMS = st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=FORMS)
def test_no_form_brings_it_down(fuzzed: Tool, content: bytes) -> None:
    number = 1
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = fuzzed.ask("POST", f"softwaremodules/{number}/artifacts", content, headers)
    assert answer.status in (201, 400, 404, 409, 423), answer
