"""What a buyer can be told: an estimate, the window to promise, why that late, and how it moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow.compute as pc

from driveaway.delivery.kept.learned import Level
from driveaway.delivery.planning.problem import NO_DAY, Configuration
from driveaway.facts import Draft, Fact
from driveaway.facts.delivery import PlanAdopted, PromiseGiven
from driveaway.launch.launch import Launch, Outcome
from driveaway.launch.planning.landing import column_of, landed
from driveaway.launch.planning.proposing import Proposal, offered
from driveaway.values.errors import BadValue, NotFound, Refused
from driveaway.values.ids import OrderId
from driveaway.values.provinces import province_code

Window = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Told:
    """A date that an adopted plan had for an order.

    Attributes:
        plan: its slug.
        on: day 0 of the plan.
        day: handover at the confidence of windows' last days; None: not within that plan's horizon.
    """

    plan: str
    on: date
    day: date | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """When an order is handed over, as far as the plan can say: it moves freely. A promise does not.

    Attributes:
        order_id: of the order.
        configuration: what is built.
        region: code of the province; None: not known, dated with the mixture of all.
        dates: day of handover by confidence; None: not within the horizon.
        slot: day on which the car is built when all goes as expected; None: not within the horizon, or
            built already.
        built: whether the car is built already.
        window: to tell the buyer; None: not within the horizon.
        level: of the window's last day.
        last: day of handover at the nominal confidence of windows' last days, which ``window`` may end
            before or after.
        held_by: what held its queue back, most days first, each with its working days.
        ahead: orders before it in its own queue, and of all orders.
        committed: the window last promised; None: none was.
        keeps: whether the window's last day lies within what was promised; None without a promise.
        history: what adopted plans had for it, the first one first.
        reason: why it has no date; "" where it has one.
        simulated: whether the order is simulated.
    """

    order_id: str
    configuration: Configuration
    region: str | None
    dates: Mapping[float, date | None]
    slot: date | None
    built: bool
    window: Window | None
    level: Level
    last: date | None
    held_by: tuple[tuple[str, int], ...]
    ahead: tuple[int, int]
    committed: Window | None
    keeps: bool | None
    history: tuple[Told, ...]
    reason: str
    simulated: bool


def estimates(launch: Launch, proposal: Proposal, order_ids: Sequence[OrderId] | None) -> Iterator[Estimate]:
    """Estimates of some open orders, or of all.

    Args:
        launch: whose adopted plans tell the history.
        proposal: the plan.
        order_ids: None: every open order, by its place in the queue.

    Raises:
        NotFound: one is no open firm order as of the plan; names it, and the state it is in stands in
            ``driveaway order``.
    """
    rows = range(proposal.open)
    if order_ids is not None:
        at = {order_id: row for row, order_id in enumerate(proposal.orders["order_id"].to_pylist())}
        missing = [order_id for order_id in order_ids if order_id not in at]
        if missing:
            raise NotFound(
                f"{missing[0]} is no open firm order by then",
                code="promise.not_open",
                remedy=f"driveaway order {missing[0]} tells its life",
            )
        rows = [at[order_id] for order_id in order_ids]  # type: ignore[assignment]
    told = _told(launch, proposal, rows)
    plan, orders = proposal.plan, proposal.orders
    windows = windows_of(proposal)
    unplannable = set(plan.unplannable.tolist())
    columns = {name: orders[name].to_pylist() for name in ("order_id", "province", "simulated")}
    first, last = (orders[name].to_pylist() for name in ("promised_first", "promised_last"))
    known = {region.code for region in plan.supply.regions}
    for row in rows:
        order_id, region = columns["order_id"][row], columns["province"][row]
        configuration = plan.demand.configurations[plan.demand.configuration[row]]
        window = windows(row)
        committed = (
            None if last[row] is None else (date.fromisoformat(first[row]), date.fromisoformat(last[row]))
        )
        built = bool(plan.slot[row] < 0)
        why = plan.explain(row)
        reason = ""
        if row in unplannable:
            reason = f"no line builds {' '.join(part for part in configuration[:3] if part)}"
        elif window is None:
            reason = f"not within the {proposal.settings.horizon_weeks} weeks of the plan"
        yield Estimate(
            order_id=order_id,
            configuration=configuration,
            region=region if region in known else None,
            dates={
                confidence: proposal.day(int(plan.promises.handed[proposal.level(confidence), row]))
                for confidence in proposal.settings.confidences
            },
            slot=None if built else proposal.day(int(plan.slot[row])),
            built=built,
            window=window,
            level=proposal.asked,
            last=proposal.day(int(plan.promises.handed[proposal.level(proposal.settings.window[1]), row])),
            held_by=why.held_by,
            ahead=(why.ahead, why.ahead_overall),
            committed=committed,
            keeps=None if committed is None else window is not None and window[1] <= committed[1],
            history=told.get(order_id, ()),
            reason=reason,
            simulated=bool(columns["simulated"][row]),
        )


def windows_of(proposal: Proposal) -> Callable[[int], Window | None]:
    """The window to tell each buyer, by row of the plan: first and last day, both included.

    Its last day is asked of the plan at the level that past promises of this launch have taught.
    """
    levels = proposal.settings.window[0], proposal.asked.used
    low, high = (proposal.plan.promises.handed[proposal.level(level)] for level in levels)
    return lambda row: window(proposal, int(low[row]), int(high[row]))


def window(proposal: Proposal, first: int, last: int) -> Window | None:
    """A window of days of the horizon, at least as long as the shortest that is promised."""
    if last == NO_DAY:
        return None
    start, end = proposal.day(first), proposal.day(last)
    assert start is not None
    assert end is not None
    shortest = timedelta(days=proposal.settings.window_days - 1)
    return start, max(end, start + shortest)


def _told(launch: Launch, proposal: Proposal, rows: Iterable[int]) -> dict[str, tuple[Told, ...]]:
    """What each adopted plan had for these orders."""
    ids = proposal.orders["order_id"].to_pylist()
    wanted = {ids[row] for row in rows}
    column = column_of(proposal.settings.window[1])
    out: dict[str, list[Told]] = {}
    for fact in proposal.cut.facts("plan.adopted"):
        for order_id, day in _dates_in(launch, fact, column).items():
            if order_id in wanted:
                assert isinstance(fact.body, PlanAdopted)
                told = Told(fact.subject, date.fromisoformat(fact.body.first_day), day)
                out.setdefault(order_id, []).append(told)
    return {order_id: tuple(all_told) for order_id, all_told in out.items()}


def _dates_in(launch: Launch, fact: Fact, column: str) -> dict[str, date | None]:
    table = landed(launch, fact).table
    if column not in table.column_names:
        return {}
    return dict(zip(table["order_id"].to_pylist(), table[column].to_pylist(), strict=True))


def drafts_of(
    launch: Launch,
    proposal: Proposal,
    order_ids: Sequence[OrderId] | None,
    *,
    reason: str | None,
    at: int | None,
) -> list[Draft]:
    """Facts that promise each order its window: a commitment.

    Their confidence is the nominal one, the share of such promises that is to be kept, whatever level the
    plan was asked for to keep it.

    Orders whose promise stands, and those without a date within the horizon, are left as they are when all
    are asked for.

    Args:
        launch: where.
        proposal: the plan that the windows come from.
        order_ids: None: every open order.
        reason: why an earlier promise is changed; needed where there is one.
        at: when; default: the as-of of the plan.

    Raises:
        Refused: an order was promised a window already and no reason is given, or it has no date.
    """
    confidence = proposal.settings.window[1]
    plan = None if proposal.previous is None else proposal.previous.name
    happened = proposal.cut.as_of if at is None else at
    drafts: list[Draft] = []
    for estimate in estimates(launch, proposal, order_ids):
        if estimate.window is None or (
            estimate.committed is not None and order_ids is None and reason is None
        ):
            if order_ids is not None:
                raise Refused(
                    f"{estimate.order_id} has no window to promise: {estimate.reason}",
                    code="promise.no_window",
                    remedy="plan a longer horizon, or describe what builds it",
                )
            continue
        first, last = estimate.window
        body = PromiseGiven(
            first_day=first.isoformat(), last_day=last.isoformat(), confidence=confidence, plan=plan,
            trim=estimate.configuration.trim or None, province=estimate.region, reason=reason,
        )  # fmt: skip
        source = f"urn:driveaway:promise:{estimate.order_id}/{proposal.cut.mark}/{first}/{last}"
        drafts.append(
            Draft("promise.given", estimate.order_id, happened, body, source, simulated=estimate.simulated)
        )
    return drafts


def commit(
    launch: Launch,
    proposal: Proposal,
    order_ids: Sequence[OrderId] | None,
    *,
    reason: str | None,
    at: int | None,
) -> list[Outcome]:
    """Promise each order its window; see ``drafts_of``."""
    return launch.append(drafts_of(launch, proposal, order_ids, reason=reason, at=at))


@dataclass(frozen=True, slots=True)
class Quoted:
    """A date for a buyer who has not ordered yet, as if the order were locked now.

    Attributes:
        dates: day of handover by confidence; None: not within the horizon.
        window: to tell the buyer; None: not within the horizon.
        level: of the window's last day.
        ahead: orders before it in its queue.
    """

    configuration: Configuration
    region: str | None
    dates: Mapping[float, date | None]
    window: Window | None
    level: Level
    ahead: int


def quote(proposal: Proposal, trim: str, colour: str | None = None, region: str | None = None) -> Quoted:
    """Capable-to-promise: a date for a configuration that nobody has ordered yet.

    Raises:
        BadValue: it is not sold; the remedy lists what is.
        NotFound: the plan has no such region.
        Refused: no line builds it.
    """
    wanted = Configuration(trim, colour)
    known = offered(proposal.description)
    if known and wanted not in known:
        raise BadValue(
            f"{trim} {colour or ''}".strip() + " is not sold",
            code="promise.configuration",
            remedy=f"trims: {', '.join(sorted({c.trim for c in known}))}; "
            f"colours: {', '.join(sorted({c.colour for c in known if c.colour}))}",
        )
    found = proposal.plan.quote(wanted, region)
    levels = np.asarray(found.confidences)

    def at(confidence: float) -> int:
        return int(found.handed[int(np.abs(levels - confidence).argmin())])

    return Quoted(
        configuration=wanted,
        region=region,
        dates={confidence: proposal.day(at(confidence)) for confidence in proposal.settings.confidences},
        window=window(proposal, at(proposal.settings.window[0]), at(proposal.asked.used)),
        level=proposal.asked,
        ahead=found.ahead,
    )


def region_of(proposal: Proposal, province: str | None, city: str | None) -> str | None:
    """The region that a buyer names by its province (code or name), or by a city where orders come from.

    Raises:
        NotFound: no order comes from such a city; name the province instead.
    """
    if province is not None:
        return province_code(province, {region.code: region.name for region in proposal.description.regions})
    if city is None:
        return None
    orders = proposal.orders
    found = orders.filter(pc.equal(orders["city"], city))["province"].drop_null()
    if not len(found):
        raise NotFound(
            f"no open order comes from {city!r}", code="promise.city", remedy="name the province: province=…"
        )
    return str(found[0].as_py())
