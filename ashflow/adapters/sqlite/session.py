"""One conversation with a SQLite database: its ledger, its tables, its transactions."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ashflow.adapters.protocol import CAREFUL
from ashflow.adapters.sqlite.connection import (
    begin,
    commit,
    is_interrupted,
    rollback,
    translated,
)
from ashflow.adapters.sqlite.ledger import LedgerTables
from ashflow.errors import AshflowError, MigrationFailed, RowsForbid, TransactionLost
from ashflow.history.ledger import META
from ashflow.schema.sqltext import fold, quote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Care, Carried, Log, Lot
    from ashflow.adapters.sqlite.theirs import Rows
    from ashflow.change.operations import Operation
    from ashflow.history.ledger import Applied, Ledger, Mark
    from ashflow.schema.table import Schema


@dataclass(frozen=True, slots=True)
class SqliteSession:
    """A session; see `protocol.Session`.

    Args:
        connection: An open connection.
        path: The file, for messages.
        ledger_name: What the table of the migrations is called.
        environment: What the database remembers where that table is made.
        log: Told of every statement before it runs.
        lock_timeout: How long to wait for a lock, in seconds.
        atomic: Whether the session is one transaction, which nothing may end before its time.
        foreign_keys: Whether foreign keys are enforced.
        care: How carefully it is changed.
        alone: Whether each run is looked after by itself; else somebody looks after several.
    """

    connection: sqlite3.Connection
    path: Path | str
    ledger_name: str
    environment: str
    log: Log | None = None
    lock_timeout: float = 60.0
    atomic: bool = True
    foreign_keys: bool = False
    care: Care = CAREFUL
    alone: bool = True

    @property
    def _tables(self) -> LedgerTables:
        return LedgerTables(self.connection, self.ledger_name, self.environment)

    def ledger(self) -> Ledger:
        """Return what has been applied."""
        with self.in_our_words():
            return self._tables.read()

    def mark(self) -> Mark:
        """Return what tells the ledger from another state of it."""
        with self.in_our_words():
            return self._tables.mark()

    def record(self, *rows: Applied) -> None:
        """Write rows of the ledger."""
        with self.in_our_words():
            self._tables.record(rows)

    def forget(self, version: str) -> None:
        """Take the row of a version out of the ledger."""
        with self.in_our_words():
            self._tables.forget(version)

    def meta(self) -> dict[str, str]:
        """Return what the database knows of itself."""
        with self.in_our_words():
            return self._tables.meta()

    def set_meta(self, key: str, value: str) -> None:
        """Write one of the words of `meta`."""
        with self.in_our_words():
            self._tables.set_meta(key, value)

    def run(self, operations: Sequence[Operation]) -> tuple[str, ...]:
        """Run operations; see `protocol.Session.run`."""
        from ashflow.adapters.sqlite.running import Running  # who only looks does not need it

        return Running(self).run(operations)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """Run one statement and return its rows."""
        with self.guarded(sql):
            return self.connection.execute(sql, tuple(params)).fetchall()

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement once a row."""
        with self.guarded(sql):
            self.connection.executemany(sql, rows)

    def count(self, table: str, *, where_not_null: str | None = None) -> int:
        """Return how many rows a table has; 0 where it, or the column, is not there."""
        with self.in_our_words():
            found = self.connection.execute(f"PRAGMA main.table_xinfo({quote(table)})").fetchall()
            columns = {fold(row[1]) for row in found}
            if not columns or (where_not_null and fold(where_not_null) not in columns):
                return 0
            what = "*" if where_not_null is None else quote(where_not_null)
            (count,) = self.connection.execute(
                f"SELECT count({what}) FROM {quote(table)}"
            ).fetchone()
            return int(count)

    def introspect(self, tables: Collection[str] | None = None) -> Schema:
        """Return the tables as they stand, but for the ledger's."""
        from ashflow.adapters.sqlite.catalog import read_catalog
        from ashflow.adapters.sqlite.introspect import introspect

        with self.in_our_words():
            catalog = read_catalog(self.connection, tables)
        return introspect(catalog, leave_out={self.ledger_name, META})

    @contextmanager
    def as_one(
        self, operations: Sequence[Operation], *, carries: bool = False
    ) -> Iterator[SqliteSession]:
        """Look after several runs together; see `protocol.Session.as_one`."""
        from ashflow.adapters.sqlite import checks

        with self.in_our_words():
            before = checks.examine(self.connection, operations, rows=carries)
        yield replace(self, alone=False)
        with self.in_our_words():
            checks.compare(self.connection, before, operations)

    def holding(self) -> dict[str, tuple[str, ...]]:
        """Return the tables that may hold rows, with their columns that are written."""
        own = {fold(self.ledger_name), META}
        with self.in_our_words():
            rows = self.connection.execute(
                "SELECT t.name, c.name FROM pragma_table_list AS t "
                "JOIN pragma_table_xinfo(t.name) AS c WHERE t.schema = 'main' "
                "AND t.type IN ('table', 'virtual') AND c.hidden = 0 ORDER BY t.name, c.cid"
            ).fetchall()
        found: dict[str, tuple[str, ...]] = {}
        for table, column in rows:
            if fold(table) not in own and not table.startswith("sqlite_"):
                found[table] = (*found.get(table, ()), column)
        return found

    def carry(self, path: Path, lots: Sequence[Lot]) -> tuple[Carried, ...]:
        """Bring back values that are kept in a file; see `protocol.Session.carry`."""
        from ashflow.adapters.sqlite import carrying

        if not self.atomic:
            with self.transaction() as session:
                return session.carry(path, lots)
        with self.in_our_words():
            return carrying.carry(self.connection, path, lots, alone=self.alone)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Undo what is done inside where it fails; see `protocol.Session.apart`."""
        self.connection.execute("SAVEPOINT ashflow_apart")
        try:
            yield
        except BaseException as error:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK TO ashflow_apart")
                self.connection.execute("RELEASE ashflow_apart")
            elif isinstance(error, AshflowError):
                raise TransactionLost(error.message, hint=error.hint) from error
            raise
        self.connection.execute("RELEASE ashflow_apart")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Undo what is done inside where rows forbid it; see `protocol.Session.attempt`."""
        from ashflow.adapters.sqlite import checks

        with self.in_our_words():
            before = checks.Health(checks.violations(self.connection), None)
            self.connection.execute("SAVEPOINT ashflow_attempt")
        try:
            yield
            with self.in_our_words():
                checks.compare(self.connection, before, ())
        except RowsForbid:
            self.connection.execute("ROLLBACK TO ashflow_attempt")
            raise
        finally:
            if self.connection.in_transaction:
                self.connection.execute("RELEASE ashflow_attempt")

    @contextmanager
    def guarded(self, sql: str) -> Iterator[None]:
        """Run a statement of the user, who may not end the transaction.

        Args:
            sql: The statement.
        """
        if not self.atomic:
            with self.told(sql):
                yield
            return
        from ashflow.adapters.sqlite.theirs import judged

        with judged(self.connection, sql), self.told(sql):
            yield

    @contextmanager
    def told(self, sql: str) -> Iterator[None]:
        """Tell of a statement, run it, and see to it that the transaction still stands.

        Args:
            sql: The statement.
        """
        if self.log is not None:
            self.log(sql)
        start = time.perf_counter()
        # Before it too: after a RAISE(ROLLBACK) that a user's function catches, the next statement
        # would be committed at once.
        self._still_one_transaction(sql)
        with self.in_our_words(sql):
            yield
        if self.log is not None:
            self.log(sql, (time.perf_counter() - start) * 1000)
        self._still_one_transaction(sql)

    def _still_one_transaction(self, sql: str) -> None:
        if self.atomic and not self.connection.in_transaction:
            raise MigrationFailed(
                f"the transaction was ended before its time, at: {sql}",
                hint="A migration is one transaction, which ashflow ends; nothing of it is kept.",
            )

    @contextmanager
    def in_our_words(self, sql: str = "") -> Iterator[None]:
        """Say what SQLite refuses in our words.

        Args:
            sql: The statement that it is about.

        Raises:
            AshflowError: SQLite refused.
        """
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            if is_interrupted(error):
                raise KeyboardInterrupt from error
            raise translated(error, self.path, sql) from error

    @contextmanager
    def transaction(self) -> Iterator[SqliteSession]:
        """Hand out the session as one transaction, where it is none."""
        begin(self.connection, self.path, self.lock_timeout)
        try:
            yield replace(self, atomic=True)
        except BaseException:
            rollback(self.connection)
            raise
        commit(self.connection, self.path, self.lock_timeout)
