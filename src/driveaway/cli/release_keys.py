"""Commands about who signs: release key (new, add, list), init, rotate, renew."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, TypeVar

import click

from driveaway.cli.options import format_option, launch_option, opened
from driveaway.cli.output import print_json, print_rows

if TYPE_CHECKING:
    from driveaway.launch.launch import Launch
    from driveaway.launch.updates.holding import RoleKeys
    from driveaway.launch.updates.opening import Updates

F = TypeVar("F", bound=Callable[..., Any])

by_option = click.option("--by", required=True, metavar="PERSON", help="Account name of who does it.")
reason_option = click.option("--reason", default="", help="Why; it is signed and public.")
force_option = click.option(
    "--force-file-keys",
    "force",
    is_flag=True,
    help="Let private keys lie in files though the launch is no demonstration.",
)


def secret_option(function: F) -> F:
    """``--secret-file``: where a PIN or passphrase is read; left out, it is asked for."""
    return click.option(
        "--secret-file",
        type=click.File("r", encoding="utf-8"),
        help="Its first line is the PIN or passphrase; - is stdin. Left out, it is asked for where needed.",
    )(function)


def secret_of(file: TextIO | None) -> Callable[[str], str]:
    """Gives the secret of a name: from the file, else by asking without showing what is typed."""
    if file is not None:
        line = str(file.readline()).rstrip("\r\n")
        return lambda name: line
    return lambda name: str(click.prompt(name, hide_input=True, err=True))


def updates_of(launch: Launch) -> Updates:
    """What an opened launch has for updates."""
    from driveaway.launch.updates.opening import open_updates

    return open_updates(launch)


@click.group("key")
def key() -> None:
    """Keep the keys that sign: public halves, holders, and the way to private halves."""


@key.command("new")
@click.argument("name")
@click.option("--holder", default="", metavar="PERSON", help="Who holds it; left out: the worker.")
@click.option("--kind", type=click.Choice(["ed25519", "ecdsa", "rsa"]), default="ed25519", show_default=True)
@click.option("--encrypt", is_flag=True, help="Encrypt the file by a passphrase.")
@secret_option
@force_option
@launch_option
def new(
    name: str,
    holder: str,
    kind: str,
    encrypt: bool,
    secret_file: TextIO | None,
    force: bool,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Make a key in a file beside the launch; for demonstrations and tests."""
    from driveaway.launch.updates import holding

    passphrase = ""
    if secret_file is not None:
        passphrase = secret_of(secret_file)(name)
    elif encrypt:
        passphrase = str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True))
    with opened(folder, book_url) as launch:
        holding.new_key(updates_of(launch), name, holder, kind=kind, passphrase=passphrase, force=force)
    click.echo(f"{name}: {kind}, held by {holder or 'the worker'}, in a file")


@key.command("add")
@click.argument("name")
@click.option("--holder", default="", metavar="PERSON", help="Who holds it; left out: the worker.")
@click.option(
    "--uri",
    default="",
    help="Where the private half is: hsm: (PKCS#11), awskms:, gcpkms:, azurekms:, hv: and others."
    " Left out: its holder alone has it, such as a supplier.",
)
@click.option("--public", "public", type=click.File("rb"), required=True, help="The public half in PEM.")
@force_option
@launch_option
def add(
    name: str,
    holder: str,
    uri: str,
    public: BinaryIO,
    force: bool,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Register a key whose private half is in a security module, a key service, or with its holder."""
    from driveaway.launch.updates import holding

    with opened(folder, book_url) as launch:
        updates = updates_of(launch)
        holding.add_key(updates, name, holder, uri, public.read(), force=force)
        place = updates.keys.place(name)
    where = f"reached by {place}:" if place else "its private half is not here"
    click.echo(f"{name}: held by {holder or 'the worker'}, {where}")


@key.command("list")
@format_option("table", "json")
@launch_option
def listing(shape: str, folder: str | None, book_url: str | None) -> None:
    """List the keys and their holders; nothing secret is shown."""
    from driveaway.launch.updates.telling import told_keys

    with opened(folder, book_url) as launch:
        rows = told_keys(updates_of(launch))
    if shape == "json":
        print_json({"rows": rows})
        return
    print_rows([row | {"holder": row["holder"] or "the worker", "keyid": row["keyid"][:12]} for row in rows])


def role_options(function: F) -> F:
    """The keys of the four roles."""
    for option in (
        click.option("--timestamp", required=True, metavar="KEY,…", help="Keys of the worker."),
        click.option("--snapshot", required=True, metavar="KEY,…", help="Keys of the worker."),
        click.option("--targets-threshold", type=click.IntRange(min=1), default=2, show_default=True),
        click.option("--targets", required=True, metavar="KEY,…", help="Keys of who signs releases."),
        click.option("--root-threshold", type=click.IntRange(min=1), default=2, show_default=True),
        click.option("--root", required=True, metavar="KEY,…", help="Keys of who says which keys count."),
    ):
        function = option(function)
    return function


@click.command("init")
@role_options
@by_option
@launch_option
def init(by: str, folder: str | None, book_url: str | None, **given: Any) -> None:
    """Begin a repository: propose its first root, which its holders then sign."""
    from driveaway.launch.updates import holding
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        proposal = holding.init(updates_of(launch), **_roles(given), by=by, at=now())
    tell_proposed(proposal.name)


@click.command("rotate")
@click.argument("name")
@role_options
@reason_option
@by_option
@launch_option
def rotate(name: str, by: str, reason: str, folder: str | None, book_url: str | None, **given: Any) -> None:
    """Propose other keys or thresholds, as the proposal NAME; holders of old and new ones sign."""
    from driveaway.launch.updates import holding
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        proposal = holding.rotate(updates_of(launch), name, **_roles(given), by=by, at=now(), reason=reason)
    tell_proposed(proposal.name)


@click.command("renew")
@click.argument("role", type=click.Choice(["root", "targets"]))
@click.argument("name")
@reason_option
@by_option
@launch_option
def renew(role: str, name: str, reason: str, by: str, folder: str | None, book_url: str | None) -> None:
    """Propose that a role's metadata hold for a further period, as the proposal NAME."""
    from driveaway.launch.updates import holding
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        proposal = holding.renew(updates_of(launch), name, role, by=by, at=now(), reason=reason)
    tell_proposed(proposal.name)


def _roles(given: dict[str, Any]) -> dict[str, Any]:
    from driveaway.launch.updates.holding import RoleKeys

    def role(name: str) -> RoleKeys:
        return RoleKeys(names_of(given[name]), given[f"{name}_threshold"])

    return {
        "root": role("root"),
        "targets": role("targets"),
        "snapshot": names_of(given["snapshot"]),
        "timestamp": names_of(given["timestamp"]),
    }


def names_of(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def tell_proposed(proposal: str) -> None:
    """Say what comes next."""
    click.echo(f"{proposal}: proposed")
    click.echo(f"next: driveaway release sign {proposal} --key KEY, by several; then publish", err=True)
