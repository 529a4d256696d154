"""One conversation with a SQLite database: its ledger, its tables, its transactions."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ashflow.adapters.protocol import CAREFUL
from ashflow.adapters.sqlite.ledger import LedgerTables
from ashflow.errors import AshflowError, RowsForbid, TransactionLost
from ashflow.history.ledger import META
from ashflow.schema.sqltext import fold, quote
from ashflow.values import value

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Care, Carried, Lot
    from ashflow.adapters.sqlite.speaking import Speaking
    from ashflow.adapters.sqlite.theirs import Rows
    from ashflow.change.operations import Operation
    from ashflow.history.ledger import Applied, Ledger, Mark
    from ashflow.schema.table import Schema


@value
class SqliteSession:
    """A session; see `protocol.Session`.

    Args:
        speaking: Speaks to the database.
        ledger_name: What the table of the migrations is called.
        environment: The environment that a database is of which gets its ledger now.
        foreign_keys: Whether foreign keys are enforced.
        care: How carefully it is changed.
        alone: Whether each run is looked after by itself; else somebody looks after several.
    """

    speaking: Speaking
    ledger_name: str
    environment: str
    foreign_keys: bool = False
    care: Care = CAREFUL
    alone: bool = True

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection."""
        return self.speaking.connection

    @property
    def _tables(self) -> LedgerTables:
        return LedgerTables(self.connection, self.ledger_name, self.environment)

    def ledger(self) -> Ledger:
        """Return what has been applied."""
        with self.speaking.in_our_words():
            return self._tables.read()

    def mark(self) -> Mark:
        """Return what tells the ledger from another state of it."""
        with self.speaking.in_our_words():
            return self._tables.mark()

    def record(self, *rows: Applied) -> None:
        """Write rows of the ledger."""
        with self.speaking.in_our_words():
            self._tables.record(rows)

    def forget(self, version: str) -> None:
        """Take the row of a version out of the ledger."""
        with self.speaking.in_our_words():
            self._tables.forget(version)

    def meta(self) -> dict[str, str]:
        """Return what the database knows of itself."""
        with self.speaking.in_our_words():
            return self._tables.meta()

    def set_meta(self, key: str, value: str) -> None:
        """Write one of the words of `meta`."""
        with self.speaking.in_our_words():
            self._tables.set_meta(key, value)

    def run(self, operations: Sequence[Operation]) -> tuple[str, ...]:
        """Run operations; see `protocol.Session.run`."""
        from ashflow.adapters.sqlite.running import Running  # who only looks does not need it

        running = Running(self.speaking, self.ledger_name, self.foreign_keys, self.care, self.alone)
        return running.run(operations)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """Run one statement and return its rows."""
        return self.speaking.execute(sql, params)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement once a row."""
        self.speaking.executemany(sql, rows)

    def count(self, table: str, *, where_not_null: str | None = None) -> int:
        """Return how many rows a table has; 0 where it, or the column, is not there."""
        with self.speaking.in_our_words():
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

        with self.speaking.in_our_words():
            catalog = read_catalog(self.connection, tables)
        return introspect(catalog, leave_out={self.ledger_name, META})

    @contextmanager
    def as_one(
        self, operations: Sequence[Operation], *, carries: bool = False
    ) -> Iterator[SqliteSession]:
        """Look after several runs together; see `protocol.Session.as_one`."""
        from ashflow.adapters.sqlite import checks

        with self.speaking.in_our_words():
            before = checks.examine(self.connection, operations, rows=carries)
        yield replace(self, alone=False)
        with self.speaking.in_our_words():
            checks.compare(self.connection, before, operations)

    def holding(self) -> dict[str, tuple[str, ...]]:
        """Return the tables that may hold rows, with their columns that are written."""
        own = {fold(self.ledger_name), META}
        with self.speaking.in_our_words():
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

        if not self.speaking.atomic:
            with self.speaking.transaction() as one:
                return replace(self, speaking=one).carry(path, lots)
        with self.speaking.in_our_words():
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
    def bare(self) -> Iterator[SqliteSession]:
        """Hand out the same without a transaction; see `protocol.Session.bare`."""
        self.connection.execute("COMMIT")
        yield replace(self, speaking=replace(self.speaking, atomic=False))
        self.connection.execute("BEGIN")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Undo what is done inside where rows forbid it; see `protocol.Session.attempt`."""
        from ashflow.adapters.sqlite import checks

        with self.speaking.in_our_words():
            before = checks.Health(checks.violations(self.connection), None)
            self.connection.execute("SAVEPOINT ashflow_attempt")
        try:
            yield
            with self.speaking.in_our_words():
                checks.compare(self.connection, before, ())
        except RowsForbid:
            self.connection.execute("ROLLBACK TO ashflow_attempt")
            raise
        finally:
            if self.connection.in_transaction:
                self.connection.execute("RELEASE ashflow_attempt")
