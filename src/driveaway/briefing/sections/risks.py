"""Open risks: what is unknown and why, what cannot be checked, and what rests on weak sources."""

from __future__ import annotations

from collections.abc import Sequence

from driveaway.briefing import texts
from driveaway.briefing.asking import Asked
from driveaway.briefing.claims import CheckedClaim
from driveaway.briefing.statement import Section, Sentence, Words, Writer, figure_title, sentence


def risks(writer: Writer, claims: Sequence[CheckedClaim]) -> Section:
    """Everything in this briefing that a reader should not take for granted."""
    desk = writer.desk
    out: list[Sentence] = []
    if desk.simulated:
        out.append(writer.plain("risk.simulated", texts.both("risk.simulated")))
    by_construction = [c for c in claims if c.by_construction and c.verdict != "cannot be checked"]
    if by_construction:
        out.append(
            writer.plain(
                "risk.by_construction",
                texts.both("risk.by_construction", n=len(by_construction), of=len(claims)),
            )
        )
    out += [_claimed(writer, "risk.disagrees", claim) for claim in claims if claim.verdict == "disagrees"]
    unchecked: dict[str, list[CheckedClaim]] = {}
    weak: dict[str, list[CheckedClaim]] = {}
    for claim in claims:
        # A claim with a trap stands alone below: no group of others hides it.
        if claim.verdict == "cannot be checked" and claim.traps:
            continue
        if claim.verdict == "cannot be checked" and claim.flags:
            unchecked[claim.claim] = [claim]
        elif claim.verdict == "cannot be checked":
            unchecked.setdefault(str((claim.why or {}).get("en")), []).append(claim)
        elif claim.body.grade != "A":
            weak.setdefault(claim.body.grade, []).append(claim)
    out += [_trap(writer, claim, trap) for claim in claims for trap in claim.traps]
    out += [_claimed(writer, "risk.cannot", same[0], len(same)) for same in unchecked.values()]
    out += [_claimed(writer, "risk.weak", same[0], len(same)) for _, same in sorted(weak.items())]
    in_claims = {id(claim.evidence) for claim in claims if claim.evidence}
    unknown: dict[str, list[Asked]] = {}
    for asked in desk.unknowns:
        if id(asked.evidence) not in in_claims:
            unknown.setdefault(str(asked.unknown), []).append(asked)
    out += [_unknown(writer, reason, same) for reason, same in unknown.items()]
    out += _suppressed(writer) + _weak_tests(writer)
    return Section("risks", texts.both("section.risks"), tuple(out))


def _claimed(writer: Writer, key: str, claim: CheckedClaim, n: int = 1) -> Sentence:
    """A sentence about a claim and those like it; evidence stands with the claims unless one disagrees."""
    evidence = [claim.evidence] if claim.evidence and claim.verdict == "disagrees" else []
    text = texts.both(
        key if n == 1 else f"{key}_like", said=said(claim), found=claim.text, grade=claim.body.grade, n=n
    )
    return writer.plain(key, text, evidence, known=claim.verdict != "cannot be checked")


def _unknown(writer: Writer, reason: str, same: Sequence[Asked]) -> Sentence:
    """Figures that are unknown for one and the same reason."""
    titles = [figure_title(asked) for asked in same]
    title = {
        language: texts.Texts(language)("list.separator").join(dict.fromkeys(t[language] for t in titles))
        for language in texts.LANGUAGES
    }
    text = texts.both("risk.unknown", title=title, reason=sentence(reason))
    return writer.plain("risk.unknown", text, [asked.evidence for asked in same], known=False)


def _trap(writer: Writer, claim: CheckedClaim, trap: Words) -> Sentence:
    """A claim that may be understood as more than it says, with what it hides."""
    text = texts.both("risk.trap", said=said(claim), trap=trap)
    evidence = [claim.evidence] if claim.evidence else []
    return writer.plain("risk.trap", text, evidence, known=claim.verdict != "cannot be checked")


def said(claim: CheckedClaim) -> dict[str, str]:
    """What was said, by language, without its full stop; the original where there is no translation."""
    both = {"en": claim.body.said, "zh": claim.body.said_zh or claim.body.said}
    return {language: text.strip().rstrip(".。") for language, text in both.items()}


def _suppressed(writer: Writer) -> list[Sentence]:
    cells = 0
    evidence = []
    for dimension in ("sex", "phone_brand", "previous_brand"):
        asked = writer.desk.ask("buyers.share", by=(dimension,))
        hidden = sum(1 for row in asked.rows if row.get("suppressed"))
        if hidden:
            cells += hidden
            evidence.append(asked.evidence)
    if not cells:
        return []
    under = writer.desk.asker.description.suppress_under
    return [writer.plain("risk.suppressed", texts.both("risk.suppressed", n=cells, under=under), evidence)]


def _weak_tests(writer: Writer) -> list[Sentence]:
    out = []
    for name in ("trials.range_kept", "trials.consumption"):
        asked = writer.desk.ask(name)
        # What a maker claims is no test.
        tests = [row for row in asked.rows if row.get("basis") != "claimed"]
        claimed = [row for row in asked.rows if row.get("basis") == "claimed"]
        unmeasured = [row for row in claimed if row.get("measured") is None]
        if unmeasured:
            text = texts.both("risk.unmeasured", n=len(unmeasured), of=len(claimed))
            out.append(writer.plain("risk.unmeasured", text, [asked.evidence], known=False))
        weak = sum(1 for row in tests if row.get("grade") not in (None, "A"))
        if weak:
            out.append(
                writer.plain(
                    "risk.tests",
                    texts.both("risk.tests", title=figure_title(asked), n=weak, of=len(tests)),
                    [asked.evidence],
                )
            )
    return out
