"""The one table of texts, English and Chinese, and how it is filled in.

A template stands in ``texts.toml`` under its key in both languages. Its fields name a style:
``{value:count}``, ``{share:percent}``, ``{day:day}``, ``{n:things order orders}``.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from driveaway.briefing import numbers
from driveaway.briefing.numbers import LANGUAGES as LANGUAGES
from driveaway.briefing.numbers import Language
from driveaway.values.errors import BadValue

_STYLES: Final[Mapping[str, Callable[[Any, Language], str]]] = {
    "count": numbers.count,
    "hero": numbers.hero,
    "tick": numbers.tick,
    "percent": numbers.percent,
    "number": numbers.number_text,
    "decimal": lambda value, language: numbers.number_text(value, language, 1),
    "signed": numbers.signed,
    "km": numbers.kilometres,
    "day": numbers.day,
    "short": numbers.short_day,
    "moment": numbers.moment,
    "month": numbers.month,
    "name": lambda value, language: _named("name", value, language),
    "speaker": lambda value, language: _named("speaker", value, language),
    "condition": lambda value, language: _named("condition", value, language),
}


class _Formatter(string.Formatter):
    def __init__(self, language: Language) -> None:
        self.language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        if not format_spec:
            return str(value)
        style, _, rest = format_spec.partition(" ")
        if style == "things":
            # "order orders", or "service centre|service centres" where a noun has a space.
            singular, plural = rest.split("|") if "|" in rest else rest.split(" ")
            return numbers.things(value, singular, plural)
        return _STYLES[style](value, self.language)

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        # A template names values, never their attributes or items.
        return kwargs[field_name], field_name


class Texts:
    """The table of texts in one language.

    Raises:
        BadValue: there is no such language.
    """

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise BadValue(
                f"{language!r} is not a language of the texts",
                code="texts.language",
                remedy=f"one of {', '.join(LANGUAGES)}",
            )
        self.language: Language = "zh" if language == "zh" else "en"
        self._formatter = _Formatter(self.language)

    def __call__(self, key: str, /, **values: Any) -> str:
        """The text of a key with its values filled in."""
        return self._formatter.vformat(table()[key][self.language], (), values)

    def number(self, value: Any, style: str) -> str:
        """A value in one of the styles of the templates."""
        return _STYLES[style](value, self.language)


def _named(table_of: str, value: Any, language: Language) -> str:
    """A value (female, a speaker, a condition) in a language; what the table does not have stays."""
    known = table().get(f"{table_of}.{str(value).lower().replace(' ', '_')}")
    return known[language] if known else str(value)


def both(key: str, /, **values: Any) -> dict[str, str]:
    """The text of a key in every language; a value may be a mapping by language."""
    return {
        language: Texts(language)(
            key,
            **{k: v[language] if isinstance(v, Mapping) else v for k, v in values.items()},
        )
        for language in LANGUAGES
    }


def table() -> dict[str, dict[str, str]]:
    """All templates: key → language → text."""
    return _table()


@cache
def _table() -> dict[str, dict[str, str]]:
    content = tomllib.loads(resources.files(__package__).joinpath("texts.toml").read_text("utf-8"))
    out: dict[str, dict[str, str]] = {}

    def walk(prefix: str, node: dict[str, Any]) -> None:
        if all(isinstance(child, str) for child in node.values()):
            out[prefix] = node
        else:
            for name, child in node.items():
                walk(f"{prefix}.{name}" if prefix else name, child)

    walk("", content)
    return out


def fields(template: str) -> set[str]:
    """The names that a template fills in."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}
