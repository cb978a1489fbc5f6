"""A briefing on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from driveaway.briefing import Briefing, CheckedClaim, Section, Sentence, Texts
from driveaway.briefing.claims import arranged
from driveaway.briefing.markdown import construction, flag_texts
from driveaway.cli.output import console
from driveaway.figures.rounding import cell

_SIGNS = {"agrees": "✓", "disagrees": "✗", "approximate": "≈", "cannot be checked": "?"}


def claim_rows(checked: Sequence[CheckedClaim], *, long: bool = False) -> list[dict[str, Any]]:
    """Claims as rows: short for a terminal, long for a spreadsheet."""
    rows: list[dict[str, Any]] = []
    for claim in checked:
        key = construction(claim)
        note = Texts("en")(f"claims.{key}") if key else ""
        row: dict[str, Any] = {
            "": _SIGNS[claim.verdict],
            "as of": claim.body.as_of,
            "said": claim.body.said,
            "verdict": claim.text["en"],
            "note": note,
        }
        if long:
            row = {
                "claim": claim.claim,
                "speaker": claim.body.speaker,
                "as_of": claim.body.as_of,
                "said": claim.body.said,
                "qualifier": claim.body.qualifier,
                "value": claim.body.value,
                "verdict": claim.verdict,
                "measured": None if claim.measured is None else cell(claim.measured),
                "difference": None if claim.difference is None else cell(claim.difference),
                "why": None if claim.why is None else claim.why["en"],
                "traps": " ".join(trap.text["en"] for trap in claim.traps),
                "remark": claim.body.trap,
                "flags": " ".join(flag_texts(claim, Texts("en"))),
                "by_construction": claim.by_construction,
                "same_source": claim.same_source,
                "simulated": claim.simulated,
                "grade": claim.body.grade,
                "reference": claim.body.reference,
            }
        rows.append(row)
    return rows


def show_claims(checked: Sequence[CheckedClaim]) -> None:
    """Print claims as a table, each with its traps, the remark on it and the rules against its words."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in ("as of", "said", "verdict", "note"):
        table.add_column(name, overflow="fold")
    for row, claim in zip(claim_rows(checked), checked, strict=True):
        table.add_row(*(escape(str(cell)) for cell in row.values()))
        for line in _beneath(claim, "en"):
            table.add_row("", "", "", escape(line), "")
    console().print(table)


def _beneath(claim: CheckedClaim, language: str) -> list[str]:
    """What stands under a claim: traps, then the remark, then the rules."""
    words = Texts(language)
    lines = [f"⚠ {words('claims.wording')} {trap.text[language]}" for trap in claim.traps]
    if claim.body.trap:
        lines.append(f"{words('claims.remark')} {claim.body.trap}")
    return lines + [f"⚑ {text}" for text in flag_texts(claim, words)]


def show(briefing: Briefing) -> None:
    """Print a briefing: headlines, sections, claims, risks, and how to recompute it."""
    out = console()
    language = briefing.language
    out.print(f"[bold]{escape(briefing.title[language])}[/bold]")
    out.print(escape(briefing.headline[language]))
    if briefing.simulated:
        said = "SIMULATED order-level data; claims, tests, events and targets are public record"
        out.print(Panel(said, expand=False))
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold")
    table.add_column()
    for headline in briefing.headlines:
        table.add_row(escape(headline.number[language]), escape(headline.label[language]))
    out.print(table)
    for section in briefing.sections:
        _section(out, section, language)
    _claims(out, briefing, language)
    _section(out, briefing.risks, language)
    out.print()
    out.print(
        escape(f"as of {briefing.as_of}, mark {briefing.mark}; again with: {briefing.recompute}"),
        soft_wrap=True,
    )


def _section(out: Any, section: Section, language: str) -> None:
    out.print()
    out.print(f"[bold]{escape(section.title[language])}[/bold]")
    for sentence in section.sentences:
        _sentence(out, sentence, language)


def _sentence(out: Any, sentence: Sentence, language: str) -> None:
    bullet = Table.grid(padding=(0, 1))
    bullet.add_column(no_wrap=True)
    bullet.add_column(ratio=1, overflow="fold")
    sign = "•" if sentence.known else "?"
    bullet.add_row(sign, escape(sentence.text[language]))
    for text in dict.fromkeys(f"{flag.word}: {flag.rule}" for flag in sentence.flags):
        bullet.add_row("!", escape(text))
    out.print(bullet)


def _claims(out: Any, briefing: Briefing, language: str) -> None:
    if not briefing.claims:
        return
    out.print()
    out.print("[bold]Claims beside the book[/bold]")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(ratio=2, overflow="fold")
    table.add_column(ratio=3, overflow="fold")
    words = Texts(language)
    # Those that cannot be checked stand in the open risks, save where their wording is a trap.
    shown = {id(claim) for claim in arranged(briefing.claims)[0]}
    for claim in briefing.claims:
        if id(claim) not in shown:
            continue
        text = claim.text[language]
        if key := construction(claim):
            text += words("list.bracketed", text=words(f"claims.{key}"))
        said = claim.body.said_zh if language == "zh" and claim.body.said_zh else claim.body.said
        table.add_row(_SIGNS[claim.verdict], escape(said), escape(text))
        for line in _beneath(claim, language):
            table.add_row("", "", escape(line))
    out.print(table)
    _sentence(out, briefing.claims_summary, language)
