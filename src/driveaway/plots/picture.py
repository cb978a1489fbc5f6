"""A picture: its specification, its words, and its SVG for a file or for a page."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from driveaway.plots.theme import COLOURS, FONT_SENTINEL, FONTS, MUTED

_VEGA_LITE = "6.1"
_OPENING = re.compile(r"<svg\b[^>]*?\bviewBox=\"0 0 (?P<width>[\d.]+) (?P<height>[\d.]+)\"[^>]*>")
_ID = re.compile(r'\bid="([^"]+)"')


class Words(Protocol):
    """The table of texts in one language, as pictures need it."""

    @property
    def language(self) -> str:
        """BCP 47 tag."""

    def __call__(self, key: str, /, **values: Any) -> str:
        """The text of a key with its values filled in."""

    def number(self, value: Any, style: str) -> str:
        """A value in one of the table's styles."""


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        spec: the Vega-Lite specification.
        title: what it shows.
        description: alternative text built from the data: what a reader who cannot see it must know.
        language: BCP 47 tag of its words.
        simulated: it shows simulated data, and says so in itself.
    """

    spec: Mapping[str, Any]
    title: str
    description: str
    language: str
    simulated: bool

    def inline(self, prefix: str) -> str:
        """SVG to stand in a page; its colours are the page's CSS variables.

        ``prefix`` begins the ids in it, which must differ between the pictures of one page.
        """
        svg = self._drawn
        for colour in COLOURS.values():
            svg = svg.replace(colour.sentinel, f"var({colour.variable},{colour.light})")
        return self._finished(svg, prefix, background="")

    def standalone(self) -> str:
        """SVG as a file of its own, in light colours, on paper."""
        svg = self._drawn
        for colour in COLOURS.values():
            svg = svg.replace(colour.sentinel, colour.light)
        return self._finished(svg, "picture", background=COLOURS["paper"].light)

    def png(self, scale: float = 2.0) -> bytes:
        """The same as PNG, so many pixels for each of its units."""
        import vl_convert

        return bytes(vl_convert.svg_to_png(self.standalone(), scale=scale))

    def _finished(self, svg: str, prefix: str, background: str) -> str:
        opening = _OPENING.search(svg)
        assert opening is not None, "vl-convert gives every picture a viewBox"
        width, height = opening["width"], opening["height"]
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" lang="{self.language}" '
            f'aria-labelledby="{prefix}-title {prefix}-desc" '
            f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
            f'<title id="{prefix}-title">{html.escape(self.title)}</title>'
            f'<desc id="{prefix}-desc">{html.escape(self.description)}</desc>'
        )
        if background:
            head += f'<rect width="{width}" height="{height}" fill="{background}"/>'
        body = svg[opening.end() :].replace(f'font-family="{FONT_SENTINEL}"', f'font-family="{FONTS}"')
        # Vega counts the ids of clips and gradients for as long as its engine lives: they are
        # numbered afresh, so that the same data give the same bytes and two pictures never share one.
        for number, old in enumerate(dict.fromkeys(_ID.findall(body))):
            body = body.replace(f'id="{old}"', f'id="{prefix}-{number}"').replace(
                f"url(#{old})", f"url(#{prefix}-{number})"
            )
        return head + body

    @cached_property
    def _drawn(self) -> str:
        import vl_convert  # starts a JavaScript engine (half a second): only when a picture is drawn

        return vl_convert.vegalite_to_svg(json.dumps(self.spec), vl_version=_VEGA_LITE, allowed_base_urls=[])


def subtitle(words: Words, text: str, simulated: bool) -> list[str]:
    """The lines under a title; simulated data are named in the picture itself."""
    return [text, words("plot.simulated")] if simulated else [text]


def nothing(words: Words) -> dict[str, Any]:
    """A layer that says that there is nothing to show."""
    return {
        "data": {"values": [{"t": words("plot.empty")}]},
        "mark": {"type": "text", "align": "left", "baseline": "middle", "color": MUTED},
        "encoding": {"x": {"value": 0}, "y": {"value": 15}, "text": {"field": "t"}},
    }
