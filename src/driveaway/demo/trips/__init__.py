"""What the delivered cars of the demo drive until the record ends, and how it arrives. All simulated."""

from driveaway.demo.trips.arriving import Arrival, arrivals

__all__ = ["Arrival", "arrivals"]
