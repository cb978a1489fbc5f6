"""Watching a rollout: a live panel on a terminal, else a line whenever something changed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from driveaway.cli.output import console

if TYPE_CHECKING:
    from rich.table import Table

    from driveaway.launch.launch import Launch

_BAR: Final = 40
_ENDED: Final = ("finished", "stopped", "approval_denied")
_PARTS: Final = (
    ("succeeded", "█"),
    ("installing", "▒"),
    ("waiting", "░"),
    ("failed", "✗"),
    ("silent", "✗"),
    ("fallback", "✗"),
)


def watch_rollout(launch: Launch, name: str, every: float, *, once: bool) -> None:
    """Show a rollout again and again, until it ends or is interrupted.

    Raises:
        NotFound: there is no such rollout.
    """
    if once or not sys.stdout.isatty():
        _plainly(launch, name, every, once=once)
        return
    from rich.live import Live

    try:
        with Live(console=console(), refresh_per_second=4) as live:
            for told in _looks(launch, name, every):
                live.update(_panel(told))
    except KeyboardInterrupt:
        click.echo("stopped watching; the rollout goes on", err=True)


def _plainly(launch: Launch, name: str, every: float, *, once: bool) -> None:
    said = ""
    try:
        for told in _looks(launch, name, every):
            line = _line(told)
            if line != said:
                click.echo(line)
                said = line
            if once:
                return
    except KeyboardInterrupt:
        click.echo("stopped watching; the rollout goes on", err=True)


def _looks(launch: Launch, name: str, every: float) -> Iterator[dict[str, Any]]:
    from driveaway.launch.updates import rolling
    from driveaway.updates.rollouts import keeping

    while True:
        told = rolling.told(launch, keeping.find_rollout(launch.state, name))
        yield told
        if told["status"] in _ENDED:
            return
        time.sleep(every)


def _line(told: dict[str, Any]) -> str:
    counts = ", ".join(f"{told[part]:,} {part}" for part, _ in _PARTS)
    wave = f" wave {told['step']} of {told['steps']}" if told["step"] else ""
    waits = f"; {told['waits_for']}" if told["waits_for"] else ""
    return (
        f"{told['name']}: {told['status'].replace('_', ' ')}{wave}, {told['opened']:,} of {told['cars']:,}"
        f" cars open, {counts}{waits}"
    )


def standing_lines(told: dict[str, Any]) -> Iterator[str]:
    """How a rollout stands, in lines."""
    yield f"{told['name']}: {told['status'].replace('_', ' ')}, {told['release']} for {told['filter']}"
    yield f"  rule: {told['rule']}"
    if told["started"]:
        yield f"  started {told['started']}, last decided {told['decided'] or 'never'}"
    elif told["start_at"]:
        yield f"  the worker starts it at {told['start_at']}"
    if told["reason"]:
        yield f"  why: {told['reason']}"
    if told["waits_for"] and told["waits_for"] != told["reason"]:
        later = f" (not before {told['not_before']})" if told["not_before"] else ""
        yield f"  {told['waits_for']}{later}"
    yield f"  {told['cars']:,} cars, {told['held_out']:,} held out, {told['opened']:,} open"
    yield "  " + ", ".join(f"{told[name]:,} {name}" for name, _ in _PARTS)
    if told["declined"] or told["cancelled"]:
        yield f"  {told['declined']:,} declined, {told['cancelled']:,} cancelled"
    if told["passed_over"]:
        yield f"  {told['passed_over']:,} open cars are passed over: the release does not fit them yet"
    if told["recovered"]:
        yield f"  {told['recovered']:,} of those that failed succeeded on a later try"


def _panel(told: dict[str, Any]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    panel = Table.grid(padding=(0, 1))
    for line in standing_lines(told):
        panel.add_row(escape(line))
    panel.add_row(escape("  " + _bar(told)))
    return panel


def _bar(told: dict[str, Any]) -> str:
    """Cars by how far they are, readable without colour."""
    total = max(1, told["cars"])
    out = ""
    done = 0
    for part, sign in _PARTS:
        done += told[part]
        out += sign * (round(_BAR * done / total) - len(out))
    return f"[{out.ljust(_BAR, '·')}] {told['succeeded'] / total:.1%}"
