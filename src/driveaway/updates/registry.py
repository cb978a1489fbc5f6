"""Cars as targets: entering them, what they say about themselves, tokens and tags."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from driveaway.book.state.state import Change, Reading
from driveaway.updates import changes, outcomes
from driveaway.updates.model import Outcome, Target, TargetStatus
from driveaway.updates.quotas import ATTRIBUTES_PER_TARGET, KEY_LENGTH, exceeded
from driveaway.updates.rows import TARGET, target_of
from driveaway.values.clock import DAY
from driveaway.values.errors import BadValue, Conflict, NotFound

_CONTROLLER_ID: Final = re.compile(r"[^\s/\\\x00-\x1f\x7f]{1,256}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9]{32,128}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UNVERIFIED: Final = DAY
"""So long after an update a car is asked anew which version it runs."""

_NEW: Final = (
    "INSERT INTO targets (controller_id, name, description, type, security_token, status, address,"
    " created, modified, polled) VALUES (:controller_id, :name, :description, :type, :token, :status,"
    " :address, :at, :at, :polled) ON CONFLICT (controller_id) DO NOTHING"
)


class Mode(StrEnum):
    """What attributes that a car sends do to those that are known."""

    MERGE = "merge"
    REPLACE = "replace"
    REMOVE = "remove"


def check_controller_id(text: str) -> str:
    """A controller id, as given.

    Raises:
        BadValue: empty, longer than 256 characters, or with white space, slashes or control characters.
    """
    if _CONTROLLER_ID.fullmatch(text) is None or text in (".", ".."):
        raise BadValue(
            f"{text[:80]!r} cannot be a controller id",
            code="target.controller_id",
            remedy="1 to 256 characters without white space and slashes; best the VIN",
        )
    return text


def check_token(text: str) -> str:
    """A security token, as given.

    Raises:
        BadValue: not 32 to 128 letters and digits of ASCII.
    """
    if _TOKEN.fullmatch(text) is None:
        raise BadValue(
            "this cannot be a security token", code="target.token", remedy="32 to 128 letters and digits"
        )
    return text


def new_token() -> str:
    """A fresh security token of 128 bits."""
    return secrets.token_hex(16)


def find_target(reading: Reading, controller_id: str) -> Target | None:
    """The car of this id, None if there is none."""
    rows = reading.rows(
        f"SELECT {TARGET} FROM targets t WHERE t.controller_id = :controller_id", controller_id=controller_id
    )
    return target_of(rows[0]) if rows else None


def target_named(reading: Reading, controller_id: str) -> Target:
    """The car of this id.

    Raises:
        NotFound: there is none.
    """
    found = find_target(reading, controller_id)
    if found is None:
        raise NotFound(
            f"there is no target {controller_id[:80]!r}", code="target.unknown", remedy="enter it, or poll"
        )
    return found


def register(change: Change, controller_id: str, address: str, at: int) -> None:
    """Enter a car that polls for the first time (plug and play); nothing where it is known.

    Raises:
        BadValue: that can be no controller id.
    """
    _enter(change, controller_id, "", "", "", new_token(), TargetStatus.REGISTERED, address, at, at)


def create(
    change: Change,
    controller_id: str,
    at: int,
    *,
    name: str = "",
    description: str = "",
    type: str = "",
    token: str = "",
    address: str = "",
) -> Target:
    """Enter a car ahead of its first poll; it gets a token of its own where none is given.

    Raises:
        BadValue: that can be no controller id, or no token.
        Conflict: it is entered already.
    """
    token = check_token(token) if token else new_token()
    if not _enter(
        change, controller_id, name, description, type, token, TargetStatus.UNKNOWN, address, at, None
    ):
        raise Conflict(
            f"there is a target {controller_id!r} already", code="target.exists", remedy="change that one"
        )
    return target_named(change, controller_id)


def _enter(
    change: Change,
    controller_id: str,
    name: str,
    description: str,
    type: str,
    token: str,
    status: TargetStatus,
    address: str,
    at: int,
    polled: int | None,
) -> bool:
    entered = change.run(
        _NEW,
        controller_id=check_controller_id(controller_id),
        name=name or controller_id,
        description=description,
        type=type,
        token=token,
        status=status.value,
        address=address,
        at=at,
        polled=polled,
    )
    if entered:
        changes.tell(change, (target_named(change, controller_id).id,), at)
    return bool(entered)


def amend(change: Change, controller_id: str, at: int, **fields: str) -> Target:
    """Change what an operator says of a car: name, description, type, target_group, security_token.

    Raises:
        NotFound: there is no such car.
        BadValue: the token cannot be one.
    """
    target = target_named(change, controller_id)
    if "security_token" in fields:
        check_token(fields["security_token"])
    allowed = {"name", "description", "type", "target_group", "security_token"}
    setting = ", ".join(f"{name} = :{name}" for name in fields if name in allowed)
    change.run(f"UPDATE targets SET {setting}, modified = :at WHERE id = :id", at=at, id=target.id, **fields)
    changes.tell(change, (target.id,), at)
    return target_named(change, controller_id)


def request_attributes(change: Change, controller_id: str, at: int) -> None:
    """Ask a car to send its attributes at its next poll.

    Raises:
        NotFound: there is no such car.
    """
    target = target_named(change, controller_id)
    change.run("UPDATE targets SET attributes_requested = 1 WHERE id = :id", id=target.id)
    changes.tell(change, (target.id,), at)


def delete(change: Change, controller_id: str, at: int) -> None:
    """Take a car out with all that hangs on it; what became of its updates stays, as facts.

    Raises:
        NotFound: there is no such car.
    """
    target = target_named(change, controller_id)
    change.run(
        "DELETE FROM action_statuses WHERE action IN (SELECT id FROM actions WHERE target = :target)",
        target=target.id,
    )
    for table in ("actions", "target_attributes", "target_metadata", "target_tags", "rollout_members"):
        change.run(f"DELETE FROM {table} WHERE target = :target", target=target.id)
    change.run("DELETE FROM targets WHERE id = :target", target=target.id)
    changes.tell_everyone(change, at)


# --- what a car says about itself ----------------------------------------------------------------


def attributes(reading: Reading, target: int) -> dict[str, str]:
    """What a car said about itself, by key."""
    rows = reading.rows(
        "SELECT key, value FROM target_attributes WHERE target = :target ORDER BY key", target=target
    )
    return dict(rows)


def check_attributes(given: Mapping[str, str | None]) -> None:
    """Refuse attributes that cannot be kept.

    Raises:
        BadValue: a key or value is too long, empty or has control characters; the key is named.
    """
    for key, value in given.items():
        if not 0 < len(key) <= KEY_LENGTH or _CONTROL.search(key):
            raise BadValue(
                f"{key[:40]!r} cannot be an attribute's key",
                code="attribute.key",
                remedy=f"1 to {KEY_LENGTH} characters, none of them a control character",
            )
        if value is not None and (len(value) > KEY_LENGTH or _CONTROL.search(value)):
            raise BadValue(
                f"attribute {key!r} cannot have that value",
                code="attribute.value",
                place=key,
                remedy=f"at most {KEY_LENGTH} characters, none of them a control character",
            )


def put_attributes(
    change: Change,
    controller_id: str,
    given: Mapping[str, str | None],
    mode: Mode,
    at: int,
    *,
    version_attribute: str = "",
    version_keys: Mapping[str, str] | None = None,
    simulated: bool = False,
) -> None:
    """Take what a car says about itself; a value of None removes the key.

    Where ``version_attribute`` names an attribute, what the car says under it is the truth about what it
    runs: it verifies the action that installed this version.

    Args:
        change: where it is written.
        controller_id: the car.
        given: its attributes.
        mode: what they do to those that are known.
        at: now.
        version_attribute: the key under which the car says its version.
        version_keys: sort keys of values that are versions, by key.
        simulated: whether a simulation says so.

    Raises:
        NotFound: there is no such car.
        BadValue: an attribute cannot be kept.
        Refused: it would have more than 100 (``quota.attributes``).
    """
    check_attributes(given)
    target = target_named(change, controller_id)
    known = attributes(change, target.id)
    kept = {} if mode is Mode.REPLACE else dict(known)
    for key, value in given.items():
        if value is None or mode is Mode.REMOVE:
            kept.pop(key, None)
        else:
            kept[key] = value
    if len(kept) > ATTRIBUTES_PER_TARGET:
        exceeded(
            "attributes",
            f"attributes of target {controller_id}",
            ATTRIBUTES_PER_TARGET,
            "send fewer, or remove what is not needed",
        )
    change.run_many(
        "DELETE FROM target_attributes WHERE target = :target AND key = :key",
        [{"target": target.id, "key": key} for key in known if key not in kept],
    )
    change.run_many(
        "INSERT INTO target_attributes (target, key, value, version_key) VALUES (:target, :key, :value, :vk)"
        " ON CONFLICT (target, key) DO UPDATE SET value = excluded.value, version_key = excluded.version_key",
        [
            {"target": target.id, "key": key, "value": value, "vk": (version_keys or {}).get(key, "")}
            for key, value in kept.items()
            if known.get(key) != value
        ],
    )
    wanted = 1 if mode is Mode.REMOVE and target.attributes_requested else 0
    said = kept.get(version_attribute, "") if version_attribute else ""
    if said and mode is not Mode.REMOVE:
        wanted = int(_report_version(change, target, said, at, simulated))
    if wanted != target.attributes_requested:
        change.run(
            "UPDATE targets SET attributes_requested = :wanted WHERE id = :id", wanted=wanted, id=target.id
        )
    if kept != known or wanted != target.attributes_requested:
        changes.tell(change, (target.id,), at)


def _report_version(change: Change, target: Target, said: str, at: int, simulated: bool) -> bool:
    """Take the version that a car says it runs; whether it is to be asked again.

    A car that has not restarted yet, or sends what stands in a file, still says the old version: that
    alone proves nothing, so it is asked again for a day, and whoever watches the rollout decides.
    """
    rows = (
        change.rows(
            "SELECT a.id, a.verified, d.name, d.version FROM actions a JOIN distribution_sets d"
            " ON d.id = a.distribution_set WHERE a.id = :action AND a.outcome = :installed",
            action=target.installed_action,
            installed=Outcome.INSTALLED.value,
        )
        if target.installed_action
        else []
    )
    action, verified, name, version = rows[0] if rows else (0, None, "", "")
    agrees = said == version if rows else None
    if agrees and verified is None:
        change.run("UPDATE actions SET verified = 1, modified = :at WHERE id = :id", at=at, id=action)
    if said != target.version_reported:
        change.run("UPDATE targets SET version_reported = :said WHERE id = :id", said=said, id=target.id)
    if said != target.version_reported or (agrees and verified is None):
        release = outcomes.release_slug(name, version) if rows else None
        outcomes.append_reported(
            change, target, said, at, release=release, agrees=agrees, simulated=simulated
        )
    recent = target.installed_at is not None and at - target.installed_at < _UNVERIFIED
    return agrees is False and verified is None and recent
