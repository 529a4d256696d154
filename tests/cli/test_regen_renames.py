"""Renames and regen: what the replaced migrations renamed is not asked again."""

from __future__ import annotations

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
TAGS = '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n    word: str\n'


@pytest.fixture
def renamed(begin):
    """A tracked column title that an untracked, applied migration renamed to headline."""
    day = begin(POSTS, None, rows="INSERT INTO posts (title) VALUES ('A')")
    day.declare(POSTS.replace("title", "headline"))
    day.run("codegen", "second", "--rename", "posts.title=headline")
    day.run("migrate")
    return day


def test_a_rename_of_the_replaced_migration_is_taken_over(renamed):
    renamed.declare(POSTS.replace("title", "headline") + "    n: int = 1\n")
    renamed.regen("-m")
    assert renamed.query("SELECT id, headline, n FROM posts") == [(1, "A", 1)]
    assert "RenameColumn" in renamed.project.read(renamed.path("again"))
    renamed.whole()


def test_a_rename_that_is_taken_back_is_no_rename(renamed):
    renamed.declare(POSTS)
    renamed.regen("-m")
    assert renamed.query("SELECT title FROM posts") == [("A",)]
    assert renamed.migrations() == ["first"]
    renamed.whole()


@pytest.mark.parametrize("old", ["title", "headline"])
def test_a_second_rename_can_be_told_from_either_name(renamed, old):
    renamed.declare(POSTS.replace("title", "caption"))
    before = renamed.everything()
    error = renamed.regen("-m", code=2)
    assert error["questions"][0]["flag"] == "--rename posts.title=caption"
    assert renamed.everything() == before
    renamed.regen("-m", "--rename", f"posts.{old}=caption")
    assert renamed.query("SELECT caption FROM posts") == [("A",)]
    text = renamed.project.read(renamed.path("again"))
    assert 'RenameColumn("posts", "title", "caption")' in text
    renamed.whole()


def test_a_column_that_only_the_untracked_migration_made_is_asked_about(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.declare(POSTS + "    paint: str | None\n")
    before = day.everything()
    error = day.regen("-m", code=2)
    assert error["code"] == "rename-questions"
    assert error["questions"] == [
        {
            "kind": "column",
            "table": "posts",
            "from": "color",
            "candidates": ["paint"],
            "flag": "--rename posts.color=paint",
        }
    ]
    assert day.everything() == before
    told = day.regen("-m", "--rename", "posts.color=paint")
    assert told["rows_carried"] == 1
    assert day.query("SELECT title, paint FROM posts") == [("A", "red")]
    assert "Rename" not in day.project.read(day.path("again"))
    day.whole()


def test_no_renames_drops_what_only_the_untracked_migration_made(begin):
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.declare(POSTS + "    paint: str | None\n")
    assert "posts.color" in day.regen("-m", "--no-renames", code=1)["message"]
    day.regen("-m", "--no-renames", "--yes")
    assert day.query("SELECT title, paint FROM posts") == [("A", None)]
    day.whole()


def test_a_table_that_only_the_untracked_migration_made_is_renamed(begin):
    day = begin(POSTS, POSTS + TAGS, rows="INSERT INTO tags (word) VALUES ('w')")
    day.declare(POSTS + TAGS.replace('"tags"', '"labels"').replace("word", "label"))
    error = day.regen("-m", code=2)
    assert error["questions"][0]["flag"] == "--rename tags=labels"
    error = day.regen("-m", "--rename", "tags=labels", code=2)
    assert error["questions"][0]["flag"] == "--rename tags.word=label"
    told = day.regen("-m", "--rename", "tags=labels", "--rename", "tags.word=label")
    assert told["rows_carried"] == 1
    assert day.query("SELECT * FROM labels") == [(1, "w")]
    day.whole()


def test_a_tracked_table_that_the_untracked_migration_renamed_is_taken_over(begin):
    day = begin(POSTS + TAGS, None, rows="INSERT INTO tags (word) VALUES ('w')")
    labels = TAGS.replace('"tags"', '"labels"')
    day.declare(POSTS + labels + "    n: int = 0\n")
    day.run("codegen", "second", "--rename", "tags=labels")
    day.run("migrate")
    day.query("UPDATE labels SET n = 7")
    day.declare(POSTS + labels.replace("word", "label") + "    number: int = 0\n")
    error = day.regen("-m", code=2)
    assert [q["flag"] for q in error["questions"]] == ["--rename tags.word=label"]
    flags = ("--rename", "tags.word=label", "--rename", "labels.n=number")
    told = day.regen("-m", *flags)
    assert told["rows_carried"] == 1
    assert day.query("SELECT id, label, number FROM labels") == [(1, "w", 7)]
    day.whole()


def test_a_table_renamed_away_and_back_keeps_its_rows(begin):
    day = begin(POSTS + TAGS, None, rows="INSERT INTO tags (word) VALUES ('w')")
    day.declare(POSTS + TAGS.replace('"tags"', '"labels"'))
    day.run("codegen", "second", "--rename", "tags=labels")
    day.run("migrate")
    day.declare(POSTS + TAGS)
    day.regen()
    assert day.query("SELECT * FROM tags") == [(1, "w")]
    day.whole()


def test_an_answer_may_speak_of_a_column_that_only_a_pending_migration_made(begin):
    day = begin(POSTS, None, rows="INSERT INTO posts (title) VALUES ('A')")
    day.change(COLORED, "second", migrate=False)
    day.declare(POSTS + "    paint: str | None\n")
    day.regen("-m", "--rename", "posts.color=paint")
    assert day.query("SELECT title, paint FROM posts") == [("A", None)]
    day.whole()


@pytest.mark.parametrize(
    "flag",
    ["posts.colour=paint", "pasts.color=paint", "pasts=labels", "posts.color=pant", "posts=pasts"],
)
def test_an_answer_that_fits_nowhere_is_refused(begin, flag):
    day = begin()
    day.declare(POSTS + "    paint: str | None\n")
    before = day.everything()
    error = day.regen("-m", "--rename", flag, code=2)
    assert error["code"] == "usage"
    assert "--rename" in error["message"]
    assert day.everything() == before


def test_two_things_can_not_get_one_name(renamed):
    renamed.declare(POSTS.replace("title", "headline") + "    color: str | None\n")
    renamed.regen("-m")
    renamed.declare(POSTS.replace("title", "caption"))
    before = renamed.everything()
    flags = ("--rename", "posts.headline=caption", "--rename", "posts.title=caption")
    assert renamed.regen("-m", *flags, code=2)["code"] == "usage"
    assert renamed.everything() == before


def test_swapped_columns_keep_their_values(begin):
    both = POSTS + "    color: str | None\n    paint: str | None\n"
    day = begin(POSTS, both)
    day.query("INSERT INTO posts (title, color, paint) VALUES ('A', 'red', 'oil')")
    day.declare(both + "    n: int = 1\n")
    day.regen("-m", "--rename", "posts.color=paint", "--rename", "posts.paint=color")
    assert day.query("SELECT color, paint FROM posts") == [("oil", "red")]
    day.whole()
