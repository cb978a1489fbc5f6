"""Pictures: valid, deterministic, escaped, readable without colour."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from driveaway import plots
from driveaway.briefing import Texts, brief
from driveaway.figures.answer import Answer
from driveaway.plots import theme

SVG = "{http://www.w3.org/2000/svg}"


def answer(rows: list[dict[str, Any]], **more: Any) -> Answer:
    return Answer(name="x", unit="count", as_of="2024-04-24", mark=1, definition=1, rows=rows, **more)


def pictures(launch: Any, language: str = "en") -> dict[str, plots.Picture]:
    return {e.id: e.picture for s in brief(launch, language).sections for e in s.exhibits}


def texts_of(svg: str) -> str:
    return " ".join(t.text or "" for t in ET.fromstring(svg).iter(f"{SVG}text"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_specification_fits_the_schema_and_is_drawn(launch: Any, language: str) -> None:
    import altair

    drawn = pictures(launch, language)
    assert len(drawn) == 9
    for name, picture in drawn.items():
        altair.Chart.from_dict(dict(picture.spec), validate=True)
        root = ET.fromstring(picture.standalone())
        assert root.get("role") == "img", name
        assert root.find(f"{SVG}title").text == picture.title  # type: ignore[union-attr]
        assert root.find(f"{SVG}desc").text == picture.description  # type: ignore[union-attr]
        assert len(picture.description) > 40
        width, height = (float(root.get(side, "0")) for side in ("width", "height"))
        assert width == theme.WIDTH
        assert 60 < height < 700


def test_no_sentinel_colour_is_left(launch: Any) -> None:
    for name, picture in pictures(launch).items():
        inline, alone = picture.inline(name), picture.standalone()
        assert "#0d1e" not in inline + alone
        assert "var(--ink" in inline
        assert "var(" not in alone
        assert "Noto Sans CJK SC" in alone


def test_simulated_data_say_so_in_the_picture(launch: Any) -> None:
    drawn = pictures(launch)
    assert "Simulated" in texts_of(drawn["orders-locked-per-day"].standalone())
    assert "Simulated" not in texts_of(drawn["trials-range-kept"].standalone())


def test_chinese_words_stand_in_the_chinese_picture(launch: Any) -> None:
    said = texts_of(pictures(launch, "zh")["outlets-provinces"].standalone())
    assert "京" in said
    assert "有网点" in said


def test_the_same_data_give_the_same_bytes() -> None:
    code = (
        "import hashlib\n"
        "from driveaway import plots\n"
        "from driveaway.briefing import Texts\n"
        "from driveaway.figures.answer import Answer\n"
        "rows = [{'day': f'2024-04-{d:02d}', 'value': d * d, 'cumulative': d ** 3} for d in range(1, 29)]\n"
        "a = Answer(name='x', unit='count', as_of='', mark=1, definition=1, rows=rows)\n"
        "p = plots.cumulative(a, Texts('zh'), title='标题', events=[plots.Event('2024-04-03', '事件')])\n"
        "q = plots.cumulative(a, Texts('zh'), title='标题', events=[plots.Event('2024-04-03', '事件')])\n"
        "assert p.inline('a') == q.inline('a')\n"
        "print(hashlib.sha256(p.standalone().encode()).hexdigest())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": ":".join(sys.path), "TZ": zone, "PATH": ""},
        ).stdout
        for zone in ("UTC", "America/New_York")
    }
    assert len(runs) == 1


def test_ids_of_two_pictures_never_meet(launch: Any) -> None:
    page = "".join(picture.inline(name) for name, picture in pictures(launch).items())
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_words_from_outside_are_escaped() -> None:
    evil = '<script>alert(1)</script>"&\x00\n]]>'
    rows = [{"day": "2024-04-01", "value": 1, "cumulative": 1}]
    picture = plots.cumulative(
        answer(rows), Texts("en"), title=evil.replace("\x00", ""), events=[plots.Event("2024-04-01", evil)]
    )
    for svg in (picture.inline("p"), picture.standalone()):
        assert "<script" not in svg
    tests = plots.measured(
        answer([{"car": evil, "condition": "c", "tester": "t", "rival": True, "value": 0.5}]),
        Texts("en"),
        title="t",
        percent=True,
        group=lambda row: evil,
    )
    assert "<script" not in tests.inline("p")


@pytest.mark.parametrize("rows", [[], [{"day": "2024-04-01", "value": 0, "cumulative": 0}]])
def test_no_data_and_nothing_but_zero_are_drawn(rows: list[dict[str, Any]]) -> None:
    for picture in (
        plots.cumulative(answer(rows), Texts("en"), title="t"),
        plots.per_day(answer(rows), Texts("en"), title="t"),
        plots.tile_map(answer([]), Texts("en"), title="t"),
        plots.shares([("Sex", "sex", answer([], unknown="no buyers"))], Texts("en"), title="t"),
        plots.measured(answer([]), Texts("en"), title="t", percent=True, group=str),
        plots.progress(answer([]), Texts("en"), title="t", label=str, pace=lambda row: None),
    ):
        ET.fromstring(picture.standalone())
        assert picture.description


def test_covered_provinces_differ_by_more_than_colour() -> None:
    svg = plots.tile_map(
        answer([{"province": "310000", "value": 9}, {"province": "110000", "value": 1}]),
        Texts("en"),
        title="t",
    )
    assert "9" in texts_of(svg.standalone())
    assert "2 of them" in svg.description


def test_suppressed_shares_say_so() -> None:
    rows = [
        {"sex": "female", "value": 0.5, "low": 0.4, "high": 0.6},
        {"sex": "other", "value": None, "suppressed": True},
    ]
    picture = plots.shares([("Sex", "sex", answer(rows))], Texts("en"), title="t")
    assert "too few to show" in texts_of(picture.standalone())
    assert "other too few to show" in picture.description


@pytest.mark.parametrize(
    ("top", "ticks"),
    [(0, [0, 1]), (1, [0, 0.25, 0.5, 0.75, 1]), (75_723, [0, 20_000, 40_000, 60_000, 80_000])],
)
def test_ticks_are_round_and_reach_the_top(top: float, ticks: list[float]) -> None:
    assert theme.scale_ticks(top) == ticks


def test_text_is_cut_and_wrapped_by_its_width() -> None:
    assert theme.cut("abcdef", 4) == "abc…"
    assert theme.cut("上市发布会", 6) == "上市…"
    assert theme.wrap("one two three", 7) == ["one two", "three"]
    assert theme.wrap("上市发布会，预订", 8) == ["上市发布", "会，预订"]


def test_the_key_of_events_shows_whole_titles() -> None:
    long = "Second founder-edition round announced: deposit of 20,000 yuan, locked at order, and so on"
    rows = [{"day": f"2024-04-0{d}", "value": d, "cumulative": d} for d in (1, 2, 3)]
    events = [plots.Event("2024-04-01", long), plots.Event("2024-04-02", "Short")]
    picture = plots.cumulative(answer(rows), Texts("en"), title="t", events=events)
    said = texts_of(picture.standalone())
    assert all(word in said for word in long.split())
    assert "…" not in said
    below = re.compile(r'viewBox="0 0 [\d.]+ ([\d.]+)"')
    one = plots.cumulative(answer(rows), Texts("en"), title="t", events=[plots.Event("2024-04-01", "Short")])
    taller = float(below.findall(picture.standalone())[0]) - float(below.findall(one.standalone())[0])
    assert taller == 2 * 18, "a line for the second line of a title, one for the second event"


def test_the_ends_of_an_interval_are_printed_and_drawn() -> None:
    rows = [{"sex": "female", "value": 0.28, "low": 0.277, "high": 0.283}, {"sex": "male", "value": 0.72}]
    picture = plots.shares([("Sex", "sex", answer(rows))], Texts("en"), title="t")
    assert "27.7%–28.3%" in texts_of(picture.standalone())
    marks = [layer["mark"] for layer in picture.spec["layer"]]
    ends = [mark for mark in marks if mark["type"] == "tick"]
    (dot,) = [mark for mark in marks if mark.get("shape") == "diamond"]
    assert len(ends) == 2
    assert all(end["size"] > dot["size"] ** 0.5 * 1.5 for end in ends), "they stand out beside the dot"
