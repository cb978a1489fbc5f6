"""Commands about webhooks: webhook add, list, show, test, resume, remove."""

from __future__ import annotations

from typing import Any

import click

from driveaway.cli.options import by_option, format_option, launch_option, opened
from driveaway.cli.output import print_json, print_rows

_from_option = click.option(
    "--from", "first", type=click.IntRange(min=1), metavar="SEQ", help="Begin with the fact of this seq."
)


@click.group("webhook")
def webhook() -> None:
    """Tell other systems of facts, as they are recorded: signed messages to their addresses.

    A running worker (driveaway serve worker) sends them, in order and at least once.
    """


@webhook.command("add")
@click.argument("name")
@click.argument("url")
@click.option(
    "--kind", "kinds", multiple=True, required=True, metavar="KIND",
    help="Facts that are sent, such as rollout.decided. Repeatable.",
)  # fmt: skip
@_from_option
@click.option("--plain-http", is_flag=True, help="Allow HTTP without TLS beyond this machine.")
@by_option
@format_option("table", "json")
@launch_option
def add(
    name: str,
    url: str,
    kinds: tuple[str, ...],
    first: int | None,
    plain_http: bool,
    by: str,
    shape: str,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Add a webhook; its secret is shown now and never again.

    It is told of what is recorded from now on, unless --from says otherwise. Personal fields are not sent.
    """
    from driveaway.launch.hooks import managing

    with opened(folder, book_url) as launch:
        hook = managing.add_hook(launch, name, url, kinds, by=by, first=first, plain_http=plain_http)
        told = managing.told_hook(launch, name)
    if shape == "json":
        print_json(told | {"secret": hook.secret})
        return
    click.echo(f"{hook.name}: {', '.join(hook.kinds)} to {hook.url}, after fact {hook.cursor}")
    click.echo(f"secret, shown this once: {hook.secret}")


@webhook.command("list")
@format_option("table", "json")
@launch_option
def listing(shape: str, folder: str | None, book_url: str | None) -> None:
    """List the webhooks, and whether their receivers take what they are sent."""
    from driveaway.launch.hooks import managing

    with opened(folder, book_url) as launch:
        rows = managing.told_hooks(launch)
    if shape == "json":
        print_json({"rows": rows})
        return
    if not rows:
        click.echo("none yet: driveaway webhook add", err=True)
        return
    shown = ("name", "url", "state", "delivered", "waiting", "said")
    print_rows([{key: row[key] for key in shown} for row in rows])


@webhook.command("show")
@click.argument("name")
@format_option("table", "json")
@launch_option
def show(name: str, shape: str, folder: str | None, book_url: str | None) -> None:
    """Show one webhook: what it sends, how far it is, and what was last said against it."""
    from driveaway.launch.hooks import managing

    with opened(folder, book_url) as launch:
        told = managing.told_hook(launch, name)
    if shape == "json":
        print_json(told)
        return
    for line in _lines(told):
        click.echo(line)


def _lines(told: dict[str, Any]) -> list[str]:
    lines = [f"{told['name']}: {told['state']}, to {told['url']}", f"  sends {', '.join(told['kinds'])}"]
    last = f", the last one {told['delivered_at']}" if told["delivered_at"] else ""
    lines.append(
        f"  delivered {told['delivered']:,}{last}; {told['waiting']:,} wait after fact {told['cursor']}"
    )
    if told["reason"]:
        lines.append(f"  given up: {told['reason']}")
        lines.append(f"  driveaway webhook resume {told['name']}")
    elif told["attempts"]:
        lines.append(f"  failed {told['attempts']} times since {told['failing_since']}: {told['said']}")
        lines.append(f"  next try {told['next_try']}")
    return lines


@webhook.command("test")
@click.argument("name")
@by_option
@launch_option
def test(name: str, by: str, folder: str | None, book_url: str | None) -> int:
    """Send a signed message that is no fact, once; exit code 1 where it is not taken."""
    from driveaway.launch.hooks import managing

    with opened(folder, book_url) as launch:
        reply = managing.try_hook(launch, name, by=by)
    click.echo(f"{name}: {'taken' if reply.taken else 'not taken'}, {reply.said}")
    return 0 if reply.taken else 1


@webhook.command("resume")
@click.argument("name")
@_from_option
@by_option
@launch_option
def resume(name: str, first: int | None, by: str, folder: str | None, book_url: str | None) -> None:
    """Let a webhook go on that was given up, or waits for its next try."""
    from driveaway.launch.hooks import managing

    with opened(folder, book_url) as launch:
        hook = managing.resume_hook(launch, name, by=by, first=first)
    click.echo(f"{hook.name}: goes on after fact {hook.cursor}")


@webhook.command("remove")
@click.argument("name")
@by_option
@launch_option
def remove(name: str, by: str, folder: str | None, book_url: str | None) -> None:
    """Remove a webhook; what is being sent may still arrive."""
    from driveaway.launch.hooks import managing

    with opened(folder, book_url) as launch:
        managing.remove_hook(launch, name, by=by)
    click.echo(f"{name}: removed")
