"""A case at another scale: its counts of orders and cars multiplied, and said to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from driveaway.cases import case_drafts, case_text
from driveaway.demo.checkpoints import parse_scale, scaled
from driveaway.facts.base import Draft
from driveaway.facts.public import ClaimMade

_UNITS: Final = frozenset({"orders", "cars"})
_SUMS: Final = frozenset({"fleet.assisted_distance"})
"""Figures of other units that grow with the number of cars."""
_COUNT = re.compile(r"^(quota|yearly_capacity|daily_output)( *= *)([0-9_]+)", re.MULTILINE)
_CAR_TARGET = re.compile(
    r'(^measure *= *"(?:cars|orders)\.[^\n]*\namount *= *)([0-9_]+)'
    r'((?:\n(?!\[)[^\n]*)*?\nsaid *= *")([^"\n]*)',
    re.MULTILINE,
)
_PLANNING = re.compile(r"^scale *= *1$", re.MULTILINE)
_TODAY = re.compile(r'^today *= *"[^"\n]*".*$', re.MULTILINE)


def launch_text(case: str, scale: float = 1.0, today: str | None = None) -> str:
    """The ``launch.toml`` of a case for a demo of this scale that ends at a time.

    Quotas, the plant's capacity and daily output, the targets of orders and cars (and what was said
    of them) and the scale of planning are scaled; outlets, prices and times are not. A first line
    says so. At scale 1 and without ``today`` the text is the case's own.

    Args:
        case: name of the case.
        scale: size of the launch against the real one.
        today: default as-of of the launch, a day or an ISO 8601 time; none: the case's own.

    Raises:
        NotFound: no such case.
        BadValue: the scale is out of range.
    """
    text = case_text(case)
    if today is not None:
        text = _TODAY.sub(f'today = "{today}" # the simulation ends here', text)
    if parse_scale(scale) == 1:
        return text
    text = _COUNT.sub(lambda m: m[1] + m[2] + str(scaled(int(m[3].replace("_", "")), scale)), text)
    text = _CAR_TARGET.sub(
        lambda m: m[1] + str(scaled(int(m[2].replace("_", "")), scale)) + m[3] + _said(m[4], scale), text
    )
    text = _PLANNING.sub(f"scale = {scale:g}", text)
    return f"# Scaled: counts of orders and cars are {scale:g} times the public ones.\n{text}"


def _grows(claim: ClaimMade) -> bool:
    return claim.unit in _UNITS or claim.figure in _SUMS


def _said(text: str, scale: float) -> str:
    return f"{text} (here scaled by {scale:g})"


def launch_record(case: str, scale: float = 1.0) -> Iterator[Draft]:
    """The public record of a case for a demo of this scale, in order of time.

    Claims that count orders or cars, or what all cars drove, are scaled as the simulation's checkpoints
    are, their text says so, and so does their source (``urn:driveaway:case:su7:x0.01/…``).

    Raises:
        NotFound: no such case.
        BadValue: the scale is out of range.
    """
    factor = f"{parse_scale(scale):g}"
    for draft in case_drafts(case):
        body = draft.body
        if scale == 1 or not isinstance(body, ClaimMade) or not _grows(body) or body.value is None:
            yield draft
            continue
        claim = replace(
            body,
            value=str(scaled(int(body.value), scale)),
            said=_said(body.said, scale),
            said_zh=f"{body.said_zh}（此处按{factor}缩放）" if body.said_zh else None,
        )
        source = draft.source.replace(f":case:{case}/", f":case:{case}:x{factor}/")
        yield replace(draft, body=claim, source=source)
