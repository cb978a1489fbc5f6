"""Errors as hawkBit's tools know them: its status, its key and the name of its exception."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from driveaway.values.errors import DriveawayError
from driveaway.web.http.answers import Response, document
from driveaway.web.http.errors import HttpError, status_of
from driveaway.web.http.media import Media

_KEY: Final = "hawkbit.server.error."
_CLASS: Final = "org.eclipse.hawkbit."


class Known(NamedTuple):
    """An error of hawkBit's: key and exception, each without its beginning; status None: as elsewhere."""

    key: str
    exception: str
    status: int | None = None


_QUOTA: Final = Known("quota.tooManyEntries", "repository.exception.AssignmentQuotaExceededException", 429)
_SCHEDULE: Final = Known(
    "maintenanceScheduleInvalid", "repository.exception.InvalidMaintenanceScheduleException", 400
)
_SYNTAX: Final = Known("rest.param.rsqlParamSyntax", "repository.exception.RSQLParameterSyntaxException", 400)
_CONFIGURED: Final = Known(
    "configValueInvalid", "repository.exception.TenantConfigurationValidatorException", 400
)
_LOCKED: Final = Known("locked", "repository.exception.LockedException", 423)
_NOT_CANCELABLE: Final = Known(
    "action.notcancelable", "repository.exception.CancelActionNotAllowedException", 405
)
_ILLEGAL: Final = Known("rollout.illegalstate", "repository.exception.RolloutIllegalStateException", 400)
_HASH: Final = "artifact.uploadFailed.checksum.{0}.match"

BY_CODE: Final[dict[str, Known]] = {
    "account.forbidden": Known(
        "insufficientpermission", "repository.exception.InsufficientPermissionException"
    ),
    "action.canceling": _NOT_CANCELABLE,
    "action.closed": _NOT_CANCELABLE,
    "action.not_canceling": Known(
        "action.notforcequitable", "repository.exception.ForceQuitActionNotAllowedException", 405
    ),
    "action.in_use": _NOT_CANCELABLE,
    "artifact.md5": Known(_HASH.format("md5"), "artifact.exception.HashNotMatchException", 400),
    "artifact.sha1": Known(_HASH.format("sha1"), "artifact.exception.HashNotMatchException", 400),
    "artifact.sha256": Known(_HASH.format("sha256"), "artifact.exception.HashNotMatchException", 400),
    "artifact.upload": Known("artifact.uploadFailed", "rest.exception.MultiPartFileUploadException", 400),
    "filter.field": Known(
        "rest.param.rsqlInvalidField", "repository.exception.RSQLParameterUnsupportedFieldException", 400
    ),
    "module.locked": _LOCKED,
    "quota.artifact": Known(
        "quota.fileSizeExceeded", "repository.exception.FileSizeQuotaExceededException", 413
    ),
    "quota.store": Known("quota.storageExceeded", "repository.exception.StorageQuotaExceededException", 429),
    "rollout.changed": Known(
        "repo.concurrentModification", "repository.exception.ConcurrentModificationException", 409
    ),
    "rollout.started": _ILLEGAL,
    "rollout.status": _ILLEGAL,
    "set.in_use": Known("entityreadonly", "repository.exception.EntityReadOnlyException", 409),
    "set.incomplete": Known(
        "distributionset.incomplete", "repository.exception.IncompleteDistributionSetException", 400
    ),
    "set.invalid": Known(
        "distributionset.invalid", "repository.exception.InvalidDistributionSetException", 400
    ),
    "set.locked": _LOCKED,
    "set.module_type": Known(
        "distributionset.modules.unsupported",
        "repository.exception.UnsupportedSoftwareModuleForThisDistributionSetException",
        400,
    ),
    "setting.type": _CONFIGURED,
    "setting.unknown": Known(
        "configKeyInvalid", "repository.exception.InvalidTenantConfigurationKeyException", 400
    ),
    "setting.value": _CONFIGURED,
    "sort.direction": Known(
        "rest.param.invalidDirection", "rest.exception.SortParameterUnsupportedDirectionException", 400
    ),
    "sort.field": Known(
        "rest.param.invalidField", "rest.exception.SortParameterUnsupportedFieldException", 400
    ),
    "sort.syntax": Known(
        "rest.param.sortParamSyntax", "rest.exception.SortParameterSyntaxErrorException", 400
    ),
    "http.gone": Known(
        "action.notcancelable", "repository.exception.InvalidConfirmationFeedbackException", 410
    ),
    "http.body": Known("rest.body.notReadable", "rest.exception.MessageNotReadableException"),
}
BY_PREFIX: Final[dict[str, Known]] = {
    "filter": _SYNTAX,
    "polling": _CONFIGURED,
    "quota": _QUOTA,
    "window": _SCHEDULE,
}
BY_STATUS: Final[dict[int, Known]] = {
    400: Known("repo.constraintViolation", "repository.exception.ValidationException"),
    403: Known("entityreadonly", "repository.exception.EntityReadOnlyException"),
    404: Known("repo.entitiyNotFound", "repository.exception.EntityNotFoundException"),
    409: Known("repo.entitiyAlreayExists", "repository.exception.EntityAlreadyExistsException"),
}


def known(error: DriveawayError) -> tuple[int, Known | None]:
    """The status that an error is answered with, and what hawkBit calls it."""
    found = BY_CODE.get(error.code) or BY_PREFIX.get(error.code.partition(".")[0])
    status = status_of(error)
    if found is not None and status < 500:
        return found.status or status, found
    return status, BY_STATUS.get(status)


def failure(error: DriveawayError) -> Response:
    """What an error is answered with. Of a defect of ours nothing is said but that it is one."""
    status, found = known(error)
    headers = error.headers if isinstance(error, HttpError) else ()
    if status == 503 and not any(name == b"retry-after" for name, _ in headers):
        headers = (*headers, (b"retry-after", b"5"))
    return document(
        _document(error, status, found), Media.JSON, status, (*headers, (b"cache-control", b"no-store"))
    )


def _document(error: DriveawayError, status: int, found: Known | None) -> dict[str, Any]:
    if status == 500:
        return {
            "exceptionClass": "internal",
            "errorCode": "internal",
            "message": "a defect of the server",
            "code": "web.defect",
        }
    message = f"{error.message}; {error.remedy}" if error.remedy else error.message
    return {
        "exceptionClass": error.code if found is None else _CLASS + found.exception,
        "errorCode": error.code if found is None else _KEY + found.key,
        "message": message,
        "code": error.code,
    }
