"""Bring the rows of a whole table back from where they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ashflow.adapters.sqlite.unchanged import as_rowid, unchanged
from ashflow.schema.sqltext import fold, quote
from ashflow.values import value

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ashflow.adapters.protocol import Lot
    from ashflow.adapters.sqlite.outline import Field, Outline

_ASIDE: Final = "temp.ashflow_aside"
_AT_ONCE: Final = 100
"""How many conditions stand in one row of AND, whose depth SQLite bounds."""


@value
class Value:
    """What one column of a row that comes back gets.

    Args:
        column: The column, quoted.
        value: What is kept, as an expression over `k`.
        same: Under which condition it is the same in the column; None: always.
        otherwise: What the column gets where it is not; None: then the row cannot come back.
    """

    column: str
    value: str
    same: str | None = None
    otherwise: str | None = None


def rows_back(connection: sqlite3.Connection, source: Outline, target: Outline, lot: Lot) -> int:
    """Put kept rows into a table; of those that stand there, what does not conflict stays.

    Args:
        connection: A connection, in a transaction, on which no trigger fires.
        source: The table as it is kept.
        target: The table that stands.
        lot: The table.

    Returns:
        How many rows are there again, with all values that the table has columns for.
    """
    values = _values(source, target, {fold(old): new for old, new in lot.columns})
    if not values:
        return 0
    if _is_empty(connection, source):
        # An INSERT of no row would begin a counter.
        if not target.key:
            connection.execute(f"DELETE FROM {target.place}").fetchall()
        return 0
    aside = _set_aside(connection, target)
    values = _numbers(source, target, values) + values
    whole = _insert(connection, source, target, values, dented=False)
    if any(value.same is not None for value in values):
        _insert(connection, source, target, values, dented=True)
    if aside:
        _put_back(connection, target)
    return whole


def virtual_rows_back(connection: sqlite3.Connection, source: Outline, target: Outline) -> int:
    """Put kept rows into a virtual table, which has none.

    Args:
        connection: A connection, in a transaction.
        source: The table as it is kept.
        target: The virtual table.

    Returns:
        How many rows are there again.
    """
    columns = [quote(f.name) for f in target.fields if source.field(f.name) is not None]
    if not columns:
        return 0
    values = [f"k.{column}" for column in columns]
    if source.rowid is not None and target.rowid is not None:
        columns, values = [target.rowid, *columns], [f"k.{source.rowid}", *values]
    done = connection.execute(
        f"INSERT INTO {target.place} ({', '.join(columns)}) "
        f"SELECT {', '.join(values)} FROM {source.place} AS k"
    )
    done.fetchall()
    return done.rowcount


def pairs(
    source: Outline, target: Outline, renames: Mapping[str, str]
) -> Iterator[tuple[Field, Field]]:
    """Yield the columns that are kept and stand, each kept one with the one that stands.

    Args:
        source: The table as it is kept.
        target: The table that stands.
        renames: The columns that are called otherwise there, in small letters, with their names.
    """
    taken = {fold(name) for name in renames.values()}
    for field in source.fields:
        renamed = fold(field.name) in renames
        found = target.field(renames.get(fold(field.name), field.name))
        if found is not None and (renamed or fold(field.name) not in taken):
            yield field, found


def all_of(conditions: Iterable[str]) -> str:
    """Return the condition that holds where all of some hold.

    Args:
        conditions: The conditions; without any, what is returned always holds.
    """
    found = list(conditions)
    while len(found) > 1:
        parts = (found[at : at + _AT_ONCE] for at in range(0, len(found), _AT_ONCE))
        found = [f"({' AND '.join(part)})" for part in parts]
    return found[0] if found else "1"


def _values(source: Outline, target: Outline, renames: Mapping[str, str]) -> list[Value]:
    return [_value(f"+k.{quote(a.name)}", b, target) for a, b in pairs(source, target, renames)]


def _value(value: str, field: Field, target: Outline) -> Value:
    column = quote(field.name)
    if field.name == target.alias:
        return Value(column, value, as_rowid(value))
    same = unchanged(value, field.declared, strict=target.strict)
    otherwise = field.default or (None if field.required else "NULL")
    if field.required and field.default is not None:
        value = f"coalesce({value}, {field.default})"
    # A row with another key is another row.
    return Value(column, value, same, None if field.key else otherwise)


def _numbers(source: Outline, target: Outline, values: Iterable[Value]) -> list[Value]:
    """Return the number of the row as a value, where it has one and no column brings it."""
    number = target.rowid
    if source.rowid is None or number is None or number in {v.column for v in values}:
        return []
    return [Value(number, f"k.{source.rowid}")]


def _insert(
    connection: sqlite3.Connection,
    source: Outline,
    target: Outline,
    values: Sequence[Value],
    *,
    dented: bool,
) -> int:
    """Insert the rows of which all values are the same, or those of which some are not."""
    changing = [value for value in values if value.same is not None]
    same = all_of(value.same for value in changing if value.same)
    if dented:
        needed = all_of(v.same for v in changing if v.same and v.otherwise is None)
        same = f"NOT {same} AND {needed}"
    taken = ", ".join(map(_dented, values) if dented else (v.value for v in values))
    # NOT INDEXED: in the order of the rows, not in that of an index.
    order = " NOT INDEXED" if source.kind == "table" else ""
    done = connection.execute(
        f"INSERT OR IGNORE INTO {target.place} ({', '.join(v.column for v in values)}) "
        f"SELECT {taken} FROM {source.place} AS k{order} WHERE {same}"
    )
    done.fetchall()
    return done.rowcount


def _dented(value: Value) -> str:
    if value.same is None or value.otherwise is None:
        return value.value
    return f"CASE WHEN {value.same} THEN {value.value} ELSE {value.otherwise} END"


def _is_empty(connection: sqlite3.Connection, table: Outline) -> bool:
    return connection.execute(f"SELECT 1 FROM {table.place} LIMIT 1").fetchone() is None


def _set_aside(connection: sqlite3.Connection, target: Outline) -> bool:
    """Empty a table; True where its rows are set aside, because a key tells which conflict."""
    aside = bool(target.key) and not _is_empty(connection, target)
    if aside:
        names, places = _columns(target)
        plain = ", ".join(place for place in places if place != "rowid")
        connection.execute(f"CREATE TABLE {_ASIDE} (free, {plain})")
        connection.execute(
            f"INSERT INTO {_ASIDE} ({', '.join(places)}) "
            f"SELECT {', '.join(names)} FROM {target.place}"
        ).fetchall()
    connection.execute(f"DELETE FROM {target.place}").fetchall()
    return aside


def _put_back(connection: sqlite3.Connection, target: Outline) -> None:
    """Insert what was set aside, where it does not conflict, and drop it."""
    names, places = _columns(target)
    if target.number is None:
        _insert_aside(connection, target, names, places, "")
    else:
        connection.execute(
            f"UPDATE {_ASIDE} SET free = NOT EXISTS (SELECT 1 FROM {target.place} AS t "
            f"WHERE t.{target.number} = ashflow_aside.rowid)"
        ).fetchall()
        _insert_aside(connection, target, names, places, " WHERE free")
        # Another row has the number now: they get one that is new.
        _insert_aside(connection, target, names[1:], places[1:], " WHERE NOT free")
    connection.execute(f"DROP TABLE {_ASIDE}")


def _insert_aside(
    connection: sqlite3.Connection,
    target: Outline,
    names: Sequence[str],
    places: Sequence[str],
    which: str,
) -> None:
    connection.execute(
        f"INSERT OR IGNORE INTO {target.place} ({', '.join(names)}) "
        f"SELECT {', '.join(places)} FROM {_ASIDE}{which}"
    ).fetchall()


def _columns(target: Outline) -> tuple[list[str], list[str]]:
    """Return what is set aside, and what that is called there: first the rowid, if it has one."""
    names = [quote(field.name) for field in target.fields]
    places = [f"c{at}" for at in range(len(names))]
    if target.number is None:
        return names, places
    return [target.number, *names], ["rowid", *places]
