"""Who bought, with intervals; cells that rest on few people are not shown."""

from __future__ import annotations

from driveaway import plots
from driveaway.briefing import texts
from driveaway.briefing.asking import Asked
from driveaway.briefing.claims import parse_arguments
from driveaway.briefing.statement import Exhibit, Section, Sentence, Writer
from driveaway.facts.public import ClaimMade
from driveaway.values.errors import BadValue

_DIMENSIONS = ("sex", "phone_brand", "previous_brand")
_MOST = 3
_NOBODY = frozenset({"none", "unknown", "other", "first car"})


def buyers(writer: Writer) -> Section:
    """Shares of buyers by sex, phone brand and previous brand."""
    desk, words = writer.desk, writer.words
    asked = [(dimension, desk.ask("buyers.share", by=(dimension,))) for dimension in _DIMENSIONS]
    sentences: list[Sentence] = []
    for dimension, answer in asked:
        sentences += _told(writer, dimension, answer)
    shown = [(dimension, answer) for dimension, answer in asked if answer.rows]
    exhibits: tuple[Exhibit, ...] = ()
    if shown:
        exhibits = (
            Exhibit(
                id="buyers-share",
                picture=plots.shares(
                    [(words(f"buyers.{d}"), d, a.answer) for d, a in shown],
                    words,
                    title=words("plot.title.buyers.share"),
                ),
                columns=tuple(
                    words(f"column.{c}") for c in ("attribute", "value", "share", "low", "high", "people")
                ),
                rows=tuple(
                    (
                        words(f"buyers.{dimension}"),
                        words.number(row[dimension], "name"),
                        *(
                            (words("plot.shares.suppressed"), "–", "–", "–")
                            if row["value"] is None
                            else (
                                *(
                                    "–" if row.get(column) is None else words.number(row[column], "percent")
                                    for column in ("value", "low", "high")
                                ),
                                "–" if row.get("people") is None else words.number(row["people"], "count"),
                            )
                        ),
                    )
                    for dimension, answer in shown
                    for row in answer.rows
                    if row.get(dimension) is not None
                ),
                evidence=tuple(answer.evidence for _, answer in shown),
            ),
        )
    return Section("buyers", texts.both("section.buyers"), tuple(sentences), exhibits)


def _told(writer: Writer, dimension: str, asked: Asked) -> list[Sentence]:
    """The largest share; of previous brands those that a claim speaks of, else the first three."""
    if asked.unknown is not None:
        return [writer.say(f"sentence.buyers.{dimension}", asked)]
    rows = [row for row in asked.rows if row["value"] is not None and row.get(dimension) is not None]
    if dimension == "sex":
        rows = [row for row in rows if row["sex"] == "female"] or rows
    named = [row for row in rows if str(row[dimension]).lower() not in _NOBODY]
    named.sort(key=lambda row: (-row["value"], str(row[dimension])))
    if not named:
        return []
    if dimension == "previous_brand":
        spoken_of = _spoken_of(writer, dimension)
        brands = sorted(spoken_of or (str(row[dimension]) for row in named[:_MOST]))
        share = writer.desk.ask("buyers.share", previous_brand="|".join(brands))
        return [
            writer.say(
                f"sentence.buyers.previous_brand{'.spoken_of' if spoken_of else ''}",
                share,
                brands={"en": ", ".join(brands), "zh": "、".join(brands)},
            )
        ]
    row = named[0]
    wanted = {dimension: str(row[dimension])}
    share = writer.desk.ask_with("buyers.share", wanted)
    name = {language: texts.Texts(language).number(row[dimension], "name") for language in texts.LANGUAGES}
    return [writer.say(f"sentence.buyers.{dimension}", share, name=name)]


def _spoken_of(writer: Writer, dimension: str) -> list[str]:
    """The values of a dimension that the latest claim about buyers speaks of."""
    for fact in reversed(writer.desk.facts("claim.made")):
        if isinstance(fact.body, ClaimMade) and fact.body.figure == "buyers.share":
            try:
                wanted = parse_arguments(fact.body.arguments).get(dimension)
            except BadValue:
                continue
            if wanted:
                return wanted.split("|")
    return []
