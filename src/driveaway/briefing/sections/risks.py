"""Open risks: what is unknown and why, what cannot be checked, and what rests on weak sources."""

from __future__ import annotations

from collections.abc import Sequence

from driveaway.briefing import texts
from driveaway.briefing.claims import CheckedClaim
from driveaway.briefing.statement import Section, Sentence, Writer, figure_title


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
        if claim.verdict == "cannot be checked":
            unchecked.setdefault(str((claim.why or {}).get("en")), []).append(claim)
        elif claim.body.grade != "A":
            weak.setdefault(claim.body.grade, []).append(claim)
    out += [_claimed(writer, "risk.cannot", same[0], len(same)) for same in unchecked.values()]
    out += [_claimed(writer, "risk.weak", same[0], len(same)) for _, same in sorted(weak.items())]
    in_claims = {id(claim.evidence) for claim in claims if claim.evidence}
    out += [
        writer.plain(
            "risk.unknown",
            texts.both("risk.unknown", title=figure_title(asked), reason=asked.unknown),
            [asked.evidence],
            known=False,
        )
        for asked in desk.unknowns
        if id(asked.evidence) not in in_claims
    ]
    out += _suppressed(writer) + _weak_tests(writer)
    return Section("risks", texts.both("section.risks"), tuple(out))


def _claimed(writer: Writer, key: str, claim: CheckedClaim, n: int = 1) -> Sentence:
    """A sentence about a claim and those like it; evidence stands with the claims unless one disagrees."""
    evidence = [claim.evidence] if claim.evidence and claim.verdict == "disagrees" else []
    text = texts.both(
        key if n == 1 else f"{key}_like", said=said(claim), found=claim.text, grade=claim.body.grade, n=n
    )
    return writer.plain(key, text, evidence, known=claim.verdict != "cannot be checked")


def said(claim: CheckedClaim) -> dict[str, str]:
    """What was said, by language; the original where there is no translation."""
    return {"en": claim.body.said, "zh": claim.body.said_zh or claim.body.said}


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
        weak = sum(1 for row in asked.rows if row.get("grade") not in (None, "A"))
        if weak:
            out.append(
                writer.plain(
                    "risk.tests",
                    texts.both("risk.tests", title=figure_title(asked), n=weak, of=len(asked.rows)),
                    [asked.evidence],
                )
            )
    return out
