"""The reference pages say what the code says, and every page is in its place."""

from __future__ import annotations

import ast
import re

import pytest
import yaml

from driveaway.fleet.doors.rows import TripRow
from tools.reference import folder, pages
from tools.reference.errors import CLASSES, raised
from tools.reference.source import SOURCES

DOCS = folder().parent
PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    committed = (folder() / name).read_text(encoding="utf-8")
    assert committed == PAGES[name], f"docs/reference/{name} differs from the code: run 'make docs'"


def test_no_reference_page_is_left_over() -> None:
    kept = {file.name for file in folder().iterdir() if file.suffix in (".md", ".json")}
    assert kept == {*PAGES, "index.md"}


def test_every_page_is_listed_in_the_navigation() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")))
    assert listed == {str(file.relative_to(DOCS)) for file in DOCS.rglob("*.md")}


def test_every_decision_is_in_the_index() -> None:
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    for file in (DOCS / "decisions").glob("[0-9]*.md"):
        assert f"({file.name})" in index, file.name


def test_every_attribute_of_a_launch_has_a_meaning() -> None:
    assert not re.findall(r"^\| `[^`]+` \|.*\| +\|$", PAGES["launch-toml.md"], re.MULTILINE)


@pytest.mark.parametrize("field", TripRow.__struct_fields__)
def test_every_field_of_a_trip_is_told(field: str) -> None:
    trips = PAGES["reports.md"].partition("Fields of a row:")[2].partition("### ")[0]
    assert re.search(rf"^\| `{field}` \| \w", trips, re.MULTILINE)


def test_every_error_code_is_dotted_and_constant() -> None:
    codes = {item.code for item in raised()}
    assert codes
    for code in codes:
        assert re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", code), code
    for file in (SOURCES / "driveaway").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLASSES:
                given = [k.value for k in node.keywords if k.arg == "code"]
                assert given, f"{file.name}:{node.lineno} raises {node.func.id} without a code"


def test_the_navigation_is_in_the_four_kinds_of_documentation() -> None:
    with (DOCS.parent / "mkdocs.yml").open(encoding="utf-8") as file:
        nav = yaml.safe_load(file)["nav"]
    titles = [next(iter(entry)) for entry in nav if isinstance(entry, dict)]
    assert titles == ["Tutorial", "How to", "Reference", "Explanation", "Decisions"]


def test_lock_files_name_no_index_and_no_machine() -> None:
    files = list(DOCS.parent.glob("requirements/*.txt"))
    assert {file.name for file in files} == {"setup.txt", "run.txt", "dev.txt"}
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"://|--(?!hash=)|@ |/(?:root|home|tmp|work)/", text), file.name
        pinned = re.findall(r"^[a-z][\w.-]*==", text, re.MULTILINE)
        assert len(pinned) == len(re.findall(r"^[a-z]", text, re.MULTILINE))
