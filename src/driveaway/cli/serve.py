"""Commands that run until they are stopped: the server for cars, the worker, and both together."""

from __future__ import annotations

import logging
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from driveaway.cli.ingest import BROKER, broker_options, ingest, read
from driveaway.cli.listening import listener_of, listening_options, telling
from driveaway.cli.serving import LINE, end_with, launch_options, orphaned
from driveaway.cli.stopping import stopped

if TYPE_CHECKING:
    from driveaway.launch.device import DeviceLaunch
    from driveaway.launch.reports import Reports
    from driveaway.updates.ddi.desk import DeviceDesk
    from driveaway.web.device.options import ServeOptions
    from driveaway.web.management.options import Opened

F = TypeVar("F", bound=Callable[..., Any])
_LOOK_EVERY: Final = 0.2
_GRACE: Final = 40.0
"""Seconds that a server and a worker have to end; the server ends requests within 30."""
_File = click.Path(exists=True, dir_okay=False, path_type=Path)


def _device_options(function: F) -> F:
    for option in reversed((
        listening_options(8080),
        click.option("--client-ca", type=_File, help="Who may sign cars' certificates, in PEM (mutual TLS)."),
        click.option("--client-cert-required", is_flag=True, help="A car must show a certificate."),
        click.option(
            "--rate", type=click.FloatRange(min=0, min_open=True), default=100.0, show_default=True,
            help="Requests a second that one car may make in the long run, three times as many at once.",
        ),
    )):  # fmt: skip
        function = option(function)
    return function


@dataclass(frozen=True)
class Room:
    """Opens the desk in the process that serves; a value that can be sent to it."""

    launch: DeviceLaunch

    def __call__(self) -> AbstractContextManager[DeviceDesk]:
        """The desk, open; what the server logs goes to stderr."""
        logging.basicConfig(level=logging.WARNING, format=LINE)
        if (parent := multiprocessing.parent_process()) is not None:
            end_with(parent.join)
        return self.launch.desk()


@dataclass(frozen=True)
class Intake:
    """Opens what takes in reports in the process that serves."""

    launch: DeviceLaunch

    def __call__(self) -> AbstractContextManager[Reports]:
        """What takes in reports, open."""
        return self.launch.reports()


def _worker_options(function: F) -> F:
    for option in (
        click.option(
            "--force-file-keys", is_flag=True, help="Use online keys in files, also outside a demonstration."
        ),
        click.option(
            "--every", type=click.FloatRange(min=1), default=10.0, show_default=True,
            help="Seconds between two looks of the worker at rollouts and at what is to be signed anew.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


@click.group("serve", invoke_without_command=True)
@_device_options
@_worker_options
@broker_options(required=False)
@launch_options
@click.pass_context
def serve(
    context: click.Context,
    /,
    folder: str | None,
    book_url: str | None,
    every: float,
    force_file_keys: bool,
    **given: Any,
) -> None:
    """Serve cars and run the worker beside, for a small set-up; stopped together.

    With --mqtt trips are read from a broker as well. Larger set-ups run `serve device` and `serve ingest`
    on as many machines as needed and `serve worker` on one that holds the online keys.
    """
    if context.invoked_subcommand is not None:
        return
    from driveaway.launch.device import find_launch

    launch = find_launch(folder, book_url)
    broker = {name: given.pop(name) for name in BROKER}
    _server_options(launch, given).check()
    launch.store().close()
    where = ["--launch", str(launch.folder), "--parent", str(os.getpid())]
    where += ["--book-url", book_url] if book_url else []
    server = ["device", *_words(given), *where]
    worker = ["worker", "--every", str(every), *where]
    worker += ["--force-file-keys"] if force_file_keys else []
    commands = [server, worker]
    if broker["mqtt"] is not None:
        read(broker)
        commands.append(["ingest", *_words(broker), *where])
    context.exit(_together(commands))


def _words(given: dict[str, Any]) -> Iterator[str]:
    """Options of another command, as they are written."""
    names = {"proxies": "trusted_proxy", "topics": "topic"}
    for name, value in given.items():
        option = "--" + names.get(name, name).replace("_", "-")
        for each in value if isinstance(value, tuple) else (value,):
            if each is True:
                yield option
            elif each not in (None, False, ""):
                yield from (option, str(each))


def _together(commands: Sequence[Sequence[str]]) -> int:
    """Run commands of this group beside each other until one ends or we are stopped; the exit code."""
    program = [sys.executable, "-m", "driveaway", "serve"]
    with stopped() as stop:
        children = [subprocess.Popen([*program, *command]) for command in commands]
        while not stop.is_set() and all(child.poll() is None for child in children):
            time.sleep(_LOOK_EVERY)
        ended = [child.returncode for child in children if child.poll() is not None]
        for child in children:
            child.terminate()
        until = time.monotonic() + _GRACE
        for child in children:
            try:
                child.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
    if stop.is_set() or not ended:
        return 0
    click.echo("one of them ended; the others were stopped", err=True)
    return ended[0] if ended[0] > 0 else 3


@serve.command("device")
@_device_options
@launch_options
@click.option("--parent", type=int, hidden=True)
def device(folder: str | None, book_url: str | None, parent: int | None, **given: Any) -> None:
    """Serve cars: hawkBit's Direct Device Integration, and the signed repository of software.

    Nothing listens beyond loopback unless --host says so, and then over TLS or behind a trusted proxy.
    """
    from driveaway.launch.device import find_launch
    from driveaway.web.device.serve import serve as run

    launch = find_launch(folder, book_url)
    options = _server_options(launch, given)
    options.check()
    launch.store().close()
    if parent is not None:
        end_with(lambda: orphaned(parent))
    run(options, telling("cars", options, f"/{options.door.tenant}/controller/v1/ID"))


def _server_options(launch: DeviceLaunch, given: dict[str, Any]) -> ServeOptions:
    from driveaway.web.device.options import DoorOptions, Limits, ServeOptions
    from driveaway.web.http.limits import Rate

    rate = given["rate"]
    door = DoorOptions(
        public=given["public_url"],
        trusted_proxies=given["proxies"],
        tuf=launch.tuf,
        limits=Limits(car=Rate(rate, max(1, round(3 * rate)))),
    )
    return ServeOptions(desk=Room(launch), door=door, reports=Intake(launch), **listener_of(given))


@serve.command("worker")
@_worker_options
@launch_options
@click.option("--parent", type=int, hidden=True)
def worker(
    folder: str | None, book_url: str | None, every: float, force_file_keys: bool, parent: int | None
) -> None:
    """Decide rollouts and sign what expires, with the online keys: one leader, others wait."""
    from driveaway.launch.launch import open_launch
    from driveaway.launch.updates.worker import run

    logging.basicConfig(level=logging.INFO, format=LINE)
    if parent is not None:
        end_with(lambda: orphaned(parent))
    with stopped() as stop, open_launch(folder, book_url=book_url) as launch:
        run(launch, stop, every, file_keys=force_file_keys)


@dataclass(frozen=True)
class StaffRoom:
    """Opens the room for staff tools in the process that serves."""

    launch: DeviceLaunch

    @contextmanager
    def __call__(self) -> Iterator[Opened]:
        """The room and the accounts, open; what the server logs goes to stderr."""
        from driveaway.launch.management import opened
        from driveaway.web.management.calls import Desk
        from driveaway.web.management.options import Opened

        logging.basicConfig(level=logging.WARNING, format=LINE)
        if (parent := multiprocessing.parent_process()) is not None:
            end_with(parent.join)
        with opened(self.launch) as found:
            yield Opened(Desk(found.state, found.artifacts, simulated=found.simulated), found.accounts)


@serve.command("management")
@listening_options(8081)
@launch_options
def management(folder: str | None, book_url: str | None, **given: Any) -> None:
    """Serve staff tools: hawkBit's Management API, for accounts of `driveaway account`."""
    from driveaway.launch.device import find_launch
    from driveaway.web.management.options import ManagementOptions, ServeOptions
    from driveaway.web.management.serve import serve as run

    launch = find_launch(folder, book_url)
    door = ManagementOptions(public=given["public_url"], trusted_proxies=given["proxies"])
    options = ServeOptions(StaffRoom(launch), door, **listener_of(given))
    options.check()
    launch.store().close()
    run(options, telling("staff tools", options, "/rest/v1"))


serve.add_command(ingest)
