"""Bring back what is kept in a file: in one that `parcel` made, or in a copy of a database."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from ashflow.adapters.protocol import Carried
from ashflow.adapters.sqlite import checks, searches
from ashflow.adapters.sqlite.attaching import attach
from ashflow.adapters.sqlite.connection import translated
from ashflow.adapters.sqlite.outline import outline
from ashflow.adapters.sqlite.rows_back import rows_back, virtual_rows_back
from ashflow.adapters.sqlite.values_back import values_back
from ashflow.schema.sqltext import fold, quote, significant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Lot
    from ashflow.adapters.sqlite.outline import Outline

T = TypeVar("T")

_REFUSED: Final = frozenset(
    {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH}
)
"""What SQLite says where a value or a definition is wrong, and not the disk or the file."""


def carry(
    connection: sqlite3.Connection, path: Path, lots: Sequence[Lot], *, alone: bool = True
) -> tuple[Carried, ...]:
    """Bring back what lots name; see `protocol.Session.carry`.

    Args:
        connection: A connection, opened with `uri=True`, in a transaction; foreign keys are off.
        path: The file.
        lots: What comes back.
        alone: Whether foreign keys are looked at here; else somebody does when all is done.

    Raises:
        FileError: The file is not there.
        DatabaseError: It can't be read.
        RowsForbid: Rows would refer to what is not there, and did not before.
    """
    try:
        file = attach(connection, path)
    except sqlite3.Error as error:
        raise translated(error, path) from error
    before = checks.Health(checks.violations(connection) if alone else None, None)
    carried = tuple(_carry(connection, file, lot) for lot in lots)
    tables = {fold(lot.to or lot.table) for lot in lots}
    _tried(connection, lambda: searches.rebuild(connection, tables), None)
    checks.compare(connection, before, ())
    return carried


def _carry(connection: sqlite3.Connection, file: str, lot: Lot) -> Carried:
    source = outline(connection, file, lot.table)
    target = outline(connection, "main", lot.to or lot.table)
    if source is None or not searches.can_be_read(connection, source):
        return Carried(lot, 0, 0)
    kept = _tried(connection, lambda: _kept(connection, source, lot.column), 0)
    if target is not None and (target.kind == "shadow" or _is_busy(connection, target, lot)):
        return Carried(lot, 0, 0)
    if target is None or target.kind == "view":
        return Carried(lot, 0, kept)
    done = _tried(connection, lambda: _brought_back(connection, source, target, lot), 0)
    return Carried(lot, done, kept - done)


def _brought_back(
    connection: sqlite3.Connection, source: Outline, target: Outline, lot: Lot
) -> int:
    """Return how many rows, or values, of a lot came back."""
    if target.kind == "virtual":
        return 0 if lot.column is not None else virtual_rows_back(connection, source, target)
    with _no_triggers(connection, target.name):
        if lot.column is not None:
            return values_back(connection, source, target, lot)
        done = rows_back(connection, source, target, lot)
    _go_on_counting(connection, source, target)
    return done


def _kept(connection: sqlite3.Connection, source: Outline, column: str | None) -> int:
    if column is not None and source.field(column) is None:
        return 0
    what = "*" if column is None else quote(column)
    (count,) = connection.execute(f"SELECT count({what}) FROM {source.place}").fetchone()
    return int(count)


def _is_busy(connection: sqlite3.Connection, target: Outline, lot: Lot) -> bool:
    """Whether a virtual table has rows, or reads those of another table."""
    if target.kind != "virtual" or lot.column is not None:
        return False
    if searches.content(connection, target.name):
        return True
    return connection.execute(f"SELECT 1 FROM {target.place} LIMIT 1").fetchone() is not None


def _tried(connection: sqlite3.Connection, work: Callable[[], T], refused: T) -> T:
    """Return what work returns; where SQLite refuses a statement of it, all is as it was."""
    connection.execute("SAVEPOINT ashflow_carry")
    try:
        done = work()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _REFUSED:
            raise
        connection.execute("ROLLBACK TO ashflow_carry")
        done = refused
    connection.execute("RELEASE ashflow_carry")
    return done


@contextmanager
def _no_triggers(connection: sqlite3.Connection, table: str) -> Iterator[None]:
    """Take the triggers of a table away, and make them again in their order."""
    rows = connection.execute(
        "SELECT name, sql, tbl_name FROM main.sqlite_master WHERE type = 'trigger' ORDER BY rowid"
    ).fetchall()
    own = [(name, sql) for name, sql, on in rows if fold(on) == fold(table)]
    for name, _ in own:
        connection.execute(f"DROP TRIGGER main.{quote(name)}")
    yield
    for _, sql in own:
        connection.execute(sql)


def _go_on_counting(connection: sqlite3.Connection, source: Outline, target: Outline) -> None:
    """See to it that AUTOINCREMENT counts on from where it had come to."""
    kept = _counter(connection, source)
    if kept is None or not _counts(connection, target):
        return
    connection.execute(
        "UPDATE main.sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (kept, target.name)
    )
    connection.execute(
        "INSERT INTO main.sqlite_sequence (name, seq) SELECT ?, ? "
        "WHERE ? NOT IN (SELECT name FROM main.sqlite_sequence)",
        (target.name, kept, target.name),
    )


def _counter(connection: sqlite3.Connection, source: Outline) -> int | None:
    there = f"SELECT 1 FROM {source.schema}.sqlite_master WHERE name = 'sqlite_sequence'"
    if connection.execute(there).fetchone() is None:
        return None
    (found,) = connection.execute(
        f"SELECT max(seq) FROM {source.schema}.sqlite_sequence WHERE name = ?", (source.name,)
    ).fetchone()
    return found if isinstance(found, int) else None


def _counts(connection: sqlite3.Connection, target: Outline) -> bool:
    (sql,) = connection.execute(
        "SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?", (target.name,)
    ).fetchone()
    return any(token.is_word("AUTOINCREMENT") for token in significant(sql))
