"""The 36 ways in which the shell script of the guide loses work; regen has none of them.

They are measured in git-situations.md, section 3. Start state there and here: a tracked, applied
migration `create_users` with two rows, and an untracked migration `create_posts`.

F30, a script with a syntax error, has no test: there is no script any more.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

USERS = """
class User(Resource, table="users"):
    id: int = integer_primary_key()
    name: str
"""
POSTS = USERS + (
    '\nclass Post(Resource, table="posts"):\n    id: int = integer_primary_key()\n    title: str\n'
)
MORE = POSTS + "    body: str | None\n"
DATABASE = "priv/repo/dev.sqlite3"
TWO_USERS = "INSERT INTO users (name) VALUES ('Ada'), ('Bob')"


@pytest.fixture
def day(begin):
    """The start state, with the untracked migration applied."""
    day = begin(USERS, POSTS, rows=TWO_USERS)
    day.query("INSERT INTO posts (title) VALUES ('P')")
    day.declare(MORE)
    return day


@pytest.fixture
def pending(begin):
    """The start state, with the untracked migration not applied."""
    day = begin(USERS, None, rows=TWO_USERS)
    day.change(POSTS, "second", migrate=False)
    day.declare(MORE)
    return day


def users(day):
    return day.query("SELECT name FROM users ORDER BY id")


def refused(day, *arguments, code=2, **more):
    before = day.everything()
    error = day.run("regen", *arguments, "--json", code=code, **more).json()["error"]
    assert day.everything() == before
    return error


def done(day, *arguments, **more):
    """Run a regen that has to succeed, and see that users and posts are whole."""
    told = day.regen(*arguments, **more)
    assert users(day) == [("Ada",), ("Bob",)]
    return told


def test_f01_a_pending_migration_rolls_nothing_back(pending):
    assert done(pending, "-m")["rolled_back"] == []
    pending.whole()


def test_f02_a_pulled_migration_on_another_table_stays_applied(day):
    git = day.project.git
    day.later()
    git("stash", "--quiet", "--include-untracked")
    orders = '\nclass Order(Resource, table="orders"):\n    id: int\n'
    day.change(USERS + orders, "orders")
    git.commit("orders")
    git("checkout", "--quiet", "stash@{0}^3", "--", "priv")
    git("reset", "--quiet")
    day.query("INSERT INTO orders VALUES (5)")
    day.declare(MORE + orders)
    told = done(day, "-m")
    assert (len(told["rolled_back"]), told["reapplied"]) == (1, [])
    assert day.query("SELECT id FROM orders") == [(5,)]
    assert day.query("SELECT title FROM posts") == [("P",)]
    day.whole()


def test_f03_files_that_are_no_migrations_are_not_counted(day):
    version = day.path("second").split("/")[-1][:14]
    names = [".DS_Store", ".x.swp", ".gitkeep", f"__pycache__/{version}_second.pyc"]
    for name in names:
        day.project.write(f"priv/repo/migrations/{name}", "x")
    assert len(done(day, "-m")["rolled_back"]) == 1
    assert all((day.root / "priv/repo/migrations" / name).exists() for name in names)


def irreversible(day, name):
    path = day.path(name)
    day.edit(path, "from ashflow.migration import ", "from ashflow.migration import Execute, ")
    day.edit(path, "    ],\n)", f'        Execute(up="CREATE TABLE of_{name} (n)"),\n    ],\n)')


def test_f04_an_irreversible_migration_is_refused_before_anything(pending):
    irreversible(pending, "second")
    pending.run("migrate")
    assert refused(pending, "again", "-m", "--discard-edits")["code"] == "irreversible"


def test_f05_an_older_irreversible_one_of_two_is_refused_before_anything(pending):
    irreversible(pending, "second")
    pending.change(MORE, "third")
    assert refused(pending, "again", "-m", "--discard-edits")["code"] == "irreversible"


def test_f06_a_locked_database_is_refused_with_everything_as_it_was(day):
    with (day.root / "pyproject.toml").open("a") as file:
        file.write("lock_timeout = 0.2\n")
    before = day.everything()
    with closing(sqlite3.connect(day.root / DATABASE, isolation_level=None)) as server:
        server.execute("BEGIN IMMEDIATE")
        assert day.regen("-m", code=1)["code"] == "locked"
    assert day.everything() == before


def test_f07_resources_that_do_not_compile_touch_nothing(day):
    day.declare("class Post(")
    assert refused(day, "again", "-m")["code"] == "resource-import"


def test_f07_a_question_without_an_answer_touches_nothing(day):
    day.declare(POSTS.replace("title", "headline"))
    assert refused(day, "again", "-m")["code"] == "rename-questions"


def test_f08_a_name_that_was_forgotten_touches_nothing(day):
    assert refused(day, "-m")["code"] == "usage"


def test_f09_an_edit_by_hand_is_not_lost(pending):
    irreversible(pending, "second")
    done(pending, "-m")
    assert 'Execute(up="CREATE TABLE of_second (n)")' in pending.project.read(pending.path("again"))


def test_f10_a_migration_written_by_hand_is_not_deleted(day):
    day.run("codegen", "--empty", "backfill")
    text = day.project.read(day.path("backfill"))
    done(day, "-m")
    assert day.migrations() == ["first", "again", "backfill"]
    assert day.project.read(day.path("backfill")) == text


def test_f11_a_name_with_a_blank_is_not_split(day):
    beside = day.path("second").replace(".py", " notes.md")
    day.project.write(beside, "beside")
    day.project.write("notes.md", "in the root")
    done(day, "-m")
    assert day.project.read("notes.md") == "in the root"
    assert day.project.read(beside) == "beside"


@pytest.mark.parametrize("letter", ["ñ", "'"], ids=["f12", "f32"])
def test_f12_f32_names_with_odd_letters_hinder_nothing(day, letter):
    odd = day.path("second").replace("second", f"se{letter}cond")
    day.project.write(odd, "no migration, by its name")
    assert len(done(day, "-m")["rolled_back"]) == 1
    assert (day.root / odd).exists()
    day.whole()


def test_f13_a_staged_migration_keeps_its_snapshot(day):
    day.project.git("add", "priv/repo/migrations")
    snapshots = day.snapshots_of("second")
    told = done(day, "-m")
    assert (told["rolled_back"], told["removed"]) == ([], [])
    assert all((day.root / path).exists() for path in snapshots)
    assert day.query("SELECT title FROM posts") == [("P",)]
    day.whole()


def test_f14_intent_to_add_is_counted_and_removed(day):
    day.project.git("add", "--intent-to-add", "priv")
    assert len(done(day, "-m")["rolled_back"]) == 1
    assert day.migrations() == ["first", "again"]
    day.whole()


def test_f15_what_was_committed_is_tracked_also_out_of_the_index(day):
    day.project.git("rm", "--quiet", "-r", "--cached", "priv")
    assert len(done(day, "-m")["rolled_back"]) == 1
    assert day.migrations() == ["first", "again"]
    day.whole()


def test_f16_ignored_migrations_are_refused(day):
    day.project.git("rm", "--quiet", "-r", "--cached", "priv")
    day.project.git("commit", "--quiet", "--message", "hidden")
    day.project.write(".gitignore", "priv/\n__pycache__/\n")
    assert "git check-ignore -v" in refused(day, "again", "-m")["hint"]


def test_f16_without_a_commit_all_is_new_and_no_row_goes(day):
    day.project.git("update-ref", "-d", "HEAD")
    day.project.git("rm", "--quiet", "-r", "-f", "--cached", ".")
    assert len(done(day, "-m")["rolled_back"]) == 2
    assert day.query("SELECT title FROM posts") == [("P",)]
    assert day.migrations() == ["again"]
    day.whole()


def test_f17_a_subfolder_is_as_good(day):
    assert len(done(day, "-m", cwd=day.root / "shop")["rolled_back"]) == 1
    assert day.migrations() == ["first", "again"]


def test_f18_without_a_git_repository_nothing_is_stacked(day):
    shutil.rmtree(day.root / ".git")
    assert day.regen("-m", code=2)["code"] == "git"
    assert day.migrations() == ["first", "second"]


def test_f19_the_other_repo_keeps_its_tracked_table(begin):
    day = begin(USERS, None, rows=TWO_USERS)
    with (day.root / "pyproject.toml").open("a") as file:
        file.write('\n[tool.ashflow.repos.audit]\nurl = "sqlite:///priv/audit/dev.sqlite3"\n')
    logs = '\nclass Log(Resource, table="logs", repo="audit"):\n    id: int\n'
    day.change(USERS + logs, "logs")
    day.project.git("add", "--all")
    day.project.git("rm", "--quiet", "--cached", "priv/audit/dev.sqlite3")
    day.project.git("commit", "--quiet", "--message", "logs")
    day.query("INSERT INTO logs VALUES (1), (2)", path="priv/audit/dev.sqlite3")
    day.change(POSTS + logs, "second")
    day.declare(MORE + logs)
    done(day, "-m")
    assert day.query("SELECT count(*) FROM logs", path="priv/audit/dev.sqlite3") == [(2,)]


def test_f20_a_forgotten_snapshot_of_a_committed_migration_stays(day):
    day.project.git("add", day.path("second"))
    day.project.git("commit", "--quiet", "--message", "half")
    told = done(day, "-m")
    assert (told["rolled_back"], told["removed"]) == ([], [])
    assert day.query("SELECT title, body FROM posts") == [("P", None)]
    day.whole()


def test_f21_a_name_with_m_in_it_does_not_migrate(pending):
    pending.run("regen", "add-metadata")
    assert pending.applied() == ["first"]
    assert pending.migrations() == ["first", "add_metadata"]


def test_f22_the_option_may_come_first(day):
    day.run("regen", "-m", "create_posts")
    assert day.applied() == ["first", "create_posts"]


def test_f23_rows_of_the_new_table_stay(day):
    assert done(day, "-m")["rows_carried"] == 1
    assert day.query("SELECT title, body FROM posts") == [("P", None)]


def test_f24_another_database_that_had_the_replaced_migration_can_follow(day):
    day.declare(POSTS)
    env = {"ASHFLOW_REPO_URL": "sqlite:///priv/repo/test.sqlite3"}
    version = day.path("second").split("/")[-1][:14]
    day.run("migrate", env=env)
    day.declare(MORE)
    done(day, "-m")
    said = day.run("migrate", code=1, env=env).err
    assert "applied, and without a file here" in said
    assert f"{version}_second" in said
    day.run("rollback", env=env)
    day.run("migrate", env=env)
    assert day.schema("priv/repo/test.sqlite3") == day.schema()


def test_f25_the_migration_that_a_stash_took_away_is_named_and_goes_down(day):
    version = day.path("second").split("/")[-1][:14]
    day.project.git("stash", "--quiet", "--include-untracked")
    day.declare(MORE)
    error = refused(day, "again", "-m", code=1)
    assert f"Roll back {version}_second, which has no file here" in error["message"]
    told = done(day, "-m", "--yes")
    assert (told["rolled_back"], told["rows_carried"]) == ([version], 1)
    assert day.query("SELECT title FROM posts") == [("P",)]
    day.whole()


def test_f26_with_nothing_untracked_nothing_is_rolled_back(begin):
    day = begin(USERS, None, rows=TWO_USERS)
    before = day.everything()
    assert done(day, "-m")["rolled_back"] == []
    assert day.everything() == before


def test_f27_an_interrupt_in_the_middle_leaves_everything_as_it_was(day):
    before = day.everything()
    with closing(sqlite3.connect(day.root / DATABASE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM users").fetchone()  # COMMIT waits for readers
        command = [sys.executable, "-m", "ashflow", "regen", "again", "-m"]
        with subprocess.Popen(
            command, cwd=day.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as one:
            while "again" not in day.migrations():
                time.sleep(0.02)
            one.send_signal(signal.SIGINT)
            one.communicate()
        assert one.returncode == 130
    assert day.everything() == before
    assert len(done(day, "-m")["rolled_back"]) == 1
    day.whole()


def test_f28_a_snapshot_with_conflict_markers_touches_nothing(day):
    (path,) = day.snapshots_of("first")
    day.project.write(path, f"<<<<<<< ours\n{day.project.read(path)}=======\n>>>>>>> theirs\n")
    assert refused(day, "again", "-m")["code"] == "invalid-snapshot"


def test_f29_what_a_hook_sets_is_not_heard(day):
    env = {"GIT_INDEX_FILE": os.devnull, "GIT_DIR": "/nowhere"}
    assert len(done(day, "-m", env=env)["rolled_back"]) == 1
    assert day.migrations() == ["first", "again"]


def test_f31_a_link_in_the_place_of_the_snapshots_is_refused(day, tmp_path):
    folder = day.root / "priv/resource_snapshots"
    shutil.move(folder, tmp_path / "snapshots")
    folder.symlink_to(tmp_path / "snapshots")
    assert refused(day, "again", "-m")["code"] == "git"
    assert folder.is_symlink()


@pytest.mark.parametrize("flags", [(), ("-m",)])
def test_f33_snapshots_that_a_sparse_checkout_left_out_are_not_taken_for_gone(day, flags):
    day.project.git("status")  # it looks at the files: what may be edited is not left out
    day.project.git("sparse-checkout", "set", "--no-cone", "/*", "!/priv/resource_snapshots/")
    assert day.snapshots_of("first") == []
    before = day.everything()
    error = day.regen(*flags, code=2)
    assert day.everything() == before
    assert "git sparse-checkout" in error["hint"]


def test_f34_a_git_repository_of_its_own_in_priv_is_refused(day):
    day.project.git("init", "--quiet", "priv/repo")
    assert refused(day, "again", "-m")["code"] == "git"


def test_f35_what_came_along_from_another_branch_is_asked_about_before_it_goes(day):
    day.project.git("add", "shop")
    day.project.git("commit", "--quiet", "--message", "posts, without their migration")
    day.project.git("switch", "--quiet", "--create", "other", "HEAD~1")
    day.declare(USERS + "    email: str | None\n")
    error = refused(day, "again", "-m", code=1)
    assert "table posts (1 row)" in error["message"]
    parked = done(day, "-m", "--yes")["parked"]
    assert day.query("SELECT title FROM posts", path=parked) == [("P",)]
    assert any(path.endswith("_second.py") for path in day.stored())


def test_f36_what_fails_says_so_with_its_exit_code(day):
    day.query("INSERT INTO posts (title) VALUES ('P')")
    day.declare(MORE + '    unique_title = identity("title")\n')
    for flags, code in ((("-m",), 1), (("--rename", "a=b"), 2)):
        assert day.run("regen", "again", *flags, code=code)
