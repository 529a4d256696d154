"""Give a table or a column another name, also where a view or a trigger is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.steps import Do, Step
from ashflow.change.operations import RenameColumn, RenameTable
from ashflow.schema.sqltext import fold, mentions, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ashflow.adapters.sqlite.catalog import Made


def renamed(
    operation: RenameTable | RenameColumn, broken: Iterable[tuple[Made, ...]]
) -> Iterator[Step]:
    """Yield the steps of a rename.

    SQLite renames nothing in a database in which a view or a trigger names what is not there, as
    one does that reads a view which is made anew further on. Those that do not have the old name,
    or have that of a column and not the name of its table, are put aside meanwhile: the rename
    would not change them.

    Args:
        operation: The rename.
        broken: The views and triggers that name what is not there, each view with its triggers.
    """
    names = [operation.old]
    if isinstance(operation, RenameColumn):
        names.append(operation.table)
    aside = [made for made in broken if not any(_has(one.sql, names) for one in made)]
    for first, *_ in aside:  # a view takes its triggers along
        yield Do(f"DROP {first.kind} {quote(first.name)}")
    yield from _statements(operation)
    yield from (Do(one.sql) for made in aside for one in made)


def _has(sql: str, names: Iterable[str]) -> bool:
    return all(mentions(sql, name) for name in names)


def _statements(operation: RenameTable | RenameColumn) -> Iterator[Step]:
    match operation:
        case RenameTable(old, new):
            if fold(old) == fold(new):  # for SQLite the new name is taken, by the table itself
                beside = f"__ashflow_case_{old}"
                yield Do(f"ALTER TABLE {quote(old)} RENAME TO {quote(beside)}")
                old = beside
            yield Do(f"ALTER TABLE {quote(old)} RENAME TO {quote(new)}")
        case RenameColumn(table, old, new):
            yield Do(f"ALTER TABLE {quote(table)} RENAME COLUMN {quote(old)} TO {quote(new)}")
