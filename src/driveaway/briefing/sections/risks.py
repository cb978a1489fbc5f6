"""Open risks: what is unknown and why, what cannot be checked, and what rests on weak sources."""

from __future__ import annotations

from collections import Counter
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
    checked = [claim for claim in claims if claim.verdict != "cannot be checked"]
    proving_nothing = {
        "risk.by_construction": sum(claim.by_construction for claim in checked),
        "risk.same_source": sum(claim.same_source for claim in checked),
    }
    out += [
        writer.plain(key, texts.both(key, n=n, of=len(claims))) for key, n in proving_nothing.items() if n
    ]
    out += [_claimed(writer, "risk.disagrees", claim) for claim in claims if claim.verdict == "disagrees"]
    unchecked: dict[str, list[CheckedClaim]] = {}
    for claim in claims:
        # A claim with a trap is told below: no group of others hides it.
        if claim.verdict != "cannot be checked" or claim.traps:
            continue
        key = claim.claim if claim.flags else str((claim.why or {}).get("en"))
        unchecked.setdefault(key, []).append(claim)
    out += _traps(writer, claims)
    out += [_claimed(writer, "risk.cannot", same[0], len(same)) for same in unchecked.values()]
    out += _weak(writer, checked)
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
    text = texts.both(key if n == 1 else f"{key}_like", said=said(claim), found=claim.text, n=n)
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


def _traps(writer: Writer, claims: Sequence[CheckedClaim]) -> list[Sentence]:
    """Claims that may be understood as more than they say: those with one trap share a sentence."""
    out: list[Sentence] = []
    same: dict[str, tuple[Words, list[CheckedClaim]]] = {}
    changed: dict[str, Words] = {}
    for claim in claims:
        for trap in claim.traps:
            if trap.target is not None and trap.changed is not None:
                changed[trap.target] = trap.changed
            else:
                same.setdefault(trap.text["en"], (trap.text, []))[1].append(claim)
    for text, trapped in same.values():
        evidence = list(
            {claim.evidence.recompute: claim.evidence for claim in trapped if claim.evidence}.values()
        )
        key = "risk.trap" if len(trapped) == 1 else "risk.trap_like"
        words = texts.both(key, said=said(trapped[0]), trap=text, n=len(trapped))
        known = all(claim.verdict != "cannot be checked" for claim in trapped)
        out.append(writer.plain("risk.trap", words, evidence, known=known))
    if changed:
        changes = {
            language: texts.Texts(language)("list.separator").join(
                text[language] for text in changed.values()
            )
            for language in texts.LANGUAGES
        }
        words = texts.both("risk.targets_changed", n=len(changed), changes=changes)
        evidence = [writer.desk.ask("targets.progress").evidence]
        out.append(writer.plain("risk.targets_changed", words, evidence, simulated=False))
    return out


def _weak(writer: Writer, checked: Sequence[CheckedClaim]) -> list[Sentence]:
    """How many of the claims that were compared rest on a source below grade A."""
    grades = Counter(claim.body.grade for claim in checked if claim.body.grade != "A")
    if not grades:
        return []
    told = {
        language: texts.Texts(language)("list.separator").join(
            texts.Texts(language)("risk.weak_grade", n=n, grade=grade) for grade, n in sorted(grades.items())
        )
        for language in texts.LANGUAGES
    }
    return [writer.plain("risk.weak", texts.both("risk.weak", n=grades.total(), grades=told))]


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
