"""Every resource of the door, once: what it is, who may, what it does. The reference page is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from driveaway.values.errors import NotFound
from driveaway.web.http.errors import HttpError
from driveaway.web.management import (
    actions,
    bodies,
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
from driveaway.web.management.calls import ROOT, Call, Said

Permission = Literal["view", "operate", "publish", "approve", "administer"]
Streamed = Literal["", "upload", "download"]


@dataclass(frozen=True, slots=True)
class Route:
    """One resource and method.

    Attributes:
        method: GET answers HEAD too.
        path: below ``/rest/v1``; names in braces.
        permission: what the account must be allowed.
        handler: does it.
        body: what the body must be; None: there is none.
        streamed: whether a file comes or goes, which the handler does not see.
        optional: whether the body may be left out.
    """

    method: str
    path: str
    permission: Permission
    handler: Callable[[Call], Said]
    body: Any = None
    streamed: Streamed = ""
    optional: bool = False

    @property
    def does(self) -> str:
        """What it does, in a sentence."""
        return _SAID.get((self.method, self.path)) or (self.handler.__doc__ or "").partition("\n")[0]


def _listed(kind: Any) -> Any:
    return tuple[kind, ...]


_TARGET: Final = "/targets/{target}"
_ACTION: Final = _TARGET + "/actions/{action}"
_MODULE: Final = "/softwaremodules/{module}"
_ARTIFACT: Final = _MODULE + "/artifacts/{artifact}"
_SET: Final = "/distributionsets/{set}"
_SET_TYPE: Final = "/distributionsettypes/{type}"
_MUST: Final = _SET_TYPE + "/mandatorymoduletypes"
_MAY: Final = _SET_TYPE + "/optionalmoduletypes"
_FILTER: Final = "/targetfilters/{filter}"
_ROLLOUT: Final = "/rollouts/{rollout}"
_GROUP: Final = _ROLLOUT + "/deploygroups/{group}"
_SAID: Final[dict[tuple[str, str], str]] = {
    ("POST", _MODULE + "/artifacts"): (
        "Give a module a file: multipart, part `file`; `filename`, `md5sum`, `sha1sum` and `sha256sum` as"
        " further parts or in the query."
    ),
    ("GET", _ARTIFACT + "/download"): "The content of a file; ranges and conditions as of RFC 9110.",
}


def _upload(call: Call) -> Said:
    raise AssertionError("files are streamed")


def _noted(path: str, noted: notes.Noted, permission: Permission) -> tuple[Route, ...]:
    one = path + "/metadata/{key}"
    return (
        Route("GET", path + "/metadata", "view", notes.listing(noted)),
        Route("POST", path + "/metadata", permission, notes.create(noted), _listed(bodies.Pair)),
        Route("GET", one, "view", notes.one(noted)),
        Route("PUT", one, permission, notes.amend(noted), bodies.PairValue),
        Route("DELETE", one, permission, notes.delete(noted)),
    )


ROUTES: Final = (
    Route("GET", "/userinfo", "view", system.user),
    Route("GET", "/system/configs", "view", system.settings),
    Route("PUT", "/system/configs", "administer", system.put_settings, dict[str, str | int | bool]),
    Route("GET", "/system/configs/{key}", "view", system.setting),
    Route("PUT", "/system/configs/{key}", "administer", system.put_setting, bodies.SettingBody),
    Route("DELETE", "/system/configs/{key}", "administer", system.reset_setting),
    # --- targets
    Route("GET", "/targets", "view", targets.listing),
    Route("POST", "/targets", "operate", targets.create, _listed(bodies.TargetBody)),
    Route("GET", _TARGET, "view", targets.get),
    Route("PUT", _TARGET, "operate", targets.amend, bodies.TargetBody),
    Route("DELETE", _TARGET, "operate", targets.delete),
    Route("GET", _TARGET + "/attributes", "view", targets.attributes),
    *_noted(_TARGET, notes.TARGET, "operate"),
    Route("GET", _TARGET + "/tags", "view", targets.tags),
    Route("POST", _TARGET + "/tags", "operate", targets.tag, _listed(bodies.TagBody)),
    Route("DELETE", _TARGET + "/tags/{tag}", "operate", targets.untag),
    Route("GET", _TARGET + "/assignedDS", "view", targets.assigned_set),
    Route(
        "POST",
        _TARGET + "/assignedDS",
        "operate",
        targets.assign_sets,
        bodies.SetAssignment | tuple[bodies.SetAssignment, ...],
    ),
    Route("GET", _TARGET + "/installedDS", "view", targets.installed_set),
    Route("GET", _TARGET + "/autoConfirm", "view", targets.auto_confirm),
    Route(
        "POST",
        _TARGET + "/autoConfirm/activate",
        "operate",
        targets.activate_auto_confirm,
        bodies.AutoConfirmBody,
        optional=True,
    ),
    Route("POST", _TARGET + "/autoConfirm/deactivate", "operate", targets.deactivate_auto_confirm),
    # --- actions
    Route("GET", _TARGET + "/actions", "view", actions.of_target),
    Route("DELETE", _TARGET + "/actions", "operate", actions.delete_of_target),
    Route("GET", _ACTION, "view", actions.get_of_target),
    Route("PUT", _ACTION, "operate", actions.amend, bodies.ActionBody),
    Route("DELETE", _ACTION, "operate", actions.cancel),
    Route("PUT", _ACTION + "/confirmation", "operate", actions.confirm, bodies.ConfirmationBody),
    Route("GET", _ACTION + "/status", "view", actions.messages),
    Route("GET", "/actions", "view", actions.listing),
    Route("GET", "/actions/{action}", "view", actions.get),
    # --- software
    Route("GET", "/softwaremodules", "view", modules.listing),
    Route("POST", "/softwaremodules", "publish", modules.create, _listed(bodies.ModuleBody)),
    Route("GET", _MODULE, "view", modules.get),
    Route("PUT", _MODULE, "publish", modules.amend, bodies.ModuleChange),
    Route("DELETE", _MODULE, "publish", modules.delete),
    *_noted(_MODULE, notes.MODULE, "publish"),
    Route("GET", _MODULE + "/artifacts", "view", modules.artifacts),
    Route("POST", _MODULE + "/artifacts", "publish", _upload, streamed="upload"),
    Route("GET", _ARTIFACT, "view", modules.artifact),
    Route("DELETE", _ARTIFACT, "publish", modules.delete_artifact),
    Route("GET", _ARTIFACT + "/download", "view", _upload, streamed="download"),
    Route("GET", "/softwaremoduletypes", "view", kinds.module_types),
    Route(
        "POST", "/softwaremoduletypes", "publish", kinds.create_module_types, _listed(bodies.ModuleTypeBody)
    ),
    Route("GET", "/softwaremoduletypes/{type}", "view", kinds.module_type),
    Route("PUT", "/softwaremoduletypes/{type}", "publish", kinds.amend_module_type, bodies.TypeChange),
    Route("DELETE", "/softwaremoduletypes/{type}", "publish", kinds.delete_module_type),
    # --- distribution sets
    Route("GET", "/distributionsets", "view", sets.listing),
    Route("POST", "/distributionsets", "publish", sets.create, _listed(bodies.SetBody)),
    Route("GET", _SET, "view", sets.get),
    Route("PUT", _SET, "publish", sets.amend, bodies.SetChange),
    Route("DELETE", _SET, "publish", sets.delete),
    *_noted(_SET, notes.SET, "publish"),
    Route("GET", _SET + "/assignedSM", "view", sets.assigned_modules),
    Route("POST", _SET + "/assignedSM", "publish", sets.assign_modules, _listed(bodies.Id)),
    Route("DELETE", _SET + "/assignedSM/{module}", "publish", sets.unassign_module),
    Route("GET", _SET + "/assignedTargets", "view", members.assigned),
    Route(
        "POST", _SET + "/assignedTargets", "operate", sets.assign_targets, _listed(bodies.TargetAssignment)
    ),
    Route("GET", _SET + "/installedTargets", "view", members.installed),
    Route("GET", _SET + "/autoAssignTargetFilters", "view", members.automatic),
    Route("GET", _SET + "/statistics", "view", sets.statistics),
    Route("POST", _SET + "/invalidate", "operate", sets.invalidate, bodies.Invalidation),
    Route("GET", "/distributionsettypes", "view", kinds.set_types),
    Route("POST", "/distributionsettypes", "publish", kinds.create_set_types, _listed(bodies.SetTypeBody)),
    Route("GET", _SET_TYPE, "view", kinds.set_type),
    Route("PUT", _SET_TYPE, "publish", kinds.amend_set_type, bodies.TypeChange),
    Route("DELETE", _SET_TYPE, "publish", kinds.delete_set_type),
    Route("GET", _MUST, "view", kinds.mandatory),
    Route("POST", _MUST, "publish", kinds.put_mandatory, bodies.Id),
    Route("GET", _MUST + "/{module_type}", "view", kinds.one_mandatory),
    Route("DELETE", _MUST + "/{module_type}", "publish", kinds.take_mandatory),
    Route("GET", _MAY, "view", kinds.optional),
    Route("POST", _MAY, "publish", kinds.put_optional, bodies.Id),
    Route("GET", _MAY + "/{module_type}", "view", kinds.one_optional),
    Route("DELETE", _MAY + "/{module_type}", "publish", kinds.take_optional),
    # --- target filters
    Route("GET", "/targetfilters", "view", filters.listing),
    Route("POST", "/targetfilters", "operate", filters.create, bodies.FilterBody),
    Route("GET", _FILTER, "view", filters.get),
    Route("PUT", _FILTER, "operate", filters.amend, bodies.FilterBody),
    Route("DELETE", _FILTER, "operate", filters.delete),
    Route("GET", _FILTER + "/autoAssignDS", "view", filters.automatic),
    Route("POST", _FILTER + "/autoAssignDS", "operate", filters.give_automatically, bodies.AutoAssignment),
    Route("DELETE", _FILTER + "/autoAssignDS", "operate", filters.give_no_more),
    # --- rollouts
    Route("GET", "/rollouts", "view", rollouts.listing),
    Route("POST", "/rollouts", "publish", rollouts.create, bodies.RolloutBody),
    Route("GET", _ROLLOUT, "view", rollouts.get),
    Route("PUT", _ROLLOUT, "publish", rollouts.amend, bodies.RolloutChange),
    Route("DELETE", _ROLLOUT, "publish", rollouts.delete),
    Route("POST", _ROLLOUT + "/start", "operate", rollouts.start),
    Route("POST", _ROLLOUT + "/pause", "operate", rollouts.pause),
    Route("POST", _ROLLOUT + "/resume", "operate", rollouts.resume),
    Route("POST", _ROLLOUT + "/stop", "operate", rollouts.stop),
    Route("POST", _ROLLOUT + "/approve", "approve", rollouts.approve),
    Route("POST", _ROLLOUT + "/deny", "approve", rollouts.deny),
    Route("GET", _ROLLOUT + "/deploygroups", "view", rollouts.deploy_groups),
    Route("GET", _GROUP, "view", rollouts.deploy_group),
    Route("GET", _GROUP + "/targets", "view", members.of_group),
)


def _parts(path: str) -> tuple[str, ...]:
    return tuple((ROOT + path).split("/")[1:])


_BY_SIZE: Final[dict[int, dict[tuple[str, ...], dict[str, Route]]]] = {}
for _route in ROUTES:
    _size = _BY_SIZE.setdefault(len(_parts(_route.path)), {})
    _size.setdefault(_parts(_route.path), {})[_route.method] = _route


def find(method: str, parts: tuple[str, ...]) -> tuple[Route, dict[str, str]]:
    """The route of a request, and what stands at its names.

    Raises:
        NotFound: there is nothing at this path.
        HttpError: it has no such method (405).
    """
    for pattern, methods in _BY_SIZE.get(len(parts), {}).items():
        names = _matched(pattern, parts)
        if names is None:
            continue
        route = methods.get("GET" if method == "HEAD" else method)
        if route is None:
            allowed = ", ".join(["GET, HEAD" if name == "GET" else name for name in methods])
            raise HttpError(
                "the resource has no such method",
                code="http.method",
                remedy=f"use {allowed}",
                headers=((b"allow", allowed.encode()),),
            )
        return route, names
    raise NotFound(
        "there is nothing at this path",
        code="http.unknown_path",
        remedy="see the reference of the Management API",
    )


def _matched(pattern: tuple[str, ...], parts: tuple[str, ...]) -> dict[str, str] | None:
    names: dict[str, str] = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            if not part:
                return None
            names[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return names
