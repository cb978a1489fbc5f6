"""Commands about the reference client: car new, run, show, functions; and a simulated fleet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driveaway.cli.options import format_option, launch_option, pairs
from driveaway.cli.simulating import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from driveaway.updates.car.client import Car, Verifier
    from driveaway.updates.car.memory import Identity

_Folder = click.Path(file_okay=False, path_type=Path)
_File = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("car")
def car() -> None:
    """A car in a folder: polls, verifies every byte, installs into the other of two slots, reports."""


car.add_command(simulate)


@car.command("new")
@click.argument("directory", type=_Folder, metavar="DIR")
@click.option("--server", required=True, metavar="URL", help="Where it polls, such as https://cars.example.")
@click.option("--id", "controller_id", required=True, metavar="VIN", help="The id by which it polls.")
@click.option("--any-id", is_flag=True, help="The id is no VIN: take it as it stands.")
@click.option("--tenant", default="DEFAULT", show_default=True)
@click.option(
    "--token-file",
    type=click.File("r", encoding="ascii"),
    help="Its first line is the car's token; - is stdin.",
)
@click.option("--register", is_flag=True, help="Enter the car in the launch at hand, with a fresh token.")
@click.option("--root", type=_File, help="Root metadata of the maker's repository, from a trusted source.")
@click.option(
    "--unsigned", is_flag=True, help="Install whatever the server gives. For trials of a server alone."
)
@click.option(
    "--signs/--no-signs",
    default=True,
    show_default=True,
    help="Whether the car gets a key of its own, by which it signs what it runs.",
)
@click.option("--hardware", multiple=True, metavar="ID", help="A control unit that it has. Repeatable.")
@click.option("--attribute", multiple=True, metavar="NAME=VALUE", help="What it says of itself. Repeatable.")
@click.option("--certificates", type=_File, help="Certificates that it trusts, in PEM.")
@launch_option
def new(
    directory: Path,
    server: str,
    controller_id: str,
    any_id: bool,
    tenant: str,
    token_file: Any,
    register: bool,
    root: Path | None,
    unsigned: bool,
    signs: bool,
    hardware: tuple[str, ...],
    attribute: tuple[str, ...],
    certificates: Path | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Make a car: who it is, where it polls, and whose signatures it trusts."""
    from driveaway.updates.car.memory import Identity, Memory
    from driveaway.updates.registry import check_controller_id, check_token
    from driveaway.values.errors import BadValue
    from driveaway.values.ids import parse_vin

    if not any_id:
        try:
            controller_id = parse_vin(controller_id)
        except BadValue as error:
            error.remedy += "; --any-id takes what is no VIN"
            raise error.at("--id") from None
    check_controller_id(controller_id)
    if (token_file is not None) == register:
        raise BadValue(
            "a car has one token", code="car.token", remedy="give --token-file, or --register at the launch"
        )
    if (root is not None) and unsigned:
        raise BadValue("signed or not", code="car.root", remedy="give --root or --unsigned")
    token, at_hand = "", None
    if register:
        token, at_hand = _registered(controller_id, folder, book_url)
    else:
        token = check_token(token_file.readline().strip())
    root = root or (None if unsigned else at_hand)
    if root is None and not unsigned:
        raise BadValue(
            "whom shall it trust?",
            code="car.root",
            remedy="give --root with the repository's root metadata, or --unsigned for a trial",
        )
    identity = Identity(
        controller_id=controller_id,
        server=server,
        tenant=tenant,
        credential=f"TargetToken {token}",
        hardware=hardware,
        attributes=_attributes(attribute),
        certificates=None if certificates is None else str(certificates.resolve()),
        signed=not unsigned,
    )
    directory.mkdir(parents=True, exist_ok=True)
    Memory(directory).name(identity)
    if signs:
        from driveaway.updates.car.signing import make_key

        public = make_key(directory)
        if register:
            _enter_key(controller_id, public, folder, book_url)
        else:
            click.echo(f"its reports are signed; enter this as its note report.key: {public}")
    if root is not None:
        from driveaway.updates.car.verifying import pin

        pin(directory, root.read_bytes())
    click.echo(f"{controller_id} polls at {server}; next: driveaway car run {directory}")


def _attributes(given: tuple[str, ...]) -> dict[str, str]:
    named = pairs(given)
    # `pairs` writes names as Python does; attributes keep theirs.
    return {argument.partition("=")[0]: value for argument, value in zip(given, named.values(), strict=True)}


def _registered(controller_id: str, folder: str | None, book_url: str | None) -> tuple[str, Path | None]:
    """The token of a car, entered now if it was not; and the repository's first root, if there is one."""
    from driveaway.launch.device import find_launch
    from driveaway.updates import registry
    from driveaway.values.clock import now

    launch = find_launch(folder, book_url)
    with launch.state() as state, state.change() as change:
        target = registry.find_target(change, controller_id)
        if target is None:
            target = registry.create(change, controller_id, now())
    root = launch.tuf / "metadata" / "1.root.json"
    return target.security_token, root if root.is_file() else None


def _enter_key(controller_id: str, public: str, folder: str | None, book_url: str | None) -> None:
    """Enter a car's public key: from now on only what it signs says what it runs."""
    from driveaway.launch.device import find_launch
    from driveaway.updates import labels, reports
    from driveaway.values.clock import now

    with find_launch(folder, book_url).state() as state, state.change() as change:
        notes = {reports.KEY: public, reports.COUNTER: None}
        labels.set_metadata(change, controller_id, notes, now())


@car.command("run")
@click.argument("directory", type=_Folder, metavar="DIR")
@click.option("--once", is_flag=True, help="Do what there is to do now, and end.")
@click.option("--for", "seconds", type=click.FloatRange(min=0), metavar="SECONDS", help="End after so long.")
@click.option(
    "--driver",
    type=click.Choice(["agrees", "declines", "asks"]),
    default="agrees",
    show_default=True,
    help="What the driver says to what is soft or is to be confirmed; asks: at this terminal.",
)
def run(directory: Path, once: bool, seconds: float | None, driver: str) -> None:
    """Poll, and do what is asked, until stopped. What a loss of power broke off goes on at the next start."""
    from driveaway.cli.stopping import stopped
    from driveaway.updates.car.driving import drive, settle

    with _opened(directory, driver) as opened:
        if once:
            settle(opened, _told)
            return
        with stopped() as stop:
            drive(opened, seconds=seconds, told=_told, stopped=lambda wait: stop.wait(wait))


def _told(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()


@contextmanager
def _opened(directory: Path, driver: str) -> Iterator[Car]:
    from driveaway.updates.car.client import Car
    from driveaway.updates.car.memory import Memory

    memory = Memory(directory)
    identity = memory.identity()
    with memory.alone():
        opened = Car(directory, _verifier(directory, identity), agrees=_driver(driver))
        try:
            yield opened
        finally:
            opened.close()


def _verifier(directory: Path, identity: Identity) -> Verifier:
    if identity.signed:
        from driveaway.updates.car.verifying import SignedVerifier, online

        return SignedVerifier(directory, identity.hardware, online(identity))
    from driveaway.updates.car.parts import unsigned

    click.echo("warning: this car installs whatever its server gives, signed or not", err=True)
    return unsigned


def _driver(says: str) -> Callable[[Mapping[str, Any]], bool]:
    if says == "asks":
        return lambda asked: click.confirm(f"install {_named(asked)}?", err=True)
    return lambda _: says == "agrees"


def _named(asked: Mapping[str, Any]) -> str:
    chunks = asked.get("chunks") or ()
    return ", ".join(f"{chunk.get('name')} {chunk.get('version')}" for chunk in chunks) or "an update"


@car.command("show")
@click.argument("directory", type=_Folder, metavar="DIR")
@format_option("table", "json")
def show(directory: Path, shape: str) -> None:
    """Show who a car is, what it runs, and how far an update has come."""
    from driveaway.cli.output import print_json, print_rows
    from driveaway.updates.car.memory import Memory
    from driveaway.updates.car.slots import SLOTS, Slots

    memory, slots = Memory(directory), Slots(directory / "slots")
    identity, pending = memory.identity(), memory.pending()
    rows: list[dict[str, Any]] = []
    for slot in SLOTS:
        held = slots.manifest(slot)
        rows.append({
            "slot": slot,
            "runs": slot == slots.running,
            "release": None if held is None else held.name,
            "version": None if held is None else held.version,
            "whole": None if held is None else slots.verify(slot),
        })  # fmt: skip
    about = {
        "id": identity.controller_id,
        "server": identity.server,
        "signed": identity.signed,
        "hardware": list(identity.hardware),
        "attributes": identity.attributes,
        "update": None if pending is None else {"action": pending.action, "step": pending.step},
    }
    if shape == "json":
        print_json({**about, "rows": rows})
        return
    click.echo(f"{about['id']} at {about['server']}" + ("" if identity.signed else ", trusts whatever comes"))
    print_rows(rows)
    if pending is not None:
        click.echo(f"action {pending.action}: {pending.step}")


@car.command("functions")
@click.argument("directory", type=_Folder, metavar="DIR")
@click.option("--at", "place", metavar="LON,LAT", help="Where the car is, in degrees WGS-84.")
@format_option("table", "json")
def functions(directory: Path, place: str | None, shape: str) -> None:
    """Say which functions the car may switch on now, by the signed policies that it holds, offline."""
    from driveaway.cli.output import print_json, print_rows
    from driveaway.updates.car.functions import functions_of
    from driveaway.updates.car.memory import Memory
    from driveaway.updates.car.slots import Slots
    from driveaway.updates.places.place import position
    from driveaway.values.clock import now

    identity = Memory(directory).identity()
    slots = Slots(directory / "slots")
    found = functions_of(
        slots.manifest(slots.running),
        identity,
        at=now(),
        standing=_standing(directory, identity),
        position=None if place is None else position(*_degrees(place)),
    )
    rows: list[dict[str, Any]] = [
        {
            "function": each.name,
            "available": each.available,
            "reasons": [str(reason) for reason in each.reasons],
        }
        for each in found
    ]
    if shape == "json":
        print_json({"rows": rows})
    elif not rows:
        click.echo("its software brings no function")
    else:
        print_rows([{**row, "reasons": "; ".join(row["reasons"]) or None} for row in rows])


def _standing(directory: Path, identity: Identity) -> Any:
    if not identity.signed:
        return "unverified"
    from driveaway.updates.car.verifying import SignedVerifier, online
    from driveaway.values.clock import now

    until = SignedVerifier(directory, identity.hardware, online(identity)).trust.until
    if until is None:
        return "unverified"
    return "valid" if now() < until else "expired"


def _degrees(text: str) -> tuple[float, float]:
    from driveaway.values.errors import BadValue

    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError:
        raise BadValue(
            f"{text!r} is no position", code="car.position", remedy="LON,LAT such as 114.27,30.58"
        ) from None
    return longitude, latitude
