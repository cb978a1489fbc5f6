"""Kinds about the launch and the book itself."""

from __future__ import annotations

import msgspec

from driveaway.facts.base import Body, Count, Name, Text
from driveaway.facts.trips import Digest


class LaunchDescribed(Body, frozen=True, kw_only=True):
    """The launch folder's ``launch.toml`` as it stood. Subject: the launch's slug.

    ``digest`` is the SHA-256 of the text, in hexadecimal.
    """

    digest: Name
    text: str


class Withdrawn(Body, frozen=True, kw_only=True):
    """Takes back the fact that it replaces, as if it had never been recorded."""

    reason: Text


class ErasedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A Parquet file that was written anew without a car's rows.

    ``file`` is its path below the fleet's folder; ``rows``, ``bytes`` and ``sha256`` are those of what it
    is now.
    """

    file: Name
    rows: Count
    removed: Count
    bytes: Count
    sha256: Digest


class SubjectErased(Body, frozen=True, kw_only=True):
    """Salts and personal fields of a subject's facts were shredded (GDPR art. 17, PIPL art. 47).

    For a car: so many rows of its trips, and of trips in quarantine, were taken out of ``files``, and so
    many rows about it out of the operational tables.
    """

    reason: Text
    trips: Count = 0
    quarantined: Count = 0
    operational: Count = 0
    files: tuple[ErasedFile, ...] = ()
