"""Webhooks in the operational tables: who is told of which facts, and how far each has been told.

The book is the outbox: a hook keeps the seq of the last fact that it needs no more, and nothing is queued.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Collection, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from driveaway.book.state.state import Change, Reading
from driveaway.facts import kind_named
from driveaway.launch.hooks.signing import new_secret
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused

MOST: Final = 50
"""Hooks of one book: each is served by a thread of the worker."""
_LONGEST_URL: Final = 2_000
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_URL: Final = re.compile(r"[\x21-\x7e]+")
_MOST_SAID: Final = 500


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook. Times are microseconds since 1970 UTC.

    Attributes:
        url: where facts are sent.
        kinds: of facts that are sent.
        secret: what is signed with.
        enabled: False: it was given up, for ``reason``.
        revision: rises whenever somebody changes it.
        cursor: seq of the last fact that needs no sending any more.
        delivered: facts that were taken, and when the last one was.
        attempts: how often the next fact failed.
        failing_since: when it first did; None: the last one was taken.
        next_try: when it is tried next at the earliest.
        said: what was last said against it.
    """

    id: int
    name: str
    url: str
    kinds: tuple[str, ...]
    secret: str
    enabled: bool
    revision: int
    cursor: int
    delivered: int
    delivered_at: int | None
    attempts: int
    failing_since: int | None
    next_try: int | None
    said: str
    reason: str
    created_by: str
    created: int

    def __repr__(self) -> str:
        # The secret must not end up in a log.
        return f"Hook({self.name})"

    @property
    def state(self) -> str:
        """``delivering``, ``retrying`` or ``given up``."""
        if not self.enabled:
            return "given up"
        return "retrying" if self.attempts else "delivering"


_COLUMNS: Final = ", ".join(Hook.__struct_fields__)


def _hook(row: Sequence[Any]) -> Hook:
    fields = dict(zip(Hook.__struct_fields__, row, strict=True))
    fields["kinds"] = tuple(json.loads(fields["kinds"]))
    fields["enabled"] = bool(fields["enabled"])
    return Hook(**fields)


def check_url(url: str, *, plain_http: bool = False) -> str:
    """An address that facts may be sent to.

    Raises:
        BadValue: it is no address of http or https, or carries a name, a password or a fragment.
        Refused: it is http and leads beyond this machine, and ``plain_http`` does not force it.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host or not _URL.fullmatch(url):
        raise BadValue(f"{url[:200]!r} is no address", code="webhook.url", remedy="write https://HOST/PATH")
    if parts.username is not None or parts.fragment or len(url) > _LONGEST_URL:
        raise BadValue(
            "the address carries a name, a password or a fragment, or is too long",
            code="webhook.url",
            remedy=f"write https://HOST/PATH in {_LONGEST_URL} characters; messages are signed anyway",
        )
    if parts.scheme == "http" and not _is_loopback(host) and not plain_http:
        raise Refused(
            f"facts would travel to {host} in the clear",
            code="webhook.plain",
            remedy="use https, or force it: --plain-http",
        )
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def add(
    change: Change,
    name: str,
    url: str,
    kinds: Collection[str],
    at: int,
    *,
    cursor: int,
    by: str = "",
    plain_http: bool = False,
) -> Hook:
    """Add a hook; its secret, in what is returned, is to be shown once.

    Args:
        change: where it is written.
        name: unique; a slug.
        url: where facts are sent.
        kinds: which facts.
        at: now.
        cursor: seq of the last fact that is not sent: the mark, for a hook that begins now.
        by: who adds it.
        plain_http: forces an address of http beyond this machine.

    Raises:
        BadValue: the name, the address or a kind is none; no kind was given.
        Conflict: the name is taken.
        Refused: it would travel in the clear, or there are 50 already.
    """
    if not _NAME.fullmatch(name):
        raise BadValue(
            f"{name[:80]!r} is no webhook's name",
            code="webhook.name",
            remedy="lower-case letters, digits, dot, hyphen or underscore, 63 at most",
        )
    check_url(url, plain_http=plain_http)
    if not kinds:
        raise BadValue("it is not said which facts are sent", code="webhook.kinds", remedy="name kinds")
    for kind in kinds:
        kind_named(kind)
    if change.rows("SELECT 1 FROM webhooks WHERE name = :name", name=name):
        raise Conflict(f"there is a webhook {name}", code="webhook.exists", remedy="choose another name")
    if len(change.rows("SELECT id FROM webhooks")) >= MOST:
        raise Refused(
            f"there are {MOST} webhooks already",
            code="webhook.most",
            remedy="remove one, or send on from one",
        )
    change.insert(
        "webhooks",
        name=name,
        url=url,
        kinds=json.dumps(sorted(set(kinds))),
        secret=new_secret(),
        cursor=cursor,
        created_by=by,
        created=at,
        modified=at,
    )
    return find(change, name)


def find(reading: Reading, hook: str | int) -> Hook:
    """A hook by its name or id.

    Raises:
        NotFound: there is none.
    """
    by = "id" if isinstance(hook, int) else "name"
    rows = reading.rows(f"SELECT {_COLUMNS} FROM webhooks WHERE {by} = :given", given=hook)
    if not rows:
        raise NotFound(
            f"there is no webhook {hook!r}", code="webhook.unknown", remedy="driveaway webhook list"
        )
    return _hook(rows[0])


def all_hooks(reading: Reading) -> list[Hook]:
    """Every hook, by name."""
    return [_hook(row) for row in reading.rows(f"SELECT {_COLUMNS} FROM webhooks ORDER BY name")]


def remove(change: Change, name: str) -> None:
    """Remove a hook; what is being sent may still arrive.

    Raises:
        NotFound: there is none.
    """
    change.run("DELETE FROM webhooks WHERE id = :id", id=find(change, name).id)


def resume(change: Change, name: str, at: int, *, cursor: int | None = None) -> Hook:
    """Let a hook that was given up, or waits, go on at once.

    Args:
        change: where it is written.
        name: of the hook.
        at: now.
        cursor: go on after this seq instead of where it stopped.

    Raises:
        NotFound: there is none.
    """
    found = find(change, name)
    change.run(
        "UPDATE webhooks SET enabled = 1, revision = revision + 1, cursor = :cursor, attempts = 0,"
        " failing_since = NULL, next_try = NULL, said = '', reason = '', modified = :at WHERE id = :id",
        cursor=found.cursor if cursor is None else cursor,
        at=at,
        id=found.id,
    )
    return find(change, name)


def waiting(reading: Reading, hook: Hook) -> int:
    """How many facts it has still to be told of."""
    kinds = {f"k{number}": kind for number, kind in enumerate(hook.kinds)}
    named = ", ".join(f":{name}" for name in kinds)
    ((count,),) = reading.rows(
        f"SELECT COUNT(*) FROM fact WHERE seq > :cursor AND kind IN ({named})", cursor=hook.cursor, **kinds
    )
    return int(count)


# --- what the worker notes: nothing where somebody changed the hook meanwhile -----------------------------


def note_taken(change: Change, hook: Hook, cursor: int, delivered: int, at: int) -> bool:
    """Note up to where facts were taken, or need no sending; False: the hook was changed or removed."""
    setting = (
        ", delivered = delivered + :delivered, delivered_at = :at, attempts = 0, failing_since = NULL,"
        " next_try = NULL, said = ''"
    )
    values = {"delivered": delivered, "at": at} if delivered else {}
    return bool(
        change.run(
            f"UPDATE webhooks SET cursor = :cursor{setting if delivered else ''}"
            " WHERE id = :id AND revision = :revision",
            cursor=cursor,
            id=hook.id,
            revision=hook.revision,
            **values,
        )
    )


def note_failed(change: Change, hook: Hook, at: int, next_try: int, said: str, given_up: str = "") -> bool:
    """Note a failure, and with ``given_up`` that it is tried no more; False: the hook was changed."""
    return bool(
        change.run(
            "UPDATE webhooks SET attempts = attempts + 1, failing_since = COALESCE(failing_since, :at),"
            " next_try = :next_try, said = :said, enabled = :enabled, reason = :reason"
            " WHERE id = :id AND revision = :revision",
            at=at,
            next_try=next_try,
            said=said[:_MOST_SAID],
            enabled=int(not given_up),
            reason=given_up,
            id=hook.id,
            revision=hook.revision,
        )
    )
