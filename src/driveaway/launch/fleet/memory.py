"""What bulk work asks of the memory allocators."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import Final

import pyarrow as pa

# malloc.h of the GNU C library.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
_ARRAYS: Final = 1 << 30


def keep_memory() -> None:
    """Let this process keep what it frees, for the next batch: for a command that lands many and then ends.

    Columns of a million rows are given back to the system batch after batch otherwise, and the kernel clears
    the pages each time anew: a quarter of all the processor's time of landing. Where there is no GNU C
    library nothing is changed.
    """
    with suppress(OSError, AttributeError, ValueError):
        mallopt = ctypes.CDLL(None).mallopt
        # What one thread frees the others take; each would keep as much for itself.
        mallopt(_ARENA_MAX, 1)
        mallopt(_MMAP_THRESHOLD, _ARRAYS)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
        # One allocator for Arrow's arrays and numpy's: what one frees the other takes.
        pa.set_memory_pool(pa.system_memory_pool())
