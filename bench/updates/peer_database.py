"""gooseBit's database for the measurement; run by the Python that has gooseBit, which this one has not.

``python peer_database.py CARS ASSIGNED``: so many cars that run what they should, and so many that are to get
something.
"""

from __future__ import annotations

import sys

from goosebit.db.config import TORTOISE_CONF
from goosebit.db.models import Device, Hardware, Rollout, Software, UpdateStateEnum
from tortoise import Tortoise, run_async


async def make(cars: int, assigned: int) -> None:
    """Fill the database."""
    await Tortoise.init(config=TORTOISE_CONF)
    await Tortoise.generate_schemas()
    hardware = await Hardware.create(model="default", revision="default")
    release = await Software.create(uri="file:///os.swu", size=8000, hash="0" * 40, version="2.0.0")
    await release.compatibility.add(hardware)
    await Rollout.create(name="os", software=release)
    for number in range(cars + assigned):
        await Device.create(
            id=f"CAR{number:06d}",
            hardware=hardware,
            last_state=UpdateStateEnum.REGISTERED,
            sw_version="2.0.0" if number < cars else "1.0.0",
        )


if __name__ == "__main__":
    run_async(make(int(sys.argv[1]), int(sys.argv[2])))
