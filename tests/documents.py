"""Examples in Markdown pages, run as a reader would run them.

- ``sh``: the block is run as it stands, but for lines that begin with ``make``.
- ``console``: lines that begin with ``$ `` are commands (``> `` continues one); the lines after a
  command, if there are any, are its expected output. In it ``…`` stands for any text, and alone on
  a line for any lines.
- ``python``: the block is run as a program.

All examples of a page share one shell, so that ``cd`` and ``export`` last to its end.
"""

from __future__ import annotations

import re
import secrets
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(sh|console|python)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """One command of a page, the line where it stands, and the output it should have, if said."""

    line: int
    command: str
    expected: str | None = None


class ExampleFailed(AssertionError):
    """An example ended with an error, or said something else."""


def examples(text: str) -> list[Example]:
    """The examples of a page, in order."""
    return [example for block in _BLOCK.finditer(text) for example in _of_block(block, text)]


def _of_block(block: re.Match[str], text: str) -> Iterator[Example]:
    kind, content = block[1], block[2]
    line = text.count("\n", 0, block.start()) + 2
    if kind == "python":
        yield Example(line, f"python - <<'END_OF_EXAMPLE'\n{content}END_OF_EXAMPLE")
    elif kind == "sh":
        kept = "\n".join(row for row in content.splitlines() if not row.startswith("make"))
        if re.search(r"^\s*[^#\s]", kept, re.MULTILINE):
            yield Example(line, kept)
    else:
        yield from _of_console(content, line)


def _of_console(content: str, first: int) -> Iterator[Example]:
    rows = content.splitlines()
    starts = [number for number, row in enumerate(rows) if row.startswith("$ ")]
    if not starts or starts[0] != 0:
        raise ExampleFailed(
            f"line {first}: a console block begins with a command, such as: $ driveaway figures"
        )
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        command, output = [rows[start][2:]], rows[start + 1 : end]
        while output and output[0].startswith("> "):
            command.append(output.pop(0)[2:])
        if not command[0].startswith("make"):
            yield Example(first + start, "\n".join(command), "\n".join(output).strip() or None)


def run_page(page: Path, folder: Path, environment: Mapping[str, str], seconds: float = 240) -> int:
    """Run all examples of a page in a folder; how many there were.

    Raises:
        ExampleFailed: one failed, or its output is another; with its place in the page.
    """
    found = examples(page.read_text(encoding="utf-8"))
    token = secrets.token_hex(8)
    script = "".join(
        f"eval {shlex.quote(example.command)} 2>&1\nprintf '\\n%s %s\\n' {token} $?\n" for example in found
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    outputs = re.split(rf"\n{token} (\d+)\n", done.stdout)
    for number, example in enumerate(found):
        if 2 * number + 1 >= len(outputs):
            raise ExampleFailed(f"{page.name}:{example.line}: the shell ended\n{outputs[-1]}")
        output, status = outputs[2 * number].strip(), outputs[2 * number + 1]
        place = f"{page.name}:{example.line}: {example.command}"
        if status != "0":
            raise ExampleFailed(f"{place}\nended with exit code {status}:\n{output}")
        if example.expected is not None and not _matches(example.expected, output):
            raise ExampleFailed(f"{place}\nshould say\n{example.expected}\nbut says\n{output}")
    return len(found)


def _matches(expected: str, output: str) -> bool:
    rows = []
    for row in expected.splitlines():
        if row.strip() == "…":
            rows.append(r"(?:.*\n)*?")
        else:
            rows.append(".*".join(map(re.escape, row.rstrip().split("…"))) + r"[ ]*\n")
    return re.fullmatch("".join(rows), output + "\n") is not None
