"""The source of a migration's file, taken apart: its operations, and what each of them needs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from ashflow import migration as face
from ashflow.history.imports import Import
from ashflow.history.names import bound, used
from ashflow.history.tokens import Tokens, read_tokens
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from ashflow.history.layout import Passage

_MIGRATION = "migration"
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Written(NamedTuple):
    """An operation as it stands in a file.

    Args:
        comments: The comments above it, a line each.
        passage: Its source, with the comment behind it.
        uses: The names that it mentions.
    """

    comments: tuple[str, ...]
    passage: Passage
    uses: frozenset[str]


class Definition(NamedTuple):
    """A statement at the top level of a file that is neither an import nor the migration.

    Args:
        text: Its source, with its decorators and the comments above it.
        binds: The names that it gives something to.
        uses: The names that it mentions.
        is_function: Whether it is a function or a class: two blank lines stand around it.
        imports: Whether it imports something, under a condition.
    """

    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    is_function: bool = False
    imports: bool = False


class Needed(NamedTuple):
    """What operations need of the file that they stand in.

    Args:
        definitions: The statements, in their order.
        imports: The imports.
    """

    definitions: tuple[Definition, ...]
    imports: tuple[Import, ...]


@value
class Source:
    """A migration's file, taken apart.

    Args:
        operations: What stands in its list, in order.
        definitions: What it defines, in order.
        imports: What it imports.
    """

    operations: tuple[Written, ...]
    definitions: tuple[Definition, ...]
    imports: tuple[Import, ...]

    def needed(self, places: Iterable[int]) -> Needed:
        """Return what some of the operations need, and what that needs.

        Args:
            places: Which of the operations.
        """
        names = frozenset[str]().union(*(self.operations[place].uses for place in places))
        taken: set[Definition] = set()
        while more := {d for d in self.definitions if d not in taken and _needs(d, names, taken)}:
            taken |= more
            names = names.union(*(d.uses for d in more))
        definitions = tuple(d for d in self.definitions if d in taken)
        own = frozenset[str]().union(*(d.binds for d in definitions))
        return Needed(definitions, tuple(self._imports(names - own, with_future=bool(taken))))

    def _imports(self, names: Collection[str], *, with_future: bool) -> Iterator[Import]:
        known = {one.binds for one in self.imports}
        for one in self.imports:
            if one.name == "*":
                yield from _of_star(one, names, known)
            elif one.module == "__future__":
                if with_future:
                    yield one
            elif one.binds in names:
                yield one


def _needs(definition: Definition, names: Collection[str], taken: Collection[Definition]) -> bool:
    """Whether a definition belongs to what is taken: it binds a name of it, or works on one."""
    if definition.binds:
        return not definition.binds.isdisjoint(names)
    return any(not definition.uses.isdisjoint(other.binds) for other in taken)


def _of_star(one: Import, names: Collection[str], known: Collection[str]) -> Iterator[Import]:
    if one.module != face.__name__:
        yield one
        return
    for name in face.__all__:
        if name in names and name not in known:
            yield Import(one.module, name)


def read_source(text: str) -> Source | None:
    """Take the source of a migration apart.

    Args:
        text: The text of a file that loads as a migration.

    Returns:
        What it is made of; None where its operations are no plain list in the one statement
        `migration = Migration(...)`.
    """
    tree = ast.parse(text)
    statement = _statement(tree)
    items = None if statement is None else _list(statement)
    if statement is None or items is None:
        return None
    tokens = read_tokens(text)
    pieces = tokens.items(items.lineno, items.col_offset)
    others = [node for node in tree.body if node is not statement and not _is_docstring(node)]
    if len(pieces) != len(items.elts) or _shares_a_line(statement, others):
        return None
    operations = tuple(
        Written(piece.comments, piece.passage, used(node))
        for piece, node in zip(pieces, items.elts, strict=True)
    )
    return Source(operations, tuple(_definitions(others, tokens)), tuple(_imports(others, tokens)))


def _statement(tree: ast.Module) -> ast.Assign | ast.AnnAssign | None:
    """Return the one statement that makes the migration."""
    found = [
        node
        for node in tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom) and _MIGRATION in bound(node)
    ]
    if len(found) != 1 or not isinstance(found[0], ast.Assign | ast.AnnAssign):
        return None
    targets = found[0].targets if isinstance(found[0], ast.Assign) else [found[0].target]
    return found[0] if len(targets) == 1 and isinstance(targets[0], ast.Name) else None


def _list(statement: ast.Assign | ast.AnnAssign) -> ast.List | None:
    """Return the list of the operations, where it is a plain one."""
    call = statement.value
    if not isinstance(call, ast.Call):
        return None
    given = [k.value for k in call.keywords if k.arg == "operations"] or call.args
    if len(given) != 1 or not isinstance(given[0], ast.List):
        return None
    return None if any(isinstance(e, ast.Starred) for e in given[0].elts) else given[0]


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _shares_a_line(statement: ast.stmt, others: Sequence[ast.stmt]) -> bool:
    return any(
        node.end_lineno == statement.lineno or node.lineno == statement.end_lineno
        for node in others
    )


def _definitions(nodes: Sequence[ast.stmt], tokens: Tokens) -> Iterator[Definition]:
    together: list[list[ast.stmt]] = []
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if together and together[-1][-1].end_lineno == node.lineno:  # `A = 1; B = 2`
            together[-1].append(node)
        else:
            together.append([node])
    for group in together:
        yield _definition(group, tokens)


def _definition(nodes: Sequence[ast.stmt], tokens: Tokens) -> Definition:
    first = min((d.lineno for d in getattr(nodes[0], "decorator_list", ())), default=0)
    parts = [node for statement in nodes for node in ast.walk(statement)]
    return Definition(
        tokens.statement(first or nodes[0].lineno, nodes[-1].end_lineno or 0),
        frozenset().union(*map(bound, nodes)),
        frozenset().union(*map(used, nodes)),
        isinstance(nodes[-1], _Function),
        any(isinstance(node, ast.If | ast.Try) for node in nodes)
        and any(isinstance(part, ast.Import | ast.ImportFrom) for part in parts),
    )


def _imports(nodes: Sequence[ast.stmt], tokens: Tokens) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            comment = tokens.comment(node.lineno, node.end_lineno or node.lineno)
            for alias in node.names:
                yield _import(node, alias, comment)


def _import(node: ast.Import | ast.ImportFrom, alias: ast.alias, comment: str) -> Import:
    renamed = alias.asname or ""
    if isinstance(node, ast.Import):
        return Import(alias.name, "", renamed, comment)
    module = "." * node.level + (node.module or "")
    return Import(module, alias.name, renamed, comment)


def joined(definitions: Sequence[Definition]) -> str:
    """Return definitions as the source that they are together.

    Args:
        definitions: What is defined, in order; what imports something comes first.
    """
    ordered = sorted(definitions, key=lambda one: not one.imports)
    text = ""
    for before, one in zip((None, *ordered), ordered, strict=False):
        if before is not None:
            apart = before.is_function or one.is_function
            text += "\n\n\n" if apart else "\n\n" if one.imports or before.imports else "\n"
        text += one.text
    return text
