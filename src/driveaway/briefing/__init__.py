"""Documents about a launch: the briefing, its claims checked, its words read against the lexicon.

``brief(asker)`` writes the briefing, ``check_claims(asker)`` checks the claims alone,
``check(text, on)`` reads a text against the dated lexicon.
"""

from __future__ import annotations

import json

from driveaway.briefing.asking import Asker, Evidence, FigureInfo
from driveaway.briefing.claims import CheckedClaim, check_claims
from driveaway.briefing.document import Briefing, brief
from driveaway.briefing.lexicon import Flag, check
from driveaway.briefing.markdown import render_markdown
from driveaway.briefing.page import render_html
from driveaway.briefing.saying import say
from driveaway.briefing.statement import Exhibit, Headline, Section, Sentence
from driveaway.briefing.texts import Texts


def render_json(briefing: Briefing) -> str:
    """The briefing as JSON text: UTF-8, indented, ending with a newline."""
    return json.dumps(briefing.json(), ensure_ascii=False, indent=2) + "\n"


__all__ = [
    "Asker",
    "Briefing",
    "CheckedClaim",
    "Evidence",
    "Exhibit",
    "FigureInfo",
    "Flag",
    "Headline",
    "Section",
    "Sentence",
    "Texts",
    "brief",
    "check",
    "check_claims",
    "render_html",
    "render_json",
    "render_markdown",
    "say",
]
