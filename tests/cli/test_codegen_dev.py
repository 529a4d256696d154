"""codegen --dev: migrations for now, and the one with a name that replaces them."""

from __future__ import annotations

import re
import shutil

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
SIZED = COLORED + "    size: int | None\n"
TAGS = '\nclass Tag(Resource, table="tags"):\n    word: str\n'


@pytest.fixture
def day(begin):
    """A tracked table with a row."""
    return begin(POSTS, None, rows="INSERT INTO posts (title) VALUES ('A')")


def dev(day, source, *, migrate=True):
    """Change the resources, and write a dev migration of it."""
    day.declare(source)
    told = day.run("codegen", "--dev", "--json").json()["repos"][0]
    if migrate:
        day.run("migrate")
    return told


def named(day, *arguments, code=0):
    """Write the migration with a name."""
    told = day.run("codegen", "done", *arguments, "--json", code=code).json()
    return told["error"] if code else told["repos"][0]


def test_it_needs_no_name_and_marks_what_it_writes(day):
    told = dev(day, COLORED)
    assert told["migration"]["name"] == "add_color_to_posts_dev"
    assert told["migration"]["path"].endswith("_add_color_to_posts_dev.py")
    (snapshot,) = told["snapshots"]
    assert '"dev": true' in day.project.read(snapshot)
    assert day.query("SELECT title, color FROM posts") == [("A", None)]
    day.declare(COLORED)
    assert "nothing to do" in day.run("codegen", "--dev").out


def test_a_second_one_of_the_same_kind_gets_another_name(day):
    dev(day, COLORED)
    dev(day, POSTS)
    told = dev(day, COLORED)
    assert re.fullmatch(r"\w+_dev", told["migration"]["name"])
    assert len(set(day.migrations())) == 4


def test_what_may_be_a_rename_is_drop_plus_add(day):
    told = dev(day, POSTS.replace("title", "headline") + "    n: int = 0\n", migrate=False)
    assert {one["op"] for one in told["operations"]} >= {"AddColumn"}
    assert "RenameColumn" not in {one["op"] for one in told["operations"]}


def test_a_name_replaces_all_of_them_by_one_with_the_rows(day):
    first = dev(day, COLORED)
    day.query("UPDATE posts SET color = 'red'")
    second = dev(day, SIZED)
    day.query("UPDATE posts SET size = 3")
    told = named(day)
    versions = [one["migration"]["version"] for one in (first, second)]
    assert sorted(told["rolled_back"]) == versions
    assert told["migration"]["name"] == "done"
    assert (told["migrated"], told["rows_carried"]) == (True, 1)
    assert [one["op"] for one in told["operations"]] == ["AddColumn", "AddColumn"]
    assert day.migrations() == day.applied() == ["first", "done"]
    assert day.query("SELECT title, color, size FROM posts") == [("A", "red", 3)]
    day.whole()


def test_undo_takes_it_back_and_brings_it_again(day):
    dev(day, COLORED)
    day.query("UPDATE posts SET color = 'red'")
    before = day.everything()
    named(day)
    after = day.everything()
    day.run("undo")
    assert same(day.everything(), before)
    assert day.applied() == ["first", "add_color_to_posts_dev"]
    day.run("undo")
    assert same(day.everything(), after)


def same(one, other):
    """Whether files and rows are the same; the ledger's counter and its run are no part of it."""
    return one["files"] == other["files"] and rows(one) == rows(other)


def rows(facts):
    lines = [line for dump in facts["databases"].values() for line in dump]
    return [line for line in lines if "ashflow_meta" not in line and "sqlite_sequence" not in line]


def test_where_none_is_applied_no_database_is_touched(day):
    dev(day, COLORED, migrate=False)
    told = named(day)
    assert (told["rolled_back"], told["migrated"]) == ([], False)
    assert day.applied() == ["first"]
    assert day.migrations() == ["first", "done"]
    day.run("migrate")
    day.whole()


@pytest.mark.parametrize("flag", ["--dry-run", "--check"])
def test_without_writing_nothing_at_all_is_touched(day, flag):
    dev(day, COLORED)
    before = day.everything()
    result = day.run("codegen", "done", flag, code=1 if flag == "--check" else 0)
    assert day.everything() == before
    assert "_add_color_to_posts_dev.py" in result.out


def test_a_missing_name_touches_nothing(day):
    dev(day, COLORED)
    before = day.everything()
    error = day.run("codegen", "--json", code=2).json()["error"]
    assert "--dev" in error["hint"]
    assert day.everything() == before


def test_check_fails_while_there_are_any(day):
    dev(day, COLORED)
    told = day.run("codegen", "--check", "--json", code=1).json()
    assert told["stale"]
    assert day.path("add_color_to_posts_dev") in told["dev"]
    problems = day.run("check", "--json", code=1).json()["problems"]
    assert [one["code"] for one in problems] == ["dev-migration"]
    named(day)
    day.run("codegen", "--check")
    day.run("check")


def test_those_whose_change_was_taken_back_go_too(day):
    dev(day, COLORED)
    day.declare(POSTS)
    told = named(day)
    assert told["migration"] is None
    assert len(told["rolled_back"]) == 1
    assert day.migrations() == day.applied() == ["first"]
    day.whole()


def test_values_that_would_go_are_asked_about(day):
    dev(day, COLORED)
    day.query("UPDATE posts SET color = 'red'")
    day.declare(POSTS)
    before = day.everything()
    error = named(day, code=1)
    assert "column posts.color (a value in 1 row)" in error["message"]
    assert "--yes" in error["hint"]
    assert day.everything() == before
    parked = named(day, "--yes")["parked"]
    assert day.query("SELECT color FROM posts", path=parked) == [("red",)]


def test_what_was_done_by_hand_in_them_stays(day):
    path = dev(day, COLORED, migrate=False)["migration"]["path"]
    day.edit(path, "import AddColumn", "import AddColumn, Execute")
    line = (
        '        # a colour for all\n        Execute(up="UPDATE posts SET color = 1", down=[]),\n'
    )
    day.edit(path, "    ],\n", line + "    ],\n")
    day.run("migrate")
    named(day)
    assert "# a colour for all" in day.project.read(day.path("done"))
    assert day.query("SELECT color FROM posts") == [("1",)]
    day.whole()


def test_it_works_without_git(day):
    shutil.rmtree(day.root / ".git")
    dev(day, COLORED)
    day.query("UPDATE posts SET color = 'red'")
    named(day)
    assert day.applied() == ["first", "done"]
    assert day.query("SELECT color FROM posts") == [("red",)]
    day.run("undo")
    assert day.applied() == ["first", "add_color_to_posts_dev"]
    assert (day.root / ".ashflow/.gitignore").read_text() == "*\n"


def test_committed_ones_are_replaced_too(day):
    dev(day, COLORED)
    day.project.git.commit("for now")
    named(day)
    assert day.migrations() == ["first", "done"]
    day.whole()


def test_auto_name_is_a_name(day):
    dev(day, COLORED)
    day.run("codegen", "--auto-name")
    assert day.migrations() == ["first", "add_color_to_posts"]
    day.whole()


def test_other_repos_get_their_migration_as_ever(project, begin):
    day = begin(POSTS, None)
    with (day.root / "pyproject.toml").open("a") as file:
        file.write('\n[tool.ashflow.repos.log]\nurl = "sqlite:///priv/log/dev.sqlite3"\n')
    day.declare(COLORED)
    day.run("codegen", "--dev")
    other = TAGS.replace('table="tags"', 'table="tags", repo="log"')
    day.declare(SIZED + other)
    day.run("codegen", "done")
    assert day.migrations() == ["first", "done"]
    assert day.migrations("log") == ["done"]


@pytest.mark.parametrize("flags", [["--snapshots-only"], ["done", "--resolve"]])
def test_what_does_not_replace_them_says_so(day, flags):
    dev(day, COLORED)
    before = day.everything()
    error = day.run("codegen", *flags, "--json", code=2).json()["error"]
    assert "dev migrations" in error["message"]
    assert day.everything() == before


def test_a_rename_over_a_column_that_stands_already_parks_what_is_in_that(day):
    dev(day, POSTS.replace("title: str", "headline: str | None"))
    day.query("INSERT INTO posts (headline) VALUES ('new')")
    error = named(day, "--rename", "posts.title=headline", code=1)
    assert "Park column posts.headline (a value in 1 row)" in error["message"]
    told = named(day, "--rename", "posts.title=headline", "--yes")
    assert day.query("SELECT headline FROM posts") == [("A",), (None,)]
    assert day.query("SELECT headline FROM posts", path=told["parked"])[-1] == ("new",)
    day.whole()


def test_staged_ones_leave_the_index_and_the_new_one_is_staged(day):
    dev(day, COLORED)
    day.project.git("add", "priv")
    named(day)
    status = day.project.git("status", "--porcelain", "--untracked-files=all", "--", "priv")
    assert {line[:2] for line in status.splitlines()} == {"A "}
    assert "_dev" not in status
