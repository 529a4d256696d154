"""A day with regen: a tracked state, an untracked migration on top, and what may have changed."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from forge import Forked

from ashflow.adapters.connect import connect
from ashflow.worktree.git import locate
from ashflow.worktree.hooks import install
from ashflow.worktree.porcelain import Located

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forge import Forge

HEADER = """\
from datetime import datetime
from enum import Enum
from typing import Literal

from ashflow import (
    Domain, Resource, attribute, belongs_to, check, identity, index, integer_primary_key, statement,
)


"""
POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
"""What is tracked where a test says nothing else."""

COLORED = POSTS + "    color: str | None\n"
"""What the untracked migration brings where a test says nothing else."""


@dataclass(frozen=True)
class Day:
    """A project in the middle of a day: run commands, look at files and rows, compare."""

    project: Any

    @property
    def root(self) -> Path:
        """The folder of the project."""
        return self.project.root

    def declare(self, source: str) -> None:
        """Write the resources; the imports are there already."""
        self.project.resources(HEADER + textwrap.dedent(source))

    def run(self, *arguments: str, code: int = 0, **more: Any) -> Any:
        """Run a command, which has to end with a code."""
        result = self.project.ashflow(*arguments, **more)
        assert result.code == code, result
        return result

    def regen(self, *arguments: str, code: int = 0, **more: Any) -> Any:
        """Run regen with the name `again`, and return what `--json` says of the first repo."""
        told = self.run("regen", "again", *arguments, "--json", code=code, **more).json()
        return told["error"] if code else told["repos"][0]

    def query(self, sql: str, *values: Any, path: str = "priv/repo/dev.sqlite3") -> list[Any]:
        """Run SQL on the development database."""
        with self.project.sqlite(path) as db:
            return db.execute(sql, values).fetchall()

    def change(self, source: str, name: str, *, migrate: bool = True) -> None:
        """Change the resources and make a migration of it."""
        self.declare(source)
        self.run("codegen", name)
        if migrate:
            self.run("migrate")

    def later(self) -> None:
        """Wait until no migration made now gets a version that one has which is not here now."""
        ((newest,),) = self.query("SELECT max(version) FROM ashflow_migrations")
        while f"{datetime.now(UTC):%Y%m%d%H%M%S}" <= newest:
            time.sleep(0.05)

    def applied(self) -> list[str]:
        """The names of the applied migrations, in order of application."""
        return [n for (n,) in self.query("SELECT name FROM ashflow_migrations ORDER BY position")]

    def migrations(self, repo: str = "repo") -> list[str]:
        """The names of the migrations on disk."""
        files = sorted((self.root / f"priv/{repo}/migrations").glob("*.py"))
        return [file.stem[15:] for file in files]

    def path(self, name: str) -> str:
        """The path of the migration of a name."""
        (found,) = (self.root / "priv/repo/migrations").glob(f"*_{name}.py")
        return found.relative_to(self.root).as_posix()

    def snapshots_of(self, name: str) -> list[str]:
        """The paths of the snapshots of the migration of a name."""
        version = Path(self.path(name)).name[:14]
        found = sorted((self.root / "priv/resource_snapshots").rglob(f"{version}.json"))
        return [path.relative_to(self.root).as_posix() for path in found]

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a file by hand."""
        text = self.project.read(path)
        assert old in text
        self.project.write(path, text.replace(old, new))

    def everything(self) -> dict[str, Any]:
        """All that a command that refuses must leave as it was: files, git, databases."""
        files = {}
        databases = {}
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if name.startswith(".git/") or "__pycache__" in name:
                continue
            if path.name.endswith(".sqlite3"):
                with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                    databases[name] = list(db.iterdump())
            elif not path.name.endswith(("-journal", "-wal", "-shm")):
                files[name] = path.read_bytes() if path.is_file() else None
        status = self.project.git("status", "--porcelain=v2", "--untracked-files=all", "--ignored")
        return {"files": files, "databases": databases, "git": status, "store": self.stored()}

    def store(self) -> Path:
        """The folder of the store."""
        (folder,) = (self.root / ".git/ashflow").iterdir()
        return folder

    def stored(self) -> list[str]:
        """The files that the store has, by their paths in the project."""
        found = (self.root / ".git").glob("ashflow/*/runs/*/*/**/*")
        return sorted(p.as_posix().partition("/files/")[2] or p.name for p in found if p.is_file())

    def schema(self, path: str = "priv/repo/dev.sqlite3") -> dict[str, Any]:
        """The tables of a database, as they stand."""
        database = connect(f"sqlite:///{path}", root=self.root)
        with database.read() as session:
            return dict(session.introspect())

    def whole(self) -> None:
        """See to it that nothing is stale or pending, and that the schema is that of the files."""
        self.run("codegen", "--check")
        states = self.run("status", "--json").json()["repos"][0]["migrations"]
        assert {one["state"] for one in states} <= {"up"}, states
        fresh = self.root.parent / "fresh.sqlite3"
        fresh.unlink(missing_ok=True)
        self.run("migrate", "--quiet", env={"ASHFLOW_REPO_URL": f"sqlite:///{fresh}"})
        assert self.schema() == self.schema(str(fresh))
        assert self.query("PRAGMA integrity_check") == [("ok",)]
        assert self.query("PRAGMA foreign_key_check") == []


@pytest.fixture
def project(request: pytest.FixtureRequest, project: Any, forge: Forge) -> Any:
    """A project without resources; its commands are forks, and real where a test is marked so."""
    mark = request.node.get_closest_marker("real")
    if mark and not mark.args:
        return project
    really = mark.args if mark else ()
    return replace(project, ashflow=Forked(project.root, forge, project.ashflow, really))


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, Path]:
    """The projects that were begun already, to be copied."""
    return {}


@pytest.fixture
def begin(
    project: Any, begun: dict[Any, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Day]:
    """Begin a day: `begin(tracked, untracked)`, both applied; the first is committed."""

    def begin(tracked: str = POSTS, untracked: str | None = COLORED, *, rows: str = "") -> Day:
        day = Day(project)
        key = (tracked, untracked)
        if key in begun:
            shutil.rmtree(project.root)
            shutil.copytree(begun[key], project.root, symlinks=True)
        else:
            day.change(tracked, "first")
            project.git.commit("first")
            if untracked is not None:
                day.change(untracked, "second")
            copy = tmp_path_factory.mktemp("begun") / "work"
            shutil.copytree(project.root, copy, symlinks=True)
            begun[key] = copy
        for row in rows.splitlines():
            if row.strip():
                day.query(row)
        return day

    return begin


@pytest.fixture
def logged_git(tmp_path: Path) -> tuple[dict[str, str], Path]:
    """An environment in which every call of git is logged, and the log."""
    folder, log = tmp_path / "bin", tmp_path / "git.log"
    folder.mkdir()
    real = shutil.which("git")
    wrapper = folder / "git"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}, log


@dataclass(frozen=True)
class Hooked:
    """A project whose hooks are there, run by a Python that writes down each of its starts."""

    day: Day
    log: Path

    @property
    def root(self) -> Path:
        """The folder of the project."""
        return self.day.root

    def git(
        self, *arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run git, hooks and all; it may fail."""
        return subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.root,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def started(self) -> list[str]:
        """The hooks that have started a Python since this was asked last."""
        if not self.log.exists():
            return []
        lines = self.log.read_text().splitlines()
        self.log.unlink()
        return [line.split(" hook run ")[1].split()[0] for line in lines]


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    """A Python that writes each of its starts into `started.log` beside it."""
    folder = tmp_path / "the one"  # a name with a blank
    folder.mkdir()
    script = folder / "python"
    script.write_text(
        f'#!/bin/sh\necho "$*" >>"${{0%/*}}/started.log"\nexec {sys.executable} "$@"\n'
    )
    script.chmod(0o755)
    return script


@pytest.fixture
def hooked(begin: Callable[..., Day], interpreter: Path) -> Hooked:
    """A project with a table that is committed and applied, and with the hooks."""
    day = begin(untracked=None)
    located = locate(day.root)
    assert isinstance(located, Located)
    install(located, str(interpreter))
    return Hooked(day, interpreter.with_name("started.log"))


CTRL_C = "ctrl-c"
# Who runs the tests in the background has them ignore Ctrl-C, and Python leaves it so.
ON_A_TERMINAL = """
import signal
from ashflow.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


def run_on_a_terminal(
    project: Any, *arguments: str, answers: Sequence[str] = (), env: dict[str, str] | None = None
) -> tuple[int, str]:
    """Run the command on a terminal of its own, and return its exit code and what is seen."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL, *arguments],
        cwd=project.root,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **(env or {})},
        start_new_session=True,
    )
    os.close(theirs)
    seen, left = "", list(answers)
    deadline = time.monotonic() + 20
    try:
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 0.2)[0]:
                continue
            try:
                seen += os.read(ours, 65536).decode()
            except OSError:  # how Linux says that the other end is closed
                break
            if left and seen.rstrip(" ").endswith("?:"):
                answer = left.pop(0)
                seen += "\n"
                if answer == CTRL_C:
                    time.sleep(0.5)  # a signal just before the read would be seen after it only
                    child.send_signal(signal.SIGINT)
                else:
                    os.write(ours, f"{answer}\n".encode())
        return child.wait(timeout=10), seen.replace("\r\n", "\n")
    finally:
        child.kill()
        child.wait()
        os.close(ours)


@pytest.fixture
def on_a_terminal() -> Callable[..., tuple[int, str]]:
    """Run the command on a terminal of its own; returns its exit code and what is seen there.

    `on_a_terminal(project, "codegen", "name", answers=["1", "ctrl-c"])`
    """
    return run_on_a_terminal
