"""The forecast: the peers' ramps, given this launch's record, under this plant's capacity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from driveaway.delivery.ramp.paths import Paths
from driveaway.delivery.ramp.prior import RampPrior, packaged_prior
from driveaway.delivery.ramp.record import Record, Span, lengths, months
from driveaway.delivery.ramp.season import features
from driveaway.delivery.ramp.types import DAYS_PER_MONTH, Amounts
from driveaway.values.errors import BadValue

CEILING = 8.0
"""How hard capacity bounds output: a ramp that would reach capacity exactly gets 2**(-1/8) = 92% of it, one
that would reach one and a half times as much gets 99.5%."""

WANT_OF_DEMAND = 0.5
"""Share of paths in which a lasting decline, as the peers had it, was for want of demand."""

_DAY = timedelta(1)


@dataclass(frozen=True, slots=True)
class StatedRate:
    """A daily rate that was stated beside the counts.

    Attributes:
        day: for which it was stated.
        cars: per calendar day.
        spread: standard deviation of the logarithm of its error.
    """

    day: date
    cars: float
    spread: float = 0.15


def forecast(
    record: Record,
    capacity: Amounts,
    *,
    as_of: date,
    open_orders: float | None = None,
    paths: int = 10_000,
    seed: int = 0,
    prior: RampPrior | None = None,
    stated: StatedRate | None = None,
    want_of_demand: float = WANT_OF_DEMAND,
    seasons: bool = True,
) -> Paths:
    """Paths of cumulative handovers, each day after the as-of.

    The peers' distribution of log rates, conditioned exactly on the record, gives what each path would hand
    over if the plant could build it. Output is then bounded softly by capacity (see `CEILING`), which in
    some paths is raised (`RampPrior.raises`). Capacity takes no part in the conditioning.

    While open orders last, no buyer is wanting: in a share of the paths the rate does not fall below that of
    the record's last month (seasons apart) until as many cars were handed over as orders were open. New
    orders are not modelled: in the other paths, and after that, demand is what the peers' was.

    Args:
        record: what was handed over; counts later than the as-of are not looked at.
        capacity: expected cars at full rate on each day from the day after the as-of, 0 on days without a
            shift, shape (days,).
        as_of: the last day that is known.
        open_orders: firm orders still open at the as-of; None: not known, and not used.
        paths: how many.
        seed: of the random numbers; the same seed gives the same paths.
        prior: None: the packaged one.
        stated: a daily rate stated beside the counts.
        want_of_demand: share of paths that open orders hold up.
        seasons: whether China's seasons apply.

    Raises:
        BadValue: capacity is empty, negative or not finite (`delivery.capacity`); a share, count or stated
            rate is out of range (`delivery.forecast_input`); a day outside the tabulated seasons
            (`delivery.season_unknown`).
    """
    _check(capacity, paths, open_orders, want_of_demand, stated)
    prior = packaged_prior() if prior is None else prior
    if not seasons:
        prior = replace(prior, season=(0.0,) * len(prior.season))
    record = record.until(as_of)
    if stated is not None and not record.first_delivery <= stated.day <= as_of:
        stated = None
    random = np.random.default_rng(seed)
    end = as_of + len(capacity) * _DAY
    start = record.last_day + _DAY
    horizon = months(start, end)
    rates, floor = _conditioned(prior, record, horizon, stated, paths, random)
    # Days that are neither counted nor ahead are built at the mean capacity of the month that follows.
    silent = max((as_of - record.last_day).days, 0)
    extended = np.concatenate([np.full(silent, capacity[:30].mean()), capacity])
    ahead = extended[len(extended) - sum(lengths(horizon)) :]
    since = (start - record.first_delivery).days + 0.5
    ages = np.arange(since, since + len(ahead), dtype=np.float64) / DAYS_PER_MONTH
    ceiling = prior.raises.draw(ages, paths, random) if prior.raises else np.ones((paths, len(ahead)))
    held = random.random(paths) < want_of_demand
    potential = _potential(rates, horizon)
    cars = _bounded(potential, ahead, ceiling, horizon)
    if open_orders is not None and record.total > 0:
        upheld = np.maximum(potential[held], _potential(floor[None, :], horizon))
        upheld = _bounded(upheld, ahead, ceiling[held], horizon)
        left = open_orders - (np.cumsum(upheld, axis=1) - upheld)
        share = np.divide(left, upheld, out=np.zeros_like(left), where=upheld > 0).clip(0.0, 1.0)
        cars[held] += share * (upheld - cars[held])
    if len(ahead) < len(capacity):  # the first handover lies ahead
        cars = np.concatenate([np.zeros((paths, len(capacity) - len(ahead))), cars], axis=1)
        silent = 0
    cumulative = record.total + np.cumsum(cars, axis=1)
    before = cumulative[:, silent - 1] if silent else np.full(paths, float(record.total))
    return Paths(record, as_of + _DAY, cumulative[:, silent:], before, capacity.astype(np.float64))


def _conditioned(
    prior: RampPrior,
    record: Record,
    horizon: list[Span],
    stated: StatedRate | None,
    paths: int,
    random: np.random.Generator,
) -> tuple[Amounts, Amounts]:
    """Log rates of the spans ahead, shape (paths, 1 + spans), and the rate of the record's last month there.

    Column 0 is the record's last span itself (the first span ahead where there is no record): the point from
    which days are interpolated.
    """
    observed = record.observed()
    spans = [span for span, _ in observed]
    values = [
        np.log(max(cars, 0.5) / length) for (_, cars), length in zip(observed, lengths(spans), strict=True)
    ]
    own = [prior.transient**2 * DAYS_PER_MONTH / length for length in lengths([*spans, *horizon])]
    known = list(range(len(spans)))
    everything = [*spans, *horizon]
    if stated is not None:
        everything.append((stated.day, stated.day))
        own.append(stated.spread**2)
        known.append(len(everything) - 1)
        values.append(np.log(stated.cars))
    ages = np.array([record.age(span) for span in everything])
    season = features(everything) @ np.array(prior.season) if any(prior.season) else np.zeros(len(ages))
    mean = prior.mean(ages) + season
    order = np.argsort(ages, kind="stable")
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    at = place[known]
    by_age = np.argsort(at)
    told = prior.condition(
        ages[order], np.array(own)[order], mean[order], at[by_age], np.array(values)[by_age]
    )
    drawn = told.draw(paths, random)
    if prior.stretch is not None and spans:
        scale = np.sqrt(np.diag(told.scatter))
        whole = round(sum(lengths(spans)) / DAYS_PER_MONTH)
        later = ages[len(spans) : len(spans) + len(horizon)] - ages[known].max()
        drawn = told.location + scale * prior.stretch.apply((drawn - told.location) / scale, whole + 1, later)
    if not spans:
        return np.concatenate([drawn[:, :1], drawn], axis=1), np.zeros(len(horizon) + 1)
    last = len(spans) - 1
    there = np.array([last, *range(len(spans), len(spans) + len(horizon))])
    floor = values[last] + season[there] - season[last]
    return np.concatenate([np.full((paths, 1), values[last]), drawn], axis=1), floor


def _potential(rates: Amounts, horizon: list[Span]) -> Amounts:
    """Cars a day, (paths, days), if nothing bounds them: log rates between the middles of months."""
    sizes = np.array(lengths(horizon))
    starts = np.cumsum(sizes) - sizes
    days = np.arange(sizes.sum()) + 0.5
    knots = np.concatenate([[-sizes[0] / 2], starts + sizes / 2])
    weights = np.array([np.interp(days, knots, row) for row in np.eye(len(knots))])
    potential: Amounts = np.exp(rates @ weights)
    # Each month keeps its own mean, which the interpolation would smooth.
    means = np.add.reduceat(potential, starts, axis=1) / sizes
    potential *= np.repeat(np.exp(rates[:, 1:]) / means, sizes, axis=1)
    return potential


def _bounded(potential: Amounts, capacity: Amounts, ceiling: Amounts, horizon: list[Span]) -> Amounts:
    """Cars on each day of the calendar, softly bounded by its capacity times the ceiling."""
    sizes = np.array(lengths(horizon))
    starts = np.cumsum(sizes) - sizes
    usual = np.repeat(np.add.reduceat(capacity, starts) / sizes, sizes)
    share = np.divide(capacity, usual, out=np.zeros(len(capacity)), where=usual > 0)
    bound = np.where(usual > 0, usual, 1.0) * ceiling
    # r (1 + (r/c)^p)^(-1/p), by logarithms so that no power overflows.
    cars: Amounts = share * bound * np.exp(-np.logaddexp(0.0, CEILING * np.log(bound / potential)) / CEILING)
    return cars


def _check(
    capacity: Amounts, paths: int, open_orders: float | None, share: float, stated: StatedRate | None
) -> None:
    if capacity.ndim != 1 or not len(capacity) or not np.all(np.isfinite(capacity)) or capacity.min() < 0:
        raise BadValue(
            "capacity must be cars on each day, none negative",
            code="delivery.capacity",
            place="forecast of handovers",
            remedy="give 0 on days without a shift",
        )
    wrong = [
        text
        for bad, text in (
            (paths < 1, f"{paths} paths"),
            (open_orders is not None and open_orders < 0, f"{open_orders} open orders"),
            (not 0 <= share <= 1, f"a share of {share}"),
            (stated is not None and (stated.cars <= 0 or stated.spread <= 0), f"stated: {stated}"),
        )
        if bad
    ]
    if wrong:
        raise BadValue(
            "out of range: " + "; ".join(wrong),
            code="delivery.forecast_input",
            place="forecast of handovers",
            remedy="at least one path, no negative orders, a share from 0 to 1, a rate and spread above 0",
        )
