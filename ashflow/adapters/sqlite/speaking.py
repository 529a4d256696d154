"""Speak to a SQLite database: each statement is told, and what is refused is said in our words."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ashflow.adapters.sqlite.connection import (
    begin,
    commit,
    is_interrupted,
    rollback,
    translated,
)
from ashflow.errors import MigrationFailed
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Log
    from ashflow.adapters.sqlite.theirs import Rows


@value
class Speaking:
    """Speaks to a database.

    Args:
        connection: An open connection.
        path: The file, for messages.
        log: Told of every statement before it runs, and when it is done.
        lock_timeout: How long to wait for a lock, in seconds.
        atomic: Whether it is one transaction, which nothing may end before its time.
    """

    connection: sqlite3.Connection
    path: Path | str
    log: Log | None = None
    lock_timeout: float = 60.0
    atomic: bool = True

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """Run one statement and return its rows."""
        with self.guarded(sql):
            return self.connection.execute(sql, tuple(params)).fetchall()

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement once a row."""
        with self.guarded(sql):
            self.connection.executemany(sql, rows)

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
        self.still_one_transaction(sql)
        with self.in_our_words(sql):
            yield
        if self.log is not None:
            self.log(sql, (time.perf_counter() - start) * 1000)
        self.still_one_transaction(sql)

    def still_one_transaction(self, sql: str) -> None:
        """See to it that nothing has ended the transaction.

        Args:
            sql: What was run.

        Raises:
            MigrationFailed: Something has.
        """
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
    def transaction(self) -> Iterator[Speaking]:
        """Hand out one that is a transaction, where this is none."""
        begin(self.connection, self.path, self.lock_timeout)
        try:
            yield replace(self, atomic=True)
        except BaseException:
            rollback(self.connection)
            raise
        commit(self.connection, self.path, self.lock_timeout)
