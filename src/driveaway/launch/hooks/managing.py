"""What an administrator does with the webhooks of an opened launch, and what is told about them."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import msgspec

from driveaway.launch.exports.events import shown
from driveaway.launch.hooks import keeping
from driveaway.launch.hooks.keeping import Hook
from driveaway.launch.persons import check_person
from driveaway.values.clock import now, show
from driveaway.values.errors import BadValue, Unavailable

if TYPE_CHECKING:
    from driveaway.launch.hooks.sending import Reply
    from driveaway.launch.launch import Launch

_PERMISSION = "administer"
_TEST = "urn:driveaway:webhook"


def add_hook(
    launch: Launch,
    name: str,
    url: str,
    kinds: Collection[str],
    *,
    by: str,
    first: int | None = None,
    plain_http: bool = False,
) -> Hook:
    """Add a hook; it is told of what is recorded from now on, or from the fact of seq ``first`` on.

    Raises:
        BadValue, Conflict, Refused: as of ``keeping.add``, or ``by`` may not.
    """
    check_person(launch, by, _PERMISSION)
    with launch.state.change() as change:
        return keeping.add(
            change, name, url, kinds, now(), cursor=_cursor(launch, first), by=by, plain_http=plain_http
        )


def resume_hook(launch: Launch, name: str, *, by: str, first: int | None = None) -> Hook:
    """Let a hook go on, with the fact that it stopped at, or with that of seq ``first``.

    Raises:
        NotFound: there is none.
        BadValue: there is no such fact yet.
        Refused: ``by`` may not.
    """
    check_person(launch, by, _PERMISSION)
    with launch.state.change() as change:
        cursor = None if first is None else _cursor(launch, first)
        return keeping.resume(change, name, now(), cursor=cursor)


def remove_hook(launch: Launch, name: str, *, by: str) -> None:
    """Remove a hook.

    Raises:
        NotFound: there is none.
        Refused: ``by`` may not.
    """
    check_person(launch, by, _PERMISSION)
    with launch.state.change() as change:
        keeping.remove(change, name)


def try_hook(launch: Launch, name: str, *, by: str) -> Reply:
    """Send a message that is no fact, of type ``driveaway.webhook.tested``, once; what came of it.

    Raises:
        NotFound: there is no such hook.
        Refused: ``by`` may not.
        Unavailable: the HTTP client is not installed.
    """
    check_person(launch, by, _PERMISSION)
    hook = keeping.find(launch.state, name)
    try:
        from driveaway.launch.hooks.sending import Sender
    except ImportError as error:
        raise Unavailable(
            "webhooks need an HTTP client", code="webhook.client", remedy="pip install 'driveaway[updates]'"
        ) from error
    at, own = now(), secrets.token_hex(12)
    body = msgspec.json.encode(
        {
            "specversion": "1.0",
            "type": "driveaway.webhook.tested",
            "source": _TEST,
            "id": own,
            "subject": hook.name,
            "time": shown(at),
            "datacontenttype": "application/json",
            "data": {"kinds": hook.kinds},
        }
    )
    sender = Sender(hook.url)
    try:
        return sender.send(hook, f"{_TEST}/{own}", body, at)
    finally:
        sender.close()


def told_hooks(launch: Launch) -> list[dict[str, Any]]:
    """Every hook, by name; never its secret."""
    return [_told(launch, hook) for hook in keeping.all_hooks(launch.state)]


def told_hook(launch: Launch, name: str) -> dict[str, Any]:
    """One hook; never its secret.

    Raises:
        NotFound: there is none.
    """
    return _told(launch, keeping.find(launch.state, name))


def _told(launch: Launch, hook: Hook) -> dict[str, Any]:
    return {
        "name": hook.name,
        "url": hook.url,
        "kinds": list(hook.kinds),
        "state": hook.state,
        "reason": hook.reason or None,
        "cursor": hook.cursor,
        "waiting": keeping.waiting(launch.state, hook),
        "delivered": hook.delivered,
        "delivered_at": _time(launch, hook.delivered_at),
        "attempts": hook.attempts,
        "failing_since": _time(launch, hook.failing_since),
        "next_try": _time(launch, hook.next_try) if hook.enabled else None,
        "said": hook.said or None,
        "created": _time(launch, hook.created),
        "created_by": hook.created_by or None,
    }


def _cursor(launch: Launch, first: int | None) -> int:
    size = launch.book.edge().size
    if first is None:
        return size
    if not 1 <= first <= size + 1:
        raise BadValue(
            f"there is no fact {first} yet",
            code="webhook.from",
            remedy=f"1 to {size + 1}, or leave it out",
        )
    return first - 1


def _time(launch: Launch, at: int | None) -> str | None:
    return None if at is None else show(at, launch.zone)
