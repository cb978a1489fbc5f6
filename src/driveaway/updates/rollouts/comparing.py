"""Comparisons of a rollout with its concurrent control, each and together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from driveaway.updates.rollouts.coins import Events, events_by_cars, events_by_distance
from driveaway.updates.rollouts.columns import Cars, Health
from driveaway.updates.rollouts.combining import Path, e_bh, mean
from driveaway.updates.rollouts.evidence import Bets, Floats, ratio_interval
from driveaway.updates.rollouts.findings import Finding, Verdict, finite, odds
from driveaway.updates.rollouts.guards import Comparison, Rules

COMBINED = "comparisons"
"""Name of the finding that decides over all comparisons."""


def events_of(comparison: Comparison, cars: Cars, health: Health, started: int, now: int) -> Events:
    """The coins of one comparison."""
    if comparison.exposure == "cars":
        return events_by_cars(
            cars,
            health,
            comparison.signals,
            started=started,
            settling_s=comparison.settling_s,
            window_s=comparison.window_s,
        )
    return events_by_distance(
        cars,
        health,
        comparison.signals,
        started=started,
        now=now,
        assisted=comparison.exposure == "assisted_distance",
        settling_s=comparison.settling_s,
    )


def compare(
    rules: Rules,
    cars: Cars,
    health: Health,
    *,
    segments: Sequence[str],
    started: int,
    now: int,
    cleared: int | None = None,
) -> tuple[Finding, ...]:
    """All comparisons: one finding each, one for each segment that is concerned, and one that decides.

    The deciding e-process is the mean of the comparisons' by their weights. With several segments half of
    the stake is on the fleet as a whole and half is shared among the segments alike, so that harm to one
    model or city is found as well. Once it has reached 1/alpha, it stays decided.

    Args:
        rules: with the comparisons.
        cars, health: what is known.
        segments: names of the segments that ``cars.segment`` numbers, fixed when the rollout starts.
        started, now: microseconds since 1970 UTC.
        cleared: when a person last cleared the deciding finding: what was known by then is not bet on
            again, and the test starts anew (its false stops count anew, too).
    """
    if not rules.comparisons:
        return ()
    bets = _bets(rules, cars, health, segments=segments, started=started, now=now, cleared=cleared)
    out = [
        _finding(comparison, events, path, rules.level)
        for comparison, events, path in zip(rules.comparisons, bets.events, bets.whole, strict=True)
    ]
    decided = bets.decided
    stopped = decided.reached(rules.alpha)
    verdict: Verdict = "clear" if stopped is None else rules.action
    if stopped is not None and len(segments) > 1:
        total = sum(comparison.weight for comparison in rules.comparisons)
        shares = np.array([comparison.weight / total for comparison in rules.comparisons])
        together = np.logaddexp.reduce(bets.by_segment + np.log(shares)[:, None], axis=0)
        out += [
            Finding(
                name=segments[segment],
                kind="segment",
                verdict=verdict,
                unit="ratio",
                log_e=float(together[segment]),
                text=f"{segments[segment]} is concerned (false discoveries at most {rules.alpha:.2g})",
            )
            for segment in e_bh(together.tolist(), rules.alpha)
        ]
    said = f"evidence {odds(decided.last)} : 1, at most {odds(decided.highest)} : 1 so far"
    out.append(
        Finding(
            name=COMBINED,
            kind="combined",
            verdict=verdict,
            unit="ratio",
            log_e=decided.last,
            highest_log_e=decided.highest,
            needed_log_e=-log(rules.alpha),
            since=stopped,
            text=f"{said}; it stops at {1 / rules.alpha:,.0f} : 1",
        )
    )
    return tuple(out)


@dataclass(frozen=True)
class _Bets:
    """Events and e-process of each comparison, its last value in each segment, and the one that decides."""

    events: Sequence[Events]
    whole: Sequence[Path]
    by_segment: Floats
    decided: Path


def deciding(
    rules: Rules,
    cars: Cars,
    health: Health,
    *,
    segments: Sequence[str],
    started: int,
    now: int,
    cleared: int | None = None,
) -> Path:
    """The e-process that decides over all comparisons, step by step; arguments as of ``compare``."""
    bets = _bets(rules, cars, health, segments=segments, started=started, now=now, cleared=cleared)
    return bets.decided


def _bets(
    rules: Rules,
    cars: Cars,
    health: Health,
    *,
    segments: Sequence[str],
    started: int,
    now: int,
    cleared: int | None,
) -> _Bets:
    total = sum(comparison.weight for comparison in rules.comparisons)
    parts = 1 if len(segments) == 1 else 2
    found: list[Events] = []
    whole: list[Path] = []
    paths: list[Path] = []
    stakes: list[float] = []
    by_segment = np.full((len(rules.comparisons), len(segments)), 0.0)
    for row, comparison in enumerate(rules.comparisons):
        events = events_of(comparison, cars, health, started, now)
        if cleared is not None:
            events = events.chosen(events.known > cleared)
        found.append(events)
        weight = comparison.weight / total
        whole.append(_path(comparison, events))
        paths.append(whole[-1])
        stakes.append(weight / parts)
        if parts == 1:
            continue
        for segment in np.unique(events.segment).tolist():
            own = _path(comparison, events.chosen(events.segment == segment))
            by_segment[row, segment] = own.last
            paths.append(own)
            stakes.append(weight / parts / len(segments))
    return _Bets(found, whole, by_segment, mean(paths, stakes))


def _path(comparison: Comparison, events: Events) -> Path:
    return Path(events.known, Bets.start(comparison.tolerated).after(events.coins)[1])


def _finding(comparison: Comparison, events: Events, path: Path, level: float) -> Finding:
    interval = ratio_interval(events.coins, level)
    hits = int(events.coins.opened.sum())
    expected = float(events.coins.share.sum())
    high = finite(interval.high)
    if interval.ratio is None:
        said = "harm ratio unknown: no event could tell the arms apart"
    else:
        bound = "without bound" if high is None else f"{high:.2g}"
        seen = "" if finite(interval.ratio) is None else f"{interval.ratio:.2g} "
        said = f"harm ratio {seen}({interval.low:.2g} to {bound})"
    return Finding(
        name=comparison.name,
        kind="comparison",
        verdict="clear",
        unit="ratio",
        value=finite(interval.ratio),
        low=interval.low,
        high=high,
        level=level,
        threshold=comparison.tolerated,
        events=hits,
        sample=len(events.coins),
        log_e=path.last,
        highest_log_e=path.highest,
        text=f"{said}: {hits:,} of {len(events.coins):,} events on opened cars, {expected:,.1f} expected",
    )
