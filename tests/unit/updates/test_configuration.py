"""Settings: each has a type, a default and a meaning."""

from __future__ import annotations

from typing import Any

import pytest

from driveaway.updates.configuration import SETTINGS, Configuration, setting_named
from driveaway.values.errors import NotFound


class Nothing:
    """A store in which nothing is set."""

    def __init__(self, *rows: tuple[str, str]) -> None:
        self._rows = list(rows)

    def rows(self, sql: str, /, **values: Any) -> list[tuple[Any, ...]]:
        return list(self._rows)


def test_defaults_hold_and_are_safe() -> None:
    configuration = Configuration(Nothing())
    assert configuration.text("pollingTime") == "00:05:00"
    assert configuration.number("maintenanceWindowPollCount") == 3
    opens = [key for key, setting in SETTINGS.items() if setting.default is True]
    assert opens == ["authentication.targettoken.enabled", "implicit.lock.enabled"]
    assert all(setting.doc and not setting.check(setting.default) for setting in SETTINGS.values())
    with pytest.raises(NotFound):
        setting_named("pollingtime")


def test_what_a_newer_program_set_is_passed_over() -> None:
    configuration = Configuration(Nothing(("some.later.key", "1"), ("pollingTime", '"00:01:00"')))
    assert configuration.text("pollingTime") == "00:01:00"
    assert configuration.is_set("pollingTime")
    assert not configuration.is_set("pollingOverdueTime")
    with pytest.raises(NotFound):
        configuration.value("some.later.key")


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("pollingTime", "00:00:30", "00:00:29"),
        ("pollingTime", "23:59:59", "24:00:00"),
        ("pollingTime", "00:05:00~10%, status==in_sync -> 01:00:00", "5 minutes"),
        ("pollingOverdueTime", "00:10:00", "10"),
        ("maintenanceWindowPollCount", 100, 0),
        ("authentication.gatewaytoken.key", "a" * 32, "a" * 31),
        ("authentication.gatewaytoken.key", "", "a" * 31 + "!"),
    ],
)
def test_forms_of_values(key: str, good: Any, bad: Any) -> None:
    assert setting_named(key).check(good) == ""
    assert setting_named(key).check(bad) != ""
