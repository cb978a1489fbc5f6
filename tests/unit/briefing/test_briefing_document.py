"""The briefing as data and as Markdown, JSON and HTML."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from driveaway.briefing import Texts, brief, render_html, render_json, render_markdown
from driveaway.briefing.markdown import flag_texts
from driveaway.facts.description import Region
from driveaway.facts.public import ClaimMade, EventHeld

EVIL = "<script>alert('x')</script> | **bold** [a](javascript:alert(1)) `code` \"&amp;"


class Reader(HTMLParser):
    """Collects tags, ids and text; knows which elements are open."""

    VOID = frozenset({"meta", "br", "link", "img", "input"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text += data


def test_every_sentence_has_evidence_that_can_be_recomputed(launch: Any) -> None:
    document = brief(launch)
    for section in document.sections:
        for sentence in section.sentences:
            assert sentence.evidence, sentence.text
            for evidence in sentence.evidence:
                words = shlex.split(evidence.recompute)
                assert words[:3] == ["driveaway", "figure", evidence.figure]
                assert words[-6:] == [
                    "--as-of",
                    "2024-04-25T09:20:00+08:00",
                    "--mark",
                    "512345",
                    "--launch",
                    "launches/su7",
                ]
                assert evidence.mark == 512_345
                assert evidence.definition
    ids = [sentence.id for sentence in document.sentences]
    assert len(ids) == len(set(ids))


def test_sentences_stand_in_both_languages(launch: Any) -> None:
    for sentence in brief(launch).sentences:
        assert set(sentence.text) == {"en", "zh"}
        assert all(sentence.text.values())
        assert "{" not in sentence.text["en"] + sentence.text["zh"]


def test_what_it_says(launch: Any) -> None:
    said = " ".join(sentence.text["en"] for sentence in brief(launch).sentences)
    for part in (
        "75,723 orders had been locked",
        "62.4% of reservations had become firm orders (95% interval 62.1% to 62.6%).",
        "59 stores were open, in 29 cities.",
        "Reached: 5,781, which is 5.8%, with 31.7% of the time used up.",
        "was raised from 76,000 to 100,000 on 23 April 2024",
        "Its days begin on 1 June 2024",
        "14 of the 31 mainland provinces",
        "By sex: female buyers are 28% (95% interval 27.7% to 28.3%).",
        "643 km of 800 km, number 1 of 4 cars",
        "A cause is not identified",
        "8 claims checked: 3 in agreement, 2 in disagreement",
        "1 group of buyers resting on fewer than 10 people are not shown",
    ):
        assert part in said


def test_the_unknown_is_said_with_its_reason_and_is_a_risk(launch: Any) -> None:
    launch.answers["cars.built"] = lambda at, by, a: {"unknown": "the book holds no car.built by this date"}
    del launch.answers["publicity.locks_around_event"]
    document = brief(launch)
    built = next(h for h in document.headlines if h.sentence.evidence[0].figure == "cars.built")
    assert built.number["en"] == "unknown"
    assert not built.sentence.known
    risks = " ".join(sentence.text["en"] for sentence in document.risks.sentences)
    assert "Unknown: cars built. The book holds no car.built by this date." in risks
    assert "There is no figure 'publicity.locks_around_event'" in risks
    assert "0 cars had left" not in render_html(document)


def test_a_book_that_knows_nothing_still_gives_a_briefing(launch: Any) -> None:
    for name in launch.answers:
        launch.answers[name] = lambda at, by, a: {"unknown": "the book is empty"}
    launch.recorded.clear()
    document = brief(launch)
    assert not document.simulated
    for page in (render_html(document), render_markdown(document), render_json(document)):
        assert "he book is empty" in page
        assert "simulated data" not in page.lower()
    assert "No public claim had been recorded." in render_markdown(document)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_whole_safe_and_self_contained(launch: Any, language: str) -> None:
    page = render_html(brief(launch, language))
    reader = Reader(page)
    assert reader.open == []
    names = [tag for tag, _ in reader.tags]
    assert not {"script", "link", "iframe", "img", "object", "form"} & set(names)
    assert {"header", "main", "footer", "nav", "aside"} <= set(names)
    assert names.count("h1") == 1
    assert names.count("svg") == 9
    assert dict(reader.tags)["html"]["lang"] == ("en" if language == "en" else "zh-Hans")
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in reader.tags:
        assert not any(name.startswith("on") for name in attributes)
        if tag == "a":
            target = attributes["href"] or ""
            assert target.startswith(("https://", "http://")) or target.removeprefix("#") in ids
        if tag == "svg":
            assert attributes["role"] == "img"
            assert all(i in ids for i in (attributes["aria-labelledby"] or "").split())
        assert "url(" not in str(attributes.get("style"))
    assert "default-src 'none'" in page
    assert "@import" not in page


def test_the_page_says_simulated_first(launch: Any) -> None:
    page = render_html(brief(launch))
    assert "5,781 cars delivered (simulated)</title>" in page
    text = Reader(page[page.index("<body>") :].replace("</body>", "").replace("</html>", "")[6:]).text
    assert text.index("Order-level data are simulated.") < text.index("75,723 firm orders, 5,781")
    assert "by construction" in text


def test_words_from_outside_are_shown_as_they_were_said(launch: Any) -> None:
    launch.record("event.held", "evil", "2024-04-10T10:00", EventHeld(title=EVIL))
    launch.record(
        "claim.made",
        "evil",
        "2024-04-24T10:00",
        ClaimMade(
            speaker=EVIL,
            said=EVIL,
            figure="orders.locked",
            qualifier="about",
            value="1",
            as_of="2024-04-24",
            reference=f'{EVIL} https://example.org/?a=1&b="><b>',
            trap=EVIL,
            grade="C",
        ),
    )
    launch.answers["trials.range_kept"] = lambda at, by, a: {
        "rows": [
            {
                "car": EVIL,
                "condition": EVIL,
                "tester": EVIL,
                "rival": False,
                "value": 0.5,
                "distance_m": 1,
                "claimed_distance_m": 2,
                "claimed_cycle": EVIL,
                "grade": "B",
            }
        ]
    }
    document = brief(launch)
    page = render_html(document)
    reader = Reader(page)
    assert "script" not in {tag for tag, _ in reader.tags}
    assert "b" not in {tag for tag, _ in reader.tags}
    assert EVIL in reader.text
    assert 'href="javascript' not in page
    markdown = render_markdown(document)
    assert "<script" not in markdown
    assert "\\*\\*bold\\*\\*" in markdown
    assert "[a](javascript" not in markdown


def test_markdown_has_no_accidental_blocks(launch: Any) -> None:
    markdown = render_markdown(brief(launch))
    assert "- 62.4% of reservations" in markdown
    assert "[^1]: `orders.locked`" in markdown
    assert markdown.count("# 75,723 firm orders") == 1
    assert "✗ disagrees" in markdown


def test_json_keeps_texts_and_evidence(launch: Any) -> None:
    document = brief(launch)
    told = json.loads(render_json(document))
    assert told["mark"] == 512_345
    assert told["simulated"] is True
    assert told["as_of"] == "2024-04-25T09:20:00+08:00"
    assert [section["id"] for section in told["sections"]] == [
        "orders",
        "targets",
        "deliveries",
        "outlets",
        "buyers",
        "trials",
        "events",
    ]
    assert told["sections"][1]["exhibits"][0]["rows"][0][0] == "At least 100,000 cars delivered in 2024"
    assert {claim["verdict"] for claim in told["claims"]} == {
        "agrees",
        "disagrees",
        "approximate",
        "cannot be checked",
    }
    assert told["recompute"].startswith("driveaway brief --as-of 2024-04-25T09:20:00+08:00 --mark 512345")


def test_each_question_is_asked_once(launch: Any) -> None:
    brief(launch)
    assert launch.asked.count("targets.progress") == 1
    assert launch.asked.count("orders.locked_per_day") == 1


def test_a_word_past_its_date_is_flagged_only_after_it(launch: Any) -> None:
    said = ClaimMade(
        speaker="X", said="Smart driving is here.", qualifier="about", as_of="2024-04-24", why_not="A word."
    )
    launch.record("claim.made", "word", "2024-04-24T10:00", said)
    assert "is flagged since 16 April 2025" not in render_html(brief(launch))
    launch.as_of += 400 * 86_400 * 1_000_000
    assert "is flagged since 16 April 2025" in render_html(brief(launch))


def test_a_day_that_has_not_ended_is_no_day_among_the_last_seven(launch: Any) -> None:
    rows = [
        {"day": f"2024-04-{day}", "value": 100, "cumulative": 100 * (day - 14), "complete": True}
        for day in range(15, 25)
    ]
    rows.append({"day": "2024-04-25", "value": 3, "cumulative": 1003, "complete": False})
    launch.answers["orders.locked_per_day"] = lambda at, by, arguments: {"rows": rows}
    text = " ".join(sentence.text["en"] for sentence in brief(launch).sentences)
    assert "the last 7 complete days brought 700" in text
    exhibit = next(e for s in brief(launch).sections for e in s.exhibits if e.id == "orders-locked-per-day")
    assert "to 24 April 2024" in exhibit.picture.description
    assert exhibit.rows[-1][0] == "25 April 2024 (not ended)"

    launch.answers["orders.locked_per_day"] = lambda at, by, arguments: {"rows": rows[-1:]}
    text = " ".join(sentence.text["en"] for sentence in brief(launch).sentences)
    assert "Locks began on 25 April 2024: 3 so far, on a day that had not ended." in text


def test_a_claim_with_a_trap_is_never_grouped_away(launch: Any) -> None:
    text = " ".join(sentence.text["en"] for sentence in brief(launch).risks.sentences)
    assert "76,000 to 100,000 on 23 April 2024" in text
    assert "the cars were delivered in 22 days" in text


def test_figures_unknown_for_one_reason_share_a_sentence(launch: Any) -> None:
    for name in ("outlets.open", "outlets.cities"):
        launch.answers[name] = lambda at, by, arguments: {"unknown": "the book holds no outlet by this date"}
    risks = [s.text["en"] for s in brief(launch).risks.sentences if s.text["en"].startswith("Unknown")]
    assert sum("outlet by this date" in text for text in risks) == 1
    assert any(text.endswith(". The book holds no outlet by this date.") for text in risks)


def test_a_launch_with_regions_of_its_own_has_no_map_of_provinces(launch: Any) -> None:
    region = Region(code="990100", name="Oslo")
    launch.description = msgspec.structs.replace(launch.description, regions=(region,))
    document = brief(launch)
    assert "mainland provinces" not in render_markdown(document)
    assert "outlets-provinces" not in [e.id for s in document.sections for e in s.exhibits]


def test_no_document_names_the_place_of_a_launch_on_a_machine(
    launch: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    launch.launch_dir_label = str(tmp_path / "su7")
    monkeypatch.setenv("DRIVEAWAY_LAUNCH", launch.launch_dir_label)
    assert str(tmp_path) not in render_json(brief(launch))
    monkeypatch.chdir(tmp_path)
    assert brief(launch).recompute.endswith("--launch su7")


def test_a_claimed_consumption_is_no_test_and_the_measured_one_unknown(launch: Any) -> None:
    row = {"car": "Comet S7", "condition": "mixed", "tester": "A paper", "rival": False, "grade": "B"}
    row |= {"basis": "claimed", "value": 12.6, "measured": None, "measured_unknown": "no energy"}
    launch.answers["trials.consumption"] = lambda at, by, arguments: {"unit": "kWh/100 km", "rows": [row]}
    document = brief(launch)
    text = " ".join(sentence.text["en"] for sentence in document.sentences)
    assert "no measured energy is in the record" in text
    assert "consumption: 1 of 1 tests" not in text
    exhibit = next(e for s in document.sections for e in s.exhibits if e.id == "trials-consumption")
    assert exhibit.rows[0][3:5] == ("unknown", "12.6")


def test_the_page_shows_words_and_no_markup_of_definitions(launch: Any) -> None:
    info = launch.definition("cars.built")
    launch.definition = lambda name: replace(info, definition="``basis`` says which.")
    page = render_html(brief(launch))
    assert "basis says which." in page
    assert "``" not in page
    assert "↑" not in page


def test_the_reason_of_an_unknown_is_one_sentence_in_either_language(launch: Any) -> None:
    reason = "the book holds no outlet.opened with the role service by this date"
    launch.answers["outlets.open"] = lambda at, by, arguments: {"unknown": reason}
    said = [s.text for s in brief(launch).sentences if "outlet.opened" in s.text["en"]]
    assert said
    assert all(". The book holds" in text["en"] for text in said)
    assert all("账本截至当时没有outlet.opened（服务中心）的记录。" in text["zh"] for text in said)


def _target(name: str, **fields: Any) -> dict[str, Any]:
    row = {
        "target": name,
        "measure": "outlets.open",
        "role": "service",
        "qualifier": "at least",
        "amount": 143,
    }
    row |= {"value": None, "share": None, "from_day": "2024-01-01", "until_day": "2024-12-31"}
    row |= {"set_on": "2024-04-25", "previous_amount": None, "said": None, "simulated": False}
    return row | fields


def test_an_unknown_progress_is_never_printed_as_nothing(launch: Any) -> None:
    rows = [
        _target("centres"),
        _target("june", from_day="2024-06-01", until_day="2024-06-30"),
        _target("none-yet", value=0, share=0.0),
    ]
    launch.answers["targets.progress"] = lambda at, by, arguments: {"rows": rows}
    exhibit = next(s for s in brief(launch).sections if s.id == "targets").exhibits[0]
    assert [row[1:4] for row in exhibit.rows] == [
        ("unknown", "–", "31.7%"),
        ("not begun", "–", "–"),
        ("0", "0%", "31.7%"),
    ]


def test_simulated_marks_only_what_counts_simulated_rows(launch: Any) -> None:
    rows = [
        _target("cars", measure="cars.delivered", role=None, value=5, share=0.1, simulated=True),
        _target("centres"),
        _target("june", from_day="2024-06-01", until_day="2024-06-30"),
        _target("stores", value=59, share=0.27, amount=219, previous_amount=211),
        _target("year", value=9, share=0.1, simulated=True, amount=100_000, previous_amount=76_000),
    ]
    launch.answers["targets.progress"] = lambda at, by, arguments: {"rows": rows, "simulated": True}
    document = brief(launch)
    said = {s.text["en"]: s.simulated for s in document.sentences}
    for part, simulated in (
        ("Reached: 5, which is 10%", True),
        ("How much of it is reached is not known", False),
        ("nothing counts towards it yet", False),
        ("Reached: 59, which is 27%", False),
        ("was raised from 211 to 219", False),
        ("was raised from 76,000 to 100,000", False),
        ("A cause is not identified", False),
    ):
        assert {mark for text, mark in said.items() if part in text} == {simulated}, part
    (changed,) = [s for s in document.risks.sentences if "1 target changed after being said" in s.text["en"]]
    assert not changed.simulated
    assert changed.text["en"].endswith(": 76,000 to 100,000 on 25 April 2024.")


def test_the_evidence_of_a_target_is_its_own(launch: Any) -> None:
    section = next(s for s in brief(launch).sections if s.id == "targets")
    evidence = section.sentences[0].evidence[0]
    assert evidence.value == 5_781
    assert evidence.arguments == {"target": "year-2024"}
    assert evidence.recompute.startswith("driveaway figure targets.progress target=year-2024 --as-of")
    assert [s.evidence[0].arguments["target"] for s in section.sentences].count("stores-2024") == 2


def test_risks_are_told_once(launch: Any) -> None:
    for number in range(3):
        claim = ClaimMade(
            speaker="X",
            said=f"Number {number}: 5,781 cars within 28 days",
            figure="cars.delivered_since_launch_days",
            arguments="days=28",
            qualifier="exactly",
            value="5781",
            as_of="2024-04-24",
            grade="BC"[number % 2],  # type: ignore[arg-type]
        )
        launch.record("claim.made", f"again-{number}", "2024-04-24T10:00", claim)
    risks = [s.text["en"] for s in brief(launch).risks.sentences]
    trapped = [text for text in risks if "the cars were delivered in 22 days" in text]
    assert len(trapped) == 1
    assert "4 claims such as" in trapped[0]
    weak = [text for text in risks if "below grade A only" in text]
    assert len(weak) == 1
    assert "3 of grade B, 2 of grade C" in weak[0]


def test_a_claim_compared_with_its_own_source_is_not_called_simulated(launch: Any) -> None:
    launch.record(
        "claim.made",
        "kept",
        "2024-04-24T10:00",
        ClaimMade(
            speaker="X",
            said="It kept 80%",
            figure="outlets.open",
            arguments="role=store",
            qualifier="exactly",
            value="59",
            as_of="2024-04-24",
            by_construction=True,
        ),
    )
    document = brief(launch)
    (kept,) = [claim for claim in document.claims if claim.claim == "kept"]
    assert (kept.verdict, kept.by_construction, kept.same_source) == ("agrees", False, True)
    assert kept.json()["same_source"] is True
    page = render_html(document)
    item = page[page.index('id="claim-kept"') :].split("</li>")[0]
    assert "same source" in item
    assert "by construction" not in item
    assert "comes from the same source as the claim" in page
    assert "1 of 9 claims agree because" in " ".join(s.text["en"] for s in document.risks.sentences)
    assert "same source as the claim" in render_markdown(document)


def test_numbers_stand_beside_a_picture_that_few_sentences_go_with(launch: Any) -> None:
    page = render_html(brief(launch))
    for section, opened in (("outlets", True), ("buyers", True), ("events", False), ("orders", False)):
        part = page[page.index(f'aria-labelledby="{section}"') :].split("</section>")[0]
        assert ('<details class="numbers" open>' in part) == opened, section
        assert ("</figure></div><details" in part) == opened, "beside the picture, not below it"


def test_a_definition_is_printed_once_where_it_repeats(launch: Any) -> None:
    page = render_html(brief(launch))
    part = page[page.index('aria-labelledby="targets"') :].split("</section>")[0]
    assert part.count("What targets.progress counts") > 2
    assert part.count('<div class="known">') == part.count("What targets.progress counts") - 1


def test_the_chinese_page_has_speakers_and_conditions_in_chinese(launch: Any) -> None:
    row = {"car": "Comet S7", "condition": "mixed route", "tester": "Dongchedi", "rival": False, "grade": "B"}
    row |= {"value": 0.8, "distance_m": 640_000, "claimed_distance_m": 800_000, "claimed_cycle": "CLTC"}
    launch.answers["trials.range_kept"] = lambda at, by, arguments: {"unit": "share", "rows": [row]}
    said = ClaimMade(speaker="Tesla", said="So.", said_zh="如此。", qualifier="about", as_of="2024-04-24")
    launch.record("claim.made", "zh", "2024-04-24T10:00", said)
    for render in (render_html, render_markdown):
        chinese, english = render(brief(launch, "zh")), render(brief(launch))
        assert "懂车帝" in chinese
        assert "混合路况" in chinese
        assert "特斯拉，2024年4月24日" in chinese
        assert "Dongchedi" not in chinese
        assert "mixed route" in english


def test_a_rule_is_told_in_the_words_of_the_page(launch: Any) -> None:
    said = ClaimMade(
        speaker="X",
        said="One car drove 1,400 km in a day.",
        said_zh="单车单日行驶1400公里。",
        qualifier="about",
        as_of="2024-04-24",
        why_not="No trips.",
    )
    launch.recorded["claim.made"] = []
    launch.record("claim.made", "rest", "2024-04-24T10:00", said)
    (claim,) = brief(launch).claims
    assert {flag.entry for flag in claim.flags} == {"rest-en", "rest-zh"}
    for language in ("en", "zh"):
        (text,) = flag_texts(claim, Texts(language))
        assert ("单日" in text.split("”")[0]) == (language == "zh")
