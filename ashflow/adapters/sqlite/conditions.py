"""What rows may forbid of a change of their table, as guards that count them before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.sqlite import guards
from ashflow.adapters.sqlite.affinity import affinity, loses
from ashflow.adapters.sqlite.clauses import (
    collation,
    default_expression,
    primary_key,
    rowid_alias,
)
from ashflow.schema.sqltext import fold, quote, reads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ashflow.adapters.sqlite.alter import Change
    from ashflow.adapters.sqlite.definition import ColumnItem
    from ashflow.adapters.sqlite.steps import Step
    from ashflow.schema.table import Check


def conditions(change: Change, *, rows_stay: bool = False) -> Iterator[Step]:
    """Yield the guards of a change: no row would have NULL, break a check, or lose its value.

    Args:
        change: The table as it is and as it shall be.
        rows_stay: Whether the rows stay where they lie, so that computed columns keep their values.
    """
    for item in change.new.columns:
        yield from _null_guards(change, item)
        yield from _type_guards(change, item)
    for check in change.checks:
        rows = _seen_by(change, check, rows_stay=rows_stay)
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


def _seen_by(change: Change, check: Check, *, rows_stay: bool) -> str | None:
    """Return what a check can be counted on before the change: the rows, where it reads no other.

    None where only the new table can tell, because a column that the check reads is filled or
    computed, or compares otherwise than until now.
    """
    seen = [item for item in change.new.columns if reads(check.sql, item.name)]
    as_they_are = all(
        (rows_stay or not item.has("generated"))
        and change.source(item) == quote(item.name)
        and not _compares_otherwise(change, item)
        for item in seen
    )
    return quote(change.table) if as_they_are else None


def _compares_otherwise(change: Change, item: ColumnItem) -> bool:
    before = change.before(item.name)
    if before is None:
        return False
    strict = change.old.options.strict, change.new.options.strict
    kinds = (affinity(i.declared, strict=s) for i, s in zip((before, item), strict, strict=True))
    return len({*kinds}) > 1 or collation(before) != collation(item)
