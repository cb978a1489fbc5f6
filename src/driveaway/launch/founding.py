"""Making a launch folder."""

from __future__ import annotations

from pathlib import Path

from driveaway.cases import NAMES, RECORDS, case_text, write_record
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.clock import zone
from driveaway.values.errors import Conflict, NotFound


def found(folder: Path, case: str = "new", *, book_url: str | None = None) -> Launch:
    """Make a launch folder from a packaged case, with an empty book into which launch.toml is taken.

    Args:
        folder: a new or empty folder.
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
    (folder / "launch.toml").write_text(case_text(case, "launch.toml"), encoding="utf-8")
    for file in RECORDS:
        text = _case_file(case, file)
        if text is not None:
            (folder / file).write_text(text, encoding="utf-8")
    (folder / ".gitignore").write_text("data/\n", encoding="utf-8")
    if book_url:
        (folder / "driveaway.toml").write_text(f'book_url = "{book_url}"\n', encoding="utf-8")
    launch = open_launch(folder, book_url=book_url)
    launch.book.store.create()
    if launch.book.edge().size:
        raise Conflict("this book is not empty", code="book.not_empty", place=launch.book.store.url)
    return launch


def _case_file(case: str, file: str) -> str | None:
    """A record file of the case; an empty claims.csv, with its header, where the case has none."""
    try:
        return case_text(case, file)
    except NotFound:
        return write_record(file, (), zone("UTC")) if file == "claims.csv" else None
