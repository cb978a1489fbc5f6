"""What stands against erasing: a legal hold, or a report that is still to be made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from shlex import quote

from driveaway.facts import Fact
from driveaway.facts.description import Description
from driveaway.facts.orders import OrderHandedOver
from driveaway.fleet.incidents.due import open_reports
from driveaway.fleet.incidents.register import register
from driveaway.values.clock import zone
from driveaway.values.errors import Refused

Live = Callable[[Sequence[str], Sequence[str]], Sequence[Fact]]
"""Live facts about any of these subjects, or under any of these keys."""


def check_free(subject: str, live: Live, description: Description) -> None:
    """Refuse to erase what is held: a car, an order, and the order that a held car was handed over with.

    A hold on an incident holds its car. A report that is still to be made about an incident of the car
    does so, too: what is reported must be there to be looked into.

    Raises:
        Refused: with what holds it and how that ends.
    """
    facts = list(live([subject], [subject]))
    cars = {subject} | {
        fact.body.vin
        for fact in facts
        if isinstance(fact.body, OrderHandedOver) and fact.body.vin is not None
    }
    others = sorted(cars - {subject})
    if others:
        facts += [fact for fact in live(others, others) if fact.subject in cars]
    slugs = sorted({incident.slug for incident in register(facts).incidents if incident.vin in cars})
    if slugs:
        known = {fact.seq for fact in facts}
        facts += [fact for fact in live(slugs, slugs) if fact.seq not in known]
    found = register(facts)
    incidents = [incident for incident in found.incidents if incident.vin in cars]
    holds = found.holds_on(*cars, *(incident.slug for incident in incidents))
    if holds:
        first = holds[0]
        on = "" if first.subject == subject else f" (on {first.subject})"
        more = f", and {len(holds) - 1} more" if len(holds) > 1 else ""
        raise Refused(
            f"{subject} is under a legal hold for {first.matter}{on}: {first.reason}{more}",
            code="erase.held",
            remedy=f"when it is over: driveaway incident lift {first.subject} --matter {quote(first.matter)}",
        )
    pending = open_reports(found, incidents, description.fleet, zone(description.zone))
    if pending:
        first_due = pending[0]
        more = f", and {len(pending) - 1} more" if len(pending) > 1 else ""
        raise Refused(
            f"{subject} was in incident {first_due.subject}, on which {first_due.duty.name} is still to be"
            f" reported to {first_due.duty.to}{more}",
            code="erase.held",
            remedy=f"driveaway incident file {first_due.subject} --duty {first_due.duty.name}, or the same"
            " with --not-needed and the reason",
        )
