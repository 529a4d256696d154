"""Tables and what they are made of, as frozen values that know no database.

A name ties one value to another, never a pointer. The columns, keys, indexes and checks of a table
are sets by name: two tables that list them in another order are equal; the order is kept for
writing only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, fields, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar

from ashflow.schema.datatypes import Default, Desc, Key, Sql, is_type, same_kind, undirected
from ashflow.schema.sqltext import mentions
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Callable

Action = Literal["restrict", "cascade", "set_null", "set_default"]
ACTIONS: Final = ("restrict", "cascade", "set_null", "set_default")
DOMAIN: Final = "@domain"
"""The name under which the statements of a `Domain` stand, which belong to no table."""


class Named(Protocol):
    """Anything that has a name."""

    @property
    def name(self) -> str:
        """The name."""


NamedT = TypeVar("NamedT", bound=Named)


def freeze(value: object, field: str, kind: type = str) -> None:
    """Make a tuple of what a constructor was given as a list, or as one item.

    Args:
        value: A frozen dataclass under construction.
        field: The name of the field.
        kind: The type of an item; one that is given alone becomes a tuple of one.
    """
    given = getattr(value, field)
    if type(given) is not tuple:
        items = (given,) if isinstance(given, kind) else tuple(given)
        object.__setattr__(value, field, items)


@value
class ForeignKey:
    """Columns whose values have to be a key of another table's row.

    Args:
        table: The table that is referred to.
        keys: Its columns, in the order of `columns`; one name may stand alone.
        columns: The columns that refer; empty where the key stands in the `Column` itself.
        name: The name of the constraint; by default `<table>_<columns>_fkey`.
        on_delete: What happens to a row whose row in `table` goes; None: it must not go.
        on_update: What happens when the key in `table` changes.
        deferrable: Whether the database looks only at the end of a transaction.
    """

    table: str
    keys: Sequence[str] = ("id",)
    _: KW_ONLY
    columns: Sequence[str] = ()
    name: str = ""
    on_delete: Action | None = None
    on_update: Action | None = None
    deferrable: bool = False

    def __post_init__(self) -> None:
        freeze(self, "keys")
        freeze(self, "columns")
        for action in (self.on_delete, self.on_update):
            if action is not None and action not in ACTIONS:
                raise ValueError(
                    f"{action!r} is no action of a foreign key; one of: {', '.join(ACTIONS)}"
                )
        if self.columns and len(self.columns) != len(self.keys):
            raise ValueError(
                f"a foreign key of {len(self.columns)} columns to {len(self.keys)} keys"
            )

    def owned(self, table: str, columns: Sequence[str] | None = None) -> ForeignKey:
        """Return the key as a table holds it: with its columns and its name.

        Args:
            table: The table that refers.
            columns: Its columns; by default those that the key names.
        """
        columns = tuple(columns if columns is not None else self.columns)
        if self.name and columns == self.columns:
            return self
        return replace(self, columns=columns, name=self.name or foreign_key_name(table, columns))

    def inline(self, table: str) -> ForeignKey:
        """Return the key as a `Column` of the table holds it: without what goes without saying."""
        usual = foreign_key_name(table, self.columns) if self.columns else self.name
        return replace(self, columns=(), name="" if self.name == usual else self.name)


def foreign_key_name(table: str, columns: Sequence[str]) -> str:
    """Return the name that a foreign key has where it is given none."""
    return f"{table}_{'_'.join(columns)}_fkey"


@value
class Column:
    """A column of a table.

    Args:
        name: The name in the database.
        type: One of `datatypes.TYPES`, or `raw:` and a type of the database.
        nullable: Whether it may be NULL.
        default: What the database writes where a row says nothing; None: no default.
        primary_key: In `CreateTable` only: the column is the primary key, or a part of it.
        references: In `CreateTable`, `AddColumn` and `DropColumn` only: its foreign key.
        autoincrement: Whether a key is never used again; for a sole integer primary key.
        max_length: The longest text, in characters; not enforced by SQLite.
        precision: The digits of a decimal; not enforced by SQLite.
        scale: Those of them behind the point.
        collate: The collation that compares and orders the values.
        generated_as: An expression that the value is computed from; None: it is written.
        stored: Whether a generated value is kept on disk, and not computed at each reading.
        comment: A word for the reader.
    """

    name: str
    type: str
    _: KW_ONLY
    nullable: bool = False
    default: Default = None
    primary_key: bool = False
    references: ForeignKey | None = None
    autoincrement: bool = False
    max_length: int | None = None
    precision: int | None = None
    scale: int | None = None
    collate: str | None = None
    generated_as: str | None = None
    stored: bool = False
    comment: str | None = None

    def __post_init__(self) -> None:
        if not is_type(self.type):
            raise ValueError(f"column {self.name!r}: {self.type!r} is no column type")
        if self.default is None:
            return
        if not isinstance(self.default, Default):
            raise TypeError(
                f"column {self.name!r}: {self.default!r} is no default; say a text, a number, a "
                "boolean, bytes, sql(…) or utc_now"
            )
        object.__setattr__(self, "default", same_kind(self.type, self.default))

    @property
    def bare(self) -> Column:
        """The column as a table holds it: keys are the table's."""
        if self.references is None and not self.primary_key:
            return self
        return replace(self, primary_key=False, references=None)


@value
class Index:
    """An index, or a unique one, which is what an identity is in the database.

    Args:
        name: The name; unique in the whole database.
        keys: Names of columns, `sql("expression")` or `desc(key)`.
        unique: Whether no two rows may agree in all keys.
        where: A condition; only rows that meet it are in the index.
    """

    name: str
    keys: Sequence[Key]
    _: KW_ONLY
    unique: bool = False
    where: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", as_keys(self.keys))

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of its keys that are columns, whatever their direction."""
        return tuple(key for key in map(undirected, self.keys) if isinstance(key, str))

    @property
    def texts(self) -> tuple[str, ...]:
        """The SQL in it: its expressions and its condition."""
        found = [key.text for key in map(undirected, self.keys) if isinstance(key, Sql)]
        return tuple(found if self.where is None else [*found, self.where])


def as_keys(keys: Key | Sequence[Key]) -> tuple[Key, ...]:
    """Return the keys of an index as a tuple, one that stands alone too."""
    return (keys,) if isinstance(keys, (str, Sql, Desc)) else tuple(keys)


@value
class Check:
    """A condition that every row meets.

    Args:
        name: The name of the constraint.
        sql: An expression over the columns of the table.
    """

    name: str
    sql: str


@value
class Statement:
    """SQL that makes something the tool has no word for, and SQL that takes it away.

    Args:
        name: What it is called in the resource.
        up: A statement, or several.
        down: Those that undo it.
    """

    name: str
    up: Sequence[str]
    down: Sequence[str]

    def __post_init__(self) -> None:
        freeze(self, "up")
        freeze(self, "down")


@value
class Options:
    """How a table is kept.

    Args:
        strict: Whether the database enforces the types (https://www.sqlite.org/stricttables.html).
        without_rowid: Whether the primary key is where the rows lie
            (https://www.sqlite.org/withoutrowid.html).
    """

    strict: bool = False
    without_rowid: bool = False


NO_OPTIONS: Final = Options()


@value
class Table:
    """A table, as a whole.

    Args:
        name: Its name; `@domain` for the statements that belong to no table.
        columns: Its columns, in the order in which they came.
        primary_key: The names of the key's columns, in the key's order; empty: no key.
        foreign_keys: Its foreign keys, each with its columns and a name.
        indexes: Its indexes; a unique one is an identity.
        checks: Its checks.
        statements: The SQL that goes with it, in the order in which it is run.
        options: How it is kept.
    """

    name: str
    columns: Sequence[Column] = ()
    _: KW_ONLY
    primary_key: Sequence[str] = ()
    foreign_keys: Sequence[ForeignKey] = ()
    indexes: Sequence[Index] = ()
    checks: Sequence[Check] = ()
    statements: Sequence[Statement] = ()
    options: Options = NO_OPTIONS

    def __post_init__(self) -> None:
        freeze(self, "columns", Column)
        freeze(self, "primary_key")
        freeze(self, "foreign_keys", ForeignKey)
        freeze(self, "indexes", Index)
        freeze(self, "checks", Check)
        freeze(self, "statements", Statement)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        for one, two in zip(_parts(self), _parts(other), strict=True):
            if one is not two and _as_set(one) != _as_set(two):
                return False
        return True

    def __hash__(self) -> int:
        return hash(self.name)

    def column(self, name: str) -> Column | None:
        """Return the column of that name, or None."""
        return find(self.columns, name)

    def index(self, name: str) -> Index | None:
        """Return the index of that name, or None."""
        return find(self.indexes, name)


_parts: Final = attrgetter(*(field.name for field in fields(Table)))


def index_mentions(index: Index, column: str) -> bool:
    """Whether an index has the column as a key, in an expression or in its condition."""
    return column in index.columns or any(mentions(text, column) for text in index.texts)


def find(items: Iterable[NamedT], name: str) -> NamedT | None:
    """Return the item of that name, or None."""
    return next((item for item in items if item.name == name), None)


def _as_set(value: Any) -> Any:  # noqa: ANN401  (a field of any type)
    if isinstance(value, tuple) and value and not isinstance(value[0], str):
        return {item.name: item for item in value}
    return value


class Schema(Mapping[str, Table]):
    """The tables of a database, by name.

    Args:
        tables: The tables; two of one name are an error.

    Raises:
        ValueError: Two tables have one name.
    """

    __slots__ = ("_tables",)

    def __init__(self, tables: Iterable[Table] = ()) -> None:
        self._tables: dict[str, Table] = {}
        for table in tables:
            if table.name in self._tables:
                raise ValueError(f"two tables are called {table.name!r}")
            self._tables[table.name] = table

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __repr__(self) -> str:
        return f"Schema({list(self._tables.values())!r})"

    def only(self, keep: Callable[[str], bool]) -> Schema:
        """Return the schema of those tables whose name the function says yes to."""
        return Schema(table for name, table in self._tables.items() if keep(name))
