"""What is wrong with a table in itself: keys that are no column, two things of one name."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ashflow.schema.sqltext import fold, is_keyword, mentions, reads

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ashflow.schema.table import Table


def flaws(table: Table, known: Collection[str] = ()) -> frozenset[str]:
    """Return what no database would take, or would take for something else, in words.

    Args:
        table: The table.
        known: Names that are, or were, those of columns: SQL that has one of them means the column.
    """
    return frozenset(
        (*_doubles(table), *_strangers(table), *_dangling(table, known), *_keys(table))
    )


def readers(table: Table, column: str) -> Iterator[str]:
    """Yield what of a table has SQL that surely reads a column of a name, in words.

    Args:
        table: The table.
        column: The name; no column need have it.
    """
    if not is_keyword(column):
        yield from (what for what, text in _texts(table) if reads(text, column))


def _doubles(table: Table) -> Iterator[str]:
    """Names that SQLite cannot tell apart (https://www.sqlite.org/lang_keywords.html)."""
    named = {
        "column": [column.name for column in table.columns],
        "index": [index.name for index in table.indexes],
        "check": [check.name for check in table.checks],
        "foreign key": [key.name for key in table.foreign_keys],
    }
    for kind, names in named.items():
        times = Counter(map(fold, names))
        yield from (f"two of {kind} {name}" for name, count in times.items() if count > 1)


def _strangers(table: Table) -> Iterator[str]:
    """Keys that are no column."""
    columns = {column.name for column in table.columns}
    keys: list[tuple[str, Collection[str]]] = [("the primary key", table.primary_key)]
    keys += [(f"index {index.name}", index.columns) for index in table.indexes]
    keys += [(f"foreign key {key.name}", key.columns) for key in table.foreign_keys]
    keys += [
        (f"foreign key {key.name}", key.keys)
        for key in table.foreign_keys
        if key.table == table.name
    ]
    for what, names in keys:
        yield from (f"{what} has {name}, no column" for name in names if name not in columns)


def _dangling(table: Table, known: Collection[str]) -> Iterator[str]:
    """SQL that has the name of a column which is not there any more."""
    columns = {fold(column.name) for column in table.columns}
    gone = [name for name in known if fold(name) not in columns]
    statements = ((f"statement {s.name}", sql) for s in table.statements for sql in s.up)
    for what, text in (*_texts(table), *statements):
        yield from (f"{what} has {name}, no column" for name in gone if mentions(text, name))


def _keys(table: Table) -> Iterator[str]:
    """Columns and options that need a primary key of some kind."""
    if table.options.without_rowid and not table.primary_key:
        yield "WITHOUT ROWID, and no primary key"
    for column in table.columns:
        if column.autoincrement and tuple(table.primary_key) != (column.name,):
            yield f"column {column.name} counts up, and is not the primary key"
        if column.autoincrement and table.options.without_rowid:
            yield f"column {column.name} counts up, and the table is WITHOUT ROWID"


def _texts(table: Table) -> Iterator[tuple[str, str]]:
    for column in table.columns:
        if column.generated_as is not None:
            yield f"column {column.name}", column.generated_as
    for check in table.checks:
        yield f"check {check.name}", check.sql
    for index in table.indexes:
        yield from ((f"index {index.name}", text) for text in index.texts)
