"""Who passes: tokens, gateways, certificates through proxies and over TLS; who is slowed down."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from tests.conformance.ddi.fake import AUTHORITY, GATEWAY, token
from tests.conformance.ddi.server import Server

CAR = "/DEFAULT/controller/v1/CAR000021"
FILE = f"{CAR}/softwaremodules/7/artifacts/os%201.0%20%C3%BC.swu"


def target_token(number: int) -> dict[str, str]:
    return {"Authorization": f"TargetToken {token(number)}"}


def eventually(server: Server, headers: dict[str, str], status: int, at: str = CAR) -> None:
    """The server sees a change within its rhythm (50 ms): it is asked until then."""
    until = time.monotonic() + 5
    while (answer := server.ask("GET", at, headers)).status != status and time.monotonic() < until:
        time.sleep(0.02)
    assert answer.status == status


@pytest.mark.parametrize(
    "headers",
    [
        {},
        target_token(22),
        {"Authorization": "TargetToken "},
        {"Authorization": f"Bearer {token(21)}"},
        {"Authorization": f"GatewayToken {GATEWAY}"},
        {"Authorization": f"GatewayToken {token(21)}"},
        {"Authorization": token(21)},
        {"Authorization": f"TargetToken {token(21)}x"},
        {"X-Controller-Id": "CAR000021", "X-Authority": AUTHORITY},
    ],
)
def test_who_does_not_pass(server: Server, headers: dict[str, str]) -> None:
    for _ in range(2):
        answer = server.ask("GET", CAR, headers)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == 'TargetToken realm="DEFAULT"'
        # That somebody else passed before helps nobody.
        assert server.ask("GET", CAR, target_token(21)).status == 200


def test_the_scheme_is_known_in_any_case(server: Server) -> None:
    assert server.ask("GET", CAR, {"authorization": f"targettoken {token(21)}"}).status == 200


def test_credentials_shown_twice(server: Server) -> None:
    with server.connect() as connection:
        lines = f"GET {CAR} HTTP/1.1\r\nHost: x\r\n" + f"Authorization: TargetToken {token(21)}\r\n" * 2
        connection.write(f"{lines}\r\n".encode())
        assert connection.read().status == 400


def test_a_gateway_where_it_is_allowed(tmp_path: Path) -> None:
    gateway = {"Authorization": f"GatewayToken {GATEWAY}"}
    with Server(tmp_path) as server:
        assert server.ask("GET", CAR, gateway).status == 401
        server.room("switch", "gateway", True)
        eventually(server, gateway, 200)
        server.room("switch", "gateway", False)
        eventually(server, gateway, 401)


def test_a_token_that_was_taken_back(server: Server) -> None:
    at = "/DEFAULT/controller/v1/CAR000031"
    assert server.ask("GET", at, target_token(31)).status == 200
    server.room("renew", "CAR000031", "n" * 40)
    eventually(server, target_token(31), 401, at)
    assert server.ask("GET", at, {"Authorization": f"TargetToken {'n' * 40}"}).status == 200


def test_downloads_without_credentials_where_allowed(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        assert server.ask("GET", FILE).status == 401
        server.room("switch", "anonymous_download", True)
        eventually(server, {}, 200, FILE)
        assert server.ask("HEAD", FILE).status == 200
        # What passes for a download passes for nothing else.
        assert server.ask("GET", CAR).status == 401
        assert server.ask("GET", f"{CAR}/softwaremodules/7/artifacts").status == 401


PROXY = "trusted_proxies=('127.0.0.0/8',), authority_header='X-Ssl-Issuer-Hash'"


def test_certificates_through_a_trusted_proxy(tmp_path: Path) -> None:
    shown = {"X-Controller-Id": "CAR000021", "X-Ssl-Issuer-Hash-0": "00000000"}
    with Server(tmp_path, f"door=DoorOptions({PROXY})") as server:
        both = {**shown, "X-Ssl-Issuer-Hash-1": AUTHORITY.upper()}
        for _ in range(3):
            assert server.ask("GET", CAR, both).status == 200
            assert server.ask("GET", CAR, shown).status == 401
            assert server.ask("GET", CAR, {**both, "X-Controller-Id": "CAR000022"}).status == 401
            assert server.ask("GET", CAR, {**shown, "X-Authority": AUTHORITY}).status == 401
            assert server.ask("GET", CAR, {**both, "X-Controller-Id": ""}).status == 401
        named = {**both, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "cars.example"}
        for _ in range(2):
            poll = server.ask("GET", CAR, {**named, "X-Forwarded-For": "6.6.6.6, 9.9.9.9"}).json
            assert poll["_links"]["configData"]["href"].startswith("https://cars.example/DEFAULT/")
            assert server.room("polled")["CAR000021"][0] == "9.9.9.9"


def test_certificates_over_tls(tmp_path: Path, certificates: Path) -> None:
    paths = [str(certificates / name) for name in ("server.pem", "server.key", "ca.pem")]
    tls = "tls=Tls(" + ", ".join(f"Path({path!r})" for path in paths) + ")"
    with Server(tmp_path, tls) as server:

        def ask(name: str, headers: dict[str, str]) -> list[int]:
            context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
            if name:
                context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
            with server.connect(context) as connection:
                at = "/DEFAULT/controller/v1/CAR000001"
                if name and shutil.which("openssl"):
                    switch = ["switch", "authority", _issuer_hash(certificates / f"{name}.pem")]
                    body = str(switch).replace("'", '"').encode()
                    assert connection.ask("POST", "/room", body=body).status == 200
                return [connection.ask("GET", at, headers).status for _ in range(3)]

        assert ask("", target_token(1)) == [200] * 3
        assert ask("", {}) == [401] * 3
        assert ask("car", {}) == [200] * 3
        assert ask("other", {}) == [401] * 3
        assert ask("", {"X-Controller-Id": "CAR000001", "X-Authority": AUTHORITY}) == [401] * 3
        with pytest.raises((ssl.SSLError, OSError, AssertionError)):
            ask("stranger", {})


def _issuer_hash(path: Path) -> str:
    command = ["openssl", "x509", "-noout", "-issuer_hash", "-in", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


LIMITED = "failures=Rate(0.2, 5), checks=Rate(0.1, 2), car=Rate(0.1, 20)"


def test_failures_slow_down_an_address_but_not_the_cars_behind_it(tmp_path: Path) -> None:
    with Server(tmp_path, f"door=DoorOptions(limits=Limits({LIMITED}))") as server:
        assert server.ask("GET", CAR, target_token(21)).status == 200
        statuses = [server.ask("GET", f"{CAR}x{number}").status for number in range(20)]
        assert statuses[:5] == [401] * 5
        assert set(statuses[5:]) == {429}
        refused = server.ask("GET", f"{CAR}y")
        assert int(refused.headers["retry-after"]) >= 1
        asked = server.room("asked")["authenticate"]
        # Cars that were known before pass, even when something about them has changed.
        assert server.ask("GET", CAR, target_token(21)).status == 200
        server.room("change", "CAR000021")
        time.sleep(0.2)
        assert server.ask("GET", CAR, target_token(21)).status == 200
        assert server.room("asked")["authenticate"] == asked + 1


def test_one_car_that_asks_too_often(tmp_path: Path) -> None:
    with Server(tmp_path, f"door=DoorOptions(limits=Limits({LIMITED}))") as server, server.connect() as one:
        statuses = [one.ask("GET", CAR, target_token(21)).status for _ in range(25)]
        assert statuses == [200] * 20 + [429] * 5
        other = "/DEFAULT/controller/v1/CAR000022"
        assert one.ask("GET", other, target_token(22)).status == 200
        # A download is counted by itself: it may be thousands of ranges.
        assert one.ask("GET", FILE, target_token(21)).status == 200


def test_secrets_are_not_logged(tmp_path: Path) -> None:
    with Server(tmp_path, f"door=DoorOptions({PROXY})") as server:
        for headers in ({"Authorization": "TargetToken verysecret"}, {"X-Controller-Id": "verysecret"}):
            server.ask("GET", f"{CAR}?token=verysecret", headers)
            server.ask("PUT", f"{CAR}/configData?token=verysecret", headers, b"verysecret")
        server.ask("PUT", f"{CAR}/configData", target_token(21), b"verysecret")
        log = server.log()
    assert log.count("code=http.unauthenticated") == 4
    assert log.count("code=http.body") == 1
    assert "verysecret" not in log
    assert token(21) not in log
