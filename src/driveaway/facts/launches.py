"""Kinds about the launch and the book itself."""

from __future__ import annotations

from driveaway.facts.base import Body, Count, Name, Text


class LaunchDescribed(Body, frozen=True, kw_only=True):
    """The launch folder's ``launch.toml`` as it stood. Subject: the launch's slug.

    ``digest`` is the SHA-256 of the text, in hexadecimal.
    """

    digest: Name
    text: str


class Withdrawn(Body, frozen=True, kw_only=True):
    """Takes back the fact that it replaces, as if it had never been recorded."""

    reason: Text


class SubjectErased(Body, frozen=True, kw_only=True):
    """Salts and personal fields of a subject's facts were shredded (GDPR art. 17, PIPL art. 47).

    For a car: so many rows of its trips were taken out of the files (the facts ``trips.compacted`` beside
    this one name what replaced them), so many out of the quarantine, and so many rows about it out of the
    operational tables.
    """

    reason: Text
    trips: Count = 0
    quarantined: Count = 0
    operational: Count = 0
