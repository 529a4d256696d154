"""What a process leaves on the disk that is killed at some moment of its work, for every moment.

The system keeps what a killed process has written, and the locks of a killed process are gone: so a
copy of all files, taken at a moment, is what a kill at that moment leaves. One run gives them all.
Moments are those at which a file is opened to be written, linked, moved, removed or put on the
disk, a program is started, and a statement is run; where no file has changed since the last one,
none is counted.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
EVENTS = frozenset(
    {"os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.utime", "os.chmod"}
    | {"os.truncate", "sqlite3.connect", "subprocess.Popen"}
)


@dataclass
class Moments:
    """Sees the moments of a command go by, from the first one on at which it begins to write.

    Args:
        root: The folder of the project.
        states: Where to put a copy for each; empty: nowhere.
        at: At which one something happens to the process; 0: at none.
        deed: What.
    """

    root: str
    states: str
    at: int
    deed: str
    seen: int = 0
    begun: bool = False
    busy: bool = False
    last: object = None

    def watch(self) -> None:
        """See them from now on."""
        whole, sync, fsync = sqlite3.connect, os.sync, os.fsync
        moments = self

        class Watched(sqlite3.Connection):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                with suppress(sqlite3.OperationalError):  # what is half done, and may not be mended
                    super().execute("PRAGMA cache_size = 1")  # what is written is on disk at once

            def execute(self, sql, *args):
                moments.begun = moments.begun or sql == "BEGIN IMMEDIATE"
                moments.passes(sql=True)
                return super().execute(sql, *args)

        def passing(call):
            def passed(*args):
                moments.passes()
                return call(*args)

            return passed

        sqlite3.connect = lambda *args, **kwargs: whole(*args, factory=Watched, **kwargs)
        os.sync, os.fsync = passing(sync), passing(fsync)
        sys.addaudithook(self.hears)

    def hears(self, event, arguments) -> None:
        """Look whether an event is such a moment."""
        if self.busy:
            return
        if event == "open":
            path, _, flags = arguments
            if not flags & WRITING:
                return
            self.begun = self.begun or "ashflow/" in str(path)
        if event == "open" or event in EVENTS:
            self.passes()

    def passes(self, *, sql=False) -> None:
        """Let a moment pass, or do not survive it."""
        if not self.begun or self.busy:
            return
        self.busy = True
        look = signature(self.root)
        if look != self.last:
            self.last = look
            self.seen += 1
            if self.states:
                copy(self.root, f"{self.states}/{self.seen}")
            if self.seen == self.at:
                self.happens(sql)
        self.busy = False

    def happens(self, sql) -> None:
        """Let happen what is to happen."""
        self.busy = False
        self.at = 0
        if self.deed == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.deed == "ctrl-c":
            raise KeyboardInterrupt
        if not sql:
            raise OSError(errno.EIO, "disk I/O error")
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error


def copy(folder, to) -> None:
    """Copy all files of a folder."""
    subprocess.run(["cp", "-a", str(folder), str(to)], check=True)


def signature(folder):
    """A value that is another one when a file below a folder is."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            stat = entry.stat(follow_symlinks=False)
            below = signature(entry.path) if entry.is_dir(follow_symlinks=False) else None
            changed = (stat.st_mtime_ns, stat.st_size, stat.st_nlink) if below is None else 0
            found.append((entry.name, stat.st_ino, stat.st_mode, changed, below))
    return sorted(found, key=lambda one: one[0])


def contents(path: Path) -> list[str]:
    """All that a database holds, as text, after SQLite has looked whether it is whole."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path
        assert db.execute("PRAGMA foreign_key_check").fetchall() == [], path
        dump = list(db.iterdump())
    return [line for line in dump if "'database_id'" not in line]


def facts(root: Path):
    """All that a run changes: files, git's index, databases, and what is in the store."""
    files, databases = {}, {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith(".git/") or "__pycache__" in name:
            continue
        if path.name.endswith(".sqlite3"):
            databases[name] = contents(path)
        elif not path.name.endswith(("-journal", "-wal", "-shm")):
            files[name] = path.read_bytes() if path.is_file() else None
    index = subprocess.run(
        ["git", "-C", str(root), "ls-files", "--stage", "--debug", "--", "priv"],
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout
    kept = [line for line in index.splitlines() if not line.startswith("  ") or "flags" in line]
    kept = [line.partition("flags")[2] or line for line in kept]
    store = root / ".git/ashflow"
    stored = {p.relative_to(store).as_posix() for p in store.glob("*/runs/*/**/*")}
    stored |= {p.relative_to(store).as_posix() for p in store.rglob("*") if p.is_file()}
    stored = {path for path in stored if not path.endswith("/lock")}
    return {"files": files, "databases": databases, "index": kept, "store": sorted(stored)}


def put(copied: Path, root: Path) -> None:
    """Put a copy of all files in the place of those that are there."""
    shutil.rmtree(root)
    copied.rename(root)
