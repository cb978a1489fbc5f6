"""Commands about the fleet: fleet export, fleet assess."""

from __future__ import annotations

import click

from driveaway.cli.fleet_moving import assess, export


@click.group("fleet")
def fleet() -> None:
    """Take in what cars report of their drives, and let some of it go where it may."""


fleet.add_command(export)
fleet.add_command(assess)
