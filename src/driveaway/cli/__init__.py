"""The command line: parses, calls, prints. Nothing is decided here."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the process's exit code."""
    from driveaway.cli.app import run

    code = run(list(sys.argv[1:] if arguments is None else arguments))
    if arguments is None:
        sys.exit(code)
    return code
