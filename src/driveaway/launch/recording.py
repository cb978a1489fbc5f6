"""Recording any fact from named text fields; correcting and withdrawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from driveaway.book.writer import Outcome
from driveaway.facts import Draft, Kind, kind_named
from driveaway.facts.base import Body
from driveaway.facts.launches import Withdrawn
from driveaway.launch.launch import Launch
from driveaway.values.clock import now
from driveaway.values.errors import BadValue, NotFound
from driveaway.values.ids import parse_battery_code, parse_order_id, parse_slug, parse_vin
from driveaway.values.money import parse_money
from driveaway.values.provinces import province_code


def parse_subject(kind: Kind, text: str) -> str:
    """A subject as a kind wants it.

    Raises:
        BadValue: it has another shape.
    """
    if kind.subject == "order":
        return parse_order_id(text)
    if kind.subject == "vin":
        return parse_vin(text)
    return parse_slug(text) if kind.subject == "slug" else text


def parse_body(kind: Kind, fields: Mapping[str, Any], currency: str) -> Body:
    """A body from text fields: money in major units, ids checked, numbers and yes/no read.

    Raises:
        BadValue: an unknown field, or a value that does not fit.
    """
    content: dict[str, Any] = {}
    known = {info.name for info in kind.fields}
    for name, value in fields.items():
        if name not in known:
            remedy = f"{kind.name} has {', '.join(sorted(known)) or 'none'}"
            raise BadValue(f"{kind.name} has no field {name!r}", code="fact.field", remedy=remedy)
        content[name] = parse_field(
            name, value, str(fields.get("currency", currency)) if "currency" in known else None
        )
    if ("price" in content or "amount" in content) and "currency" in known:
        content.setdefault("currency", currency)
    try:
        return msgspec.convert(content, kind.body, strict=False)
    except msgspec.ValidationError as error:
        raise BadValue(
            f"{kind.name}: {error}", code="fact.body", remedy="see the reference of kinds"
        ) from error


def parse_field(name: str, value: Any, currency: str | None) -> Any:
    """One field's text as its value; ``currency`` where the kind speaks of money."""
    if not isinstance(value, str):
        return value
    if name in ("price", "amount") and currency is not None:
        return parse_money(value, currency)
    if name == "province":
        return province_code(value)
    if name == "order":
        return parse_order_id(value)
    if name == "vin":
        return parse_vin(value)
    if name == "battery_code":
        return parse_battery_code(value)
    if name == "options":
        return [part for part in value.split("|") if part]
    return value


def record(
    launch: Launch,
    kind_name: str,
    subject: str,
    fields: Mapping[str, str],
    *,
    at: int | None = None,
    source: str = "",
) -> Sequence[Outcome]:
    """Record one fact of any kind.

    Raises:
        BadValue: no such kind or field, or a value that does not fit.
        Refused: a rule forbids it.
    """
    kind = kind_named(kind_name)
    body = parse_body(kind, fields, launch.description.currency)
    happened = now() if at is None else at
    return launch.append([Draft(kind.name, parse_subject(kind, subject), happened, body, source)])


def correct(
    launch: Launch, seq: int, fields: Mapping[str, str], *, at: int | None = None
) -> Sequence[Outcome]:
    """Replace a fact by one with some fields changed.

    Raises:
        NotFound: there is no such fact.
        Refused: the history could not stand with the correction.
    """
    rows = launch.book.store.by_seq([seq])
    if not rows:
        raise NotFound(f"there is no fact {seq}", code="fact.missing", remedy="see driveaway order ID")
    fact = next(launch.book.facts(seq - 1, seq))
    kind = kind_named(fact.kind)
    given = {
        name: getattr(parse_body(kind, {**_required(fact.body), **fields}, launch.description.currency), name)
        for name in fields
    }
    body = msgspec.structs.replace(fact.body, **given)
    happened = fact.happened if at is None else at
    return launch.append(
        [Draft(kind.name, fact.subject, happened, body, replaces=seq, simulated=fact.simulated)]
    )


def _required(body: Body) -> dict[str, Any]:
    return {k: v for k, v in msgspec.to_builtins(body).items() if v is not None}


def withdraw(launch: Launch, seq: int, reason: str) -> Sequence[Outcome]:
    """Take a fact back.

    Raises:
        NotFound: there is no such fact.
        Refused: later facts rest on it.
    """
    rows = launch.book.store.by_seq([seq])
    if not rows:
        raise NotFound(f"there is no fact {seq}", code="fact.missing", remedy="see driveaway order ID")
    row = rows[0]
    body = Withdrawn(reason=reason)
    draft = Draft(
        "fact.withdrawn", row.subject, row.happened, body, replaces=seq, simulated=bool(row.simulated)
    )
    return launch.append([draft])
