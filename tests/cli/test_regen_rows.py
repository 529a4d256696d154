"""Rows and regen: states in between need not be legal, and what goes is counted and parked."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
PARENT = '\nclass Team(Resource, table="teams"):\n    id: int = integer_primary_key()\n'
STAGE = 'class Stage(Enum):\n    A = "a"\n{more}\n'

LOOSENED = {
    "a column that became nullable": (
        POSTS,
        POSTS.replace("title: str", "title: str | None"),
        "INSERT INTO posts (title) VALUES (NULL)",
        "1 row would have NULL in posts.title",
    ),
    "an identity that went": (
        POSTS + '    unique_title = identity("title")\n',
        POSTS,
        "INSERT INTO posts (title) VALUES ('A'), ('A')",
        "2 rows of posts would not be unique",
    ),
    "a check that went": (
        POSTS + "    rpm: int = 0\n    positive = check('rpm >= 0')\n",
        POSTS + "    rpm: int = 0\n",
        "INSERT INTO posts (title, rpm) VALUES ('A', -1)",
        "1 row of posts would not meet the check posts_positive_check",
    ),
    "a foreign key that went": (
        PARENT + POSTS + "    team = belongs_to(Team)\n",
        PARENT + POSTS + "    team_id: int\n",
        "INSERT INTO posts (title, team_id) VALUES ('A', 7)",
        "1 row of posts would refer to rows of teams that are not there",
    ),
    "a new value of an enum": (
        STAGE.format(more="") + POSTS + "    stage: Stage = Stage.A\n",
        STAGE.format(more='    B = "b"\n') + POSTS + "    stage: Stage = Stage.A\n",
        "INSERT INTO posts (title, stage) VALUES ('A', 'b')",
        "1 row of posts would not meet the check",
    ),
    "a type that widened": (
        POSTS.replace('"posts"', '"posts", strict=True') + "    n: int = 0\n",
        POSTS.replace('"posts"', '"posts", strict=True') + "    n: str = '0'\n",
        "INSERT INTO posts (title, n) VALUES ('A', 'many')",
        "can't change",
    ),
    "a primary key that was another": (
        POSTS.replace("integer_primary_key()", "attribute(primary_key=True)"),
        POSTS.replace(
            "integer_primary_key()\n    title: str",
            "attribute(primary_key=True)\n    title: str = attribute(primary_key=True)",
        ),
        "INSERT INTO posts (id, title) VALUES (1, 'A'), (1, 'B')",
        "2 rows of posts would not be unique in",
    ),
}


@pytest.mark.parametrize("kind", LOOSENED)
def test_rows_that_only_the_untracked_state_allows_stay_with_m_and_are_counted_without(begin, kind):
    tracked, untracked, insert, said = LOOSENED[kind]
    day = begin(tracked, untracked, rows=insert)
    rows = day.query("SELECT * FROM posts")
    day.declare(untracked + "    extra: int = 3\n")
    before = day.everything()
    error = day.regen(code=1)
    assert error["code"] in {"rows-forbid", "migration-failed"}
    assert said in error["message"]
    assert "-m" in error["hint"]
    assert day.everything() == before
    told = day.regen("-m")
    assert len(told["rolled_back"]) == 1
    assert day.query("SELECT * FROM posts") == [(*row, 3) for row in rows]
    day.query("DELETE FROM posts")
    day.whole()


def test_resources_taken_back_over_rows_that_forbid_it_change_nothing(begin):
    tracked, untracked, insert, said = LOOSENED["a column that became nullable"]
    day = begin(tracked, untracked, rows=insert)
    day.declare(tracked)
    before = day.everything()
    for flags in ([], ["-m"]):
        error = day.regen(*flags, code=1)
        assert said in error["message"]
        assert "regen NAME -m" not in error["hint"]
    assert day.everything() == before


def test_values_that_would_go_are_counted_and_asked_for(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red'), ('B', NULL)")
    day.declare(POSTS)
    before = day.everything()
    error = day.regen("-m", code=1)
    assert error["code"] == "declined"
    assert "column posts.color (a value in 1 row)" in error["message"]
    assert "--yes" in error["hint"]
    assert day.everything() == before


def test_what_goes_with_yes_is_parked_in_the_store(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red'), ('B', NULL)")
    day.declare(POSTS)
    told = day.regen("-m", "--yes")
    parked = day.root / told["parked"]
    assert not told["parked"].startswith("/")
    assert stat.S_IMODE(parked.stat().st_mode) == 0o600
    with closing(sqlite3.connect(parked)) as db:
        assert db.execute("SELECT id, color FROM posts").fetchall() == [(1, "red"), (2, None)]
    assert day.query("SELECT * FROM posts") == [(1, "A"), (2, "B")]
    day.whole()


def test_the_place_of_the_parked_copy_is_told(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.declare(POSTS)
    result = day.run("regen", "again", "--yes")
    (parked,) = day.store().rglob("rows.sqlite3")
    assert f"parked column posts.color (a value in 1 row) in {parked}" in result.out


def test_a_type_that_is_narrowed_is_parked_and_not_asked_about(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', '7')")
    day.declare(POSTS + "    color: int | None\n")
    told = day.regen("-m")
    with closing(sqlite3.connect(day.root / told["parked"])) as db:
        assert db.execute("SELECT color FROM posts").fetchall() == [("7",)]
    assert day.query("SELECT color FROM posts") == [(7,)]
    day.whole()


def test_a_column_that_changes_into_a_computed_one_is_a_loss(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.declare(POSTS + '    color: str = attribute(generated_as="upper(title)")\n')
    error = day.regen("-m", code=1)
    assert "posts.color" in error["message"]
    day.regen("-m", "--yes")
    assert day.query("SELECT color FROM posts") == [("A",)]
    day.whole()


def test_a_table_that_goes_is_counted_under_the_name_that_it_has(begin):
    tags = '\nclass Tag(Resource, table="{name}"):\n    id: int = integer_primary_key()\n'
    day = begin(POSTS + tags.format(name="tags"), POSTS + tags.format(name="tags"))
    day.declare(POSTS + tags.format(name="labels") + "    word: str | None\n")
    day.run("codegen", "words", "--rename", "tags=labels")
    day.run("migrate")
    day.query("INSERT INTO labels (word) VALUES ('w')")
    day.declare(POSTS + tags.format(name="tags"))
    error = day.regen("-m", code=1)
    assert "column labels.word (a value in 1 row)" in error["message"]
    day.regen("-m", "--yes")
    assert day.query("SELECT * FROM tags") == [(1,)]
    day.whole()


def test_a_way_that_holds_sql_really_goes_down_and_up_and_what_it_drops_is_carried(begin):
    day = begin(POSTS, None, rows="INSERT INTO posts (title) VALUES ('A')")
    day.declare(COLORED)
    day.run("codegen", "second")
    path = day.path("second")
    day.edit(path, "import AddColumn", "import AddColumn, Execute")
    day.edit(
        path,
        "    ],\n",
        '        Execute(up="CREATE TABLE log (n)", down="DROP TABLE log"),\n    ],\n',
    )
    day.run("migrate")
    day.query("INSERT INTO log VALUES (1)")
    day.query("UPDATE posts SET color = 'red'")
    day.declare(COLORED + "    weight: float = 1.5\n")
    told = day.regen("-m", "--discard-edits")
    assert told["rows_carried"] == 1
    assert day.query("SELECT * FROM posts") == [(1, "A", "red", 1.5)]
    with closing(sqlite3.connect(day.root / told["parked"])) as db:
        assert db.execute("SELECT * FROM log").fetchall() == [(1,)]
    day.whole()


def test_a_statement_that_stays_as_it_is_keeps_what_it_made(begin):
    made = POSTS + (
        "    color: str | None\n"
        '    search = statement(up="CREATE VIRTUAL TABLE search USING fts5(body)", '
        'down="DROP TABLE search")\n'
    )
    day = begin(POSTS, made, rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.query("INSERT INTO search VALUES ('words')")
    day.declare(made + "    weight: float = 1.5\n")
    told = day.regen("-m")
    assert told["rows_carried"] == 1
    assert told["parked"] is None
    assert day.query("SELECT * FROM posts") == [(1, "A", "red", 1.5)]
    assert day.query("SELECT * FROM search") == [("words",)]
    day.whole()


def test_what_a_statement_made_that_changes_is_carried_and_a_copy_is_parked_unasked(begin):
    search = POSTS + (
        '    search = statement(up="CREATE VIRTUAL TABLE search USING fts5(body)", '
        'down="DROP TABLE search")\n'
    )
    day = begin(POSTS, search, rows="INSERT INTO posts (title) VALUES ('A')")
    day.query("INSERT INTO search VALUES ('words')")
    day.declare(search.replace("(body)", "(body, more)") + "    color: str | None\n")
    told = day.regen("-m")
    assert day.query("SELECT * FROM posts") == [(1, "A", None)]
    assert day.query("SELECT body, more FROM search") == [("words", None)]
    with closing(sqlite3.connect(day.root / told["parked"])) as db:
        assert db.execute("SELECT * FROM search").fetchall() == [("words",)]
    day.whole()


def test_a_run_function_is_really_run_back(begin):
    day = begin(POSTS, None, rows="INSERT INTO posts (title) VALUES ('A')")
    day.declare(COLORED)
    day.run("codegen", "second")
    path = day.path("second")
    day.edit(
        path, "import AddColumn, Column, Migration", "import AddColumn, Column, Migration, Run"
    )
    day.edit(
        path,
        "migration = ",
        "def up(db):\n    db.execute(\"UPDATE posts SET title = 'up'\")\n\n\n"
        "def down(db):\n    db.execute(\"UPDATE posts SET title = 'down'\")\n\n\nmigration = ",
    )
    day.edit(path, "    ],\n", "        Run(up=up, down=down),\n    ],\n")
    day.run("migrate")
    day.regen("-m", "--discard-edits")
    assert day.query("SELECT * FROM posts") == [(1, "down", None)]
    day.whole()


def test_foreign_keys_between_new_and_tracked_tables(begin):
    tags = (
        '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n'
        '    post = belongs_to(Post, on_delete="cascade")\n'
    )
    day = begin(POSTS, POSTS + "    cover_id: int | None\n" + tags)
    day.query("INSERT INTO posts VALUES (1, 'A', 9)")
    day.query("INSERT INTO tags VALUES (9, 1)")
    both = POSTS + '    cover = belongs_to("Tag", nullable=True)\n' + tags
    day.declare(both)
    told = day.regen("-m")
    assert told["rows_carried"] == 2
    assert day.query("SELECT * FROM tags") == [(9, 1)]
    day.whole()


def test_a_retired_column_that_comes_back_is_the_same_column(begin):
    tracked = POSTS + "    body: str | None\n"
    day = begin(tracked, POSTS, rows="INSERT INTO posts (title, body) VALUES ('A', 'B')")
    day.declare(tracked + "    color: str | None\n")
    day.regen("-m")
    assert day.query("SELECT * FROM posts") == [(1, "A", "B", None)]
    day.whole()


def test_a_retired_column_with_nulls_that_comes_back_is_refused_with_a_count(begin):
    tracked = POSTS + "    body: str\n"
    day = begin(tracked, POSTS, rows="INSERT INTO posts (title) VALUES ('A')")
    day.declare(tracked + "    color: str | None\n")
    before = day.everything()
    assert "1 row would have NULL in posts.body" in day.regen("-m", code=1)["message"]
    assert day.everything() == before


def test_a_column_that_was_dropped_on_purpose_comes_back_empty(begin):
    day = begin(POSTS + "    body: str | None\n", None)
    day.query("INSERT INTO posts (title, body) VALUES ('A', 'B')")
    day.declare(POSTS)
    day.run("codegen", "second", "--drop-columns")
    day.run("migrate")
    day.declare(POSTS + "    body: str | None\n    color: str | None\n")
    day.regen("-m")
    assert day.query("SELECT id, title, body, color FROM posts") == [(1, "A", None, None)]
    day.whole()


def test_dropping_a_tracked_column_in_the_new_migration_is_asked_for(begin):
    day = begin(POSTS + "    body: str | None\n", POSTS + "    body: str | None\n    c: int = 1\n")
    day.query("INSERT INTO posts (title, body) VALUES ('A', 'B')")
    day.declare(POSTS + "    c: int = 1\n")
    error = day.regen("-m", "--drop-columns", "--no-renames", code=1)
    assert "column posts.body (a value in 1 row)" in error["message"]
    day.regen("-m", "--drop-columns", "--no-renames", "--yes")
    assert day.query("SELECT * FROM posts") == [(1, "A", 1)]
    day.whole()


def test_many_changes_at_once_keep_all_rows(begin):
    tracked = PARENT + POSTS + "    rpm: int = 0\n    positive = check('rpm >= 0')\n"
    untracked = PARENT + (
        '\nclass Post(Resource, table="posts"):\n    id: int = integer_primary_key()\n'
        "    title: str | None\n    rpm: int = 0\n    team = belongs_to(Team, nullable=True)\n"
        "    color: str | None\n    by_title = index('title')\n"
    )
    day = begin(tracked, untracked)
    day.query("INSERT INTO teams VALUES (1)")
    day.query("INSERT INTO posts (id, rpm, team_id, color) VALUES (1, -5, 1, 'red')")
    day.query("INSERT INTO posts (title, rpm) VALUES ('B', 5)")
    day.declare(untracked.replace("by_title = index('title')", "by_color = identity('color')"))
    told = day.regen("-m")
    assert told["rows_carried"] == 2
    assert day.query("SELECT id, title, rpm, team_id, color FROM posts") == [
        (1, None, -5, 1, "red"),
        (2, "B", 5, None, None),
    ]
    day.whole()


def test_a_database_that_lacks_what_was_applied_is_refused(begin):
    day = begin()
    day.query("ALTER TABLE posts DROP COLUMN color")
    day.declare(COLORED + "    n: int = 1\n")
    before = day.everything()
    for flags in ([], ["-m"], ["-m", "--dry-run"]):
        error = day.regen(*flags, code=2)
        assert error["code"] == "schema"
        assert "has no column posts.color" in error["message"]
    day.query("ALTER TABLE posts RENAME TO pasts")
    assert "has no table posts" in day.regen("-m", code=2)["message"]
    day.query("ALTER TABLE pasts RENAME TO posts")
    assert day.everything() == before


def test_what_the_database_has_besides_stays(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.query("ALTER TABLE posts ADD COLUMN by_hand TEXT DEFAULT 'mine'")
    day.query("CREATE INDEX by_hand ON posts (by_hand)")
    day.query("CREATE VIEW titles AS SELECT title FROM posts")
    day.declare(COLORED.replace("title: str", "title: str | None") + "    n: int = 1\n")
    day.regen("-m")
    assert day.query("SELECT title, color, n, by_hand FROM posts") == [("A", "red", 1, "mine")]
    assert day.query("SELECT name FROM sqlite_master WHERE name = 'by_hand'") == [("by_hand",)]
    assert day.query("SELECT * FROM titles") == [("A",)]
