"""Capable-to-promise: a date for a buyer who has not ordered yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driveaway.delivery.planning.problem import NO_DAY, Amounts, Configuration, Counts
from driveaway.delivery.planning.quantiles import Curves
from driveaway.delivery.planning.signatures import LeadGroups, Signatures
from driveaway.values.errors import NotFound, Refused


@dataclass(frozen=True, slots=True)
class Quote:
    """Dates for an order that would be locked now.

    Attributes:
        confidences: shape (confidences,).
        built: day by which the car is built, ``NO_DAY`` where not within the horizon, shape (confidences,).
        handed: day by which it is handed over.
        ahead: orders before it in its queue.
    """

    confidences: Amounts
    built: Counts
    handed: Counts
    ahead: int


@dataclass(frozen=True, slots=True)
class Quoting:
    """What is kept of a plan to quote from.

    Attributes:
        rows: row of each configuration.
        regions: lead group of each region's code.
        found: signatures.
        groups: lead groups.
        curves: places reached by each day.
        priorities: sorted priorities of each signature's open orders.
    """

    rows: dict[Configuration, int]
    regions: dict[str, int]
    found: Signatures
    groups: LeadGroups
    curves: Curves
    priorities: tuple[Counts, ...]

    def quote(
        self, configuration: Configuration | int, region: str | None = None, priority: int | None = None
    ) -> Quote:
        """Dates as if the order were locked now, behind all orders of its signature and priority.

        Args:
            configuration: or its row in ``Demand.configurations`` (which may hold configurations that
                nobody has ordered yet).
            region: code; None: not known yet, the mixture of all regions.
            priority: None: the last.

        Raises:
            NotFound: ``delivery.configuration`` or ``delivery.region``.
            Refused: ``delivery.no_line``, no line builds it.
        """
        row = self.rows.get(configuration, -1) if isinstance(configuration, tuple) else int(configuration)
        if not 0 <= row < len(self.found.of):
            raise NotFound(
                f"the plan knows no configuration {_said(configuration)}",
                code="delivery.configuration",
                remedy="plan with it among the configurations that are offered",
            )
        if region is not None and region not in self.regions:
            raise NotFound(
                f"the plan knows no region {region}",
                code="delivery.region",
                remedy="one of " + ", ".join(sorted(self.regions)),
            )
        signature = int(self.found.of[row])
        if signature < 0:
            raise Refused(
                f"no line builds {_said(configuration)}",
                code="delivery.no_line",
                remedy="choose what a line builds, or describe the line that builds it",
            )
        group = self.groups.unknown if region is None else self.regions[region]
        known = self.priorities[signature]
        ahead = len(known) if priority is None else int(np.searchsorted(known, priority, side="right"))
        built = _days(self.curves.built[signature], ahead + 1)
        handed = _days(self.curves.handed[signature, group], ahead + 1)
        return Quote(self.curves.confidences, built, handed, ahead)


def _said(configuration: Configuration | int) -> str:
    if isinstance(configuration, int):
        return str(configuration)
    trim, colour, edition, options = configuration
    return ", ".join(part for part in (trim, colour, edition, *options) if part)


def _days(places: Amounts, wanted: int) -> Counts:
    day = np.array([np.searchsorted(row, wanted - 1e-6) for row in places], np.int64)
    day[day >= places.shape[1]] = NO_DAY
    return day
