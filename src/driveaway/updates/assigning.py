"""Giving a distribution set to cars: one action each, older ones asked to stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from driveaway.book.state.state import Change
from driveaway.updates import sets
from driveaway.updates.actions import acting, log, steering
from driveaway.updates.configuration import Configuration
from driveaway.updates.fitting import unfit
from driveaway.updates.model import (
    LAST_ACTION_ID,
    Action,
    ActionStatus,
    ActionType,
    Outcome,
    TargetStatus,
)
from driveaway.updates.quotas import ACTIONS_PER_TARGET, MANUAL_ASSIGNMENTS, exceeded
from driveaway.updates.rows import parts, places
from driveaway.values.errors import BadValue, Unavailable

HEAVIEST: Final = 1000
_CLOSED: Final = "closed: another distribution set was assigned"
_GIVEN: Final = (
    "EXISTS (SELECT 1 FROM actions a WHERE a.target = t.id AND a.active = 1 AND a.distribution_set = :set"
    " AND a.status"
)
# The newest that the car was asked about this set is a download, done or under way.
_HOLDS: Final = (
    f"EXISTS (SELECT 1 FROM actions a WHERE a.target = t.id AND a.distribution_set = :set AND a.type ="
    f" '{ActionType.DOWNLOAD_ONLY}' AND ((a.active = 1 AND a.status <> :canceling) OR a.outcome ="
    f" '{Outcome.DOWNLOADED}') AND NOT EXISTS (SELECT 1 FROM actions b WHERE b.target = t.id"
    f" AND b.distribution_set = :set AND b.id > a.id AND b.outcome IN ('', '{Outcome.INSTALLED}')))"
)
_OVERTAKEN: Final = "cancellation asked for: another distribution set was assigned"


class Window(msgspec.Struct, frozen=True):
    """A maintenance window: Quartz schedule, duration ``HH:MM:SS``, offset such as ``+08:00``."""

    schedule: str
    duration: str
    timezone: str


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How cars are asked to install.

    Attributes:
        type: how urgently.
        force_time: from when on a time-forced action is forced, microseconds.
        weight: 0 to 1000; of several actions the car sees the heaviest.
        window: when it may be done.
        confirmation: whether the car's user must agree first; None: as the launch is set.
        rollout: the rollout it belongs to, and its group.
        initiated_by: who asked for it.
    """

    type: ActionType = ActionType.FORCED
    force_time: int | None = None
    weight: int = HEAVIEST
    window: Window | None = None
    confirmation: bool | None = None
    rollout: int | None = None
    rollout_group: int | None = None
    initiated_by: str = ""

    def __post_init__(self) -> None:
        """Refuse terms that contradict themselves.

        Raises:
            BadValue: a weight out of range, or a time-forced action without its time.
        """
        if not 0 <= self.weight <= HEAVIEST:
            raise BadValue(
                f"a weight of {self.weight} is none", code="action.weight", remedy="0 to 1000", field="weight"
            )
        if (self.type is ActionType.TIME_FORCED) != (self.force_time is not None):
            raise BadValue(
                "a force time goes with timeforced, and with nothing else",
                code="action.force_time",
                remedy="give both or neither",
                field="force_time",
            )


class Assigned(msgspec.Struct, frozen=True):
    """What an assignment came to.

    Attributes:
        actions: id of the new action by controller id.
        already: cars that have the set assigned already.
        unknown: controller ids that no car has.
        passed_over: why the set does not fit cars that were passed over, by controller id.
    """

    actions: Mapping[str, int]
    already: int
    unknown: Sequence[str]
    passed_over: Mapping[str, str] = {}


def assign(
    change: Change,
    distribution_set: int,
    controller_ids: Iterable[str],
    terms: Terms,
    at: int,
    *,
    most: int | None = MANUAL_ASSIGNMENTS,
    anew: bool = False,
    checked: bool = False,
    simulated: bool = False,
) -> Assigned:
    """Give a distribution set to cars.

    A car that has the set only downloaded, or is to download it, installs what it holds where the terms ask
    for more than a download: a client that finds the files does not fetch them again.

    Older actions of a car are asked to cancel, or closed at once where the launch is set so; with several
    assignments allowed they go on, and weights decide. Cars that have the set already are passed over,
    unless what gave it to them is being cancelled and they have not said so yet; so are cars that a release
    does not fit.

    Args:
        change: where it is written.
        distribution_set: what they get; locked from now on.
        controller_ids: the cars.
        terms: how they are asked.
        at: now.
        most: cars at once; None without limit (rollouts).
        anew: also cars that have it assigned already: a further try.
        checked: whether it was seen already that it fits the cars, or they are to say so themselves.
        simulated: whether a simulation does it.

    Raises:
        NotFound: there is no such set.
        Refused: it is incomplete or invalid, or a quota is reached (``quota.assignments``,
            ``quota.actions``).
    """
    wanted = list(dict.fromkeys(controller_ids))
    if most is not None and len(wanted) > most:
        exceeded("assignments", "cars in one request", most, "ask in parts, or make a rollout")
    configuration = Configuration(change)
    sets.check_assignable(change, distribution_set)
    if configuration.enabled("implicit.lock.enabled"):
        sets.lock(change, distribution_set, at)
    confirmation = terms.confirmation
    if confirmation is None:
        confirmation = configuration.enabled("user.confirmation.flow.enabled")
    several = configuration.enabled("multi.assignments.enabled")
    installs = terms.type is not ActionType.DOWNLOAD_ONLY
    found: dict[int, str] = {}
    fresh: list[int] = []
    sql = (
        "SELECT t.id, t.controller_id, t.assigned IS NULL OR t.assigned <> :set OR"
        f" {_GIVEN} = :canceling) AND NOT {_GIVEN} <> :canceling)"
        f"{f' OR {_HOLDS}' if installs else ''} FROM targets t WHERE t.controller_id IN ({places()})"
    )
    for part in parts(wanted):
        rows = change.rows(sql, set=distribution_set, canceling=ActionStatus.CANCELING.value, **part)
        for target, controller_id, lacks in rows:
            found[target] = controller_id
            if several or anew or lacks:
                fresh.append(target)
    known = set(found.values())
    already = len(found) - len(fresh)
    passed = {} if checked else unfit(change, distribution_set, fresh)
    fresh = [target for target in fresh if target not in passed]
    actions: dict[str, int] = {}
    for part in parts(fresh):
        _check_quota(change, part, found)
        if installs:
            steering.end_downloads(change, part, distribution_set, at, simulated=simulated)
        if not several:
            _overtake(
                change,
                part,
                at,
                closing=configuration.enabled("repository.actions.autoclose.enabled"),
                simulated=simulated,
            )
        made = _create(change, part, distribution_set, terms, confirmation, at)
        actions.update({found[target]: action for action, target in made})
        change.run(
            f"UPDATE targets SET assigned = :set, status = :status, modified = :at WHERE id IN ({places()})",
            set=distribution_set,
            status=TargetStatus.PENDING.value,
            at=at,
            **part,
        )
        _tell(change, part, at)
    unknown = [controller_id for controller_id in wanted if controller_id not in known]
    return Assigned(actions, already, unknown, {found[target]: why for target, why in passed.items()})


def _tell(change: Change, part: Mapping[str, int], at: int) -> None:
    change.run(
        "INSERT INTO target_changes (target, at) SELECT t.id, CAST(:at AS BIGINT) FROM targets t"
        f" WHERE t.id IN ({places()})",
        at=at,
        **part,
    )


def _check_quota(change: Change, part: Mapping[str, int], found: Mapping[int, str]) -> None:
    rows = change.rows(
        f"SELECT target FROM actions WHERE target IN ({places()}) GROUP BY target HAVING COUNT(*) >= :most"
        " LIMIT 1",
        most=ACTIONS_PER_TARGET,
        **part,
    )
    if rows:
        exceeded("actions", f"actions of target {found[rows[0][0]]}", ACTIONS_PER_TARGET, "delete old ones")


def _overtake(change: Change, part: Mapping[str, int], at: int, *, closing: bool, simulated: bool) -> None:
    """Ask the cars to stop what they are at, or close it; what was not begun is cancelled."""
    inside = f"target IN ({places()})"
    going_on = f"active = 1 AND status <> '{ActionStatus.CANCELING}' AND {inside}"
    if closing:
        for (action_id,) in change.rows(f"SELECT id FROM actions WHERE {going_on}", **part):
            target, action = acting.find(change, action_id)
            log.add(change, action_id, ActionStatus.CANCELED, at, [_CLOSED])
            acting.close(
                change, target, action, ActionStatus.CANCELED, Outcome.CANCELLED, at, simulated=simulated
            )
    else:
        log.add_to_all(change, going_on, ActionStatus.CANCELING, _OVERTAKEN, at, part)
        change.run(
            f"UPDATE actions SET status = :status, modified = :at WHERE {going_on}",
            status=ActionStatus.CANCELING.value,
            at=at,
            **part,
        )
    change.run(
        "UPDATE actions SET status = :canceled, outcome = :cancelled, modified = :at"
        f" WHERE active = 0 AND status = :scheduled AND {inside}",
        canceled=ActionStatus.CANCELED.value,
        cancelled=Outcome.CANCELLED.value,
        scheduled=ActionStatus.SCHEDULED.value,
        at=at,
        **part,
    )


_COLUMNS: Final = (
    "distribution_set, type, active, weight, force_time, window_schedule, window_duration,"
    " window_timezone, rollout, rollout_group, initiated_by, created, modified"
)
_VALUES: Final = (
    "CAST(:set AS BIGINT), :type, CAST(:active AS SMALLINT), CAST(:weight AS BIGINT),"
    " CAST(:force_time AS BIGINT), :schedule, :duration, :timezone, CAST(:rollout AS BIGINT),"
    " CAST(:group AS BIGINT), :by, CAST(:at AS BIGINT), CAST(:at AS BIGINT)"
)
_RUNNING: Final = "assigned"
_WAITING: Final = "assigned; waits for the car's confirmation"


def _create(
    change: Change,
    part: Mapping[str, int],
    distribution_set: int,
    terms: Terms,
    confirmation: bool,
    at: int,
) -> list[tuple[int, int]]:
    """One action for each car; (action, target)."""
    window = terms.window or Window("", "", "")
    waiting = "t.auto_confirm = 0" if confirmation else "1 = 0"
    rows = change.rows(
        f"INSERT INTO actions (target, status, {_COLUMNS})"
        f" SELECT t.id, CASE WHEN {waiting} THEN '{ActionStatus.WAIT_FOR_CONFIRMATION}'"
        f" ELSE '{ActionStatus.RUNNING}' END, {_VALUES} FROM targets t WHERE t.id IN ({places()})"
        " ORDER BY t.id RETURNING id, target, status",
        set=distribution_set,
        type=terms.type.value,
        active=1,
        weight=terms.weight,
        force_time=terms.force_time,
        schedule=window.schedule,
        duration=window.duration,
        timezone=window.timezone,
        rollout=terms.rollout,
        group=terms.rollout_group,
        by=terms.initiated_by,
        at=at,
        **part,
    )
    if max(row[0] for row in rows) > LAST_ACTION_ID:
        raise Unavailable(
            "the numbers for actions are used up", code="action.numbers", remedy="begin a new book"
        )
    # Nobody else writes: the numbers of one statement follow each other.
    made = {"first": min(row[0] for row in rows), "last": max(row[0] for row in rows)}
    for status, text in ((ActionStatus.RUNNING, _RUNNING), (ActionStatus.WAIT_FOR_CONFIRMATION, _WAITING)):
        if any(row[2] == status for row in rows):
            these = f"id >= :first AND id <= :last AND status = '{status}'"
            log.add_to_all(change, these, status, text, at, made)
    return [(action, target) for action, target, _ in rows]


def assign_offline(
    change: Change,
    distribution_set: int,
    controller_ids: Iterable[str],
    at: int,
    *,
    initiated_by: str = "",
    most: int | None = MANUAL_ASSIGNMENTS,
    simulated: bool = False,
) -> Assigned:
    """Note that cars have a distribution set already: a finished action each.

    Cars that have it assigned already, or wait for something else, are passed over, as hawkBit does.

    Raises:
        NotFound: there is no such set.
        Refused: it is incomplete or invalid, or a quota is reached.
    """
    wanted = list(dict.fromkeys(controller_ids))
    if most is not None and len(wanted) > most:
        exceeded("assignments", "cars in one request", most, "ask in parts")
    sets.check_assignable(change, distribution_set)
    sets.lock(change, distribution_set, at)
    found: dict[int, str] = {}
    fresh: list[int] = []
    sql = f"SELECT id, controller_id, assigned, status FROM targets WHERE controller_id IN ({places()})"
    for part in parts(wanted):
        for target, controller_id, assigned, status in change.rows(sql, **part):
            found[target] = controller_id
            if assigned != distribution_set and status != TargetStatus.PENDING:
                fresh.append(target)
    known = set(found.values())
    actions: dict[str, int] = {}
    terms = Terms(initiated_by=initiated_by)
    for part in parts(fresh):
        _check_quota(change, part, found)
        for action_id, target_id in _create(change, part, distribution_set, terms, False, at):
            target, action = acting.find(change, action_id)
            finished = ActionStatus.FINISHED
            log.add(change, action_id, finished, at, ["installed without this server"])
            change.run(
                "UPDATE targets SET assigned = :set WHERE id = :id", set=distribution_set, id=target_id
            )
            target = msgspec.structs.replace(target, assigned=distribution_set)
            acting.close(change, target, action, finished, Outcome.INSTALLED, at, simulated=simulated)
            actions[found[target_id]] = action_id
    unknown = [controller_id for controller_id in wanted if controller_id not in known]
    return Assigned(actions, len(found) - len(fresh), unknown)


def retry(change: Change, action_id: int, at: int, *, initiated_by: str = "", simulated: bool = False) -> int:
    """Try again what failed, on the same terms; the id of the new action.

    Raises:
        NotFound: there is no such action.
        Refused: it has not failed, its set may not be given any more, or a quota is reached.
    """
    target, action = acting.find(change, action_id)
    steering.check_failed(action)
    made = assign(
        change,
        action.distribution_set,
        [target.controller_id],
        terms_of(action, initiated_by=initiated_by),
        at,
        most=None,
        anew=True,
        checked=True,
        simulated=simulated,
    )
    return made.actions[target.controller_id]


def terms_of(action: Action, *, initiated_by: str = "") -> Terms:
    """The terms of an action."""
    window = Window(action.window_schedule, action.window_duration, action.window_timezone)
    return Terms(
        type=action.type,
        force_time=action.force_time if action.type is ActionType.TIME_FORCED else None,
        weight=action.weight,
        window=window if window.schedule else None,
        rollout=action.rollout,
        rollout_group=action.rollout_group,
        initiated_by=initiated_by or action.initiated_by,
    )
