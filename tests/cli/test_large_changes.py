"""Changing tables with many rows, or with values that go: what is shown, kept, and undone."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from ashflow.project import migrate
from ashflow.project.checkout import open_project

pytestmark = pytest.mark.real

MACHINES = """
    from ashflow import Resource, integer_primary_key, statement

    class Machine(Resource, table="machines"):
        id: int = integer_primary_key()
        name: str | None
        rpm: int | None
"""
DATABASE = "priv/repo/dev.sqlite3"
# Who runs the tests in the background has them ignore Ctrl-C, and Python leaves it so.
HEARS_CTRL_C = """
import signal
from ashflow.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


@pytest.fixture
def machines(project, ashflow):
    """A project with a table, and a change of it that is waiting: `machines(source, rows)`."""

    def begin(changed, rows=3, sql=()):
        project.resources(MACHINES)
        ashflow("codegen", "create_machines")
        ashflow("migrate")
        with project.sqlite() as db:
            db.execute(
                "INSERT INTO machines (name, rpm) "
                "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < ?) "
                "SELECT 'machine ' || v, v FROM n",
                (rows,),
            )
            for one in sql:
                db.execute(one)
        project.resources(changed)
        assert ashflow("codegen", "change_machines").code == 0
        return project

    return begin


NOT_NULL = MACHINES.replace("name: str | None", "name: str")
NARROW = MACHINES.replace("name: str | None", "name: int | None")


def dump(project):
    with project.sqlite() as db:
        return list(db.iterdump())


def copies(project):
    return sorted((project.root / ".git/ashflow").glob("*/parked/*"))


def test_a_person_sees_how_far_it_has_come(machines, on_a_terminal):
    project = machines(NOT_NULL, rows=120_000)
    code, seen = on_a_terminal(project, "migrate", "--rebuild")
    assert code == 0
    assert "copying machines" in seen
    assert "comparing machines" in seen
    assert "120000/120000" in seen
    assert "rows," in seen
    assert "left" in seen
    assert seen.rstrip().endswith("repo: applied 1 migration")


def test_a_program_sees_no_bar(machines, ashflow):
    machines(NOT_NULL, rows=120_000)
    done = ashflow("migrate", "--rebuild", "--json")
    assert done.code == 0
    assert "copying" not in done.err


@pytest.mark.parametrize("flag", ["--log-sql", "--json"])
def test_ctrl_c_undoes_a_long_change(machines, ashflow, flag):
    project = machines(NOT_NULL, rows=700_000, sql=["CREATE INDEX by_name ON machines (name)"])
    before = dump(project)
    running = subprocess.Popen(
        [sys.executable, "-c", HEARS_CTRL_C, "migrate", "--rebuild", flag],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = project.root / f"{DATABASE}-journal"
    while not journal.exists() and running.poll() is None:
        time.sleep(0.001)
    time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    started = time.monotonic()
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert time.monotonic() - started < 20
    assert "interrupted: what was not committed is undone" in out + err
    assert "Traceback" not in err
    assert dump(project) == before
    assert ashflow("migrate").code == 0


def test_a_table_is_made_anew_and_proved_only_where_that_is_asked_for(machines, ashflow):
    machines(NOT_NULL)
    edited = ashflow("migrate", "--log-sql").err
    assert "UPDATE sqlite_schema" in edited
    back = ashflow("rollback", "--rebuild", "--no-verify", "--log-sql").err
    assert "UPDATE sqlite_schema" not in back
    assert 'DROP TABLE "machines"' in back
    dry = ashflow("migrate", "--rebuild", "--dry-run").out
    real = ashflow("migrate", "--rebuild", "--log-sql").err
    told = [line for line in real.splitlines() if not line.startswith(("  up", "-- "))]
    assert dry.splitlines() == told


# A copy of the database


def test_the_database_is_copied_before_a_type_is_narrowed(machines, ashflow):
    project = machines(NARROW)
    done = ashflow("migrate")
    assert done.code == 0
    (copy,) = copies(project)
    assert copy.stat().st_mode & 0o777 == 0o600
    told = "column machines.name (a value in 3 rows) will get a narrower type; a copy of the"
    assert told in done.err
    assert str(copy) in done.err
    with project.sqlite(str(copy)) as db:
        assert db.execute("SELECT name FROM machines").fetchall()[0] == ("machine 1",)
    assert "will get" not in ashflow("rollback").err  # a text takes every number


def test_a_change_that_drops_nothing_keeps_no_copy(machines, ashflow):
    project = machines(NOT_NULL)
    ashflow("migrate")
    assert copies(project) == []


@pytest.mark.parametrize(("limit", "kept"), [("0", 0), ("0.001", 0), ("500", 1)])
def test_a_database_above_the_limit_is_not_copied_and_that_is_said(machines, ashflow, limit, kept):
    project = machines(NARROW)
    text = project.read("pyproject.toml")
    line = f'url = "sqlite:///{DATABASE}"\n'
    assert line in text
    project.write("pyproject.toml", text.replace(line, f"{line}backup_limit_mb = {limit}\n"))
    done = ashflow("migrate")
    assert done.code == 0
    assert len(copies(project)) == kept
    said = f"no copy is kept, as 0 MB are more than backup_limit_mb = {limit}"
    assert (said in done.err) == (not kept)
    assert "will get a narrower type" in done.err


def test_a_limit_that_is_no_size_is_refused(machines, ashflow):
    project = machines(NARROW)
    text = project.read("pyproject.toml")
    line = f'url = "sqlite:///{DATABASE}"\n'
    project.write("pyproject.toml", text.replace(line, f'{line}backup_limit_mb = "much"\n'))
    done = ashflow("migrate")
    assert done.code == 2
    assert "backup_limit_mb = 500, in megabytes" in done.err


def test_others_can_write_until_the_change_begins_and_as_soon_as_it_is_done(machines):
    project = machines(NARROW)
    free = {}

    def tell(event):
        with closing(sqlite3.connect(project.root / DATABASE, timeout=0)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                free[type(event).__name__] = False
            else:
                free[type(event).__name__] = True

    opened = open_project(project.root, {}, tell=tell)
    migrate.run(opened, migrate.plan_up(opened, opened.repos()))
    assert len(copies(project)) == 1
    assert free == {"Warned": True, "Began": False, "Ended": True}  # Warned: the copy is made


# What is in no snapshot

BY_HAND = (
    "ALTER TABLE machines ADD COLUMN secret TEXT",
    "UPDATE machines SET secret = 's'",
    "CREATE INDEX by_hand ON machines (secret)",
    "CREATE TRIGGER look AFTER INSERT ON machines BEGIN SELECT 1; END",
)


@pytest.mark.parametrize("how", [(), ("--rebuild",)])
def test_what_somebody_made_by_hand_is_kept_and_named(machines, ashflow, how):
    project = machines(NOT_NULL, sql=BY_HAND)
    done = ashflow("migrate", *how)
    assert done.code == 0
    told = "machines has what no snapshot tells of, and keeps it: "
    assert f"repo: {told}column secret, index by_hand, trigger look" in done.err
    back = ashflow("rollback", *how)
    assert back.code == 0
    assert f"repo: {told}column secret, index by_hand, trigger look" in back.err
    with project.sqlite() as db:
        assert db.execute("SELECT DISTINCT secret FROM machines").fetchall() == [("s",)]
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    assert {"by_hand", "look"} <= names


def test_a_name_that_is_a_part_of_another_is_named_too(machines, ashflow):
    names = ("mach", "id2", "type", "table_name")
    machines(NOT_NULL, sql=[f"ALTER TABLE machines ADD COLUMN {name} TEXT" for name in names])
    told = ", ".join(f"column {name}" for name in names)
    assert f"keeps it: {told}" in ashflow("migrate").err


def test_what_a_statement_or_a_migration_made_is_known(project, ashflow):
    stated = (
        MACHINES
        + """
        look = statement(
            up="CREATE TRIGGER look AFTER INSERT ON machines BEGIN SELECT 1; END",
            down="DROP TRIGGER look",
        )
"""
    )
    project.resources(stated)
    ashflow("codegen", "create_machines")
    project.write(
        "priv/repo/migrations/99990101000000_mine.py",
        "from ashflow.migration import Execute, Migration\n\n"
        'migration = Migration(operations=[Execute(up="CREATE INDEX mine ON machines (rpm)", '
        'down="DROP INDEX mine")])\n',
    )
    ashflow("migrate")
    project.resources(stated.replace("name: str | None", "name: str"))
    ashflow("codegen", "change_machines")
    done = ashflow("migrate")
    assert done.code == 0
    assert "no snapshot" not in done.err


def test_a_snapshot_that_cannot_be_read_does_not_fail_what_is_done(machines, ashflow):
    project = machines(NOT_NULL, sql=BY_HAND)
    newest = sorted((project.root / "priv/resource_snapshots/repo/machines").iterdir())[-1]
    newest.write_text("{")
    done = ashflow("migrate")
    assert done.code == 0
    assert "what else is in the changed tables can't be told: snapshot priv/" in done.err
    with project.sqlite() as db:
        assert db.execute("SELECT count(*) FROM ashflow_migrations").fetchone() == (2,)


def test_a_new_table_is_not_looked_at(project, ashflow):
    project.resources(MACHINES)
    ashflow("codegen", "create_machines")
    assert "no snapshot" not in ashflow("migrate").err


def test_a_table_with_a_column_of_somebody_else_is_not_dropped(machines, ashflow):
    project = machines(NOT_NULL, sql=BY_HAND[:2])
    before = dump(project)
    done = ashflow("rollback")
    assert done.code != 0
    assert "a column that the migration does not know, secret" in done.err
    assert dump(project) == before
