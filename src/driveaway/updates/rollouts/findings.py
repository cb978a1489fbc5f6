"""What was found: one row of evidence each, which is stored with the decision that rests on it."""

from __future__ import annotations

from math import exp, inf
from typing import Literal

import msgspec

Verdict = Literal["clear", "hold", "pause", "abort"]
"""In rising order."""
VERDICTS: tuple[Verdict, ...] = ("clear", "hold", "pause", "abort")


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one comparison or guard says.

    Attributes:
        name: of the comparison, guard, segment or rule.
        kind: what it is.
        verdict: what follows from it alone.
        unit: of ``value``, ``low``, ``high`` and ``threshold``.
        value: as observed; None: unknown, or without bound (see ``text``).
        low, high: interval at ``level``, valid at every look; None: nothing bounds it.
        threshold: what ``value`` is held against.
        events: bad ones counted.
        sample: what they are out of: cars, installations, or events of both arms.
        log_e: natural logarithm of the evidence against harmlessness, as it stands.
        highest_log_e: the highest that it was at any moment; stops from ``needed_log_e`` on.
        since: when it first was enough, or when the first open safety event was recorded, microseconds
            since 1970 UTC.
        until: when a triage ends.
        text: all of it in words.
    """

    name: str
    kind: Literal["comparison", "combined", "segment", "safety", "install", "rate", "threshold"]
    verdict: Verdict
    unit: Literal["ratio", "share", "per_1000_km", "events"]
    value: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    threshold: float | None = None
    events: int = 0
    sample: int = 0
    log_e: float | None = None
    highest_log_e: float | None = None
    needed_log_e: float | None = None
    since: int | None = None
    until: int | None = None
    text: str = ""


def finite(value: float | None) -> float | None:
    """The value, or None where it is infinite."""
    return None if value is None or value in (inf, -inf) else value


def odds(log_e: float) -> str:
    """Evidence in words: how many times a stake against harmlessness has grown."""
    return f"{exp(log_e):,.3g}" if log_e < 14 else f"e^{log_e:.0f}"


def worst(findings: tuple[Finding, ...]) -> Verdict:
    """The gravest verdict."""
    return max((finding.verdict for finding in findings), key=VERDICTS.index, default="clear")
