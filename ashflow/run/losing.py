"""What a database would lose on its way from one state to another, counted before it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.change.operations import AddColumn, AddStatement, CreateTable
from ashflow.change.trace import made_by, narrowed, trace
from ashflow.errors import SchemaError
from ashflow.plan.regen import Loss
from ashflow.plan.stretch import lacking
from ashflow.run.record import Kept
from ashflow.schema.sqltext import fold
from ashflow.schema.table import Column, Schema, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ashflow.adapters.protocol import Session
    from ashflow.change.operations import Operation
    from ashflow.change.renames import Renames
    from ashflow.plan.stretch import Stretch

    Holding = Mapping[str, Sequence[str]]


def survey(session: Session, shown: str, stretch: Stretch) -> tuple[Loss, ...]:
    """Count what a stretch would drop, and see to it that what it supposes is there.

    Args:
        session: A session of the database.
        shown: The database, for messages.
        stretch: What is to be run.

    Raises:
        SchemaError: The database is not what the applied migrations made.
    """
    tables = {table for table, _ in stretch.made}
    gone = lacking(stretch.made, session.introspect(tables)) if tables else None
    if gone is not None:
        raise SchemaError(
            f"{shown} has no {gone}, though the migrations that it has applied made it",
            hint="It was changed by hand; change it back, then run regen again.",
        )
    counted = [Loss(t, c, session.count(t, where_not_null=c)) for t, c in stretch.drops]
    return tuple(loss for loss in counted if loss.rows)


def kept_of(losses: Iterable[Loss], renames: Renames, *, squeezed: bool = False) -> list[Kept]:
    """Return what is kept aside of what would go, and where it would return.

    Args:
        losses: What would go.
        renames: What it is called where it returns, by its names of now.
        squeezed: Whether it does not go, but gets a type that cannot hold all of it.
    """
    return [
        Kept(
            loss.table,
            loss.column,
            loss.rows,
            loss.rows,
            renames.tables.get(loss.table, loss.table),
            tuple(sorted(renames.columns_of(loss.table).items())),
            squeezed,
        )
        for loss in losses
    ]


def returns(loss: Loss, operations: Iterable[Operation], renames: Renames) -> bool:
    """Whether operations make a place for values that were dropped.

    Args:
        loss: The values.
        operations: What is done afterwards.
        renames: What is called otherwise there.
    """
    table = renames.tables.get(loss.table, loss.table)
    column = renames.columns_of(loss.table).get(loss.column or "", loss.column)
    for operation in operations:
        match operation:
            case CreateTable(name) if name == table:
                return column is None or any(c.name == column for c in operation.columns)
            case AddColumn(name, new) if (name, new.name) == (table, column):
                return True
            case AddStatement() if column is None and table in made_by(operation):
                return True
            case _:
                pass
    return False


def squeezed(session: Session, stretch: Stretch) -> tuple[Loss, ...]:
    """Count the values that get a type which cannot hold all that they may be.

    Args:
        session: A session of the database.
        stretch: What is to be run.
    """
    pairs = narrowed(stretch.operations)
    counted = [Loss(t, c, session.count(t, where_not_null=c)) for t, c in pairs]
    return tuple(loss for loss in counted if loss.rows)


def lost_on_the_way(
    before: Holding, now: Holding, operations: Iterable[Operation]
) -> Iterator[Loss]:
    """Yield the tables, and the columns of others, that were there and are not any more.

    Args:
        before: The columns of each table, as they were.
        now: Those of now.
        operations: What was done in between: what it renamed is not lost.
    """
    start = Schema(Table(t, [Column(c, "text") for c in columns]) for t, columns in before.items())
    names = trace(start, operations)
    there = {fold(table): {fold(c) for c in columns} for table, columns in now.items()}
    for table, columns in before.items():
        name, pairs = names.get(table, (table, {}))
        if table not in names or fold(name) not in there:
            yield Loss(table, None, 0)
            continue
        for column in columns:
            if fold(pairs.get(column, "")) not in there[fold(name)]:
                yield Loss(table, column, 0)
