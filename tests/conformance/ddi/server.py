"""A server process that tests start, ask over raw sockets, and stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[3]


class Answer(NamedTuple):
    """An answer off the wire; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One connection, HTTP/1.1 as text."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        raw = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket = raw if context is None else context.wrap_socket(raw, server_hostname="localhost")
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        named = {"Host": "127.0.0.1", **(headers or {})}
        if body is not None:
            named.setdefault("Content-Length", str(len(body)))
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
        self.write("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))
        return self.read(method)

    def read_rest(self, size: int) -> bytes:
        """The last bytes of a body whose first line of status has been read."""
        while self.file.readline() not in (b"\r\n", b""):
            pass
        last = b""
        while size:
            part = self.file.read(min(size, 1 << 20))
            assert part
            size, last = size - len(part), (last + part)[-8:]
        return last

    def read(self, method: str = "GET") -> Answer:
        """The next answer."""
        line = self.file.readline()
        assert line.startswith(b"HTTP/1.1 "), line
        status = int(line.split()[1])
        headers: dict[str, str] = {}
        while (line := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            assert name.lower() not in headers, f"{name} stands twice"
            headers[name.lower()] = value.strip()
        if method == "HEAD" or status in (100, 204, 304):
            return Answer(status, headers, b"")
        body = self.file.read(int(headers.get("content-length", "0")))
        return Answer(status, headers, body)


class Server:
    """Runs ``tests/conformance/ddi/run.py`` with options as Python text."""

    def __init__(self, folder: Path, options: str = "", environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.said = (folder / "log").open("w+b")
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COV_CORE")},
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            "FAKE_FOLDER": str(folder),
            "FAKE_OPTIONS": options,
            **(environment or {}),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.conformance.ddi.run"],
            stdout=subprocess.PIPE,
            stderr=self.said,
            cwd=ROOT,
            env=env,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().split()
        if not line:
            self.stop()
            raise AssertionError(self.log())
        self.port = int(line[1])
        # It listens before its room is open; who asks meanwhile waits.
        if "tls=" not in options:
            assert self.ask("GET", "/health").status == 200, self.log()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def connect(self, context: ssl.SSLContext | None = None) -> Connection:
        return Connection(self.port, context)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        with self.connect() as connection:
            return connection.ask(method, path, headers, body)

    def room(self, what: str, *arguments: Any) -> Any:
        """Call a method of the room in the server, or read one of its attributes."""
        answer = self.ask("POST", "/room", body=json.dumps([what, *arguments]).encode())
        assert answer.status == 200, answer
        return answer.json

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.said.close()
        return code

    def log(self) -> str:
        """What it wrote so far."""
        return (self.folder / "log").read_text(errors="replace")
