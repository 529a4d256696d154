"""Two branches that changed one table, merged by real git, and a database with rows."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROWS = "INSERT INTO posts (title) VALUES ('one')"


def post(*more, title="title: str"):
    lines = ["class Post(Resource, table='posts'):", "    id: int = integer_primary_key()"]
    return "\n".join([*lines, f"    {title}", *(f"    {line}" for line in more), ""])


@pytest.fixture
def fork(begin):
    """Merge two branches with a migration each: `fork(left, right, merged)`.

    The database got what is on `main`, and then what is on `right`, whose version is the younger.
    """

    def fork(left, right, merged, *options):
        day = begin(post(), None, rows=ROWS)
        git = day.project.git
        git("switch", "--quiet", "--create", "left")
        day.declare(left)
        day.run("codegen", "on_left", *options)
        older = Path(day.path("on_left")).name[:14]
        git.commit("left")
        git("switch", "--quiet", "--create", "right", "main")
        while f"{datetime.now(UTC):%Y%m%d%H%M%S}" <= older:
            time.sleep(0.05)
        day.declare(right)
        day.run("codegen", "on_right")
        day.run("migrate")
        git.commit("right")
        git("merge", "--quiet", "--no-commit", "--strategy-option", "ours", "left")
        day.declare(merged)
        git.commit("merged")
        return day

    return fork


def test_changes_that_go_together_are_both_there_and_nothing_is_written_twice(fork):
    color, views = "color: str | None", "views: int = 0"
    day = fork(post(color), post(views), post(color, views))
    day.run("codegen", "--check")
    before = day.project.files()
    assert "nothing to do" in day.run("codegen", "after").out
    assert day.project.files() == before
    day.run("migrate")
    day.whole()
    assert day.query("SELECT title, color, views FROM posts") == [("one", None, 0)]
    day.change(post(color, views, "rank: int | None"), "third")
    day.whole()
    day.run("rollback", "--all")


def test_changes_that_clash_are_refused_and_resolved_in_order_of_version(fork):
    title = "title: str = {}".format
    day = fork(*(post(title=title(text)) for text in ("'left'", "'right'", "'both'")))
    before = day.everything()
    for words in (["codegen", "after"], ["codegen", "--check"], ["regen", "after", "-m"]):
        error = day.run(*words, "--json", code=2).json()["error"]
        assert error["code"] == "forked-snapshot"
        assert "two branches changed column posts.title" in error["message"]
        assert all(
            day.snapshots_of(name)[0] in error["message"] for name in ("on_left", "on_right")
        )
        assert "--resolve" in error["hint"]
        assert "--since" in error["hint"]
    assert day.everything() == before
    day.run("codegen", "after", "--resolve")
    day.run("codegen", "--check")
    day.run("migrate")
    day.whole()
    day.query("INSERT INTO posts DEFAULT VALUES")
    assert day.query("SELECT title FROM posts") == [("one",), ("both",)]


def test_a_table_made_on_both_branches_has_no_order_that_resolves_it(fork):
    tag = "class Tag(Resource, table='tags'):\n    name: str\n"
    day = fork(post() + tag, post() + tag + "    color: str\n", post() + tag)
    error = day.run("codegen", "after", "--resolve", "--json", code=2).json()["error"]
    assert "two branches changed table tags" in error["message"]
    assert "cannot run one after the other" in error["message"]


def test_a_clash_of_two_tables_is_told_by_codegen_and_by_check(fork):
    found = "    found = index('id', name='found')\n"
    tag = "class Tag(Resource, table='tags'):\n    id: int = integer_primary_key()\n"
    day = fork(post() + found, post() + tag + found, post() + tag + found)
    error = day.run("codegen", "after", "--json", code=2).json()["error"]
    assert error["code"] == "forked-snapshot"
    assert "both posts and tags have an index found" in error["message"]
    (problem,) = [
        one
        for one in day.run("check", "--json", code=1).json()["problems"]
        if one["code"] == "forked-snapshot"
    ]
    assert (problem["table"], problem["message"]) == ("tags", error["message"])
    assert "regen NAME --since" in problem["fix"]
