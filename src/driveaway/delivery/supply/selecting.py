"""Which configurations a selection of ``launch.toml`` means, and which a line can build."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from driveaway.delivery.planning.problem import Configuration, Flags
from driveaway.delivery.supply.reading import Notes
from driveaway.facts.description import Description
from driveaway.facts.planning import Builds, Selection
from driveaway.values.errors import BadValue

LIDAR = "lidar"
"""An option of this name is a LiDAR, as one of a trim is."""


def covers(
    selection: Selection,
    description: Description,
    configurations: Sequence[Configuration],
    place: str,
    notes: Notes,
) -> Flags:
    """Which configurations a selection means, shape (configurations,); unknown names are noted."""
    wanted = known_selection(selection, description, place, notes)
    on = np.ones(len(configurations), np.bool_)
    trims = {trim.name: trim for trim in description.trims}
    for i, car in enumerate(configurations):
        trim = trims.get(car.trim)
        has_lidar = LIDAR in car.options or (trim is not None and trim.lidar)
        on[i] = (
            (not selection.trims or car.trim in wanted.trims)
            and (not selection.colours or car.colour in wanted.colours)
            and (not selection.editions or car.edition in wanted.editions)
            and (not selection.options or any(option in wanted.options for option in car.options))
            and (not selection.battery_wh or (trim is not None and trim.battery_wh in wanted.battery_wh))
            and (selection.lidar is None or selection.lidar == has_lidar)
        )
    return on


def known_selection(selection: Selection, description: Description, place: str, notes: Notes) -> Selection:
    """The selection without names that the description does not know; each is noted."""
    packs = tuple(sorted({trim.battery_wh for trim in description.trims if trim.battery_wh is not None}))
    for energy in selection.battery_wh:
        if packs and energy not in packs:
            notes.add(
                BadValue(
                    f"no trim has a pack of {energy} Wh",
                    code="delivery.battery",
                    place=f"{place}.battery_wh",
                    remedy=f"one of {', '.join(map(str, packs))}",
                )
            )
    return Selection(
        trims=notes.known(
            selection.trims, [trim.name for trim in description.trims], f"{place}.trims", "trim"
        ),
        colours=notes.known(selection.colours, description.colours, f"{place}.colours", "colour"),
        editions=notes.known(
            selection.editions, [item.name for item in description.editions], f"{place}.editions", "edition"
        ),
        options=notes.known(selection.options, description.options, f"{place}.options", "option"),
        battery_wh=selection.battery_wh,
        lidar=selection.lidar,
    )


def builds(
    can: Builds, description: Description, configurations: Sequence[Configuration], place: str, notes: Notes
) -> Flags:
    """Which configurations a line can build, shape (configurations,); unknown names are noted."""
    notes.known(can.trims, [trim.name for trim in description.trims], f"{place}.trims", "trim")
    notes.known(can.colours, description.colours, f"{place}.colours", "colour")
    notes.known(can.options or (), description.options, f"{place}.options", "option")
    return np.array([not lacking(can, car) for car in configurations], np.bool_)


def lacking(can: Builds, car: Configuration) -> list[str]:
    """What of a configuration a line cannot build, in words; empty: it can build it."""
    out = []
    if can.trims and car.trim not in can.trims:
        out.append(f"trim {car.trim!r}")
    if can.colours and car.colour is not None and car.colour not in can.colours:
        out.append(f"colour {car.colour!r}")
    if can.options is not None:
        out += [f"option {option!r}" for option in car.options if option not in can.options]
    return out


def said(car: Configuration) -> str:
    """A configuration in words: ``Max, Lava Orange, founder, tow bar``."""
    return ", ".join(part for part in (car.trim, car.colour, car.edition, *car.options) if part)
