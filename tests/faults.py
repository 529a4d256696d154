"""What can go wrong while a database is changed, made to go wrong: for the tests alone.

A `Plan` says what happens, and when: at the n-th statement that is run on any connection, or after
so many steps of SQLite's machine, in the middle of one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from ashflow.adapters.connect import connect
from ashflow.adapters.protocol import CAREFUL, Care
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddIndex,
    AlterColumn,
    DropColumn,
    DropIndex,
    Execute,
    Fill,
    RenameColumn,
)
from ashflow.history.ledger import Applied
from ashflow.schema.table import Column

STEPS = 50
"""How many steps of SQLite's machine lie between two chances to be killed."""


@dataclass
class Plan:
    """What goes wrong, and when.

    Args:
        at: Which statement, or which chance in the middle of one; 0: none.
        deed: `error`, `ctrl-c` or `kill`.
        inside: Whether it happens inside a statement.
        pages: How many pages the file may have; 0: as many as it likes.
        seen: How often it could have happened so far.
    """

    at: int = 0
    deed: str = "error"
    inside: bool = False
    pages: int = 0
    seen: int = field(default=0)

    def may_happen(self):
        self.seen += 1
        if self.seen != self.at:
            return
        if self.deed == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.deed == "ctrl-c":
            raise KeyboardInterrupt
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error

    @property
    def happened(self):
        return 0 < self.at <= self.seen


PLAN = Plan()


class Faulty(sqlite3.Connection):
    """A connection on which the plan comes true."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        super().execute("PRAGMA cache_size = 1")  # what is written gets to the file at once
        if PLAN.pages:
            super().execute(f"PRAGMA max_page_count = {PLAN.pages}")

    def execute(self, sql, *args):
        if not PLAN.inside:
            PLAN.may_happen()
        return super().execute(sql, *args)

    def set_progress_handler(self, handler, steps):
        if PLAN.inside:
            super().set_progress_handler(PLAN.may_happen, STEPS)
        else:
            super().set_progress_handler(handler, steps)


@contextmanager
def faulty(plan):
    """Have all connections that are opened inside follow a plan."""
    global PLAN
    whole, PLAN = sqlite3.connect, plan
    sqlite3.connect = lambda *args, **kwargs: whole(*args, factory=Faulty, **kwargs)
    try:
        yield plan
    finally:
        sqlite3.connect, PLAN = whole, Plan()


@dataclass(frozen=True)
class Scenario:
    """A change that goes one of the ways that a change can go.

    Args:
        operations: What is done.
        sql: What is there before it, but for the table and its rows.
        table: The definition of the table.
        care: How carefully it is done.
    """

    operations: tuple
    sql: tuple = ()
    table: str = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, b TEXT UNIQUE)"
    care: Care = CAREFUL


A, B = Column("a", "text", nullable=True), Column("b", "text", nullable=True)
NOT_NULL = AlterColumn("t", old=A, new=Column("a", "text"))
AROUND = (
    "CREATE TABLE child (t_id INTEGER NOT NULL REFERENCES t (id) ON DELETE CASCADE)",
    "INSERT INTO child SELECT id FROM t WHERE id % 3 = 0",
    "CREATE INDEX by_a ON t (a) WHERE b IS NOT NULL",
    "CREATE VIEW seen AS SELECT a, t_id FROM t JOIN child ON t.id = t_id",
    "CREATE VIRTUAL TABLE found USING fts5 (a, content='t', content_rowid='id')",
    "INSERT INTO found (rowid, a) SELECT id, a FROM t",
    (
        "CREATE TRIGGER changed AFTER UPDATE ON t BEGIN "
        "INSERT INTO found (found, rowid, a) VALUES ('delete', OLD.id, OLD.a); "
        "INSERT INTO found (rowid, a) VALUES (NEW.id, NEW.a); END"
    ),
    "ANALYZE",
)
SCENARIOS = {
    "edited": Scenario((NOT_NULL, AddCheck("t", "length(a) > 0", name="some")), AROUND),
    "made anew": Scenario((NOT_NULL,), AROUND, care=Care(rebuild=True)),
    "copied out": Scenario(
        (AddCheck("t", "t.id > 0", name="own_name"),),
        AROUND,
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, b TEXT UNIQUE "
        "CHECK (t.b <> ''))",
        care=Care(rebuild=True),
    ),
    "a default that rows are made of": Scenario(
        (
            AlterColumn(
                "t", old=Column("n", "integer", default=5), new=Column("n", "integer", default=7)
            ),
        ),
        ("ALTER TABLE t ADD COLUMN n INTEGER NOT NULL DEFAULT 5",),
    ),
    "a column dropped by SQLite": Scenario(
        (DropColumn("t", A),), table="CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT)"
    ),
    "several at once": Scenario(
        (
            RenameColumn("t", "b", "c"),
            AddColumn("t", Column("n", "integer")),
            Fill("t", "n", "id * 2"),
            AddIndex("t", ["n"], name="by_n", unique=True),
            DropIndex("t", ["a"], name="by_a", where="c IS NOT NULL"),
            Execute(up=["CREATE TABLE log (what)", "INSERT INTO log SELECT n FROM t"]),
        ),
        AROUND,
    ),
    "without rowid": Scenario(
        (NOT_NULL,),
        table="CREATE TABLE t (b TEXT, id INTEGER, a TEXT, PRIMARY KEY (id, b)) WITHOUT ROWID",
        care=Care(rebuild=True),
    ),
}
ROW = Applied(0, "20260101000002", "change", "c" * 64, "{}", "2026-01-01T00:00:00.000Z")


def make(folder, scenario, mode):
    """Make the database of a scenario; returns its file."""
    path = Path(folder) / "base.db"
    with closing(connect("sqlite:///base.db", root=path.parent)) as database:
        database.create()
        with database.locked() as session:
            session.record(Applied(0, "20260101000001", "first", "", "{}", ""))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
        db.execute(scenario.table)
        db.executemany(
            "INSERT INTO t (id, a, b) VALUES (?, ?, ?)",
            [(n * 3, f"row {n} " * 20, f"b{n}") for n in range(1, 90)],
        )
        for sql in scenario.sql:
            db.execute(sql)
    return path


def change(path, scenario):
    """Do what a scenario does, in one transaction with its row of the ledger."""
    with (
        closing(
            connect("sqlite:///base.db", root=path.parent, care=scenario.care, lock_timeout=0.3)
        ) as database,
        database.locked() as session,
    ):
        session.run(scenario.operations)
        session.record(ROW)


def contents(path):
    """All that a database holds, as text, after SQLite has looked whether it is whole."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'found'").fetchone():
            db.execute("INSERT INTO found (found) VALUES ('integrity-check')")
        names = db.execute("SELECT name FROM sqlite_master WHERE rootpage > 0 AND type = 'table'")
        tables = sorted(name for (name,) in names if not name.startswith("found_"))
        made = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name")
        rows = [db.execute(f'SELECT * FROM "{name}" ').fetchall() for name in tables]
        return repr((made.fetchall(), rows))


def kill_everywhere(folder, name, mode, inside):
    """Kill a change at every point that there is, each time from the start.

    Returns:
        How many points there were; each has ended in before or after.
    """
    scenario = SCENARIOS[name]
    fresh = make(folder, scenario, mode)
    before = contents(fresh)
    work = Path(folder) / "work"
    for at in count(1):
        work.mkdir()
        path = shutil.copy(fresh, work)
        child = os.fork()
        if child == 0:
            with faulty(Plan(at, "kill", inside)):
                change(Path(path), scenario)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        found = contents(path)
        shutil.rmtree(work)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return at - 1, found != before
        assert os.WTERMSIG(status) == signal.SIGKILL
        assert found == before, f"killed at {at}"
    raise AssertionError


if __name__ == "__main__":
    found = kill_everywhere(*sys.argv[1:4], sys.argv[4] == "inside")
    sys.stdout.write(json.dumps(found))
