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
from ashflow.adapters.sqlite.edit import set_default
from ashflow.adapters.sqlite.rebuild import becoming, fills, remake
from ashflow.adapters.sqlite.steps import Edit, Probe, Remake, Step
from ashflow.errors import SchemaError
from ashflow.schema.sqltext import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ashflow.adapters.sqlite.alter import Change
    from ashflow.adapters.sqlite.catalog import Catalog
    from ashflow.adapters.sqlite.definition import Clause, ColumnItem, Definition

_FREE: Final = frozenset({"not_null", "null", "default", "check", "references", "foreign_key"})
"""The clauses of which no row on disk depends; `default` where no row is made of it."""

_NOBODYS: Final = "'ashflow: no row has this value'"


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
    yield from conditions(change, rows_stay=True)
    yield from fills(change)
    yield from (guards.stays_null(change.table, item.name) for item in becoming(change))
    edit = Edit(change.table, change.new.text, _probe(change), _otherwise(change, catalog))
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
    # Of a table without row ids another index may be read in its place: see `Probe`.
    same = default_expression(before) == default_expression(after)
    return not change.new.options.without_rowid or (same and not key)


def _can_fill(change: Change) -> bool:
    """Whether what has to be filled can be under the definition as it is.

    No check that goes may be in the way, nor can one that comes be counted before.
    """
    filled = bool(change.fills) or any(True for _ in becoming(change))
    return not filled or (not change.checks and _checks(change.old) <= _checks(change.new))


def _checks(definition: Definition) -> set[str]:
    inside = (clause for item in definition.columns for clause in item.all("check"))
    return {c.text for c in (*inside, *definition.constraints) if c.kind == "check"}


def _probe(change: Change) -> Probe | None:
    columns = zip(change.old.columns, change.new.columns, strict=True)
    changed = [
        after.name
        for before, after in columns
        if _inside(default_expression(before)) != _inside(default_expression(after))
    ]
    probe = change.new
    for name in changed:
        probe = set_default(probe, name, _NOBODYS)
    return Probe(probe.text, tuple(changed), _NOBODYS) if changed else None


def _inside(sql: str | None) -> str | None:
    """Return an expression without the parentheses around it, which change nothing."""
    return None if sql is None else sql.strip("() ")
