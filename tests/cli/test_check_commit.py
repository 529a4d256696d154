"""`ashflow check --staged` as the hook of a user's own, under every kind of commit."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
SOURCE = "shop/resources.py"
HOOK = f"""#!/bin/sh
exec {sys.executable} -m ashflow check --staged
"""


@pytest.fixture
def day(begin):
    """A table that is committed, and a hook that was written by hand."""
    day = begin(untracked=None)
    for name in ("pre-commit", "pre-merge-commit"):
        hook = day.root / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(HOOK)
        hook.chmod(0o755)
    return day


def git(day, *arguments, cwd=None, answers=""):
    """Run git with the hooks: whether it went through, and what it said."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=cwd or day.root,
        env=os.environ,
        input=answers,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode == 0, done.stdout + done.stderr


# ------------------------------------------------------------------ states
def the_resource_alone(day):
    day.declare(COLORED)
    day.project.git("add", SOURCE)


def the_resource_with_its_pair_on_disk(day):
    day.change(COLORED, "color", migrate=False)
    day.project.git("add", SOURCE)


def the_resource_with_its_snapshot_on_disk(day):
    day.change(COLORED, "color", migrate=False)
    day.project.git("add", SOURCE, "priv/repo")


def all_of_it(day):
    day.change(COLORED, "color", migrate=False)
    day.project.git("add", ".")


def all_of_it_and_more_on_disk(day):
    all_of_it(day)
    day.declare(COLORED + "    later: int\n")


def words_and_a_stale_resource_on_disk(day):
    day.declare(COLORED)
    day.project.write("README.md", "words")
    day.project.git("add", "README.md")


STATES = {
    the_resource_alone: "stale-snapshot",
    the_resource_with_its_pair_on_disk: "stale-snapshot",
    the_resource_with_its_snapshot_on_disk: "not-staged",
    all_of_it: "",
    all_of_it_and_more_on_disk: "",
    words_and_a_stale_resource_on_disk: "",
}
OF_ALL = {  # what `--all` brings along
    all_of_it_and_more_on_disk: "stale-snapshot",
    words_and_a_stale_resource_on_disk: "stale-snapshot",
}
OF_A_PATH = {  # a commit of a path has nothing else of what is staged
    the_resource_with_its_snapshot_on_disk: "stale-snapshot",
    all_of_it: "stale-snapshot",
    all_of_it_and_more_on_disk: "stale-snapshot",
    words_and_a_stale_resource_on_disk: "stale-snapshot",
}
COMMITS = [
    (["commit", "-m", "x"], {}),
    (["commit", "-a", "-m", "x"], OF_ALL),
    (["commit", "-m", "x", "--", SOURCE], OF_A_PATH),
    (["commit", "--amend", "--no-edit"], {}),
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize(("command", "other"), COMMITS, ids=["plain", "all", "path", "amend"])
def test_a_commit_is_judged_by_what_it_commits(day, state, command, other):
    state(day)
    before = day.project.git("rev-parse", "HEAD")
    code = (STATES | other)[state]
    went, said = git(day, *command)
    assert went == (not code), said
    assert code in said
    assert (day.project.git("rev-parse", "HEAD") == before) == bool(code)


def test_hunks_that_are_picked_are_judged_though_they_are_nowhere_on_disk(day):
    day.change(COLORED, "color", migrate=False)
    day.edit(SOURCE, "from datetime", "# a note\nfrom datetime")
    went, said = git(day, "commit", "-p", "-m", "x", answers="n\ny\n")  # the column, and no note
    assert (went, "stale-snapshot" in said) == (False, True), said
    day.project.git("add", "priv")
    went, said = git(day, "commit", "-p", "-m", "x", answers="n\ny\n")
    assert went, said
    assert "# a note" not in day.project.git("show", f"HEAD:{SOURCE}")


def test_the_first_commit_of_all_is_judged(day):
    day.project.git("checkout", "--quiet", "--orphan", "fresh")
    day.project.git("rm", "--quiet", "-r", "--cached", "priv")
    went, said = git(day, "commit", "-m", "x")
    assert (went, "stale-snapshot" in said) == (False, True), said
    day.project.git("add", "priv")
    assert git(day, "commit", "-m", "x")[0]


@pytest.mark.parametrize("healthy", [True, False])
def test_a_merge_is_judged(day, healthy):
    project = day.project
    project.git("switch", "--quiet", "--create", "other")
    day.declare(COLORED)
    if healthy:
        day.change(COLORED, "color", migrate=False)
    project.git("add", ".")
    project.git("commit", "--quiet", "--no-verify", "--message", "other")
    project.git("switch", "--quiet", "main")
    project.write("README.md", "words")
    project.git.commit("words")
    went, said = git(day, "merge", "--no-edit", "other")
    assert went == healthy, said
    assert ("stale-snapshot" in said) != healthy
    if not healthy:
        assert git(day, "commit", "--no-edit")[0] is False
        day.run("codegen", "color")
        project.git("add", "priv")
        assert git(day, "commit", "--no-edit")[0]


def test_a_linked_worktree_is_judged_by_its_own_index(day, tmp_path):
    place = tmp_path / "linked"
    day.project.git("worktree", "add", "--quiet", "-b", "other", str(place))
    day.declare(COLORED)  # in the first one
    text = (place / SOURCE).read_text()
    (place / SOURCE).write_text(f"{text}    size: int | None\n")
    for command in (["commit", "-a", "-m", "x"], ["commit", "-m", "x", "--", SOURCE]):
        went, said = git(day, *command, cwd=place)
        assert (went, "posts.size" in said or "column size" in said) == (False, True), said
    (place / SOURCE).write_text(f"# a note\n{text}")
    assert git(day, "commit", "-a", "-m", "x", cwd=place)[0]


def test_a_subfolder_of_a_monorepo_is_judged_from_where_the_hook_goes(day):
    inner = day.root / "apps/web shop"
    inner.mkdir(parents=True)
    for name in ("pyproject.toml", "shop", "priv"):
        day.project.git("mv", name, f"apps/web shop/{name}")
    hook = day.root / ".git/hooks/pre-commit"
    hook.write_text(HOOK.replace("exec", 'cd "apps/web shop" && exec'))
    went, said = git(day, "commit", "-m", "moved")
    assert went, said
    source = inner / SOURCE
    source.write_text(source.read_text() + "    color: str | None\n")
    for what in (["-a"], ["--", str(source)]):
        went, said = git(day, "commit", "-m", "x", *what)
        assert (went, "stale-snapshot" in said) == (False, True), said
    (day.root / "README.md").write_text("words")
    day.project.git("add", "README.md")
    assert git(day, "commit", "-m", "words")[0]
