"""Debian's SWUpdate as a device: signed images, a process with its own folder, and what it installed."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SWUPDATE = shutil.which("swupdate")
BOARD = "car:1.0"


class Signer:
    """Who signs images: a self-signed certificate, and its key."""

    def __init__(self, name: str = "maker") -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        names = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(names)
            .issuer_name(names)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def signature(self, content: bytes) -> bytes:
        """CMS, detached, in DER."""
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        builder = builder.add_signer(self.certificate, self.key, hashes.SHA256())
        options = [
            pkcs7.PKCS7Options.DetachedSignature,
            pkcs7.PKCS7Options.Binary,
            pkcs7.PKCS7Options.NoCapabilities,
        ]
        return builder.sign(serialization.Encoding.DER, options)


class Image(NamedTuple):
    """One file of an image: how it is installed, and where."""

    name: str
    content: bytes
    entry: str


def to_file(name: str, content: bytes, path: Path, *, more: str = "") -> Image:
    """A file that is written to a path."""
    return Image(name, content, f'type = "rawfile"; path = "{path}"; {more}')


def script(name: str, text: str) -> Image:
    """A shell script, called with ``preinst`` before and ``postinst`` after."""
    return Image(name, text.encode(), 'type = "shellscript";')


def image(signer: Signer, version: str, *parts: Image) -> bytes:
    """A signed image (.swu): a cpio archive of its description, the signature, and its files."""
    entries: dict[str, list[str]] = {"files": [], "scripts": [], "images": []}
    for part in parts:
        kind = "scripts" if "shellscript" in part.entry else "images" if "delta" in part.entry else "files"
        digest = hashlib.sha256(part.content).hexdigest()
        entries[kind].append(f'{{ filename = "{part.name}"; sha256 = "{digest}"; {part.entry} }}')
    lists = "".join(f"  {kind}: ( {', '.join(found)} );\n" for kind, found in entries.items() if found)
    text = f'software =\n{{\n  version = "{version}";\n  hardware-compatibility: [ "1.0" ];\n{lists}}}\n'
    description = text.encode()
    files = {"sw-description": description, "sw-description.sig": signer.signature(description)}
    return archive({**files, **{part.name: part.content for part in parts}})


def archive(files: Mapping[str, bytes]) -> bytes:
    """A cpio archive in the format newc."""
    out = bytearray()
    for number, (name, content) in enumerate([*files.items(), ("TRAILER!!!", b"")], start=1):
        mode = 0 if name == "TRAILER!!!" else 0o100644
        fields = [number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4)
        out += content
        out += b"\0" * (-len(out) % 4)
    return bytes(out + b"\0" * (-len(out) % 512))


class Device:
    """A device with a folder of its own; it is started, and killed as a power cut or a reboot would."""

    def __init__(self, folder: Path, signer: Signer, url: str, name: str, token: str) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.name = name
        self.slot = folder / "slot"
        self.log = folder / "log"
        (folder / "certificate.pem").write_bytes(signer.pem())
        (folder / "tmp").mkdir()
        self.identify(version="0.9", vin=name)
        self._suricatta = f"-t DEFAULT -u {url} -i {name} -k {token} -r 20 -w 1 -m 1"
        self._environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        self._environment["TMPDIR"] = str(folder / "tmp")
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0

    def identify(self, **said: str) -> None:
        """What it says of itself from its next start on."""
        named = ", ".join(f'{{ name = "{name}"; value = "{value}"; }}' for name, value in said.items())
        (self.folder / "swupdate.cfg").write_text(
            f'globals : {{ public-key-file = "{self.folder}/certificate.pem"; loglevel = 5; }};\n'
            f"identify : ( {named} );\n"
        )

    def start(self, more: str = "") -> None:
        """Start it; ``more`` are further options of its updater, such as ``-c 2`` after a good boot."""
        assert SWUPDATE is not None
        assert self._process is None
        self._begun = self.log.stat().st_size if self.log.exists() else 0
        config = str(self.folder / "swupdate.cfg")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [SWUPDATE, "-v", "-H", BOARD, "-f", config, "-u", f"{self._suricatta} {more}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self.folder,
                start_new_session=True,
            )

    def stop(self) -> None:
        """A power cut."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def said(self) -> str:
        """Its log since it was started last, without colours."""
        log = self.log.read_bytes()[self._begun :].decode(errors="replace")
        return re.sub(r"\x1b\[[0-9;]*m", "", log)

    def poll(self) -> None:
        """Have it ask the server now; what the server tells it to wait is 30 seconds at the least."""
        command = ["swupdate-ipc", "hawkbitcfg", "-t"]
        subprocess.run(command, env=self._environment, capture_output=True, check=False)

    def wait(self, until: str | Callable[[], bool], seconds: float = 40.0) -> None:
        """Have it ask the server again and again until its log says so, or something else holds."""
        end = time.monotonic() + seconds
        while not (re.search(until, self.said()) if isinstance(until, str) else until()):
            assert self._process is not None
            assert self._process.poll() is None, self.said()[-6000:]
            assert time.monotonic() < end, self.said()[-6000:]
            self.poll()
            time.sleep(0.15)


class Wire:
    """A wire between a device and the server that can be cut while a file is on its way.

    It passes bytes on as they are; once ``hold_after`` bytes went to the device it holds still until it is
    cut. ``ranges`` are the beginnings of ranges that were asked for.
    """

    def __init__(self, port: int, hold_after: int) -> None:
        self.ranges: list[int] = []
        self.held = threading.Event()
        self._cut = threading.Event()
        self._server = port
        self._left = hold_after
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._port = 0
        self.mend()
        self.url = f"http://127.0.0.1:{self._port}"

    def mend(self) -> None:
        """Pass on, from the same port as before."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        self._begin(self._accept, self._listener)

    def cut(self) -> None:
        """Nothing passes, and nobody listens."""
        self._cut.set()
        for end in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for end in (self._listener, *self._open):
            end.close()
        self._open, self._threads = [], []

    def _begin(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                self._open.append(near)
                far = socket.create_connection(("127.0.0.1", self._server))
                self._open.append(far)
                self._begin(self._pass, near, far, self._asked)
                self._begin(self._pass, far, near, self._answered)

    def _pass(self, one: socket.socket, other: socket.socket, see: Callable[[bytes], None]) -> None:
        with contextlib.suppress(OSError):
            while part := one.recv(65_536):
                see(part)
                other.sendall(part)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def _asked(self, part: bytes) -> None:
        self.ranges += [int(found) for found in re.findall(rb"(?i)\r\nrange: bytes=(\d+)-", part)]

    def _answered(self, part: bytes) -> None:
        self._left -= len(part)
        if self._left <= 0 and not self.held.is_set():
            self.held.set()
            self._cut.wait(60)
