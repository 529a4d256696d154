"""Follow tables and columns through operations, to tell what is the same thing under two names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ashflow.change.operations import (
    AddColumn,
    AddStatement,
    AlterColumn,
    CreateTable,
    DropColumn,
    DropStatement,
    DropTable,
    Operation,
    RenameColumn,
    RenameTable,
)
from ashflow.change.renames import Renames
from ashflow.schema.datatypes import TYPES
from ashflow.schema.sqltext import significant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ashflow.schema.table import Column, Schema

Names = dict[str, tuple[str, dict[str, str]]]
"""By the old name of a table: its name now, and the names of its columns by their old ones."""


def trace(start: Schema, operations: Iterable[Operation]) -> Names:
    """Return what the tables and columns of a schema are called after some operations.

    Args:
        start: The schema before them.
        operations: What is done to it; what they drop is left out of what is returned.
    """
    names: Names = {
        name: (name, {column.name: column.name for column in table.columns})
        for name, table in start.items()
    }
    for operation in operations:
        match operation:
            case RenameTable(old, new):
                names = {
                    was: (new if now == old else now, columns)
                    for was, (now, columns) in names.items()
                }
            case DropTable(table) | CreateTable(table):
                names = {was: (now, cols) for was, (now, cols) in names.items() if now != table}
            case RenameColumn(table, old, new):
                _follow(names, table, old, new)
            case DropColumn(table, column) | AddColumn(table, column):
                _follow(names, table, column.name, None)
            case _:
                pass
    return names


def _follow(names: Names, table: str, old: str, new: str | None) -> None:
    for was, (now, columns) in names.items():
        if now == table:
            moved = {c: new if name == old else name for c, name in columns.items()}
            names[was] = (now, {c: name for c, name in moved.items() if name is not None})


def renames_in(names: Names) -> Renames:
    """Return what is called otherwise now, as answers by the old names."""
    tables = {was: now for was, (now, _) in names.items() if was != now}
    columns = {
        was: {c: name for c, name in columns.items() if c != name}
        for was, (_, columns) in names.items()
    }
    return Renames(tables, {was: pairs for was, pairs in columns.items() if pairs})


def between(left: Names, right: Names) -> Renames:
    """Return the renames that lead from the names on one way to those on another.

    Args:
        left: Where the things of one schema are on one way.
        right: Where the same things are on another way.
    """
    shared = {left[was][0]: (left[was][1], *right[was]) for was in left if was in right}
    names: Names = {
        table: (now, {columns[c]: there[c] for c in columns if c in there})
        for table, (columns, now, there) in shared.items()
    }
    return renames_in(names)


def dropped(operations: Iterable[Operation]) -> tuple[tuple[str, str | None], ...]:
    """Return what operations take away of what is there before them, by its names of before.

    Args:
        operations: What is done, in order.

    Returns:
        Tables, with None, also those that a resource's statement made, and columns of tables. What
        comes and goes on the way is not among them, nor is a column that is computed; one that
        becomes so is.
    """
    origins = _Origins()
    found: dict[tuple[str, str | None], None] = {}
    for operation in operations:
        for table, column in origins.follow(operation):
            if table is not None:
                found[table, column] = None
    return tuple(found)


def narrowed(operations: Iterable[Operation]) -> tuple[tuple[str, str], ...]:
    """Return the columns that get a type which cannot hold all that the old one can.

    Args:
        operations: What is done, in order.

    Returns:
        Their tables and names as they are before the operations.
    """
    origins = _Origins()
    found: dict[tuple[str, str], None] = {}
    for operation in operations:
        if isinstance(operation, AlterColumn) and _narrows(operation.old, operation.new):
            table, column = origins.column(operation.table, operation.old.name)
            if table is not None and column is not None:
                found[table, column] = None
        for _ in origins.follow(operation):
            pass
    return tuple(found)


def made_by(operation: AddStatement | DropStatement) -> tuple[str, ...]:
    """Return the tables that the statement of a resource makes on its way up.

    Args:
        operation: What brings it, or takes it away.
    """
    return tuple(name for sql in operation.up if (name := _made_table(sql)) is not None)


def _made_table(sql: str) -> str | None:
    """Return the table that a statement makes; None where it makes none that stays."""
    words = list(significant(sql))
    if not words or not words[0].is_word("CREATE"):
        return None
    place = 2 if words[1:] and words[1].is_word("VIRTUAL") else 1
    if not words[place:] or not words[place].is_word("TABLE"):
        return None
    name = words[place + 1 :]
    if name and name[0].is_word("IF"):  # IF NOT EXISTS
        name = name[3:]
    if len(name) > 2 and name[1].text == ".":  # main.name
        name = name[2:]
    return name[0].name if name else None


_HOLDS: Final = {
    "text": frozenset(TYPES) - {"binary"},
    "integer": frozenset({"boolean"}),
    "decimal": frozenset({"boolean", "integer"}),
    "float": frozenset({"boolean"}),
}
"""By a type, those whose values it holds as well as they do."""


def _narrows(old: Column, new: Column) -> bool:
    return old.type != new.type and old.type not in _HOLDS.get(new.type, ())


@dataclass(slots=True)
class _Origins:
    """What was called how before; what is in none of the two has the name that it had.

    Args:
        tables: By the name of a table now, that of before; None: it came meanwhile.
        columns: The same for the columns, by the name of their table now.
    """

    tables: dict[str, str | None] = field(default_factory=dict)
    columns: dict[str, dict[str, str | None]] = field(default_factory=dict)

    def follow(self, operation: Operation) -> Iterator[tuple[str | None, str | None]]:
        """Yield what an operation takes away: its table, None where that came meanwhile."""
        match operation:
            case CreateTable(table):
                self.tables[table] = None
                self.columns[table] = {}
            case DropTable(table):
                yield self._table(table), None
                self.tables[table] = None
            case AddStatement():
                self.tables.update(dict.fromkeys(made_by(operation)))
            case DropStatement():
                for table in made_by(operation):
                    yield self._table(table), None
                    self.tables[table] = None
            case RenameTable(old, new):
                self.tables[new], self.tables[old] = self._table(old), None
                self.columns[new] = self.columns.pop(old, {})
            case RenameColumn(table, old, new):
                names = self.columns.setdefault(table, {})
                names[new], names[old] = names.get(old, old), None
            case AddColumn(table, column):
                self.columns.setdefault(table, {})[column.name] = None
            case DropColumn(table, column):
                yield from self._gone(table, column.name, computed=column.generated_as is not None)
                self.columns.setdefault(table, {})[column.name] = None
            case AlterColumn(table, old=before, new=after) if after.generated_as is not None:
                yield from self._gone(table, before.name, computed=before.generated_as is not None)

    def column(self, table: str, name: str) -> tuple[str | None, str | None]:
        """Return what a column and its table were called before; None for what came meanwhile."""
        return self._table(table), self.columns.get(table, {}).get(name, name)

    def _table(self, name: str) -> str | None:
        return self.tables.get(name, name)

    def _gone(
        self, table: str, column: str, *, computed: bool
    ) -> Iterator[tuple[str | None, str | None]]:
        was_in, was = self.column(table, column)
        if was is not None and not computed:
            yield was_in, was
