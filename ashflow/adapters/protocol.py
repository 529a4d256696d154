"""What a database has to offer to be migrated: the contracts that every adapter satisfies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ashflow.change.operations import Operation
    from ashflow.history.ledger import Applied, Ledger
    from ashflow.schema.table import Schema

Log = Callable[[str], None]
"""Told of every statement of a migration, just before it runs."""


class Progress(NamedTuple):
    """How far a change of a large table has come.

    Args:
        table: The table.
        deed: What is done with its rows: `copying` or `comparing`.
        done: How many rows are done.
        total: How many there are.
    """

    table: str
    deed: str
    done: int
    total: int


Watch = Callable[[Progress], None]
"""Told how far a change has come, as long as it takes."""


@dataclass(frozen=True, slots=True)
class Care:
    """How carefully a database is changed.

    Args:
        verify: Whether a change is proved before it is committed: that all values are what they
            were, and that nothing else became another.
        rebuild: Whether a table is made anew also where its stored definition could be edited.
        watch: Told how far a long change has come; None: nobody asked.
    """

    verify: bool = True
    rebuild: bool = False
    watch: Watch | None = None


CAREFUL: Final = Care()
"""All that can be proved is proved."""


class Session(Protocol):
    """A conversation with one database; inside `Database.locked` it is the only writer."""

    def ledger(self) -> Ledger:
        """Return what has been applied; an empty ledger where the table is not there.

        Raises:
            LedgerError: The table is there, and not ours.
        """

    def record(self, row: Applied) -> None:
        """Write a row of the ledger; makes the tables of the ledger where they are not there.

        Args:
            row: What was applied; its `position` is given by the database, not by the row.
        """

    def forget(self, version: str) -> None:
        """Take the row of a version out of the ledger."""

    def meta(self) -> dict[str, str]:
        """Return what the database knows of itself: format, database id, environment, run."""

    def set_meta(self, key: str, value: str) -> None:
        """Write one of the words of `meta`."""

    def run(self, operations: Sequence[Operation]) -> tuple[str, ...]:
        """Run operations; afterwards no foreign key is violated that was not before.

        Args:
            operations: Those of one direction, in order; a `Run` holds a function, not a name.

        Returns:
            What happened to rows though no operation says so, with counts, in words.

        Raises:
            RowsForbid: Rows that stand in a table forbid it; the message counts them.
            MigrationFailed: The database refused a statement; the message holds it.
        """

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows; see `operations.Database`."""

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement once a row; see `operations.Database`."""

    def count(self, table: str, *, where_not_null: str | None = None) -> int:
        """Return how many rows a table has; 0 where there is no such table.

        Args:
            table: The table.
            where_not_null: A column; only rows that have a value in it count.
        """

    def introspect(self, tables: Collection[str] | None = None) -> Schema:
        """Return the tables as they stand, but for the ledger's; types come as `raw:` types.

        Args:
            tables: Only these, where they are there; None: all.
        """


class Database(Protocol):
    """A database that a url names. Nothing is opened before it is asked for."""

    @property
    def shown(self) -> str:
        """The url as it may be shown: without a password."""

    def exists(self) -> bool:
        """Whether the database is there."""

    def size(self) -> int:
        """Return how large the database is, in bytes; 0 where it is not there."""

    def create(self) -> bool:
        """Make the database; False where it was there.

        Raises:
            DatabaseError: It can't be made.
        """

    def drop(self) -> bool:
        """Remove the database with all that belongs to it; False where it was not there."""

    def read(self) -> AbstractContextManager[Session]:
        """Open a session that only reads.

        Raises:
            NotADatabaseError: It is not there, or is no database.
        """

    def locked(self, *, foreign_keys: bool = False) -> AbstractContextManager[Session]:
        """Take the write lock and hand out a session: committed at the end, or undone on an error.

        Args:
            foreign_keys: Whether foreign keys are enforced inside.

        Raises:
            LockedError: Another process kept the lock for longer than we wait.
            NotADatabaseError: It is not there, or is no database.
        """

    def unlocked(self, *, foreign_keys: bool = False) -> AbstractContextManager[Session]:
        """Open a session without a transaction, in which every statement stands by itself.

        Args:
            foreign_keys: Whether foreign keys are enforced inside.
        """

    def rehearsal(self) -> AbstractContextManager[Session]:
        """Open a session on a copy without rows, in memory: for a dry run.

        It is there also where the database is not.
        """

    def backup(self, path: Path) -> None:
        """Copy the whole database to a file that only its owner may read.

        Args:
            path: Where to; must not be there yet.
        """

    def close(self) -> None:
        """Close what was opened."""
