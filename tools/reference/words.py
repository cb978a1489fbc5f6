"""The glossary and the provinces."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from driveaway.values.provinces import PROVINCES
from tools.reference.markdown import code, page, table


def glossary() -> str:
    """One table of words, in the order of ``values/glossary.toml``."""
    text = files("driveaway.values").joinpath("glossary.toml").read_text(encoding="utf-8")
    terms = tomllib.loads(text)["term"]
    return page(
        "Glossary",
        "What a word means here, what the trade calls the same thing, and how it is said in Chinese. Two "
        "words are often mistaken for others: *locked* (锁单) is a firm order, not a reservation; "
        "*delivered* (交付) is handed over to the buyer, not invoiced and not registered.",
        table(
            ("word here", "in the trade", "Chinese", "meaning"),
            ((f"**{term['word']}**", term["trade"], term["zh"], term["meaning"]) for term in terms),
        ),
    )


def provinces() -> str:
    """The 31 provinces with their codes."""
    return page(
        "Provinces",
        "The 31 provinces, autonomous regions and municipalities of the mainland, by which orders and "
        "outlets are counted. Column and row place each on the tile grid of the briefing: one equal tile a "
        "province, no boundary drawn. A launch elsewhere lists its own regions in `launch.toml`.",
        table(
            ("GB/T 2260", "ISO 3166-2", "name", "Chinese", "short", "column", "row"),
            (
                (code(p.code), code(p.iso), p.name, p.name_zh, p.short, str(p.column), str(p.row))
                for p in PROVINCES
            ),
        ),
    )
