"""Commands about accounts of staff: account add, list, change, remove."""

from __future__ import annotations

from typing import TextIO

import click

from driveaway.cli.options import format_option, launch_option, opened
from driveaway.cli.output import print_json, print_rows
from driveaway.launch.accounts import ROLES, Account, Accounts

_ROLES = "; ".join(f"{role.name}: {role.meaning}" for role in ROLES)
_password_option = click.option(
    "--password-file",
    type=click.File("r", encoding="utf-8"),
    help="Its first line is the password; - is stdin. Left out, it is asked for.",
)


@click.group("account")
def account() -> None:
    """Keep the accounts of staff, who log in to the servers."""


@account.command("add")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, metavar="ROLE", help=f"{_ROLES}. Repeatable.")
@_password_option
@launch_option
def add(
    name: str,
    roles: tuple[str, ...],
    password_file: TextIO | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Add an account; its password is asked for, never given on the command line."""
    password = _password(password_file)
    with opened(folder, book_url) as launch:
        added = Accounts(launch.state).add(name, password, roles)
    click.echo(f"{added.name}: {', '.join(added.roles)}")


@account.command("list")
@format_option("table", "json")
@launch_option
def listing(shape: str, folder: str | None, book_url: str | None) -> None:
    """List the accounts and what they may do."""
    with opened(folder, book_url) as launch:
        rows = [_told(each) for each in Accounts(launch.state).all()]
    if shape == "json":
        print_json({"rows": rows})
    else:
        print_rows(rows)


@account.command("change")
@click.argument("name")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="The roles from now on. Repeatable.")
@click.option("--new-password", is_flag=True, help="Ask for a new password; sessions end.")
@_password_option
@click.option("--enable/--disable", "enabled", default=None, help="Let it log in, or not any more.")
@launch_option
def change(
    name: str,
    roles: tuple[str, ...],
    new_password: bool,
    password_file: TextIO | None,
    enabled: bool | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Change an account's roles or password, or disable it."""
    password = _password(password_file) if new_password or password_file is not None else None
    with opened(folder, book_url) as launch:
        changed = Accounts(launch.state).change(name, password=password, roles=roles or None, enabled=enabled)
    state = "" if changed.enabled else " (disabled)"
    click.echo(f"{changed.name}: {', '.join(changed.roles)}{state}")


@account.command("remove")
@click.argument("name")
@launch_option
def remove(name: str, folder: str | None, book_url: str | None) -> None:
    """Take an account out; its sessions end at once. What it signed or decided stays under its name."""
    with opened(folder, book_url) as launch:
        Accounts(launch.state).remove(name)
    click.echo(f"{name}: removed")


def _password(file: TextIO | None) -> str:
    if file is not None:
        return str(file.readline()).rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _told(account: Account) -> dict[str, object]:
    return {"name": account.name, "roles": ", ".join(account.roles), "enabled": account.enabled}
