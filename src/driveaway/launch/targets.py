"""Targets of ``launch.toml`` as facts."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from driveaway.facts import Draft
from driveaway.facts.description import Description
from driveaway.facts.public import TargetSet
from driveaway.values.clock import parse_day, parse_instant, start_of_day
from driveaway.values.ids import parse_slug


def target_drafts(description: Description, zone: ZoneInfo) -> list[Draft]:
    """One ``target.set`` for each target, the same at every application."""
    drafts: list[Draft] = []
    for target in sorted(description.targets, key=lambda t: t.set_on):
        on = target.set_on
        happened = start_of_day(parse_day(on), zone) if len(on) == 10 else parse_instant(on, zone)
        body = TargetSet(
            measure=target.measure,
            amount=target.amount,
            qualifier=target.qualifier,
            from_day=target.from_day,
            until_day=target.until_day,
            role=target.role,
            said=target.said,
            reference=target.reference,
        )
        source = f"urn:driveaway:launch:{description.launch}/target/{target.name}/{on}/{target.amount}"
        drafts.append(Draft("target.set", parse_slug(target.name), happened, body, source))
    return drafts
