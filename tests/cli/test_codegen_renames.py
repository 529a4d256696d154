"""What was renamed only the user knows: questions, and their answers."""

from __future__ import annotations

import json

import pytest

POSTS = """
from ashflow import Resource, check, identity, integer_primary_key

class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
    body: str | None
    unique_title = identity("title", name="only_one")
"""


@pytest.fixture
def posts(project, ashflow):
    """A project whose table posts holds one row."""
    project.resources(POSTS)
    assert ashflow("codegen", "begin").code == 0
    assert ashflow("migrate").code == 0
    with project.sqlite() as db:
        db.execute("INSERT INTO posts (title, body) VALUES ('T', 'B')")
    return project


def written(project, name):
    return next(project.read(path) for path in project.files() if path.endswith(f"_{name}.py"))


def snapshots(project, table):
    paths = [path for path in project.files() if f"/{table}/" in path]
    return [json.loads(project.read(path)) for path in paths]


def rows(project, sql):
    with project.sqlite() as db:
        return db.execute(sql).fetchall()


def test_an_answer_renames_a_column(posts, ashflow):
    posts.resources(POSTS.replace("title", "headline"))
    result = ashflow("codegen", "headline", "--rename", "posts.title=headline", "--json")
    assert result.code == 0
    kinds = [operation["op"] for operation in result.json()["repos"][0]["operations"]]
    assert kinds == ["RenameColumn"]
    assert 'RenameColumn("posts", "title", "headline")' in written(posts, "headline")
    assert ashflow("codegen", "--check").code == 0
    assert ashflow("migrate").code == 0
    assert rows(posts, "SELECT headline FROM posts") == [("T",)]
    assert ashflow("rollback").code == 0
    assert rows(posts, "SELECT title FROM posts") == [("T",)]


def test_an_answer_renames_a_table(posts, ashflow):
    posts.resources(POSTS.replace('"posts"', '"articles"'))
    assert ashflow("codegen", "articles", "--rename", "posts=articles").code == 0
    assert 'RenameTable("posts", "articles")' in written(posts, "articles")
    (first,) = snapshots(posts, "articles")
    *_, before, last = snapshots(posts, "posts")
    assert (last["state"], last["renamed_to"], last["columns"]) == ("renamed", "articles", [])
    assert list(last)[:6] == ["format", "version", "repo", "table", "state", "renamed_to"]
    assert last["parents"] == [before["hash"]]
    assert first["parents"] in ([last["hash"]], [before["hash"]])
    assert (first["state"], first["ancestors"]) == ("live", 0)
    assert ashflow("codegen", "--check").code == 0
    assert ashflow("migrate").code == 0
    assert rows(posts, "SELECT title FROM articles") == [("T",)]


def test_a_table_and_its_column_are_renamed_together_by_their_old_names(posts, ashflow):
    posts.resources(POSTS.replace('"posts"', '"articles"').replace("title", "headline"))
    answers = ["--rename", "posts=articles", "--rename", "posts.title=headline"]
    assert ashflow("codegen", "both", *answers).code == 0
    assert ashflow("codegen", "--check").code == 0
    assert ashflow("migrate").code == 0
    assert rows(posts, "SELECT headline, body FROM articles") == [("T", "B")]


def test_the_new_name_of_a_table_is_no_old_name(posts, ashflow):
    posts.resources(POSTS.replace('"posts"', '"articles"').replace("title", "headline"))
    answers = ["--rename", "posts=articles", "--rename", "articles.title=headline"]
    result = ashflow("codegen", "both", *answers)
    assert result.code == 2
    assert "no table articles in the snapshots" in result.err
    assert "posts" in result.err


def test_two_columns_swap_their_names(posts, ashflow):
    swapped = POSTS.replace("title: str\n", "text: str\n").replace("body:", "title:")
    posts.resources(swapped.replace("text: str\n", "body: str\n"))
    answers = ["--rename", "posts.title=body", "--rename", "posts.body=title"]
    assert ashflow("codegen", "swap", *answers).code == 0
    assert ashflow("migrate").code == 0
    assert rows(posts, "SELECT title, body FROM posts") == [("B", "T")]
    assert ashflow("codegen", "--check").code == 0
    assert ashflow("rollback").code == 0
    assert rows(posts, "SELECT title, body FROM posts") == [("T", "B")]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (["posts.v1.2=x"], "A name with a dot or an equals sign in it stands in double quotes"),
        (["posts.tilte=headline"], "There were: body, id, title."),
        (["posts.title=headline", "posts.body=headline"], "Every name has one answer"),
    ],
)
def test_a_wrong_answer_is_refused(posts, ashflow, answers, said):
    posts.resources(POSTS.replace("title", "headline"))
    files = posts.files()
    result = ashflow("codegen", "wrong", *(word for a in answers for word in ("--rename", a)))
    assert result.code == 2
    assert result.err.startswith(f"error: --rename {answers[-1]}: "), result.err
    assert said in result.err
    assert posts.files() == files


def test_a_wrong_answer_is_refused_where_nothing_changed(posts, ashflow):
    result = ashflow("codegen", "wrong", "--rename", "posts.title=headline")
    assert result.code == 2
    assert "the resources declare no column headline" in result.err
    assert "They declare: body, id, title." in result.err


def test_what_is_not_answered_is_asked_with_the_option_that_answers(posts, ashflow):
    posts.resources(POSTS.replace("title", "headline"))
    files = posts.files()
    result = ashflow("codegen", "headline")
    assert (result.code, result.out) == (2, "")
    assert "--rename posts.title=headline" in result.err
    assert "--no-renames" in result.err
    asked = ashflow("codegen", "headline", "--json")
    assert (asked.code, asked.err) == (2, "")
    error = asked.json()["error"]
    assert set(error) == {"code", "message", "hint", "questions"}
    assert error["questions"] == [
        {
            "kind": "column",
            "table": "posts",
            "from": "title",
            "candidates": ["headline"],
            "flag": "--rename posts.title=headline",
        }
    ]
    assert ashflow("codegen", "--dry-run").code == 2
    assert posts.files() == files
    assert ashflow("codegen", "--check").code == 1, "stale it is in any case"


def test_tables_are_asked_of_first_and_the_likeliest_candidate_leads(posts, ashflow):
    other = 'class Tag(Resource, table="atags"):\n    tag: str\n\n'
    renamed = POSTS.replace('"posts"', '"articles"').replace("title", "headline")
    posts.resources(renamed.replace("class Post", other + "class Post"))
    first = ashflow("codegen", "x", "--json").json()["error"]["questions"]
    assert first == [
        {
            "kind": "table",
            "table": "posts",
            "from": "posts",
            "candidates": ["articles", "atags"],
            "flag": "--rename posts=articles",
        }
    ]
    then = ashflow("codegen", "x", "--rename", "posts=articles", "--json")
    (question,) = then.json()["error"]["questions"]
    assert (question["table"], question["flag"]) == ("posts", "--rename posts.title=headline")


def test_no_renames_keeps_what_went_and_adds_what_came(posts, ashflow):
    posts.resources(POSTS.replace("body", "text"))
    assert ashflow("codegen", "text", "--no-renames").code == 0
    text = written(posts, "text")
    assert "Rename" not in text
    assert "# kept: posts.body." in text
    assert 'AddColumn("posts", Column("text"' in text
    posts.resources(POSTS.replace("body", "text").replace('"posts"', '"articles"'))
    command = ["codegen", "articles", "--no-renames", "--drop-tables"]
    posts.resources(posts.read("shop/resources.py").replace("only_one", "other_title"))
    assert ashflow(*command).code == 0
    assert ashflow("migrate").code == 0
    assert rows(posts, "SELECT * FROM articles") == []


def test_an_answer_and_no_renames_go_together(posts, ashflow):
    posts.resources(POSTS.replace("title", "headline").replace("body", "text"))
    answers = ["--rename", "posts.title=headline", "--no-renames"]
    assert ashflow("codegen", "some", *answers).code == 0
    text = written(posts, "some")
    assert 'RenameColumn("posts", "title", "headline")' in text
    assert "# kept: posts.body." in text
