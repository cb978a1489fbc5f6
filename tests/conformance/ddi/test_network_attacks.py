"""Attacks on the way between car and server that signatures do not meet: each is withstood, and works once
its defence is gone."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.ddi.fake import content, token
from tests.conformance.ddi.server import Connection, Server

CAR = "/DEFAULT/controller/v1/CAR000021"
FILE = f"{CAR}/softwaremodules/7/artifacts/os%201.0%20%C3%BC.swu"
KNOWN = {"Authorization": f"TargetToken {token(21)}"}
FLOOD = 100


@contextlib.contextmanager
def listening_in(port: int) -> Iterator[tuple[int, bytearray]]:
    """Somebody on the way of one connection who copies every byte; where to connect, and what was heard."""
    heard = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as door:

        def carry(source: socket.socket, target: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    heard.extend(data)
                    target.sendall(data)
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_WR)

        def relay() -> None:
            with contextlib.suppress(OSError):
                car, _ = door.accept()
                with car, socket.create_connection(("127.0.0.1", port)) as server:
                    back = threading.Thread(target=carry, args=(server, car))
                    back.start()
                    carry(car, server)
                    back.join()

        thread = threading.Thread(target=relay)
        thread.start()
        try:
            yield door.getsockname()[1], heard
        finally:
            door.close()
            thread.join(20)


def tells(port: int, context: ssl.SSLContext | None) -> tuple[bool, bool]:
    """Whether who listens in learns the car's credential, and the software."""
    with listening_in(port) as (relay, heard):
        with Connection(relay, context) as car:
            assert car.ask("GET", CAR, KNOWN).status == 200
            assert car.ask("GET", FILE, {**KNOWN, "Range": "bytes=0-4095"}).body == content(4096)
        return token(21).encode() in heard, content(4096)[:256] in heard


@pytest.mark.parametrize("defended", [True, False], ids=["withstood", "without its defence"])
def test_eavesdropping(defended: bool, tmp_path: Path, certificates: Path) -> None:
    """TLS hides what is said. The server asks for it wherever it can be reached from elsewhere."""
    tls = f"tls=Tls(Path({str(certificates / 'server.pem')!r}), Path({str(certificates / 'server.key')!r}))"
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem")) if defended else None
    with Server(tmp_path, tls if defended else "", {"FAKE_SIZE": "100000"}) as server:
        assert tells(server.port, context) == ((False, False) if defended else (True, True))


@pytest.mark.parametrize("defended", [True, False], ids=["withstood", "without its defence"])
def test_denial_of_service(defended: bool, tmp_path: Path) -> None:
    """Who floods the server with wrong credentials gets little; cars behind the same address get all."""
    rates = "failures=Rate(0.2, 5), checks=Rate(0.1, 2)" if defended else "failures=Rate(1e9, 1_000_000)"
    with Server(tmp_path, f"door=DoorOptions(limits=Limits({rates}))") as server:
        assert server.ask("GET", CAR, KNOWN).status == 200
        before = server.room("asked")["authenticate"]
        with server.connect() as flood:
            statuses = [flood.ask("GET", f"{CAR}x{number}").status for number in range(FLOOD)]
        looked_up = server.room("asked")["authenticate"] - before
        assert server.ask("GET", CAR, KNOWN).status == 200
        if defended:
            assert set(statuses[10:]) == {429}
            assert looked_up < 10
        else:
            assert set(statuses) == {401}
            assert looked_up >= FLOOD
