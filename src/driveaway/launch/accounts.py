"""Accounts of staff: who may publish, approve, operate or only look; their passwords and sessions.

Passwords are kept as scrypt (RFC 7914) with a salt of their own; of a session only a digest of its token is
kept, so nothing in the tables lets anybody in.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from driveaway.book.state.state import State
from driveaway.values.clock import now
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused


@dataclass(frozen=True)
class Role:
    """What a person may do."""

    name: str
    meaning: str
    permissions: frozenset[str]


_VIEW: Final = frozenset({"view"})
ROLES: Final = (
    Role("viewer", "sees everything, changes nothing", _VIEW),
    Role("operator", "registers cars, assigns, starts, pauses and stops rollouts", _VIEW | {"operate"}),
    Role("publisher", "adds software and proposes releases and rollouts", _VIEW | {"publish"}),
    Role("approver", "approves what somebody else has proposed", _VIEW | {"approve"}),
    Role("administrator", "keeps accounts and settings", _VIEW | {"administer"}),
)

LEAST_PASSWORD: Final = 12
"""Characters of a password (NIST SP 800-63B asks for 8 at least, 15 where it is the only factor)."""
MOST_PASSWORD: Final = 256
SESSION_SECONDS: Final = 12 * 3600
# RFC 7914 with OWASP's least cost: 32 MiB and some 80 ms of one core.
_COST: Final = (2**15, 8, 1)
_NAME: Final = re.compile(r"[a-z][a-z0-9._-]{0,62}")
_COLUMNS: Final = "id, name, password, roles, enabled, created"
_VERIFIED_FOR: Final = 300_000_000


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person or a program that may log in. ``created`` is in microseconds UTC."""

    id: int
    name: str
    roles: tuple[str, ...]
    enabled: bool
    created: int

    def may(self, permission: str) -> bool:
        """Whether one of the account's roles has this permission."""
        return self.enabled and any(
            permission in role.permissions for role in ROLES if role.name in self.roles
        )

    def require(self, permission: str) -> None:
        """Refuse what no role of the account permits.

        Raises:
            Refused: names the roles that would.
        """
        if not self.may(permission):
            having = " or ".join(role.name for role in ROLES if permission in role.permissions)
            raise Refused(
                f"{self.name} may not {permission}",
                code="account.forbidden",
                remedy=f"ask somebody who is {having}",
            )


@dataclass
class Accounts:
    """The accounts of one book.

    A password that was right is remembered for five minutes under a keyed digest, in this process only:
    clients that send it with every request would otherwise cost 80 ms each time.
    """

    state: State
    clock: Callable[[], int] = now
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _verified: dict[bytes, tuple[str, int]] = field(default_factory=dict, repr=False)

    def add(self, name: str, password: str, roles: Collection[str]) -> Account:
        """Add an account.

        Raises:
            BadValue: the name, the password or a role is not one.
            Conflict: the name is taken.
        """
        if not _NAME.fullmatch(name):
            raise BadValue(
                f"{name!r} is not an account's name",
                code="account.name",
                remedy="lower-case letters, digits, dot, hyphen or underscore, a letter first",
            )
        kept, given, at = _hashed(_checked(password, name)), _known(roles), self.clock()
        with self.state.change() as change:
            if change.rows("SELECT id FROM accounts WHERE name = :name", name=name):
                raise Conflict(
                    f"there is an account {name}", code="account.exists", remedy="choose another name"
                )
            change.insert(
                "accounts", name=name, password=kept, roles=json.dumps(given), created=at, modified=at
            )
        return self.named(name)

    def named(self, name: str) -> Account:
        """The account of this name.

        Raises:
            NotFound: there is none.
        """
        found = self.state.rows(f"SELECT {_COLUMNS} FROM accounts WHERE name = :name", name=name)
        if not found:
            raise NotFound(
                f"there is no account {name!r}", code="account.missing", remedy="driveaway account list"
            )
        return _account(found[0])

    def all(self) -> list[Account]:
        """Every account, by name."""
        return [_account(row) for row in self.state.rows(f"SELECT {_COLUMNS} FROM accounts ORDER BY name")]

    def change(
        self,
        name: str,
        *,
        password: str | None = None,
        roles: Collection[str] | None = None,
        enabled: bool | None = None,
    ) -> Account:
        """Change what is given; a new password, or disabling, ends the account's sessions.

        Raises:
            NotFound: there is no such account.
            BadValue: the password or a role is not one.
        """
        account = self.named(name)
        values: dict[str, str | int] = {"modified": self.clock()}
        if password is not None:
            values["password"] = _hashed(_checked(password, name))
        if roles is not None:
            values["roles"] = json.dumps(_known(roles))
        if enabled is not None:
            values["enabled"] = int(enabled)
        sets = ", ".join(f"{column} = :{column}" for column in values)
        with self.state.change() as change:
            change.run(f"UPDATE accounts SET {sets} WHERE id = :account", account=account.id, **values)
            if password is not None or enabled is False:
                change.run("DELETE FROM sessions WHERE account = :account", account=account.id)
        self._verified.clear()
        return self.named(name)

    def remove(self, name: str) -> None:
        """Take an account out; its sessions end at once. What it signed or decided stays under its name.

        Raises:
            NotFound: there is no such account.
            Refused: it is the last one: where there is none, every name is let through.
        """
        account = self.named(name)
        with self.state.change() as change:
            ((others,),) = change.rows(
                "SELECT COUNT(*) FROM accounts WHERE id <> :account", account=account.id
            )
            if not others:
                raise Refused(
                    f"{name} is the last account; without any, every name is let through",
                    code="account.last",
                    remedy="add another one first, or disable this one",
                )
            change.run("DELETE FROM sessions WHERE account = :account", account=account.id)
            change.run("DELETE FROM accounts WHERE id = :account", account=account.id)
        self._verified.clear()

    def verify(self, name: str, password: str) -> Account | None:
        """The account, when name and password are right and it is enabled; else None, as slowly."""
        digest = hmac.digest(self._key, f"{name}\0{password}".encode(), "sha256")
        known = self._verified.get(digest)
        found = self.state.rows(f"SELECT {_COLUMNS} FROM accounts WHERE name = :name", name=name)
        kept = found[0][2] if found else _NOBODY
        if known is None or known != (kept, known[1]) or known[1] < self.clock():
            if not _matches(password, kept) or not found:
                return None
            if len(self._verified) > 1_000:
                self._verified.clear()
            self._verified[digest] = (kept, self.clock() + _VERIFIED_FOR)
        account = _account(found[0])
        return account if account.enabled else None

    # --- sessions ---

    def open_session(self, account: Account) -> str:
        """Begin a session; its token, which is told once and kept nowhere."""
        token, at = secrets.token_urlsafe(32), self.clock()
        with self.state.change() as change:
            change.run("DELETE FROM sessions WHERE expires < :at", at=at)
            change.run(
                "INSERT INTO sessions (digest, account, created, expires)"
                " VALUES (:digest, :account, :at, :expires)",
                digest=_digest(token),
                account=account.id,
                at=at,
                expires=at + SESSION_SECONDS * 1_000_000,
            )
        return token

    def session(self, token: str) -> Account | None:
        """The account of a session that has not expired; None without one."""
        columns = ", ".join(f"a.{name.strip()}" for name in _COLUMNS.split(","))
        found = self.state.rows(
            f"SELECT {columns} FROM sessions s JOIN accounts a ON a.id = s.account"
            " WHERE s.digest = :digest AND s.expires >= :at AND a.enabled = 1",
            digest=_digest(token),
            at=self.clock(),
        )
        return _account(found[0]) if found else None

    def close_session(self, token: str) -> None:
        """End a session; nothing happens when there is none."""
        with self.state.change() as change:
            change.run("DELETE FROM sessions WHERE digest = :digest", digest=_digest(token))


def _account(row: Sequence[object]) -> Account:
    number, name, _, roles, enabled, created = row
    return msgspec.convert(
        {
            "id": number,
            "name": name,
            "roles": json.loads(str(roles)),
            "enabled": bool(enabled),
            "created": created,
        },
        Account,
    )


def _known(roles: Collection[str]) -> list[str]:
    names = [role.name for role in ROLES]
    for role in roles:
        if role not in names:
            raise BadValue(
                f"{role!r} is not a role", code="account.role", remedy=f"one of {', '.join(names)}"
            )
    if not roles:
        raise BadValue("an account needs a role", code="account.role", remedy=f"one of {', '.join(names)}")
    return [name for name in names if name in roles]


def _checked(password: str, name: str) -> str:
    # The value itself is never told: errors end up in logs.
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise BadValue(
            f"the password has {len(password)} characters",
            code="account.password",
            remedy=f"give {LEAST_PASSWORD} to {MOST_PASSWORD}",
        )
    if name in password.lower() or len(set(password)) < 5:
        raise BadValue(
            "the password is easily guessed",
            code="account.password",
            remedy="leave the name out of it and use more different characters",
        )
    return password


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(16)
    n, r, p = _COST
    return f"scrypt${n}${r}${p}${salt.hex()}${_derived(password, salt, n, r, p).hex()}"


def _matches(password: str, kept: str) -> bool:
    _, n, r, p, salt, digest = kept.split("$")
    derived = _derived(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(derived, bytes.fromhex(digest))


def _derived(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # The same characters typed on another keyboard may come composed otherwise (NIST SP 800-63B, 5.1.1.2).
    text = unicodedata.normalize("NFKC", password[:MOST_PASSWORD]).encode()
    return hashlib.scrypt(text, salt=salt, n=n, r=r, p=p, maxmem=2**27, dklen=32)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


_NOBODY: Final = f"scrypt${_COST[0]}${_COST[1]}${_COST[2]}${'00' * 16}${'00' * 32}"
"""What an unknown name's password is compared with, so that it takes as long as a known one's."""
