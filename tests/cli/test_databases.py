"""`ashflow create`, `drop`, `setup` and `reset`."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

pytestmark = pytest.mark.real

MIGRATION = """
    from ashflow.migration import Column, CreateTable, Migration

    migration = Migration(
        operations=[CreateTable("a", columns=[Column("id", "integer", primary_key=True)])],
    )
"""


def test_create_makes_a_database_once(project, ashflow):
    first = ashflow("create", "--json")
    assert first.json() == {"repos": [{"name": "repo", "done": True}]}
    with project.sqlite() as db:
        db.execute("CREATE TABLE mine (id)")
    assert ashflow("create").out == "repo: is there already\n"
    with project.sqlite() as db:
        assert db.execute("SELECT count(*) FROM mine").fetchone() == (0,)


def test_drop_asks_and_takes_all_files_of_the_database(project, ashflow):
    ashflow("create")
    with project.sqlite() as db:
        db.execute("PRAGMA journal_mode = wal")
        db.execute("CREATE TABLE mine (id)")
        refused = ashflow("drop")
        assert refused.code == 1
        assert "--yes" in refused.err
        assert (project.root / "priv/repo/dev.sqlite3").exists()
    assert ashflow("drop", "--yes").out == "repo: dropped\n"
    assert not list((project.root / "priv/repo").glob("dev.sqlite3*"))
    assert ashflow("drop").out == "repo: was not there\n"


def test_drop_takes_no_for_an_answer(project, ashflow):
    ashflow("create")
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ashflow", "drop"],
        cwd=project.root,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    os.write(main, b"n\n")
    assert process.wait() == 1
    shown = os.read(main, 10_000).decode()
    os.close(main)
    assert "sqlite:///priv/repo/dev.sqlite3" in shown
    assert (project.root / "priv/repo/dev.sqlite3").exists()


def test_setup_creates_and_migrates_and_can_be_repeated(project, ashflow):
    project.write("priv/repo/migrations/20260101000001_a.py", MIGRATION)
    assert ashflow("setup").out == "repo: applied 1 migration\n"
    assert ashflow("setup").out == "repo: nothing to do\n"


def test_reset_begins_anew(project, ashflow):
    project.write("priv/repo/migrations/20260101000001_a.py", MIGRATION)
    ashflow("setup")
    with project.sqlite() as db:
        db.execute("INSERT INTO a VALUES (1)")
    refused = ashflow("reset")
    assert (refused.code, "--yes" in refused.err) == (1, True)
    assert ashflow("reset", "--yes").out == "repo: applied 1 migration\n"
    with project.sqlite() as db:
        assert db.execute("SELECT count(*) FROM a").fetchone() == (0,)


def test_reset_loads_the_migrations_before_it_drops_anything(project, ashflow):
    project.write("priv/repo/migrations/20260101000001_a.py", MIGRATION)
    ashflow("setup")
    project.write("priv/repo/migrations/20260101000002_b.py", "raise ValueError\n")
    failed = ashflow("reset", "--yes")
    assert failed.code == 2
    with project.sqlite() as db:
        assert db.execute("SELECT count(*) FROM a").fetchone() == (0,)


def test_a_database_that_somebody_writes_to_is_not_dropped(project, ashflow):
    project.write("pyproject.toml", project.read("pyproject.toml") + "lock_timeout = 0.2\n")
    ashflow("create")
    with project.sqlite() as db:
        db.execute("BEGIN IMMEDIATE")
        failed = ashflow("drop", "--yes")
        assert failed.code == 1
        assert "lock" in failed.err
        db.execute("CREATE TABLE mine (id)")
        db.execute("COMMIT")
    with project.sqlite() as db:
        assert db.execute("SELECT count(*) FROM mine").fetchone() == (0,)
