"""Which functions a car may switch on: judged in the car, offline, from the policies that were signed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from driveaway.updates.car.memory import Identity
from driveaway.updates.car.slots import Manifest
from driveaway.updates.gates.judging import CarState, Reason
from driveaway.updates.gates.policy import decode_policy
from driveaway.updates.gates.position import Fix
from driveaway.updates.gates.session import Availability, Session, Sight, Standing, State
from driveaway.values.errors import BadValue

_SEPARATORS: Final = re.compile(r"[,;\s]+")
_HARDWARE: Final = "hardware."
_FIX_METRES: Final = 10.0


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A function of the running software, and whether it may be switched on now.

    Attributes:
        name: of the function.
        available: whether the next activation is allowed.
        reasons: why not.
    """

    name: str
    available: bool
    reasons: tuple[Reason, ...] = ()


def functions_of(
    held: Manifest | None,
    identity: Identity,
    *,
    at: int | None,
    standing: Standing = "valid",
    position: tuple[int, int] | None = None,
) -> Sequence[Function]:
    """The functions of the software that a car runs.

    Args:
        held: what it runs; None: the factory's, which brings none.
        identity: whose attributes say what the car has, under the names that it reports them by:
            ``trim``, ``market``, ``hardware.NAME``, ``assisted_metres``, ``entitlements``, ``trainings``.
        at: microseconds since 1970 UTC; None: the clock is not to be trusted.
        standing: of the signed metadata.
        position: longitude and latitude in units of 1e-7 degrees, WGS-84; None: no fix.
    """
    if held is None:
        return ()
    car = state_of(held, identity.attributes, at)
    fix = None
    if position is not None:
        fix = Fix(x=position[0], y=position[1], accuracy=_FIX_METRES, at=0, odometer=0.0)
    sight = Sight(car=car, at=0, odometer=0.0, fix=fix, standing=standing)
    found = []
    for function in held.functions:
        try:
            policy = decode_policy(function.policy.encode())
        except BadValue as error:
            reason = Reason("gate.policy", "a policy that can be read", error.message)
            found.append(Function(name=function.name, available=False, reasons=(reason,)))
            continue
        session = Availability(policy).observe(Session(), sight)
        available = session.state is State.AVAILABLE
        found.append(Function(name=function.name, available=available, reasons=session.verdict.reasons))
    return found


def state_of(held: Manifest, attributes: Mapping[str, str], at: int | None) -> CarState:
    """What a car knows of itself. Its software is what it runs, whatever its attributes say."""
    hardware: dict[str, int | str] = {}
    for key, value in attributes.items():
        if key.startswith(_HARDWARE):
            hardware[key.removeprefix(_HARDWARE)] = (
                int(value) if value.isascii() and value.isdigit() else value
            )
    software = {module.name: module.version for module in held.modules}
    return CarState(
        trim=attributes.get("trim"),
        market=attributes.get("market"),
        hardware=hardware,
        software={**software, "vehicle": held.version},
        assisted_metres=_number(attributes.get("assisted_metres", "")),
        entitlements=_names(attributes.get("entitlements")),
        trainings=_names(attributes.get("trainings")),
        now=at,
    )


def _names(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(filter(None, _SEPARATORS.split(text)))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
