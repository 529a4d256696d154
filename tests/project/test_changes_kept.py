"""Columns and tables that left the resources: kept, dropped later or by hand, taken back."""

from __future__ import annotations

import pytest

from ashflow.errors import MigrationFileError, UsageError

HEAD = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
BODY = HEAD + "    body: str\n"
NOTE = HEAD.replace("Post", "Note").replace("posts", "notes")
ROWS = "INSERT INTO posts (title, body) VALUES ('one', 'long')"
DROP = """\
from ashflow.migration import Column, DropColumn, DropTable, Migration

migration = Migration(operations=[{}])
"""
DROP_BODY = 'DropColumn("posts", Column("body", "text", nullable=True))'


def by_hand(workshop, operations, name="by_hand"):
    """Write a migration by hand, with the version that comes next."""
    folder = workshop.root / "priv/repo/migrations"
    version = max(int(path.name[:14]) for path in folder.iterdir()) + 1
    path = folder / f"{version}_{name}.py"
    path.write_text(DROP.format(operations))
    return path


@pytest.fixture
def kept(workshop):
    """A project in which `posts.body` is kept."""
    workshop.begin(BODY, ROWS)
    workshop.declare(HEAD)
    workshop.codegen()
    workshop.migrate()
    return workshop


def retired(workshop, table="posts"):
    """What the newest snapshot of a table lists as retired."""
    return workshop.open().history("repo").leaves()[table].retired


def test_a_column_that_is_kept_is_noted_and_new_rows_need_not_know_it(workshop):
    workshop.begin(BODY, ROWS)
    workshop.declare(HEAD)
    (made,) = workshop.codegen()
    note = "# kept: posts.body. To drop it: ashflow codegen NAME --drop-columns"
    assert note in made.files[made.path]
    workshop.migrate()
    workshop.query("INSERT INTO posts (title) VALUES ('two')")
    assert workshop.rows("posts", "title", "body") == [("one", "long"), ("two", None)]
    assert retired(workshop) == ("body",)
    workshop.check()
    workshop.query("DELETE FROM posts WHERE body IS NULL")
    workshop.rollback()
    assert not workshop.schema()["posts"].column("body").nullable
    assert workshop.rows("posts", "title", "body") == [("one", "long")]


def test_it_can_be_dropped_later(kept):
    (made,) = kept.codegen(drop_columns=True)
    assert [type(op).__name__ for op in made.change.operations] == ["DropColumn"]
    kept.migrate()
    assert kept.schema() == kept.fresh(HEAD).schema()
    assert retired(kept) == ()
    kept.check()


def test_an_attribute_that_comes_back_takes_its_column_and_values_back(kept):
    kept.declare(BODY)
    (made,) = kept.codegen()
    assert [type(op).__name__ for op in made.change.operations] == ["AlterColumn"]
    kept.migrate()
    assert kept.rows("posts", "title", "body") == [("one", "long")]
    assert kept.schema() == kept.fresh(BODY).schema()
    kept.check()


IN_USE = {
    "a key": ("    key = primary_key('id', 'body')\n", "    id: int\n", ""),
    "an identity": ("    unique_body = identity('body')\n", "", ""),
    "a check": ("    filled = check(\"body <> ''\")\n", "", ""),
    "an index": ("    by = index(sql('lower(body)'), where='body IS NOT NULL')\n", "", ""),
    "a computed column": (
        "    loud: str = attribute(generated_as='upper(body)')\n",
        "",
        "    loud: str = attribute(generated_as='upper(title)')\n",
    ),
}


@pytest.mark.parametrize("use", IN_USE)
def test_a_kept_column_is_in_nothing_that_the_new_code_would_trip_over(workshop, use):
    line, key, after = IN_USE[use]
    before, without = BODY, HEAD
    if key:
        before = BODY.replace("    id: int = integer_primary_key()\n", key)
        without = HEAD.replace(
            "id: int = integer_primary_key()", "id: int = attribute(primary_key=True)"
        )
    workshop.begin(before + line, "INSERT INTO posts (id, title, body) VALUES (1, 'one', 'long')")
    start = workshop.schema()
    workshop.declare(without + after)
    workshop.codegen()
    workshop.migrate()
    workshop.query("INSERT INTO posts (id, title) VALUES (2, 'two')")
    workshop.query("INSERT INTO posts (id, title) VALUES (3, 'three')")
    assert workshop.rows("posts", "id", "body") == [(1, "long"), (2, None), (3, None)]
    workshop.check()
    workshop.query("DELETE FROM posts WHERE id > 1")
    workshop.rollback()
    assert workshop.schema() == start


def test_a_kept_column_leaves_its_foreign_key(workshop):
    team = "class Team(Resource, table='teams'):\n    id: int = integer_primary_key()\n"
    with_team = team + HEAD + "    team = belongs_to(Team)\n"
    workshop.begin(with_team, "INSERT INTO teams VALUES (1)\nINSERT INTO posts VALUES (1, 'a', 1)")
    workshop.declare(team + HEAD)
    workshop.codegen()
    workshop.migrate()
    workshop.query("INSERT INTO posts (title) VALUES ('b')")
    assert workshop.schema()["posts"].foreign_keys == ()
    assert workshop.rows("posts", "title", "team_id") == [("a", 1), ("b", None)]


@pytest.mark.parametrize("stored", [True, False])
def test_what_is_computed_from_a_kept_column_is_kept_and_may_be_null_too(workshop, stored):
    computed = f"attribute(generated_as={{}}, stored={stored})\n".format
    loud, twice = computed("'upper(body)'"), computed("'loud || loud'")
    again = computed("'upper(title)'")
    source = BODY + f"    loud: str = {loud}    twice: str = {twice}    again: str = {again}"
    workshop.begin(source, ROWS)
    start = workshop.schema()
    workshop.declare(HEAD)
    workshop.codegen()
    workshop.migrate()
    workshop.query("INSERT INTO posts (title) VALUES ('two')")
    rows = workshop.rows("posts", "id", "twice", "again")
    assert rows == [(1, "LONGLONG", "ONE"), (2, None, "TWO")]
    assert not workshop.schema()["posts"].column("again").nullable, "all that it reads is given"
    workshop.check()
    workshop.query("DELETE FROM posts WHERE id > 1")
    workshop.rollback()
    assert workshop.schema() == start


READERS = {
    "column loud": "    loud: str = attribute(generated_as='upper(body)')\n",
    "check posts_filled_check": "    filled = check(\"body <> ''\")\n",
    "index posts_by_index": "    by = index(sql('lower(body)'))\n",
    "index posts_some_index": "    some = identity('title', where='body IS NOT NULL')\n",
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("drop", [True, False])
def test_sql_that_reads_what_is_declared_no_more_is_refused(workshop, reader, drop):
    workshop.begin(BODY + READERS[reader], ROWS)
    workshop.declare(HEAD + READERS[reader])
    with pytest.raises(UsageError, match=rf"declares posts\.body any more, and {reader} reads it"):
        workshop.find(drop_columns=drop)


def test_a_function_or_a_type_of_the_name_of_what_went_is_no_reader(workshop):
    workshop.begin(HEAD + "    upper: str = ''\n    text: str = ''\n")
    check = '    ok = check("upper(title) <> cast(1 AS text)")\n'
    workshop.declare(HEAD + check)
    workshop.codegen(drop_columns=True)
    workshop.migrate()
    workshop.check()


# ------------------------------------------------------------------ dropped by hand
def test_a_column_that_is_dropped_by_hand_is_kept_no_more(kept):
    by_hand(kept, DROP_BODY)
    kept.migrate()
    kept.check()
    assert not kept.find(drop_columns=True)[0].change, "there is nothing left to drop"
    kept.declare(BODY)
    (made,) = kept.codegen(fills=("posts.body=''",))
    assert [type(op).__name__ for op in made.change.operations] == ["AddColumn", "Fill"]
    leaf = kept.open().history("repo").leaves()["posts"]
    assert [op["op"] for op in leaf.operations] == ["DropColumn", "AddColumn", "Fill"]
    assert retired(kept) == ()
    kept.migrate()
    assert kept.schema() == kept.fresh(BODY).schema()
    kept.check()


def test_the_next_snapshot_takes_it_off_the_list(kept):
    by_hand(kept, DROP_BODY)
    kept.declare(HEAD + "    n: int = 1\n")
    kept.codegen()
    assert retired(kept) == ()
    kept.migrate()
    assert [column.name for column in kept.schema()["posts"].columns] == ["id", "title", "n"]
    kept.check()


def test_a_drop_that_was_added_to_the_migration_that_kept_it_counts(workshop):
    workshop.begin(BODY, ROWS)
    workshop.declare(HEAD)
    (made,) = workshop.codegen()
    path = workshop.root / made.path
    text = path.read_text()
    text = text.replace("import AlterColumn, ", "import AlterColumn, DropColumn, ")
    path.write_text(text.replace("\n    ],\n)", f"\n        {DROP_BODY},\n    ],\n)"))
    workshop.migrate()
    workshop.check()
    assert not workshop.find(drop_columns=True)[0].change
    assert workshop.schema()["posts"].column("body") is None


def test_a_drop_that_codegen_wrote_does_not_count_for_a_column_that_came_again(kept):
    kept.codegen(drop_columns=True)
    kept.declare(BODY)
    kept.codegen(no_renames=True, fills=("posts.body='x'",))
    kept.declare(HEAD)
    kept.codegen()
    kept.migrate()
    assert retired(kept) == ("body",)
    assert kept.find(drop_columns=True)[0].change


def test_a_table_that_is_dropped_by_hand_is_kept_no_more(workshop):
    workshop.begin(HEAD + NOTE)
    workshop.declare(HEAD)
    workshop.codegen()
    columns = 'columns=[Column("id", "integer", primary_key=True), Column("title", "text")]'
    by_hand(workshop, f'DropTable("notes", {columns})')
    workshop.migrate()
    workshop.check()
    assert not workshop.find(drop_tables=True)[0].change
    workshop.declare(HEAD + NOTE)
    (made,) = workshop.codegen()
    assert [type(op).__name__ for op in made.change.operations] == ["CreateTable"]
    workshop.migrate()
    workshop.check()


def test_a_drop_by_hand_that_does_not_fit_is_told(kept):
    path = by_hand(kept, DROP_BODY + ", " + DROP_BODY)
    with pytest.raises(MigrationFileError, match=f"{path.name} was written by hand, and does not"):
        kept.find()


def test_migrations_are_read_only_where_something_is_kept(workshop):
    workshop.begin(HEAD)
    by_hand(workshop, "this is no Python")
    workshop.check()
