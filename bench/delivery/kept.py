"""Promises at nominal 90% on 5,170 real orders, replayed day by day. ``python -m bench.delivery.kept``.

Reads ``delivery/olist`` in the folder that ``DRIVEAWAY_BENCH`` names (its README says where it is from).
Orders that were never delivered are left out: the file is a sample by status, so how many there are says
nothing, and a status has no time at which it became known.
"""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.tables import table
from driveaway.delivery.kept.calibration import History, Method, replay, wait_bounds
from driveaway.delivery.kept.scoring import Promises, Record, calibration_curve, record
from driveaway.delivery.kept.survival import Amounts, kaplan_meier
from driveaway.figures.answer import Interval

REGIONS = {
    "North": "AC AM AP PA RO RR TO",
    "Northeast": "AL BA CE MA PB PE PI RN SE",
    "Central-West": "DF GO MS MT",
    "Southeast": "ES MG RJ SP",
    "South": "PR RS SC",
}
LEVEL = 0.9
LEAST = 50
"""Promises that a month needs to be judged by itself."""
WINDOW = 45
_DAY = 86400


class Shop(NamedTuple):
    """The orders that were delivered, by time of purchase.

    Attributes:
        history: for ``replay``; days since the first of September 2016.
        month: of the purchase, as ``2017-11``.
        region: name of the customer's region.
        own: the end of the day that the shop promised, in the same days.
    """

    history: History
    month: NDArray[np.str_]
    region: NDArray[np.str_]
    own: Amounts


def read(folder: Path) -> Shop:
    """Read the orders that were delivered and not called off."""
    names = list(REGIONS)
    region_of = {state: region for region, states in REGIONS.items() for state in states.split()}
    with (folder / "olist_customers_dataset.csv").open(newline="", encoding="utf-8") as file:
        state_of = {row["customer_id"]: row["customer_state"] for row in csv.DictReader(file)}
    with (folder / "olist_orders_dataset.csv").open(newline="", encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["order_status"] == "delivered" and row["order_delivered_customer_date"]
        ]
    rows.sort(key=lambda row: (row["order_purchase_timestamp"], row["order_id"]))
    region = [region_of[state_of[row["customer_id"]]] for row in rows]
    started = _days(row["order_purchase_timestamp"] for row in rows)
    history = History(
        started,
        _days(row["order_delivered_customer_date"] for row in rows),
        np.full(len(rows), np.inf),
        np.array([names.index(name) for name in region]),
    )
    return Shop(
        history,
        np.array([row["order_purchase_timestamp"][:7] for row in rows]),
        np.array(region),
        _days(row["order_estimated_delivery_date"] for row in rows) + 1,
    )


def _days(times: Iterable[str]) -> Amounts:
    start = datetime(2016, 9, 1, tzinfo=UTC)
    since = (datetime.fromisoformat(f"{text}+00:00") - start for text in times)
    return np.array([gone.total_seconds() / _DAY for gone in since])


def promises(shop: Shop, wait: Amounts, level: float = LEVEL) -> tuple[Promises, NDArray[np.bool_]]:
    """The promises that were given, and which orders had one."""
    history = shop.history
    given = np.isfinite(wait)
    due = history.started + np.where(given, wait, 0)
    made = Promises.of(history.started[given], due[given], level, history.delivered[given])
    return made, given


def judge(shop: Shop, wait: Amounts, level: float = LEVEL) -> tuple[Record, list[Record]]:
    """All promises together, and by month with at least ``LEAST`` of them, after all was delivered."""
    made, given = promises(shop, wait, level)
    end = float(max(made.due.max(), made.delivered.max()))
    months = [part for part in record(made, end, shop.month[given]) if part.promises >= LEAST]
    return record(made, end)[0], months


def by_window(
    shop: Shop, bound: Callable[[Amounts, NDArray[np.bool_]], float], delivered_in: bool
) -> Amounts:
    """Promises of each region from its orders of the last 45 days, by time of purchase or of delivery."""
    history = shop.history
    wait = np.full(len(history.started), np.nan)
    days = np.floor(history.started)
    for day in np.unique(days):
        known = (history.started < day) & (history.started >= day - WINDOW)
        if delivered_in:
            known = (history.delivered < day) & (history.delivered >= day - WINDOW)
        ended = history.delivered < day
        waits = np.minimum(history.delivered, day) - history.started
        for code in np.unique(history.group[days == day]):
            some = known & (history.group == code)
            # A region with too few orders is promised what all are.
            some = some if (some & ended).sum() >= 20 else known
            if (some & ended).sum() >= 20:
                wait[(days == day) & (history.group == code)] = bound(waits[some], ended[some])
    return wait


def of_delivered(waits: Amounts, ended: NDArray[np.bool_]) -> float:
    """Split conformal's bound from the orders that were delivered, as if there were no others."""
    done = np.sort(waits[ended])
    place = int(np.ceil(LEVEL * (len(done) + 1))) - 1
    return float(done[min(place, len(done) - 1)])


def of_all(waits: Amounts, ended: NDArray[np.bool_]) -> float:
    """Kaplan and Meier's bound, open orders censored."""
    return kaplan_meier(waits, ended).bound(LEVEL)


def _between(interval: Interval | None) -> str:
    return f"{interval.low:.1%}–{interval.high:.1%}" if interval else ""


def main() -> None:
    """Print the tables of docs/explanation/calibration.md."""
    bench = os.environ.get("DRIVEAWAY_BENCH")
    if not bench:
        sys.exit("DRIVEAWAY_BENCH does not name the folder of real data sets")
    shop = read(Path(bench) / "delivery" / "olist")
    rows = []

    def row(name: str, wait: Amounts, cpu: float, level: float = LEVEL) -> list[Record]:
        total, months = judge(shop, wait, level)
        worst = min(months, key=lambda part: part.share or 0)
        numbers = f"{total.promises:,}", f"{total.share:.1%}", f"{worst.share:.1%} ({worst.cohort})"
        sizes = f"{total.wait:.1f}", f"{total.pinball:.3f}"
        rows.append([name, *numbers, *sizes, f"{cpu:.2f} s" if cpu else ""])
        return months

    def measured(name: str, promise: Callable[[], Amounts], level: float = LEVEL) -> list[Record]:
        begin = time.process_time()
        wait = promise()
        return row(name, wait, time.process_time() - begin, level)

    def ours(**changed: float) -> Callable[[], Amounts]:
        return lambda: replay(shop.history, Method(**changed)).wait  # type: ignore[arg-type]

    headers = ["", "promises", "kept", "worst month", "mean days", "pinball", "CPU"]
    row("the shop's own date", shop.own - shop.history.started, 0)
    measured("delivered only, bought in 45 days", lambda: by_window(shop, of_delivered, False))
    measured("delivered only, delivered in 45 days", lambda: by_window(shop, of_delivered, True))
    measured("Kaplan–Meier, bought in 45 days", lambda: by_window(shop, of_all, False))
    measured("ours: curve alone", ours(gain=0, load_power=0))
    measured("ours: curve and adaptive step", ours(load_power=0))
    measured("ours: curve and load", ours(gain=0))
    months = measured("ours: curve, load, adaptive step", ours())
    print(f"\nNominal {LEVEL:.0%}, worst of the months with {LEAST} promises or more\n")
    print(table(headers, rows))
    rows.clear()
    for changed in (
        {"gain": 0.2}, {"gain": 0.7}, {"gain": 1.5},
        {"load_power": 0.25}, {"load_power": 0.75}, {"load_power": 1.0},
        {"memory": 20.0}, {"memory": 45.0}, {"group_memory": 90.0}, {"group_memory": 360.0},
        {"group_prior": 3.0}, {"group_prior": 30.0}, {"least": 60},
    ):  # fmt: skip
        measured(", ".join(f"{name} {value:g}" for name, value in changed.items()), ours(**changed))
    print("\nOne setting changed\n")
    print(table(headers, rows))
    rows.clear()
    wait = ours()()
    made, given = promises(shop, wait)
    end = float(max(made.due.max(), made.delivered.max()))
    for title, parts in (("region", record(made, end, shop.region[given])), ("month", months)):
        lines = [
            [str(p.cohort), f"{p.promises:,}", f"{p.share:.1%}", _between(p.interval), f"{p.wait:.1f}"]
            for p in parts
        ]
        print(f"\nBy {title}\n")
        print(table([title, "promises", "kept", "95% interval", "mean days"], lines))
    few = [part for part in record(made, end, shop.month[given]) if part.promises < LEAST]
    print("\nMonths with fewer:", ", ".join(f"{p.cohort}: {p.kept} of {p.promises}" for p in few) or "none")
    print("\nCalibration curve\n")
    lines = []
    for level in (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97):
        made, _ = promises(shop, ours(level=level)(), level)
        point = calibration_curve(made, float(max(made.due.max(), made.delivered.max())))[0]
        total, months = judge(shop, ours(level=level)(), level)
        least = min(part.share or 0 for part in months)
        sizes = f"{least:.1%}", f"{total.wait:.1f}"
        lines.append([f"{point.nominal:.0%}", f"{point.kept:.1%}", _between(point.interval), *sizes])
    print(table(["nominal", "kept", "95% interval", "worst month", "mean days"], lines))

    speed()


def speed() -> None:
    """Print how long scoring and learning take on simulated orders."""
    random = np.random.default_rng(1)
    count = 1_000_000
    given = random.uniform(0, 300, count)
    made = Promises.of(
        given, given + random.uniform(5, 60, count), LEVEL, given + random.exponential(20, count)
    )
    begin = time.process_time()
    cohorts = len(record(made, 250, np.floor(given / 7)))
    print(f"\n{count:,} promises scored in {cohorts} cohorts: {time.process_time() - begin:.2f} CPU s")
    count = 100_000
    started = np.sort(random.uniform(0, 400, count))
    group = random.integers(0, 31, count)
    delivered = started + (8 + group % 7) * random.lognormal(0, 0.4, count)
    history = History(started, delivered, np.full(count, np.inf), group)
    begin = time.process_time()
    wait_bounds(history, 399, LEVEL, Method(), 31)
    now = time.process_time() - begin
    begin = time.process_time()
    replay(history, Method())
    took = time.process_time() - begin
    print(f"{count:,} orders in 31 groups: bounds of one day {now:.3f} CPU s, replay of 400 days {took:.1f}")


if __name__ == "__main__":
    main()
