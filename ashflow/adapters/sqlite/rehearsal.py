"""A copy of a database in memory, with its tables and its ledger and no other row."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.catalog import is_virtual
from ashflow.schema.sqltext import fold, quote

if TYPE_CHECKING:
    from collections.abc import Collection


def empty_copy(source: sqlite3.Connection | None, keep: Collection[str]) -> sqlite3.Connection:
    """Return a connection to a copy in memory.

    Args:
        source: The database; None: the copy is empty.
        keep: The tables whose rows are copied.
    """
    copy = sqlite3.connect(":memory:", isolation_level=None, cached_statements=0)
    try:
        if source is not None:
            _copy_schema(source, copy)
            for table in keep:
                _copy_rows(source, copy, table)
    except BaseException:
        copy.close()
        raise
    return copy


def _copy_schema(source: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    rows = source.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
        "ORDER BY type <> 'table', type IN ('view', 'trigger'), type = 'trigger', rowid"
    ).fetchall()
    shadows = _shadows(source) if any(is_virtual(sql) for _, _, sql in rows) else set()
    for _, name, sql in rows:
        if name not in shadows:
            _make(copy, sql)


def _shadows(source: sqlite3.Connection) -> set[str]:
    """Return the tables that a virtual table makes for itself."""
    rows = source.execute("SELECT name FROM pragma_table_list WHERE type = 'shadow'")
    return {name for (name,) in rows.fetchall()}


def _make(copy: sqlite3.Connection, sql: str) -> None:
    try:
        copy.execute(sql)
    except sqlite3.OperationalError:
        # A virtual table of an extension that is not loaded here: its triggers miss it too.
        if not is_virtual(sql) and not sql[:14].upper().startswith("CREATE TRIGGER"):
            raise


def _copy_rows(source: sqlite3.Connection, copy: sqlite3.Connection, table: str) -> None:
    known = source.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    if fold(table) not in {fold(name) for (name,) in known}:
        return
    found = source.execute(f"SELECT * FROM {quote(table)}")
    marks = ", ".join("?" for _ in found.description)
    copy.executemany(f"INSERT INTO {quote(table)} VALUES ({marks})", found.fetchall())
