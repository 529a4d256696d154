"""Let a connection see a file in which rows are kept, and let go of it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from ashflow.errors import FileError

if TYPE_CHECKING:
    from pathlib import Path

CACHE: Final = 64 * 1024
"""Kibibytes of memory for such a file: keys come in any order."""

_PREFIX: Final = "ashflow_kept_"


def attach(connection: sqlite3.Connection, path: Path) -> str:
    """Return the name under which a connection sees a file, which it can only read.

    What a transaction has read from cannot be detached before its end, so that a file can be there
    already.

    Args:
        connection: A connection, opened with `uri=True`.
        path: The file.

    Raises:
        FileError: The file is not there.
    """
    if not path.exists():
        raise FileError(
            f"{path}, in which rows are kept, is not there",
            hint="Without it, they cannot be brought back; look whether somebody moved it.",
        )
    in_use = let_go(connection)
    for name, file in in_use.items():
        if path.samefile(file):
            return name
    name = next(n for at in range(len(in_use) + 1) if (n := f"{_PREFIX}{at}") not in in_use)
    connection.execute(f"ATTACH ? AS {name}", (f"{path.absolute().as_uri()}?{_mode(path)}",))
    connection.execute(f"PRAGMA {name}.cache_size = -{CACHE}")
    return name


def let_go(connection: sqlite3.Connection) -> dict[str, str]:
    """Detach the files in which rows are kept.

    Args:
        connection: A connection.

    Returns:
        Those that the transaction has read from and that stay: their names, each with its file.
    """
    listed = connection.execute("PRAGMA database_list").fetchall()
    found = {name: file for _, name, file in listed if name.startswith(_PREFIX)}
    return {name: file for name, file in found.items() if not _detached(connection, name)}


def _detached(connection: sqlite3.Connection, name: str) -> bool:
    try:
        connection.execute(f"DETACH {name}")
    except sqlite3.OperationalError:
        return False
    return True


def _mode(path: Path) -> str:
    """Return how to read a file: as one that nobody writes, unless something waits beside it.

    Else SQLite would put files beside one in WAL mode, and leave them there.
    """
    beside = (path.with_name(path.name + suffix) for suffix in ("-wal", "-journal"))
    waits = any(file.exists() and file.stat().st_size for file in beside)
    return "mode=ro" if waits else "mode=ro&immutable=1"
