"""Virtual tables that index the words of another table (https://www.sqlite.org/fts5.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.catalog import is_virtual
from ashflow.schema.sqltext import Token, fold, quote, significant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator

    from ashflow.adapters.sqlite.outline import Outline


def can_be_read(connection: sqlite3.Connection, table: Outline) -> bool:
    """Whether the values of a table can be read: an index of words may have forgotten them.

    Args:
        connection: A connection.
        table: The table; those in which a virtual one keeps its rows are not read by themselves.
    """
    if table.kind == "virtual":
        return content(connection, table.name, table.schema) != ""
    return table.kind == "table"


def content(connection: sqlite3.Connection, table: str, schema: str = "main") -> str | None:
    """Return the table whose words a virtual table indexes.

    Args:
        connection: A connection.
        table: The virtual table.
        schema: What the connection calls the database.

    Returns:
        Its name; empty where the words come from nowhere and are not kept; None where the virtual
        table keeps them itself, or is another kind of table.
    """
    found = connection.execute(
        f"SELECT sql FROM {schema}.sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE",
        (table,),
    ).fetchone()
    return None if found is None else _content(found[0])


def rebuild(connection: sqlite3.Connection, tables: Collection[str]) -> None:
    """Index the words of tables anew.

    Args:
        connection: A connection, in a transaction.
        tables: The tables, or those that index them, in small letters.
    """
    for name, of in _searches(connection):
        if fold(of) in tables or fold(name) in tables:
            connection.execute(
                f"INSERT INTO main.{quote(name)} ({quote(name)}) VALUES ('rebuild')"
            ).fetchall()


def _searches(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    rows = connection.execute("SELECT name, sql FROM main.sqlite_master WHERE type = 'table'")
    for name, sql in rows.fetchall():
        if of := _content(sql):
            yield name, of


def _content(sql: str) -> str | None:
    if not is_virtual(sql):
        return None
    words = significant(sql)
    if not any(word.is_word("FTS4", "FTS5") for word in words[:9]):
        return None
    for at, word in enumerate(words[:-2]):
        if word.is_word("CONTENT") and words[at + 1] == Token("punct", "="):
            value = words[at + 2]
            return value.text[1:-1].replace("''", "'") if value.kind == "string" else value.name
    return None
