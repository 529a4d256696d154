"""A run that is cut off anywhere ends, with `recover`, in before or after; so does `recover`."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from kills import contents, facts, put

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
TAGS = '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n    name: str\n'
ROWS = "INSERT INTO posts (title, color) VALUES ('A', 'red'), ('B', NULL)"
DATABASE = "priv/repo/dev.sqlite3"
NOW = "2027-01-01T00:00:00+00:00"
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


def net(day):
    """A run that is the net change: a column stays with its values, one goes, one comes."""
    day.query(ROWS)
    day.declare(POSTS + "    extra: int = 3\n")
    return "regen", "again", "-m", "--yes", "--no-renames"


def really(day):
    """A run that really goes down and up: rows of a table and of a column are carried."""
    day.change(COLORED + TAGS, "third", migrate=False)
    path = day.path("third")
    day.edit(path, "from ashflow.migration import ", "from ashflow.migration import Execute, ")
    made, gone = "CREATE TABLE log (what)", "DROP TABLE log"
    day.edit(path, "    ],\n)", f'        Execute(up="{made}", down="{gone}"),\n    ],\n)')
    day.run("migrate")
    for sql in (ROWS, "INSERT INTO tags (name) VALUES ('x'), ('y')", "INSERT INTO log VALUES (7)"):
        day.query(sql)
    day.declare(COLORED + TAGS + "    extra: int = 3\n")
    return "regen", "again", "-m", "--yes"


def waiting(day):
    """A run without `-m`: the values of a column wait in the store."""
    day.query(ROWS)
    day.declare(COLORED + "    extra: int = 3\n")
    return "regen", "again", "--yes"


def pending(day):
    """A run that changes files only."""
    day.run("rollback")
    day.declare(COLORED + "    extra: int = 3\n")
    return "regen", "again"


def staged(day):
    """A run whose files are in git's index: one is staged, one is to be added one day."""
    day.change(COLORED + TAGS, "third")
    day.query(ROWS)
    day.project.git("add", day.path("second"))
    day.project.git("add", "--intent-to-add", day.path("third"))
    day.declare(COLORED + TAGS + "    extra: int = 3\n")
    return "regen", "again", "--staged", "-m", "--yes"


def back(day):
    """An undo: a column with values goes, another one comes back with its own."""
    day.run(*net(day))
    day.query("UPDATE posts SET extra = id")
    return ("undo",)


def made(day):
    """A run that makes the database."""
    (day.root / DATABASE).unlink()
    day.declare(COLORED + "    extra: int = 3\n")
    return "regen", "again", "-m"


def two(day):
    """A run in two repos."""
    text = day.project.read("pyproject.toml")
    more = '\n[tool.ashflow.repos.other]\nurl = "sqlite:///priv/other/dev.sqlite3"\n'
    day.project.write("pyproject.toml", text + more)
    other = TAGS.replace('table="tags"', 'table="tags", repo="other"')
    day.change(COLORED + other, "third")
    day.query(ROWS)
    day.query("INSERT INTO tags (name) VALUES ('x')", path="priv/other/dev.sqlite3")
    day.declare(COLORED + "    extra: int = 3\n" + other + "    extra: int = 3\n")
    return "regen", "again", "-m", "--yes"


SCENARIOS = {one.__name__: one for one in (net, really, waiting, pending, staged, back, made)}
STARTS = {**SCENARIOS, "two": two}


class Cut:
    """A run, with what was before it, what is after it, and what a kill leaves at each moment."""

    def __init__(self, forge, day, folder, arguments, mode="delete"):
        self.forge, self.root, self.folder = forge, day.root, folder
        if (day.root / DATABASE).exists():
            day.query(f"PRAGMA journal_mode = {mode}")
        self.before = facts(day.root)
        self.arguments = arguments
        self.states = self.moments(*arguments)
        self.after = facts(day.root)
        assert self.after != self.before

    def moments(self, *arguments):
        """Run a command; returns the folders with what a kill leaves, in order."""
        states = self.folder / f"{len(list(self.folder.iterdir()))}"
        states.mkdir()
        code, out, err = self.forge.run(self.root, *arguments, now=NOW, states=states)
        assert code == 0, (out, err)
        return sorted(states.iterdir(), key=lambda path: int(path.name))

    def some(self, step):
        """The states that are looked at, the last among them: every so many, or with --long all."""
        return self.states[:: -1 if LONG else -step][::-1]

    def recover(self):
        """Run `recover` on what is there, and look that it has ended in before or after."""
        code, out, err = self.forge.run(self.root, "recover", now=NOW)
        assert code == 0, (out, err)
        found = facts(self.root)
        if found not in (self.before, self.after):
            pytest.fail(differences(found, self.before, self.after), pytrace=False)
        return found == self.after


def differences(found, before, after):
    """What is another thing than before, and than after."""
    told = []
    for name, other in (("before", before), ("after", after)):
        for key, value in found.items():
            if value != other[key]:
                mine, theirs = (
                    (set(map(str, one.items() if isinstance(one, dict) else one)))
                    for one in (value, other[key])
                )
                lists = [[line[:200] for line in one] for one in (mine - theirs, theirs - mine)]
                told.append(f"not {name}: {key}: + {lists[0]} - {lists[1]}")
    return "\n".join(told)


@pytest.fixture
def cut(forge, begin, tmp_path):
    def cut(name, mode="delete"):
        folder = tmp_path / "states"
        folder.mkdir()
        day = begin()
        arguments = STARTS[name](day)
        day.project.git("repack", "-a", "-d", "--quiet")  # few files are soon copied
        for name in ("hooks", "logs", "info"):
            shutil.rmtree(day.root / ".git" / name, ignore_errors=True)
        return Cut(forge, day, folder, arguments, mode)

    return cut


@pytest.mark.parametrize(
    ("name", "mode"), [*((name, "delete") for name in SCENARIOS), ("net", "wal"), ("really", "wal")]
)
def test_a_run_that_is_killed_at_any_moment_ends_in_before_or_after(cut, name, mode):
    cut = cut(name, mode)
    ends = []
    for state in cut.some(2 if name == "net" else 4):
        put(state, cut.root)
        ends.append(cut.recover())
    assert len(cut.states) > 20
    assert ends == sorted(ends)  # before, up to some moment, and after from then on
    assert {False, True} == set(ends)


@pytest.mark.parametrize("name", ["net", "really", "staged", "back", "made"])
def test_recover_that_is_killed_at_any_moment_can_be_run_again(cut, name):
    cut = cut(name)
    for state in cut.some(len(cut.states) // 3):
        put(state, cut.root)
        for again in cut.moments("recover")[:: 1 if LONG else 2]:
            put(again, cut.root)
            cut.recover()


@pytest.mark.parametrize("deed", ["ctrl-c", "error"])
@pytest.mark.parametrize("name", ["net", "really", "pending", "staged"])
def test_a_run_in_which_something_fails_at_any_moment_puts_all_back(cut, name, deed):
    cut = cut(name)
    start, arguments = cut.states[0], cut.arguments
    for at in range(1, len(cut.states) + 1, 1 if LONG else 6):
        shutil.rmtree(cut.root)
        shutil.copytree(start, cut.root, symlinks=True)
        said = cut.forge.run(cut.root, *arguments, now=NOW, at=at, deed=deed)
        assert said.code in {0, 1, 130}, f"{at}: {said.err[-1500:]}"
        assert "Traceback" not in said.err
        left = list(cut.root.glob(".git/ashflow/*/journal.json"))
        if left:
            assert "ashflow recover" in said.err, (at, said.err)
        if said.code == 0:  # what waited and could not be removed: git ignores it
            for waited in cut.root.glob("priv/.ashflow-*.new"):
                shutil.rmtree(waited)
        cut.recover()


def part(found, repo):
    """What of the facts is about a repo."""
    about = (f"priv/{repo}/", f"priv/resource_snapshots/{repo}/")
    files = {path: text for path, text in found["files"].items() if path.startswith(about)}
    stored = [path for path in found["store"] if path.split("/")[3:4] == [repo]]
    return files, found["databases"][f"priv/{repo}/dev.sqlite3"], stored


def test_of_two_repos_each_is_a_run_of_its_own(cut):
    cut = cut("two")
    seen = set()
    for state in cut.some(3):
        put(state, cut.root)
        assert cut.forge.run(cut.root, "recover").code == 0
        found = facts(cut.root)
        done = tuple(part(found, repo) == part(cut.after, repo) for repo in ("repo", "other"))
        for repo, is_done in zip(("repo", "other"), done, strict=True):
            assert is_done or part(found, repo) == part(cut.before, repo)
        seen.add(done)
    assert seen == {(False, False), (True, False), (True, True)}


def test_a_process_that_is_really_killed_is_recovered(forge, begin):
    day = begin()
    arguments = net(day)
    before = facts(day.root)
    code, *_ = forge.run(day.root, *arguments, at=25)
    assert code == -9
    assert facts(day.root) != before
    assert "was undone; files and database are as before it" in day.run("recover").out
    assert facts(day.root) == before
    assert "nothing to do" in day.run("recover").out


@pytest.fixture
def stuck(forge, begin):
    """A project in which a run was cut off, when its files were moved."""
    day = begin()
    code, *_ = forge.run(day.root, *net(day), at=30)
    assert code == -9
    assert (day.store() / "journal.json").exists()
    contents(day.root / DATABASE)  # SQLite mends what is half written, when it is opened
    return day


WRITERS = (
    ["codegen", "more"],
    ["migrate"],
    ["rollback"],
    ["regen", "again", "-m"],
    ["undo"],
    ["create"],
    ["drop", "--yes"],
    ["setup"],
    ["reset", "--yes"],
)


def test_no_other_command_writes_while_a_journal_stands(stuck):
    before = stuck.everything()
    for arguments in WRITERS:
        error = stuck.run(*arguments, "--json", code=2).json()["error"]
        assert error["code"] == "cut-off", arguments
        assert "ashflow recover" in error["hint"]
    assert stuck.everything() == before
    assert "ashflow recover" in stuck.run("status").err
    stuck.run("recover")
    stuck.run("status")


def test_recover_refuses_where_the_database_is_not_there_and_names_it(stuck):
    (stuck.root / DATABASE).rename(stuck.root / "elsewhere.sqlite3")
    before = stuck.everything()
    error = stuck.run("recover", "--json", code=1).json()["error"]
    assert "dev.sqlite3 is not there" in error["message"]
    assert stuck.everything() == before
    (stuck.root / "elsewhere.sqlite3").rename(stuck.root / DATABASE)
    stuck.run("recover")
    assert stuck.migrations() == ["first", "second"]


def test_recover_refuses_on_another_database_and_names_both(stuck, forge):
    other = stuck.root / "other.sqlite3"
    with (
        closing(sqlite3.connect(stuck.root / DATABASE)) as db,
        closing(sqlite3.connect(other)) as copy,
    ):
        db.backup(copy)
        ((ours,),) = db.execute("SELECT value FROM ashflow_meta WHERE key = 'database_id'")
        copy.execute("UPDATE ashflow_meta SET value = 'another' WHERE key = 'database_id'")
        copy.commit()
    env = {"ASHFLOW_REPO_URL": f"sqlite:///{other}"}
    error = stuck.run("recover", "--json", code=1, env=env).json()["error"]
    assert "another" in error["message"]
    assert ours in error["message"]
    assert "other.sqlite3" in error["message"]
    assert "dev.sqlite3" in error["message"]
    stuck.run("recover")


def test_what_somebody_wrote_into_the_place_of_an_old_file_is_kept(stuck):
    (moved,) = stuck.store().rglob("*_second.py")
    path = moved.as_posix().partition("/files/")[2]
    stuck.project.write(path, "# mine\n")
    told = stuck.run("recover").out
    assert "what stood in the place of an old file is now" in told
    assert stuck.project.read(path).startswith('"""Second.')
    kept = Path(told.partition("is now ")[2].partition("\n")[0])
    assert kept.read_text() == "# mine\n"


def test_recover_of_another_repo_leaves_the_run_alone(stuck):
    text = stuck.project.read("pyproject.toml")
    more = '\n[tool.ashflow.repos.other]\nurl = "sqlite:///priv/other/dev.sqlite3"\n'
    stuck.project.write("pyproject.toml", text + more)
    assert "another repo, repo" in stuck.run("recover", "--repo", "other", code=2).err
    assert (stuck.store() / "journal.json").exists()
    assert "was undone" in stuck.run("recover", "--repo", "repo").out


def test_while_a_run_is_at_work_no_other_one_is(stuck):
    with (stuck.store() / "lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for arguments in (["recover"], ["regen", "again", "-m"], ["undo"]):
            error = stuck.run(*arguments, "--json", code=1).json()["error"]
            assert error["code"] == "locked"
    stuck.run("recover")
    with (stuck.store() / "lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = stuck.everything()
        for arguments in (["recover"], ["regen", "again", "-m", "--yes", "--no-renames"]):
            assert stuck.run(*arguments, "--json", code=1).json()["error"]["code"] == "locked"
        assert stuck.everything() == before


# ------------------------------------------------------------------ what refuses
def impatient(day, seconds):
    with (day.root / "pyproject.toml").open("a") as file:
        file.write(f"lock_timeout = {seconds}\n")


@contextmanager
def read(day):
    """Read the database, so that nobody else can COMMIT."""
    with closing(sqlite3.connect(day.root / DATABASE, isolation_level=None)) as db:
        db.execute("BEGIN")
        db.execute("SELECT * FROM posts").fetchall()
        yield


def test_where_the_database_does_not_commit_all_is_as_before(begin):
    day = begin()
    arguments = net(day)
    impatient(day, 0.3)
    before = facts(day.root)
    with read(day):
        error = day.run(*arguments, "--json", code=1).json()["error"]
    assert error["code"] == "locked"
    assert facts(day.root) == before
    day.run(*arguments)
    with read(day):
        assert day.run("undo", "--json", code=1).json()["error"]["code"] == "locked"
    day.run("undo")
    day.query("DELETE FROM ashflow_meta WHERE key = 'run'")
    after = facts(day.root)
    assert {**after, "store": None, "databases": None} == {
        **before,
        "store": None,
        "databases": None,
    }


def test_what_cannot_be_put_back_is_put_back_by_recover_later(begin):
    day = begin()
    arguments = net(day)
    impatient(day, 3)
    before = facts(day.root)
    old = day.root / day.path("second")
    with read(day):
        run = subprocess.Popen(
            [sys.executable, "-m", "ashflow", *arguments, "--json"],
            cwd=day.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        end = time.monotonic() + 20
        while old.exists() and time.monotonic() < end:
            time.sleep(0.005)
        old.mkdir()  # nothing can be put into its place
        out, _ = run.communicate(timeout=30)
    error = json.loads(out)["error"]
    assert run.returncode == 1
    assert "could not put back what it had moved" in error["message"]
    assert "ashflow recover" in error["hint"]
    assert day.run("migrate", "--json", code=2).json()["error"]["code"] == "cut-off"
    assert day.run("recover", "--json", code=1).json()["error"]["code"] == "file"
    old.rmdir()
    day.run("recover")
    assert facts(day.root) == before


@pytest.mark.parametrize(
    "folder", ["priv/repo/migrations", "priv/resource_snapshots/repo/posts", "priv"]
)
@pytest.mark.parametrize("flags", [["-m"], []])
def test_folders_that_may_not_be_written_to_leave_all_as_before(begin, folder, flags):
    day = begin()
    day.query(ROWS)
    day.declare(POSTS + "    extra: int = 3\n" + TAGS)
    before = facts(day.root)
    (day.root / folder).chmod(0o555)
    done = day.project.ashflow.real("regen", "again", "--yes", "--no-renames", "--json", *flags)
    (day.root / folder).chmod(0o755)
    assert done.code == 1, done
    assert done.json()["error"]["code"] == "file"
    assert facts(day.root) == before


def test_a_store_that_may_not_be_written_to_leaves_all_as_before(begin):
    day = begin()
    arguments = net(day)
    before = facts(day.root)
    (day.root / ".git").chmod(0o555)
    done = day.project.ashflow.real(*arguments, "--json")
    (day.root / ".git").chmod(0o755)
    assert done.json()["error"]["code"] == "file"
    assert facts(day.root) == before
