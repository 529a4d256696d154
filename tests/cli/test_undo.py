"""`undo`: files, index, ledger and schema are as before the run, and rows return or are parked."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from kills import facts

from ashflow.run.digests import schema_digest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
NEEDED = POSTS + '    color: str = attribute(default="none")\n'
TAGS = '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n    name: str\n'
TEAMS = TAGS.replace("Tag", "Team").replace("tags", "teams")
MEMBERS = TEAMS + (
    '\nclass Member(Resource, table="members"):\n    id: int = integer_primary_key()\n'
    "    team = belongs_to(Team)\n"
)
UNIQUE = COLORED + '    by_color = identity("color")\n'
ROWS = "INSERT INTO posts (title, color) VALUES ('A', 'red'), ('B', 'blue')"


def _text(row):
    return repr(sorted(dict(row).items()))


def state(day, path="priv/repo/dev.sqlite3"):
    """All that an undo brings back; columns have no order, and a counter only goes up."""
    found = facts(day.root)
    with closing(sqlite3.connect(day.root / path)) as db:
        db.row_factory = sqlite3.Row
        names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        rows = {
            name: sorted(map(_text, db.execute(f"SELECT * FROM {name}")))
            for (name,) in names
            if name not in {"ashflow_meta", "sqlite_sequence"}
        }
    schema = schema_digest(day.schema(path))
    return {"files": found["files"], "index": found["index"], "rows": rows, "schema": schema}


def undone(day, *arguments):
    """Undo, and return what `--json` says of the first repo."""
    told = day.run("undo", *arguments, "--json").json()["repos"][0]
    day.run("codegen", "--check", code=1)  # the resources are ahead of the files again
    return told


PAIRS = {
    "a column comes": (COLORED, COLORED + "    extra: int = 3\n", ROWS),
    "a column goes": (COLORED, POSTS, ROWS),
    "a column that is needed goes": (NEEDED, POSTS, ROWS),
    "a column changes its type": (COLORED, COLORED.replace("color: str", "color: int"), ROWS),
    "a column is needed": (COLORED, NEEDED, ROWS),
    "a column is needed no more": (NEEDED, COLORED, ROWS),
    "a column has another default": (NEEDED, NEEDED.replace("none", "more"), ROWS),
    "a column is another one": (COLORED, POSTS + "    extra: int | None\n", ROWS),
    "an identity comes": (COLORED, UNIQUE, ROWS),
    "an identity goes": (UNIQUE, COLORED, ROWS),
    "an index comes": (COLORED, COLORED + '    by_color = index("color")\n', ROWS),
    "a check comes": (COLORED, COLORED + "    some = check(\"color <> ''\")\n", ROWS),
    "a table comes": (COLORED, COLORED + TAGS, ROWS),
    "a table goes": (
        COLORED + TAGS,
        COLORED,
        ROWS + "\nINSERT INTO tags (name) VALUES ('x'), ('y')",
    ),
    "a parent and its children come": (COLORED, COLORED + MEMBERS, ROWS),
    "a parent and its children go": (
        COLORED + MEMBERS,
        COLORED,
        "INSERT INTO teams (name) VALUES ('x')\nINSERT INTO members (team_id) VALUES (1), (1)",
    ),
    "a parent goes, its children stay": (
        COLORED + MEMBERS,
        COLORED
        + MEMBERS.partition("class Member")[0].replace(TEAMS, "")
        + '\nclass Member(Resource, table="members"):\n    id: int = integer_primary_key()\n'
        "    team_id: int\n",
        "INSERT INTO teams (name) VALUES ('x')\nINSERT INTO members (team_id) VALUES (1), (1)",
    ),
    "a statement comes": (
        COLORED,
        COLORED + '    seen = statement(up="CREATE VIEW seen AS SELECT title FROM posts", '
        'down="DROP VIEW seen")\n',
        ROWS,
    ),
    "a table is strict": (COLORED, COLORED.replace('"posts"', '"posts", strict=True'), ROWS),
    "a column is renamed": (COLORED, COLORED.replace("color", "colour"), ROWS),
    "a table is renamed": (COLORED, COLORED.replace('"posts"', '"articles"'), ROWS),
    "all is as the tracked files say": (COLORED, POSTS, ROWS),
}
ANSWERS = {
    "a column is renamed": ["--rename", "posts.color=colour"],
    "a table is renamed": ["--rename", "posts=articles"],
}


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("flag", ["-m", ""])
def test_undo_is_the_way_back(begin, kind, flag):
    untracked, declared, rows = PAIRS[kind]
    day = begin(POSTS, untracked, rows=rows)
    day.declare(declared)
    before = state(day)
    flags = [*([flag] if flag else []), *ANSWERS.get(kind, ["--no-renames"])]
    day.run("regen", "again", "--yes", *flags)
    after = state(day)
    assert after != before
    day.run("undo")
    assert state(day) == before
    day.run("undo")
    again = state(day)
    assert again["files"] == after["files"]
    assert (again["rows"], again["schema"]) == (after["rows"], after["schema"])
    day.run("undo")
    assert state(day) == before


@pytest.fixture
def regened(begin):
    """A day on which a column went with its values, and another one came."""
    day = begin(rows=ROWS)
    day.declare(POSTS + "    extra: int = 3\n")
    day.run("regen", "again", "-m", "--yes", "--no-renames")
    return day


def test_rows_written_since_stay_where_their_columns_stay_and_are_parked_where_not(regened):
    day = regened
    day.query("UPDATE posts SET title = 'new' WHERE id = 1")
    day.query("INSERT INTO posts (title, extra) VALUES ('C', 7)")
    told = undone(day)
    assert day.query("SELECT id, title, color FROM posts") == [
        (1, "new", "red"),
        (2, "B", "blue"),
        (3, "C", None),
    ]
    with closing(sqlite3.connect(day.root / told["parked"])) as db:
        assert db.execute("SELECT id, extra FROM posts").fetchall() == [(1, 3), (2, 3), (3, 7)]


def test_undo_says_what_it_did(regened):
    told = regened.run("undo").out
    assert "took regen 2" in told
    assert "column posts.color (a value in 2 rows) is back from run" in told
    assert "parked column posts.extra (a value in 2 rows) in" in told
    assert "to have it again: ashflow undo" in told


def test_undo_imports_no_resource(regened):
    regened.project.write("shop/resources.py", "raise SystemExit('no')\n")
    regened.run("undo")
    assert regened.migrations() == ["first", "second"]


def test_a_dry_run_changes_nothing(regened):
    before = facts(regened.root)
    told = regened.run("undo", "--dry-run").out
    assert "roll back" in told
    assert "column posts.color (a value in 2 rows)" in told
    assert facts(regened.root) == before


def refused(day, *arguments, code=2):
    before = facts(day.root)
    error = day.run("undo", *arguments, "--json", code=code).json()["error"]
    assert facts(day.root) == before
    return error["message"]


def test_undo_refuses_where_a_file_was_changed_since(regened):
    day = regened
    path = day.path("again")
    day.edit(path, "Again.", "Mine.")
    assert f"{path}, which it wrote, was changed since" in refused(day)


def test_undo_refuses_where_a_file_is_gone(regened):
    path = regened.path("again")
    (regened.root / path).unlink()
    assert f"{path}, which it wrote, is not there any more" in refused(regened)


def test_undo_refuses_where_an_old_file_is_there_again(regened):
    (moved,) = regened.store().rglob("*_second.py")
    path = moved.as_posix().partition("/files/")[2]
    regened.project.write(path, "mine")
    assert f"{path}, which it removed, is there again" in refused(regened)


def test_undo_refuses_where_an_old_file_in_the_store_was_changed(regened):
    (moved,) = regened.store().rglob("*_second.py")
    moved.write_text("other")
    assert "the old file, was changed since" in refused(regened)


def test_undo_refuses_where_the_parked_rows_are_gone(regened):
    (parked,) = regened.store().rglob("rows.sqlite3")
    parked.unlink()
    assert "which has the rows that it kept aside, is gone" in refused(regened)


def test_undo_refuses_where_a_migration_was_rolled_back_since(regened):
    regened.run("rollback")
    assert "which it applied, was rolled back since" in refused(regened)


def test_undo_refuses_where_a_migration_was_applied_since(regened):
    regened.change(POSTS + "    extra: int = 3\n" + TAGS, "third")
    assert "third" in refused(regened)


def test_undo_refuses_where_a_migration_was_written_since(regened):
    regened.change(POSTS + "    extra: int = 3\n    more: int = 3\n", "third", migrate=False)
    assert f"{regened.path('third')} came since" in refused(regened)


def test_undo_refuses_where_the_schema_was_changed_by_hand(regened):
    regened.query("ALTER TABLE posts ADD COLUMN by_hand TEXT")
    assert "were changed by hand since" in refused(regened)


def test_undo_refuses_on_another_database(regened, tmp_path):
    other = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(other)) as copy:
        with regened.project.sqlite() as db:
            db.backup(copy)
        copy.execute("UPDATE ashflow_meta SET value = 'another' WHERE key = 'database_id'")
        copy.commit()
    env = {"ASHFLOW_REPO_URL": f"sqlite:///{other}"}
    error = regened.run("undo", "--json", code=2, env=env).json()["error"]
    assert "is another database than it was at work in" in error["message"]


def test_undo_refuses_where_the_database_is_not_there(regened):
    (regened.root / "priv/repo/dev.sqlite3").unlink()
    assert "is not there any more" in refused(regened)


def test_duplicates_since_an_identity_went_are_counted_and_nothing_is_changed(begin):
    day = begin(POSTS, UNIQUE, rows=ROWS)
    day.declare(COLORED)
    day.run("regen", "again", "-m")
    day.query("INSERT INTO posts (title, color) VALUES ('C', 'red')")
    assert "2 rows of posts would not be unique" in refused(day, code=1)


def test_a_needed_column_over_rows_that_have_no_value_for_it_is_refused_with_counts(begin):
    needed = POSTS + "    color: str\n"
    day = begin(POSTS, None)
    day.change(needed, "second")
    day.query(ROWS)
    day.declare(POSTS)
    day.run("regen", "again", "-m", "--yes")
    day.query("INSERT INTO posts (title) VALUES ('C')")
    assert "1 row would have NULL in posts.color" in refused(day, code=1)
    day.query("DELETE FROM posts WHERE title = 'C'")
    undone(day)
    assert day.query("SELECT title, color FROM posts") == [("A", "red"), ("B", "blue")]


def by_hand(day, made, gone, name="second"):
    path = day.path(name)
    day.edit(path, "from ashflow.migration import ", "from ashflow.migration import Execute, ")
    day.edit(path, "    ],\n)", f'        Execute(up="{made}", down="{gone}"),\n    ],\n)')


def test_a_way_that_was_really_run_is_really_run_back(begin):
    day = begin(POSTS, None)
    day.change(COLORED + TAGS, "second", migrate=False)
    by_hand(day, "CREATE TABLE log (what)", "DROP TABLE log")
    day.run("migrate")
    for sql in (ROWS, "INSERT INTO tags (name) VALUES ('x')", "INSERT INTO log VALUES (7)"):
        day.query(sql)
    day.declare(COLORED + TAGS + "    extra: int = 3\n")
    before = state(day)
    day.run("regen", "again", "-m", "--yes")
    assert day.query("SELECT name, extra FROM tags") == [("x", 3)]
    assert day.query("SELECT * FROM log") == [(7,)]
    day.query("INSERT INTO log VALUES (8)")
    day.run("undo")
    assert day.query("SELECT * FROM log") == [(7,), (8,)]
    day.query("DELETE FROM log WHERE what = 8")
    assert state(day) == before


def test_what_was_staged_is_staged_again_with_what_it_had(begin):
    day = begin(rows=ROWS)
    day.change(COLORED + TAGS, "third")
    day.project.git("add", day.path("second"))
    day.edit(day.path("second"), "Second.", "Second, and more.")
    day.project.git("add", "--intent-to-add", day.path("third"))
    day.declare(COLORED + TAGS + "    extra: int = 3\n")
    before = state(day)
    day.run("regen", "again", "--staged", "-m", "--yes")
    assert state(day)["index"] != before["index"]
    undone(day)
    assert state(day) == before


def test_undo_list_shows_the_last_runs(regened):
    day = regened
    day.run("undo")
    listed = day.run("undo", "--list").out.splitlines()
    assert len(listed) == 3
    assert "undo of 2" in listed[1]
    told = day.run("undo", "--list", "--json").json()["runs"]
    assert [one["deed"] for one in told] == ["undo", "regen"]
    assert told[0]["undoes"] == told[1]["id"]
    assert (day.root / told[1]["folder"]).is_dir()


def test_a_run_of_a_name_is_taken_back(regened):
    day = regened
    day.declare(POSTS + "    extra: int = 4\n")
    (first,) = day.run("undo", "--list", "--json").json()["runs"]
    day.run("regen", "again", "-m")
    assert "which it wrote, is not there any more" in refused(day, first["id"])
    assert "there is no run 7" in refused(day, "7")
    day.run("undo")
    day.run("undo", first["id"])
    assert day.migrations() == ["first", "second"]
    assert day.query("SELECT title, color FROM posts") == [("A", "red"), ("B", "blue")]


def test_where_there_was_no_regen_there_is_nothing_to_take_back(begin):
    day = begin()
    assert "there was no regen" in day.run("undo").out
    assert "there was no regen" in day.run("undo", "--list").out


def test_so_many_runs_are_kept_as_the_configuration_says(regened):
    day = regened
    day.edit("pyproject.toml", "[tool.ashflow]\n", "[tool.ashflow]\nkeep_runs = 2\n")
    for number in (4, 5, 6):
        day.declare(POSTS + f"    extra: int = {number}\n")
        day.run("regen", "again", "-m")
    told = day.run("undo", "--list", "--json").json()["runs"]
    assert len(told) == 2
    assert len(list((day.store() / "runs").iterdir())) == 2
    day.run("undo")
    assert "DEFAULT 5" in day.query("SELECT sql FROM sqlite_master WHERE name = 'posts'")[0][0]


@pytest.fixture
def two(begin):
    """Two repos, and a regen in both."""
    day = begin(rows=ROWS)
    text = day.project.read("pyproject.toml")
    more = '\n[tool.ashflow.repos.other]\nurl = "sqlite:///priv/other/dev.sqlite3"\n'
    day.project.write("pyproject.toml", text + more)
    other = TAGS.replace('table="tags"', 'table="tags", repo="other"')
    day.change(COLORED + other, "third")
    day.query("INSERT INTO tags (name) VALUES ('x')", path="priv/other/dev.sqlite3")
    day.declare(COLORED + "    extra: int = 3\n" + other + "    extra: int = 3\n")
    return day


def both(day):
    return state(day), state(day, "priv/other/dev.sqlite3")


def test_a_run_in_two_repos_is_taken_back_in_both(two):
    before = both(two)
    two.run("regen", "again", "-m", "--yes")
    assert [one["name"] for one in two.run("undo", "--json").json()["repos"]] == ["repo", "other"]
    assert both(two) == before


def test_a_run_in_two_repos_is_taken_back_in_one(two):
    before = both(two)
    two.run("regen", "again", "-m", "--yes")
    two.run("undo", "--repo", "other")
    assert two.migrations() == ["first", "again"]
    assert two.migrations("other") == ["third"]
    two.run("undo", "--repo", "repo")
    assert both(two) == before


def test_what_two_repos_refuse_is_seen_before_either_is_changed(two):
    two.run("regen", "again", "-m", "--yes")
    two.query("ALTER TABLE tags ADD COLUMN by_hand TEXT", path="priv/other/dev.sqlite3")
    assert "were changed by hand since" in refused(two)


def test_undo_on_a_database_that_is_locked_changes_nothing(regened):
    with (regened.root / "pyproject.toml").open("a") as file:
        file.write("lock_timeout = 0.2\n")
    before = facts(regened.root)
    with regened.project.sqlite() as db:
        db.execute("BEGIN IMMEDIATE")
        assert regened.run("undo", "--json", code=1).json()["error"]["code"] == "locked"
    assert facts(regened.root) == before


def test_what_was_staged_since_leaves_the_index(regened):
    regened.project.git("add", "priv")
    undone(regened)
    assert "A" not in {letters[0] for letters in letters_of(regened)}
    regened.run("undo")
    assert set(letters_of(regened)) == {"A "}


def test_an_undo_of_an_undo_stages_what_was_staged(begin):
    day = begin(rows=ROWS)
    day.project.git("add", "priv")
    day.declare(COLORED + "    extra: int = 3\n")
    day.run("regen", "again", "--staged", "-m")
    after = state(day)
    day.run("undo")
    day.run("undo")
    assert state(day) == after


def letters_of(day):
    """What git says of the files below priv, two letters each."""
    status = day.project.git("status", "--porcelain", "--untracked-files=all", "--", "priv")
    return [line[:2] for line in status.splitlines()]


def test_what_was_committed_since_is_asked_about(regened):
    regened.project.git("add", "priv")
    regened.project.git("commit", "--quiet", "--message", "content")
    before = regened.everything()
    error = regened.run("undo", "--json", code=1).json()["error"]
    assert f"Remove {regened.path('again')}" in error["message"]
    assert "--yes" in error["hint"]
    assert regened.everything() == before
    undone(regened, "--yes")
    assert "again" not in regened.migrations()


def test_what_a_remote_has_is_not_taken_back(regened, tmp_path):
    git = regened.project.git
    git("add", "priv")
    git("commit", "--quiet", "--message", "content")
    git("clone", "--quiet", "--bare", str(regened.root), str(tmp_path / "remote"))
    git("remote", "add", "origin", str(tmp_path / "remote"))
    git("fetch", "--quiet", "origin")
    assert "is on origin/main already" in refused(regened)


def test_the_old_files_come_back_to_the_byte_and_with_their_mode(begin):
    day = begin(rows=ROWS)
    path = day.root / day.path("second")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    path.chmod(0o600)
    before = path.read_bytes()
    day.declare(COLORED + "    extra: int = 3\n")
    day.run("regen", "again", "-m")
    undone(day)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (before, 0o600)


def test_values_that_a_rename_put_aside_return_to_their_own_column(begin):
    day = begin(POSTS, POSTS + "    m: str | None\n")
    day.query("INSERT INTO posts (title, m) VALUES ('A', 'm1'), ('B', 'm2')")
    day.declare(POSTS + "    mood: str | None\n")
    day.run("codegen", "third", "--no-renames")
    day.run("migrate")
    day.query("UPDATE posts SET mood = 'new' WHERE title = 'A'")
    before = day.query("SELECT title, m, mood FROM posts")
    day.regen("-m", "--yes", "--rename", "posts.m=mood")
    day.run("undo")
    assert day.query("SELECT title, m, mood FROM posts") == before
