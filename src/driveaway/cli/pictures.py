"""Pictures that commands write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from driveaway.values.errors import BadValue

if TYPE_CHECKING:
    from driveaway.launch.launch import Launch
    from driveaway.launch.planning.proposing import Proposal


def write_plan(proposal: Proposal, out: Path) -> None:
    """The plan's picture, as SVG or as a page that fetches nothing.

    Raises:
        BadValue: the file is of another format.
    """
    from driveaway import plots
    from driveaway.briefing.texts import Texts
    from driveaway.launch.planning.telling import as_answer

    if out.suffix not in (".svg", ".html"):
        raise BadValue(f"{out.name} is neither .svg nor .html", code="output.format", remedy="end it in .svg")
    words = Texts(proposal.description.language)
    picture = plots.by_week(as_answer(proposal), words, title=words("plot.title.delivery.expected"))
    content = picture.standalone()
    if out.suffix == ".html":
        head = f'<!doctype html><html lang="{words.language}"><meta charset="utf-8">'
        content = f"{head}<title>{picture.title}</title><body>{content}</body></html>"
    out.write_text(content, encoding="utf-8")


def write_rollout(launch: Launch, name: str, at: int, out: Path) -> None:
    """A rollout's picture, as SVG or PNG.

    Raises:
        BadValue: the file is of another format.
        NotFound: there is no such rollout.
        Refused: it has not started.
    """
    from driveaway import plots
    from driveaway.briefing.texts import Texts
    from driveaway.launch.updates import rolling
    from driveaway.plots.rollout import Decided

    if out.suffix not in (".svg", ".png"):
        raise BadValue(f"{out.name} is neither .svg nor .png", code="output.format", remedy="end it in .svg")
    facts = rolling.decisions(launch, name)
    words = Texts(launch.description.language)
    decided = [Decided(fact.happened, str(getattr(fact.body, "decision", ""))) for fact in facts]
    picture = plots.rolled_out(
        rolling.story(launch, name, at),
        decided,
        words,
        title=name,
        zone=launch.zone,
        simulated=any(fact.simulated for fact in facts),
    )
    if out.suffix == ".png":
        out.write_bytes(picture.png())
    else:
        out.write_text(picture.standalone(), encoding="utf-8")
