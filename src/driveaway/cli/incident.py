"""Commands about incidents: report, correct, list, show, due, duties, file, hold, lift."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from driveaway.cli.options import (
    cut_of,
    cut_options,
    format_option,
    launch_option,
    opened,
    source_option,
    time_option,
)
from driveaway.cli.output import print_json, print_rows
from driveaway.facts.incidents import OUTCOMES

if TYPE_CHECKING:
    from driveaway.launch.launch import Cut, Launch

F = TypeVar("F", bound=Callable[..., Any])
# What a table shows of a row; JSON and CSV have all of it.
_SHOWN: Final = frozenset((
    "incident", "happened", "country", "gravest", "function_state", "levels", "standing", "due", "duty", "to",
    "applies", "vin", "signal", "from", "until", "count", "subject", "matter", "since", "reason", "by",
))  # fmt: skip
_SPEEDS: Final = ("standing", "under_30", "30_to_60", "60_to_90", "90_to_120", "over_120")
_ORIGINS: Final = ("car", "driver", "service", "police", "authority", "press", "other")


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _by_option(function: F) -> F:
    return click.option(
        "--by", metavar="NAME", envvar="DRIVEAWAY_PERSON", default=_person, show_default="who is logged in",
        help="Who does it.",
    )(function)  # fmt: skip


def _fields(function: F) -> F:
    for option in (
        click.option("--narrative", help="What happened, without names, plates or addresses."),
        click.option("--origin", type=click.Choice(_ORIGINS), help="Who told of it."),
        click.option("--software", metavar="VERSION", help="Release or version that the car ran."),
        click.option("--speed", type=click.Choice(_SPEEDS), help="Band of its speed at the beginning, km/h."),
        click.option(
            "--state", "states", multiple=True, metavar="SECOND:FUNCTION:STATE[:LEVEL]",
            help="What a function did from so many seconds before on (30 to 0): engaged, overridden by the"
            " driver, deactivated by itself, or off. Repeatable.",
        ),
        click.option("--learned", metavar="TIME", help="When the maker learned of it; default: now."),
        click.option("--position", metavar="LAT,LON", help="WGS-84 degrees; only its cell of 0.1° is kept."),
        click.option("--city", help="Where."),
        click.option("--province", help="Where: name or code."),
        click.option("--country", metavar="CC", help="ISO 3166-1 alpha-2: duties to report hang on it."),
        click.option(
            "--outcome", "outcomes", multiple=True, type=click.Choice(OUTCOMES),
            help="What it came to. Repeatable.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


def _read(launch: Launch, given: Mapping[str, Any]) -> dict[str, Any]:
    """Options as fields; what was not given is left out."""
    from driveaway.fleet.cells import cell
    from driveaway.launch.incidents import parse_state
    from driveaway.values.errors import BadValue

    fields = {name: value for name, value in given.items() if value not in (None, ())}
    if "position" in fields:
        try:
            latitude, longitude = map(float, fields.pop("position").split(","))
        except ValueError:
            raise BadValue(
                "a position is two numbers", code="position.shape", remedy="LAT,LON such as 39.90,116.41"
            ) from None
        fields["cell"] = cell(latitude, longitude, datum="WGS-84")
    if "states" in fields:
        fields["states"] = tuple(map(parse_state, fields["states"]))
    if "learned" in fields:
        fields["learned"] = launch.parse_time(fields["learned"])
    return fields


@click.group("incident")
def incident() -> None:
    """Record incidents of cars, see which reports are due to whom, and place legal holds."""


@incident.command("report")
@click.argument("vin")
@click.option("--incident", "slug", metavar="SLUG", help="Its own; default: made of the day and chance.")
@_fields
@source_option
@time_option
@launch_option
def report(
    vin: str, slug: str | None, source: str, at: str | None, folder: str | None, book_url: str | None,
    **given: Any,
) -> None:  # fmt: skip
    """Record that a car was in an incident; prints its slug, and the reports that it makes due."""
    from driveaway.launch.incidents import report_incident

    with opened(folder, book_url) as launch:
        if not given["outcomes"] or not given["country"]:
            raise click.UsageError("--outcome says what it came to, and --country where; both are needed.")
        when = None if at is None else launch.parse_time(at)
        outcome = report_incident(launch, vin, _read(launch, given), slug=slug, at=when, source=source)
        name = outcome.draft.body.incident  # type: ignore[attr-defined]
        click.echo(name)
        word = "recorded" if outcome.added else "known already"
        click.echo(f"{name}: {word} as fact {outcome.seq}", err=True)
        _tell_open(launch, name)


@incident.command("correct")
@click.argument("slug", metavar="INCIDENT")
@_fields
@time_option
@launch_option
def correct(slug: str, at: str | None, folder: str | None, book_url: str | None, **given: Any) -> None:
    """Record an incident anew in the place of what is said of it; what is not given stays."""
    from driveaway.launch.incidents import correct_incident

    with opened(folder, book_url) as launch:
        when = None if at is None else launch.parse_time(at)
        outcome = correct_incident(launch, slug, _read(launch, given), at=when)
        click.echo(f"{slug}: corrected as fact {outcome.seq}")
        _tell_open(launch, slug)


@incident.command("list")
@click.option("--unreported", is_flag=True, help="What cars said of crashes and the like, and no incident is"
              " known of.")  # fmt: skip
@click.option("--holds", is_flag=True, help="Legal holds that are not lifted.")
@format_option("table", "json", "csv")
@cut_options
@launch_option
def listing(
    unreported: bool, holds: bool, shape: str, as_of: str | None, mark: int | None, known_at: str | None,
    folder: str | None, book_url: str | None,
) -> None:  # fmt: skip
    """List incidents, each with what the driving functions did in the 30 seconds before."""
    from driveaway.fleet.incidents.register import register_of
    from driveaway.launch import incidents as work
    from driveaway.values.clock import show as shown

    with opened(folder, book_url) as launch:
        cut = cut_of(launch, as_of, mark, known_at)
        found = register_of(cut.view)
        open_signals = work.unreported(launch, cut, found.incidents)
        if holds:
            rows = [
                {"subject": hold.subject, "matter": hold.matter, "since": shown(hold.since, launch.zone),
                 "reason": hold.reason, "by": hold.by}
                for hold in found.holds
            ]  # fmt: skip
        elif unreported:
            rows = open_signals
        else:
            rows = [work.told(launch, each) for each in found.incidents]
        _print(rows, shape, cut, launch, "nothing by this date")
    if open_signals and not unreported and not holds and shape == "table":
        click.echo(f"{len(open_signals):,} reports by cars are not yet reported as an incident: --unreported")


@incident.command("show")
@click.argument("slug", metavar="INCIDENT")
@format_option("table", "json")
@cut_options
@launch_option
def show(
    slug: str, shape: str, as_of: str | None, mark: int | None, known_at: str | None,
    folder: str | None, book_url: str | None,
) -> None:  # fmt: skip
    """Show one incident: the course of the functions, its reports and holds."""
    import msgspec

    from driveaway.fleet.incidents.register import register_of
    from driveaway.launch import incidents as work
    from driveaway.values.clock import show as shown

    with opened(folder, book_url) as launch:
        cut = cut_of(launch, as_of, mark, known_at)
        found = register_of(cut.view)
        one = work.named(found, slug)
        learned = one.learned
        told = work.told(launch, one) | {
            "learned": None if learned is None else shown(learned, launch.zone),
            "cell": one.report.cell,
            "speed": one.report.speed,
            "software": one.report.software,
            "origin": one.report.origin,
            "narrative": one.report.narrative,
        }
        course = [
            {"second": s.second, "function": s.function, "state": s.state, "level": s.level}
            for s in sorted(one.states, key=lambda s: (-s.second, s.function))
        ]
        due = [work.told_report(launch, r) for r in work.due(launch, cut) if r.subject == slug]
        held = [msgspec.to_builtins(hold) for hold in found.holds_on(one.slug, one.vin)]
        if shape == "json":
            print_json(told | {"states": course, "reports": due, "holds": held} | _evidence(cut, launch))
            return
        for name, value in told.items():
            if value is not None:
                click.echo(f"{name.replace('_', ' ')}: {_word(value)}")
        if course:
            print_rows(course, "Seconds before:")
        if due:
            print_rows([_shown(row) for row in due], "Reports:", spare=("vin", "incident"))
        for hold in held:
            click.echo(f"held for {hold['matter']} ({hold['subject']}): {hold['reason']}")
        click.echo(_line(cut, launch))


@incident.command("due")
@click.option("--all", "everything", is_flag=True, help="Those that are done with, too.")
@format_option("table", "json", "csv")
@cut_options
@launch_option
def due(
    everything: bool, shape: str, as_of: str | None, mark: int | None, known_at: str | None,
    folder: str | None, book_url: str | None,
) -> int:  # fmt: skip
    """List the reports that are due to authorities as of a date; the exit code is 1 when one is overdue."""
    from driveaway.fleet.incidents.register import register_of
    from driveaway.launch import incidents as work

    with opened(folder, book_url) as launch:
        cut = cut_of(launch, as_of, mark, known_at)
        reports = [each for each in work.due(launch, cut) if everything or each.open]
        rows = [work.told_report(launch, each) for each in reports]
        signals = work.unreported(launch, cut, register_of(cut.view).incidents)
        _print(rows, shape, cut, launch, "nothing is due", not_yet_reported=signals)
    if signals and shape == "table":
        click.echo(f"{len(signals):,} reports by cars are not yet reported as an incident:"
                   " driveaway incident list --unreported")  # fmt: skip
    return 1 if any(each.standing == "overdue" for each in reports) else 0


@incident.command("duties")
@format_option("table", "json", "csv")
@launch_option
def duties(shape: str, folder: str | None, book_url: str | None) -> None:
    """List the duties to report that hold for this launch, with their sources."""
    import msgspec

    from driveaway.fleet.incidents.duties import duties_of

    with opened(folder, book_url) as launch:
        rows = [msgspec.to_builtins(duty) for duty in duties_of(launch.description.fleet)]
    for row in rows:
        for name, value in row.items():
            if isinstance(value, list | tuple):
                row[name] = ", ".join(map(str, value)) or None
    if shape == "json":
        print_json({"rows": rows})
    elif shape == "csv":
        _print_csv(rows)
    else:
        print_rows(rows, spare=[name for name in rows[0] if name not in ("name", "to", "said")])


@incident.command("file")
@click.argument("slug", metavar="INCIDENT")
@click.option("--duty", required=True, metavar="NAME", help="One of driveaway incident due.")
@click.option("--reference", metavar="TEXT", help="The authority's, or one's own.")
@click.option("--not-needed", metavar="REASON", help="It was looked into, and nothing is to be reported.")
@_by_option
@source_option
@time_option
@launch_option
def file(
    slug: str, duty: str, reference: str | None, not_needed: str | None, by: str, source: str,
    at: str | None, folder: str | None, book_url: str | None,
) -> None:  # fmt: skip
    """Record that a report was made to an authority, or that none is needed."""
    from driveaway.launch.incidents import file_report

    with opened(folder, book_url) as launch:
        when = None if at is None else launch.parse_time(at)
        outcome = file_report(
            launch, slug, duty, reference=reference, not_needed=not_needed, by=by, at=when, source=source
        )
        click.echo(f"{slug}, {duty}: {'recorded' if outcome.added else 'known already'}, fact {outcome.seq}")
        _tell_open(launch, slug)


@incident.command("hold")
@click.argument("subject")
@click.option("--matter", required=True, metavar="TEXT", help="What it is kept for, such as a file number.")
@click.option("--reason", required=True, help="Why.")
@_by_option
@time_option
@launch_option
def hold(
    subject: str, matter: str, reason: str, by: str, at: str | None, folder: str | None, book_url: str | None
) -> None:
    """Keep everything about a car, an order or an incident's car: nothing of it is erased meanwhile."""
    from driveaway.launch.incidents import place_hold

    with opened(folder, book_url) as launch:
        when = None if at is None else launch.parse_time(at)
        outcome = place_hold(launch, subject, matter, reason, by=by, at=when)
    click.echo(f"{outcome.draft.subject}: held for {matter}, fact {outcome.seq}")


@incident.command("lift")
@click.argument("subject")
@click.option("--matter", metavar="TEXT", help="Which hold; default: the only one.")
@click.option("--reason", required=True, help="Why it ends.")
@_by_option
@time_option
@launch_option
def lift(
    subject: str, matter: str | None, reason: str, by: str, at: str | None,
    folder: str | None, book_url: str | None,
) -> None:  # fmt: skip
    """End a legal hold."""
    from driveaway.launch.incidents import lift_hold

    with opened(folder, book_url) as launch:
        when = None if at is None else launch.parse_time(at)
        outcome = lift_hold(launch, subject, reason, matter=matter, by=by, at=when)
    click.echo(f"{outcome.draft.subject}: hold lifted, fact {outcome.seq}")


def _tell_open(launch: Launch, slug: str) -> None:
    """What is still to be reported about an incident, on stderr."""
    from driveaway.launch import incidents as work

    for each in work.open_now(launch, slug):
        row = work.told_report(launch, each)
        when = f"by {row['due']}" if row["due"] else row["when_said"]
        unsure = "" if each.applies == "yes" else "; if it applies: what the functions did is not known"
        click.echo(f"to report: {row['duty']} to {row['to']}, {when}{unsure}", err=True)


def _print(
    rows: Sequence[Mapping[str, Any]], shape: str, cut: Cut, launch: Launch, none: str, **more: Any
) -> None:
    if shape == "json":
        print_json({"rows": rows, **more} | _evidence(cut, launch))
    elif shape == "csv":
        _print_csv(rows)
    else:
        if rows:
            print_rows([_shown(row) for row in rows], spare=("vin", "by"))
        else:
            click.echo(none)
        click.echo(_line(cut, launch))


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    out = {name: value for name, value in row.items() if name in _SHOWN}
    if "due" in row and row["due"] is None:
        out["due"] = row["when_said"]
    return out


def _print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    import csv
    import sys

    from driveaway.figures.answer import csv_cell

    if rows:
        writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: csv_cell(value) for name, value in row.items()} for row in rows)


def _evidence(cut: Cut, launch: Launch) -> dict[str, Any]:
    from driveaway.values.clock import show as shown

    return {"as_of": shown(cut.as_of, launch.zone), "mark": cut.mark}


def _line(cut: Cut, launch: Launch) -> str:
    evidence = _evidence(cut, launch)
    return f"as of {evidence['as_of']}, mark {evidence['mark']}"


def _word(value: Any) -> str:
    return "yes" if value is True else "no" if value is False else str(value)
