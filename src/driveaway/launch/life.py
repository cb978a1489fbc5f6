"""An order's whole life, for people."""

from __future__ import annotations

from typing import Any

import msgspec

from driveaway.launch.desk import state_of
from driveaway.launch.launch import Launch
from driveaway.values.clock import show
from driveaway.values.money import show_money
from driveaway.values.provinces import BY_CODE

_SHOWN = ("trim", "colour", "options", "province", "city", "outlet", "edition", "price")


def life(launch: Launch, order_id: str) -> dict[str, Any]:
    """Status, configuration, facts (corrected ones marked) and money of an order.

    Raises:
        NotFound: no fact speaks of it.
    """
    state = state_of(launch, order_id)
    facts = sorted(launch.book.about(order_id), key=lambda fact: (fact.happened, fact.seq))
    replaced = {fact.replaces: fact.seq for fact in facts if fact.replaces is not None}
    told: list[dict[str, Any]] = []
    for fact in facts:
        content = {k: v for k, v in msgspec.to_builtins(fact.body).items() if v not in (None, [], ())}
        says = ", ".join(
            f"{name} {_text(name, value, content)}" for name, value in content.items() if name != "currency"
        )
        if fact.subject != order_id:
            says = f"{fact.subject}: {says}"
        if fact.seq in replaced:
            says += f" (replaced by {replaced[fact.seq]})"
        if fact.erased:
            says += " (erased)"
        told.append(
            {
                "seq": fact.seq,
                "happened": show(fact.happened, launch.zone),
                "recorded": show(fact.recorded, launch.zone),
                "kind": fact.kind,
                "subject": fact.subject,
                "body": content,
                "says": says,
                "source": fact.source,
                "replaced_by": replaced.get(fact.seq),
                "simulated": fact.simulated,
            }
        )
    configuration: dict[str, str] = {}
    if state.configuration is not None:
        content = msgspec.to_builtins(state.configuration)
        configuration = {
            k: _text(k, content[k], content) for k in _SHOWN if content.get(k) not in (None, [], ())
        }
    money: dict[str, str] = {}
    if state.currency is not None:
        amounts = {
            "deposit taken": state.taken,
            "refunded": state.refunded,
            "forfeited": state.forfeited,
            # At handover the deposit counts towards the price: the maker holds it no longer.
            ("deposit held" if state.handed_over is None else "applied to the price"): state.held,
            "paid beside": state.paid,
        }
        money = {name: show_money(value, state.currency) for name, value in amounts.items()}
    return {
        "order": order_id,
        "status": state.status,
        "car": state.car,
        "configuration": configuration,
        "facts": told,
        "money": money,
        "simulated": any(fact.simulated for fact in facts),
    }


def _text(name: str, value: Any, content: dict[str, Any]) -> str:
    if name in ("price", "amount") and content.get("currency"):
        return show_money(int(value), content["currency"])
    if name == "province" and value in BY_CODE:
        return BY_CODE[value].name
    if isinstance(value, list):
        return "/".join(str(v.get("name", v)) if isinstance(v, dict) else str(v) for v in value)
    return str(value)
