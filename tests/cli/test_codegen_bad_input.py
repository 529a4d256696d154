"""What codegen says of input that it can't use: where, what, what to do; and nothing is written."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import pytest

POSTS = """
from ashflow import Resource, integer_primary_key

class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""


@pytest.fixture
def posts(project, ashflow):
    """A project with one migration, committed."""
    project.resources(POSTS)
    assert ashflow("codegen", "begin").code == 0
    project.git.commit("posts")
    project.resources(POSTS + "    body: str | None\n")
    return project


def snapshot_of(project, table="posts"):
    return next(path for path in reversed(project.files()) if f"/{table}/" in path)


def listing(project):
    paths = (path for path in project.root.rglob("*") if ".git" not in path.parts)
    return sorted(path.as_posix() for path in paths)


def fails(project, *arguments, code=2):
    """The error of a command that has to leave all as it is."""
    before = listing(project)
    result = project.ashflow(*arguments)
    assert result.code == code, result
    assert result.out == ""
    assert "Traceback" not in result.err.partition("error: ")[2]
    told = project.ashflow(*arguments, "--json")
    assert (told.code, told.err) == (code, "")
    error = told.json()["error"]
    assert set(error) - {"traceback"} == {"code", "message", "hint"}
    assert f"error: {error['message']}\n" in result.err
    assert not error["hint"] or f"hint: {error['hint']}\n" in result.err
    assert listing(project) == before
    return error


RESOURCES = [
    ("    size: complex\n", "Post.size", 6, "complex"),
    ("    size: int = attribute(nope=1)\n", "", 6, "nope"),
    ('    by = identity("titel")\n', "Post.by", 6, "title"),
    ('    user = belongs_to("Usr")\n', "Post.user", 6, "Usr"),
    ('    size: int = attribute(source="title")\n', "Post.size", 6, "title"),
    ('    blog = belongs_to("Post", on_delete="explode")\n', "Post.blog", 6, "cascade"),
    ("    size: str = 3\n", "Post.size", 6, "3"),
]


@pytest.mark.parametrize(("line", "member", "number", "said"), RESOURCES)
def test_a_resource_that_is_no_table_is_named_with_its_line(project, line, member, number, said):
    source = POSTS.replace("import ", "import attribute, belongs_to, identity, ", 1)
    project.resources(source + line)
    error = fails(project, "codegen", "add_posts")
    everything = f"{error['message']} {error['hint']} {error.get('traceback', '')}"
    assert member in everything
    assert said in everything
    if member:
        assert error["code"] == "resource"
        assert f"shop/resources.py:{number}" in error["message"]


def test_a_resource_without_a_table_or_columns_is_an_error(project):
    project.resources("from ashflow import Resource\n\nclass Post(Resource):\n    title: str\n")
    error = fails(project, "codegen", "--check")
    assert "Post" in error["message"]
    assert "table=" in f"{error['message']} {error['hint']}"
    project.resources(
        'from ashflow import Resource\n\nclass Post(Resource, table="p"):\n    "no column"\n'
    )
    error = fails(project, "codegen", "--check")
    assert "Post" in error["message"]
    assert "shop/resources.py:3" in error["message"]


def test_an_exception_of_the_users_is_shown_from_the_users_frame(project):
    project.write("shop/rates.py", "def rate():\n    return {}['eur']\n")
    project.resources("from shop.rates import rate\n\nEUR = rate()\n")
    error = fails(project, "codegen", "add_posts")
    assert error["code"] == "resource-import"
    assert "KeyError: 'eur'" in error["message"]
    lines = error["traceback"].splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    frames = [line.split('"')[1] for line in lines if line.startswith('  File "')]
    assert [os.path.relpath(frame, project.root) for frame in frames] == [
        "shop/resources.py",
        "shop/rates.py",
    ]
    result = project.ashflow("codegen", "--check")
    assert result.code == 2
    assert result.err.startswith(error["traceback"].rstrip())


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import sys\nsys.exit(0)\n", "sys.exit(0)"),
        ("raise SystemExit\n", "sys.exit(None)"),
        ("quit('enough')\n", "enough"),
        ("def f(:\n", "SyntaxError"),
        ("import no_such_module_here\n", "no_such_module_here"),
        ("from shop.resources import nothing\n", "nothing"),
        ("raise RuntimeError\n", "RuntimeError"),
        ("raise RuntimeError('zwei\\nlinien')\n", "zwei"),
        ("x = 1 / 0\n", "ZeroDivisionError"),
        ("def f(): f()\nf()\n", "RecursionError"),
    ],
)
def test_resources_that_do_not_import_are_an_error(project, source, said):
    project.resources(source)
    error = fails(project, "codegen", "add_posts")
    assert error["code"] == "resource-import"
    assert "shop.resources" in error["message"]
    assert said in error["message"]


def test_resources_that_are_no_text_are_an_error(project):
    (project.root / "shop/resources.py").write_bytes(b"x = '\xff'\n")
    error = fails(project, "codegen", "add_posts")
    assert error["code"] == "resource-import"


def test_a_domain_that_is_not_there_is_an_error_with_where_to_look(project):
    text = project.read("pyproject.toml")
    project.write("pyproject.toml", text.replace("shop.resources", "shp.resources"))
    error = fails(project, "codegen", "add_posts")
    assert "shp" in error["message"]
    assert "pythonpath" in error["hint"]


def test_what_resources_print_stays_out_of_the_result(project, ashflow):
    project.resources("print('hello')\n" + POSTS)
    result = ashflow("codegen", "add_posts", "--json")
    assert result.json()["stale"] is True
    assert result.err == "hello\n"


def rehashed(data):
    data = {key: value for key, value in data.items() if key != "hash"}
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**data, "hash": hashlib.sha256(text.encode()).hexdigest()}


def as_text(data):
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def changed(**fields):
    return lambda text: as_text(rehashed({**json.loads(text), **fields}))


def lacking(key):
    def spoil(text):
        data = rehashed({k: v for k, v in json.loads(text).items() if k != key})
        return as_text({k: v for k, v in data.items() if k != key})

    return spoil


SPOILT = {
    "empty": lambda text: "",
    "blank": lambda text: " \n",
    "truncated": lambda text: text[: len(text) // 2],
    "no object": lambda text: "[]\n",
    "null": lambda text: "null\n",
    "merge markers": lambda text: f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n",
    "a key twice": lambda text: text.replace('"state"', '"repo": "x",\n  "state"'),
    "edited by hand": lambda text: text.replace('"title"', '"headline"'),
    "without its hash": lacking("hash"),
    "without its columns": lacking("columns"),
    "a newer format": changed(format=2),
    "no format": lacking("format"),
    "a word of a newer version": changed(colour="red"),
    "an unknown state": changed(state="gone"),
    "columns that are none": changed(columns=[{"name": 1}]),
    "columns that are no list": changed(columns=None),
    "parents that are no list": changed(parents=None),
    "ancestors that are no number": changed(ancestors="many"),
    "a version that is none": changed(version="yesterday"),
    "half a surrogate": lambda text: text.replace('"title"', '"\\ud800"'),
    "not a number": lambda text: text.replace('"ancestors": 0', '"ancestors": NaN'),
    "deeper than the stack": lambda text: "[" * 100_000,
    "of another table": changed(table="users"),
}


@pytest.mark.parametrize("way", SPOILT)
def test_a_spoilt_snapshot_is_named_with_what_to_do(posts, way):
    path = snapshot_of(posts)
    text = SPOILT[way](posts.read(path))
    (posts.root / path).write_text(text, encoding="utf-8")
    error = fails(posts, "codegen", "add_body")
    assert error["code"] == "invalid-snapshot"
    assert path in error["message"]
    assert error["hint"]
    assert posts.read(path) == text
    assert posts.ashflow("codegen", "--check").code == 2


def test_a_snapshot_that_is_no_utf8_is_named_with_what_to_do(posts):
    path = snapshot_of(posts)
    (posts.root / path).write_bytes(b'{"format": "\xff"}')
    error = fails(posts, "codegen", "add_body")
    assert path in error["message"]
    assert "UTF-8" in error["message"]
    assert path in error["hint"]


def test_a_snapshot_with_other_line_ends_is_the_same(posts, ashflow):
    path = posts.root / snapshot_of(posts)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert ashflow("codegen", "add_body").code == 0


def test_only_what_has_to_be_read_is_read(posts, ashflow):
    first = snapshot_of(posts)
    assert ashflow("codegen", "add_body").code == 0
    (posts.root / first).write_text("no longer read: the newest counts those below it")
    assert ashflow("codegen", "--check").code == 0


def test_a_snapshot_that_went_missing_is_no_fork(posts, ashflow):
    assert ashflow("codegen", "add_body").code == 0
    posts.resources(POSTS + "    body: str | None\n    rank: int = 0\n")
    assert ashflow("codegen", "add_rank").code == 0
    first, second, third = (path for path in posts.files() if "/posts/" in path)
    (posts.root / second).unlink()
    error = fails(posts, "codegen", "--check")
    assert error["code"] == "invalid-snapshot"
    assert f"snapshot {third} follows one that is not there" in error["message"]
    assert "git" in error["hint"]
    (posts.root / first).unlink()
    assert ashflow("codegen", "--check").code == 0, "the newest is the only leaf"


def test_two_migrations_of_one_version_are_named(posts):
    (first,) = (path for path in posts.files() if path.endswith(".py"))
    other = first.replace("begin", "other")
    posts.write(other, posts.read(first))
    error = fails(posts, "codegen", "add_body")
    assert error["code"] == "duplicate-version"
    assert first in error["message"]
    assert other in error["message"]


def branched(project, left, right):
    """Change posts on two branches, generate on both, and merge; return the new snapshots."""
    git = project.git
    git.commit("ready")
    git("checkout", "--quiet", "-b", "left")
    for source, name, branch in ((left, "left", None), (right, "right", "main")):
        if branch:
            git("checkout", "--quiet", branch)
            git("checkout", "--quiet", "-b", "right")
            (project.root / "priv/repo/migrations/20990101000000_ahead.py").write_text(
                "from ashflow.migration import Migration\n\nmigration = Migration(operations=[])\n"
            )
        project.resources(source)
        assert project.ashflow("codegen", name).code == 0
        git.commit(name)
    git("merge", "--quiet", "--strategy-option", "ours", "left", "--message", "merged")
    return [path for path in project.files() if "/posts/" in path][1:]


def test_a_fork_of_two_branches_is_an_error_that_names_both_files(posts):
    posts.resources(POSTS)
    one, other = branched(
        posts,
        POSTS.replace("title: str", "title: str = 'x'"),
        POSTS.replace("title: str", "title: str | None"),
    )
    for arguments in (["codegen", "more"], ["codegen", "--check"], ["codegen", "--dry-run"]):
        error = fails(posts, *arguments)
        assert error["code"] == "forked-snapshot"
        assert one in error["message"]
        assert other in error["message"]
        assert "posts" in error["message"]
        assert error["hint"]


def test_branches_that_changed_two_tables_are_no_fork(posts, ashflow):
    posts.resources(POSTS)
    tag = '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n'
    branched(posts, POSTS + tag, POSTS + "    body: str | None\n")
    posts.resources(POSTS + "    body: str | None\n" + tag)
    assert ashflow("codegen", "--check").code == 0


def test_a_file_where_a_folder_should_be_stops_all(posts):
    for path in ("priv/repo/migrations", "priv/resource_snapshots/repo"):
        place = posts.root / path
        aside = place.with_name("aside")
        place.rename(aside)
        place.write_text("a file")
        before = listing(posts)
        result = posts.ashflow("codegen", "add_body")
        assert result.code in {1, 2}
        assert f"error: {path} cannot be read" in result.err
        assert "hint: " in result.err
        assert listing(posts) == before
        place.unlink()
        aside.rename(place)


def test_a_file_where_the_folder_of_a_table_should_be_stops_all(posts):
    posts.resources(POSTS + '\nclass Tag(Resource, table="tags"):\n    name: str\n')
    posts.write("priv/resource_snapshots/repo/tags", "a file")
    error = fails(posts, "codegen", "add_tags", code=1)
    assert "priv/resource_snapshots/repo/tags" in error["message"]


def test_a_folder_behind_a_link_is_not_written_to(posts, tmp_path):
    aside = tmp_path / "aside"
    (posts.root / "priv/repo").rename(aside)
    (posts.root / "priv/repo").symlink_to(aside)
    before = sorted(aside.rglob("*"))
    error = fails(posts, "codegen", "add_body", code=1)
    assert "link" in error["message"]
    assert sorted(aside.rglob("*")) == before


def test_a_folder_that_is_not_writable_stops_all(posts):
    folder = posts.root / "priv/resource_snapshots/repo/posts"
    folder.chmod(0o500)
    try:
        error = fails(posts, "codegen", "add_body", code=1)
    finally:
        folder.chmod(0o700)
    assert "priv/resource_snapshots/repo/posts" in error["message"]
    assert "writable" in error["hint"]


def test_a_disk_that_refuses_half_way_leaves_nothing_behind(posts, unmeasured):
    """A file system that takes no more bytes stands for a full disk and a read-only one alike."""
    body = "    body: str | None = '" + "x" * 4000 + "'\n"
    posts.resources(POSTS + body)
    before = listing(posts)
    limited = f"ulimit -f 1; exec {sys.executable} -m ashflow codegen add_body"
    done = subprocess.run(
        ["bash", "-c", limited],
        cwd=posts.root,
        env=unmeasured,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: priv/")
    assert "File too large" in done.stderr
    assert listing(posts) == before


def test_outside_a_project_it_says_init(ashflow, tmp_path):
    for arguments in (["codegen", "x"], ["codegen", "--check"], ["generate-migrations", "x"]):
        result = ashflow(*arguments, cwd=tmp_path)
        assert result.code == 2
        assert "[tool.ashflow]" in result.err
        assert "ashflow init" in result.err
    assert not list(tmp_path.glob("priv"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.ashflow\n", "pyproject.toml"),
        ("[tool]\nashflow = 3\n", "tool.ashflow"),
        ("[tool.ashflow]\ndomain = ['x']\n", "domain"),
        ("[tool.ashflow]\ndomains = 'x'\n", "domains"),
        ("[tool.ashflow]\ndrop_columns = 'yes'\n", "drop_columns"),
        ("[tool.ashflow.repos.'../x']\nurl = 'sqlite:///x'\n", "../x"),
    ],
)
def test_a_configuration_that_can_not_be_used_is_an_error(project, text, said):
    project.write("pyproject.toml", text)
    error = fails(project, "codegen", "--check")
    assert error["code"] == "configuration"
    assert said in error["message"]
    assert str(project.root / "pyproject.toml") in error["message"]
