"""Commands about functions: list, show, open, close, why, cars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from driveaway.cli.options import cut_of, cut_options, format_option, launch_option, opened, time_option
from driveaway.cli.output import print_json, print_rows

if TYPE_CHECKING:
    from driveaway.launch.launch import Cut, Launch

_MANY = 40
"""Cars that a table shows; the other formats have all."""


@click.group("functions")
def functions() -> None:
    """Open functions to cars, by place, trim, hardware, software, entitlement and distance driven."""


@functions.command("list")
@format_option("table", "json", "csv")
@cut_options
@launch_option
def listing(
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """List the functions that were ever opened, each with its gate."""
    from driveaway.launch.updates.counting import told_state
    from driveaway.launch.updates.functions import functions_at
    from driveaway.values.clock import show as show_time

    with opened(folder, book_url) as launch:
        cut = _cut_of(launch, as_of, mark, known_at)
        states = functions_at(cut.view).values()
        rows = [told_state(state, launch) for state in states]
        told = {
            "rows": rows, "as_of": show_time(cut.as_of, launch.zone), "mark": cut.mark,
            "simulated": any(state.simulated for state in states),
        }  # fmt: skip
    if shape != "table":
        _print(told, rows, shape)
        return
    if not rows:
        click.echo("no function had been opened by this date")
    for row in rows:
        click.echo(_state(row))
    click.echo(_evidence(told))


@functions.command("show")
@click.argument("name")
@click.option(
    "--by", type=click.Choice(["place", "province", "trim"]), help="Count by; place: the city of delivery."
)
@format_option("table", "json", "csv")
@cut_options
@launch_option
def show(
    name: str,
    by: str | None,
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Count the delivered cars that are equipped, eligible, offered and active, and why others are not."""
    from driveaway.launch.updates.counting import count

    with opened(folder, book_url) as launch:
        told = count(launch, _cut_of(launch, as_of, mark, known_at), name, by)
    if shape != "table":
        _print(told, told["rows"], shape)
        return
    click.echo(_state(told))
    if told["rows"]:
        print_rows([_counts(row) for row in told["rows"]], "Delivered cars:")
    reasons = [
        {"first reason": row["needs"], "cars": row["first"], "of all that fail it": row["all"]}
        for row in told["why_not"]
        if row["all"]
    ]
    if reasons:
        print_rows(reasons, "Why not, by the first condition that a car does not meet or that is not known:")
    _tell_notes(told)


@functions.command("open")
@click.argument("name")
@click.option("--gate", metavar="TEXT", help='Such as "trim in [Max] and place in [city:beijing]".')
@click.option("--release", metavar="SLUG", help="The release that brings it.")
@click.option("--reason", help="Why; needed where the gate of an open function changes.")
@click.option("--by", metavar="NAME", help="Who opens it.")
@time_option
@launch_option
def opening(
    name: str,
    gate: str | None,
    release: str | None,
    reason: str | None,
    by: str | None,
    at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Open a function, change its gate, or open it again after it was closed.

    Without --gate it has the gate that it had, else that of functions.toml.
    """
    from driveaway.launch.updates.functions import open_function
    from driveaway.updates.gates.text import parse

    with opened(folder, book_url) as launch:
        outcome = open_function(
            launch,
            name,
            None if gate is None else parse(gate, launch.zone, "--gate"),
            reason=reason,
            release=release,
            by=by,
            at=None if at is None else launch.parse_time(at),
        )
    click.echo(f"{name}: opened, fact {outcome.seq}")


@functions.command("close")
@click.argument("name")
@click.option("--reason", required=True, help="Why.")
@click.option("--by", metavar="NAME", help="Who closes it.")
@time_option
@launch_option
def closing(
    name: str, reason: str, by: str | None, at: str | None, folder: str | None, book_url: str | None
) -> None:
    """Close a function: no car may switch it on any more; where it is on, it stays on."""
    from driveaway.launch.updates.functions import close_function

    with opened(folder, book_url) as launch:
        moment = None if at is None else launch.parse_time(at)
        outcome = close_function(launch, name, reason, by=by, at=moment)
    click.echo(f"{name}: closed, fact {outcome.seq}; active sessions go on")


@functions.command("why")
@click.argument("vin")
@click.argument("name", metavar="FUNCTION")
@format_option("table", "json")
@cut_options
@launch_option
def why(
    vin: str,
    name: str,
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Say whether one car may switch a function on, and every reason why not."""
    from driveaway.launch.updates.counting import explain

    with opened(folder, book_url) as launch:
        told = explain(launch, _cut_of(launch, as_of, mark, known_at), vin, name)
    if shape == "json":
        print_json(told)
        return
    where = ", ".join(str(told[key]) for key in ("trim", "city", "province") if told[key])
    click.echo(f"{told['vin']}: {where}")
    click.echo(_state(told))
    words = {"allowed": "may be", "refused": "may not be", "unknown": "may not be, for what is unknown,"}
    click.echo(f"{told['function']} {words[told['next_activation']]} switched on next")
    for reason in told["reasons"]:
        has = "not known" if reason["unknown"] else f"has {reason['has']}"
        click.echo(f"  needs {reason['needs']}; {has} [{reason['code']}]")
    click.echo(f"offered: {_known(told['offered'])}; switched on before: {_known(told['active'])}")
    click.echo(told["active_session"])
    _tell_notes(told)


@functions.command("cars")
@click.argument("name", metavar="FUNCTION")
@click.option(
    "--only", type=click.Choice(["equipped", "eligible", "not-eligible", "unknown", "offered", "active"]),
    help="Those alone; unknown: it is not known whether they are eligible.",
)  # fmt: skip
@format_option("table", "json", "csv")
@cut_options
@launch_option
def cars(
    name: str,
    only: str | None,
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """List the delivered cars, what a function is to each, and the first thing that each lacks."""
    from driveaway.launch.updates.counting import list_cars

    with opened(folder, book_url) as launch:
        told = list_cars(launch, _cut_of(launch, as_of, mark, known_at), name)
    rows = [row for row in told["rows"] if _chosen(row, only)]
    if shape != "table":
        _print(told | {"rows": rows}, rows, shape)
        return
    click.echo(_state(told))
    if rows:
        print_rows([_car(row) for row in rows[:_MANY]])
    if len(rows) > _MANY:
        click.echo(f"and {len(rows) - _MANY:,} more; --format csv or json has them")
    _tell_notes(told)


def _cut_of(launch: Launch, as_of: str | None, mark: int | None, known_at: str | None) -> Cut:
    """An open launch as of a date; warns when a file of the folder was edited and not applied."""
    from driveaway.launch.updates.functions import unapplied

    cut = cut_of(launch, as_of, mark, known_at)
    warning = unapplied(launch)
    if warning is not None:
        click.echo(f"warning: {warning}", err=True)
    return cut


def _chosen(row: Mapping[str, Any], only: str | None) -> bool:
    if only is None:
        return True
    if only == "unknown":
        return row["eligible"] is None
    return row["eligible"] is False if only == "not-eligible" else row[only] is True


def _state(told: Mapping[str, Any]) -> str:
    parts = [f"{told['function']}: {'open' if told['open'] else 'closed'} since {told['since']}"]
    parts += [f"by {told['by']}"] if told["by"] else []
    parts += [f"with release {told['release']}"] if told["release"] else []
    parts += [f"because: {told['reason']}"] if told["reason"] else []
    return ", ".join(parts) + f"\n  gate: {told['gate']}"


def _known(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def _counts(row: Mapping[str, Any]) -> dict[str, Any]:
    """One line of counts; of how many cars something is not known stands beside it."""
    out = {name: value for name, value in row.items() if not name.endswith("_unknown")}
    for name in ("equipped", "eligible", "offered", "active"):
        unknown = row[f"{name}_unknown"]
        if row[name] is None:
            out[name] = "unknown"
        elif unknown:
            out[name] = f"{row[name]:,} ({unknown:,} unknown)"
    return out


def _car(row: Mapping[str, Any]) -> dict[str, Any]:
    out = {name: row[name] for name in ("vin", "trim", "city")}
    return out | {"eligible": _known(row["eligible"]), "needs": row["needs"]}


def _evidence(told: Mapping[str, Any]) -> str:
    return f"as of {told['as_of']}, mark {told['mark']}" + ("; simulated" if told["simulated"] else "")


def _tell_notes(told: Mapping[str, Any]) -> None:
    for note in told["notes"]:
        click.echo(note)
    click.echo(_evidence(told))


def _print(told: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], shape: str) -> None:
    if shape == "json":
        print_json(told)
        return
    import csv
    import sys

    from driveaway.figures.answer import csv_cell

    writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else ["function"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: csv_cell(value) for name, value in row.items()} for row in rows)
