"""The list of generated pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from driveaway.launch.imports.reference import mapping_page
from driveaway.web.device import describing
from driveaway.web.management import routes
from tools.reference import (
    asked,
    description,
    duties,
    errors,
    functions,
    kinds,
    management,
    reports,
    rollout_plan,
    words,
)


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def folder() -> Path:
    """Where the pages live."""
    return Path(__file__).resolve().parents[2] / "docs" / "reference"


_PAGES: dict[str, Callable[[], str | None]] = {
    "figures.md": asked.figures,
    "commands.md": asked.commands,
    "settings.md": asked.settings,
    "facts.md": kinds.kinds,
    "launch-toml.md": description.launch_toml,
    "functions-toml.md": functions.functions_toml,
    "duties.md": duties.duties,
    "reports.md": reports.reports,
    "mapping.md": mapping_page,
    "rollout-plan.md": rollout_plan.rollout_plan,
    "glossary.md": words.glossary,
    "errors.md": errors.error_page,
    "management-api.md": management.management_page,
    "management-api.json": lambda: _json(routes.description()),
    "device-api.json": lambda: _json(describing.description()),
    "provinces.md": words.provinces,
}


def pages() -> dict[str, str]:
    """File name → text, of every page whose part of the program is built."""
    return {name: text for name, make in _PAGES.items() if (text := make()) is not None}
