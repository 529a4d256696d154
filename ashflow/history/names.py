"""The names that a statement of Python gives something to, and those that it mentions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def bound(statement: ast.stmt) -> frozenset[str]:
    """Return the names that a statement at the top level gives something to, or to a part of it.

    Args:
        statement: The statement.
    """
    return frozenset(_bound(statement))


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
            return
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in names)
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.Subscript(value=whole, ctx=ast.Store() | ast.Del()):
            yield from _named(whole)
        case ast.Attribute(value=whole, ctx=ast.Store() | ast.Del()):
            yield from _named(whole)
        case (
            ast.ExceptHandler(name=str() as name)
            | ast.MatchAs(name=str() as name)
            | ast.MatchStar(name=str() as name)
            | ast.MatchMapping(rest=str() as name)
        ):
            yield name
        case _:
            pass
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Lambda | _Comprehension):
            yield from _bound(child)


def _named(node: ast.expr) -> Iterator[str]:
    """Yield the name of what a part is a part of: `a` of `a.b["c"]`."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def used(node: ast.AST) -> frozenset[str]:
    """Return the names that a piece of source mentions, also in annotations that are texts.

    Names of its own, such as its variables, are among them.

    Args:
        node: The piece.
    """
    return frozenset(_used(node))


def _used(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        for annotation in _annotations(part):
            if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
                yield from _in_text(annotation.value)


def _annotations(node: ast.AST) -> Iterator[ast.expr | None]:
    match node:
        case ast.arg(annotation=annotation) | ast.AnnAssign(annotation=annotation):
            yield annotation
        case ast.FunctionDef(returns=returns) | ast.AsyncFunctionDef(returns=returns):
            yield returns
        case _:
            pass


def _in_text(text: str) -> frozenset[str]:
    try:
        return used(ast.parse(text, mode="eval"))
    except SyntaxError:
        return frozenset()
