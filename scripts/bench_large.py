"""A change of one large table, as `scripts/bench` measures it: by hand, and by ashflow."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from bench_projects import put

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

CREATE = (
    "CREATE TABLE {} (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, code VARCHAR(20) NOT NULL, "
    "a INTEGER NOT NULL, b INTEGER NULL, note TEXT {})"
)
INDEX = "CREATE INDEX ix_big_a ON big (a)"
MIGRATION = '''\
"""Note is not null."""

from ashflow.migration import AlterColumn, Column, Migration

migration = Migration(
    operations=[
        AlterColumn(
            "big",
            old=Column("note", "text", nullable=True),
            new=Column("note", "text"),
        ),
    ],
)
'''
PYPROJECT = """\
[tool.ashflow]
domains = []

[tool.ashflow.repos.repo]
url = "sqlite:///db.sqlite3"
"""
BY_HAND = f"""\
import sqlite3
db = sqlite3.connect("db.sqlite3", isolation_level=None)
db.execute("PRAGMA foreign_keys = OFF")
db.execute("BEGIN")
db.execute({CREATE.format("new_big", "NOT NULL")!r})
db.execute("INSERT INTO new_big (id, code, a, b, note) SELECT id, code, a, b, note FROM big")
db.execute("DROP TABLE big")
db.execute("ALTER TABLE new_big RENAME TO big")
db.execute({INDEX!r})
db.execute("COMMIT")
"""


class Way(NamedTuple):
    """One way to make the column `note` of a large table NOT NULL.

    Args:
        name: What it is called in the table.
        words: The program.
        project: Makes the folder that it runs in, but for the database.
        env: Its environment.
    """

    name: str
    words: Sequence[str]
    project: Callable[[Path], None]
    env: Mapping[str, str]

    def make(self, folder: Path, database: Path) -> Path:
        """Make a folder with a copy of the database, and return it."""
        folder.mkdir(parents=True)
        self.project(folder)
        shutil.copy(database, folder / "db.sqlite3")
        return folder


def ways(program: Sequence[str], env: Mapping[str, str]) -> list[Way]:
    """Return the ways that need no peer: by hand, which comes first, and those of ashflow.

    Args:
        program: How ashflow is called.
        env: The environment that it runs in.
    """
    migrate = [*program, "migrate"]
    return [
        Way("by hand", [sys.executable, "-S", "-E", "-c", BY_HAND], _nothing, env),
        Way("ashflow", migrate, _project, env),
        Way("ashflow --rebuild", [*migrate, "--rebuild"], _project, env),
        Way("... --no-verify", [*migrate, "--rebuild", "--no-verify"], _project, env),
    ]


def build(path: Path, rows: int) -> Path:
    """Make the database: rows of about 100 bytes, no NULL in `note`, an index.

    The tables are in it in which the peers write down what has been applied.
    """
    pad = "abcdefghij" * 6
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(CREATE.format("big", "NULL"))
        db.executemany(
            "INSERT INTO big (code, a, b, note) VALUES (?, ?, ?, ?)",
            ((f"code-{i:010d}", i * 7919 % 1000003, i, f"{pad}{i:08d}") for i in range(rows)),
        )
        db.execute(INDEX)
        db.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        db.execute("INSERT INTO alembic_version VALUES ('r1')")
        db.execute(
            "CREATE TABLE django_migrations (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, "
            "app varchar(255) NOT NULL, name varchar(255) NOT NULL, applied datetime NOT NULL)"
        )
        db.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('app', '0001_initial', '2024-01-01')"
        )
    return path


def _nothing(_folder: Path) -> None:
    """By hand, there is only the database."""


def _project(folder: Path) -> None:
    put(folder / "pyproject.toml", PYPROJECT)
    put(folder / "priv/repo/migrations/20260101000001_note.py", MIGRATION)
