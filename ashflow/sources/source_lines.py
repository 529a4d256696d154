"""Find the line of a name in a class body, by reading the source."""

from __future__ import annotations

import re
import tokenize
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator, Sequence

_CLASS = re.compile(r"(\s*)class\s+(\w+)")
_NAME = re.compile(r"([^\W\d]\w*)\s*[:=](?!=)")


def line_of(file: str, qualname: str, member: str, *, near: int) -> int:
    """Return the line on which a class body last says a name.

    Args:
        file: The source file.
        qualname: The class, as `__qualname__` has it.
        member: The name.
        near: A line of the class statement: the answer where the source says nothing, and what
            tells two classes of one name apart.
    """
    found = _seen(file, qualname.rpartition(".")[2], near).get(member, ())
    if len(found) == 1:
        return found[0]
    # Said twice, or not where we looked: a text of several lines may stand in the way.
    return _parsed(file, qualname, near).get(member, near)


@lru_cache(maxsize=64)
def _lines(file: str) -> Sequence[str]:
    try:
        with tokenize.open(file) as source:
            return source.read().split("\n")
    except (OSError, SyntaxError, ValueError):  # typed into a shell, zipped, or changed since
        return ()


@lru_cache(maxsize=4096)
def _seen(file: str, name: str, near: int) -> dict[str, list[int]]:
    """Return the lines of a class body that look as if they gave a name a value or a type.

    A parser would know; it takes a hundred times as long, and is asked where this is not sure.
    """
    found: dict[str, list[int]] = {}
    lines = _lines(file)
    head = _CLASS.match(lines[near - 1]) if 0 < near <= len(lines) else None
    if head is None or head[2] != name:
        return found
    outside, inside = len(head[1]), None
    for number, line in enumerate(lines[near:], near + 1):
        text = line.lstrip()
        if not text or text[0] in "#)":
            continue
        indent = len(line) - len(text)
        if indent <= outside:
            break
        inside = indent if inside is None else inside
        if indent == inside and (match := _NAME.match(text)):
            found.setdefault(match[1], []).append(number)
    return found


@lru_cache(maxsize=4096)
def _parsed(file: str, qualname: str, near: int) -> dict[str, int]:
    """Return the line of each name that a class body gives a value or a type, the last one."""
    bodies = _classes(file).get(qualname)
    if not bodies:
        return {}
    body = min(bodies, key=lambda found: abs(found.lineno - near))
    return {name: statement.lineno for statement in body.body for name in _assigned(statement)}


@lru_cache(maxsize=64)
def _classes(file: str) -> dict[str, list[ast.ClassDef]]:
    import ast

    try:
        tree = ast.parse("\n".join(_lines(file)))
    except (SyntaxError, ValueError):  # changed since it was imported
        return {}
    found: dict[str, list[ast.ClassDef]] = {}
    for name, body in _within(tree, ""):
        found.setdefault(name, []).append(body)
    return found


def _within(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    import ast

    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield prefix + child.name, child
            yield from _within(child, f"{prefix}{child.name}.")
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _within(child, f"{prefix}{child.name}.<locals>.")
        elif not isinstance(child, ast.expr):
            yield from _within(child, prefix)


def _assigned(statement: ast.stmt) -> set[str]:
    """Return the names that a statement gives a value or an annotation."""
    import ast

    if isinstance(statement, ast.AnnAssign):
        targets: list[ast.expr] = [statement.target]
    elif isinstance(statement, ast.Assign):
        targets = statement.targets
    else:
        return set()
    return {target.id for target in targets if isinstance(target, ast.Name)}
