"""The one explicit list of figures. Every door and the reference derive from it."""

from __future__ import annotations

from collections.abc import Sequence

from driveaway.buyers import figures as buyers_figures
from driveaway.delivery import figures as delivery_figures
from driveaway.figures.figure import Figure
from driveaway.fleet import figures as fleet_figures
from driveaway.orders import figures as orders_figures
from driveaway.outlets import figures as outlets_figures
from driveaway.publicity import figures as publicity_figures
from driveaway.trials import figures as trials_figures
from driveaway.updates import figures as updates_figures
from driveaway.values.errors import NotFound

FIGURES: tuple[Figure, ...] = (
    *orders_figures.FIGURES,
    *delivery_figures.FIGURES,
    *outlets_figures.FIGURES,
    *buyers_figures.FIGURES,
    *trials_figures.FIGURES,
    *publicity_figures.FIGURES,
    *updates_figures.FIGURES,
    *fleet_figures.FIGURES,
)


def figure_named(name: str, figures: Sequence[Figure] | None = None) -> Figure:
    """The figure of this name.

    Args:
        name: of the figure.
        figures: among which; default: those of the catalogue.

    Raises:
        NotFound: there is none; the nearest names are given.
    """
    listed = FIGURES if figures is None else figures
    for figure in listed:
        if figure.name == name:
            return figure
    import difflib

    names = [figure.name for figure in listed]
    near = difflib.get_close_matches(name, names, 3, 0.4)
    raise NotFound(
        f"there is no figure {name!r}",
        code="figure.unknown",
        remedy=f"did you mean {' or '.join(near)}?" if near else "driveaway figures lists them",
    )
