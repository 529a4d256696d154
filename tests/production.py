"""A program in production: migrations, a database, and nothing of what is needed to write them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ashflow import release

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT = """\
[tool.ashflow]
domains = ["shop.resources"]

[tool.ashflow.repos.repo]
url = "sqlite:///app.db"
lock_timeout = 20
"""

BLOCK = """\
import sys

GONE = {"click", "rich", "git", "gitdb", "smmap"}


class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in GONE:
            raise ImportError(f"{name} is blocked")


def no_programs(event, arguments):
    if event in {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"}:
        raise RuntimeError(f"{event} is blocked")


sys.meta_path.insert(0, Gone())
sys.addaudithook(no_programs)
"""
"""What a production image lacks: put before a program, it finds none of it."""


def version(number):
    """The version of a migration by its number."""
    return str(20260101000000 + number)


def table(name, *columns):
    """The operation that makes a table with an id, and columns of text."""
    texts = "".join(f', Column("{column}", "text", nullable=True)' for column in columns)
    return f'CreateTable("{name}", columns=[Column("id", "integer", primary_key=True){texts}])'


def execute(*up, down="[]"):
    """The operation that runs SQL."""
    return f"Execute(up={list(up)!r}, down={down})"


@dataclass(frozen=True)
class Shop:
    """Migrations and a database: `shop.adds(1, "a", table("a"))`, `shop.migrate()`."""

    root: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def path(self) -> Path:
        """The database."""
        return self.root / "app.db"

    @property
    def folder(self) -> Path:
        """The folder of the migrations."""
        return self.root / "priv/repo/migrations"

    def repo(self, **more: Any) -> release.Repo:
        """The database with its migrations, as one that needs no project."""
        given = {"url": f"sqlite:///{self.path}", "migrations": self.folder, "lock_timeout": 20}
        return release.Repo("repo", **{**given, **more})

    def migrate(self, **more: Any) -> release.Migrated:
        """Migrate in this process."""
        (done,) = release.migrate([self.repo()], **more)
        return done

    def rollback(self, **more: Any) -> release.Migrated:
        """Roll back in this process."""
        return release.rollback(self.repo(), **more)

    def states(self) -> list[tuple[str, str]]:
        """The name and the state of each migration."""
        (found,) = release.status([self.repo()])
        return [(state.name, state.state) for state in found.migrations]

    def adds(self, number: int, name: str, *operations: str, head: str = "", end: str = "") -> Path:
        """Write a migration: its number, its name, its operations, and what stands around them."""
        body = ", ".join(operations)
        path = self.folder / f"{version(number)}_{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"from ashflow.migration import *\n{textwrap.dedent(head)}\n"
            f"migration = Migration(operations=[{body}], {end})\n",
            encoding="utf-8",
        )
        return path

    def runs(self, number: int, name: str, body: str, *before: str, down: str = "", end: str = ""):
        """Write a migration with a function: its body, and the operations before it."""
        indented = textwrap.indent(textwrap.dedent(body), "    ")
        head = f"import os, signal, sys, time\ndef up(db):\n{indented}\n"
        if down:
            head += "def down(db):\n" + textwrap.indent(textwrap.dedent(down), "    ")
        run = "Run(up=up, down=down)" if down else "Run(up=up)"
        return self.adds(number, name, *before, run, head=head, end=end)

    def ask(self, sql: str, *values: Any) -> list[Any]:
        """Run SQL on the database."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            return db.execute(sql, values).fetchall()

    def tables(self) -> list[str]:
        """The tables that are not ashflow's."""
        names = [name for (name,) in self.ask("SELECT name FROM sqlite_master ORDER BY name")]
        return [name for name in names if not name.startswith(("sqlite_", "ashflow_"))]

    def applied(self) -> list[str]:
        """The names of the applied migrations, in order of application."""
        return [n for (n,) in self.ask("SELECT name FROM ashflow_migrations ORDER BY position")]

    def dump(self) -> list[str] | None:
        """All that the database holds, or None where it is not there."""
        if not self.path.exists():
            return None
        with closing(sqlite3.connect(self.path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return list(db.iterdump())

    def start(
        self, *command: str, block: bool = False, module: str = "ashflow.release", **env: str
    ) -> subprocess.Popen[str]:
        """Begin `python -m ashflow.release …`, or, where it is a program, that one."""
        words = ["-m", module, *command]
        if command and "\n" in command[0]:
            source = textwrap.dedent(command[0])
            words = ["-c", f"{BLOCK if block else ''}\n{source}", *command[1:]]
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=self.root,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """End what a test that has failed has left behind."""
        for process in self.started:
            if process.returncode is None:
                process.kill()
                process.communicate()

    def run(self, *command: str, code: int = 0, **more: Any) -> Said:
        """Run `python -m ashflow.release …`, or a program, to its end."""
        return said(self.start(*command, **more), code=code)

    def ashflow(self, *command: str, code: int = 0, **env: str) -> Said:
        """Run `ashflow …` to its end."""
        return self.run(*command, code=code, module="ashflow", **env)


@dataclass(frozen=True)
class Said:
    """What a process said."""

    out: str
    err: str

    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)


def said(process: subprocess.Popen[str], *, code: int = 0) -> Said:
    """Wait for a process, which has to end with a code."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, (process.returncode, out, err)
    return Said(out, err)


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.005)


def make(root: Path) -> Shop:
    """Make a folder a project whose resources can't be imported."""
    (root / "shop").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "shop/__init__.py").write_text('raise RuntimeError("resources are not for here")\n')
    shop = Shop(root)
    shop.folder.mkdir(parents=True)
    return shop
