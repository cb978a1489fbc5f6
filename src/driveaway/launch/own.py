"""Figures of a launch's own: Python files beside ``launch.toml`` that use the same decorator as ours.

They are code, and run with the rights of whoever asks: a launch folder with such files is to be trusted like
any program.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Final

from driveaway.catalogue import FIGURES
from driveaway.facts.description import Description
from driveaway.figures.figure import Figure
from driveaway.values.errors import BadValue, DriveawayError

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
OURS: Final = frozenset(figure.name.partition(".")[0] for figure in FIGURES)
"""What stands before the dot in the names of built-in figures, and so in no other's."""


def own_figures(folder: Path, description: Description) -> tuple[Figure, ...]:
    """The figures that a launch adds, in the order of its files and of their lines.

    Raises:
        BadValue: a file is missing, outside the folder, or fails; a name is not fit or taken; with file and
            line.
    """
    found: dict[str, tuple[Figure, str]] = {}
    for name in description.figures:
        for figure, place in _of_file(folder, name):
            if figure.name in found:
                raise BadValue(
                    f"{figure.name} is defined in {found[figure.name][1]} already",
                    code="own.clash",
                    place=place,
                    remedy="give it another name",
                )
            found[figure.name] = (figure, place)
    return tuple(figure for figure, _ in found.values())


def is_own(name: str, description: Description) -> bool:
    """Whether a figure of this name may be one of the launch's own."""
    return bool(description.figures) and name.partition(".")[0] not in OURS and bool(_NAME.fullmatch(name))


def _of_file(folder: Path, name: str) -> Sequence[tuple[Figure, str]]:
    path = folder / name
    if path.suffix != ".py" or not path.resolve().is_relative_to(folder.resolve()):
        raise BadValue(
            f"{name!r} is no Python file of the launch's folder",
            code="own.file",
            place=str(folder / "launch.toml"),
            remedy='a file beside launch.toml, such as figures = ["measures.py"]',
        )
    if not path.is_file():
        raise BadValue(
            f"there is no {name}",
            code="own.missing",
            place=str(folder / "launch.toml"),
            remedy="write it, or take it out of figures",
        )
    module = _load(path)
    figures = [
        (value, f"{path}:{value.compute.__code__.co_firstlineno}")
        for value in vars(module).values()
        if isinstance(value, Figure) and value.compute.__module__ == module.__name__
    ]
    figures.sort(key=lambda item: item[0].compute.__code__.co_firstlineno)
    if not figures:
        raise BadValue(
            "it defines no figure",
            code="own.empty",
            place=str(path),
            remedy="use @figure of driveaway.figures.figure, or take it out of figures",
        )
    for figure, place in figures:
        _check(figure, place)
    return figures


def _check(figure: Figure, place: str) -> None:
    if not _NAME.fullmatch(figure.name):
        raise BadValue(
            f"{figure.name!r} is not a figure's name",
            code="own.name",
            place=place,
            remedy="lower case with one dot, such as own.night_share",
        )
    prefix = figure.name.partition(".")[0]
    if prefix in OURS:
        raise BadValue(
            f"{figure.name}: names that begin with {prefix} are built-in ones",
            code="own.prefix",
            place=place,
            remedy=f"own.{figure.name.partition('.')[2]}, or any other word before the dot",
        )


def _load(path: Path) -> ModuleType:
    """Run a file; what it raises is told with its line."""
    digest = blake2b(str(path.resolve()).encode(), digest_size=4).hexdigest()
    # The second part of a figure's module is its room.
    name = f"launch_{digest}.own.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = sys.dont_write_bytecode
    # No __pycache__ in a folder that people keep in git.
    sys.dont_write_bytecode = True
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except DriveawayError as error:
        raise error.at(_line(path, error)) from None
    except SyntaxError as error:
        raise BadValue(
            f"it is not Python: {error.msg}",
            code="own.syntax",
            place=f"{error.filename or path}:{error.lineno or 1}",
        ) from error
    except Exception as error:
        raise BadValue(
            f"{type(error).__name__}: {error}",
            code="own.failed",
            place=_line(path, error),
            remedy="driveaway figures runs it again",
        ) from error
    finally:
        sys.dont_write_bytecode = before
        sys.modules.pop(name, None)
    return module


def _line(path: Path, error: BaseException) -> str:
    """File and line of a file's own code that an error came through last."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)
    ]
    return f"{path}:{lines[-1]}" if lines else str(path)
