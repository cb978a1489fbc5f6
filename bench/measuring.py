"""One measurement, one process: its wall and CPU time and its peak memory, as the kernel counted them.

This module and the sections import nothing heavy: a child's peak memory starts at its parent's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Failed(Exception):
    """A measured process ended with an error; the message has the end of what it said."""


@dataclass(frozen=True)
class Run:
    """A process that ended well.

    Attributes:
        wall, cpu: seconds; ``cpu`` is user and system time, of its children too.
        peak: bytes of memory held at once by the process, or by the largest of its children.
        output: what it printed.
    """

    wall: float
    cpu: float
    peak: int
    output: str

    @property
    def said(self) -> dict[str, Any]:
        """The JSON object on the last line of the output."""
        found: dict[str, Any] = json.loads(self.output.splitlines()[-1])
        return found


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end.

    Raises:
        Failed: it ended with another code than 0.
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith("DRIVEAWAY_")}
    env |= {"NO_COLOR": "1", "COLUMNS": "110", **(environment or {})}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=ROOT,
            env=env,
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        output = out.read().decode(errors="replace")
        if process.returncode != 0:
            said = (output + err.read().decode(errors="replace"))[-3000:]
            raise Failed(f"{' '.join(map(str, command))}\nended with {process.returncode}:\n{said}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _RSS_UNIT, output)


def part(name: str, *arguments: object) -> Run:
    """Run a module of ``bench.parts`` with positional arguments."""
    return run([sys.executable, "-m", f"bench.parts.{name}", *map(str, arguments)])


def driveaway(*arguments: object) -> Run:
    """Run the program as a user does."""
    return run([sys.executable, "-m", "driveaway", *map(str, arguments)])


def note(text: str) -> None:
    """Say on stderr what is being done; results go to stdout."""
    print(text, file=sys.stderr, flush=True)


def tell(**content: Any) -> None:
    """Print what was measured, for the process that asked."""
    print(json.dumps(content))
