"""`release.status`: what stands where; it makes and writes nothing."""

from __future__ import annotations

import os

import pytest
from production import execute, table, version

from ashflow import release
from ashflow.errors import AshflowError, DuplicateVersionError, NotADatabaseError


def test_it_returns_what_is_up_and_down_and_missing_and_edited(shop):
    shop.adds(1, "a", table("a"))
    shop.adds(2, "b", table("b"))
    shop.migrate()
    (shop.folder / f"{version(1)}_a.py").unlink()
    shop.adds(2, "b", table("other"))
    shop.adds(3, "c", table("c"))
    (found,) = release.status()
    assert (found.name, found.url, found.exists) == ("repo", "sqlite:///app.db", True)
    a, b, c = found.migrations
    assert (a.version, a.name, a.path, a.state, a.edited) == (
        version(1),
        "a",
        None,
        "missing",
        False,
    )
    assert b == release.State(
        version(2), "b", f"priv/repo/migrations/{version(2)}_b.py", "up", b.applied_at, edited=True
    )
    assert b.applied_at.endswith("Z")
    assert (c.state, c.applied_at) == ("down", None)


def test_a_database_that_is_not_there_is_not_made(shop):
    shop.adds(1, "a", table("a"))
    before = sorted(shop.root.rglob("*"))
    (found,) = release.status([shop.repo()])
    assert (found.exists, [state.state for state in found.migrations]) == (False, ["down"])
    assert sorted(shop.root.rglob("*")) == before


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_it_does_not_wait_for_who_writes_and_writes_nothing(shop, journal):
    shop.adds(1, "a", table("a"))
    shop.migrate()
    shop.ask(f"PRAGMA journal_mode = {journal}")
    shop.runs(2, "b", "from ashflow import release\nopen('inside', 'w').close()")
    before = shop.path.read_bytes()
    with held(shop):
        assert shop.states() == [("a", "up"), ("b", "down")]
    assert shop.path.read_bytes() == before
    assert not (shop.root / "inside").exists()


def held(shop):
    """Hold the write lock of the database."""
    import sqlite3
    from contextlib import contextmanager

    @contextmanager
    def holding():
        db = sqlite3.connect(shop.path, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")
        db.close()

    return holding()


def test_several_repos_are_told_in_the_order_in_which_they_are_asked_for(shop):
    shop.adds(1, "a", table("a"))
    repos = [
        release.Repo(name, url=f"sqlite:///{name}.db", migrations=shop.folder) for name in "zay"
    ]
    release.migrate(repos[:1])
    assert [(one.name, one.exists) for one in release.status(repos)] == [
        ("z", True),
        ("a", False),
        ("y", False),
    ]


def test_what_can_not_be_read_is_said(shop):
    shop.adds(1, "a", table("a"))
    shop.path.write_text("a letter and no database, which is long enough to be one " * 5)
    with pytest.raises(NotADatabaseError, match="is no SQLite database"):
        release.status()
    shop.path.unlink()
    shop.adds(1, "b", table("b"))
    with pytest.raises(DuplicateVersionError):
        release.status()


def test_a_file_that_does_not_load_is_no_hindrance_before_it_is_applied(shop):
    (shop.folder / f"{version(1)}_a.py").write_text("nonsense(")
    assert shop.states() == [("a", "down")]
    with pytest.raises(AshflowError, match="no Python"):
        shop.migrate()


def test_the_results_are_values(shop):
    shop.adds(1, "a", table("a"), execute("SELECT 1"))
    done = shop.migrate()
    assert isinstance(done, release.Migrated)
    assert [type(one) for one in done.migrations] == [release.Done]
    (one,) = done.migrations
    assert (one.version, one.name, one.direction, one.ms > 0) == (version(1), "a", "up", True)
    assert done.warnings == ()
    with pytest.raises(AttributeError):
        done.name = "other"
    assert os.fspath(shop.folder) not in repr(done)
