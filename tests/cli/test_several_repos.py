"""Commands in a project of several databases: each by itself, in order, up to the first failure."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

REPOS = ("one", "two", "three")
CONFIG = '[tool.ashflow]\ndomains = ["shop.resources"]\n' + "".join(
    f'\n[tool.ashflow.repos.{name}]\nurl = "sqlite:///{name}.sqlite3"\n' for name in REPOS
)
HEAD = "from ashflow import Resource, belongs_to, integer_primary_key\n"


def resource(repo, more=""):
    """A table of a repo, with the repo's name."""
    return (
        f'\nclass {repo.title()}(Resource, table="t_{repo}", repo="{repo}"):\n'
        f"    id: int = integer_primary_key()\n    name: str\n{more}"
    )


@pytest.fixture
def declare(project):
    """Declare a table in each repo; some of them with more columns."""

    def declare(**more):
        texts = [resource(name, more.get(name, "")) for name in REPOS]
        project.resources(HEAD + "".join(texts))

    return declare


@pytest.fixture
def three(project, declare):
    """Three databases that are migrated, committed."""
    project.write("pyproject.toml", CONFIG)
    project.write(".gitignore", "__pycache__/\n*.sqlite3*\n")
    declare()
    assert project.ashflow("codegen", "begin").code == 0
    assert project.ashflow("migrate").code == 0
    project.git.commit("begin")
    return project


def names(result):
    assert result.code == 0, result
    return [repo["name"] for repo in result.json()["repos"]]


def columns(project):
    found = {}
    for repo in REPOS:
        with closing(sqlite3.connect(project.root / f"{repo}.sqlite3")) as db:
            found[repo] = [row[1] for row in db.execute(f"PRAGMA table_info(t_{repo})")]
    return found


def there(project):
    return [repo for repo in REPOS if (project.root / f"{repo}.sqlite3").exists()]


ALL = {
    "create": ["create"],
    "setup": ["setup"],
    "migrate": ["migrate"],
    "status": ["status"],
    "drop": ["drop", "--yes"],
    "reset": ["reset", "--yes"],
    "rollback": ["rollback", "--all"],
}


@pytest.mark.parametrize("command", ALL.values(), ids=list(ALL))
def test_a_command_is_for_all_in_the_order_of_the_configuration(three, ashflow, command):
    assert names(ashflow(*command, "--json")) == list(REPOS)


@pytest.mark.parametrize("command", ALL.values(), ids=list(ALL))
def test_those_that_are_named_alone_are_meant(three, ashflow, command):
    named = ["--repo", "three", "--repo", "one"]
    assert names(ashflow(*command, *named, "--json")) == ["one", "three"]


def test_regen_and_undo_are_for_all(three, ashflow, declare):
    declare(one="    color: str | None\n", three="    color: str | None\n")
    assert ashflow("codegen", "color").code == 0
    assert ashflow("migrate").code == 0
    declare(one="    colour: str | None\n", three="    colour: str | None\n")
    again = ashflow("regen", "again", "-m", "--no-renames", "--yes", "--json")
    changed = [repo["name"] for repo in again.json()["repos"] if repo["migrated"]]
    assert changed == ["one", "three"]
    assert columns(three)["three"] == ["id", "name", "colour"]
    back = ashflow("undo", "--yes", "--json")
    assert {"one", "three"} <= set(names(back))
    assert columns(three) == {
        "one": ["id", "name", "color"],
        "two": ["id", "name"],
        "three": ["id", "name", "color"],
    }


def test_check_is_for_all_and_says_in_which_one(three, ashflow, declare):
    declare(two="    color: str | None\n")
    result = ashflow("check", "--json")
    assert result.code == 1
    assert {problem["repo"] for problem in result.json()["problems"]} == {"two"}
    assert ashflow("check", "--repo", "one", "--repo", "three").code == 0


FAILING = """
from ashflow.migration import Execute, Migration

migration = Migration(operations=[Execute(up="nonsense", down="nonsense")])
"""


def failing(project, repo="two"):
    project.write(f"priv/{repo}/migrations/20990101000000_wrong.py", FAILING)


def test_a_migrate_that_fails_says_which_are_done_and_which_not_begun(three, ashflow, declare):
    declare(**dict.fromkeys(REPOS, "    color: str | None\n"))
    ashflow("codegen", "color")
    failing(three)
    failed = ashflow("migrate")
    assert failed.code == 1
    assert "repo two: can't apply 20990101000000_wrong" in failed.err
    assert "Done before it: one. Not begun: three." in failed.err
    assert columns(three) == {
        "one": ["id", "name", "color"],
        "two": ["id", "name", "color"],
        "three": ["id", "name"],
    }


def test_a_rollback_that_fails_says_which_are_done_and_which_not_begun(three, ashflow):
    failing(three)
    version = ["--mark", "20990101000000"]
    assert ashflow("migrate", "--repo", "two", *version).code == 0
    failed = ashflow("rollback", "--all")
    assert failed.code == 1
    assert "Done before it: one. Not begun: three." in failed.err
    assert columns(three) == {"one": [], "two": ["id", "name"], "three": ["id", "name"]}


@pytest.mark.parametrize("command", [["setup"], ["reset", "--yes"]], ids=["setup", "reset"])
def test_a_new_beginning_that_fails_says_so_too(three, ashflow, command):
    failing(three)
    if command == ["setup"]:
        assert ashflow("drop", "--yes").code == 0
    failed = ashflow(*command)
    assert failed.code == 1
    assert "Done before it: one. Not begun: three." in failed.err
    assert there(three) == (["one", "two"] if command == ["setup"] else list(REPOS))
    found = columns(three)
    assert found["one"] == ["id", "name"]
    assert found["three"] == ([] if command == ["setup"] else ["id", "name"])


@pytest.mark.parametrize("command", [["create"], ["drop", "--yes"]], ids=["create", "drop"])
def test_making_and_removing_stop_at_the_first_that_is_none(three, ashflow, command):
    if command == ["create"]:
        assert ashflow("drop", "--yes").code == 0
    (three.root / "two.sqlite3").write_text("my novel, chapter one " * 100)
    failed = ashflow(*command)
    assert failed.code == 2
    assert "two.sqlite3 is no SQLite database" in failed.err
    assert (three.root / "two.sqlite3").read_text().startswith("my novel")


def test_what_belongs_to_another_repo_is_a_column_without_a_foreign_key(three, ashflow, project):
    owner = "    owner = belongs_to(One, nullable=True)\n"
    project.resources(HEAD + resource("one") + resource("two", owner) + resource("three"))
    assert ashflow("codegen", "owner").code == 0
    assert ashflow("migrate").code == 0
    assert columns(three)["two"] == ["id", "name", "owner_id"]
    with closing(sqlite3.connect(three.root / "two.sqlite3")) as db:
        assert db.execute("PRAGMA foreign_key_list(t_two)").fetchall() == []


LOOKING = {
    "status": ["status"],
    "check": ["check"],
    "codegen --check": ["codegen", "--check"],
    "codegen --dry-run": ["codegen", "--dry-run"],
    "migrate --dry-run": ["migrate", "--dry-run"],
    "regen --dry-run": ["regen", "again", "-m", "--dry-run"],
    "undo --dry-run": ["undo", "--dry-run"],
    "undo --list": ["undo", "--list"],
    "rollback --dry-run": ["rollback", "--all", "--dry-run"],
    "drop": ["drop", "--yes"],
    "recover": ["recover"],
}


@pytest.mark.parametrize("command", LOOKING.values(), ids=list(LOOKING))
def test_who_only_looks_makes_no_database(three, ashflow, command):
    assert ashflow("drop", "--yes").code == 0
    before = sorted(path.name for path in three.root.iterdir())
    ashflow(*command)
    assert sorted(path.name for path in three.root.iterdir()) == before
    assert there(three) == []


@pytest.mark.parametrize("command", ["create", "setup"])
def test_what_is_made_twice_stays_as_it_is(three, ashflow, command):
    for repo in REPOS:
        with closing(sqlite3.connect(three.root / f"{repo}.sqlite3")) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(f"INSERT INTO t_{repo} (name) VALUES ('A')")
            db.commit()
    for _ in range(2):
        assert ashflow(command).code == 0
    for repo in REPOS:
        with closing(sqlite3.connect(three.root / f"{repo}.sqlite3")) as db:
            assert db.execute(f"SELECT name FROM t_{repo}").fetchall() == [("A",)]


@pytest.mark.parametrize("command", ["drop", "reset"])
def test_what_is_removed_twice_is_gone_with_all_that_lies_beside_it(three, ashflow, command):
    for repo in REPOS:
        with closing(sqlite3.connect(three.root / f"{repo}.sqlite3")) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(f"INSERT INTO t_{repo} (name) VALUES ('A')")
            db.commit()
        for suffix in ("-wal", "-shm"):
            (three.root / f"{repo}.sqlite3{suffix}").touch()
    for _ in range(2):
        assert ashflow(command, "--yes").code == 0
        assert list(three.root.glob("*.sqlite3-*")) == []
    assert there(three) == ([] if command == "drop" else list(REPOS))


@pytest.mark.parametrize("command", ["drop", "reset"])
def test_a_database_that_holds_another_repo_too_is_not_removed(three, ashflow, command):
    together = CONFIG.replace("three.sqlite3", "one.sqlite3") + 'ledger = "three"\n'
    three.write("pyproject.toml", together)
    with closing(sqlite3.connect(three.root / "one.sqlite3")) as db:
        db.execute("INSERT INTO t_one (name) VALUES ('A')")
        db.commit()
    failed = ashflow(command, "--yes", "--repo", "three")
    assert failed.code == 2
    assert "the database of the repo three holds the repo one too" in failed.err
    assert "ashflow rollback --all --repo three" in failed.err
    with closing(sqlite3.connect(three.root / "one.sqlite3")) as db:
        assert db.execute("SELECT name FROM t_one").fetchall() == [("A",)]


def test_a_database_goes_with_all_repos_that_it_holds(three, ashflow):
    together = CONFIG.replace("three.sqlite3", "one.sqlite3") + 'ledger = "three"\n'
    three.write("pyproject.toml", together)
    (three.root / "three.sqlite3").unlink()
    assert ashflow("drop", "--yes", "--repo", "one", "--repo", "three").code == 0
    assert there(three) == ["two"]


@pytest.mark.parametrize("command", ["drop", "reset"])
def test_a_url_that_can_not_be_used_does_not_keep_another_database(three, ashflow, command):
    three.write("pyproject.toml", CONFIG.replace("sqlite:///two.sqlite3", "oracle://two"))
    assert ashflow(command, "--yes", "--repo", "one").code == 0
    assert ashflow(command, "--yes", "--repo", "two").code == 2
