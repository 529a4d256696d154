"""Make a table anew under its name, with all that SQLite cannot alter changed, and every row kept.

The order of https://www.sqlite.org/lang_altertable.html#otheralter: the new table is made and
filled beside the old one and compared with it, then it takes its place. Views, and the triggers of
other tables, stay as they are, because nothing that they name is ever renamed away.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ashflow.adapters.sqlite import guards
from ashflow.adapters.sqlite.clauses import (
    autoincrement,
    default_expression,
    primary_key,
    qualified,
    rowid_alias,
)
from ashflow.adapters.sqlite.conditions import conditions
from ashflow.adapters.sqlite.dependents import refuse_dependents
from ashflow.adapters.sqlite.explain import reasons
from ashflow.adapters.sqlite.introspect import index_of, unique_constraints
from ashflow.adapters.sqlite.proof import keeps_affinity, pairs
from ashflow.adapters.sqlite.steps import Compare, Copy, Do, Pair, Remake, Room, Step
from ashflow.schema.sqltext import quote, text_literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ashflow.adapters.sqlite.alter import Change
    from ashflow.adapters.sqlite.catalog import Catalog, Made
    from ashflow.adapters.sqlite.definition import ColumnItem, Definition

Columns = tuple[tuple[str, str], ...]
"""Columns of the new table, each with the expression over the old one that it takes."""

_KEY: Final = "rowid"


def rebuild(change: Change, catalog: Catalog) -> Iterator[Step]:
    """Yield the steps that make a table anew.

    Args:
        change: The table as it is and as it shall be.
        catalog: What else the database has.

    Raises:
        SchemaError: An index or a trigger of the table names a column that goes.
    """
    refuse_dependents(change.facts, change.went)
    yield from conditions(change)
    if change.facts.triggers:
        # Triggers keep other things in step with the rows, a search index for one.
        yield from fills(change)
    yield remake(change, catalog)


def remake(change: Change, catalog: Catalog) -> Remake:
    """Return the step that makes a table anew from rows that are as they shall be.

    Args:
        change: The table as it is and as it shall be.
        catalog: What else the database has.

    Raises:
        SchemaError: Its row ids can be reached by no name, so that they cannot be kept.
    """
    new = change.new.named(f"CREATE TABLE {quote(change.table)} ")
    counted = autoincrement(change.new)
    return Remake(change.table, new, tuple(_steps(change, catalog)), counted=counted)


def _steps(change: Change, catalog: Catalog) -> Iterator[Step]:
    counted = catalog.counters
    aside = qualified(change.new)
    yield Room(change.table, 3 if aside else 2)
    yield from _statistics_aside(change, catalog)
    swap = _copied_out if aside else _renamed
    yield from swap(change, counted=counted)
    yield from (_index(change, made) for made in change.facts.indexes)
    yield from (Do(made.sql) for made in change.facts.triggers)
    yield from _statistics_back(change, catalog)


def fills(change: Change) -> Iterator[Step]:
    """Yield the updates that fill columns which stand already.

    Args:
        change: The table as it is and as it shall be.
    """
    for name, expressions in change.fills.items():
        item = change.before(name)
        if item is not None and not item.has("generated"):
            for sql in expressions:
                yield Do(fill_text(change.table, item.name, sql), _why_not(change))
    for item in becoming(change):
        sql = default_expression(item) or "NULL"
        yield Do(fill_text(change.table, item.name, sql), _why_not(change))


def becoming(change: Change) -> Iterator[ColumnItem]:
    """Yield the columns that become NOT NULL and have a default to put there.

    Args:
        change: The table as it is and as it shall be.
    """
    for item in change.new.columns:
        before = change.before(item.name)
        becomes = item.has("not_null") and before is not None and not before.has("not_null")
        if becomes and default_expression(item) is not None:
            yield item


def _why_not(change: Change) -> tuple[Step, ...]:
    """Return the steps that find out which rows refuse to be filled, and why."""
    unique = (index_of(made.sql, made.name) for made in change.facts.indexes)
    return (
        *reasons(change.new, change.table, _columns(change)),
        *(guards.unique(change.table, index) for index in unique if index.unique),
    )


def fill_text(table: str, column: str, sql: str) -> str:
    """Return the UPDATE that writes an expression where a column is NULL."""
    # OR ABORT: a column's own ON CONFLICT REPLACE would delete rows.
    return (
        f"UPDATE OR ABORT {quote(table)} SET {quote(column)} = ({sql}) "
        f"WHERE {quote(column)} IS NULL"
    )


def _renamed(change: Change, *, counted: bool) -> Iterator[Step]:
    table, beside, copy = change.table, f"__ashflow_new_{change.table}", _columns(change)
    order = _order(change)
    yield Do(change.new.named(f"CREATE TABLE {quote(beside)} ").text)
    yield Copy(table, beside, copy, order, tuple(reasons(change.new, table, copy)))
    yield Compare(table, table, beside, _found_by(change), _compared(change), order)
    counts = counted and autoincrement(change.new)
    if counts:
        yield from _counter(table, beside)
    yield Do(f"DROP TABLE {quote(table)}")
    if counts and not autoincrement(change.old):  # it was somebody's, or left behind
        yield Do(f"DELETE FROM sqlite_sequence WHERE name = {text_literal(table)}")
    # With it on, what names the table keeps its text, and a broken view elsewhere does not matter.
    yield Do("PRAGMA legacy_alter_table = ON")
    yield Do(f"ALTER TABLE {quote(beside)} RENAME TO {quote(table)}")
    yield Do("PRAGMA legacy_alter_table = OFF")


def _copied_out(change: Change, *, counted: bool) -> Iterator[Step]:
    """Yield the steps for a definition that says the name of its own table: no rename is right."""
    table, aside, copy = change.table, f"__ashflow_old_{change.table}", _columns(change)
    places = {target: quote(f"c{at}") for at, (target, _) in enumerate(copy)}
    out = tuple((places[target], value) for target, value in copy)
    back = tuple((target, place) for target, place in places.items())
    # Its row ids are those of the new table, so that rows can be found again.
    found_by = () if change.new.options.without_rowid else _found_by(change)
    numbered = tuple((_KEY, value) for _, value in found_by)
    yield Do(f"CREATE TABLE {quote(aside)} ({', '.join(places.values())})")
    yield Copy(table, aside, (*numbered, *out), _order(change))
    values = [pair for pair in pairs(change) if pair.after in places]
    held = [replace(pair, after=places[pair.after], typed=True) for pair in values]
    yield Compare(table, table, aside, numbered, tuple(held), _order(change))
    if counted and autoincrement(change.new):
        yield from _counter(table, aside)
    yield Do(f"DROP TABLE {quote(table)}")
    yield Do(change.new.named(f"CREATE TABLE {quote(table)} ").text)
    yield Copy(aside, table, back, _KEY, tuple(reasons(change.new, aside, back)))
    again = [Pair(p.name, places[p.after], p.after, typed=p.typed) for p in values]
    named = tuple((target, _KEY) for target, _ in found_by)
    yield Compare(table, aside, table, named, tuple(again), _KEY)
    if counted and autoincrement(change.new):
        yield from _counter(aside, table)
        yield Do(f"DELETE FROM sqlite_sequence WHERE name = {text_literal(aside)}")
    yield Do(f"DROP TABLE {quote(aside)}")


def _compared(change: Change) -> tuple[Pair, ...]:
    """Return the values to compare, but for the number of a row, by which it is found."""
    found_by = () if change.new.options.without_rowid else _found_by(change)
    return tuple(pair for pair in pairs(change) if (pair.after, pair.before) not in found_by)


def _order(change: Change) -> str | None:
    """Return a name of the rowid of the old table; None where it has none, or none that works."""
    if change.old.options.without_rowid:
        return None
    alias = rowid_alias(change.old)
    return change.rowid_name if alias is None else quote(alias)


def _found_by(change: Change) -> Columns:
    """Return what tells which row of the new table is which of the old one.

    Nothing does where SQLite makes up the numbers of the rows, or where a key is filled: the
    expression may give another value each time.
    """
    if not change.new.options.without_rowid and change.keeps_rowid:
        return ((change.rowid(), change.rowid()),)
    alias = rowid_alias(change.new)
    key = primary_key(change.new) if alias is None else (alias,)
    items = [item for name in key if (item := change.new.column(name)) is not None]
    found = tuple((quote(item.name), change.source(item)) for item in items)
    if alias is None and any(not keeps_affinity(change, item) for item in items):
        return ()  # an index finds no value that has to be converted
    plain = {quote(item.name) for item in change.old.columns} | {change.rowid_name}
    return (
        tuple((name, source) for name, source in found if source)
        if all(source in plain for _, source in found)
        else ()
    )


def _index(change: Change, made: Made) -> Step:
    """Return the step that makes an index of the table again."""
    index = index_of(made.sql, made.name)
    return Do(made.sql, (guards.unique(change.table, index),) if index.unique else ())


def _statistics_aside(change: Change, catalog: Catalog) -> Iterator[Step]:
    """Yield the steps that keep what ANALYZE found from going with the table."""
    if change.facts.analyzed:
        table, aside = _analyzed_as(change)
        for kept_in in catalog.statistics:
            yield Do(f"UPDATE {kept_in} SET tbl = {aside} WHERE tbl = {table}")


def _statistics_back(change: Change, catalog: Catalog) -> Iterator[Step]:
    if not change.facts.analyzed:
        return
    table, aside = _analyzed_as(change)
    there = ["idx IS NULL", *(f"idx = {text_literal(i.name)}" for i in change.facts.indexes)]
    if _keys(change.old) == _keys(change.new):  # the indexes that SQLite makes for them
        there += ["idx LIKE 'sqlite~_autoindex~_%' ESCAPE '~'", f"idx = {table}"]
    for kept_in in catalog.statistics:
        yield Do(f"DELETE FROM {kept_in} WHERE tbl = {aside} AND NOT ({' OR '.join(there)})")
        yield Do(f"UPDATE {kept_in} SET tbl = {table} WHERE tbl = {aside}")


def _analyzed_as(change: Change) -> tuple[str, str]:
    """Return what statistics call the table, and what they call it while it is made anew."""
    return text_literal(change.facts.name), text_literal(f"__ashflow_new_{change.table}")


def _keys(definition: Definition) -> list[tuple[str, ...]]:
    """Return the keys for which SQLite makes indexes, in their order."""
    unique = [tuple(map(str, index.keys)) for index in unique_constraints(definition)]
    return [primary_key(definition), *unique]


def _counter(source: str, target: str) -> Iterator[Step]:
    """Yield the steps that carry the counter of AUTOINCREMENT from one table to another."""
    old, new = text_literal(source), text_literal(target)
    there = f"(SELECT max(seq) FROM sqlite_sequence WHERE name = {old})"
    yield Do(f"UPDATE sqlite_sequence SET seq = max(seq, coalesce({there}, 0)) WHERE name = {new}")
    yield Do(
        f"INSERT INTO sqlite_sequence (name, seq) SELECT {new}, seq FROM sqlite_sequence "
        f"WHERE name = {old} AND {new} NOT IN (SELECT name FROM sqlite_sequence)"
    )


def _columns(change: Change) -> Columns:
    copy = [(change.rowid(), change.rowid())] if change.keeps_rowid else []
    for item in change.new.columns:
        source = None if item.has("generated") else change.source(item)
        if source is not None:
            copy.append((quote(item.name), source))
    if not copy:  # nothing of the rows is left but their number
        first = next(item for item in change.new.columns if not item.has("generated"))
        copy.append((quote(first.name), default_expression(first) or "NULL"))
    return tuple(copy)
