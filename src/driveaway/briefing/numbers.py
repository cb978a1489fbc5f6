"""Numbers, shares and days as people write them in English and in Chinese."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final, Literal

from driveaway.figures.rounding import exact as exact
from driveaway.figures.rounding import plain as _plain
from driveaway.figures.rounding import rounded as rounded

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WAN: Final = 10_000
MINUS: Final = "−"


def count(value: Any, language: Language = "en") -> str:
    """Whole things with thousands separated: 75,723 in both languages (GB/T 15835 allows it)."""
    return _grouped(rounded(value, 0))


def hero(value: Any, language: Language = "en") -> str:
    """A large count as a headline has it: 75,723, in Chinese 7.57万.

    Cut, never rounded up: 99,999 is 9.99万, so that no headline passes a mark before the count does.
    """
    number = exact(value)
    if language == "en" or abs(number) < _WAN:
        return count(number)
    return _plain((number / _WAN).quantize(Decimal("0.01"), ROUND_DOWN)).replace("-", MINUS) + "万"


def tick(value: Any, language: Language = "en") -> str:
    """A round count on an axis: 80,000, in Chinese 8万."""
    number = exact(value)
    if language == "en" or abs(number) < _WAN:
        return number_text(number)
    return _plain(number / _WAN) + "万"


def percent(share: Any, language: Language = "en", decimals: int = 1) -> str:
    """A share 0–1 as a percentage: 51.9%; a round one without its zero: 28%."""
    return _plain(rounded(exact(share) * 100, decimals)).replace("-", MINUS) + "%"


def number_text(value: Any, language: Language = "en", decimals: int = 2) -> str:
    """Any number, at most so many decimals, no trailing zeros: 12.6."""
    number = rounded(value, decimals)
    whole, _, rest = _plain(number).partition(".")
    return (
        _grouped(Decimal(whole)) + ("." + rest if rest else "")
        if number >= 0
        else (MINUS + number_text(-number, language, decimals))
    )


def signed(value: Any, language: Language = "en") -> str:
    """A difference with its sign: +1,200, −3, 0."""
    number = exact(value)
    return ("+" if number > 0 else "") + number_text(number, language, 4)


def kilometres(metres: Any, language: Language = "en") -> str:
    """Metres as kilometres: 643 km, 643公里."""
    text = number_text(exact(metres) / 1000, language, 1)
    return f"{text} km" if language == "en" else f"{text}公里"


def day(value: str | date, language: Language = "en") -> str:
    """A calendar day: 24 April 2024, 2024年4月24日."""
    when = _date(value)
    if language == "en":
        return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"
    return f"{when.year}年{when.month}月{when.day}日"


def short_day(value: str | date, language: Language = "en") -> str:
    """A day whose year is plain: 24 Apr, 4月24日."""
    when = _date(value)
    if language == "en":
        return f"{when.day} {_MONTHS[when.month - 1][:3]}"
    return f"{when.month}月{when.day}日"


def month(value: str | date, language: Language = "en") -> str:
    """A calendar month: June 2024, 2024年6月."""
    when = _date(value)
    return f"{_MONTHS[when.month - 1]} {when.year}" if language == "en" else f"{when.year}年{when.month}月"


def moment(value: str, language: Language = "en") -> str:
    """An as-of, a day or an ISO time: 09:20 on 25 April 2024, 2024年4月25日09:20.

    The last instant of a day is that day's end; the offset from UTC follows a time.
    """
    if len(value) == 10:
        return _end_of(value, language)
    when = datetime.fromisoformat(value)
    if (when.hour, when.minute, when.second) == (23, 59, 59) and when.microsecond:
        return _end_of(when.date(), language)
    clock = when.strftime("%H:%M:%S" if when.second else "%H:%M")
    offset = _offset(when)
    if language == "en":
        return f"{clock} on {day(when.date())}{f' ({offset})' if offset else ''}"
    return f"{day(when.date(), 'zh')}{clock}{f'（{offset}）' if offset else ''}"


def things(value: Any, singular: str, plural: str) -> str:
    """A count with its English noun: 1 order, 75,723 orders."""
    return f"{count(value)} {singular if exact(value) == 1 else plural}"


def _end_of(value: str | date, language: Language) -> str:
    return f"the end of {day(value)}" if language == "en" else f"{day(value, 'zh')}结束时"


def _offset(when: datetime) -> str:
    offset = when.utcoffset()
    if offset is None:
        return ""
    minutes = int(offset.total_seconds()) // 60
    sign, minutes = (MINUS if minutes < 0 else "+"), abs(minutes)
    rest = f":{minutes % 60:02d}" if minutes % 60 else ""
    return f"UTC{sign}{minutes // 60}{rest}" if minutes else "UTC"


def _date(value: str | date) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value[:10])


def _grouped(number: Decimal) -> str:
    return format(number, ",f").replace("-", MINUS)
