"""The device server's process stays light: what its desk loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_desk_loads_no_engine_and_no_door() -> None:
    program = (
        "import sys, driveaway.updates.ddi.desk; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[3] / "src",
    )
    heavy = {"duckdb", "ibis", "numpy", "pyarrow", "sqlalchemy", "alembic", "psycopg", "click", "starlette"}
    assert not set(done.stdout.split()) & heavy
