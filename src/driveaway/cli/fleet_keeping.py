"""Commands about trips that were put aside, and about the files of those that were not."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driveaway.cli.options import format_option, launch_option, opened
from driveaway.cli.output import print_json, print_rows

if TYPE_CHECKING:
    from driveaway.fleet.landing.quarantine import Quarantine, Settled

F = TypeVar("F", bound=Callable[..., Any])


def _one(_context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> str | None:
    """One value; of two the first would be forgotten without a word."""
    if len(given) > 1:
        raise click.UsageError(f"{parameter.opts[0]} is given {len(given)} times: give one at a time.")
    return given[0] if given else None


def _which(function: F) -> F:
    for name, metavar, said in (
        ("--vin", None, "Only this car."),
        ("--code", "trips.…", "Only rows put aside for this."),
        ("--batch", None, "Only this batch."),
    ):
        option = click.option(name, metavar=metavar, multiple=True, callback=_one, help=said)
        function = option(function)
    return function


def _none(*which: str | None) -> None:
    said = "nothing of that is in quarantine" if any(which) else "nothing is in quarantine"
    click.echo(said, err=True)


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


_by_option = click.option(
    "--by", metavar="NAME", envvar="DRIVEAWAY_PERSON", default=_person, show_default="who is logged in",
    help="Who does it: it stays with the fact.",
)  # fmt: skip


@contextmanager
def _quarantine(folder: str | None, book_url: str | None) -> Iterator[Quarantine]:
    from driveaway.fleet.landing.quarantine import Quarantine
    from driveaway.launch.fleet.opening import open_landing

    with opened(folder, book_url) as launch:
        launch.book.edge()
        landing = open_landing(launch)
        try:
            yield Quarantine(landing)
        finally:
            landing.close()


@click.group("quarantine")
def quarantine() -> None:
    """Rows of trips that were put aside: look at them, release them, give them up."""


@quarantine.command("list")
@_which
@format_option("table", "json")
@launch_option
def listing(
    batch: str | None, code: str | None, vin: str | None, shape: str, folder: str | None, book_url: str | None
) -> None:
    """List what is put aside, by batch and reason."""
    from driveaway.values.clock import show

    with _quarantine(folder, book_url) as aside:
        rows = [
            {"batch": each.batch, "code": each.code, "rows": each.rows, "cars": each.cars,
             "arrived": show(each.arrived)}
            for each in aside.held(batch, code, vin)
        ]  # fmt: skip
    if shape == "json":
        print_json({"rows": rows})
    elif rows:
        print_rows(rows)
    else:
        _none(batch, code, vin)


@quarantine.command("show")
@_which
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True)
@format_option("table", "json")
@launch_option
def showing(
    batch: str | None, code: str | None, vin: str | None, limit: int, shape: str, folder: str | None,
    book_url: str | None,
) -> None:  # fmt: skip
    """Show rows that are put aside, each with its reason and what to do."""
    with _quarantine(folder, book_url) as aside:
        rows = aside.rows(batch, code, vin, limit).to_pylist()
        held = sum(each.rows for each in aside.held(batch, code, vin)) if len(rows) == limit else len(rows)
    if shape == "json":
        print_json({"rows": rows})
        return
    for row in rows:
        car = f", {row['vin']}" if row["vin"] else ""
        click.echo(
            f"{row['batch']}, row {row['row']}{car}: {row['reason']} — {row['remedy']} [{row['code']}]"
        )
    if not rows:
        _none(batch, code, vin)
    elif held > len(rows):
        click.echo(f"{len(rows):,} of {held:,} rows; --limit {held} shows all", err=True)


@quarantine.command("release")
@_which
@click.option("--anyway", is_flag=True, help="Accept them although what --code says still holds.")
@click.option("--reason", help="Why, with --anyway: it stays with the fact.")
@_by_option
@format_option("table", "json")
@launch_option
def release(
    batch: str | None, code: str | None, vin: str | None, anyway: bool, reason: str | None, by: str,
    shape: str, folder: str | None, book_url: str | None,
) -> int:  # fmt: skip
    """Check rows again and take in those that can stand by now."""
    if anyway and not reason:
        raise click.UsageError("--anyway needs --reason.")
    with _quarantine(folder, book_url) as aside:
        done = aside.release(batch, code, vin, anyway=anyway, reason=reason, by=by)
    _tell(done, shape)
    return 1 if done.kept else 0


@quarantine.command("discard")
@_which
@click.option("--reason", required=True, help="Why: it stays with the fact.")
@_by_option
@format_option("table", "json")
@launch_option
def discard(
    batch: str | None, code: str | None, vin: str | None, reason: str, by: str, shape: str,
    folder: str | None, book_url: str | None,
) -> None:  # fmt: skip
    """Give rows up for good."""
    if batch is None and code is None and vin is None:
        raise click.UsageError("Say which: --batch, --code or --vin.")
    with _quarantine(folder, book_url) as aside:
        done = aside.discard(batch, code, vin, reason=reason, by=by)
    _tell(done, shape)


def _tell(done: Settled, shape: str) -> None:
    kept = sum(done.kept.values())
    if shape == "json":
        print_json(
            {
                "rows": done.rows,
                "repeated": done.repeated,
                "discarded": done.discarded,
                "kept": dict(done.kept),
            }
        )
        return
    click.echo(
        f"{done.rows:,} rows taken in, {done.repeated:,} known already, {done.discarded:,} given up,"
        f" {kept:,} stay in quarantine"
    )
    for code, rows in sorted(done.kept.items()):
        click.echo(f"{rows:,} stay: {code}", err=True)


@click.command("compact")
@click.option("--day", metavar="DAY", help="Only this local day.")
@format_option("table", "json")
@launch_option
def compact(day: str | None, shape: str, folder: str | None, book_url: str | None) -> None:
    """Make one file of the many small ones of a day; figures stay the same. A worker does it by itself."""
    from driveaway.launch.fleet.keeping import compact_now
    from driveaway.values.clock import parse_day

    with opened(folder, book_url) as launch:
        done, gone = compact_now(launch, day=None if day is None else parse_day(day).isoformat())
    if shape == "json":
        rows = [{"day": each.day, "files": each.files, "rows": each.rows} for each in done]
        print_json({"rows": rows, "deleted": gone})
        return
    for each in done:
        click.echo(f"{each.day}: {each.files:,} files, {each.rows:,} rows, now one")
    click.echo(f"{gone:,} old files deleted")
