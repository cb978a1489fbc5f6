"""Figures about incidents: how many, and what is to be reported about them.

What a function did is a series of entries; it is summed up by ``fleet.incidents.engagement`` alone, here as
in lists and duties. Incidents are few: the summary is worked out for each, and handed to the engine by seq.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from driveaway.book.view import View
from driveaway.facts.incidents import OUTCOMES, Outcome
from driveaway.figures.figure import figure
from driveaway.figures.measure import Computed, Count, Measure
from driveaway.fleet.incidents.due import reports
from driveaway.fleet.incidents.register import Incident, register_of
from driveaway.values.clock import show

_TIMES: Final = ("day", "week", "month")


@figure(
    "fleet.incidents",
    title="Incidents",
    title_zh="事故与事件",
    unit="incidents",
    counts="events",
    evidence=("incident.reported",),
    dimensions=("function_state", "kind", "level", "country", "province", "city", *_TIMES),
)
def incidents(view: View, *, outcome: Outcome | None = None) -> Measure:
    """Incidents of cars that had happened by the as-of, each as last corrected.

    `function_state` says what the driving functions did in the 30 seconds before: `engaged` until the
    incident began; else how the last one that had been engaged ended, `overridden` by the driver or
    `deactivated` by itself; `off`: none had been engaged; `unknown`: nothing was reported. `kind` is the
    gravest outcome; `level` the highest SAE level engaged in those seconds. Incidents that nobody reported
    are not counted; `driveaway incident list --unreported` lists what cars said themselves.

    Args:
        outcome: only incidents that came to this, whatever else they came to; several by |.
    """
    known = register_of(view).incidents
    wanted = None if outcome is None else set(outcome.split("|"))
    picked = [each for each in known if wanted is None or not wanted.isdisjoint(each.outcomes)]
    rows = view.table("incident.reported")
    if wanted is not None:
        rows = rows.filter(rows.seq.isin([each.seq for each in picked]))
    rows = rows.mutate(
        function_state=_column(rows, picked, lambda each: each.engagement.at_start, "unknown"),
        kind=_column(rows, picked, lambda each: each.gravest, OUTCOMES[-1]),
        level=_column(rows, picked, lambda each: max(each.engagement.levels, default=None), None),
    )
    return Count(rows)


@figure(
    "fleet.reports_due",
    title="Reports to authorities",
    title_zh="应报告事项",
    unit="reports",
    counts="stock",
    evidence=("incident.reported",),
    dimensions=("standing", "duty", "to", "applies", "certain"),
)
def reports_due(view: View) -> Measure:
    """Reports that a duty asks for as of the as-of, by how they stand, the most pressing first.

    `overdue`, `due` and `no_time_stated` are still to be made; `filed`, `filed_late` and `not_needed` are
    done with. `next_due` is the earliest deadline among the open ones. `applies` is `unknown` where what
    the driving functions did was not reported; `certain` is no where a deadline or a condition was not read
    in the text of the law. Duties are those of the packaged list and of `launch.toml` as it held.
    """
    zone: ZoneInfo = view.zone
    rows = reports(register_of(view), view.description.fleet, zone, view.when.as_of)
    groups: Counter[tuple[Any, ...]] = Counter()
    first: dict[tuple[Any, ...], int] = {}
    simulated: dict[tuple[Any, ...], bool] = {}
    for row in rows:
        key = (row.standing, row.duty.name, row.duty.to, row.applies, row.duty.certain)
        groups[key] += 1
        if row.open and row.due is not None:
            first[key] = min(row.due, first.get(key, row.due))
        made_up = row.incident is not None and row.incident.simulated
        simulated[key] = simulated.get(key, False) or made_up
    return Computed(
        [
            {
                "standing": key[0],
                "duty": key[1],
                "to": key[2],
                "applies": key[3],
                "certain": "yes" if key[4] else "no",
                "value": count,
                "next_due": show(first[key], zone) if key in first else None,
                "simulated": simulated[key],
            }
            for key, count in groups.items()
        ]
    )


def _column(rows: ir.Table, picked: list[Incident], value: Any, otherwise: Any) -> ir.Value:
    """What is worked out for each incident, as a column."""
    seqs: dict[Any, list[int]] = {}
    for each in picked:
        seqs.setdefault(value(each), []).append(each.seq)
    branches = [
        (rows.seq.isin(found), ibis.literal(what)) for what, found in seqs.items() if what is not None
    ]
    if not branches:
        return ibis.literal(otherwise) if otherwise is not None else ibis.null("int64")
    return ibis.cases(*branches, else_=otherwise)


FIGURES = (incidents, reports_due)
