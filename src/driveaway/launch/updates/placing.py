"""Where cars are at home, for filters: the places of a car's handover, beside what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from driveaway.book.state.state import Change, Reading
from driveaway.launch.launch import Launch
from driveaway.updates.configuration import Configuration
from driveaway.updates.filters.expressions import comparisons
from driveaway.updates.filters.filter import Filter
from driveaway.updates.filters.resources import target_fields
from driveaway.updates.polling import parse_polling
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.plan import ENDED
from driveaway.values.clock import now

_AT_ONCE: Final = 10_000
_FIELD: Final = "place"


def asks_for_place(filter: str) -> bool:
    """Whether a filter of cars asks where they are at home."""
    found = comparisons(Filter(filter, target_fields()).expression) if _FIELD in filter.lower() else ()
    return any(comparison.field.lower() == _FIELD for comparison in found)


def asked_at_work(reading: Reading) -> bool:
    """Whether a target filter, a rollout that goes on, or the polling rule asks for it."""
    rule = parse_polling(Configuration(reading).text("pollingTime"), target_fields())
    filters = [override.filter.text for override in rule.overrides]
    filters += [query for (query,) in reading.rows("SELECT query FROM target_filters")]
    for rollout in keeping.all_rollouts(reading):
        if rollout.status not in ENDED:
            filters += [rollout.filter, *(group.filter for group in rollout.plan.hawkbit)]
    return any(map(asks_for_place, filters))


def place_cars(launch: Launch, fence: Callable[[Change], None] | None = None) -> int:
    """Write down where the cars are at home by now: province and city of the handover; none once given back.

    Args:
        launch: whose cars.
        fence: refuses each change of who does not lead any more.

    Returns:
        How many entries were added or taken out.
    """
    from driveaway.launch.updates.columns import homes_of

    homes = homes_of(launch, launch.at(now()))
    targets = launch.state.rows("SELECT id, controller_id FROM targets")
    wanted = {(number, place) for number, car in targets for place in homes.get(car, ())}
    rows = launch.state.rows("SELECT target, place FROM target_places")
    stands = {(number, place) for number, place in rows}
    # A car may be taken out meanwhile.
    add = (
        "INSERT INTO target_places (target, place) SELECT id, :place FROM targets WHERE id = :target"
        " AND NOT EXISTS (SELECT 1 FROM target_places p WHERE p.target = :target AND p.place = :place)"
    )
    remove = "DELETE FROM target_places WHERE target = :target AND place = :place"
    for sql, pairs in ((remove, sorted(stands - wanted)), (add, sorted(wanted - stands))):
        for first in range(0, len(pairs), _AT_ONCE):
            with launch.state.change() as change:
                if fence is not None:
                    fence(change)
                some = pairs[first : first + _AT_ONCE]
                change.run_many(sql, [{"target": target, "place": place} for target, place in some])
    return len(stands ^ wanted)
