"""Make the availability policy of a function, with the polygons of the places that its gate names."""

from __future__ import annotations

from collections.abc import Mapping

from driveaway.updates.gates.expression import Gate, checked, places_of
from driveaway.updates.gates.policy import Policy
from driveaway.updates.gates.position import Limits
from driveaway.updates.places.packaged import chosen
from driveaway.updates.places.place import Place


def policy_of(
    function: str, gate: Gate, given: Mapping[str, Place] | None = None, limits: Limits | None = None
) -> Policy:
    """The policy of a function.

    Args:
        function: its slug.
        gate: what must hold.
        given: places beside the packaged ones, by code; they go before.
        limits: None: the usual ones.

    Raises:
        NotFound: the gate names a place that there is not.
    """
    places = tuple(place.bare() for place in chosen(places_of(gate), given))
    return Policy(function=function, gate=checked(gate), places=places, limits=limits or Limits())
