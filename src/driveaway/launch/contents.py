"""What a fact says, held to the calendar, the list of currencies and the catalogue of figures.

Every fact passes here, whichever door it came by: typed, imported, applied or called from Python. Kinds
with nothing to look at cost one look-up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from driveaway.catalogue import figure_named
from driveaway.facts.base import Body
from driveaway.facts.delivery import HandoverPostponed, PlanAdopted, PromiseGiven
from driveaway.facts.description import Description
from driveaway.facts.orders import (
    DepositForfeited,
    DepositRefunded,
    DepositTaken,
    OrderChanged,
    OrderLocked,
    OrderReserved,
    PaymentReceived,
    PaymentRefunded,
)
from driveaway.facts.public import ClaimMade, TargetSet
from driveaway.facts.updates import FunctionOpened
from driveaway.figures.figure import Figure
from driveaway.launch.own import is_own
from driveaway.updates.gates.expression import decode, encode
from driveaway.values.clock import parse_as_of, parse_day, zone
from driveaway.values.errors import BadValue, DriveawayError, NotFound
from driveaway.values.money import CURRENCIES, check_currency


def check_contents(body: Body, description: Description) -> None:
    """See that what a fact says can be asked about later.

    Raises:
        BadValue: an impossible day, a last day before the first, no currency of ISO 4217, no figure of the
            catalogue, or no gate; ``field`` names the field.
    """
    check = _CHECKS.get(type(body))
    if check is not None:
        check(body, description)


def check_measure(measure: str) -> None:
    """Refuse what no target can be set for.

    Raises:
        BadValue: not a figure, or one that counts nothing.
    """
    if _figure(measure, "measure").counts == "other":
        raise BadValue(
            f"{measure} counts nothing that a target could be set for",
            code="target.measure",
            remedy="name a figure that counts orders, cars, outlets …",
            field="measure",
        )


def check_days(first: str, last: str) -> None:
    """Refuse a target whose days are impossible or the wrong way round.

    Raises:
        BadValue: they are.
    """
    _days(from_day=first, until_day=last)
    if first > last:
        raise BadValue(
            f"its last day, {last}, is before its first, {first}",
            code="target.days",
            remedy="from_day ≤ until_day",
            field="until_day",
        )


@lru_cache(maxsize=4096)
def _check_day(text: str) -> None:
    parse_day(text)


def _days(**fields: str | None) -> None:
    for name, text in fields.items():
        if text is None:
            continue
        try:
            _check_day(text)
        except BadValue as error:
            raise _in_field(error, name) from None


def _in_field(error: DriveawayError, name: str) -> BadValue:
    return BadValue(f"{name}: {error.message}", code=error.code, remedy=error.remedy, field=name)


def _figure(name: str, field: str) -> Figure:
    try:
        return figure_named(name)
    except NotFound as error:
        raise BadValue(error.message, code=error.code, remedy=error.remedy, field=field) from None


def _target(body: TargetSet, description: Description) -> None:
    check_days(body.from_day, body.until_day)
    check_measure(body.measure)


def _claim(body: ClaimMade, description: Description) -> None:
    try:
        parse_as_of(body.as_of, zone(description.zone))
    except BadValue as error:
        raise _in_field(error, "as_of") from None
    if body.figure is not None and not is_own(body.figure, description):
        _figure(body.figure, "figure")


def _promise(body: PromiseGiven, description: Description) -> None:
    _days(first_day=body.first_day, last_day=body.last_day)


def _postponed(body: HandoverPostponed, description: Description) -> None:
    _days(until_day=body.until_day)


def _plan(body: PlanAdopted, description: Description) -> None:
    _days(first_day=body.first_day, cleared_by=body.cleared_by)
    for week in body.weeks:
        _days(weeks=week.first_day)
    for limit in body.binding:
        _days(binding=limit.first_day)
    for risk in body.at_risk:
        _days(at_risk=risk.day)


def _function(body: FunctionOpened, description: Description) -> None:
    try:
        canonical = encode(decode(body.gate)).decode()
    except BadValue as error:
        raise _in_field(error, "gate") from None
    if body.gate != canonical:
        raise BadValue(
            "gate: this is not the canonical JSON of a gate",
            code="gate.canonical",
            remedy="sorted keys, no spaces; driveaway functions open writes it so",
            field="gate",
        )


def _currency(body: Any, description: Description) -> None:
    if body.currency is not None and body.currency not in CURRENCIES:
        check_currency(body.currency)


_CHECKS: Final[dict[type[Body], Callable[[Any, Description], None]]] = {
    TargetSet: _target,
    ClaimMade: _claim,
    PromiseGiven: _promise,
    HandoverPostponed: _postponed,
    PlanAdopted: _plan,
    FunctionOpened: _function,
    **dict.fromkeys((OrderReserved, OrderLocked, OrderChanged), _currency),
    **dict.fromkeys((DepositTaken, DepositRefunded, DepositForfeited), _currency),
    **dict.fromkeys((PaymentReceived, PaymentRefunded), _currency),
}
