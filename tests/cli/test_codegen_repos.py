"""codegen in a project of several repos: all or none, and each answer where it belongs."""

from __future__ import annotations

import pytest

TWO_REPOS = """
[tool.ashflow]
domains = ["shop.resources"]

[tool.ashflow.repos.repo]
url = "sqlite:///priv/repo/dev.sqlite3"

[tool.ashflow.repos.audit]
url = "sqlite:///priv/audit/dev.sqlite3"
"""
TWO_TABLES = """
from ashflow import Resource, belongs_to, integer_primary_key

class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str

class Entry(Resource, table="entries", repo="audit"):
    id: int = integer_primary_key()
    what: str
"""
LAST = "99999999999999"
FUTURE = "20990101000000"


def everything(root):
    """Every file and folder but git's own, with when it was changed and what is in it."""
    return {
        path.relative_to(root).as_posix(): (
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else None,
        )
        for path in sorted(root.rglob("*"))
        if ".git" not in path.relative_to(root).parts
    }


def empty_migration(project, version, repo="repo", name="earlier"):
    """A migration by somebody else's hand, so that versions do not hang on the clock."""
    text = "from ashflow.migration import Migration\n\nmigration = Migration(operations=[])\n"
    project.write(f"priv/{repo}/migrations/{version}_{name}.py", text)


@pytest.fixture
def two(project):
    project.write("pyproject.toml", TWO_REPOS)
    project.resources(TWO_TABLES)
    return project


def test_all_of_them_are_written_in_the_order_of_the_configuration(two, ashflow):
    result = ashflow("codegen", "begin", "--json")
    assert result.code == 0
    assert [repo["name"] for repo in result.json()["repos"]] == ["repo", "audit"]
    places = [path.rsplit("/", 1)[0] for path in two.files()]
    assert places == [
        "priv/audit/migrations",
        "priv/repo/migrations",
        "priv/resource_snapshots/audit/entries",
        "priv/resource_snapshots/repo/posts",
    ]
    assert ashflow("codegen", "--check").code == 0
    two.resources(TWO_TABLES + "    who: str = ''\n")
    result = ashflow("codegen", "who", "--json")
    assert [bool(repo["migration"]) for repo in result.json()["repos"]] == [False, True]


def test_one_of_them_may_be_chosen(two, ashflow):
    assert ashflow("codegen", "begin", "--repo", "audit").code == 0
    assert all("audit" in path for path in two.files())
    assert ashflow("codegen", "--check", "--repo", "audit").code == 0
    assert ashflow("codegen", "--check", "--repo", "repo").code == 1
    both = ashflow("codegen", "--check", "--repo", "repo", "--repo", "audit", "--json")
    assert [repo["name"] for repo in both.json()["repos"]] == ["repo", "audit"]


def test_an_unknown_one_is_answered_with_those_that_there_are(two, ashflow):
    result = ashflow("codegen", "begin", "--repo", "nope")
    assert result.code == 2
    assert "nope" in result.err
    assert "repo, audit" in result.err
    assert two.files() == []


def test_an_empty_migration_is_for_one(two, ashflow):
    result = ashflow("codegen", "begin", "--empty")
    assert result.code == 2
    assert "--repo" in result.err
    assert ashflow("codegen", "begin", "--empty", "--repo", "audit").code == 0
    assert [path.rsplit("/", 1)[0] for path in two.files()] == ["priv/audit/migrations"]


@pytest.mark.parametrize("way", ["taken name", "last version", "corrupt snapshot", "no place"])
def test_where_one_fails_nothing_is_written_anywhere(two, ashflow, way):
    if way == "taken name":
        empty_migration(two, FUTURE, "audit", "begin")
    elif way == "last version":
        empty_migration(two, LAST, "audit")
    elif way == "corrupt snapshot":
        two.write(f"priv/resource_snapshots/audit/entries/{FUTURE}.json", "{}")
    else:
        two.write("priv/resource_snapshots/audit", "a file where a folder should be")
    before = everything(two.root)
    result = ashflow("codegen", "begin")
    assert result.code in {1, 2}
    assert result.err.startswith("error: ")
    assert everything(two.root) == before


def test_an_answer_is_for_the_repo_that_has_the_table(two, ashflow):
    assert ashflow("codegen", "begin").code == 0
    two.resources(TWO_TABLES.replace("title", "headline").replace("what", "deed"))
    open_ones = ashflow("codegen", "rename", "--rename", "posts.title=headline", "--json")
    assert open_ones.code == 2
    assert [q["table"] for q in open_ones.json()["error"]["questions"]] == ["entries"]
    answers = ["--rename", "posts.title=headline", "--rename", "entries.what=deed"]
    assert ashflow("codegen", "rename", *answers).code == 0
    assert ashflow("codegen", "--check").code == 0


@pytest.mark.parametrize("answer", ["pots.title=headline", "pots=articles", "posts.tilte=x"])
def test_an_answer_for_no_repo_is_refused(two, ashflow, answer):
    assert ashflow("codegen", "begin").code == 0
    before = everything(two.root)
    result = ashflow("codegen", "rename", "--rename", answer)
    assert result.code == 2
    assert f"--rename {answer.split('.')[0].split('=')[0]}" in result.err
    assert everything(two.root) == before


def test_one_table_in_two_repos_is_renamed_where_the_answer_fits(two, ashflow):
    twice = TWO_TABLES.replace('"entries"', '"posts"').replace("what", "title")
    two.resources(twice)
    assert ashflow("codegen", "begin").code == 0
    head, audit, rest = twice.partition("class Entry")
    two.resources(head.replace("title", "headline") + audit + rest)
    result = ashflow("codegen", "rename", "--rename", "posts.title=headline", "--json")
    assert result.code == 0
    kinds = [[op["op"] for op in repo["operations"]] for repo in result.json()["repos"]]
    assert kinds == [["RenameColumn"], []]


def test_a_column_that_refers_to_another_repo_has_no_foreign_key(two, ashflow):
    two.resources(TWO_TABLES + "    post = belongs_to(Post)\n")
    result = ashflow("codegen", "begin")
    assert result.code == 0
    text = next(two.read(path) for path in two.files() if "audit/migrations" in path)
    assert "post_id" in text
    assert "ForeignKey" not in text
    said = "  # post_id refers to posts in the repo repo: a column and no foreign key"
    assert result.out.splitlines().count(said) == 1


def test_all_repos_ask_together_and_one_command_answers(two, ashflow):
    ashflow("codegen", "begin")
    renamed = TWO_TABLES.replace("title: str", "name: str").replace("what: str", "text: str")
    two.resources(renamed)
    error = ashflow("codegen", "again", "--json").json()["error"]
    assert [(q["table"], q["from"]) for q in error["questions"]] == [
        ("posts", "title"),
        ("entries", "what"),
    ]
    flags = error["hint"].partition("say ")[2].partition(";")[0].split()
    assert flags == ["--rename", "posts.title=name", "--rename", "entries.what=text"]
    assert ashflow("codegen", "again", *flags).code == 0
    assert ashflow("codegen", "--check").code == 0
