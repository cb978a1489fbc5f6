"""How a new car's handovers grow: from other launches, its own record and its plant's capacity."""

from __future__ import annotations

from driveaway.delivery.ramp.forecasting import StatedRate, forecast
from driveaway.delivery.ramp.paths import Band, Paths, bands, quantiles
from driveaway.delivery.ramp.prior import RampPrior, packaged_prior
from driveaway.delivery.ramp.record import Record

__all__ = [
    "Band",
    "Paths",
    "RampPrior",
    "Record",
    "StatedRate",
    "bands",
    "forecast",
    "packaged_prior",
    "quantiles",
]
