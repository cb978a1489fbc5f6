"""Options that commands share, each defined once."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from driveaway.launch.launch import Cut, Launch

F = TypeVar("F", bound=Callable[..., Any])


def launch_option(function: F) -> F:
    """``--launch DIR`` and the settings that a command line may override."""
    function = click.option("--book-url", metavar="URL", help="Where the book is; default: in the folder.")(
        function
    )
    return click.option(
        "--launch", "folder", metavar="DIR", help="The launch folder; default: where one stands."
    )(function)


def engine_option(function: F) -> F:
    """``--engine``."""
    return click.option(
        "--engine",
        metavar="ENGINE",
        help="duckdb (default), or a Spark master: spark://HOST:PORT or local[2].",
    )(function)


def cut_options(function: F) -> F:
    """``--as-of``, ``--mark``, ``--known-at``."""
    for option in (
        click.option("--known-at", metavar="TIME", help="The mark as it was at this time."),
        click.option(
            "--mark",
            type=click.IntRange(min=0),
            metavar="N",
            help="See the book up to this seq only; default: all of it.",
        ),
        click.option(
            "--as-of", metavar="DATE", help="A local day (all of it) or an ISO 8601 time; default: today."
        ),
    ):
        function = option(function)
    return function


def format_option(*formats: str) -> Callable[[F], F]:
    """``--format``."""
    choices = click.Choice(formats or ("table", "json", "csv"))
    return click.option(
        "--format", "shape", type=choices, default=(formats or ("table",))[0], show_default=True
    )


def time_option(function: F) -> F:
    """``--at TIME``: when it happened."""
    return click.option("--at", metavar="TIME", help="When it happened; default: now.")(function)


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def by_option(function: F) -> F:
    """``--by NAME``: who does it."""
    return click.option(
        "--by",
        metavar="NAME",
        envvar="DRIVEAWAY_PERSON",
        default=_person,
        show_default="who is logged in",
        help="Who does it: an account, whose roles must permit it.",
    )(function)


def source_option(function: F) -> F:
    """``--source``: what makes a repetition harmless."""
    return click.option("--source", default="", help="Unique source; repeated, nothing is added.")(function)


def checked(folder: str | None, book_url: str | None) -> None:
    """Open a launch that is named, and only then, for commands that need none."""
    if folder is not None or book_url is not None:
        with opened(folder, book_url):
            pass


@contextmanager
def opened(folder: str | None, book_url: str | None = None, engine: str | None = None) -> Iterator[Launch]:
    """The launch that the options name."""
    from driveaway.cli.output import progress_bar
    from driveaway.launch.launch import open_launch

    opening = open_launch(folder, book_url=book_url, engine=engine)
    with opening as launch, progress_bar("reading the book") as progress:
        launch.book.progress = progress
        yield launch


@contextmanager
def cut(
    folder: str | None,
    book_url: str | None,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    engine: str | None = None,
) -> Iterator[Cut]:
    """The launch as of a date."""
    with opened(folder, book_url, engine) as launch:
        yield cut_of(launch, as_of, mark, known_at)


def cut_of(launch: Launch, as_of: str | None, mark: int | None, known_at: str | None) -> Cut:
    """An open launch as of a date; warns when launch.toml was edited and not applied."""
    if launch.differs:
        click.echo(
            "warning: launch.toml differs from what the book holds; driveaway apply takes it in", err=True
        )
    return launch.at(as_of, mark=mark, known_at=known_at)


def pairs(arguments: tuple[str, ...]) -> dict[str, str]:
    """``name=value`` arguments.

    Raises:
        BadValue: one is not of that form.
    """
    from driveaway.values.errors import BadValue

    out: dict[str, str] = {}
    for argument in arguments:
        name, sign, value = argument.partition("=")
        if not sign or not name:
            raise BadValue(f"{argument!r} is not name=value", code="argument.shape")
        name = name.replace("-", "_")
        if name in out:
            raise BadValue(f"{name} is given twice", code="argument.twice", remedy="join alternatives by |")
        out[name] = value
    return out
