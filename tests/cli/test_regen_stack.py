"""Regen in a stack of migrations: tracked ones above, several untracked, pulled ones."""

from __future__ import annotations

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
TAGS = '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n'
WORDS = TAGS + "    word: str | None\n"


def stashed(day, source, name, *, migrate=False):
    """Bring a commit of somebody else in, that has a migration of its own on the first commit."""
    git = day.project.git
    day.later()
    git("stash", "--quiet", "--include-untracked")
    day.change(source, name, migrate=migrate)
    git.commit(name)
    git("checkout", "--quiet", "stash@{0}", "--", "shop")
    git("checkout", "--quiet", "stash@{0}^3", "--", "priv")
    git("rm", "--quiet", "--cached", "--ignore-unmatch", "--", *untracked(day))
    git("stash", "drop", "--quiet")


def untracked(day):
    """The files of the stash's third parent: those that were untracked."""
    return day.project.git("ls-tree", "-r", "--name-only", "stash@{0}^3").split()


def test_several_untracked_ones_some_applied_some_pending(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.change(COLORED + "    n: int = 1\n", "third")
    day.query("UPDATE posts SET n = 9")
    day.change(COLORED + "    n: int = 1\n    m: int = 2\n", "fourth", migrate=False)
    day.declare(COLORED + "    n: int = 1\n    m: int = 2\n    k: int = 3\n")
    told = day.regen("-m")
    assert len(told["rolled_back"]) == 2
    assert told["rolled_back"] == sorted(told["rolled_back"], reverse=True)
    assert len(told["removed"]) == 6
    assert day.migrations() == day.applied() == ["first", "again"]
    assert day.query("SELECT title, color, n, m, k FROM posts") == [("A", "red", 9, 2, 3)]
    day.whole()


def test_a_tracked_one_above_that_shares_no_table_stays_applied(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    stashed(day, POSTS + TAGS, "tags", migrate=True)
    day.query("INSERT INTO tags VALUES (7)")
    day.declare(COLORED + "    n: int = 1\n" + TAGS)
    assert day.applied() == ["first", "second", "tags"]
    told = day.regen("-m")
    assert (len(told["rolled_back"]), told["reapplied"]) == (1, [])
    assert day.applied() == ["first", "tags", "again"]
    assert day.query("SELECT * FROM tags") == [(7,)]
    assert day.query("SELECT title, color, n FROM posts") == [("A", "red", 1)]
    day.whole()


@pytest.mark.parametrize("flags", [(), ("-m",)])
def test_a_tracked_one_above_that_shares_a_table_goes_down_and_up_again(begin, flags):
    day = begin(POSTS, COLORED, rows="INSERT INTO posts (title) VALUES ('A')")
    stashed(day, POSTS + "    pulled: int = 5\n", "pulled", migrate=True)
    day.query("UPDATE posts SET pulled = 6")
    version = day.path("pulled").split("/")[-1][:14]
    day.declare(COLORED + "    pulled: int = 5\n    n: int = 1\n")
    before = day.everything()
    error = day.regen(*flags, code=1)
    assert f"Roll back {version}_pulled, which git tracks?" in error["message"]
    assert "--yes" in error["hint"]
    assert day.everything() == before
    told = day.regen(*flags, "--yes")
    assert told["rolled_back"][0] == version
    assert len(told["rolled_back"]) == 2
    assert told["reapplied"] == [version]
    assert day.query("SELECT title, pulled FROM posts") == [("A", 6)]
    assert day.applied() == ["first", "pulled", *(["again"] if flags else [])]
    day.run("migrate")
    day.whole()


def test_a_tracked_one_above_with_raw_sql_shares_with_everything(begin):
    day = begin(POSTS, COLORED, rows="INSERT INTO posts (title) VALUES ('A')")
    day.run("codegen", "--empty", "raw")
    path = day.path("raw")
    day.edit(path, "import Migration", "import Execute, Migration")
    text = day.project.read(path)
    start = text.index("migration = ")
    body = (
        "migration = Migration(\n    operations=[\n"
        '        Execute(up="CREATE TABLE log (n)", down="DROP TABLE log"),\n    ],\n)\n'
    )
    day.project.write(path, text[:start] + body)
    day.run("migrate")
    day.project.git("add", path)
    day.declare(COLORED + "    n: int = 1\n")
    told = day.regen("-m", "--yes")
    assert len(told["rolled_back"]) == 2
    assert len(told["reapplied"]) == 1
    assert told["parked"] is not None
    assert day.applied() == ["first", "raw", "again"]
    day.whole()


def test_pulled_migrations_are_applied_too(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    stashed(day, POSTS + "    pulled: int = 5\n" + TAGS, "pulled")
    day.declare(COLORED + "    pulled: int = 5\n" + TAGS)
    assert day.applied() == ["first", "second"]
    told = day.regen("-m")
    assert (len(told["rolled_back"]), told["reapplied"]) == (1, [])
    assert day.applied() == ["first", "pulled", "again"]
    assert day.query("SELECT title, color, pulled FROM posts") == [("A", "red", 5)]
    day.whole()


def test_pulled_migrations_wait_without_m(begin):
    day = begin(rows="INSERT INTO posts (title) VALUES ('A')")
    stashed(day, POSTS + "    pulled: int = 5\n", "pulled")
    day.declare(COLORED + "    pulled: int = 5\n")
    day.regen()
    assert day.applied() == ["first"]
    assert [c.name for c in day.schema()["posts"].columns] == ["id", "title"]
    day.run("migrate")
    day.whole()


def test_a_fill_in_a_pulled_migration_is_not_forgotten(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    git = day.project.git
    day.later()
    git("stash", "--quiet", "--include-untracked")
    day.declare(POSTS + "    slug: str\n")
    day.run("codegen", "slug")
    path = day.path("slug")
    day.edit(
        path, "import AddColumn, Column, Migration", "import AddColumn, Column, Fill, Migration"
    )
    day.edit(path, "    ],\n", '        Fill("posts", "slug", "lower(title)"),\n    ],\n')
    git.commit("slug")
    git("checkout", "--quiet", "stash@{0}^3", "--", "priv")
    git("rm", "--quiet", "--cached", "--", *untracked(day))
    day.declare(COLORED + "    slug: str\n")
    day.regen("-m")
    assert day.query("SELECT title, color, slug FROM posts") == [("A", "red", "a")]
    day.whole()


def test_a_migration_of_another_branch_without_a_file_stays_where_it_shares_nothing(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.declare(COLORED + TAGS)
    day.run("codegen", "foreign")
    day.run("migrate")
    for path in [day.path("foreign"), *day.snapshots_of("foreign")]:
        (day.root / path).unlink()
    day.declare(COLORED + "    n: int = 1\n")
    told = day.regen("-m")
    assert len(told["rolled_back"]) == 1
    assert day.applied() == ["first", "foreign", "again"]
    assert day.query("SELECT count(*) FROM tags") == [(0,)]


def test_a_migration_of_another_branch_that_shares_a_table_is_asked_about_and_goes(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.change(COLORED + "    n: int = 1\n", "foreign")
    for path in [day.path("foreign"), *day.snapshots_of("foreign")]:
        (day.root / path).unlink()
    day.declare(COLORED + "    m: int = 1\n")
    before = day.everything()
    error = day.regen("-m", code=1)
    assert "_foreign, which has no file here" in error["message"]
    assert "Park column posts.n (a value in 1 row)" in error["message"]
    assert day.everything() == before
    told = day.regen("-m", "--yes")
    assert len(told["rolled_back"]) == 2
    assert day.query("SELECT * FROM posts") == [(1, "A", "red", 1)]
    assert day.query("SELECT n FROM posts", path=told["parked"]) == [(1,)]
    day.whole()


def test_one_of_another_branch_that_shares_no_table_stays_applied(begin):
    day = begin(POSTS, None)
    day.change(POSTS + TAGS, "foreign")
    day.query("INSERT INTO tags VALUES (8)")
    for path in [day.path("foreign"), *day.snapshots_of("foreign")]:
        (day.root / path).unlink()
    day.later()
    day.change(COLORED, "second")
    day.declare(COLORED + "    n: int = 1\n")
    told = day.regen("-m")
    assert len(told["rolled_back"]) == 1
    assert day.applied() == ["first", "foreign", "again"]
    assert day.query("SELECT * FROM tags") == [(8,)]


def test_a_migration_of_another_branch_below_goes_with_its_column(begin):
    day = begin(POSTS, None)
    day.change(POSTS + "    foreign: int = 1\n", "foreign")
    day.query("""INSERT INTO posts (title, "foreign") VALUES ('A', 8)""")
    for path in [day.path("foreign"), *day.snapshots_of("foreign")]:
        (day.root / path).unlink()
    day.later()
    day.change(COLORED, "second")
    day.query("UPDATE posts SET color = 'red'")
    day.declare(COLORED + "    n: int = 1\n")
    told = day.regen("-m", "--yes")
    assert len(told["rolled_back"]) == 2
    assert day.query("SELECT title, color, n FROM posts") == [("A", "red", 1)]
    assert day.query('SELECT "foreign" FROM posts', path=told["parked"]) == [(8,)]
    day.whole()


def test_another_migration_of_the_same_version_is_not_taken_for_the_applied_one(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.query("UPDATE ashflow_migrations SET name = 'theirs' WHERE name = 'second'")
    day.declare(COLORED + "    n: int = 1\n")
    day.regen("-m", "--dry-run")  # it does the same: somebody gave the file another name
    other = '[{"op": "CreateTable", "table": "theirs", "columns": [{"name": "a", "type": "text"}]}]'
    day.query(
        "UPDATE ashflow_migrations SET operations = ? WHERE name = 'theirs'",
        f'{{"format": 1, "transaction": true, "operations": {other}}}',
    )
    before = day.everything()
    error = day.regen("-m", code=2)
    assert "_theirs" in error["message"]
    assert day.path("second") in error["message"]
    assert day.everything() == before


def test_an_untracked_one_whose_file_went_is_taken_back_from_the_ledger(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    snapshots = day.snapshots_of("second")
    (day.root / day.path("second")).unlink()
    day.declare(COLORED + "    n: int = 1\n")
    told = day.regen("-m")
    assert len(told["rolled_back"]) == 1
    assert told["removed"] == snapshots
    assert day.query("SELECT title, color, n FROM posts") == [("A", "red", 1)]
    day.whole()


def test_an_orphan_snapshot_that_was_never_applied_goes(begin):
    day = begin(POSTS, None)
    day.change(COLORED, "second", migrate=False)
    (day.root / day.path("second")).unlink()
    told = day.regen("-m")
    assert told["rolled_back"] == []
    assert len(told["removed"]) == 1
    day.whole()


def test_an_edited_tracked_migration_goes_down_as_it_was_applied_and_up_as_it_is(begin):
    day = begin(POSTS, COLORED, rows="INSERT INTO posts (title) VALUES ('A')")
    stashed(day, POSTS + "    pulled: int = 5\n", "pulled", migrate=True)
    day.edit(day.path("pulled"), "default=5", "default=6")
    day.declare(COLORED + "    pulled: int = 5\n")
    told = day.regen("-m", "--yes")
    assert len(told["reapplied"]) == 1
    assert day.query("SELECT title, pulled FROM posts") == [("A", 5)]
    day.query("INSERT INTO posts (title) VALUES ('B')")
    assert day.query("SELECT pulled FROM posts WHERE title = 'B'") == [(6,)]


def test_a_table_that_came_and_went_in_untracked_ones(begin):
    day = begin(POSTS, POSTS + TAGS)
    day.declare(COLORED)
    day.run("codegen", "third", "--drop-tables", "--no-renames")
    day.run("migrate")
    day.declare(COLORED + WORDS)
    told = day.regen("-m")
    assert len(told["rolled_back"]) == 2
    assert day.query("SELECT count(word) FROM tags") == [(0,)]
    day.whole()


def test_a_retired_table_that_comes_back_keeps_its_rows(begin):
    day = begin(POSTS + TAGS, POSTS)
    day.query("INSERT INTO tags VALUES (7)")
    day.declare(COLORED + WORDS)
    day.regen("-m")
    assert day.query("SELECT * FROM tags") == [(7, None)]
    day.whole()


def test_a_pulled_fork_of_the_same_table_goes_together_and_is_written_anew_on_top(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    stashed(day, POSTS + "    pulled: int = 5\n", "pulled")
    day.declare(COLORED + "    pulled: int = 5\n")
    day.run("codegen", "--check")
    told = day.run("regen", "second", "-m", "--json").json()["repos"][0]
    assert told["migration"]["version"] > day.path("pulled").split("/")[-1][:14]
    assert day.query("SELECT title, color, pulled FROM posts") == [("A", "red", 5)]
    day.whole()


def test_a_pulled_fork_that_clashes_is_mended_under_the_same_name(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    stashed(day, COLORED.replace("str | None", "str | None = 'blue'"), "pulled")
    error = day.run("codegen", "--check", "--json", code=2).json()["error"]
    assert error["code"] == "forked-snapshot"
    day.declare(COLORED.replace("str | None", "str | None = 'blue'"))
    day.regen("-m", "--yes")
    assert day.migrations() == ["first", "pulled"]
    day.whole()


def test_where_nothing_is_replaced_a_waiting_one_outside_a_transaction_is_refused(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.run("codegen", "--empty", "vacuum")
    path = day.path("vacuum")
    day.edit(path, "import Migration", "import Execute, Migration")
    day.edit(path, "    ],\n", '        Execute(up="VACUUM"),\n    ],\n    transaction=False,\n')
    day.project.git("add", path)
    before = day.everything()
    error = day.run("regen", "second", "-m", "--json", code=2).json()["error"]
    assert "outside a transaction" in error["message"]
    assert day.everything() == before
