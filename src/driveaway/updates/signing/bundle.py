"""The metadata of a repository as one artifact, for cars that know no TUF server.

A client of hawkBit's DDI fetches artifacts only. So the metadata travels as one of them, named
``tuf-metadata.json``: an object with ``format`` (1) and ``metadata``, which has the text of each
file by its name in the repository: every root since the first, the timestamp, and the snapshot and
targets that it leads to. The bundle itself is not signed: everything in it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from driveaway.values.errors import Refused

BUNDLE: Final = "tuf-metadata.json"
LARGEST: Final = 16 << 20
"""Bytes of a bundle that a car reads at most."""


class _Bundle(msgspec.Struct, frozen=True):
    metadata: dict[str, str]
    format: int = 1


def pack(files: Mapping[str, bytes]) -> bytes:
    """A bundle of these files."""
    return msgspec.json.encode(_Bundle({name: content.decode() for name, content in files.items()}))


def unpack(content: bytes, largest: int = LARGEST) -> dict[str, bytes]:
    """The files of a bundle, none of them verified.

    Raises:
        Refused: it is longer than ``largest`` bytes, or no bundle.
    """
    if len(content) > largest:
        raise Refused(
            f"the bundle is longer than {largest} bytes",
            code="updates.too_long",
            remedy="fetch it again from a server that is trusted with availability",
        )
    try:
        bundle = msgspec.json.decode(content, type=_Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(f"not a bundle: {error}", code="updates.metadata", remedy="fetch it again") from error
    if bundle.format != 1:
        raise Refused(
            f"format {bundle.format} is not known", code="updates.metadata", remedy="take a newer client"
        )
    return {name: text.encode() for name, text in bundle.metadata.items()}
