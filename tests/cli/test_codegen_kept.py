"""Columns and tables that leave the resources stay in the database until somebody says drop."""

from __future__ import annotations

import json

BOTH = """
from ashflow import Resource, belongs_to, check, identity, integer_primary_key

class Team(Resource, table="teams"):
    id: int = integer_primary_key()
    name: str

class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
    body: str
    rank: int = 7
    team = belongs_to(Team, index=True, nullable=True)
"""
NO_BODY = BOTH.replace("    body: str\n    rank: int = 7\n", "")
NO_POSTS = BOTH.partition("class Post")[0]


def newest(project, ending):
    """The text of the newest file with that ending."""
    return project.read([path for path in project.files() if path.endswith(ending)][-1])


def newest_snapshot(project, table):
    paths = [path for path in project.files() if f"/{table}/" in path]
    return json.loads(project.read(paths[-1]))


def start(project, ashflow, resources=BOTH):
    project.resources(resources)
    assert ashflow("codegen", "begin").code == 0
    assert ashflow("migrate").code == 0
    with project.sqlite() as db:
        db.execute("INSERT INTO posts (title, body) VALUES ('hello', 'text')")


def columns_of(project, table="posts"):
    with project.sqlite() as db:
        return {
            name: (type_, bool(not_null), default)
            for _, name, type_, not_null, default, _ in db.execute(f"PRAGMA table_info({table})")
        }


def test_a_column_that_left_is_kept_and_noted(project, ashflow):
    start(project, ashflow)
    project.resources(NO_BODY)
    assert ashflow("codegen", "--check").code == 1
    result = ashflow("codegen", "drop_body", "--json")
    assert result.code == 0
    said = [
        (op["op"], op["table"], op["commented"]) for op in result.json()["repos"][0]["operations"]
    ]
    assert said == [
        ("AlterColumn", "posts", False),
        ("DropColumn", "posts", True),
        ("DropColumn", "posts", True),
    ]
    text = newest(project, "_drop_body.py")
    for column in ("body", "rank"):
        note = f"# kept: posts.{column}. To drop it: ashflow codegen NAME --drop-columns\n"
        assert f"        {note}" in text
    assert "DropColumn" not in text
    snapshot = newest_snapshot(project, "posts")
    assert [column["name"] for column in snapshot["retired"]] == ["body", "rank"]
    assert [column["name"] for column in snapshot["columns"]] == ["id", "title", "team_id"]
    assert snapshot["state"] == "live"
    assert ashflow("codegen", "--check").code == 0
    assert ashflow("migrate").code == 0
    assert columns_of(project)["body"] == ("TEXT", False, None), "rows can be written without it"
    assert columns_of(project)["rank"] == ("INTEGER", True, "7"), "the default does that"
    with project.sqlite() as db:
        db.execute("INSERT INTO posts (title) VALUES ('new')")
        assert db.execute("SELECT body, rank FROM posts").fetchall() == [("text", 7), (None, 7)]


def test_what_is_kept_is_printed_and_goes_when_it_is_said(project, ashflow):
    start(project, ashflow)
    project.resources(NO_BODY)
    shown = ashflow("codegen", "drop_body").out
    assert "# kept: posts.body. To drop it: ashflow codegen NAME --drop-columns" in shown
    assert "nothing to do" in ashflow("codegen", "later").out
    result = ashflow("codegen", "really", "--drop-columns")
    assert result.code == 0
    assert "! drop column body" in result.out
    assert newest_snapshot(project, "posts")["retired"] == []
    assert ashflow("codegen", "--check", "--drop-columns").code == 0
    assert ashflow("migrate").code == 0
    assert list(columns_of(project)) == ["id", "title", "team_id"]
    assert ashflow("rollback").code == 0
    assert columns_of(project)["body"] == ("TEXT", False, None)


def test_columns_may_be_dropped_at_once(project, ashflow):
    start(project, ashflow)
    project.resources(NO_BODY)
    assert ashflow("codegen", "drop_body", "--drop-columns").code == 0
    text = newest(project, "_drop_body.py")
    assert 'DropColumn("posts", Column("body", "text"))' in text
    assert "kept" not in text
    assert ashflow("migrate").code == 0
    assert "body" not in columns_of(project)


def test_the_configuration_may_drop_by_default(project, ashflow):
    start(project, ashflow)
    text = project.read("pyproject.toml")
    both = "drop_columns = true\ndrop_tables = true\n[tool.ashflow.repos"
    project.write("pyproject.toml", text.replace("[tool.ashflow.repos", both))
    project.resources(NO_BODY)
    assert ashflow("codegen", "drop_body").code == 0
    assert "DropColumn(" in newest(project, "_drop_body.py")
    project.resources(NO_POSTS)
    assert ashflow("codegen", "drop_posts").code == 0
    assert "DropTable(" in newest(project, "_drop_posts.py")
    assert newest_snapshot(project, "posts")["state"] == "dropped"
    assert ashflow("codegen", "--check").code == 0


def test_an_attribute_that_comes_back_takes_its_column_back_with_its_values(project, ashflow):
    start(project, ashflow)
    project.resources(NO_BODY)
    assert ashflow("codegen", "away").code == 0
    assert ashflow("migrate").code == 0
    project.resources(BOTH)
    assert ashflow("codegen", "--check").code == 1
    assert ashflow("codegen", "back").code == 0
    text = newest(project, "_back.py")
    assert "AddColumn" not in text
    assert "# back: posts.body, which had been kept." in text
    assert newest_snapshot(project, "posts")["retired"] == []
    assert ashflow("migrate").code == 0
    with project.sqlite() as db:
        assert db.execute("SELECT title, body, rank FROM posts").fetchall() == [
            ("hello", "text", 7)
        ]
    assert columns_of(project)["body"] == ("TEXT", True, None)


def test_a_kept_column_takes_part_in_no_questions(project, ashflow):
    start(project, ashflow)
    project.resources(NO_BODY)
    assert ashflow("codegen", "away").code == 0
    project.resources(NO_BODY.replace("    title", "    intro: str | None\n    title"))
    assert ashflow("codegen", "intro").code == 0
    assert [c["name"] for c in newest_snapshot(project, "posts")["retired"]] == ["body", "rank"]


def test_a_kept_column_may_be_taken_back_under_another_name(project, ashflow):
    start(project, ashflow)
    project.resources(NO_BODY)
    assert ashflow("codegen", "away").code == 0
    assert ashflow("migrate").code == 0
    project.resources(NO_BODY.replace("    title", "    text: str\n    title"))
    assert ashflow("codegen", "text", "--rename", "posts.body=text").code == 0
    assert ashflow("migrate").code == 0
    with project.sqlite() as db:
        assert db.execute("SELECT text FROM posts").fetchall() == [("text",)]


def test_the_name_of_a_kept_column_is_taken(project, ashflow):
    start(project, ashflow)
    project.resources(NO_BODY)
    assert ashflow("codegen", "away").code == 0
    files = project.files()
    project.resources(NO_BODY.replace("    title", "    Body: str | None\n    title"))
    result = ashflow("codegen", "other")
    assert result.code == 2
    assert "column posts.body is kept, and its name is wanted for Body" in result.err
    assert "--drop-columns" in result.err
    project.resources(NO_BODY.replace("title", "body"))
    result = ashflow("codegen", "other", "--rename", "posts.title=body")
    assert result.code == 2
    assert "column posts.body is kept, and its name is wanted for body" in result.err
    assert project.files() == files
    command = ["codegen", "other", "--rename", "posts.title=body", "--drop-columns"]
    assert ashflow(*command).code == 0
    assert ashflow("migrate").code == 0
    with project.sqlite() as db:
        assert db.execute("SELECT body FROM posts").fetchall() == [("hello",)]


def test_a_kept_column_that_is_computed_follows_a_rename(project, ashflow):
    label = '    label: str = attribute(generated_as="upper(title)")\n'
    source = NO_BODY.replace("import ", "import attribute, ", 1)
    project.resources(source + label)
    assert ashflow("codegen", "begin").code == 0
    assert ashflow("migrate").code == 0
    project.resources(source.replace("title", "headline"))
    assert ashflow("codegen", "rename", "--rename", "posts.title=headline").code == 0
    assert ashflow("migrate").code == 0
    (kept,) = newest_snapshot(project, "posts")["retired"]
    assert kept["generated_as"] == "upper(headline)"
    with project.sqlite() as db:
        db.execute("INSERT INTO posts (headline) VALUES ('x')")
        assert db.execute("SELECT label FROM posts").fetchall() == [("X",)]


def test_a_table_that_left_is_kept_and_noted(project, ashflow):
    start(project, ashflow)
    project.resources(NO_POSTS)
    assert ashflow("codegen", "--check").code == 1
    result = ashflow("codegen", "drop_posts", "--json")
    (operation,) = result.json()["repos"][0]["operations"]
    assert (operation["op"], operation["table"], operation["commented"]) == (
        "DropTable",
        "posts",
        True,
    )
    text = newest(project, "_drop_posts.py")
    note = "# kept: table posts. To drop it: ashflow codegen NAME --drop-tables"
    assert text.endswith(f"migration = Migration(\n    operations=[\n        {note}\n    ],\n)\n")
    snapshot = newest_snapshot(project, "posts")
    assert snapshot["state"] == "retired"
    assert [column["name"] for column in snapshot["columns"]][:2] == ["id", "title"]
    assert snapshot["operations"] == []
    assert ashflow("codegen", "--check").code == 0
    assert ashflow("migrate").code == 0
    with project.sqlite() as db:
        assert db.execute("SELECT title FROM posts").fetchall() == [("hello",)]


def test_a_kept_table_goes_when_it_is_said_and_comes_up_again_on_the_way_down(project, ashflow):
    start(project, ashflow)
    project.resources(NO_POSTS)
    assert ashflow("codegen", "away").code == 0
    result = ashflow("codegen", "really", "--drop-tables")
    assert result.code == 0
    assert "! drop table" in result.out
    snapshot = newest_snapshot(project, "posts")
    assert (snapshot["state"], snapshot["columns"], snapshot["ancestors"]) == ("dropped", [], 2)
    assert ashflow("codegen", "--check", "--drop-tables").code == 0
    assert ashflow("migrate").code == 0
    assert columns_of(project) == {}
    assert ashflow("rollback").code == 0
    assert len(columns_of(project)) == 5
    project.resources(BOTH)
    assert ashflow("codegen", "anew").code == 0
    assert "CreateTable(" in newest(project, "_anew.py")
    snapshot = newest_snapshot(project, "posts")
    assert (snapshot["state"], snapshot["ancestors"]) == ("live", 3)
    assert ashflow("codegen", "--check").code == 0


def test_a_table_may_be_dropped_at_once(project, ashflow):
    start(project, ashflow)
    project.resources(NO_POSTS)
    assert ashflow("codegen", "drop_posts", "--drop-tables").code == 0
    assert "DropTable(" in newest(project, "_drop_posts.py")
    assert "kept" not in newest(project, "_drop_posts.py")
    assert ashflow("migrate").code == 0
    assert columns_of(project) == {}


def test_a_resource_that_comes_back_is_live_again(project, ashflow):
    start(project, ashflow)
    project.resources(NO_POSTS)
    assert ashflow("codegen", "away").code == 0
    project.resources(BOTH + "    note: str | None\n")
    assert ashflow("codegen", "--check").code == 1
    assert ashflow("codegen", "back").code == 0
    text = newest(project, "_back.py")
    assert "# back: table posts, which had been kept." in text
    assert "CreateTable" not in text
    assert 'AddColumn("posts", Column("note", "text", nullable=True))' in text
    assert newest_snapshot(project, "posts")["state"] == "live"
    assert ashflow("migrate").code == 0
    with project.sqlite() as db:
        assert db.execute("SELECT title, note FROM posts").fetchall() == [("hello", None)]


def test_a_kept_table_follows_the_rename_of_a_table_that_it_refers_to(project, ashflow):
    start(project, ashflow)
    project.resources(NO_POSTS)
    assert ashflow("codegen", "away").code == 0
    project.resources(NO_POSTS.replace('"teams"', '"groups"'))
    assert ashflow("codegen", "groups", "--rename", "teams=groups").code == 0
    (key,) = newest_snapshot(project, "posts")["foreign_keys"]
    assert key["table"] == "groups"
    assert newest_snapshot(project, "posts")["state"] == "retired"
    assert ashflow("codegen", "really", "--drop-tables").code == 0
    assert ashflow("migrate").code == 0
    assert ashflow("rollback", "--all").code == 0
    assert ashflow("migrate").code == 0
    assert columns_of(project) == {}


def test_the_name_of_a_kept_table_is_taken(project, ashflow):
    start(project, ashflow)
    project.resources(NO_POSTS)
    assert ashflow("codegen", "away").code == 0
    files = project.files()
    project.resources(NO_POSTS.replace('"teams"', '"posts"'))
    result = ashflow("codegen", "other", "--rename", "teams=posts")
    assert result.code == 2
    assert "table posts is kept, and its name is wanted for teams" in result.err
    project.resources(BOTH.replace('"posts"', '"Posts"'))
    result = ashflow("codegen", "other", "--no-renames")
    assert result.code == 2
    assert "table posts is kept, and its name is wanted for Posts" in result.err
    assert "--drop-tables" in result.err
    assert project.files() == files
    project.resources(NO_POSTS.replace('"teams"', '"posts"'))
    assert ashflow("codegen", "other", "--rename", "teams=posts", "--drop-tables").code == 0
    assert ashflow("migrate").code == 0
    assert list(columns_of(project)) == ["id", "name"]


def test_a_table_that_stands_is_never_overwritten_by_a_rename(project, ashflow):
    start(project, ashflow)
    project.resources(NO_POSTS)
    files = project.files()
    result = ashflow("codegen", "merge", "--rename", "posts=teams")
    assert result.code == 2
    assert "table teams is kept, and its name is wanted for posts" in result.err
    assert project.files() == files
