"""The hook that judges: real commits, of all the kinds that git has."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
HEADER = "from ashflow import Resource, integer_primary_key\n\n"
TAG = """
class Tag(Resource, table="tags"):
    id: int = integer_primary_key()

"""
LABEL = TAG.replace("Tag", "Label").replace("tags", "labels")
SOURCE = "shop/resources.py"


def head(hooked) -> str:
    return hooked.git("rev-parse", "HEAD").stdout.strip()


def refused(hooked, *arguments: str, **more) -> str:
    """Run a command of git that has to fail, and that commits nothing; return what it says."""
    before = head(hooked)
    done = hooked.git(*arguments, **more)
    assert done.returncode == 1, done
    assert head(hooked) == before
    return done.stderr


def passes(hooked, *arguments: str, **more) -> str:
    """Run a command of git that has to commit, judged and without a word; return what it says."""
    before = head(hooked)
    done = hooked.git(*arguments, **more)
    assert done.returncode == 0, done
    assert head(hooked) != before
    assert "ashflow" not in done.stdout + done.stderr
    return done.stdout


# ------------------------------------------------------------------ stale and good
def test_a_stale_commit_fails_and_says_what_mends_it(hooked):
    hooked.day.declare(COLORED)
    hooked.git("add", ".")
    said = refused(hooked, "commit", "-m", "stale")
    assert hooked.started() == ["pre-commit"]
    assert "stale-snapshot: the resources say something new of posts" in said
    assert "fix: ashflow codegen NAME" in said
    assert said.splitlines()[-1] == "ashflow: 1 problem, so nothing was committed"


def test_a_good_commit_passes_without_a_word(hooked):
    hooked.day.change(COLORED, "color", migrate=False)
    hooked.git("add", ".")
    passes(hooked, "commit", "-m", "good")
    assert hooked.started() == ["pre-commit"]


def test_a_commit_of_other_files_starts_no_python_though_the_work_tree_is_stale(hooked):
    hooked.day.declare(COLORED)
    hooked.day.project.write("README.md", "words")
    hooked.git("add", "README.md")
    passes(hooked, "commit", "-m", "words")
    assert hooked.started() == []


def test_no_verify_is_the_users_last_word(hooked):
    hooked.day.declare(COLORED)
    passes(hooked, "commit", "-a", "--no-verify", "-m", "stale")
    assert hooked.started() == []


def test_the_first_commit_of_all_is_judged(hooked):
    hooked.git("checkout", "--quiet", "--orphan", "fresh")
    hooked.started()
    hooked.git("rm", "--quiet", "-r", "--cached", "priv")
    done = hooked.git("commit", "-m", "first")
    assert done.returncode == 1
    assert "stale-snapshot" in done.stderr
    hooked.git("add", "priv")
    assert hooked.git("commit", "-m", "first").returncode == 0


# ------------------------------------------------------------------ the index that git hands over
def stale(hooked) -> None:
    hooked.day.declare(COLORED)


def pair_on_disk(hooked) -> None:
    """All that belongs to it is there, and only the resources are going to be committed."""
    hooked.day.change(COLORED, "color", migrate=False)


def pair_staged(hooked) -> None:
    pair_on_disk(hooked)
    hooked.git("add", "priv")


def pair_staged_and_more_edits(hooked) -> None:
    pair_staged(hooked)
    hooked.git("add", SOURCE)
    hooked.day.declare(COLORED + "    later: int\n")


COMMITS = {
    "staged": [["add", SOURCE], ["commit", "-m", "x"]],
    "all": [["commit", "-a", "-m", "x"]],
    "path": [["commit", "-m", "x", "--", SOURCE]],
    "include": [["commit", "-m", "x", "--include", SOURCE]],
    "amend": [["add", SOURCE], ["commit", "--amend", "-m", "x"]],
    "amend-all": [["commit", "--amend", "-a", "--no-edit"]],
}
MATRIX = [
    (stale, {}),
    (pair_on_disk, {}),
    # A commit of paths leaves out what is staged besides them.
    (pair_staged, {"staged", "all", "include", "amend", "amend-all"}),
]


@pytest.mark.parametrize("how", COMMITS)
@pytest.mark.parametrize(("state", "good"), MATRIX, ids=[state.__name__ for state, _ in MATRIX])
def test_every_kind_of_commit_is_judged_by_what_it_commits(hooked, how, state, good):
    state(hooked)
    *before, last = COMMITS[how]
    for command in before:
        hooked.git(*command)
    if how in good:
        passes(hooked, *last)
    else:
        refused(hooked, *last)
    assert hooked.started() == ["pre-commit"]


def test_what_is_edited_and_not_staged_does_not_count(hooked):
    pair_staged_and_more_edits(hooked)
    passes(hooked, "commit", "-m", "good")


def test_what_is_edited_counts_where_all_is_committed(hooked):
    pair_staged_and_more_edits(hooked)
    assert "later" in refused(hooked, "commit", "-a", "-m", "stale")


def test_a_half_that_was_left_out_is_named_with_the_command_that_adds_it(hooked):
    pair_on_disk(hooked)
    hooked.git("add", "priv/repo/migrations", SOURCE)
    said = refused(hooked, "commit", "-m", "half")
    (snapshot,) = hooked.day.snapshots_of("color")
    assert f"{snapshot}: not-staged" in said
    assert f"git add {snapshot}" in said


def test_a_part_of_a_file_that_is_staged_hunk_by_hunk_is_what_is_judged(hooked):
    pair_on_disk(hooked)
    hooked.git("add", "priv")
    day = hooked.day
    day.edit(SOURCE, "from datetime", "# a note\nfrom datetime")

    def picked(answers: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "commit", "--patch", "-m", "hunk", "--", SOURCE],
            cwd=hooked.root,
            input=answers,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    hooked.git("commit", "--no-verify", "-m", "pair", "--", "priv")
    done = picked("y\nn\n")  # the note alone: the column stays where it was, in the work tree
    assert done.returncode == 1, done
    assert "stale-snapshot" in done.stderr
    done = picked("n\ny\n")
    assert done.returncode == 0, done
    assert "# a note" not in hooked.git("show", f"HEAD:{SOURCE}").stdout


# ------------------------------------------------------------------ merges
def diverged(hooked, *ours: str) -> None:
    """Two branches: `other` has a colour, and main what the resources are one after the other."""
    day = hooked.day
    hooked.git("switch", "--quiet", "--create", "other")
    day.change(COLORED, "color", migrate=False)
    hooked.git("add", ".")
    hooked.git("commit", "--quiet", "-m", "other")
    version = Path(day.path("color")).name[:14]
    hooked.git("switch", "--quiet", "main")
    while f"{datetime.now(UTC):%Y%m%d%H%M%S}" <= version:
        time.sleep(0.05)
    for i, source in enumerate(ours):
        day.change(source, f"main_{i}", migrate=False)
    hooked.git("add", ".")
    hooked.git("commit", "--quiet", "-m", "main")
    hooked.started()


def test_a_branch_that_takes_in_what_main_has_got_meanwhile_passes(hooked):
    diverged(hooked, TAG + POSTS, LABEL + TAG + POSTS)
    hooked.git("switch", "--quiet", "other")
    hooked.started()
    merged = hooked.git("merge", "--no-edit", "main")
    assert merged.returncode == 0, merged
    assert hooked.started() == ["pre-merge-commit", "post-merge"]


def test_a_merge_into_main_of_what_is_older_than_main_is_stopped(hooked):
    diverged(hooked, TAG + POSTS)
    before = head(hooked)
    merged = hooked.git("merge", "--no-edit", "other")
    assert merged.returncode == 1, merged
    assert "out-of-order" in merged.stderr
    assert head(hooked) == before


def test_a_merge_whose_snapshots_disagree_is_stopped(hooked):
    diverged(hooked, POSTS + "    color: int | None\n")
    before = head(hooked)
    merged = hooked.git("merge", "--no-edit", "-X", "ours", "other")
    assert merged.returncode == 1, merged
    assert "forked-snapshot" in merged.stderr
    assert head(hooked) == before
    # git leaves the merge to be committed by hand, and there the other hook looks.
    assert "forked-snapshot" in refused(hooked, "commit", "--no-edit")
    assert hooked.started() == ["pre-merge-commit", "pre-commit"]


def test_a_merge_with_a_conflict_is_judged_when_it_is_committed(hooked):
    diverged(hooked, POSTS + "    color: int | None\n")
    assert hooked.git("merge", "other").returncode == 1
    assert hooked.started() == []
    hooked.git("checkout", "--quiet", "--ours", SOURCE)
    hooked.git("add", SOURCE)
    assert "forked-snapshot" in refused(hooked, "commit", "--no-edit")


# ------------------------------------------------------------------ where
def test_a_linked_worktree_is_judged_by_its_own_index(hooked, tmp_path):
    place = tmp_path / "lin ked"
    hooked.git("worktree", "add", "--quiet", "-b", "other", str(place))
    assert hooked.started() == []
    (place / SOURCE).write_text(HEADER + COLORED)
    for command in (["commit", "-a", "-m", "x"], ["commit", "-m", "x", "--", SOURCE]):
        done = hooked.git(*command, cwd=place)
        assert done.returncode == 1, done
        assert "stale-snapshot" in done.stderr
    assert (
        hooked.git("log", "--format=%s", "other").stdout
        == hooked.git("log", "--format=%s", "main").stdout
    )


def test_a_commit_from_a_subfolder_is_judged_as_any_other(hooked):
    stale(hooked)
    assert "stale-snapshot" in refused(
        hooked, "commit", "-m", "x", "--", "resources.py", cwd=hooked.root / "shop"
    )


def test_a_git_that_is_told_where_its_folders_are_is_judged_as_any_other(hooked, tmp_path):
    stale(hooked)
    env = {"GIT_DIR": str(hooked.root / ".git"), "GIT_WORK_TREE": str(hooked.root)}
    assert "stale-snapshot" in refused(hooked, "commit", "-a", "-m", "x", cwd=tmp_path, env=env)


def test_a_hook_changes_no_file_and_writes_no_byte_code(hooked):
    pair_on_disk(hooked)
    before = hooked.day.everything()
    env = {"PYTHONDONTWRITEBYTECODE": ""}
    refused(hooked, "commit", "-m", "x", "--", SOURCE, env=env)
    assert hooked.day.everything() == before
    assert list(hooked.root.rglob("*.pyc")) == []


# ------------------------------------------------------------------ it cannot tell
def test_resources_that_do_not_import_stop_the_commit_with_their_own_traceback(hooked):
    hooked.day.declare("import nowhere_to_be_found")
    said = hooked.git("commit", "-a", "-m", "x")
    assert said.returncode == 1
    assert "No module named 'nowhere_to_be_found'" in said.stderr
    assert "hint: Install nowhere_to_be_found" in said.stderr


def test_a_configuration_that_is_broken_stops_the_commit(hooked):
    hooked.day.edit("pyproject.toml", "domains =", "domain =")
    assert "the key 'domain' is not known" in refused(hooked, "commit", "-a", "-m", "x")


def test_a_configuration_that_is_broken_and_not_staged_does_not_count(hooked):
    pair_staged(hooked)
    hooked.git("add", SOURCE)
    hooked.day.edit("pyproject.toml", "domains =", "domain =")
    passes(hooked, "commit", "-m", "good")
    hooked.git("rm", "--quiet", "--cached", "-r", "priv")
    (hooked.root / "pyproject.toml").unlink()
    assert "stale-snapshot" in refused(hooked, "commit", "-m", "stale")


def test_a_git_repository_without_a_project_commits_as_ever(hooked):
    hooked.git("rm", "--quiet", "pyproject.toml")
    passes(hooked, "commit", "-m", "none")


@pytest.mark.parametrize("name", ["pre-commit", "pre-merge-commit"])
def test_the_line_for_other_tools_judges_too(hooked, name):
    stale(hooked)
    hooked.git("add", ".")
    done = subprocess.run(
        [sys.executable, "-m", "ashflow", "hook", "run", name],
        cwd=hooked.root,
        env=os.environ,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert "stale-snapshot" in done.stdout
    assert Path(hooked.root / "priv").is_dir()
