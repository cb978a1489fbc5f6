"""A car that goes on: round after round, slower while its server cannot be reached."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from driveaway.updates.car.client import Car
from driveaway.values.errors import DriveawayError, Unavailable

LONGEST_WAIT = 300.0
"""Seconds between two tries at a server that cannot be reached."""


class Patient:
    """How long to wait after failures in a row: up to 2, 4, 8 … seconds.

    At random, so that a fleet whose server was away does not come back all at once. Known as full jitter
    (M. Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015).
    """

    def __init__(self, dice: random.Random | None = None) -> None:
        self._dice = dice or random.Random()
        self.failures = 0

    def failed(self) -> float:
        """Seconds to wait after one more failure."""
        self.failures += 1
        return self._dice.uniform(0, min(LONGEST_WAIT, 2.0 ** min(self.failures, 16)))

    def succeeded(self) -> None:
        """The server answered."""
        self.failures = 0


def drive(
    car: Car,
    *,
    seconds: float | None = None,
    told: Callable[[str], None] = lambda _: None,
    stopped: Callable[[float], bool] | None = None,
) -> None:
    """Poll and do what is asked until the time is over.

    Args:
        car: the car.
        seconds: how long; None: until ``stopped``.
        told: is told what was done, and what went wrong.
        stopped: waits so many seconds or until it is to end, and says whether it is; default: sleeps.
    """
    end = None if seconds is None else time.monotonic() + seconds
    patient = Patient()
    while end is None or time.monotonic() < end:
        try:
            done = car.round()
        except DriveawayError as error:
            told(str(error))
            wait = patient.failed()
        except OSError as error:
            # Such as a disk that is full: it may be better at the next poll.
            told(f"{error.filename or ''}: {error.strerror or error}")
            wait = LONGEST_WAIT
        else:
            patient.succeeded()
            told(done.did)
            wait = done.sleep
        if end is not None:
            wait = min(wait, max(0.0, end - time.monotonic()))
        if stopped is not None:
            if stopped(wait):
                return
        elif wait:
            time.sleep(wait)


def settle(car: Car, told: Callable[[str], None] = lambda _: None, rounds: int = 20) -> None:
    """Poll until there is nothing left that can be done now.

    Raises:
        DriveawayError: what went wrong.
    """
    for _ in range(rounds):
        done = car.round()
        told(done.did)
        if done.sleep:
            return
    raise Unavailable("the server finds no end", code="car.endless", place=car.base, remedy="see its log")
