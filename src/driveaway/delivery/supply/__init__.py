"""What can be built, carried and handed over, from the description of a launch."""

from driveaway.delivery.supply.lead import region_codes
from driveaway.delivery.supply.limits import NOT_LIMITED, first_handovers
from driveaway.delivery.supply.model import Modelled, supply
from driveaway.delivery.supply.queue import DateInTime, cancellations, dates, priorities
from driveaway.delivery.supply.reading import Notes
from driveaway.delivery.supply.settings import plan_settings

__all__ = [
    "NOT_LIMITED",
    "DateInTime",
    "Modelled",
    "Notes",
    "cancellations",
    "dates",
    "first_handovers",
    "plan_settings",
    "priorities",
    "region_codes",
    "supply",
]
