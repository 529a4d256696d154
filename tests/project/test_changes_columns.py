"""Columns that change in a table with rows: up, down and up again."""

from __future__ import annotations

import pytest

from ashflow.errors import RowsForbid
from ashflow.migration import Fill
from ashflow.run.events import Ended

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
ROWS = """
    INSERT INTO posts (title) VALUES ('one')
    INSERT INTO posts (title) VALUES ('two')
"""
TITLES = [(1, "one"), (2, "two")]


def posts(*lines):
    return POSTS + "".join(f"    {line}\n" for line in lines)


ADDED = {
    "that may be NULL": ("body: str | None", None),
    "with a constant": ("body: str = 'none'", "none"),
    "with a number": ("body: int = -3", -3),
    "with a boolean": ("body: bool = True", 1),
    "with an expression": ("body: str = attribute(default=sql(\"lower('ABC')\"))", "abc"),
    "that is computed": ("body: str = attribute(generated_as='upper(title)')", ...),
    "that is computed and stored": (
        "body: str = attribute(generated_as='upper(title)', stored=True)",
        ...,
    ),
    "with a collation": ("body: str | None = attribute(collate='nocase')", None),
    "that is JSON": ("body: dict = attribute(default=dict)", "{}"),
    "of its own type": ("body: str | None = attribute(type='raw:VARCHAR(9)')", None),
    "that is checked": ("body: Literal['a', 'b'] = 'b'", "b"),
}


@pytest.mark.parametrize("kind", ADDED)
def test_a_column_comes(workshop, kind):
    line, value = ADDED[kind]
    change = workshop.goes(POSTS, posts(line), ROWS)
    assert change.did[0] == "AddColumn"
    values = ["ONE", "TWO"] if value is ... else [value, value]
    assert change.rows("posts", "id", "title", "body") == [
        (*row, value) for row, value in zip(TITLES, values, strict=True)
    ]


def test_a_moment_is_that_of_the_migration(workshop):
    change = workshop.goes(POSTS, posts("at: datetime = create_timestamp()"), ROWS)
    (first,), (second,) = change.rows("posts", "at")
    assert first == second
    assert first.endswith("Z")


@pytest.mark.parametrize("kind", ADDED)
def test_a_column_goes(workshop, kind):
    change = workshop.goes(posts(ADDED[kind][0]), POSTS, ROWS)
    assert change.did[-1] == "DropColumn"
    assert change.rows("posts", "id", "title") == TITLES


CHANGED = {
    "type": ("n: int = 1", "n: float = 1.0", 1.0),
    "type, of a text that is a number": ("n: str = '7'", "n: int = 7", 7),
    "size": (
        "n: str = attribute(default='x', max_length=5)",
        "n: str = attribute(default='x')",
        "x",
    ),
    "precision": (
        "n: Decimal = attribute(default=2, precision=5, scale=1)",
        "n: Decimal = attribute(default=2, precision=9, scale=3)",
        2,
    ),
    "nullability": ("n: int = 4", "n: int | None = 4", 4),
    "default": ("n: int = 4", "n: int = 5", 4),
    "default that comes": ("n: int | None", "n: int | None = 5", None),
    "default that goes": ("n: int = 4", "n: int", 4),
    "default that is an expression": (
        "n: int = attribute(default=sql('1 + 1'))",
        "n: int = attribute(default=sql('2 + 2'))",
        2,
    ),
    "collation": ("n: str = 'x'", "n: str = attribute(default='x', collate='nocase')", "x"),
    "expression": (
        "n: str = attribute(generated_as='upper(title)')",
        "n: str = attribute(generated_as='lower(title)')",
        ...,
    ),
    "place, from virtual to stored": (
        "n: str = attribute(generated_as='lower(title)')",
        "n: str = attribute(generated_as='lower(title)', stored=True)",
        ...,
    ),
    "kind, from written to computed": (
        "n: str = 'x'",
        "n: str = attribute(generated_as='lower(title)')",
        ...,
    ),
    "comment": ("n: int = 4", "n: int = attribute(default=4, comment='a number')", 4),
    "several": ("n: int = 4", "n: str | None = attribute(default='5', collate='nocase')", "4"),
    "check": ("n: Literal['a', 'b'] = 'b'", "n: Literal['a', 'b', 'c'] = 'c'", "b"),
}


@pytest.mark.parametrize("kind", CHANGED)
def test_a_column_gets_another(workshop, kind):
    before, after, value = CHANGED[kind]
    change = workshop.goes(posts(before), posts(after), ROWS)
    assert set(change.did) <= {"AlterColumn", "DropCheck", "AddCheck"}
    values = ["one", "two"] if value is ... else [value, value]
    assert change.rows("posts", "id", "title", "n") == [
        (*row, value) for row, value in zip(TITLES, values, strict=True)
    ]


def test_a_computed_column_becomes_one_that_is_written_and_keeps_its_values(workshop):
    change = workshop.goes(
        posts("n: str = attribute(generated_as='upper(title)', stored=True)"), posts("n: str"), ROWS
    )
    assert change.rows("posts", "id", "n") == [(1, "ONE"), (2, "TWO")]


def test_a_rename_and_every_other_change_of_a_column_in_one(workshop):
    change = workshop.goes(
        posts("n: int | None = 4", "index_n = index('n')"),
        posts(
            "m: float = attribute(default=9.0, comment='renamed')",
            "index_n = index('m')",
        ),
        ROWS,
        "posts.n=m",
    )
    assert change.did == ["RenameColumn", "AlterColumn"]
    assert change.rows("posts", "id", "m") == [(1, 4.0), (2, 4.0)]


def test_nulls_get_the_default_and_are_counted(workshop):
    rows = ROWS + "UPDATE posts SET n = NULL WHERE id = 2"
    change = workshop.goes(posts("n: int | None = 4"), posts("n: int = 5"), rows)
    assert change.rows("posts", "id", "n") == [(1, 4), (2, 5)]
    notes = [event.done.notes for event in workshop.told if isinstance(event, Ended)]
    assert ("1 row with NULL in posts.n got its default",) in notes


def test_nulls_that_nothing_fills_stop_the_migration_before_it_begins(workshop):
    workshop.begin(posts("n: int | None"), ROWS)
    workshop.declare(posts("n: int"))
    workshop.codegen()
    before = workshop.query("SELECT sql FROM sqlite_master")
    with pytest.raises(RowsForbid, match=r"2 rows would have NULL in posts\.n") as caught:
        workshop.migrate()
    assert "--fill posts.n=" in caught.value.hint
    assert workshop.query("SELECT sql FROM sqlite_master") == before


def test_nulls_get_what_the_user_says(workshop):
    change = workshop.goes(
        posts("n: int | None"), posts("n: int"), ROWS, fills=("posts.n=id * 10",)
    )
    assert change.did == ["Fill", "AlterColumn"]
    assert change.rows("posts", "id", "n") == [(1, 10), (2, 20)]


def test_a_new_column_without_a_default_stops_where_there_are_rows_and_only_there(workshop):
    workshop.begin(POSTS, ROWS)
    workshop.declare(posts("n: int"))
    workshop.codegen()
    with pytest.raises(RowsForbid, match=r"2 rows would have no value in posts\.n") as caught:
        workshop.migrate()
    assert "--fill posts.n=" in caught.value.hint
    workshop.query("DELETE FROM posts")
    workshop.migrate()
    workshop.check()


def test_a_new_column_without_a_default_gets_what_the_user_says(workshop):
    change = workshop.goes(POSTS, posts("n: int"), ROWS, fills=("posts.n=length(title) + id",))
    assert change.did == ["AddColumn", "Fill"]
    assert change.rows("posts", "id", "n") == [(1, 4), (2, 5)]


FILL_HEAD = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
FILLED = {
    "posts.a=length(title)": "posts.b=a * 10",
    "posts.b=length(title)": "posts.a=b * 10",
}


@pytest.mark.parametrize("first", FILLED)
def test_a_fill_may_read_what_another_one_fills(workshop, first):
    """In the order in which the columns are declared."""
    names = ["a", "b"] if first.startswith("posts.a") else ["b", "a"]
    lines = "".join(f"    {name}: int\n" for name in names)
    workshop.begin(FILL_HEAD, "INSERT INTO posts (title) VALUES ('four')")
    start = workshop.schema()
    workshop.declare(FILL_HEAD + lines)
    workshop.codegen(fills=(FILLED[first], first))
    workshop.migrate()
    assert workshop.rows("posts", "title", *names) == [("four", 4, 40)]
    assert workshop.schema() == workshop.fresh(FILL_HEAD + lines).schema()
    workshop.rollback()
    assert workshop.schema() == start
    workshop.migrate()
    workshop.check()


def test_a_fill_goes_to_the_repo_that_has_the_table(workshop):
    workshop.more = '\n[tool.ashflow.repos.other]\nurl = "sqlite:///priv/other/dev.sqlite3"\n'
    teams = FILL_HEAD.replace("Post", "Team").replace('"posts"', '"teams", repo="other"')
    workshop.begin(FILL_HEAD + teams)
    workshop.query("INSERT INTO teams (title) VALUES ('one')", path="priv/other/dev.sqlite3")
    workshop.declare(FILL_HEAD + "    n: int = 1\n" + teams + "    rank: int\n")
    first, second = workshop.codegen(fills=("teams.rank=7",))
    assert [op for op in first.change.operations if isinstance(op, Fill)] == []
    assert second.change.operations[-1] == Fill("teams", "rank", "7")
    workshop.migrate()
    found = workshop.query("SELECT title, rank FROM teams", path="priv/other/dev.sqlite3")
    assert found == [("one", 7)]


def test_a_fill_may_read_what_becomes_not_null_in_a_table_that_is_renamed(workshop):
    workshop.begin(FILL_HEAD + "    n: int | None\n", "INSERT INTO posts (title) VALUES ('one')")
    articles = FILL_HEAD.replace('"posts"', '"articles"') + "    m: int\n    k: int\n"
    workshop.declare(articles)
    renames = ("posts=articles", "posts.n=m")
    workshop.codegen(*renames, fills=("articles.m=5", "articles.k=m + 1"))
    workshop.migrate()
    assert workshop.rows("articles", "title", "m", "k") == [("one", 5, 6)]
    workshop.check()
    workshop.rollback()
    workshop.migrate()


def test_attributes_in_another_order_are_no_change(workshop):
    workshop.begin(posts("a: int = 1", "b: int = 2"), ROWS)
    workshop.declare(posts("b: int = 2", "a: int = 1"))
    assert workshop.codegen() == []
    workshop.check()


ODD = ["order", "two words", 'a "quote"', "größe", "a.b", "x=y", "[x]", "`x`", "it's"]


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_comes_changes_and_goes(workshop, name):
    column = f"odd: {{}} = attribute(source={name!r}{{}})".format
    none, text, number = POSTS, posts(column("str | None", "")), posts(column("int", ", default=1"))
    workshop.goes(none, text, ROWS)
    assert workshop.rows("posts", "id", name) == [(1, None), (2, None)]
    workshop.declare(number)
    workshop.codegen(no_renames=True)
    workshop.migrate()
    assert workshop.rows("posts", "id", name) == [(1, 1), (2, 1)]
    workshop.declare(none)
    workshop.codegen(no_renames=True, drop_columns=True)
    workshop.migrate()
    workshop.check()
    assert workshop.rows("posts", "id", "title") == TITLES


def test_every_value_survives_a_table_that_is_made_anew(workshop):
    values = "(1, 9223372036854775807), (2, -9223372036854775808), (3, 1e308), (4, x'00ff00')"
    rows = f"INSERT INTO posts (id, n, title) SELECT column1, column2, 't' FROM (VALUES {values})"
    before = posts("n: str | None = attribute(type='raw:BLOB')", "m: int = 1")
    after = posts("n: str | None = attribute(type='raw:BLOB')", "m: float | None")
    change = workshop.goes(before, after, rows)
    assert change.workshop.query("SELECT typeof(n), hex(n) FROM posts ORDER BY id") == [
        ("integer", "39323233333732303336383534373735383037"),
        ("integer", "2D39323233333732303336383534373735383038"),
        ("real", "312E30652B333038"),
        ("blob", "00FF00"),
    ]
