"""Fold migrations: a run of them makes each table at once as it stands in the end.

That is for a database in which nothing stands: no row can miss the states in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ashflow.change.apply import take
from ashflow.change.join import gone
from ashflow.change.operations import AddForeignKey, CreateTable, Operation
from ashflow.change.order import creation_order
from ashflow.errors import SchemaError
from ashflow.plan.surely import surely_fits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ashflow.change.migration import Migration
    from ashflow.plan.steps import Up
    from ashflow.schema.table import Table

Tables = dict[str, "Table"]


class Fold(NamedTuple):
    """Migrations that are applied with operations that stand for all of theirs.

    Args:
        steps: The migrations, oldest first.
        operations: What is run.
    """

    steps: tuple[Up, ...]
    operations: tuple[Operation, ...]


def folded(steps: Sequence[Up]) -> Iterator[Up | Fold]:
    """Fold the runs among migrations; what can't be folded is left as it is, in its place.

    A run goes on as long as only tables are touched that it has made itself, and as long as the
    database would surely have taken each operation as it stands. SQL and functions of the user may
    look at any table, so they end it, and so does what runs outside a transaction or writes rows.

    Args:
        steps: The migrations, oldest first.

    Yields:
        The migrations, alone or in runs, in the same order.
    """
    run: list[Up] = []
    tables: Tables = {}
    alone = True  # nothing stands but what the run has made
    for step in steps:
        after = _after(tables, step.migration, alone=alone)
        if after is None:
            yield from _run(run, tables)
            run, tables, alone = [], {}, alone and not run
            after = _after(tables, step.migration, alone=alone)
        if after is None:
            yield step
            alone = False
        else:
            run.append(step)
            tables = after
    yield from _run(run, tables)


def _after(tables: Tables, migration: Migration, *, alone: bool) -> Tables | None:
    """Return the tables of a run after one more migration; None where that ends the run."""
    if not migration.transaction or migration.foreign_keys:
        return None
    after = dict(tables)
    try:
        for operation in migration.operations:
            if not surely_fits(after, operation, alone=alone):
                return None
            take(after, operation)
    except SchemaError:  # the database says it better
        return None
    return after


def _run(steps: Sequence[Up], tables: Tables) -> Iterator[Up | Fold]:
    if len(steps) < 2:
        yield from steps
    else:
        yield Fold(tuple(steps), tuple(_making(tables.values())))


def _making(tables: Iterable[Table]) -> Iterator[Operation]:
    """Yield what makes tables; keys that lead forward in a circle come when all of them stand."""
    whole = tuple(tables)
    ordered = creation_order(whole)
    yield from map(CreateTable.of, ordered)
    made = {table.name: table for table in ordered}
    for table in whole:
        for key in gone(table.foreign_keys, made[table.name].foreign_keys):
            yield AddForeignKey(table.name, key)
