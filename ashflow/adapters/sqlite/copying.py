"""Copy and compare the rows of a table, part by part where somebody is told how far it has come.

A part is a range of row ids. The rows stay in SQLite, in memory that does not grow with them.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ashflow.adapters.protocol import Progress
from ashflow.adapters.sqlite.steps import Compare, Copy, Pair, Room, rows_text
from ashflow.errors import MigrationFailed
from ashflow.schema.sqltext import quote

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from ashflow.adapters.protocol import Watch

PART: Final = 50_000
"""How many rows are copied or compared at once: some tenths of a second."""

_AT_ONCE: Final = 100
"""How many columns are compared in one expression, whose depth SQLite bounds."""

_FIRST: Final = -(2**63)


class Part(NamedTuple):
    """Some rows of a table.

    Args:
        condition: What picks them out, behind WHERE; empty: all.
        bounds: The values of its `?`.
        rows: How many there are.
    """

    condition: str
    bounds: tuple[int, ...]
    rows: int


def copy_sql(step: Copy, condition: str = "") -> str:
    """Return the statement that copies rows.

    Args:
        step: What is copied.
        condition: Which rows; empty: all.
    """
    # OR ABORT: a column's own ON CONFLICT IGNORE would leave rows out.
    return (
        f"INSERT OR ABORT INTO {quote(step.target)} ({', '.join(t for t, _ in step.columns)}) "
        f"SELECT {', '.join(s for _, s in step.columns)} FROM {quote(step.source)}"
        f"{condition}{f' ORDER BY {step.order}' if step.order else ''}"
    )


def copy(connection: sqlite3.Connection, step: Copy, watch: Watch | None) -> None:
    """Copy rows.

    Args:
        connection: A connection.
        step: What is copied.
        watch: Told how far it has come, where it takes long.

    Raises:
        MigrationFailed: Not all of them came over.
    """
    for part in _parts(connection, step.source, step.order, "copying", watch):
        done = connection.execute(copy_sql(step, part.condition), part.bounds)
        done.fetchall()
        if done.rowcount != part.rows:
            raise MigrationFailed(
                f"{rows_text(abs(part.rows - done.rowcount))} of {step.source} would be lost",
                hint="Nothing was changed; please report this as a bug of ashflow.",
            )


def compare(connection: sqlite3.Connection, step: Compare, watch: Watch | None) -> None:
    """Compare rows with their copies.

    Args:
        connection: A connection.
        step: What is compared.
        watch: Told how far it has come, where it takes long.

    Raises:
        MigrationFailed: A value is another one in the copy.
    """
    if not step.pairs:
        return
    if not step.on:
        _compare_as_sets(connection, step)
        return
    for part in _parts(connection, step.source, step.order, "comparing", watch):
        for at in range(0, len(step.pairs), _AT_ONCE):
            pairs = step.pairs[at : at + _AT_ONCE]
            if _differing(connection, step, pairs, part):
                _refuse(connection, step, pairs, part)


def _differing(
    connection: sqlite3.Connection, step: Compare, pairs: tuple[Pair, ...], part: Part
) -> int:
    """Return how many rows of a part have another value in the copy, or none."""
    keys = [f"{value} AS k{at}" for at, (_, value) in enumerate(step.on)]
    values = [f"{pair.before} AS c{at}" for at, pair in enumerate(pairs)]
    found = " AND ".join(f"n.{key} = o.k{at}" for at, (key, _) in enumerate(step.on))
    lost = f"n.{step.on[0][0]} IS NULL"
    differs = " OR ".join((lost, *(_differs(pair, at) for at, pair in enumerate(pairs))))
    (count,) = connection.execute(
        f"SELECT count(*) FROM (SELECT {', '.join((*keys, *values))} FROM {quote(step.source)}"
        f"{part.condition}) AS o LEFT JOIN {quote(step.copy)} AS n ON {found} WHERE {differs}",
        part.bounds,
    ).fetchone()
    return int(count)


def _differs(pair: Pair, at: int) -> str:
    before, after = f"o.c{at}", f"n.{pair.after}"
    differs = f"{before} IS NOT {after} COLLATE BINARY"
    if pair.typed:
        differs = f"typeof({before}) <> typeof({after}) OR {differs}"
    return f"({before} IS NOT NULL AND ({differs}))" if pair.filled else differs


def _compare_as_sets(connection: sqlite3.Connection, step: Compare) -> None:
    """Compare rows that nothing tells apart: none may be in the table and not in the copy."""
    whole = [pair for pair in step.pairs if not pair.filled]
    for at in range(0, len(whole), _AT_ONCE):
        pairs = whole[at : at + _AT_ONCE]
        before = ", ".join(f"typeof({p.before}), {p.before} COLLATE BINARY" for p in pairs)
        after = ", ".join(f"typeof({p.after}), {p.after}" for p in pairs)
        (count,) = connection.execute(
            f"SELECT count(*) FROM (SELECT {before} FROM {quote(step.source)} "
            f"EXCEPT SELECT {after} FROM {quote(step.copy)})"
        ).fetchone()
        if count:
            raise _changed(step, count, ", ".join(pair.name for pair in pairs))


def _refuse(
    connection: sqlite3.Connection, step: Compare, pairs: tuple[Pair, ...], part: Part
) -> None:
    """Raise which column it is."""
    for pair in pairs:
        if count := _differing(connection, step, (pair,), part):
            raise _changed(step, count, pair.name)


def _changed(step: Compare, count: int, where: str) -> MigrationFailed:
    return MigrationFailed(
        f"{rows_text(count)} of {step.table} would have another value in {where} after the change",
        hint="Nothing was changed; please report this as a bug of ashflow, with the definition of "
        "the table (no rows are needed).",
    )


def _parts(
    connection: sqlite3.Connection, table: str, order: str | None, deed: str, watch: Watch | None
) -> Iterator[Part]:
    """Yield the parts of a table, and tell how far they have come; one, where nobody is told."""
    (total,) = connection.execute(f"SELECT count(*) FROM {quote(table)}").fetchone()
    if watch is None or order is None or total <= PART:
        yield Part("", (), total)
        return
    done = 0
    for part in _ranges(connection, table, order, total):
        yield part
        done += part.rows
        watch(Progress(table, deed, done, total))


def _ranges(connection: sqlite3.Connection, table: str, order: str, total: int) -> Iterator[Part]:
    low, left = _FIRST, total
    while left > PART:
        (high,) = connection.execute(
            f"SELECT {order} FROM {quote(table)} WHERE {order} >= ? ORDER BY {order} "
            "LIMIT 1 OFFSET ?",
            (low, PART - 1),
        ).fetchone()
        yield Part(f" WHERE {order} BETWEEN ? AND ?", (low, high), PART)
        low, left = high + 1, left - PART
    yield Part(f" WHERE {order} >= ?", (low,), left)


def see_room(connection: sqlite3.Connection, step: Room, path: Path | str) -> None:
    """See to it that the disk has room for a table some more times.

    Args:
        connection: A connection to the database.
        step: The table, and how often.
        path: The file of the database.

    Raises:
        MigrationFailed: It has not.
    """
    (file,) = connection.execute(
        "SELECT file FROM pragma_database_list WHERE name = 'main'"
    ).fetchone()
    if not file:  # a rehearsal, in memory
        return
    free = shutil.disk_usage(Path(file).resolve().parent).free
    if free >= _whole_size(connection) * step.times:
        return
    needed = _size(connection, step.table) * step.times
    if free < needed:
        raise MigrationFailed(
            f"there is no room to make {step.table} anew: that takes {_megabytes(needed)} beside "
            f"the database, and the disk of {path} has {_megabytes(free)} left",
            hint="Nothing was changed. Make room on that disk, and run the command again.",
        )


def _whole_size(connection: sqlite3.Connection) -> int:
    (pages,) = connection.execute("PRAGMA main.page_count").fetchone()
    (size,) = connection.execute("PRAGMA main.page_size").fetchone()
    return int(pages) * int(size)


def _size(connection: sqlite3.Connection, table: str) -> int:
    """Return the size of a table with its indexes; of the whole database where nobody counts it."""
    import sqlite3

    try:
        (size,) = connection.execute(
            "SELECT sum(pgsize) FROM dbstat WHERE aggregate = TRUE AND name IN "
            "(SELECT name FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE)",
            (table,),
        ).fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise  # Ctrl-C, or the disk
        # This SQLite was built without it.
        return _whole_size(connection)
    return int(size or 0)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"
