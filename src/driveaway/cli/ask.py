"""Commands that ask: figures, figure, order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from driveaway.cli.options import (
    cut,
    cut_options,
    engine_option,
    format_option,
    launch_option,
    opened,
    pairs,
)
from driveaway.cli.output import print_answer, print_json, print_rows

if TYPE_CHECKING:
    from driveaway.figures.figure import Figure


@click.command("figures")
@format_option()
@launch_option
def figures(shape: str, folder: str | None, book_url: str | None) -> None:
    """List every figure with its unit, dimensions and definition, a launch's own ones among them."""
    import csv
    import sys

    listed = _listed(folder, book_url)
    if shape == "json":
        print_json([_definition(figure) for figure in listed])
        return
    rows = [
        {
            "name": figure.name,
            "unit": figure.unit,
            "dimensions": ", ".join(figure.dimensions),
            "arguments": ", ".join(p.name for p in figure.parameters),
            "definition": figure.definition,
        }
        for figure in listed
    ]
    if shape == "csv":
        from driveaway.figures.answer import csv_cell

        writer = csv.DictWriter(sys.stdout, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: csv_cell(value) for name, value in row.items()} for row in rows)
    else:
        print_rows([{k: row[k] for k in ("name", "unit", "definition")} for row in rows])


def _listed(folder: str | None, book_url: str | None) -> Sequence[Figure]:
    """The figures of the launch that is named or stood in; without one, those that every launch has."""
    from driveaway.catalogue import FIGURES
    from driveaway.launch.settings import find_folder
    from driveaway.values.errors import NotFound

    if folder is None and book_url is None:
        try:
            find_folder(None)
        except NotFound:
            return FIGURES
    with opened(folder, book_url) as launch:
        return launch.figures


def _definition(figure: Figure) -> dict[str, Any]:
    """A figure's definition for programs."""
    return {
        "name": figure.name,
        "title": figure.title,
        "title_zh": figure.title_zh,
        "unit": figure.unit,
        "version": figure.version,
        "dimensions": list(figure.dimensions),
        "arguments": [
            {
                "name": p.name,
                "type": p.type,
                "choices": list(p.choices),
                "default": p.default if p.default is None or isinstance(p.default, int) else str(p.default),
                "meaning": p.meaning,
            }
            for p in figure.parameters
        ],
        "definition": figure.definition,
    }


@click.command("figure", context_settings={"ignore_unknown_options": True})
@click.argument(
    "words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="NAME [--ARGUMENT VALUE]..."
)
@click.option("--by", metavar="DIM,…", default="", help="Group by these dimensions.")
@click.option("--sql", is_flag=True, help="Print the SQL that answers it, too (on stderr).")
@format_option()
@engine_option
@cut_options
@launch_option
def figure(
    words: tuple[str, ...],
    by: str,
    sql: bool,
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    engine: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Answer a figure, such as: driveaway figure fleet.active_rate --window 28d --by day,trim.

    --ARGUMENT VALUE, or ARGUMENT=VALUE, are the figure's parameters, or dimensions as filters; alternatives
    are joined by |.
    """
    name, arguments = _asked(words)
    with cut(folder, book_url, as_of, mark, known_at, engine) as launch:
        dimensions = [part.strip() for part in by.split(",") if part.strip()]
        answer = launch.ask(name, pairs(arguments), by=dimensions)
        regions = {region.code: region.name for region in launch.description.regions}
        print_answer(answer, shape, regions, dimensions)
        if sql and answer.sql:
            click.echo(answer.sql, err=True)


def _asked(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The figure's name, and its arguments as NAME=VALUE, from what is no option of the command.

    Raises:
        BadValue: an argument without a value.
    """
    from driveaway.values.errors import BadValue

    names: list[str] = []
    arguments: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word.startswith("--") and "=" in word:
            arguments.append(word.removeprefix("--"))
        elif word.startswith("--") and len(word) > 2:
            if not left or left[0].startswith("--"):
                raise BadValue(f"{word} has no value", code="argument.shape", remedy=f"{word} VALUE")
            arguments.append(f"{word.removeprefix('--')}={left.pop(0)}")
        elif word.startswith("-"):
            raise click.NoSuchOption(word)
        elif names:
            arguments.append(word)
        else:
            names.append(word)
    if not names:
        raise click.UsageError("Missing the figure's name; driveaway figures lists them.")
    return names[0], tuple(arguments)


@click.command("order")
@click.argument("order_id")
@format_option("table", "json")
@launch_option
def order(order_id: str, shape: str, folder: str | None, book_url: str | None) -> None:
    """Tell an order's whole life: every fact, what was corrected, and where its money is."""
    from driveaway.launch.life import life
    from driveaway.values.ids import parse_order_id

    with opened(folder, book_url) as launch:
        told: dict[str, Any] = life(launch, parse_order_id(order_id))
    if shape == "json":
        print_json(told)
        return
    said = " (simulated)" if told["simulated"] else ""
    click.echo(f"{told['order']}: {told['status']}{said}")
    for name, value in told["configuration"].items():
        click.echo(f"  {name}: {value}")
    print_rows(
        [
            {"seq": fact["seq"], "happened": fact["happened"], "kind": fact["kind"], "says": fact["says"]}
            for fact in told["facts"]
        ]
    )
    if told["money"]:
        click.echo("money: " + ", ".join(f"{name} {value}" for name, value in told["money"].items()))
