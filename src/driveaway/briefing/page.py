"""A briefing as one HTML file: no script, no network, light and dark, for screen and paper."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from importlib import resources

from driveaway.briefing.asking import Evidence
from driveaway.briefing.claims import CheckedClaim, Words, arranged
from driveaway.briefing.document import Briefing
from driveaway.briefing.markdown import SYMBOLS, construction, flag_texts
from driveaway.briefing.statement import Exhibit, Headline, Section, Sentence
from driveaway.briefing.texts import Texts
from driveaway.plots.theme import COLOURS

_ADDRESS = re.compile(r"https?://[^\s<>\"';,，；。）)]+")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_FEW = 5
"""So many sentences are shorter than a picture."""
_LANGUAGE_TAG = {"en": "en", "zh": "zh-Hans"}


def render_html(briefing: Briefing) -> str:
    """The briefing as one self-contained HTML file.

    Every text is escaped; a policy in the page forbids scripts and any fetch. Each sentence opens
    to its evidence, which is printed in full.
    """
    return _Page(briefing).whole()


class _Page:
    def __init__(self, briefing: Briefing) -> None:
        self.briefing = briefing
        self.words = Texts(briefing.language)
        self.language = briefing.language
        self._last: Sequence[Evidence] = ()
        self._defined = ""

    def whole(self) -> str:
        b, words = self.briefing, self.words
        title = b.title[self.language]
        simulated = f" ({words('simulated.badge')})" if b.simulated else ""
        parts = [
            "<!doctype html>",
            f'<html lang="{_LANGUAGE_TAG[self.language]}">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="generator" content="Driveaway">',
            f"<title>{_e(title)} · {_e(b.headline[self.language] + simulated)}</title>",
            f"<style>\n{_style()}</style>",
            "</head>",
            "<body>",
            f'<a class="skip" href="#main">{_e(words("briefing.skip"))}</a>',
            self._banner(),
            self._header(title),
            '<main id="main">',
            self._headlines(),
            *(self._section(section) for section in b.sections),
            self._claims(),
            self._risks(),
            "</main>",
            "<footer>",
            f"<p>{_e(words('briefing.recompute') + words('list.colon'))}<code>{_e(b.recompute)}</code></p>",
            f"<p>{_e(words('briefing.made_by'))}</p>",
            "</footer>",
            "</body>",
            "</html>",
        ]
        return "\n".join(part for part in parts if part) + "\n"

    def _banner(self) -> str:
        if not self.briefing.simulated:
            return ""
        words = self.words
        return (
            f'<aside class="simulated" aria-label="{_e(words("simulated.title"))}"><p>'
            f'<strong><span aria-hidden="true">▲ </span>{_e(words("simulated.title"))}</strong> '
            f"{_e(words('simulated.text'))} {_e(words('simulated.legend'))}</p></aside>"
        )

    def _header(self, title: str) -> str:
        b, words = self.briefing, self.words
        as_of = _e(words("briefing.as_of", as_of=b.as_of))
        links = [
            *((section.id, section.title[self.language]) for section in b.sections),
            ("claims", words("section.claims")),
            ("risks", b.risks.title[self.language]),
        ]
        items = "".join(f'<li><a href="#{_e(i)}">{_e(t)}</a></li>' for i, t in links)
        return (
            f'<header><p class="kicker">{_e(title)}</p>'
            f"<h1>{_e(b.headline[self.language])}</h1>"
            f'<p class="asof"><time datetime="{_e(b.as_of)}">{as_of}</time>'
            f" · {_e(words('briefing.mark', mark=b.mark))}</p>"
            f'<p class="standfirst">{_e(words("briefing.standfirst"))}</p>'
            f'<nav aria-label="{_e(words("briefing.contents"))}"><ul>{items}</ul></nav></header>'
        )

    def _headlines(self) -> str:
        items = "".join(self._headline(headline) for headline in self.briefing.headlines)
        title = _e(self.words("section.headlines"))
        return (
            f'<section aria-labelledby="headlines"><h2 id="headlines">{title}</h2>'
            f'<ul class="headlines">{items}</ul></section>'
        )

    def _headline(self, headline: Headline) -> str:
        said = headline.sentence
        kind = "" if said.known else ' class="unknown"'
        return (
            f'<li id="{_e(said.id)}"{kind}><p><span class="number">{_e(headline.number[self.language])}'
            f"{self._mark(said.simulated)}</span> "
            f'<span class="label">{_e(headline.label[self.language])}</span></p>'
            f'<details class="evidence"><summary>{_e(self.words("evidence.label"))}</summary>'
            f"<p>{_e(said.text[self.language])}</p>{self._flags(said)}{self._evidence(said.evidence)}</details></li>"
        )

    def _section(self, section: Section) -> str:
        sentences = "".join(self._sentence(said) for said in section.sentences)
        alone = " alone" if len(section.exhibits) == 1 else " pair"
        # Beside a tall picture few sentences leave room for its numbers.
        beside = len(section.exhibits) == 1 and len(section.sentences) <= _FEW
        exhibits = "".join(self._exhibit(exhibit, numbers=not beside) for exhibit in section.exhibits)
        gallery = f'<div class="exhibits{alone}">{exhibits}</div>' if exhibits else ""
        if beside:
            gallery += self._numbers(section.exhibits[0], opened=True)
            alone += " beside"
        return (
            f'<section class="topic{alone}" aria-labelledby="{_e(section.id)}">'
            f'<h2 id="{_e(section.id)}">{_e(section.title[self.language])}</h2>'
            f'<div class="body"><ul class="sentences">{sentences}</ul>{gallery}</div></section>'
        )

    def _sentence(self, said: Sentence) -> str:
        text = f"{_e(said.text[self.language])}{self._mark(said.simulated)}"
        kind = "" if said.known else ' class="unknown"'
        if not said.evidence:
            return f'<li id="{_e(said.id)}"{kind}><p>{text}</p>{self._flags(said)}</li>'
        return (
            f'<li id="{_e(said.id)}"{kind}><details class="evidence"><summary>{text}</summary>'
            f"{self._evidence(said.evidence)}</details>{self._flags(said)}</li>"
        )

    def _exhibit(self, exhibit: Exhibit, *, numbers: bool) -> str:
        return (
            f'<figure id="{_e(exhibit.id)}">{exhibit.picture.inline("picture-" + exhibit.id)}'
            f"{self._numbers(exhibit) if numbers else ''}</figure>"
        )

    def _numbers(self, exhibit: Exhibit, *, opened: bool = False) -> str:
        words = self.words
        head = "".join(f'<th scope="col">{_e(column)}</th>' for column in exhibit.columns)
        rows = "".join(
            "<tr>"
            + "".join(
                f'<th scope="row">{_e(cell)}</th>' if place == 0 else f"<td>{_e(cell)}</td>"
                for place, cell in enumerate(row)
            )
            + "</tr>"
            for row in exhibit.rows
        )
        table = (
            f'<div class="scroll" tabindex="0" role="region" aria-label="{_e(exhibit.picture.title)}">'
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
            if exhibit.rows
            else ""
        )
        evidence = self._evidence(exhibit.evidence)
        if opened:  # the table is shown, what it rests on is not in its way
            label = _e(words("evidence.label"))
            evidence = f'<details class="evidence"><summary>{label}</summary>{evidence}</details>'
        return (
            f'<details class="numbers"{" open" if opened else ""}><summary>{_e(words("evidence.numbers"))}'
            f'<span class="hidden">: {_e(exhibit.picture.title)}</span></summary>{table}{evidence}</details>'
        )

    def _claims(self) -> str:
        b, words = self.briefing, self.words
        kinds = dict.fromkeys(map(construction, b.claims))
        note = "".join(f'<p class="note">{_e(words(f"claims.{kind}_note"))}</p>' for kind in kinds if kind)
        told, reasons = arranged(b.claims)
        items = "".join(self._claim(claim) for claim in told)
        title = _e(words("section.claims"))
        return (
            f'<section class="topic" aria-labelledby="claims"><h2 id="claims">{title}</h2>'
            f'<div class="body"><p class="lead">{_e(b.claims_summary.text[self.language])}</p>{note}'
            f'<ul class="claims">{items}</ul>{self._unchecked(reasons)}</div></section>'
        )

    def _unchecked(self, reasons: Sequence[tuple[Words, Sequence[CheckedClaim]]]) -> str:
        if not reasons:
            return ""
        groups = "".join(
            f"<h3>{_e(why[self.language])}</h3><ul>{''.join(self._brief_claim(c) for c in claims)}</ul>"
            for why, claims in reasons
        )
        more = _e(self.words("claims.unchecked", n=sum(len(claims) for _, claims in reasons)))
        return f'<details class="unchecked"><summary>{more}</summary>{groups}</details>'

    def _brief_claim(self, claim: CheckedClaim) -> str:
        return f'<li id="claim-{_e(claim.claim)}">{self._said(claim)}{self._remark(claim)}</li>'

    def _remark(self, claim: CheckedClaim) -> str:
        if not claim.body.trap:
            return ""
        label = _e(self.words("claims.remark"))
        return f'<p class="remark"><strong>{label}</strong> {_e(claim.body.trap)}</p>'

    def _said(self, claim: CheckedClaim) -> str:
        body, words = claim.body, self.words
        translated = self.language == "zh" and body.said_zh
        said = body.said_zh if translated and body.said_zh else body.said
        tag = "" if translated or self.language == "en" else ' lang="en"'
        source = _linked(body.reference) if body.reference else "–"
        speaker = words("claims.said_by", speaker=body.speaker, made_on=claim.made_on)
        return (
            f"<blockquote{tag}><p>{_e(said)}</p></blockquote>"
            f'<p class="source">{_e(speaker)} · {_e(self._of_time(body.as_of))} · '
            f"{_e(words('claims.grade', grade=body.grade))}<br>"
            f"{_e(words('claims.source') + words('list.colon'))}{source}</p>"
        )

    def _claim(self, claim: CheckedClaim) -> str:
        words = self.words
        kind = construction(claim)
        mark = f'<span class="construction">{_e(words(f"claims.{kind}"))}</span>' if kind else ""
        wording = _e(words("claims.wording"))
        traps = "".join(
            f'<p class="trap"><strong>{wording}</strong> {_e(trap.text[self.language])}</p>'
            for trap in claim.traps
        )
        verdict = claim.verdict.replace(" ", "-")
        return (
            f'<li id="claim-{_e(claim.claim)}" class="{verdict}"><div class="said">'
            f"{self._said(claim)}</div>"
            f'<div class="found"><p class="verdict"><span class="stamp">'
            f'<span aria-hidden="true">{SYMBOLS[claim.verdict]} </span>'
            f"{_e(words(f'claim.status.{claim.verdict}'))}</span>{mark}</p>"
            f"<p>{_e(claim.text[self.language])}{self._mark(claim.simulated)}</p>"
            f"{traps}{self._remark(claim)}{self._flags(claim)}"
            + (
                f'<details class="evidence"><summary>{_e(words("evidence.label"))}</summary>'
                f"{self._evidence([claim.evidence])}</details>"
                if claim.evidence
                else ""
            )
            + "</div></li>"
        )

    def _of_time(self, as_of: str) -> str:
        style = "day" if len(as_of) == 10 else "moment"
        try:
            return self.words("claims.of_time", as_of=self.words.number(as_of, style))
        except ValueError:  # a claim's as-of that is no time is shown as it was given
            return as_of

    def _risks(self) -> str:
        b = self.briefing
        sentences = "".join(self._sentence(said) for said in b.risks.sentences)
        inside = (
            f'<ul class="sentences risks">{sentences}</ul>'
            if sentences
            else f"<p>{_e(self.words('risk.none'))}</p>"
        )
        title = _e(b.risks.title[self.language])
        return (
            f'<section class="topic" aria-labelledby="risks"><h2 id="risks">{title}</h2>'
            f'<div class="body">{inside}</div></section>'
        )

    def _flags(self, said: Sentence | CheckedClaim) -> str:
        rule = f'<span aria-hidden="true">⚑ </span>{_e(self.words("claims.rule"))}'
        return "".join(
            f'<p class="flag"><strong>{rule}</strong> {_e(text)}</p>' for text in flag_texts(said, self.words)
        )

    def _mark(self, simulated: bool) -> str:
        if not simulated:
            return ""
        badge = _e(self.words("simulated.badge"))
        return (
            f'&#8288;<span class="mark" title="{badge}"><span aria-hidden="true">▲</span>'
            f'<span class="hidden"> ({badge})</span></span>'
        )

    def _evidence(self, all_evidence: Sequence[Evidence]) -> str:
        # On paper, evidence that is that of the sentence before is not printed twice.
        repeated = list(all_evidence) == list(self._last)
        same = f' class="same" data-same="{_e(self.words("evidence.same"))}"' if repeated else ""
        self._last = all_evidence
        return "".join(f"<dl{same}>{''.join(self._facts(evidence))}</dl>" for evidence in all_evidence)

    def _facts(self, evidence: Evidence) -> Iterable[str]:
        words = self.words
        version = words("evidence.version", version=evidence.version)
        yield _fact(words("evidence.figure"), f"<code>{_e(evidence.figure)}</code>, {_e(version)}")
        if evidence.definition:
            # On paper a definition is not printed again right below itself.
            known = ' class="known"' if evidence.definition == self._defined else ""
            self._defined = evidence.definition
            yield _fact(words("evidence.definition"), _e(evidence.definition), known)
        asked = [f"{name} = {value}" for name, value in evidence.arguments.items()]
        if asked:
            yield _fact(words("evidence.arguments"), f"<code>{_e(', '.join(asked))}</code>")
        if evidence.by:
            yield _fact(words("evidence.by"), f"<code>{_e(', '.join(evidence.by))}</code>")
        if evidence.value is not None:
            yield _fact(words("evidence.value"), _e(_valued(evidence)))
        if evidence.unknown:
            yield _fact(words("evidence.unknown"), _e(evidence.unknown))
        yield _fact(
            words("evidence.as_of"),
            f"<time>{_e(evidence.as_of)}</time>, {_e(words('evidence.mark'))} {evidence.mark}",
        )
        state = words("evidence.simulated") if evidence.simulated else words("evidence.recorded")
        yield _fact(words("evidence.data"), _e(state))
        if evidence.note:
            yield _fact(words("evidence.note"), _e(evidence.note))
        yield _fact(words("evidence.recompute"), f"<code>{_e(evidence.recompute)}</code>")


def _valued(evidence: Evidence) -> str:
    if evidence.interval is None:
        interval = ""
    else:
        interval = f" [{evidence.interval.low:.6g}, {evidence.interval.high:.6g}]"
    unit = "" if evidence.unit in ("", "count") else f" ({evidence.unit})"
    return f"{evidence.value}{interval}{unit}"


def _fact(name: str, value: str, attributes: str = "") -> str:
    return f"<div{attributes}><dt>{_e(name)}</dt><dd>{value}</dd></div>"


def _e(text: str) -> str:
    return html.escape(text)


def _linked(text: str) -> str:
    """Escaped text whose web addresses can be followed."""
    out, end = [], 0
    for match in _ADDRESS.finditer(text):
        address = _e(match.group())
        out.append(_e(text[end : match.start()]))
        out.append(f'<a href="{address}" rel="noopener noreferrer">{address}</a>')
        end = match.end()
    return "".join([*out, _e(text[end:])])


def _style() -> str:
    light = "".join(f"{c.variable}:{c.light};" for c in COLOURS.values())
    dark = "".join(f"{c.variable}:{c.dark};" for c in COLOURS.values())
    rules = resources.files(__package__).joinpath("page.css").read_text("utf-8")
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{rules}"
