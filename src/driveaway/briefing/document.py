"""The briefing as data: headlines, sections, claims, risks, each sentence with its evidence."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from typing import Any

from driveaway.briefing import texts
from driveaway.briefing.asking import Asker, Desk, launch_label
from driveaway.briefing.claims import CheckedClaim, checked
from driveaway.briefing.fleet import Fleet
from driveaway.briefing.numbers import Language
from driveaway.briefing.sections.buyers import buyers
from driveaway.briefing.sections.deliveries import deliveries
from driveaway.briefing.sections.driving import driving
from driveaway.briefing.sections.events import events
from driveaway.briefing.sections.headlines import headlines
from driveaway.briefing.sections.orders import orders
from driveaway.briefing.sections.outlets import outlets
from driveaway.briefing.sections.risks import risks
from driveaway.briefing.sections.targets import targets
from driveaway.briefing.sections.trials import trials
from driveaway.briefing.sections.updates import updates
from driveaway.briefing.statement import Headline, Section, Sentence, Words, Writer
from driveaway.values import clock


@dataclass(frozen=True)
class Briefing:
    """A document that a spokesperson can take on stage and an auditor can take apart.

    Attributes:
        launch: slug of the launch.
        language: language in which it is rendered; every sentence is held in both.
        title: the document's title; ``headline`` its news.
        as_of: ISO 8601 time in the launch's zone; ``mark`` the last ``seq`` seen.
        simulated: something in it counts simulated rows.
        headlines: the large numbers.
        sections: in reading order, the claims and the risks last.
        claims_summary: how many claims agree, disagree, are approximate, cannot be checked.
        claims: each public claim beside the book.
        risks: what is unknown, and why.
        recompute: the command line that makes it again.
    """

    launch: str
    language: Language
    title: Words
    headline: Words
    as_of: str
    mark: int
    simulated: bool
    headlines: tuple[Headline, ...]
    sections: tuple[Section, ...]
    claims_summary: Sentence
    claims: tuple[CheckedClaim, ...]
    risks: Section
    recompute: str

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Every sentence of it, in reading order."""
        return (
            *(headline.sentence for headline in self.headlines),
            *(sentence for section in self.sections for sentence in section.sentences),
            self.claims_summary,
            *self.risks.sentences,
        )

    def json(self) -> dict[str, Any]:
        """As one JSON object; texts by language."""
        return {
            "launch": self.launch,
            "language": self.language,
            "title": dict(self.title),
            "headline": dict(self.headline),
            "as_of": self.as_of,
            "mark": self.mark,
            "simulated": self.simulated,
            "simulated_note": dict(texts.both("simulated.text")) if self.simulated else None,
            "headlines": [headline.json() for headline in self.headlines],
            "sections": [section.json() for section in self.sections],
            "claims_summary": self.claims_summary.json(),
            "claims": [claim.json() for claim in self.claims],
            "risks": self.risks.json(),
            "recompute": self.recompute,
        }


def brief(asker: Asker, language: str = "en", fleet: Fleet | None = None) -> Briefing:
    """Write the briefing of a cut book.

    Args:
        asker: the book, cut at an as-of and a mark.
        language: ``en`` or ``zh``.
        fleet: the delivered cars at the same cut; None: nothing is told of functions and courses of rollouts.

    Raises:
        BadValue: the texts have no such language.
    """
    words = texts.Texts(language)
    desk = Desk(asker, fleet)
    writer = Writer(desk, words)
    top = headlines(writer)
    sections = tuple(
        made
        for section in (orders, targets, deliveries, updates, driving, outlets, buyers, trials, events)
        if (made := section(writer)) is not None
    )
    claims = tuple(checked(desk))
    description = asker.description
    car = {"en": description.car.name, "zh": description.car.name_zh or description.car.name}
    locked, delivered = desk.ask("orders.locked"), desk.ask("cars.delivered")
    known = isinstance(locked.answer.value, int) and isinstance(delivered.answer.value, int)
    command = ["driveaway", "brief", "--as-of", desk.as_of_text, "--mark", str(asker.mark)]
    return Briefing(
        launch=description.launch,
        language=words.language,
        title=texts.both("briefing.title", car=car),
        headline=texts.both("briefing.headline", locked=locked.answer.value, delivered=delivered.answer.value)
        if known
        else texts.both("briefing.headline_unknown"),
        as_of=clock.show(asker.as_of, desk.zone),
        mark=asker.mark,
        simulated=desk.simulated,
        headlines=top,
        sections=sections,
        claims_summary=_summary(writer, claims),
        claims=claims,
        risks=risks(writer, claims),
        recompute=shlex.join([*command, "--launch", launch_label(asker)]),
    )


def _summary(writer: Writer, claims: tuple[CheckedClaim, ...]) -> Sentence:
    if not claims:
        return writer.plain("claims.none", texts.both("claims.none"))
    verdicts = Counter(claim.verdict for claim in claims)
    return writer.plain(
        "claims.summary",
        texts.both(
            "claims.summary",
            n=len(claims),
            agrees=verdicts["agrees"],
            disagrees=verdicts["disagrees"],
            approximate=verdicts["approximate"],
            cannot=verdicts["cannot be checked"],
        ),
    )
