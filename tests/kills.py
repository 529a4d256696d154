"""What a process leaves on the disk that is killed at some moment of its work, for every moment.

The system keeps what a killed process has written, and the locks of a killed process are gone: so a
copy of all files, taken at a moment, is what a kill at that moment leaves. One run gives them all.
Moments are those at which a file is opened to be written, linked, moved, removed or put on the
disk, a program is started, and a statement is run; where no file has changed since the last one,
none is counted.

Run as a program, this is a process that has imported everything and runs commands in forks of it.
"""

from __future__ import annotations

import errno
import json
import os
import pkgutil
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
EVENTS = frozenset(
    {"os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.utime", "os.chmod"}
    | {"os.truncate", "sqlite3.connect", "subprocess.Popen"}
)
BUG = 70
"""The exit code of a command that raised what is no message."""


class Forge:
    """Runs commands in forks of a process that has imported everything but the resources.

    Args:
        folder: Where they write what they say.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={name: value for name, value in os.environ.items() if "COVERAGE" not in name},
        )

    def run(self, root, *arguments, now="", states="", at=0, deed="kill", env=None):
        """Run a command; returns its exit code, below zero where it was killed, and what it said.

        Args:
            root: The folder in which it is run.
            arguments: The command.
            now: The moment that it believes in; empty: the true one.
            states: Where to put a copy of all files for each moment of it; empty: nowhere.
            at: At which moment something happens to it; 0: at none.
            deed: What: `kill`, `ctrl-c` or `error`.
            env: What else is in its environment.
        """
        asked = {"root": str(root), "arguments": arguments, "now": now, "states": str(states)}
        asked |= {"at": at, "deed": deed, "env": env or {}}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return Said(code, *((self._folder / name).read_text() for name in ("out", "err")))

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Said(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    def json(self):
        """The one object on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Forked:
    """Runs the command in a fork: `ashflow("codegen", "add_posts")`.

    Args:
        root: The folder of the project.
        forge: Where the forks are made.
        real: Runs it in a process of its own, that may do no more than anybody.
    """

    root: Path
    forge: Forge
    real: Any = None

    def __call__(self, *arguments, cwd=None, env=None):
        return self.forge.run(cwd or self.root, *arguments, env=env)


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


def serve(folder: Path) -> None:
    """Run what is asked for, until nobody asks any more."""
    import ashflow

    here = Path(__file__).parent
    sys.path[:] = [path for path in sys.path if not path or Path(path).resolve() != here]
    for module in pkgutil.walk_packages(ashflow.__path__, "ashflow."):
        if not module.name.endswith("__main__") and "postgres" not in module.name:
            import_module(module.name)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(command(folder, **asked))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - it is the answer


def command(folder: Path, *, root, arguments, now, states, at, deed, env) -> int:
    """Run a command in this process, which is one of its own; returns its exit code."""
    import traceback

    from ashflow.cli import main
    from ashflow.project.checkout import Project

    os.chdir(root)
    os.environ.update(env)
    for number, name in enumerate((os.devnull, folder / "out", folder / "err")):
        opened = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["ashflow", *arguments]
    if now:
        moment = datetime.fromisoformat(now)
        Project.__init__.__kwdefaults__["now"] = lambda: moment
    if states or at:
        Moments(root, states, at, deed).watch()
    code = BUG
    try:
        main()
    except SystemExit as stop:
        code = stop.code or 0
    except BaseException:  # noqa: BLE001 - whatever it is, it is a bug
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    return code


def put(copied: Path, root: Path) -> None:
    """Put a copy of all files in the place of those that are there."""
    shutil.rmtree(root)
    copied.rename(root)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
