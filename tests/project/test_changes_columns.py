"""Columns that change in a table with rows: up, down and up again."""

from __future__ import annotations

import pytest
from declarations import ROWS, TITLES, posts

POSTS = posts()


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
    "with the least number": (f"body: int = {-(2**63)}", -(2**63)),
    "with bytes": ("body: bytes = b'\\x00\\xff'", b"\x00\xff"),
    "with a text that is hard to write": (
        "body: str = 'it\\'s \\n \"q\" {x} %s ü'",
        'it\'s \n "q" {x} %s ü',
    ),
    "with a text that looks like a word": ("body: str = 'NULL'", "NULL"),
    "with a day": ("body: date = date(2026, 1, 2)", "2026-01-02"),
    "with a moment": ("body: datetime = datetime(2026, 1, 2)", "2026-01-02T00:00:00.000Z"),
    "with a decimal": ("body: Decimal = Decimal('0.50')", 0.5),
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
    "type, to bytes": ("n: int = 4", "n: bytes = b'x'", 4),
    "type, of its own": (
        "n: str = 'x'",
        "n: str = attribute(type='raw:CHAR(3)', default='x')",
        "x",
    ),
    "nullability that goes": ("n: int | None = 4", "n: int = 4", 4),
    "default that is a word": ("n: str = 'NULL'", "n: str = 'CURRENT_TIME'", "NULL"),
    "collation that goes": (
        "n: str = attribute(default='x', collate='nocase')",
        "n: str = attribute(default='x', collate='rtrim')",
        "x",
    ),
    "place, from stored to virtual": (
        "n: str = attribute(generated_as='lower(title)', stored=True)",
        "n: str = attribute(generated_as='lower(title)')",
        ...,
    ),
    "type, of a computed one": (
        "n: int = attribute(generated_as='1')",
        "n: str = attribute(generated_as='1')",
        "1",
    ),
    "kind, and reads what is new": (
        "n: str | None = 'x'",
        "n: str = attribute(generated_as='lower(m) || title')\n    m: str = ''",
        ...,
    ),
    "several": ("n: int = 4", "n: str | None = attribute(default='5', collate='nocase')", "4"),
    "check": ("n: Literal['a', 'b'] = 'b'", "n: Literal['a', 'b', 'c'] = 'c'", "b"),
}


@pytest.mark.parametrize("kind", CHANGED)
def test_a_column_gets_another(workshop, kind):
    before, after, value = CHANGED[kind]
    change = workshop.goes(posts(before), posts(after), ROWS)
    assert set(change.did) <= {"AlterColumn", "DropCheck", "AddCheck", "AddColumn"}
    values = ["one", "two"] if value is ... else [value, value]
    assert change.rows("posts", "id", "title", "n") == [
        (*row, value) for row, value in zip(TITLES, values, strict=True)
    ]


def test_a_computed_column_becomes_one_that_is_written_and_keeps_its_values(workshop):
    change = workshop.goes(
        posts("n: str = attribute(generated_as='upper(title)', stored=True)"), posts("n: str"), ROWS
    )
    assert change.rows("posts", "id", "n") == [(1, "ONE"), (2, "TWO")]


UNSEEN = {
    "size": ("n: str = attribute(default='x', max_length=5)", "n: str = 'x'"),
    "precision": (
        "n: Decimal = attribute(default=2, precision=5, scale=1)",
        "n: Decimal = attribute(default=2, precision=9, scale=3)",
    ),
    "comment": ("n: int = 4", "n: int = attribute(default=4, comment='a number')"),
}


@pytest.mark.parametrize("kind", UNSEEN)
def test_what_sqlite_does_not_know_is_written_down_and_touches_nothing(workshop, kind):
    before, after = UNSEEN[kind]
    workshop.begin(posts(before), ROWS)
    made = workshop.query("SELECT name, rootpage, sql FROM sqlite_master")
    workshop.declare(posts(after))
    (written,) = workshop.codegen()
    workshop.migrate()
    workshop.check()
    assert [type(op).__name__ for op in written.change.operations] == ["AlterColumn"]
    assert workshop.query("SELECT name, rootpage, sql FROM sqlite_master") == made


COMPUTED = {
    "one that is new": ("a: int | None = attribute(generated_as='b + 1')", "b: int | None = 2"),
    "one that is computed and new": (
        "a: int | None = attribute(generated_as='b + 1')",
        "b: int | None = attribute(generated_as='length(title) - 1')",
    ),
}


@pytest.mark.parametrize("read", COMPUTED)
def test_a_computed_column_is_declared_before_what_it_reads(workshop, read):
    change = workshop.goes(POSTS, posts(*COMPUTED[read]), ROWS)
    assert [op.column.name for op in change.operations] == ["b", "a"]
    assert change.rows("posts", "id", "a") == [(1, 3), (2, 3)]


TAKEN = {
    "a computed column reads": ("loud: str = attribute(generated_as='upper(a)', stored={})", ""),
    "one reads through another": (
        "loud: str = attribute(generated_as='upper(a)', stored={})",
        "twice: str = attribute(generated_as='loud || loud')",
        "by = index('twice')",
        "short = check('length(twice) < 9')",
    ),
}


@pytest.mark.parametrize("way", TAKEN)
@pytest.mark.parametrize("stored", [True, False])
def test_a_column_takes_the_name_of_one_that_goes_and_that(workshop, way, stored):
    lines = [line.format(stored) for line in TAKEN[way]]
    before = posts("a: str = 'x'", "b: str = 'y'", *lines)
    change = workshop.goes(before, posts("a: str = 'y'", *lines), ROWS, "posts.b=a")
    assert change.rows("posts", "id", "a", "loud") == [(1, "y", "Y"), (2, "y", "Y")]


def test_a_key_without_row_ids_takes_the_name_of_the_one_that_goes(workshop):
    columns = ("a: int = attribute(default=2, primary_key=True)", "b: int = 2")
    before = posts(columns=columns, head=", without_rowid=True")
    after = posts(columns=columns[:1], head=", without_rowid=True")
    change = workshop.goes(before, after, "INSERT INTO posts VALUES (1, 5)", "posts.b=a")
    assert change.rows("posts", "a") == [(5,)]


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
