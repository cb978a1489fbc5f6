"""Driveaway: the launch of a car sold direct, from the locked order to the road.

import driveaway as dw
launch = dw.open("launches/su7")
launch.at("2024-04-24").figure("orders.locked").value
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driveaway.launch.launch import Launch as Launch
    from driveaway.launch.launch import open_launch as open

__version__ = "0.1.0"
__all__ = ["Launch", "__version__", "open"]


def __getattr__(name: str) -> Any:
    """Load the heavy parts when they are first used, so that ``import driveaway`` is instant."""
    if name in ("open", "Launch"):
        from driveaway.launch import launch

        return launch.open_launch if name == "open" else launch.Launch
    raise AttributeError(f"module 'driveaway' has no attribute {name!r}")
