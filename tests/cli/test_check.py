"""`ashflow check`: what it prints, how it ends, and what it leaves alone."""

from __future__ import annotations

import os

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
SOURCE = "shop/resources.py"


@pytest.fixture
def day(begin):
    """A table that is committed and applied."""
    return begin(untracked=None)


# ------------------------------------------------------------------ what it says, and how it ends
def test_where_all_is_well_it_says_so(day):
    done = day.run("check")
    assert done.out == "the migrations and snapshots are as they should be\n"
    assert done.err == ""
    assert day.run("check", "--json").json() == {"ok": True, "problems": []}
    assert day.run("check", "--quiet").out == ""


def test_a_problem_is_a_line_with_its_place_and_one_with_what_mends_it(day):
    day.declare(COLORED)
    (snapshot,) = day.snapshots_of("first")
    done = day.run("check", code=1)
    assert done.out == (
        f"{snapshot}: stale-snapshot: the resources say something new of posts, and no snapshot "
        "does: add column color text nullable\n"
        "  fix: ashflow codegen NAME\n"
    )
    assert done.err == "1 problem found\n"
    assert day.run("check", "--quiet", code=1).err == ""


def test_json_has_the_fields_of_the_contract(day):
    day.declare(COLORED)
    (snapshot,) = day.snapshots_of("first")
    told = day.run("check", "--json", code=1).json()
    assert told["ok"] is False
    (problem,) = told["problems"]
    assert [*problem] == ["code", "repo", "table", "path", "message", "fix"]
    assert (problem["code"], problem["repo"], problem["table"]) == (
        "stale-snapshot",
        "repo",
        "posts",
    )
    assert (problem["path"], problem["fix"]) == (snapshot, "ashflow codegen NAME")


def test_resources_that_do_not_import_show_the_users_traceback_and_no_frame_of_ours(day):
    day.project.resources("def broken():\n    return 1 / 0\n\n\nbroken()\n")
    day.project.git("add", SOURCE)
    for asked in ([], ["--staged"]):
        done = day.run("check", *asked, code=2)
        assert done.out == ""
        assert "ZeroDivisionError: division by zero" in done.err
        assert f'{day.root}/{SOURCE}", line 2, in broken' in done.err
        assert "return 1 / 0" in done.err
        assert "/ashflow/" not in done.err
    error = day.run("check", "--json", code=2).json()["error"]
    assert error["code"] == "resource-import"


def test_a_traceback_of_what_is_staged_shows_the_lines_that_are_staged(day):
    day.project.resources("x = 1\ny = 2\nraise ValueError('staged')\n")
    day.project.git("add", SOURCE)
    day.project.resources("x = 1\ny = 2\nz = 3\n")
    done = day.run("check", "--staged", code=2)
    assert f'{SOURCE}", line 3' in done.err
    assert "raise ValueError('staged')" in done.err
    assert "z = 3" not in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "nowhere"], "git knows no commit called nowhere"),
        (["--since", ""], "git knows no commit called"),
        (["--repo", "other"], "no repo 'other'"),
        (["--stagd"], "No such option"),
    ],
)
def test_what_it_cannot_tell_ends_with_2(day, words, said):
    done = day.run("check", *words, code=2)
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_configuration_that_cannot_be_used_ends_with_2(day):
    day.edit("pyproject.toml", "domains =", "domain =")
    assert "the key 'domain' is not known" in day.run("check", code=2).err
    assert day.run("check", "--staged").out  # it is not staged
    day.project.git("add", "pyproject.toml")
    assert "the key 'domain' is not known" in day.run("check", "--staged", code=2).err


def test_a_folder_that_cannot_be_read_ends_with_2_and_no_traceback(day):
    folder = day.root / "priv/repo/migrations"
    folder.chmod(0)
    try:
        done = day.run("check", code=2)
    finally:
        folder.chmod(0o755)
    assert "priv/repo/migrations" in done.err
    assert "Traceback" not in done.err


def test_since_judges_the_branch(day):
    day.project.git("switch", "--quiet", "--create", "work")
    day.edit(day.path("first"), '"title", "text"', '"title", "integer"')
    day.project.git.commit("edited")
    assert "edited-migration" in day.run("check", "--since", "main", code=1).out
    day.run("check")


def test_all_reads_what_is_old(day):
    day.edit(day.path("first"), "migration = ", "migration = nonsense + ")
    day.project.git.commit("broken")
    day.run("check")
    assert "invalid-migration" in day.run("check", "--all", code=1).out


# ------------------------------------------------------------------ what it leaves alone
def test_it_writes_nothing_and_opens_no_database(day):
    day.change(COLORED, "color", migrate=False)
    day.project.git("add", SOURCE)
    before = day.everything()
    database = day.root / "priv/repo/dev.sqlite3"
    database.chmod(0)
    stamps = {path: path.stat().st_mtime_ns for path in day.root.rglob("*")}
    env = {"PYTHONDONTWRITEBYTECODE": ""}
    for asked, code in ([], 0), (["--staged"], 1), (["--since", "main"], 0), (["--all"], 0):
        day.run("check", *asked, code=code, env=env)
    assert {path: path.stat().st_mtime_ns for path in day.root.rglob("*")} == stamps
    database.chmod(0o644)
    assert day.everything() == before


def test_the_database_need_not_be_there_nor_be_named(day):
    (day.root / "priv/repo/dev.sqlite3").unlink()
    day.edit("pyproject.toml", "sqlite:///priv/repo/dev.sqlite3", "${NOT_SET}")
    day.run("check")
    assert not list(day.root.glob("priv/repo/*.sqlite3*"))


# ------------------------------------------------------------------ what it costs
def test_git_is_asked_as_often_for_many_tables_as_for_one(day, logged_git):
    env, log = logged_git
    asked = (["--staged"], ["--since", "main"], [])

    def calls():
        counts = []
        for words in asked:
            log.write_text("")
            day.run("check", *words, env=env)
            counts.append(len(log.read_text().splitlines()))
        return counts

    few = calls()
    assert max(few) <= 10
    many = "".join(POSTS.replace("Post", f"P{i}").replace("posts", f"p{i}") for i in range(30))
    day.change(POSTS + many, "many", migrate=False)
    day.project.git.commit("many")
    assert calls() == few


def test_what_is_unchanged_needs_no_operations_no_migration_and_no_database(day, python):
    day.run("check")
    program = (
        "import os, sys\n"
        f"os.chdir({os.fspath(day.root)!r})\n"
        "sys.argv = ['ashflow', 'check', '--quiet']\n"
        "from ashflow.cli import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "print(*(name for name in sys.modules))\n"
    )
    loaded = set(python(program).split())
    assert "ashflow.plan.check" in loaded
    assert not loaded & {
        "ashflow.adapters",
        "ashflow.change.describe",
        "ashflow.change.diff",
        "ashflow.change.operations",
        "ashflow.history.load",
        "ashflow.history.render",
        "ashflow.plan.regen",
        "ashflow.run.runner",
        "git",
        "rich",
        "sqlite3",
    }
