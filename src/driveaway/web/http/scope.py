"""What the server hands over, typed: an ASGI scope, its headers, what is sent back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Any], Awaitable[None]]
Header = tuple[bytes, bytes]

# Of these a second line continues the list; any other header stands once (RFC 9110 §5.3).
_LISTS: Final = frozenset(
    {b"accept", b"if-match", b"if-none-match", b"x-forwarded-for", b"forwarded", b"via", b"connection"}
)


class Headers:
    """Headers of a request by lower-case name.

    A header that may stand once and stands more often is not usable: which one counts would be for a
    guess, and two parties that guess differently is how requests are smuggled.
    """

    __slots__ = ("_values", "doubled")

    def __init__(self, raw: Iterable[Header]) -> None:
        values: dict[bytes, bytes] = {}
        doubled: set[bytes] = set()
        for name, value in raw:
            if name not in values:
                values[name] = value
            elif name in _LISTS:
                values[name] = values[name] + b"," + value
            else:
                doubled.add(name)
        self._values = values
        self.doubled = doubled

    def get(self, name: bytes) -> str | None:
        """The value, without blanks around it; None where it does not stand."""
        found = self._values.get(name)
        return None if found is None else found.decode("latin-1").strip()

    def names(self) -> Iterable[bytes]:
        """The names that stand."""
        return self._values.keys()
