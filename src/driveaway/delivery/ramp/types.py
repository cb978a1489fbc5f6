"""Array types of the ramp."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Amounts = NDArray[np.float64]

Places = NDArray[np.intp]

DAYS_PER_MONTH = 365.25 / 12
"""Ages of a launch are counted in months of this many days."""
