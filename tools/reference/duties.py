"""The page of duties to report incidents, from the packaged list."""

from __future__ import annotations

from driveaway.facts.duties import Duty
from driveaway.facts.incidents import OUTCOMES, FunctionState, IncidentReported
from driveaway.fleet.incidents.duties import packaged_duties
from tools.reference.description import attributes
from tools.reference.markdown import code, page, prose, table


def duties() -> str:
    """Every packaged duty, with its source and what is not certain."""
    listed = packaged_duties()
    return page(
        "Duties to report",
        "What authorities ask for after an incident, as the program knows it: data, not advice. "
        "[How incidents are reported](../how-to/report-incidents.md) says how it is used. Where **certain** "
        "is no, the deadline or the conditions were not read in a text that states them, and nothing was put "
        "in their place. Deadlines run exactly, 24 hours to a day, from when the maker learned of the "
        "incident unless the table says otherwise.",
        table(
            ("duty", "what is asked", "to", "due", "reference", "from", "certain"),
            [
                (
                    code(d.name),
                    d.said,
                    d.to,
                    _due(d),
                    d.reference,
                    _holds(d),
                    _certain(d),
                )
                for d in listed
            ],
        ),
        "## When they apply",
        table(
            ("duty", "countries", "incident came to", "driving function", "what is left out", "read in"),
            [
                (code(d.name), ", ".join(d.countries), _outcomes(d), _function(d), d.note or "", d.source)
                for d in listed
            ],
        ),
        "## What an incident says",
        prose(IncidentReported.__doc__),
        f"Outcomes, from the gravest down: {', '.join(map(code, OUTCOMES))}.",
        prose(FunctionState.__doc__),
        "## Attributes of a duty",
        prose(Duty.__doc__) + " In `launch.toml` it is a table `[[fleet.duties]]`.",
        attributes(Duty),
    )


def _due(duty: Duty) -> str:
    since = {"learned": "", "happened": " after it happened", "corrected": " after a correction"}
    said = since[duty.counts_from]
    if duty.every is not None:
        return f"every {duty.every}"
    parts = [f"{duty.hours} hours{said}"] if duty.hours is not None else []
    parts += [f"{duty.days} days{said}"] if duty.days is not None else []
    parts += [f"day {duty.month_day} of the following month{said}"] if duty.month_day is not None else []
    return " or ".join(parts) or str(duty.when_said)


def _certain(duty: Duty) -> str:
    return "yes" if duty.certain else "**no**"


def _holds(duty: Duty) -> str:
    return duty.valid_from if duty.valid_until is None else f"{duty.valid_from} to {duty.valid_until}"


def _outcomes(duty: Duty) -> str:
    parts = [f"all of {', '.join(duty.all_of)}"] if duty.all_of else []
    parts += [f"any of {', '.join(duty.any_of)}"] if duty.any_of else []
    parts += [f"none of {', '.join(duty.none_of)}"] if duty.none_of else []
    return "; ".join(parts) or "anything"


def _function(duty: Duty) -> str:
    if duty.engaged_within is None:
        return "any or none"
    levels = f", Level {' or '.join(map(str, duty.levels))}" if duty.levels else ""
    return f"engaged within {duty.engaged_within} s before{levels}"
