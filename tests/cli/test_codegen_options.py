"""What codegen offers and says: fills, names, snapshots only, and the listing of what it found."""

from __future__ import annotations

import json
import re

import pytest

HEAD = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
MORE = HEAD + "    rank: int\n"
TWO = '\nclass Tag(Resource, table="tags"):\n    word: str\n'


@pytest.fixture
def day(begin):
    """A tracked table with a row."""
    return begin(HEAD, None, rows="INSERT INTO posts (title) VALUES ('one')")


# ------------------------------------------------------------------ --fill
def test_a_column_that_rows_have_no_value_for_is_warned_of_and_filled(day):
    day.declare(MORE)
    warned = day.run("codegen", "--dry-run").err
    assert "posts.rank is new, NOT NULL and has no default" in warned
    assert "--fill posts.rank=SQL" in warned
    result = day.run("codegen", "add_rank", "--fill", "posts.rank=length(title)")
    assert result.err == ""
    assert "~ fill rank with length(title)" in result.out
    assert 'Fill("posts", "rank", "length(title)")' in day.project.read(day.path("add_rank"))
    day.run("migrate")
    assert day.query("SELECT title, rank FROM posts") == [("one", 3)]
    day.whole()
    day.run("rollback")
    day.run("migrate")


def test_regen_fills_too(day):
    day.declare(MORE.replace("rank: int", "rank: int = 7"))
    day.run("codegen", "add_rank")
    day.declare(MORE)
    day.run("regen", "again", "-m", "--fill", "posts.rank=5")
    assert day.query("SELECT title, rank FROM posts") == [("one", 5)]
    day.whole()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["posts.rank"], "say TABLE.COLUMN=SQL"),
        (["=0"], "say TABLE.COLUMN=SQL"),
        (["rank=0"], "say TABLE.COLUMN=SQL"),
        (["posts.rank="], "say TABLE.COLUMN=SQL"),
        (["posts.rank= "], "say TABLE.COLUMN=SQL"),
        (["notes.rank=0"], "this change neither adds notes.rank"),
        (["posts.title=0"], "this change neither adds posts.title"),
        (["posts.nope=0"], "this change neither adds posts.nope"),
        (["posts.rank=0", "posts.rank=1"], "another --fill is about posts.rank too"),
        (["posts.rank=0; DROP TABLE posts"], "is no expression"),
        (["posts.rank=(0"], "is no expression"),
        (["posts.rank=0)"], "is no expression"),
        (["posts.rank='it"], "is no expression"),
    ],
)
def test_a_fill_that_does_not_fit_is_refused_before_anything_is_written(day, flags, said):
    day.declare(MORE)
    before = day.everything()
    words = [word for flag in flags for word in ("--fill", flag)]
    assert said in day.run("codegen", "add_rank", *words, code=2).err
    assert day.everything() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fill", "posts.n=0"], "posts.n is new, and has a default"),
        (["--fill", "posts.loud='x'"], "posts.loud is computed"),
        (["--fill", "tags.word='x'"], "table tags is new, and has no rows"),
        (["--fill", "posts.rank=0", "--snapshots-only"], "--snapshots-only and --fill do not go"),
    ],
)
def test_a_fill_that_nothing_needs_is_refused_with_why(day, words, said):
    loud = "    loud: str = attribute(generated_as='upper(title)')\n"
    day.declare(MORE + "    n: int = 1\n" + loud + TWO)
    name = [] if "--snapshots-only" in words else ["add"]
    assert said in day.run("codegen", *name, *words, code=2).err
    assert day.migrations() == ["first"]


# ------------------------------------------------------------------ names
def test_a_name_is_made_of_what_is_done(day):
    day.declare(MORE + TWO)
    told = day.run("codegen", "--auto-name", "--fill", "posts.rank=0", "--json").json()
    assert told["repos"][0]["migration"]["name"] == "create_tags_and_add_rank_to_posts"
    day.declare(HEAD + TWO)
    day.run("codegen", "--auto-name")
    assert day.migrations()[-1] == "change_rank_in_posts"
    assert "nothing to do" in day.run("codegen", "--auto-name").out


def test_a_name_is_said_once(day):
    before = day.everything()
    for words in (
        ["a", "--auto-name"],
        ["--snapshots-only", "--auto-name"],
        ["a", "--snapshots-only"],
    ):
        assert "two names" in day.run("codegen", *words, code=2).err
    for flag, *value in (["--auto-name"], ["--check"], ["--fill", "posts.n=0"]):
        name = [] if flag == "--auto-name" else ["a"]
        error = day.run("codegen", "--empty", *name, flag, *value, code=2).err
        assert f"--empty and {flag} do not go together" in error
    assert day.everything() == before


@pytest.mark.parametrize("name", ["", "é", "a/b", "..", "a.py", "x" * 101, "___"])
def test_a_bad_name_is_refused_before_the_resources_are_imported(day, name):
    day.project.resources("raise RuntimeError('imported')")
    assert "is no name for a migration" in day.run("codegen", name, code=2).err


def test_a_name_is_cleaned_and_refused_where_it_stands_before_the_resources_are_imported(day):
    day.project.resources("raise RuntimeError('imported')")
    error = day.run("codegen", " First ", "--json", code=2).json()["error"]
    assert "a migration is called first already" in error["message"]
    day.declare(HEAD + TWO)
    day.run("codegen", "Add-Tags now")
    assert day.migrations() == ["first", "add_tags_now"]


# ------------------------------------------------------------------ --snapshots-only
def test_snapshots_alone_catch_up_with_what_was_done_by_hand(day):
    day.declare(MORE.replace("rank: int", "rank: int = 1"))
    day.run("codegen", "--empty", "add_rank")
    day.edit(
        day.path("add_rank"),
        '        # write operations here, such as Execute(up="…", down="…").\n',
        '        AddColumn("posts", Column("rank", "integer", default=1)),\n',
    )
    day.edit(day.path("add_rank"), "import Migration", "import AddColumn, Column, Migration")
    day.run("migrate")
    files = day.project.files()
    result = day.run("codegen", "--snapshots-only", "--json")
    assert result.err == "", "no migration is written that rows could stop"
    told = result.json()["repos"][0]
    assert told["migration"] is None
    (path,) = told["snapshots"]
    assert [*set(day.project.files()) - set(files)] == [path]
    snapshot = json.loads(day.project.read(path))
    assert snapshot["migration"] is None
    assert [op["op"] for op in snapshot["operations"]] == ["AddColumn"]
    day.whole()
    error = day.regen("--discard-edits", code=2)
    assert f"{path} was written by codegen --snapshots-only and may say what" in error["message"]
    day.project.git("add", day.path("add_rank"))
    day.project.git("commit", "--quiet", "--message", "by hand")
    day.change(MORE.replace("rank: int", "rank: int = 1") + "    n: int = 2\n", "more")
    day.declare(MORE.replace("rank: int", "rank: int = 1") + "    n: int = 3\n")
    day.regen("-m")
    day.whole()
    assert path in day.project.files(), "what git does not track and no migration has is kept"


# ------------------------------------------------------------------ the listing
def test_each_operation_names_the_line_that_asks_for_it(day):
    day.declare(
        HEAD.replace("title: str", "title: str = 'x'")
        + "    rank: int = 0\n    by_rank = index('rank')\n"
    )
    out = day.run("codegen", "--dry-run").out
    listing = [re.split(r" {2,}", line.strip()) for line in out.split("\n\n")[0].splitlines()]
    lines = day.project.read("shop/resources.py").splitlines()
    told = {text: lines[int(place.rpartition(":")[2]) - 1].strip() for text, place in listing}
    assert told == {
        "posts": 'class Post(Resource, table="posts"):',
        "~ alter column title: default 'x'": "title: str = 'x'",
        "+ add column rank integer default 0": "rank: int = 0",
        "+ add index posts_by_rank_index on rank": "by_rank = index('rank')",
    }


def test_what_goes_and_what_is_kept_is_marked(day):
    day.change(HEAD + "    body: str | None\n    n: int = 1\n" + TWO, "more", migrate=False)
    day.declare(HEAD + "    n: int = 1\n" + TWO)
    assert "  # kept: posts.body." in day.run("codegen", "keep_body").out
    day.declare(HEAD)
    out = day.run("codegen", "--dry-run", "--drop-columns", "--drop-tables").out
    assert "  ! drop column n" in out
    assert "  ! drop column body" in out
    assert "  ! drop table" in out


def test_quiet_prints_nothing(day):
    day.declare(MORE)
    result = day.run("codegen", "add_rank", "--quiet")
    assert (result.out, result.err) == ("", "")


def test_on_a_terminal_the_listing_is_a_tree(day, on_a_terminal):
    by_rank = "    by_rank = index('rank', where='rank > 1000 AND rank < 9999')\n"
    day.declare(HEAD.replace("    title: str\n", "") + "    rank: int = 0\n" + by_rank)
    code, seen = on_a_terminal(day.project, "codegen", "--dry-run", "--no-renames")
    assert code == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", seen)
    assert "├─+ add column rank integer default 0" in text
    told = [line for line in text.splitlines() if re.search(r"resources\.py:\d+$", line)]
    fitting = [line for line in told if "by_rank" not in line]
    assert max(map(len, fitting)) == 80, "what is too long itself moves nothing else"
    assert len({line.index("shop/") for line in fitting}) == 1
    assert "└─# kept: posts.title" in text
    assert "\x1b[32m+" in seen


def test_regen_keeps_the_fills_of_what_it_replaces(day, tmp_path):
    """They did their work on this machine; on another one the rows still need it."""
    (tmp_path / "theirs.sqlite3").write_bytes((day.root / "priv/repo/dev.sqlite3").read_bytes())
    day.declare(MORE)
    day.run("codegen", "add_rank", "--fill", "posts.rank=7")
    day.run("migrate")
    day.declare(MORE + "    o: int | None\n")
    day.run("regen", "again", "-m")
    assert 'Fill("posts", "rank", "7")' in day.project.read(day.path("again"))
    day.run("migrate", env={"ASHFLOW_REPO_URL": f"sqlite:///{tmp_path / 'theirs.sqlite3'}"})
    day.run("rollback")
    day.run("migrate")
    assert day.query("SELECT title, rank FROM posts") == [("one", 7)]
    day.whole()


def test_regen_fills_a_column_of_a_table_that_only_it_knows_and_that_has_rows(day):
    day.change(HEAD + TWO, "tags")
    day.query("INSERT INTO tags (word) VALUES ('a')")
    day.declare(HEAD + TWO + "    n: int\n")
    refused = day.run("regen", "again", "-m", code=1).err
    assert "--fill tags.n=SQL" in refused
    day.run("regen", "again", "-m", "--fill", "tags.n=5")
    assert day.query("SELECT word, n FROM tags") == [("a", 5)]
    day.whole()


def test_a_new_integer_key_numbers_the_rows_and_is_not_warned_of(begin):
    bare = 'class Post(Resource, table="posts"):\n    title: str\n'
    day = begin(bare, None, rows="INSERT INTO posts (title) VALUES ('one')")
    day.declare(HEAD)
    assert day.run("codegen", "add_id").err == ""
    day.run("migrate")
    assert day.query("SELECT id, title FROM posts") == [(1, "one")]
