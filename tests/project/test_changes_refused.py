"""Changes that rows forbid: counted, told without values, and nothing is touched, up and down."""

from __future__ import annotations

import pytest
from declarations import ROWS, posts

from ashflow.errors import RowsForbid

STRICT = ", strict=True"
TEXT_KEY = ("id: str = attribute(primary_key=True)", "title: str")
CASED = ("id: int = integer_primary_key()", "title: str = attribute(collate='nocase')")
TWO_CASES = "INSERT INTO posts (title) VALUES ('a')\nINSERT INTO posts (title) VALUES ('A')"
LOOSE = "INSERT INTO posts (title, n) VALUES ('a', 'secret')"
COMPUTED = "n: str | None = attribute(generated_as='{}', stored=True)".format


def strict(line, value):
    """A table that becomes STRICT, with a row that has a value of another kind."""
    rows = f"INSERT INTO posts (title, n) VALUES ('a', {value})"
    return posts(line), posts(line, head=STRICT), rows


FORBIDDEN = {
    # what comes into a STRICT table
    "1 row of posts would have a value in n that is no INTEGER": strict("n: int = 1", "'secret'"),
    "1 row of posts would have a value in n that is no REAL": strict("n: float = 1", "'secret'"),
    "1 row of posts would have a value in n that is no TEXT": strict("n: str = ''", "x'00'"),
    "1 row of posts would have a value in n that is no BLOB": strict("n: bytes = b''", "'secret'"),
    "1 row of posts would have a value in n that is no INTEGER: a part of one": (
        posts("n: float = 1", head=STRICT),
        posts("n: int = 1", head=STRICT),
        "INSERT INTO posts (title, n) VALUES ('a', 1.5)",
    ),
    # and into a key that counts
    "1 row of posts would have a value in id that is no INTEGER": (
        posts(columns=TEXT_KEY),
        posts(),
        "INSERT INTO posts VALUES ('secret', 'b')",
    ),
    # what is computed
    "2 rows would have NULL in posts.g, which is NOT NULL: new": (
        posts("n: int | None"),
        posts("n: int | None", "g: int = attribute(generated_as='n + 1')"),
        ROWS,
    ),
    "2 rows would have NULL in posts.g, which is NOT NULL: by way of another": (
        posts("n: int | None"),
        posts(
            "n: int | None",
            "f: int | None = attribute(generated_as='n + 1')",
            "g: int = attribute(generated_as='f + 1')",
        ),
        ROWS,
    ),
    "2 rows would have NULL in posts.g, which is NOT NULL: now computed": (
        posts("n: int | None", "g: int = 3"),
        posts("n: int | None", "g: int = attribute(generated_as='n + 1')"),
        ROWS,
    ),
    "1 row of posts would not meet the check posts_c_check: computed otherwise": (
        posts(COMPUTED("upper(title)"), "c = check(\"n <> 'one'\")"),
        posts(COMPUTED("lower(title)"), "c = check(\"n <> 'one'\")"),
        ROWS,
    ),
    "1 row of posts would not meet the check posts_c_check: new and computed": (
        posts(),
        posts(COMPUTED("lower(title)"), "c = check(\"n <> 'one'\")"),
        ROWS,
    ),
    '2 rows of posts would not be unique in ("n"), as the unique index: computed otherwise': (
        posts(COMPUTED("title"), "i = identity('n')"),
        posts(COMPUTED("lower(title)"), "i = identity('n')"),
        TWO_CASES,
    ),
    # what compares otherwise
    '2 rows of posts would not be unique in ("title"), as the unique index: whatever the case': (
        posts("i = identity('title')"),
        posts("i = identity('title')", columns=CASED),
        TWO_CASES,
    ),
    '2 rows of posts would not be unique in ("id"), as the primary key: whatever the case': (
        posts(columns=TEXT_KEY),
        posts(columns=("id: str = attribute(collate='nocase', primary_key=True)", "title: str")),
        "INSERT INTO posts VALUES ('a', 'b')\nINSERT INTO posts VALUES ('A', 'b')",
    ),
    "1 row of posts would not meet the check posts_c_check: whatever the case": (
        posts("c = check(\"title <> 'ONE'\")"),
        posts("c = check(\"title <> 'ONE'\")", columns=CASED),
        ROWS,
    ),
    '2 rows of posts would not be unique in ("n"), as the unique index: as numbers': (
        posts("n: str", "i = identity('n')"),
        posts("n: float", "i = identity('n')"),
        (
            "INSERT INTO posts (title, n) VALUES ('a', '1.0')\n"
            "INSERT INTO posts (title, n) VALUES ('a', '1')"
        ),
    ),
    # what is filled
    "2 rows of posts would not meet the check posts_c_check: filled": (
        posts("n: int | None", "c = check('n <> 4')"),
        posts("n: int = 4", "c = check('n <> 4')"),
        ROWS,
    ),
    '2 rows of posts would not be unique in ("n"), as the unique index: filled': (
        posts("n: int | None", "i = identity('n')"),
        posts("n: int = 1", "i = identity('n')"),
        ROWS,
    ),
    '2 rows of posts would not be unique in ("n"), as the unique index: new': (
        posts(),
        posts("n: int = 1", "i = identity('n')"),
        ROWS,
    ),
    '2 rows of posts would not be unique in ("n"), as the primary key: filled': (
        posts("n: int | None", columns=("title: str",)),
        posts("n: int = 1", "k = primary_key('n')", columns=("title: str",)),
        ROWS,
    ),
    '2 rows of posts would not be unique in ("n"), as the primary key: new': (
        posts(columns=("title: str",)),
        posts("n: str = 'x'", "k = primary_key('n')", columns=("title: str",)),
        ROWS,
    ),
    "2 rows would have NULL in posts.n, which is NOT NULL: a key": (
        posts("n: int | None", columns=("title: str",)),
        posts("n: int", "k = primary_key('n')", columns=("title: str",)),
        ROWS,
    ),
    # what would be another value
    "1 row of posts would have another value in n, as INTEGER keeps it": (
        posts("n: str = '1'"),
        posts("n: int = 1"),
        "INSERT INTO posts (title, n) VALUES ('a', '007')",
    ),
    "1 row of posts would have another value in n, as REAL keeps it": (
        posts("n: int = 1"),
        posts("n: float = 1"),
        f"INSERT INTO posts (title, n) VALUES ('a', {2**53 + 1})",
    ),
}


@pytest.mark.parametrize("told", FORBIDDEN)
def test_rows_that_forbid_a_change_are_counted_and_nothing_is_touched(workshop, told):
    before, after, rows = FORBIDDEN[told]
    workshop.begin(before, rows)
    was = everything(workshop)
    workshop.declare(after)
    workshop.codegen(no_renames=True)
    with pytest.raises(RowsForbid) as caught:
        workshop.migrate()
    assert told.split(": ")[0] in caught.value.message
    assert "secret" not in caught.value.message + caught.value.hint
    assert caught.value.hint
    assert everything(workshop) == was


def everything(workshop):
    """All that the database has, but for the ledger."""
    return (
        workshop.query("SELECT name, rootpage, sql FROM sqlite_master"),
        workshop.query("SELECT * FROM posts"),
    )


WAYS_BACK = {
    "2 rows of posts would not be unique in": (
        posts("i = identity('title')"),
        posts(),
        "INSERT INTO posts (title) VALUES ('a'), ('a')",
    ),
    "1 row of posts would not meet the check": (
        posts("c = check('id > 0')"),
        posts(),
        "INSERT INTO posts (id, title) VALUES (-1, 'a')",
    ),
    "1 row would have NULL in posts.n": (
        posts("n: int"),
        posts("n: int | None"),
        "INSERT INTO posts (title) VALUES ('a')",
    ),
    "1 row would have no value in posts.n": (
        posts("n: int"),
        posts(),
        "INSERT INTO posts (title) VALUES ('a')",
    ),
    "1 row of posts would have a value in title that is no TEXT": (
        posts(head=STRICT),
        posts(),
        "INSERT INTO posts (title) VALUES (x'00')",
    ),
    "1 row of posts would refer to rows of posts that are not there": (
        posts("up = belongs_to('Post', nullable=True)"),
        posts("up_id: int | None"),
        "INSERT INTO posts (title, up_id) VALUES ('a', 77)",
    ),
}


@pytest.mark.parametrize("told", WAYS_BACK)
def test_rows_that_came_since_forbid_the_way_back(workshop, told):
    before, after, rows = WAYS_BACK[told]
    workshop.begin(before)
    workshop.declare(after)
    workshop.codegen(drop_columns=True)
    workshop.migrate()
    workshop.insert(rows)
    was = everything(workshop)
    with pytest.raises(RowsForbid) as caught:
        workshop.rollback()
    assert told in caught.value.message
    assert everything(workshop) == was


def test_a_check_that_only_the_new_column_can_tell_of_is_no_obstacle(workshop):
    """As a text, '10' is less than '9'."""
    rows = "INSERT INTO posts (title, n) VALUES ('a', '10')"
    after = posts(
        "n: int = 10",
        "c = check('n > 9')",
        "d = check('m > n')",
        "m: int = attribute(generated_as='n + 1')",
    )
    change = workshop.goes(posts("n: str = '10'"), after, rows)
    assert change.rows("posts", "n", "m") == [(10, 11)]


def test_a_table_that_says_its_own_name_is_told_of_too(workshop):
    """It is not made beside the old one, but in its place."""
    before = posts("n: int | None", "c = check('posts.n <> 4')")
    workshop.begin(before, ROWS)
    workshop.declare(posts("n: int = 4", "c = check('posts.n <> 4')"))
    workshop.codegen()
    with pytest.raises(RowsForbid, match="2 rows of posts would not meet the check posts_c_check"):
        workshop.migrate()
    assert workshop.rows("posts", "id", "n") == [(1, None), (2, None)]
