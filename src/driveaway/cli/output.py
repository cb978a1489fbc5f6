"""What commands print: results on stdout, progress and warnings on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from driveaway.figures.answer import Answer

_NOTHING = "–"
_MANY = 5


def console(*, stderr: bool = False) -> Console:
    """A console that uses no colour when it is not a terminal, or when NO_COLOR is set."""
    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "100"))
    return Console(stderr=stderr, highlight=False, soft_wrap=False, width=width)


def print_json(content: Any) -> None:
    """One JSON document, human-readable, UTF-8."""
    click.echo(json.dumps(content, ensure_ascii=False, indent=2))


def print_rows(rows: Sequence[Mapping[str, Any]], title: str = "") -> None:
    """Rows as a table, numbers to the right; rows too wide for one become a block of lines each."""
    out = console()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[_cell(row.get(name)) for name in columns] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(columns)]
    if len(columns) > _MANY and sum(widths) + len(columns) > out.width:
        _print_blocks(out, columns, cells, title)
        return
    if title:
        # Not the table's own title, which would be broken to the width of the columns.
        click.echo(title)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        table.add_column(
            name.replace("_", " "), justify="right" if numeric else "left", overflow="fold", no_wrap=numeric
        )
    for line in cells:
        table.add_row(*line)
    out.print(table)


def _print_blocks(out: Console, columns: Sequence[str], cells: Sequence[Sequence[str]], title: str) -> None:
    if title:
        out.print(title)
    for line in cells:
        block = Table.grid(padding=(0, 2))
        block.add_column(no_wrap=True)
        block.add_column(ratio=1, overflow="fold")
        for name, cell in zip(columns, line, strict=True):
            if cell != _NOTHING:
                block.add_row(name.replace("_", " "), cell)
        out.print(block)
        out.print()


def _cell(value: Any) -> str:
    from rich.markup import escape

    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, _Share):
        return _share(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return escape(str(value))


def print_answer(answer: Answer, shape: str) -> None:
    """An answer as a table with its evidence, as JSON, or as CSV."""
    if shape == "json":
        print_json(answer.json())
        return
    if shape == "csv":
        click.echo(answer.csv(), nl=False)
        return
    if answer.unknown is not None:
        click.echo(f"{answer.title}: unknown, {answer.unknown}")
    elif answer.rows is not None:
        print_rows([_shown(row, answer.unit) for row in answer.rows], answer.title)
    else:
        text = _share(answer.value) if answer.unit == "share" else _cell(answer.value)
        unit = "" if answer.unit == "share" else f" {answer.unit}"
        if answer.interval is not None:
            low, high = _share(answer.interval.low), _share(answer.interval.high)
            text += f" ({low} to {high} at {answer.interval.level:.0%})"
        click.echo(f"{answer.title}: {text}{unit}")
    if answer.note:
        click.echo(answer.note)
    said = "; order-level data is simulated" if answer.simulated else ""
    click.echo(f"as of {answer.as_of}, mark {answer.mark}, definition {answer.definition}{said}")


class _Share(float):
    """A number that is shown in percent."""


def _shown(row: Mapping[str, Any], unit: str) -> dict[str, Any]:
    """A row for people: shares in percent, the unit of other values in the heading."""
    shares = {"share", "value", "low", "high"} if unit == "share" else {"share"}
    heading = "value" if unit in ("", "count", "share") else f"value ({unit})"
    return {
        heading if name == "value" else name: _Share(value)
        if name in shares and isinstance(value, float | int)
        else value
        for name, value in row.items()
        if name not in ("simulated", "reference")
    }


def _share(value: Any) -> str:
    return _NOTHING if value is None else f"{float(value):.1%}"


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr that appears only if there is a terminal and the work takes a while."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None, visible=False)

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=True)

        yield report
