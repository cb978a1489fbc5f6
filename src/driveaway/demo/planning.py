"""The demo's plan: made and adopted on its last day, with a promise to one buyer of each trim."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from driveaway.facts import Draft
from driveaway.launch.launch import Launch
from driveaway.values.errors import Refused, Unavailable
from driveaway.values.ids import OrderId


def planned(launch: Launch, until: int | None) -> Iterator[Draft]:
    """The adopted plan and the promises; nothing where planning is not installed or no order waits.

    Args:
        launch: whose orders are simulated.
        until: the last moment that is simulated; None: the launch's today.
    """
    try:
        from driveaway.launch.planning import adopting, promising
        from driveaway.launch.planning.proposing import propose

        cut = launch.at(until)
        proposal = propose(launch, cut)
    except Unavailable as error:
        if error.code != "extra.missing":
            raise
        return
    except Refused as error:
        if error.code != "delivery.no_orders":
            raise
        return
    yield _of_the_demo(adopting.draft_of(launch, proposal))
    first: dict[str, OrderId] = {}
    windows = promising.windows_of(proposal)
    # Of each trim the order that has waited longest, of those that have a date and no car yet.
    columns = (proposal.orders[name].to_pylist() for name in ("order_id", "trim", "built"))
    for row, (order_id, trim, built) in enumerate(zip(*columns, strict=True)):
        if built is None and windows(row) is not None:
            first.setdefault(trim, OrderId(order_id))
    chosen = [first[trim] for trim in sorted(first)]
    yield from map(_of_the_demo, promising.drafts_of(launch, proposal, chosen, reason=None, at=None))


def _of_the_demo(draft: Draft) -> Draft:
    """A fact that the demo made: what somebody adopts or promises by hand in its folder is told from it."""
    return replace(draft, source=f"urn:driveaway:demo:{draft.kind}/{draft.subject}")
