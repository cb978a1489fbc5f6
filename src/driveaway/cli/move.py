"""Commands that move facts in and out: import, export."""

from __future__ import annotations

from pathlib import Path

import click

from driveaway.cli.options import cut_options, launch_option, opened
from driveaway.cli.output import print_rows, progress_bar


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--kind", help="Kind of every row, when the columns are named like its fields.")
@click.option(
    "--mapping", type=click.Path(path_type=Path, dir_okay=False), help="TOML file that explains the columns."
)
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Where rejected rows are listed."
)
@launch_option
def import_(
    file: Path,
    kind: str | None,
    mapping: Path | None,
    report: Path | None,
    folder: str | None,
    book_url: str | None,
) -> int:
    """Import CSV, Parquet or CloudEvents NDJSON; rows that cannot be accepted are reported one by one."""
    from driveaway.launch.imports import import_file

    with opened(folder, book_url) as launch, progress_bar(f"importing {file.name}") as progress:
        found = import_file(
            launch,
            file,
            kind=kind,
            mapping=mapping,
            report=report,
            progress=lambda done, total, rows: progress(done, total),
        )
    click.echo(
        f"{found.accepted:,} rows accepted, {found.repeated:,} known already, {found.rejected:,} rejected"
    )
    if found.rejected:
        print_rows([problem.row() for problem in found.first_problems])
        click.echo(f"every rejected row, with its remedy: {found.report_path}")
    return 0 if found.all_accepted else 1


@click.command("export")
@click.option("--format", "shape", type=click.Choice(["cloudevents", "parquet", "csv"]), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File (cloudevents) or folder.")
@click.option("--kind", "kinds", multiple=True, help="Only this kind; may be repeated.")
@click.option("--personal", is_flag=True, help="With the personal fields.")
@cut_options
@launch_option
def export(
    shape: str,
    out: Path,
    kinds: tuple[str, ...],
    personal: bool,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Export facts as CloudEvents, Parquet or CSV."""
    from driveaway.launch.exports import export_facts

    with opened(folder, book_url) as launch, progress_bar("exporting") as progress:
        when = launch.when(as_of, mark, known_at)
        count = export_facts(
            launch, shape, out, kinds=kinds or None, when=when, personal=personal, progress=progress
        )
    click.echo(f"{count:,} facts written to {out}")
