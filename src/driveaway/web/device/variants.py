"""The ways in which one car's document is written: a URL to point to, a media type."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from driveaway.values.errors import DriveawayError
from driveaway.web.device.cars import Variant
from driveaway.web.http.clients import usable_host
from driveaway.web.http.media import Media, negotiated

_MOST: Final = 64
"""Kept at once: who asks chooses the Host, so there is no end to them."""


class Variants:
    """Variants by URL and Accept; the same one for the same, so that they are told by identity."""

    def __init__(self, public: str = "") -> None:
        """``public`` is the URL to point to whatever was asked; "" for the one that was."""
        self._public = public
        self._by_meaning: OrderedDict[tuple[str, Media], Variant] = OrderedDict()
        self._by_headers: OrderedDict[tuple[str, bytes | None, bytes | None], Variant] = OrderedDict()

    def of(self, base: str, accept: bytes | str | None) -> Variant | None:
        """The variant for a URL; None where nothing acceptable is offered."""
        text = accept.decode("latin-1") if isinstance(accept, bytes) else accept
        try:
            key = base, negotiated(text)
        except DriveawayError:
            return None
        found = self._by_meaning.get(key)
        if found is None:
            found = self._by_meaning[key] = Variant(*key)
            if len(self._by_meaning) > _MOST:
                self._by_meaning.popitem(last=False)
        else:
            self._by_meaning.move_to_end(key)
        return found

    def direct(self, scheme: str, host: bytes | None, accept: bytes | None) -> Variant | None:
        """The variant for what was asked without a proxy between."""
        key = scheme, host, accept
        found = self._by_headers.get(key)
        if found is None:
            name = "" if host is None else host.decode("latin-1").strip()
            if not self._public and not usable_host(name):
                return None
            found = self.of(self._public or f"{scheme}://{name}", accept)
            if found is not None:
                self._by_headers[key] = found
                if len(self._by_headers) > _MOST:
                    self._by_headers.popitem(last=False)
        else:
            self._by_headers.move_to_end(key)
        return found
