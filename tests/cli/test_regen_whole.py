"""Regen is done or not done: failures in the middle, locks, several repos, two at once."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
PAINTED = COLORED + "    weight: float = 1.5\n"
QUICK = "\nlock_timeout = 0.2\n"
DATABASE = "priv/repo/dev.sqlite3"


@pytest.fixture
def day(begin):
    """An untracked, applied migration with a row, and resources that have changed since."""
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.declare(PAINTED)
    return day


def quick(day):
    """Wait for a lock only shortly."""
    with (day.root / "pyproject.toml").open("a") as file:
        file.write(QUICK)


def failed(day, *arguments, code=1):
    """Run a regen that has to fail and leave all as it was."""
    before = day.everything()
    error = day.regen(*arguments, code=code)
    assert day.everything() == before
    return error


def test_rows_that_the_new_migration_forbids_leave_everything_as_it_was(day):
    day.query("INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.declare(PAINTED + '    unique_title = identity("title")\n')
    error = failed(day, "-m")
    assert error["code"] == "rows-forbid"
    assert "2 rows of posts" in error["message"]
    assert not list(day.store().rglob("runs/*"))


def test_a_way_that_is_really_run_fails_whole(day):
    day.run("regen", "third", "-m")
    search = '    search = statement(up="CREATE TABLE words (w)", down="DROP TABLE words")\n'
    day.declare(PAINTED + search)
    day.run("regen", "fourth", "-m", "--yes")
    day.declare(PAINTED + search.replace("CREATE TABLE words (w)", "CREATE TABLE words (w"))
    day.query("UPDATE posts SET color = 'red'")
    error = failed(day, "-m", "--yes")
    assert error["code"] == "migration-failed"
    assert "CREATE TABLE words (w" in error["message"]


@pytest.mark.parametrize("flags", [(), ("-m",)])
def test_a_place_that_is_taken_meanwhile_leaves_everything_as_it_was(begin, flags):
    day = begin(rows="INSERT INTO posts (title) VALUES ('A')")
    day.declare(
        PAINTED
        + "\nimport pathlib, datetime\n"
        + "for s in range(60):\n"
        + "    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=s)\n"
        + "    place = pathlib.Path('priv/repo/migrations') / f'{at:%Y%m%d%H%M%S}_again.py'\n"
        + "    place.mkdir(parents=True, exist_ok=True)\n"
    )
    rows = day.query("SELECT * FROM posts")
    texts = {p: day.project.read(p) for p in day.project.files()}
    applied = day.applied()
    error = day.regen(*flags, code=1)
    assert error["code"] == "file"
    assert "_again.py is there already" in error["message"]
    assert {p: day.project.read(p) for p in day.project.files()} == texts
    assert (day.query("SELECT * FROM posts"), day.applied()) == (rows, applied)
    assert not list(day.store().rglob("runs/*"))


@pytest.mark.parametrize("place", ["priv/repo/migrations", "priv/resource_snapshots/repo/posts"])
def test_a_folder_that_can_not_be_written_leaves_everything_as_it_was(day, place):
    folder = day.root / place
    folder.chmod(0o555)
    try:
        assert failed(day, "-m")["code"] == "file"
    finally:
        folder.chmod(0o755)


def test_a_store_that_can_not_be_made_leaves_everything_as_it_was(day):
    (day.root / ".git/ashflow").write_text("a file stands in the way")
    error = failed(day, "-m")
    assert error["code"] == "file"
    assert ".git/ashflow" in error["message"]


def test_a_commit_that_fails_after_the_files_were_moved_puts_them_back(day):
    quick(day)
    before = day.everything()
    with closing(sqlite3.connect(day.root / DATABASE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM posts").fetchone()  # COMMIT waits for readers
        error = day.regen("-m", code=1)
    assert error["code"] == "locked"
    assert day.everything() == before
    day.regen("-m")
    day.whole()


def test_a_database_that_another_process_writes_is_waited_for_and_left(day):
    quick(day)
    before = day.everything()
    with closing(sqlite3.connect(day.root / DATABASE, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        error = day.regen("-m", code=1)
    assert error["code"] == "locked"
    assert DATABASE in error["message"]
    assert day.everything() == before


def test_a_database_that_is_free_again_in_time_is_used(day):
    with closing(sqlite3.connect(day.root / DATABASE, check_same_thread=False)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(1.0, writer.rollback)
        timer.start()
        day.regen("-m")
        timer.join()
    day.whole()


def test_where_nothing_is_applied_a_locked_database_is_no_hindrance(begin):
    day = begin(POSTS, None)
    day.change(COLORED, "second", migrate=False)
    quick(day)
    with closing(sqlite3.connect(day.root / DATABASE, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        day.regen()
    assert day.migrations() == ["first", "again"]


def test_a_read_only_database_is_refused(day):
    (day.root / DATABASE).chmod(stat.S_IRUSR)
    assert "read-only" in failed(day, "-m")["message"]


def test_without_a_database_only_files_change(begin):
    day = begin()
    (day.root / DATABASE).unlink()
    day.declare(PAINTED)
    told = day.regen()
    assert (told["rolled_back"], len(told["removed"])) == ([], 2)
    assert not (day.root / DATABASE).exists()
    result = day.run("regen", "once_more", "-m")
    assert "made the database" in result.err
    assert day.applied() == ["first", "once_more"]
    day.whole()


def test_a_database_made_for_a_run_that_fails_goes_again(begin):
    day = begin()
    (day.root / DATABASE).unlink()
    day.declare(PAINTED + '    s = statement(up="CREATE TABLE", down="SELECT 1")\n')
    texts = {p: day.project.read(p) for p in day.project.files()}
    assert day.regen("-m", code=1)["code"] == "migration-failed"
    assert not (day.root / DATABASE).exists()
    assert {p: day.project.read(p) for p in day.project.files()} == texts


def test_two_at_once_end_as_one(day):
    command = [sys.executable, "-m", "ashflow", "regen", "again", "-m", "--json"]
    both = [
        subprocess.Popen(command, cwd=day.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    told = [one.communicate() for one in both]
    codes = sorted(one.returncode for one in both)
    assert codes in ([0, 0], [0, 1]), told  # the second may begin when the first is done
    assert day.migrations() == day.applied() == ["first", "again"]
    assert day.query("SELECT title, color, weight FROM posts") == [("A", "red", 1.5)]
    day.whole()


def test_while_another_is_at_work_a_regen_says_so(day):
    command = [sys.executable, "-m", "ashflow", "regen", "again", "-m", "--json"]
    with closing(sqlite3.connect(day.root / DATABASE, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with subprocess.Popen(command, cwd=day.root, stdout=subprocess.PIPE) as first:
            lock = day.root / ".git/ashflow"
            while not list(lock.glob("*/runs/*")):
                time.sleep(0.02)
            error = day.run("regen", "other", "-m", "--json", code=1).json()["error"]
            writer.execute("ROLLBACK")
            first.communicate()
    assert "another regen" in error["message"]
    assert first.returncode == 0
    assert day.migrations() == day.applied() == ["first", "again"]
    day.whole()


def test_what_another_process_did_between_plan_and_run_is_seen(day):
    day.declare(
        PAINTED
        + "\nimport pathlib, threading, time\n"
        + "def late():\n"
        + "    time.sleep(0.05)\n"
        + "    for place in pathlib.Path('priv/repo/migrations').glob('*_second.py'):\n"
        + "        place.write_text(place.read_text() + '# a second thought')\n"
        + "threading.Thread(target=late).start()\n"
    )
    with closing(sqlite3.connect(day.root / DATABASE, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(1.5, lambda: None)
        timer.start()
        command = [sys.executable, "-m", "ashflow", "regen", "again", "-m"]
        with subprocess.Popen(
            command, cwd=day.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as one:
            timer.join()
            writer.execute("ROLLBACK")
            _, err = one.communicate()
    assert one.returncode == 1
    assert "changed by another process meanwhile" in err
    assert day.migrations() == ["first", "second"]
    assert day.project.read(day.path("second")).endswith("# a second thought")


def while_it_waits(day, *sqls):
    """Run SQL in a transaction that a regen, planned already, has to wait for; return its error."""
    command = [sys.executable, "-m", "ashflow", "regen", "again", "-m", "--json"]
    with closing(sqlite3.connect(day.root / DATABASE, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with subprocess.Popen(command, cwd=day.root, stdout=subprocess.PIPE, text=True) as one:
            while not list(day.root.glob(".git/ashflow/*/runs/*/*")):
                assert one.poll() is None
                time.sleep(0.02)
            for sql in sqls:
                writer.execute(sql)
            writer.execute("COMMIT")
            out, _ = one.communicate()
    assert one.returncode == 1
    return json.loads(out)["error"]


def test_a_migration_that_another_process_applied_meanwhile_is_seen(day):
    error = while_it_waits(
        day,
        "INSERT INTO ashflow_migrations (version, name, checksum, operations, applied_at) "
        "VALUES ('99999999999998', 'theirs', '', '', '')",
    )
    assert error["code"] == "locked"
    assert "migrated by another process meanwhile" in error["message"]
    assert day.migrations() == ["first", "second"]
    assert day.query("SELECT title, color FROM posts") == [("A", "red")]


def test_values_that_were_written_meanwhile_and_would_go_are_seen(begin):
    day = begin(rows="INSERT INTO posts (title) VALUES ('A')")
    day.declare(POSTS)
    error = while_it_waits(day, "UPDATE posts SET color = 'late'")
    assert error["code"] == "rows-forbid"
    assert "column posts.color (a value in 1 row)" in error["message"]
    assert day.migrations() == ["first", "second"]
    assert day.query("SELECT title, color FROM posts") == [("A", "late")]
    assert day.regen("-m", "--yes")["parked"]


def test_what_somebody_wrote_into_the_place_of_an_old_file_is_kept_and_told(day):
    quick(day)
    day.edit("pyproject.toml", "lock_timeout = 0.2", "lock_timeout = 1.5")
    place = day.root / day.path("second")
    text = place.read_text()
    command = [sys.executable, "-m", "ashflow", "regen", "again", "-m", "--json"]
    with closing(sqlite3.connect(day.root / DATABASE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM posts").fetchone()  # COMMIT waits for readers
        with subprocess.Popen(command, cwd=day.root, stdout=subprocess.PIPE, text=True) as one:
            while place.exists():
                assert one.poll() is None
                time.sleep(0.02)
            place.write_text("somebody else's")
            out, _ = one.communicate()
    error = json.loads(out)["error"]
    assert (one.returncode, error["code"]) == (1, "locked")
    (kept,) = day.store().rglob("*_second.py")
    assert str(kept) in error["message"]
    assert kept.read_text() == "somebody else's"
    assert place.read_text() == text
    assert day.applied() == ["first", "second"]


TWO = """
[tool.ashflow.repos.audit]
url = "sqlite:///priv/audit/dev.sqlite3"
"""
AUDIT = """
class Log(Resource, table="logs", repo="audit"):
    id: int = integer_primary_key()
    line: str
"""
AUDIT_DATABASE = "priv/audit/dev.sqlite3"


@pytest.fixture
def two(begin):
    """Two repos, each with an untracked, applied migration and a row."""
    day = begin(POSTS, None)
    with (day.root / "pyproject.toml").open("a") as file:
        file.write(TWO)
    with (day.root / ".gitignore").open("a") as file:
        file.write("/priv/audit/dev.sqlite3*\n")
    day.change(POSTS + AUDIT, "logs")
    day.project.git.commit("two")
    day.change(COLORED + AUDIT + "    level: int = 0\n", "second")
    day.query("INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.query("INSERT INTO logs (line, level) VALUES ('L', 3)", path=AUDIT_DATABASE)
    return day


def test_each_repo_has_a_migration_of_its_own(two):
    two.declare(PAINTED + AUDIT + "    level: int = 0\n    host: str | None\n")
    told = two.run("regen", "again", "-m", "--json").json()["repos"]
    assert [one["name"] for one in told] == ["repo", "audit"]
    assert [len(one["rolled_back"]) for one in told] == [1, 1]
    assert two.query("SELECT title, color, weight FROM posts") == [("A", "red", 1.5)]
    assert two.query("SELECT line, level, host FROM logs", path=AUDIT_DATABASE) == [("L", 3, None)]
    two.run("codegen", "--check")


def test_a_repo_without_changes_is_left_alone(two):
    two.run("regen", "settle", "-m", "--repo", "audit")
    two.project.git("add", "--all", "priv/audit", "priv/resource_snapshots/audit")
    two.project.git("commit", "--quiet", "--message", "settled")
    two.declare(PAINTED + AUDIT + "    level: int = 0\n")
    told = two.run("regen", "again", "-m", "--json").json()["repos"]
    assert (told[1]["rolled_back"], told[1]["migration"]) == ([], None)
    assert two.migrations("audit") == ["logs", "settle"]
    assert two.query("SELECT line, level FROM logs", path=AUDIT_DATABASE) == [("L", 3)]


def test_an_error_in_the_plan_of_the_second_repo_leaves_the_first_alone(two):
    (path,) = (two.root / "priv/audit/migrations").glob("*_second.py")
    path.write_text("this is no python")
    two.declare(PAINTED + AUDIT + "    level: int = 0\n    host: str | None\n")
    before = two.everything()
    error = two.run("regen", "again", "-m", "--json", code=2).json()["error"]
    assert "priv/audit/migrations" in error["message"]
    assert two.everything() == before


def test_a_failure_of_the_second_repo_leaves_the_first_done_and_says_so(two):
    two.query("INSERT INTO logs (line) VALUES ('L')", path=AUDIT_DATABASE)
    two.declare(PAINTED + AUDIT + '    level: int = 0\n    one_line = identity("line")\n')
    before = two.everything()
    result = two.run("regen", "again", "-m", code=1)
    assert "repo: replaced 1 untracked migration" in result.out
    assert "repo audit: " in result.err
    assert "2 rows of logs" in result.err
    assert "Done before it: repo. Not begun: none." in result.err
    after = two.everything()
    audit = {p: t for p, t in before["files"].items() if "audit" in p}
    assert {p: t for p, t in after["files"].items() if "audit" in p} == audit
    assert after["databases"][AUDIT_DATABASE] == before["databases"][AUDIT_DATABASE]
    assert two.applied() == ["first", "again"]
    assert two.query("SELECT title, color, weight FROM posts") == [("A", "red", 1.5)]


def test_a_failure_of_the_first_repo_leaves_the_second_not_begun(two):
    two.query("INSERT INTO posts (title) VALUES ('A')")
    two.declare(PAINTED + '    one = identity("title")\n' + AUDIT + "    level: int = 0\n")
    before = two.everything()
    error = two.run("regen", "again", "-m", "--json", code=1).json()["error"]
    assert "Done before it: none. Not begun: audit." in error["message"]
    assert two.everything() == before


def test_answers_go_to_the_repo_that_has_the_table(two):
    two.declare(POSTS + "    paint: str | None\n" + AUDIT + "    grade: int = 0\n")
    flags = ("--rename", "posts.color=paint", "--rename", "logs.level=grade")
    two.run("regen", "again", "-m", *flags)
    assert two.query("SELECT paint FROM posts") == [("red",)]
    assert two.query("SELECT grade FROM logs", path=AUDIT_DATABASE) == [(3,)]
    before = two.everything()
    two.run("regen", "other", "-m", "--rename", "nobody.level=grade", code=2)
    assert two.everything() == before


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupt_at_the_commit_leaves_files_and_database_in_step(day, when):
    """Ctrl-C before COMMIT undoes all; after it, nothing is undone."""
    program = f"""
import os, signal, sys
import ashflow.adapters.sqlite.database as database
commit = database.commit
def interrupted(*arguments):
    if "{when}" == "after":
        commit(*arguments)
    os.kill(os.getpid(), signal.SIGTERM)
    commit(*arguments)
database.commit = interrupted
sys.argv = ["ashflow", "regen", "again", "-m"]
from ashflow.cli import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=day.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 130, done.stderr
    names = ["first", "second"] if when == "before" else ["first", "again"]
    assert (day.migrations(), day.applied()) == (names, names)
    assert {one["state"] for one in states(day)} == {"up"}


def states(day):
    return day.run("status", "--json").json()["repos"][0]["migrations"]
