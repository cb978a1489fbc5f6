"""Commands about suppliers who sign their own software: release supplier (add, list, remove, sign, take)."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import click

from driveaway.cli.options import format_option, launch_option, opened
from driveaway.cli.output import print_json, print_rows
from driveaway.cli.release_keys import (
    by_option,
    force_option,
    names_of,
    reason_option,
    secret_of,
    secret_option,
    tell_proposed,
    updates_of,
)

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("supplier")
def supplier() -> None:
    """Let suppliers sign their own software, which releases of the maker then hold."""


@supplier.command("add")
@click.argument("name")
@click.option("--keys", required=True, metavar="KEY,…", help="The supplier's keys: of two persons or more.")
@click.option("--threshold", type=click.IntRange(min=1), default=1, show_default=True,
              help="How many of them must sign.")  # fmt: skip
@click.option("--prefix", default="", help="With which the names of its files begin; default: any name.")
@click.option("--not-terminating", is_flag=True,
              help="Clients may go on to look for its files with other roles.")  # fmt: skip
@reason_option
@by_option
@launch_option
def add(
    name: str, keys: str, threshold: int, prefix: str, not_terminating: bool, reason: str, by: str,
    folder: str | None, book_url: str | None,
) -> None:  # fmt: skip
    """Propose that NAME signs what is under suppliers/NAME/, or that it does so with other keys.

    Holders of the keys of targets and of the supplier's keys sign it.
    """
    from driveaway.launch.updates import supplying
    from driveaway.launch.updates.holding import RoleKeys
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        proposal = supplying.delegate(
            updates_of(launch), name, RoleKeys(names_of(keys), threshold), prefix=prefix,
            terminating=not not_terminating, by=by, at=now(), reason=reason,
        )  # fmt: skip
    tell_proposed(proposal.name)


@supplier.command("list")
@format_option("table", "json")
@launch_option
def listing(shape: str, folder: str | None, book_url: str | None) -> None:
    """List the suppliers: what they may sign, with whose keys, and which releases hold it."""
    from driveaway.launch.updates.supplying import told_suppliers

    with opened(folder, book_url) as launch:
        rows = told_suppliers(updates_of(launch))
    if shape == "json":
        print_json({"rows": rows})
    elif rows:
        print_rows(rows)
    else:
        click.echo("none yet: driveaway release supplier add")


@supplier.command("remove")
@click.argument("name")
@reason_option
@by_option
@launch_option
def remove(name: str, reason: str, by: str, folder: str | None, book_url: str | None) -> None:
    """Propose that a supplier signs no more; cars then refuse what it signed, in releases too."""
    from driveaway.launch.updates import supplying
    from driveaway.values.clock import now

    with opened(folder, book_url) as launch:
        updates = updates_of(launch)
        proposal = supplying.undelegate(updates, name, by=by, at=now(), reason=reason)
        held = supplying.releases_with(updates, name)
    tell_proposed(proposal.name)
    if held:
        click.echo(f"once it is published cars refuse: {', '.join(held)}; withdraw them", err=True)


@supplier.command("sign")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--supplier", "name", required=True, metavar="NAME", help="Whose software it is.")
@click.option("--module", required=True, help="Name of the module.")
@click.option("--version", "number", required=True, help="Version of the module.")
@click.option("--hardware", multiple=True, required=True, metavar="ID", help="What it runs on. Repeatable.")
@click.option(
    "--type", "kind", default="application", show_default=True, help="os, application, or your own."
)
@click.option("--scheme", type=click.Choice(["semver", "dotted", "date"]), default="semver",
              show_default=True, help="How its versions are ordered.")  # fmt: skip
@click.option("--counter", type=click.IntRange(min=1),
              help="Release counter, which never falls; default: the next.")  # fmt: skip
@click.option("--minimum", metavar="VERSION", help="Install over this version or a later one.")
@click.option("--exclude", multiple=True, metavar="VERSION", help="Never install over it. Repeatable.")
@click.option(
    "--needs", multiple=True, metavar="OTHER[>=VERSION]", help="Another module that the car must have."
)
@click.option("--conflicts", multiple=True, metavar="OTHER[>=VERSION]", help="One that it must not have.")
@click.option("--metadata", "bundle", required=True, type=_FILE, help="The maker's tuf-metadata.json.")
@click.option("--root", required=True, type=_FILE, help="The maker's root, from a source that is trusted.")
@click.option("--key", "key", required=True, metavar="KEY", help="Name of the key in the ring.")
@click.option("--keys", "ring", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Folder with keys.json.")  # fmt: skip
@click.option("--output", required=True, type=click.Path(dir_okay=False, path_type=Path),
              help="The proposal that is carried to the maker.")  # fmt: skip
@reason_option
@by_option
@secret_option
@force_option
def sign(
    files: tuple[Path, ...], name: str, module: str, number: str, hardware: tuple[str, ...], kind: str,
    scheme: str, counter: int | None, minimum: str | None, exclude: tuple[str, ...], needs: tuple[str, ...],
    conflicts: tuple[str, ...], bundle: Path, root: Path, key: str, ring: Path, output: Path, reason: str,
    by: str, secret_file: TextIO | None, force: bool,
) -> None:  # fmt: skip
    """Sign files on the supplier's side: without a launch, the maker's repository, or a network.

    Further holders sign the same proposal with driveaway release sign-file.
    """
    from driveaway.cli.release_terms import terms_of
    from driveaway.launch.updates.supplying import entries_of
    from driveaway.updates.signing.keys import KeyRing
    from driveaway.updates.signing.supplying import supplied
    from driveaway.values.clock import now

    own = [f"{module}={each}" for each in ([minimum] if minimum else [])]
    terms = terms_of(
        [module], (), tuple(own), tuple(f"{module}={each}" for each in exclude),
        tuple(f"{module}={each}" for each in needs), tuple(f"{module}={each}" for each in conflicts),
    ).get(module)  # fmt: skip
    entries = entries_of(
        name, files, module=module, version=number, hardware=hardware, type=kind, scheme=scheme,
        counter=counter, terms=terms,
    )  # fmt: skip
    proposal = supplied(
        f"{name}-{module}-{number}", name, entries, bundle=bundle.read_bytes(), root=root.read_bytes(),
        by=by, at=now(), reason=reason,
    )  # fmt: skip
    signer = KeyRing(ring).signer(key, secret_of(secret_file), files=force)
    output.write_bytes(proposal.signed_by(signer).encode())
    click.echo(f"{proposal.name}: signed with {key} in {output}")
    click.echo(f"next, the maker: driveaway release supplier take {output} FILES", err=True)


@supplier.command("take")
@click.argument("proposal", type=_FILE)
@click.argument("files", nargs=-1, required=True, type=_FILE)
@by_option
@launch_option
def take(proposal: Path, files: tuple[Path, ...], by: str, folder: str | None, book_url: str | None) -> None:
    """Take over what a supplier signed, with its files; signatures and files are verified."""
    from driveaway.launch.updates import supplying
    from driveaway.updates.signing.proposals import Proposal
    from driveaway.values.clock import now

    content = proposal.read_bytes()
    with opened(folder, book_url) as launch:
        made = supplying.take(updates_of(launch), content, files, now(), by=by)
    for module in made:
        click.echo(f"{module.name} {module.version}: taken over")
    click.echo(f"next: driveaway release publish {Proposal.parse(content).name}", err=True)
