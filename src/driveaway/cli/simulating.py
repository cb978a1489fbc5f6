"""The command car simulate: many simulated cars at the real server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from driveaway.cli.options import format_option, launch_option
from driveaway.updates.car.fleet.behaviour import Fetch

if TYPE_CHECKING:
    from driveaway.launch.device import DeviceLaunch
    from driveaway.updates.car.fleet.fleet import Fleet

_Share = click.FloatRange(0, 1)
_Seconds = click.FloatRange(min=0)


@click.command("simulate")
@click.option("--cars", type=click.IntRange(1, 999_999), default=1000, show_default=True)
@click.option("--server", metavar="URL", help="The server; default: one of its own, as long as this runs.")
@click.option("--tenant", default="DEFAULT", show_default=True)
@click.option("--minutes", type=_Seconds, default=5.0, show_default=True, help="How long they poll.")
@click.option("--failing", type=_Share, default=0.0, show_default=True, help="Share of updates that fail.")
@click.option(
    "--silent", type=_Share, default=0.0, show_default=True, help="Share after which a car is not heard of."
)
@click.option("--install", type=_Seconds, default=10.0, show_default=True, help="Seconds to install, mean.")
@click.option("--reboot", type=_Seconds, default=20.0, show_default=True, help="Seconds to reboot, mean.")
@click.option("--poll", type=_Seconds, help="Seconds between two polls; default: as the server says.")
@click.option(
    "--fetch", type=click.Choice(get_args(Fetch)), default="head", show_default=True, help="Of the software."
)
@click.option(
    "--connections",
    type=click.IntRange(1, 20_000),
    default=200,
    show_default=True,
    help="Shared by all.",
)
@click.option("--ramp", type=_Seconds, default=10.0, show_default=True, help="Seconds over which they begin.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another one, other cars fail.")
@click.option(
    "--log", type=click.Path(dir_okay=False, path_type=Path), help="File of the messages that were taken."
)
@format_option("table", "json")
@launch_option
def simulate(
    cars: int,
    server: str | None,
    tenant: str,
    minutes: float,
    connections: int,
    ramp: float,
    log: Path | None,
    shape: str,
    folder: str | None,
    book_url: str | None,
    **behaviour: Any,
) -> None:
    """Let simulated cars poll the real server and do what it asks.

    They are entered in the launch at hand as targets of the type `simulated`, with tokens of their own; the
    facts about them say that they are simulated. Assign releases or start a rollout while this runs.
    """
    import asyncio

    from driveaway.cli.stopping import stopped
    from driveaway.launch.device import find_launch
    from driveaway.updates.car.fleet.behaviour import Behaviour
    from driveaway.updates.car.fleet.entering import enter
    from driveaway.updates.car.fleet.fleet import Fleet
    from driveaway.updates.car.fleet.line import place_of
    from driveaway.values.clock import now

    launch = find_launch(folder, book_url)
    wishes = Behaviour(**behaviour)
    with launch.state() as state:
        members = enter(state, cars, now(), tenant)
    click.echo(f"{len(members):,} simulated cars are entered", err=True)
    with ExitStack() as opened:
        url = server or opened.enter_context(_server(launch, book_url))
        write = _acknowledged(opened.enter_context(log.open("a")) if log else None)
        fleet = Fleet(members, place_of(url), wishes, connections=connections, ramp=ramp, acknowledged=write)
        stop = opened.enter_context(stopped())
        began = time.monotonic()
        with asyncio.Runner(loop_factory=_loop()) as runner:
            runner.run(fleet.run(60 * minutes, _progress(began), stop=stop.is_set))
    _print(fleet, time.monotonic() - began, shape)


def _acknowledged(file: Any) -> Any:
    if file is None:
        return lambda *_: None
    return lambda car, action, said, detail: file.write(f"{car}\t{action}\t{said}\t{detail}\n")


def _loop() -> Any:
    """uvloop's, where it is installed: it takes less of the machine from the server."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


@contextmanager
def _server(launch: DeviceLaunch, book_url: str | None) -> Iterator[str]:
    """A server for cars on a free port; its URL."""
    from driveaway.values.errors import Unavailable

    command = [sys.executable, "-m", "driveaway", "serve", "device", "--port", "0"]
    command += ["--launch", str(launch.folder), "--parent", str(os.getpid())]
    command += ["--book-url", book_url] if book_url else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            said = child.stdout.readline() if child.stdout else ""
            word, _, url = said.strip().partition(" ")
            if word != "cars:":
                raise Unavailable("the server did not start", code="fleet.server", remedy="see above")
            yield url.partition("/DEFAULT/")[0]
        finally:
            child.terminate()


def _progress(began: float) -> Any:
    rewritten = sys.stderr.isatty()

    def told(fleet: Fleet) -> None:
        counts = fleet.counts
        seconds = time.monotonic() - began
        ended = ", ".join(f"{number:,} {how}" for how, number in sorted(counts.ended.items()))
        p99 = counts.latencies.percentile(0.99)
        text = (
            f"{seconds:5.0f} s  {counts.latencies.total:,} requests"
            f" ({counts.latencies.total / seconds:,.0f}/s)"
            f"{'' if p99 is None else f', p99 {1000 * p99:.1f} ms'}, {counts.lost:,} lost,"
            f" {fleet.late:,} wait; updates: {ended or 'none ended'}"
        )
        click.echo(f"\r\x1b[K{text}" if rewritten else text, err=True, nl=not rewritten)

    return told


def _print(fleet: Fleet, seconds: float, shape: str) -> None:
    from driveaway.cli.output import print_json, print_rows

    counts = fleet.counts
    times = {
        name: None if (value := counts.latencies.percentile(share)) is None else round(1000 * value, 2)
        for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99), ("p999_ms", 0.999))
    }
    told = {
        "simulated": True,
        "cars": len(fleet.members),
        "seconds": round(seconds, 1),
        "requests": counts.latencies.total,
        "requests_per_second": round(counts.latencies.total / seconds, 1),
        **times,
        "lost": counts.lost,
        "updates": dict(sorted(counts.ended.items())),
    }
    asked = [{"asked": kind, "answers": number} for kind, number in sorted(counts.requests.items())]
    statuses = {str(status): number for status, number in sorted(counts.statuses.items())}
    if shape == "json":
        print_json({**told, "statuses": statuses, "rows": asked})
        return
    click.echo(
        f"simulated: {told['cars']:,} cars, {told['seconds']} s, {told['requests']:,} requests"
        f" ({told['requests_per_second']:,}/s), {counts.lost:,} lost and made again"
    )
    click.echo(", ".join(f"{name.replace('_ms', '')} {value} ms" for name, value in times.items()))
    click.echo(", ".join(f"status {status}: {number:,}" for status, number in statuses.items()))
    ended = ", ".join(f"{number:,} {how}" for how, number in sorted(counts.ended.items()))
    click.echo(f"updates that ended: {ended or 'none'}")
    print_rows(asked)
