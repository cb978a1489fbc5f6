"""The peers' file as arrays."""

from __future__ import annotations

import csv
import os
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from driveaway.delivery.ramp.season import features
from driveaway.delivery.ramp.types import Amounts, Places

FILE = "peer_ramps_to_2024-03.csv"
MONTHS = 15
"""Months of each launch that are learned from."""

LEAST = 100
"""A launch's ramp begins in its first month with this many cars: before that stand show and test cars."""


@dataclass(frozen=True)
class Launches:
    """Other launches, counted from the month in which each ramp began.

    Attributes:
        names: of the models.
        rates: log of cars per calendar day, NaN where the file has no month, shape (launches, months).
        seasons: shares of special times of the year, shape (launches, months, features).
        left_out: models that never had `LEAST` cars in a month.
    """

    names: tuple[str, ...]
    rates: Amounts
    seasons: Amounts
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def without(self, rows: int | Places) -> Launches:
        """All launches but one or some."""
        kept = np.delete(np.arange(len(self)), rows)
        return Launches(tuple(self.names[at] for at in kept), self.rates[kept], self.seasons[kept])


def record_folder() -> Path | None:
    """The folder that DRIVEAWAY_RECORD names, or None."""
    named = os.environ.get("DRIVEAWAY_RECORD")
    return Path(named) if named else None


def read_launches(path: Path, months: int = MONTHS) -> Launches:
    """Read the file: one row a model and month, with columns model, month (2022-01) and units."""
    units: dict[str, dict[int, int]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            year, month = (int(part) for part in row["month"].split("-"))
            units.setdefault(row["model"], {})[12 * year + month - 1] = int(row["units"])
    names, rates, seasons, left_out = [], [], [], []
    for name, counts in units.items():
        start = next((month for month in sorted(counts) if counts[month] >= LEAST), None)
        if start is None:
            left_out.append(name)
            continue
        spans = [_span(start + age) for age in range(months)]
        rate = np.full(months, np.nan)
        for age, (_, last) in enumerate(spans):
            if start + age in counts:
                rate[age] = np.log(max(counts[start + age], 0.5) / last.day)
        names.append(name)
        rates.append(rate)
        seasons.append(features(spans))
    return Launches(tuple(names), np.array(rates), np.array(seasons), tuple(left_out))


def _span(month: int) -> tuple[date, date]:
    year, number = month // 12, month % 12 + 1
    return date(year, number, 1), date(year, number, monthrange(year, number)[1])
