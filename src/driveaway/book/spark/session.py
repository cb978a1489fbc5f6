"""Sessions on a Spark master: this process's own (``local[2]``) or a standalone cluster's."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from driveaway.values.errors import BadValue, Unavailable

MASTERS: Final = re.compile(r"local(\[(\d+|\*)\])?|spark://[^/\s]+:\d+(,[^/\s]+:\d+)*")
"""Masters that an engine may be."""
_CONNECT_SECONDS: Final = 5.0
_EXECUTOR_SECONDS: Final = 60.0
_LOOPBACK: Final = ("127.", "localhost", "::1", "[::1]")
_JAVA: Final = "install Java 17 or 21, on Debian with: apt install openjdk-17-jre-headless"

_context: Any = None
_master = ""
_users = 0
_lock = threading.Lock()


def open_session(master: str) -> Any:
    """A session of its own (temporary views, settings) on a master; give it back to ``close_session``.

    A process has one Spark context; sessions on the same master share it.

    Raises:
        BadValue: it is not a master.
        Unavailable: PySpark or Java is missing, the master cannot be reached or gives no executor, or this
            process has sessions on another master.
    """
    global _context, _master, _users
    if not MASTERS.fullmatch(master):
        raise BadValue(
            f"{master!r} is no Spark master",
            code="spark.master",
            remedy="spark://HOST:PORT, local[2] or local[*]",
        )
    with _lock:
        if _users and master != _master:
            raise Unavailable(
                f"this process works on {_master} already",
                code="spark.busy",
                remedy="use one master at a time",
            )
        if not _users:
            _context, _master = _started(master), master
        _users += 1
        session = _context.newSession()
    # Ibis takes all engines to be in UTC; days are cut in the data, never by the engine's zone.
    session.conf.set("spark.sql.session.timeZone", "UTC")
    session.conf.set("spark.sql.shuffle.partitions", str(2 * session.sparkContext.defaultParallelism))
    return session


def close_session(session: Any) -> None:
    """Let go of a session; with the last one the connection to the master ends."""
    global _context, _users
    with _lock:
        session.catalog.clearCache()
        _users -= 1
        if not _users:
            _context.stop()
            _context = None


def _started(master: str) -> Any:
    try:
        from pyspark import SparkConf
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise Unavailable(
            "figures on Spark need a part that is not installed",
            code="extra.missing",
            place=str(error.name),
            remedy="pip install 'driveaway[spark]'",
        ) from error
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise Unavailable("Spark needs Java, and there is none", code="spark.java", remedy=_JAVA)
    _reachable(master)
    conf = SparkConf().setMaster(master).setAppName("driveaway")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        # Parquet's Java library fails on the dictionaries of LZ4 pages beyond 8 KiB when it filters by them
        # (apache/parquet-java 3478).
        "spark.hadoop.parquet.filter.dictionary.enabled": "false",
    }
    if _on_loopback(master):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    conf.setAll(list(settings.items()))
    with _quiet() as said:
        try:
            session = SparkSession.builder.config(conf=conf).getOrCreate()
        except Exception as error:
            raise Unavailable(
                f"Spark did not start: {_last_line(said) or error}",
                code="spark.start",
                place=master,
                remedy=_JAVA,
            ) from error
    if master.startswith("spark://"):
        _await_executor(session, master)
    return session


def _reachable(master: str) -> None:
    """Spark itself would try for a minute.

    Raises:
        Unavailable: nobody listens at any of the addresses.
    """
    if not master.startswith("spark://"):
        return
    last: OSError | None = None
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
            return
        except OSError as error:
            last = error
    raise Unavailable(
        f"no Spark master answers there ({last})",
        code="spark.unreachable",
        place=master,
        remedy="start it, or leave the engine out: DuckDB gives the same answers",
    )


def _await_executor(session: Any, master: str) -> None:
    """A query on a cluster without workers would wait for ever."""
    until = time.monotonic() + _EXECUTOR_SECONDS
    while session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < 2:  # the driver is one
        if time.monotonic() > until:
            session.stop()
            raise Unavailable(
                "the Spark master gives no executor",
                code="spark.no_executor",
                place=master,
                remedy="start workers, or free some of their memory and cores",
            )
        time.sleep(0.05)


def _on_loopback(master: str) -> bool:
    """Whether all of Spark is on this machine: then none of it shall be seen from outside."""
    hosts = master.removeprefix("spark://").split(",")
    return not master.startswith("spark://") or all(host.startswith(_LOOPBACK) for host in hosts)


@contextmanager
def _quiet() -> Iterator[Path]:
    """What Java and Spark say while they start goes to a file, and does not mix with our own words."""
    with tempfile.TemporaryDirectory(prefix="driveaway-spark-") as folder:
        path = Path(folder) / "start.log"
        kept = os.dup(2)
        try:
            with path.open("wb") as log:
                os.dup2(log.fileno(), 2)
            yield path
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _last_line(path: Path) -> str:
    lines = [line.strip() for line in path.read_text(errors="replace").splitlines()]
    wrong = [line for line in lines if "Exception" in line or "Error" in line]
    return (wrong or lines or [""])[-1]
