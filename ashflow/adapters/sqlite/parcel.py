"""Keep tables, or some columns of them, in a SQLite file of their own.

There a table has its name, its key and the numbers of its rows, but no types, no collations and no
constraints: every value stays what it is.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from ashflow.adapters.sqlite.attaching import CACHE
from ashflow.adapters.sqlite.outline import outline
from ashflow.adapters.sqlite.searches import can_be_read
from ashflow.schema.sqltext import fold, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Lot
    from ashflow.adapters.sqlite.outline import Field, Outline

_FILE: Final = "ashflow_parcel"


def keep(connection: sqlite3.Connection, path: Path, lots: Sequence[Lot]) -> tuple[int, ...]:
    """Copy what lots name into an empty file, and end the transaction.

    Args:
        connection: A connection to the database, in a transaction that has changed nothing; to be
            closed afterwards.
        path: The absolute path of the file.
        lots: What is kept; what is not there is left out.

    Returns:
        For each lot how many rows, or values that are not NULL, are in the file.
    """
    connection.execute(f"ATTACH ? AS {_FILE}", (f"{path.as_uri()}?mode=rw",))
    connection.execute(f"PRAGMA {_FILE}.cache_size = -{CACHE}")
    kept = [table for table in _asked(connection, lots) if _keep(connection, *table)]
    _keep_counters(connection, [table.name for table, _ in kept])
    counts = tuple(_count(connection, lot) for lot in lots)
    connection.execute("COMMIT")
    return counts


def _asked(
    connection: sqlite3.Connection, lots: Iterable[Lot]
) -> Iterator[tuple[Outline, list[Field]]]:
    """Yield the tables that lots name, each with the columns that are kept."""
    wanted: dict[str, set[str | None]] = {}
    for lot in lots:
        column = None if lot.column is None else fold(lot.column)
        wanted.setdefault(fold(lot.table), set()).add(column)
    for name, columns in wanted.items():
        table = outline(connection, "main", name)
        if table is None or not can_be_read(connection, table):
            continue
        named = {fold(field.name) for field in table.fields} & columns
        # Where columns hide the rowid, they do so in the file too: its numbers are not those here.
        hidden = table.rowid is None and not table.rowless
        if None in columns or (named and hidden):
            yield table, list(table.fields)
        elif named:
            yield table, [f for f in table.fields if f.key or fold(f.name) in named]


def _keep(connection: sqlite3.Connection, table: Outline, fields: Sequence[Field]) -> bool:
    """Copy a table; False where it cannot be read."""
    names = [quote(field.name) for field in fields]
    if table.number is not None:
        names.insert(0, table.number)
    listed, place = ", ".join(names), f"{_FILE}.{quote(table.name)}"
    # NOT INDEXED: in the order of the rows, not in that of an index.
    order = " NOT INDEXED" if table.kind == "table" else ""
    connection.execute(f"CREATE TABLE {place} {_definition(table, fields)}")
    try:
        connection.execute(
            f"INSERT INTO {place} ({listed}) SELECT {listed} FROM {table.place}{order}"
        ).fetchall()
    except sqlite3.OperationalError as error:
        if table.kind != "virtual" or error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        connection.execute(f"DROP TABLE {place}")
        return False
    return True


def _definition(table: Outline, fields: Sequence[Field]) -> str:
    """Return what stands behind CREATE TABLE: the columns, and the key by which rows are found."""
    columns = [
        quote(field.name) + " INTEGER PRIMARY KEY" * (field.name == table.alias) for field in fields
    ]
    if table.key and table.alias is None:
        columns.append(f"PRIMARY KEY ({', '.join(quote(field.name) for field in table.key)})")
    return f"({', '.join(columns)}){' WITHOUT ROWID' * table.rowless}"


def _keep_counters(connection: sqlite3.Connection, tables: Sequence[str]) -> None:
    """Keep where AUTOINCREMENT has come to, in SQLite's own table for that."""
    there = "SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'"
    if connection.execute(there).fetchone() is None:
        return
    beside = f"{_FILE}.{quote(_free(tables))}"
    connection.execute(f"CREATE TABLE {beside} (n INTEGER PRIMARY KEY AUTOINCREMENT)")
    connection.execute(f"DROP TABLE {beside}")  # what it counts in stays
    connection.executemany(
        f"INSERT INTO {_FILE}.sqlite_sequence (name, seq) "
        "SELECT name, seq FROM main.sqlite_sequence WHERE name = ?",
        [(table,) for table in tables],
    )


def _free(tables: Iterable[str]) -> str:
    """Return a name that no table has."""
    return "n" * (1 + max(map(len, tables), default=0))


def _count(connection: sqlite3.Connection, lot: Lot) -> int:
    table = outline(connection, _FILE, lot.table)
    if table is None or (lot.column is not None and table.field(lot.column) is None):
        return 0
    what = "*" if lot.column is None else quote(lot.column)
    (count,) = connection.execute(f"SELECT count({what}) FROM {table.place}").fetchone()
    return int(count)
