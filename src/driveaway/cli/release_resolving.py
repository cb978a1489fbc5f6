"""The command release resolve, and what rollouts say of cars that a release does not fit."""

from __future__ import annotations

from typing import Any, Final

import click

from driveaway.cli.options import format_option, launch_option, opened
from driveaway.cli.output import print_json, print_rows

_VERDICTS: Final = {
    "fits": "can take it now",
    "after": "can take it after other releases",
    "unsolvable": "cannot take it",
    "undecided": "were not found out about",
}


@click.command("resolve")
@click.argument("release", metavar="RELEASE")
@click.option("--filter", "query", default="controllerid==*", show_default=True, metavar="RSQL",
              help="Which cars.")  # fmt: skip
@format_option("table", "json")
@launch_option
def resolve(release: str, query: str, shape: str, folder: str | None, book_url: str | None) -> None:
    """Say which cars can take a release: as they are, after others, or not, and why.

    Cars are asked about by what they run, not one by one. Nothing is changed.
    """
    from driveaway.launch.updates import placing, resolving, rolling
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        if placing.asks_for_place(query):
            placing.place_cars(launch)
        found = rolling.release_named(launch, release)
        told = resolving.told_resolution(launch.state, found.id, query, now())
    if shape == "json":
        print_json({"release": release, **told})
        return
    if told["rows"]:
        print_rows([_row(row) for row in told["rows"]])
    for row in told["rows"]:
        if row["reasons"]:
            click.echo(f"{row['example']}{_others(row['cars'])}: {_VERDICTS[row['verdict']]}")
            for reason in row["reasons"]:
                click.echo(f"  {reason}")
            for number, each in enumerate(row["first"], 1):
                brings = ", ".join(f"{name} {version}" for name, version in each["brings"].items())
                click.echo(f"  {number}. {each['release']} first, which brings {brings}")
    click.echo(_summary(told))


def tell_passed_over(told: dict[str, Any], release: str) -> None:
    """Say, on stderr, how many cars will be passed over; nothing where there are none."""
    if any(verdict != "fits" for verdict in told["verdicts"]):
        click.echo(
            f"{_summary(told)}; those that cannot take it now are passed over until they can", err=True
        )
        click.echo(f"why: driveaway release resolve {release}", err=True)


def _summary(told: dict[str, Any]) -> str:
    counts = told["verdicts"]
    parts = [f"{counts[name]:,} {said}" for name, said in _VERDICTS.items() if counts.get(name)]
    return f"of {told['cars']:,} cars {', '.join(parts)}" if parts else "there are no such cars"


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "verdict": row["verdict"],
        "cars": row["cars"],
        "hardware": ", ".join(row["hardware"]) or None,
        "versions": ", ".join(f"{name} {version}" for name, version in row["versions"].items()) or None,
        "first": ", then ".join(each["release"] for each in row["first"]) or None,
        "example": row["example"],
    }


def _others(cars: int) -> str:
    return f" and {cars - 1:,} like it" if cars > 1 else ""
