"""A gate is written as text, TOML and canonical JSON; what is wrong is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from driveaway.cases import case_text
from driveaway.updates.gates.expression import All, From, Gate, Not, Trim, Until, decode, encode
from driveaway.updates.gates.making import policy_of
from driveaway.updates.gates.policy import decode_policy, encode_policy
from driveaway.updates.gates.position import Limits
from driveaway.updates.gates.tables import gate_of, given_places, read_functions
from driveaway.updates.gates.text import parse, show_gate
from driveaway.updates.places.place import Place
from driveaway.values.clock import parse_instant, zone
from driveaway.values.errors import BadValue, NotFound
from tests.unit.updates.gates.gates import PLACES, gates

SHANGHAI = zone("Asia/Shanghai")


@given(gates)
def test_text_and_json_give_the_gate_again(gate: Gate) -> None:
    assert parse(show_gate(gate)) == gate
    assert decode(encode(gate)) == gate
    assert encode(decode(encode(gate))) == encode(gate)


def test_text_binds_not_before_and_before_or() -> None:
    text = "not trim in [A] and trim in [B] or trim in [C]"
    assert parse(text) == parse("((not trim in [A]) and trim in [B]) or trim in [C]")
    assert parse("trim in [Pro, Max, Pro]") == Trim(("Max", "Pro"))
    assert parse('hardware.compute = "orin x"') == parse('hardware.compute in ["orin x"]')


def test_days_are_local_and_whole() -> None:
    day = parse("from 2024-05-31 and until 2024-08-31", SHANGHAI)
    assert day == All((
        From(parse_instant("2024-05-31T00:00:00+08:00", None)),
        Until(parse_instant("2024-08-31T23:59:59.999999+08:00", None)),
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "column 1: a condition is missing"),
        ("trim in Pro", r"column 9: '\[' is expected, not 'Pro'"),
        ("trim in [Pro", r"column 13: '\]' is expected"),
        ("lidar >= 1", "column 1: 'lidar' is no condition"),
        ("(trim in [Pro]", r"column 15: '\)' is expected"),
        ("trim in [Pro] trim in [Max]", "column 15: 'trim' is not expected here"),
        ("trim in [Pro] and", "column 18: a condition is missing"),
        ("and", "a condition is expected, not 'and'"),
        ("hardware.lidar > many", "column 18: what is not a number"),
        ("hardware.Lidar > 1", "column 1: 'Lidar' is not a name"),
        ("software.adas 1", "column 15: one of >="),
        ("assisted_metres >= far", "column 20: a whole number"),
        ("place in [Beijing]", "column 1: 'Beijing' is not the code"),
        ("from 2024-05-31", "column 1: 2024-05-31 is a day"),
        ("from noon", "column 1: 'noon'"),
        ("trim in [Pro] & market in [CN]", "column 15: '&' is not expected"),
        ('trim in ["Pro]', "column 10: '\"' is not understood"),
        ("not " * 41 + "always", "more than 40 levels"),
        ("(" * 60 + "always" + ")" * 60, "more than 40 levels"),
    ],
)
def test_what_is_no_gate_is_shown_with_its_column(text: str, words: str) -> None:
    with pytest.raises(BadValue, match=words) as caught:
        parse(text, place="functions.toml")
    assert caught.value.place == "functions.toml"
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b'{"is":"what"}',
        b'{"is":"trim"}',
        b'{"is":"trim","among":[]}',
        b'{"is":"trim","among":["b","a"]}',
        b'{"is":"trim","among":["a"],"or":1}',
        b'{"is":"from","at":-1}',
        b'{"is":"amount","hardware":"l","compared":"~","to":1}',
        b'{"is":"software","unit":"a","compared":"=","to":""}',
        b'{"is":"not","of":' * 60 + b'{"is":"all"}' + b"}" * 60,
        b'{"is":"not","of":' * 5000,
    ],
)
def test_json_that_is_no_gate_is_refused(text: bytes) -> None:
    with pytest.raises(BadValue) as caught:
        decode(text)
    assert caught.value.code.startswith("gate.")


TABLE = """
[[functions]]
name = "city_navigation"
trims = ["Pro", "Max"]
markets = ["CN"]
hardware = { lidar = 1, cameras = "> 7", compute = ["orin-x", "thor"], radar = "front" }
software = { adas = "1.2", vehicle = "< 3" }
entitlement = "plus"
training = "city"
assisted_metres = 1_000_000
until = "2025-01-01T00:00:00Z"
when = "not market in [DE]"
all = [{ entitlement = "a" }, { entitlement = "b" }]
any = [{ trims = ["X"] }, { trims = ["Y"], from = 2024-06-01T00:00:00 }]
not = { hardware = { tow = 1 }, trims = ["Z"] }
openings = [{ places = ["city:two", "city:one"], from = 2024-05-31 }, { from = 2024-08-01 }]
"""


TABLE_AS_TEXT = (
    "trim in [Pro, Max] and market in [CN] and hardware.cameras > 7 and hardware.compute in [orin-x, thor] "
    "and hardware.lidar >= 1 and hardware.radar = front and software.adas >= 1.2 and software.vehicle < 3 "
    "and assisted_metres >= 1000000 and entitlement plus and training city and until 2025-01-01T00:00:00Z "
    "and not market in [DE] and entitlement a and entitlement b and "
    "(trim in [X] or trim in [Y] and from 2024-06-01) and not (trim in [Z] and hardware.tow >= 1) and "
    "(from 2024-05-31 and place in [city:one, city:two] or from 2024-08-01)"
)


def test_a_table_means_what_its_text_means() -> None:
    function = read_functions(TABLE).named("city_navigation")
    assert gate_of(function, SHANGHAI) == parse(TABLE_AS_TEXT, SHANGHAI)
    with pytest.raises(NotFound, match="one of city_navigation"):
        read_functions(TABLE).named("flying")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[[functions]", "function.toml"),
        ('[[functions]]\nname = "City"', "function.shape"),
        ('[[functions]]\nname = "a"\nplace = ["city:one"]', "function.shape"),
        ('[[functions]]\nname = "a"\n[[functions]]\nname = "a"', "function.twice"),
        ('[[functions]]\nname = "a"\nassisted_metres = ">= far"', "gate.number"),
        ('[[functions]]\nname = "a"\nhardware = { lidar = ">= x" }', "gate.number"),
        ('[[functions]]\nname = "a"\nsoftware = { adas = "" }', "gate.software"),
        ('[[functions]]\nname = "a"\nplaces = ["Beijing"]', "place.code"),
        ('[[functions]]\nname = "a"\nfrom = "soon"', "time.shape"),
        ('[[functions]]\nname = "a"\nwhen = "soon"', "gate.text"),
    ],
)
def test_a_table_that_is_wrong_is_named(text: str, code: str) -> None:
    with pytest.raises(BadValue) as caught:
        [gate_of(function, SHANGHAI) for function in read_functions(text).functions]
    assert caught.value.code == code
    assert caught.value.place.startswith("functions.toml")


def test_the_packaged_case_opens_ten_cities_then_all() -> None:
    functions = read_functions(case_text("su7", "functions.toml"))
    assert [function.name for function in functions.functions] == [
        "wireless_carplay", "end_to_end_parking", "city_navigation",
    ]  # fmt: skip
    gate = gate_of(functions.named("city_navigation"), SHANGHAI)
    policy = policy_of("city_navigation", gate)
    assert len(policy.places) == 10
    assert decode_policy(encode_policy(policy)) == policy
    assert "from 2024-05-30T16:00:00Z" in show_gate(gate)


def test_a_policy_carries_the_polygons_that_its_gate_needs() -> None:
    given = {place.code: place for place in PLACES}
    policy = policy_of("parking", parse("place in [city:two, city:beijing]"), given, Limits(speed=60))
    assert [place.code for place in policy.places] == ["city:beijing", "city:two"]
    assert decode_policy(encode_policy(policy)) == policy
    with pytest.raises(NotFound, match="city:lost"):
        policy_of("parking", parse("place in [city:lost]"), given)
    text = encode_policy(policy)
    for wrong in (
        text.replace(b"city:two", b"city:ten", 1), text.replace(b'"form":1', b'"form":2'), text[:-1],
        text.replace(b"[20,0]", b"[2000000000,0]"), text + b" " * 9_000_000,
    ):  # fmt: skip
        with pytest.raises(BadValue):
            decode_policy(wrong)


def test_places_come_from_files_beside_the_table(tmp_path: Path) -> None:
    square = "[[[116.3,39.8],[116.5,39.8],[116.5,40.0],[116.3,39.8]]]"
    geometry = f'{{"type":"Polygon","coordinates":{square}}}'
    feature = f'{{"type":"Feature","properties":{{"place":"city:a"}},"geometry":{geometry}}}'
    content = f'{{"type":"FeatureCollection","features":[{feature}]}}'
    (tmp_path / "a.geojson").write_text(content, encoding="utf-8")
    functions = read_functions('places = [{ file = "a.geojson", coordinates = "GCJ-02" }]')
    found: dict[str, Place] = dict(given_places(functions, tmp_path))
    assert list(found) == ["city:a"]
    assert found["city:a"].polygons[0][0][0] != (1165000000, 398000000)
    with pytest.raises(BadValue, match="in two files"):
        given_places(read_functions('places = [{ file = "a.geojson" }, { file = "a.geojson" }]'), tmp_path)
    with pytest.raises(BadValue, match="cannot be read"):
        given_places(read_functions('places = [{ file = "b.geojson" }]'), tmp_path)


def test_negation_of_nothing_is_never() -> None:
    assert parse("not always") == Not(All())
