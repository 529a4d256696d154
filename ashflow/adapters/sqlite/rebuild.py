"""Make a table anew under its name, with all that SQLite cannot alter changed, and every row kept.

The order of https://www.sqlite.org/lang_altertable.html#otheralter: the new table is made and
filled beside the old one, then it takes its place. Views, and the triggers of other tables, stay
as they are, because nothing that they name is ever renamed away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.sqlite import guards
from ashflow.adapters.sqlite.affinity import affinity, loses
from ashflow.adapters.sqlite.clauses import (
    autoincrement,
    collation,
    default_expression,
    primary_key,
    qualified,
    rowid_alias,
)
from ashflow.adapters.sqlite.explain import reasons
from ashflow.adapters.sqlite.introspect import index_of
from ashflow.adapters.sqlite.steps import Do, Step
from ashflow.errors import SchemaError
from ashflow.schema.sqltext import Token, fold, mentions, quote, reads, significant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ashflow.adapters.sqlite.alter import Change
    from ashflow.adapters.sqlite.catalog import Made
    from ashflow.adapters.sqlite.definition import ColumnItem
    from ashflow.schema.table import Check

Copy = list[tuple[str, str]]
"""A column of the new table, and the expression over the old one that it takes."""


def rebuild(change: Change, *, counters: bool) -> Iterator[Step]:
    """Yield the steps that make a table anew.

    Args:
        change: The table as it is and as it shall be.
        counters: Whether `sqlite_sequence` is there.

    Raises:
        SchemaError: An index or a trigger of the table names a column that goes.
    """
    _refuse_dependents(change)
    yield from _guards(change)
    if change.facts.triggers:
        # Triggers keep other things in step with the rows, a search index for one.
        yield from fills(change)
    counted = counters and autoincrement(change.old)
    swap = _copied_out if qualified(change.new) else _renamed
    yield from swap(change, _copy(change), counted=counted)
    yield from (_index(change, made) for made in change.facts.indexes)
    yield from (Do(made.sql) for made in change.facts.triggers)
    if change.facts.analyzed:
        yield Do(f"ANALYZE {quote(change.table)}")


def fills(change: Change) -> Iterator[Step]:
    """Yield the updates that fill columns which stand already."""
    for name, expressions in change.fills.items():
        item = change.before(name)
        if item is not None and not item.has("generated"):
            for sql in expressions:
                yield Do(fill_text(change.table, item.name, sql))


def fill_text(table: str, column: str, sql: str) -> str:
    """Return the UPDATE that writes an expression where a column is NULL."""
    # OR ABORT: a column's own ON CONFLICT REPLACE would delete rows.
    return (
        f"UPDATE OR ABORT {quote(table)} SET {quote(column)} = ({sql}) "
        f"WHERE {quote(column)} IS NULL"
    )


def _renamed(change: Change, copy: Copy, *, counted: bool) -> Iterator[Step]:
    table, beside = change.table, f"__ashflow_new_{change.table}"
    yield Do(change.new.named(f"CREATE TABLE {quote(beside)} ").text)
    yield from _filled(beside, table, copy, tuple(reasons(change.new, table, copy)))
    yield guards.all_copied(table, beside)
    if counted and autoincrement(change.new):
        yield from _counter(table, beside)
    yield Do(f"DROP TABLE {quote(table)}")
    # With it on, what names the table keeps its text, and a broken view elsewhere does not matter.
    yield Do("PRAGMA legacy_alter_table = ON")
    yield Do(f"ALTER TABLE {quote(beside)} RENAME TO {quote(table)}")
    yield Do("PRAGMA legacy_alter_table = OFF")


def _copied_out(change: Change, copy: Copy, *, counted: bool) -> Iterator[Step]:
    """Yield the steps for a definition that says the name of its own table: no rename is right."""
    table, aside = change.table, f"__ashflow_old_{change.table}"
    places = [quote(f"c{at}") for at in range(len(copy))]
    # Without declared types, so that no value is converted on the way.
    yield Do(f"CREATE TABLE {quote(aside)} ({', '.join(places) or 'c'})")
    yield from _filled(aside, table, list(zip(places, (s for _, s in copy), strict=True)))
    yield guards.all_copied(table, aside)
    if counted and autoincrement(change.new):
        yield from _counter(table, aside)
    yield Do(f"DROP TABLE {quote(table)}")
    yield Do(change.new.named(f"CREATE TABLE {quote(table)} ").text)
    back = list(zip((t for t, _ in copy), places, strict=True))
    yield from _filled(table, aside, back, tuple(reasons(change.new, aside, back)))
    yield guards.all_copied(aside, table)
    if counted and autoincrement(change.new):
        yield from _counter(aside, table)
        yield Do(f"DELETE FROM sqlite_sequence WHERE name = {_text(aside)}")
    yield Do(f"DROP TABLE {quote(aside)}")


def _filled(target: str, source: str, copy: Copy, why: tuple[Step, ...] = ()) -> Iterator[Step]:
    if copy:
        # OR ABORT: a column's own ON CONFLICT IGNORE would leave rows out.
        yield Do(
            f"INSERT OR ABORT INTO {quote(target)} ({', '.join(t for t, _ in copy)}) "
            f"SELECT {', '.join(s for _, s in copy)} FROM {quote(source)}",
            why,
        )


def _index(change: Change, made: Made) -> Step:
    """Return the step that makes an index of the table again."""
    index = index_of(made.sql, made.name)
    return Do(made.sql, (guards.unique(change.table, index),) if index.unique else ())


def _counter(source: str, target: str) -> Iterator[Step]:
    """Yield the steps that carry the counter of AUTOINCREMENT from one table to another."""
    old, new = _text(source), _text(target)
    there = f"(SELECT max(seq) FROM sqlite_sequence WHERE name = {old})"
    yield Do(f"UPDATE sqlite_sequence SET seq = max(seq, coalesce({there}, 0)) WHERE name = {new}")
    yield Do(
        f"INSERT INTO sqlite_sequence (name, seq) SELECT {new}, seq FROM sqlite_sequence "
        f"WHERE name = {old} AND {new} NOT IN (SELECT name FROM sqlite_sequence)"
    )


def _copy(change: Change) -> Copy:
    copy = [(change.rowid(), change.rowid())] if change.keeps_rowid else []
    for item in change.new.columns:
        source = None if item.has("generated") else change.source(item)
        if source is not None:
            copy.append((quote(item.name), source))
    if not copy:  # nothing of the rows is left but their number
        first = next(item for item in change.new.columns if not item.has("generated"))
        copy.append((quote(first.name), _value(change, first)))
    return copy


def _guards(change: Change) -> Iterator[Step]:
    for item in change.new.columns:
        yield from _null_guards(change, item)
        yield from _type_guards(change, item)
    for check in change.checks:
        rows = _seen_by(change, check)
        if rows is not None:
            yield guards.meets(change.table, check, rows)
    key = primary_key(change.new)
    if key and key != primary_key(change.old) and all(change.before(name) for name in key):
        yield guards.unique_key(change.table, key)


def _null_guards(change: Change, item: ColumnItem) -> Iterator[Step]:
    if not item.has("not_null") or item.has("generated"):
        return
    before, source = change.before(item.name), change.source(item)
    if default_expression(item) is not None:
        if before is not None and not (before.has("not_null") or fold(item.name) in change.fills):
            yield guards.becomes_default(change.table, before.name)
        return
    if source is None:
        if item.name != rowid_alias(change.new):
            yield guards.no_rows(change.table, item.name)
    elif before is None or not before.has("not_null"):
        yield guards.never_null(change.table, item.name, source)


def _type_guards(change: Change, item: ColumnItem) -> Iterator[Step]:
    before = change.before(item.name)
    if before is None or item.has("generated"):
        return
    was = affinity(before.declared, strict=change.old.options.strict)
    shall_be = affinity(item.declared, strict=change.new.options.strict)
    lost = loses(quote(before.name), shall_be)
    if was != shall_be and lost is not None:
        yield guards.same_value(change.table, item.name, item.declared, lost)


def _seen_by(change: Change, check: Check) -> str | None:
    """Return what a check is to be counted on: the rows as they will be.

    None where only the new table can tell, because a column that the check reads is computed, or
    compares otherwise than until now.
    """
    seen = [item for item in change.new.columns if reads(check.sql, item.name)]
    if any(item.has("generated") or _compares_otherwise(change, item) for item in seen):
        return None
    if all(change.source(item) == quote(item.name) for item in seen):
        return quote(change.table)
    values = ", ".join(f"{_value(change, item)} AS {quote(item.name)}" for item in seen)
    return f"(SELECT {values} FROM {quote(change.table)}) AS {quote(change.table)}"


def _compares_otherwise(change: Change, item: ColumnItem) -> bool:
    before = change.before(item.name)
    if before is None:
        return False
    strict = change.old.options.strict, change.new.options.strict
    kinds = (affinity(i.declared, strict=s) for i, s in zip((before, item), strict, strict=True))
    return len({*kinds}) > 1 or collation(before) != collation(item)


def _value(change: Change, item: ColumnItem) -> str:
    return change.source(item) or default_expression(item) or "NULL"


def _refuse_dependents(change: Change) -> None:
    for name in change.went:
        for index in change.facts.indexes:
            behind = index.sql[index.sql.find("(") :]
            if mentions(behind, name):
                raise _used(change, name, f"index {index.name}", "DropIndex")
        for trigger in change.facts.triggers:
            if fold(name) in update_columns(trigger.sql):
                raise _used(change, name, f"UPDATE OF of the trigger {trigger.name}", "Execute")


def update_columns(trigger: str) -> frozenset[str]:
    """Return the columns of a trigger's UPDATE OF, in small letters.

    SQLite does not look whether they are there: without one of them the trigger would be silent.
    """
    found = significant(trigger)
    for at, token in enumerate(found[:-1]):
        if token.is_word("BEGIN"):
            break
        if token.is_word("UPDATE") and found[at + 1].is_word("OF"):
            end = next(i for i, t in enumerate(found) if i > at and t.is_word("ON"))
            named = (t.name for t in found[at + 2 : end] if t != Token("punct", ","))
            return frozenset(fold(name) for name in named if name is not None)
    return frozenset()


def _used(change: Change, column: str, what: str, mend: str) -> SchemaError:
    return SchemaError(
        f"column {change.table}.{column} cannot be dropped: it is used by {what}",
        hint=f"Take it away first, with {mend} in the same migration.",
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
