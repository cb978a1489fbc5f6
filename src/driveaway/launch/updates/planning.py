"""A rollout's plan from a file, from options, or from both: an option goes before the file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from driveaway.updates.rollouts.plan import RolloutPlan, read_rollout_plan
from driveaway.updates.rollouts.plans import DAY, read_plan
from driveaway.values.errors import BadValue

CITY: Final = "city"
"""Key of the attribute in which a car says where it is at home."""
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|h|d)")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": DAY}
_RATE: Final = re.compile(r"(\d+)\s*/\s*(hour|day)")
_EXPONENTIAL: Final = re.compile(r"(\d+(?:\.\d+)?)\s*[x×*]\s*(\d+(?:\.\d+)?)\s*/\s*(\d+)")


def duration(text: str, option: str) -> int:
    """Seconds of a duration such as ``24h``, ``90min`` or ``7d``.

    Raises:
        BadValue: it is none.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise _wrong(text, option, "write 30min, 24h or 7d")
    return round(float(found[1]) * _SECONDS[found[2]])


def percent(text: str, option: str) -> float:
    """A share of a percentage: ``5`` and ``5%`` are both 0.05.

    A bare number between 0 and 1 is refused: it may be meant as a share.

    Raises:
        BadValue: it is none, or may mean two things.
    """
    body = text.strip().removesuffix("%").strip()
    try:
        value = float(body)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise _wrong(text, option, "write a percentage from 0 to 100, such as 5%")
    if 0 < value < 1 and not text.strip().endswith("%"):
        raise BadValue(
            f"{text.strip()} may be meant as {value:g}% or as {value * 100:g}%",
            code=f"rollout.{option}",
            place=f"--{option}",
            remedy=f"percentages are expected: write {value * 100:g}% or {value:g}%",
        )
    return value / 100


def holdout(text: str) -> float:
    """The share of the cars that stays behind, of a percentage.

    Raises:
        BadValue: it is none, may mean two things, or leaves no car to offer to.
    """
    found = percent(text, "holdout")
    if found == 1:
        raise BadValue(
            "all cars would stay behind",
            code="rollout.holdout",
            place="--holdout",
            remedy="write a percentage below 100, such as 5%",
        )
    return found


def stages(text: str, hold: int) -> dict[str, Any]:
    """Growth by stages from percentages with commas between.

    Raises:
        BadValue: they are none, may mean two things, or do not grow to 100.
    """
    remedy = "write percentages that grow to 100, such as 1,5,20,50,100"
    if not all(each.strip() for each in text.split(",")):
        raise _wrong(text, "stages", remedy)
    shares = [percent(each, "stages") for each in text.split(",")]
    return _grown(
        "stages",
        text,
        {"by": "stages", "stages": [{"share": each, "minimum_s": hold} for each in shares]},
        remedy,
    )


def rate(text: str) -> dict[str, Any]:
    """Growth at a rate from ``100/hour``.

    Raises:
        BadValue: it is none.
    """
    found = _RATE.fullmatch(text.strip())
    if found is None:
        raise _wrong(text, "rate", "write 100/hour or 5000/day")
    return _grown(
        "rate",
        text,
        {"by": "rate", "cars": int(found[1]), "per": found[2]},
        "write 1/hour or more",
    )


def exponential(text: str) -> dict[str, Any]:
    """Exponential growth from ``10x2/1000``: cars a minute, times a factor, each so many successes.

    Raises:
        BadValue: it is none.
    """
    found = _EXPONENTIAL.fullmatch(text.strip())
    remedy = "write 10x2/1000: 10 cars a minute, doubled each 1,000 successes; a factor of 1 to 5"
    if found is None:
        raise _wrong(text, "exponential", remedy)
    growth = {
        "by": "exponential",
        "base_per_minute": float(found[1]),
        "increment_factor": float(found[2]),
        "every_succeeded": int(found[3]),
    }
    return _grown("exponential", text, growth, remedy)


def cities(text: str, hold: int) -> dict[str, Any]:
    """Growth city by city: those with ``+`` between are opened together.

    Raises:
        BadValue: a name is empty.
    """
    named = [[name.strip() for name in group.split("+")] for group in text.split(",")]
    if not all(name for group in named for name in group):
        raise _wrong(text, "cities", "write names such as beijing,shanghai+hangzhou")
    growth = {"by": "groups", "groups": [{"segments": group, "minimum_s": hold} for group in named]}
    return _grown("cities", text, growth, "name each city once")


def _grown(option: str, text: str, content: dict[str, Any], remedy: str) -> dict[str, Any]:
    """Growth that an option asks for, found to be such: what is wrong with it is said of the option."""
    try:
        read_plan(content)
    except BadValue as error:
        what = error.message.removeprefix("growth: ").partition(" - at")[0]
        raise BadValue(
            f"{text[:60]!r}: {what}", code=f"rollout.{option}", place=f"--{option}", remedy=remedy
        ) from error
    return content


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


def _wrong(text: str, option: str, remedy: str) -> BadValue:
    return BadValue(
        f"{text[:60]!r} is not understood", code=f"rollout.{option}", place=f"--{option}", remedy=remedy
    )
