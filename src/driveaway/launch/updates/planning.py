"""A rollout's plan from a file, from options, or from both: an option goes before the file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from driveaway.updates.rollouts.plan import RolloutPlan, read_rollout_plan
from driveaway.updates.rollouts.plans import DAY
from driveaway.values.errors import BadValue

CITY: Final = "city"
"""Key of the attribute in which a car says where it is at home."""
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|h|d)")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": DAY}
_RATE: Final = re.compile(r"(\d+)\s*/\s*(hour|day)")
_EXPONENTIAL: Final = re.compile(r"(\d+(?:\.\d+)?)\s*[x×*]\s*(\d+(?:\.\d+)?)\s*/\s*(\d+)")


def duration(text: str, field: str) -> int:
    """Seconds of a duration such as ``24h``, ``90min`` or ``7d``.

    Raises:
        BadValue: it is none.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise _wrong(text, field, "write 30min, 24h or 7d")
    return round(float(found[1]) * _SECONDS[found[2]])


def share(text: str, field: str) -> float:
    """A share of a percentage, ``5%``, or of a number from 0 to 1.

    Raises:
        BadValue: it is none.
    """
    body = text.strip().removesuffix("%")
    try:
        value = float(body) / (100 if body != text.strip() else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise _wrong(text, field, "write a percentage such as 5%")
    return value


def stages(text: str, hold: int) -> dict[str, Any]:
    """Growth by stages from percentages with commas between.

    Raises:
        BadValue: they are none, or do not grow to 100.
    """
    try:
        percent = [float(each.strip().removesuffix("%")) for each in text.split(",")]
    except ValueError:
        raise _wrong(text, "stages", "write percentages such as 1,5,20,50,100") from None
    return {"by": "stages", "stages": [{"share": each / 100, "minimum_s": hold} for each in percent]}


def rate(text: str) -> dict[str, Any]:
    """Growth at a rate from ``100/hour``.

    Raises:
        BadValue: it is none.
    """
    found = _RATE.fullmatch(text.strip())
    if found is None:
        raise _wrong(text, "rate", "write 100/hour or 5000/day")
    return {"by": "rate", "cars": int(found[1]), "per": found[2]}


def exponential(text: str) -> dict[str, Any]:
    """Exponential growth from ``10x2/1000``: cars a minute, times a factor, each so many successes.

    Raises:
        BadValue: it is none.
    """
    found = _EXPONENTIAL.fullmatch(text.strip())
    if found is None:
        remedy = "write 10x2/1000: 10 cars a minute, doubled each 1,000 successes"
        raise _wrong(text, "exponential", remedy)
    return {
        "by": "exponential",
        "base_per_minute": float(found[1]),
        "increment_factor": float(found[2]),
        "every_succeeded": int(found[3]),
    }


def cities(text: str, hold: int) -> dict[str, Any]:
    """Growth city by city: those with ``+`` between are opened together.

    Raises:
        BadValue: a name is empty.
    """
    named = [[name.strip() for name in group.split("+")] for group in text.split(",")]
    if not all(name for group in named for name in group):
        raise _wrong(text, "cities", "write names such as beijing,shanghai+hangzhou")
    return {"by": "groups", "groups": [{"segments": group, "minimum_s": hold} for group in named]}


def read_plan_file(path: Path) -> dict[str, Any]:
    """The content of a plan's TOML file.

    Raises:
        BadValue: it is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadValue(f"{error}", code="rollout.plan", place=str(path), remedy="write TOML") from error


def plan_of(
    zone: str,
    *,
    file: Path | None = None,
    growth: Sequence[dict[str, Any]] = (),
    night: str | None = None,
    **options: Any,
) -> RolloutPlan:
    """A plan from a file and from what was given beside it.

    Args:
        zone: the launch's, for nights.
        file: TOML; see the reference of a rollout's plan.
        growth: how it grows, as of the functions above; at most one.
        night: hours such as ``22:00-06:00``.
        options: attributes of the plan; those that are None are left as the file has them.

    Raises:
        BadValue: it is no plan, or two kinds of growth are given.
    """
    content = {} if file is None else read_plan_file(file)
    content |= {name: value for name, value in options.items() if value is not None}
    if len(growth) > 1:
        raise BadValue(
            "more than one kind of growth is given",
            code="rollout.growth",
            remedy="give --stages, --rate, --exponential or --cities",
        )
    if growth:
        content["rules"] = {**content.get("rules", {}), "growth": growth[0]}
        if growth[0]["by"] == "groups":
            content.setdefault("segment", CITY)
    if night is not None:
        content["night"] = {"zone": zone, **content.get("night", {}), "hours": night}
    elif isinstance(content.get("night"), dict):
        content["night"].setdefault("zone", zone)
    return read_rollout_plan(content, "" if file is None else str(file))


def _wrong(text: str, field: str, remedy: str) -> BadValue:
    return BadValue(f"{text[:60]!r} is not understood", code=f"rollout.{field}", field=field, remedy=remedy)
