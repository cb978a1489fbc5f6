"""The group of all commands, and the one table from errors to exit codes."""

from __future__ import annotations

import io
import os
import sys
import traceback

import click

from driveaway.values.errors import (
    BadValue,
    Conflict,
    DriveawayError,
    NotFound,
    Refused,
    Tampered,
    Unavailable,
)

# sysexits.h calls 70 EX_SOFTWARE: a defect of ours.
DEFECT = 70
EXIT_CODES: tuple[tuple[type[DriveawayError], int], ...] = (
    (Refused, 1),
    (Conflict, 1),
    (Tampered, 1),
    (BadValue, 2),
    (NotFound, 2),
    (Unavailable, 3),
)

# Command → module that defines it: a module is loaded when one of its commands is run.
COMMANDS = {
    "demo": "demo",
    "new": "keep",
    "apply": "keep",
    "verify": "keep",
    "erase": "keep",
    "backup": "keep",
    "restore": "keep",
    "doctor": "keep",
    "import": "move",
    "export": "move",
    "figures": "ask",
    "figure": "ask",
    "order": "ask",
    "plan": "plan",
    "promise": "promise",
    "whatif": "plan",
    "sequence": "sequence",
    "kept": "promise",
    "brief": "tell",
    "claims": "tell",
    "say": "tell",
    "words": "tell",
    "orders": "desk",
    "cars": "desk",
    "record": "desk",
    "correct": "desk",
    "withdraw": "desk",
    "release": "release",
    "functions": "functions",
    "account": "account",
    "webhook": "webhook",
    "serve": "serve",
    "car": "car",
    "rollout": "rollout",
    "incident": "incident",
    "fleet": "fleet",
}


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        import importlib

        module = importlib.import_module(f"driveaway.cli.{COMMANDS[name]}")
        command = next(c for c in vars(module).values() if isinstance(c, click.Command) and c.name == name)
        return command


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="driveaway", message="driveaway %(version)s")
def app() -> None:
    """The launch of a car sold direct, from the locked order to the road."""


def _prepare(arguments: list[str]) -> None:
    """Refuse bytes that are no text; let no character stop what is printed."""
    for stream in (sys.stdout, sys.stderr):
        encoding = (getattr(stream, "encoding", "") or "").lower().replace("-", "")
        if encoding != "utf8" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            shown = argument.encode(errors="replace").decode()
            raise BadValue(
                f"{shown!r} is not UTF-8 text", code="argument.encoding", remedy="write it in UTF-8"
            ) from error


def run(arguments: list[str]) -> int:
    """Run a command and turn what it raises into an exit code."""
    try:
        _prepare(arguments)
        result = app.main(arguments, prog_name="driveaway", standalone_mode=False)
        # What waits in the buffer is part of the command: a reader that went away is noticed here.
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except click.Abort:
        click.echo("stopped", err=True)
        return 130
    except DriveawayError as error:
        click.echo(f"error: {error}", err=True)
        return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), DEFECT)
    except (BrokenPipeError, SystemExit):
        # Click turns a broken pipe into an exit of 1 by itself, and leaves in no other case.
        # The reader of a pipe went away (head): nothing went wrong, and stdout must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        click.echo(f"error: {error.filename or ''}: {error.strerror or error} [io]", err=True)
        return 3
    except Exception:  # noqa: BLE001 - the last handler: a defect has an exit code of its own
        traceback.print_exc()
        click.echo("error: a defect of Driveaway; please report the lines above [defect]", err=True)
        return DEFECT
