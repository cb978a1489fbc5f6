"""Settings, and who one is."""

from __future__ import annotations

from typing import Any

from driveaway.updates.configuration import SETTINGS, Configuration, Setting, configure, reset, setting_named
from driveaway.web.management.bodies import SettingBody
from driveaway.web.management.calls import NOTHING, OK, Call, Said


def _document(call: Call, configuration: Configuration, setting: Setting) -> dict[str, Any]:
    return {
        "value": configuration.value(setting.key),
        "global": not configuration.is_set(setting.key),
        "_links": {"self": call.link("system", "configs", setting.key)},
    }


def settings(call: Call) -> Said:
    """Everything that is set; secrets only for who administers."""
    configuration = call.configuration()
    shown = call.account.may("administer")
    return Said(
        OK,
        {
            key: _document(call, configuration, setting)
            for key, setting in SETTINGS.items()
            if shown or not setting.secret
        },
    )


def setting(call: Call) -> Said:
    """One setting; a secret only for who administers."""
    found = setting_named(call.names["key"])
    if found.secret:
        call.account.require("administer")
    return Said(OK, _document(call, call.configuration(), found))


def put_setting(call: Call) -> Said:
    """Set a value."""
    body: SettingBody = call.body
    with call.change() as change:
        configure(change, call.names["key"], body.value, call.at)
        return Said(OK, _document(call, Configuration(change), setting_named(call.names["key"])))


def put_settings(call: Call) -> Said:
    """Set several values, all or none."""
    given: dict[str, Any] = call.body
    with call.change() as change:
        for key, value in given.items():
            configure(change, key, value, call.at)
        configuration = Configuration(change)
        return Said(OK, [_document(call, configuration, setting_named(key)) for key in given])


def reset_setting(call: Call) -> Said:
    """Let the default hold again."""
    with call.change() as change:
        reset(change, call.names["key"], call.at)
    return NOTHING


def user(call: Call) -> Said:
    """Who one is, and what one may do."""
    return Said(OK, {"tenant": "DEFAULT", "username": call.account.name, "roles": list(call.account.roles)})
