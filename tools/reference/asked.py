"""Pages of what can be asked and set: figures, settings, commands. Each part may not be built yet."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import Any

from tools.reference.markdown import anchor, code, page, prose, table


def part(name: str) -> ModuleType | None:
    """A module of the package, or None where that part is not built."""
    try:
        return importlib.import_module(name) if importlib.util.find_spec(name) else None
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(error.name):
            return None
        raise


def figures() -> str | None:
    """Every figure of the catalogue: its public definition, unit, parameters and dimensions."""
    catalogue = part("driveaway.catalogue")
    if catalogue is None:
        return None
    listed: list[Any] = list(catalogue.FIGURES)
    overview = table(
        ("figure", "", "Chinese", "unit"),
        ((f"[`{f.name}`](#{anchor(f.name)})", f.title, f.title_zh, f.unit) for f in listed),
    )
    return page(
        "Figures",
        "Each figure is defined once, in its room, and is the same at the command line, in Python and in "
        "documents. The text under its name is its public definition. It can be broken down and filtered by "
        "its dimensions. Where none of the facts that it rests on is in the book, it is unknown, not 0. The "
        "version rises whenever the same question would get another answer.",
        overview,
        *(_figure(figure) for figure in listed),
    )


def _figure(figure: Any) -> str:
    parts = [f"## {figure.name}", f"**{figure.title}** ({figure.title_zh}), in {figure.unit}."]
    parts.append(prose(figure.definition))
    facts = ", ".join(f"[`{kind}`](facts.md#{anchor(kind)})" for kind in figure.evidence)
    dimensions = ", ".join(code(name) for name in figure.dimensions) or "none"
    parts.append(
        f"- dimensions: {dimensions}\n- rests on: {facts}\n- room: `{figure.room}`; "
        f"definition version {figure.version}"
    )
    if figure.parameters:
        rows = (
            (
                code(p.name),
                " or ".join(code(choice) for choice in p.choices) or p.type,
                "—" if p.default is None else code(str(p.default)),
                prose(p.meaning),
            )
            for p in figure.parameters
        )
        parts.append(table(("parameter", "type", "if left out", "meaning"), rows))
    return "\n\n".join(parts)


def settings() -> str | None:
    """Every setting of the program."""
    module = part("driveaway.launch.settings")
    if module is None:
        return None
    rows = (
        (code(s.name), code(s.environment), code(s.option), code(s.default) or "—", prose(s.meaning))
        for s in module.SETTINGS
    )
    return page(
        "Settings",
        "Settings are about the program on this machine, not about the launch (that is "
        f"[launch.toml](launch-toml.md)). They stand in `{module.FILE}` in the launch folder; an environment "
        "variable takes precedence over the file, and an option over both.",
        table(("setting", "environment", "option", "if not set", "meaning"), rows),
    )


def commands() -> str | None:
    """Every command of the command line, as its ``--help`` says."""
    module = part("driveaway.cli.app")
    if module is None:
        return None
    import click

    group: click.Group = module.app
    context = click.Context(group, info_name="driveaway", terminal_width=100, **group.context_settings)
    found = list(_commands(group, context))
    overview = table(
        ("command", "does"),
        ((f"[`{name}`](#{anchor(name)})", command.get_short_help_str(200)) for name, command, _ in found),
    )
    return page(
        "Commands",
        "Results go to standard output, progress and warnings to standard error. Exit codes are on the page "
        "of [errors](errors.md#exit-codes-of-the-command-line).",
        overview,
        *(f"## {name}\n\n```text\n{text}\n```" for name, _, text in found),
    )


def _commands(command: Any, context: Any) -> list[tuple[str, Any, str]]:
    import click

    own = (context.command_path, command, command.get_help(context).strip())
    if not isinstance(command, click.Group):
        return [own]
    # A group that does something without a further word is a command itself.
    found: list[tuple[str, Any, str]] = [own] if command.invoke_without_command else []
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None and not inner.hidden:
            below = click.Context(inner, info_name=name, parent=context)
            found += _commands(inner, below)
    return found
