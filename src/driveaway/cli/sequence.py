"""The command that puts a day's cars in line order."""

from __future__ import annotations

import csv
import sys
from contextlib import nullcontext
from pathlib import Path

import click

from driveaway.cli.options import cut_of, cut_options, launch_option, opened
from driveaway.cli.plan import planning_options, proposed


@click.command("sequence")
@click.argument("day", metavar="DAY")
@click.option("--before", type=click.Path(path_type=Path), help="The day before, as this command wrote it.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="How long to search.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The CSV file to write; default: standard output."
)
@planning_options
@cut_options
@launch_option
def sequence(
    day: str,
    before: Path | None,
    seconds: float | None,
    out: Path | None,
    paths: int | None,
    seed: int,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Put the cars of one day of the plan in line order: paint batches and ratios; as CSV."""
    from driveaway.launch.planning.sequencing import COLUMNS, read_cars, sequenced
    from driveaway.values.clock import parse_day

    wanted = parse_day(day)
    with opened(folder, book_url) as launch:
        proposal = proposed(launch, cut_of(launch, as_of, mark, known_at), paths, seed)
        tail = () if before is None else read_cars(before)
        found = sequenced(proposal, wanted, before=tail, seconds=seconds, seed=seed)
    score, given, bound = found.found.score, found.found.given, found.found.fewest_colour_changes
    with nullcontext(sys.stdout) if out is None else out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(COLUMNS), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found.rows())
    said = "; the orders are simulated" if proposal.simulated else ""
    click.echo(
        f"{len(found.cars)} cars: {score.colour_changes} colour changes (at least {bound}) and"
        f" {score.high_ratios + score.low_ratios} cars too many in windows of ratios; by lock alone"
        f" {given.colour_changes} and {given.high_ratios + given.low_ratios}{said}",
        err=True,
    )
