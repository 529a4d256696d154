"""Questions on a terminal, and colour, which is for terminals only."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time

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
# Who runs the tests in the background has them ignore Ctrl-C, and Python leaves it so.
ON_A_TERMINAL = """
import signal
from ashflow.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
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


def on_a_terminal(project, *arguments, answers=(), env=None):
    """Run the command on a terminal of its own, and return its exit code and what is seen."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL, *arguments],
        cwd=project.root,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **(env or {})},
        start_new_session=True,
    )
    os.close(theirs)
    seen, left = "", list(answers)
    deadline = time.monotonic() + 20
    try:
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 0.2)[0]:
                continue
            try:
                seen += os.read(ours, 65536).decode()
            except OSError:  # how Linux says that the other end is closed
                break
            if left and seen.rstrip(" ").endswith("?:"):
                answer = left.pop(0)
                seen += "\n"
                if answer is CTRL_C:
                    time.sleep(0.5)  # a signal just before the read would be seen after it only
                    child.send_signal(signal.SIGINT)
                else:
                    os.write(ours, f"{answer}\n".encode())
        return child.wait(timeout=10), seen.replace("\r\n", "\n")
    finally:
        child.kill()
        child.wait()
        os.close(ours)


def test_on_a_terminal_it_is_asked_and_yes_is_a_number(posts):
    posts.resources(POSTS.replace("title", "headline"))
    code, seen = on_a_terminal(posts, "codegen", "headline", answers=["1"])
    assert code == 0, seen
    assert "posts.title is not declared any more. Was it renamed?" in seen
    assert "1  yes, to headline" in seen
    assert "n  no, it is something else" in seen
    assert 'RenameColumn("posts", "title", "headline")' in written(posts, "headline")


def test_on_a_terminal_no_keeps_and_adds(posts):
    posts.resources(POSTS.replace("body", "text"))
    code, seen = on_a_terminal(posts, "codegen", "text", answers=["7", "n"])
    assert code == 0, seen
    assert "Rename" not in written(posts, "text")
    assert "# kept: posts.body." in written(posts, "text")


def test_on_a_terminal_tables_are_asked_of_and_then_their_columns(posts):
    posts.resources(POSTS.replace('"posts"', '"articles"').replace("title", "headline"))
    code, seen = on_a_terminal(posts, "codegen", "both", answers=["1", "1"])
    assert code == 0, seen
    assert "table posts is not declared any more" in seen
    text = written(posts, "both")
    assert 'RenameTable("posts", "articles")' in text
    assert 'RenameColumn("articles", "title", "headline")' in text


def test_on_a_terminal_ctrl_c_writes_nothing(posts):
    posts.resources(POSTS.replace("title", "headline"))
    files = posts.files()
    code, seen = on_a_terminal(posts, "codegen", "headline", answers=[CTRL_C])
    assert code == 130
    assert "Traceback" not in seen
    assert posts.files() == files


def test_colour_is_for_terminals_and_not_where_it_is_refused(posts, ashflow):
    posts.resources(POSTS + "    rank: int = 0\n")
    piped = ashflow("codegen", "--check")
    assert "\x1b" not in piped.out + piped.err
    assert "\x1b[" in on_a_terminal(posts, "codegen", "--check")[1]
    plain = {"NO_COLOR": "1"}
    for arguments in (["codegen", "--check"], ["codegen"], ["nonsense"], ["codegen", "--nonsense"]):
        _, seen = on_a_terminal(posts, *arguments, env=plain)
        assert "\x1b" not in seen, arguments
    assert "\x1b[" in on_a_terminal(posts, "codegen")[1], "errors have a colour too"
