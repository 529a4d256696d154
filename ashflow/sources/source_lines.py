"""Find the line of a name in a class body, by reading the source."""

from __future__ import annotations

import ast
import tokenize
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def line_of(file: str, qualname: str, member: str, *, near: int) -> int:
    """Return the line on which a class body last says a name.

    Args:
        file: The source file.
        qualname: The class, as `__qualname__` has it.
        member: The name.
        near: A line of the class statement: the answer where the source says nothing, and what
            tells two classes of one name apart.
    """
    bodies = [body for name, body in _classes(file) if name == qualname]
    if not bodies:
        return near
    body = min(bodies, key=lambda found: abs(found.lineno - near))
    return max((s.lineno for s in body.body if member in _assigned(s)), default=near)


@lru_cache(maxsize=64)
def _classes(file: str) -> tuple[tuple[str, ast.ClassDef], ...]:
    try:
        with tokenize.open(file) as source:
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError):  # typed into a shell, zipped, or changed since
        return ()
    return tuple(_within(tree, ""))


def _within(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield prefix + child.name, child
            yield from _within(child, f"{prefix}{child.name}.")
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _within(child, f"{prefix}{child.name}.<locals>.")
        else:
            yield from _within(child, prefix)


def _assigned(statement: ast.stmt) -> set[str]:
    """Return the names that a statement gives a value or an annotation."""
    if isinstance(statement, ast.AnnAssign):
        targets: list[ast.expr] = [statement.target]
    elif isinstance(statement, ast.Assign):
        targets = statement.targets
    else:
        return set()
    return {target.id for target in targets if isinstance(target, ast.Name)}
