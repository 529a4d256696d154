"""A database's definitions as one short text, to see that they are as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.schema.sqltext import fold

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection


def fingerprint(connection: sqlite3.Connection, own: Collection[str]) -> str:
    """Return the SHA-256, in hex, of all definitions but those of our own tables.

    Args:
        connection: A connection.
        own: Our own tables, in small letters.
    """
    import hashlib
    import json

    rows = connection.execute("SELECT type, name, tbl_name, sql FROM main.sqlite_master").fetchall()
    theirs = sorted(
        (kind, name, table, sql or "")
        for kind, name, table, sql in rows
        if not fold(name).startswith("sqlite_")
        and not (kind in {"table", "index"} and fold(table) in own)
    )
    return hashlib.sha256(json.dumps(theirs).encode()).hexdigest()
