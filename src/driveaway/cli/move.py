"""Commands that move facts in and out: import, export."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import click

from driveaway.cli.options import cut_options, launch_option, opened
from driveaway.cli.output import progress_bar

_SHOWN = 10
_NICE = 5


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--kind", help="Kind of every row, when the columns are named like its fields.")
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    help="TOML file that explains the columns, or the name of a packaged one.",
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

    # Bulk work: whoever appends a single fact meanwhile gets a processor first.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))
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
    for note in found.notes:
        click.echo(note)
    for problem in found.first_problems[:_SHOWN]:
        place = f"line {problem.line}" + (f", {problem.column}" if problem.column else "")
        said = f" ({problem.value})" if problem.value else ""
        remedy = f" — {problem.remedy}" if problem.remedy else ""
        click.echo(f"{place}: {problem.problem}{said}{remedy} [{problem.code}]")
    if found.rejected:
        counts = ", ".join(f"{count:,} {code}" for code, count in found.counts.items())
        click.echo(f"rejected for: {counts}")
        click.echo(f"every problem, with its remedy: {found.report_path}")
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
    """Export facts as CloudEvents, Parquet or CSV.

    With --as-of, --mark or --known-at: the live facts of that cut. Without: the whole history, with what
    was corrected, which an import into an empty launch records again.
    """
    from driveaway.launch.exports import export_facts

    with opened(folder, book_url) as launch, progress_bar("exporting") as progress:
        whole = as_of is None and mark is None and known_at is None
        when = None if whole else launch.when(as_of, mark, known_at)
        count = export_facts(
            launch, shape, out, kinds=kinds or None, when=when, personal=personal, progress=progress
        )
    click.echo(f"{count:,} facts written to {out}")
