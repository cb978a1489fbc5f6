"""Where the simulated buyers live and where the simulated outlets stand.

``provinces.csv``: inhabitants and disposable income a head (yuan a year) of the 31 provinces in
2022, rounded, after the China Statistical Yearbook 2023 (National Bureau of Statistics). A
province's weight is their product. ``cities.csv``: the main cities of each province with rough
shares (percent) and the number of simulated stores and delivery centres; the real addresses are
not in the public record, only their number: 59 stores in 29 cities.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from io import StringIO

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class City:
    """One city: its GB/T 2260 province code, and the part of all buyers who live in it."""

    name: str
    province: str
    weight: float


@dataclass(frozen=True)
class Outlet:
    """One simulated outlet; ``city`` indexes ``Places.cities``."""

    slug: str
    name: str
    role: str
    city: int


@dataclass(frozen=True)
class Places:
    """Cities and outlets, and which outlets an order from a city may name."""

    cities: tuple[City, ...]
    outlets: tuple[Outlet, ...]

    def weights(self) -> NDArray[np.float64]:
        """The part of all buyers who live in each city; they sum to 1."""
        return np.array([city.weight for city in self.cities])

    def stores_near(self) -> list[NDArray[np.int16]]:
        """For each city its stores, else those of its province, else none (indexes of ``outlets``)."""
        stores = [(i, outlet) for i, outlet in enumerate(self.outlets) if outlet.role == "store"]
        near = []
        for index, city in enumerate(self.cities):
            own = [i for i, store in stores if store.city == index]
            around = [i for i, store in stores if self.cities[store.city].province == city.province]
            near.append(np.array(own or around, np.int16))
        return near

    def handover_at(self) -> dict[int, Outlet]:
        """For each city with an outlet the one that hands cars over: a delivery centre if it has one."""
        chosen: dict[int, Outlet] = {}
        for outlet in self.outlets:
            if outlet.city not in chosen or outlet.role == "delivery":
                chosen[outlet.city] = outlet
        return chosen


def read_places() -> Places:
    """The packaged places."""
    provinces = {
        row["province"]: float(row["population"]) * float(row["income"]) for row in _table("provinces.csv")
    }
    whole = sum(provinces.values())
    rows = _table("cities.csv")
    shares: dict[str, float] = {}
    for row in rows:
        shares[row["province"]] = shares.get(row["province"], 0.0) + float(row["share"])
    cities = tuple(
        City(
            row["city"],
            row["province"],
            provinces[row["province"]] / whole * float(row["share"]) / shares[row["province"]],
        )
        for row in rows
    )
    outlets = [
        outlet
        for index, row in enumerate(rows)
        for role, column in (("store", "stores"), ("delivery", "centres"))
        for outlet in _outlets_of(index, row["city"], role, int(row[column]))
    ]
    return Places(cities, tuple(outlets))


def _outlets_of(city: int, name: str, role: str, count: int) -> list[Outlet]:
    stem = name.lower().replace("'", "").replace(" ", "-")
    word = {"store": "store", "delivery": "delivery centre"}[role]
    return [
        Outlet(f"{role}-{stem}-{n}", f"{name} {word} {n} (simulated)", role, city)
        for n in range(1, count + 1)
    ]


def _table(name: str) -> list[dict[str, str]]:
    text = files("driveaway.demo").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(StringIO(text)))
