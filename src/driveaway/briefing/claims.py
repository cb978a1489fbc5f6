"""Public claims set beside the book: agrees, disagrees by how much, or cannot be checked and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from driveaway.briefing import lexicon, texts
from driveaway.briefing.asking import Asked, Asker, Desk, Evidence
from driveaway.briefing.judging import Judgement, Verdict, judge
from driveaway.briefing.lexicon import Flag
from driveaway.briefing.numbers import LANGUAGES, number_text
from driveaway.briefing.statement import sentence
from driveaway.briefing.traps import Trap, wording_traps
from driveaway.facts.base import Fact
from driveaway.facts.public import ClaimMade
from driveaway.values import clock
from driveaway.values.errors import BadValue

Words = Mapping[str, str]
"""A text by language."""


@dataclass(frozen=True)
class CheckedClaim:
    """One public claim beside the book.

    Attributes:
        claim: slug of the claim.
        body: what was said, as recorded.
        made_on: local day on which it was said; ``place`` is the ``seq`` of its fact.
        verdict: ``agrees``, ``disagrees``, ``approximate`` or ``cannot be checked``.
        measured: the book's number in the unit of the claim, as decimal text, else None.
        difference: measured minus said, as decimal text, else None.
        text: the verdict in words, by language.
        why: why it cannot be checked, by language, else None.
        traps: what the wording hides and the book shows; what was remarked on it when
            it was recorded is ``body.trap``.
        by_construction: the simulated book was made to pass through this claim, so that agreement
            shows that the check works, not that the claim is true.
        same_source: what it is compared with is no simulation, but was recorded from the source of
            the claim itself, so that agreement shows only that both were entered alike.
        simulated: the answer counts simulated rows.
        flags: words in it that a rule speaks against on the as-of's day, when it is repeated.
        evidence: figure, definition, as-of, mark and how to recompute it.
    """

    claim: str
    body: ClaimMade
    made_on: str
    seq: int
    verdict: Verdict
    measured: str | None
    difference: str | None
    text: Words
    why: Words | None
    traps: tuple[Trap, ...]
    flags: tuple[Flag, ...]
    evidence: Evidence | None

    @property
    def by_construction(self) -> bool:
        """The simulated book was made to pass through it."""
        return self.body.by_construction and not self.same_source

    @property
    def same_source(self) -> bool:
        """What it is compared with was recorded from its own source."""
        return self.body.by_construction and self.verdict != "cannot be checked" and not self.simulated

    @property
    def simulated(self) -> bool:
        """Its answer counts simulated rows."""
        return self.evidence is not None and self.evidence.simulated

    def json(self) -> dict[str, Any]:
        """As one JSON object."""
        body = self.body
        return {
            "claim": self.claim,
            "seq": self.seq,
            "speaker": body.speaker,
            "said": body.said,
            "said_zh": body.said_zh,
            "made_on": self.made_on,
            "qualifier": body.qualifier,
            "value": body.value,
            "percent": body.percent,
            "unit": body.unit,
            "as_of": body.as_of,
            "grade": body.grade,
            "reference": body.reference,
            "verdict": self.verdict,
            "measured": self.measured,
            "difference": self.difference,
            "text": dict(self.text),
            "why": None if self.why is None else dict(self.why),
            "traps": [dict(trap.text) for trap in self.traps],
            "remark": body.trap,
            "by_construction": self.by_construction,
            "same_source": self.same_source,
            "simulated": self.simulated,
            "flags": [flag.json() for flag in self.flags],
            "evidence": None if self.evidence is None else self.evidence.json(),
        }


def check_claims(asker: Asker) -> list[CheckedClaim]:
    """Check every live claim of the cut against the figure it speaks of, as of the claim's own time."""
    return checked(Desk(asker))


def checked(desk: Desk) -> list[CheckedClaim]:
    """The same at a desk that may have asked some of the questions already."""
    return [_check(desk, fact) for fact in desk.facts("claim.made")]


def arranged(
    claims: Sequence[CheckedClaim],
) -> tuple[list[CheckedClaim], list[tuple[Words, list[CheckedClaim]]]]:
    """For reading: the claims that say something, disagreement first, and the rest by the reason.

    The rest are those that cannot be checked and have neither a trap nor a flag.
    """
    order = ("disagrees", "approximate", "agrees", "cannot be checked")
    rest = [c for c in claims if c.verdict == "cannot be checked" and not c.traps and not c.flags]
    told = sorted((c for c in claims if c not in rest), key=lambda claim: order.index(claim.verdict))
    reasons: dict[str, tuple[Words, list[CheckedClaim]]] = {}
    for claim in rest:
        why = claim.why or {}
        reasons.setdefault(str(why.get("en")), (why, []))[1].append(claim)
    return told, sorted(reasons.values(), key=lambda reason: -len(reason[1]))


def parse_arguments(text: str | None) -> dict[str, str]:
    """A claim's arguments, written as in a query: ``sex=female&previous_brand=Audi|BMW``.

    Raises:
        BadValue: a part has no ``=``, or a name comes twice.
    """
    try:
        pairs = parse_qsl(text or "", keep_blank_values=True, strict_parsing=bool(text))
    except ValueError as error:
        raise BadValue(
            f"{text!r} is not a query", code="claim.arguments", remedy="write name=value&name=value"
        ) from error
    arguments = dict(pairs)
    if len(arguments) != len(pairs):
        raise BadValue(
            f"{text!r} names an argument twice", code="claim.arguments", remedy="separate values by |"
        )
    return arguments


def _check(desk: Desk, fact: Fact) -> CheckedClaim:
    body = fact.body
    assert isinstance(body, ClaimMade)
    asked: Asked | None = None
    judgement: Judgement | None = None
    why: Words | None = None
    try:
        if not body.figure:
            why = {
                language: body.why_not or texts.Texts(language)("claim.why.no_figure")
                for language in LANGUAGES
            }
        elif body.value is None:
            why = texts.both("claim.why.no_value")
        else:
            at = clock.parse_as_of(body.as_of, desk.zone)
            if at > desk.asker.as_of:
                why = texts.both("claim.why.later", as_of=body.as_of)
            else:
                asked = desk.ask_with(body.figure, parse_arguments(body.arguments), as_of=at)
                why, judgement = _judged(asked, body)
    except BadValue as error:
        why = dict.fromkeys(LANGUAGES, error.message)
    said = [body.said] + ([body.said_zh] if body.said_zh else [])
    return CheckedClaim(
        claim=fact.subject,
        body=body,
        made_on=clock.local_day(fact.happened, desk.zone).isoformat(),
        seq=fact.seq,
        verdict=judgement.verdict if judgement else "cannot be checked",
        measured=format(judgement.measured, "f") if judgement else None,
        difference=format(judgement.difference, "f") if judgement else None,
        text=_text(body, judgement, why),
        why=why,
        traps=tuple(wording_traps(desk, body)),
        flags=tuple(flag for text in said for flag in lexicon.check(text, desk.today)),
        evidence=asked.evidence if asked else None,
    )


def _judged(asked: Asked, body: ClaimMade) -> tuple[Words | None, Judgement | None]:
    if asked.unknown is not None:
        return sentence(asked.unknown), None
    value = asked.answer.value
    if asked.answer.rows is not None:
        if len(asked.rows) != 1:
            return texts.both("claim.why.rows", n=len(asked.rows)), None
        row = asked.rows[0]
        value = row.get("value")
        if value is None:
            return texts.both("claim.why.suppressed" if row.get("suppressed") else "claim.why.empty"), None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return texts.both("claim.why.not_number"), None
    assert body.value is not None
    try:
        if asked.answer.unit == "m" and body.unit == "km":
            # Figures count metres; a claim in kilometres is met within its own rounding.
            value = float(value) / 1000
        return None, judge(value, body.value, body.qualifier, percent=body.percent)
    except ValueError:
        return texts.both("claim.why.not_number"), None


def _text(body: ClaimMade, judgement: Judgement | None, why: Words | None) -> Words:
    if judgement is None:
        return texts.both("claim.verdict.cannot", why=why or dict.fromkeys(LANGUAGES, ""))
    unit = "%" if body.percent else ""
    # One digit more than was written shows why a rounding holds; a disagreement is never shown as 0.
    decimals = len((body.value or "").partition(".")[2]) + 2
    difference = number_text(abs(judgement.difference), decimals=decimals)
    while difference == "0" and judgement.difference and judgement.verdict == "disagrees":
        decimals += 1
        difference = number_text(abs(judgement.difference), decimals=decimals)
    points = texts.both("claim.points") if body.percent else {"en": "", "zh": ""}
    direction = "same" if difference == "0" else "above" if judgement.difference > 0 else "below"
    if judgement.verdict == "agrees" and direction == "above" and not judgement.said:
        direction = "begun"  # "more than 0" says that something began, not how much
    return texts.both(
        f"claim.verdict.{judgement.verdict}.{direction}",
        measured=number_text(judgement.measured, decimals=decimals) + unit,
        difference={
            language: difference + points[language]  # percentage points where said in percent
            for language in LANGUAGES
        },
    )
