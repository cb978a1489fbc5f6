"""Commands about promises: promise, kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from driveaway.cli.options import (
    cut_of,
    cut_options,
    format_option,
    launch_option,
    opened,
    pairs,
    time_option,
)
from driveaway.cli.output import print_json, print_rows
from driveaway.cli.plan import planning_options, proposed

_ASKED = ("trim", "colour", "city", "province")


@click.command("promise")
@click.argument("order_ids", nargs=-1, metavar="[ORDER_ID]...")
@click.option("--all", "everyone", is_flag=True, help="Every open firm order, by its place in the queue.")
@click.option(
    "--quote", metavar="trim=…,colour=…,province=…", help="A date for a buyer who has not ordered yet."
)
@click.option("--commit", is_flag=True, help="Promise the window to the buyer: a fact, not an estimate.")
@click.option("--reason", help="Why an earlier promise is changed.")
@planning_options
@time_option
@format_option("table", "json", "csv")
@cut_options
@launch_option
def promise(
    order_ids: tuple[str, ...],
    everyone: bool,
    quote: str | None,
    commit: bool,
    reason: str | None,
    paths: int | None,
    seed: int,
    at: str | None,
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Say when open orders are handed over, how sure that is, and why not earlier.

    An estimate moves as the plan does. With --commit its window becomes a promise.
    """
    from driveaway.launch.planning import promising, telling
    from driveaway.values.errors import BadValue
    from driveaway.values.ids import parse_order_id

    if bool(order_ids) + everyone + (quote is not None) != 1:
        raise BadValue(
            "name orders, or give --all, or --quote", code="promise.what", remedy="driveaway promise --help"
        )
    with opened(folder, book_url) as launch:
        cut = cut_of(launch, as_of, mark, known_at)
        wanted = None if everyone else [parse_order_id(text) for text in order_ids]
        asked = None if quote is None else _asked(quote)
        proposal = proposed(launch, cut, paths, seed)
        if asked is not None:
            region = promising.region_of(proposal, asked.get("province"), asked.get("city"))
            quoted = promising.quote(proposal, asked["trim"], asked.get("colour"), region)
            _tell_quote(telling.of_quote(quoted), shape, simulated=proposal.simulated)
            return
        told = (telling.of_estimate(each) for each in promising.estimates(launch, proposal, wanted))
        _tell(told, shape, detailed=not everyone)
        if shape != "json":
            said = telling.level_text(telling.of_level(proposal.asked))
            click.echo(f"windows end at {said}", err=shape == "csv")
        if commit:
            happened = None if at is None else launch.parse_time(at)
            outcomes = promising.commit(launch, proposal, wanted, reason=reason, at=happened)
            added = sum(outcome.added for outcome in outcomes)
            click.echo(f"{added:,} promises recorded, {len(outcomes) - added:,} known already", err=True)


def _asked(text: str) -> dict[str, str]:
    from driveaway.values.errors import BadValue

    asked = pairs(tuple(part.strip() for part in text.split(",") if part.strip()))
    unknown = [name for name in asked if name not in _ASKED]
    if unknown or "trim" not in asked:
        what = f"{unknown[0]!r} is not known" if unknown else "no trim is given"
        raise BadValue(what, code="promise.quote", remedy=f"{', '.join(_ASKED)}; the trim is needed")
    return asked


def _tell(told: Iterable[Mapping[str, Any]], shape: str, *, detailed: bool) -> None:
    if shape == "json":
        print_json(list(told))
        return
    rows = [_row(each) for each in told] if shape == "csv" or not detailed else []
    if shape == "csv":
        import csv
        import sys

        writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else ["order"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return
    if not detailed:
        print_rows(rows)
        return
    for each in told:
        _tell_one(each)


def _row(told: Mapping[str, Any]) -> dict[str, Any]:
    window, committed = told["window"] or ("", ""), told["committed"] or ("", "")
    return {
        "order": told["order"], "trim": told["trim"], "colour": told["colour"], "region": told["region"],
        **told["estimate"],
        "window from": window[0], "until": window[1],
        "promised from": committed[0], "promised until": committed[1],
        "ahead": told["ahead_overall"], "reason": told["reason"],
    }  # fmt: skip


def _tell_one(told: Mapping[str, Any]) -> None:
    said = " (simulated)" if told["simulated"] else ""
    click.echo(f"{told['order']}: {told['trim']} {told['colour'] or ''}{said}")
    if told["reason"]:
        click.echo(f"  no date: {told['reason']}")
    days = ", ".join(f"{name.upper()} {day or 'beyond the plan'}" for name, day in told["estimate"].items())
    click.echo(f"  estimate of the handover: {days}")
    if told["window"] is not None:
        click.echo("  window to tell the buyer: {} to {} (an estimate, it may move)".format(*told["window"]))
    if told["committed"] is not None:
        kept = "the plan keeps it" if told["committed_is_kept"] else "the plan may miss it"
        click.echo("  promised: {} to {}; ".format(*told["committed"]) + kept)
    else:
        click.echo("  promised: nothing yet (--commit promises the window)")
    if told["built"]:
        click.echo("  its car is built and on its way")
    elif told["slot"] is not None:
        click.echo(f"  built on {told['slot']} when all goes as expected")
        click.echo(
            f"  {told['ahead_overall']:,} orders have an earlier slot,"
            f" {told['ahead_in_queue']:,} are ahead in its own queue"
        )
        held = ", ".join(f"{each['limit']} ({each['days']} days)" for each in told["held_back_by"][:3])
        if held:
            click.echo(f"  held back by: {held}")
    if told["history"]:
        first = told["history"][0]
        moved = told["moved_days"]
        how = "" if moved is None else f", moved by {moved:+d} days since"
        click.echo(f"  first told: until {first['last_day'] or 'beyond the plan'} ({first['plan']}){how}")


def _tell_quote(told: Mapping[str, Any], shape: str, *, simulated: bool) -> None:
    from driveaway.launch.planning.telling import level_text

    if shape == "json":
        print_json(dict(told) | {"simulated": simulated})
        return
    days = ", ".join(f"{name.upper()} {day or 'beyond the plan'}" for name, day in told["estimate"].items())
    click.echo(
        f"{told['trim']} {told['colour'] or 'in any colour'}, {told['region'] or 'any region'}: {days}"
    )
    if told["window"] is not None:
        click.echo("window to tell the buyer: {} to {} (an estimate, no promise)".format(*told["window"]))
        click.echo(f"it ends at {level_text(told['level'])}")
    click.echo(f"{told['ahead_in_queue']:,} orders are ahead in its queue")
    if simulated:
        click.echo("the orders ahead are simulated")


@click.command("kept")
@click.option(
    "--by", type=click.Choice(["month", "week", "trim", "province"]), default="month", show_default=True,
    help="Cohorts of promises.",
)  # fmt: skip
@click.option("--which", type=click.Choice(["first", "last"]), default="first", show_default=True)
@format_option("table", "json")
@cut_options
@launch_option
def kept(
    by: str,
    which: str,
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Tell how past promises fared: the share kept by cohort, and the calibration curve of past plans."""
    from driveaway.launch.planning.fared import fared
    from driveaway.launch.planning.telling import level_text

    with opened(folder, book_url) as launch:
        told = fared(launch, cut_of(launch, as_of, mark, known_at), by, which)
    if shape == "json":
        print_json(told)
        return
    if told["unknown"] is not None:
        click.echo(f"promises: unknown, {told['unknown']}")
    elif not told["cohorts"]:
        click.echo("promises kept: no promise has come due yet")
    else:
        print_rows([_percent(row) for row in told["cohorts"]], "Promises kept:")
    click.echo(f"windows end at {level_text(told['level'])}")
    if told["curve"]:
        print_rows(
            [
                {
                    "said": f"{point['level']:.0%}", "came true": f"{point['kept']:.1%}",
                    "95 %": f"{point['low']:.1%} to {point['high']:.1%}", "orders": point["orders"],
                }
                for point in told["curve"]
            ],
            "Calibration of adopted plans, over the days that have passed:",
        )  # fmt: skip
    elif told["curve_unknown"]:
        click.echo(f"calibration of adopted plans: unknown, {told['curve_unknown']}")
    click.echo(f"as of {told['as_of']}, mark {told['mark']}" + ("; simulated" if told["simulated"] else ""))


def _percent(row: Mapping[str, Any]) -> dict[str, Any]:
    shares = ("value", "low", "high")
    return {
        name: f"{value:.1%}" if name in shares and isinstance(value, float) else value
        for name, value in row.items()
    }
