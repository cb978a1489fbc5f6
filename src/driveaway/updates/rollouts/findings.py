"""How findings are read and said; what one is stands with the facts, for it is part of one."""

from __future__ import annotations

from math import exp, inf

from driveaway.facts.updates import Finding as Finding
from driveaway.facts.updates import Verdict as Verdict

VERDICTS: tuple[Verdict, ...] = ("clear", "hold", "pause", "abort")
"""In rising order."""


def finite(value: float | None) -> float | None:
    """The value, or None where it is infinite."""
    return None if value is None or value in (inf, -inf) else value


def odds(log_e: float) -> str:
    """Evidence in words: how many times a stake against harmlessness has grown."""
    return f"{exp(log_e):,.3g}" if log_e < 14 else f"e^{log_e:.0f}"


def worst(findings: tuple[Finding, ...]) -> Verdict:
    """The gravest verdict."""
    return max((finding.verdict for finding in findings), key=VERDICTS.index, default="clear")
