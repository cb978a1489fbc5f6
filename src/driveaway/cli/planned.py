"""A plan as tables on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from driveaway.cli.output import print_rows

WEEKS = 12
"""Printed unless said otherwise."""
REGIONS = 10
"""Printed unless said otherwise."""
_NAMED = 12


def header(told: Mapping[str, Any]) -> str:
    """What a plan rests on, as a line."""
    said = "; the orders are simulated" if told.get("simulated") else ""
    return (
        f"a forecast from {told['paths']:,} simulated paths, {told['days']} days from {told['first_day']} on;"
        f" as of {told['as_of']}, mark {told['mark']}{said}"
    )


def print_plan(told: Mapping[str, Any], weeks: int, *, daily: bool) -> None:
    """What a plan expects, as tables.

    Args:
        told: ``telling.of_proposal``.
        weeks: how many are printed.
        daily: their days instead.
    """
    click.echo(
        f"{told['orders']:,} open firm orders; half of all paths clear them by {told['cleared_by'] or '–'}"
    )
    click.echo(header(told))
    click.echo()
    print_rows(
        [_target(row, told["odds"]) for row in told["targets"]], "Targets (5th, 50th, 95th percentile):"
    )
    click.echo()
    if daily:
        print_rows([_bands("day", day, day["day"]) for day in told["by_day"][: 7 * weeks]], "Cars by day:")
    else:
        rows = [_bands("week from", week, week["first_day"]) for week in told["weeks"][:weeks]]
        print_rows(rows, "Cars by week:")
    click.echo()
    binding = bound_by(told["binding"])
    if binding:
        print_rows(binding, "What binds, and what one more car of it in a week would spare:")
    else:
        click.echo("Nothing binds.")
    for risk in told["at_risk_of_date"]:
        click.echo(
            f"{risk['after']:,} of {risk['orders']:,} orders may come after {risk['name']} ({risk['day']});"
            f" 5 to 95 %: {risk['after_low']:,} to {risk['after_high']:,}"
        )
    if told["unplannable_orders"]:
        named = ", ".join(told["unplannable"])
        click.echo(f"{told['unplannable_orders']:,} orders can be built on no line: {named}")
    for breach in told["breaches"][:_NAMED]:
        click.echo(
            f"promise at risk: {breach['order']} until {breach['promised_until']}, expected"
            f" {breach['expected'] or 'beyond the plan'} ({breach['days']} days late at least)"
        )
    for exception in told["exceptions"][:_NAMED]:
        click.echo(f"out of turn: {exception['order']}, rank {exception['rank']}: {exception['reason']}")
    for reason, count in told["out_of_turn"].items():
        click.echo(f"{count:,} orders out of turn: {reason}")
    click.echo()


def _bands(name: str, row: Mapping[str, Any], first_day: str) -> dict[str, Any]:
    """Cars of a day or a week: the middle of all paths, and what nine in ten lie between."""
    return {
        name: first_day,
        "built": row["built"],
        "5–95 %": f"{row['built_low']:,} to {row['built_high']:,}",
        "handed over": row["delivered"],
        "5-95 %": f"{row['delivered_low']:,} to {row['delivered_high']:,}",
    }


def _target(row: Mapping[str, Any], odds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    bands = next((each for each in odds if each["target"] == row["target"]), None)
    told: dict[str, Any] = {"target": row["target"], "aim": f"{row['qualifier']} {row['amount']:,}"}
    if row["odds"] is None or bands is None:
        return told | {"odds": f"unknown: {row['unknown']}"}
    low, high = row["odds_low"], row["odds_high"]
    return told | {
        "odds": f"{row['odds']:.0%}",
        "paths leave open": f"{low:.0%} to {high:.0%}",
        "5 %": bands["low"],
        "50 %": bands["middle"],
        "95 %": bands["high"],
    }


def bound_by(binding: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What binds, one row a limit: weeks, first and last, and the most that one more car spares."""
    names = dict.fromkeys(bound["limit"] for bound in binding)
    out = []
    for name in names:
        mine = [bound for bound in binding if bound["limit"] == name]
        most = max(mine, key=lambda bound: bound["car_days"])
        out.append(
            {
                "limit": name,
                "weeks": len(mine),
                "first": mine[0]["first_day"],
                "last": mine[-1]["first_day"],
                "days of waiting spared": most["car_days"],
                "in week": most["first_day"],
            }
        )
    return out
