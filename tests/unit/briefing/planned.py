"""What the figures of an adopted plan answer, for an asker in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

WEEKS = 20


def _expected() -> dict[str, Any]:
    first = date(2024, 4, 25)
    days = [first, *(date(2024, 4, 29) + timedelta(weeks=n) for n in range(WEEKS - 1))]
    rows = [
        {
            "week": f"{day:%G-W%V}", "first_day": day.isoformat(), "value": 2400 + 10 * n,
            "low": 1800 + 5 * n, "high": 2700 + 40 * n, "built": 2450 + 10 * n, "built_low": 1900,
            "built_high": 2800 + 40 * n, "simulated": True,
        }
        for n, day in enumerate(days)
    ]  # fmt: skip
    return {"title": "Handovers expected by week", "unit": "cars", "rows": rows, "simulated": True}


def _rows(title: str, unit: str, *rows: dict[str, Any]) -> dict[str, Any]:
    said = [{**row, "simulated": True} for row in rows]
    return {"title": title, "unit": unit, "rows": said, "simulated": True}


ANSWERS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "delivery.expected": lambda at, by, a: _expected(),
    "delivery.target_odds": lambda at, by, a: _rows(
        "Odds of each delivery target", "share",
        {"target": "year-2024", "value": 0.61, "cars_low": 72_000, "cars": 104_000, "cars_high": 139_000},
    ),
    "delivery.backlog_weeks": lambda at, by, a: _rows(
        "Backlog in weeks of output", "weeks",
        {"value": 26.2, "low": 21.0, "high": 39.0, "orders": 69_942, "cleared_by": "2024-10-22"},
    ),
    "delivery.binding": lambda at, by, a: _rows(
        "What holds deliveries back", "days of waiting",
        {"limit": "101 kWh pack", "week": "2024-W18", "value": 30.0, "amount": 1155.0, "used": 1155.0},
        *(
            {"limit": "beijing/1", "week": f"2024-W{week}", "value": 200.0, "amount": 2875.0, "used": 2875.0}
            for week in (18, 19)
        ),
    ),
    "delivery.promises": lambda at, by, a: _rows(
        "Handover windows promised", "orders",
        *(
            {
                "trim": trim, "value": number, "day": "2024-04-25", "first_day": "2024-05-02",
                "last_day": "2024-05-08", "confidence": 0.9, "province": "310000",
            }
            for number, trim in enumerate(("Max", "Pro", "Standard", "Ultra"), 1)
        ),
    ),
}  # fmt: skip
