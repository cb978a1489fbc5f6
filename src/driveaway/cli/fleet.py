"""Commands about the fleet: take in trips."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from driveaway.cli.fleet_keeping import compact, quarantine
from driveaway.cli.fleet_moving import assess, export
from driveaway.cli.options import format_option, launch_option, opened
from driveaway.cli.output import print_json, progress_bar

if TYPE_CHECKING:
    from driveaway.launch.fleet.ingesting import FileTaken

_SHOWN = 10


@click.group("fleet")
def fleet() -> None:
    """What the cars drive: take in trips, look at what was put aside, let some of it go where it may."""


@fleet.command("ingest")
@click.argument("files", nargs=-1, required=True, metavar="FILES…")
@click.option("--simulated", is_flag=True, help="The trips were made up by a simulation.")
@click.option(
    "--names",
    type=click.Choice(["trips", "vss", "telemetry"]),
    default="trips",
    show_default=True,
    help="What the files say: trips; trips under names of COVESA's VSS; telemetry that becomes trips. The"
    " latter two are newline-delimited JSON.",
)
@click.option("--finish", is_flag=True, help="No telemetry follows: trips that are open are over.")
@click.option(
    "--stop-minutes",
    type=click.IntRange(1, 1440),
    default=10,
    show_default=True,
    help="Standing so long ends a trip, in telemetry.",
)
@click.option(
    "--cruise-as", "cruise", metavar="FUNCTION", help="Function that CruiseState tells of, in telemetry."
)
@format_option("table", "json")
@launch_option
def ingest(
    files: tuple[str, ...],
    simulated: bool,
    names: Literal["trips", "vss", "telemetry"],
    finish: bool,
    stop_minutes: int,
    cruise: str | None,
    shape: str,
    folder: str | None,
    book_url: str | None,
) -> int:
    """Take in files of trips: Parquet, Arrow IPC, CSV, NDJSON; patterns ('trips/*.parquet') are understood.

    A file that was taken in before adds nothing. Rows that cannot stand are put into quarantine.
    """
    paths = _named(files)
    with opened(folder, book_url) as launch, progress_bar("taking in trips") as progress:
        from driveaway.launch.fleet.ingesting import ingest as take_in
        from driveaway.launch.fleet.memory import keep_memory

        keep_memory()

        done: Counter[str] = Counter()

        def report(file: str, rows: int) -> None:
            done[file] = rows
            progress(len(done) - 1, len(paths))

        taken: Sequence[FileTaken]
        if names == "trips":
            taken = take_in(launch, paths, simulated=simulated, progress=report)
        else:
            from driveaway.launch.fleet.signals import ingest_signals

            signals = ingest_signals(
                launch, paths, names, cruise=cruise, stop_s=60 * stop_minutes, finish=finish,
                simulated=simulated, progress=report,
            )  # fmt: skip
            if names == "telemetry":
                for said in signals:
                    click.echo(
                        f"{said.path.name}: {said.messages:,} messages, {said.late:,} of them late or known;"
                        f" {said.resets:,} odometers fell; {said.open:,} cars on a trip that is not over",
                        err=True,
                    )
            taken = signals
    if shape == "json":
        rows = [
            {"file": str(each.path), "rows": each.rows, "repeated": each.repeated,
             "quarantined": dict(each.quarantined), "batches": each.batches, "duplicates": each.duplicates,
             "error": None if each.error is None else str(each.error)}
            for each in taken
        ]  # fmt: skip
        print_json({"rows": rows})
    else:
        for each in taken:
            if each.error is not None and not each.batches:
                click.echo(f"{each.path.name}: not taken in")
                continue
            again = f"; {each.duplicates} of its {each.batches} batches were known" if each.duplicates else ""
            aside = sum(each.quarantined.values())
            click.echo(
                f"{each.path.name}: {each.rows:,} rows, {each.repeated:,} known already,"
                f" {aside:,} in quarantine{again}"
            )
    quarantined = sum((each.quarantined for each in taken), Counter())
    for each in taken:
        if each.error is not None:
            click.echo(f"error: {each.error}", err=True)
        for reject in each.reasons[:_SHOWN]:
            click.echo(
                f"{each.path.name}, row {reject.row}: {reject.reason} — {reject.remedy} [{reject.code}]",
                err=True,
            )
    if quarantined:
        counts = ", ".join(f"{count:,} {code}" for code, count in sorted(quarantined.items()))
        click.echo(f"in quarantine: {counts}; driveaway fleet quarantine show", err=True)
    if any(each.error is not None for each in taken):
        return 2
    return 1 if quarantined else 0


def _named(files: Sequence[str]) -> list[Path]:
    """Files and what patterns find, each once; a pattern that finds nothing stays, and is told of."""
    out: dict[Path, None] = {}
    for each in files:
        found = (
            sorted(glob.glob(each, recursive=True))
            if glob.has_magic(each) and not Path(each).exists()
            else []
        )
        for path in found or [each]:
            out[Path(path)] = None
    return list(out)


fleet.add_command(export)
fleet.add_command(assess)
fleet.add_command(quarantine)
fleet.add_command(compact)
