"""``decide(state, draft) -> facts or Refused``, over the rules of all rooms."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from copy import copy

import msgspec

from driveaway.book.writer import Reader
from driveaway.facts import KINDS, Draft, Fact, kind_named
from driveaway.facts.cars import CarPegged, CarShipped
from driveaway.facts.description import Description
from driveaway.facts.keys import BUYER, EDITION, SHARED, keys_of
from driveaway.facts.launches import Withdrawn
from driveaway.facts.orders import (
    BuyerDescribed,
    Configuration,
    DepositTaken,
    OrderCancelled,
    OrderLocked,
)
from driveaway.fleet.incidents.holds import check_free
from driveaway.launch.contents import check_contents
from driveaway.launch.outlets import Outlets
from driveaway.launch.overtaken import catch_up
from driveaway.orders.rules import CLOCK_RULE, Desk
from driveaway.orders.state import OrderState
from driveaway.outlets.rules import check_outlet
from driveaway.values.errors import BadValue, Conflict, Refused

_CONFIGURATION = Configuration.__struct_fields__
_OVERTAKEN = 500  # facts of others that states are kept up with; after more they are loaded anew
_KEPT = 300_000
"""States kept between batches at the most: some 200 MB."""


class LaunchDecider:
    """The rules of one launch over the states that its batches need.

    States are kept from one batch to the next for as long as nobody else writes: ``seen`` is the size
    of the book that they stand for.
    """

    def __init__(self, description: Description) -> None:
        self.description = description
        self.desk = Desk(description)
        self.seen = -1
        self._counted: set[str] = set()
        self._outlets = Outlets()
        self._reader: Reader

    def prepare(self, drafts: Sequence[Draft], reader: Reader, size: int) -> None:
        """Load the states that these drafts touch, with a few indexed reads for the whole batch."""
        self._reader = reader
        self._outlets.prepare(drafts, reader, size)
        if not self._up_to_date(size) or len(self.desk.orders) > _KEPT:
            self.desk = Desk(self.description)
            self._counted = set()
        self.seen = -1
        orders, cars = self.desk.orders, self.desk.cars
        keys = {key for draft in drafts for key in keys_of(draft.body)}
        shared = {key for key in keys if key.startswith(SHARED)}
        subjects = {draft.subject for draft in drafts} | (keys - shared)
        subjects.difference_update(orders, cars)
        names = list(subjects)
        if names:
            self._load(reader.live(names, names), subjects)
        if shared:
            self._load_shared(shared, reader)

    def _up_to_date(self, size: int) -> bool:
        """Whether the states stand for a book of this size, caught up with what others wrote if need be."""
        if size == self.seen:
            return True
        if not 0 <= self.seen < size <= self.seen + _OVERTAKEN:
            return False
        return catch_up(self.desk, self._counted, self._reader.recorded(range(self.seen + 1, size + 1)))

    def _load(self, facts: Iterable[Fact], wanted: Container[str]) -> None:
        """Fold facts into fresh states; a fact that links to a state at hand must not count twice there."""
        fresh = Desk(self.description)
        for fact in _in_order(facts):
            fresh.apply(fact.subject, fact.happened, fact.body)
        self.desk.orders.update({name: state for name, state in fresh.orders.items() if name in wanted})
        self.desk.cars.update({name: state for name, state in fresh.cars.items() if name in wanted})
        for buyer, orders in fresh.buyers.items():
            self.desk.buyers.setdefault(buyer, set()).update(orders)
        for edition, orders in fresh.editions.items():
            self.desk.editions.setdefault(edition, set()).update(orders)

    def _load_shared(self, shared: Iterable[str], reader: Reader) -> None:
        """Count whole what limits speak of: a state at hand may have brought in some of it already."""
        missing = [key for key in shared if key not in self._counted]
        rules = self.description.rules
        quotas = {
            EDITION + edition.name for edition in self.description.editions if edition.quota is not None
        }
        for prefix, closing, counts, wanted in (
            (BUYER, ("order.cancelled", "order.handed_over"), self.desk.buyers, rules.limit_per_person),
            (EDITION, ("order.cancelled",), self.desk.editions, quotas or None),
        ):
            keys = [key for key in missing if key.startswith(prefix)] if wanted is not None else []
            for key, subject in reader.open_under(keys, closing) if keys else ():
                counts.setdefault(key.removeprefix(prefix), set()).add(subject)
            self._counted.update(keys)

    def decide(self, draft: Draft) -> Sequence[Draft]:
        """The facts that the draft becomes; a refusal leaves the states as they were.

        Raises:
            BadValue: what it says cannot be asked about later.
            Refused: a rule forbids it.
            Conflict: it replaces a fact that is replaced already.
            NotFound: it replaces a fact that does not exist.
        """
        body = draft.body
        kind = KINDS.get(draft.kind) or kind_named(draft.kind)
        if type(body) is not kind.body:
            raise BadValue(
                f"{draft.kind} was given a {type(body).__name__}",
                code="fact.body",
                remedy=f"give it a {kind.body.__name__}",
            )
        check_contents(body, self.description)
        outlet = getattr(body, "outlet", None)
        if outlet is not None:
            self._outlets.check(outlet, draft, self.desk, self._reader)
        if kind.subject == "slug":
            return self._decide_public(draft)
        if draft.replaces is not None:
            return self._decide_late(draft)
        if draft.kind == "subject.erased":
            check_free(draft.subject, self._reader.live, self.description)
            return (draft,)
        desk = self.desk
        if draft.happened < desk.last(draft.subject, body) and not self._harmless(draft):
            return self._decide_late(draft)
        order_id = body.order if type(body) is CarPegged else draft.subject
        due = desk.clock_lock(order_id, draft.happened)
        if due is None:
            desk.check(draft.subject, draft.happened, body)
            draft = self._filled(draft)
            desk.apply(draft.subject, draft.happened, draft.body)
            return (draft,)
        before = copy(desk.order(order_id))
        lock = self.clock_draft(order_id, due, draft.simulated)
        desk.apply(order_id, due, lock.body)
        try:
            desk.check(draft.subject, draft.happened, body)
        except Refused:
            desk.orders[order_id] = before
            raise
        draft = self._filled(draft)
        desk.apply(draft.subject, draft.happened, draft.body)
        return (lock, draft)

    def _harmless(self, draft: Draft) -> bool:
        """Whether a late fact can break nothing that came after it: a deposit, a description, a shipment."""
        begun = None
        if isinstance(draft.body, DepositTaken | BuyerDescribed):
            begun = self.desk.order(draft.subject).reserved
        elif isinstance(draft.body, CarShipped):
            begun = self.desk.car(draft.subject).built
        return begun is not None and begun <= draft.happened

    def clock_draft(self, order_id: str, due: int, simulated: bool) -> Draft:
        """The lock that the clock makes of a reservation that nobody took back."""
        return _lock_of(self.desk.order(order_id), order_id, due, simulated)

    def _filled(self, draft: Draft) -> Draft:
        """A lock without a configuration takes the order's: a firm order says what was ordered."""
        if isinstance(draft.body, OrderLocked) and draft.body.trim is None:
            state = self.desk.order(draft.subject)
            body = _with_configuration(draft.body, state.configuration)
            if body.edition is None and state.edition is not None:
                body = msgspec.structs.replace(body, edition=state.edition)
            return msgspec.structs.replace(draft, body=body)
        return draft

    def _decide_public(self, draft: Draft) -> Sequence[Draft]:
        if draft.replaces is not None:
            self._same_subject(draft, self._reader.replaced(draft.replaces))
        if draft.kind.startswith("outlet."):
            history = [f for f in self._reader.live([draft.subject], []) if f.seq != draft.replaces]
            check_outlet(_in_order([*history, _as_fact(draft)]))
            if draft.kind == "outlet.opened":
                self._outlets.opened(draft.subject)
        return (draft,)

    def _same_subject(self, draft: Draft, old: Fact) -> None:
        if old.subject != draft.subject or (draft.kind not in (old.kind, "fact.withdrawn")):
            raise Conflict(
                f"fact {old.seq} is {old.kind} about {old.subject}",
                code="fact.replaces_other",
                remedy="a correction has the kind and the subject of what it corrects",
            )
        if old.kind in ("fact.withdrawn", "subject.erased"):
            raise Refused(
                f"fact {old.seq} is a {old.kind}, which stands for ever",
                code="fact.final",
                remedy="record what holds now as a new fact",
            )

    def _decide_late(self, draft: Draft) -> Sequence[Draft]:
        """A correction, or a fact that arrives late: the whole history must be legal with it.

        What the rules find wrong in the history as it stood is not held against the newcomer.
        """
        if draft.kind == "fact.withdrawn" and draft.replaces is None:
            raise BadValue(
                "a withdrawal names the fact it takes back",
                code="fact.withdraws_nothing",
                remedy="driveaway withdraw SEQ",
            )
        old = None if draft.replaces is None else self._reader.replaced(draft.replaces)
        if old is not None:
            self._same_subject(draft, old)
        history = _in_order(self._component(draft, old))
        before = {key for key, _ in self._violations(history)[1]}
        kept = [fact for fact in history if fact.seq != draft.replaces]
        if old is not None and old.kind.startswith("outlet."):
            check_outlet(kept)
        if old is None:
            past = self._fold(draft, (fact for fact in kept if fact.happened <= draft.happened))
            past.check(draft.subject, draft.happened, draft.body)
            if isinstance(draft.body, OrderLocked) and draft.body.trim is None:
                body = _with_configuration(draft.body, past.order(draft.subject).configuration)
                draft = msgspec.structs.replace(draft, body=body)
        lock = self._lock_before(draft, kept) if isinstance(draft.body, OrderCancelled) else ()
        kept.extend(map(_as_fact, (*lock, draft)))
        taken_back: list[Draft] = []
        stored = [fact for fact in kept if fact.seq != _NEW]
        while True:
            desk, after = self._violations(_in_order(kept))
            new = next(((seq, error) for (seq, code), error in after if (seq, code) not in before), None)
            if new is None:
                break
            clock = next(
                (fact for fact in stored if fact.seq == new[0] and fact.source.startswith(_CLOCK)), None
            )
            if clock is None:
                raise _could_not_stand(*new)
            # What the clock did rested on nobody having said otherwise in time; now somebody has.
            taken_back.append(_clock_taken_back(clock))
            kept.remove(clock)
            kept.append(_as_fact(taken_back[-1]))
        judged = {subject for fact in history for subject in _links(fact)}
        self._check_limits(self._violations(history)[0], desk, judged)
        self._take_over(desk, judged)
        return (*taken_back, *lock, draft)

    def _lock_before(self, draft: Draft, kept: Sequence[Fact]) -> Sequence[Draft]:
        """The lock of the clock that a cancellation, corrected to a later time, comes too late for."""
        order_id = draft.subject
        past = self._fold(draft, _in_order(fact for fact in kept if fact.happened <= draft.happened))
        due = past.clock_lock(order_id, draft.happened)
        if due is None:
            return ()
        then = self._fold(draft, _in_order(fact for fact in kept if fact.happened <= due)).order(order_id)
        then.withdrawals = sum(fact.subject == order_id and isinstance(fact.body, Withdrawn) for fact in kept)
        return (_lock_of(then, order_id, due, draft.simulated),)

    def _check_limits(self, before: Desk, after: Desk, judged: set[str]) -> None:
        """A correction or a late fact may not open more orders than the limit or the quota allows."""
        limit = self.description.rules.limit_per_person
        for buyer, orders in after.buyers.items():
            if limit is not None and len(orders) > len(before.buyers.get(buyer, ())):
                closing = ("order.cancelled", "order.handed_over")
                if len(orders | self._others(BUYER + buyer, closing, judged)) > limit:
                    raise Refused(
                        f"this buyer would hold more than {limit} open orders, the limit per person",
                        code="order.limit",
                        remedy="cancel one of them first",
                        field="buyer",
                    )
        for name, orders in after.editions.items():
            edition = self.description.edition(name)
            quota = None if edition is None else edition.quota
            if quota is None or len(orders) <= len(before.editions.get(name, ())):
                continue
            if len(orders | self._others(EDITION + name, ("order.cancelled",), judged)) > quota:
                raise Refused(
                    f"edition {name} has its {quota} orders",
                    code="order.quota",
                    remedy="reserve without the edition",
                    field="edition",
                )

    def _others(self, key: str, closing: Sequence[str], judged: set[str]) -> set[str]:
        """Open orders under a key, those of this batch included, without the ones being judged."""
        counts = self.desk.buyers if key.startswith(BUYER) else self.desk.editions
        known = counts.get(key.partition(":")[2], set())
        stored = {subject for _, subject in self._reader.open_under([key], closing)}
        return (stored | known) - judged

    def _component(self, draft: Draft, old: Fact | None) -> list[Fact]:
        """Every live fact that the draft's legality can depend on: its order, its cars, their orders."""
        subjects = {draft.subject, *(k for k in keys_of(draft.body) if not k.startswith(SHARED))}
        if old is not None:
            subjects.update(_links(old))
        while True:
            facts = self._reader.live(sorted(subjects), sorted(subjects))
            linked = subjects.union(*(_links(fact) for fact in facts))
            if linked == subjects:
                return facts
            subjects = linked

    def _violations(self, history: Iterable[Fact]) -> tuple[Desk, list[tuple[tuple[int, str], Refused]]]:
        desk = Desk(self.description)
        found: list[tuple[tuple[int, str], Refused]] = []
        for fact in history:
            try:
                desk.check(fact.subject, fact.happened, fact.body)
            except Refused as error:
                found.append(((fact.seq, error.code), error))
            desk.apply(fact.subject, fact.happened, fact.body)
        return desk, found

    def _fold(self, draft: Draft, history: Iterable[Fact]) -> Desk:
        """The states before a draft, with what its limits count."""
        desk = Desk(self.description)
        for key in keys_of(draft.body):
            if key.startswith(BUYER):
                buyer = key.removeprefix(BUYER)
                desk.buyers[buyer] = set(self.desk.buyers.get(buyer, ()))
            elif key.startswith(EDITION):
                edition = key.removeprefix(EDITION)
                desk.editions[edition] = set(self.desk.editions.get(edition, ()))
        for fact in history:
            desk.apply(fact.subject, fact.happened, fact.body)
        return desk

    def _take_over(self, desk: Desk, judged: set[str]) -> None:
        """The states of what was judged are those of this desk now, or nothing when nothing is left."""
        for name in judged:
            self.desk.orders.pop(name, None)
            self.desk.cars.pop(name, None)
        self.desk.orders.update(desk.orders)
        self.desk.cars.update(desk.cars)
        for counts, new in ((self.desk.buyers, desk.buyers), (self.desk.editions, desk.editions)):
            for orders in counts.values():
                orders -= judged
            for name, orders in new.items():
                counts.setdefault(name, set()).update(orders)


_NEW = 2**62
_CLOCK = "urn:driveaway:clock:"


def _could_not_stand(seq: int, error: Refused) -> Refused:
    """The newcomer's own refusal, or that of the fact which could not stand with it."""
    if seq == _NEW:
        return error
    return Refused(
        f"fact {seq} could then not stand: {error.message}",
        code=error.code,
        remedy="correct or withdraw that fact first",
    )


def _lock_of(state: OrderState, order_id: str, due: int, simulated: bool) -> Draft:
    body = _with_configuration(OrderLocked(rule=CLOCK_RULE, edition=state.edition), state.configuration)
    source = f"{_CLOCK}{CLOCK_RULE}/{order_id}/{due}"
    if state.withdrawals:
        # An earlier lock of the clock may be among what was taken back.
        source += f"/{state.withdrawals}"
    return Draft("order.locked", order_id, due, body, source, simulated=simulated)


def _clock_taken_back(clock: Fact) -> Draft:
    body = Withdrawn(reason="the order had been locked, changed or called off before the clock locked it")
    source = f"{_CLOCK}taken-back/{clock.seq}"
    return Draft("fact.withdrawn", clock.subject, clock.happened, body, source, clock.seq, clock.simulated)


def _as_fact(draft: Draft) -> Fact:
    """A draft as it would stand in the book, after everything else of the same moment."""
    return Fact(
        _NEW, draft.kind, 1, draft.subject, draft.happened, 0, draft.source, draft.replaces, False, draft.body
    )


def _in_order(facts: Iterable[Fact]) -> list[Fact]:
    """By valid time; among facts of one moment a correction has the place of what it corrects."""
    return sorted(
        facts, key=lambda fact: (fact.happened, fact.seq if fact.replaces is None else fact.replaces)
    )


def _links(fact: Fact) -> set[str]:
    return {fact.subject, *(key for key in keys_of(fact.body) if not key.startswith((BUYER, EDITION)))}


def _with_configuration(body: OrderLocked, configuration: Configuration | None) -> OrderLocked:
    if configuration is None:
        return body
    return msgspec.structs.replace(body, **{name: getattr(configuration, name) for name in _CONFIGURATION})
