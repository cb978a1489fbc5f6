"""Every resource of hawkBit's DDI v1 below a car's path, once. The door's description is made of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from driveaway.updates.ddi import messages
from driveaway.values.errors import NotFound
from driveaway.web.device.ddi import Resources
from driveaway.web.device.requests import Request
from driveaway.web.http.answers import Response

Handler = Callable[[Resources, Request], Awaitable[Response | None]]
"""Answers, or returns None when it has sent itself."""


@dataclass(frozen=True, slots=True)
class Route:
    """One resource and method.

    Attributes:
        method: GET answers HEAD too.
        path: below a car's; names in braces.
        handler: does it.
        answer: what success is answered with; None: an empty body.
        body: what the body must be; None: there is none.
        query: what may stand in the query.
        made: success may have made something new (201).
        optional: whether the body may be left out.
        download: it is a file, which the handler sends itself.
    """

    method: str
    path: str
    handler: Handler
    answer: Any = None
    body: Any = None
    query: tuple[str, ...] = ()
    made: bool = False
    optional: bool = False
    download: bool = False

    @property
    def does(self) -> str:
        """What it does, in a sentence."""
        return (self.handler.__doc__ or "").partition("\n")[0]


_HISTORY: Final = ("actionHistory",)
_CONFIRM: Final = "/confirmationBase"
_FILES: Final = "/softwaremodules/{module}/artifacts"
ROUTES: Final = (
    Route("GET", "", Resources.base, messages.ControllerBase),
    Route("PUT", "/configData", Resources.config_data, body=messages.ConfigData),
    Route("GET", "/deploymentBase/{action}", Resources.deployment, messages.Deployment, query=_HISTORY),
    Route("POST", "/deploymentBase/{action}/feedback", Resources.feedback, body=messages.ActionFeedback),
    Route("GET", "/cancelAction/{action}", Resources.cancellation, messages.CancelDocument),
    Route("POST", "/cancelAction/{action}/feedback", Resources.cancel_feedback, body=messages.ActionFeedback),
    Route("PUT", "/installedBase", Resources.put_installed, body=messages.InstalledBase, made=True),
    Route("GET", "/installedBase/{action}", Resources.installed, messages.Deployment, query=_HISTORY),
    Route("GET", _CONFIRM, Resources.confirmation_base, messages.ConfirmationBase),
    Route(
        "POST",
        _CONFIRM + "/activateAutoConfirm",
        Resources.activate_auto_confirm,
        body=messages.AutoConfirmRequest,
        optional=True,
    ),
    Route("POST", _CONFIRM + "/deactivateAutoConfirm", Resources.deactivate_auto_confirm),
    Route(
        "GET",
        _CONFIRM + "/{action}",
        Resources.confirmation,
        messages.ConfirmationDocument,
        query=_HISTORY,
    ),
    Route("POST", _CONFIRM + "/{action}/feedback", Resources.confirm, body=messages.ConfirmationFeedback),
    Route("GET", _FILES, Resources.artifacts, list[messages.ArtifactDocument]),
    Route("GET", _FILES + "/{filename}", Resources.artifact, download=True),
)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("/")[1:])


_BY_SIZE: Final[dict[int, dict[tuple[str, ...], dict[str, Route]]]] = {}
# What stands in a path word by word goes before what only has a name there.
for _route in sorted(ROUTES, key=lambda route: route.path.count("{")):
    _all = _BY_SIZE.setdefault(len(_parts(_route.path)), {})
    _all.setdefault(_parts(_route.path), {})[_route.method] = _route


def methods(parts: tuple[str, ...]) -> dict[str, Route]:
    """What a resource takes, by method.

    Raises:
        NotFound: there is none.
    """
    for pattern, found in _BY_SIZE.get(len(parts), {}).items():
        if all(wanted.startswith("{") or wanted == part for wanted, part in zip(pattern, parts, strict=True)):
            return found
    raise NotFound("there is no such resource", code="http.unknown_path", remedy="follow the links offered")
