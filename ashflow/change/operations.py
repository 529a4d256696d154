"""The closed vocabulary of a migration.

Every operation is a frozen value that carries what its reverse needs. Who adds one adds it to
`Operation`, and the type checker leads through every `match` that has to learn it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, replace
from typing import TYPE_CHECKING, Any, Protocol

from ashflow.schema.table import (
    NO_OPTIONS,
    Check,
    Column,
    ForeignKey,
    Index,
    Options,
    Statement,
    Table,
    as_keys,
    freeze,
)
from ashflow.values import value

if TYPE_CHECKING:
    from typing import Self

    from ashflow.schema.datatypes import Key


class Database(Protocol):
    """What a function of `Run` is given; it sees one transaction and can't end it."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows.

        Args:
            sql: One statement.
            params: The values of its `?`, in order.
        """

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement once a row.

        Args:
            sql: One statement.
            rows: The values of its `?`, a sequence a run.
        """


Function = Callable[[Database], None]


@value
class _WholeTable:
    """A table with all that goes when it goes, but for its statements."""

    table: str
    columns: Sequence[Column] = ()
    _: KW_ONLY
    primary_key: Sequence[str] = ()
    foreign_keys: Sequence[ForeignKey] = ()
    checks: Sequence[Check] = ()
    indexes: Sequence[Index] = ()
    options: Options = NO_OPTIONS

    def __post_init__(self) -> None:
        for field, kind in _KINDS.items():
            freeze(self, field, kind)
        keys = {key.name: key for key in (key.owned(self.table) for key in self.foreign_keys)}
        for column in self.columns:
            if column.references is not None:
                key = column.references.owned(self.table, (column.name,))
                keys[key.name] = key
        named = tuple(keys[name] for name in sorted(keys))
        inline = tuple(column.name for column in self.columns if column.primary_key)
        object.__setattr__(self, "primary_key", self.primary_key or inline)
        object.__setattr__(self, "foreign_keys", named)
        if any(column is not column.bare for column in self.columns):
            object.__setattr__(self, "columns", tuple(column.bare for column in self.columns))

    @classmethod
    def of(cls, table: Table, *, indexes: bool = True) -> Self:
        """Return the operation that is about a table, all of it but its statements.

        Args:
            table: The table.
            indexes: Whether it is about its indexes too.
        """
        return cls(
            table.name,
            table.columns,
            primary_key=table.primary_key,
            foreign_keys=table.foreign_keys,
            checks=table.checks,
            indexes=table.indexes if indexes else (),
            options=table.options,
        )

    @property
    def definition(self) -> Table:
        """The table as a value of the schema."""
        return Table(
            self.table,
            self.columns,
            primary_key=self.primary_key,
            foreign_keys=self.foreign_keys,
            checks=self.checks,
            indexes=self.indexes,
            options=self.options,
        )


_KINDS: dict[str, type] = {
    "columns": Column,
    "primary_key": str,
    "foreign_keys": ForeignKey,
    "checks": Check,
    "indexes": Index,
}


class CreateTable(_WholeTable):
    """Make a table.

    Args:
        table: Its name.
        columns: Its columns; `primary_key=True` and `references=` may stand in them.
        primary_key: The key's columns in the key's order, where that is not the columns' order.
        foreign_keys: Foreign keys of several columns, or with a name of their own.
        checks: Its checks.
        indexes: Its indexes; a generated migration adds them with `AddIndex`.
        options: How it is kept.
    """

    __slots__ = ()


class DropTable(_WholeTable):
    """Drop a table; takes what `CreateTable` takes, and all of it, so that it can come back."""

    __slots__ = ()


@value
class RenameTable:
    """Give a table another name; foreign keys to it follow.

    Args:
        old: Its name until now.
        new: Its name from now on.
    """

    old: str
    new: str

    @property
    def table(self) -> str:
        """The table under the name that it ends with."""
        return self.new


@value
class _OneColumn:
    table: str
    column: Column

    def __post_init__(self) -> None:
        if self.column.primary_key:
            raise ValueError(
                f"column {self.table}.{self.column.name}: a table gets another primary key "
                "with ChangePrimaryKey"
            )
        if (key := self.column.references) is not None:
            key = replace(key.owned(self.table, (self.column.name,))).inline(self.table)
            object.__setattr__(self, "column", replace(self.column, references=key))

    @property
    def foreign_key(self) -> ForeignKey | None:
        """The foreign key that comes or goes with the column, as the table holds it."""
        if self.column.references is None:
            return None
        return self.column.references.owned(self.table, (self.column.name,))


class AddColumn(_OneColumn):
    """Add a column to a table.

    Args:
        table: The table.
        column: The column; `references=` adds its foreign key with it.
    """

    __slots__ = ()


class DropColumn(_OneColumn):
    """Drop a column, and its foreign key where it carries one.

    Args:
        table: The table.
        column: The column as it stands, so that it can come back.
    """

    __slots__ = ()


@value
class RenameColumn:
    """Give a column another name; keys, indexes, checks and expressions follow.

    Args:
        table: The table.
        old: The column's name until now.
        new: Its name from now on.
    """

    table: str
    old: str
    new: str


@value
class AlterColumn:
    """Change a column, but for its name.

    Args:
        table: The table.
        old: The column as it is.
        new: The column as it shall be.
    """

    table: str
    _: KW_ONLY
    old: Column
    new: Column

    def __post_init__(self) -> None:
        if self.old.name != self.new.name:
            raise ValueError(f"{self.table}.{self.old.name}: a name is changed with RenameColumn")
        if self.old != self.old.bare or self.new != self.new.bare:
            raise ValueError(
                f"{self.table}.{self.old.name}: keys are changed with ChangePrimaryKey, "
                "AddForeignKey and DropForeignKey"
            )


@value
class _OneIndex:
    table: str
    keys: Sequence[Key]
    _: KW_ONLY
    name: str
    unique: bool = False
    where: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", as_keys(self.keys))

    @property
    def index(self) -> Index:
        """The index as a value of the schema."""
        return Index(self.name, self.keys, unique=self.unique, where=self.where)


class AddIndex(_OneIndex):
    """Add an index.

    Args:
        table: The table.
        keys: Names of columns, `sql("expression")` or `desc(key)`.
        name: The name of the index.
        unique: Whether no two rows may agree in all keys: an identity.
        where: A condition; only rows that meet it are in the index.
    """

    __slots__ = ()


class DropIndex(_OneIndex):
    """Drop an index; takes what `AddIndex` takes."""

    __slots__ = ()


@value
class _OneCheck:
    table: str
    sql: str
    _: KW_ONLY
    name: str

    @property
    def check(self) -> Check:
        """The check as a value of the schema."""
        return Check(self.name, self.sql)


class AddCheck(_OneCheck):
    """Add a condition that every row has to meet.

    Args:
        table: The table.
        sql: An expression over its columns.
        name: The name of the constraint.
    """

    __slots__ = ()


class DropCheck(_OneCheck):
    """Drop a check; takes what `AddCheck` takes."""

    __slots__ = ()


@value
class _OneForeignKey:
    table: str
    key: ForeignKey

    def __post_init__(self) -> None:
        if not self.key.columns:
            raise ValueError(f"{self.table}: a foreign key of no columns; say columns=[…]")
        object.__setattr__(self, "key", self.key.owned(self.table))


class AddForeignKey(_OneForeignKey):
    """Add a foreign key.

    Args:
        table: The table that refers.
        key: The key, with its `columns`.
    """

    __slots__ = ()


class DropForeignKey(_OneForeignKey):
    """Drop a foreign key; takes what `AddForeignKey` takes."""

    __slots__ = ()


@value
class ChangePrimaryKey:
    """Give a table another primary key.

    Args:
        table: The table.
        old: The key's columns as they are; empty: it has no key.
        new: The key's columns as they shall be.
    """

    table: str
    _: KW_ONLY
    old: Sequence[str]
    new: Sequence[str]

    def __post_init__(self) -> None:
        freeze(self, "old")
        freeze(self, "new")


@value
class SetOptions:
    """Change how a table is kept.

    Args:
        table: The table.
        old: The options as they are.
        new: The options as they shall be.
    """

    table: str
    _: KW_ONLY
    old: Options
    new: Options


@value
class _OneStatement:
    table: str
    name: str
    _: KW_ONLY
    up: Sequence[str]
    down: Sequence[str]

    def __post_init__(self) -> None:
        freeze(self, "up")
        freeze(self, "down")

    @property
    def statement(self) -> Statement:
        """The statement as a value of the schema."""
        return Statement(self.name, self.up, self.down)


class AddStatement(_OneStatement):
    """Run the `up` of a resource's statement.

    Args:
        table: The table that it goes with; `@domain` where it goes with none.
        name: What it is called in the resource.
        up: A statement, or several.
        down: Those that undo it.
    """

    __slots__ = ()


class DropStatement(_OneStatement):
    """Run the `down` of a resource's statement; takes what `AddStatement` takes."""

    __slots__ = ()


@value
class Fill:
    """Write a value where a column is NULL. Nothing is to be undone on the way down.

    Args:
        table: The table.
        column: The column that is filled.
        sql: An expression over the columns of the row.
    """

    table: str
    column: str
    sql: str


@value
class Execute:
    """Run SQL of your own.

    Args:
        up: A statement, or several.
        down: Those that undo it; an empty list where nothing is to be undone; None: no way down.
    """

    _: KW_ONLY
    up: Sequence[str]
    down: Sequence[str] | None = None

    def __post_init__(self) -> None:
        freeze(self, "up")
        if self.down is not None:
            freeze(self, "down")


@value
class Run:
    """Call a function of the migration's file.

    Args:
        up: A function at the top level of the file, called with the database. A name stands
            for it where the file is not at hand: the database keeps no Python.
        down: The function that undoes it; None: no way down.
    """

    _: KW_ONLY
    up: Function | str
    down: Function | str | None = None

    @property
    def names(self) -> tuple[str, str | None]:
        """The names of the two functions."""
        return function_name(self.up), None if self.down is None else function_name(self.down)

    def __eq__(self, other: object) -> bool:
        return self.names == other.names if isinstance(other, Run) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.names)


def function_name(function: Function | str) -> str:
    """Return the name of a function of `Run`."""
    return function if isinstance(function, str) else function.__name__


Operation = (
    CreateTable
    | DropTable
    | RenameTable
    | AddColumn
    | DropColumn
    | RenameColumn
    | AlterColumn
    | AddIndex
    | DropIndex
    | AddCheck
    | DropCheck
    | AddForeignKey
    | DropForeignKey
    | ChangePrimaryKey
    | SetOptions
    | AddStatement
    | DropStatement
    | Fill
    | Execute
    | Run
)
Raw = AddStatement | DropStatement | Execute | Run
"""The operations that run SQL or functions of the user, which may touch any table."""
Opaque = Execute | Run
"""Those of them of which no schema knows whether they have been run."""
