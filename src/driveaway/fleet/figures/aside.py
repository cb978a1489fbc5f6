"""What was put aside of the trips that came in."""

from __future__ import annotations

from typing import Any

import ibis

from driveaway.book.view import View
from driveaway.figures.figure import TIME_DIMENSIONS, figure
from driveaway.figures.measure import Asked, Grouped, Measure
from driveaway.fleet.figures.cars import union

_ASKED = Asked()
_PERIODS = {"week": "W", "month": "M"}


@figure(
    "fleet.quarantined",
    title="Rows of trips in quarantine",
    title_zh="隔离的行程记录",
    unit="rows",
    counts="stock",
    evidence=("trips.landed",),
    dimensions=("code", "door", *TIME_DIMENSIONS),
)
def quarantined(view: View, *, asked: Asked = _ASKED) -> Measure:
    """Rows that came in and were put aside for a reason, less those that were released or discarded since.

    Their day, from which on they count, is that of the earliest trip of the batch that was accepted with
    them; where none was, the day on which the batch arrived.
    """
    batches = view.table("trips.landed")
    each = batches.select("subject_key", "door", "day", "simulated", one=batches.quarantined.unnest())
    aside = each.select(
        "subject_key", "door", "day", "simulated", code=each.one["code"], rows=each.one["rows"]
    )
    settled = view.table("trips.settled")
    settled = settled.group_by("subject_key", "code").aggregate(rows=settled.rows.sum().cast("int64"))
    of = batches.select("door", "day", "simulated", batch="subject_key")
    gone = settled.inner_join(of, settled.subject_key == of.batch)
    gone = gone.select("subject_key", "door", "day", "simulated", "code", rows=-gone.rows)
    rows = union(aside, gone)
    for name in asked.dimensions & _PERIODS.keys():
        rows = rows.mutate(**{name: rows.day.truncate(_PERIODS[name])})
    for name, values in asked.filters.items():
        wanted = [ibis.literal(v) if name in TIME_DIMENSIONS else v for v in values]
        rows = rows.filter(rows[name].isin(wanted))
    made_up = ibis.ifelse(rows.simulated, rows.rows, 0)
    sums = {"value": rows.rows.sum().cast("int64"), "made_up": made_up.sum().cast("int64")}
    table = rows.group_by(list(asked.by)).aggregate(**sums) if asked.by else rows.aggregate(**sums)

    def finish(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        out = [
            {**{name: row[name] for name in asked.by}, "value": row["value"] or 0, "simulated": _some(row)}
            for row in found
            if row["value"] or not asked.by
        ]
        return sorted(out, key=lambda row: [str(row[name]) for name in asked.by])

    return Grouped(table, finish)


def _some(row: dict[str, Any]) -> bool:
    return (row["made_up"] or 0) > 0


FIGURES = (quarantined,)
