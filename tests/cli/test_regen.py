"""The day with regen: one migration instead of several tries, and the rows are there."""

from __future__ import annotations

import json
import stat

import pytest

pytestmark = pytest.mark.real("regen")

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
PAINTED = COLORED + "    weight: float = 1.5\n"

ROWS = """
INSERT INTO posts (title, color) VALUES ('A', 'red')
INSERT INTO posts (title, color) VALUES ('B', NULL)
"""


@pytest.fixture
def day(begin):
    """A table posts that is tracked, an untracked column color, and two rows."""
    return begin(POSTS, COLORED, rows=ROWS)


def test_one_migration_takes_the_place_of_the_untracked_one(day):
    before = [day.path("second"), *day.snapshots_of("second")]
    texts = {path: day.project.read(path) for path in before}
    day.declare(PAINTED)
    told = day.regen("-m")
    assert day.migrations() == ["first", "again"]
    assert day.applied() == ["first", "again"]
    assert day.query("SELECT title, color, weight FROM posts") == [
        ("A", "red", 1.5),
        ("B", None, 1.5),
    ]
    assert told == {
        "name": "repo",
        "rolled_back": [before[0].split("/")[-1][:14]],
        "reapplied": [],
        "removed": before,
        "migration": {
            "version": day.path("again").split("/")[-1][:14],
            "name": "again",
            "path": day.path("again"),
        },
        "migrated": True,
        "rows_carried": 2,
        "parked": None,
    }
    day.whole()
    stored = {p.as_posix().partition("/files/")[2]: p for p in day.store().rglob("*.*")}
    assert {path: stored[path].read_text() for path in before} == texts


def test_the_store_is_for_its_owner_and_no_commit_sees_it(day):
    day.declare(PAINTED)
    day.regen("-m")
    for folder in (day.store().parent, day.store()):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert day.project.git("status", "--porcelain", "--untracked-files=all").count(".git/") == 0
    (record,) = day.store().rglob("run.json")
    told = json.loads(record.read_text())
    assert told["repo"] == "repo"
    assert list(told["removed"]) == [path for path in told["removed"] if path.startswith("priv/")]
    assert told["project"] == str(day.root)


def test_the_new_version_is_greater_than_all_that_were_there(day):
    old = day.path("second")
    day.declare(PAINTED)
    told = day.regen("-m")
    assert told["migration"]["version"] > old.split("/")[-1][:14]


def test_without_migrate_the_database_is_at_the_tracked_state(begin):
    day = begin(POSTS, COLORED, rows="INSERT INTO posts (title) VALUES ('A')")
    day.declare(PAINTED)
    told = day.regen()
    assert (told["migrated"], told["rows_carried"]) == (False, 0)
    assert day.applied() == ["first"]
    assert [c.name for c in day.schema()["posts"].columns] == ["id", "title"]
    assert day.migrations() == ["first", "again"]
    day.run("migrate")
    assert day.query("SELECT title, color, weight FROM posts") == [("A", None, 1.5)]
    day.whole()


def test_a_dry_run_says_the_plan_and_touches_nothing(day):
    day.declare(PAINTED)
    before = day.everything()
    result = day.run("regen", "again", "-m", "--dry-run")
    for word in ("roll back", "remove", "write", "apply"):
        assert word in result.out
    told = day.regen("-m", "--dry-run")
    assert len(told["rolled_back"]) == 1
    assert told["removed"] == [day.path("second"), *day.snapshots_of("second")]
    assert told["migration"]["name"] == "again"
    assert (told["migrated"], told["rows_carried"], told["parked"]) == (False, 0, None)
    assert day.everything() == before


def test_the_output_for_a_person_says_what_was_done(day):
    day.declare(PAINTED)
    result = day.run("regen", "again", "-m")
    assert "replaced 1 untracked migration" in result.out
    assert f"wrote {day.path('again')}" in result.out
    assert "2 rows kept" in result.out
    assert "applied it" in result.out


def test_the_same_name_and_the_same_resources_are_nothing_to_replace(day):
    before = day.everything()
    result = day.run("regen", "second", "-m")
    assert "nothing to replace" in result.out
    assert day.everything() == before
    day.whole()


def test_the_same_resources_under_another_name_are_renamed(day):
    day.regen("-m")
    assert day.applied() == ["first", "again"]
    assert day.query("SELECT color FROM posts") == [("red",), (None,)]
    day.whole()


def test_what_is_there_already_is_applied_where_it_was_not(begin):
    day = begin(POSTS, None)
    day.change(COLORED, "second", migrate=False)
    result = day.run("regen", "second", "-m")
    assert "nothing to replace" in result.out
    assert "applied 2" in result.out
    assert day.applied() == ["first", "second"]


def test_a_migration_that_was_applied_in_another_form_is_replaced_under_its_own_name(begin):
    day = begin(POSTS, None)
    day.declare(COLORED)
    day.run("codegen", "second")
    path = day.path("second")
    text = day.project.read(path)
    extra = "Execute(up=\"UPDATE posts SET title = 'x'\", down=[]),\n    ]"
    day.edit(path, "    ],", f"        {extra},")
    day.edit(path, "import AddColumn", "import Execute, AddColumn")
    day.run("migrate")
    day.project.write(path, text)
    told = day.run("regen", "second", "-m", "--json").json()["repos"][0]
    assert len(told["rolled_back"]) == 1
    assert told["migration"]["version"] != told["rolled_back"][0]
    day.whole()


def test_with_nothing_untracked_and_nothing_changed_there_is_nothing_to_do(begin):
    day = begin(POSTS, None)
    before = day.everything()
    for flags in ([], ["-m"]):
        result = day.run("regen", "again", *flags)
        assert "nothing to replace" in result.out
    assert day.everything() == before


def test_with_nothing_untracked_a_change_is_simply_written(begin):
    day = begin(POSTS, None, rows="INSERT INTO posts (title) VALUES ('A')")
    day.declare(PAINTED)
    told = day.regen("-m")
    assert (told["rolled_back"], told["removed"], told["migrated"]) == ([], [], True)
    assert day.query("SELECT title, weight FROM posts") == [("A", 1.5)]
    day.whole()


@pytest.mark.parametrize("flags", [[], ["-m"]])
def test_resources_taken_back_take_the_files_back_and_write_nothing(begin, flags):
    day = begin(POSTS, COLORED, rows="INSERT INTO posts (title) VALUES ('A')")
    day.declare(POSTS)
    result = day.run("regen", "again", *flags)
    assert "so nothing new was written" in result.out
    assert day.migrations() == ["first"]
    assert day.applied() == ["first"]
    assert day.query("SELECT * FROM posts") == [(1, "A")]
    day.whole()


def test_a_pending_migration_is_no_rollback(begin):
    day = begin(POSTS, None, rows="INSERT INTO posts (title) VALUES ('A')")
    day.change(COLORED, "second", migrate=False)
    day.declare(PAINTED)
    told = day.regen("-m")
    assert told["rolled_back"] == []
    assert len(told["removed"]) == 2
    assert day.query("SELECT title, color, weight FROM posts") == [("A", None, 1.5)]
    assert day.applied() == ["first", "again"]
    day.whole()


def test_a_new_table_keeps_its_rows_its_counter_and_its_triggers(begin):
    tags = '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n'
    day = begin(POSTS, POSTS + tags)
    day.query("INSERT INTO tags VALUES (7)")
    day.query("DELETE FROM tags")
    day.query("INSERT INTO tags DEFAULT VALUES")
    day.query("CREATE TRIGGER t AFTER DELETE ON tags BEGIN SELECT 1; END")
    day.declare(POSTS + tags + "    name: str | None\n    n: int = 3\n")
    told = day.regen("-m")
    assert told["rows_carried"] == 1
    assert day.query("SELECT id, name, n FROM tags") == [(8, None, 3)]
    assert day.query("SELECT seq FROM sqlite_sequence WHERE name = 'tags'") == [(8,)]
    assert day.query("SELECT name FROM sqlite_master WHERE type = 'trigger'") == [("t",)]


def test_another_regen_can_follow(day):
    day.declare(PAINTED)
    day.regen("-m")
    day.declare(POSTS + "    color: str | None\n    height: int = 2\n")
    told = day.run("regen", "once_more", "-m", "--yes", "--no-renames", "--json").json()["repos"][0]
    assert len(told["rolled_back"]) == 1
    assert day.query("SELECT title, color, height FROM posts") == [("A", "red", 2), ("B", None, 2)]
    assert len(list((day.store() / "runs").iterdir())) == 2
    day.whole()


def test_it_works_from_a_subfolder_and_through_a_link(day, tmp_path):
    day.declare(PAINTED)
    told = day.regen("-m", cwd=day.root / "priv" / "repo")
    assert day.migrations() == ["first", "again"]
    assert told["removed"]
    link = tmp_path / "link"
    link.symlink_to(day.root)
    day.declare(COLORED)
    day.run("regen", "through", "-m", "--yes", cwd=link)
    assert day.migrations() == ["first", "through"]
    day.whole()
