"""The language of the book: one frozen typed class per kind of fact, each with its version."""

from driveaway.facts.base import Body, Draft, Fact
from driveaway.facts.kinds import KINDS, Kind, kind_named

__all__ = ["KINDS", "Body", "Draft", "Fact", "Kind", "kind_named"]
