"""Why SQLite refused the rows of a table that is made anew: counted in a table that takes them all.

The guards before a change count what they can tell from the rows as they are. What only shows in
the rows as they would be (a column that is computed from another, a collation, an affinity) is left
to SQLite; where it refuses, these steps say how many rows are in the way, and of what.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ashflow.adapters.sqlite import guards
from ashflow.adapters.sqlite.affinity import affinity
from ashflow.adapters.sqlite.clauses import primary_key, rowid_alias
from ashflow.adapters.sqlite.introspect import checks_of, unique_constraints
from ashflow.adapters.sqlite.steps import Do, Guard, Step
from ashflow.schema.sqltext import fold, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.adapters.sqlite.definition import ColumnItem, Definition

_SAYS_WHAT_A_VALUE_IS = ("default", "collate", "generated")


def reasons(definition: Definition, source: str, copy: Sequence[tuple[str, str]]) -> Iterator[Step]:
    """Yield the steps that find out which rows a table does not take, and why.

    They are run when it has not, in a transaction that is going to be taken back: the temporary
    table that they make has the name of the real one and hides it.

    Args:
        definition: The table that refused them.
        source: The table that they were to be copied from.
        copy: The columns of the table, and the expressions over the source that they take.
    """
    table = quote(definition.name)
    yield Do(_without_conditions(definition).text)
    yield Do(
        f"INSERT INTO temp.{table} ({', '.join(target for target, _ in copy)}) "
        f"SELECT {', '.join(value for _, value in copy)} FROM main.{quote(source)}"
    )
    alias = rowid_alias(definition)
    never_null = frozenset(primary_key(definition) if definition.options.without_rowid else ())
    for item in definition.columns:
        if item.has("not_null") or item.name in never_null:
            yield guards.never_null(
                definition.name, item.name, quote(item.name), computed=item.has("generated")
            )
        if definition.options.strict or item.name == alias:
            yield from _of_type(definition, item)
    for check in checks_of(definition):
        yield guards.meets(definition.name, check, table)
    if key := primary_key(definition):
        yield guards.unique_key(definition.name, key)
    for index in unique_constraints(definition):
        yield guards.unique(definition.name, index)


def _without_conditions(definition: Definition) -> Definition:
    """Return a temporary table that computes the same and takes everything."""
    columns = (
        replace(item, clauses=tuple(c for c in item.clauses if c.kind in _SAYS_WHAT_A_VALUE_IS))
        for item in definition.columns
    )
    loose = replace(definition, columns=tuple(columns), constraints=(), suffix="")
    return loose.named(f"CREATE TEMP TABLE {quote(definition.name)} ")


def _of_type(definition: Definition, item: ColumnItem) -> Iterator[Guard]:
    if fold(item.declared) != "any":
        kind = affinity(item.declared, strict=definition.options.strict)
        yield guards.of_type(definition.name, item.name, kind)
