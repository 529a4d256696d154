"""What operations make of one table: its new definition, and where its values come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.sqlite import edit
from ashflow.adapters.sqlite.clauses import default_expression, primary_key, rowid_alias
from ashflow.adapters.sqlite.dependents import mentions_in
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AlterColumn,
    ChangePrimaryKey,
    DropCheck,
    DropColumn,
    DropForeignKey,
    Fill,
    Operation,
    SetOptions,
)
from ashflow.errors import SchemaError
from ashflow.schema.datatypes import Sql, UtcNow
from ashflow.schema.sqltext import enclosed, fold, quote
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.adapters.sqlite.catalog import TableFacts
    from ashflow.adapters.sqlite.definition import ColumnItem, Definition
    from ashflow.schema.table import Check, Column


@value
class Change:
    """A table as it is, and as it shall be.

    Args:
        facts: The table as the database has it, without the indexes that are dropped.
        old: Its definition.
        new: The definition that it shall have.
        came: The columns that are new, in small letters, also where one of that name went.
        went: Those that are no more.
        fills: The expressions that fill a column where it is NULL, in order.
        checks: The new checks.
    """

    facts: TableFacts
    old: Definition
    new: Definition
    came: frozenset[str]
    went: tuple[str, ...]
    fills: dict[str, tuple[str, ...]]
    checks: tuple[Check, ...]

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.old.name

    @property
    def changes_text(self) -> bool:
        """Whether the table gets another definition, or columns that are only named as before."""
        return self.old.text != self.new.text or bool(self.came)

    def before(self, column: str) -> ColumnItem | None:
        """Return the column that a column of the new table takes its values from, or None."""
        return None if fold(column) in self.came else self.old.column(column)

    def source(self, item: ColumnItem) -> str | None:
        """Return what a column of the new table holds, over the old ones; None: its default."""
        fills = [enclosed(sql) for sql in self.fills.get(fold(item.name), ())]
        default = default_expression(item)
        before = self.before(item.name)
        if before is None:
            fills = [] if default is not None else fills
            return _first_of(fills) if fills else self._rowid_for(item)
        becomes = item.has("not_null") and not before.has("not_null")
        kept = [default] if becomes and default is not None else []
        return _first_of([quote(before.name), *fills, *kept])

    def _rowid_for(self, item: ColumnItem) -> str | None:
        """Return the rowid for a new column that becomes another name of it."""
        if item.name != rowid_alias(self.new) or self.old.options.without_rowid:
            return None
        return self.rowid()

    @property
    def keeps_rowid(self) -> bool:
        """Whether rows have a rowid before and after that no column holds afterwards."""
        apart = self.old.options.without_rowid or self.new.options.without_rowid
        return not apart and rowid_alias(self.new) is None

    def rowid(self) -> str:
        """Return a name of the rowid that is the name of no column.

        Raises:
            SchemaError: There is none.
        """
        if self.rowid_name is not None:
            return self.rowid_name
        raise SchemaError(
            f"{self.table} has columns rowid, _rowid_ and oid, so that its row ids cannot be kept",
            hint="Rename one of the columns first.",
        )

    @property
    def rowid_name(self) -> str | None:
        """A name of the rowid that is the name of no column; None where there is none."""
        taken = {fold(item.name) for item in (*self.old.columns, *self.new.columns)}
        return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)


def change_of(facts: TableFacts, operations: Sequence[Operation]) -> Change:
    """Return what operations make of a table.

    Args:
        facts: The table.
        operations: Those on this table, in order.

    Raises:
        SchemaError: An operation does not fit, or something would be left that names what is gone.
    """
    old = facts.definition()
    came: set[str] = set()
    fills: dict[str, tuple[str, ...]] = {}
    checks: list[Check] = []
    for operation in operations:
        match operation:
            case AddColumn(_, column):
                came.add(fold(column.name))
            case DropColumn(_, column):
                came.discard(fold(column.name))
                fills.pop(fold(column.name), None)
            case Fill(_, column=name, sql=sql):
                fills[fold(name)] = (*fills.get(fold(name), ()), sql)
            case AddCheck():
                checks.append(operation.check)
            case DropCheck():
                checks = [check for check in checks if check.name != operation.name]
    new = edited(old, operations)
    went = tuple(item.name for item in old.columns if new.column(item.name) is None)
    return Change(facts, old, new, frozenset(came), went, fills, tuple(checks))


def edited(definition: Definition, operations: Sequence[Operation]) -> Definition:
    """Return a definition after operations.

    The primary key is changed last: whatever the order of the operations, its columns stand then.

    Args:
        definition: The definition of the table.
        operations: Those on this table, in order; what changes no definition is passed over.
    """
    before = definition
    keys: list[ChangePrimaryKey] = []
    counted: dict[str, bool] = {}
    for operation in operations:
        match operation:
            case ChangePrimaryKey():
                keys.append(operation)
            case AddColumn(_, column) if column.autoincrement:
                counted[column.name] = True
            case AlterColumn(old=old, new=new) if old.autoincrement != new.autoincrement:
                counted[new.name] = new.autoincrement
        definition = _edited(definition, operation)
    if keys and tuple(keys[0].old) != tuple(keys[-1].new):
        gone = {fold(op.column.name) for op in operations if isinstance(op, DropColumn)}
        definition = edit.change_primary_key(definition, keys[0].old, keys[-1].new, gone)
    for name, on in counted.items():
        definition = edit.set_autoincrement(definition, name, on=on)
    _refuse_dangling(before, definition)
    return definition


def touches(operation: Operation) -> bool:
    """Whether an operation on one table may change its definition in SQLite."""
    match operation:
        case AlterColumn(old=old, new=new):
            return edit.facets_differ(old, new)
        case ChangePrimaryKey(old=before, new=after):
            return before != after
        case SetOptions(old=options_before, new=options_after):
            return options_before != options_after
        case AddColumn() | DropColumn() | AddCheck() | DropCheck():
            return True
        case AddForeignKey() | DropForeignKey():
            return True
        case _:
            return False


def constant(column: Column) -> bool:
    """Whether the default of a column is a constant, none included."""
    return not isinstance(column.default, Sql | UtcNow)


def _edited(definition: Definition, operation: Operation) -> Definition:
    match operation:
        case AddColumn(_, column):
            return edit.add_column(definition, column.bare, operation.foreign_key)
        case DropColumn(_, column):
            key = operation.foreign_key
            kept = None if key is None else edit.drop_foreign_key_if_there(definition, key)
            return edit.drop_column(kept or definition, column.name)
        case AlterColumn(old=old, new=new):
            return edit.alter_column(definition, old, new)
        case AddCheck():
            return edit.add_check(definition, operation.check)
        case DropCheck():
            return edit.drop_check(definition, operation.check)
        case AddForeignKey(_, key):
            return edit.add_foreign_key(definition, key)
        case DropForeignKey(_, key):
            return edit.drop_foreign_key(definition, key)
        case SetOptions(new=options):
            return edit.set_options(definition, options)
        case _:
            return definition


def _refuse_dangling(before: Definition, after: Definition) -> None:
    for item in before.columns:
        if after.column(item.name) is not None:
            continue
        user = mentions_in(after, item.name)
        if user is not None or item.name in primary_key(after):
            raise SchemaError(
                f"column {before.name}.{item.name} cannot be dropped: it is used by {user}",
                hint="Drop or change that first, in the same migration.",
            )


def _first_of(expressions: list[str]) -> str:
    return expressions[0] if len(expressions) == 1 else f"coalesce({', '.join(expressions)})"
