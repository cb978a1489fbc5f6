"""A real HTTP receiver of webhooks on loopback, which answers as a test tells it to."""

from __future__ import annotations

import base64
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC


class Message(NamedTuple):
    """What came: headers by lower-case name, and the body as sent."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        found = msgspec.json.decode(self.body)
        assert isinstance(found, dict)
        return found

    @property
    def seq(self) -> int:
        return int(self.event["sequence"])


class Answer(NamedTuple):
    """What the receiver says, after how many seconds."""

    status: int = 204
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    after: float = 0.0


def is_signed(message: Message, secret: str) -> bool:
    """Whether the message is signed with the secret: Standard Webhooks, with another library's HMAC."""
    headers = message.headers
    key = base64.b64decode(secret[len("whsec_") :])
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + message.body
    for each in headers["webhook-signature"].split(" "):
        version, _, signature = each.partition(",")
        check = HMAC(key, SHA256())
        check.update(signed)
        try:
            check.verify(base64.b64decode(signature))
        except InvalidSignature:
            continue
        return version == "v1"
    return False


class Receiver:
    """Takes messages at ``url``; ``answers`` says what it answers to each."""

    def __init__(self, answers: Callable[[Message], Answer], tls: tuple[Path, Path] | None = None) -> None:
        self.answers = answers
        self.came: list[Message] = []
        self._news = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = Message({key.lower(): value for key, value in self.headers.items()}, body)
                with receiver._news:
                    receiver.came.append(message)
                    receiver._news.notify_all()
                answer = receiver.answers(message)
                time.sleep(answer.after)
                self.send_response(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def handle(self) -> None:
                # A sender that was killed hangs up in the middle.
                try:
                    super().handle()
                except (ConnectionError, ssl.SSLError):
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_port}/facts?to=us"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def wait(self, until: Callable[[list[Message]], bool], seconds: float = 30) -> list[Message]:
        """Wait for what came to be so; all that came."""
        with self._news:
            assert self._news.wait_for(lambda: until(self.came), seconds), [each.body for each in self.came]
            return list(self.came)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def receiving(
    answers: Callable[[Message], Answer] = lambda _: Answer(), tls: tuple[Path, Path] | None = None
) -> Iterator[Receiver]:
    receiver = Receiver(answers, tls)
    try:
        yield receiver
    finally:
        receiver.close()
