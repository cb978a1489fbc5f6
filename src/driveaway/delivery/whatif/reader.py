"""Reads the words of a change from left to right, and remembers how far it got and what it looked for."""

from __future__ import annotations

import calendar
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

MONTHS = (
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
KEYWORDS = frozenset(
    [
        "a",
        "and",
        "arrive",
        "availability",
        "cancellations",
        "day",
        "days",
        "from",
        "h",
        "handovers",
        "hour",
        "hours",
        "in",
        "jobs",
        "line",
        "no",
        "of",
        "on",
        "per",
        "shift",
        "stop",
        "s",
        "takt",
        "target",
        "to",
        "transport",
        "unlimited",
        "until",
        "week",
        "work",
    ]
)
"""Words of the grammar: a name that holds one of them is written in quotes."""
NOT_SHIFTS = KEYWORDS - {"day", "a", "h", "s"}
"""Words that are no name of a shift, unless they are in quotes."""
_MONTH = {name[:length].lower(): i + 1 for i, name in enumerate(MONTHS) for length in (3, 4, 9)}
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?!\d)")
_NUMBER = re.compile(r"\d[\d_]*(?:\.\d+)?")
_SIGN = {"+": 1.0, "-": -1.0, "−": -1.0, "–": -1.0}
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_WORD = re.compile(r"\w[\w.-]*")
_BETWEEN = ("..", "–", "—", "-", "to", "until")


class Miss(Exception):
    """The text does not go on as a form expects; the reader knows where and what."""


class Period(NamedTuple):
    """First and last day of what was named: a day, or a month."""

    first: date
    last: date


@dataclass
class Reader:
    """A position in a text.

    Attributes:
        text: one change.
        today: days without a year are the next ones on or after it.
        at: where it stands.
        reached: how far anything was understood.
        wanted: what would have been understood there.
        names: names that would have been.
        complaint: what is wrong there, where it is more than an unknown word.
    """

    text: str
    today: date
    at: int = 0
    reached: int = 0
    wanted: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    complaint: str = ""

    def miss(
        self, *wanted: str, at: int | None = None, complaint: str = "", names: Iterable[str] = ()
    ) -> Miss:
        """The error to raise where one of these was expected."""
        at = self.at if at is None else at
        if at > self.reached:
            self.reached, self.wanted, self.names, self.complaint = at, [], [], ""
        if at == self.reached:
            self.names += names
            self.wanted += [word for word in wanted if word not in self.wanted]
            self.complaint = self.complaint or complaint
        return Miss()

    def skip(self) -> None:
        """Pass blanks."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def try_words(self, *words: str) -> bool:
        """Take these words, in any case, if they come next."""
        start = self.at
        for word in words:
            self.skip()
            end = self.at + len(word)
            if self.text[self.at : end].lower() != word.lower() or _inside_word(self.text, end, word):
                self.miss(word)
                self.at = start
                return False
            self.at = end
        return True

    def words(self, *words: str) -> None:
        """Take these words.

        Raises:
            Miss: something else comes next.
        """
        for word in words:
            if not self.try_words(word):
                raise Miss

    def end(self) -> None:
        """Make sure that nothing follows.

        Raises:
            Miss: something does.
        """
        self.skip()
        if self.at < len(self.text):
            raise self.miss("the end")

    def number(self, what: str = "a number") -> float:
        """Take a number.

        Raises:
            Miss: there is none.
        """
        self.skip()
        found = _NUMBER.match(self.text, self.at)
        if found is None:
            raise self.miss(what)
        self.at = found.end()
        return float(found[0].replace("_", ""))

    def signed(self, what: str) -> float:
        """Take a number with its sign.

        Raises:
            Miss: there is none.
        """
        self.skip()
        sign = _SIGN.get(self.text[self.at : self.at + 1])
        if sign is None:
            raise self.miss(what)
        start = self.at
        self.at += 1
        try:
            return sign * self.number(what)
        except Miss:
            self.at = start
            raise

    def percent(self) -> float:
        """Take ``+20%`` or ``-5%``.

        Raises:
            Miss: there is none.
        """
        start = self.at
        value = self.signed("+N%")
        if not self.try_words("%"):
            self.at = start
            raise Miss
        return value

    def name(self, names: Mapping[str, str], what: str) -> str:
        """Take the longest of these names, or one in quotes; gives what stands behind it.

        Raises:
            Miss: none of them comes next.
        """
        self.skip()
        lower = {name.lower(): value for name, value in reversed(list(names.items()))}
        quoted = _QUOTED.match(self.text, self.at)
        if quoted is not None:
            name = _unquoted(quoted[1])
            if name in names or name.lower() in lower:
                self.at = quoted.end()
                return names.get(name, lower.get(name.lower(), name))
            raise self.miss(what, names=names, complaint=f"there is no {what} {name!r}")
        rest = self.text[self.at :].lower()
        for name in sorted(lower, key=len, reverse=True):
            if name and rest.startswith(name) and not _inside_word(rest, len(name), name):
                self.at += len(name)
                return lower[name]
        raise self.miss(what, names=names)

    def shift(self) -> str:
        """Take ``NAME shift``: one word that means nothing else, or any text in quotes; gives the name.

        Raises:
            Miss: there is none.
        """
        self.skip()
        start = self.at
        if (quoted := _QUOTED.match(self.text, start)) is not None:
            name, end = _unquoted(quoted[1]), quoted.end()
        elif (found := _WORD.match(self.text, start)) is not None and found[0].lower() not in NOT_SHIFTS:
            name, end = found[0].lower(), found.end()
        else:
            raise self.miss("NAME shift")
        following = _WORD.match(self.text, end + 1)
        if following is None or not nearest(following[0], ["shift"]):
            raise self.miss("NAME shift")
        self.at = end
        self.words("shift")
        return name

    def list_of(self, names: Mapping[str, str], what: str) -> tuple[str, ...]:
        """Take names that commas separate.

        Raises:
            Miss: there is none.
        """
        found = [self.name(names, what)]
        while self.try_words(","):
            found.append(self.name(names, what))
        return tuple(found)

    def days(self) -> Period:
        """Take a day, a month, or a span of days such as ``1–7 July`` or ``2024-07-01..2024-07-07``.

        Raises:
            Miss: there is none, or it does not exist.
        """
        self.skip()
        start = self.at
        short = re.compile(r"(\d{1,2})\s*(?:\.\.|[–—-])\s*(?=\d{1,2}\s+[A-Za-z])").match(self.text, start)
        if short is not None:
            self.at = short.end()
            last = self._day(self.today)
            first = last.last.replace(day=1)
            day = int(short[1])
            if not 1 <= day <= last.last.day:
                raise self.miss("a day", at=start, complaint=f"{day} is after {last.last.day}")
            return self._not_before(Period(first.replace(day=day), last.last), start)
        first_found = self._day(self.today)
        if not any(self.try_words(sign) for sign in _BETWEEN):
            return first_found
        rest = re.compile(r"\s*(\d{1,2})(?!\d)(?!\s+[A-Za-z]{3})(?!-)").match(self.text, self.at)
        if rest is not None:
            last_day = self._date(first_found.first.year, first_found.first.month, int(rest[1]), self.at)
            self.at = rest.end()
            return self._ordered(first_found.first, last_day, start)
        return self._ordered(first_found.first, self._day(first_found.first).last, start)

    def day(self) -> Period:
        """Take a day, or a month.

        Raises:
            Miss: there is none, or it does not exist.
        """
        return self._day(self.today)

    def _ordered(self, first: date, last: date, start: int) -> Period:
        if last < first:
            raise self.miss("a later day", at=start, complaint=f"{last} is before {first}")
        return Period(first, last)

    def _not_before(self, found: Period, start: int) -> Period:
        """A span without a year whose first day has passed is meant for next year."""
        if found.first >= self.today or re.search(r"\d{4}", self.text[start : self.at]):
            return found
        return Period(_next_year(found.first), _next_year(found.last))

    def _day(self, after: date) -> Period:
        self.skip()
        start = self.at
        if (iso := _ISO.match(self.text, start)) is not None:
            day = self._date(int(iso[1]), int(iso[2]), int(iso[3]), start)
            self.at = iso.end()
            return Period(day, day)
        before = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\s+(?=[A-Za-z])").match(self.text, start)
        if before is not None:
            self.at = before.end()
        month = self._month(start)
        day_text = before[1] if before is not None else None
        if day_text is None:
            behind = re.compile(r"\s+(\d{1,2})(?:st|nd|rd|th)?(?![\d%.])(?!\s*h)").match(self.text, self.at)
            if behind is not None:
                day_text, self.at = behind[1], behind.end()
        year = re.compile(r",?\s+(\d{4})(?!\d)(?!-)").match(self.text, self.at)
        if year is not None:
            self.at = year.end()
        if day_text is None:
            return self._whole_month(month, None if year is None else int(year[1]), after)
        if year is not None:
            day = self._date(int(year[1]), month, int(day_text), start)
        else:
            day = self._next(month, int(day_text), after, start)
        return Period(day, day)

    def _month(self, start: int) -> int:
        found = re.compile(r"[A-Za-z]+\.?").match(self.text, self.at)
        month = None if found is None else _MONTH.get(found[0].lower().rstrip("."))
        if found is None or month is None:
            at = self.at
            self.at = start
            raise self.miss("YYYY-MM-DD", "a day such as 1 July", "a month", at=at, names=MONTHS)
        self.at = found.end()
        return month

    def _whole_month(self, month: int, year: int | None, after: date) -> Period:
        if year is None:
            year = after.year + (month < after.month)
        last = calendar.monthrange(year, month)[1]
        return Period(date(year, month, 1), date(year, month, last))

    def _next(self, month: int, day: int, after: date, start: int) -> date:
        if not 1 <= day <= calendar.monthrange(2000, month)[1]:
            longest = calendar.monthrange(2000, month)[1]
            raise self.miss("a day", at=start, complaint=f"{MONTHS[month - 1]} has {longest} days")
        for year in range(after.year, after.year + 9):
            if day <= calendar.monthrange(year, month)[1] and date(year, month, day) >= after:
                return date(year, month, day)
        raise self.miss("a day", at=start)

    def _date(self, year: int, month: int, day: int, start: int) -> date:
        try:
            return date(year, month, day)
        except ValueError as error:
            complaint = f"there is no month {month} or year {year}"
            if 1 <= month <= 12 and 1 <= year <= 9999:
                complaint = f"{MONTHS[month - 1]} {year} has {calendar.monthrange(year, month)[1]} days"
            raise self.miss("a day", at=start, complaint=complaint) from error


def nearest(word: str, among: Iterable[str]) -> list[str]:
    """Up to three that look most like the word, best first."""
    by_lower = {name.lower(): name for name in among}
    return [by_lower[name] for name in difflib.get_close_matches(word.lower(), by_lower, 3, 0.6)]


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _next_year(day: date) -> date:
    return day.replace(day=1, year=day.year + 1) + timedelta(days=day.day - 1)


def _inside_word(text: str, end: int, word: str) -> bool:
    return word[-1:].isalnum() and text[end : end + 1].isalnum()
