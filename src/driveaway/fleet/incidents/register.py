"""Incidents, the reports filed about them, and legal holds: facts folded into what holds now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from driveaway.facts import Fact
from driveaway.facts.incidents import (
    OUTCOMES,
    FunctionState,
    HoldLifted,
    HoldPlaced,
    IncidentFiled,
    IncidentReported,
    Outcome,
)
from driveaway.fleet.incidents.engagement import Engagement, engagement

KINDS = ("incident.reported", "incident.filed", "hold.placed", "hold.lifted")
"""What a register is folded from."""


@dataclass(frozen=True)
class Incident:
    """One incident of one car, as last corrected.

    Attributes:
        slug: its own.
        vin: of the car.
        happened: when, microseconds since 1970 UTC.
        seq: of the fact that tells of it now.
        corrected: when that was recorded, if it replaces an earlier fact.
        report: what is said of it.
    """

    slug: str
    vin: str
    happened: int
    seq: int
    corrected: int | None
    simulated: bool
    report: IncidentReported

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What it came to, the gravest first."""
        return tuple(sorted(set(self.report.outcomes), key=OUTCOMES.index))

    @property
    def gravest(self) -> Outcome:
        """The gravest outcome."""
        return self.outcomes[0]

    @property
    def country(self) -> str:
        """Where it happened."""
        return self.report.country

    @property
    def learned(self) -> int | None:
        """When the maker learned of it; None: not said."""
        return self.report.learned

    @property
    def states(self) -> tuple[FunctionState, ...]:
        """What the functions did."""
        return self.report.states

    @cached_property
    def engagement(self) -> Engagement:
        """What they did in the 30 seconds before."""
        return engagement(self.states)


@dataclass(frozen=True)
class Filing:
    """A duty that was met, or looked into and not needed."""

    incident: str
    duty: str
    at: int
    seq: int
    said: IncidentFiled


@dataclass(frozen=True)
class Hold:
    """A hold that has not been lifted. ``subject`` is a VIN, an order or the slug of an incident."""

    subject: str
    matter: str
    since: int
    seq: int
    reason: str
    by: str | None


@dataclass(frozen=True)
class Register:
    """What is known of incidents.

    Attributes:
        incidents: by slug and VIN, in order of time.
        filings: in order of time.
        holds: those not lifted, in order of time.
    """

    incidents: tuple[Incident, ...] = ()
    filings: tuple[Filing, ...] = ()
    holds: tuple[Hold, ...] = ()
    _by_slug: Mapping[str, Incident] = field(default_factory=dict, repr=False)

    def named(self, slug: str) -> Incident | None:
        """The incident of this slug."""
        return self._by_slug.get(slug)

    def filed(self, slug: str, duty: str, since: int | None = None) -> Filing | None:
        """The first filing of a duty about an incident, none earlier than ``since``."""
        return next(
            (
                each
                for each in self.filings
                if each.incident == slug and each.duty == duty and (since is None or each.at >= since)
            ),
            None,
        )

    def holds_on(self, *subjects: str) -> tuple[Hold, ...]:
        """Holds on any of these subjects."""
        return tuple(hold for hold in self.holds if hold.subject in subjects)


class HasFacts(Protocol):
    """A View, or whoever else gives the live facts of a kind."""

    def facts(self, kind: str) -> Sequence[Fact]:
        """Live facts of one kind."""
        ...


def register_of(view: HasFacts) -> Register:
    """What a cut knows of incidents."""
    return register(fact for kind in KINDS for fact in view.facts(kind))


def register(facts: Iterable[Fact]) -> Register:
    """Fold live facts of any kinds; of two facts of one moment the later recorded one holds."""
    incidents: dict[tuple[str, str], Incident] = {}
    filings: list[Filing] = []
    holds: dict[tuple[str, str], Hold] = {}
    for fact in sorted(facts, key=lambda each: (each.happened, each.seq)):
        match fact.body:
            case IncidentReported() as report:
                incidents[report.incident, fact.subject] = Incident(
                    slug=report.incident,
                    vin=fact.subject,
                    happened=fact.happened,
                    seq=fact.seq,
                    corrected=None if fact.replaces is None else fact.recorded,
                    simulated=fact.simulated,
                    report=report,
                )
            case IncidentFiled() as said:
                filings.append(Filing(fact.subject, said.duty, fact.happened, fact.seq, said))
            case HoldPlaced(matter=matter, reason=reason, by=by):
                holds[fact.subject, matter] = Hold(fact.subject, matter, fact.happened, fact.seq, reason, by)
            case HoldLifted(matter=matter):
                holds.pop((fact.subject, matter), None)
    return Register(
        tuple(incidents.values()),
        tuple(filings),
        tuple(holds.values()),
        {each.slug: each for each in incidents.values()},
    )
