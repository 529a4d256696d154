"""What a database has to offer to be migrated: the contracts that every adapter satisfies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from ashflow.values import value

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ashflow.change.operations import Operation
    from ashflow.history.ledger import Applied, Ledger, Mark
    from ashflow.schema.table import Schema


class Log(Protocol):
    """Told of every statement of a migration: just before it runs, and when it is done."""

    def __call__(self, sql: str, ms: float | None = None) -> None:
        """Tell of a statement.

        Args:
            sql: The statement; values that a function gives with it are not in it.
            ms: How long it took, in milliseconds; None: it begins.
        """


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


@value
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


@value
class Lot:
    """Values that are kept aside: those of a table, or those of one of its columns.

    Args:
        table: The table, as it was called when they were kept.
        column: The column; None: the whole table.
        to: What the table is called where they return; empty: the same.
        columns: Columns that are called otherwise there: pairs of the old name and the new.
        alike: Whether a value of a column returns only where what is there is the same number:
            what a type has made of it.
    """

    table: str
    column: str | None = None
    to: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    alike: bool = False


@value
class Carried:
    """What came back of a lot.

    Args:
        lot: The lot.
        rows: How many rows are there again with all their values; for a column, how many values
            that are not NULL.
        left: How many are not; they stay where they are kept.
    """

    lot: Lot
    rows: int
    left: int


class Session(Protocol):
    """A conversation with one database; inside `Database.locked` it is the only writer."""

    def ledger(self) -> Ledger:
        """Return what has been applied; an empty ledger where the table is not there.

        Raises:
            LedgerError: The table is there, and not ours.
        """

    def mark(self) -> Mark:
        """Return what tells the ledger from another state of it, without reading all of it."""

    def record(self, *rows: Applied) -> None:
        """Write rows of the ledger; makes the tables of the ledger where they are not there.

        Args:
            rows: What was applied; where a `position` is 0, the database gives it one.
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

    def as_one(
        self, operations: Sequence[Operation], *, carries: bool = False
    ) -> AbstractContextManager[Session]:
        """Hand out a session in which several runs are looked after together, at the end.

        Args:
            operations: All that is going to be run in it.
            carries: Whether rows are brought back in it, beside that.

        Raises:
            RowsForbid: At the end, a foreign key is violated that was not before.
            MigrationFailed: At the end, a view or a trigger is broken that was not before.
        """

    def holding(self) -> dict[str, tuple[str, ...]]:
        """Return the tables that may hold rows, each with its columns that are not computed.

        Those that a virtual table keeps its rows in are not among them, nor are the ledger's.
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

    def carry(self, path: Path, lots: Sequence[Lot]) -> tuple[Carried, ...]:
        """Bring back values that are kept in a file; no trigger fires.

        The file stays open until the database is closed.

        What was there before wins over what was filled since: rows of a table with a primary key
        stay where none that is kept has theirs, all others go. What a constraint refuses, and what
        a column of another type would change, is left.

        Args:
            path: A file that `park` or `backup` made.
            lots: What comes back, in this order.

        Raises:
            FileError: The file is not there.
            RowsForbid: Rows would refer to what is not there, and did not before.
        """

    def apart(self) -> AbstractContextManager[None]:
        """Undo what is done inside, and only that, where it fails.

        Raises:
            TransactionLost: It failed, and the database has undone the whole transaction.
        """

    def bare(self) -> AbstractContextManager[Session]:
        """Hand out the same without a transaction; what was done in it before lasts."""

    def attempt(self) -> AbstractContextManager[None]:
        """Undo what is done inside, and only that, where rows forbid it.

        Raises:
            RowsForbid: They do, or a foreign key is violated at the end that was not before.
        """


class Database(Protocol):
    """A database that a url names. Nothing is opened before it is asked for."""

    @property
    def shown(self) -> str:
        """The url as it may be shown: without a password."""

    @property
    def place(self) -> tuple[str, str]:
        """Where its ledger is: the database, wherever a link leads, and the name of the table."""

    @property
    def target(self) -> str:
        """Where it really is: the real path of a file, the host and the database of a server."""

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

        Two of them are never open at once.

        Args:
            foreign_keys: Whether foreign keys are enforced inside.

        Raises:
            LockedError: Another one was open for longer than we wait.
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

    def park(self, path: Path, lots: Sequence[Lot]) -> tuple[int, ...]:
        """Copy some tables or columns to a file that only its owner may read.

        Args:
            path: Where to; must not be there yet.
            lots: What is kept; what is not there is left out.

        Returns:
            For each lot how many rows, or values that are not NULL, are kept.

        Raises:
            FileError: The file can't be made.
        """

    def close(self) -> None:
        """Close what was opened."""
