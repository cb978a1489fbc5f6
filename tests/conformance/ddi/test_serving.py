"""The server itself: workers, stopping, floods of bytes, refusals to listen."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driveaway.values.errors import BadValue, Refused, Unavailable
from driveaway.web.device.options import DoorOptions, ServeOptions, Tls
from driveaway.web.device.serve import serve
from tests.conformance.ddi.fake import token
from tests.conformance.ddi.run import opened
from tests.conformance.ddi.server import Answer, Server

CAR = "/DEFAULT/controller/v1/CAR000041"
HEADERS = (
    b"Accept Authorization Content-Length Content-Type Cookie Expect Host If-Match If-Range Range"
    b" Transfer-Encoding X-Other"
).split()
KNOWN = {"Authorization": f"TargetToken {token(41)}"}


def test_several_workers_over_one_socket(tmp_path: Path) -> None:
    with Server(tmp_path, "workers=2") as server:
        assert {server.ask("GET", CAR, KNOWN).status for _ in range(20)} == {200}
        assert server.stop() == 0


def test_what_is_under_way_is_ended_before_the_server_is(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        with server.connect() as connection:
            body = b'{"data": {"a": "b"}}'
            head = f"PUT {CAR}/configData HTTP/1.1\r\nHost: x\r\nAuthorization: {KNOWN['Authorization']}\r\n"
            connection.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
            time.sleep(0.2)
            stopping = threading.Thread(target=server.stop)
            stopping.start()
            time.sleep(0.3)
            connection.write(body[5:])
            assert connection.read().status == 200
        stopping.join()
        assert server.process.returncode == 0
        with pytest.raises(OSError, match="refused"):
            server.connect()


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(
            st.sampled_from([b"GET", b"HEAD", b"PUT", b"POST", b"OPTIONS", b"BREW"]),
            st.sampled_from([CAR.encode(), CAR.encode() + b"/configData", b"/", b"//", b"http://h/DEFAULT"]),
            st.lists(
                st.tuples(
                    st.sampled_from(HEADERS),
                    st.binary(max_size=30),
                ),
                max_size=6,
            ),
            st.binary(max_size=40),
        ).map(
            lambda parts: (
                b"%s %s HTTP/1.1\r\n" % parts[:2]
                + b"".join(b"%s: %s\r\n" % header for header in parts[2])
                + b"\r\n"
                + parts[3]
            )
        ),
    )
)
def test_no_bytes_bring_it_down(server: Server, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = connection.makefile("rb").read(12)
    assert not received.startswith(b"HTTP/1.1 5")
    assert server.ask("GET", CAR, KNOWN).status == 200
    assert "defect" not in server.log()


def test_what_fails_inside_is_answered_and_told_once(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        answer = server.ask("GET", f"{CAR}/softwaremodules/666/artifacts", KNOWN)
        assert (answer.status, answer.json["code"]) == (500, "http.defect")
        assert b"verysecret" not in answer.body
        away = server.ask("GET", f"{CAR}/softwaremodules/667/artifacts", KNOWN)
        assert (away.status, away.json["code"], away.headers["retry-after"]) == (503, "store.away", "5")
        assert server.ask("GET", CAR, KNOWN).status == 200
        log = server.log()
    assert log.count("ZeroDivisionError: verysecret") == 1
    assert log.count("code=store.away") == 1


def test_heads_have_an_end(server: Server) -> None:
    with server.connect() as connection:
        connection.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
        answer: Answer | None = None
        try:
            for number in range(100):
                connection.write(b"X-%d: %s\r\n" % (number, b"a" * 1000))
                time.sleep(0.001)
            answer = connection.read()
        except OSError:
            answer = None
        assert answer is None or answer.status == 431


def refused(**named: object) -> ServeOptions:
    return ServeOptions(opened, **named)  # type: ignore[arg-type]


def test_nothing_listens_beyond_loopback_in_the_clear() -> None:
    with pytest.raises(Refused, match="clear"):
        serve(refused(host="0.0.0.0"))
    with pytest.raises(BadValue, match="address"):
        serve(refused(host="cars.example"))
    with pytest.raises(BadValue, match="worker"):
        serve(refused(workers=0))
    with pytest.raises(BadValue, match="no file"):
        serve(refused(port=0, tls=Tls(Path("/nowhere"), Path("/nowhere"))))
    refused(host="0.0.0.0", plain=True).check()
    refused(host="0.0.0.0", door=DoorOptions(trusted_proxies=("10.0.0.1",))).check()
    refused(host="::1").check()


def test_an_address_that_is_taken(server: Server) -> None:
    with pytest.raises(Unavailable, match="cannot listen"):
        serve(refused(port=server.port))
