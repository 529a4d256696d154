"""Which changes of a definition leave the rows as they lie on disk, and how those are made.

They are made by editing the stored text, the way that SQLite describes at the end of
https://www.sqlite.org/lang_altertable.html#otheralter. A row is a list of values that says nothing
of its column but the order; so a constraint, a default or the name of a type can be another one,
as long as no row breaks the constraint, none is made of the default, and the new type would keep
the values in the same way. Whatever is in doubt is made by a rebuild.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ashflow.adapters.sqlite import guards
from ashflow.adapters.sqlite.affinity import affinity
from ashflow.adapters.sqlite.clauses import default_expression, primary_key
from ashflow.adapters.sqlite.conditions import conditions
from ashflow.adapters.sqlite.rebuild import fill_text, fills, remake, why_not
from ashflow.adapters.sqlite.steps import Default, Do, Edit, Remake, Step
from ashflow.errors import SchemaError
from ashflow.schema.sqltext import fold, quote, significant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ashflow.adapters.sqlite.alter import Change
    from ashflow.adapters.sqlite.catalog import Catalog
    from ashflow.adapters.sqlite.definition import Clause, ColumnItem, Definition

_FREE: Final = frozenset({"not_null", "null", "default", "check", "references", "foreign_key"})
"""The clauses of which no row on disk depends; `default` where no row is made of it."""


def leaves_rows(change: Change) -> bool:
    """Whether a change of a definition leaves the rows as they lie on disk.

    Args:
        change: The table as it is and as it shall be.
    """
    old, new = change.old, change.new
    if change.came or change.went or old.options != new.options:
        return False
    if len(old.columns) != len(new.columns) or _bound(old.constraints) != _bound(new.constraints):
        return False
    columns = zip(old.columns, new.columns, strict=True)
    return all(_stays(change, *pair) for pair in columns) and _can_fill(change)


def edit_in_place(change: Change, catalog: Catalog) -> Iterator[Step]:
    """Yield the steps that edit the stored definition of a table.

    Args:
        change: The table as it is and as it shall be; see `leaves_rows`.
        catalog: What else the database has.
    """
    yield from conditions(change)
    if not _filled(change):  # the columns that are computed have their values already
        yield from (guards.meets(change.table, c, quote(change.table)) for c in change.checks)
    yield from fills(change)
    for item in _becoming(change):
        sql = fill_text(change.table, item.name, default_expression(item) or "NULL")
        yield Do(sql, why_not(change))
    defaults = tuple(_defaults(change))
    edit = Edit(change.table, change.new.text, defaults, _otherwise(change, catalog))
    yield Remake(change.table, change.new, (edit,))


def _otherwise(change: Change, catalog: Catalog) -> tuple[Step, ...] | SchemaError:
    """Return how the table is made anew; why it can't be matters only where it has to be."""
    try:
        return (remake(change, catalog),)
    except SchemaError as error:
        return error


def _bound(clauses: tuple[Clause, ...]) -> list[str]:
    """Return the clauses that rows on disk, or the indexes of a key, depend on."""
    return [clause.text for clause in clauses if clause.kind not in _FREE]


def _stays(change: Change, before: ColumnItem, after: ColumnItem) -> bool:
    """Whether the values of a column mean the same under both of its definitions."""
    if before.text == after.text:
        return True
    if before.name != after.name or before.has("generated") or after.has("generated"):
        return False
    if _bound(before.clauses) != _bound(after.clauses):
        return False
    strict, key = change.old.options.strict, fold(after.name) in map(fold, primary_key(change.new))
    was, shall_be = (affinity(item.declared, strict=strict) for item in (before, after))
    if before.declared != after.declared and (strict or key or was != shall_be):
        return False
    if key and change.new.options.without_rowid:
        return False
    # In a column without an affinity 1 and 1.0 are two values, and equal.
    return shall_be != "BLOB" or default_expression(before) == default_expression(after)


def _can_fill(change: Change) -> bool:
    """Whether what has to be filled can be, under the definition as it is.

    Nothing that an UPDATE sets off may be in the way, nor a check that goes.
    """
    if not _filled(change):
        return True
    return not change.facts.triggers and _checks(change.old) <= _checks(change.new)


def _filled(change: Change) -> bool:
    return bool(change.fills) or any(True for _ in _becoming(change))


def _becoming(change: Change) -> Iterator[ColumnItem]:
    """Yield the columns that become NOT NULL and have a default to put there."""
    for item in change.new.columns:
        before = change.before(item.name)
        becomes = item.has("not_null") and before is not None and not before.has("not_null")
        if becomes and default_expression(item) is not None:
            yield item


def _checks(definition: Definition) -> set[str]:
    inside = (clause for item in definition.columns for clause in item.all("check"))
    return {c.text for c in (*inside, *definition.constraints) if c.kind == "check"}


def _defaults(change: Change) -> Iterator[Default]:
    for before, after in zip(change.old.columns, change.new.columns, strict=True):
        both = default_expression(before), default_expression(after)
        if both[0] != both[1]:
            said = tuple(text for text in both if text is not None and _is_constant(text))
            yield Default(after.name, said)


def _is_constant(sql: str) -> bool:
    """Whether an expression is a literal, perhaps with a sign."""
    kinds = [token.kind for token in significant(sql) if token.text not in "+-()"]
    return kinds in (["number"], ["string"], ["blob"])
