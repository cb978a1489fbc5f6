"""A fact as a CloudEvent 1.0 in structured mode (JSON), wherever it is sent to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from driveaway.facts import Fact, kind_named
from driveaway.launch.exports.selecting import Chosen

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
WHOLE_SOURCE: Final = "urn:driveaway:source"
"""CloudEvents source of facts whose own source is no source and id with a slash between them."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_json: Final = msgspec.json.Encoder()


def shown(at: int) -> str:
    """An instant in RFC 3339, UTC."""
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.isoformat(timespec="microseconds" if at % 1_000_000 else "seconds").replace("+00:00", "Z")


def without_personal(fact: Fact, *, personal: bool) -> dict[str, Any]:
    """A body as plain data; personal fields only when asked for."""
    content: dict[str, Any] = msgspec.to_builtins(fact.body)
    if not personal:
        for name in fact.body.personal:
            content.pop(name, None)
    return content


def encoded_event(chosen: Chosen, *, personal: bool) -> bytes:
    """A fact as a CloudEvent.

    Extension attributes: ``sequence`` (the order of recording) and ``recordedtime`` of the CloudEvents
    extensions; ``driveawayversion`` of the kind; ``driveawayreplaces``, the source of the fact that this
    one corrects; ``driveawaysimulated``.
    """
    fact = chosen.fact
    source, _, own = fact.source.rpartition("/")
    if not source or not own:
        source, own = WHOLE_SOURCE, fact.source
    event: dict[str, Any] = {
        "specversion": "1.0",
        "type": f"driveaway.{fact.kind}",
        "source": source,
        "id": own,
        "subject": fact.subject,
        "time": shown(fact.happened),
        "recordedtime": shown(fact.recorded),
        "sequence": f"{fact.seq:015d}",
        "datacontenttype": "application/json",
        "driveawayversion": kind_named(fact.kind).version,
    }
    if chosen.corrects:
        event["driveawayreplaces"] = chosen.corrects
    if fact.simulated:
        event["driveawaysimulated"] = True
    event["data"] = without_personal(fact, personal=personal)
    return _json.encode(event)
