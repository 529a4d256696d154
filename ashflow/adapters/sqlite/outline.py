"""What a table looks like to who moves its rows, in the database or in a file beside it."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from ashflow.adapters.sqlite.clauses import default_expression
from ashflow.adapters.sqlite.definition import Clause, ColumnItem
from ashflow.schema.sqltext import enclosed, fold, quote
from ashflow.values import value

_ROWID_NAMES: Final = ("rowid", "_rowid_", "oid")
_COMPUTED: Final = frozenset({2, 3})


@value
class Field:
    """A column that holds values.

    Args:
        name: Its name, as it is spelled.
        declared: Its declared type; may be empty.
        required: Whether it is NOT NULL.
        default: Its default as an expression; None where it has none.
        key: Its place in the primary key, from 1; 0: it is in none.
    """

    name: str
    declared: str
    required: bool
    default: str | None
    key: int


@value
class Outline:
    """A table of one of the databases that a connection sees.

    Args:
        schema: What the connection calls the database.
        name: The name of the table, as it is spelled.
        kind: `table`, `virtual`, `shadow` or `view`.
        strict: Whether it is STRICT.
        fields: Its columns but for computed and hidden ones, in order.
        alias: The column that is the rowid.
        number: A name of the rowid that is the name of no column, where no column is the rowid;
            None where there is no such name, or no rowid.
        rowless: Whether it is WITHOUT ROWID.
    """

    schema: str
    name: str
    kind: str
    strict: bool
    fields: tuple[Field, ...]
    alias: str | None
    number: str | None
    rowless: bool

    @property
    def place(self) -> str:
        """Its name in a statement."""
        return f"{self.schema}.{quote(self.name)}"

    @property
    def key(self) -> tuple[Field, ...]:
        """The columns of its primary key, in its order."""
        return tuple(sorted((f for f in self.fields if f.key), key=lambda field: field.key))

    @property
    def rowid(self) -> str | None:
        """What stands for the rowid in a statement; None where nothing does."""
        return self.number if self.alias is None else quote(self.alias)

    def field(self, name: str) -> Field | None:
        """Return the column of that name, or None."""
        wanted = fold(name)
        return next((field for field in self.fields if fold(field.name) == wanted), None)


def outline(connection: sqlite3.Connection, schema: str, name: str) -> Outline | None:
    """Return what a table looks like; None where there is none, or none that can be read.

    Args:
        connection: A connection.
        schema: What the connection calls the database.
        name: The name of the table, in any case; SQLite's own tables are not looked at.
    """
    listed = connection.execute(f"PRAGMA {schema}.table_list({quote(name)})").fetchall()
    columns = _columns(connection, schema, name)
    fields = tuple(_field(row) for row in columns if row[6] == 0)
    if not listed or not fields or fold(name).startswith("sqlite_"):
        return None
    _, spelled, kind, _, rowless, strict = listed[0]
    alias = None if rowless or kind != "table" else _alias(connection, schema, spelled, fields)
    taken = {fold(row[1]) for row in columns if row[6] == 0 or row[6] in _COMPUTED}
    free = next((one for one in _ROWID_NAMES if one not in taken), None)
    number = None if rowless or alias is not None or kind == "view" else free
    return Outline(schema, spelled, kind, bool(strict), fields, alias, number, bool(rowless))


def _columns(connection: sqlite3.Connection, schema: str, name: str) -> list[tuple[Any, ...]]:
    """Return the columns of a table; none where its module is not loaded."""
    try:
        return connection.execute(f"PRAGMA {schema}.table_xinfo({quote(name)})").fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        return []


def _field(row: tuple[Any, ...]) -> Field:
    _, name, declared, required, default, key, _ = row
    return Field(name, declared or "", bool(required), _expression(name, default), key)


def _expression(name: str, default: str | None) -> str | None:
    """Return a default as an expression: a bare word there stands for a text."""
    if default is None:
        return None
    text = default_expression(ColumnItem(name, "", "", "", (Clause("default", f"D {default}"),)))
    return None if text is None else enclosed(text)


def _alias(
    connection: sqlite3.Connection, schema: str, table: str, fields: tuple[Field, ...]
) -> str | None:
    """Return the column that is the rowid: the key that SQLite has made no index for."""
    key = [field.name for field in fields if field.key]
    indexes = connection.execute(f"PRAGMA {schema}.index_list({quote(table)})").fetchall()
    indexed = any(row[3] == "pk" for row in indexes)
    return key[0] if len(key) == 1 and not indexed else None
