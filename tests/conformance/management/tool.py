"""A staff tool that speaks to the server over raw HTTP, and the server's process."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from driveaway.launch.device import DeviceLaunch
from driveaway.launch.management import opened
from driveaway.updates.configuration import configure
from driveaway.updates.releases import UNSIGNED
from tests.server import ROOT, make_launch

PASSWORD = "correct-horse-battery"
ACCOUNTS = {
    "all": ("operator", "publisher", "approver", "administrator"),
    "viewer": ("viewer",),
    "operator": ("operator",),
    "publisher": ("publisher",),
    "approver": ("approver",),
}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def basic(name: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def form(
    files: Mapping[str, tuple[str, bytes]], fields: Mapping[str, str] | None = None
) -> tuple[str, bytes]:
    """Content type and body of a form: files by part with name and content, and fields."""
    boundary = uuid.uuid4().hex
    lines: list[bytes] = []
    for name, (filename, content) in files.items():
        disposition = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
        head = f"--{boundary}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
        lines += [head.encode(), content, b"\r\n"]
    for name, value in (fields or {}).items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        lines.append(head.encode())
    lines.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(lines)


class Tool:
    """Asks as one account, over one connection."""

    def __init__(self, port: int, name: str = "all") -> None:
        self.port = port
        self.authorization = basic(name)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask; a body that is not bytes is sent as JSON. Paths begin below /rest/v1 or name a whole URL."""
        given = {"Authorization": self.authorization}
        if body is not None and not isinstance(body, bytes):
            body, given["Content-Type"] = json.dumps(body).encode(), "application/json;charset=UTF-8"
        given |= headers or {}
        url = path.removeprefix(f"http://127.0.0.1:{self.port}") if path.startswith("http") else path
        if not url.startswith("/"):
            url = "/rest/v1/" + url
        self._connection.request(method, url, body, given)
        answer = self._connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, dict(headers), answer.read())

    def done(self, method: str, path: str, body: Any = None) -> Any:
        """What is answered; it must have been done."""
        answer = self.ask(method, path, body)
        assert 200 <= answer.status < 300, (method, path, answer)
        return answer.json if answer.body else None

    def get(self, path: str) -> Any:
        return self.done("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self.done("POST", path, body)

    def refused(self, status: int, method: str, path: str, body: Any = None, **more: Any) -> str:
        """hawkBit's key of the error, without its beginning."""
        answer = self.ask(method, path, body, **more)
        assert answer.status == status, (method, path, answer)
        said = answer.json
        assert {"exceptionClass", "errorCode", "message"} <= set(said)
        return str(said["errorCode"]).removeprefix("hawkbit.server.error.")

    # --- what tools do again and again ---

    def target(self, controller_id: str, **more: Any) -> Any:
        return self.post("targets", [{"controllerId": controller_id, "name": controller_id, **more}])[0]

    def upload(self, module: int, filename: str, content: bytes, /, **fields: str) -> Answer:
        kind, body = form({"file": (filename, content)}, fields)
        return self.ask("POST", f"softwaremodules/{module}/artifacts", body, {"Content-Type": kind})

    def release(self, version: str, content: bytes = b"content", name: str = "os") -> int:
        """A distribution set with one module and one file; its id."""
        module = self.post("softwaremodules", [{"name": name, "version": version, "type": "os"}])[0]["id"]
        assert self.upload(module, "a.swu", content).status == 201
        body = {
            "name": name,
            "version": version,
            "description": "x",
            "type": "os",
            "modules": [{"id": module}],
        }
        return int(self.post("distributionsets", [body])[0]["id"])

    def assign(self, release: int, controller_id: str, **terms: Any) -> int:
        made = self.post(f"distributionsets/{release}/assignedTargets", [{"id": controller_id, **terms}])
        return int(made["assignedActions"][-1]["id"])


class Server:
    """A launch with accounts, and the server for staff over it."""

    def __init__(self, folder: Path, failures: str = "", launch: DeviceLaunch | None = None) -> None:
        self.launch = launch or make_launch(folder)
        with opened(self.launch) as found:
            with found.state.change() as change:
                configure(change, UNSIGNED, True, 0)
            kept: str | None = None
            for name, roles in ACCOUNTS.items():
                if kept is None:
                    found.accounts.add(name, PASSWORD, roles)
                    ((kept,),) = found.state.rows("SELECT password FROM accounts")
                    continue
                # Deriving a key takes 80 ms: one is enough.
                with found.state.change() as change:
                    change.insert(
                        "accounts", name=name, password=kept, roles=json.dumps(roles), created=0, modified=0
                    )
        self.log = self.launch.folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.conformance.management.run", str(self.launch.folder)],
                cwd=ROOT,
                env={
                    **os.environ,
                    "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
                    "MANAGEMENT_FAILURES": failures,
                },
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().split()
        assert line, self.log.read_text()
        self.port = int(line[-1])

    def tool(self, name: str = "all") -> Tool:
        return Tool(self.port, name)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code
