"""The 21 ways in which git knows a file, and what regen, check and status make of each.

They are listed in git-situations.md, section 1, and what the database may say in 1b. What stands in
another file is not tested twice:

- 2 and 3, edited or written by hand: test_regen_refusals.py.
- 6, staged; 20, a git repository inside; links in the place of folders: test_regen_git.py.
- 14 and 15, committed on this branch, and published: test_regen_since.py.
- In 1b: equal and pending, test_regen.py; without a file, test_regen_stack.py; edited after it was
  applied, and outside a transaction, test_regen_refusals.py; not there, test_regen_whole.py.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
PAINTED = COLORED + "    weight: float = 1.5\n"
TAGS = '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n'
SOURCE = "shop/resources.py"
DATABASE = "priv/repo/dev.sqlite3"
RED = "INSERT INTO posts (title, color) VALUES ('A', 'red')"


@pytest.fixture
def day(begin):
    """An untracked, applied migration with a row, and resources that have changed since."""
    day = begin(rows=RED)
    day.declare(PAINTED)
    return day


@pytest.fixture
def committed(begin):
    """The same, and the second migration is committed."""
    day = begin(rows=RED)
    day.project.git.commit("second")
    day.declare(PAINTED)
    return day


def pair(day, name="second"):
    """The files of a migration: its own, and its snapshots."""
    return [day.path(name), *day.snapshots_of(name)]


def refused(day, *flags, **more):
    """Run a regen that has to refuse, and touch nothing."""
    before = day.everything()
    error = day.regen("-m", *flags, code=2, **more)
    assert day.everything() == before
    return error


def stays(day):
    """Run a regen that has to leave `second` where it is, and write what is new on top of it."""
    files = {path: (day.root / path).read_bytes() for path in pair(day)}
    told = day.regen("-m")
    assert (told["rolled_back"], told["removed"]) == ([], [])
    assert {path: (day.root / path).read_bytes() for path in files} == files
    assert day.applied() == ["first", "second", "again"]
    assert painted(day) == [("A", "red", 1.5)]


def painted(day):
    return day.query("SELECT title, color, weight FROM posts")


def problems(day, *flags):
    """What `check` finds: the codes, with the paths."""
    result = day.project.ashflow("check", "--json", *flags)
    assert result.code in {0, 1}, result
    return {(one["code"], one["path"]) for one in result.json()["problems"]}


def told_of(day, name):
    """What `status` says of a migration: its state, its place in git, whether it was edited."""
    (repo,) = day.run("status", "--json").json()["repos"]
    (one,) = [one for one in repo["migrations"] if one["name"] == name]
    return one["state"], one["git"], one["edited"]


# ------------------------------------------------------------------ nobody has it yet
def test_c01_what_nobody_added_is_replaced_and_no_part_of_a_commit(day):
    texts = {path: day.project.read(path) for path in pair(day)}
    for path in texts:
        day.project.write(path, "neither Python nor JSON")
    assert problems(day, "--staged") == set()
    for path, text in texts.items():
        day.project.write(path, text)
    assert told_of(day, "second") == ("up", "untracked", False)
    assert day.regen("-m")["removed"] == list(texts)
    assert painted(day) == [("A", "red", 1.5)]


@pytest.mark.parametrize("rule", ["priv/", "*.json"])
def test_c04_what_is_ignored_is_refused_and_told_by_status(day, rule):
    day.project.write(".git/info/exclude", f"{rule}\n")
    day.project.git("rm", "--quiet", "-r", "--cached", "priv")
    day.project.git("commit", "--quiet", "--message", "hidden")
    error = refused(day)
    assert "git ignores priv/" in error["message"]
    assert "git check-ignore -v priv/" in error["hint"]
    place = "untracked" if rule == "*.json" else "ignored"
    assert told_of(day, "second") == ("up", place, False)


def hidden(begin):
    """A pair that git ignores, and its resource, which is staged."""
    day = begin()
    day.project.write(".git/info/exclude", "*_second.py\n*/posts/*.json\n")
    day.project.git("add", SOURCE)
    return day


def test_c04_what_is_ignored_is_no_part_of_a_commit(begin):
    day = hidden(begin)
    assert {code for code, _ in problems(day, "--staged")} == {"stale-snapshot"}


def test_c04_of_what_a_commit_lacks_it_is_said_that_git_ignores_it(begin):
    day = hidden(begin)
    assert "git check-ignore -v priv/" in day.run("check", "--staged", code=1).out


def test_c05_an_intent_to_add_is_part_of_no_commit_but_of_all(hooked):
    day = hooked.day
    day.change(COLORED, "second", migrate=False)
    hooked.git("add", "--intent-to-add", "priv")
    hooked.git("add", SOURCE)
    assert "stale-snapshot" in hooked.git("commit", "-m", "without the pair").stderr
    assert hooked.git("commit", "-a", "-m", "with all").returncode == 0
    assert told_of(day, "second") == ("down", "committed", False)


# ------------------------------------------------------------------ staged
def test_c07_what_is_staged_and_then_edited_stays_and_both_texts_with_it(day):
    path = day.path("second")
    day.project.git("add", "priv")
    staged = day.project.read(path)
    day.edit(path, "migration = ", "# a thought\nmigration = ")
    stays(day)
    assert day.project.git("show", f":{path}") == staged
    assert "# a thought" in day.project.read(path)


@pytest.mark.parametrize("spoilt", ["the index", "the disk"])
def test_c07_of_two_texts_a_commit_is_judged_by_the_staged_one(begin, spoilt):
    day = begin()
    path = day.path("second")
    good, bad = day.project.read(path), "this is no python"
    for text in (bad, good) if spoilt == "the index" else (good, bad):
        day.project.write(path, text)
        if not day.project.git("ls-files", path):
            day.project.git("add", "--all")
    wrong = {("invalid-migration", path)}
    assert problems(day, "--staged") == (wrong if spoilt == "the index" else set())
    assert problems(day) == (set() if spoilt == "the index" else wrong)


def test_c08_a_staged_snapshot_that_is_not_on_disk_comes_back_as_the_hint_says(day):
    _, snapshot = pair(day)
    text = day.project.read(snapshot)
    day.project.git("add", "priv")
    (day.root / snapshot).unlink()
    error = refused(day)
    assert snapshot in error["message"]
    day.project.git(*error["hint"].partition("git ")[2].split())
    assert day.project.read(snapshot) == text
    stays(day)


def test_c08_a_staged_migration_that_is_not_on_disk_stays_applied_and_staged(day):
    path, snapshot = pair(day)
    text = day.project.read(path)
    day.project.git("add", "priv")
    (day.root / path).unlink()
    told = day.regen("-m")
    assert (told["rolled_back"], told["removed"]) == ([], [])
    assert day.applied() == ["first", "second", "again"]
    assert painted(day) == [("A", "red", 1.5)]
    assert ("orphan-snapshot", snapshot) in problems(day)
    day.project.git("restore", "--", path)
    assert day.project.read(path) == text
    day.whole()


def test_c08_a_commit_is_judged_by_what_is_staged_though_it_is_not_on_disk(begin):
    day = begin()
    path, snapshot = pair(day)
    day.project.write(path, "this is no python")
    day.project.git("add", "--all")
    for file in (path, snapshot):
        (day.root / file).unlink()
    assert problems(day, "--staged") == {("invalid-migration", path)}


# ------------------------------------------------------------------ tracked
@pytest.mark.parametrize("letters", [".M", "M.", "MM"])
def test_c09_an_edited_tracked_migration_stays_and_is_told(committed, letters):
    day = committed
    path = day.path("second")
    day.edit(path, '"color", "text"', '"color", "integer"')
    if letters[0] == "M":
        day.project.git("add", path)
    if letters == "MM":
        day.edit(path, "migration = ", "# a thought\nmigration = ")
    assert day.project.git("status", "--porcelain=v2", path).split()[1] == letters
    assert told_of(day, "second") == ("up", "modified", True)
    edited = {("edited-migration", path)}
    assert problems(day, "--staged") == (edited if letters[0] == "M" else set())
    assert edited <= problems(day)
    stays(day)


@pytest.mark.parametrize("letters", [".D", "D."])
def test_c10_a_tracked_pair_that_was_deleted_stays_applied(begin, letters):
    day = begin(POSTS, None, rows="INSERT INTO posts (title) VALUES ('A')")
    day.change(POSTS + TAGS, "tags")
    day.project.git.commit("tags")
    day.query("INSERT INTO tags VALUES (7)")
    day.project.git("rm", "--quiet", *(["--cached"] if letters == ".D" else []), *pair(day, "tags"))
    if letters == ".D":
        day.project.git("reset", "--quiet")
        for path in pair(day, "tags"):
            (day.root / path).unlink()
    day.declare(COLORED)
    told = day.regen("-m")
    assert (told["rolled_back"], told["removed"]) == ([], [])
    assert day.applied() == ["first", "tags", "again"]
    assert day.query("SELECT id FROM tags") == [(7,)]
    assert told_of(day, "tags") == ("missing", None, False)


def test_c11_what_was_taken_out_of_the_index_is_missed_by_a_commit(committed):
    path, snapshot = pair(committed)
    committed.project.git("rm", "--quiet", "--cached", path)
    assert problems(committed, "--staged") == {("not-staged", snapshot)}
    stays(committed)


def test_c12_a_migration_of_another_name_is_the_same_one(committed):
    day = committed
    old = day.path("second")
    day.project.git("mv", old, old.replace("second", "other"))
    assert problems(day, "--staged") == set()
    told = day.regen("-m")
    assert (told["rolled_back"], told["removed"]) == ([], [])
    assert day.migrations() == ["first", "other", "again"]
    assert day.applied() == ["first", "second", "again"]
    assert painted(day) == [("A", "red", 1.5)]


def test_c12_a_migration_of_another_version_is_another_one(committed):
    day = committed
    old, snapshot = pair(day)
    new = f"priv/repo/migrations/{int(snapshot[-19:-5]) + 1}_second.py"
    day.project.git("mv", old, new)
    assert ("orphan-snapshot", snapshot) in problems(day, "--staged")
    error = refused(day)
    assert new in error["message"]
    assert "ashflow status" in error["hint"]


@pytest.mark.parametrize("letters", ["AA", "DU", "UD"])
def test_c13_what_a_merge_left_in_conflict_is_refused(day, letters):
    git = day.project.git
    git("stash", "--quiet", "--include-untracked")
    odd = day.path("first") if "D" in letters else "priv/repo/migrations/20260101000000_odd.py"
    for branch, letter in (("other", letters[1]), ("main", letters[0])):
        git("checkout", "--quiet", "-B", branch, "main")
        if letter == "D":
            git("rm", "--quiet", odd)
        else:
            day.project.write(odd, branch)
        git.commit(branch)
        if branch == "other":
            git("checkout", "--quiet", "main")
    git("merge", "--quiet", "other", code=1)
    assert f"u {letters} " in git("status", "--porcelain=v2")
    error = refused(day)
    assert error["code"] == "git"
    assert f"{odd} is unmerged" in error["message"]
    assert "git status" in error["hint"]
    assert odd in day.run("check", "--staged", code=2).err


def test_c16_what_the_base_has_stays_whatever_is_asked(committed):
    before = pair(committed)
    told = committed.regen("-m", "--since", "main", "--published")
    assert (told["rolled_back"], told["removed"]) == ([], [])
    assert pair(committed) == before
    assert painted(committed) == [("A", "red", 1.5)]


def test_c17_what_git_leaves_out_of_the_work_tree_is_not_taken_for_gone(committed):
    day = committed
    gone = pair(day)
    outside = [f"!/{path}" for path in gone]
    day.project.git("sparse-checkout", "set", "--no-cone", "/*", *outside)
    assert not any((day.root / path).exists() for path in gone)
    before = day.everything()
    error = day.regen(code=2)
    assert day.everything() == before
    assert any(path in error["message"] for path in gone)


def test_c18_an_edit_that_git_does_not_look_at_is_seen(committed):
    day = committed
    path = day.path("second")
    day.project.git("update-index", "--assume-unchanged", path)
    day.edit(path, '"color", "text"', '"color", "integer"')
    assert day.project.git("status", "--porcelain", path) == ""
    assert told_of(day, "second") == ("up", "committed", True)
    assert problems(day, "--staged") == set()
    stays(day)


# ------------------------------------------------------------------ not what it seems
def linked(day, place):
    """Stage a link in the place of the second migration; return that, and its snapshot."""
    path, snapshot = pair(day)
    shutil.move(day.root / path, place)
    (day.root / path).symlink_to(place)
    day.project.git("add", "--all")
    return path, snapshot


def test_c19_a_link_in_the_place_of_a_migration_is_none_for_a_commit(begin, tmp_path):
    day = begin()
    _, snapshot = linked(day, tmp_path / "real.py")
    assert {path for _, path in problems(day, "--staged")} == {snapshot}


def test_c19_of_a_link_in_a_commit_it_is_said_that_it_is_one(begin, tmp_path):
    day = begin()
    path, _ = linked(day, tmp_path / "real.py")
    told = day.run("check", "--staged", code=1).out
    assert f"{path} is a link" in told
    assert f"fix: git add {path}" not in told


# ------------------------------------------------------------------ of another branch
def test_c21_what_came_along_from_another_branch_is_kept_in_the_store(begin):
    day = begin(POSTS, None, rows="INSERT INTO posts (title) VALUES ('A')")
    day.change(POSTS + TAGS, "second", migrate=False)
    day.project.git("add", SOURCE)
    day.project.git("commit", "--quiet", "--message", "tags, without their migration")
    day.project.git("switch", "--quiet", "--create", "other", "HEAD~1")
    day.declare(COLORED)
    files = pair(day)
    told = day.regen("-m")
    assert (told["rolled_back"], told["removed"]) == ([], files)
    assert set(files) <= set(day.stored())
    assert day.query("SELECT title, color FROM posts") == [("A", None)]
    assert "tags" not in day.schema()


# ------------------------------------------------------------------ 1b: what the database says
@pytest.mark.parametrize("flags", [(), ("-m",)])
def test_a_database_that_is_held_for_one_alone_is_not_waited_for_long(day, flags):
    with (day.root / "pyproject.toml").open("a") as file:
        file.write("\nlock_timeout = 0.2\n")
    before = day.everything()
    with closing(sqlite3.connect(day.root / DATABASE, isolation_level=None)) as server:
        server.execute("PRAGMA journal_mode = DELETE")
        server.execute("BEGIN EXCLUSIVE")
        error = day.regen(*flags, code=1)
    assert error["code"] == "locked"
    assert DATABASE in error["message"]
    assert day.everything() == before


@pytest.mark.parametrize("applied", [True, False])
def test_what_can_not_be_taken_back_hinders_only_where_it_is_applied(begin, applied):
    day = begin(POSTS, None, rows="INSERT INTO posts (title) VALUES ('A')")
    day.change(COLORED, "second", migrate=False)
    path = day.path("second")
    day.edit(path, "import AddColumn", "import Execute, AddColumn")
    day.edit(path, "    ],\n)", '        Execute(up="CREATE TABLE log (n)"),\n    ],\n)')
    if applied:
        day.run("migrate")
        error = refused(day, "--discard-edits")
        assert error["code"] == "irreversible"
        assert "second" in error["message"]
    else:
        assert day.regen("-m", "--discard-edits")["rolled_back"] == []
        assert day.applied() == ["first", "again"]
        day.whole()


def test_one_outside_a_transaction_that_is_pending_is_simply_replaced(begin):
    day = begin(POSTS, None, rows="INSERT INTO posts (title) VALUES ('A')")
    day.change(COLORED, "second", migrate=False)
    day.edit(day.path("second"), "    ],\n)", "    ],\n    transaction=False,\n)")
    assert day.regen("-m", "--discard-edits")["rolled_back"] == []
    assert day.query("SELECT title, color FROM posts") == [("A", None)]
    day.whole()


def test_one_that_was_only_marked_and_never_run_is_refused(begin):
    day = begin(POSTS, None)
    day.change(COLORED, "second", migrate=False)
    day.run("migrate", "--repo", "repo", "--mark", day.path("second").split("/")[-1][:14])
    day.declare(PAINTED)
    error = refused(day)
    assert "has no column posts.color" in error["message"]
    assert "changed by hand" in error["hint"]


def test_a_database_that_is_read_only_hinders_nobody_who_only_looks(begin):
    day = begin(POSTS, None)
    day.change(COLORED, "second", migrate=False)
    (day.root / DATABASE).chmod(0o400)
    day.declare(PAINTED)
    before = day.everything()
    assert "read-only" in day.regen("-m", code=1)["message"]
    assert day.everything() == before
    assert day.regen()["rolled_back"] == []
    assert day.migrations() == ["first", "again"]


def test_an_empty_file_is_a_database_in_which_nothing_is_applied(day):
    (day.root / DATABASE).write_bytes(b"")
    told = day.regen("-m")
    assert (told["rolled_back"], len(told["removed"])) == ([], 2)
    assert day.applied() == ["first", "again"]
    day.whole()


@pytest.mark.parametrize("flags", [(), ("-m",)])
def test_a_folder_in_the_place_of_the_database_is_refused(day, flags):
    (day.root / DATABASE).unlink()
    (day.root / DATABASE).mkdir()
    files = {path: day.project.read(path) for path in day.project.files("shop") + pair(day)}
    error = day.regen(*flags, code=2)
    assert error["code"] == "no-database"
    assert "is a folder and no database" in error["message"]
    assert {path: day.project.read(path) for path in files} == files
    assert day.migrations() == ["first", "second"]
