"""functions.toml on its way into the book."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from driveaway.cases import case_text
from driveaway.demo.running import public_record
from driveaway.facts import Draft
from driveaway.facts.updates import FunctionClosed, FunctionOpened
from driveaway.launch.founding import found
from driveaway.launch.launch import Launch
from driveaway.launch.updates.functions import close_function, function_named, functions_at, open_function
from driveaway.updates.gates.expression import decode
from driveaway.updates.gates.text import parse, show_gate
from driveaway.values.clock import now
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused
from tests.unit.updates.garages import at, new_launch

PARKING = '[[functions]]\nname = "valet_parking"\ntrims = ["Max"]\n'
NAVIGATION = """
[[functions]]
name = "city_navigation"
trims = ["Max", "Pro"]

[[functions.openings]]
from = 2024-05-31
places = ["city:beijing"]

[[functions.openings]]
from = 2024-08-01
"""


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    with new_launch(tmp_path / "one", PARKING + NAVIGATION) as launch:
        yield launch


def write(launch: Launch, text: str) -> None:
    (launch.folder / "functions.toml").write_text(text, encoding="utf-8")


def applied(launch: Launch) -> list[tuple[str, str]]:
    added = launch.apply()
    return [(o.draft.kind, o.draft.subject) for o in added if o.draft.kind.startswith("function.")]


def test_each_function_is_opened_since_its_gate_may_allow_it(launch: Launch) -> None:
    assert applied(launch) == [
        ("function.opened", "valet-parking"),
        ("function.opened", "city-navigation"),
    ]
    (navigation,) = launch.at("2024-06-01").facts("function.opened")[1:]
    assert navigation.happened == at("2024-05-31T00:00")
    assert isinstance(navigation.body, FunctionOpened)
    assert show_gate(decode(navigation.body.gate)).startswith("trim in [Max, Pro] and (from ")
    # One that names no beginning is open as long as the launch is described.
    assert list(functions_at(launch.at("1990-01-01").view)) == ["valet-parking"]
    assert [fact.kind for fact in launch.at("1990-01-01").facts("launch.described")] == ["launch.described"]


def test_what_did_not_change_adds_nothing(launch: Launch) -> None:
    applied(launch)
    assert applied(launch) == []
    # The order of conditions and the writing of days are no change.
    write(
        launch,
        NAVIGATION.replace('["Max", "Pro"]', '["Pro", "Max"]').replace("2024-08-01", '"2024-08-01"')
        + PARKING,
    )
    assert applied(launch) == []


def test_an_edited_gate_holds_from_now_on_and_a_function_left_out_is_closed(launch: Launch) -> None:
    applied(launch)
    before = now()
    write(launch, PARKING.replace("Max", "Pro"))
    assert applied(launch) == [("function.opened", "valet-parking"), ("function.closed", "city-navigation")]
    view = launch.at(now()).view
    parking, navigation = function_named(view, "valet_parking"), function_named(view, "city-navigation")
    assert parking.since >= before
    assert show_gate(parking.gate) == "trim in [Pro]"
    assert parking.from_file
    assert (navigation.open, navigation.reason) == (False, "left out of functions.toml")
    assert applied(launch) == []
    # What held before is answered as before.
    assert show_gate(function_named(launch.at("2024-06-01").view, "valet_parking").gate) == "trim in [Max]"
    assert function_named(launch.at("2024-06-01").view, "city_navigation").open
    write(launch, PARKING + NAVIGATION)
    assert applied(launch) == [("function.opened", "valet-parking"), ("function.opened", "city-navigation")]
    assert function_named(launch.at(now()).view, "city_navigation").open


def test_a_function_that_is_announced_is_known_before_it_opens(launch: Launch) -> None:
    write(launch, '[[functions]]\nname = "later"\nfrom = "2190-01-01"\n')
    begun = now()
    launch.apply()
    state = function_named(launch.at(now()).view, "later")
    assert state.open
    assert begun <= state.since <= now()


def test_what_a_person_did_is_not_undone_by_a_file_that_did_not_change(launch: Launch) -> None:
    applied(launch)
    close_function(launch, "valet_parking", "a finding")
    assert applied(launch) == []
    assert not function_named(launch.at(now()).view, "valet_parking").open
    write(launch, NAVIGATION + PARKING.replace("Max", "Pro"))
    assert applied(launch) == [("function.opened", "valet-parking")]
    assert function_named(launch.at(now()).view, "valet_parking").open


def test_a_launch_without_the_file_has_no_functions(tmp_path: Path) -> None:
    with new_launch(tmp_path / "bare") as launch:
        assert {outcome.draft.kind for outcome in launch.apply()} == {"launch.described"}
        assert functions_at(launch.at("2024-06-01").view) == {}
        with pytest.raises(NotFound, match="driveaway functions open"):
            function_named(launch.at("2024-06-01").view, "parking")


@pytest.mark.parametrize(
    ("text", "code", "place", "said"),
    [
        (PARKING + "plcs = []", "function.shape", "functions.toml: valet_parking", "plcs"),
        (PARKING + 'places = "city:beijing"', "function.shape", "valet_parking places", "'city:beijing'"),
        (PARKING.replace("Max", "Maxx"), "function.trim", "functions.toml: valet_parking", "one of Max, Pro"),
        (PARKING + 'places = ["city:atlantis"]', "place.unknown", "valet_parking", "city:atlantis"),
        (PARKING + 'from = "soon"', "time.shape", "valet_parking", "'soon'"),
        (PARKING + "name =", "function.toml", "functions.toml", "at "),
        (PARKING.replace("valet_", "valet__"), "slug.shape", "valet__parking", "valet--parking"),
        (PARKING + '[[places]]\nfile = "gone.geojson"', "place.file", "gone.geojson", "No such file"),
        (PARKING + PARKING, "function.twice", "functions.toml", "valet_parking is there twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_place_and_remedy(
    launch: Launch, text: str, code: str, place: str, said: str
) -> None:
    write(launch, text)
    size = launch.book.edge().size
    with pytest.raises(BadValue) as refused:
        launch.apply()
    assert refused.value.code == code
    assert place in refused.value.place
    assert said in str(refused.value)
    assert refused.value.remedy
    assert launch.book.edge().size == size


def test_text_that_is_not_utf8_is_refused(launch: Launch) -> None:
    (launch.folder / "functions.toml").write_bytes(PARKING.encode() + b'said = "\xff"')
    with pytest.raises(BadValue, match="not UTF-8"):
        launch.apply()


def test_places_that_the_folder_gives_may_be_named(launch: Launch) -> None:
    ring = [[113.1, 23.0], [113.2, 23.0], [113.2, 23.1], [113.1, 23.0]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": {"place": "city:foshan"}, "geometry": geometry}
    collection = json.dumps({"type": "FeatureCollection", "features": [feature]})
    (launch.folder / "own.geojson").write_text(collection, encoding="utf-8")
    write(launch, PARKING + 'places = ["city:foshan"]\n[[places]]\nfile = "own.geojson"\n')
    assert applied(launch) == [("function.opened", "valet-parking")]


def test_opening_by_hand_needs_a_reason_when_a_gate_changes(launch: Launch) -> None:
    applied(launch)
    with pytest.raises(Refused, match="would change"):
        open_function(launch, "valet_parking", parse("trim in [Pro]"))
    with pytest.raises(Conflict, match="open with this gate"):
        open_function(launch, "valet_parking", parse("trim in [Max]"))
    with pytest.raises(BadValue, match="no trim 'Ultra'"):
        open_function(launch, "valet_parking", parse("trim in [Ultra]"), reason="typed wrong")
    outcome = open_function(launch, "valet_parking", parse("trim in [Pro]"), reason="a finding", by="wang")
    state = function_named(launch.at(now()).view, "valet_parking")
    assert (state.reason, state.by, state.from_file, state.seq) == ("a finding", "wang", False, outcome.seq)
    close_function(launch, "valet_parking", "again", by="li")
    with pytest.raises(Refused, match="closed already"):
        close_function(launch, "valet_parking", "again")
    with pytest.raises(BadValue, match="needs a reason"):
        close_function(launch, "city_navigation", " ")
    open_function(launch, "valet_parking", release="su7-2024.5.1")
    state = function_named(launch.at(now()).view, "valet_parking")
    assert (show_gate(state.gate), state.release) == ("trim in [Pro]", "su7-2024.5.1")
    with pytest.raises(BadValue, match="has no gate"):
        open_function(launch, "unheard_of")
    with pytest.raises(NotFound, match="one of city_navigation, valet_parking"):
        close_function(launch, "unheard_of", "why not")


def test_a_function_that_was_only_written_is_opened_by_the_files_gate(launch: Launch) -> None:
    open_function(launch, "valet_parking", at=at("2024-05-02T10:00"))
    assert show_gate(function_named(launch.at("2024-05-02").view, "valet_parking").gate) == "trim in [Max]"


@pytest.mark.parametrize("gate", ['{"is":"all", "of":[]}', '{"is":"trim","among":[]}', "not JSON"])
def test_a_fact_with_another_gate_than_a_canonical_one_is_refused(launch: Launch, gate: str) -> None:
    with pytest.raises(BadValue, match="gate"):
        launch.append([Draft("function.opened", "parking", now(), FunctionOpened(gate=gate))])
    launch.append([Draft("function.closed", "parking", now(), FunctionClosed(reason="never was"))])


def test_the_packaged_launch_brings_its_functions(tmp_path: Path) -> None:
    with found(tmp_path / "new", "su7") as launch:
        assert (launch.folder / "functions.toml").read_text(encoding="utf-8") == case_text(
            "su7", "functions.toml"
        )
        launch.apply()
        assert list(functions_at(launch.at("2024-05-30").view)) == ["end-to-end-parking", "wireless-carplay"]
        assert len(functions_at(launch.at("2024-06-01").view)) == 3
        assert not functions_at(launch.at().view)


def test_a_demo_opens_functions_as_its_time_comes_to_them(tmp_path: Path) -> None:
    with found(tmp_path / "demo", "su7") as launch:
        for until, count in ((None, 0), ("2024-05-30T12:00", 2), ("2024-08-31T12:00", 3)):
            record_end = launch.when().as_of
            end = record_end if until is None else at(until)
            drafts = [draft for part in public_record(launch, end, record_end) for draft in part]
            opened = [draft for draft in drafts if draft.kind == "function.opened"]
            assert len(opened) == count
            assert all(draft.happened <= end for draft in opened)
