"""What one resource says, as far as it can be known without looking at others."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from ashflow.schema.table import NO_OPTIONS, Options, Table
from ashflow.sources.options import folded, is_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ashflow.schema.table import Check, Column, ForeignKey, Index, Named, Statement
    from ashflow.sources.members import BelongsTo, References
    from ashflow.sources.places import Spot
    from ashflow.sources.resource import Resource


class Link(NamedTuple):
    """A `belongs_to`, and whether its column may be NULL."""

    member: BelongsTo
    nullable: bool


class Reading:
    """What one resource says, as far as it can be known without looking at others.

    Args:
        cls: The resource.
        repo: The configured repo.
        table: The table's name.
        migrate: Whether the table is ours to make.
        strict: Whether the table is STRICT; None: nothing was said.
        without_rowid: Whether the table is WITHOUT ROWID; None: nothing was said.
        columns: The columns by name, in order; None: its type is that of a key elsewhere.
        links: The `belongs_to` of those.
        references: The `foreign_key` members.
        foreign_keys: The foreign keys, when `linking` has found their tables.
        primary_key: The columns of the key, in its order.
        indexes: The identities and indexes.
        checks: The checks.
        statements: The SQL that goes with the table.
        column_spots: Which member says the column of a (folded) name.
        name_spots: Which member says the index, check, key or statement of a (folded) name.
        elsewhere: The columns that refer to a table of another repo, each with that table in words.
        warnings: What could not be said in SQL.
    """

    __slots__ = (
        "checks",
        "cls",
        "column_spots",
        "columns",
        "elsewhere",
        "foreign_keys",
        "indexes",
        "links",
        "migrate",
        "name_spots",
        "primary_key",
        "references",
        "repo",
        "statements",
        "strict",
        "table",
        "warnings",
        "without_rowid",
    )

    def __init__(
        self,
        cls: type[Resource],
        repo: str,
        table: str,
        *,
        migrate: bool,
        strict: bool | None,
        without_rowid: bool | None,
    ) -> None:
        self.cls = cls
        self.repo = repo
        self.table = table
        self.migrate = migrate
        self.strict = strict
        self.without_rowid = without_rowid
        self.columns: dict[str, Column | None] = {}
        self.links: dict[str, Link] = {}
        self.references: list[tuple[References, Spot]] = []
        self.foreign_keys: list[tuple[ForeignKey, Spot]] = []
        self.primary_key: list[str] = []
        self.indexes: list[Index] = []
        self.checks: list[Check] = []
        self.statements: list[Statement] = []
        self.column_spots: dict[str, Spot] = {}
        self.name_spots: dict[str, Spot] = {}
        self.elsewhere: dict[str, str] = {}
        self.warnings: list[str] = []

    @property
    def as_table(self) -> Table:
        """The table, when all of its columns and foreign keys are known."""
        usual = not (self.strict or self.without_rowid)
        return Table(
            self.table,
            tuple([column for column in self.columns.values() if column is not None]),
            primary_key=tuple(self.primary_key),
            foreign_keys=tuple([key for key, _ in self.foreign_keys]),
            indexes=tuple(self.indexes),
            checks=tuple(self.checks),
            statements=tuple(self.statements),
            options=NO_OPTIONS
            if usual
            else Options(strict=bool(self.strict), without_rowid=bool(self.without_rowid)),
        )

    @property
    def names(self) -> Iterator[tuple[str, Spot]]:
        """The names of all indexes, checks, keys and statements, each with its member."""
        keys = (key for key, _ in self.foreign_keys)
        items: Iterable[Named] = (*self.indexes, *self.checks, *keys, *self.statements)
        for item in items:
            yield item.name, self.name_spots[folded(item.name)]

    def spot(self, column: str) -> Spot:
        """Return the member that says a column."""
        return self.column_spots[folded(column)]


def claim(spots: dict[str, Spot], name: str, spot: Spot) -> None:
    """Note which member says a name.

    Args:
        spots: The members by (folded) name, so far.
        name: What the member is called in the database.
        spot: The member.

    Raises:
        Wrong: It is no name, or another member says it too.
    """
    key = _key(name)
    if key is None:
        raise spot.wrong(f"would be called {name!r} in the database, which is no name")
    other = spots.setdefault(key, spot)
    if other is not spot:
        raise spot.wrong(
            f"is called {name!r} in the database, and so is {other.label}",
            hint="Give one of them another name with source= or name=.",
        )


@cache
def _key(name: str) -> str | None:
    """Return a name as SQLite compares it, or None for what is no name; many are said often."""
    return folded(name) if is_name(name) else None


def columns_there(reading: Reading, names: Sequence[object], spot: Spot) -> None:
    """Raise where a resource lacks a column.

    Args:
        reading: The resource.
        names: The names of columns.
        spot: The member that speaks of them.

    Raises:
        Wrong: One of them is no column; the message lists those that are.
    """
    for name in names:
        if name not in reading.columns:
            of = "" if spot.owner is reading.cls else f" of {reading.cls.__name__}"
            raise spot.wrong(
                f"has the key {name!r}, which is no column{of}",
                hint=f"The columns{of}: {', '.join(reading.columns)}.",
            )
