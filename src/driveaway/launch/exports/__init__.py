"""Exports: the book's facts as CloudEvents, Parquet or CSV."""

from driveaway.launch.exports.run import FORMATS, export_facts

__all__ = ["FORMATS", "export_facts"]
