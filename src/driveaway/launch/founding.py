"""Making a launch folder."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from driveaway.book.private import private_file
from driveaway.cases import NAMES, RECORDS, case_text, write_record
from driveaway.launch.functions import FILE as FUNCTIONS
from driveaway.launch.launch import Launch, open_launch
from driveaway.launch.settings import FILE
from driveaway.values.clock import zone
from driveaway.values.errors import Conflict, DriveawayError, NotFound


def found(folder: Path, case: str = "new", *, book_url: str | None = None) -> Launch:
    """Make a launch folder from a packaged case, with an empty book into which launch.toml is taken.

    Args:
        folder: a new folder, or one without a launch; files that stand there are left as they are.
        case: ``new`` (a small example to edit), ``bare`` (goods without a VIN) or ``su7``.
        book_url: where the book is; default: in the folder.

    Raises:
        NotFound: no such case.
        Conflict: a launch stands there already, or the book behind the URL is not empty.
    """
    if case not in NAMES:
        raise NotFound(f"there is no case {case!r}", code="case.missing", remedy=f"one of {', '.join(NAMES)}")
    if (folder / "launch.toml").exists():
        raise Conflict(
            "a launch stands here already",
            code="launch.exists",
            place=str(folder),
            remedy="take another folder",
        )
    folder.mkdir(parents=True, exist_ok=True)
    files = {"launch.toml": case_text(case, "launch.toml"), ".gitignore": "data/\n"}
    files |= {file: text for file in (*RECORDS, FUNCTIONS) if (text := _case_file(case, file)) is not None}
    if book_url:
        # The address of a database may hold a password.
        files[".gitignore"] += f"{FILE}\n"
        files[FILE] = f"book_url = {json.dumps(book_url)}\n"
    # What stands there is somebody's own.
    files = {name: text for name, text in files.items() if not (folder / name).exists()}
    try:
        for name, text in files.items():
            if name == FILE:
                private_file(folder / name)
            (folder / name).write_text(text, encoding="utf-8")
        return _with_empty_book(folder, book_url)
    except DriveawayError:
        for name in files:
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # it was not empty before
            folder.rmdir()
        raise


def _with_empty_book(folder: Path, book_url: str | None) -> Launch:
    launch = open_launch(folder, book_url=book_url)
    try:
        launch.book.store.create()
        if launch.book.edge().size:
            raise Conflict("this book is not empty", code="book.not_empty", place=launch.book.store.url)
    except DriveawayError:
        launch.close()
        raise
    return launch


def _case_file(case: str, file: str) -> str | None:
    """A further file of the case; an empty claims.csv, with its header, where the case has none."""
    try:
        return case_text(case, file)
    except NotFound:
        return write_record(file, (), zone("UTC")) if file == "claims.csv" else None
