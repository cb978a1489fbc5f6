"""A car as a filter sees it that is asked of one car, and not of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driveaway.book.state.state import Reading
from driveaway.updates.filters.fields import fold
from driveaway.updates.model import Target


def record_of(reading: Reading, target: Target, said: Mapping[str, str]) -> dict[str, Any]:
    """Every field of a car by its name; ``said`` is what the car says of itself."""
    sets = {
        number: (name, version)
        for number, name, version in reading.rows(
            "SELECT id, name, version FROM distribution_sets WHERE id IN (:one, :two)",
            one=target.assigned or 0,
            two=target.installed or 0,
        )
    }
    assigned = sets.get(target.assigned or 0, (None, None))
    installed = sets.get(target.installed or 0, (None, None))
    metadata = reading.rows("SELECT key, value FROM target_metadata WHERE target = :id", id=target.id)
    tags = reading.rows("SELECT tag FROM target_tags WHERE target = :id", id=target.id)
    places = reading.rows("SELECT place FROM target_places WHERE target = :id", id=target.id)
    return {
        "controllerid": target.controller_id,
        "name": target.name,
        "description": target.description,
        "createdat": target.created,
        "lastmodifiedat": target.modified,
        "lastcontrollerrequestat": target.polled,
        "updatestatus": target.status.value,
        "ipaddress": target.address,
        "type.key": target.type,
        "group": target.target_group,
        "autoconfirm": target.auto_confirm,
        "assignedds.name": assigned[0],
        "assignedds.version": assigned[1],
        "installedds.name": installed[0],
        "installedds.version": installed[1],
        "attribute": {fold(key): value for key, value in said.items()},
        "metadata": {fold(key): value for key, value in metadata},
        "tag": [tag for (tag,) in tags],
        "place": [place for (place,) in places],
    }
