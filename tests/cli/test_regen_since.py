"""`regen --since`: what a branch has committed becomes one migration too."""

from __future__ import annotations

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
ONE = POSTS + "    color: str | None\n"
TWO = ONE + "    n: int = 1\n"
THREE = TWO + "    m: int = 2\n"
ROWS = "INSERT INTO posts (title) VALUES ('A')"


@pytest.fixture
def branch(begin):
    """A branch with two commits, a migration each, applied; `main` has the first one."""
    day = begin(POSTS, None, rows=ROWS)
    git = day.project.git
    git("switch", "--quiet", "--create", "work")
    day.change(ONE, "one")
    git.commit("one")
    day.change(TWO, "two")
    git.commit("two")
    day.query("UPDATE posts SET color = 'red', n = 9")
    return day


def test_the_committed_and_the_untracked_ones_become_one_and_the_rows_stay(branch):
    day = branch
    day.change(THREE, "three")
    told = day.regen("-m", "--since", "main")
    assert len(told["rolled_back"]) == 3
    assert day.migrations() == day.applied() == ["first", "again"]
    assert day.query("SELECT title, color, n, m FROM posts") == [("A", "red", 9, 2)]
    day.whole()
    assert "three" not in day.project.git("ls-files")
    assert " D priv/repo/migrations" in day.project.git("status", "--porcelain")
    day.project.git.commit("as one")
    assert day.run("regen", "more", "-m", "--since", "main").out.count("again.py") == 1


def test_without_it_what_is_committed_stays(branch):
    branch.change(THREE, "three")
    branch.regen("-m")
    assert branch.migrations() == ["first", "one", "two", "again"]


def test_a_branch_that_was_merged_and_clashes_is_written_anew_on_top(branch):
    day = branch
    git = day.project.git
    git("switch", "--quiet", "main")
    day.later()
    day.declare(POSTS + "    color: str = 'blue'\n")
    day.run("codegen", "theirs")
    git.commit("theirs")
    git("switch", "--quiet", "work")
    git("merge", "--quiet", "--no-commit", "--strategy-option", "ours", "main")
    day.declare(POSTS + "    color: str = 'blue'\n    n: int = 1\n")
    git.commit("merged")
    error = day.run("codegen", "more", "--json", code=2).json()["error"]
    assert error["code"] == "forked-snapshot"
    assert "column posts.color" in error["message"]
    day.regen("-m", "--since", "main", "--yes")
    assert day.migrations() == day.applied() == ["first", "theirs", "again"]
    assert day.query("SELECT title, n FROM posts") == [("A", 9)]
    day.whole()


def test_what_is_published_is_left_alone_unless_the_user_insists(branch, tmp_path):
    day = branch
    git = day.project.git
    git("init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    git("remote", "add", "origin", str(tmp_path / "remote.git"))
    git("push", "--quiet", "origin", "work")
    before = day.everything()
    error = day.run("regen", "again", "-m", "--since", "main", "--json", code=2).json()["error"]
    assert f"{day.path('one')} is on origin/work already" in error["message"]
    assert "--published" in error["hint"]
    assert day.everything() == before
    day.regen("-m", "--since", "main", "--published")
    assert day.migrations() == ["first", "again"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "nowhere"], "git knows no commit called nowhere"),
        (["--since", "--all"], "git knows no commit called --all"),
        (["--since", "apart"], "HEAD and apart have no commit in common"),
        (["--published"], "--published is about migrations that are committed"),
    ],
)
def test_what_git_does_not_know_is_refused(branch, words, said):
    day = branch
    git = day.project.git
    git("switch", "--quiet", "--orphan", "apart")
    git("commit", "--quiet", "--allow-empty", "--message", "apart")
    git("switch", "--quiet", "work")
    before = day.everything()
    assert said in day.run("regen", "again", *words, code=2).err
    assert day.everything() == before
