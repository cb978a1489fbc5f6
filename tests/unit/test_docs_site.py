"""The site builds without a warning, and fetches nothing from anywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What a page loads by itself; links that a reader may follow are another matter.
AWAY = r"((?:https?:)?//[^\"' >]+)"
LOADED = (
    re.compile(rf"<(?:script|img|iframe|source|audio|video|embed)\b[^>]*\bsrc=[\"']?{AWAY}"),
    re.compile(
        r"<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|preload|preconnect|icon|dns-prefetch))"
        rf"[^>]*\bhref=[\"']?{AWAY}"
    ),
)
IN_STYLES = re.compile(r"(?:url\(|@import\s)[\"']?((?:https?:)?//[^\"')]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(target)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_no_page_fetches_anything(site: Path) -> None:
    found = {
        (file.name, address)
        for file in site.rglob("*.html")
        for pattern in LOADED
        for address in pattern.findall(file.read_text(encoding="utf-8"))
    }
    found |= {
        (file.name, address)
        for file in site.rglob("*.css")
        for address in IN_STYLES.findall(file.read_text(encoding="utf-8"))
    }
    assert not found


def test_every_page_was_built(site: Path) -> None:
    docs = ROOT / "docs"
    built = {str(file.relative_to(site).with_suffix(".md")) for file in site.rglob("*.html")} - {"404.md"}
    assert built == {str(file.relative_to(docs)) for file in docs.rglob("*.md")}
