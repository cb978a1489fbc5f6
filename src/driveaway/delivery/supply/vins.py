"""Ranges of VINs of plants, which must not overlap: a VIN says where its car was built."""

from __future__ import annotations

import re
from itertools import combinations

from driveaway.delivery.supply.reading import Notes
from driveaway.facts.description import Description
from driveaway.facts.planning import VinRange
from driveaway.values.errors import BadValue

_CHARACTERS = re.compile(r"[A-HJ-NPR-Z0-9]{1,17}")
_LENGTH = 17


def note_overlaps(description: Description, notes: Notes) -> None:
    """Note ranges that cannot be read, and each pair of ranges that have a VIN in common."""
    ranges = []
    for plant in description.plants:
        for i, item in enumerate(plant.vins):
            ends = _ends(item, f"plants.{plant.name}.vins.{i + 1}", notes)
            if ends is not None:
                ranges.append((plant.name, i + 1, item, ends))
    for (name, i, one, (low, high)), (other, j, two, (start, end)) in combinations(ranges, 2):
        if low <= end and start <= high:
            notes.add(
                BadValue(
                    f"{one.first}–{one.last} overlaps {two.first}–{two.last} of plants.{other}.vins.{j}",
                    code="delivery.vins",
                    place=f"plants.{name}.vins.{i}",
                    remedy="end one before the other begins; planned all the same, by plant and not by VIN",
                )
            )


def _ends(item: VinRange, place: str, notes: Notes) -> tuple[str, str] | None:
    if not all(_CHARACTERS.fullmatch(text) for text in (item.first, item.last)):
        problem = "holds what is no beginning of a VIN"
    elif len(item.first) != len(item.last):
        problem = "has ends of different length"
    else:
        ends = _whole(item.first, "0"), _whole(item.last, "Z")
        if ends[0] <= ends[1]:
            return ends
        problem = "ends before it begins"
    notes.add(
        BadValue(
            f"the range {item.first}–{item.last} {problem}",
            code="delivery.vin_range",
            place=place,
            remedy="give first and last VIN, or as many of their first characters (no I, O, Q)",
        )
    )
    return None


def _whole(text: str, fill: str) -> str:
    """All 17 characters without the check digit, which follows from the others."""
    whole = text.ljust(_LENGTH, fill)
    return whole[:8] + whole[9:]
