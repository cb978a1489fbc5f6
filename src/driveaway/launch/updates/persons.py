"""Who does something: an account, whose roles hold wherever it is named."""

from __future__ import annotations

from driveaway.launch.accounts import Accounts
from driveaway.launch.updates.opening import Updates
from driveaway.values.errors import NotFound


def check_person(updates: Updates, name: str, permission: str) -> None:
    """Refuse what an account of this name may not do.

    Whoever can write the launch folder can name anybody: what proves who agreed to a release are the
    signatures, not this. A name without an account, as in a trial without any, is let through.

    Raises:
        Refused: the account is disabled, or no role of it permits it.
    """
    if not name:
        return
    try:
        account = Accounts(updates.state).named(name)
    except NotFound:
        return
    account.require(permission)
