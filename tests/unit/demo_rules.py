"""The rules of the order desk, checked again by other means than the book's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from driveaway.facts.base import Draft
from driveaway.facts.description import Description
from driveaway.values.clock import HOUR, parse_instant, zone
from driveaway.values.ids import parse_battery_code, parse_order_id, parse_vin


class Checker:
    """Takes drafts in order of time and asserts at each that it is allowed."""

    def __init__(self, description: Description) -> None:
        self.description = description
        tz = zone(description.zone)
        self.windows = {
            w.name: (parse_instant(w.from_time, tz), parse_instant(w.until_time, tz), w.requeues)
            for w in description.rules.change_windows
        }
        self.trims = {trim.name for trim in description.trims}
        self.reserved: dict[str, Draft] = {}
        self.locked: dict[str, Draft] = {}
        self.cancelled: set[str] = set()
        self.handed: set[str] = set()
        self.configuration: dict[str, tuple] = {}
        self.deposit: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self.open_by_buyer: Counter[str] = Counter()
        self.by_edition: Counter[str] = Counter()
        self.built: dict[str, Draft] = {}
        self.order_of_car: dict[str, str] = {}
        self.car_of_order: dict[str, str] = {}
        self.shipped: set[str] = set()
        self.described: set[str] = set()
        self.outlets: dict[str, Draft] = {}
        self.changes: dict[str, list[bool]] = defaultdict(list)
        self.happened = -(2**63)
        self.sources: set[str] = set()

    def run(self, drafts: Iterable[Draft]) -> Checker:
        for draft in drafts:
            assert draft.simulated
            assert draft.happened >= self.happened
            self.happened = draft.happened
            assert draft.source not in self.sources
            self.sources.add(draft.source)
            getattr(self, "on_" + draft.kind.replace(".", "_"))(draft, draft.subject, draft.body)
        return self

    def on_outlet_opened(self, draft, slug, body):
        assert slug not in self.outlets
        self.outlets[slug] = draft

    def on_order_reserved(self, draft, order, body):
        assert parse_order_id(order) == order
        assert order not in self.reserved
        self.reserved[order] = draft
        assert body.trim in self.trims
        assert body.colour in self.description.colours
        assert body.outlet is None or body.outlet in self.outlets
        self.configuration[order] = _configuration(body)
        self.open_by_buyer[body.buyer] += 1
        assert self.open_by_buyer[body.buyer] <= self.description.rules.limit_per_person
        if body.edition:
            self.by_edition[body.edition] += 1
            edition = self.description.edition(body.edition)
            assert edition.quota is None or self.by_edition[body.edition] <= edition.quota
            assert draft.happened >= parse_instant(edition.opens, zone(self.description.zone))

    def on_deposit_taken(self, draft, order, body):
        assert order in self.reserved
        edition = self.reserved[order].body.edition
        assert body.amount == (2_000_000 if edition else 500_000)
        self.deposit[order] += body.amount

    def on_deposit_refunded(self, draft, order, body):
        assert order in self.cancelled
        self.deposit[order] -= body.amount
        assert self.deposit[order] == 0

    def on_order_changed(self, draft, order, body):
        assert order in self.reserved
        assert order not in self.cancelled
        assert order not in self.handed
        if order in self.locked:
            start, end, requeues = self.windows[body.rule]
            assert start <= draft.happened <= end
            assert body.requeues == requeues
            assert order not in self.car_of_order
        else:
            assert body.rule is None
            assert not body.requeues
        assert _configuration(body) != self.configuration[order]
        self.configuration[order] = _configuration(body)
        self.changes[order].append(body.requeues)

    def on_order_locked(self, draft, order, body):
        assert order in self.reserved
        assert order not in self.locked
        assert order not in self.cancelled
        assert _configuration(body) == self.configuration[order]
        reservation = self.reserved[order]
        assert body.edition == reservation.body.edition
        waited = draft.happened - reservation.happened
        limit = self.description.rules.refundable_hours * HOUR
        if body.rule == "edition-at-payment":
            assert self.description.edition(body.edition).locks_at_payment
            assert waited == 0
            assert self.deposit[order] == 2_000_000
        elif body.rule == "unclaimed-reservation":
            assert waited == limit
        else:
            assert body.rule == "buyer"
            assert 0 < waited < limit
        self.locked[order] = draft

    def on_order_cancelled(self, draft, order, body):
        assert order in self.reserved
        assert order not in self.locked
        assert order not in self.cancelled
        reservation = self.reserved[order]
        assert 0 < draft.happened - reservation.happened < self.description.rules.refundable_hours * HOUR
        self.cancelled.add(order)
        self.open_by_buyer[reservation.body.buyer] -= 1

    def on_buyer_described(self, draft, order, body):
        assert order in self.locked
        assert order not in self.described
        assert draft.happened == self.locked[order].happened
        self.described.add(order)

    def on_car_built(self, draft, vin, body):
        assert parse_vin(vin) == vin
        assert vin.startswith(self.description.car.world_manufacturer)
        assert vin not in self.built
        assert parse_battery_code(body.battery_code) == body.battery_code
        assert 2 <= len(body.ecus) <= 3
        self.built[vin] = draft

    def on_car_pegged(self, draft, vin, body):
        car = self.built[vin].body
        assert car.purpose == "order"
        assert vin not in self.order_of_car
        assert body.order not in self.car_of_order
        assert body.order in self.locked
        trim, colour, *_ = self.configuration[body.order]
        assert (car.trim, car.colour) == (trim, colour)
        self.order_of_car[vin] = body.order
        self.car_of_order[body.order] = vin

    def on_car_unpegged(self, draft, vin, body):
        assert self.order_of_car.pop(vin) == body.order
        assert self.car_of_order.pop(body.order) == vin
        assert body.order not in self.handed

    def on_car_shipped(self, draft, vin, body):
        assert vin in self.built
        assert vin not in self.shipped
        assert body.outlet is None or body.outlet in self.outlets
        self.shipped.add(vin)

    def on_payment_received(self, draft, order, body):
        assert order in self.locked
        self.paid[order] += body.amount

    def on_order_handed_over(self, draft, order, body):
        assert order in self.locked
        assert order not in self.handed
        assert order not in self.cancelled
        assert self.order_of_car[body.vin] == order
        assert body.vin in self.shipped
        assert self.deposit[order] + self.paid[order] >= self.configuration[order][2]
        self.handed.add(order)
        self.open_by_buyer[self.reserved[order].body.buyer] -= 1


def _configuration(body) -> tuple:
    return body.trim, body.colour, body.price, body.currency, body.province, body.city, body.outlet
