"""Why a row is put aside, as compiled loops say it: a number."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Reasons as compiled loops give them; 0 is none."""

    UNREADABLE = 1
    MISSING = 2
    TYPE = 3
    TEXT = 4
    NAIVE_TIME = 5
    TIME_RANGE = 6
    VIN_SHAPE = 7
    VIN_CHECK_DIGIT = 8
    ENDS_BEFORE = 9
    TOO_LONG = 10
    CLOCK_AHEAD = 11
    IN_FUTURE = 12
    TOO_LATE = 13
    NEGATIVE = 14
    COUNTER = 15
    ASSISTED = 16
    TOO_FAST = 17
    FUNCTION = 18
    FUNCTION_MISSING = 19
    LEVEL_MISSING = 20
    LEVEL = 21
    ENERGY = 22
    POSITION = 23
    NOT_DELIVERED = 24
    BEFORE_HANDOVER = 25
    RESENT_DIFFERS = 26
    OVERLAPS = 27
    ODOMETER_BACK = 28
    ODOMETER_JUMP = 29
    POSITION_JUMP = 30
    OVERFLOW = 31
    ERASED = 33
    CELL = 32
