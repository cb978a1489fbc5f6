"""The ramp: forecasts of launches left out, beside naive ones; the forecast as of 24 April 2024; its cost.

``DRIVEAWAY_RECORD=folder python -m bench.delivery.ramp`` (the folder holds the peers' file). Half a minute.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import date

import numpy as np

from driveaway.delivery.ramp import Paths, Record, StatedRate, bands, forecast, forecasting, packaged_prior
from tools.ramp_prior.fitting import OBSERVED
from tools.ramp_prior.reading import FILE, read_launches, record_folder
from tools.ramp_prior.scoring import AHEAD, METHODS, leave_out, mean_pinball

AS_OF = date(2024, 4, 24)
RECORD = Record(date(2024, 4, 3), ((AS_OF, 5_781),))
OPEN_ORDERS = 75_723 - 5_781
YEARLY = 150_000
DAYS = (date(2024, 12, 31) - AS_OF).days
CAPACITY = np.full(DAYS, YEARLY / 365)
PERIODS = {
    "May": (date(2024, 5, 1), date(2024, 5, 31)),
    "June": (date(2024, 6, 1), date(2024, 6, 30)),
    "second quarter": (date(2024, 4, 1), date(2024, 6, 30)),
    "third quarter": (date(2024, 7, 1), date(2024, 9, 30)),
    "fourth quarter": (date(2024, 10, 1), date(2024, 12, 31)),
    "year 2024": (date(2024, 1, 1), date(2024, 12, 31)),
}


def left_out() -> None:
    """Print the table of launches left out."""
    folder = record_folder()
    if folder is None or not (folder / FILE).exists():
        print(f"left out: DRIVEAWAY_RECORD does not name the folder that holds {FILE}", file=sys.stderr)
        return
    launches = read_launches(folder / FILE)
    print(
        f"Launches left out, one by one ({len(launches)}; without a ramp: {', '.join(launches.left_out)})\n"
    )
    started = time.process_time()
    scores = leave_out(launches)
    print("| observed | ahead | launches | method | 50% | 80% | 95% | 80% band, high / low | pinball |")
    print("|---|---|---|---|---|---|---|---|---|")
    for observed in OBSERVED:
        for ahead in AHEAD:
            for method in METHODS:
                found = scores[method, observed, ahead]
                covered = " | ".join(f"{share:.1%}" for share in found.covered)
                print(
                    f"| {observed} | {ahead} | {found.launches} | {method} | {covered} "
                    f"| {found.width:.1f} | {found.pinball:.3f} |"
                )
    for method in METHODS:
        print(f"\n{method}: mean pinball {mean_pinball(scores, method):.4f}", end="")
    print(f"\n\n{time.process_time() - started:.0f} CPU s\n")


def as_of_april() -> None:
    """Print the forecast made from the public record up to 24 April 2024."""
    paths = _told()
    print("| | median | 50% | 80% | 95% |\n|---|---|---|---|---|")
    for name, (first, last) in PERIODS.items():
        cars = paths.between(first, last)
        shown = " | ".join(f"{low:,.0f}–{high:,.0f}" for _, low, high in bands(cars))
        print(f"| {name} | {np.median(cars):,.0f} | {shown} |")
    prior = packaged_prior()
    shift = np.exp(-0.54 / prior.rise_months)
    later = np.where(np.arange(DAYS) >= (date(2024, 7, 1) - AS_OF).days - 1, 2.0, 1.0)
    print("\n| | more than 10,000 in June | 100,000 in the year |\n|---|---|---|")
    _odds("as above", paths)
    _odds("open orders not used", _told(open_orders=None))
    _odds("open orders hold all paths up", _told(want_of_demand=1.0))
    _odds("with the press report of 400 a day on 22 April", _told(stated=StatedRate(date(2024, 4, 22), 400)))
    _odds("capacity is never raised", _told(prior=replace(prior, raises=None)))
    _odds("bands not stretched", _told(prior=replace(prior, stretch=None)))
    _odds(
        "April counted as the peers' first whole month", _told(prior=replace(prior, rise=prior.rise * shift))
    )
    usual = forecasting.CEILING
    for name, forecasting.CEILING in (("softer", usual / 2), ("harder", usual * 2)):
        _odds(f"capacity bounds {name} (exponent {forecasting.CEILING:.0f} for {usual:.0f})", _told())
    forecasting.CEILING = usual
    _odds("capacity 10% lower", _told(capacity=CAPACITY * 0.9))
    _odds("capacity 10% higher", _told(capacity=CAPACITY * 1.1))
    _odds("capacity doubled from 1 July", _told(capacity=CAPACITY * later))


def _told(**changed: object) -> Paths:
    given = {"as_of": AS_OF, "open_orders": OPEN_ORDERS, "paths": 20_000, "seed": 1} | changed
    capacity = given.pop("capacity", CAPACITY)
    return forecast(RECORD, capacity, **given)


def _odds(name: str, paths: Paths) -> None:
    june = paths.odds(*PERIODS["June"], 10_000, strict=True)
    year = paths.odds(*PERIODS["year 2024"], 100_000)
    print(f"| {name} | {june:.0%} | {year:.0%} |")


def cost() -> None:
    """Print what 10,000 paths of a year cost."""
    capacity = np.full(365, YEARLY / 365)
    forecast(RECORD, capacity, as_of=AS_OF, paths=10)
    started = time.process_time()
    forecast(RECORD, capacity, as_of=AS_OF, open_orders=OPEN_ORDERS, paths=10_000)
    print(f"\n10,000 paths of 365 days: {time.process_time() - started:.2f} CPU s")


if __name__ == "__main__":
    left_out()
    as_of_april()
    cost()
