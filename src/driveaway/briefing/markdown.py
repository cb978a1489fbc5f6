"""A briefing as Markdown (CommonMark with tables)."""

from __future__ import annotations

import html
import re

from driveaway.briefing.asking import Evidence
from driveaway.briefing.claims import CheckedClaim, arranged
from driveaway.briefing.document import Briefing
from driveaway.briefing.statement import Exhibit, Sentence
from driveaway.briefing.texts import Texts

SYMBOLS = {"agrees": "✓", "disagrees": "✗", "approximate": "≈", "cannot be checked": "?"}
_SPECIAL = re.compile(r"([\\`*_\[\]#|~!{}])")
_BLOCK = re.compile(r"^(\d*)([-+=.)])(?=\s|$)")


def render_markdown(briefing: Briefing) -> str:
    """The briefing as Markdown; its footnotes carry the evidence of each sentence.

    Pictures are given by their alternative text and their table of numbers. Text from outside
    is escaped, so that it is shown as it was said.
    """
    words = Texts(briefing.language)
    language = briefing.language
    notes: list[str] = []

    def sentence(said: Sentence) -> str:
        marks = "".join(_note(notes, evidence, words) for evidence in said.evidence)
        simulated = f" ▲ {words('simulated.badge')}" if said.simulated else ""
        flags = "".join(f"\n  - ⚑ {_escaped(_flag(flag_text))}" for flag_text in flag_texts(said, words))
        return f"- {_escaped(said.text[language])}{simulated}{marks}{flags}"

    out = [
        f"# {_escaped(briefing.headline[language])}",
        f"**{_escaped(briefing.title[language])}.** "
        + f"{words('briefing.as_of', as_of=briefing.as_of)}; {words('briefing.mark', mark=briefing.mark)}.",
    ]
    if briefing.simulated:
        out.append(f"> **▲ {words('simulated.title')}** {words('simulated.text')}")
    out.append(f"## {words('section.headlines')}")
    out.append("\n".join(sentence(headline.sentence) for headline in briefing.headlines))
    for section in briefing.sections:
        out.append(f"## {_escaped(section.title[language])}")
        out.append("\n".join(sentence(said) for said in section.sentences))
        out += [_exhibit(exhibit) for exhibit in section.exhibits]
    out.append(f"## {words('section.claims')}")
    out.append(_escaped(briefing.claims_summary.text[language]))
    told, reasons = arranged(briefing.claims)
    out += [_claim(claim, words, notes) for claim in told]
    for why, claims in reasons:
        lines = "\n".join(f"- {_said(claim, words)}{_remark(claim, words)}" for claim in claims)
        out.append(f"**{_status('cannot be checked', words)}** — {_escaped(why[language])}\n\n{lines}")
    out.append(f"## {_escaped(briefing.risks.title[language])}")
    risks = briefing.risks.sentences
    out.append("\n".join(sentence(said) for said in risks) if risks else words("risk.none"))
    out.append(f"---\n\n{words('briefing.recompute')}{words('list.colon')}{_code(briefing.recompute)}")
    out.append("\n".join(f"[^{number}]: {note}" for number, note in enumerate(notes, 1)))
    return "\n\n".join(part for part in out if part) + "\n"


def construction(claim: CheckedClaim) -> str | None:
    """Why agreement of a claim proves nothing: ``by_construction`` or ``same_source``, else None."""
    if claim.same_source:
        return "same_source"
    return "by_construction" if claim.by_construction else None


def flag_texts(said: Sentence | CheckedClaim, words: Texts) -> list[str]:
    """What the lexicon says against a sentence, once a rule.

    A statement stands in two languages: words in the reader's own are told, where there are any.
    """
    seen: dict[tuple[str, str], str] = {}
    own = [flag for flag in said.flags if flag.word.isascii() == (words.language == "en")]
    for flag in own or said.flags:
        rule = flag.rule_zh if words.language == "zh" else flag.rule
        seen[flag.entry, flag.word] = (
            words("flag.text", word=flag.word, since=flag.since, rule=rule, instead=flag.say_instead)
            + f" ({flag.reference})"
        )
    return list(seen.values())


def _flag(text: str) -> str:
    return " ".join(text.split())


def _claim(claim: CheckedClaim, words: Texts, notes: list[str]) -> str:
    language = words.language
    lines = [
        f"**{_status(claim.verdict, words)}** — {_said(claim, words)}{_remark(claim, words)}",
        _escaped(claim.text[language]) + (_note(notes, claim.evidence, words) if claim.evidence else ""),
    ]
    if key := construction(claim):
        lines.append(f"*{words(f'claims.{key}_note')}*")
    lines += [f"*{words('claims.wording')}* {_escaped(trap.text[language])}" for trap in claim.traps]
    lines += [f"⚑ {_escaped(text)}" for text in flag_texts(claim, words)]
    grade = words("claims.grade", grade=claim.body.grade)
    lines.append(
        f"{words('claims.source')}{words('list.colon')}{_escaped(claim.body.reference or '–')} ({grade})"
    )
    return "  \n".join(lines)


def _status(verdict: str, words: Texts) -> str:
    return f"{SYMBOLS[verdict]} {words(f'claim.status.{verdict}')}"


def _said(claim: CheckedClaim, words: Texts) -> str:
    body = claim.body
    said = body.said_zh if words.language == "zh" and body.said_zh else body.said
    speaker = words("claims.said_by", speaker=body.speaker, made_on=claim.made_on)
    return f"“{_escaped(said)}” ({_escaped(speaker)})"


def _remark(claim: CheckedClaim, words: Texts) -> str:
    return f" *{words('claims.remark')}* {_escaped(claim.body.trap)}" if claim.body.trap else ""


def _exhibit(exhibit: Exhibit) -> str:
    mark = "▲ " if exhibit.picture.simulated else ""
    head = f"**{mark}{_escaped(exhibit.picture.title)}.** {_escaped(exhibit.picture.description)}"
    if not exhibit.rows:
        return head
    table = [
        "| " + " | ".join(_escaped(c) for c in exhibit.columns) + " |",
        "|" + " --- |" * len(exhibit.columns),
        *("| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in exhibit.rows),
    ]
    return head + "\n\n" + "\n".join(table)


def _note(notes: list[str], evidence: Evidence, words: Texts) -> str:
    parts = [
        f"{_code(evidence.figure)} ({words('evidence.version', version=evidence.version)})",
        _escaped(evidence.definition),
        f"{words('evidence.as_of')} {evidence.as_of}, {words('evidence.mark')} {evidence.mark}",
        words("evidence.simulated") if evidence.simulated else words("evidence.recorded"),
        _escaped(evidence.note or ""),
        f"{words('evidence.recompute')}{words('list.colon')}{_code(evidence.recompute)}",
    ]
    note = ". ".join(part.rstrip(". ") for part in parts if part)
    if note not in notes:
        notes.append(note)
    return f"[^{notes.index(note) + 1}]"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is: on one line, no markup, no HTML, no block."""
    line = html.escape(_SPECIAL.sub(r"\\\1", " ".join(text.split())), quote=False)
    return _BLOCK.sub(r"\1\\\2", line)


def _code(text: str) -> str:
    """A code span; longer fences where the text has backticks."""
    text = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"
