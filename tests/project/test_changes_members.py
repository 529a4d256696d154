"""Identities, indexes, checks and options that change, with rows: up, down and up again."""

from __future__ import annotations

import sqlite3

import pytest
from declarations import CLUBS, ROWS, TEAMS, TITLES, posts

# ------------------------------------------------------------------ identities, indexes, checks
MEMBERS = {
    "identity": ("unique = identity('title')", "unique = identity('title', 'id')"),
    "partial identity": (
        "unique = identity('title', where='id > 0')",
        "unique = identity('title', where='id > 1')",
    ),
    "index": ("by = index('title')", "by = index('title', unique=True)"),
    "index on an expression": (
        "by = index(sql('lower(title)'))",
        "by = index(sql('upper(title)'))",
    ),
    "index that runs down": ("by = index('title')", "by = index(desc('title'))"),
    "partial index": ("by = index('title')", "by = index('title', where=\"title <> ''\")"),
    "index of another name only": (
        "by = index('title', name='a')",
        "by = index('title', name='b')",
    ),
    "check": ("short = check('length(title) < 9')", "short = check('length(title) < 10')"),
    "identity that becomes an index": ("u = identity('title')", "u = index('title')"),
    "index that mixes all": (
        "by = index(desc('title'), sql('id % 2'))",
        "by = index('title', desc(sql('id % 3')), where='id > 0')",
    ),
    "name in another case": ("by = index('title', name='A')", "by = index('title', name='a')"),
    "check of another case": ("a = check('id > 0', name='A')", "a = check('id > 0', name='a')"),
    "name with a quote": (
        "a = check('id > 0', name='it\"s')",
        "a = check('id > -1', name='it\"s')",
    ),
    "check of another name only": ("a = check('id > 0')", "b = check('id > 0')"),
}


@pytest.mark.parametrize("kind", MEMBERS)
@pytest.mark.parametrize("way", ["comes", "goes", "changes"])
def test_a_member(workshop, kind, way):
    one, other = MEMBERS[kind]
    lines = {"comes": ([], [one]), "goes": ([one], []), "changes": ([one], [other])}[way]
    change = workshop.goes(*(posts(*each) for each in lines), ROWS)
    assert change.rows("posts", "id", "title") == TITLES


def test_a_base_filter_is_a_part_of_identities_and_of_nothing_else(workshop):
    lines = (
        "gone: bool = False",
        "unique_title = identity('title')",
        "unique_id = identity('id', where='id > 0')",
        "by = index('title')",
    )
    filtered = posts(*lines, head=", base_filter='gone = 0'")
    change = workshop.goes(posts(*lines), filtered, ROWS)
    changed = {op.name for op in change.operations}
    assert changed == {"posts_unique_title_index", "posts_unique_id_index"}
    indexes = {index.name: index.where for index in change.workshop.schema()["posts"].indexes}
    assert indexes["posts_by_index"] is None
    assert indexes["posts_unique_title_index"] == "gone = 0"
    assert "gone = 0" in indexes["posts_unique_id_index"]
    assert "id > 0" in indexes["posts_unique_id_index"]


NAMES = {
    "in one table": (
        posts("a = index('title', name='x')", "b = index('id', 'title', name='y')"),
        posts("a = index('title', name='y')", "b = index('id', 'title', name='x')"),
    ),
    "from one table to another": (
        TEAMS + "    by = index('n', name='x')\n" + posts(),
        TEAMS + posts("by = index('title', name='x')"),
    ),
    "from a table that goes": (
        TEAMS + "    by = index('n', name='x')\n" + posts(),
        posts("by = index('title', name='x')"),
    ),
    "from a table that goes to one that comes": (
        posts() + TEAMS + "    by = identity('n', name='x')\n",
        posts() + CLUBS + "    by = identity('n', name='x')\n",
    ),
}


@pytest.mark.parametrize("way", NAMES)
def test_the_name_of_an_index_moves(workshop, way):
    before, after = NAMES[way]
    change = workshop.goes(before, after, ROWS, drop_tables=True)
    assert change.rows("posts", "id", "title") == TITLES


@pytest.mark.parametrize("way", ["goes", "changes"])
def test_a_base_filter(workshop, way):
    lines = ("gone: int = 0", "u = identity('title', where='id > 0 OR id = 0')", "by = index('id')")
    before = posts(*lines, head=", base_filter='gone = 0 OR gone IS NULL'")
    after = posts(*lines, head=", base_filter='gone <> 1'" if way == "changes" else "")
    change = workshop.goes(before, after, ROWS)
    assert change.did == ["DropIndex", "AddIndex"]
    workshop.query("UPDATE posts SET gone = 1")
    again = "INSERT INTO posts (title, gone) VALUES ('one', 1)"
    if way == "changes":
        workshop.query(again)
    else:
        with pytest.raises(sqlite3.IntegrityError):
            workshop.query(again)


def test_a_check_and_an_identity_over_columns_that_come_with_them(workshop):
    lines = (
        "n: int = 4",
        "twice: int = attribute(generated_as='n * 2')",
        "more: int = attribute(generated_as='twice + id', stored=True)",
        "sum = check('more > n')",
        "u = identity('more', where='twice > 0')",
    )
    change = workshop.goes(posts(), posts(*lines), ROWS)
    assert change.rows("posts", "id", "n", "twice", "more") == [(1, 4, 8, 9), (2, 4, 8, 10)]


# ------------------------------------------------------------------ options and statements
@pytest.mark.parametrize("option", ["strict", "without_rowid", "strict=True, without_rowid"])
@pytest.mark.parametrize("way", ["on", "off"])
def test_an_option_is_turned(workshop, option, way):
    columns = ["id: int = attribute(primary_key=True)", "title: str", "price: Decimal = 1"]
    off, on = posts(columns=columns), posts(columns=columns, head=f", {option}=True")
    rows = "INSERT INTO posts (id, title) VALUES (1, 'one')\nINSERT INTO posts VALUES (2, 'two', 3)"
    change = workshop.goes(*((off, on) if way == "on" else (on, off)), rows)
    assert change.rows("posts", "id", "title") == TITLES


def test_a_key_without_row_ids_grows(workshop):
    key = ("id: str = attribute(primary_key=True)", "title: str")
    grown = ("id: str", "title: str", "n: int = 1", "key = primary_key('n', 'id')")
    before, after = (posts(columns=c, head=", without_rowid=True") for c in (key, grown))
    change = workshop.goes(before, after, "INSERT INTO posts VALUES ('a', 'x')")
    assert change.rows("posts", "id", "title", "n") == [("a", "x", 1)]


OPTIONS = {
    "counts up": (", without_rowid=True", "attribute(primary_key=True)", "integer_primary_key()"),
    "is strict": (", strict=True", "integer_primary_key()", "attribute(primary_key=True)"),
}


@pytest.mark.parametrize("way", OPTIONS)
def test_an_option_and_the_key_change_in_one(workshop, way):
    option, off, on = OPTIONS[way]
    before = posts(columns=(f"id: int = {off}", "title: str"), head=option)
    after = posts(columns=(f"id: int = {on}", "title: str"))
    rows = "INSERT INTO posts (id, title) VALUES (1, 'one')\nINSERT INTO posts VALUES (2, 'two')"
    change = workshop.goes(before, after, rows)
    assert change.rows("posts", "id", "title") == TITLES
