"""The delivered cars as a gate sees them: facts, and what cars report about themselves.

Which cars, and where they went, is the book's, cut like every figure: handed over and not given back. What a
car reports (hardware, versions, entitlements) stands in the operational tables, which keep the last word
alone: it is used where the car was last heard of by the as-of, and unknown otherwise.

No server knows where a car is now: a condition of place is judged by the province and city of delivery.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from driveaway.launch.functions import folder_places
from driveaway.launch.launch import Cut, Launch
from driveaway.orders.dimensions import from_car
from driveaway.updates.gates.columns import Cars, Categories, Numbers, Sets
from driveaway.updates.gates.expression import (
    Amount,
    Assisted,
    Entitlement,
    Gate,
    Kind,
    Software,
    Training,
    leaves,
)
from driveaway.updates.places.homes import Homes
from driveaway.values.provinces import BY_CODE

VEHICLE: Final = "vehicle"
"""The unit whose version ``version.reported`` tells: the car as a whole."""
_NUMBER: Final = re.compile(r"[0-9]{1,15}")
_SEPARATORS: Final = re.compile(r"[,;\s]+")
_SETS: Final = ("entitlements", "trainings")


@dataclass(frozen=True)
class Delivered:
    """Delivered cars, one row each, sorted by VIN.

    Attributes:
        vins: their VINs.
        cars: what a gate asks about.
        province: six-digit code of the province of delivery.
        city: name of the city of delivery.
        simulated: whether any row, or what a car reported, was made up.
        notes: what limits the columns, for people.
    """

    vins: tuple[str, ...]
    cars: Cars
    province: Categories
    city: Categories
    simulated: bool
    notes: tuple[str, ...]


def delivered_cars(launch: Launch, cut: Cut, gate: Gate, vin: str | None = None) -> Delivered:
    """The cars that were handed over and not given back by the as-of, with the columns that a gate needs.

    - trim, province and city as in the figure ``cars.delivered_net``; market CN for a province of China's
      mainland, else what the car reports as ``market``;
    - hardware: what the car reports as ``hardware.NAME``, else its control units as built, else of its trim
      (``lidar``: 1 or 0);
    - software: of the whole (``vehicle``) the last fact ``version.reported``; else what the car reports as
      ``NAME.version``; else as built;
    - distance with assistance: what the car reports as ``assisted_metres``, else the sum over its reports of
      health;
    - entitlements and trainings: what the operator keeps, else what the car reports, under these names,
      separated by commas.

    Args:
        launch: whose cars.
        cut: as of when.
        gate: whose conditions are asked.
        vin: this car alone; None: all.
    """
    rows = _handed_over(cut, vin)
    vins = tuple(row["vin"] for row in rows)
    said = _Said(launch, cut, gate, vins, vin)
    homes = Homes(folder_places(launch.folder))
    trims = {trim.name: {"lidar": int(trim.lidar)} for trim in cut.description.trims}
    built = _as_built(cut, vin) if said.asks(Amount, Kind, Software) else {}

    def hardware(name: str) -> list[str | None]:
        return [
            _first(
                said.reported(row["vin"], f"hardware.{name}"),
                built.get(row["vin"], {}).get(name, (None, None))[0],
                trims.get(row["trim"], {}).get(name),
            )
            for row in rows
        ]

    def software(unit: str) -> list[str | None]:
        own = said.versions if unit == VEHICLE else {}
        return [
            _first(
                own.get(row["vin"]),
                said.reported(row["vin"], f"{unit}.version"),
                built.get(row["vin"], {}).get(unit, (None, None))[1],
            )
            for row in rows
        ]

    counted = {leaf.hardware for leaf in leaves(gate) if isinstance(leaf, Amount)}
    named = {leaf.hardware for leaf in leaves(gate) if isinstance(leaf, Kind)} - counted
    units = {leaf.unit for leaf in leaves(gate) if isinstance(leaf, Software)}
    cars = Cars(
        count=len(rows),
        trim=Categories.of(row["trim"] for row in rows),
        market=Categories.of(
            "CN" if row["province"] in BY_CODE else said.reported(row["vin"], "market") for row in rows
        ),
        hardware={name: Numbers.of(map(_number, hardware(name))) for name in sorted(counted)}
        | {name: Categories.of(hardware(name)) for name in sorted(named)},
        software={unit: Categories.of(software(unit)) for unit in sorted(units)},
        assisted_metres=Numbers.of(map(said.assisted, vins)) if said.asks(Assisted) else None,
        entitlements=Sets.of(said.held(vin, "entitlements") for vin in vins),
        trainings=Sets.of(said.held(vin, "trainings") for vin in vins),
        places={
            "province": Categories.of(_place(homes.province, row["province"]) for row in rows),
            "city": Categories.of(_city(homes, rows)),
        },
        now=cut.as_of,
    )
    return Delivered(
        vins=vins,
        cars=cars,
        province=Categories.of(row["province"] for row in rows),
        city=Categories.of(row["city"] for row in rows),
        simulated=any(row["simulated"] for row in rows) or said.simulated,
        notes=tuple(said.notes),
    )


def homes_of(launch: Launch, cut: Cut) -> dict[str, frozenset[str]]:
    """VIN of each car that was handed over and not given back → codes of the places where it is at home."""
    homes = Homes(folder_places(launch.folder))
    rows = _handed_over(cut, None)
    provinces = (_place(homes.province, row["province"]) for row in rows)
    return {
        row["vin"]: frozenset(code for code in codes if code is not None and ":" in code)
        for row, *codes in zip(rows, provinces, _city(homes, rows), strict=True)
    }


class _Said:
    """What cars report about themselves, as far as a gate asks for it."""

    def __init__(self, launch: Launch, cut: Cut, gate: Gate, vins: Sequence[str], vin: str | None) -> None:
        self._kinds = {type(leaf) for leaf in leaves(gate)}
        self.notes: list[str] = []
        self.simulated = False
        keys = {"market"}
        for leaf in leaves(gate):
            match leaf:
                case Amount(hardware=name) | Kind(hardware=name):
                    keys.add(f"hardware.{name}")
                case Software(unit=unit):
                    keys.add(f"{unit}.version")
                case Assisted():
                    keys.add("assisted_metres")
                case Entitlement():
                    keys.add("entitlements")
                case Training():
                    keys.add("trainings")
        wanted = set(vins)
        self._values: dict[tuple[str, str], str] = {}
        later: set[str] = set()
        for car, heard, key, value in _attributes(launch, keys, vin):
            if car not in wanted:
                continue
            if heard > cut.as_of:
                later.add(car)
            else:
                self._values[car, key] = value
        if later:
            self.notes.append(
                f"{len(later):,} cars were heard of after the as-of: what they said by then is not known"
            )
        if self.asks(Entitlement, Training):
            for car, key, value in _kept(launch, vin):
                self._values[car, key] = value
        self.versions = self._versions(cut, vin) if self.asks(Software) else {}
        self._driven = self._health(launch, cut, vin) if self.asks(Assisted) else {}

    def asks(self, *kinds: type) -> bool:
        """Whether the gate has a condition of one of these kinds."""
        return not self._kinds.isdisjoint(kinds)

    def reported(self, vin: str, key: str) -> str | None:
        """What a car said under a key."""
        return self._values.get((vin, key))

    def assisted(self, vin: str) -> int | None:
        """Metres driven with assistance."""
        said = _number(self.reported(vin, "assisted_metres"))
        return self._driven.get(vin) if said is None else said

    def held(self, vin: str, key: str) -> frozenset[str] | None:
        """Names that a car holds."""
        text = self.reported(vin, key)
        return None if text is None else frozenset(filter(None, _SEPARATORS.split(text)))

    def _versions(self, cut: Cut, vin: str | None) -> dict[str, str]:
        """The version of the whole that each car reported last."""
        table = cut.view.table("version.reported")
        if vin is not None:
            table = table.filter(table.subject == vin)
        rows = cut.view.run(table.order_by("happened", "seq").select("subject", "version", "simulated"))[0]
        self.simulated = self.simulated or any(rows.column("simulated").to_pylist())
        return dict(zip(rows.column("subject").to_pylist(), rows.column("version").to_pylist(), strict=True))

    def _health(self, launch: Launch, cut: Cut, vin: str | None) -> dict[str, int]:
        """A window is told once for each signal that was watched, and driven once."""
        one, values = ("", {}) if vin is None else (" AND vin = :vin", {"vin": vin})
        rows = launch.state.rows(
            "SELECT vin, SUM(metres), MAX(made_up) FROM (SELECT vin, MAX(assisted_m) AS metres,"
            f" MAX(simulated) AS made_up FROM car_health WHERE window_end <= :as_of{one}"
            " GROUP BY vin, window_start, window_end) AS windows GROUP BY vin",
            as_of=cut.as_of,
            **values,
        )
        self.simulated = self.simulated or any(made_up for _, _, made_up in rows)
        return {car: int(metres) for car, metres, _ in rows}


def _handed_over(cut: Cut, vin: str | None) -> list[dict[str, Any]]:
    view = cut.view
    handed, returned = view.table("order.handed_over"), view.table("car.returned").select("order_key")
    rows = handed.filter(handed.vin.notnull() if vin is None else handed.vin == vin)
    rows = from_car(view)["trim"](rows.anti_join(returned, rows.subject_key == returned.order_key))
    table: pa.Table = view.run(rows.order_by("vin").select("vin", "trim", "province", "city", "simulated"))[0]
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def _as_built(cut: Cut, vin: str | None) -> dict[str, dict[str, tuple[str, str]]]:
    """VIN → control unit → its hardware and software, of the cars that were described as built."""
    built = cut.view.table("car.built")
    built = built.filter(built.ecus.length() > 0)
    if vin is not None:
        built = built.filter(built.subject == vin)
    rows = cut.view.run(built.select("subject", "ecus"))[0].to_pylist()
    return {
        row["subject"]: {ecu["name"]: (ecu["hardware"], ecu["software"]) for ecu in row["ecus"]}
        for row in rows
    }


def _attributes(launch: Launch, keys: Iterable[str], vin: str | None) -> list[tuple[str, int, str, str]]:
    """Controller id, when it was last heard of, key, value."""
    named = {f"key{number}": key for number, key in enumerate(sorted(keys))}
    one, values = ("", {}) if vin is None else (" AND t.controller_id = :vin", {"vin": vin})
    rows = launch.state.rows(
        "SELECT t.controller_id, COALESCE(t.polled, t.modified), a.key, a.value FROM target_attributes a"
        f" JOIN targets t ON t.id = a.target WHERE a.key IN ({', '.join(f':{name}' for name in named)}){one}",
        **named,
        **values,
    )
    return [(str(car), int(heard), str(key), str(value)) for car, heard, key, value in rows]


def _kept(launch: Launch, vin: str | None) -> list[tuple[str, str, str]]:
    """What the operator keeps of cars: entitlements and trainings."""
    one, values = ("", {}) if vin is None else (" AND t.controller_id = :vin", {"vin": vin})
    rows = launch.state.rows(
        "SELECT t.controller_id, m.key, m.value FROM target_metadata m JOIN targets t ON t.id = m.target"
        f" WHERE m.key IN (:one, :two){one}",
        one=_SETS[0],
        two=_SETS[1],
        **values,
    )
    return [(str(car), str(key), str(value)) for car, key, value in rows]


def _city(homes: Homes, rows: Sequence[Mapping[str, Any]]) -> list[str | None]:
    known: dict[tuple[str, str | None], str] = {}
    out: list[str | None] = []
    for row in rows:
        if row["city"] is None:
            out.append(None)
            continue
        key = (row["city"], row["province"])
        if key not in known:
            known[key] = homes.city(*key)
        out.append(known[key])
    return out


def _place(make: Callable[[str], str], code: str | None) -> str | None:
    return None if code is None else make(code)


def _first(*values: str | int | None) -> str | None:
    return next((str(value) for value in values if value is not None), None)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None
