"""Guards at work: safety events, installations that fail, rates on cars with the release."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

import numpy as np

from driveaway.updates.rollouts.bounds import rate_bound, share_bound
from driveaway.updates.rollouts.coins import first_of
from driveaway.updates.rollouts.columns import NEVER, SECOND, Cars, Flags, Health, Outcome
from driveaway.updates.rollouts.findings import Finding, Verdict, finite, odds
from driveaway.updates.rollouts.guards import Guard, InstallGuard, RateGuard, Rules, SafetyGuard


def silent(cars: Cars, rules: Rules, now: int) -> Flags:
    """Cars that began to install and did not come back in their time, or did not finish in theirs."""
    pending = (cars.outcome == Outcome.PENDING) & (cars.started <= now)
    heard = np.maximum(cars.started, cars.seen)
    late = now - np.minimum(heard, now) > rules.silence_s * SECOND
    long = now - np.minimum(cars.started, now) > rules.time_limit_s * SECOND
    return np.asarray(pending & (late | long), dtype=np.bool_)


def guard(
    rules: Rules, cars: Cars, health: Health, *, now: int, cleared: Mapping[str, int]
) -> tuple[Finding, ...]:
    """One finding for each guard.

    Args:
        rules: with the guards.
        cars, health: what is known.
        now: microseconds since 1970 UTC.
        cleared: for each guard that a person cleared, when last: what was known by then no longer counts.
    """
    lost = silent(cars, rules, now)
    return tuple(
        _checked(each, rules, cars, health, lost, now, cleared.get(each.name)) for each in rules.guards
    )


def _checked(
    each: Guard, rules: Rules, cars: Cars, health: Health, lost: Flags, now: int, cleared: int | None
) -> Finding:
    match each:
        case SafetyGuard():
            return _safety(each, cars, health, now, cleared)
        case InstallGuard():
            return _installs(each, rules, cars, lost, cleared)
        case RateGuard():
            return _rate(each, rules, cars, health, cleared)


def _safety(each: SafetyGuard, cars: Cars, health: Health, now: int, cleared: int | None) -> Finding:
    rows = np.flatnonzero((health.count > 0) & health.of(each.signals))
    rows = rows[cars.started[health.car[rows]] <= health.end[rows]]
    found = len(rows)
    if cleared is not None:
        rows = rows[health.landed[rows] > cleared]
    said = f"{found:,} events on cars that began to install, {len(rows):,} not cleared"
    if not len(rows):
        return Finding(
            name=each.name, kind="safety", verdict="clear", unit="events", value=0.0, threshold=0.0,
            events=found, text=said,
        )  # fmt: skip
    since = int(health.landed[rows[0]])
    until = since + each.triage_s * SECOND
    verdict: Verdict = "hold" if now < until else each.action
    held = now < until
    said += "; held until a person clears them with a reason" if held else "; nobody cleared them in time"
    return Finding(
        name=each.name,
        kind="safety",
        verdict=verdict,
        unit="events",
        value=float(len(rows)),
        threshold=0.0,
        events=found,
        since=since,
        until=until,
        text=said,
    )


def _installs(each: InstallGuard, rules: Rules, cars: Cars, lost: Flags, cleared: int | None) -> Finding:
    began = (cars.started != NEVER) & ~np.isin(cars.outcome, (Outcome.DECLINED, Outcome.CANCELLED))
    if cleared is not None:
        began &= cars.started > cleared
    kinds: dict[str, Flags] = {
        "failed": cars.outcome == Outcome.FAILED,
        "fallback": cars.outcome == Outcome.FALLBACK,
        "silent": lost | (cars.outcome == Outcome.SILENT),
    }
    counts = {kind: int((kinds[kind] & began).sum()) for kind in each.failures}
    sample, failed = int(began.sum()), sum(counts.values())
    found = share_bound(failed, sample, each.threshold, rules.level)
    enough = sample >= each.minimum and (
        found.log_e >= -log(each.alpha) if each.bound == "anytime" else failed > each.threshold * sample
    )
    parts = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    shown = "unknown" if found.value is None else f"{found.value:.2%} ({found.low:.2%} to {found.high:.2%})"
    too_few = "" if sample >= each.minimum else f"; too few to conclude, {each.minimum:,} are needed"
    return Finding(
        name=each.name,
        kind="install",
        verdict=each.action if enough else "clear",
        unit="share",
        value=found.value,
        low=found.low,
        high=found.high,
        level=rules.level,
        threshold=each.threshold,
        events=failed,
        sample=sample,
        log_e=found.log_e,
        needed_log_e=-log(each.alpha),
        text=f"{shown} of {sample:,} installations failed ({parts}), {each.threshold:.2%} accepted; "
        f"evidence {odds(found.log_e)} : 1{too_few}",
    )


def _rate(each: RateGuard, rules: Rules, cars: Cars, health: Health, cleared: int | None) -> Finding:
    metres = health.assisted_m if each.assisted else health.exposure_m
    done = (cars.outcome == Outcome.SUCCEEDED)[health.car] & (cars.finished[health.car] <= health.start)
    rows = np.flatnonzero(done & health.of(each.signals))
    if cleared is not None:
        rows = rows[health.landed[rows] > cleared]
    window = np.unique(health.start[rows], return_inverse=True)[1]
    cell = health.car[rows].astype(np.int64) * (int(window.max(initial=0)) + 1) + window
    kilometres = float(metres[rows[first_of(cell)]].sum()) / 1000
    events = len(np.unique(cell[(health.count[rows] > 0) & (metres[rows] > 0)]))
    found = rate_bound(events, kilometres / 1000, each.threshold, rules.level)
    enough = kilometres >= each.minimum_km and (
        found.log_e >= -log(each.alpha)
        if each.bound == "anytime"
        else events > each.threshold * kilometres / 1000
    )
    high = finite(found.high)
    driven = kilometres >= each.minimum_km
    too_few = "" if driven else f"; too few to conclude, {each.minimum_km:,.0f} are needed"
    bound = "without bound" if high is None else f"{high:.3g}"
    shown = "unknown" if found.value is None else f"{found.value:.3g} ({found.low:.3g} to {bound})"
    return Finding(
        name=each.name,
        kind="rate",
        verdict=each.action if enough else "clear",
        unit="per_1000_km",
        value=found.value,
        low=found.low,
        high=high,
        level=rules.level,
        threshold=each.threshold,
        events=events,
        sample=int(kilometres),
        log_e=found.log_e,
        needed_log_e=-log(each.alpha),
        text=f"{shown} per 1,000 km, {events:,} in {kilometres:,.0f} km, {each.threshold:g} accepted; "
        f"evidence {odds(found.log_e)} : 1{too_few}",
    )
