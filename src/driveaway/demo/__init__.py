"""A simulated launch: for a first run, for load tests and for what-ifs. Nothing in it is real data."""

from driveaway.demo.scaling import launch_record, launch_text
from driveaway.demo.simulation import simulate

__all__ = ["launch_record", "launch_text", "simulate"]
