"""The glossary is one table, whole, without a word twice."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

TERMS = tomllib.loads(files("driveaway.values").joinpath("glossary.toml").read_text(encoding="utf-8"))["term"]


def test_every_term_has_its_four_cells() -> None:
    for term in TERMS:
        assert term.keys() == {"word", "trade", "zh", "meaning"}, term
        assert all(term.values()), term
        assert re.search(r"[\u4e00-\u9fff]", term["zh"]), term
        assert term["meaning"].endswith("."), term


def test_no_word_stands_twice() -> None:
    words = [term["word"] for term in TERMS]
    assert len(set(words)) == len(words)


def test_the_words_that_are_mistaken_for_others() -> None:
    meanings = {term["word"]: term for term in TERMS}
    assert meanings["lock, locked"]["zh"] == "锁单"
    assert "firm order" in meanings["lock, locked"]["trade"]
    assert meanings["handover, delivered"]["zh"] == "交付"
    assert "invoiced" in meanings["handover, delivered"]["meaning"]
    assert meanings["deposit"]["zh"] == "定金"
    assert meanings["refundable deposit"]["zh"] == "订金"
