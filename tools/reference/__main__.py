"""``python -m tools.reference [--check]``."""

from __future__ import annotations

import sys

from tools.reference import folder, pages


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` say which differ from the code."""
    target = folder()
    differing = []
    for name, text in pages().items():
        file = target / name
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            continue
        differing.append(name)
        if "--check" not in arguments:
            file.write_text(text, encoding="utf-8")
    if differing and "--check" in arguments:
        print(
            f"docs/reference: {', '.join(differing)} differ from the code; run 'make docs'", file=sys.stderr
        )
        return 1
    return 0


sys.exit(main(sys.argv[1:]))
