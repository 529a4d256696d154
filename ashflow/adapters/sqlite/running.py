"""Run operations on a SQLite database, and look after what they do to it."""

from __future__ import annotations

import sys
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

from ashflow.adapters.sqlite import checks, copying, remaking
from ashflow.adapters.sqlite.catalog import read_catalog
from ashflow.adapters.sqlite.connection import rollback
from ashflow.adapters.sqlite.dialect import statements
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
from ashflow.change.operations import Fill, function_name
from ashflow.change.reverse import tables_of
from ashflow.errors import AshflowError, MigrationFailed, RowsForbid, SchemaError
from ashflow.history.ledger import META
from ashflow.schema.sqltext import fold, quote
from ashflow.values import value

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from ashflow.adapters.protocol import Care
    from ashflow.adapters.sqlite.speaking import Speaking
    from ashflow.adapters.sqlite.theirs import Rows
    from ashflow.change.operations import Function, Operation


@value
class Facade:
    """What a function of `Run` is given: statements, and no way to end the transaction.

    Args:
        _speaking: What it speaks through.
    """

    _speaking: Speaking

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """Run one statement and return its rows."""
        return self._speaking.execute(sql, params)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement once a row."""
        self._speaking.executemany(sql, rows)


@value
class Running:
    """Runs operations in a session.

    Args:
        speaking: Speaks to the database.
        ledger_name: What the table of the migrations is called.
        foreign_keys: Whether foreign keys are enforced.
        care: How carefully the database is changed.
        alone: Whether each run is looked after by itself; else somebody looks after several.
    """

    speaking: Speaking
    ledger_name: str
    foreign_keys: bool
    care: Care
    alone: bool

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection."""
        return self.speaking.connection

    def run(self, operations: Sequence[Operation]) -> tuple[str, ...]:
        """Run operations; see `protocol.Session.run`."""
        self._refuse_own_tables(operations)
        if self.speaking.atomic:
            parts = tuple(stretches(operations))
            told = self._run_looked_after(operations, parts)
            if any(part.raw for part in parts):
                self._drop_what_is_temporary()
            return told
        notes: list[str] = []
        for stretch in stretches(operations):
            if stretch.raw:
                notes += self._run_stretch(stretch)
            else:
                with self.speaking.transaction() as one:
                    notes += replace(self, speaking=one).run(stretch.operations)
        if self.connection.in_transaction:
            rollback(self.connection)
            raise MigrationFailed(
                "the migration left a transaction of its own open; it is undone",
                hint="End each BEGIN with a COMMIT, or leave transactions to ashflow.",
            )
        return tuple(notes)

    def _drop_what_is_temporary(self) -> None:
        """Let no temporary table of a migration stand before the table of its name for the next.

        It would go with the connection, on which other migrations may follow.
        https://www.sqlite.org/lang_naming.html
        """
        with self.speaking.in_our_words():
            made = self.connection.execute(
                "SELECT type, name FROM sqlite_temp_master WHERE type IN ('table', 'view')"
            ).fetchall()
            for kind, name in made:
                if not name.startswith(("sqlite_", "ashflow_")):
                    self.connection.execute(f"DROP {kind.upper()} IF EXISTS temp.{quote(name)}")

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

    def _run_looked_after(
        self, operations: Sequence[Operation], parts: Sequence[Stretch]
    ) -> tuple[str, ...]:
        if self.foreign_keys and not all(part.raw or _only_fills(part) for part in parts):
            raise MigrationFailed("with foreign_keys=True a migration may change no tables")
        if not self.alone:
            return tuple(note for part in parts for note in self._run_stretch(part))
        with self.speaking.in_our_words():
            before = checks.examine(self.connection, operations)
        notes = [note for part in parts for note in self._run_stretch(part)]
        with self.speaking.in_our_words():
            checks.compare(self.connection, before, operations)
        return tuple(notes)

    def _run_stretch(self, stretch: Stretch) -> list[str]:
        """Run the steps of a stretch; returns what there is to be told of the rows."""
        with self.speaking.in_our_words():
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
                self.speaking.execute(sql)
            case Call(function):
                self._call(function)
            case Guard():
                if counted := self._counted(step):
                    raise RowsForbid(counted, hint=step.hint)
            case Tally():
                return [counted] if (counted := self._counted(step)) else []
            case Room():
                with self.speaking.in_our_words():
                    copying.see_room(self.connection, step, self.speaking.path)
            case Copy():
                sql = copying.copy_sql(step)
                with self._explained(step.why), self.speaking.told(sql):
                    copying.copy(self.connection, step, self.care.watch)
            case Compare():
                if self.care.verify:
                    with self.speaking.in_our_words():
                        copying.compare(self.connection, step, self.care.watch)
            case Edit():
                return self._edit(step)
            case Remake():
                return self._remake(step)
            case _:
                assert_never(step)
        return []

    def _do(self, sql: str) -> None:
        with self.speaking.told(sql):
            self.connection.execute(sql).fetchall()

    def _edit(self, step: Edit) -> list[str]:
        with self.speaking.in_our_words():
            if remaking.edit(self.connection, step, self._do):
                return []
        if isinstance(step.otherwise, SchemaError):
            raise step.otherwise
        return self._take_all(step.otherwise)

    def _remake(self, step: Remake) -> list[str]:
        if not self.care.verify:
            return self._take_all(step.steps)
        with self.speaking.in_our_words():
            # A copy is counted as it is made, and an edited definition touches no row.
            own_words = step.new is None
            before = remaking.look_around(self.connection, step.table, count=own_words)
        notes = self._take_all(step.steps)
        with self.speaking.in_our_words():
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
        with self.speaking.in_our_words(step.select):
            (count,) = self.connection.execute(step.select).fetchone()
        return f"{rows_text(count)} {step.rows}" if count else ""

    def _call(self, function: Function) -> None:
        name = function_name(function)
        try:
            with redirect_stdout(sys.stderr):  # stdout belongs to the command
                function(Facade(self.speaking))
        except AshflowError:
            raise
        except (Exception, SystemExit) as error:  # the user's code may raise anything
            raise MigrationFailed(
                f"{name}() raised {type(error).__name__}: {error}",
                hint="Mend the function; the database is as it was before the migration.",
            ) from error
        self.speaking.still_one_transaction(f"{name}()")  # which may have caught what it was told


def _only_fills(stretch: Stretch) -> bool:
    return all(isinstance(operation, Fill) for operation in stretch.operations)
