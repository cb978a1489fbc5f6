"""Who does something: an account, whose roles hold wherever it is named."""

from __future__ import annotations

from typing import Protocol

from driveaway.book.state.state import State
from driveaway.launch.accounts import Accounts
from driveaway.values.errors import NotFound, Refused


class HasState(Protocol):
    """A launch, or what it has for updates."""

    @property
    def state(self) -> State:
        """Operational tables."""
        ...


def check_person(where: HasState, name: str | None, permission: str) -> None:
    """Refuse what an account of this name may not do.

    Whoever can write the launch folder can name anybody: what proves who agreed to a release are the
    signatures, not this. Where there is no account at all, as in a trial, every name is let through;
    so is a step that asks for no name.

    Raises:
        Refused: the account is disabled, or no role of it permits it; or there are accounts, and none is of
            this name.
    """
    if not name:
        return
    accounts = Accounts(where.state)
    try:
        account = accounts.named(name)
    except NotFound:
        if not accounts.all():
            return
        raise Refused(
            f"there is no account {name!r}",
            code="account.unknown",
            remedy="name one of driveaway account list with --by, or add it: driveaway account add",
        ) from None
    account.require(permission)
