"""What a statement stands on, and goes or changes with: tables and views that its SQL names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.schema.sqltext import fold, significant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ashflow.change.renames import Renames
    from ashflow.schema.sqltext import Token
    from ashflow.schema.table import Statement, Table

_KINDS = ("TABLE", "VIEW", "TRIGGER", "INDEX")


def along_with(
    going: Sequence[tuple[str, Statement]], schema: Mapping[str, Table]
) -> list[tuple[str, Statement]]:
    """Return the statements that go with others, those that were made last first.

    Args:
        going: The statements that go, each with the name of its table.
        schema: The tables.
    """
    if not going:
        return []
    made = makes(statement for _, statement in going)
    return [
        (name, statement)
        for name, table in reversed(tuple(schema.items()))
        for statement in reversed(table.statements)
        if (name, statement) not in going and stands_on(statement, made)
    ]


def makes(statements: Iterable[Statement]) -> frozenset[str]:
    """Return the tables and views that statements make, in small letters."""
    found = (_made(tokens) for tokens in _created(statements))
    return frozenset(name for kind, name, _ in found if kind in {"TABLE", "VIEW"})


def stands_on(statement: Statement, names: frozenset[str]) -> bool:
    """Whether a statement makes a trigger or an index on one of some tables and views.

    Where such a thing goes, a database takes along what stands on it, and does not bring it back.

    Args:
        statement: The statement.
        names: The tables and views, in small letters.
    """
    found = (_made(tokens) for tokens in _created([statement]))
    return any(kind in {"TRIGGER", "INDEX"} and _on(rest) in names for kind, _, rest in found)


def follows(statement: Statement, renames: Renames) -> bool:
    """Whether a statement makes something in whose text a database changes renamed names.

    Args:
        statement: The statement; a table that it makes is left alone by others' new names.
        renames: What gets another name.
    """
    if not renames:
        return False
    for tokens in _created([statement]):
        if _made(tokens)[0] in {"VIEW", "TRIGGER", "INDEX"}:
            said = {fold(token.name) for token in tokens if token.name is not None}
            columns = (table for table, pairs in renames.columns.items() if _said(pairs, said))
            if any(fold(table) in said for table in (*renames.tables, *columns)):
                return True
    return False


def _said(names: Iterable[str], said: set[str]) -> bool:
    return any(fold(name) in said for name in names)


def _created(statements: Iterable[Statement]) -> Iterator[Sequence[Token]]:
    """Yield the tokens of what begins with CREATE."""
    for statement in statements:
        for sql in statement.up:
            tokens = significant(sql)
            if tokens and tokens[0].is_word("CREATE"):
                yield tokens


def _made(tokens: Sequence[Token]) -> tuple[str, str, Sequence[Token]]:
    """Return the kind of what a CREATE makes, its name, and what follows."""
    at = next((i for i, token in enumerate(tokens) if token.is_word(*_KINDS)), len(tokens))
    kind = tokens[at].text.upper() if at < len(tokens) else ""
    rest = tokens[at + 1 :]
    if rest[:1] and rest[0].is_word("IF"):  # IF NOT EXISTS
        rest = rest[3:]
    return kind, _name(rest), rest


def _on(tokens: Sequence[Token]) -> str:
    at = next((i for i, token in enumerate(tokens) if token.is_word("ON")), len(tokens))
    return _name(tokens[at + 1 :])


def _name(tokens: Sequence[Token]) -> str:
    """Return the name that tokens begin with, without that of a schema before it."""
    if len(tokens) > 2 and tokens[1].text == ".":
        tokens = tokens[2:]
    return fold(tokens[0].name or "") if tokens else ""
