"""Where a command may write: never over the launch itself, its book, or what it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from driveaway.values.errors import BadValue

_OWN: Final = frozenset({"launch.toml", "driveaway.toml", "claims.csv", "events.csv", "tests.csv"})
_REPORTS: Final = "reports"


def check_output(
    launch_folder: Path, data_folder: Path, path: Path, *inputs: Path, folder: bool = False
) -> None:
    """Refuse a place where a command's output would destroy something, or cannot be written.

    Args:
        launch_folder: whose own files are not written over.
        data_folder: where nothing but ``reports/`` is written by request.
        path: the file to be written, or the folder with ``folder``.
        inputs: files that the same command reads.
        folder: a folder is meant; it may be missing, its parent may not.

    Raises:
        BadValue: with what is there, and another place as the remedy.
    """
    try:
        target = path.resolve()
        data = data_folder.resolve()
        if target.is_relative_to(data) and not (target.parent == data / _REPORTS and not folder):
            raise _refused(path, "this is inside the data folder, which the program keeps by itself")
        if target.parent == launch_folder.resolve() and target.name.casefold() in _OWN:
            raise _refused(path, "this is one of the launch's own files")
        if any(target == one.resolve() or _same(target, one) for one in inputs):
            raise _refused(path, "this is a file that the command reads")
        if folder and target.exists():
            if not target.is_dir():
                raise _refused(path, "this is not a folder")
            return
        if target.exists() and not target.is_file():
            raise _refused(path, "a folder stands here" if target.is_dir() else "this is not a plain file")
        if not target.parent.is_dir():
            raise _refused(path, "there is no such folder to write into", "make the folder first")
    except (OSError, RuntimeError, ValueError) as error:
        raise _refused(path, f"this place cannot be used ({error})") from error


def _same(target: Path, other: Path) -> bool:
    """Whether they are one file under two names (hard links)."""
    return target.exists() and other.exists() and target.samefile(other)


def _refused(path: Path, what: str, remedy: str = "name another place") -> BadValue:
    return BadValue(what, code="output.place", place=str(path), remedy=remedy)
