"""SQL of the user: what it may do in a migration."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ashflow.errors import AshflowError, MigrationFailed

if TYPE_CHECKING:
    from collections.abc import Iterator


Rows = list[tuple[Any, ...]]

_DENIED = frozenset(
    {
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
        sqlite3.SQLITE_ATTACH,
        sqlite3.SQLITE_DETACH,
    }
)
_PRAGMAS = frozenset(
    """
    analysis_limit application_id foreign_key_check foreign_key_list index_info index_list
    index_xinfo integrity_check optimize quick_check table_info table_list table_xinfo user_version
    """.split()
)
"""The pragmas that take an argument and may be used in a migration."""


@contextmanager
def judged(connection: sqlite3.Connection, sql: str) -> Iterator[None]:
    """Run a statement of the user, who may not end the transaction.

    Args:
        connection: The connection that it runs on.
        sql: The statement, for the message.

    Raises:
        MigrationFailed: It would end the transaction, or reach around it.
    """
    denied: list[str] = []

    def judge(action: int, what: str | None, value: str | None, *_: str | None) -> int:
        named = action == sqlite3.SQLITE_PRAGMA and value is not None
        if action in _DENIED or (named and what is not None and what.lower() not in _PRAGMAS):
            denied.append(what or "")
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    connection.set_authorizer(judge)
    try:
        yield
    except AshflowError:
        if denied:
            raise _not_allowed(sql) from None
        raise
    finally:
        connection.set_authorizer(None)


def _not_allowed(sql: str) -> MigrationFailed:
    return MigrationFailed(
        f"a migration may not run: {sql}",
        hint="ashflow begins and ends the transaction. VACUUM, ATTACH and connection pragmas "
        "go into a migration of their own, with Migration(transaction=False).",
    )
