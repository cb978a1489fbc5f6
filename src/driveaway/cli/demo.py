"""The demo: a whole launch, made, briefed and drawn."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import click


@click.command("demo")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("launches/su7"),
    show_default=True,
    help="The launch folder to make.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Another seed, another simulated order book."
)
@click.option("--scale", type=float, default=1.0, show_default=True, help="Size, from 0.01 to 100.")
@click.option(
    "--until",
    metavar="DATE",
    help="Simulate up to this day. After the record's end (25 April 2024) the announced updates are played.",
)
@click.option("--quiet", is_flag=True, help="Do not print the briefing.")
@click.option(
    "--force", is_flag=True, help="Make it anew: delete the folder of an earlier demo with all that is in it."
)
def demo(directory: Path, seed: int, scale: float, until: str | None, quiet: bool, force: bool) -> None:
    """Make a simulated launch of the packaged case su7, and brief on it."""
    from driveaway import briefing as room
    from driveaway.cli.briefing import show
    from driveaway.cli.output import progress_bar
    from driveaway.demo.checkpoints import parse_scale
    from driveaway.demo.running import MARKER, beyond, holds_demo, make_demo, parse_until

    parse_scale(scale)
    parse_until(until)
    if said := beyond(until):
        click.echo(said, err=True)
    started = time.monotonic()
    if (directory / MARKER).exists():
        if not force and holds_demo(directory, seed, scale, until):
            click.echo(f"{directory} holds this demo already; reading it", err=True)
        else:
            shutil.rmtree(directory)
    if not (directory / MARKER).exists():
        click.echo(
            f"making {directory} (seed {seed}, scale {scale:g}); order-level data is simulated", err=True
        )
        with progress_bar("recording facts") as progress:
            expected = round(525_000 * scale)
            make_demo(
                directory,
                seed=seed,
                scale=scale,
                until=until,
                progress=lambda done, _: progress(min(done, expected), expected),
            ).close()
    from driveaway.launch.launch import open_launch
    from driveaway.launch.updates.briefed import BriefedFleet
    from driveaway.updates.rollouts import keeping
    from driveaway.updates.rollouts.plan import RolloutStatus

    with open_launch(directory) as launch, progress_bar("reading the book") as progress:
        launch.book.progress = progress
        cut = launch.at()  # the made launch.toml says as of when
        written = room.brief(cut, launch.description.language, BriefedFleet(launch, cut))
        page = directory / "briefing.html"
        page.write_text(room.render_html(written), encoding="utf-8")
        facts = launch.book.edge().size
        stopped = [each.name for each in keeping.all_rollouts(launch.state, RolloutStatus.STOPPED)]
        updates = bool(keeping.all_rollouts(launch.state))
    if not quiet:
        show(written)
    click.echo("")
    click.echo(f"{facts:,} facts in {directory}, made and briefed in {time.monotonic() - started:.0f} s")
    click.echo(f"the briefing with pictures: {page}")
    click.echo("next:")
    program = _program()
    played = [f"release list --launch {directory}"] if updates else []
    played += [f"rollout history {name} --picture stopped.svg --launch {directory}" for name in stopped[:1]]
    if updates:
        played.append(f"functions show city_navigation --by place --launch {directory}")
    for line in (
        *played,
        f"claims --launch {directory}",
        f"figure orders.locked --by trim,week --launch {directory}",
        f"figure cars.delivered --as-of 2024-04-18 --launch {directory}",
        f"verify --launch {directory}",
        "new my-launch",
    ):
        click.echo(f"  {program} {line}")


def _program() -> str:
    """How this program can be called from here: by its name where the shell finds it, else by its path."""
    name = "driveaway"
    if shutil.which(name):
        return name
    beside = Path(sys.executable).with_name(name)
    try:
        return str(beside.relative_to(Path.cwd()))
    except ValueError:
        return str(beside)
