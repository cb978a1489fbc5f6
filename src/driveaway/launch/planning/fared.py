"""How what was said fared: promises by cohort, and the dates of past plans at their confidences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driveaway.book.view import View
from driveaway.delivery.kept.learned import learned_level
from driveaway.delivery.kept.scoring import NEVER, CurvePoint, Promises, calibration_curve
from driveaway.delivery.planning.problem import Amounts
from driveaway.delivery.supply import Notes, plan_settings
from driveaway.delivery.supply.reading import number_of
from driveaway.facts.delivery import PlanAdopted
from driveaway.launch.launch import Cut, Launch
from driveaway.launch.planning.landing import landed
from driveaway.launch.planning.telling import of_level
from driveaway.values.clock import local_day, parse_day, show


def fared(launch: Launch, cut: Cut, by: str, which: str) -> dict[str, Any]:
    """Share of promises kept by cohort, the level learned from them, and the calibration of past plans.

    Args:
        launch: whose landed plans are read.
        cut: the book as of a date.
        by: a dimension of ``delivery.promise_kept``.
        which: the first promise of each order, or the last.
    """
    answer = cut.figure("delivery.promise_kept", by=(by,), which=which)
    points = curve(launch, cut)
    nominal = plan_settings(cut.description, Notes()).window[1]
    return {
        "by": by,
        "cohorts": list(answer.rows or ()),
        "unknown": answer.unknown,
        "note": answer.note,
        "curve": [
            {
                "level": point.nominal,
                "kept": point.kept,
                "low": point.interval.low,
                "high": point.interval.high,
                "orders": point.scored,
            }
            for point in points
        ],
        "level": of_level(learned_level(cut.view, nominal, _first_open_day(cut))),
        "curve_unknown": None if points else _why_no_curve(cut),
        "as_of": show(cut.as_of, cut.view.zone),
        "mark": cut.mark,
        "simulated": answer.simulated or any(fact.simulated for fact in cut.facts("plan.adopted")),
    }


def _why_no_curve(cut: Cut) -> str:
    if not cut.facts("plan.adopted"):
        return "no plan had been adopted by then"
    return "no day that an adopted plan named has passed yet"


def curve(launch: Launch, cut: Cut) -> list[CurvePoint]:
    """Confidence beside the share that came true, over all plans adopted by the as-of.

    Days that lie beyond a plan's horizon were not said, and are not scored.
    """
    ends = _ends(cut.view)
    parts = []
    for fact in cut.facts("plan.adopted"):
        assert isinstance(fact.body, PlanAdopted)
        table = landed(launch, fact).table
        at = pc.index_in(table["order_id"], value_set=ends["subject"]).combine_chunks()
        handed = _numbers(pc.take(ends["handed"], at))
        off = _numbers(pc.take(ends["off"], at))
        given = number_of(parse_day(fact.body.first_day))
        for name in table.column_names:
            if name[0] != "p" or name == "province":
                continue
            due = _numbers(table[name].cast(pa.int32()))
            said = np.isfinite(due) & (due >= given)
            parts.append(
                Promises.of(
                    np.full(int(said.sum()), float(given)), due[said], float(name[1:]) / 100, handed[said],
                    cancelled=off[said],
                )
            )  # fmt: skip
    if not parts:
        return []
    whole = Promises(*(np.concatenate([getattr(p, name) for p in parts]) for name in Promises.__slots__))
    # The last day that is wholly over.
    return calibration_curve(whole, _first_open_day(cut) - 1)


def _first_open_day(cut: Cut) -> int:
    """The first day that is not wholly over, days since 1970."""
    return number_of(local_day(cut.as_of + 1, cut.view.zone))


def _ends(view: View) -> pa.Table:
    """The days on which orders were handed over or called off, days since 1970."""
    handed = view.table("order.handed_over").select("subject", handed="day")
    off = view.table("order.cancelled").select("subject", off="day")
    both = handed.outer_join(off, "subject")
    both = both.mutate(subject=both.subject.fill_null(both.subject_right)).select("subject", "handed", "off")
    found, _ = view.run(both)
    return found.set_column(1, "handed", found["handed"].cast(pa.int32())).set_column(
        2, "off", found["off"].cast(pa.int32())
    )


def _numbers(column: pa.Array | pa.ChunkedArray) -> Amounts:
    """As floats; infinite where null."""
    filled = pc.fill_null(column.cast(pa.float64()), NEVER)
    return np.asarray(
        filled.to_numpy(zero_copy_only=False) if isinstance(filled, pa.Array) else filled.to_numpy()
    )
