"""Messages in the style of Tesla's fleet telemetry: ``{"data": [{"key", "value"}], "created_at", "vin"}``.

A value stands by itself (``"value": 12.5``) or in an object that names its type, as the protocol's JSON has
it (``"value": {"doubleValue": 12.5}``). Keys may also be signals of VSS and its overlay. What is of no use
here is passed over. ``is_resend`` needs no care: what comes again changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from driveaway.facts.trips import OVERLAY, VSS
from driveaway.fleet.doors.assembly import Sample
from driveaway.fleet.doors.rows import LONGEST
from driveaway.fleet.doors.vss import autonomy_level, instant
from driveaway.fleet.landing.batch import Reject

_METRES_PER_MILE: Final = 1609.344
_MOST: Final = 2**53
_ENGAGED: Final = frozenset({"on", "standstill", "override", "precancel"})
"""States of ``CruiseState`` in which cruise control drives, without the prefix ``CruiseState``."""
_NONE: Final = ("", "<invalid>", "None")
_DECODER: Final = msgspec.json.Decoder(dict[str, Any])
_REMEDY: Final = "send one JSON object a line with vin, created_at and data"
_BRANCH: Final = "Vehicle.Driveaway."


def _whole(value: Any, factor: float) -> int:
    number = float(value)
    if not math.isfinite(number) or abs(number * factor) > _MOST:
        raise ValueError(f"{str(value)[:60]!r} is no such number")
    return round(number * factor)


def _count(value: Any) -> int:
    return _whole(value, 1.0)


def _coarse(value: Any) -> float:
    """The middle of the cell of a tenth of a degree: what is kept of an open trip knows no more."""
    return (math.floor(float(value) * 10) + 0.5) / 10


def _function(value: Any) -> str:
    return "" if value in _NONE or value is None else str(value)


def _level(value: Any) -> int | None:
    if isinstance(value, str) and value.startswith("SAE_"):
        return autonomy_level(value)
    return _whole(value, 1.0)


KEYS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "Odometer": ("odometer_m", lambda value: _whole(value, _METRES_PER_MILE)),
    "LifetimeEnergyUsed": ("energy_wh", lambda value: _whole(value, 1000.0)),
    "Version": ("software", str),
    "ActiveFunction": ("function", _function),
    "ActiveAutonomyLevel": ("level", _level),
    "DriverOverrideCount": ("driver_overrides", _count),
    "SystemDeactivationCount": ("system_deactivations", _count),
    VSS["odometer_m"]: ("odometer_m", _count),
    VSS["level"]: ("level", _level),
    OVERLAY["software"]: ("software", str),
    f"{_BRANCH}ActiveFunction": ("function", _function),
    f"{_BRANCH}DriverOverrideCount": ("driver_overrides", _count),
    f"{_BRANCH}SystemDeactivationCount": ("system_deactivations", _count),
    "Vehicle.Powertrain.TractionBattery.AccumulatedConsumedEnergy": (
        "energy_wh",
        lambda value: _whole(value, 1000.0),
    ),
    "Vehicle.CurrentLocation.Latitude": ("latitude", _coarse),
    "Vehicle.CurrentLocation.Longitude": ("longitude", _coarse),
}
"""Key → attribute of ``Sample``, and what is made of the value: miles and kWh of ``Odometer`` and
``LifetimeEnergyUsed``, metres and kWh of VSS."""


def read_telemetry(
    body: bytes, cruise: str | None = None
) -> tuple[dict[str, list[Sample]], list[Reject], int]:
    """Samples by car.

    Args:
        body: newline-delimited JSON.
        cruise: function that is engaged while ``CruiseState`` says that cruise control drives; None: that
            key is passed over.

    Returns:
        (samples by VIN, lines that are no such message, number of lines). Lines are numbered from 0 without
        blank ones; rejected with ``telemetry.json`` or ``telemetry.field``.
    """
    samples: dict[str, list[Sample]] = {}
    rejects: list[Reject] = []
    number = 0
    for line in body.split(b"\n"):
        if not line.strip():
            continue
        content = line[:LONGEST].decode("utf-8", "replace").strip()
        try:
            vin, sample = _sample(_DECODER.decode(line), cruise)
            samples.setdefault(vin, []).append(sample)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            rejects.append(Reject(number, "telemetry.json", str(error), _REMEDY, content))
        except (ValueError, TypeError, OverflowError, LookupError) as error:
            rejects.append(Reject(number, "telemetry.field", str(error) or "not readable", _REMEDY, content))
        number += 1
    return samples, rejects, number


def _sample(message: dict[str, Any], cruise: str | None) -> tuple[str, Sample]:
    vin = message.get("vin")
    if not isinstance(vin, str) or not vin:
        raise ValueError("vin is missing")
    at = instant(message.get("created_at", message.get("createdAt")), "created_at")
    data = message.get("data")
    if not isinstance(data, list):
        raise ValueError("data is no list of keys and values")
    said: dict[str, Any] = {}
    for datum in data:
        if not isinstance(datum, dict) or not isinstance(datum.get("key"), str):
            raise ValueError("a datum without a key")
        _note(said, datum["key"], _plain(datum.get("value")), cruise)
    return vin, Sample(at=at, **said)


def _note(said: dict[str, Any], key: str, value: Any, cruise: str | None) -> None:
    if value is None:
        return
    if key == "CruiseState" and cruise is not None:
        state = str(value).removeprefix("CruiseState").lower()
        said["function"] = cruise if state in _ENGAGED else ""
    elif key == "Location" and isinstance(value, dict):
        said["latitude"], said["longitude"] = _coarse(value["latitude"]), _coarse(value["longitude"])
    elif key in KEYS:
        name, read = KEYS[key]
        try:
            said[name] = read(value)
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"{key}: {error}") from error


def _plain(value: Any) -> Any:
    """A value without the object that names its type; None where it is said to be invalid."""
    if isinstance(value, dict) and len(value) == 1:
        ((kind, inner),) = value.items()
        if kind == "invalid":
            return None
        return inner if kind.lower().replace("_", "").endswith("value") else value
    return value
