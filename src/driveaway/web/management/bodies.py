"""Bodies of requests, in hawkBit's names. Fields that are not known are passed over, as there."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, get_origin

import msgspec
from msgspec import Meta

from driveaway.updates.model import ActionType
from driveaway.values.errors import BadValue
from driveaway.web.http.errors import HttpError

_PLAIN: Final = r"^[^\x00]*$"
_JSON: Final = ("application/json", "application/hal+json", "text/json")
Text = Annotated[str, Meta(max_length=4096, pattern=_PLAIN)]
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Weight = Annotated[int, Meta(ge=0, le=1000)]
Milliseconds = Annotated[int, Meta(ge=0, le=2**53)]
_MOST: Final = 5_000
"""Entries of a list: hawkBit's quota of one request."""
Some = Meta(max_length=_MOST)


class Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What tools send."""


class TargetBody(Body, frozen=True, kw_only=True):
    """A target, to be entered or changed."""

    controller_id: Text | None = None
    name: Text | None = None
    description: Text | None = None
    address: Text | None = None
    security_token: Text | None = None
    group: Text | None = None
    target_type: int | None = None
    request_attributes: bool | None = None


class Pair(Body, frozen=True, kw_only=True):
    """A note: key and value."""

    key: Text
    value: Text
    target_visible: bool | None = None


class PairValue(Body, frozen=True, kw_only=True):
    """The value of a note."""

    value: Text
    target_visible: bool | None = None


class AutoConfirmBody(Body, frozen=True, kw_only=True):
    """Who agrees to all that comes, and why."""

    initiator: Annotated[str, Meta(max_length=64, pattern=_PLAIN)] | None = None
    remark: Annotated[str, Meta(max_length=512, pattern=_PLAIN)] | None = None


class ConfirmationBody(Body, frozen=True, kw_only=True):
    """A confirmation in the car's stead."""

    confirmation: Literal["confirmed", "denied"]
    code: int | None = None
    details: tuple[Text, ...] | None = None


class ActionBody(Body, frozen=True, kw_only=True):
    """A change of an action: it can only be forced."""

    force_type: ActionType | None = None


class WindowBody(Body, frozen=True, kw_only=True):
    """A maintenance window."""

    schedule: Text | None = None
    duration: Text | None = None
    timezone: Text | None = None


class TermsBody(Body, frozen=True, kw_only=True):
    """How what is assigned is to be installed."""

    type: ActionType | None = None
    forcetime: Milliseconds | None = None
    weight: Weight | None = None
    maintenance_window: WindowBody | None = None
    confirmation_required: bool | None = None


class TargetAssignment(TermsBody, frozen=True, kw_only=True):
    """A target that a set is assigned to."""

    id: Text


class SetAssignment(TermsBody, frozen=True, kw_only=True):
    """A set that is assigned to a target."""

    id: Number


class Id(Body, frozen=True, kw_only=True):
    """Something by its number."""

    id: Number


class ModuleBody(Body, frozen=True, kw_only=True):
    """A software module to be entered."""

    name: Text
    version: Text
    type: Text
    vendor: Text | None = None
    description: Text | None = None
    encrypted: bool | None = None


class ModuleChange(Body, frozen=True, kw_only=True):
    """What may be changed of a module."""

    description: Text | None = None
    vendor: Text | None = None
    locked: bool | None = None


class ModuleTypeBody(Body, frozen=True, kw_only=True):
    """A type of modules to be declared."""

    key: Text
    name: Text
    description: Text | None = None
    colour: Text | None = None
    max_assignments: Number | None = None


class SetTypeBody(Body, frozen=True, kw_only=True):
    """A type of distribution sets to be declared."""

    key: Text
    name: Text
    description: Text | None = None
    colour: Text | None = None
    mandatorymodules: Annotated[tuple[Id, ...], Some] | None = None
    optionalmodules: Annotated[tuple[Id, ...], Some] | None = None


class TypeChange(Body, frozen=True, kw_only=True):
    """What may be changed of a type."""

    description: Text | None = None
    colour: Text | None = None


class SetBody(Body, frozen=True, kw_only=True):
    """A distribution set to be entered."""

    name: Text
    version: Text
    type: Text | None = None
    description: Text | None = None
    required_migration_step: bool | None = None
    modules: Annotated[tuple[Id, ...], Some] | None = None
    os: Id | None = None
    runtime: Id | None = None
    application: Id | None = None


class SetChange(Body, frozen=True, kw_only=True):
    """What may be changed of a distribution set."""

    name: Text | None = None
    version: Text | None = None
    description: Text | None = None
    required_migration_step: bool | None = None
    locked: bool | None = None


class Invalidation(Body, frozen=True, kw_only=True):
    """What becomes of the actions of a set that is given to nobody any more."""

    action_cancelation_type: Literal["force", "soft", "none"] = "none"
    cancel_rollouts: bool | None = None


class FilterBody(Body, frozen=True, kw_only=True):
    """A target filter."""

    name: Text | None = None
    query: Annotated[str, Meta(max_length=65_536, pattern=_PLAIN)] | None = None


class AutoAssignment(Body, frozen=True, kw_only=True):
    """A set that whoever a filter finds is given."""

    id: Number
    type: ActionType | None = None
    weight: Weight | None = None
    confirmation_required: bool | None = None


class Condition(Body, frozen=True, kw_only=True):
    """When a group has succeeded, or failed: from, or above, a percentage of all its targets."""

    condition: Literal["THRESHOLD"] = "THRESHOLD"
    expression: str | int = "50"


class SuccessAction(Body, frozen=True, kw_only=True):
    """What follows success."""

    action: Literal["NEXTGROUP", "PAUSE"] = "NEXTGROUP"
    expression: str | None = None


class ErrorAction(Body, frozen=True, kw_only=True):
    """What follows failure."""

    action: Literal["PAUSE"] = "PAUSE"
    expression: str | None = None


class Conditions(Body, frozen=True, kw_only=True):
    """What a group, or a rollout for all its groups, says of success and failure."""

    success_condition: Condition | None = None
    success_action: SuccessAction | None = None
    error_condition: Condition | None = None
    error_action: ErrorAction | None = None


class GroupBody(Conditions, frozen=True, kw_only=True):
    """A group of a rollout."""

    name: Text | None = None
    description: Text | None = None
    target_filter_query: Annotated[str, Meta(max_length=65_536, pattern=_PLAIN)] | None = None
    target_percentage: Annotated[float, Meta(gt=0, le=100)] | None = None
    confirmation_required: bool | None = None


class RolloutBody(Conditions, frozen=True, kw_only=True):
    """A rollout to be planned."""

    name: Text
    description: Text | None = None
    target_filter_query: Annotated[str, Meta(max_length=65_536, pattern=_PLAIN)]
    distribution_set_id: Number
    amount_groups: Annotated[int, Meta(ge=1, le=500)] | None = None
    groups: Annotated[tuple[GroupBody, ...], Meta(min_length=1, max_length=500)] | None = None
    type: ActionType | None = None
    forcetime: Milliseconds | None = None
    start_at: Milliseconds | None = None
    weight: Weight | None = None
    dynamic: bool | None = None
    confirmation_required: bool | None = None


class RolloutChange(Body, frozen=True, kw_only=True):
    """What may be changed of a rollout."""

    name: Text | None = None
    description: Text | None = None


class TagBody(Body, frozen=True, kw_only=True):
    """A tag."""

    name: Annotated[str, Meta(min_length=1, max_length=128, pattern=_PLAIN)]
    description: Text | None = None
    colour: Text | None = None


class SettingBody(Body, frozen=True, kw_only=True):
    """The value of a setting."""

    value: str | int | bool


def read(body: bytes, content_type: str | None, kind: Any) -> Any:
    """A body, read as what a route expects. Numbers and switches may stand in quotes, as with hawkBit.

    Raises:
        HttpError: another media type than JSON (415).
        BadValue: not readable, or it says something else; the field is named.
    """
    name = (content_type or _JSON[0]).partition(";")[0].strip().lower()
    if name not in _JSON:
        raise HttpError(
            "the body's media type is not known", code="http.media_type", remedy="send application/json"
        )
    try:
        # The values of settings are of the type that they were sent in.
        exact = kind is SettingBody or get_origin(kind) is dict
        return msgspec.json.decode(body, type=kind, strict=exact)
    except msgspec.ValidationError as error:
        raise BadValue(
            str(error)[:400], code="http.body", remedy="see the reference of the Management API"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise BadValue(
            "the body is not readable", code="http.body", remedy="send well-formed JSON"
        ) from error
