"""The environment guard: what is in production is destroyed by nobody who does not say so."""

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
ROWS = "INSERT INTO posts (title, color) VALUES ('A', 'red'), ('B', 'blue')"
DATABASE = "priv/repo/dev.sqlite3"
FLAG = "--i-know-this-is-production"
MARK = "UPDATE ashflow_meta SET value = ? WHERE key = 'environment'"
REMEMBERED = "SELECT value FROM ashflow_meta WHERE key = 'environment'"

COMMANDS = {
    "regen": ["regen", "more", "--yes", "--no-renames"],
    "regen -m": ["regen", "more", "-m", "--yes", "--no-renames"],
    "rollback": ["rollback"],
    "rollback --all": ["rollback", "--all"],
    "rollback --mark": ["rollback", "--mark"],
    "undo": ["undo", "--yes"],
    "drop": ["drop", "--yes"],
    "reset": ["reset", "--yes"],
    "codegen": ["codegen", "final", "--yes", "--no-renames"],
}
DRY = [name for name in COMMANDS if name not in {"rollback --mark", "drop", "reset"}]


@pytest.fixture
def ready(begin):
    """Prepare a day on which a command has something to do, and return its arguments."""

    def ready(name, mark="production"):
        day = begin(rows=ROWS)
        day.declare(COLORED + "    size: int = 1\n")
        day.run("regen", "again", "-m", "--yes", "--no-renames")  # for undo
        day.declare(POSTS + "    extra: int = 3\n")
        if name == "codegen":
            day.run("codegen", "--dev", "--drop-columns")
            day.run("migrate")
        day.query(MARK, mark)
        version = day.query("SELECT max(version) FROM ashflow_migrations")[0]
        return day, [*COMMANDS[name], *(version if name == "rollback --mark" else ())]

    return ready


def everything(project):
    """All that is there, databases to the byte, git's index and branches, and the store."""
    paths = [*project.root.rglob("*"), *(project.root / ".git/ashflow").rglob("*")]
    names = {path.relative_to(project.root).as_posix(): path for path in paths if path.is_file()}
    kept = {n for n in names if n.startswith(".git/ashflow/") or not n.startswith(".git/")}
    files = {name: names[name].read_bytes() for name in kept if "__pycache__" not in name}
    return files, project.git("ls-files", "--stage"), project.git("for-each-ref")


def place(day, path=DATABASE):
    """The real path of a database."""
    return os.path.realpath(day.root / path)


def environment(day, path=DATABASE):
    """What a database remembers."""
    ((word,),) = day.query(REMEMBERED, path=path)
    return word


# -- refused, allowed, tried


@pytest.mark.parametrize("name", COMMANDS)
def test_in_production_it_is_refused_and_nothing_is_touched(ready, name):
    day, arguments = ready(name)
    before = everything(day.project)
    result = day.run(*arguments, "--json", code=2)
    error = result.json()["error"]
    assert everything(day.project) == before
    assert error["code"] == "production"
    assert f"the database of repo, {place(day)}, is marked production" in error["message"]
    assert error["hint"].endswith(f"say the same with {FLAG}.")
    assert "acts on" not in result.err


@pytest.mark.parametrize("name", COMMANDS)
def test_who_says_that_production_is_meant_goes_on(ready, name):
    day, arguments = ready(name)
    before = everything(day.project)
    result = day.run(*arguments, FLAG)
    assert f"repo: {arguments[0]} acts on {place(day)} (production)\n" in result.err
    assert everything(day.project) != before


@pytest.mark.parametrize("name", DRY)
def test_a_dry_run_needs_no_flag_and_names_the_target(ready, name):
    day, arguments = ready(name)
    before = everything(day.project)
    arguments = [one for one in arguments if one != "--yes" or name == "codegen"]
    result = day.run(*arguments, "--dry-run")
    assert f"repo: {arguments[0]} would act on {place(day)} (production)\n" in result.err
    assert everything(day.project) == before


def test_the_refusal_is_told_to_a_person_too_and_comes_before_the_question(ready):
    day, _ = ready("drop")
    result = day.run("drop", code=2)
    assert result.out == ""
    assert result.err.startswith("error: drop does not touch production: the database of repo, ")
    assert FLAG in result.err
    assert "nobody is there to answer" not in result.err
    assert "nobody is there to answer" in day.run("drop", FLAG, code=1).err


def test_the_other_commands_are_not_guarded(ready):
    day, _ = ready("regen")
    production = {"ASHFLOW_ENV": "production"}
    for arguments in (
        ["create"],
        ["setup"],
        ["status"],
        ["recover"],
        ["undo", "--list"],
        ["codegen", "next", "--no-renames"],
        ["migrate"],
    ):
        day.run(*arguments, env=production)
    assert day.applied() == ["first", "again", "next"]


# -- who says production


def test_the_variable_says_production_where_the_database_does_not(ready):
    day, arguments = ready("rollback", mark="development")
    before = everything(day.project)
    error = day.run(*arguments, "--json", code=2, env={"ASHFLOW_ENV": "production"}).json()["error"]
    assert everything(day.project) == before
    said = f"{place(day)}, is marked development, and ASHFLOW_ENV says production"
    assert said in error["message"]
    result = day.run(*arguments, FLAG, env={"ASHFLOW_ENV": "production"})
    assert f"acts on {place(day)} (development, ASHFLOW_ENV=production)\n" in result.err


def test_the_variable_does_not_talk_production_away(ready):
    day, arguments = ready("rollback")
    day.run(*arguments, code=2, env={"ASHFLOW_ENV": "development"})
    day.run(*arguments, code=2, env={"ASHFLOW_ENV": ""})


@pytest.mark.parametrize("word", ["Production", " PRODUCTION\n"])
def test_the_word_counts_however_it_is_written(ready, word):
    day, arguments = ready("rollback", mark=word)
    day.run(*arguments, code=2)
    day.query(MARK, "development")
    day.run(*arguments, code=2, env={"ASHFLOW_ENV": word})


@pytest.mark.parametrize("word", ["prod", "staging", "production-like", "", "  "])
def test_no_other_word_counts(ready, word):
    day, arguments = ready("rollback", mark=word)
    day.run(*arguments, env={"ASHFLOW_ENV": word})


@pytest.mark.parametrize(
    ("said", "remembered"),
    [
        (None, "development"),
        ("", "development"),
        (" \t", "development"),
        (" Production", "production"),
        ("Staging", "staging"),
    ],
)
def test_a_database_remembers_what_it_was_first_migrated_under(begin, said, remembered):
    day = begin()
    (day.root / DATABASE).unlink()
    day.run("migrate", env={} if said is None else {"ASHFLOW_ENV": said})
    day.run("rollback", FLAG)
    day.run("migrate", env={"ASHFLOW_ENV": "other"})
    assert environment(day) == remembered


def test_a_variable_that_is_no_word_is_told_before_anything(begin):
    day = begin()
    result = day.run("migrate", code=2, env={"ASHFLOW_ENV": "pro\x1b[2Jduction"})
    assert "ASHFLOW_ENV is 'pro\\x1b[2jduction'" in result.err


def test_a_database_that_is_not_there_is_not_in_production(begin):
    day = begin()
    (day.root / DATABASE).unlink()
    production = {"ASHFLOW_ENV": "production"}
    assert day.run("drop", "--yes", env=production).out == "repo: was not there\n"
    result = day.run("reset", "--yes", env=production)
    assert "acts on" not in result.err
    assert environment(day) == "production"


def test_a_database_that_remembers_nothing_is_what_the_variable_says(begin):
    day = begin()
    (day.root / DATABASE).unlink()
    day.run("create")
    error = day.run("drop", "--yes", "--json", code=2, env={"ASHFLOW_ENV": "production"}).json()
    assert "is not marked, and ASHFLOW_ENV says production" in error["error"]["message"]
    result = day.run("drop", "--yes")
    assert f"repo: drop acts on {place(day)} (no environment yet)\n" in result.err


def test_a_database_keeps_the_word_through_all_that_comes(begin):
    day = begin()
    (day.root / DATABASE).unlink()
    day.run("migrate", env={"ASHFLOW_ENV": "production"})
    day.declare(COLORED + "    extra: int = 3\n")
    for arguments in (
        ["regen", "again", "-m", "--yes", FLAG],
        ["undo", "--yes", FLAG],
        ["rollback", "--all", FLAG],
        ["migrate"],
        ["regen", "more", "--yes", FLAG],
        ["migrate"],
    ):
        day.run(*arguments)
        assert environment(day) == "production", arguments
    assert day.applied() == ["first", "more"]
    day.run("rollback", code=2)


# -- what can't be told


def test_where_what_it_remembers_can_not_be_read_it_may_be_production(begin):
    day = begin()
    day.query("ALTER TABLE ashflow_meta RENAME COLUMN value TO words")
    before = everything(day.project)
    error = day.run("drop", "--yes", "--json", code=2).json()["error"]
    assert everything(day.project) == before
    assert f"the environment that the database of repo, {place(day)}," in error["message"]
    assert "can't be read: the table ashflow_meta has columns" in error["message"]
    result = day.run("reset", "--yes", FLAG)
    assert f"acts on {place(day)} (environment unknown)\n" in result.err
    assert environment(day) == "production"


def test_what_is_no_database_is_told_as_before(begin):
    day = begin()
    (day.root / DATABASE).write_text("a letter to somebody, and no database at all")
    error = day.run("drop", "--yes", FLAG, "--json", code=2).json()["error"]
    assert error["code"] == "no-database"


# -- the target


@pytest.mark.parametrize("name", COMMANDS)
def test_the_target_is_named_before_it_is_acted_on(ready, name):
    day, arguments = ready(name, mark="development")
    result = day.run(*arguments, "--json")
    first, *_ = result.err.splitlines()
    assert first == f"repo: {arguments[0]} acts on {place(day)} (development)"
    assert isinstance(result.json(), dict)


def test_the_target_is_the_file_behind_a_link(begin):
    day = begin()
    real = day.root / "elsewhere.sqlite3"
    (day.root / DATABASE).rename(real)
    (day.root / DATABASE).symlink_to(real)
    assert f"repo: rollback acts on {os.path.realpath(real)} (" in day.run("rollback").err


def test_quiet_names_nothing_and_guards_all_the_same(ready):
    day, arguments = ready("rollback", mark="development")
    assert day.run(*arguments, "--quiet").err == ""
    day.query(MARK, "production")
    assert FLAG in day.run(*arguments, "--quiet", code=2).err


def test_where_there_is_nothing_to_do_nothing_is_named_nor_refused(begin):
    day = begin()
    day.query(MARK, "production")
    day.run("rollback", "--all", FLAG)
    for arguments in (["rollback"], ["undo"]):
        result = day.run(*arguments)
        assert "nothing to" in result.out
        assert "acts on" not in result.err


# -- reset


def test_reset_leaves_the_new_database_in_production(ready):
    day, arguments = ready("reset")
    result = day.run(*arguments, FLAG)
    assert "repo: the new database will be marked production\n" in result.err
    assert environment(day) == "production"
    day.run(*arguments, code=2)


def test_reset_keeps_any_environment_that_nobody_says_otherwise(ready):
    day, arguments = ready("reset", mark="staging")
    day.run(*arguments)
    assert environment(day) == "staging"


@pytest.mark.parametrize(("old", "new"), [("production", "staging"), ("staging", "production")])
def test_reset_takes_the_environment_that_is_said(ready, old, new):
    day, arguments = ready("reset", mark=old)
    result = day.run(*arguments, FLAG, env={"ASHFLOW_ENV": new})
    assert f"repo: the new database will be marked {new}\n" in result.err
    assert environment(day) == new


def test_reset_in_development_says_nothing_of_environments(ready):
    day, arguments = ready("reset", mark="development")
    assert "will be marked" not in day.run(*arguments).err
    assert environment(day) == "development"


def test_reset_leaves_it_in_production_also_where_no_migration_comes_through(begin):
    day = begin()
    day.query(MARK, "production")
    day.edit(day.path("first"), "operations=[", 'operations=[Execute(up="SELECT nonsense"),')
    day.edit(day.path("first"), "import ", "import Execute, ")
    day.run("reset", "--yes", FLAG, code=1)
    assert day.applied() == []
    assert environment(day) == "production"
    day.run("drop", "--yes", code=2)


# -- several databases


@pytest.fixture
def two(project):
    """Two repos with a regen behind them; the second database is in production."""
    project.write(
        "pyproject.toml",
        """
        [tool.ashflow]
        domains = ["shop.resources"]
        [tool.ashflow.repos.one]
        url = "sqlite:///priv/one/dev.sqlite3"
        lock_timeout = 0.2
        [tool.ashflow.repos.two]
        url = "sqlite:///priv/two/dev.sqlite3"
        lock_timeout = 0.2
        """,
    )
    project.write(".gitignore", "__pycache__/\n*.sqlite3*\n")
    project.git.commit("two databases")
    declare(project, one="", two="")
    for arguments in (["codegen", "begin"], ["migrate"]):
        assert project.ashflow(*arguments).code == 0
    declare(project, one="    extra: int = 1\n", two="    extra: int = 1\n")
    assert project.ashflow("regen", "again", "-m", "--yes").code == 0
    declare(project, one="    more: int = 1\n", two="    more: int = 1\n")
    with project.sqlite("priv/two/dev.sqlite3") as db:
        db.execute(MARK, ["production"])
    return project


def declare(project, **columns):
    tables = "".join(
        f'\nclass {repo.title()}(Resource, table="{repo}s", repo="{repo}"):\n'
        f"    id: int = integer_primary_key()\n{more}"
        for repo, more in columns.items()
    )
    project.resources(f"from ashflow import Resource, integer_primary_key\n{tables}")


SEVERAL = {name: COMMANDS[name] for name in ("regen -m", "rollback --all", "undo", "drop", "reset")}


@pytest.mark.parametrize("name", SEVERAL)
def test_one_of_several_in_production_keeps_all_as_they_are(two, name):
    before = everything(two)
    refused = two.ashflow(*SEVERAL[name], "--json")
    assert (refused.code, everything(two)) == (2, before)
    message = refused.json()["error"]["message"]
    assert f"the database of two, {place(two, 'priv/two/dev.sqlite3')}, is marked" in message
    assert "the database of one" not in message
    alone = two.ashflow(*SEVERAL[name], "--repo", "one")
    assert (alone.code, "two: " in alone.err) == (0, False), alone.err
    assert f"one: {name.split()[0]} acts on " in alone.err


@pytest.mark.parametrize("name", SEVERAL)
def test_all_of_several_are_named_before_the_first_is_touched(two, name):
    result = two.ashflow(*SEVERAL[name], FLAG)
    assert result.code == 0, result.err
    one, other, *_ = result.err.splitlines()
    assert one.startswith("one: ")
    assert one.endswith("one/dev.sqlite3 (development)")
    assert other.startswith("two: ")
    assert other.endswith("two/dev.sqlite3 (production)")


def test_a_database_in_production_in_which_nothing_is_to_be_done_is_in_nobodys_way(two):
    two.git.commit("all of it")
    declare(two, one="    most: int = 1\n", two="    extra: int = 1\n")
    result = two.ashflow("regen", "most", "-m", "--yes", "--no-renames")
    assert result.code == 0, result.err
    assert "two: " not in result.err


def test_a_reset_that_stops_between_two_databases_leaves_the_first_in_production(two):
    with two.sqlite("priv/one/dev.sqlite3") as one, two.sqlite("priv/two/dev.sqlite3") as other:
        one.execute(MARK, ["production"])
        other.execute("BEGIN IMMEDIATE")
        stopped = two.ashflow("reset", "--yes", FLAG)
    assert (stopped.code, "lock" in stopped.err) == (1, True)
    with two.sqlite("priv/one/dev.sqlite3") as db:
        assert db.execute(REMEMBERED).fetchall() == [("production",)]


# -- in production, without the command line

RELEASE = """
from ashflow import release
release.migrate({given})
"""


@pytest.mark.parametrize(
    "given", ["", f'release.Repo("repo", "sqlite:///{DATABASE}", "priv/repo/migrations")']
)
def test_what_a_release_makes_is_guarded_too(begin, given):
    day = begin()
    (day.root / DATABASE).unlink()
    subprocess.run(
        [sys.executable, "-c", RELEASE.format(given=given)],
        cwd=day.root,
        env={**os.environ, "ASHFLOW_ENV": "production"},
        check=True,
    )
    assert environment(day) == "production"
    day.run("rollback", code=2)
