"""The page of errors: every code that the source can give, found in its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from driveaway.values import errors
from tools.reference.asked import part
from tools.reference.markdown import code, page, prose, table
from tools.reference.source import SOURCES

CLASSES = {
    name: cls
    for name, cls in vars(errors).items()
    if isinstance(cls, type) and issubclass(cls, errors.DriveawayError)
}


@dataclass(frozen=True, order=True)
class Raised:
    """One place where an error with a code is made."""

    code: str
    error: str
    message: str
    remedy: str


def raised() -> list[Raised]:
    """Every error with a constant code in the package, by code."""
    found = {
        item
        for file in sorted((SOURCES / "driveaway").rglob("*.py"))
        for item in _in_module(ast.parse(file.read_text(encoding="utf-8")))
    }
    return sorted(found)


def _in_module(tree: ast.Module) -> Iterator[Raised]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        value = given.get("code")
        if name in CLASSES and isinstance(value, ast.Constant) and isinstance(value.value, str):
            message = _template(node.args[0]) if node.args else ""
            yield Raised(value.value, name, message, _template(given.get("remedy")))


def _template(node: ast.expr | None) -> str:
    """A text as written, what is filled in shown as ``…``."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_template(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _template(node.left) + _template(node.right)
    if isinstance(node, ast.IfExp):
        return f"{_template(node.body)} / {_template(node.orelse)}"
    return "" if node is None else "…"


_EXITS = {
    0: "done",
    1: "refused, rows rejected, claims that disagree, or a book that was tampered with",
    2: "bad usage or bad input",
    3: "unavailable: the store, the disk or a peer; trying again is safe",
    70: "a defect of Driveaway itself",
    130: "stopped by the user",
}


def _classes_of(exit_code: int) -> str:
    """The errors that end a command so, from the command line's one table."""
    app = part("driveaway.cli.app")
    listed = app.EXIT_CODES if app is not None else ()
    return ", ".join(code(cls.__name__) for cls, number in listed if number == exit_code)


def error_page() -> str:
    """Classes of errors, exit codes, and every code with its message and remedy."""
    classes = table(
        ("error", "means", "code if none is given"),
        (
            (code(name), prose(cls.__doc__).split("\n\n")[0], code(cls.default_code))
            for name, cls in CLASSES.items()
        ),
    )
    codes = table(
        ("code", "error", "message", "what to do"),
        ((code(item.code), code(item.error), item.message, item.remedy) for item in raised()),
    )
    exits = table(
        ("exit code", "means", "errors"),
        ((str(number), meaning, _classes_of(number)) for number, meaning in _EXITS.items()),
    )
    return page(
        "Errors",
        "An error says where, what, what to do, and ends with its code in brackets. Codes are stable: "
        "scripts may rely on them. Where a message holds a value, … stands for it.",
        "## Exit codes of the command line",
        exits,
        "## Classes",
        classes,
        "## Codes",
        codes,
    )
