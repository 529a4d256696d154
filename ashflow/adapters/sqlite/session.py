"""One conversation with a SQLite database: its ledger, and operations run and looked after."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, assert_never

from ashflow.adapters.protocol import CAREFUL
from ashflow.adapters.sqlite import checks, copying, remaking
from ashflow.adapters.sqlite.catalog import read_catalog
from ashflow.adapters.sqlite.connection import (
    begin,
    commit,
    is_interrupted,
    rollback,
    translated,
)
from ashflow.adapters.sqlite.dialect import statements
from ashflow.adapters.sqlite.introspect import introspect
from ashflow.adapters.sqlite.ledger import LedgerTables
from ashflow.adapters.sqlite.steps import (
    Call,
    Compare,
    Copy,
    Do,
    Edit,
    Guard,
    Remake,
    Room,
    Step,
    Tally,
    Theirs,
    rows_text,
)
from ashflow.adapters.sqlite.stretches import Stretch, stretches
from ashflow.adapters.sqlite.theirs import Facade, Rows, judged
from ashflow.change.operations import Fill, function_name
from ashflow.change.reverse import tables_of
from ashflow.errors import (
    AshflowError,
    MigrationFailed,
    RowsForbid,
    SchemaError,
    TransactionLost,
)
from ashflow.history.ledger import META
from ashflow.schema.sqltext import fold, quote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Care, Carried, Log, Lot
    from ashflow.change.operations import Function, Operation
    from ashflow.history.ledger import Applied, Ledger, Mark
    from ashflow.schema.table import Schema


@dataclass(frozen=True, slots=True)
class SqliteSession:
    """A session; see `protocol.Session`.

    Args:
        connection: An open connection.
        path: The file, for messages.
        ledger_name: What the table of the migrations is called.
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
    log: Log | None = None
    lock_timeout: float = 60.0
    atomic: bool = True
    foreign_keys: bool = False
    care: Care = CAREFUL
    alone: bool = True

    @property
    def _tables(self) -> LedgerTables:
        return LedgerTables(self.connection, self.ledger_name)

    def ledger(self) -> Ledger:
        """Return what has been applied."""
        with self._in_our_words():
            return self._tables.read()

    def mark(self) -> Mark:
        """Return what tells the ledger from another state of it."""
        with self._in_our_words():
            return self._tables.mark()

    def record(self, *rows: Applied) -> None:
        """Write rows of the ledger."""
        with self._in_our_words():
            self._tables.record(rows)

    def forget(self, version: str) -> None:
        """Take the row of a version out of the ledger."""
        with self._in_our_words():
            self._tables.forget(version)

    def meta(self) -> dict[str, str]:
        """Return what the database knows of itself."""
        with self._in_our_words():
            return self._tables.meta()

    def set_meta(self, key: str, value: str) -> None:
        """Write one of the words of `meta`."""
        with self._in_our_words():
            self._tables.set_meta(key, value)

    def run(self, operations: Sequence[Operation]) -> tuple[str, ...]:
        """Run operations; see `protocol.Session.run`."""
        self._refuse_own_tables(operations)
        if self.atomic:
            return self._run_looked_after(operations, tuple(stretches(operations)))
        notes: list[str] = []
        for stretch in stretches(operations):
            if stretch.raw:
                notes += self._run_stretch(stretch)
            else:
                with self._transaction() as session:
                    notes += session.run(stretch.operations)
        if self.connection.in_transaction:
            rollback(self.connection)
            raise MigrationFailed(
                "the migration left a transaction of its own open; it is undone",
                hint="End each BEGIN with a COMMIT, or leave transactions to ashflow.",
            )
        return tuple(notes)

    def _refuse_own_tables(self, operations: Sequence[Operation]) -> None:
        """Keep migrations away from the tables that say what has been migrated."""
        own = {fold(self.ledger_name), META}
        for operation in operations:
            for table in tables_of(operation) or ():
                if fold(table) in own or table.startswith(("__ashflow", "@")):
                    raise SchemaError(
                        f"{type(operation).__name__} of {table}: that table is ashflow's own",
                        hint="Leave it out; where the name was meant for a table of yours, "
                        "choose another.",
                    )

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """Run one statement and return its rows."""
        with self._guarded(sql):
            return self.connection.execute(sql, tuple(params)).fetchall()

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement once a row."""
        with self._guarded(sql):
            self.connection.executemany(sql, rows)

    def count(self, table: str, *, where_not_null: str | None = None) -> int:
        """Return how many rows a table has; 0 where it, or the column, is not there."""
        with self._in_our_words():
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
        with self._in_our_words():
            catalog = read_catalog(self.connection, tables)
        return introspect(catalog, leave_out={self.ledger_name, META})

    @contextmanager
    def as_one(
        self, operations: Sequence[Operation], *, carries: bool = False
    ) -> Iterator[SqliteSession]:
        """Look after several runs together; see `protocol.Session.as_one`."""
        with self._in_our_words():
            before = checks.examine(self.connection, operations, rows=carries)
        yield replace(self, alone=False)
        with self._in_our_words():
            checks.compare(self.connection, before, operations)

    def holding(self) -> dict[str, tuple[str, ...]]:
        """Return the tables that may hold rows, with their columns that are written."""
        own = {fold(self.ledger_name), META}
        with self._in_our_words():
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
            with self._transaction() as session:
                return session.carry(path, lots)
        with self._in_our_words():
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
        with self._in_our_words():
            before = checks.Health(checks.violations(self.connection), None)
            self.connection.execute("SAVEPOINT ashflow_attempt")
        try:
            yield
            with self._in_our_words():
                checks.compare(self.connection, before, ())
        except RowsForbid:
            self.connection.execute("ROLLBACK TO ashflow_attempt")
            raise
        finally:
            if self.connection.in_transaction:
                self.connection.execute("RELEASE ashflow_attempt")

    def _run_looked_after(
        self, operations: Sequence[Operation], parts: Sequence[Stretch]
    ) -> tuple[str, ...]:
        if self.foreign_keys and not all(part.raw or _only_fills(part) for part in parts):
            raise MigrationFailed("with foreign_keys=True a migration may change no tables")
        if not self.alone:
            return tuple(note for part in parts for note in self._run_stretch(part))
        with self._in_our_words():
            before = checks.examine(self.connection, operations)
        notes = [note for part in parts for note in self._run_stretch(part)]
        with self._in_our_words():
            checks.compare(self.connection, before, operations)
        return tuple(notes)

    def _run_stretch(self, stretch: Stretch) -> list[str]:
        """Run the steps of a stretch; returns what there is to be told of the rows."""
        with self._in_our_words():
            catalog = read_catalog(self.connection, stretch.reads)
            if stretch.renames:
                catalog = replace(catalog, broken=checks.broken(self.connection))
        # All is planned before the first of it is done.
        steps = tuple(statements(catalog, stretch, anew=self.care.rebuild))
        return self._take_all(steps)

    def _take_all(self, steps: Sequence[Step]) -> list[str]:
        """Take steps; returns what there is to be told of the rows."""
        return [note for step in steps for note in self._take(step)]

    def _take(self, step: Step) -> Sequence[str]:
        match step:
            case Do(sql, why):
                with self._explained(why):
                    self._do(sql)
            case Theirs(sql):
                self.execute(sql)
            case Call(function):
                self._call(function)
            case Guard():
                if counted := self._counted(step):
                    raise RowsForbid(counted, hint=step.hint)
            case Tally():
                return [counted] if (counted := self._counted(step)) else []
            case Room():
                with self._in_our_words():
                    copying.see_room(self.connection, step, self.path)
            case Copy():
                sql = copying.copy_sql(step)
                with self._explained(step.why), self._told(sql):
                    copying.copy(self.connection, step, self.care.watch)
            case Compare():
                if self.care.verify:
                    with self._in_our_words():
                        copying.compare(self.connection, step, self.care.watch)
            case Edit():
                return self._edit(step)
            case Remake():
                return self._remake(step)
            case _:
                assert_never(step)
        return []

    def _do(self, sql: str) -> None:
        with self._told(sql):
            self.connection.execute(sql).fetchall()

    def _edit(self, step: Edit) -> list[str]:
        with self._in_our_words():
            if remaking.edit(self.connection, step, self._do):
                return []
        if isinstance(step.otherwise, SchemaError):
            raise step.otherwise
        return self._take_all(step.otherwise)

    def _remake(self, step: Remake) -> list[str]:
        if not self.care.verify:
            return self._take_all(step.steps)
        with self._in_our_words():
            # A copy is counted as it is made, and an edited definition touches no row.
            own_words = step.new is None
            before = remaking.look_around(self.connection, step.table, count=own_words)
        notes = self._take_all(step.steps)
        with self._in_our_words():
            if step.new is not None:
                remaking.refuse_another(self.connection, step.table, step.new)
            remaking.refuse_other(self.connection, step.table, before, counted=step.counted)
        return notes

    @contextmanager
    def _explained(self, why: Sequence[Step]) -> Iterator[None]:
        """Run what rows may forbid; where they do, it is found out which."""
        try:
            yield
        except RowsForbid:
            self._explain(why)
            raise

    def _explain(self, why: Sequence[Step]) -> None:
        """Raise how many rows forbid what, where it can be found out."""
        try:
            self._take_all(why)
        except MigrationFailed:
            return  # they need not know the answer; the refusal itself is told then

    def _counted(self, step: Guard | Tally) -> str:
        """Return how many rows there are of what a step counts, in words; empty for none."""
        with self._in_our_words(step.select):
            (count,) = self.connection.execute(step.select).fetchone()
        return f"{rows_text(count)} {step.rows}" if count else ""

    def _call(self, function: Function) -> None:
        name = function_name(function)
        try:
            with redirect_stdout(sys.stderr):  # stdout belongs to the command
                function(Facade(self))
        except AshflowError:
            raise
        except (Exception, SystemExit) as error:  # the user's code may raise anything
            raise MigrationFailed(
                f"{name}() raised {type(error).__name__}: {error}",
                hint="Mend the function; the database is as it was before the migration.",
            ) from error
        self._still_one_transaction(f"{name}()")  # which may have caught what it was told

    @contextmanager
    def _guarded(self, sql: str) -> Iterator[None]:
        """Run a statement of the user, who may not end the transaction."""
        if not self.atomic:
            with self._told(sql):
                yield
            return
        with judged(self.connection, sql), self._told(sql):
            yield

    @contextmanager
    def _told(self, sql: str) -> Iterator[None]:
        """Tell of a statement, run it, and see to it that the transaction still stands."""
        if self.log is not None:
            self.log(sql)
        start = time.perf_counter()
        # Before it too: after a RAISE(ROLLBACK) that a user's function catches, the next statement
        # would be committed at once.
        self._still_one_transaction(sql)
        with self._in_our_words(sql):
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
    def _in_our_words(self, sql: str = "") -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            if is_interrupted(error):
                raise KeyboardInterrupt from error
            raise translated(error, self.path, sql) from error

    @contextmanager
    def _transaction(self) -> Iterator[SqliteSession]:
        begin(self.connection, self.path, self.lock_timeout)
        try:
            yield replace(self, atomic=True)
        except BaseException:
            rollback(self.connection)
            raise
        commit(self.connection, self.path, self.lock_timeout)


def _only_fills(stretch: Stretch) -> bool:
    return all(isinstance(operation, Fill) for operation in stretch.operations)
