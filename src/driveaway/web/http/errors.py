"""What went wrong, as HTTP says it: the one table from errors to status codes."""

from __future__ import annotations

from typing import Any, Final

from driveaway.values.errors import (
    BadValue,
    Conflict,
    DriveawayError,
    NotFound,
    Refused,
    Tampered,
    Unavailable,
)

STATUSES: Final[dict[type[DriveawayError], int]] = {
    BadValue: 400,
    NotFound: 404,
    Conflict: 409,
    Refused: 403,
    Unavailable: 503,
    Tampered: 500,
}
CODES: Final[dict[str, int]] = {
    # Where the protocol wants another status than the class has.
    "http.unauthenticated": 401,
    "http.method": 405,
    "http.not_acceptable": 406,
    "http.timeout": 408,
    "http.precondition": 412,
    "http.too_large": 413,
    "http.media_type": 415,
    "http.range": 416,
    "http.too_many": 429,
    "action.closed": 410,
    "action.not_canceling": 409,
}
PREFIXES: Final[dict[str, int]] = {"quota": 429}
"""As ``CODES``, for every code that begins so."""
_HAWKBIT: Final = {
    400: "hawkbit.server.error.rest.body.notReadable",
    404: "hawkbit.server.error.repo.entitiyNotFound",
    409: "hawkbit.server.error.repo.entitiyAlreayExists",
}
"""Keys by which hawkBit's tools know an error, as hawkBit spells them."""
_QUOTA: Final = "hawkbit.server.error.quota.tooManyEntries"


class HttpError(DriveawayError):
    """A request that fails at the door, before any room is asked.

    Attributes:
        headers: to send along, such as Allow or Retry-After.
    """

    default_code = "http.bad_request"

    def __init__(
        self, message: str, *, code: str, remedy: str = "", headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.headers = headers


def too_large(limit: int) -> HttpError:
    """A body of more than ``limit`` bytes (413)."""
    return HttpError("the body is too large", code="http.too_large", remedy=f"send at most {limit} bytes")


def status_of(error: DriveawayError) -> int:
    """The status code that an error is answered with."""
    by_code = CODES.get(error.code)
    if by_code is not None:
        return by_code
    by_prefix = PREFIXES.get(error.code.partition(".")[0])
    if by_prefix is not None:
        return by_prefix
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return 400 if isinstance(error, HttpError) else 500


def document_of(error: DriveawayError, status: int) -> dict[str, Any]:
    """What is said of an error: hawkBit's ``errorCode`` and ``message`` beside our own ``code``.

    Of a defect of ours (500) nothing is said but that it is one.
    """
    if status == 500:
        return {"errorCode": "http.defect", "code": "http.defect", "message": "a defect of the server"}
    message = f"{error.message}; {error.remedy}" if error.remedy else error.message
    hawkbit = _QUOTA if error.code.startswith("quota.") else _HAWKBIT.get(status, error.code)
    return {"errorCode": hawkbit, "code": error.code, "message": message}
