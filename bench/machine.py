"""On what was measured: machine, system, versions, and whether it was idle."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.measuring import ROOT
from bench.tables import mebibytes

_PACKAGES = (
    "driveaway",
    "duckdb",
    "ibis-framework",
    "pyarrow",
    "msgspec",
    "sqlalchemy",
    "psycopg",
    "pandas",
    "numpy",
)
_BUSY = 0.5
"""Load average (1 minute) from which the machine is not called idle."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe(load: float) -> str:
    """A list of the machine and the versions; ``load`` is the load average before the first measurement."""
    import sqlite3

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    idle = "idle" if load < _BUSY else "NOT idle: others were running"
    rows = [
        ["measured", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}"],
        ["processor", f"{_processor()}, {cores()} cores"],
        ["memory", mebibytes(memory)],
        ["system", f"{platform.system()} {platform.release()}"],
        ["load average before", f"{load:.2f} ({idle})"],
        ["Python", f"{platform.python_version()} ({sys.implementation.name})"],
        ["SQLite", sqlite3.sqlite_version],
        ["packages", ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)],
    ]
    return "\n".join(f"- {name}: {value}" for name, value in rows)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _commit() -> str:
    """The checkout's commit, with + when tracked files differ from it."""
    try:
        git = ["git", "-C", str(ROOT)]
        head = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        )
        dirty = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no", "src"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "")
