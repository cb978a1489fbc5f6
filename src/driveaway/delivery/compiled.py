"""Hot loops compiled to machine code, kept between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(loop: Loop) -> Loop:
    """Compile a function over numpy arrays and numbers when it is first called (numba, no Python objects).

    The compiled form is cached beside the source file, or in the user's cache folder where that cannot
    be written. The loop runs without Python's lock and is typed as it was written.
    """
    return cast("Loop", numba.njit(cache=True, nogil=True)(loop))
