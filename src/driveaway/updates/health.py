"""Landing reports of health: one row for each car, signal, window and release, whoever sends it how often.

``install_failed``, ``fallback`` and ``silent`` may be landed, for cars that another system updates. The
install guard of a rollout takes them from its own actions and never from here: nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from driveaway.book.state.state import Change
from driveaway.facts.health import CarHealth
from driveaway.updates.rows import parts, places

_KEY: Final = ("vin", "signal", "start", "release")
_VALUES: Final = ("end", "count", "exposure_m", "assisted_m", "simulated")
_KNOWN: Final = (
    "SELECT vin, signal, window_start, release, window_end, count, exposure_m, assisted_m, simulated"
    f" FROM car_health WHERE vin IN ({places()}) AND window_start >= :first AND window_start <= :last"
)
_INSERT: Final = (
    "INSERT INTO car_health (vin, release, window_start, window_end, signal, count, exposure_m, assisted_m,"
    " landed, simulated) VALUES (:vin, :release, :start, :end, :signal, :count, :exposure_m, :assisted_m,"
    " :landed, :simulated)"
)


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that was not landed: its number among those given, from 0, a stable code and the reason."""

    row: int
    code: str
    reason: str


class RowsTaken(msgspec.Struct, frozen=True):
    """What became of rows: landed, there already with the same content, or refused."""

    added: int
    repeated: int
    refused: tuple[RefusedRow, ...]


def land(change: Change, rows: Iterable[CarHealth | Mapping[str, Any]], at: int) -> RowsTaken:
    """Land reports of health; each row by itself.

    Some 20,000 rows a change keep the write lock for less than half a second.

    Args:
        change: where they are written.
        rows: reports, or mappings with their attributes.
        at: now, microseconds since 1970 UTC: windows have ended by then.

    Returns:
        How many are new and how many were there already. Refused are rows that are no report
        (``health.row``), whose window has not ended (``health.future``), or that contradict what is there
        for the same car, signal, window and release (``health.conflict``).
    """
    refused: list[RefusedRow] = []
    read: list[tuple[int, CarHealth]] = []
    for number, row in enumerate(rows):
        report = _read(row)
        if isinstance(report, str):
            refused.append(RefusedRow(number, "health.row", report))
        elif report.end > at:
            refused.append(RefusedRow(number, "health.future", "its window has not ended yet"))
        else:
            read.append((number, report))
    known = _known(change, [report for _, report in read])
    fresh: list[CarHealth] = []
    repeated = 0
    for number, report in read:
        key = tuple(getattr(report, name) for name in _KEY)
        values = tuple(int(getattr(report, name)) for name in _VALUES)
        if key not in known:
            known[key] = values
            fresh.append(report)
        elif known[key] == values:
            repeated += 1
        else:
            said = ", ".join(
                f"{name} {ours} is there, {theirs} given"
                for name, ours, theirs in zip(_VALUES, known[key], values, strict=True)
                if ours != theirs
            )
            refused.append(RefusedRow(number, "health.conflict", said))
    change.run_many(
        _INSERT,
        [
            msgspec.structs.asdict(report) | {"landed": at, "simulated": int(report.simulated)}
            for report in fresh
        ],
    )
    return RowsTaken(len(fresh), repeated, tuple(sorted(refused, key=lambda each: each.row)))


def _read(row: CarHealth | Mapping[str, Any]) -> CarHealth | str:
    given = msgspec.structs.asdict(row) if isinstance(row, CarHealth) else row
    try:
        return msgspec.convert(given, CarHealth)
    except (msgspec.ValidationError, ValueError) as error:
        return str(error)


def _known(change: Change, reports: Sequence[CarHealth]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """What is there of these cars in these times, by key."""
    if not reports:
        return {}
    first, last = min(each.start for each in reports), max(each.start for each in reports)
    out: dict[tuple[Any, ...], tuple[int, ...]] = {}
    for part in parts(dict.fromkeys(each.vin for each in reports)):
        for row in change.rows(_KNOWN, first=first, last=last, **part):
            out[row[:4]] = row[4:]
    return out
