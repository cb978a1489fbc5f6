"""Who signs what, with how many keys, for how long: the roles of TUF 1.0, section 2.1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from securesystemslib.signer import Key
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from driveaway.updates.signing.entries import SUPPLIERS
from driveaway.values.errors import BadValue
from driveaway.values.ids import parse_slug

ROOT: Final = Root.type
TARGETS: Final = Targets.type
SNAPSHOT: Final = Snapshot.type
TIMESTAMP: Final = Timestamp.type
OFFLINE: Final = (ROOT, TARGETS)
ONLINE: Final = (SNAPSHOT, TIMESTAMP)
_HOLDER: Final = "x-driveaway-holder"
_DAY: Final = 86_400
_PREFIX: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")


@dataclass(frozen=True)
class Period:
    """How long what a role signs holds, and how long before its end it is due again, in seconds."""

    lifetime: int
    renew: int

    def __post_init__(self) -> None:
        if not 0 < self.renew < self.lifetime:
            raise BadValue(
                f"a renewal {self.renew} s before the end does not fit a lifetime of {self.lifetime} s",
                code="updates.period",
                remedy="renew within the lifetime",
            )


@dataclass(frozen=True)
class Periods:
    """The period of each role. A short timestamp bounds how long a car can be kept back unawares."""

    root: Period = Period(365 * _DAY, 60 * _DAY)
    targets: Period = Period(180 * _DAY, 30 * _DAY)
    snapshot: Period = Period(7 * _DAY, 3 * _DAY)
    timestamp: Period = Period(2 * _DAY, 1 * _DAY)

    def of(self, role: str) -> Period:
        """The period of a role; a supplier's is that of targets."""
        period = getattr(self, role, self.targets)
        assert isinstance(period, Period)
        return period


TRIAL_PERIODS = Periods(root=Period(3650 * _DAY, 60 * _DAY), targets=Period(3650 * _DAY, 30 * _DAY))
"""Of a demonstration, which plays in the past and whose persons renew nothing."""


@dataclass(frozen=True)
class Rule:
    """The keys of a role, and how many of them must sign."""

    keys: tuple[Key, ...]
    threshold: int

    def __post_init__(self) -> None:
        if len({key.keyid for key in self.keys}) != len(self.keys):
            raise BadValue("a key stands twice in a role", code="updates.keys", remedy="name each once")
        if not 1 <= self.threshold <= len(self.keys):
            raise BadValue(
                f"{self.threshold} of {len(self.keys)} keys cannot sign",
                code="updates.threshold",
                remedy="at least 1 and at most the number of keys",
            )

    def among_persons(self, role: str) -> None:
        """Refuse a role that one person could fill alone.

        Raises:
            BadValue: fewer than two persons hold its keys, a key is nobody's, or somebody holds two.
        """
        holders = [holder_of(key) for key in self.keys]
        if "" in holders or len(set(holders)) != len(holders) or len(holders) < 2:
            raise BadValue(
                f"{role} is signed by persons: at least two, each with one key, and each key held by one",
                code="updates.holders",
                remedy="give every key its holder",
            )


@dataclass(frozen=True)
class Roles:
    """The four top-level roles: root and targets are signed by persons, the other two by a worker."""

    root: Rule
    targets: Rule
    snapshot: Rule
    timestamp: Rule

    def __post_init__(self) -> None:
        self.root.among_persons(ROOT)
        self.targets.among_persons(TARGETS)
        online = {key.keyid for rule in (self.snapshot, self.timestamp) for key in rule.keys}
        if shared := online & {key.keyid for rule in (self.root, self.targets) for key in rule.keys}:
            raise BadValue(
                f"key {min(shared)} would sign both online and for persons",
                code="updates.keys",
                remedy="keep the keys of root and targets away from every server",
            )

    def items(self) -> Iterator[tuple[str, Rule]]:
        """Each role's name and rule."""
        yield from ((role, getattr(self, role)) for role in (*OFFLINE, *ONLINE))


@dataclass(frozen=True)
class Supplier:
    """A supplier who signs the targets under its own path alone.

    Attributes:
        name: slug of the supplier.
        rule: its keys, and how many of them must sign.
        prefix: with which the names of its files begin; "": any name in its folder.
        terminating: whether the delegation ends the search, so that no other role answers for its path. It
            does in either case as long as each supplier has a folder of its own; other clients may ask.
        role: the name of its role.
        path: the pattern of its paths.
    """

    name: str
    rule: Rule
    prefix: str = ""
    terminating: bool = True
    role: str = field(init=False)
    path: str = field(init=False)

    def __post_init__(self) -> None:
        parse_slug(self.name)
        if self.prefix and _PREFIX.fullmatch(self.prefix) is None:
            raise BadValue(
                f"no file's name begins with {self.prefix[:40]!r}",
                code="updates.path",
                remedy="letters, digits and ._+- alone",
            )
        object.__setattr__(self, "role", supplier_role(self.name))
        object.__setattr__(self, "path", f"{SUPPLIERS}{self.name}/{self.prefix}*")
        self.rule.among_persons(self.role)


def supplier_role(name: str) -> str:
    """The name of a supplier's role."""
    return f"supplier.{name}"


def role_for(path: str) -> str:
    """The role that signs a target with this path: the supplier whose prefix it has, else targets."""
    if not path.startswith(SUPPLIERS):
        return TARGETS
    parts = path.split("/")
    if len(parts) != 3:
        raise BadValue(
            f"{path!r} is no path of a supplier",
            code="updates.path",
            remedy="suppliers/NAME/FILE, without further folders",
        )
    return supplier_role(parts[1])


def held(key: Key, holder: str) -> Key:
    """The key with its holder, an account name, which is signed along with it."""
    key.unrecognized_fields[_HOLDER] = str(parse_slug(holder))
    return key


def holder_of(key: Key) -> str:
    """Account name of the person who holds a key, or ""."""
    holder = key.unrecognized_fields.get(_HOLDER, "")
    return holder if isinstance(holder, str) else ""


def key_named(key: Key) -> str:
    """A key for people: whose it is, or the beginning of its id where nobody is said to hold it."""
    holder = holder_of(key)
    return f"the key of {holder}" if holder else f"key {key.keyid[:8]}"


def holders_in(documents: Iterable[Metadata[Any]]) -> dict[str, str]:
    """Who holds which key, by the key's id, as roots and delegations say it; nobody's are left out."""
    found: dict[str, str] = {}
    for document in documents:
        signed = document.signed
        if isinstance(signed, Root):
            keys = signed.keys
        elif isinstance(signed, Targets) and signed.delegations is not None:
            keys = signed.delegations.keys
        else:
            continue
        found.update((keyid, holder) for keyid, key in keys.items() if (holder := holder_of(key)))
    return found
