"""Every resource of the door, once: what it is, who may, what it does. The reference is made of it."""

from __future__ import annotations

from typing import Any, Final

from driveaway.web.management import (
    actions,
    bodies,
    describing,
    documents,
    filters,
    kinds,
    members,
    modules,
    notes,
    rollouts,
    sets,
    system,
    targets,
)
from driveaway.web.management.calls import Call, Said
from driveaway.web.management.documents import Page
from driveaway.web.management.routing import Permission, Route, Table


def _listed(kind: Any) -> Any:
    return tuple[kind, ...]


_TARGET: Final = "/targets/{target}"
_ACTION: Final = _TARGET + "/actions/{action}"
_MODULE: Final = "/softwaremodules/{module}"
_ARTIFACT: Final = _MODULE + "/artifacts/{artifact}"
_MODULE_TYPE: Final = "/softwaremoduletypes/{type}"
_SET: Final = "/distributionsets/{set}"
_SET_TYPE: Final = "/distributionsettypes/{type}"
_MUST: Final = _SET_TYPE + "/mandatorymoduletypes"
_MAY: Final = _SET_TYPE + "/optionalmoduletypes"
_FILTER: Final = "/targetfilters/{filter}"
_ROLLOUT: Final = "/rollouts/{rollout}"
_GROUP: Final = _ROLLOUT + "/deploygroups/{group}"
_CUT: Final = ("offset", "limit")
_PAGED: Final = (*_CUT, "sort", "q")
_UPLOADED: Final = ("filename", "md5sum", "sha1sum", "sha256sum")
_SAID_UPLOAD: Final = (
    "Give a module a file: multipart, part `file`; `filename`, `md5sum`, `sha1sum` and `sha256sum` as"
    " further parts or in the query."
)
_SAID_DOWNLOAD: Final = "The content of a file; ranges and conditions as of RFC 9110."


def _upload(call: Call) -> Said:
    raise AssertionError("files are streamed")


def _noted(path: str, noted: notes.Noted, permission: Permission) -> tuple[Route, ...]:
    one = path + "/metadata/{key}"
    return (
        Route("GET", path + "/metadata", "view", notes.listing(noted), Page[documents.NoteDocument]),
        Route(
            "POST",
            path + "/metadata",
            permission,
            notes.create(noted),
            list[documents.NoteDocument],
            _listed(bodies.Pair),
            status=201,
        ),
        Route("GET", one, "view", notes.one(noted), documents.NoteDocument),
        Route("PUT", one, permission, notes.amend(noted), documents.NoteDocument, bodies.PairValue),
        Route("DELETE", one, permission, notes.delete(noted)),
    )


_RESOURCES: Final = (
    Route("GET", "/userinfo", "view", system.user, documents.User),
    Route("GET", "/system/configs", "view", system.settings, dict[str, documents.SettingDocument]),
    Route(
        "PUT",
        "/system/configs",
        "administer",
        system.put_settings,
        list[documents.SettingDocument],
        dict[str, str | int | bool],
    ),
    Route("GET", "/system/configs/{key}", "view", system.setting, documents.SettingDocument),
    Route(
        "PUT",
        "/system/configs/{key}",
        "administer",
        system.put_setting,
        documents.SettingDocument,
        bodies.SettingBody,
    ),
    Route("DELETE", "/system/configs/{key}", "administer", system.reset_setting),
    # --- targets
    Route("GET", "/targets", "view", targets.listing, Page[documents.TargetDocument], query=_PAGED),
    Route(
        "POST",
        "/targets",
        "operate",
        targets.create,
        list[documents.TargetDocument],
        _listed(bodies.TargetBody),
        status=201,
    ),
    Route("GET", _TARGET, "view", targets.get, documents.TargetDocument),
    Route("PUT", _TARGET, "operate", targets.amend, documents.TargetDocument, bodies.TargetBody),
    Route("DELETE", _TARGET, "operate", targets.delete),
    Route("GET", _TARGET + "/attributes", "view", targets.attributes, dict[str, str], perhaps=True),
    *_noted(_TARGET, notes.TARGET, "operate"),
    Route("GET", _TARGET + "/tags", "view", targets.tags, list[documents.TagDocument]),
    Route(
        "POST",
        _TARGET + "/tags",
        "operate",
        targets.tag,
        list[documents.TagDocument],
        _listed(bodies.TagBody),
    ),
    Route("DELETE", _TARGET + "/tags/{tag}", "operate", targets.untag),
    Route("GET", _TARGET + "/assignedDS", "view", targets.assigned_set, documents.SetDocument, perhaps=True),
    Route(
        "POST",
        _TARGET + "/assignedDS",
        "operate",
        targets.assign_sets,
        documents.Assignment,
        bodies.SetAssignment | tuple[bodies.SetAssignment, ...],
        query=("offline",),
    ),
    Route(
        "GET", _TARGET + "/installedDS", "view", targets.installed_set, documents.SetDocument, perhaps=True
    ),
    Route("GET", _TARGET + "/autoConfirm", "view", targets.auto_confirm, documents.AutoConfirmDocument),
    Route(
        "POST",
        _TARGET + "/autoConfirm/activate",
        "operate",
        targets.activate_auto_confirm,
        body=bodies.AutoConfirmBody,
        optional=True,
    ),
    Route("POST", _TARGET + "/autoConfirm/deactivate", "operate", targets.deactivate_auto_confirm),
    # --- actions
    Route(
        "GET",
        _TARGET + "/actions",
        "view",
        actions.of_target,
        Page[documents.ActionDocument],
        query=(*_PAGED, "representation"),
    ),
    Route(
        "DELETE", _TARGET + "/actions", "operate", actions.delete_of_target, query=("keepLast", "actionIds")
    ),
    Route("GET", _ACTION, "view", actions.get_of_target, documents.ActionDocument),
    Route("PUT", _ACTION, "operate", actions.amend, documents.ActionDocument, bodies.ActionBody),
    Route("DELETE", _ACTION, "operate", actions.cancel, query=("force",)),
    Route("PUT", _ACTION + "/confirmation", "operate", actions.confirm, body=bodies.ConfirmationBody),
    Route(
        "GET",
        _ACTION + "/status",
        "view",
        actions.messages,
        Page[documents.MessageDocument],
        query=("offset", "limit", "sort"),
    ),
    Route(
        "GET",
        "/actions",
        "view",
        actions.listing,
        Page[documents.ActionDocument],
        query=(*_PAGED, "representation"),
    ),
    Route("GET", "/actions/{action}", "view", actions.get, documents.ActionDocument),
    # --- software
    Route("GET", "/softwaremodules", "view", modules.listing, Page[documents.ModuleDocument], query=_PAGED),
    Route(
        "POST",
        "/softwaremodules",
        "publish",
        modules.create,
        list[documents.ModuleDocument],
        _listed(bodies.ModuleBody),
        status=201,
    ),
    Route("GET", _MODULE, "view", modules.get, documents.ModuleDocument),
    Route("PUT", _MODULE, "publish", modules.amend, documents.ModuleDocument, bodies.ModuleChange),
    Route("DELETE", _MODULE, "publish", modules.delete),
    *_noted(_MODULE, notes.MODULE, "publish"),
    Route("GET", _MODULE + "/artifacts", "view", modules.artifacts, list[documents.ArtifactDocument]),
    Route(
        "POST",
        _MODULE + "/artifacts",
        "publish",
        _upload,
        documents.ArtifactDocument,
        query=_UPLOADED,
        status=201,
        streamed="upload",
        said=_SAID_UPLOAD,
    ),
    Route("GET", _ARTIFACT, "view", modules.artifact, documents.ArtifactDocument),
    Route("DELETE", _ARTIFACT, "publish", modules.delete_artifact),
    Route("GET", _ARTIFACT + "/download", "view", _upload, streamed="download", said=_SAID_DOWNLOAD),
    Route(
        "GET",
        "/softwaremoduletypes",
        "view",
        kinds.module_types,
        Page[documents.ModuleKindDocument],
        query=_CUT,
    ),
    Route(
        "POST",
        "/softwaremoduletypes",
        "publish",
        kinds.create_module_types,
        list[documents.ModuleKindDocument],
        _listed(bodies.ModuleTypeBody),
        status=201,
    ),
    Route("GET", _MODULE_TYPE, "view", kinds.module_type, documents.ModuleKindDocument),
    Route(
        "PUT",
        _MODULE_TYPE,
        "publish",
        kinds.amend_module_type,
        documents.ModuleKindDocument,
        bodies.TypeChange,
    ),
    Route("DELETE", _MODULE_TYPE, "publish", kinds.delete_module_type),
    # --- distribution sets
    Route("GET", "/distributionsets", "view", sets.listing, Page[documents.SetDocument], query=_PAGED),
    Route(
        "POST",
        "/distributionsets",
        "publish",
        sets.create,
        list[documents.SetDocument],
        _listed(bodies.SetBody),
        status=201,
    ),
    Route("GET", _SET, "view", sets.get, documents.SetDocument),
    Route("PUT", _SET, "publish", sets.amend, documents.SetDocument, bodies.SetChange),
    Route("DELETE", _SET, "publish", sets.delete),
    *_noted(_SET, notes.SET, "publish"),
    Route(
        "GET",
        _SET + "/assignedSM",
        "view",
        sets.assigned_modules,
        Page[documents.ModuleDocument],
        query=_PAGED,
    ),
    Route("POST", _SET + "/assignedSM", "publish", sets.assign_modules, body=_listed(bodies.Id)),
    Route("DELETE", _SET + "/assignedSM/{module}", "publish", sets.unassign_module),
    Route(
        "GET",
        _SET + "/assignedTargets",
        "view",
        members.assigned,
        Page[documents.TargetDocument],
        query=_PAGED,
    ),
    Route(
        "POST",
        _SET + "/assignedTargets",
        "operate",
        sets.assign_targets,
        documents.Assignment,
        _listed(bodies.TargetAssignment),
        query=("offline",),
    ),
    Route(
        "GET",
        _SET + "/installedTargets",
        "view",
        members.installed,
        Page[documents.TargetDocument],
        query=_PAGED,
    ),
    Route(
        "GET",
        _SET + "/autoAssignTargetFilters",
        "view",
        members.automatic,
        Page[documents.FilterDocument],
        query=_PAGED,
    ),
    Route("GET", _SET + "/statistics", "view", sets.statistics, documents.SetStatistics),
    Route("POST", _SET + "/invalidate", "operate", sets.invalidate, body=bodies.Invalidation),
    Route("GET", "/distributionsettypes", "view", kinds.set_types, Page[documents.KindDocument], query=_CUT),
    Route(
        "POST",
        "/distributionsettypes",
        "publish",
        kinds.create_set_types,
        list[documents.KindDocument],
        _listed(bodies.SetTypeBody),
        status=201,
    ),
    Route("GET", _SET_TYPE, "view", kinds.set_type, documents.KindDocument),
    Route("PUT", _SET_TYPE, "publish", kinds.amend_set_type, documents.KindDocument, bodies.TypeChange),
    Route("DELETE", _SET_TYPE, "publish", kinds.delete_set_type),
    Route("GET", _MUST, "view", kinds.mandatory, list[documents.ModuleKindDocument]),
    Route("POST", _MUST, "publish", kinds.put_mandatory, body=bodies.Id),
    Route("GET", _MUST + "/{module_type}", "view", kinds.one_mandatory, documents.ModuleKindDocument),
    Route("DELETE", _MUST + "/{module_type}", "publish", kinds.take_mandatory),
    Route("GET", _MAY, "view", kinds.optional, list[documents.ModuleKindDocument]),
    Route("POST", _MAY, "publish", kinds.put_optional, body=bodies.Id),
    Route("GET", _MAY + "/{module_type}", "view", kinds.one_optional, documents.ModuleKindDocument),
    Route("DELETE", _MAY + "/{module_type}", "publish", kinds.take_optional),
    # --- target filters
    Route("GET", "/targetfilters", "view", filters.listing, Page[documents.FilterDocument], query=_PAGED),
    Route(
        "POST",
        "/targetfilters",
        "operate",
        filters.create,
        documents.FilterDocument,
        bodies.FilterBody,
        status=201,
    ),
    Route("GET", _FILTER, "view", filters.get, documents.FilterDocument),
    Route("PUT", _FILTER, "operate", filters.amend, documents.FilterDocument, bodies.FilterBody),
    Route("DELETE", _FILTER, "operate", filters.delete),
    Route("GET", _FILTER + "/autoAssignDS", "view", filters.automatic, documents.SetDocument, perhaps=True),
    Route(
        "POST",
        _FILTER + "/autoAssignDS",
        "operate",
        filters.give_automatically,
        documents.FilterDocument,
        bodies.AutoAssignment,
    ),
    Route("DELETE", _FILTER + "/autoAssignDS", "operate", filters.give_no_more),
    # --- rollouts
    Route(
        "GET",
        "/rollouts",
        "view",
        rollouts.listing,
        Page[documents.RolloutDocument],
        query=(*_PAGED, "representation"),
    ),
    Route(
        "POST",
        "/rollouts",
        "publish",
        rollouts.create,
        documents.RolloutDocument,
        bodies.RolloutBody,
        status=201,
    ),
    Route("GET", _ROLLOUT, "view", rollouts.get, documents.RolloutDocument),
    Route("PUT", _ROLLOUT, "publish", rollouts.amend, documents.RolloutDocument, bodies.RolloutChange),
    Route("DELETE", _ROLLOUT, "publish", rollouts.delete),
    Route("POST", _ROLLOUT + "/start", "operate", rollouts.start),
    Route("POST", _ROLLOUT + "/pause", "operate", rollouts.pause, query=("remark",)),
    Route("POST", _ROLLOUT + "/resume", "operate", rollouts.resume, query=("remark",)),
    Route("POST", _ROLLOUT + "/stop", "operate", rollouts.stop, query=("remark",)),
    Route("POST", _ROLLOUT + "/approve", "approve", rollouts.approve),
    Route("POST", _ROLLOUT + "/deny", "approve", rollouts.deny, query=("remark",)),
    Route(
        "GET",
        _ROLLOUT + "/deploygroups",
        "view",
        rollouts.deploy_groups,
        Page[documents.GroupDocument],
        query=_CUT,
    ),
    Route("GET", _GROUP, "view", rollouts.deploy_group, documents.GroupDocument),
    Route("GET", _GROUP + "/targets", "view", members.of_group, Page[documents.TargetDocument], query=_PAGED),
)


def description() -> dict[str, Any]:
    """The door in OpenAPI 3.1."""
    return describing.description(ROUTES)


def _description(call: Call) -> Said:
    """This description, in OpenAPI 3.1."""
    return Said(200, description())


ROUTES: Final = (Route("GET", "/openapi.json", "view", _description, dict[str, Any]), *_RESOURCES)
find: Final = Table(ROUTES).find
