"""Git repositories in the odd situations that there are, and a regen in each of them.

They are R1 to R34 of git-situations.md, section 2. Tested elsewhere:

- R1, no git; R2, no git repository; R3, no commit; R5, a detached HEAD; R9, a subfolder; R11,
  links; R16, what a hook sets; R26, a locked index; R32, one call of git: test_regen_git.py.
- R17 to R21, commits and those who make them: test_hook_commit.py, test_hook_install.py.
- R24 and R25, hooks: worktree/test_hooks.py.
- R34, several repos: test_regen_whole.py and test_regen_failures.py.

Not tested: R12 (file systems without case) and R31 (Windows), which are not here; in R28 git itself
refuses the switch, and what travels along is class 21 of test_regen_classes.py.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
PAINTED = COLORED + "    weight: float = 1.5\n"
TAGS = '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n'
WORDS = TAGS + "    word: str | None\n"
DATABASE = "priv/repo/dev.sqlite3"
RED = "INSERT INTO posts (title, color) VALUES ('A', 'red')"


@pytest.fixture
def day(begin):
    """An untracked, applied migration with a row, and resources that have changed since."""
    day = begin(rows=RED)
    day.declare(PAINTED)
    return day


def at(day, place):
    """The same day in another folder."""
    project = day.project
    there = replace(project, root=place, git=project.git.at(place))
    return replace(day, project=replace(there, ashflow=replace(project.ashflow, root=place)))


def refused(day, *flags, **more):
    """Run a regen that has to refuse, and touch nothing."""
    before = day.everything()
    error = day.regen("-m", *flags, code=2, **more)
    assert day.everything() == before
    return error


def replaced(day, *flags, **more):
    """Run a regen that has to replace the one untracked migration, and keep its row."""
    told = day.regen("-m", *flags, **more)
    assert len(told["rolled_back"]) == 1
    assert len(told["removed"]) == 2
    assert day.migrations() == day.applied() == ["first", "again"]
    assert day.query("SELECT title, color, weight FROM posts") == [("A", "red", 1.5)]


# ------------------------------------------------------------------ where the work tree is
def test_r04_in_a_linked_worktree_of_a_bare_git_repository_all_is_as_ever(begin):
    day = begin(POSTS, None)
    place = day.root.parent / "linked"
    bare = day.root.parent / "bare.git"
    day.project.git("clone", "--quiet", "--bare", ".", str(bare))
    day.project.git.at(bare)("worktree", "add", "--quiet", str(place), "main")
    there = at(day, place)
    there.change(COLORED, "second")
    there.query(RED)
    there.declare(PAINTED)
    replaced(there)
    assert (bare / "ashflow").is_dir()


def test_r04_in_a_folder_of_git_s_own_it_is_refused(day):
    inside = day.root / ".git" / "shop"
    shutil.copytree(day.root, inside, ignore=shutil.ignore_patterns(".git"))
    before = day.everything()
    error = day.regen("-m", code=2, cwd=inside)
    assert "a git repository without a work tree" in error["message"]
    assert "git worktree add" in error["hint"]
    assert day.everything() == before
    assert at(day, inside).applied() == ["first", "second"]


def test_r07_two_worktrees_of_one_database_leave_each_other_s_tables_alone(begin):
    day = begin(POSTS, None)
    url = f"sqlite:///{day.root / DATABASE}"
    day.edit("pyproject.toml", "sqlite:///priv/repo/dev.sqlite3", url)
    day.project.git.commit("one database")
    place = day.root.parent / "linked"
    day.project.git("worktree", "add", "--quiet", str(place))
    there = at(day, place)
    there.change(POSTS + TAGS, "theirs")
    day.query("INSERT INTO tags VALUES (7)")
    day.later()
    day.change(COLORED, "second")
    day.query(RED)
    day.declare(PAINTED)
    assert len(day.regen("-m")["rolled_back"]) == 1
    assert day.applied() == ["first", "theirs", "again"]
    assert day.query("SELECT id FROM tags") == [(7,)]
    there.declare(POSTS + WORDS)
    told = there.run("regen", "words", "-m", "--json").json()["repos"][0]
    assert (len(told["rolled_back"]), told["rows_carried"]) == (1, 1)
    assert day.applied() == ["first", "again", "words"]
    assert day.query("SELECT id, word FROM tags") == [(7, None)]
    assert day.query("SELECT title, color, weight FROM posts") == [("A", "red", 1.5)]


def test_r08_in_a_submodule_its_own_git_repository_decides(begin, tmp_path):
    day = begin(POSTS, None)
    above = day.project.git.at(tmp_path / "above")
    above.root.mkdir()
    above("init", "--quiet")
    above("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(day.root), "shop")
    above("commit", "--quiet", "--message", "shop")
    there = at(day, above.root / "shop")
    there.run("migrate")
    there.change(COLORED, "second")
    there.query(RED)
    there.declare(PAINTED)
    replaced(there, env={"GIT_INDEX_FILE": str(above.root / ".git/index")})
    assert (above.root / ".git/modules/shop/ashflow").is_dir()
    assert not (above.root / ".git/ashflow").exists()


# ------------------------------------------------------------------ what is under way
def test_r06_a_stash_that_came_back_with_a_conflict_is_refused(day):
    git = day.project.git
    (snapshot,) = day.snapshots_of("first")
    good = day.project.read(snapshot)
    day.project.write(snapshot, "mine")
    git("stash", "--quiet", "--", snapshot)
    day.project.write(snapshot, "theirs")
    git("commit", "--quiet", "--message", "theirs", "--", snapshot)
    git("stash", "pop", "--quiet", code=1)
    assert not (day.root / ".git/MERGE_HEAD").exists()
    assert f"{snapshot} is unmerged" in refused(day)["message"]
    day.project.write(snapshot, good)
    git("add", snapshot)
    replaced(day)


def test_r06_a_patch_that_did_not_apply_is_refused(day):
    git = day.project.git
    day.project.write("notes.md", "one")
    git("add", "notes.md")
    git("commit", "--quiet", "--message", "notes")
    patch = day.root.parent / "0001.patch"
    patch.write_text(git("format-patch", "--stdout", "-1"))
    git("am", "--quiet", str(patch), code=128)
    error = refused(day)
    assert "under way" in error["message"]
    git("am", "--abort")
    replaced(day)


def test_r06_what_was_left_over_from_something_is_no_proof_of_it(day):
    for left in ("REBASE_HEAD", "AUTO_MERGE", "ORIG_HEAD"):
        day.project.git("update-ref", left, "HEAD")
    replaced(day)


def test_r06_a_bisect_is_no_hindrance(day):
    day.project.git("bisect", "start")
    replaced(day)


# ------------------------------------------------------------------ names and line ends
def test_r10_names_that_are_no_utf_8_or_have_line_breaks_hinder_nothing(day):
    version = day.path("second").split("/")[-1][:14]
    tails = [os.fsdecode(b"_se\xffcond.py"), "_a\nb.py", "_-rf '.py"]
    odd = [day.root / f"priv/repo/migrations/{version}{tail}" for tail in tails]
    for place in odd:
        place.write_text("mine")
    assert len(day.regen("-m")["removed"]) == 2
    assert all(place.exists() for place in odd)
    assert day.applied() == ["first", "again"]
    assert day.query("SELECT title, color, weight FROM posts") == [("A", "red", 1.5)]


@pytest.mark.parametrize("setting", ["true", "false"])
def test_r13_line_ends_of_windows_are_no_edit(day, setting):
    day.project.git("config", "core.autocrlf", setting)
    for name in ("first", "second"):
        for path in (day.path(name), *day.snapshots_of(name)):
            place = day.root / path
            place.write_bytes(place.read_bytes().replace(b"\n", b"\r\n"))
    (repo,) = day.run("status", "--json").json()["repos"]
    assert [one["edited"] for one in repo["migrations"]] == [False, False]
    replaced(day)
    assert b"\r" not in (day.root / day.path("again")).read_bytes()


# ------------------------------------------------------------------ what git leaves out, or hides
@pytest.mark.parametrize(
    "words", [["regen", "again"], ["regen", "again", "-m"], ["codegen", "again"]], ids=" ".join
)
def test_r14_what_a_sparse_checkout_leaves_out_is_not_written_again(day, words):
    left_out(day)
    day.declare(PAINTED + WORDS)
    before = day.everything()
    error = day.run(*words, "--json", code=2).json()["error"]
    assert day.everything() == before
    assert "git sparse-checkout" in error["hint"]


def left_out(day):
    """Commit all, and have git leave the folder priv out; the database stays."""
    day.project.git.commit("all")
    day.project.git("sparse-checkout", "set", "--no-cone", "/*", "!/priv/")
    assert day.project.files() == []


def test_r14_a_commit_is_judged_with_what_a_sparse_checkout_leaves_out(begin):
    day = begin()
    left_out(day)
    assert day.run("check", "--staged", "--json").json() == {"ok": True, "problems": []}
    assert day.applied() == ["first", "second"]


def test_r14_a_sparse_checkout_that_has_all_of_priv_is_no_hindrance(day):
    day.project.write("docs/notes.md", "words")
    day.project.git("add", "docs")
    day.project.git("commit", "--quiet", "--message", "docs")
    day.project.git("sparse-checkout", "set", "--cone", "--sparse-index", "priv", "shop")
    assert not (day.root / "docs").exists()
    replaced(day)


def test_r14_an_index_of_another_form_is_read_as_any(day):
    day.project.git("update-index", "--index-version", "4", "--split-index", "--untracked-cache")
    replaced(day)


@pytest.mark.parametrize("rule", ["*.json", "**/2*.py"])
def test_r15_rules_of_the_user_s_own_are_named_by_the_hint(day, tmp_path, rule):
    (tmp_path / "ignored").write_text(f"{rule}\n")
    day.project.git("config", "core.excludesFile", str(tmp_path / "ignored"))
    error = refused(day)
    assert "git ignores priv/" in error["message"]
    command = error["hint"].partition("git ")[2].partition(" and ")[0].split()
    assert f"{tmp_path / 'ignored'}:1:{rule}" in day.project.git(*command)


@pytest.mark.parametrize(
    "words", [["regen", "again", "-m"], ["status"], ["check", "--staged"]], ids=" ".join
)
def test_r22_a_git_repository_of_somebody_else_is_refused_with_the_line_that_mends_it(day, words):
    before = day.everything()
    env = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    error = day.run(*words, "--json", code=2, env=env).json()["error"]
    assert "its files belong to another user" in error["message"]
    assert f"git config --global --add safe.directory {day.root}" in error["hint"]
    assert day.everything() == before


@pytest.mark.parametrize("branches", ["--single-branch", "--no-single-branch"])
def test_r23_a_clone_that_was_cut_off_knows_what_is_untracked_and_not_what_is_since(
    begin, branches
):
    day = begin(POSTS, None)
    git = day.project.git
    git("switch", "--quiet", "--create", "work")
    git.commit("more")
    clone = day.root.parent / "clone"
    git("clone", "--quiet", "--depth=1", branches, f"file://{day.root}", str(clone))
    there = at(day, clone)
    there.run("migrate")
    there.change(COLORED, "second")
    there.query(RED)
    there.declare(PAINTED)
    error = refused(there, "--since", "origin/main")
    assert "git fetch" in error["hint"]
    replaced(there)


# ------------------------------------------------------------------ files that come and go
@pytest.mark.parametrize("way", ["clean", "stash"])
def test_r27_files_that_git_took_away_are_missed_and_rolled_back_from_the_database(day, way):
    git = day.project.git
    day.declare(POSTS)
    words = {"clean": ["clean", "--quiet", "--force", "-d", "priv"]}
    git(*words.get(way, ["stash", "--quiet", "--include-untracked"]))
    (repo,) = day.run("status", "--json").json()["repos"]
    assert [one["state"] for one in repo["migrations"]] == ["up", "missing"]
    assert day.regen("-m")["rolled_back"] == []
    assert day.query("SELECT title, color FROM posts") == [("A", "red")]
    day.run("rollback")
    assert day.query("SELECT * FROM posts") == [(1, "A")]
    day.whole()


def test_r27_a_stash_that_comes_back_makes_all_as_it_was(day):
    git = day.project.git
    git("stash", "--quiet", "--include-untracked")
    assert day.regen("-m", "--dry-run")["rolled_back"] == []
    git("stash", "pop", "--quiet")
    replaced(day)


@pytest.mark.parametrize("flags", [(), ("-m",)])
def test_r29_two_migrations_of_one_second_are_refused(day, flags):
    path = day.path("second")
    other = path.replace("second", "another")
    shutil.copy(day.root / path, day.root / other)
    before = day.everything()
    error = day.regen(*flags, code=2)
    assert error["code"] == "duplicate-version"
    assert path in error["message"]
    assert other in error["message"]
    assert day.everything() == before


def test_r29_a_version_that_another_branch_has_applied_is_not_given_again(begin):
    day = begin(POSTS, None)
    day.later()
    seconds = int(f"{datetime.now(UTC):%Y%m%d%H%M%S}")
    row = "INSERT INTO ashflow_migrations (version, name, checksum, operations, applied_at) "
    row += (
        "SELECT ?, 'theirs', '', '{\"format\": 1, \"transaction\": true, \"operations\": []}', ''"
    )
    for ahead in range(8):
        day.query(row, str(seconds + ahead))
    day.declare(PAINTED)
    assert int(day.regen("-m")["migration"]["version"]) not in range(seconds, seconds + 8)


def test_r30_what_git_merged_into_a_regenerated_migration_is_told(begin):
    day = begin(POSTS, None)
    git = day.project.git
    git("switch", "--quiet", "--create", "work")
    day.change(COLORED, "second")
    git.commit("second")
    git("branch", "old")
    day.regen("-m", "--since", "main")
    git.commit("again")
    git("switch", "--quiet", "old")
    day.edit(day.path("second"), "migration = ", 'print("a hotfix")\nmigration = ')
    day.edit(day.path("second"), '"color", "text"', '"color", "integer"')
    git.commit("a hotfix")
    git("switch", "--quiet", "work")
    git("merge", "--quiet", "old", "--message", "merged")
    assert "a hotfix" in day.project.read(day.path("again"))
    (repo,) = day.run("status", "--json").json()["repos"]
    assert [one["edited"] for one in repo["migrations"]] == [False, True]


# ------------------------------------------------------------------ what may not be written
@pytest.mark.parametrize("place", ["priv/repo", "priv/repo/migrations", ".git"])
def test_r33_a_folder_that_is_read_only_leaves_everything_as_it_was(day, place):
    before = day.everything()
    (day.root / place).chmod(0o555)
    try:
        error = day.regen("-m", code=1)
    finally:
        (day.root / place).chmod(0o755)
    assert place.removesuffix("/migrations") in error["message"]
    assert day.everything() == before


@pytest.mark.parametrize("blocks", ["0", "16"])
def test_r33_a_disk_without_room_leaves_everything_as_it_was(day, blocks):
    before = day.everything()
    command = f"ulimit -f {blocks}; exec {sys.executable} -m ashflow regen again -m --json"
    done = subprocess.run(
        ["sh", "-c", command], cwd=day.root, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["code"] in {"database", "file"}  # whichever is written first
    assert str(day.root) in error["message"]
    assert "disk" in error["hint"] or "try again" in error["hint"]
    assert day.everything() == before
    replaced(day)
