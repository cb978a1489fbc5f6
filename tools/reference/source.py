"""What the source text says beyond what the running code knows: names of types, notes on aliases."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

SOURCES = Path(__file__).resolve().parents[2] / "src"


_WORDS = {"str": "text", "int": "integer", "float": "number", "bool": "true or false"}
_LIMITS: dict[str | None, str] = {
    "ge": "at least {}",
    "le": "at most {}",
    "min_length": "at least {} characters",
    "max_length": "at most {} characters",
    "pattern": "matching `{}`",
}


@dataclass(frozen=True)
class Alias:
    """A named type such as ``Money``, with the note that stands under it."""

    name: str
    definition: ast.expr
    note: str

    @property
    def checked(self) -> str:
        """The definition in words: ``integer, at least 0``."""
        assert isinstance(self.definition, ast.Subscript)
        inner = self.definition.slice
        if not isinstance(inner, ast.Tuple) or not isinstance(inner.elts[-1], ast.Call):
            return _bare(ast.unparse(self.definition))
        limits = {keyword.arg: _value(keyword.value) for keyword in inner.elts[-1].keywords}
        words = [_WORDS.get(ast.unparse(inner.elts[0]), ast.unparse(inner.elts[0]))]
        words += [pattern.format(value) for name, value in limits.items() if (pattern := _LIMITS.get(name))]
        return ", ".join(words)


def aliases(module: ModuleType) -> dict[str, Alias]:
    """Named types of a module: ``Name = Annotated[...]``, with the string that follows, if any."""
    body = ast.parse(inspect.getsource(module)).body
    found: dict[str, Alias] = {}
    for statement, after in zip(body, [*body[1:], None], strict=True):
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        value = statement.value
        if not (isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name)):
            continue
        if value.value.id not in ("Annotated", "Literal"):
            continue
        note = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            note = str(after.value.value)
        name = statement.targets[0].id
        found[name] = Alias(name, value, note)
    return found


def _value(node: ast.expr) -> str:
    text = ast.unparse(node)
    return str(node.value) if isinstance(node, ast.Constant) else text.replace("2 ** 53", "2⁵³")


def field_types(cls: type) -> dict[str, str]:
    """The type of each field as written, without ``Annotated[…]`` around it; base classes first."""
    types: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        for name, text in inspect.get_annotations(base).items():
            if isinstance(text, str) and not text.startswith("ClassVar"):
                types[name] = _bare(text)
    return types


def _bare(text: str) -> str:
    tree = ast.parse(text, mode="eval").body
    while (
        isinstance(tree, ast.Subscript) and isinstance(tree.value, ast.Name) and tree.value.id == "Annotated"
    ):
        assert isinstance(tree.slice, ast.Tuple)
        tree = tree.slice.elts[0]
    # A union with None says "may be left out", which has its own column.
    if isinstance(tree, ast.BinOp) and isinstance(tree.right, ast.Constant) and tree.right.value is None:
        tree = tree.left
    if isinstance(tree, ast.Subscript) and isinstance(tree.value, ast.Name):
        inner = tree.slice
        if tree.value.id == "Annotated":
            return _bare(ast.unparse(tree))
        if tree.value.id == "Literal":
            options = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return " or ".join(
                f'"{option.value!s}"' for option in options if isinstance(option, ast.Constant)
            )
        if tree.value.id == "tuple" and isinstance(inner, ast.Tuple):
            return f"list of {_bare(ast.unparse(inner.elts[0]))}"
    return _WORDS.get(ast.unparse(tree), ast.unparse(tree))
