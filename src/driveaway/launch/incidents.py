"""Recording incidents, filings and holds; telling what is known, due and not yet reported."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from driveaway.book.when import When
from driveaway.book.writer import Outcome
from driveaway.facts import Draft
from driveaway.facts.health import SAFETY_SIGNALS
from driveaway.facts.incidents import (
    FunctionState,
    HoldLifted,
    HoldPlaced,
    IncidentFiled,
    IncidentReported,
)
from driveaway.fleet.cells import corner
from driveaway.fleet.incidents.due import Report, reports
from driveaway.fleet.incidents.duties import duty_named
from driveaway.fleet.incidents.register import Incident, Register, register_of
from driveaway.launch.cells import check_text
from driveaway.launch.launch import FAR_FUTURE, Cut, Launch
from driveaway.launch.recording import checked_body
from driveaway.values.clock import HOUR, local_day, now, show
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused
from driveaway.values.ids import parse_order_id, parse_slug, parse_vin
from driveaway.values.provinces import province_code

NEAR: Final = HOUR
"""A car's own report of a crash and an incident are one when they are no further apart."""
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"


def _now(launch: Launch) -> Register:
    return register_of(launch.book.at(When(FAR_FUTURE, launch.book.edge().size)))


def named(found: Register, slug: str) -> Incident:
    """The incident of this slug.

    Raises:
        NotFound: there is none.
    """
    incident = found.named(slug)
    if incident is None:
        raise NotFound(
            f"no incident {slug!r} is known", code="incident.unknown", remedy="driveaway incident list"
        )
    return incident


# --- record ---


def report_incident(
    launch: Launch,
    vin: str,
    fields: Mapping[str, Any],
    *,
    slug: str | None = None,
    at: int | None = None,
    source: str = "",
    simulated: bool = False,
) -> Outcome:
    """Record an incident of a car.

    Args:
        launch: whose car.
        vin: the car.
        fields: of ``IncidentReported``, by name; ``learned`` left out: now.
        slug: of the incident; None: one is made of the day and chance.
        at: when it happened, microseconds since 1970 UTC; None: now.
        source: unique; repeated, nothing is added.
        simulated: whether it was made up.

    Raises:
        BadValue: no VIN, or a field that does not fit.
        Conflict: the slug is another incident's.
    """
    car = parse_vin(vin)
    moment = now()
    happened = moment if at is None else at
    if slug is None:
        day = local_day(happened, launch.zone)
        slug = f"i-{day:%Y%m%d}-{''.join(secrets.choice(_ALPHABET) for _ in range(6))}"
    elif not source and launch.book.about(parse_slug(slug)):
        raise Conflict(
            f"{slug!r} is taken",
            code="incident.taken",
            remedy="take another slug; what is wrong in an incident: driveaway incident correct",
        )
    content = {"learned": max(moment, happened)} | dict(fields) | {"incident": parse_slug(slug)}
    draft = Draft("incident.reported", car, happened, _body(launch, content), source, simulated=simulated)
    (outcome,) = launch.append([draft])
    return outcome


def correct_incident(
    launch: Launch, slug: str, fields: Mapping[str, Any], *, at: int | None = None
) -> Outcome:
    """Record an incident anew in the place of what is said of it; fields not given stay.

    Raises:
        NotFound: there is no such incident.
        BadValue: a field does not fit, or nothing would change.
    """
    incident = named(_now(launch), slug)
    old = msgspec.structs.asdict(incident.report)
    body = _body(launch, old | dict(fields))
    happened = incident.happened if at is None else at
    if body == incident.report and happened == incident.happened:
        raise BadValue("that is what is known already", code="incident.same", remedy="say what differs")
    draft = Draft(
        "incident.reported", incident.vin, happened, body, replaces=incident.seq, simulated=incident.simulated
    )
    (outcome,) = launch.append([draft])
    return outcome


def _body(launch: Launch, content: Mapping[str, Any]) -> IncidentReported:
    read = {name: value for name, value in content.items() if value is not None}
    for name in ("city", "software", "narrative"):
        if name in read:
            check_text(read[name])
    if isinstance(read.get("province"), str):
        regions = {region.code: region.name for region in launch.description.regions}
        read["province"] = province_code(read["province"], regions)
    if "cell" in read:
        corner(read["cell"])
    read["states"] = [msgspec.to_builtins(state) for state in read.get("states", ())]
    body: IncidentReported = checked_body("incident.reported", read)
    return body


def parse_state(text: str) -> FunctionState:
    """Read ``SECOND:FUNCTION:STATE[:LEVEL]``, such as ``4:highway_pilot:overridden``.

    Raises:
        BadValue: it has another form.
    """
    parts = text.split(":")
    try:
        second, function, state, *level = parts
        content: dict[str, Any] = {"second": int(second), "function": function, "state": state}
        if level:
            (one,) = level
            content["level"] = int(one)
        return msgspec.convert(content, FunctionState)
    except (ValueError, msgspec.ValidationError) as error:
        raise BadValue(
            f"{text!r} does not say what a function did",
            code="incident.state",
            remedy="SECOND:FUNCTION:STATE[:LEVEL], such as 30:highway_pilot:engaged:2, second 30 to 0,"
            " state engaged, overridden (by the driver), deactivated (by itself) or off",
        ) from error


def file_report(
    launch: Launch,
    slug: str,
    duty: str,
    *,
    reference: str | None = None,
    not_needed: str | None = None,
    by: str | None = None,
    at: int | None = None,
    source: str = "",
) -> Outcome:
    """Record that a duty was met, or with ``not_needed`` why it asks for nothing.

    Raises:
        NotFound: there is no such incident or duty.
        Conflict: it is filed already.
    """
    found = _now(launch)
    chosen = duty_named(launch.description.fleet, duty)
    since = None
    if chosen.every is not None:
        parse_slug(slug)
    else:
        incident = named(found, slug)
        since = incident.corrected if chosen.counts_from == "corrected" else None
    before = found.filed(slug, duty, since)
    if before is not None and not source:
        raise Conflict(
            f"{duty} of {slug} is {before.said.outcome.replace('_', ' ')} as fact {before.seq}",
            code="incident.filed_twice",
            remedy=f"a correction: driveaway correct {before.seq}",
        )
    body = IncidentFiled(
        duty=duty,
        outcome="filed" if not_needed is None else "not_needed",
        reference=reference,
        reason=not_needed,
        by=by,
    )
    (outcome,) = launch.append([Draft("incident.filed", slug, now() if at is None else at, body, source)])
    return outcome


def hold_subject(launch: Launch, text: str) -> str:
    """A VIN, an order or the slug of a known incident, as a hold names it.

    Raises:
        BadValue, NotFound: it is none of them.
    """
    if text.upper().startswith("O-"):
        return parse_order_id(text)
    if len(text) == 17 and "-" not in text:
        return parse_vin(text)
    return named(_now(launch), text).slug


def place_hold(
    launch: Launch, subject: str, matter: str, reason: str, *, by: str | None = None, at: int | None = None
) -> Outcome:
    """Keep everything about a car, an order or an incident's car until the hold is lifted.

    Raises:
        Conflict: it is held for this matter already.
    """
    subject = hold_subject(launch, subject)
    if any(hold.matter == matter for hold in _now(launch).holds_on(subject)):
        raise Conflict(
            f"{subject} is held for {matter} already", code="hold.placed_twice", remedy="nothing to do"
        )
    body = HoldPlaced(matter=_text(matter), reason=_text(reason), by=by)
    (outcome,) = launch.append([Draft("hold.placed", subject, now() if at is None else at, body)])
    return outcome


def lift_hold(
    launch: Launch,
    subject: str,
    reason: str,
    *,
    matter: str | None = None,
    by: str | None = None,
    at: int | None = None,
) -> Outcome:
    """End a hold; without ``matter`` the only one that there is.

    Raises:
        NotFound: nothing is held so.
        Refused: it is held for several matters, and none is named.
    """
    subject = hold_subject(launch, subject)
    holds = [hold for hold in _now(launch).holds_on(subject) if matter in (None, hold.matter)]
    if not holds:
        raise NotFound(
            f"{subject} is not held" + (f" for {matter}" if matter else ""),
            code="hold.unknown",
            remedy="driveaway incident list --holds",
        )
    if len(holds) > 1:
        matters = ", ".join(hold.matter for hold in holds)
        raise Refused(
            f"{subject} is held for {matters}", code="hold.several", remedy="--matter says which one ends"
        )
    body = HoldLifted(matter=holds[0].matter, reason=_text(reason), by=by)
    (outcome,) = launch.append([Draft("hold.lifted", subject, now() if at is None else at, body)])
    return outcome


def _text(text: str) -> str:
    check_text(text)
    if not text.strip():
        raise BadValue("a hold needs a matter and a reason", code="hold.reason", remedy="say why")
    return text


# --- tell ---


def told(launch: Launch, incident: Incident) -> dict[str, Any]:
    """One incident as a row."""
    seen = incident.engagement
    return {
        "incident": incident.slug,
        "vin": incident.vin,
        "happened": show(incident.happened, launch.zone),
        "country": incident.country,
        "province": incident.report.province,
        "city": incident.report.city,
        "gravest": incident.gravest,
        "outcomes": ", ".join(incident.outcomes),
        "function_state": seen.at_start,
        "engaged_within_30_s": seen.engaged,
        "functions": ", ".join(seen.functions) or None,
        "levels": ", ".join(map(str, seen.levels)) or None,
        "simulated": incident.simulated,
    }


def told_report(launch: Launch, row: Report) -> dict[str, Any]:
    """One report that is asked for, as a row."""
    filing = row.filing
    return {
        "standing": row.standing,
        "due": None if row.due is None else show(row.due, launch.zone),
        "incident": row.subject,
        "vin": None if row.incident is None else row.incident.vin,
        "duty": row.duty.name,
        "to": row.duty.to,
        "applies": row.applies,
        "certain": row.duty.certain,
        "said": row.duty.said,
        "when_said": row.duty.when_said,
        "reference": row.duty.reference,
        "filed": None if filing is None else show(filing.at, launch.zone),
        "filed_as": None if filing is None else filing.said.reference or filing.said.reason,
        "note": row.duty.note,
        "simulated": row.incident is not None and row.incident.simulated,
    }


def due(launch: Launch, cut: Cut) -> list[Report]:
    """Reports that are asked for as of a cut."""
    return reports(register_of(cut.view), cut.description.fleet, launch.zone, cut.as_of)


def open_now(launch: Launch, slug: str) -> list[Report]:
    """Reports about an incident that are still to be made, as everything known now says."""
    rows = reports(_now(launch), launch.description.fleet, launch.zone, now())
    return [row for row in rows if row.open and row.subject == slug]


def unreported(launch: Launch, cut: Cut, incidents: Iterable[Incident]) -> list[dict[str, Any]]:
    """What cars themselves said of crashes and the like, and no incident is known of within an hour.

    It is read from the reports of health, which are kept as they came in and carry no mark: the as-of cuts
    them, a mark does not.
    """
    near: dict[str, list[int]] = {}
    for incident in incidents:
        near.setdefault(incident.vin, []).append(incident.happened)
    rows: Sequence[tuple[Any, ...]] = launch.state.rows(
        "SELECT vin, signal, window_start, window_end, count, release, simulated FROM car_health"
        f" WHERE signal IN ({', '.join(f':s{n}' for n in range(len(SAFETY_SIGNALS)))})"
        " AND count > 0 AND window_end <= :as_of ORDER BY window_start, vin, signal",
        as_of=cut.as_of,
        **{f"s{n}": signal for n, signal in enumerate(SAFETY_SIGNALS)},
    )
    return [
        {
            "vin": vin,
            "signal": signal,
            "from": show(start, launch.zone),
            "until": show(end, launch.zone),
            "count": count,
            "release": release,
            "state": "not yet reported as an incident",
            "simulated": bool(simulated),
        }
        for vin, signal, start, end, count, release, simulated in rows
        if not any(start - NEAR <= at <= end + NEAR for at in near.get(vin, ()))
    ]
