"""Open a SQLite file, take its write lock and let go of it; its errors in our words."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Final

from ashflow.errors import (
    AshflowError,
    DatabaseError,
    LockedError,
    MigrationFailed,
    NotADatabaseError,
    RowsForbid,
)

if TYPE_CHECKING:
    from pathlib import Path

OLDEST: Final = (3, 37, 0)
LOCK: Final = ".ashflow.lock"
"""What is behind the name of the file whose lock a session without a transaction holds."""

SIDE_FILES: Final = ("-journal", "-wal", "-shm", LOCK)
_OFTEN: Final = 200_000
"""After how many steps of its machine SQLite calls Python: some milliseconds."""

_PATIENCE: Final = 0.05
"""Seconds that SQLite itself waits for a lock: short, so that Ctrl-C is heard between two tries."""


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a connection on which transactions begin and end only where we say so.

    Args:
        path: The absolute path of the file.
        mode: `rw`, `ro`, or `rwc` which makes the file; `ro&immutable=1` takes no lock.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        raise NotADatabaseError(
            f"SQLite {sqlite3.sqlite_version} is too old; ashflow needs "
            f"{'.'.join(map(str, OLDEST[:2]))} or newer",
            hint="Use a Python that brings a newer SQLite.",
        )
    # cached_statements=0: a statement that was prepared before a change of the schema and is run
    # again after it can crash SQLite 3.40.
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        cached_statements=0,
        timeout=_PATIENCE,
    )


def hear_interrupts(connection: sqlite3.Connection) -> None:
    """Let Ctrl-C end a statement that takes long.

    Python looks for signals only while it runs code of its own: so it is called again and
    again. What it raises then SQLite tells as an error; see `is_interrupted`.

    Args:
        connection: The connection.
    """
    connection.set_progress_handler(lambda: 0, _OFTEN)


def is_interrupted(error: Exception) -> bool:
    """Whether a statement was ended by a signal.

    Args:
        error: What SQLite, or its Python module, said.
    """
    return _code(error) == sqlite3.SQLITE_INTERRUPT


def begin(connection: sqlite3.Connection, path: Path | str, lock_timeout: float) -> None:
    """Take the write lock, for which we wait.

    Raises:
        LockedError: Another process kept it for longer.
    """
    deadline = time.monotonic() + lock_timeout
    _insist(connection, "BEGIN IMMEDIATE", path, deadline)


def begin_reading(connection: sqlite3.Connection, path: Path | str, lock_timeout: float) -> None:
    """See one state of the database from now on.

    Raises:
        LockedError: Another process kept it from being read for longer than we wait.
    """
    deadline = time.monotonic() + lock_timeout
    connection.execute("BEGIN")
    _insist(connection, "SELECT count(*) FROM sqlite_master", path, deadline)


def commit(connection: sqlite3.Connection, path: Path | str, lock_timeout: float) -> None:
    """Make the transaction last; a reader can keep us waiting here too.

    Raises:
        LockedError: It did for too long; everything is undone.
        RowsForbid: A foreign key that is looked at only now is violated.
    """
    deadline = time.monotonic() + lock_timeout
    try:
        _insist(connection, "COMMIT", path, deadline)
    except BaseException:
        rollback(connection)
        raise


def rollback(connection: sqlite3.Connection) -> None:
    """Undo the transaction, where SQLite has not done so itself."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _insist(connection: sqlite3.Connection, sql: str, path: Path | str, deadline: float) -> None:
    while True:
        try:
            connection.execute(sql).fetchall()
        except sqlite3.Error as error:
            if is_interrupted(error):
                raise KeyboardInterrupt from error
            if not is_busy(error) or time.monotonic() > deadline:
                raise translated(error, path) from error
            time.sleep(_a_moment())
        else:
            return


def _a_moment() -> float:
    """Return some seconds, not the same for all who wait."""
    import random

    return random.uniform(0.005, 0.05)  # noqa: S311  (no secret)


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection has a lock that stands in the way."""
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def translated(error: Exception, path: Path | str, sql: str = "") -> AshflowError:
    """Return an error of SQLite in our words.

    Args:
        error: What SQLite, or its Python module, said.
        path: The file of the database.
        sql: The statement that it was about.
    """
    _show_no_value(error)
    code = _code(error)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return locked_by_another(path)
    if code == sqlite3.SQLITE_NOTADB:
        return NotADatabaseError(
            f"{path} is no SQLite database", hint="Look at the url of the repo in pyproject.toml."
        )
    if code in _FILE_TROUBLE:
        return DatabaseError(f"{path}: {_FILE_TROUBLE[code]} ({error})", hint=_FILE_HINT)
    if isinstance(error, sqlite3.IntegrityError):
        return RowsForbid(
            f"rows forbid the change: {error}" + _about(sql),
            hint="Change or delete those rows first; nothing of this migration is kept.",
        )
    return MigrationFailed(f"SQLite refuses: {error}" + _about(sql), hint=_hint(error))


def _show_no_value(error: Exception) -> None:
    """Take the value out of the one message of Python's module that has one."""
    told, shows, _ = str(error).partition(" with text ")
    if shows and told.startswith("Could not decode"):
        error.args = (told,)


def locked_by_another(path: Path | str) -> LockedError:
    """Return the error that says that another process has a lock.

    Args:
        path: The file of the database.
    """
    return LockedError(
        f"{path} is locked by another process",
        hint="Wait for it, or end it; `fuser` or `lsof` with the file tells which it is.",
    )


_FILE_HINT: Final = "Look at the permissions of the file and its folder, and at the disk."
_FILE_TROUBLE: Final = {
    sqlite3.SQLITE_READONLY: "cannot be written, the file or its folder is read-only",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened, or its folder cannot be written",
    sqlite3.SQLITE_PERM: "cannot be opened",
    sqlite3.SQLITE_IOERR: "cannot be read or written",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CORRUPT: "the database is damaged",
}


def _code(error: Exception) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _about(sql: str) -> str:
    return f"\n  in: {sql}" if sql else ""


def _hint(error: Exception) -> str:
    if "one statement at a time" in str(error):
        return "Give the statements as a list, each as a text of its own."
    if "error in view" in str(error) or "error in trigger" in str(error):
        return "Mend or drop it first; it is broken, and SQLite renames nothing beside it."
    return "Mend what it is about, in the migration or in the database, and run it again."


def unreachable(path: Path, error: OSError) -> DatabaseError:
    """Return the error that says that a path cannot be looked at.

    Args:
        path: The path.
        error: What the system said.
    """
    return DatabaseError(
        f"{path} cannot be reached: {error.strerror}",
        hint="Look at the url of the repo, and whether the folders above it are open to you.",
    )


def refuse_what_is_no_file(path: Path) -> None:
    """See to it that a path is a file that is there.

    Raises:
        DatabaseError: The path cannot be looked at.
        NotADatabaseError: It is not.
    """
    try:
        folder = path.is_dir()
    except OSError as error:
        raise unreachable(path, error) from error
    if folder:
        raise NotADatabaseError(
            f"{path} is a folder and no database",
            hint="Look at the url of the repo in pyproject.toml.",
        )
    if not path.exists():
        raise NotADatabaseError(
            f"the database {path} is not there",
            hint="Make it with `ashflow migrate`, or empty with `ashflow create`.",
        )
