"""The command that reads trips from a broker until it is stopped."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from driveaway.cli.serving import LINE, end_with, launch_options, orphaned
from driveaway.cli.stopping import stopped

if TYPE_CHECKING:
    from driveaway.web.mqtt.options import Broker, Subscription

F = TypeVar("F", bound=Callable[..., Any])
PASSWORD: Final = "DRIVEAWAY_MQTT_PASSWORD"
"""Environment variable with the broker's password, which stands in no list of processes."""
BROKER: Final = (
    "mqtt", "topics", "client_id", "share", "names", "mqtt_ca", "mqtt_cert", "mqtt_key", "receive_maximum",
    "session_days",
)  # fmt: skip
"""Names of the options about the broker."""
_File = click.Path(exists=True, dir_okay=False, path_type=Path)


def broker_options(*, required: bool) -> Callable[[F], F]:
    """The options about the broker; ``required``: it must be named."""

    def decorate(function: F) -> F:
        for option in reversed((
            click.option(
                "--mqtt", metavar="URL", required=required,
                help=f"Broker to read trips from: mqtt[s]://USER@HOST:PORT; its password in {PASSWORD}.",
            ),
            click.option(
                "--topic", "topics", multiple=True, default=("driveaway/+/trips",), show_default=True,
                help="Topic filter; + where a car writes its VIN. Repeatable.",
            ),
            click.option(
                "--client-id", default="driveaway-ingest", show_default=True,
                help="Name of the session that the broker keeps; each reader has its own.",
            ),
            click.option("--share", metavar="GROUP", help="Share the messages with the group's readers."),
            click.option(
                "--names", type=click.Choice(["trips", "vss"]), default="trips", show_default=True,
                help="Names of the fields in JSON: of trips, or of COVESA's VSS and the overlay.",
            ),
            click.option("--mqtt-ca", type=_File, help="Who may sign the broker's certificate, in PEM."),
            click.option("--mqtt-cert", type=_File, help="Certificate to show to the broker, in PEM."),
            click.option("--mqtt-key", type=_File, help="Its private key in PEM."),
            click.option(
                "--receive-maximum", type=click.IntRange(1, 65535), default=2000, show_default=True,
                help="Messages that the broker may send before the first is acknowledged.",
            ),
            click.option(
                "--session-days", type=click.IntRange(1, 40_000), default=14, show_default=True,
                help="Days that the broker keeps messages while nobody reads.",
            ),
        )):  # fmt: skip
            function = option(function)
        return function

    return decorate


def read(given: Mapping[str, Any]) -> tuple[Broker, Subscription]:
    """The broker and what is read there, as the options say.

    Raises:
        BadValue: one of them cannot be.
    """
    from driveaway.web.mqtt.options import Subscription, read_broker

    broker = read_broker(
        given["mqtt"], os.environ.get(PASSWORD), given["mqtt_ca"], given["mqtt_cert"], given["mqtt_key"]
    )
    subscription = Subscription(
        topics=tuple(given["topics"]),
        client_id=given["client_id"],
        share=given["share"],
        names=given["names"],
        expiry=min(given["session_days"] * 86_400, 2**32 - 2),
        receive_maximum=given["receive_maximum"],
    )
    subscription.check()
    return broker, subscription


@click.command("ingest")
@broker_options(required=True)
@launch_options
@click.option("--parent", type=int, hidden=True)
def ingest(folder: str | None, book_url: str | None, parent: int | None, **given: Any) -> None:
    """Read trips from an MQTT broker; a message is acknowledged once its rows are on disk and in the book."""
    broker, subscription = read(given)
    try:
        from driveaway.web.mqtt.ingest import Ingester
        from driveaway.web.mqtt.session import Session
    except ModuleNotFoundError as error:
        if error.name != "paho":
            raise
        from driveaway.values.errors import Unavailable

        raise Unavailable(
            "MQTT needs its client",
            code="mqtt.client",
            remedy="pip install 'driveaway[fleet]'",
        ) from error
    from driveaway.launch.device import find_launch
    from driveaway.values.clock import SECOND

    logging.basicConfig(level=logging.INFO, format=LINE)
    launch = find_launch(folder, book_url)
    tolerance = launch.description().fleet.plausible.clock_seconds * SECOND
    if parent is not None:
        end_with(lambda: orphaned(parent))
    with stopped() as stop, launch.landing() as landing:
        session = Session(broker, subscription)
        ingester = Ingester(session, landing, subscription, tolerance, simulated=launch.simulated)
        said = Event()

        def ready() -> None:
            if not said.is_set():
                said.set()
                click.echo(f"trips: {broker.place} {' '.join(subscription.filters)}")
                sys.stdout.flush()

        session.start(ready)
        try:
            ingester.run(stop)
        finally:
            session.stop()
    click.echo(f"{ingester.rows} rows landed, {ingester.quarantined} put aside", err=True)
