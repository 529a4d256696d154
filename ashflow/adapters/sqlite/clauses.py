"""What the clauses of a definition say: the columns, keys and expressions in their text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ashflow.adapters.sqlite.grammar import Reader, name_of
from ashflow.schema.sqltext import Token, fold, rename, significant, text_literal, tokens
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.adapters.sqlite.definition import Clause, ColumnItem, Definition
    from ashflow.schema.table import Action

_ACTIONS: Final[dict[str, Action]] = {
    "RESTRICT": "restrict",
    "CASCADE": "cascade",
    "SET NULL": "set_null",
    "SET DEFAULT": "set_default",
}
_CONSTANTS: Final = ("TRUE", "FALSE", "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP")
_OPEN: Final = Token("punct", "(")


@value
class Reference:
    """A foreign key as it stands in a definition.

    Args:
        name: Its name; None where it is given none.
        columns: The columns that refer.
        table: What is referred to.
        keys: Its columns; empty where the primary key goes without saying.
        on_delete: What happens to a row whose row in `table` goes.
        on_update: What happens when the key in `table` changes.
        deferrable: Whether it is looked at only at the end of a transaction.
    """

    name: str | None
    columns: tuple[str, ...]
    table: str
    keys: tuple[str, ...]
    on_delete: Action | None = None
    on_update: Action | None = None
    deferrable: bool = False


def references(definition: Definition) -> Iterator[Reference]:
    """Yield the foreign keys of a table, those in its columns first."""
    for column in definition.columns:
        for clause in column.all("references"):
            yield reference(clause, (column.name,))
    for clause in definition.constraints:
        if clause.kind == "foreign_key":
            yield reference(clause)


def reference(clause: Clause, columns: tuple[str, ...] = ()) -> Reference:
    """Return what a REFERENCES or FOREIGN KEY says.

    Args:
        clause: The clause.
        columns: The column that it stands in, for REFERENCES.
    """
    reader = Reader(_unnamed(clause))
    if reader.word("FOREIGN"):
        reader.need("KEY")
        columns = _group_names(reader)
    reader.need("REFERENCES")
    table = name_of(reader.take())
    keys = _group_names(reader)
    rest = [token.text.upper() for token in reader.found[reader.at :] if not token.blank]
    return Reference(
        clause.name,
        columns,
        table,
        keys,
        _action(rest, "DELETE"),
        _action(rest, "UPDATE"),
        "INITIALLY DEFERRED" in " ".join(rest) and "NOT DEFERRABLE" not in " ".join(rest),
    )


def key_columns(clause: Clause) -> tuple[str, ...]:
    """Return the columns of a PRIMARY KEY or UNIQUE of a table."""
    reader = Reader(_unnamed(clause))
    reader.word("PRIMARY", "UNIQUE")
    reader.word("KEY")
    return _group_names(reader)


def primary_key(definition: Definition) -> tuple[str, ...]:
    """Return the columns of the primary key, in its order."""
    inline = tuple(column.name for column in definition.columns if column.has("primary_key"))
    for clause in definition.constraints:
        if clause.kind == "primary_key":
            spelled = (definition.column(name) for name in key_columns(clause))
            return tuple(column.name for column in spelled if column is not None)
    return inline


def autoincrement(definition: Definition) -> bool:
    """Whether the table never uses a key again."""
    clauses = [c for column in definition.columns for c in column.all("primary_key")]
    clauses += [clause for clause in definition.constraints if clause.kind == "primary_key"]
    return any(t.is_word("AUTOINCREMENT") for clause in clauses for t in _unnamed(clause))


def rowid_alias(definition: Definition) -> str | None:
    """Return the column that is the rowid (https://www.sqlite.org/lang_createtable.html#rowid)."""
    key = primary_key(definition)
    column = definition.column(key[0]) if len(key) == 1 else None
    if column is None or fold(column.declared) != "integer" or definition.options.without_rowid:
        return None
    # A wart that SQLite keeps: with DESC in the column itself it is no alias.
    inline = [token for clause in column.all("primary_key") for token in _unnamed(clause)]
    return None if any(token.is_word("DESC") for token in inline) else column.name


def expression(clause: Clause) -> str:
    """Return what stands in the parentheses of a CHECK or of a generated column."""
    found = _unnamed(clause)
    start = next(at for at, token in enumerate(found) if token == _OPEN)
    reader = Reader(found)
    reader.at = start
    reader.need_group()
    return reader.since(start)[1:-1].strip()


def default_text(column: ColumnItem) -> str | None:
    """Return the default of a column as it stands; None where it has none, or NULL."""
    for clause in reversed(column.all("default")):  # SQLite takes the last one
        words = [token for token in _unnamed(clause) if not token.blank]
        text = _joined(words[1:])
        return None if text.upper() == "NULL" else text
    return None


def default_expression(column: ColumnItem) -> str | None:
    """Return the default of a column as an expression; a bare word there stands for a text."""
    text = default_text(column)
    if text is None:
        return None
    first, *others = significant(text)
    if others or first.name is None or first.is_word(*_CONSTANTS):
        return text
    return text_literal(first.name)


def collation(column: ColumnItem) -> str | None:
    """Return the collation that is said of a column."""
    for clause in reversed(column.all("collate")):
        return name_of([token for token in _unnamed(clause) if not token.blank][-1])
    return None


def normal(sql: str) -> str:
    """Return a piece of SQL in one spelling: white space, comments and needless quotes gone."""
    return _joined([_plain(token) for token in significant(sql)])


def qualified(definition: Definition) -> bool:
    """Whether the definition says the name of its own table, as in `CHECK (posts.rpm > 0)`."""
    found, wanted = significant(definition.body), fold(definition.name)
    return any(
        token.name is not None
        and fold(token.name) == wanted
        and found[at + 1 : at + 2] == (Token("punct", "."),)
        for at, token in enumerate(found)
    )


def _plain(token: Token) -> Token:
    """Return a name without its quotes, where it needs none."""
    if token.kind != "quoted" or token.name is None:
        return token
    return next(tokens(rename("x", "x", token.name)))


def _unnamed(clause: Clause) -> list[Token]:
    reader = Reader(list(tokens(clause.text)))
    if reader.word("CONSTRAINT"):
        reader.take()
        reader.blanks()
    return list(reader.found[reader.at :])


def _group_names(reader: Reader) -> tuple[str, ...]:
    """Take names in parentheses: the first name between two commas each."""
    start = reader.at
    if not reader.group():
        return ()
    inner = [token for token in reader.found[start : reader.at] if not token.blank][1:-1]
    names, depth, wanted = [], 0, True
    for token in inner:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "punct" else 0
        if wanted:
            names.append(name_of(token))
        wanted = depth == 0 and token == Token("punct", ",")
    return tuple(names)


def _action(rest: Sequence[str], event: str) -> Action | None:
    """Return what `ON DELETE` or `ON UPDATE` says; the last one counts."""
    found = None
    for at in range(len(rest) - 2):
        if rest[at : at + 2] == ["ON", event]:
            found = _ACTIONS.get(rest[at + 2]) or _ACTIONS.get(" ".join(rest[at + 2 : at + 4]))
    return found


def _joined(found: Sequence[Token]) -> str:
    """Join tokens with one space where it reads well."""
    text = ""
    for at, token in enumerate(found):
        before = found[at - 1] if at else None
        tight = before is None or before.text in "(." or token.text in "),."
        called = token == _OPEN and before is not None and before.kind == "word"
        text += token.text if tight or called else f" {token.text}"
    return text
