"""What commands print: results on stdout, progress and warnings on stderr."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from driveaway.figures.answer import Answer
from driveaway.figures.rounding import rounded, significant
from driveaway.values.provinces import BY_CODE

_NOTHING = "–"
_MANY = 5
_PARTING = 2
"""Spaces between two columns of a table."""
_SLIM = 13
"""No text as short as this is broken: days, codes, numbers."""
# Left out of a table of a figure that is too wide, in this order, until it fits; JSON and CSV have them.
_SPARE: Final = (
    "energy_at",
    "said",
    "begun",
    "set_on",
    "role",
    "qualifier",
    "claimed_cycle",
    "day",
    "rival",
    "measure",
    "previous_amount",
    "from_day",
)


def console(*, stderr: bool = False) -> Console:
    """A console that uses no colour when it is not a terminal, or when NO_COLOR is set."""
    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "100"))
    return Console(stderr=stderr, highlight=False, soft_wrap=False, width=width)


def print_json(content: Any) -> None:
    """One JSON document, human-readable, UTF-8."""
    click.echo(json.dumps(content, ensure_ascii=False, indent=2))


def print_rows(rows: Sequence[Mapping[str, Any]], title: str = "", *, spare: Sequence[str] = ()) -> None:
    """Rows as a table, numbers to the right; rows too wide for one become a block of lines each.

    Columns named in ``spare`` are left out first, one after the other; a line then says which.
    """
    out = console()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if spare:
        empty = {name for name in spare if all(row.get(name) is None for row in rows)}
        columns = [name for name in columns if name not in empty]
    cells = {name: [_cell(row.get(name)) for row in rows] for name in columns}
    left_out: list[str] = []
    for name in spare:
        if _fits(cells, out.width):
            break
        if name in cells:
            left_out.append(name)
            del cells[name]
    if not _fits(cells, out.width):
        lines = [[_cell(row.get(name)) for name in columns] for row in rows]
        _print_blocks(out, columns, lines, title)
        return
    if title:
        # Not the table's own title, which would be broken to the width of the columns.
        click.echo(title)
    table = Table(box=None, pad_edge=False, header_style="bold")
    widths = _widths(cells, out.width) if spare and _fits(cells, out.width) else {}
    for name in cells:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        table.add_column(
            name.replace("_", " "),
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=numeric and not widths,
            width=widths.get(name),
        )
    for line in zip(*cells.values(), strict=True):
        table.add_row(*line)
    out.print(table)
    if left_out:
        names = ", ".join(name.replace("_", " ") for name in columns if name in left_out)
        out.print(f"Left out for want of room: {names}; --format json or csv has them.", markup=False)


def _fits(cells: Mapping[str, Sequence[str]], width: int) -> bool:
    """Whether these columns can stand side by side, long texts and headings broken between words."""
    least = sum(_least(name, lines) for name, lines in cells.items())
    return len(cells) <= _MANY or least + _PARTING * (len(cells) - 1) <= width


def _widths(cells: Mapping[str, Sequence[str]], width: int) -> dict[str, int]:
    """A width for each column: its least, and what room is left goes to the narrowest of its wants."""
    out = {name: _least(name, lines) for name, lines in cells.items()}
    full = {name: max(len(name), *map(len, lines)) for name, lines in cells.items()}
    room = width - sum(out.values()) - _PARTING * (len(cells) - 1)
    for name in sorted(cells, key=lambda name: full[name] - out[name]):
        more = max(min(full[name] - out[name], room), 0)
        out[name] += more
        room -= more
    return out


def _least(name: str, lines: Sequence[str]) -> int:
    """The least width of a column: headings and long texts break between words, nothing else breaks."""
    longest = max((len(line) for line in lines), default=0)
    if longest > _SLIM:
        longest = max(len(word) for line in lines for word in line.split())
    return max(longest, *(len(word) for word in name.replace("_", " ").split()))


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
        return _decimal(value)
    return escape(str(value))


def print_answer(
    answer: Answer, shape: str, regions: Mapping[str, str] | None = None, asked: Sequence[str] = ()
) -> None:
    """An answer as a table with its evidence, as JSON, or as CSV.

    Args:
        answer: what is printed.
        shape: ``table``, ``json`` or ``csv``.
        regions: names of regions beside the provinces of China, by code: in a table a code has its name.
        asked: the dimensions that were asked for, which no table leaves out.
    """
    if shape == "json":
        print_json(answer.json())
        return
    if shape == "csv":
        click.echo(answer.csv(), nl=False)
        return
    if answer.unknown is not None:
        click.echo(f"{answer.title}: unknown, {answer.unknown}")
    elif answer.rows is not None:
        rows = [_shown(row, answer.unit, regions or {}) for row in answer.rows]
        print_rows(rows, answer.title, spare=[name for name in _SPARE if name not in asked])
        for line in _reasons(answer.rows):
            click.echo(line)
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


def _shown(row: Mapping[str, Any], unit: str, regions: Mapping[str, str]) -> dict[str, Any]:
    """A row for people: shares in percent, names beside codes, the unit of other values in the heading."""
    shares = {"share", "value", "low", "high"} if unit == "share" else {"share"}
    heading = "value" if unit in _UNITLESS else f"value ({unit})"
    out: dict[str, Any] = {}
    for name, value in row.items():
        if name in ("simulated", "reference", *_REASONS):
            continue
        if name in shares and isinstance(value, float | int):
            value = _Share(value)
        if name == "province" and value is not None:
            value = _named(str(value), regions)
        out[heading if name == "value" else name] = value
    return out


def _reasons(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why cells have no number, each reason once, with the rows that it holds for."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for column, what in _REASONS.items():
            if row.get(column):
                found.setdefault((what, str(row[column])), []).append(_cell(next(iter(row.values()))))
    return [f"{', '.join(names)}: {what}, {reason}" for (what, reason), names in found.items()]


# Columns that say why another has no number; under a table they are lines.
_REASONS: Final = {"unknown": "unknown", "measured_unknown": "measured unknown"}
_UNITLESS: Final = ("", "count", "share", "of the target's measure")


def _named(code: str, regions: Mapping[str, str]) -> str:
    """A province's code with its name: 310000 Shanghai."""
    name = regions.get(code) or (BY_CODE[code].name if code in BY_CODE else "")
    return f"{code} {name}".rstrip()


def _share(value: Any) -> str:
    return _NOTHING if value is None else f"{rounded(float(value) * 100, 1):f}%"


def _decimal(value: float) -> str:
    """Two decimals at most, as a briefing has it; of a number below 1 four digits."""
    if not math.isfinite(value):
        return str(value)
    text = f"{significant(value, 4, 2):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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
