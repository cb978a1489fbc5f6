"""The page of the Management API: its resources, from the table that the door itself answers by."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from driveaway.launch.accounts import ROLES
from driveaway.web.management.errors import BY_CODE, BY_PREFIX, BY_STATUS
from driveaway.web.management.routes import ROUTES
from driveaway.web.management.routing import Route
from tools.reference.markdown import code, page, prose, table

_SECTIONS: Final = (
    ("Who one is, and what is set", ("/userinfo", "/system", "/openapi.json")),
    ("Targets", ("/targets/", "/targets")),
    ("Actions", ("/actions",)),
    ("Software modules", ("/softwaremodule",)),
    ("Distribution sets", ("/distributionset",)),
    ("Target filters", ("/targetfilters",)),
    ("Rollouts", ("/rollouts",)),
)


def management_page() -> str:
    """Every resource: method, path, what it does, what it takes, who may."""
    parts = [
        "What the server for staff tools answers, below `/rest/v1`: the part of Eclipse hawkBit's "
        "Management API that its tools and fleets lean on. Names of fields, statuses and errors are "
        "hawkBit's; times are milliseconds since 1970 UTC. How to set it up: "
        "[Move from hawkBit](../how-to/move-from-hawkbit.md).",
        "Name and password of an account are sent with each request (HTTP Basic). What an account may do "
        "follows from its roles:",
        table(
            ("role", "may", "that is"),
            (
                (code(role.name), ", ".join(code(name) for name in sorted(role.permissions)), role.meaning)
                for role in ROLES
            ),
        ),
        "Lists take `offset`, `limit` (1 to 500, usually 50), `sort` (`name:ASC,id:DESC`) and `q` (RSQL), "
        'and answer `{"content": […], "total": n, "size": n}`. `representation=full` adds details to lists '
        "of actions and rollouts. Bodies are JSON; fields that are not known are passed over. Creating "
        "several things, or assigning to several, is all or nothing.",
        "The same as a description in OpenAPI 3.1, to generate clients from: "
        "[management-api.json](management-api.json); the server answers it at `/rest/v1/openapi.json`.",
    ]
    for title, beginnings in _SECTIONS:
        routes = [route for route in ROUTES if route.path.startswith(beginnings)]
        parts += [f"## {title}", _routes(routes)]
    parts += ["## Bodies", *_bodies(), "## Errors", _errors()]
    return page("Management API", *parts)


def _routes(routes: list[Route]) -> str:
    rows = (
        (code(f"{route.method} {route.path}"), prose(route.does), _body(route), code(route.permission))
        for route in routes
    )
    return table(("request", "does", "body", "needs"), rows)


def _body(route: Route) -> str:
    if route.streamed == "upload":
        return "a form"
    if route.body is None:
        return ""
    structs = _structs(route.body)
    if not structs:
        return "an object"
    name = f"[{structs[0].__name__}](#{structs[0].__name__.lower()})"
    return f"a list of {name}" if str(route.body).startswith("tuple[") else name


def _structs(kind: Any) -> list[type[msgspec.Struct]]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    return [found for part in getattr(kind, "__args__", ()) for found in _structs(part)]


def _bodies() -> list[str]:
    """Every struct that a route takes, and those within them, once."""
    waiting = [struct for route in ROUTES for struct in _structs(route.body)]
    shown: dict[str, str] = {}
    while waiting:
        struct = waiting.pop(0)
        if struct.__name__ in shown:
            continue
        fields = msgspec.inspect.type_info(struct).fields  # type: ignore[attr-defined]
        rows = [
            (code(field.encode_name), _kind(field.type, waiting), "yes" if field.required else "")
            for field in fields
        ]
        shown[struct.__name__] = "\n\n".join(
            [f"### {struct.__name__}", prose(struct.__doc__), table(("field", "is", "required"), rows)]
        )
    return list(shown.values())


def _kind(kind: Any, waiting: list[type[msgspec.Struct]]) -> str:
    info = msgspec.inspect
    plain: dict[Any, str] = {
        info.StrType: "text",
        info.IntType: "whole number",
        info.FloatType: "number",
        info.BoolType: "true or false",
    }
    match kind:
        case info.UnionType(types=types):
            return " or ".join(_kind(each, waiting) for each in types if not isinstance(each, info.NoneType))
        case info.StructType(cls=struct):
            waiting.append(struct)
            return f"[{struct.__name__}](#{struct.__name__.lower()})"
        case info.VarTupleType(item_type=item):
            return f"a list of {_kind(item, waiting)}"
        case info.LiteralType(values=values):
            return " or ".join(code(str(value)) for value in values)
        case info.EnumType(cls=members):
            return " or ".join(code(str(member.value)) for member in members)
    return plain.get(type(kind), "anything")


def _errors() -> str:
    begin = "hawkbit.server.error."
    by_code = [(name, found.key, found.status) for name, found in BY_CODE.items()]
    by_prefix = [(name + ".…", found.key, found.status) for name, found in BY_PREFIX.items()]
    rows = [
        (code(name), code(begin + key), str(status or "")) for name, key, status in (*by_code, *by_prefix)
    ]
    rows += [("any other", code(begin + found.key), str(status)) for status, found in BY_STATUS.items()]
    told = (
        "An error is answered with `exceptionClass`, `errorCode` and `message` as hawkBit has them, and with "
        "our own `code`, of which the [errors](errors.md) tell more. Without a status here, it is that of "
        "the error's class: 400, 403, 404, 409 or 503; besides 401 without a valid account, 405, 406, 408, "
        "413, 415, 416, and 429 with `Retry-After` after too many failed logins."
    )
    return told + "\n\n" + table(("our code", "`errorCode`", "status"), rows)
