"""Questions on a terminal, and colour, which is for terminals only."""

from __future__ import annotations

import pytest

POSTS = """
from ashflow import Resource, check, identity, integer_primary_key

class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
    body: str | None
    unique_title = identity("title", name="only_one")
"""
CTRL_C = "ctrl-c"


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


def test_on_a_terminal_it_is_asked_and_yes_is_a_number(posts, on_a_terminal):
    posts.resources(POSTS.replace("title", "headline"))
    code, seen = on_a_terminal(posts, "codegen", "headline", answers=["1"])
    assert code == 0, seen
    assert "posts.title is not declared any more. Was it renamed?" in seen
    assert "1  yes, to headline" in seen
    assert "n  no, it is something else" in seen
    assert 'RenameColumn("posts", "title", "headline")' in written(posts, "headline")


def test_on_a_terminal_no_keeps_and_adds(posts, on_a_terminal):
    posts.resources(POSTS.replace("body", "text"))
    code, seen = on_a_terminal(posts, "codegen", "text", answers=["7", "n"])
    assert code == 0, seen
    assert "Rename" not in written(posts, "text")
    assert "# kept: posts.body." in written(posts, "text")


def test_on_a_terminal_tables_are_asked_of_and_then_their_columns(posts, on_a_terminal):
    posts.resources(POSTS.replace('"posts"', '"articles"').replace("title", "headline"))
    code, seen = on_a_terminal(posts, "codegen", "both", answers=["1", "1"])
    assert code == 0, seen
    assert "table posts is not declared any more" in seen
    text = written(posts, "both")
    assert 'RenameTable("posts", "articles")' in text
    assert 'RenameColumn("articles", "title", "headline")' in text


def test_on_a_terminal_ctrl_c_writes_nothing(posts, on_a_terminal):
    posts.resources(POSTS.replace("title", "headline"))
    files = posts.files()
    code, seen = on_a_terminal(posts, "codegen", "headline", answers=[CTRL_C])
    assert code == 130
    assert "Traceback" not in seen
    assert posts.files() == files


def test_colour_is_for_terminals_and_not_where_it_is_refused(posts, ashflow, on_a_terminal):
    posts.resources(POSTS + "    rank: int = 0\n")
    piped = ashflow("codegen", "--check")
    assert "\x1b" not in piped.out + piped.err
    assert "\x1b[" in on_a_terminal(posts, "codegen", "--check")[1]
    plain = {"NO_COLOR": "1"}
    for arguments in (["codegen", "--check"], ["codegen"], ["nonsense"], ["codegen", "--nonsense"]):
        _, seen = on_a_terminal(posts, *arguments, env=plain)
        assert "\x1b" not in seen, arguments
    assert "\x1b[" in on_a_terminal(posts, "codegen")[1], "errors have a colour too"
