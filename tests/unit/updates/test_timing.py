"""When cars poll again and may install: rules and schedules as a desk asks them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from driveaway.updates.ddi.timing import Intervals, version_keys, window_open
from driveaway.updates.model import Target, TargetStatus
from driveaway.values.clock import SECOND, parse_instant

NIGHT = ("0 0 22 * * ?", "08:00:00", "+08:00")
HOUR = 3600 * SECOND


def at(text: str) -> int:
    return int(parse_instant(text, None))


class Said:
    dialect = "sqlite"

    def rows(self, sql: str, /, **values: Any) -> list[tuple[Any, ...]]:
        if "distribution_sets" in sql:
            return [(5, "su7", "2024.5.1")] if 5 in values.values() else []
        number = values.get("target", values.get("id"))
        named = {"target_tags": [("vip",)], "target_places": [("city:beijing",)]}
        for table, found in named.items():
            if table in sql:
                return found if number == 3 else []
        return [("Lane", "beta")] if number == 1 else []


def target(number: int) -> Target:
    return Target(
        id=number, controller_id=f"car-{number}", name="", description="", type="", target_group="",
        security_token="", status=TargetStatus.IN_SYNC, address="", created=0, modified=0, polled=None,
        installed=None, installed_at=None, assigned=None, attributes_requested=False, auto_confirm=False,
        auto_confirm_initiator="", auto_confirm_remark="", auto_confirm_at=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("now", "open_", "until"),
    [
        ("2024-05-06T21:59:59+08:00", False, "2024-05-06T22:00:00+08:00"),
        ("2024-05-06T22:00:00+08:00", True, "2024-05-07T06:00:00+08:00"),
        ("2024-05-07T05:59:59+08:00", True, "2024-05-07T06:00:00+08:00"),
        ("2024-05-07T06:00:00+08:00", False, "2024-05-07T22:00:00+08:00"),
    ],
)
def test_a_window_says_when_it_changes_next(now: str, open_: bool, until: str) -> None:
    assert window_open(*NIGHT, at(now)) == (open_, at(until))


def test_a_window_that_never_comes_again_says_so() -> None:
    assert window_open("0 0 22 1 1 ? 2024", "01:00:00", "+08:00", at("2024-05-06T12:00:00+08:00")) == (
        False,
        None,
    )


def intervals(rule: str, now: int = 0) -> Intervals:
    return Intervals(Said(), lambda: rule, lambda: 3, lambda: now)  # type: ignore[arg-type]


def test_overrides_are_asked_of_what_the_car_is_and_said() -> None:
    rule = intervals("00:05:00, attribute.lane==beta -> 00:10:00, status==in_sync -> 01:00:00")
    assert rule("car-1", target(1), None) == "00:10:00"
    assert rule("car-2", target(2), None) == "01:00:00"
    assert rule("new", None, None) == "00:05:00"


def test_overrides_may_ask_for_all_that_filters_know_of_a_car() -> None:
    for wanted in ("tag==vip", "place==city:beijing", "installedds.version=vge=2024.5"):
        rule = intervals(f"00:05:00, {wanted} -> 00:10:00")
        found = msgspec.structs.replace(target(3), installed=5)
        assert rule("car-3", found, None) == "00:10:00", wanted
        assert rule("car-2", target(2), None) == "00:05:00", wanted


def test_jitter_is_the_car_s_own_and_stays() -> None:
    rule = intervals("01:00:00~10%")
    told = {rule(f"car-{n}", None, None) for n in range(50)}
    assert len(told) > 20
    assert rule("car-7", None, None) == rule("car-7", None, None)


def test_a_car_polls_more_often_before_its_window_opens() -> None:
    rule = intervals("06:00:00", now=HOUR)
    assert rule("car-1", target(1), 4 * HOUR) < "06:00:00"


def test_keys_of_attributes_sort_as_versions_do() -> None:
    keys = version_keys({"a": "1.10.0", "b": "1.9.0", "gone": None})
    assert set(keys) == {"a", "b"}
    assert keys["b"] < keys["a"]
