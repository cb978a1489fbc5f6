"""Settings of the program (not of the launch): one documented tuple; file < environment < option."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from driveaway.values.errors import BadValue, NotFound

FILE = "driveaway.toml"


@dataclass(frozen=True)
class Setting:
    """One setting. ``option`` is its command line option, ``environment`` its variable."""

    name: str
    default: str
    meaning: str

    @property
    def environment(self) -> str:
        """The environment variable."""
        return f"DRIVEAWAY_{self.name.upper()}"

    @property
    def option(self) -> str:
        """The command line option."""
        return "--" + self.name.replace("_", "-")


SETTINGS: Final = (
    Setting("launch", "", "the launch folder; empty: the folder one stands in, or the nearest above it"),
    Setting(
        "book_url",
        "",
        "where the book is: sqlite:///FILE or postgresql://…; empty: data/book.sqlite in the folder",
    ),
    Setting(
        "engine",
        "duckdb",
        "what computes figures: duckdb in this process, or a Spark master: spark://HOST:PORT or local[2]",
    ),
    Setting("data", "data", "folder of the mirror, the head log and reports, relative to the launch folder"),
)


def find_folder(option: str | None = None) -> Path:
    """The launch folder: the option, else ``DRIVEAWAY_LAUNCH``, else the nearest upwards from here.

    Raises:
        NotFound: there is no ``launch.toml`` there.
    """
    named = option or os.environ.get("DRIVEAWAY_LAUNCH", "")
    if named:
        folder = Path(named)
        if not (folder / "launch.toml").is_file():
            raise NotFound(
                "there is no launch.toml",
                code="launch.missing",
                place=str(folder),
                remedy=f"driveaway new {folder}",
            )
        return folder
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "launch.toml").is_file():
            return folder if folder != here else Path()
    raise NotFound(
        "this is not a launch folder",
        code="launch.missing",
        place=str(here),
        remedy="driveaway new DIR makes one; or name one with --launch",
    )


def read_settings(folder: Path, options: Mapping[str, str | None]) -> dict[str, str]:
    """Every setting's value for a launch folder.

    Raises:
        BadValue: the folder's ``driveaway.toml`` is not TOML or names an unknown setting, or its
            ``launch.toml`` is not UTF-8.
    """
    description = folder / "launch.toml"
    try:
        description.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadValue(
            f"byte {error.start + 1} is not UTF-8",
            code="launch.encoding",
            place=str(description),
            remedy="save the file as UTF-8",
        ) from error
    values = {setting.name: setting.default for setting in SETTINGS}
    path = folder / FILE
    if path.is_file():
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadValue(str(error), code="settings.toml", place=str(path)) from error
        for name, value in content.items():
            if name not in values or not isinstance(value, str):
                known = ", ".join(values)
                raise BadValue(
                    f"{name!r} is not a setting",
                    code="settings.unknown",
                    place=str(path),
                    remedy=f"known: {known}",
                )
            values[name] = value
    for setting in SETTINGS:
        values[setting.name] = os.environ.get(setting.environment) or values[setting.name]
        values[setting.name] = options.get(setting.name) or values[setting.name]
    return values
