"""Recording any fact from named text fields; correcting and withdrawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from driveaway.book.writer import Outcome
from driveaway.facts import Draft, Kind, kind_named
from driveaway.facts.base import Body
from driveaway.facts.description import Description
from driveaway.launch.cells import check_text
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


# What these say is more than one fact: each has a command of its own, which stands beside it.
BY_COMMAND = {
    "launch.described": "edit launch.toml, then: driveaway apply",
    "subject.erased": "driveaway erase SUBJECT",
    "fact.withdrawn": "driveaway withdraw SEQ",
}


def _recordable(kind: str) -> None:
    """Refuse kinds that a command of their own records.

    Raises:
        BadValue: it is such a kind.
    """
    if kind in BY_COMMAND:
        raise BadValue(
            f"{kind} is not recorded, corrected or taken back by hand",
            code="record.kind",
            remedy=BY_COMMAND[kind],
        )


def parse_body(kind: Kind, fields: Mapping[str, Any], description: Description) -> Body:
    """A body from text fields: money in major units, ids checked, numbers and yes/no read.

    Args:
        kind: what is to be said.
        fields: by name; what is no text is taken as it is.
        description: whose currency and regions hold.

    Raises:
        BadValue: an unknown field, or a value that does not fit.
    """
    content = _parsed(kind, fields, description)
    if ("price" in content or "amount" in content) and "currency" in kind.body.__struct_fields__:
        content.setdefault("currency", description.currency)
    body: Body = checked_body(kind.name, content)
    return body


def _parsed(
    kind: Kind, fields: Mapping[str, Any], description: Description, currency: str | None = None
) -> dict[str, Any]:
    known = kind.body.__struct_fields__
    money = str(fields.get("currency", currency or description.currency)) if "currency" in known else None
    content: dict[str, Any] = {}
    for name, value in fields.items():
        if name not in known:
            remedy = f"{kind.name} has {', '.join(sorted(known)) or 'none'}"
            raise BadValue(f"{kind.name} has no field {name!r}", code="fact.field", remedy=remedy)
        content[name] = parse_field(name, value, money, description)
    return content


def checked_body(kind: str, content: Mapping[str, Any]) -> Any:
    """A body of these values, each within what its kind allows.

    Raises:
        BadValue: a value does not fit; in the book it could never be read again.
    """
    known = kind_named(kind)
    try:
        return msgspec.convert(content, known.body, strict=False)
    except msgspec.ValidationError as error:
        raise known.wrong(error) from error


def parse_field(name: str, value: Any, currency: str | None, description: Description) -> Any:
    """One field's text as its value; ``currency`` where the kind speaks of money."""
    if not isinstance(value, str):
        return value
    check_text(value)
    if name in ("price", "amount") and currency is not None:
        return parse_money(value, currency)
    if name == "province":
        return province_code(value, {region.code: region.name for region in description.regions})
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
    """Record one fact of any kind; what has been recorded from the same source is not added again.

    Raises:
        BadValue: no such kind or field, or a value that does not fit.
        Refused: a rule forbids it.
    """
    kind = kind_named(kind_name)
    _recordable(kind.name)
    body = parse_body(kind, fields, launch.description)
    about = parse_subject(kind, subject)
    return launch.append([Draft(kind.name, about, moment_of(launch, about, source, at), body, source)])


def moment_of(launch: Launch, subject: str, source: str, at: int | None) -> int:
    """When it happened: as given, else as recorded from the same source before, else now."""
    if at is not None:
        return at
    known = (fact.happened for fact in launch.book.about(subject) if source and fact.source == source)
    return next(known, None) or now()


def correct(
    launch: Launch, seq: int, fields: Mapping[str, str], *, at: int | None = None
) -> Sequence[Outcome]:
    """Replace a fact by one with some fields changed.

    Raises:
        NotFound: there is no such fact.
        BadValue: nothing is changed, or a value does not fit.
        Refused: the history could not stand with the correction.
    """
    if not fields and at is None:
        raise BadValue("a correction changes something", code="correct.nothing", remedy="name=value, or --at")
    rows = launch.book.store.by_seq([seq])
    if not rows:
        raise NotFound(f"there is no fact {seq}", code="fact.missing", remedy="see driveaway order ID")
    fact = next(launch.book.facts(seq - 1, seq))
    kind = kind_named(fact.kind)
    _recordable(kind.name)
    said = msgspec.to_builtins(fact.body)
    changes = _parsed(kind, fields, launch.description, getattr(fact.body, "currency", None))
    body = checked_body(kind.name, {**said, **changes})
    happened = fact.happened if at is None else at
    return launch.append(
        [Draft(kind.name, fact.subject, happened, body, replaces=seq, simulated=fact.simulated)]
    )


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
    _recordable(row.kind)
    body = checked_body("fact.withdrawn", {"reason": reason})
    draft = Draft(
        "fact.withdrawn", row.subject, row.happened, body, replaces=seq, simulated=bool(row.simulated)
    )
    return launch.append([draft])
