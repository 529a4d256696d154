"""A SQLite file as a database that can be migrated."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.connection import (
    LOCK,
    SIDE_FILES,
    begin,
    begin_reading,
    commit,
    connect,
    hear_interrupts,
    is_interrupted,
    locked_by_another,
    refuse_what_is_no_file,
    rollback,
    translated,
    unreachable,
)
from ashflow.adapters.sqlite.session import SqliteSession
from ashflow.adapters.sqlite.speaking import Speaking
from ashflow.errors import DatabaseError, FileError, LockedError, NotADatabaseError
from ashflow.history.ledger import META
from ashflow.schema.sqltext import fold
from ashflow.worktree.locking import holding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Care, Log, Lot


class SqliteDatabase:
    """A SQLite file; see `protocol.Database`. Nothing is opened before it is asked for.

    Args:
        path: The absolute path of the file.
        shown: The url as it may be shown.
        ledger: What the table of the migrations is called.
        environment: What it remembers as its environment where that table is made.
        lock_timeout: How long to wait for the lock, in seconds.
        log: Told of every statement before it runs.
        care: How carefully it is changed.
    """

    __slots__ = (
        "_care",
        "_environment",
        "_ledger",
        "_lock_timeout",
        "_log",
        "_path",
        "_shown",
        "_writer",
    )

    def __init__(
        self,
        path: Path,
        *,
        shown: str,
        ledger: str,
        environment: str,
        lock_timeout: float,
        log: Log | None,
        care: Care,
    ) -> None:
        self._path = path
        self._shown = shown
        self._ledger = ledger
        self._environment = environment
        self._lock_timeout = lock_timeout
        self._log = log
        self._care = care
        self._writer: tuple[sqlite3.Connection, tuple[int, int]] | None = None

    @property
    def shown(self) -> str:
        """The url as it may be shown."""
        return self._shown

    @property
    def place(self) -> tuple[str, str]:
        """Where its ledger is: the file, wherever a link leads, and the name of the table."""
        return self.target, fold(self._ledger)

    @property
    def target(self) -> str:
        """The real path of the file."""
        return os.path.realpath(self._path)

    def exists(self) -> bool:
        """Whether the file is there.

        Raises:
            DatabaseError: A folder above it may not be entered, or the path is too long.
        """
        try:
            return self._path.exists()
        except OSError as error:
            raise unreachable(self._path, error) from error

    def size(self) -> int:
        """Return how large the file is with what is written beside it, in bytes."""
        files = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def create(self) -> bool:
        """Make an empty database, and the folders above it; False where it was there."""
        if self.exists():
            refuse_what_is_no_file(self._path)
            self._refuse_another_file()
            return False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseError(
                f"the folder {self._path.parent} cannot be made: {error.strerror}",
                hint="Look at the url of the repo, and at the permissions of the folder above.",
            ) from error
        with self._opened("rwc") as connection:
            begin(connection, self._path, self._lock_timeout)
            connection.execute("PRAGMA user_version = 0")  # writes the header
            commit(connection, self._path, self._lock_timeout)
        return True

    def drop(self) -> bool:
        """Remove the file and what SQLite keeps beside it; False where it was not there."""
        self.close()
        if not self.exists():
            return False
        refuse_what_is_no_file(self._path)
        self._refuse_another_file()
        with self.locked():  # nobody is in the middle of writing to it
            pass
        self.close()
        try:
            # The file last: a journal without its database would be played into the next one.
            for suffix in (*SIDE_FILES, ""):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        except OSError as error:
            raise DatabaseError(
                f"{self._path} cannot be removed: {error.strerror}",
                hint="Look at the permissions of its folder.",
            ) from error
        return True

    @contextmanager
    def read(self) -> Iterator[SqliteSession]:
        """Open a session that only reads, and sees one state of the database."""
        with self._reader() as connection:
            yield self._session(connection)

    @contextmanager
    def locked(self, *, foreign_keys: bool = False) -> Iterator[SqliteSession]:
        """Take the write lock; commit at the end, or undo everything on an error."""
        connection = self._write_connection(foreign_keys=foreign_keys)
        with self._begun(connection):
            try:
                yield self._session(connection, foreign_keys=foreign_keys)
                commit(connection, self._path, self._lock_timeout)
            except BaseException:
                rollback(connection)
                self.close()  # the definitions that it knows may be those that were undone
                raise

    @contextmanager
    def _begun(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Take the write lock, and wait until no session without a transaction is open."""
        deadline = time.monotonic() + self._lock_timeout
        with ExitStack() as stack:
            begin(connection, self._path, self._lock_timeout)
            if self._lock.exists():  # one is open, or was cut off
                rollback(connection)
                stack.enter_context(self._side_lock(deadline))
                begin(connection, self._path, _left(deadline))
            yield

    @contextmanager
    def unlocked(self, *, foreign_keys: bool = False) -> Iterator[SqliteSession]:
        """Open a session without a transaction, and only one."""
        connection = self._write_connection(foreign_keys=foreign_keys)
        deadline = time.monotonic() + self._lock_timeout
        try:
            with self._side_lock(deadline):
                # Who began to write before the side lock was there is done then.
                begin(connection, self._path, _left(deadline))
                rollback(connection)
                yield self._session(connection, atomic=False)
        finally:
            self.close()  # whatever the session left behind, a temporary table or a pragma

    @contextmanager
    def _side_lock(self, deadline: float) -> Iterator[None]:
        """Keep others out without a transaction.

        Never with the lock of the database's own file: with its closing SQLite's locks were gone.
        https://www.sqlite.org/howtocorrupt.html
        """
        with holding(self._lock, _left(deadline), locked_by_another(self._path)):
            try:
                yield
            finally:
                with suppress(OSError):  # Windows removes no open file
                    self._lock.unlink()

    @property
    def _lock(self) -> Path:
        return self._path.with_name(self._path.name + LOCK)

    @contextmanager
    def rehearsal(self) -> Iterator[SqliteSession]:
        """Open a session on a copy in memory, with the ledger and no other row."""
        from ashflow.adapters.sqlite.rehearsal import empty_copy

        keep = (self._ledger, META)
        if self.exists():
            with self._reader() as source:
                copy = empty_copy(source, keep)
        else:
            copy = empty_copy(None, keep)
        try:
            copy.execute("BEGIN")
            yield self._session(copy)
        finally:
            copy.close()

    def backup(self, path: Path) -> None:
        """Copy the whole database to a new file that only its owner may read."""
        with _made("backup", path), self._reader() as source:
            # A connection of its own: from one inside its own transaction, backup() never ends.
            target = connect(path.absolute(), "rw")
            try:
                source.backup(target)
            except sqlite3.Error as error:
                raise translated(error, path) from error
            finally:
                target.close()

    def park(self, path: Path, lots: Sequence[Lot]) -> tuple[int, ...]:
        """Copy some tables or columns to a new file that only its owner may read."""
        from ashflow.adapters.sqlite.parcel import keep

        with _made("file", path), self._reader() as source:
            hear_interrupts(source)
            try:
                return keep(source, path.absolute(), lots)
            except sqlite3.Error as error:
                if is_interrupted(error):
                    raise KeyboardInterrupt from error
                raise

    def close(self) -> None:
        """Close what was opened."""
        if self._writer is not None:
            self._writer[0].close()
            self._writer = None

    def _session(
        self, connection: sqlite3.Connection, *, atomic: bool = True, foreign_keys: bool = False
    ) -> SqliteSession:
        return SqliteSession(
            Speaking(connection, self._path, self._log, self._lock_timeout, atomic),
            self._ledger,
            self._environment,
            foreign_keys=foreign_keys,
            care=self._care,
        )

    def _refuse_another_file(self) -> None:
        """See to it that the file is a database, or empty, which is one too.

        SQLite looks: if we opened the file, with its closing all locks of this process were gone.
        https://www.sqlite.org/howtocorrupt.html
        """
        connection = self._connect("ro")
        try:
            connection.execute("PRAGMA schema_version").fetchall()
        except sqlite3.Error as error:
            trouble = translated(error, self._path)
            if isinstance(trouble, NotADatabaseError):
                raise trouble from error
        finally:
            connection.close()

    def _write_connection(self, *, foreign_keys: bool) -> sqlite3.Connection:
        refuse_what_is_no_file(self._path)
        found = self._path.stat()
        identity = (found.st_dev, found.st_ino)
        if self._writer is not None and self._writer[1] != identity:
            self.close()  # another process has made the file anew
        if self._writer is None:
            self._writer = (self._connect("rw"), identity)
            hear_interrupts(self._writer[0])
        connection = self._writer[0]
        try:
            self._switch(connection, "foreign_keys", on=foreign_keys)
            self._switch(connection, "legacy_alter_table", on=False)
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        return connection

    def _switch(self, connection: sqlite3.Connection, pragma: str, *, on: bool) -> None:
        """Switch a pragma, and look: inside a transaction SQLite may ignore it in silence."""
        connection.execute(f"PRAGMA {pragma} = {int(on)}")
        (there,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        if bool(there) != on:
            raise DatabaseError(f"{self._path}: SQLite does not switch its pragma {pragma}")

    def _connect(self, mode: str) -> sqlite3.Connection:
        try:
            return connect(self._path, mode)
        except sqlite3.Error as error:
            raise translated(error, self._path) from error

    @contextmanager
    def _opened(self, mode: str) -> Iterator[sqlite3.Connection]:
        connection = self._connect(mode)
        try:
            yield connection
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        finally:
            connection.close()

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        refuse_what_is_no_file(self._path)
        connection = self._reading_connection()
        try:
            yield connection
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        finally:
            connection.close()

    def _reading_connection(self) -> sqlite3.Connection:
        """Return a connection opened in the first way that works."""
        trouble: DatabaseError | None = None
        for mode in self._reading_modes():
            connection = self._connect(mode)
            try:
                begin_reading(connection, self._path, self._lock_timeout)
            except DatabaseError as error:
                connection.close()
                trouble = trouble or error
                if isinstance(error, LockedError):
                    break
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise trouble or DatabaseError(f"{self._path} cannot be read")

    def _reading_modes(self) -> list[str]:
        """Return the ways to read, in the order of trying.

        What a killed process left half-written has to be mended by a connection that may write. A
        file in WAL mode in a folder where nobody may write can be read as one that never changes.
        """
        wal = self._path.with_name(self._path.name + "-wal")
        unwritten = not wal.exists() or wal.stat().st_size == 0
        return ["ro", "rw", *["ro&immutable=1"] * unwritten]


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


@contextmanager
def _made(what: str, path: Path) -> Iterator[None]:
    """Make a new file, and write it to the disk in the end, or remove it on an error."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise FileError(
            f"the {what} {path} cannot be made: {error.strerror}",
            hint="Look whether the file is there already, and at its folder.",
        ) from error
    try:
        yield
        for place in (path, path.absolute().parent):
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
