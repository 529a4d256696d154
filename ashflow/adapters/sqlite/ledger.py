"""The two tables in which a SQLite database keeps what has been applied to it."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from ashflow.errors import LedgerError
from ashflow.history.ledger import ENVIRONMENT, FORMAT, META, NOTHING, Applied, Ledger, Mark
from ashflow.schema.sqltext import quote
from ashflow.values import value

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

_COLUMNS: Final = ("position", "version", "name", "checksum", "operations", "applied_at")


@value
class LedgerTables:
    """The ledger's tables in one database.

    Args:
        connection: A connection to it.
        name: What the table of the migrations is called.
        environment: What the database remembers where the tables are made.
    """

    connection: sqlite3.Connection
    name: str
    environment: str

    def read(self) -> Ledger:
        """Return what has been applied; an empty ledger where the table is not there.

        Raises:
            LedgerError: The table is there, and not ours, or of a newer format.
        """
        rows = self._select(", ".join(_COLUMNS), "ORDER BY position")
        kinds = Counter(map(type, chain.from_iterable(rows)))  # there may be ten thousand rows
        if rows and kinds != {int: len(rows), str: len(rows) * (len(_COLUMNS) - 1)}:
            self._refuse_what_is_no_text(rows)
        return Ledger(map(partial(tuple.__new__, Applied), rows))

    def _refuse_what_is_no_text(self, rows: Iterable[Sequence[Any]]) -> None:
        for position, *texts in rows:
            if not all(isinstance(text, str) for text in texts):
                raise LedgerError(
                    f"row {position} of the ledger {self.name} has a value that is no text",
                    hint="It was changed by hand: put back what was there, or delete the row.",
                )

    def mark(self) -> Mark:
        """Return what tells the ledger from another state of it.

        Raises:
            LedgerError: The table is there, and not ours, or of a newer format.
        """
        told = self._select("count(*), ifnull(max(position), 0), ifnull(sum(position), 0)")
        return Mark._make(*told) if told else NOTHING

    def _select(self, columns: str, order: str = "") -> list[Any]:
        there = self._columns(self.name)
        if not there:
            return []
        self._refuse_what_is_not_ours(there)
        sql = f"SELECT {columns} FROM {quote(self.name)} {order}"
        return self.connection.execute(sql).fetchall()

    def record(self, rows: Iterable[Applied]) -> None:
        """Write rows; where one has no position, the database gives it one."""
        self._make()
        self.connection.executemany(
            f"INSERT INTO {quote(self.name)} ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?)",
            ((row.position or None, *row[1:]) for row in rows),
        )

    def forget(self, version: str) -> None:
        """Take out the row of a version."""
        if self._columns(self.name):
            self.connection.execute(f"DELETE FROM {quote(self.name)} WHERE version = ?", (version,))

    def meta(self) -> dict[str, str]:
        """Return what the database knows of itself."""
        columns = self._columns(META)
        if not columns:
            return {}
        self._refuse_a_view(META)
        if not {"key", "value"} <= set(columns):
            raise LedgerError(
                f"the table {META} has columns ({', '.join(columns)}) and is not ashflow's",
                hint="Rename it; ashflow keeps there what the database knows of itself.",
            )
        return dict(self.connection.execute(f"SELECT key, value FROM {META} ORDER BY key"))

    def set_meta(self, key: str, value: str) -> None:
        """Write one of the words of `meta`."""
        self._make()
        self.connection.execute(
            f"INSERT OR REPLACE INTO {META} (key, value) VALUES (?, ?)", (key, value)
        )

    def _make(self) -> None:
        if not self._columns(self.name):
            self.connection.execute(
                f"CREATE TABLE {quote(self.name)} (\n"
                "  position INTEGER PRIMARY KEY AUTOINCREMENT,\n"
                "  version TEXT NOT NULL UNIQUE,\n  name TEXT NOT NULL,\n"
                "  checksum TEXT NOT NULL,\n  operations TEXT NOT NULL,\n"
                "  applied_at TEXT NOT NULL\n)"
            )
        if not self._columns(META):
            self.connection.execute(
                f"CREATE TABLE {META} (\n  key TEXT NOT NULL PRIMARY KEY,\n  value TEXT NOT NULL\n)"
            )
            self.connection.executemany(
                f"INSERT INTO {META} (key, value) VALUES (?, ?)", self._first_words().items()
            )

    def _first_words(self) -> dict[str, str]:
        import uuid

        return {
            "format": str(FORMAT),
            "database_id": str(uuid.uuid4()),
            ENVIRONMENT: self.environment,
        }

    def _columns(self, table: str) -> list[str]:
        rows = self.connection.execute(f"PRAGMA main.table_info({quote(table)})").fetchall()
        return [row[1] for row in rows]

    def _refuse_a_view(self, table: str) -> None:
        found = self.connection.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = ? COLLATE NOCASE", (table,)
        ).fetchone()
        if found:
            raise LedgerError(
                f"{table} is a view and not ashflow's table",
                hint="Rename it; ashflow keeps there what is applied.",
            )

    def _refuse_what_is_not_ours(self, columns: list[str]) -> None:
        self._refuse_a_view(self.name)
        if not set(_COLUMNS) <= set(columns):
            raise LedgerError(
                f"the table {self.name} has columns ({', '.join(columns)}) and is not ashflow's",
                hint='Say ledger = "other_name" in [tool.ashflow.repos.<name>].',
            )
        found = str(self.meta().get("format", FORMAT))
        if found != str(FORMAT):  # there is no older one
            raise LedgerError(
                f"the ledger {self.name} has format {found}, and this ashflow knows {FORMAT}",
                hint="Install a newer ashflow; where somebody changed it by hand, put it back.",
            )
