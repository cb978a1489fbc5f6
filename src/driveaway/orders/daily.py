"""Counts per local day with their running total; days without any are there with 0."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import ibis.expr.types as ir

from driveaway.book.view import View
from driveaway.figures.measure import Rows
from driveaway.values.clock import end_of_day, local_day


def per_day(view: View, rows: ir.Table) -> Rows:
    """A row for every local day from the first with any to the as-of.

    ``complete`` is false for the as-of's own day as long as that day has not ended.
    """
    table = rows.group_by("day").aggregate(value=rows.count(), simulated=rows.simulated.any()).order_by("day")
    last = local_day(view.when.as_of, view.zone)
    ended = view.when.as_of >= end_of_day(last, view.zone)

    def finish(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not found:
            return []
        by_day = {row["day"]: row for row in found}
        day = date.fromisoformat(found[0]["day"])
        out: list[dict[str, Any]] = []
        total, made_up = 0, False
        while day <= last:
            row = by_day.get(day.isoformat())
            count = int(row["value"]) if row else 0
            total += count
            # The running total counts the simulated rows of the days before.
            made_up = made_up or bool(row and row["simulated"])
            out.append(
                {
                    "day": day.isoformat(),
                    "value": count,
                    "cumulative": total,
                    "complete": day < last or ended,
                    "simulated": made_up,
                }
            )
            day += timedelta(days=1)
        return out

    return Rows(table, finish)
