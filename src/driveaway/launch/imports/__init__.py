"""Imports: files of facts, or of foreign rows with a mapping, become facts that are checked one by one."""

from driveaway.launch.imports.problems import ImportReport, Problem
from driveaway.launch.imports.run import import_file, read_file

__all__ = ["ImportReport", "Problem", "import_file", "read_file"]
