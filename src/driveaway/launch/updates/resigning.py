"""What a worker does for signed metadata, as often as it likes: signs what is due, ends what broke off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driveaway.launch.updates import composing, holding, releasing
from driveaway.launch.updates.opening import Updates
from driveaway.updates.signing.keys import Secret
from driveaway.values.errors import NotFound


def resign_due(
    updates: Updates,
    now: int,
    *,
    online: Sequence[Any] | None = None,
    secret: Secret | None = None,
    files: bool = False,
) -> tuple[str, ...]:
    """Sign again what is due of snapshot and timestamp, and complete publications that a crash interrupted.

    Args:
        updates: where.
        now: microseconds since 1970 in UTC.
        online: the worker's signers (``holding.online_signers``); None: they are opened for this call.
        secret: asks for PINs or passphrases of the online keys.
        files: forces the use of online keys in files; a demonstration needs no force.

    Returns:
        The roles that were signed; nothing where there is no repository.

    Raises:
        Refused: the online keys are not here, or lie in files.
        Unavailable: they cannot be reached, or the folder cannot be written.
    """
    try:
        updates.repository().state()
    except NotFound:
        return ()
    if online is None:
        online = holding.online_signers(updates, secret=secret, files=files)
    repository = updates.repository(online)
    signed = repository.resign(now)
    composing.lay_out(updates, repository)
    releasing.complete_all(updates, now)
    return signed
