"""Outlets and the provinces they cover."""

from __future__ import annotations

from driveaway import plots
from driveaway.briefing import texts
from driveaway.briefing.asking import Desk
from driveaway.briefing.statement import Exhibit, Section, Sentence, Writer
from driveaway.values.provinces import PROVINCES

_ROLES = ("store", "service", "delivery")


def in_china(desk: Desk) -> bool:
    """Whether the provinces of China say anything about this launch.

    Not where it lists regions of its own, nor where all its outlets are elsewhere.
    """
    if desk.asker.description.regions:
        return False
    rows = desk.ask("outlets.open", by=("province",)).rows
    codes = {p.code for p in PROVINCES}
    return not rows or any(str(row["province"]) in codes for row in rows)


def outlets(writer: Writer) -> Section:
    """Open outlets by role, the cities they stand in, and the provinces covered."""
    desk, words = writer.desk, writer.words
    sentences: list[Sentence] = []
    for role in _ROLES:
        open_now = desk.ask("outlets.open", role=role)
        if open_now.unknown is None and not open_now.answer.value:
            continue
        sentences.append(
            writer.say(
                f"sentence.outlets.{role}",
                open_now,
                cities_asked := desk.ask("outlets.cities", role=role),
                cities=cities_asked.answer.value,
            )
        )
    if not in_china(desk):
        return Section("outlets", texts.both("section.outlets"), tuple(sentences))
    covered = desk.ask("outlets.provinces_covered")
    by_province = desk.ask("outlets.open", by=("province",))
    values: dict[str, int] = {str(row["province"]): row["value"] for row in by_province.rows}
    missing = [p for p in PROVINCES if not values.get(p.code)]
    sentences.append(writer.say("sentence.outlets.provinces_covered", covered))
    if covered.unknown is None and by_province.unknown is None and missing:
        sentences.append(
            writer.say(
                "sentence.outlets.missing",
                by_province,
                names={"en": ", ".join(p.name for p in missing), "zh": "、".join(p.name_zh for p in missing)},
            )
        )
    exhibits: tuple[Exhibit, ...] = ()
    if by_province.rows:
        name = "name_zh" if words.language == "zh" else "name"
        exhibits = (
            Exhibit(
                id="outlets-provinces",
                picture=plots.tile_map(by_province.answer, words, title=words("plot.title.outlets")),
                columns=(words("column.province"), words("column.open")),
                rows=tuple(
                    (getattr(p, name), words.number(values.get(p.code) or 0, "count")) for p in PROVINCES
                ),
                evidence=(by_province.evidence,),
            ),
        )
    return Section("outlets", texts.both("section.outlets"), tuple(sentences), exhibits)
