"""What was kept comes back otherwise, or goes along with other changes: with its rows."""

from __future__ import annotations

import pytest
from declarations import posts

HEAD = posts()
BODY = posts("body: str")


@pytest.fixture
def kept(workshop):
    """A project in which `posts.body` is kept."""
    workshop.begin(BODY, "INSERT INTO posts (title, body) VALUES ('one', 'long')")
    workshop.declare(HEAD)
    workshop.codegen()
    workshop.migrate()
    return workshop


def retired(workshop, table):
    """What the newest snapshot of a table lists as retired."""
    return workshop.open().history("repo").leaves()[table].retired


BACK = {
    "nullable": (HEAD + "    body: str | None\n", "long"),
    "of another type": (HEAD + "    body: bytes\n", "long"),
    "with a default and an index": (HEAD + "    body: str = ''\n    by = index('body')\n", "long"),
    "computed": (HEAD + "    body: str = attribute(generated_as='upper(title)')\n", "ONE"),
    "under another name": (HEAD + "    text: str\n", "long", "posts.body=text"),
    "in a table of another name": (BODY.replace('"posts"', '"arts"'), "long", "posts=arts"),
    "in a key": (
        posts("body: str", "key = primary_key('id', 'body')", columns=("id: int", "title: str")),
        "long",
    ),
}


@pytest.mark.parametrize("way", BACK)
def test_a_column_comes_back_otherwise(kept, way):
    source, value, *flags = BACK[way]
    source = (
        source.replace("id: int = integer_primary_key()", "id: int")
        if "key =" in source
        else source
    )
    start = kept.schema()
    kept.declare(source)
    kept.codegen(*flags)
    kept.migrate()
    kept.check()
    kept.sound()
    assert kept.schema() == kept.fresh(source).schema()
    table, column = "arts" if "arts" in source else "posts", "text" if "text" in source else "body"
    assert kept.rows(table, "title", column) == [("one", value)]
    assert retired(kept, table) == ()
    kept.rollback()
    assert kept.schema() == start


def test_a_table_with_a_kept_column_is_renamed_and_the_column_dropped_later(kept):
    arts = HEAD.replace('"posts"', '"arts"')
    kept.declare(arts)
    kept.codegen("posts=arts")
    assert retired(kept, "arts") == ("body",)
    kept.migrate()
    assert kept.rows("arts", "title", "body") == [("one", "long")]
    kept.codegen(drop_columns=True)
    kept.migrate()
    kept.check()
    assert kept.schema() == kept.fresh(arts).schema()


def test_a_kept_key_gives_its_place_to_another(workshop):
    workshop.begin(HEAD, "INSERT INTO posts (title) VALUES ('one')")
    start = workshop.schema()
    workshop.declare(HEAD.replace("id: int", "number: int"))
    workshop.codegen(no_renames=True)
    workshop.migrate()
    workshop.insert("INSERT INTO posts (title) VALUES ('two')")
    assert workshop.rows("posts", "number", "id", "title") == [(1, 1, "one"), (2, None, "two")]
    workshop.check()
    workshop.query("DELETE FROM posts WHERE number = 2")
    workshop.rollback()
    assert workshop.schema() == start


NOTES = posts("post = belongs_to(Post, nullable=True)", name="Note", table="notes")


def test_a_kept_table_comes_back_changed_with_its_rows(workshop):
    workshop.begin(HEAD + NOTES, "INSERT INTO notes (title) VALUES ('n')")
    workshop.declare(HEAD)
    workshop.codegen()
    after = HEAD + NOTES.replace("title: str", "title: str | None") + "    n: int = 1\n"
    workshop.declare(after)
    workshop.codegen()
    workshop.migrate()
    workshop.check()
    assert workshop.schema() == workshop.fresh(after).schema()
    assert workshop.rows("notes", "title", "n") == [("n", 1)]


def test_a_kept_table_comes_back_under_another_name(workshop):
    workshop.begin(HEAD + NOTES, "INSERT INTO notes (title) VALUES ('n')")
    workshop.declare(HEAD)
    workshop.codegen()
    workshop.declare(HEAD + NOTES.replace('"notes"', '"remarks"'))
    workshop.codegen("notes=remarks")
    workshop.migrate()
    workshop.check()
    assert workshop.rows("remarks", "id", "title") == [(1, "n")]


def test_a_kept_table_follows_what_it_refers_to(workshop):
    workshop.begin(
        HEAD + NOTES,
        "INSERT INTO posts (title) VALUES ('p')\n"
        "INSERT INTO notes (title, post_id) VALUES ('n', 1)",
    )
    arts = HEAD.replace('"posts"', '"arts"').replace("id: int", "code: int")
    workshop.declare(arts)
    workshop.codegen("posts=arts", "posts.id=code")
    workshop.migrate()
    workshop.check()
    workshop.sound()
    (key,) = workshop.schema()["notes"].foreign_keys
    assert (key.table, tuple(key.keys)) == ("arts", ("code",))
    workshop.codegen(drop_tables=True)
    workshop.migrate()
    workshop.check()
    assert workshop.schema() == workshop.fresh(arts).schema()
