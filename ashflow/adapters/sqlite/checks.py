"""Look at a whole database before and after a change: foreign keys, views and triggers."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.catalog import Made
from ashflow.adapters.sqlite.connection import is_interrupted
from ashflow.adapters.sqlite.dependents import update_columns
from ashflow.adapters.sqlite.steps import rows_text
from ashflow.change.operations import (
    AddColumn,
    AddIndex,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    DropIndex,
    DropTable,
    Fill,
    Operation,
    Raw,
    RenameTable,
    SetOptions,
)
from ashflow.errors import MigrationFailed, RowsForbid
from ashflow.schema.sqltext import fold, quote, significant
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

Violation = tuple[str, int | None, str]
"""A row without the row that it refers to: its table, its rowid, the table that is referred to."""


@value
class Health:
    """What was right, and what was wrong, before a change.

    Args:
        violations: The rows that violated a foreign key; None: they are not looked at.
        compiled: The views and triggers that worked; None: they are not looked at.
    """

    violations: Counter[Violation] | None
    compiled: frozenset[tuple[str, str]] | None


def examine(
    connection: sqlite3.Connection, operations: Sequence[Operation], *, rows: bool = False
) -> Health:
    """Look at a database as far as operations can change its health.

    Args:
        connection: A connection to it.
        operations: What will be done.
        rows: Whether rows are written beside that.
    """
    harmless = not rows and all(_harms_no_key(op) for op in operations)
    return Health(
        None if harmless else violations(connection),
        None if all(_harms_no_view(op) for op in operations) else compiled(connection),
    )


def compare(
    connection: sqlite3.Connection, before: Health, operations: Sequence[Operation]
) -> None:
    """See to it that a database is as healthy as it was.

    Args:
        connection: A connection to it.
        before: How it was.
        operations: What was done.

    Raises:
        RowsForbid: Rows refer to what is not there, and did not before.
        MigrationFailed: A view or a trigger worked before, and does not any more.
    """
    if before.violations is not None:
        _refuse_dangling(connection, operations)
        after = violations(connection)
        known = Counter[Violation]()
        for (table, rowid, parent), count in before.violations.items():
            known[_now(table, operations), rowid, _now(parent, operations)] += count
        numbered = set(map(fold, filter(None, map(_numbered_by, operations))))
        spelled = {fold(parent): parent for _, _, parent in after}
        new = _comparable(after, numbered) - _comparable(known, numbered)
        _refuse_violations(Counter({(t, r, spelled[of]): n for (t, r, of), n in new.items()}))
    if before.compiled is not None:
        _refuse_broken(connection, before.compiled - compiled(connection))


def violations(connection: sqlite3.Connection) -> Counter[Violation]:
    """Return the rows that violate a foreign key.

    Raises:
        MigrationFailed: A foreign key refers to columns that are no key.
    """
    tables = connection.execute(
        "SELECT DISTINCT m.name FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) "
        "WHERE m.type = 'table'"
    ).fetchall()
    found = Counter[Violation]()
    for (table,) in tables:
        try:
            rows = connection.execute(f"PRAGMA main.foreign_key_check({quote(table)})").fetchall()
        except sqlite3.OperationalError as error:
            found[table, None, str(error)] += 1
        else:
            found.update((child, rowid, parent) for child, rowid, parent, _ in rows)
    return found


def compiled(connection: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    """Return the views and triggers that work, each as its kind and its name."""
    made = connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')"
    ).fetchall()
    return frozenset(
        (kind, name)
        for kind, name, table, sql in made
        if _compiles(connection, _probe(connection, kind, name, table, sql))
    )


def broken(connection: sqlite3.Connection) -> tuple[tuple[Made, ...], ...]:
    """Return the views and triggers that do not work, each view with its triggers behind it."""
    rows = connection.execute(
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')"
    ).fetchall()
    made, works = [Made(*row) for row in rows], compiled(connection)
    wrong = [one for one in made if (one.kind.lower(), one.name) not in works]
    views = {fold(one.name): [one] for one in wrong if one.kind == "VIEW"}
    alone = [(one,) for one in wrong if fold(one.table) not in views]
    for one in made:
        if one.kind == "TRIGGER" and fold(one.table) in views:
            views[fold(one.table)].append(one)
    return (*map(tuple, views.values()), *alone)


def _compiles(connection: sqlite3.Connection, sql: str) -> bool:
    try:
        # Not EXPLAIN: where a trigger is involved it can crash SQLite 3.40.
        connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
    except sqlite3.Error as error:
        if is_interrupted(error):
            raise
        return False
    return True


def _probe(connection: sqlite3.Connection, kind: str, name: str, table: str, sql: str) -> str:
    """Return a statement that SQLite can compile only if the view or the trigger is right."""
    if kind == "view":
        return f"SELECT * FROM {quote(name)}"
    words = significant(sql)[3:]
    event = next(t.text.upper() for t in words if t.is_word("INSERT", "UPDATE", "DELETE"))
    if event == "INSERT":
        return f"INSERT INTO {quote(table)} DEFAULT VALUES"
    if event == "DELETE":
        return f"DELETE FROM {quote(table)}"
    rows = connection.execute(f"PRAGMA main.table_xinfo({quote(table)})").fetchall()
    wanted = update_columns(sql)
    written = [row[1] for row in rows if row[6] == 0 and (not wanted or fold(row[1]) in wanted)]
    settings = ", ".join(f"{quote(column)} = NULL" for column in written)
    return f"UPDATE {quote(table)} SET {settings}"


def _harms_no_key(operation: Operation) -> bool:
    if isinstance(operation, AddColumn):
        return operation.column.references is None
    return isinstance(operation, CreateTable | AddIndex | DropIndex)


def _harms_no_view(operation: Operation) -> bool:
    return isinstance(operation, CreateTable | AddColumn | AddIndex | DropIndex | Fill | Raw)


def _comparable(found: Counter[Violation], numbered: Collection[str]) -> Counter[Violation]:
    """Return violations without what a change may change in them: row ids, a name's spelling."""
    told = Counter[Violation]()
    for (table, rowid, parent), count in found.items():
        told[table, None if fold(table) in numbered else rowid, fold(parent)] += count
    return told


def _numbered_by(operation: Operation) -> str | None:
    """Return the table whose rows may have other row ids, or none, after an operation."""
    match operation:
        case AlterColumn(table, old=old, new=new) if old.type != new.type:
            return table
        case SetOptions(table) | ChangePrimaryKey(table):
            return table
        case _:
            return None


def _now(table: str, operations: Iterable[Operation]) -> str:
    """Return what a table is called after operations."""
    for operation in operations:
        if isinstance(operation, RenameTable) and fold(operation.old) == fold(table):
            table = operation.new
    return table


def _refuse_violations(found: Counter[Violation]) -> None:
    if not found:
        return
    pairs = Counter[tuple[str, str]]()
    for (table, rowid, parent), count in found.items():
        if rowid is None and parent.startswith("foreign key mismatch"):
            raise MigrationFailed(
                f"{table} refers to columns that are no key of the other table: {parent}",
                hint="Make them its primary key, or give it a unique index over them.",
            )
        pairs[table, parent] += count
    told = "; ".join(
        f"{rows_text(count)} of {table} would refer to rows of {parent} that are not there"
        for (table, parent), count in sorted(pairs.items())
    )
    raise RowsForbid(told, hint="Delete those rows, or let them refer to others, first.")


def _refuse_dangling(connection: sqlite3.Connection, operations: Iterable[Operation]) -> None:
    dropped = {fold(op.table) for op in operations if isinstance(op, DropTable)}
    if not dropped:
        return
    for child, parent, count in _references(connection):
        if fold(parent) in dropped:
            raise RowsForbid(
                f"{parent} cannot be dropped: {child} refers to it, with {rows_text(count)}",
                hint=f"Drop the foreign key of {child} first, in the same migration.",
            )


def _references(connection: sqlite3.Connection) -> Iterator[tuple[str, str, int]]:
    """Yield the tables that refer to one that is not there, with the rows that do so."""
    rows = connection.execute(
        'SELECT m.name, k."table", k."from" FROM sqlite_master AS m '
        "JOIN pragma_foreign_key_list(m.name) AS k WHERE m.type = 'table' AND k.seq = 0 "
        'AND lower(k."table") NOT IN (SELECT lower(name) FROM sqlite_master)'
    ).fetchall()
    for child, parent, column in rows:
        (count,) = connection.execute(
            f"SELECT count({quote(column)}) FROM {quote(child)}"
        ).fetchone()
        yield child, parent, count


def _refuse_broken(connection: sqlite3.Connection, missing: frozenset[tuple[str, str]]) -> None:
    rows = connection.execute("SELECT type, name FROM sqlite_master").fetchall()
    broken = sorted(missing & frozenset(rows))
    if broken:
        told = ", ".join(f"the {kind} {name}" for kind, name in broken)
        raise MigrationFailed(
            f"the change would break {told}",
            hint="Drop it before and make it anew after the change, in the same migration.",
        )
