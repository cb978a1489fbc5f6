"""The large numbers at the top."""

from __future__ import annotations

from typing import Any

from driveaway.briefing import texts
from driveaway.briefing.asking import Asked
from driveaway.briefing.sections.outlets import in_china
from driveaway.briefing.statement import Headline, Writer

_COUNTS = (
    ("orders.locked", "hero"),
    ("orders.reserved", "hero"),
    ("orders.lock_rate", "percent"),
    ("orders.waiting", "hero"),
    ("cars.built", "hero"),
    ("cars.delivered", "hero"),
)


def headlines(writer: Writer) -> tuple[Headline, ...]:
    """Reservations, firm orders, cars built and delivered, and the stores that are open."""
    desk = writer.desk
    out = [_headline(writer, name, style, desk.ask(name)) for name, style in _COUNTS]
    stores = desk.ask("outlets.open", role="store")
    out.append(_headline(writer, "outlets.open", "hero", stores, desk.ask("outlets.cities", role="store")))
    if in_china(desk):
        provinces = desk.ask("outlets.provinces_covered")
        out.append(_headline(writer, "outlets.provinces_covered", "hero", provinces))
    return tuple(out)


def _headline(writer: Writer, name: str, style: str, *asked: Asked) -> Headline:
    value = asked[0].answer.value
    if asked[0].unknown is not None or value is None:
        number = texts.both("headline.unknown")
    else:
        number = {language: texts.Texts(language).number(value, style) for language in texts.LANGUAGES}
    more: dict[str, Any] = {"cities": asked[1].answer.value} if len(asked) > 1 else {}
    return Headline(
        number=number,
        label=texts.both(f"headline.{name}"),
        sentence=writer.say(f"sentence.{name}", *asked, **more),
    )
