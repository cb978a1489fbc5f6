"""What is set for the whole of a launch's cars, under hawkBit's keys, each defined once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from driveaway.book.state.state import Change, Reading
from driveaway.updates import changes
from driveaway.values.errors import BadValue, NotFound

Value = str | int | bool
_POLLING: Final = re.compile(r"\s*(\d{2}):([0-5]\d):([0-5]\d)(~\d{1,3}%)?\s*(,.*)?", re.DOTALL)
_CLOCK: Final = re.compile(r"\d{2}:[0-5]\d:[0-5]\d")
_TOKEN: Final = re.compile(r"[A-Za-z0-9]{32,128}")
SHORTEST: Final = 30
LONGEST: Final = 24 * 3600 - 1
"""Seconds between two polls; clients read them as a time of day."""


class Setting(msgspec.Struct, frozen=True):
    """One thing that can be set.

    Attributes:
        key: hawkBit's key where it has one.
        default: what holds while nothing is set; its type is the setting's.
        doc: what it means.
        check: what is wrong with a value, or "".
        secret: never shown in logs or lists.
    """

    key: str
    default: Value
    doc: str
    check: Callable[[Any], str] = lambda value: ""
    secret: bool = False


def _polling(value: str) -> str:
    found = _POLLING.fullmatch(value)
    if found is None:
        return "write HH:MM:SS, then ~10% for jitter and overrides after commas"
    hours, minutes, seconds = (int(found[group]) for group in (1, 2, 3))
    between = SHORTEST <= 3600 * hours + 60 * minutes + seconds <= LONGEST
    return "" if between else "between 00:00:30 and 23:59:59"


def _clock(value: str) -> str:
    return "" if _CLOCK.fullmatch(value) else "write HH:MM:SS"


def _count(value: int) -> str:
    return "" if 1 <= value <= 100 else "between 1 and 100"


def _token(value: str) -> str:
    return "" if not value or _TOKEN.fullmatch(value) else "32 to 128 letters and digits"


SETTINGS: Final = {
    setting.key: setting
    for setting in (
        Setting("pollingTime", "00:05:00", "Time between two polls of a car.", _polling),
        Setting("pollingOverdueTime", "00:05:00", "A car that polls so much too late is overdue.", _clock),
        Setting("maintenanceWindowPollCount", 3, "Polls that a car makes until its window opens.", _count),
        Setting("authentication.targettoken.enabled", True, "A car may show its own token."),
        Setting("authentication.gatewaytoken.enabled", False, "A gateway's token may speak for any car."),
        Setting("authentication.gatewaytoken.key", "", "The gateway's token.", _token, secret=True),
        Setting("authentication.header.enabled", False, "A car may show a certificate (mutual TLS)."),
        Setting(
            "authentication.header.authority",
            "",
            "Hashes of the certificates' issuers, by `openssl x509 -issuer_hash`, with commas between.",
        ),
        Setting("authentication.anonymous.enabled", False, "A car need show nothing. For trials alone."),
        Setting("anonymous.download.enabled", False, "Artifacts are given without credentials."),
        Setting("multi.assignments.enabled", False, "A new assignment leaves running ones as they are."),
        Setting(
            "repository.actions.autoclose.enabled",
            False,
            "A new assignment closes running ones at once, without asking the car to cancel.",
        ),
        Setting("user.confirmation.flow.enabled", False, "Assignments wait until the car confirms them."),
        Setting("rollout.approval.enabled", False, "A rollout needs a second person before it starts."),
        Setting("implicit.lock.enabled", True, "The first assignment locks a distribution set."),
        Setting(
            "releases.unsigned.enabled",
            False,
            "Distribution sets may be given to cars that nobody has signed, as tools for hawkBit make them."
            " Then the server alone decides what cars install that do not verify for themselves.",
        ),
        Setting(
            "verification.attribute",
            "version",
            "The attribute by which a car says what it runs; what it says after an update verifies it."
            " Empty: none does.",
        ),
    )
}


def setting_named(key: str) -> Setting:
    """The setting of this key.

    Raises:
        NotFound: there is none.
    """
    try:
        return SETTINGS[key]
    except KeyError:
        raise NotFound(
            f"{key!r} cannot be set", code="setting.unknown", remedy=f"one of {', '.join(SETTINGS)}"
        ) from None


class Configuration:
    """Everything that is set, as of when it was read."""

    def __init__(self, reading: Reading) -> None:
        rows = reading.rows("SELECT key, value FROM settings")
        self._set: dict[str, Value] = {
            key: msgspec.json.decode(text) for key, text in rows if key in SETTINGS
        }

    def value(self, key: str) -> Value:
        """What holds for a key.

        Raises:
            NotFound: there is no such setting.
        """
        default = setting_named(key).default
        return self._set.get(key, default)

    def text(self, key: str) -> str:
        """A setting that is a text."""
        return str(self.value(key))

    def number(self, key: str) -> int:
        """A setting that is a number."""
        return int(self.value(key))

    def enabled(self, key: str) -> bool:
        """A setting that is a switch."""
        return bool(self.value(key))

    def is_set(self, key: str) -> bool:
        """Whether somebody set it; else its default holds."""
        return key in self._set


def configure(change: Change, key: str, value: Any, at: int) -> None:
    """Set a value for a key.

    Raises:
        NotFound: there is no such setting.
        BadValue: the value has another type or form.
    """
    setting = setting_named(key)
    if type(value) is not type(setting.default):
        kind = {bool: "true or false", int: "a whole number", str: "a text"}[type(setting.default)]
        raise BadValue(f"{key} is {kind}", code="setting.type", place=key, remedy=f"give {kind}")
    wrong = setting.check(value)
    if wrong:
        raise BadValue(f"{key} cannot be that", code="setting.value", place=key, remedy=wrong)
    change.run(
        "INSERT INTO settings (key, value, modified) VALUES (:key, :value, :at)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value, modified = excluded.modified",
        key=key,
        value=msgspec.json.encode(value).decode(),
        at=at,
    )
    changes.tell_everyone(change, at)


def reset(change: Change, key: str, at: int) -> None:
    """Let the default hold again.

    Raises:
        NotFound: there is no such setting.
    """
    change.run("DELETE FROM settings WHERE key = :key", key=setting_named(key).key)
    changes.tell_everyone(change, at)
