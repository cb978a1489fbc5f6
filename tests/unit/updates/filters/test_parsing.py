"""Reading filters: what is accepted, what it becomes, and what is said about the rest."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.updates.filters.expressions import SPELLINGS, And, Comparison, Expression, Operator, Or
from driveaway.updates.filters.fields import Fields
from driveaway.updates.filters.filter import Filter
from driveaway.updates.filters.parsing import DEEPEST, LONGEST, MOST_COMPARISONS, MOST_VALUES, parse
from driveaway.updates.filters.resources import (
    action_fields,
    distribution_set_fields,
    rollout_fields,
    software_module_fields,
    target_fields,
)
from driveaway.values.errors import BadValue
from tests.unit.updates.filters.targets import CLOCK, expressions

TARGETS = target_fields()
RESOURCES = [TARGETS, distribution_set_fields(), software_module_fields(), action_fields(), rollout_fields()]
ZONE = ZoneInfo("Asia/Shanghai")


def _is(field: str, value: str, operator: Operator = Operator.EQUAL) -> Comparison:
    return Comparison(field, operator, (value,))


A, B, C, D = (_is(letter, "1") for letter in "abcd")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a==1", A),
        ("  a == 1\n", A),
        ("((a==1))", A),
        ("a==(1)", A),
        ("a==1;b==1", And((A, B))),
        ("a==1 AND b==1", And((A, B))),
        ("a==1 and(b==1)", And((A, B))),
        ("a==1,b==1", Or((A, B))),
        ("a==1 or b==1 , c==1", Or((A, B, C))),
        ("a==1,b==1;c==1", Or((A, And((B, C))))),
        ("(a==1,b==1);c==1", And((Or((A, B)), C))),
        ("a==1;(b==1;(c==1;d==1))", And((A, B, C, D))),
        ("a<1", _is("a", "1", Operator.LESS)),
        ("a>=1", _is("a", "1", Operator.GREATER_OR_EQUAL)),
        ("a=LE=1", _is("a", "1", Operator.LESS_OR_EQUAL)),
        ("a=eq=null", _is("a", "null", Operator.IS)),
        ("a=ne=null", _is("a", "null", Operator.IS_NOT)),
        ("a=vlt=1.2-rc.1+5", _is("a", "1.2-rc.1+5", Operator.OLDER)),
        ("a=in=(x, y ,'z,)')", Comparison("a", Operator.IN, ("x", "y", "z,)"))),
        ("a=in=x", Comparison("a", Operator.IN, ("x",))),
        ("a=out=(x or y)", Comparison("a", Operator.OUT, ("x", "y"))),
        ("a==and", _is("a", "and")),
        ("and==or and or==and", And((_is("and", "or"), _is("or", "and")))),
        ("a==''", _is("a", "")),
        (r"a=='it\'s \\ \"'", _is("a", "it's \\ \"")),
        ('a=="x y"', _is("a", "x y")),
        (r"a==x\*y", _is("a", r"x\*y")),
        ("'attribute.hw rev'==1", _is("attribute.hw rev", "1")),
        ("a=='x\ny'", _is("a", "x\ny")),
        ("a>=${NOW_TS}", _is("a", "${NOW_TS}", Operator.GREATER_OR_EQUAL)),
    ],
)
def test_what_is_read(text: str, read: Expression) -> None:
    assert parse(text) == read
    assert parse(str(read)) == read


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_operator_is_read_as_it_is_written(spelling: str) -> None:
    found = parse(f"a{spelling.upper()}(1)")
    assert found == Comparison("a", SPELLINGS[spelling], ("1",))


@pytest.mark.parametrize(
    ("text", "place", "shown", "expected"),
    [
        ("", 1, "▸", "the name of a field"),
        ("name", 5, "name▸", "an operator after 'name'"),
        ("name==", 7, "name==▸", "a value"),
        ("name=foo=x", 5, "name▸=foo=x", "=vge="),
        ("name=x", 5, "name▸=x", "an operator"),
        ("name==a b", 9, "name==a ▸b", "'and', 'or'"),
        ("name==a)", 8, "name==a▸)", "the end of the filter"),
        ("(name==a", 9, "(name==a▸", "')' for the '(' at character 1"),
        ("name=='a", 7, "name==▸'a", "a closing '"),
        ("name==(a,b)", 10, "▸b)", "one value after =="),
        ("name=in=(a", 11, "(a▸", "',' or ')'"),
        ("name=in=()", 10, "▸)", "a value"),
        ("name==a and", 12, "and▸", "the name of a field"),
        ("''==a", 1, "▸''==a", "the name of a field"),
        ("name==a~b", 8, "a▸~b", "the end"),
        ("name=='a\x00'", 9, "▸·", "can be stored"),
        ("name==" + "x" * 90 + "!", 97, "…xxxxxxxxxxxxxxxxxxxxxxxx▸!", "the end"),
    ],
)
def test_bad_syntax_names_the_place_and_what_is_expected(
    text: str, place: int, shown: str, expected: str
) -> None:
    with pytest.raises(BadValue) as caught:
        parse(text)
    assert caught.value.code == "filter.syntax"
    assert caught.value.place == f"character {place}"
    assert shown in caught.value.message
    assert expected in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "code", "place", "remedy"),
    [
        ("name==a;nme==x", "filter.field", "character 9", "did you mean name?"),
        ("installedds==x", "filter.field", "character 1", "installedds.name or installedds.version"),
        ("attribute==x", "filter.field", "character 1", "attribute.example"),
        ("attribute.==x", "filter.field", "character 1", "attribute.example"),
        ("zzzzzz==x", "filter.field", "character 1", "controllerid, name"),
        ("name.first==x", "filter.field", "character 1", "did you mean name?"),
        ("updatestatus==sleepy", "filter.value", "character 15", "in_sync, pending"),
        ("updatestatus==in_s*", "filter.value", "character 15", "==*"),
        ("updatestatus>pending", "filter.operator", "character 1", "=in="),
        ("autoconfirm==yes", "filter.value", "character 14", "true or false"),
        ("createdat<soon", "filter.value", "character 11", "ISO 8601"),
        ("createdat<2024-02-30", "filter.value", "character 11", "ISO 8601"),
        ("createdat==99999999999999999999", "filter.value", "character 12", "milliseconds"),
        ("tag=vlt=1", "filter.operator", "character 1", "=="),
        ("metadata.x=vlt=1", "filter.operator", "character 1", "=="),
        ("attribute.x=vlt=red", "filter.value", "character 17", "1.2.10"),
        ("name==" + "a*" * 21, "filter.size", "character 1", "20 wildcards"),
        ("name==*" + "a" * 1000, "filter.size", "character 1", "1000 characters"),
    ],
)
def test_what_a_field_cannot_be_asked(text: str, code: str, place: str, remedy: str) -> None:
    with pytest.raises(BadValue) as caught:
        Filter(text, TARGETS, ZONE)
    assert caught.value.code == code
    assert caught.value.place == place
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "longer"),
    [
        ("name==" + "a" * (LONGEST - 6), "name==" + "a" * (LONGEST - 5)),
        ("(" * DEEPEST + "name==a" + ")" * DEEPEST, "(" * (DEEPEST + 1) + "name==a" + ")" * (DEEPEST + 1)),
        (",".join(["(name==a)"] * (DEEPEST + 1)), "(" * 60 + "name==a" + ")" * 60),
        (",".join(["name!=a"] * MOST_COMPARISONS), ",".join(["name!=a"] * (MOST_COMPARISONS + 1))),
        (f"name=in=({','.join('a' * MOST_VALUES)})", f"name=in=({','.join('a' * (MOST_VALUES + 1))})"),
    ],
)
def test_size_is_bounded(text: str, longer: str) -> None:
    Filter(text, TARGETS)
    with pytest.raises(BadValue) as caught:
        Filter(longer, TARGETS)
    assert caught.value.code == "filter.size"


@given(expressions)
def test_its_text_reads_as_the_same(expression: Expression) -> None:
    assert parse(str(expression)) == expression


_PIECES = [
    "name",
    "createdat",
    "attribute.x",
    "id",
    "status",
    "==",
    "!=",
    "=vlt=",
    "=in=",
    "<",
    "(",
    ")",
    ";",
]
_PIECES += [
    ",",
    " and ",
    " or ",
    "'",
    '"',
    "\\",
    "*",
    "a",
    "1.0",
    "null",
    "${NOW_TS}",
    "=is=",
    "\x00",
    "\ud800",
]


@settings(max_examples=300)
@given(
    st.one_of(st.text(), st.lists(st.sampled_from(_PIECES)).map("".join)),
    st.sampled_from(RESOURCES),
    st.sampled_from([None, ZONE]),
)
def test_any_input_is_a_filter_or_a_clear_refusal(text: str, fields: Fields, zone: ZoneInfo | None) -> None:
    refused = None
    try:
        wanted = Filter(text, fields, zone)
    except BadValue as error:
        refused = error
    if refused is not None:
        assert refused.code.startswith("filter.")
        assert refused.remedy
        assert refused.place
        return
    assert wanted.matches({}, CLOCK) in (True, False)
    assert wanted.where("sqlite", CLOCK).sql
    assert str(Filter(str(wanted), fields, zone)) == str(wanted)
