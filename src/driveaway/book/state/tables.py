"""Operational tables, once, for both stores. Times are microseconds UTC, flags 0 or 1.

What counts for ever is a fact; these tables hold what servers need at hand and may change.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

from driveaway.book.state.columns import binary_text as _sorted
from driveaway.book.state.columns import flag as _flag
from driveaway.book.state.columns import number as _number
from driveaway.book.state.columns import reference as _ref
from driveaway.book.state.columns import row_id as _id
from driveaway.book.state.columns import text as _text
from driveaway.book.state.columns import time as _time

operational = MetaData()


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(name, operational, *columns, sqlite_autoincrement=any(c.name == "id" for c in columns))


def _pairs(name: str, owner: str, *more: Column[Any]) -> Table:
    """Keyed texts of a thing."""
    return Table(
        name,
        operational,
        Column(owner, BigInteger, primary_key=True, autoincrement=False),
        Column("key", Text, primary_key=True),
        _text("value"),
        *more,
        sqlite_with_rowid=False,
    )


# --- who gets software: cars (targets) -------------------------------------------------------------

target = _table(
    "targets",
    _id(),
    Column("controller_id", Text, nullable=False),
    _text("name"),
    _text("description"),
    _text("type"),
    _text("target_group"),
    _text("security_token"),
    Column("status", Text, nullable=False, server_default="unknown"),
    _text("address"),
    _time("created"),
    _time("modified"),
    _time("polled", nullable=True),
    _ref("installed", nullable=True),
    _time("installed_at", nullable=True),
    # The action that brought what is installed, and the version that the car last said it runs.
    _ref("installed_action", nullable=True),
    _text("version_reported"),
    _ref("assigned", nullable=True),
    _flag("attributes_requested", 1),
    _flag("auto_confirm"),
    _text("auto_confirm_initiator"),
    _text("auto_confirm_remark"),
    _time("auto_confirm_at", nullable=True),
)
Index("targets_controller", target.c.controller_id, unique=True)
Index("targets_installed", target.c.installed)
Index("targets_assigned", target.c.assigned)

target_attribute = _pairs("target_attributes", "target", _sorted("version_key"))
Index("target_attributes_value", target_attribute.c.key, target_attribute.c.value)
_pairs("target_metadata", "target")
place = Table(
    "target_places",
    operational,
    Column("target", BigInteger, primary_key=True, autoincrement=False),
    # Code of a city or province that the car is at home in, such as city:suzhou.
    Column("place", Text, primary_key=True),
    sqlite_with_rowid=False,
)
Index("target_places_place", place.c.place)
target_tag = Table(
    "target_tags",
    operational,
    Column("target", BigInteger, primary_key=True, autoincrement=False),
    Column("tag", Text, primary_key=True),
    sqlite_with_rowid=False,
)
_table(
    "tags",
    _id(),
    Column("name", Text, nullable=False, unique=True),
    _text("description"),
    _text("colour"),
    _time("created"),
)
change = _table("target_changes", _id(), _ref("target"), _time("at"))
"""Every change that another process must see before the car polls again; read by id, pruned by age.

Target 0: every car is meant.
"""
Index("target_changes_at", change.c.at)

# --- software: modules, their artifacts, distribution sets (releases) -------------------------------

module = _table(
    "software_modules",
    _id(),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    _sorted("version_key"),
    Column("type", Text, nullable=False),
    _text("vendor"),
    _text("description"),
    _flag("encrypted"),
    _flag("locked"),
    _flag("deleted"),
    _time("created"),
    _time("modified"),
)
Index("software_modules_name", module.c.name, module.c.version, module.c.type)
_pairs("module_metadata", "module", _flag("target_visible"))
artifact = _table(
    "artifacts",
    _id(),
    _ref("module"),
    Column("filename", Text, nullable=False),
    _number("size"),
    Column("sha1", Text, nullable=False),
    Column("md5", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    _time("created"),
)
Index("artifacts_name", artifact.c.module, artifact.c.filename, unique=True)
Index("artifacts_sha256", artifact.c.sha256)
distribution_set = _table(
    "distribution_sets",
    _id(),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    _sorted("version_key"),
    _text("type"),
    _text("description"),
    _flag("required_migration_step"),
    _flag("locked"),
    _flag("valid", 1),
    _flag("deleted"),
    _time("created"),
    _time("modified"),
    # What a release says beyond its modules (functions, gates, dependencies), canonical JSON.
    _text("release", default="{}"),
)
Index("distribution_sets_name", distribution_set.c.name, distribution_set.c.version)
_pairs("set_metadata", "distribution_set")
Table(
    "set_tags",
    operational,
    Column("distribution_set", BigInteger, primary_key=True, autoincrement=False),
    Column("tag", Text, primary_key=True),
    sqlite_with_rowid=False,
)
Table(
    "set_modules",
    operational,
    Column("distribution_set", BigInteger, primary_key=True, autoincrement=False),
    Column("module", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

software_type = _table(
    "software_types",
    _id(),
    # "module" or "set".
    Column("sort", Text, nullable=False),
    Column("key", Text, nullable=False),
    _text("name"),
    _text("description"),
    _text("colour"),
    _number("max_assignments", default=1),
    # Keys of types of modules, JSON arrays.
    _text("mandatory", default="[]"),
    _text("optional", default="[]"),
    _flag("deleted"),
    _time("created"),
    _time("modified"),
)
Index("software_types_key", software_type.c.sort, software_type.c.key)

# --- actions: one car, one distribution set -----------------------------------------------------------

action = _table(
    "actions",
    _id(),
    _ref("target"),
    _ref("distribution_set"),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    _flag("active", 1),
    _number("weight", default=1000),
    _time("force_time", nullable=True),
    _text("window_schedule"),
    _text("window_duration"),
    _text("window_timezone"),
    _ref("rollout", nullable=True),
    _ref("rollout_group", nullable=True),
    _text("initiated_by"),
    _text("external_ref"),
    _number("last_code", default=None),
    # When the car last said something about it; how it ended; whether the car then said that it runs it
    # (1) or something else (0).
    # When the car first and last said something of it.
    _time("begun", nullable=True),
    _time("heard", nullable=True),
    _text("outcome"),
    _number("verified", default=None),
    _time("created"),
    _time("modified"),
)
# A car has few active actions; a rollout asks for all of its own.
Index(
    "actions_active",
    action.c.target,
    sqlite_where=action.c.active == 1,
    postgresql_where=action.c.active == 1,
)
Index("actions_target", action.c.target)
Index("actions_rollout", action.c.rollout, action.c.rollout_group)
action_status = _table(
    "action_statuses",
    _id(),
    _ref("action"),
    Column("status", Text, nullable=False),
    _time("at"),
    _time("reported", nullable=True),
    _number("code", default=None),
    # A JSON array of texts.
    _text("messages", default="[]"),
    # Digest of the feedback: one that is sent again is told apart from a new one.
    _text("digest"),
)
Index("action_statuses_action", action_status.c.action)

# --- rollouts -------------------------------------------------------------------------------------------

rollout = _table(
    "rollouts",
    _id(),
    Column("name", Text, nullable=False),
    _text("description"),
    Column("status", Text, nullable=False),
    _ref("distribution_set"),
    _text("filter"),
    # The whole plan (growth, guards, holdout, type, weight, window…), canonical JSON.
    _text("plan", default="{}"),
    # What the worker keeps from one decision to the next, canonical JSON.
    _text("record", default="{}"),
    _text("reason"),
    _text("created_by"),
    _text("approved_by"),
    _time("start_at", nullable=True),
    _time("created"),
    _time("modified"),
)
Index("rollouts_name", rollout.c.name, unique=True)
group = _table(
    "rollout_groups",
    _id(),
    _ref("rollout"),
    _number("position"),
    Column("name", Text, nullable=False),
    _text("plan", default="{}"),
    Column("status", Text, nullable=False),
    _number("total"),
)
Index("rollout_groups_rollout", group.c.rollout, group.c.position)
member = Table(
    "rollout_members",
    operational,
    Column("rollout", BigInteger, primary_key=True, autoincrement=False),
    Column("target", BigInteger, primary_key=True, autoincrement=False),
    # The car's place in the random order, 0 to 2**64 - 1, less 2**63 so that it fits.
    Column("place", BigInteger, nullable=False),
    _flag("held_out"),
    _text("segment"),
    _time("joined"),
    _time("opened", nullable=True),
    _ref("action", nullable=True),
    sqlite_with_rowid=False,
)
Index("rollout_members_target", member.c.target)
health = _table(
    "car_health",
    _id(),
    Column("vin", Text, nullable=False),
    Column("release", Text, nullable=False),
    _time("window_start"),
    _time("window_end"),
    Column("signal", Text, nullable=False),
    _number("count"),
    _number("exposure_m"),
    _number("assisted_m"),
    _time("landed"),
    _flag("simulated"),
)
Index("car_health_once", health.c.vin, health.c.signal, health.c.window_start, health.c.release, unique=True)
target_filter = _table(
    "target_filters",
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("query", Text, nullable=False),
    _ref("distribution_set", nullable=True),
    _text("action_type"),
    _number("weight", default=None),
    _time("created"),
    _time("modified"),
)

# --- who may do what, and what is set ---------------------------------------------------------------------

_table(
    "accounts",
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("password", Text, nullable=False),
    # A JSON array of role names.
    _text("roles", default="[]"),
    _flag("enabled", 1),
    _time("created"),
    _time("modified"),
)
sessions = Table(
    "sessions",
    operational,
    Column("digest", Text, primary_key=True),
    _ref("account"),
    _time("created"),
    _time("expires"),
    sqlite_with_rowid=False,
)
Table(
    "settings",
    operational,
    Column("key", Text, primary_key=True),
    _text("value"),
    _time("modified"),
    sqlite_with_rowid=False,
)
Table(
    "leases",
    operational,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    _time("until"),
    sqlite_with_rowid=False,
)

# --- who is told of facts -----------------------------------------------------------------------------------

_table(
    "webhooks",
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),
    # A JSON array of kinds of facts.
    _text("kinds", default="[]"),
    # In clear: what is sent is signed with it.
    Column("secret", Text, nullable=False),
    _flag("enabled", 1),
    # Rises when somebody changes the hook: whoever delivers reads it anew.
    _number("revision"),
    # The last fact that needs no sending any more, by its seq, and how many were delivered.
    _number("cursor"),
    _number("delivered"),
    _time("delivered_at", nullable=True),
    # Of the fact that is tried: how often it failed, since when nothing was taken, when it is tried next.
    _number("attempts"),
    _time("failing_since", nullable=True),
    _time("next_try", nullable=True),
    # What was last said against it; why it was given up.
    _text("said"),
    _text("reason"),
    _text("created_by"),
    _time("created"),
    _time("modified"),
)
