"""The orders that a plan has to place, queue by queue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driveaway.delivery.planning.problem import NO_DAY, Amounts, Counts, Flags
from driveaway.delivery.planning.quotas import Groups
from driveaway.delivery.planning.signatures import grouped

_CLASS = 4.0
"""How many times an order of one priority weighs one of the next."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Orders without a slot, by signature, and inside it by priority, lock and id.

    Attributes:
        orders: index of each, shape (waiting,).
        start: first of each signature, and the end, shape (signatures + 1,).
        signature: of each, shape (waiting,).
        rank: place among all open orders, shape (waiting,).
        release: first day on which it may be built.
        due: last day that keeps its promise; ``NO_DAY`` where none.
        weight: what a week of waiting costs.
    """

    orders: Counts
    start: Counts
    signature: Counts
    rank: Counts
    release: Counts
    due: Counts
    weight: Amounts

    def __len__(self) -> int:
        """How many orders wait."""
        return len(self.orders)


def queue(
    waiting: Flags, order: Counts, signature: Counts, release: Counts, due: Counts, priority: Counts,
    total: int, buckets: int,
) -> Queue:  # fmt: skip
    """Line up the orders that wait.

    Weights fall by lock bucket from 2 to 1, and by a factor of four from one priority to the next.

    Args:
        waiting: whether an order is to be placed, shape (orders,).
        order: all orders by priority, lock and id, shape (orders,).
        signature: of each order.
        release: first day of each order.
        due: last day that keeps the promise.
        priority: of each order.
        total: how many signatures.
        buckets: how many lock buckets.
    """
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    line = order[waiting[order]]
    bucket = np.arange(len(line)) * buckets // max(len(line), 1)
    # Priorities do not fall along the line, so that their changes number them.
    level = np.cumsum(np.diff(priority[line], prepend=priority[line[:1]]) != 0)
    classes = int(level[-1]) + 1 if len(level) else 0
    # Beyond five classes the lowest weigh alike: the program's numbers stay in a sound range.
    lift = np.minimum(classes - 1 - np.arange(classes), 4)
    weight = (2.0 - bucket / buckets) * (_CLASS**lift)[level]
    by = grouped(signature[line])
    line = line[by]
    start = np.searchsorted(signature[line], np.arange(total + 1)).astype(np.int64)
    return Queue(line, start, signature[line], rank[line], release[line], due[line], weight[by])


def groups(line: Queue, week_of: Counts, promises: bool) -> Groups:
    """Orders that are alike to the program of quotas; due weeks only with ``promises``."""
    weeks = int(week_of[-1]) + 1
    due = np.full(len(line), weeks, np.int64)
    if promises:
        promised = line.due != NO_DAY
        day = line.due[promised]
        # A window that has passed is late by whole weeks from the first.
        due[promised] = np.where(day >= 0, week_of[np.maximum(day, 0)], np.floor_divide(day, 7))
    # Weights do not rise along a queue: orders that are alike stand in few runs, and only these are sorted.
    same = (line.signature[1:] == line.signature[:-1]) & (line.weight[1:] == line.weight[:-1])
    same &= due[1:] == due[:-1]
    start = np.flatnonzero(np.concatenate([np.ones(min(len(line), 1), np.bool_), ~same]))
    long = np.diff(np.append(start, len(line)))
    low = int(due.min(initial=weeks))
    levels, level = np.unique(line.weight[start], return_inverse=True)
    key = (line.signature[start] * len(levels) + level) * (weeks - low + 1) + due[start] - low
    _, first, of = np.unique(key, return_index=True, return_inverse=True)
    count = np.bincount(of, weights=long, minlength=len(first)).astype(np.float64)
    first = start[first]
    return Groups(line.signature[first], line.weight[first], count, due[first])


def released(line: Queue, days: int) -> Amounts | None:
    """Orders of each signature that may be built by each day, shape (signatures, days); None: all at once."""
    if not line.release.any():
        return None
    table = np.zeros((len(line.start) - 1, days))
    inside = line.release < days
    np.add.at(table, (line.signature[inside], line.release[inside]), 1.0)
    return np.cumsum(table, axis=1)


def waited(line: Queue, slot: Counts, week_of: Counts) -> float:
    """Weighted car-weeks of waiting, as the program counts them."""
    weeks = int(week_of[-1]) + 1
    built = slot != NO_DAY
    week = np.where(built, week_of[np.where(built, slot, 0)], weeks)
    return float(line.weight @ week)


def breached(line: Queue, slot: Counts, days: int) -> int:
    """Days by which promises are missed, all together; a car not built counts to the end of the horizon."""
    promised = line.due != NO_DAY
    late = np.minimum(slot[promised], days) - line.due[promised]
    return int(np.maximum(late, 0).sum())
