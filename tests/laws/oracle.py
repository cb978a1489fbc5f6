"""The figures once more, folded from the facts in plain Python, one fact after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from driveaway.facts import Fact
from driveaway.values.provinces import BY_CODE


def cut(facts: Iterable[Fact], as_of: int, mark: int) -> list[Fact]:
    """What was known at the mark of what had happened by the as-of, in order of valid time."""
    known = [fact for fact in facts if fact.seq <= mark]
    replaced = {fact.replaces for fact in known}
    live = [fact for fact in known if fact.seq not in replaced and fact.happened <= as_of]
    return sorted(live, key=lambda fact: (fact.happened, fact.seq))


@dataclass
class Tally:
    """One order or car as far as the facts have been read."""

    reserved: Fact | None = None
    locked: Fact | None = None
    cancelled: Fact | None = None
    handed_over: Fact | None = None
    returned: bool = False
    buyer: Fact | None = None
    trim: str | None = None
    configured: bool = False


@dataclass
class Fold:
    """All of a cut."""

    orders: dict[str, Tally] = field(default_factory=dict)
    built: list[Fact] = field(default_factory=list)
    outlets: dict[str, Fact] = field(default_factory=dict)
    finished: dict[tuple[str, int], Fact] = field(default_factory=dict)
    reports: list[Fact] = field(default_factory=list)
    activated: dict[tuple[str, str], Fact] = field(default_factory=dict)
    rollouts: dict[str, Fact] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def order(self, subject: str) -> Tally:
        return self.orders.setdefault(subject, Tally())

    def read(self, fact: Fact) -> None:
        body: Any = fact.body
        self.seen.add(fact.kind)
        match fact.kind:
            case "order.reserved":
                self.order(fact.subject).reserved = fact
                # Nothing is said of an order before it is reserved: a correction of the reservation that
                # came in after a lock of the same moment does not speak last.
                if not self.order(fact.subject).configured:
                    self.order(fact.subject).trim = body.trim
            case "order.locked":
                self.order(fact.subject).locked = fact
                if body.trim is not None:
                    self.order(fact.subject).trim = body.trim
                    self.order(fact.subject).configured = True
            case "order.changed":
                self.order(fact.subject).trim = body.trim
                self.order(fact.subject).configured = True
            case "order.cancelled":
                self.order(fact.subject).cancelled = fact
            case "order.handed_over":
                self.order(fact.subject).handed_over = fact
            case "buyer.described":
                self.order(fact.subject).buyer = fact
            case "car.built":
                self.built.append(fact)
            case "car.returned":
                self.order(body.order).returned = True
            case "outlet.opened":
                self.outlets[fact.subject] = fact
            case "outlet.closed":
                self.outlets.pop(fact.subject, None)
            case "update.finished":
                self.finished[fact.subject, body.action] = fact
            case "version.reported":
                self.reports.append(fact)
            case "function.activated":
                self.activated.setdefault((fact.subject, body.function.replace("-", "_")), fact)
            case "rollout.decided":
                self.rollouts[fact.subject] = fact


def fold(facts: Iterable[Fact]) -> Fold:
    """Facts in order of valid time."""
    state = Fold()
    for fact in facts:
        state.read(fact)
    return state


def expected(state: Fold) -> dict[str, tuple[Any, bool]]:
    """Figure → (value, simulated); a value of None: unknown."""
    orders = list(state.orders.values())
    reserved = [t for t in orders if t.reserved]
    locked = [t for t in orders if t.locked]
    handed = [t for t in orders if t.handed_over]
    open_now = list(state.outlets.values())
    said = {
        "orders.reserved": _count([t.reserved for t in reserved]),
        "orders.locked": _count([t.locked for t in locked]),
        "orders.locked_net": _count([t.locked for t in locked if not t.cancelled]),
        "orders.cancelled": _count([t.cancelled for t in orders if t.cancelled]),
        "orders.waiting": _count([t.locked for t in locked if not t.cancelled and not t.handed_over]),
        "cars.built": _count(state.built),
        "cars.delivered": _count([t.handed_over for t in handed]),
        "cars.delivered_net": _count([t.handed_over for t in handed if not t.returned]),
        "outlets.open": _count(open_now),
        "outlets.cities": (len({(f.body.province, f.body.city) for f in open_now}), _simulated(open_now)),  # type: ignore[attr-defined]
        "outlets.provinces_covered": _provinces(open_now),
        "updates.functions_active": _count(list(state.activated.values())),
        "updates.installed": _count(_installed(state)),
    }
    rests_on = {"orders": {"order.reserved", "order.locked"}, "outlets": {"outlet.opened"}}
    rests_on["updates"] = {"version.reported", "update.finished"}
    for name in said:
        evidence = rests_on.get(
            name.partition(".")[0], {"order.reserved", "order.locked", "order.handed_over"}
        )
        if name == "cars.built":
            evidence = {"car.built"}
        if name == "updates.functions_active":
            evidence = {"function.activated"}
        if not evidence & state.seen:
            said[name] = (None, False)
    rate = None if not reserved else sum(bool(t.locked) for t in reserved) / len(reserved)
    said["orders.lock_rate"] = (rate, _simulated([f for t in reserved for f in (t.reserved, t.locked) if f]))
    said["updates.install_success"] = _success(state)
    return said


def _installed(state: Fold) -> list[Fact]:
    last = {fact.subject: fact for fact in state.reports}
    return [fact for fact in last.values() if fact.body.agrees]  # type: ignore[attr-defined]


def _success(state: Fold) -> tuple[float | None, bool]:
    """The share of updates that ended well, of those of which it is known."""
    known: list[bool] = []
    rested_on: list[Fact] = []
    for (vin, action), fact in state.finished.items():
        body: Any = fact.body
        said: Any = [
            report
            for report in state.reports
            if report.subject == vin and report.body.action == action and report.body.agrees is not None  # type: ignore[attr-defined]
        ]
        if body.outcome in ("failed", "silent", "fell_back"):
            known.append(False)
        elif body.outcome == "installed" and (body.verified or said):
            known.append(body.verified or any(report.body.agrees for report in said))
        else:
            continue
        rested_on += [fact, *said]
    return (sum(known) / len(known) if known else None), _simulated(rested_on)


def by_trim(state: Fold) -> dict[str, dict[str | None, int]]:
    """Counts of orders by the trim that each order has at last."""
    out: dict[str, dict[str | None, int]] = {
        "orders.reserved": {},
        "orders.locked": {},
        "orders.cancelled": {},
    }
    for tally in state.orders.values():
        for name, fact in (
            ("orders.reserved", tally.reserved),
            ("orders.locked", tally.locked),
            ("orders.cancelled", tally.cancelled),
        ):
            if fact is not None:
                out[name][tally.trim] = out[name].get(tally.trim, 0) + 1
    built: dict[str, Any] = {fact.subject: fact.body for fact in state.built}
    active = out["updates.functions_active"] = {}
    for vin, _ in state.activated:
        trim = built[vin].trim if vin in built else None
        active[trim] = active.get(trim, 0) + 1
    return out


def rollouts(state: Fold) -> set[tuple[Any, ...]]:
    """Rollout, last decision, and how many cars it opened and how many succeeded and failed."""
    out: set[tuple[Any, ...]] = set()
    for name, fact in state.rollouts.items():
        body: Any = fact.body
        out.add((name, body.decision, body.opened, body.succeeded, body.failed, fact.simulated))
    return out


def shares(state: Fold, attribute: str) -> tuple[dict[Any, int], int]:
    """Buyers of locked orders by an attribute, and how many of them are described."""
    found: dict[Any, int] = {}
    for tally in state.orders.values():
        body: Any = None if tally.buyer is None else tally.buyer.body
        if (
            tally.locked
            and body is not None
            and any(getattr(body, n) is not None for n in body.__struct_fields__)
        ):
            value = getattr(body, attribute)
            found[value] = found.get(value, 0) + 1
    return found, sum(found.values())


def _count(facts: list[Any]) -> tuple[int, bool]:
    return len(facts), _simulated(facts)


def _provinces(facts: list[Any]) -> tuple[int, bool]:
    mainland = [f for f in facts if f.body.province in BY_CODE]
    return len({f.body.province for f in mainland}), _simulated(mainland)


def _simulated(facts: list[Any]) -> bool:
    return any(fact.simulated for fact in facts)
