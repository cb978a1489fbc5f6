"""What a figure's function returns: rows to be counted, or rows that are the figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.types as ir

Enrich = Callable[[ir.Table], ir.Table]
Finish = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


@dataclass(frozen=True)
class Count:
    """Rows to count, one a counted thing; with ``distinct`` the different values of a column.

    Attributes:
        rows: has ``simulated`` and, where days matter, ``day``.
        enrich: adds the dimensions that ``rows`` does not carry; used only when one is asked for.
        note: a caveat for this answer.
    """

    rows: ir.Table
    distinct: str | None = None
    enrich: Mapping[str, Enrich] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True)
class Share:
    """Rows of which some are hits: the boolean column ``hit``.

    Attributes:
        estimated: True gives a Wilson interval (the rows stand for more than themselves).
        suppress_under: groups with fewer people than this are not shown.
        of_all: grouped, each group's share of all rows is meant, not the share of hits within it.
    """

    rows: ir.Table
    estimated: bool = False
    suppress_under: int = 0
    of_all: bool = False
    enrich: Mapping[str, Enrich] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True)
class Distribution:
    """Rows with a numeric column ``value`` whose quantiles are the figure."""

    rows: ir.Table
    quantiles: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9)
    enrich: Mapping[str, Enrich] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True)
class Rows:
    """A table that is the figure, with ``value`` and ``simulated``; ``finish`` shapes it afterwards."""

    table: ir.Table
    finish: Finish | None = None
    note: str | None = None


@dataclass(frozen=True)
class Asked:
    """How a figure is asked, for one that takes it as ``asked`` and groups and filters by itself.

    Attributes:
        by: dimensions to group by.
        filters: dimension → values that are wanted: days for day, week and month (the first of each), else
            texts.
    """

    by: tuple[str, ...] = ()
    filters: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def dimensions(self) -> frozenset[str]:
        """All that are needed."""
        return frozenset((*self.by, *self.filters))


@dataclass(frozen=True)
class Grouped:
    """One row a group that was ``asked`` for, filtered already; a single row where nothing was grouped by.

    Attributes:
        table: what is run.
        finish: makes rows of what came back: the dimensions, ``value`` and ``simulated`` of each. A value of
            None gives its reason under ``unknown``, or is ``suppressed``; a single one may have a ``note``.
        note: a caveat for this answer.
        several: rows are the answer even where nothing is grouped by.
    """

    table: ir.Table
    finish: Finish
    note: str | None = None
    several: bool = False


@dataclass(frozen=True)
class Computed:
    """Rows that were composed of other figures' answers; each has ``simulated``."""

    rows: list[dict[str, Any]]
    note: str | None = None


@dataclass(frozen=True)
class Unknown:
    """No value, and why."""

    reason: str


Measure = Count | Share | Distribution | Rows | Grouped | Computed | Unknown
