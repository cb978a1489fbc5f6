"""The closed list of kinds, and how a newer version of a kind reads an older one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec

from driveaway.facts import cars, delivery, incidents, launches, orders, public, trips, updates, wording
from driveaway.facts.base import Body
from driveaway.values.errors import BadValue


@dataclass(frozen=True)
class Kind:
    """One kind of fact.

    Attributes:
        name: dotted, stable; the CloudEvents type is ``driveaway.`` + name.
        body: the newest version's class.
        version: the newest version's number.
        subject: what ``subject`` holds: ``order``, ``vin`` or ``slug``.
        older: for each older version its class and the function that lifts such a body one
            version up. An older version is read for ever.
    """

    name: str
    body: type[Body]
    subject: str
    version: int = 1
    older: Mapping[int, tuple[type[Body], Callable[[Any], Body]]] = field(default_factory=dict)

    @cached_property
    def fields(self) -> tuple[msgspec.structs.FieldInfo, ...]:
        """The body's fields, for mappings, the mirror and the reference."""
        return msgspec.structs.fields(self.body)

    def read(self, version: int, content: Mapping[str, Any]) -> Body:
        """A stored body of any version, lifted to the newest.

        Raises:
            BadValue: the version is newer than this program, or the content does not fit.
        """
        if version == self.version:
            return self._convert(self.body, content)
        if version not in self.older:
            raise BadValue(
                f"{self.name} version {version} is not known here",
                code="kind.version",
                remedy="this book was written by a newer Driveaway; update the program",
            )
        body = self._convert(self.older[version][0], content)
        for step in range(version, self.version):
            body = self.older[step][1](body)
        return body

    def _convert(self, body: type[Body], content: Mapping[str, Any]) -> Body:
        try:
            return msgspec.convert(content, body)
        except msgspec.ValidationError as error:
            raise self.wrong(error) from error

    def wrong(self, error: msgspec.ValidationError) -> BadValue:
        """What is wrong with a body of this kind, in words."""
        said = wording.wrong(self.body, error)
        named = f"{said.field}: " if said.field and said.field not in said.message else ""
        return BadValue(
            f"{self.name}: {named}{said.message}", code="fact.body", remedy=said.remedy, field=said.field
        )


def _listed(*kinds: Kind) -> dict[str, Kind]:
    return {kind.name: kind for kind in kinds}


KINDS: dict[str, Kind] = _listed(
    Kind("order.reserved", orders.OrderReserved, "order"),
    Kind("order.locked", orders.OrderLocked, "order"),
    Kind("order.changed", orders.OrderChanged, "order"),
    Kind("order.cancelled", orders.OrderCancelled, "order"),
    Kind("order.handed_over", orders.OrderHandedOver, "order"),
    Kind("deposit.taken", orders.DepositTaken, "order"),
    Kind("deposit.refunded", orders.DepositRefunded, "order"),
    Kind("deposit.forfeited", orders.DepositForfeited, "order"),
    Kind("payment.received", orders.PaymentReceived, "order"),
    Kind("payment.refunded", orders.PaymentRefunded, "order"),
    Kind("buyer.described", orders.BuyerDescribed, "order"),
    Kind("car.built", cars.CarBuilt, "vin"),
    Kind("car.shipped", cars.CarShipped, "vin"),
    Kind("car.pegged", cars.CarPegged, "vin"),
    Kind("car.unpegged", cars.CarUnpegged, "vin"),
    Kind("car.returned", cars.CarReturned, "vin"),
    Kind("promise.given", delivery.PromiseGiven, "order"),
    Kind("handover.postponed", delivery.HandoverPostponed, "order"),
    Kind("order.prioritised", delivery.OrderPrioritised, "order"),
    Kind("plan.adopted", delivery.PlanAdopted, "slug"),
    Kind("release.published", updates.ReleasePublished, "slug"),
    Kind("release.withdrawn", updates.ReleaseWithdrawn, "slug"),
    Kind("rollout.decided", updates.RolloutDecided, "slug"),
    Kind("update.finished", updates.UpdateFinished, "vin"),
    Kind("version.reported", updates.VersionReported, "vin"),
    Kind("function.opened", updates.FunctionOpened, "slug"),
    Kind("function.closed", updates.FunctionClosed, "slug"),
    Kind("function.activated", updates.FunctionActivated, "vin"),
    Kind("trips.landed", trips.TripsLanded, "slug"),
    Kind("trips.compacted", trips.TripsCompacted, "slug"),
    Kind("trips.settled", trips.QuarantineSettled, "slug"),
    Kind("incident.reported", incidents.IncidentReported, "vin"),
    Kind("incident.filed", incidents.IncidentFiled, "slug"),
    Kind("hold.placed", incidents.HoldPlaced, "any"),
    Kind("hold.lifted", incidents.HoldLifted, "any"),
    Kind("transfer.assessed", incidents.TransferAssessed, "slug"),
    Kind("outlet.opened", public.OutletOpened, "slug"),
    Kind("outlet.closed", public.OutletClosed, "slug"),
    Kind("target.set", public.TargetSet, "slug"),
    Kind("claim.made", public.ClaimMade, "slug"),
    Kind("event.held", public.EventHeld, "slug"),
    Kind("test.measured", public.CarTested, "slug"),
    Kind("launch.described", launches.LaunchDescribed, "slug"),
    Kind("fact.withdrawn", launches.Withdrawn, "any"),
    Kind("subject.erased", launches.SubjectErased, "any"),
)


def kind_named(name: str) -> Kind:
    """The kind of this name.

    Raises:
        BadValue: there is none.
    """
    try:
        return KINDS[name]
    except KeyError:
        raise BadValue(
            f"{name!r} is not a kind of fact", code="kind.unknown", remedy=f"one of {', '.join(KINDS)}"
        ) from None
