"""What can be wrong with a launch on this machine, and what to do about it."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from driveaway.book.private import is_private, open_to_others
from driveaway.book.sqlite import SqliteStore
from driveaway.launch.hooks.keeping import all_hooks
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.clock import now, show
from driveaway.values.errors import DriveawayError

_LOW_DISK = 1 << 30
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``state`` is ``good``, ``note`` or ``bad``."""

    what: str
    state: str
    found: str
    remedy: str = ""


def examine(folder: str | None = None, book_url: str | None = None) -> list[Finding]:
    """Look at everything; never raises for what it finds."""
    findings = [
        Finding("program", "good", f"driveaway {version('driveaway')}, Python {platform.python_version()}"),
        _fonts(),
    ]
    try:
        with open_launch(folder, book_url=book_url) as launch:
            findings += _launch(launch)
    except DriveawayError as error:
        findings.append(Finding("launch", "bad", error.message, error.remedy))
    return findings


def _launch(launch: Launch) -> Iterator[Finding]:
    yield Finding("launch", "good", f"{launch.description.launch} in {launch.folder}")
    store = launch.book.store.describe()
    fine = store.get("integrity", "ok") == "ok"
    text = f"{store['engine']} {store['version']}, {store['bytes'] / 1e6:,.1f} MB"
    yield Finding(
        "store", "good" if fine else "bad", text, "" if fine else "driveaway restore the last backup"
    )
    unguarded = store["unguarded"]
    if unguarded:
        yield Finding(
            "guards",
            "bad",
            f"the database no longer refuses changes: {', '.join(unguarded)} gone or changed",
            "driveaway verify; then driveaway restore a backup made before",
        )
    else:
        yield Finding("guards", "good", "the database refuses to change or delete facts")
    yield _access(launch)
    edge = launch.book.edge()
    last = show(edge.recorded, launch.zone) if edge.size else "never"
    yield Finding("book", "good", f"{edge.size:,} facts, last recorded {last}")
    if edge.recorded > now() + _DAY:
        yield Finding("clock", "bad", "the last fact was recorded in the future", "set this machine's clock")
    if launch.differs:
        yield Finding("launch.toml", "note", "differs from what the book holds", "driveaway apply")
    wrong_mirror = launch.book.mirror.problem()
    behind = edge.size - launch.book.mirror.manifest.upto
    if wrong_mirror:
        yield Finding("mirror", "note", wrong_mirror, "none needed: it is made anew when asked")
    elif behind < 0:
        yield Finding(
            "mirror", "bad", f"it holds {-behind:,} facts that the book holds no longer", "driveaway verify"
        )
    else:
        yield Finding(
            "mirror", "good" if not behind else "note", f"{behind:,} facts behind; it catches up when asked"
        )
    heads = list(launch.book.heads())
    wrong = [size for size, _ in heads if size > edge.size]
    if wrong:
        yield Finding(
            "heads",
            "bad",
            f"a head was logged at {max(wrong):,} facts: facts are missing",
            "driveaway verify",
        )
    else:
        yield Finding("heads", "good" if heads or not edge.size else "note", f"{len(heads)} logged")
    for hook in all_hooks(launch.state):
        if not hook.enabled:
            remedy = f"driveaway webhook resume {hook.name}"
            yield Finding("webhook", "bad", f"{hook.name} was given up: {hook.reason}", remedy)
    free = shutil.disk_usage(launch.folder).free
    low = free < _LOW_DISK
    yield Finding(
        "disk", "bad" if low else "good", f"{free / 1e9:,.1f} GB free", "free some space" if low else ""
    )


def _access(launch: Launch) -> Finding:
    """Cars' tokens stand in a book's file in clear, and facts about buyers' cars in the folder of data."""
    store, data = launch.book.store, launch.book.folder
    found, remedies = [], []
    if data.is_dir() and not is_private(data):
        found.append(f"others may enter {data}")
        remedies.append(f"chmod 700 {data}")
    if isinstance(store, SqliteStore) and open_to_others(store.path):
        found.append(f"others may read {store.path}, and with it the tokens of cars")
        remedies.append(f"chmod 600 {store.path}*")
    if found:
        return Finding("access", "note", "; ".join(found), "; ".join(remedies))
    return Finding("access", "good", "data is for its owner alone")


def _fonts() -> Finding:
    """Pictures with Chinese text need a font that carries it."""
    try:
        found = subprocess.run(
            ["fc-list", ":lang=zh", "family"], capture_output=True, text=True, timeout=10, check=False
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return Finding("fonts", "note", "cannot tell whether there is a Chinese font", "install fontconfig")
    if found:
        return Finding("fonts", "good", found.splitlines()[0])
    return Finding("fonts", "note", "no font with Chinese", "install Noto Sans CJK for pictures in Chinese")
