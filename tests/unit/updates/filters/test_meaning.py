"""What comparisons mean: hawkBit's answers on five targets, and ours for versions, places and times."""

from __future__ import annotations

import re
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from driveaway.updates.filters.fields import Column
from driveaway.updates.filters.filter import Clock, Filter
from driveaway.updates.filters.resources import TARGET_SOURCES, action_fields, rollout_fields, target_fields
from driveaway.values.clock import parse_instant
from driveaway.values.errors import BadValue

TARGETS = target_fields()
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = parse_instant("2024-05-31T12:00:00+08:00", None)
CLOCK = Clock(now=NOON, overdue=NOON - 10 * 60 * 1_000_000)


def _target(number: int, **more: Any) -> dict[str, Any]:
    return {
        "controllerid": f"targetId{number}",
        "name": f"targetName{number}",
        "updatestatus": "registered",
    } | more


FIVE: list[dict[str, Any]] = [
    _target(
        1,
        description="targetDesc1",
        updatestatus="pending",
        attribute={"revision": "1.1", "test.dot": "value.dot", "test.null": "null"},
        metadata={"metakey": "metaValue"},
        tag=("Tag1", "Tag3"),
        place=("110000", "city:beijing"),
        lastcontrollerrequestat=NOON,
        **{"type.key": "suv", "assignedds.name": "AssignedDs", "assignedds.version": "1.2.10"},
    ),
    _target(
        2,
        description="target 2",
        attribute={"revision": "1.2", "empty": ""},
        metadata={"metakey": "value"},
        tag=("Tag1",),
        place=("city:suzhou", "320000"),
        lastcontrollerrequestat=NOON - 3600 * 1_000_000,
        autoconfirm=1,
        **{"type.key": "sedan", "installedds.name": "base", "installedds.version": "1.2.9"},
    ),
    _target(3, tag=("Tag2", "Tag3"), group="eu/de", **{"installedds.version": "2024.05.31"}),
    _target(4, description="", tag=("Tag2", "Tag3"), group="eu"),
    _target(5, name="50% off", attribute={"revision": "red"}),
]


def _found(text: str) -> str:
    wanted = Filter(text, TARGETS, SHANGHAI)
    return "".join(target["controllerid"][-1] for target in FIVE if wanted.matches(target, CLOCK))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # Names, in any case, with wildcards; what has no value is not equal.
        ("ID==targetid1", "1"),
        ("id!=targetId1", "2345"),
        ("controllerid=in=(targetId1,TARGETID3,none)", "13"),
        ("controllerid=out=(targetId1,notexist)", "2345"),
        ("name==TARGET*", "1234"),
        ("name!=target*", "5"),
        ("name==*1", "1"),
        ("name==t*n*e3", "3"),
        ("name=='50% off'", "5"),
        ("name==50%*", "5"),
        ("name==5_*", ""),
        (r"name==target\*", ""),
        ("name=in=(target*)", ""),
        ("description==''", "345"),
        ("description!=''", "12"),
        ("description!=targetDesc1", "2345"),
        ("description=out=(targetDesc1,notexist)", "2345"),
        ("description=is=null", "35"),
        ("description=not=NULL", "124"),
        ("description==null", ""),
        ("description==*", "124"),
        ("description!=*", "35"),
        ("description=li=target*", "12"),
        ("description>='target 2'", "12"),
        ("description>'target 2'", "1"),
        ("group==eu*", "34"),
        # States and switches.
        ("updatestatus==PENDING", "1"),
        ("status!=pending", "2345"),
        ("updatestatus=out=(pending,error)", "2345"),
        ("autoconfirm==true", "2"),
        ("autoconfirm!=true", "1345"),
        # Attributes and metadata: without the name, != does not hold; =is=null does.
        ("attribute.revision==1.1", "1"),
        ("ATTRIBUTE.Revision!=1.1", "25"),
        ("attribute.revision=out=(1.1)", "25"),
        ("attribute.revision==1*", "12"),
        ("attribute.revision!=1*", "5"),
        ("attribute.test.dot==value.dot", "1"),
        ("attribute.test.dot>=value.dos", "1"),
        ("attribute.test.dot!=value.dot", ""),
        ("attribute.test.dot=not=value.dot", ""),
        ("attribute.test.dot=is=null", "2345"),
        ("attribute.test.dot=not=null", "1"),
        ("attribute.test.null==null", "1"),
        ("attribute.test.null!=null", ""),
        ("attribute.test.null!=null2", "1"),
        ("attribute.test.null=is=null", "2345"),
        ("attribute.test.n/a==null", ""),
        ("attribute.test.n/a=is=null", "12345"),
        ("attribute.empty==''", "12345"),
        ("attribute.empty!=''", ""),
        ("attribute.empty=not=null", "2"),
        ("attribute.key.==x", ""),
        ("metadata.metaKey==*v*", "12"),
        ("metadata.metaKey!=metaValue", "2"),
        ("metadata.notExist!=metaValue", ""),
        ("name!=targetName1;metadata.metaKey!=value", ""),
        # Sets and types that are related: what has none is not equal.
        ("assignedds.name==A*", "1"),
        ("assignedds.name=out=(AssignedDs,notexist)", "2345"),
        ("assignedds.version==*1*", "1"),
        ("installedds.version!=1.2.9", "1345"),
        ("installedds.name==''", "1345"),
        ("type==suv or targettype.key==sedan", "12"),
        # Tags: == some, != none.
        ("tag==Tag1", "12"),
        ("tag!=Tag1", "345"),
        ("tag==T*", "1234"),
        ("tag!=T*", "5"),
        ("tag==''", "5"),
        ("tag!=''", "1234"),
        ("tag==*", "1234"),
        ("tag!=*", "5"),
        ("tag=in=(Tag1,notexist)", "12"),
        ("tag=out=(Tag1,notexist)", "345"),
        ("tag=out=(null)", "12345"),
        ("tag=is=null", "5"),
        ("tag==Tag1,tag==Tag2", "1234"),
        ("tag!=Tag2;tag==Tag3", "1"),
        ("tag!=Tag2,tag!=Tag3", "125"),
        ("(tag!=TAG1,tag!=TAG2);controllerid!=targetId1", "2345"),
        # Places, as tags.
        ("place==110000", "1"),
        ("place=in=(city:suzhou,320000)", "2"),
        ("place=out=(110000)", "2345"),
        ("place==city:*", "12"),
        # Versions: no text that is no version is older or newer; 1.2 is 1.2.0.
        ("attribute.revision=vlt=1.2.0", "1"),
        ("attribute.revision=vle=1.2.0", "12"),
        ("attribute.revision=vgt=0", "12"),
        ("attribute.revision=veq=1.2.0", "2"),
        ("attribute.revision==1.2.0", ""),
        ("installedds.version=vlt=1.2.10", "2"),
        ("installedds.version=vge=2024-05-31", "3"),
        ("assignedds.version=vgt=1.2.9", "1"),
        # Times: a millisecond holds all its microseconds, a day of the zone all of it.
        ("lastcontrollerrequestat=le=${NOW_TS}", "12"),
        ("lastcontrollerrequestat=gt=${OVERDUE_TS}", "1"),
        ("lastcontrollerrequestat<${overdue_ts}", "2"),
        ("lastcontrollerrequestat==2024-05-31", "12"),
        ("lastcontrollerrequestat<=2024-05-30", ""),
        ("lastcontrollerrequestat<2024-05-31T12:00:00", "2"),
        ("lastcontrollerrequestat!=2024-05-31T04:00:00Z", "2345"),
        (f"lastcontrollerrequestat=={NOON // 1000}", "1"),
        ("lastcontrollerrequestat=is=null", "345"),
        ("lastcontrollerrequestat==*", "12"),
        ("lastcontrollerrequestat=out=(2024-05-31,2024-06-01)", "345"),
    ],
)
def test_what_is_found(text: str, found: str) -> None:
    assert _found(text) == found


def test_wildcards_stand_for_any_text() -> None:
    values = [{"name": "".join(letters)} for n in range(6) for letters in product("ab", repeat=n)]
    for pattern in (
        "".join(parts) for n in range(1, 5) for parts in product(("*", "a", "ab", "b*"), repeat=n)
    ):
        wanted = Filter(f"name=='{pattern}'", TARGETS).predicate()
        meant = re.compile(pattern.replace("*", ".*"))
        assert all(wanted(value) == bool(meant.fullmatch(value["name"])) for value in values), pattern


def test_wildcards_of_sql_are_no_wildcards() -> None:
    assert Filter("name=='a!%_*b'", TARGETS).where("sqlite").parameters == {"p0": "a!!!%!_%b"}


def test_only_a_to_z_have_two_cases_in_postgresql_too() -> None:
    assert Filter("name==Ab", TARGETS).matches({"name": "aB"})
    assert not Filter("name==ü", TARGETS).matches({"name": "Ü"})
    where = Filter("name<B;attribute.a=vgt=1", TARGETS).where("postgresql")
    assert 'lower(t.name COLLATE "C") < :p0' in where.sql
    assert 'found.version_key COLLATE "C" > ' in where.sql
    assert "COLLATE" not in Filter("name<B;attribute.a=vgt=1", TARGETS).where("sqlite").sql


@pytest.mark.parametrize(
    ("operator", "finds"),
    [("==", "012"), ("!=", "-3"), ("<", "-"), ("<=", "-012"), (">", "3"), (">=", "0123")],
)
def test_a_millisecond_holds_all_its_microseconds(operator: str, finds: str) -> None:
    wanted = Filter(f"createdat{operator}{NOON // 1000}", TARGETS)
    offered = {"-": NOON - 1, "0": NOON, "1": NOON + 1, "2": NOON + 999, "3": NOON + 1000}
    assert "".join(name for name, at in offered.items() if wanted.matches({"createdat": at})) == finds


def test_macros_are_the_time_in_milliseconds_and_a_dollar_before_one_keeps_it() -> None:
    seen = Filter("attribute.seen==${NOW_TS}", TARGETS)
    assert seen.timed
    assert seen.matches({"attribute": {"seen": str(NOON // 1000)}}, CLOCK)
    assert not seen.matches({"attribute": {"seen": str(NOON // 1000)}}, Clock(NOON + 1000, NOON))
    kept = Filter("attribute.seen==$${NOW_TS}", TARGETS)
    assert not kept.timed
    assert kept.matches({"attribute": {"seen": "${NOW_TS}"}})


def test_a_timed_filter_needs_a_clock() -> None:
    timed = Filter("lastcontrollerrequestat<${OVERDUE_TS}", TARGETS)
    for asked in (lambda: timed.predicate(), lambda: timed.where("sqlite")):
        with pytest.raises(BadValue) as caught:
            asked()
        assert caught.value.code == "filter.clock"


def test_a_store_with_other_columns_hands_in_its_own() -> None:
    fields = target_fields(TARGET_SOURCES | {"name": Column("cars.label")})
    where = Filter("name==a*,name=='b%'", fields).where("sqlite", prefix="f")
    assert where.sql == "((lower(cars.label) LIKE :f0 ESCAPE '!') OR (lower(cars.label) = :f1))"
    assert where.parameters == {"f0": "a%", "f1": "b%"}


def test_actions_and_rollouts_have_fields_of_their_own() -> None:
    action = {"id": 7, "active": True, "status": "running", "target.name": "SU7", "weight": None}
    assert Filter("active==true;status!=finished;id>=7;target.name==su*", action_fields()).matches(action)
    assert Filter("weight!=500", action_fields()).matches(action)
    assert not Filter("weight<500", action_fields()).matches(action)
    assert Filter("distributionset.version=vge=2.0", rollout_fields()).matches(
        {"distributionset.version": "v2"}
    )


def test_like_does_not_backtrack() -> None:
    wanted = Filter("name==" + "*a" * 19 + "*b", TARGETS)
    assert not wanted.matches({"name": "a" * 100_000})
