"""Reading times: ISO 8601, declared formats, epochs; naive ones only where a zone is declared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from driveaway.values.clock import end_of_day, instant, start_of_day
from driveaway.values.errors import BadValue

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST: Final = instant(datetime(1900, 1, 1, tzinfo=UTC))
_LAST: Final = instant(datetime(2200, 1, 1, tzinfo=UTC))
EPOCHS: Final = {"epoch-s": 1_000_000, "epoch-ms": 1_000, "epoch-us": 1}
ISO: Final = "iso"
_DAY_LENGTH: Final = len("2024-04-25")


class Times:
    """Reads the times of one file."""

    def __init__(
        self, zone: ZoneInfo | None = None, formats: Sequence[str] = (ISO,), *, end_of_days: bool = False
    ) -> None:
        """``end_of_days``: a mere day means its last microsecond, not its first."""
        self.zone = zone
        self.formats = tuple(formats)
        self.end_of_days = end_of_days

    def column(self, cells: Sequence[Any], *, instants: bool = False) -> list[int | BadValue]:
        """Every cell as an instant, or why it is none. ``instants``: they are microseconds UTC already."""
        if instants:
            if all(type(c) is int and _FIRST <= c < _LAST for c in cells):
                return list(cells)
        elif self.formats == (ISO,):
            try:
                parsed = [datetime.fromisoformat(cell) for cell in cells]
                # Subtracting a naive time from an aware one raises: such columns are read one by one.
                whole = [(at - _EPOCH) // _MICROSECOND for at in parsed]
                if not whole or (min(whole) >= _FIRST and max(whole) < _LAST):
                    return list(whole)
            except (TypeError, ValueError):
                pass
        read: list[int | BadValue] = []
        for cell in cells:
            try:
                read.append(self._checked(cell, cell) if instants and cell is not None else self.read(cell))
            except BadValue as error:
                read.append(error)
        return read

    def read(self, cell: Any) -> int:
        """One cell as an instant.

        Raises:
            BadValue: empty, not a time, impossible, naive without a zone, or outside 1900–2199.
        """
        if cell is None or cell == "":
            raise BadValue(
                "there is no time", code="time.missing", remedy="a fact needs the time it happened"
            )
        if isinstance(cell, datetime):
            return self._placed(cell, cell)
        if isinstance(cell, date):
            return self._day(cell, cell)
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            return self._number(cell)
        text = str(cell).strip()
        problem: BadValue | None = None
        for form in self.formats:
            try:
                return self._text(text, form)
            except BadValue as error:
                problem = problem or error
        assert problem is not None
        raise problem

    def _text(self, text: str, form: str) -> int:
        if form in EPOCHS:
            try:
                return self._checked(
                    round(float(text) * EPOCHS[form]) if "." in text else int(text) * EPOCHS[form], text
                )
            except (ValueError, OverflowError):
                raise _not_a_time(text, f"expected {form}") from None
        if form == ISO:
            try:
                parsed = datetime.fromisoformat(text)
            except ValueError as error:
                raise _not_a_time(text, str(error)) from error
            if len(text) == _DAY_LENGTH:
                return self._day(parsed.date(), text)
            return self._placed(parsed, text)
        try:
            parsed = datetime.strptime(text, form)  # noqa: DTZ007 - its zone follows
        except ValueError as error:
            raise _not_a_time(text, str(error)) from error
        if not any(hour in form for hour in ("%H", "%I", "%c", "%X", "%T")):
            return self._day(parsed.date(), text)
        return self._placed(parsed, text)

    def _number(self, number: float) -> int:
        for form in self.formats:
            if form in EPOCHS:
                try:
                    return self._checked(round(number * EPOCHS[form]), number)
                except (OverflowError, ValueError) as error:
                    raise _not_a_time(number, "out of range") from error
        raise BadValue(
            "the time is a number, and nothing says of what",
            code="time.number",
            remedy='say in a mapping: formats = ["epoch-s"], "epoch-ms" or "epoch-us"',
        )

    def _day(self, day: date, shown: Any) -> int:
        tz = self._zone(shown)
        try:
            return self._checked((end_of_day if self.end_of_days else start_of_day)(day, tz), shown)
        except OverflowError as error:
            raise _not_a_time(shown, "out of range") from error

    def _placed(self, at: datetime, shown: Any) -> int:
        if at.tzinfo is None:
            tz = self._zone(shown)
            at = at.replace(tzinfo=tz)
            try:
                before, after = at.utcoffset(), at.replace(fold=1).utcoffset()
            except OverflowError as error:
                raise _not_a_time(shown, "out of range") from error
            # Where the two differ the clocks were changed: put forward (the time does not exist) or back
            # (it exists twice, and the earlier one is meant).
            if before is not None and after is not None and before < after:
                raise BadValue(
                    f"{shown} does not exist in {tz.key}: the clocks were put forward",
                    code="time.gap",
                    remedy="ask the source which zone its times are in",
                )
        return self._checked((at - _EPOCH) // _MICROSECOND, shown)

    def _zone(self, shown: Any) -> ZoneInfo:
        if self.zone is None:
            raise BadValue(
                f"'{shown}' has no time zone",
                code="time.naive",
                remedy="add an offset such as +08:00, or name a zone in a mapping",
            )
        return self.zone

    def _checked(self, at: int, shown: Any) -> int:
        if not _FIRST <= at < _LAST:
            raise BadValue(
                f"'{shown}' is outside the years 1900 to 2199",
                code="time.range",
                remedy="check the column's format",
            )
        return at


def _not_a_time(text: Any, why: str) -> BadValue:
    return BadValue(
        f"'{text}' is not a time ({why})",
        code="time.shape",
        remedy="write ISO 8601, such as 2024-04-24T22:00:00+08:00",
    )
