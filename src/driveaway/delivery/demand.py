"""From the table of open firm orders to the arrays that a plan is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driveaway.delivery.planning.problem import NO_DAY, Amounts, Configuration, Counts, Demand
from driveaway.values.clock import DAY

_COLUMNS = ("trim", "colour", "edition", "options")
_NONE = -(2**62)


def configurations_of(orders: pa.Table) -> tuple[tuple[Configuration, ...], Counts]:
    """Every configuration that is ordered, and its row for each order, shape (orders,).

    Args:
        orders: with text columns ``trim``, ``colour``, ``edition``, and ``options`` joined by ``|``.
    """
    if not orders.num_rows:
        return (), np.zeros(0, np.int64)
    code = np.zeros(orders.num_rows, np.int64)
    known: list[list[str | None]] = []
    for name in _COLUMNS:
        column = orders[name].combine_chunks().dictionary_encode(null_encoding="encode")
        known.append(column.dictionary.to_pylist())
        code = code * len(known[-1]) + column.indices.to_numpy(zero_copy_only=False)
    found, row = np.unique(code, return_inverse=True)
    out: list[Configuration] = []
    for number in found.tolist():
        values: list[str | None] = []
        for names in reversed(known):
            number, at = divmod(number, len(names))
            values.append(names[at])
        options, edition, colour, trim = values
        out.append(
            Configuration(trim or "", colour, edition, tuple((options or "").split("|")) if options else ())
        )
    return tuple(out), row.astype(np.int64)


def demand_of(
    orders: pa.Table,
    configurations: tuple[Configuration, ...],
    configuration: Counts,
    *,
    regions: Sequence[str],
    first_day: int,
    ranks: Counts,
    cancels: Amounts,
    lock_days: Counts,
    built_days: Counts,
    frozen: Mapping[str, int],
) -> Demand:
    """The open orders as arrays.

    Args:
        orders: as ``orders.open`` gives them.
        configurations: every configuration, which may be more than are ordered.
        configuration: row of each order.
        regions: codes, in the order of the supply's.
        first_day: day 0 of the horizon, days since 1970.
        ranks: of each configuration, 0 is served first.
        cancels: chance of a cancellation on each day since the lock.
        lock_days: local day on which each order was locked or queued anew, days since 1970.
        built_days: day on which the car of each order was built, days since 1970; ``NO_DAY`` where none.
        frozen: slots that an adopted plan froze, day of the horizon by order id.
    """
    count = orders.num_rows
    rank = _numbers(orders["rank"], _NONE)
    priority = np.where(rank == _NONE, ranks[configuration] if count else rank, rank)
    codes = pa.array(list(regions), pa.string())
    region = pc.index_in(orders["province"], value_set=codes).fill_null(-1)
    slot = np.where(built_days == NO_DAY, NO_DAY, np.minimum(built_days - first_day, -1))
    ids = np.array(orders["order_id"].to_pylist(), dtype=np.str_)
    if frozen:
        at = np.array([frozen.get(order_id, NO_DAY) for order_id in ids.tolist()], np.int64)
        slot = np.where(slot == NO_DAY, at, slot)
    return Demand(
        order_ids=ids,
        locked=_numbers(orders["queued"], 0),
        priority=priority.astype(np.int64),
        configuration=configuration,
        region=region.combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64),
        configurations=configurations,
        committed=_days(orders["promised_last"], first_day),
        slot=slot.astype(np.int64),
        ready=np.where((ready := _days(orders["ready_day"], first_day)) == NO_DAY, 0, np.maximum(ready, 0)),
        cancels=cancels,
        locked_on=lock_days,
    )


def with_arrivals(
    demand: Demand, per_day: float, first_day: int, days: int, priority: int, seed: int
) -> Demand:
    """The demand with orders that are still to come, after those that are open.

    They are spread evenly over the horizon, in the mix of configurations and regions of the open orders.

    Args:
        demand: the open orders, one at least.
        per_day: orders to come on each day.
        first_day: day 0 of the horizon, days since 1970.
        days: length of the horizon.
        priority: of the orders to come.
        seed: of the mix.
    """
    count = round(per_day * days)
    if not count:
        return demand
    like = np.random.default_rng(seed).integers(0, len(demand), count)
    # From the day after day 0 on: whoever asks for a date today stands before them.
    when = ((first_day + 1 + (np.arange(count) + 0.5) * days / count) * DAY).astype(np.int64)
    none = np.full(count, NO_DAY, np.int64)

    def more(old: Counts, new: Counts) -> Counts:
        return np.concatenate([old, new]).astype(np.int64)

    return replace(
        demand,
        order_ids=np.concatenate(
            [demand.order_ids, np.char.add("arrival-", np.char.zfill(np.arange(count).astype(str), 7))]
        ),
        locked=more(demand.locked, when),
        priority=more(demand.priority, np.full(count, priority, np.int64)),
        configuration=more(demand.configuration, demand.configuration[like]),
        region=more(demand.region, demand.region[like]),
        committed=more(demand.committed, none),
        slot=more(demand.slot, none),
        ready=more(demand.ready, np.zeros(count, np.int64)),
        locked_on=more(demand.lock_day, when // DAY),
    )


def _numbers(column: pa.ChunkedArray, missing: int) -> Counts:
    filled = pc.fill_null(column.combine_chunks(), missing)
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.int64)


def _days(column: pa.ChunkedArray, first_day: int) -> Counts:
    """Days written as ISO 8601 texts, as days of the horizon; ``NO_DAY`` where null."""
    days = column.combine_chunks().cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
    found = _numbers(pa.chunked_array([days]), _NONE)
    return np.where(found == _NONE, NO_DAY, found - first_day)


def local_days(instants: pa.ChunkedArray, zone: str) -> Counts:
    """Local days of instants in microseconds, days since 1970; ``NO_DAY`` where null."""
    moments = instants.combine_chunks().cast(pa.timestamp("us", tz=zone))
    naive = pc.local_timestamp(moments).cast(pa.int64())
    found = _numbers(pa.chunked_array([naive]), _NONE)
    return np.where(found == _NONE, NO_DAY, found // DAY)
