"""What is to be reported to whom, until when, and what was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

from driveaway.facts.duties import Duty
from driveaway.facts.fleet import Fleet
from driveaway.fleet.incidents.duties import applies, base, deadline, duties_of, period_ends
from driveaway.fleet.incidents.register import Filing, Incident, Register
from driveaway.values.clock import SECOND, end_of_day, local_day

Standing = Literal["overdue", "due", "no_time_stated", "filed_late", "filed", "not_needed"]

OPEN: Final[frozenset[Standing]] = frozenset(("overdue", "due", "no_time_stated"))
"""What is still to be done."""
_ORDER: Final[tuple[Standing, ...]] = (
    "overdue", "due", "no_time_stated", "filed_late", "filed", "not_needed",
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """One report that a duty asks for, or may ask for.

    Attributes:
        duty: which.
        incident: about which; None: a regular report.
        subject: by which filings name it: the incident's slug, or ``DUTY.LAST-DAY`` of a regular one.
        applies: ``unknown``: it hangs on what is not known.
        due: when, microseconds since 1970 UTC; None: no number is stated.
        filing: how it was met, by the as-of.
        standing: at the as-of; ``overdue`` once ``due`` is past.
    """

    duty: Duty
    incident: Incident | None
    subject: str
    applies: Literal["yes", "unknown"]
    due: int | None
    filing: Filing | None
    standing: Standing

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.standing in OPEN


def reports(found: Register, rules: Fleet, zone: ZoneInfo, as_of: int) -> list[Report]:
    """Every report that is asked for as of an instant: open ones first, the most pressing on top.

    Args:
        found: what is known by then.
        rules: duties and countries of the launch.
        zone: in which days of months end.
        as_of: instant, microseconds since 1970 UTC.
    """
    duties = duties_of(rules)
    rows = [*_about(found, found.incidents, duties, zone, as_of), *_regular(found, rules, zone, as_of)]
    rows.sort(key=_pressing)
    return rows


def open_reports(
    found: Register, incidents: Iterable[Incident], rules: Fleet, zone: ZoneInfo
) -> list[Report]:
    """Reports about some incidents that are still to be done, whenever they are due."""
    rows = _about(found, incidents, duties_of(rules), zone, None)
    return sorted((row for row in rows if row.open), key=_pressing)


def _about(
    found: Register, incidents: Iterable[Incident], duties: Iterable[Duty], zone: ZoneInfo, as_of: int | None
) -> list[Report]:
    """Reports whose time has begun by the as-of; None: all."""
    rows: list[Report] = []
    for incident in incidents:
        for duty in duties:
            verdict = applies(duty, incident, zone)
            begins = base(duty, incident)
            if verdict == "no" or begins is None or (as_of is not None and begins > as_of):
                continue
            since = begins if duty.counts_from == "corrected" else None
            filing = found.filed(incident.slug, duty.name, since)
            due = deadline(duty, incident, zone)
            standing = _standing(due, filing, as_of or 0)
            rows.append(Report(duty, incident, incident.slug, verdict, due, filing, standing))
    return rows


def _regular(found: Register, rules: Fleet, zone: ZoneInfo, as_of: int) -> list[Report]:
    rows: list[Report] = []
    for duty in duties_of(rules):
        if duty.every is None or not set(duty.countries) & set(rules.countries):
            continue
        for _, last in period_ends(duty, local_day(as_of, zone)):
            subject = f"{duty.name}.{last.isoformat()}"
            filing = found.filed(subject, duty.name)
            due = end_of_day(last, zone) + 1 - SECOND
            rows.append(Report(duty, None, subject, "yes", due, filing, _standing(due, filing, as_of)))
    return rows


def _standing(due: int | None, filing: Filing | None, as_of: int) -> Standing:
    if filing is not None:
        if filing.said.outcome == "not_needed":
            return "not_needed"
        return "filed" if due is None or filing.at <= due else "filed_late"
    if due is None:
        return "no_time_stated"
    return "overdue" if due < as_of else "due"


def _pressing(row: Report) -> tuple[int, int, str, str]:
    return (_ORDER.index(row.standing), row.due or 0, row.subject, row.duty.name)
