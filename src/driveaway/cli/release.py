"""Commands of the release manager: release (add, create, propose, sign, publish, withdraw, …)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TextIO

import click

from driveaway.cli.options import format_option, launch_option, opened
from driveaway.cli.output import print_json, print_rows
from driveaway.cli.release_keys import (
    by_option,
    force_option,
    init,
    key,
    reason_option,
    renew,
    rotate,
    secret_of,
    secret_option,
    updates_of,
)
from driveaway.cli.release_resolving import resolve
from driveaway.cli.release_suppliers import supplier
from driveaway.cli.release_terms import pairs_of, terms_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("release")
def release() -> None:
    """Sign and publish software for cars: files, releases, keys, signatures."""


for _command in (key, init, rotate, renew, resolve, supplier):
    release.add_command(_command)


@release.command("add")
@click.argument("module")
@click.argument("version")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--hardware", multiple=True, required=True, metavar="ID", help="What it runs on. Repeatable.")
@click.option("--type", "kind", default="os", show_default=True, help="os, application, or your own.")
@click.option("--vendor", default="", help="Who made it.")
@click.option("--description", default="", help="For people.")
@click.option(
    "--scheme",
    type=click.Choice(["semver", "dotted", "date"]),
    default="semver",
    show_default=True,
    help="How its versions are ordered.",
)
@click.option(
    "--counter", type=click.IntRange(min=0), help="Release counter, which never falls; default: the next."
)
@click.option("--encrypted", is_flag=True, help="The files are encrypted for the car.")
@click.option("--by", default="", metavar="PERSON", help="Account name of who adds it.")
@launch_option
def add(
    module: str,
    version: str,
    files: tuple[Path, ...],
    hardware: tuple[str, ...],
    kind: str,
    vendor: str,
    description: str,
    scheme: str,
    counter: int | None,
    encrypted: bool,
    by: str,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Add a module with its files: SWU, RAUC bundle, or any other."""
    from driveaway.launch.updates import adding
    from driveaway.updates import software
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        updates = updates_of(launch)
        adding.add_software(
            updates, module, version, files, now(), hardware=hardware, type=kind, vendor=vendor,
            description=description, scheme=scheme, counter=counter, encrypted=encrypted, by=by,
        )  # fmt: skip
        made = adding.find_module(updates, module, version, kind)
        for file in software.artifacts(updates.state, made.id):
            click.echo(f"{module} {version}: {file.filename}, {file.size:,} bytes, sha256 {file.sha256}")


@release.command("create")
@click.argument("name")
@click.argument("version")
@click.option(
    "--module", "modules", multiple=True, required=True, metavar="NAME=VERSION[:TYPE]",
    help="What a car gets together. Repeatable.",
)  # fmt: skip
@click.option(
    "--function", "functions", multiple=True, metavar="[MODULE=]FUNCTION",
    help="A function that it brings, gated as functions.toml says. Repeatable.",
)  # fmt: skip
@click.option(
    "--minimum", multiple=True, metavar="MODULE=VERSION", help="Install over this version or a later one."
)
@click.option(
    "--exclude", multiple=True, metavar="MODULE=VERSION", help="Never install over this version. Repeatable."
)
@click.option(
    "--needs", multiple=True, metavar="MODULE=OTHER[>=VERSION]", help="Another module that the car must have."
)
@click.option(
    "--conflicts", multiple=True, metavar="MODULE=OTHER[>=VERSION]", help="One that it must not have."
)
@click.option("--type", "kind", default="", help="Of the distribution set; default: by its modules.")
@click.option("--notes", default="", help="What changes, for people.")
@click.option("--notes-file", type=click.File("r", encoding="utf-8"), help="The same from a file.")
@click.option("--by", default="", metavar="PERSON", help="Account name of who makes it.")
@launch_option
def create(
    name: str,
    version: str,
    modules: tuple[str, ...],
    functions: tuple[str, ...],
    minimum: tuple[str, ...],
    exclude: tuple[str, ...],
    needs: tuple[str, ...],
    conflicts: tuple[str, ...],
    kind: str,
    notes: str,
    notes_file: TextIO | None,
    by: str,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Put modules together to a release; prints the slug by which it is named from now on."""
    from driveaway.launch.updates import adding
    from driveaway.updates.releases import slug_of
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        updates = updates_of(launch)
        given = []
        for one, text in pairs_of("--module", modules):
            number, _, type_ = text.partition(":")
            given.append(adding.find_module(updates, one, number, type_))
        names = [module.name for module in given]
        terms = terms_of(names, functions, minimum, exclude, needs, conflicts)
        made = adding.create_release(
            updates, name, version, given, now(), by=by, type=kind,
            notes=notes_file.read() if notes_file is not None else notes, terms=terms,
        )  # fmt: skip
    click.echo(slug_of(made))


@release.command("propose")
@click.argument("slug", metavar="RELEASE")
@reason_option
@by_option
@launch_option
def propose(slug: str, reason: str, by: str, folder: str | None, book_url: str | None) -> None:
    """Propose that a release be signed; it does not change from now on."""
    from driveaway.launch.updates import releasing
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        proposal = releasing.propose(updates_of(launch), slug, by=by, at=now(), reason=reason)
    click.echo(f"{proposal.name}: proposed by {proposal.author}")


@release.command("sign")
@click.argument("proposal")
@click.option("--key", "name", required=True, metavar="KEY", help="Name of the key in the ring.")
@secret_option
@force_option
@launch_option
def sign(
    proposal: str,
    name: str,
    secret_file: TextIO | None,
    force: bool,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Sign a proposal with a key: a release by its slug, or another by its name."""
    from driveaway.launch.updates import releasing

    with opened(folder, book_url) as launch:
        standings = releasing.sign(
            updates_of(launch), proposal, name, secret=secret_of(secret_file), files=force
        )
    for stand in standings:
        missing = f"{stand.missing} missing" if stand.missing else "enough"
        if not stand.missing and not stand.four_eyes:
            missing = "somebody else than the author must sign"
        click.echo(f"{proposal}: {stand.role} signed by {', '.join(stand.signed) or 'nobody'}; {missing}")


@release.command("export")
@click.argument("proposal")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@launch_option
def export(proposal: str, file: Path, folder: str | None, book_url: str | None) -> None:
    """Write a proposal to a file, to be signed on a machine without a network."""
    with opened(folder, book_url) as launch:
        file.write_bytes(updates_of(launch).repository().proposal(proposal).encode())
    click.echo(f"{proposal}: written to {file}")


@release.command("sign-file")
@click.argument("file", type=_FILE)
@click.option("--key", "name", required=True, metavar="KEY", help="Name of the key in the ring.")
@click.option(
    "--keys", "ring", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with keys.json.",
)  # fmt: skip
@secret_option
@force_option
def sign_file(file: Path, name: str, ring: Path, secret_file: TextIO | None, force: bool) -> None:
    """Sign an exported proposal, without a launch and a network."""
    from driveaway.updates.signing.keys import KeyRing
    from driveaway.updates.signing.proposals import Proposal

    signer = KeyRing(ring).signer(name, secret_of(secret_file), files=force)
    signed = Proposal.parse(file.read_bytes()).signed_by(signer)
    file.write_bytes(signed.encode())
    click.echo(f"{signed.name}: signed with {name} in {file}")


@release.command("take")
@click.argument("file", type=_FILE)
@launch_option
def take(file: Path, folder: str | None, book_url: str | None) -> None:
    """Take over the signatures of a proposal that was signed elsewhere; each is verified."""
    from driveaway.updates.signing.proposals import Proposal

    with opened(folder, book_url) as launch:
        taken = updates_of(launch).repository().add(Proposal.parse(file.read_bytes()))
    click.echo(f"{taken.name}: signatures taken over")


@release.command("publish")
@click.argument("proposal")
@by_option
@secret_option
@force_option
@launch_option
def publish(
    proposal: str,
    by: str,
    secret_file: TextIO | None,
    force: bool,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Publish what is signed: where the worker's keys are, by somebody other than its author."""
    from driveaway.launch.updates import releasing
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        made = releasing.publish(
            updates_of(launch), proposal, by=by, at=now(), secret=secret_of(secret_file), files=force
        )
    click.echo(f"{proposal}: published" + ("; cars may be given it now" if made is not None else ""))


@release.command("drop")
@click.argument("proposal")
@launch_option
def drop(proposal: str, folder: str | None, book_url: str | None) -> None:
    """Forget a proposal that was not published."""
    from driveaway.launch.updates import releasing
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        releasing.drop(updates_of(launch), proposal, at=now())
    click.echo(f"{proposal}: dropped")


@release.command("withdraw")
@click.argument("slug", metavar="RELEASE")
@click.option("--reason", required=True, help="Why; it is recorded, signed and public.")
@by_option
@launch_option
def withdraw(slug: str, reason: str, by: str, folder: str | None, book_url: str | None) -> None:
    """Offer a release to no further car, at once; what runs goes on running."""
    from driveaway.launch.updates import releasing
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        done = releasing.withdraw(updates_of(launch), slug, reason, by=by, at=now())
    click.echo(f"{slug}: withdrawn; {len(done.cancelled):,} actions cancelled, {done.begun:,} go on")
    click.echo(
        f"so that cars refuse it wherever they get it: driveaway release sign {done.proposal} --key KEY,"
        " by several; then publish",
        err=True,
    )


@release.command("list")
@click.option("--modules", "software", is_flag=True, help="List modules instead.")
@format_option("table", "json")
@launch_option
def listing(software: bool, shape: str, folder: str | None, book_url: str | None) -> None:
    """List the releases, or the modules."""
    from driveaway.launch.updates.telling import told_releases, told_software

    with opened(folder, book_url) as launch:
        rows = (told_software if software else told_releases)(updates_of(launch))
    if shape == "json":
        print_json({"rows": rows})
    elif rows:
        print_rows(rows)
    else:
        click.echo("nothing yet: driveaway release add")


@release.command("show")
@click.argument("slug", metavar="RELEASE")
@format_option("table", "json")
@launch_option
def show(slug: str, shape: str, folder: str | None, book_url: str | None) -> None:
    """Show all about a release: modules, files, terms, and whose signature it awaits."""
    from driveaway.launch.updates.telling import told_release

    with opened(folder, book_url) as launch:
        told = told_release(updates_of(launch), slug)
    if shape == "json":
        print_json(told)
        return
    modules, awaits = told.pop("modules"), told.pop("awaits")
    print_rows([told])
    for module in modules:
        files = module.pop("files")
        said = {name: _joined(value) for name, value in module.items()}
        print_rows([{name: value for name, value in said.items() if value is not None}])
        print_rows(files)
    _tell_awaits(slug, awaits)


@release.command("status")
@format_option("table", "json")
@launch_option
def status(shape: str, folder: str | None, book_url: str | None) -> None:
    """Show who signs what, what expires when, and what awaits whose signature."""
    from driveaway.launch.updates.telling import told_status
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        told = told_status(updates_of(launch), now())
    if shape == "json":
        print_json(told)
        return
    if told["roles"]:
        print_rows(told["roles"])
    elif not told["proposals"]:
        click.echo("nothing is signed yet: driveaway release init")
    for proposal in told["proposals"]:
        click.echo(f"{proposal['proposal']}, proposed by {proposal['author']}: {proposal['reason'] or ''}")
        _tell_awaits(proposal["proposal"], proposal["awaits"])


def _tell_awaits(proposal: str, awaits: list[dict[str, Any]]) -> None:
    for stand in awaits:
        signed = ", ".join(stand["signed"]) or "nobody"
        if stand["missing"] or not stand["four_eyes"]:
            who = " or ".join(stand["may_sign"]) or "nobody"
            rest = f"awaits {stand['missing'] or 'a second person: 1'} of {who}"
        else:
            rest = "may be published"
        click.echo(f"  {stand['role']}: signed by {signed}; {rest}")


def _joined(value: Any) -> Any:
    return (", ".join(map(str, value)) or None) if isinstance(value, list) else value
