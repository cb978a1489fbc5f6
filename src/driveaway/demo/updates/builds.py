"""What is released in the demo, when, and how it is rolled out.

The maker's announcements up to 25 April 2024: a first update over the air in May with wireless CarPlay (for
which "early May" was said) and end-to-end valet parking; a second at the end of May with city navigation in
ten cities; the whole country in August. Days, hours, version numbers and everything about the defect are made
up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from driveaway.updates.rollouts.guards import Comparison, InstallGuard, Rules, SafetyGuard
from driveaway.updates.rollouts.plans import DAY, ByStages, Stage

NAME: Final = "su7"
AS_BUILT: Final = "2024.4.1"
"""What cars run that were handed over by the end of the record."""
DEFECT_HARDWARE: Final = "CK-1-B"
"""The cockpit on which the first build of the second release is defective."""
_HOUR: Final = 3_600


@dataclass(frozen=True)
class Defect:
    """What is wrong with a build, on cars with one revision of the cockpit.

    Attributes:
        hardware: of the cockpit.
        failed: share of installations that fail.
        fell_back: share of those that come back with the old software.
        trouble_codes: a day, on cars that run it.
    """

    hardware: str
    failed: float
    fell_back: float
    trouble_codes: float


@dataclass(frozen=True)
class Build:
    """A release and its rollout.

    Attributes:
        version: of the release.
        rollout: its name.
        starts: when it is published and its rollout started, in the launch's zone.
        notes: for people.
        functions: slugs of what it carries, by module.
        stages: of its growth: share of the cars, hours.
        defect: what is wrong with it.
    """

    version: str
    rollout: str
    starts: str
    notes: str
    functions: tuple[tuple[str, tuple[str, ...]], ...]
    stages: tuple[tuple[float, int], ...]
    defect: Defect | None = None

    @property
    def rules(self) -> Rules:
        """How it grows, and what stops it."""
        stages = tuple(Stage(share=share, minimum_s=hours * _HOUR) for share, hours in self.stages)
        return Rules(
            growth=ByStages(stages=stages),
            comparisons=(Comparison(name="trouble_codes", signals=("trouble_code",)),),
            guards=(SafetyGuard(name="safety"), InstallGuard(name="installs")),
            silence_s=DAY,
        )


COCKPIT: Final = "cockpit"
ASSISTANCE: Final = "driver-assistance"
FIRST: Final = Build(
    version="2024.5.1",
    rollout="carplay-and-parking",
    starts="2024-05-06T10:00:00",
    notes="Simulated. Wireless CarPlay; end-to-end valet parking for cars with LiDAR.",
    functions=((COCKPIT, ("wireless-carplay",)), (ASSISTANCE, ("end-to-end-parking",))),
    stages=((0.01, 24), (0.05, 24), (0.2, 48), (0.5, 96), (1.0, 96)),
)
SECOND: Final = Build(
    version="2024.5.2",
    rollout="city-navigation-first-build",
    starts="2024-05-22T10:00:00",
    notes="Simulated. City navigation for Pro and Max, opened city by city.",
    functions=(*FIRST.functions[:1], (ASSISTANCE, ("end-to-end-parking", "city-navigation"))),
    stages=((0.01, 12), (0.05, 24), (0.2, 24), (0.5, 48), (1.0, 96)),
    defect=Defect(hardware=DEFECT_HARDWARE, failed=0.2, fell_back=0.04, trouble_codes=0.15),
)
MENDED: Final = Build(
    version="2024.5.3",
    rollout="city-navigation",
    starts="2024-05-27T10:00:00",
    notes="Simulated. City navigation for Pro and Max, opened city by city; mends the cockpit of 2024.5.2.",
    functions=SECOND.functions,
    stages=((0.02, 24), (0.1, 24), (0.3, 24), (1.0, 120)),
)
BUILDS: Final = (FIRST, SECOND, MENDED)
HARDWARE: Final = {
    COCKPIT: ("CK-1-A", "CK-1-B"),
    ASSISTANCE: ("DA-84-A", "DA-84-B", "DA-508-A", "DA-508-B"),
}
STOPPED_BY: Final = "operator"
STOPPED_BECAUSE: Final = (
    "installations fail and trouble codes rise on cockpits CK-1-B; a mended build follows (simulated)"
)
FOUNDED: Final = "2024-04-26T10:00:00"
"""When the update server is set up: the day after the record ends. From then on cars report to it."""
LAST: Final = "2024-08-31"
"""The last day that is played."""
