"""Commands that ask: figures, figure, order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driveaway.cli.options import (
    checked,
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
    """List every figure with its unit, dimensions and definition; they are those of every launch."""
    import csv
    import sys

    from driveaway.catalogue import FIGURES

    checked(folder, book_url)
    if shape == "json":
        print_json([_definition(figure) for figure in FIGURES])
        return
    rows = [
        {
            "name": figure.name,
            "unit": figure.unit,
            "dimensions": ", ".join(figure.dimensions),
            "arguments": ", ".join(p.name for p in figure.parameters),
            "definition": figure.definition,
        }
        for figure in FIGURES
    ]
    if shape == "csv":
        from driveaway.figures.answer import csv_cell

        writer = csv.DictWriter(sys.stdout, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: csv_cell(value) for name, value in row.items()} for row in rows)
    else:
        print_rows([{k: row[k] for k in ("name", "unit", "definition")} for row in rows])


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


@click.command("figure")
@click.argument("name")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--by", metavar="DIM,…", default="", help="Group by these dimensions.")
@click.option("--sql", is_flag=True, help="Print the SQL that answers it, too (on stderr).")
@format_option()
@engine_option
@cut_options
@launch_option
def figure(
    name: str,
    arguments: tuple[str, ...],
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
    """Answer a figure, such as: driveaway figure orders.locked trim=Max --by week.

    NAME=VALUE are the figure's parameters, or dimensions as filters; alternatives are joined by |.
    """
    with cut(folder, book_url, as_of, mark, known_at, engine) as launch:
        dimensions = [part.strip() for part in by.split(",") if part.strip()]
        answer = launch.ask(name, pairs(arguments), by=dimensions)
        regions = {region.code: region.name for region in launch.description.regions}
        print_answer(answer, shape, regions, dimensions)
        if sql and answer.sql:
            click.echo(answer.sql, err=True)


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
