"""Commands that make and keep a launch: new, apply, verify, erase, backup, restore, doctor."""

from __future__ import annotations

from pathlib import Path

import click

from driveaway.cli.options import format_option, launch_option, opened
from driveaway.cli.output import print_json, print_rows, progress_bar


@click.command("new")
@click.argument("name", metavar="DIRECTORY")
@click.option(
    "--case",
    default="new",
    show_default=True,
    help="What to start from: new (an example to edit), bare (goods without a VIN), su7.",
)
@click.option("--book-url", metavar="URL", help="Keep the book in PostgreSQL, at this URL.")
def new(name: str, case: str, book_url: str | None) -> None:
    """Make a launch folder to edit, with an empty book."""
    from driveaway.launch.founding import found
    from driveaway.values.errors import BadValue

    if not name.strip():
        raise BadValue("the folder has no name", code="argument.empty", remedy="driveaway new my-launch")
    directory = Path(name)
    if directory.exists() and not directory.is_dir():
        raise BadValue("this is a file", code="argument.folder", place=name, remedy="name a new folder")
    with found(directory, case, book_url=book_url) as launch:
        launch.apply()
    click.echo(f"made {directory}")
    click.echo(f"edit {directory / 'launch.toml'}, then: driveaway apply --launch {directory}")


@click.command("apply")
@click.option(
    "--at",
    metavar="TIME",
    help="From when launch.toml and changed functions hold; default: now, and from the start of all time"
    " the first time.",
)
@launch_option
def apply(at: str | None, folder: str | None, book_url: str | None) -> None:
    """Take launch.toml, functions.toml, claims.csv, events.csv and tests.csv into the book."""
    from driveaway.launch.applying import left_out
    from driveaway.launch.launch import FAR_FUTURE
    from driveaway.values.errors import NotFound

    with opened(folder, book_url) as launch:
        try:
            launch.book.edge()
        except NotFound:
            # A folder that came without its book, as from git: it starts with an empty one.
            launch.book.store.create()
            click.echo(f"made an empty book: {launch.book.store.url}", err=True)
        added = launch.apply(happened=None if at is None else launch.parse_time(at))
        gone = left_out(launch, launch.at(FAR_FUTURE).view)
    for fact in gone:
        click.echo(
            f"warning: {fact.kind} {fact.subject} stands in the book and no longer in the folder;"
            f" driveaway withdraw {fact.seq} takes it back",
            err=True,
        )
    for outcome in added:
        word = "corrected" if outcome.draft.replaces else "recorded"
        click.echo(f"{outcome.draft.kind} {outcome.draft.subject}: {word} as fact {outcome.seq}")
    if not added:
        click.echo("the book holds all of it already")


@click.command("verify")
@format_option("table", "json")
@launch_option
def verify(shape: str, folder: str | None, book_url: str | None) -> int:
    """Recompute every leaf and the tree; name the first fact that differs."""
    with opened(folder, book_url) as launch, progress_bar("verifying") as progress:
        verdict = launch.book.verify(progress)
    if shape == "json":
        print_json(
            {
                "facts": verdict.size,
                "root": verdict.root.hex(),
                "erased": verdict.erased,
                "heads_compared": verdict.heads,
                "differences": [{"seq": d.seq, "what": d.what} for d in verdict.differences],
            }
        )
    else:
        click.echo(
            f"{verdict.size:,} facts, {verdict.erased:,} of them erased;"
            f" {verdict.heads} logged heads compared"
        )
        click.echo(f"root {verdict.root.hex()}")
        for difference in verdict.differences[:20]:
            click.echo(f"differs from fact {difference.seq}: {difference.what}")
        if len(verdict.differences) > 20:
            click.echo(f"and {len(verdict.differences) - 20} more")
        click.echo("the book is whole" if not verdict.differences else "the book was changed")
    return 1 if verdict.differences else 0


@click.command("erase")
@click.argument("subject")
@click.option("--reason", required=True, help="Such as the request's reference.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@launch_option
def erase(subject: str, reason: str, yes: bool, folder: str | None, book_url: str | None) -> None:
    """Shred what is personal about an order, a car, or all orders of a buyer's pseudonym.

    A car is also taken out of the trips, the quarantine and the operational tables. The public part of the
    facts and the tree stay; older backups still hold what was shredded. What is under a legal hold, and a
    car of which a report to an authority is still to be made, is refused.
    """
    from driveaway.facts.launches import SubjectErased

    with opened(folder, book_url) as launch:
        if not yes:
            click.confirm(
                f"shred what is personal about {subject}? this cannot be undone", abort=True, err=True
            )
        before = launch.book.edge().size
        shredded, subjects = launch.erase(subject, reason)
        bodies = [fact.body for fact in launch.book.facts(before, launch.book.edge().size)]
    for body in bodies:
        if isinstance(body, SubjectErased) and (body.trips or body.quarantined or body.operational):
            click.echo(
                f"taken out: {body.trips:,} rows of trips, {body.quarantined:,} in quarantine,"
                f" {body.operational:,} of operational tables"
            )
    if not bodies:
        click.echo(f"nothing about {', '.join(subjects)} is left to shred; nothing was recorded")
        return
    click.echo(f"{shredded} facts about {', '.join(subjects)} shredded; the tree still verifies")
    click.echo("backups made before still hold them: let them expire or erase there too", err=True)


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Write over a file that stands there.")
@launch_option
def backup(file: Path, force: bool, folder: str | None, book_url: str | None) -> None:
    """Write the book and the launch folder into one file, consistent while others write."""
    from driveaway.book.backup import backup as write
    from driveaway.launch.outputs import check_output
    from driveaway.values.errors import BadValue

    if file.exists() and not force:
        raise BadValue(
            "a file stands here already",
            code="backup.exists",
            place=str(file),
            remedy="name another file, or write over it with --force",
        )
    with opened(folder, book_url) as launch:
        check_output(launch.folder, launch.data, file)
        manifest = write(launch.book, launch.folder, file)
    click.echo(f"{file}: {manifest.size:,} facts, root {manifest.root}")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--launch", "folder", metavar="DIR", required=True, help="A new folder.")
@click.option("--book-url", metavar="URL", help="Restore the book into PostgreSQL, at this URL.")
def restore(file: Path, folder: str, book_url: str | None) -> None:
    """Restore a backup into a new folder, and verify it."""
    from driveaway.book.backup import restore as read
    from driveaway.launch.launch import open_launch

    read(file, Path(folder), book_url)
    with open_launch(folder, book_url=book_url) as launch:
        size = launch.book.edge().size
    click.echo(f"{folder}: {size:,} facts restored and verified")


@click.command("doctor")
@format_option("table", "json")
@launch_option
def doctor(shape: str, folder: str | None, book_url: str | None) -> int:
    """Look for trouble: settings, store, access, mirror, heads, disk, fonts; each with its remedy."""
    from driveaway.launch.doctor import examine

    findings = examine(folder, book_url)
    if shape == "json":
        print_json([finding.__dict__ for finding in findings])
    else:
        print_rows(
            [{"what": f.what, "state": f.state, "found": f.found, "remedy": f.remedy} for f in findings]
        )
    return 1 if any(finding.state == "bad" for finding in findings) else 0
