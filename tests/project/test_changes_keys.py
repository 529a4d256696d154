"""Primary keys that change in tables with rows: up, down and up again."""

from __future__ import annotations

import sqlite3

import pytest
from declarations import ROWS, posts

from ashflow.errors import RowsForbid

A, B = "a: int = 1", "b: str = 'x'"
KEYS = {
    "comes": ([A, B], [A, B, "key = primary_key('a')"]),
    "goes": ([A, B, "key = primary_key('a')"], [A, B]),
    "moves": ([A, B, "key = primary_key('a')"], [A, B, "key = primary_key('b')"]),
    "grows": ([A, B, "key = primary_key('a')"], [A, B, "key = primary_key('b', 'a')"]),
    "shrinks": ([A, B, "key = primary_key('a', 'b')"], [A, B, "key = primary_key('a')"]),
    "turns": ([A, B, "key = primary_key('a', 'b')"], [A, B, "key = primary_key('b', 'a')"]),
    "counts up": (
        ["a: int = integer_primary_key(autoincrement=False)", B],
        ["a: int = integer_primary_key()", B],
    ),
    "counts up no more": (
        ["a: int = integer_primary_key()", B],
        ["a: int = integer_primary_key(autoincrement=False)", B],
    ),
    "of a text becomes one that counts": (
        ["a: int", "b: str = attribute(default='x', primary_key=True)"],
        ["a: int", "b: str = 'x'", "id: int = integer_primary_key()"],
    ),
    "that counts becomes one of a text": (
        ["a: int = integer_primary_key()", "b: str = 'x'"],
        ["a: int", "b: str = attribute(default='x', primary_key=True)"],
    ),
    "of several becomes one that counts": (
        [A, B, "key = primary_key('a', 'b')"],
        [A, B, "id: int = integer_primary_key()"],
    ),
    "is replaced with its column": (
        ["id: int = integer_primary_key()", A, B],
        ["number: int = integer_primary_key()", A, B],
    ),
    "is new": ([A, B], [A, B, "c: int = attribute(default=0)", "key = primary_key('a', 'c')"]),
}


@pytest.mark.parametrize("way", KEYS)
def test_a_primary_key(workshop, way):
    before, after = (posts(columns=columns) for columns in KEYS[way])
    rows = "INSERT INTO posts (a, b) VALUES (7, 'x')\nINSERT INTO posts (a, b) VALUES (5, 'y')"
    change = workshop.goes(before, after, rows)
    assert change.rows("posts", "a", "b") == [(5, "y"), (7, "x")]


def test_a_key_is_renamed_and_grows(workshop):
    before = posts(columns=("id: str = attribute(primary_key=True)", "title: str"))
    after = posts(columns=("code: str", "title: str", "n: int = 1", "k = primary_key('n', 'code')"))
    change = workshop.goes(before, after, "INSERT INTO posts VALUES ('a', 'x')", "posts.id=code")
    assert change.rows("posts", "code", "title", "n") == [("a", "x", 1)]


def test_a_key_that_others_refer_to_is_renamed_and_gets_another_type(workshop):
    note = "key = foreign_key('p', to=Post, keys=('{}',))".format
    notes = posts("p: str", note("id"), name="Note", table="notes")
    before = posts(columns=("id: str = attribute(primary_key=True)",)) + notes
    after = posts(columns=("code: int = attribute(primary_key=True)",)) + notes.replace(
        "p: str", "p: int"
    ).replace("'id',", "'code',")
    rows = "INSERT INTO posts VALUES ('7')\nINSERT INTO notes (title, p) VALUES ('x', '7')"
    change = workshop.goes(before, after, rows, "posts.id=code")
    assert change.rows("notes", "p") == change.rows("posts", "code") == [(7,)]


def test_a_counter_is_kept(workshop):
    rows = ROWS + "DELETE FROM posts WHERE id = 2"
    workshop.goes(posts("n: int = 1"), posts("n: float = 1.0"), rows)
    workshop.insert("INSERT INTO posts (title) VALUES ('three')")
    assert workshop.rows("posts", "id", "title") == [(1, "one"), (3, "three")]


def test_a_counter_begins_and_ends_with_autoincrement(workshop):
    key = "id: int = integer_primary_key(autoincrement={})".format
    plain, counted = (posts(columns=(key(on), "title: str")) for on in (False, True))
    workshop.goes(plain, counted, ROWS)
    workshop.query("DELETE FROM posts WHERE id = 2")
    workshop.declare(counted + "    n: float = 1.5\n")
    workshop.codegen()
    workshop.migrate()
    workshop.insert("INSERT INTO posts (title) VALUES ('three')")
    assert workshop.rows("posts", "id", "title") == [(1, "one"), (3, "three")]


def test_the_last_of_all_numbers_is_followed_by_none(workshop):
    last = 2**63 - 1
    rows = f"INSERT INTO posts (id, title) VALUES ({last}, 'last')"
    workshop.goes(posts("n: int = 1"), posts("n: float = 1.0"), rows)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        workshop.insert("INSERT INTO posts (title) VALUES ('next')")


def test_a_key_that_rows_do_not_have_is_refused_whole(workshop):
    workshop.begin(posts(columns=[A, B]), "INSERT INTO posts VALUES (1, 'x'), (1, 'y')")
    workshop.declare(posts(columns=[A, B, "key = primary_key('a')"]))
    workshop.codegen()
    before = workshop.query("SELECT sql FROM sqlite_master")
    with pytest.raises(RowsForbid, match="2 rows of posts would not be unique"):
        workshop.migrate()
    assert workshop.query("SELECT sql FROM sqlite_master") == before
