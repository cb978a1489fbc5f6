"""What a briefing tells of the delivered cars: gates judged, and rollouts over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from driveaway.briefing.fleet import FunctionTold, OpeningTold, PlaceTold
from driveaway.launch.functions import folder_places, read_folder
from driveaway.launch.launch import Cut, Launch
from driveaway.launch.updates import counting
from driveaway.launch.updates.functions import FunctionState, functions_at
from driveaway.updates.gates.expression import places_of
from driveaway.updates.gates.opening import openings
from driveaway.updates.outcomes import rollout_slug
from driveaway.updates.places.homes import Homes
from driveaway.updates.places.packaged import chosen
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.columns import Health
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.plan import Rollout
from driveaway.updates.rollouts.story import Story, story_of
from driveaway.values.clock import HOUR
from driveaway.values.errors import DriveawayError

_MOST_PLACES: Final = 14
_ELSEWHERE: Final = {"en": "Elsewhere", "zh": "其他地区"}


class BriefedFleet:
    """The delivered cars of an opened launch at a cut. Satisfies what the briefing needs.

    Args:
        launch: whose cars.
        cut: as of when.
    """

    def __init__(self, launch: Launch, cut: Cut) -> None:
        self._launch, self._cut = launch, cut

    def functions(self) -> Sequence[FunctionTold]:
        """Functions that had been opened by the as-of, in order of time."""
        found = functions_at(self._cut.view).values()
        return [self._function(state) for state in sorted(found, key=lambda each: (each.since, each.slug))]

    def story(self, rollout: str) -> Story | None:
        """A rollout over time, up to an hour after its last decision or to the as-of.

        Tables keep the last word alone: of a rollout that was changed after the as-of it is None.
        """
        for each in keeping.all_rollouts(self._launch.state):
            if rollout_slug(each.name) == rollout:
                return self._story(each)
        return None

    def _story(self, rollout: Rollout) -> Story | None:
        if rollout.record.started is None or rollout.modified > self._cut.as_of:
            return None
        at = min(self._cut.as_of, rollout.modified + HOUR)
        standing = Driver(self._launch.state, rollout.id).standing(rollout, at)
        health = standing.health
        known = health.landed <= at
        seen = Health(*(getattr(health, column.name)[known] for column in fields(Health)))
        return story_of(replace(standing, health=seen))

    def _function(self, state: FunctionState) -> FunctionTold:
        whole = counting.count(self._launch, self._cut, state.name)
        (row,) = whole["rows"] or [{}]
        return FunctionTold(
            name=state.name,
            title=self._title(state.name),
            open=state.open,
            whole=_place({}, [row]),
            places=self._places(state),
            simulated=bool(whole["simulated"]),
            openings=self._openings(state) if state.open else (),
        )

    def _openings(self, state: FunctionState) -> tuple[OpeningTold, ...]:
        codes = places_of(state.gate)
        if not codes or len(codes) > _MOST_PLACES:
            return ()
        names = self._names(codes)
        return tuple(
            OpeningTold(at, tuple(names[code] for code in sorted(region or ())))
            for at, region in openings(state.gate, self._cut.as_of, state.since)
            if region is None or region
        )

    def _names(self, codes: Sequence[str]) -> dict[str, Mapping[str, str]]:
        given = chosen(codes, folder_places(self._launch.folder))
        return {place.code: {"en": place.name, "zh": place.name_zh or place.name} for place in given}

    def _title(self, name: str) -> Mapping[str, str]:
        plain = name.replace("_", " ")
        try:
            functions = read_folder(self._launch.folder)
            said = None if functions is None else functions.named(name)
        except DriveawayError:
            said = None
        if said is None:
            return {"en": plain, "zh": plain}
        return {"en": f"{plain} ({said.said})" if said.said else plain, "zh": said.name_zh or plain}

    def _places(self, state: FunctionState) -> tuple[PlaceTold, ...]:
        codes = places_of(state.gate)
        if not codes or len(codes) > _MOST_PLACES:
            return ()
        homes = Homes(folder_places(self._launch.folder))
        rows: dict[str, list[Mapping[str, Any]]] = {code: [] for code in codes}
        others: list[Mapping[str, Any]] = []
        for row in counting.count(self._launch, self._cut, state.name, "place")["rows"]:
            code = None if row["city"] is None else homes.city(row["city"], row["province"])
            rows.get(code or "", others).append(row)
        names = self._names(codes)
        told = [_place(names[code], found) for code, found in rows.items()]
        told.sort(key=lambda place: (-place.delivered, place.name["en"]))
        return (*told, _place(_ELSEWHERE, others))


def _place(name: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> PlaceTold:
    counts = {
        column: sum(int(row.get(column) or 0) for row in rows)
        for column in ("delivered", "equipped", "eligible", "active")
    }
    unknown = any(row.get("active") is None for row in rows)
    return PlaceTold(
        name=name,
        delivered=counts["delivered"],
        equipped=counts["equipped"],
        eligible=counts["eligible"],
        active=None if unknown else counts["active"],
    )
