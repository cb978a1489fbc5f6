"""Commands that let the fleet's data leave: fleet export, fleet assess."""

from __future__ import annotations

from pathlib import Path

import click

from driveaway.cli.options import cut_of, cut_options, launch_option, opened, time_option


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--to", required=True, metavar="CC", help="Region of who gets it, ISO 3166-1 alpha-2.")
@click.option("--what", type=click.Choice(["trips", "daily"]), required=True,
              help="Segments of trips, or sums for each car and day.")  # fmt: skip
@click.option("--identified", is_flag=True, help="With VINs; else cars have a pseudonym of this file alone.")
@cut_options
@launch_option
def export(
    file: Path, to: str, what: str, identified: bool, as_of: str | None, mark: int | None,
    known_at: str | None, folder: str | None, book_url: str | None,
) -> None:  # fmt: skip
    """Export trips as Parquet; out of their region only where a recorded assessment covers it.

    Cities and cells with fewer cars than [fleet] suppress_under are left blank.
    """
    from driveaway.launch.moving import export_fleet

    with opened(folder, book_url) as launch:
        cut = cut_of(launch, as_of, mark, known_at)
        moved = export_fleet(launch, cut, to, what, file, identified=identified)
    written = moved.written
    made_up = ", simulated" if written.simulated else ""
    click.echo(f"{file}: {written.rows:,} rows of {written.cars:,} cars{made_up}")
    if written.hidden:
        click.echo(f"{written.hidden:,} rows have a blank city or cell: too few cars drove there")
    if moved.assessment is not None:
        click.echo(f"covered by the assessment {moved.assessment.subject}, fact {moved.assessment.seq}")


@click.command("assess")
@click.option("--from", "from_region", required=True, metavar="CC", help="Region that the data leaves.")
@click.option("--to", "to_region", required=True, metavar="CC", help="Region that it goes to.")
@click.option("--what", multiple=True, required=True, type=click.Choice(["trips", "daily"]),
              help="What may go. Repeatable.")  # fmt: skip
@click.option("--identified", is_flag=True, help="With VINs.")
@click.option("--legal-basis", required=True, help="Law and paragraph, or the contract.")
@click.option("--until", "valid_until", required=True, metavar="DAY", help="Last day on which it holds.")
@click.option("--by", required=True, metavar="NAME", help="Who assessed it.")
@click.option("--name", "slug", metavar="SLUG", help="Its name; default: made of regions and last day.")
@time_option
@launch_option
def assess(
    from_region: str, to_region: str, what: tuple[str, ...], identified: bool, legal_basis: str,
    valid_until: str, by: str, slug: str | None, at: str | None, folder: str | None, book_url: str | None,
) -> None:  # fmt: skip
    """Record that some of the fleet's data was assessed and may leave its region."""
    from driveaway.launch.moving import assess as record

    fields = {
        "from_region": from_region, "to_region": to_region, "what": what, "identified": identified,
        "legal_basis": legal_basis, "valid_until": valid_until, "by": by,
    }  # fmt: skip
    with opened(folder, book_url) as launch:
        when = None if at is None else launch.parse_time(at)
        outcome = record(launch, fields, slug=slug, at=when)
    click.echo(f"{outcome.draft.subject}: recorded as fact {outcome.seq}")
