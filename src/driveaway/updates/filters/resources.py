"""The fields of targets, distribution sets, software modules, actions and rollouts.

Names are hawkBit's; ``place`` (codes of the places a car is at home in) and versions are ours. Where the
values stand is one mapping a resource: a store with other tables hands in its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from driveaway.updates.filters.fields import Column, Field, Fields, Kind, Listed, Named, Related, Source

TARGET_STATES: Final = ("unknown", "in_sync", "pending", "error", "registered")
ACTION_STATES: Final = (
    "finished",
    "error",
    "warning",
    "running",
    "canceled",
    "canceling",
    "retrieved",
    "download",
    "scheduled",
    "cancel_rejected",
    "downloaded",
    "wait_for_confirmation",
)
ROLLOUT_STATES: Final = (
    "creating",
    "ready",
    "paused",
    "starting",
    "stopping",
    "stopped",
    "running",
    "finished",
    "deleting",
    "waiting_for_approval",
    "approval_denied",
)


def _set(reference: str, column: str, version: str | None = None) -> Related:
    return Related(reference, "distribution_sets", "id", column, version)


TARGET_SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "controllerid": Column("t.controller_id"),
        "name": Column("t.name"),
        "description": Column("t.description"),
        "createdat": Column("t.created"),
        "lastmodifiedat": Column("t.modified"),
        "lastcontrollerrequestat": Column("t.polled"),
        "updatestatus": Column("t.status"),
        "ipaddress": Column("t.address"),
        "type.key": Column("t.type"),
        "group": Column("t.target_group"),
        "autoconfirm": Column("t.auto_confirm"),
        "assignedds.name": _set("t.assigned", "name"),
        "assignedds.version": _set("t.assigned", "version", "version_key"),
        "installedds.name": _set("t.installed", "name"),
        "installedds.version": _set("t.installed", "version", "version_key"),
        "attribute": Named("t.id", "target_attributes", "target", "key", "value", "version_key"),
        "metadata": Named("t.id", "target_metadata", "target", "key", "value"),
        "tag": Listed("t.id", "target_tags", "target", "tag"),
        "place": Listed("t.id", "target_places", "target", "place"),
    }
)
"""``targets`` is ``t``; attributes, metadata, tags and places are tables of their own."""

DISTRIBUTION_SET_SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "id": Column("d.id"),
        "name": Column("d.name"),
        "version": Column("d.version", "d.version_key"),
        "type.key": Column("d.type"),
        "description": Column("d.description"),
        "createdat": Column("d.created"),
        "lastmodifiedat": Column("d.modified"),
        "valid": Column("d.valid"),
        "metadata": Named("d.id", "set_metadata", "distribution_set", "key", "value"),
        "tag": Listed("d.id", "set_tags", "distribution_set", "tag"),
    }
)
"""``distribution_sets`` is ``d``."""

SOFTWARE_MODULE_SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "id": Column("m.id"),
        "name": Column("m.name"),
        "version": Column("m.version", "m.version_key"),
        "type.key": Column("m.type"),
        "description": Column("m.description"),
        "createdat": Column("m.created"),
        "lastmodifiedat": Column("m.modified"),
        "metadata": Named("m.id", "module_metadata", "module", "key", "value"),
    }
)
"""``software_modules`` is ``m``."""

ACTION_SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "id": Column("a.id"),
        "active": Column("a.active"),
        "status": Column("a.status"),
        "laststatuscode": Column("a.last_code"),
        "weight": Column("a.weight"),
        "externalref": Column("a.external_ref"),
        "createdat": Column("a.created"),
        "lastmodifiedat": Column("a.modified"),
        "target.id": Related("a.target", "targets", "id", "controller_id"),
        "target.name": Related("a.target", "targets", "id", "name"),
        "target.updatestatus": Related("a.target", "targets", "id", "status"),
        "target.ipaddress": Related("a.target", "targets", "id", "address"),
        "distributionset.id": Column("a.distribution_set"),
        "distributionset.name": _set("a.distribution_set", "name"),
        "distributionset.version": _set("a.distribution_set", "version", "version_key"),
        "rollout.id": Column("a.rollout"),
        "rollout.name": Related("a.rollout", "rollouts", "id", "name"),
    }
)
"""``actions`` is ``a``."""

ROLLOUT_SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "id": Column("r.id"),
        "name": Column("r.name"),
        "description": Column("r.description"),
        "status": Column("r.status"),
        "createdat": Column("r.created"),
        "lastmodifiedat": Column("r.modified"),
        "distributionset.id": Column("r.distribution_set"),
        "distributionset.name": _set("r.distribution_set", "name"),
        "distributionset.version": _set("r.distribution_set", "version", "version_key"),
    }
)
"""``rollouts`` is ``r``."""

_TIMES: Final = ("createdat", "lastmodifiedat", "lastcontrollerrequestat")
_TYPE: Final = ("type", "type.name", "targettype", "targettype.key", "targettype.name")


def target_fields(sources: Mapping[str, Source] = TARGET_SOURCES) -> Fields:
    """What targets are filtered by; ``id`` is the controller id, as in hawkBit."""
    choices = {"updatestatus": TARGET_STATES}
    aliases = {
        "controllerid": ("id",),
        "updatestatus": ("status",),
        "type.key": _TYPE,
        "autoconfirm": ("autoconfirmationstatus",),
        "tag": ("tag.name",),
    }
    return _fields("a target", sources, choices, aliases, booleans=("autoconfirm",))


def distribution_set_fields(sources: Mapping[str, Source] = DISTRIBUTION_SET_SOURCES) -> Fields:
    """What distribution sets are filtered by."""
    aliases = {"type.key": _TYPE[:2], "tag": ("tag.name",)}
    return _fields("a distribution set", sources, {}, aliases, booleans=("valid",), integers=("id",))


def software_module_fields(sources: Mapping[str, Source] = SOFTWARE_MODULE_SOURCES) -> Fields:
    """What software modules are filtered by."""
    return _fields("a software module", sources, {}, {"type.key": _TYPE[:2]}, integers=("id",))


def action_fields(sources: Mapping[str, Source] = ACTION_SOURCES) -> Fields:
    """What actions are filtered by."""
    choices = {"status": ACTION_STATES, "target.updatestatus": TARGET_STATES}
    integers = ("id", "weight", "laststatuscode", "distributionset.id", "rollout.id")
    return _fields("an action", sources, choices, {}, booleans=("active",), integers=integers)


def rollout_fields(sources: Mapping[str, Source] = ROLLOUT_SOURCES) -> Fields:
    """What rollouts are filtered by."""
    integers = ("id", "distributionset.id")
    return _fields("a rollout", sources, {"status": ROLLOUT_STATES}, {}, integers=integers)


def _fields(
    resource: str,
    sources: Mapping[str, Source],
    choices: Mapping[str, tuple[str, ...]],
    aliases: Mapping[str, tuple[str, ...]],
    *,
    booleans: tuple[str, ...] = (),
    integers: tuple[str, ...] = (),
) -> Fields:
    kinds = dict.fromkeys(choices, Kind.CHOICE) | dict.fromkeys(booleans, Kind.BOOLEAN)
    kinds |= dict.fromkeys(integers, Kind.INTEGER) | dict.fromkeys(_TIMES, Kind.TIME)
    return Fields(
        resource,
        [
            Field(name, source, kinds.get(name, Kind.TEXT), aliases.get(name, ()), choices.get(name, ()))
            for name, source in sources.items()
        ],
    )
