"""Give a table another definition, and prove that nothing else in the database became another."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from ashflow.adapters.sqlite.definition import parse
from ashflow.errors import MigrationFailed
from ashflow.schema.sqltext import fold, quote, text_literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from ashflow.adapters.sqlite.definition import Definition
    from ashflow.adapters.sqlite.steps import Edit

_BUG = "Nothing was changed; please report this as a bug of ashflow, with the table's definition."


class Surroundings(NamedTuple):
    """What may not become another when a table changes.

    Args:
        objects: All that has a definition of its own, but for the table: kind, name, table, SQL.
        triggers: The names of the table's triggers, in the order in which they were made.
        counter: Where AUTOINCREMENT has come to; 0 where it counts nothing.
        rows: How many rows the table has; 0 where that is proved otherwise.
    """

    objects: frozenset[tuple[str, str, str, str]]
    triggers: tuple[str, ...]
    counter: int
    rows: int


def look_around(connection: sqlite3.Connection, table: str, *, count: bool) -> Surroundings:
    """Return what may not become another when a table changes.

    Args:
        connection: A connection.
        table: The table.
        count: Whether its rows are counted.
    """
    found = connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    ).fetchall()
    own = fold(table)
    # SQLite makes and keeps its own tables as it needs them.
    others = (
        (kind, name, fold(on), sql)
        for kind, name, on, sql in found
        if fold(name) != own and not name.startswith("sqlite_")
    )
    rows = 0
    if count:
        (rows,) = connection.execute(f"SELECT count(*) FROM {quote(table)}").fetchone()
    return Surroundings(
        frozenset(others),
        tuple(name for kind, name, on, _ in found if kind == "trigger" and fold(on) == own),
        _counter(connection, own)
        if ("sqlite_sequence" in {name for _, name, _, _ in found})
        else 0,
        rows,
    )


def refuse_other(
    connection: sqlite3.Connection, table: str, before: Surroundings, *, counted: bool
) -> None:
    """See to it that all around a table is as it was, and that SQLite finds nothing wrong in it.

    Args:
        connection: A connection.
        table: The table.
        before: What was there.
        counted: Whether AUTOINCREMENT goes on counting.

    Raises:
        MigrationFailed: Something is another, or gone.
    """
    after = look_around(connection, table, count=bool(before.rows))
    if other := before.objects ^ after.objects:
        named = sorted({f"the {kind} {name}" for kind, name, _, _ in other})
        raise _changed(table, f"{', '.join(named)} would be another afterwards")
    if after.triggers != before.triggers:
        raise _changed(table, "its triggers would be in another order")
    if after.rows != before.rows:
        raise _changed(table, f"it would have {after.rows} rows instead of {before.rows}")
    if counted and after.counter < before.counter:
        raise _changed(table, "the counter of AUTOINCREMENT would go back")
    wrong = connection.execute(f"PRAGMA main.quick_check({quote(table)})").fetchall()
    told = [text for (text,) in wrong if text != "ok" and not _is_mistaken(connection, text)]
    if told:
        raise MigrationFailed(
            f"after the change SQLite would find {table} damaged: {told[0]}",
            hint="Nothing was changed. PRAGMA integrity_check says whether the database is damaged "
            "as it is; if it is not, please report this as a bug of ashflow.",
        )


def refuse_another(connection: sqlite3.Connection, table: str, new: Definition) -> None:
    """See to it that a table has the definition that it shall have.

    Args:
        connection: A connection.
        table: The table.
        new: The definition.

    Raises:
        MigrationFailed: It has another, or is not there.
    """
    found = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE", (table,)
    ).fetchone()
    if found is None:
        raise _changed(table, "it would not be there any more")
    there = parse(table, found[0])
    if (there.body, there.suffix) != (new.body, new.suffix):
        raise _changed(table, "it would have another definition than the one that was planned")


def edit(connection: sqlite3.Connection, step: Edit, execute: Callable[[str], object]) -> bool:
    """Write another definition of a table where SQLite keeps it.

    Args:
        connection: A connection, in a transaction.
        step: The table, and its definition.
        execute: Runs a statement that may be told.

    Returns:
        Whether it was done; where not, all is as it was.
    """
    wanted = _understood(step)
    if wanted is None:
        return False
    connection.execute("SAVEPOINT ashflow_edit")
    done = _makes_no_row(connection, step) and _write(connection, step.table, step.sql, execute)
    if done and _columns(connection, step.table) != wanted:
        done = False
    if not done:
        connection.execute("ROLLBACK TO ashflow_edit")
    connection.execute("RELEASE ashflow_edit")
    if not done:
        # The definition that was read goes back with the file only when SQLite looks again.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    return done


def _makes_no_row(connection: sqlite3.Connection, step: Edit) -> bool:
    """Whether no row has one of the defaults that change as its value.

    A row that is older than an ADD COLUMN has no value there: it is read from the definition. With
    a default that is nobody's value in it, those rows can be counted. An index must not answer: it
    has the values that were there when it was made.
    """
    probe = step.probe
    if probe is None:
        return True
    if not _write(connection, step.table, probe.sql, connection.execute):
        return False
    made = " OR ".join(f"{quote(column)} IS {probe.value}" for column in probe.columns)
    (count,) = connection.execute(
        f"SELECT count(*) FROM {quote(step.table)} NOT INDEXED WHERE {made}"
    ).fetchone()
    return bool(count == 0)


def _write(
    connection: sqlite3.Connection, table: str, sql: str, execute: Callable[[str], object]
) -> bool:
    (version,) = connection.execute("PRAGMA main.schema_version").fetchone()
    connection.execute("PRAGMA writable_schema = ON")
    try:
        execute(
            f"UPDATE sqlite_schema SET sql = {text_literal(sql)} WHERE type = 'table' "
            f"AND lower(name) = lower({text_literal(table)})"
        )
    except (MigrationFailed, sqlite3.OperationalError) as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) != sqlite3.SQLITE_ERROR:
            raise  # the disk is full, or broken
        return False  # a build in defensive mode lets nobody write there
    finally:
        connection.execute("PRAGMA writable_schema = OFF")
    # Every connection reads the definitions again when the number is another one, this one too.
    connection.execute(f"PRAGMA main.schema_version = {version + 1}")
    return True


def _understood(step: Edit) -> list[tuple[Any, ...]] | None:
    """Return the columns that SQLite reads in a definition; None where it does not take it."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        try:
            scratch.execute(step.sql)
        except sqlite3.Error:
            return None
        return _columns(scratch, step.table)


def _columns(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"PRAGMA main.table_xinfo({quote(table)})").fetchall()


def _counter(connection: sqlite3.Connection, table: str) -> int:
    (found,) = connection.execute(
        "SELECT max(seq) FROM sqlite_sequence WHERE lower(name) = ?", (table,)
    ).fetchone()
    return found if isinstance(found, int) else 0


def _is_mistaken(connection: sqlite3.Connection, told: str) -> bool:
    """Whether SQLite takes the value of one column for that of another, and complains of it.

    3.40 does, where the key of a table WITHOUT ROWID does not stand in front. The table may be any:
    one whose name is a number can't be checked alone, SQLite takes that for a bound of the check.
    """
    kind, found, where = told.partition(" value in ")
    if not found:
        return False
    tables = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND wr"
    ).fetchall()
    named = [name for (name,) in tables if where.startswith(f"{name}.")]
    return any(
        not _has_key_in_front(connection, name)
        and (kind != "NULL" or _has_no_null(connection, name, where[len(name) + 1 :]))
        for name in named
    )


def _has_key_in_front(connection: sqlite3.Connection, table: str) -> bool:
    places = [row[5] for row in _columns(connection, table)]
    key = [place for place in places if place]
    return places[: len(key)] == list(range(1, len(key) + 1))


def _has_no_null(connection: sqlite3.Connection, table: str, column: str) -> bool:
    if column not in {row[1] for row in _columns(connection, table)}:
        return False
    (count,) = connection.execute(
        f"SELECT count(*) FROM {quote(table)} WHERE typeof({quote(column)}) = 'null'"
    ).fetchone()
    return bool(count == 0)


def _changed(table: str, what: str) -> MigrationFailed:
    return MigrationFailed(f"the change of {table} cannot be proved: {what}", hint=_BUG)
