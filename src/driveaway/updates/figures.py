"""Figures about updates and functions: expressions on facts alone.

Whether a gate is open to a car is no expression on facts: it rests on what cars report, which keeps no
history. ``driveaway functions show`` counts it.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from driveaway.book.view import View
from driveaway.figures.figure import figure
from driveaway.figures.measure import Count, Enrich, Measure, Rows, Share

_TIMES = ("day", "week", "month")


@figure(
    "updates.functions_active",
    title="Cars that switched a function on",
    title_zh="功能激活车辆数",
    unit="cars",
    counts="events",
    evidence=("function.activated",),
    dimensions=("function", "trim", "province", *_TIMES),
)
def functions_active(view: View) -> Measure:
    """Cars that switched a function on by the as-of, each counted once a function, on the first day.

    A car counts once for each function that it switched on.
    """
    rows = view.table("function.activated")
    # Facts may say the slug; functions.toml and cars say the name.
    rows = rows.mutate(function=rows.function.replace("-", "_"))
    window = ibis.window(group_by=("subject_key", "function"), order_by=("happened", "seq"))
    first = rows.mutate(_rank=ibis.row_number().over(window))
    return Count(first.filter(first["_rank"] == 0).drop("_rank"), enrich=_of_car(view))


@figure(
    "updates.installed",
    title="Cars by the release that they run",
    title_zh="各版本在用车辆数",
    unit="cars",
    counts="stock",
    evidence=("version.reported", "update.finished"),
    dimensions=("release", "version", "trim", "province", *_TIMES),
)
def installed(view: View) -> Measure:
    """Cars whose last reported version by the as-of is that of the release which was installed.

    What counts is the version that a car says it runs, not that it said it had installed one. The day is
    that of the report. A car that reported another version since, or none yet, is not in it.
    """
    reported = _last(view.table("version.reported"), "subject_key")
    return Count(reported.filter(reported.agrees.fill_null(False)), enrich=_of_car(view))


@figure(
    "updates.install_success",
    title="Updates that succeeded",
    title_zh="升级成功率",
    unit="share",
    evidence=("update.finished",),
    dimensions=("release", "rollout", "trim", "province", *_TIMES),
)
def install_success(view: View) -> Measure:
    """Share of the updates that ended by the as-of after which the car reported the new version.

    Installed and then confirmed by the reported version is a success; failed, silent, fallen back to the old
    version, or installed and then another version reported, is none. Updates that were called off, or
    declined, or only downloaded, and those after which the car has not reported its version yet, are not
    counted. The interval is Wilson's, at 95%.
    """
    finished = _last(view.table("update.finished"), "subject_key", "action")
    finished = finished.filter(finished.outcome.isin(("installed", "failed", "silent", "fell_back")))
    reports = view.table("version.reported")
    reports = reports.filter(reports.action.notnull(), reports.agrees.notnull())
    said = reports.group_by("subject_key", "action").aggregate(
        said=reports.agrees.any(), said_simulated=reports.simulated.any()
    )
    said = said.rename(said_key="subject_key", said_action="action")
    joined = finished.left_join(
        said, [finished.subject_key == said.said_key, finished.action == said.said_action]
    )
    installed = joined.outcome == "installed"
    known = ~installed | joined.verified | joined.said_key.notnull()
    rows = joined.filter(known).mutate(
        hit=installed & (joined.verified | joined.said.fill_null(False)),
        simulated=joined.simulated | joined.said_simulated.fill_null(False),
    )
    note = "updates after which the car has not reported its version yet are not in it"
    return Share(rows, estimated=True, enrich=_of_car(view), note=note)


@figure(
    "updates.rollout_state",
    title="Rollouts and how they stand",
    title_zh="推送进度",
    unit="cars",
    evidence=("rollout.decided",),
    dimensions=("rollout", "release", "decision"),
)
def rollout_state(view: View) -> Measure:
    """Every rollout with its last decision by the as-of, and its cars as that decision found them.

    ``value`` is how many cars may have the release after the decision; ``succeeded`` reported the new
    version, ``failed`` did not install it, ``silent`` did not come back in time.
    """
    rows = _last(view.table("rollout.decided"), "subject_key")
    table = rows.order_by("subject").select(
        "release", "decision", "wave", "cars", "held_out", "offered", "succeeded", "failed", "silent",
        "reason", "simulated", rollout="subject", value="opened", decided_on=rows.day.cast("string"),
    )  # fmt: skip
    return Rows(table)


def _last(rows: ir.Table, *keys: str) -> ir.Table:
    """The last row of each key in valid time, ties by seq."""
    window = ibis.window(group_by=keys, order_by=[rows.happened.desc(), rows.seq.desc()])
    ranked = rows.mutate(_rank=ibis.row_number().over(window))
    return ranked.filter(ranked["_rank"] == 0).drop("_rank")


def _of_car(view: View) -> Mapping[str, Enrich]:
    """For rows about cars: the trim as built, and the province that its last handover names."""

    def trim(rows: ir.Table) -> ir.Table:
        built = _last(view.table("car.built"), "subject_key").select(built_key="subject_key", trim="trim")
        return rows.left_join(built, rows.subject_key == built.built_key).drop("built_key")

    def province(rows: ir.Table) -> ir.Table:
        handed = view.table("order.handed_over")
        last = _last(handed.filter(handed.vin_key.notnull()), "vin_key").select("province", car_key="vin_key")
        return rows.left_join(last, rows.subject_key == last.car_key).drop("car_key")

    return {"trim": trim, "province": province}


FIGURES = (functions_active, installed, install_success, rollout_state)
