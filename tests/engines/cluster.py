"""A standalone Spark cluster on this machine: a master and two workers, as processes on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import pyspark

from tests.surroundings import MACHINE

HOME = Path(pyspark.__file__).parent
HERE = "127.0.0.1"
DEFAULTS = """
spark.executor.memory 512m
spark.executor.extraJavaOptions -XX:+UseSerialGC -XX:TieredStopAtLevel=1
spark.driver.extraJavaOptions -XX:+UseSerialGC -XX:TieredStopAtLevel=1
"""
"""``spark-defaults.conf`` of a cluster that lives for some seconds: it compiles little, starts quickly."""
_SECONDS = 120


def java() -> bool:
    """Whether Spark can run here."""
    return bool(os.environ.get("JAVA_HOME") or shutil.which("java"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HERE, 0))
        return int(listener.getsockname()[1])


class Cluster:
    """A master with two workers of one core each. Ends with the ``with`` statement."""

    def __init__(self) -> None:
        self.master = f"spark://{HERE}:{free_port()}"
        self._folder = tempfile.TemporaryDirectory(prefix="driveaway-cluster-", ignore_cleanup_errors=True)
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Cluster:
        port = self.master.rpartition(":")[2]
        log = self._start("master", "Master", "--port", port, "--webui-port", "0")
        self._await(log, "New state: ALIVE", 1)
        for number in (1, 2):
            work = Path(self._folder.name) / f"work{number}"
            self._start(
                f"worker{number}", "Worker", "--webui-port", "0", "--cores", "1", "--memory", "1g",
                "--work-dir", str(work), self.master,
            )  # fmt: skip
        self._await(log, "Registering worker", 2)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._running):
            process.terminate()
        for process in self._running:
            process.wait(30)
        self._folder.cleanup()

    def _start(self, name: str, role: str, *options: str) -> Path:
        log = Path(self._folder.name) / f"{name}.log"
        environment = {key: value for key, value in MACHINE.items() if not key.startswith("SPARK_")}
        environment |= {
            "SPARK_HOME": str(HOME),
            "SPARK_LOCAL_IP": HERE,
            "SPARK_LOCAL_DIRS": self._folder.name,
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        }
        command = [
            HOME / "bin" / "spark-class",
            f"org.apache.spark.deploy.{role.lower()}.{role}",
            "--host",
            HERE,
        ]
        with log.open("wb") as said:
            self._running.append(
                subprocess.Popen(
                    [*command, *options],
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    cwd=self._folder.name,
                    env=environment,
                )
            )
        return log

    def _await(self, log: Path, words: str, times: int) -> None:
        until = time.monotonic() + _SECONDS
        while log.read_text(errors="replace").count(words) < times:
            ended = [process.args for process in self._running if process.poll() is not None]
            if ended or time.monotonic() > until:
                self.__exit__(None, None, None)
                raise RuntimeError(f"Spark did not start: {ended or words}")
            time.sleep(0.05)
