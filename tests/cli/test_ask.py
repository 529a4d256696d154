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
    assert "n  no, keep it and add headline" in seen
    assert 'RenameColumn("posts", "title", "headline")' in written(posts, "headline")


def test_on_a_terminal_no_keeps_and_adds(posts, on_a_terminal):
    posts.resources(POSTS.replace("body", "text"))
    code, seen = on_a_terminal(posts, "codegen", "text", answers=["7", "n"])
    assert code == 0, seen
    assert "Rename" not in written(posts, "text")
    assert "# kept: posts.body." in written(posts, "text")


@pytest.mark.parametrize("way", ["option", "configuration"])
def test_on_a_terminal_no_drops_and_adds_where_that_was_chosen(posts, on_a_terminal, way):
    posts.resources(POSTS.replace("body", "text"))
    options = ["--drop-columns"] if way == "option" else []
    if not options:
        toml = posts.read("pyproject.toml")
        posts.write("pyproject.toml", toml.replace("\n\n", "\ndrop_columns = true\n\n", 1))
    code, seen = on_a_terminal(posts, "codegen", "text", *options, answers=["n"])
    assert code == 0, seen
    assert "n  no, drop it and add text" in seen
    assert 'DropColumn("posts", Column("body"' in written(posts, "text")


def test_on_a_terminal_what_was_answered_is_no_candidate_any_more(posts, on_a_terminal):
    posts.resources(POSTS.replace("title", "titles").replace("body", "text"))
    code, seen = on_a_terminal(posts, "codegen", "both", answers=["1", "1"])
    assert code == 0, seen
    first, second = seen.split("posts.body is not declared any more")
    assert first.index("1  yes, to titles") < first.index("2  yes, to text")
    assert "n  no, keep it and add what is new" in first
    assert "1  yes, to text" in second
    assert "titles" not in second.partition("?:")[0]


def test_on_a_terminal_check_does_not_ask(posts, on_a_terminal):
    posts.resources(POSTS.replace("title", "headline"))
    code, seen = on_a_terminal(posts, "codegen", "--check")
    assert code == 1
    assert "Was it renamed?" not in seen
    code, seen = on_a_terminal(posts, "codegen", "--dry-run", answers=["1"])
    assert code == 0
    assert "Was it renamed?" in seen
    assert 'RenameColumn("posts", "title", "headline")' in seen


def test_on_a_terminal_tables_are_asked_of_and_then_their_columns(posts, on_a_terminal):
    posts.resources(POSTS.replace('"posts"', '"articles"').replace("title", "headline"))
    code, seen = on_a_terminal(posts, "codegen", "both", answers=["1", "1"])
    assert code == 0, seen
    assert "table posts is not declared any more" in seen
    assert "n  no, keep it and add articles" in seen
    text = written(posts, "both")
    assert 'RenameTable("posts", "articles")' in text
    assert 'RenameColumn("articles", "title", "headline")' in text


@pytest.mark.parametrize(("end", "ends"), [(CTRL_C, 130), ("\x04", 1)])
def test_on_a_terminal_ctrl_c_and_ctrl_d_write_nothing(posts, on_a_terminal, end, ends):
    posts.resources(POSTS.replace("title", "headline"))
    files = posts.files()
    code, seen = on_a_terminal(posts, "codegen", "headline", answers=[end])
    assert code == ends, seen
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
