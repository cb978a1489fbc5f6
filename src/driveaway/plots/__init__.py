"""Answers as pictures: one theme, readable without colour, in light and dark, with words in any language.

Pictures are Vega-Lite specifications drawn to SVG by vl-convert. The specifications are plain
mappings: building them through Altair's classes costs a second of imports and adds nothing to a
specification that is already valid (the tests check each against Altair's copy of the schema).
"""

from driveaway.plots.bars import progress
from driveaway.plots.curves import Event, cumulative, ended_days, per_day
from driveaway.plots.dots import measured, ranked, shares
from driveaway.plots.forecast import by_week
from driveaway.plots.picture import Picture, Words
from driveaway.plots.places import by_place
from driveaway.plots.rollout import rolled_out
from driveaway.plots.tiles import tile_map

__all__ = [
    "Event",
    "Picture",
    "Words",
    "by_place",
    "by_week",
    "cumulative",
    "ended_days",
    "measured",
    "per_day",
    "progress",
    "ranked",
    "rolled_out",
    "shares",
    "tile_map",
]
