"""The guards of a change: the queries that count the rows that forbid it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.spell import key_text
from ashflow.adapters.sqlite.steps import Guard, Tally
from ashflow.schema.datatypes import undirected
from ashflow.schema.sqltext import enclosed, quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.adapters.sqlite.affinity import Affinity
    from ashflow.schema.table import Check, Index


def never_null(table: str, column: str, source: str, *, computed: bool = False) -> Guard:
    """Return the guard of a column that becomes NOT NULL.

    Args:
        table: The table.
        column: The column.
        source: What the column will hold, over the columns that stand now.
        computed: Whether the column is computed, so that nothing can fill it.
    """
    mend = f"Let {column} be nullable, or change what it is computed from."
    return Guard(
        f"SELECT count(*) FROM {quote(table)} WHERE {source} IS NULL",
        f"would have NULL in {table}.{column}, which is NOT NULL",
        mend if computed else _way_out(table, column),
    )


def stays_null(table: str, column: str) -> Guard:
    """Return the guard of a column that was filled, and must be NULL nowhere.

    Args:
        table: The table.
        column: The column.
    """
    return Guard(
        f"SELECT count(*) FROM {quote(table)} WHERE {quote(column)} IS NULL",
        f"would have NULL in {table}.{column}, which is NOT NULL, though it was filled",
        "What fills it, a default or a Fill, gives NULL for them; or a trigger of the table passes "
        "over the UPDATE. Mend that first.",
    )


def becomes_default(table: str, column: str) -> Tally:
    """Return the tally of a column that becomes NOT NULL and has a default."""
    return Tally(
        f"SELECT count(*) FROM {quote(table)} WHERE {quote(column)} IS NULL",
        f"with NULL in {table}.{column} got its default",
    )


def no_rows(table: str, column: str) -> Guard:
    """Return the guard of a new column that is NOT NULL and that nothing fills."""
    return Guard(
        f"SELECT count(*) FROM {quote(table)}",
        f"would have no value in {table}.{column}, a new column that is NOT NULL",
        _way_out(table, column),
    )


def _way_out(table: str, column: str) -> str:
    return (
        f"Give {column} a default, or let it be nullable; or have the migration fill it: "
        f"--fill {table}.{column}=SQL when codegen or regen writes it, or by hand "
        f'Fill("{table}", "{column}", "SQL").'
    )


def meets(table: str, check: Check, source: str) -> Guard:
    """Return the guard of a new check.

    Args:
        table: The table.
        check: The check.
        source: What stands behind FROM: the table, or a query in its place.
    """
    return Guard(
        f"SELECT count(*) FROM {source} WHERE NOT {enclosed(check.sql)}",
        f"of {table} would not meet the check {check.name}",
        f"Change or delete them first; they are found with: SELECT * FROM {table} "
        f"WHERE NOT ({check.sql})",
    )


def same_value(table: str, column: str, type_: str, lost: str) -> Guard:
    """Return the guard of a column that gets another type.

    Args:
        table: The table.
        column: The column.
        type_: Its new type.
        lost: The condition under which a value would be another one.
    """
    return Guard(
        f"SELECT count(*) FROM {quote(table)} WHERE {lost}",
        f"of {table} would have another value in {column}, as {type_ or 'no type'} keeps it",
        "Write the values as they shall be first, by hand or with an Execute at the top of this "
        f"migration; they are found with: SELECT * FROM {table} WHERE {lost}",
    )


def of_type(table: str, column: str, kind: Affinity) -> Guard:
    """Return the guard of a column that takes values of one kind only.

    Args:
        table: The table.
        column: The column.
        kind: What its values are, as the table has them.
    """
    misfit = f"typeof({quote(column)}) NOT IN ('{kind.lower()}', 'null')"
    return Guard(
        f"SELECT count(*) FROM {quote(table)} WHERE {misfit}",
        f"of {table} would have a value in {column} that is no {kind}",
        "Write the values as they shall be first, by hand or with an Execute at the top of this "
        "migration.",
    )


def unique(table: str, index: Index) -> Guard:
    """Return the guard of a new unique index."""
    keys = [key_text(undirected(key)) for key in index.keys]
    wanted = [f"({key}) IS NOT NULL" for key in keys]
    wanted += [] if index.where is None else [enclosed(index.where)]
    return _no_duplicates(table, keys, wanted, f"as the unique index {index.name} asks")


def unique_key(table: str, columns: Sequence[str]) -> Guard:
    """Return the guard of a new primary key."""
    keys = [quote(column) for column in columns]
    wanted = [f"{key} IS NOT NULL" for key in keys]
    return _no_duplicates(table, keys, wanted, "as the primary key asks")


def _no_duplicates(table: str, keys: list[str], wanted: list[str], why: str) -> Guard:
    said = ", ".join(keys)
    return Guard(
        f"SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {quote(table)} "
        f"WHERE {' AND '.join(wanted)} GROUP BY {said} HAVING count(*) > 1)",
        f"of {table} would not be unique in ({said}), {why}",
        f"Change or delete them first; they are found with: SELECT {said}, count(*) FROM {table} "
        f"GROUP BY {said} HAVING count(*) > 1",
    )
