"""Which days stay active once a batch was taken back. It is rare: the ledger's own rows are asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driveaway.fleet.ledger.folding import Folded
from driveaway.fleet.ledger.scopes import ASSISTED, DRIVEN, scope_of


def remaining(ledger: Sequence[Path], folded: Folded) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scope → rows of what was taken back, and what became of their days (see ``loops.mark_days``).

    Args:
        ledger: files of the ledger, those with the negative rows among them.
        folded: what was taken back.
    """
    left = _left(ledger, folded)
    out: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, measure, code in _scopes(folded):
        rows = np.flatnonzero((folded.measures[measure] > 0) & ((folded.function == code) | (code == -2)))
        if not len(rows):
            continue
        state = [_state(left, name, int(folded.car[row]), int(folded.day[row])) for row in rows]
        out[name] = (rows, np.array(state, np.int64))
    return out


def _scopes(folded: Folded) -> list[tuple[str, int, int]]:
    """Name, place of the measure, code of the function or -2 for all."""
    functions = np.unique(folded.function[folded.function >= 0]).tolist()
    names = [scope_of(folded.texts["function"][code].as_py()) for code in functions]
    found = [(name, 2, code) for name, code in zip(names, functions, strict=True)]
    return [(DRIVEN, 1, -2), (ASSISTED, 2, -2), *found]


def _state(left: dict[tuple[str, int, int], list[int]], scope: str, car: int, day: int) -> int:
    metres, made_up = left.get((scope, car, day), (0, 0))
    if metres <= 0:
        return -1
    return 2 if made_up > 0 else -2


def _left(ledger: Sequence[Path], folded: Folded) -> dict[tuple[str, int, int], list[int]]:
    """(Scope, car, day) → metres that are left, and the simulated among them."""
    cars = pa.array(np.unique(folded.car), pa.int32())
    days = pa.array(np.unique(folded.day), pa.int32()).cast(pa.date32())
    wanted = pc.field("day").isin(days) & pc.field("car").isin(cars)
    columns = ["car", "day", "function", "simulated", "distance_m", "assisted_m"]
    rows = pa.concat_tables(pq.read_table(path, columns=columns, filters=wanted) for path in ledger)
    rows = rows.set_column(1, "day", rows.column("day").cast(pa.int32()))
    out: dict[tuple[str, int, int], list[int]] = {}
    for row in rows.to_pylist():
        scopes = [(DRIVEN, row["distance_m"]), (ASSISTED, row["assisted_m"])]
        if row["function"] is not None:
            scopes.append((scope_of(row["function"]), row["assisted_m"]))
        for scope, metres in scopes:
            sums = out.setdefault((scope, row["car"], row["day"]), [0, 0])
            sums[0] += metres
            sums[1] += metres if row["simulated"] else 0
    return out
