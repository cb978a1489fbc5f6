"""Opening a launch: folder, settings, as-of and mark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import driveaway as dw
from driveaway.launch.doctor import examine
from driveaway.launch.founding import found
from driveaway.launch.launch import Launch, open_launch
from driveaway.launch.settings import SETTINGS, find_folder, read_settings
from driveaway.values.clock import now, parse_instant, show
from driveaway.values.errors import BadValue, Conflict, NotFound


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    with found(tmp_path / "mine", "su7") as launch:
        launch.apply()
        yield launch


def test_from_python_as_the_front_page_says(launch: Launch) -> None:
    with dw.open(launch.folder) as same:
        assert isinstance(same, dw.Launch)
        assert same.at("2024-04-24").figure("orders.locked").unknown
        assert same.at("2024-04-25").figure("targets.progress").rows


def test_the_front_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'opn'"):
        _ = dw.opn  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("as_of", "means"),
    [
        ("2024-04-24", "2024-04-24T23:59:59.999999+08:00"),
        ("2024-04-24T22:00", "2024-04-24T22:00:00+08:00"),
        ("2024-04-24T22:00:00+02:00", "2024-04-25T04:00:00+08:00"),
        (None, "2024-04-25T09:20:00+08:00"),
    ],
)
def test_an_as_of_is_local(as_of: str | None, means: str, launch: Launch) -> None:
    assert show(launch.when(as_of).as_of, launch.zone) == means


def test_an_as_of_may_be_an_instant_and_is_the_clock_without_today(launch: Launch) -> None:
    instant = 1_713_000_000_000_000
    assert launch.when(instant).as_of == instant
    # Seconds and milliseconds since 1970 are instants of that year, which nobody means.
    for other in (5, True, 1_713_000_000, 1_713_000_000_000):
        with pytest.raises(BadValue, match="not an as-of"):
            launch.at(other)
    text = launch.text.replace('today = "2024', '# today = "2024')
    launch.file.write_text(text, encoding="utf-8")
    with open_launch(launch.folder) as undated:
        assert abs(undated.when().as_of - now()) < 60_000_000


def test_a_mark_is_the_newest_or_what_was_known_at_a_time(launch: Launch) -> None:
    size = launch.book.edge().size
    assert launch.when().mark == size
    assert launch.when(mark=3).mark == 3
    assert launch.when(known_at="2020-01-01").mark == 0
    assert launch.when(known_at="2199-01-01").mark == size
    with pytest.raises(BadValue, match="not both"):
        launch.when(mark=3, known_at="2020-01-01")
    for mark in (-1, size + 1):
        with pytest.raises(BadValue, match="beyond the book"):
            launch.at(mark=mark).figure("orders.locked")


def test_the_description_is_the_one_that_held(launch: Launch) -> None:
    before = launch.book.edge().size
    launch.file.write_text(
        launch.text.replace("limit_per_person = 2", "limit_per_person = 3"), encoding="utf-8"
    )
    with open_launch(launch.folder) as edited:
        assert edited.differs
        assert edited.at("2024-04-24").description.rules.limit_per_person == 2
        (outcome,) = edited.apply(happened=parse_instant("2024-04-10T00:00:00+08:00", None))
        assert outcome.draft.kind == "launch.described"
        assert not edited.differs
        assert edited.at("2024-04-24").description.rules.limit_per_person == 3
        assert edited.at("2024-04-09").description.rules.limit_per_person == 2
        assert edited.at("2024-04-24", mark=before).description.rules.limit_per_person == 2
        assert list(edited.apply()) == []


def test_a_description_applied_too_late_can_hold_from_an_earlier_time(launch: Launch) -> None:
    launch.file.write_text(
        launch.text.replace("limit_per_person = 2", "limit_per_person = 3"), encoding="utf-8"
    )
    early = parse_instant("2024-04-10T00:00:00+08:00", None)
    with open_launch(launch.folder) as edited:
        edited.apply()
        assert edited.at("2024-04-24").description.rules.limit_per_person == 2
        assert len(edited.apply(happened=early)) == 1
        assert edited.at("2024-04-24").description.rules.limit_per_person == 3
        assert edited.at("2024-04-09").description.rules.limit_per_person == 2
        assert list(edited.apply(happened=early)) == []
        assert list(edited.apply()) == []


def test_the_folder_is_the_option_or_the_environment_or_the_nearest(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = launch.folder / "data" / "deep"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert find_folder().resolve() == launch.folder.resolve()
    monkeypatch.chdir(launch.folder)
    assert find_folder() == Path()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFound, match="not a launch folder"):
        find_folder()
    monkeypatch.setenv("DRIVEAWAY_LAUNCH", str(launch.folder))
    assert find_folder() == launch.folder
    with pytest.raises(NotFound, match=r"no launch\.toml"):
        find_folder(str(tmp_path))


def test_an_option_goes_before_the_environment_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "launch.toml").touch()
    assert read_settings(tmp_path, {}) == {setting.name: setting.default for setting in SETTINGS}
    (tmp_path / "driveaway.toml").write_text('data = "file"\n', encoding="utf-8")
    assert read_settings(tmp_path, {})["data"] == "file"
    monkeypatch.setenv("DRIVEAWAY_DATA", "environment")
    assert read_settings(tmp_path, {})["data"] == "environment"
    assert read_settings(tmp_path, {"data": "option"})["data"] == "option"
    assert read_settings(tmp_path, {"data": None})["data"] == "environment"
    assert {(s.environment, s.option) for s in SETTINGS} >= {("DRIVEAWAY_BOOK_URL", "--book-url")}


@pytest.mark.parametrize(
    ("text", "code"),
    [("data = [", "settings.toml"), ('colour = "red"', "settings.unknown"), ("data = 3", "settings.unknown")],
)
def test_settings_that_cannot_be_read(text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "launch.toml").touch()
    (tmp_path / "driveaway.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadValue) as caught:
        read_settings(tmp_path, {})
    assert caught.value.code == code
    assert caught.value.place.endswith("driveaway.toml")


@pytest.mark.parametrize("case", ["new", "bare", "su7"])
def test_every_case_makes_a_launch_that_is_well(case: str, tmp_path: Path) -> None:
    with found(tmp_path / case, case) as launch:
        launch.apply()
        assert not launch.differs
        assert not launch.book.verify().differences
    assert (tmp_path / case / ".gitignore").read_text(encoding="utf-8") == "data/\n"
    assert (tmp_path / case / "claims.csv").exists()
    assert {finding.state for finding in examine(str(tmp_path / case))} <= {"good", "note"}


def test_nothing_is_founded_twice(launch: Launch, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="stands here already"):
        found(launch.folder)
    with pytest.raises(NotFound, match="no case"):
        found(tmp_path / "other", "nothing")
    assert not (tmp_path / "other").exists()
    with pytest.raises(Conflict, match="not empty"):
        found(tmp_path / "other", book_url=launch.book.store.url)
    assert not (tmp_path / "other").exists()


def test_a_book_elsewhere_is_remembered_and_its_address_kept_out_of_git(tmp_path: Path) -> None:
    url = f'sqlite:///{tmp_path}/it\'s "mine".sqlite'
    found(tmp_path / "other", "bare", book_url=url).close()
    with open_launch(tmp_path / "other") as launch:
        assert launch.book.store.url == url
        launch.apply()
    assert (tmp_path / "other" / ".gitignore").read_text(encoding="utf-8") == "data/\ndriveaway.toml\n"


def test_files_that_stand_there_are_left_alone(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "claims.csv").write_text("claim,published\n", encoding="utf-8")
    with pytest.raises(Conflict):
        found(tmp_path, book_url=launch.book.store.url)
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["claims.csv"]
    found(tmp_path).close()
    assert (tmp_path / "claims.csv").read_text(encoding="utf-8") == "claim,published\n"


def test_the_doctor_finds_what_is_wrong(launch: Launch, tmp_path: Path) -> None:
    assert [f.what for f in examine(str(tmp_path / "nowhere")) if f.state == "bad"] == ["launch"]
    heads = launch.book.head_log
    heads.write_text(
        heads.read_text(encoding="utf-8") + '{"size": 999, "root": "00", "recorded": 1}\n', encoding="utf-8"
    )
    (found_wrong,) = [f for f in examine(str(launch.folder)) if f.state == "bad"]
    assert (found_wrong.what, found_wrong.remedy) == ("heads", "driveaway verify")
    assert "999" in found_wrong.found


def test_the_first_description_holds_from_the_start(tmp_path: Path) -> None:
    with found(tmp_path / "old", "bare") as launch:
        launch.apply()
        for day in ("1950-01-01", "2018-12-31"):
            assert launch.at(day).view.description.launch == "bare"
        # The next one holds from when it is said.
        launch.file.write_text(launch.text.replace('"Goods"', '"Wares"'), encoding="utf-8")
    with open_launch(tmp_path / "old") as edited:
        edited.apply(happened=edited.parse_time("2017-01-01T00:00"))
        names = [edited.at(day).view.description.car.name for day in ("2016-12-31", "2017-01-01")]
        assert names == ["Goods", "Wares"]
