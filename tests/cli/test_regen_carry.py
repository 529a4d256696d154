"""Rows through a regen: what a stretch drops is carried, parked, or waits for `migrate`."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing

import pytest
from kills import contents, facts, put

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
TAGS = '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n    name: str\n'
ROWS = "INSERT INTO posts (title, color) VALUES ('A', 'red'), ('B', NULL), ('C', 'blue')"
DATABASE = "priv/repo/dev.sqlite3"


def by_hand(day, name, made, gone):
    """Write an `Execute` into a migration, so that a regen really goes down and up."""
    path = day.path(name)
    day.edit(path, "from ashflow.migration import ", "from ashflow.migration import Execute, ")
    day.edit(path, "    ],\n)", f"        Execute(up={made!r}, down={gone!r}),\n    ],\n)")


@pytest.fixture
def really(begin):
    """Begin a day whose untracked migration is really run down and up."""

    def really(untracked, *rows, made="CREATE TABLE log (what)", gone="DROP TABLE log"):
        day = begin(POSTS, None)
        day.change(untracked, "second", migrate=False)
        by_hand(day, "second", made, gone)
        day.run("migrate")
        for row in rows:
            day.query(row)
        return day

    return really


def regen(day, source, *flags):
    day.declare(source)
    return day.regen("-m", "--yes", "--no-renames", *flags)


# ------------------------------------------------------------------ a way that is really run
KEYS = {
    "a number": "    id: int = integer_primary_key()\n",
    "a text": "    id: str = attribute(primary_key=True)\n",
    "several columns": "    id: str = attribute(primary_key=True)\n"
    "    part: int = attribute(primary_key=True, default=0)\n",
    "no key but a column": "    id: int = attribute(primary_key=True)\n",
}


@pytest.mark.parametrize("key", KEYS)
def test_whole_tables_and_single_columns_are_carried_by_their_keys(really, key):
    things = '\nclass Thing(Resource, table="things"):\n' + KEYS[key]
    things += "    data: bytes | None\n    word: str | None\n"
    day = really(
        COLORED + things,
        ROWS,
        "INSERT INTO things (id, data, word) VALUES ('3', x'00ff', 'a' || char(0) || 'b'), "
        "('1', NULL, ''), ('9007199254740993', zeroblob(3), 'ü')",
        "INSERT INTO log VALUES (1), (NULL), (x'00')",
    )
    tables = ("* FROM things ORDER BY id", "rowid, * FROM log", "* FROM posts")
    columns = [f"SELECT {table}" for table in tables]
    before = [day.query(sql) for sql in columns]
    told = regen(day, COLORED + things + "    extra: int = 3\n")
    assert told["rows_carried"] == 3 + 3 + 2  # two colours: NULL is no value
    after = [day.query(sql) for sql in columns]
    assert after == [[(*row, 3) for row in before[0]], *before[1:]]
    assert day.query("PRAGMA foreign_key_check") == []
    assert day.query("PRAGMA integrity_check") == [("ok",)]


def test_twenty_thousand_rows_are_carried(really):
    day = really(
        COLORED + TAGS,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "INSERT INTO tags (id, name) SELECT i * 3, 'tag ' || i FROM n",
    )
    before = day.query("SELECT * FROM tags")
    told = regen(day, COLORED + TAGS + "    extra: int = 3\n")
    assert told["rows_carried"] == 20000
    assert day.query("SELECT id, name FROM tags") == before


def test_parents_and_children_are_carried_and_foreign_keys_hold(really):
    teams = '\nclass Team(Resource, table="teams"):\n    id: int = integer_primary_key()\n'
    members = teams + (
        '\nclass Member(Resource, table="members"):\n    id: int = integer_primary_key()\n'
        '    team = belongs_to(Team, on_delete="cascade")\n'
    )
    day = really(
        COLORED + members,
        "INSERT INTO teams VALUES (5), (7)",
        "INSERT INTO members (id, team_id) VALUES (1, 7), (2, 5)",
    )
    regen(day, COLORED + members + "    extra: int = 3\n")
    assert day.query("SELECT id FROM teams") == [(5,), (7,)]
    assert day.query("SELECT id, team_id, extra FROM members") == [(1, 7, 3), (2, 5, 3)]
    assert day.query("PRAGMA foreign_key_check") == []


def test_a_counter_counts_on(really):
    day = really(COLORED + TAGS, "INSERT INTO tags VALUES (41, 'x')", "DELETE FROM tags")
    regen(day, COLORED + TAGS + "    extra: int = 3\n")
    day.query("INSERT INTO tags (name) VALUES ('y')")
    assert day.query("SELECT id FROM tags") == [(42,)]


def test_what_was_there_wins_over_what_the_migration_writes(really):
    made = "INSERT INTO tags (id, name) VALUES (1, 'seed'), (2, 'seed')"
    day = really(
        COLORED + TAGS,
        "UPDATE tags SET name = 'mine' WHERE id = 1",
        "INSERT INTO tags VALUES (3, 'new')",
        made=made,
        gone="DELETE FROM tags",
    )
    # What the way down deletes itself is no loss of a table: the table goes too, and comes back.
    regen(day, COLORED + TAGS + "    extra: int = 3\n")
    assert day.query("SELECT id, name FROM tags") == [(1, "mine"), (2, "seed"), (3, "new")]


def test_a_table_without_a_key_gets_exactly_the_rows_it_had(really):
    made = ["CREATE TABLE log (what)", "INSERT INTO log VALUES ('begin')"]
    day = really(COLORED, "INSERT INTO log VALUES ('a'), ('a')", made=made)
    before = day.query("SELECT rowid, what FROM log")
    assert before == [(1, "begin"), (2, "a"), (3, "a")]
    day.query("DELETE FROM log WHERE what = 'begin'")
    regen(day, COLORED + "    extra: int = 3\n")
    assert day.query("SELECT rowid, what FROM log") == before[1:]


def test_a_changed_type_carries_what_it_does_not_change_and_parks_the_rest(really):
    day = really(
        COLORED + '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n'
        "    name: str | None\n",
        "INSERT INTO tags VALUES (1, '7'), (2, 'many'), (3, NULL)",
    )
    told = regen(
        day,
        COLORED + '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n'
        "    name: int | None\n",
    )
    assert [row[0] for row in day.query("SELECT id FROM tags")] == [1, 2, 3]
    with closing(sqlite3.connect(day.root / told["parked"])) as db:
        kept = db.execute("SELECT id, name FROM tags").fetchall()
    assert kept == [(1, "7"), (2, "many"), (3, None)]


def test_what_has_no_place_is_parked_with_counts_for_its_owner_only(really):
    day = really(COLORED + TAGS, ROWS, "INSERT INTO tags (name) VALUES ('x'), ('y')")
    day.declare(COLORED)
    result = day.run("regen", "again", "-m", "--yes", "--no-renames")
    (parked,) = day.store().rglob("rows.sqlite3")
    assert f"parked table tags (2 rows) in {parked}" in result.out
    assert stat.S_IMODE(parked.stat().st_mode) == 0o600
    assert stat.S_IMODE(day.store().stat().st_mode) == 0o700
    with closing(sqlite3.connect(parked)) as db:
        assert db.execute("SELECT name FROM tags").fetchall() == [("x",), ("y",)]


def test_no_keep_data_keeps_nothing(really):
    day = really(COLORED + TAGS, ROWS, "INSERT INTO tags (name) VALUES ('x')")
    told = regen(day, COLORED + TAGS + "    extra: int = 3\n", "--no-keep-data")
    assert told["parked"] is None
    assert day.query("SELECT * FROM tags") == []
    assert list(day.store().rglob("rows.sqlite3")) == []


def test_rows_that_refer_to_what_is_parked_stop_the_run_with_counts(really):
    teams = '\nclass Team(Resource, table="teams"):\n    id: int = integer_primary_key()\n'
    member = '\nclass Member(Resource, table="members"):\n    id: int = integer_primary_key()\n'
    day = really(
        COLORED + teams + member + "    team = belongs_to(Team)\n",
        "INSERT INTO teams VALUES (5)",
        "INSERT INTO members (id, team_id) VALUES (1, 5)",
        made="DELETE FROM teams",
        gone="SELECT 1",
    )
    before = facts(day.root)
    day.declare(COLORED + teams + member + "    team = belongs_to(Team)\n    extra: int = 3\n")
    day.run("regen", "again", "-m", "--yes")
    assert day.query("SELECT * FROM teams") == [(5,)]
    assert facts(day.root) != before


# ------------------------------------------------------------------ rows that wait
@pytest.fixture
def waiting(begin):
    """A day on which a column and a table went in a regen without `-m`, and their rows wait."""
    day = begin(POSTS, COLORED + TAGS)
    for sql in (ROWS, "INSERT INTO tags (id, name) VALUES (4, 'x'), (9, 'y')"):
        day.query(sql)
    day.declare(COLORED + TAGS + "    extra: int = 3\n")
    result = day.run("regen", "again", "--yes")
    version = day.path("again").rpartition("/")[2][:14]
    assert f"kept aside until ashflow migrate applies {version}" in result.out
    assert day.query("SELECT * FROM posts") == [(1, "A"), (2, "B"), (3, "C")]
    return day


def rows(day):
    return day.query("SELECT id, title, color FROM posts"), day.query("SELECT id, name FROM tags")


FULL = ([(1, "A", "red"), (2, "B", None), (3, "C", "blue")], [(4, "x"), (9, "y")])


def markers(day):
    return sorted(path.name for path in day.store().glob("waiting/*/*/*"))


def test_migrate_brings_in_what_waits_and_says_so(waiting):
    day = waiting
    assert len(markers(day)) == 1
    result = day.run("migrate")
    assert rows(day) == FULL
    assert "table tags (2 rows) is back from run" in result.err
    assert "column posts.color (a value in 2 rows) is back from run" in result.err
    assert markers(day) == []
    assert "nothing to do" in day.run("migrate").out
    day.whole()


def test_rows_written_meanwhile_stay(waiting):
    day = waiting
    day.query("INSERT INTO posts (title) VALUES ('D')")
    day.query("DELETE FROM posts WHERE id = 3")
    day.query("UPDATE posts SET title = 'new' WHERE id = 1")
    result = day.run("migrate")
    assert day.query("SELECT id, title, color FROM posts") == [
        (1, "new", "red"),
        (2, "B", None),
        (4, "D", None),
    ]
    assert "column posts.color (a value in 1 row) has no place, and stays in" in result.err


def test_they_wait_through_another_regen(waiting):
    day = waiting
    day.declare(COLORED + TAGS + "    extra: int = 4\n")
    day.run("regen", "again")
    day.run("migrate")
    assert rows(day) == FULL
    assert markers(day) == []


def test_a_regen_with_m_brings_them_in(waiting):
    day = waiting
    day.declare(COLORED + TAGS + "    extra: int = 4\n")
    told = day.run("regen", "again", "-m").out
    assert rows(day) == FULL
    assert "table tags (2 rows) is back" in told
    assert markers(day) == []
    day.run("undo")
    assert day.query("SELECT * FROM posts") == [(1, "A"), (2, "B"), (3, "C")]
    day.run("migrate")
    assert rows(day) == FULL


def test_undo_brings_them_back(waiting):
    day = waiting
    day.run("undo")
    assert day.applied() == ["first", "second"]
    assert rows(day) == FULL
    assert markers(day) == []
    day.run("undo")
    assert day.query("SELECT * FROM posts") == [(1, "A"), (2, "B"), (3, "C")]
    assert len(markers(day)) == 1
    day.run("migrate")
    assert rows(day) == FULL


def test_undo_of_both_of_two_regens_brings_them_back(waiting):
    day = waiting
    (first,) = day.run("undo", "--list", "--json").json()["runs"]
    day.declare(COLORED + TAGS + "    extra: int = 4\n")
    day.run("regen", "again")
    day.run("undo")
    day.run("undo", first["id"])
    assert day.applied() == ["first", "second"]
    assert rows(day) == FULL


def test_undo_of_both_brings_back_the_rows_as_they_were_last(waiting):
    day = waiting
    (first,) = day.run("undo", "--list", "--json").json()["runs"]
    day.declare(COLORED + TAGS + "    extra: int = 4\n")
    day.run("regen", "again", "-m")
    day.query("DELETE FROM tags WHERE id = 4")
    day.query("UPDATE tags SET name = 'z' WHERE id = 9")
    day.run("undo")
    day.run("undo", first["id"])
    assert day.query("SELECT id, name FROM tags") == [(9, "z")]
    assert day.query("SELECT title, color FROM posts") == [("A", "red"), ("B", None), ("C", "blue")]


def test_they_wait_through_a_regen_that_writes_nothing_and_its_undo(waiting):
    day = waiting
    day.declare(POSTS)
    day.run("regen", "again")
    assert day.migrations() == ["first"]
    day.run("undo")
    day.run("migrate")
    assert rows(day) == FULL


def test_they_are_for_no_other_database(waiting, tmp_path):
    day = waiting
    fresh = tmp_path / "fresh.sqlite3"
    day.run("migrate", env={"ASHFLOW_REPO_URL": f"sqlite:///{fresh}"})
    with closing(sqlite3.connect(fresh)) as db:
        assert db.execute("SELECT * FROM tags").fetchall() == []
    day.run("migrate")
    assert rows(day) == FULL


def test_they_find_a_table_that_is_renamed_in_the_migration(begin):
    day = begin(POSTS, COLORED)
    day.query(ROWS)
    day.declare(COLORED.replace('"posts"', '"articles"').replace("title", "headline"))
    day.run(
        "regen", "again", "--yes", "--rename", "posts=articles", "--rename", "posts.title=headline"
    )
    day.run("migrate")
    assert day.query("SELECT headline, color FROM articles") == [
        ("A", "red"),
        ("B", None),
        ("C", "blue"),
    ]


def test_a_needed_column_is_needed_when_its_values_are_back(begin):
    needed = POSTS + "    color: str\n"
    day = begin(POSTS, None)
    day.change(needed, "second")
    day.query("INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.declare(needed + "    extra: int = 3\n")
    day.run("regen", "again", "--yes")
    day.run("migrate")
    assert day.query("SELECT title, color, extra FROM posts") == [("A", "red", 3)]
    with pytest.raises(sqlite3.IntegrityError):
        day.query("INSERT INTO posts (title) VALUES ('B')")
    day.whole()


def test_a_needed_column_over_rows_written_meanwhile_is_refused_with_counts(begin):
    needed = POSTS + "    color: str\n"
    day = begin(POSTS, None)
    day.change(needed, "second")
    day.query("INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.declare(needed + "    extra: int = 3\n")
    day.run("regen", "again", "--yes")
    day.query("INSERT INTO posts (title) VALUES ('B')")
    before = facts(day.root)
    error = day.run("migrate", "--json", code=1).json()["error"]
    assert "1 row would have NULL in posts.color" in error["message"]
    assert "again" in error["message"]
    assert facts(day.root) == before
    day.query("DELETE FROM posts WHERE title = 'B'")
    day.run("migrate")
    assert day.query("SELECT title, color FROM posts") == [("A", "red")]


def test_migrate_that_is_killed_at_any_moment_brings_them_in_once(waiting, forge, tmp_path):
    day = waiting
    states = tmp_path / "states"
    states.mkdir()
    before = contents(day.root / DATABASE)
    code, *_ = forge.run(day.root, "migrate", now="2027-01-01T00:00:00+00:00", states=states)
    assert code == 0
    after = contents(day.root / DATABASE)
    for state in sorted(states.iterdir()):
        put(state, day.root)
        found = contents(day.root / DATABASE)
        assert found in (before, after)
        if found == after:  # rows that were deleted since do not come back
            day.query("DELETE FROM tags WHERE id = 4")
        day.run("migrate", "--quiet")
        assert day.query("SELECT id FROM tags") == [(4,), (9,)][found == after :]
        assert day.query("SELECT color FROM posts WHERE id = 1") == [("red",)]
        assert markers(day) == []


def test_of_a_run_that_waits_nothing_is_thrown_away(waiting):
    day = waiting
    day.edit("pyproject.toml", "[tool.ashflow]\n", "[tool.ashflow]\nkeep_runs = 1\n")
    for number in (4, 5, 6):
        day.declare(COLORED + TAGS + f"    extra: int = {number}\n")
        day.run("regen", "again")
    day.run("migrate")
    assert rows(day) == FULL


def test_a_needed_column_comes_back_under_a_new_name(really):
    needed = COLORED + "    word: str\n"
    day = really(needed, "INSERT INTO posts (title, word) VALUES ('A', 'w')")
    day.project.git("add", "--all")
    day.project.git("commit", "--quiet", "--message", "second")
    day.declare(needed.replace("word", "term"))
    day.run("codegen", "third", "--rename", "posts.word=term")
    day.run("migrate")
    day.declare(needed.replace("word", "name"))
    day.run("regen", "again", "-m", "--yes", "--rename", "posts.term=name", "--since", "HEAD~1")
    assert day.query("SELECT title, name FROM posts") == [("A", "w")]


def test_a_regen_with_m_that_finds_all_said_already_brings_them_in(waiting):
    waiting.run("regen", "again", "-m", "--yes")
    assert rows(waiting) == FULL
    assert markers(waiting) == []


def test_they_come_in_with_a_waiting_migration_that_was_committed(waiting):
    waiting.project.git.commit("again")
    waiting.declare(COLORED + TAGS + "    extra: int = 3\n    more: int = 4\n")
    waiting.run("regen", "more", "-m", "--yes")
    assert rows(waiting) == FULL
    assert markers(waiting) == []


def test_a_large_migration_before_the_rest_does_not_lock_the_database_out(begin):
    day = begin(
        POSTS + TAGS, COLORED + TAGS, rows="INSERT INTO posts (title, color) VALUES ('A', 'red')"
    )
    day.query(
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) "
        "INSERT INTO tags (name) SELECT printf('%050d', i) FROM n"
    )
    own = [day.path("second"), *day.snapshots_of("second")]
    texts = {path: day.project.read(path) for path in own}
    for path in own:
        (day.root / path).unlink()
    day.later()
    day.declare(POSTS + TAGS + '    by_name = index("name")\n')
    day.run("codegen", "pulled")
    day.project.git.commit("pulled")
    for path, text in texts.items():
        day.project.write(path, text)
    with (day.root / "pyproject.toml").open("a") as file:
        file.write("\nlock_timeout = 1.0\n")
    told = day.regen("-m", "--yes")
    assert told["parked"]
    assert day.applied() == ["first", "pulled"]


def test_values_that_would_refer_to_nothing_stay_in_the_store_and_hinder_nothing(begin):
    teams = TAGS.replace("Tag", "Team").replace("tags", "teams")
    with_team = POSTS + "    team = belongs_to(Team, nullable=True)\n"
    day = begin(teams + POSTS, teams + with_team)
    day.query("INSERT INTO teams (id, name) VALUES (1, 'a'), (2, 'b')")
    day.query("INSERT INTO posts (title, team_id) VALUES ('A', 1), ('B', 2)")
    day.declare(teams + with_team + "    extra: int = 3\n")
    day.run("regen", "again")
    day.query("DELETE FROM teams WHERE id = 1")
    said = day.run("migrate").err
    assert "column posts.team_id (a value in 2 rows) has no place, and stays in" in said
    assert day.query("SELECT title, team_id FROM posts") == [("A", None), ("B", None)]
    day.whole()


def test_parents_and_children_that_wait_from_two_runs_come_in_together(begin):
    teams = TAGS.replace("Tag", "Team").replace("tags", "teams")
    members = (
        TAGS.replace("Tag", "Member")
        .replace("tags", "members")
        .replace("    name: str\n", "    team = belongs_to(Team)\n")
    )
    day = begin(POSTS, POSTS + teams + members)
    day.query("INSERT INTO teams (id, name) VALUES (1, 'a')")
    day.query("INSERT INTO members (team_id) VALUES (1)")
    day.declare(POSTS + "    color: str | None\n" + teams + members)
    day.run("regen", "again")
    day.run("migrate")
    assert day.query("SELECT team_id FROM members") == [(1,)]
    day.whole()


def test_they_follow_a_rename_that_is_answered_while_they_wait(begin):
    day = begin(POSTS, POSTS + TAGS, rows="INSERT INTO tags (name) VALUES ('x')")
    day.declare(POSTS + TAGS + "    extra: int = 3\n")
    day.run("regen", "again")
    day.declare(POSTS + TAGS.replace("name: str", "word: str"))
    day.run("regen", "third", "--rename", "tags.name=word")
    day.declare(POSTS + TAGS.replace("name: str", "term: str"))
    day.run("regen", "fourth", "--rename", "tags.word=term")
    day.run("migrate")
    assert day.query("SELECT id, term FROM tags") == [(1, "x")]
    assert markers(day) == []
    day.whole()


def test_a_fill_gives_rows_that_come_back_a_value(begin):
    day = begin(POSTS, POSTS + TAGS, rows="INSERT INTO tags (name) VALUES ('x'), ('yy')")
    day.declare(POSTS + TAGS + "    size: int\n")
    day.run("regen", "again", "--fill", "tags.size=length(name)")
    day.run("migrate")
    assert day.query("SELECT name, size FROM tags") == [("x", 1), ("yy", 2)]
    day.whole()
