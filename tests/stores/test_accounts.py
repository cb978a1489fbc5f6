"""Accounts of staff: who gets in, who does not, and what is kept of their secrets."""

from __future__ import annotations

import pytest

from driveaway.book.state.state import State
from driveaway.book.store import Store
from driveaway.launch import accounts
from driveaway.launch.accounts import Accounts
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused
from tests.stores.acts import Place

PASSWORD = "a lamp, a chair, a window"


class Clock:
    now = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_COST", (16, 8, 1))
    monkeypatch.setattr(accounts, "_NOBODY", f"scrypt$16$8$1${'00' * 16}${'00' * 32}")


@pytest.fixture
def kept(store: Store) -> Accounts:
    return Accounts(State(store), Clock())


def test_who_knows_the_password_gets_in(kept: Accounts) -> None:
    added = kept.add("li.na", PASSWORD, ["approver", "viewer"])
    assert added.roles == ("viewer", "approver")
    for _ in range(2):
        found = kept.verify("li.na", PASSWORD)
        assert found == added
    assert kept.verify("li.na", PASSWORD + "!") is None
    assert kept.verify("nobody", PASSWORD) is None
    assert added.may("approve")
    assert not added.may("operate")
    with pytest.raises(Refused, match="operator"):
        added.require("operate")


def test_nothing_in_the_tables_lets_anybody_in(kept: Accounts, place: Place) -> None:
    token = kept.open_session(kept.add("li.na", PASSWORD, ["viewer"]))
    stored = repr(place.sql("SELECT password FROM accounts")) + repr(place.sql("SELECT digest FROM sessions"))
    assert PASSWORD not in stored
    assert token not in stored


def test_a_new_password_ends_what_the_old_one_opened(kept: Accounts) -> None:
    account = kept.add("li.na", PASSWORD, ["viewer"])
    token = kept.open_session(account)
    assert kept.session(token) == account
    assert kept.verify("li.na", PASSWORD) is not None
    kept.change("li.na", password="another one, longer")
    assert kept.session(token) is None
    assert kept.verify("li.na", PASSWORD) is None
    assert kept.verify("li.na", "another one, longer") is not None


def test_a_disabled_account_gets_in_nowhere(kept: Accounts) -> None:
    token = kept.open_session(kept.add("li.na", PASSWORD, ["viewer"]))
    disabled = kept.change("li.na", enabled=False)
    assert not disabled.may("view")
    assert kept.session(token) is None
    assert kept.verify("li.na", PASSWORD) is None


def test_another_process_that_changes_the_password_is_seen_at_once(kept: Accounts, store: Store) -> None:
    kept.add("li.na", PASSWORD, ["viewer"])
    assert kept.verify("li.na", PASSWORD) is not None
    Accounts(State(store)).change("li.na", password="another one, longer")
    assert kept.verify("li.na", PASSWORD) is None


def test_sessions_end_by_themselves_and_when_closed(kept: Accounts) -> None:
    account = kept.add("li.na", PASSWORD, ["viewer"])
    first, second = kept.open_session(account), kept.open_session(account)
    kept.close_session(first)
    assert kept.session(first) is None
    assert kept.session(second) == account
    kept.clock.now += accounts.SESSION_SECONDS * 1_000_000 + 1  # type: ignore[attr-defined]
    assert kept.session(second) is None


def test_composed_and_decomposed_characters_are_one_password(kept: Accounts) -> None:
    kept.add("li.na", "schöne Aussicht, 7", ["viewer"])
    assert kept.verify("li.na", "scho\u0308ne Aussicht, 7") is not None


@pytest.mark.parametrize(
    ("name", "password", "roles", "code"),
    [
        ("Li", PASSWORD, ["viewer"], "account.name"),
        ("li", "short", ["viewer"], "account.password"),
        ("li", "x" * 300, ["viewer"], "account.password"),
        ("li", "aaaaaaaaaaaaaaaa", ["viewer"], "account.password"),
        ("lina", "lina likes lamps", ["viewer"], "account.password"),
        ("li", PASSWORD, ["king"], "account.role"),
        ("li", PASSWORD, [], "account.role"),
    ],
)
def test_what_is_no_account_is_refused(
    kept: Accounts, name: str, password: str, roles: list[str], code: str
) -> None:
    with pytest.raises(BadValue) as raised:
        kept.add(name, password, roles)
    assert raised.value.code == code
    assert password not in str(raised.value)
    assert kept.all() == []


def test_names_are_unique_and_must_be_known(kept: Accounts) -> None:
    kept.add("li", PASSWORD, ["viewer"])
    with pytest.raises(Conflict):
        kept.add("li", PASSWORD, ["viewer"])
    with pytest.raises(NotFound):
        kept.change("wu", enabled=False)


def test_a_removed_account_gets_in_nowhere_at_once(kept: Accounts, store: Store) -> None:
    """Removed by another process; this one remembers that the password was right, and is not fooled."""
    kept.add("admin", PASSWORD, ["administrator"])
    token = kept.open_session(kept.add("li.na", PASSWORD, ["approver"]))
    assert kept.verify("li.na", PASSWORD) is not None
    other = Accounts(State(store), Clock())
    other.remove("li.na")
    assert kept.verify("li.na", PASSWORD) is None
    assert kept.session(token) is None
    assert [account.name for account in kept.all()] == ["admin"]
    with pytest.raises(NotFound):
        kept.remove("li.na")
    # Who comes after under the same name has nothing of who went.
    again = kept.add("li.na", "another lamp, a chair", ["viewer"])
    assert kept.session(token) is None
    assert kept.verify("li.na", PASSWORD) is None
    assert not again.may("approve")


def test_the_last_account_stays(kept: Accounts) -> None:
    """Where there is no account at all every name is let through, so one is always kept."""
    kept.add("admin", PASSWORD, ["administrator"])
    with pytest.raises(Refused, match=r"account\.last"):
        kept.remove("admin")
    assert kept.verify("admin", PASSWORD) is not None
