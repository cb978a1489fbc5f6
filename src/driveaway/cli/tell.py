"""Commands that tell: brief, claims."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from driveaway.cli.options import (
    checked,
    cut,
    cut_of,
    cut_options,
    format_option,
    launch_option,
    opened,
    pairs,
)
from driveaway.cli.output import print_json

if TYPE_CHECKING:
    from driveaway.briefing import Flag


@click.command("brief")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write a .html, .md or .json file."
)
@click.option("--language", type=click.Choice(["en", "zh"]), help="Default: that of launch.toml.")
@cut_options
@launch_option
def brief(
    out: Path | None,
    language: str | None,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """What may be said in public, each figure with its definition, its as-of date and its evidence."""
    from driveaway import briefing as room
    from driveaway.cli.briefing import show
    from driveaway.launch.outputs import check_output
    from driveaway.launch.updates.briefed import BriefedFleet
    from driveaway.values.errors import BadValue

    writers = {".html": room.render_html, ".md": room.render_markdown, ".json": room.render_json}
    if out is not None and out.suffix not in writers:
        raise BadValue(
            f"{out} is neither .html, .md nor .json", code="brief.format", remedy="choose one of these"
        )
    with opened(folder, book_url) as launch:
        if out is not None:
            check_output(launch.folder, launch.data, out)
        cut_ = cut_of(launch, as_of, mark, known_at)
        written = room.brief(cut_, language or cut_.description.language, BriefedFleet(launch, cut_))
    if out is None:
        show(written)
    else:
        out.write_text(writers[out.suffix](written), encoding="utf-8")
        click.echo(str(out))


@click.command("claims")
@format_option()
@cut_options
@launch_option
def claims(
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> int:
    """Check every public claim against the book: agrees, disagrees, or cannot be checked."""
    from driveaway.briefing import check_claims
    from driveaway.cli.briefing import claim_rows, show_claims

    with cut(folder, book_url, as_of, mark, known_at) as launch:
        checked = check_claims(launch)
    if shape == "json":
        print_json([claim.json() for claim in checked])
    elif shape == "csv":
        import csv
        import sys

        from driveaway.figures.answer import csv_cell

        rows = claim_rows(checked, long=True)
        if rows:
            writer = csv.DictWriter(sys.stdout, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows({k: csv_cell(v) for k, v in row.items()} for row in rows)
    elif not checked:
        click.echo("no claims were made by this date; claims.csv holds them, driveaway apply takes them in")
    else:
        show_claims(checked)
        verdicts = [claim.verdict for claim in checked]
        counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
        click.echo(f"{len(checked)} claims: {counts}")
    return 1 if any(claim.verdict == "disagrees" for claim in checked) else 0


@click.command("say")
@click.argument("name")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--language", type=click.Choice(["en", "zh"]), help="Only this language; default: both.")
@format_option("table", "json")
@cut_options
@launch_option
def say(
    name: str,
    arguments: tuple[str, ...],
    language: str | None,
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Word a figure in English and Chinese, with a warning for words that a rule speaks against."""
    from driveaway import briefing as room

    with cut(folder, book_url, as_of, mark, known_at) as launch:
        sentence = room.say(launch, name, pairs(arguments))
    if shape == "json":
        print_json(sentence.json())
        return
    for code, text in sentence.text.items():
        if language in (None, code):
            click.echo(text)
    _flags(sentence.flags)


@click.command("words")
@click.argument("text")
@click.option("--on", "day", metavar="DATE", help="The day on which it is to be said; default: the clock's.")
@format_option("table", "json")
@launch_option
def words(text: str, day: str | None, shape: str, folder: str | None, book_url: str | None) -> int:
    """Read a statement against the dated lexicon; - reads it from standard input."""
    import sys
    from datetime import datetime

    from driveaway.briefing.lexicon import check
    from driveaway.values.clock import parse_day

    checked(folder, book_url)
    if text == "-":
        text = sys.stdin.read()
    flags = check(text, datetime.now().astimezone().date() if day is None else parse_day(day))
    if shape == "json":
        print_json([flag.json() for flag in flags])
    elif flags:
        _flags(flags)
    else:
        click.echo("no word of it is in the lexicon")
    return 1 if flags else 0


def _flags(flags: Sequence[Flag]) -> None:
    for flag in flags:
        click.echo(f"! {flag.word}: {flag.rule}")
        click.echo(f"  since {flag.since}; say instead: {flag.say_instead}")
        click.echo(f"  {flag.reference}")
