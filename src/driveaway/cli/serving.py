"""What the commands share that run until they are stopped."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
LINE: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def launch_options(function: F) -> F:
    """``--launch`` and ``--book-url``."""
    # Not `options.launch_option`: what a server imports stays light, and needs no open launch.
    for option in (
        click.option("--book-url", metavar="URL", help="Where the book is; default: in the folder."),
        click.option(
            "--launch", "folder", metavar="DIR", help="The launch folder; default: where one stands."
        ),
    ):
        function = option(function)
    return function


def end_with(wait: Callable[[], object]) -> None:
    """Stop this process as by SIGTERM once ``wait`` returns: when the one that started it is gone."""

    def watch() -> None:
        wait()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def orphaned(parent: int) -> None:
    """Wait until another process is this one's parent."""
    while os.getppid() == parent:
        time.sleep(1)
