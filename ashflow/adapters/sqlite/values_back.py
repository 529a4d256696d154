"""Bring the values of one column back from where they are kept, into rows that stayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.rows_back import all_of, pairs
from ashflow.adapters.sqlite.unchanged import as_rowid, unchanged
from ashflow.schema.sqltext import fold, quote

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from ashflow.adapters.protocol import Lot
    from ashflow.adapters.sqlite.outline import Field, Outline


def values_back(
    connection: sqlite3.Connection,
    source: Outline,
    target: Outline,
    lot: Lot,
) -> int:
    """Put the kept values of a column into the rows that they belong to.

    Args:
        connection: A connection, in a transaction, on which no trigger fires.
        source: The table as it is kept.
        target: The table that stands.
        lot: The column.

    Returns:
        How many of the values that are not NULL are there again.
    """
    column, renames = lot.column or "", {fold(old): new for old, new in lot.columns}
    found = target.field(renames.get(fold(column), column))
    match = _match(source, target, renames)
    if found is None or match is None:
        return 0
    value, there = f"+k.{quote(column)}", f"+t.{quote(found.name)}"
    fits = all_of([_fits(value, found, target), *[_alike(value, there)] * lot.alike])
    connection.execute(
        f"UPDATE OR IGNORE {target.place} AS t NOT INDEXED SET {quote(found.name)} = {value} "
        f"FROM {source.place} AS k WHERE {match} AND {fits}"
    ).fetchall()
    (count,) = connection.execute(
        f"SELECT count(*) FROM {target.place} AS t JOIN {source.place} AS k ON {match} "
        f"WHERE {value} IS NOT NULL AND {value} IS {there} COLLATE BINARY"
    ).fetchone()
    return int(count)


def _fits(value: str, field: Field, target: Outline) -> str:
    """Return the condition under which a kept value comes into the column."""
    if field.name == target.alias:
        return as_rowid(value)
    there = [f"{value} IS NOT NULL"] if field.required else []
    same = unchanged(value, field.declared, strict=target.strict)
    return all_of(there if same is None else [*there, same])


def _alike(kept: str, there: str) -> str:
    """Return the condition under which what is there may be made of a kept value by a type."""
    number = f"typeof({there}) IN ('integer', 'real') AND CAST({kept} AS NUMERIC) = {kept}"
    same = f"{there} IN (CAST({kept} AS NUMERIC), CAST({kept} AS REAL))"
    text = f"typeof({kept}) <> 'blob' AND {there} IS CAST({kept} AS TEXT) COLLATE BINARY"
    return f"(({number} AND {same}) OR ({text}))"


def _match(source: Outline, target: Outline, renames: Mapping[str, str]) -> str | None:
    """Return the condition under which a kept row is one that stands; None: nothing tells it."""
    both = [(a, b) for a, b in pairs(source, target, renames) if a.key and b.key]
    if both and len(both) == len(source.key) == len(target.key):
        return all_of(_equal(quote(a.name), quote(b.name)) for a, b in both)
    if source.rowid is None or target.rowid is None:
        return None
    return f"k.{source.rowid} = t.{target.rowid}"


def _equal(kept: str, standing: str) -> str:
    # The first finds it by an index of what is kept; a collation deceives it, not the second.
    return f"k.{kept} = +t.{standing} AND +k.{kept} IS +t.{standing} COLLATE BINARY"
