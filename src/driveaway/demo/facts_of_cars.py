"""Facts about cars, their payment and handover, out of the columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from driveaway.demo.cars import Cars, Swaps
from driveaway.demo.choices import Codes, Indexes
from driveaway.demo.columns import END, Columns
from driveaway.demo.labels import battery_code
from driveaway.demo.rhythm import MS_PER_HOUR, Milliseconds
from driveaway.demo.stream import Family, Maker, family
from driveaway.facts.base import Body
from driveaway.facts.cars import CarBuilt, CarPegged, CarShipped, CarUnpegged, ControlUnit
from driveaway.facts.orders import OrderHandedOver, PaymentReceived
from driveaway.values.clock import local_day, zone
from driveaway.values.ids import make_vin

Made = tuple[Sequence[str], Sequence[Body]]
Purpose = Literal["order", "demonstration", "test", "stock"]

_MANUFACTURER: Final = "L00"
_PURPOSES: Final[tuple[Purpose, ...]] = ("order", "demonstration", "test", "stock")
_SERIALS: Final = 1_000_000
# Hours around which the line went over to the second hardware revision of a unit.
_ASSISTANCE_REVISION, _COCKPIT_REVISION, _MIXED = 20.0, -300.0, 60.0
_SOFTWARE_WEEK: Final = 168.0
_FIRST_WEEK: Final = -1000.0
_LARGE_PACK_WH: Final = 100_000

Show = tuple[Milliseconds, Milliseconds, NDArray[np.int8]]


@dataclass(frozen=True)
class Handovers:
    """The cars that are handed over within the data, in order of VIN.

    Attributes:
        vins: their numbers.
        trims: index of each one's trim in the description.
        cities: index of the city of its handover in ``Places.cities``.
        at: when, microseconds since 1970 UTC.
    """

    vins: tuple[str, ...]
    trims: NDArray[np.int64]
    cities: NDArray[np.int64]
    at: NDArray[np.int64]


def car_families(columns: Columns, cars: Cars, swaps: Swaps, fleet: Fleet) -> list[Family]:
    """Families in the order that holds when two facts bear the same time."""
    orders = columns.order_ids(cars.order)
    other_orders = columns.order_ids(swaps.order)
    damaged = swaps.damaged.tolist()
    swapped = swaps.car.tolist()

    def first_pegs(rows: Indexes) -> Made:
        return [fleet.vins[swapped[i]] for i in rows], [CarPegged(order=other_orders[i]) for i in rows]

    def unpegs(rows: Indexes) -> Made:
        return [fleet.vins[swapped[i]] for i in rows], [
            CarUnpegged(order=other_orders[i], reason="damaged" if damaged[i] else "rejected") for i in rows
        ]

    def pegs(rows: Indexes) -> Made:
        return [fleet.vins[i] for i in rows], [CarPegged(order=orders[i]) for i in rows]

    def payments(rows: Indexes) -> Made:
        return [orders[i] for i in rows], [fleet.balance(i) for i in rows]

    def handovers(rows: Indexes) -> Made:
        return [orders[i] for i in rows], [fleet.handed_over(i) for i in rows]

    return [
        _within(columns, "car.built", fleet.built, fleet.bodies),
        _within(columns, "car.pegged", swaps.pegged, first_pegs),
        _within(columns, "car.unpegged", swaps.unpegged, unpegs),
        _within(columns, "car.pegged", cars.pegged, pegs),
        _within(columns, "car.shipped", fleet.shipped, fleet.shipments),
        _within(columns, "payment.received", cars.paid, payments),
        _within(columns, "order.handed_over", cars.handed, handovers),
    ]


def _within(columns: Columns, kind: str, times: Milliseconds, make: Maker) -> Family:
    rows = np.flatnonzero(times < END)
    return family(kind, columns.at(times[rows]), make, rows)


class Fleet:
    """Cars for orders first, then those without an order, as they left the line."""

    def __init__(self, rng: Generator, columns: Columns, cars: Cars, show: Show) -> None:
        self._columns, self._cars = columns, cars
        count, extra = len(cars.order), len(show[0])
        choices = columns.choices
        stores = [i for i, outlet in enumerate(columns.places.outlets) if outlet.role == "store"]
        self._store: Codes = np.full(count + extra, -1, np.int16)
        self._store[count : count + len(stores)] = stores
        self.built = np.concatenate((cars.built, show[0]))
        # Demonstration cars go to the stores; test and stock cars stay at the plant.
        self.shipped = np.concatenate((cars.shipped, np.where(show[2] == 0, show[1], END)))
        self._purpose = np.concatenate((np.zeros(count, np.int8), show[2] + 1))
        self._trim = np.concatenate(
            (choices.locked_trim[cars.order], rng.integers(0, len(columns.trims), extra))
        )
        self._colour = np.concatenate(
            (choices.locked_colour[cars.order], rng.integers(0, len(columns.colours), extra))
        )
        hours = self.built / MS_PER_HOUR
        self._week = ((hours - _FIRST_WEEK) // _SOFTWARE_WEEK).astype(np.int64)
        mixed = rng.uniform(-_MIXED, _MIXED, (2, count + extra))
        self._assistance = hours + mixed[0] > _ASSISTANCE_REVISION
        self._cockpit = hours + mixed[1] > _COCKPIT_REVISION
        self._second_maker = rng.random(count + extra) < 0.4
        self._serial = np.empty(count + extra, np.int64)
        self._serial[np.argsort(self.built, kind="stable")] = np.arange(1, count + extra + 1)
        self._units: dict[tuple[bool, bool, bool, int], tuple[ControlUnit, ...]] = {}
        self.vins = self._numbered()

    def _numbered(self) -> list[str]:
        description = self._columns.description
        maker = description.car.world_manufacturer or _MANUFACTURER
        year = local_day(self._columns.opened, zone(description.zone)).year
        return [
            make_vin(maker, f"DEM{serial // _SERIALS}{trim % 10}", year, "0", serial % _SERIALS)
            for serial, trim in zip(self._serial.tolist(), self._trim.tolist(), strict=True)
        ]

    def handovers(self) -> Handovers:
        """Every handover within the data."""
        columns, cars = self._columns, self._cars
        rows = np.flatnonzero(cars.handed < END)
        rows = rows[np.argsort(np.array(self.vins)[rows])]
        return Handovers(
            vins=tuple(self.vins[row] for row in rows.tolist()),
            trims=self._trim[rows].astype(np.int64),
            cities=columns.choices.city[cars.order[rows]].astype(np.int64),
            at=columns.at(cars.handed[rows]),
        )

    def bodies(self, rows: Indexes) -> Made:
        """Subjects and bodies of ``car.built``."""
        columns = self._columns
        plants = columns.description.plants
        plant = plants[0].name if plants else "plant"
        tz = zone(columns.description.zone)
        made = []
        for i in rows.tolist():
            trim = columns.description.trims[self._trim[i]]
            large = (trim.battery_wh or 0) >= _LARGE_PACK_WH
            second = bool(self._second_maker[i]) and not trim.lidar
            made.append(
                CarBuilt(
                    plant=plant,
                    trim=trim.name,
                    colour=columns.colours[self._colour[i]],
                    ecus=self._control_units(i, trim.lidar),
                    battery_maker="FinDreams" if second else "CATL",
                    battery_code=battery_code(
                        "0FD" if second else "0CT",
                        "E" if large else "B",
                        local_day(columns.opened + int(self.built[i]) * 1000, tz),
                        int(self._serial[i]),
                    ),
                    purpose=_PURPOSES[self._purpose[i]],
                )
            )
        return [self.vins[i] for i in rows], made

    def _control_units(self, car: int, lidar: bool) -> tuple[ControlUnit, ...]:
        key = (lidar, bool(self._assistance[car]), bool(self._cockpit[car]), int(self._week[car]))
        if key not in self._units:
            board = "DA-508" if lidar else "DA-84"
            release = f"1.0.{key[3]}"
            self._units[key] = (
                ControlUnit(
                    name="driver-assistance", hardware=f"{board}-{'B' if key[1] else 'A'}", software=release
                ),
                ControlUnit(name="cockpit", hardware=f"CK-1-{'B' if key[2] else 'A'}", software=release),
                ControlUnit(name="battery-management", hardware="BM-1-A", software=f"0.9.{key[3] // 2}"),
            )
        return self._units[key]

    def shipments(self, rows: Indexes) -> Made:
        """Subjects and bodies of ``car.shipped``."""
        columns = self._columns
        bodies = []
        for i in rows.tolist():
            store = int(self._store[i])
            outlet = columns.places.outlets[store]
            city, slug = (outlet.city, outlet.slug) if store >= 0 else self._destination(i)
            bodies.append(
                CarShipped(province=columns.provinces[city], city=columns.cities[city], outlet=slug)
            )
        return [self.vins[i] for i in rows], bodies

    def balance(self, car: int) -> PaymentReceived:
        """The price less the deposit."""
        columns, order = self._columns, self._cars.order[car]
        price = columns.prices[self._trim[car]]
        deposit = columns.deposits[columns.book.edition[order]]
        return PaymentReceived(amount=price - deposit, currency=columns.currency)

    def handed_over(self, car: int) -> OrderHandedOver:
        """The handover in the buyer's city, at its delivery centre or store if it has one."""
        city, slug = self._destination(car)
        return OrderHandedOver(
            vin=self.vins[car],
            province=self._columns.provinces[city],
            city=self._columns.cities[city],
            outlet=slug,
        )

    def _destination(self, car: int) -> tuple[int, str | None]:
        city = int(self._columns.choices.city[self._cars.order[car]])
        outlet = self._columns.handover.get(city)
        return city, outlet.slug if outlet else None
