"""New names and what stands beside: statements, kept and foreign tables, later migrations."""

from __future__ import annotations

import pytest

ROWS = """
    INSERT INTO posts (id, title, body) VALUES (1, 'one', 'B1')
    INSERT INTO posts (id, title, body) VALUES (2, 'two', 'B2')
"""
VALUES = [("one", "B1"), ("two", "B2")]
SWAP = ("posts.title=body", "posts.body=title")
POST = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
    body: str
"""
ARTICLE = POST.replace('"posts"', '"articles"')
NEW = POST.replace("Post", "New")
NOTE = """
class Note(Resource, table="notes"):
    id: int = integer_primary_key()
    post = belongs_to(Post)
"""
NOTE_ROW = "INSERT INTO notes (post_id) VALUES (1)"


# ------------------------------------------------------------------ statements
VIEW = "statement(up='CREATE VIEW words AS SELECT {0} AS word FROM posts', down='DROP VIEW words')"
LOG = (
    "statement(up='CREATE TRIGGER log AFTER UPDATE ON posts BEGIN INSERT INTO posts (title, body) "
    "VALUES (old.title, 1); END', down='DROP TRIGGER log')"
)
BY = "statement(up='CREATE INDEX by ON posts (title COLLATE nocase)', down='DROP INDEX by')"


@pytest.mark.parametrize("statement", [VIEW.format("title"), LOG, BY], ids=["view", "trigger", "i"])
def test_what_a_statement_says_stays_so_where_names_are_handed_on(workshop, statement):
    """SQLite itself would have its text follow the columns."""
    source = f"{POST}    made = {statement}\n"
    change = workshop.goes(source, source, ROWS, *SWAP)
    assert change.rows("posts", "body", "title") == VALUES
    assert {change.did[0], change.did[-1]} == {"DropStatement", "AddStatement"}


def test_a_statement_of_a_domain_stays_with_the_name_of_a_table(workshop):
    domain = "\nshop = Domain({0}, statements=[" + VIEW.format("title") + "])\n"
    before, after = POST + domain.format("Post"), ARTICLE + NEW + domain.format("Post, New")
    workshop.goes(before, after, ROWS, "posts=articles")
    assert workshop.query("SELECT * FROM words") == []


def test_a_statement_that_names_nothing_of_what_is_renamed_is_left_alone(workshop):
    search = "statement(up='CREATE VIRTUAL TABLE posts_title USING fts5(title)', down=[])"
    view = VIEW.format("id")
    source = f"{POST}    search = {search}\n    words = {view}\n"
    workshop.begin(source, ROWS + "INSERT INTO posts_title VALUES ('kept')")
    workshop.declare(source)
    (made,) = workshop.codegen(*SWAP)
    assert {type(op).__name__ for op in made.change.operations} == {"RenameColumn"}
    workshop.migrate()
    assert workshop.query("SELECT title FROM posts_title") == [("kept",)]


def test_a_view_on_a_view_that_follows_a_new_name(workshop):
    two = "statement(up='CREATE VIEW two AS SELECT word FROM words', down='DROP VIEW two')"
    before, after = (
        f"{POST}    made = {VIEW.format(name)}\n    two = {two}\n".replace("title", name)
        for name in ("title", "headline")
    )
    workshop.goes(before, after, ROWS, "posts.title=headline")
    assert workshop.query("SELECT word FROM two ORDER BY 1") == [("one",), ("two",)]


# ------------------------------------------------------------------ kept, and not ours
def test_a_kept_table_follows_what_it_refers_to(workshop):
    after = ARTICLE.replace("id: int", "number: int")
    workshop.begin(POST + NOTE, ROWS + NOTE_ROW)
    workshop.declare(POST)
    workshop.codegen()
    workshop.migrate()
    workshop.declare(after)
    workshop.codegen("posts=articles", "posts.id=number")
    workshop.migrate()
    workshop.check()
    (key,) = workshop.schema()["notes"].foreign_keys
    (known,) = workshop.open().history("repo").leaves()["notes"].physical.foreign_keys
    assert (key.table, *key.keys) == (known.table, *known.keys) == ("articles", "number")
    workshop.codegen(drop_tables=True)
    workshop.migrate()
    workshop.check()
    assert workshop.schema() == workshop.fresh(after).schema()
    workshop.query("DELETE FROM articles")
    for _ in range(3):
        workshop.rollback()
    assert workshop.schema() == workshop.fresh(POST + NOTE).schema()


def test_a_kept_column_goes_with_its_table(workshop):
    lean, renamed = (source.replace("    body: str\n", "") for source in (POST, ARTICLE))
    workshop.begin(POST, ROWS)
    workshop.declare(lean)
    workshop.codegen()
    workshop.declare(renamed)
    workshop.codegen("posts=articles")
    workshop.migrate()
    workshop.check()
    assert workshop.rows("articles", "title", "body") == VALUES
    assert workshop.open().history("repo").leaves()["articles"].retired == ("body",)
    workshop.declare(ARTICLE)
    workshop.codegen()
    workshop.migrate()
    assert workshop.schema() == workshop.fresh(ARTICLE).schema()
    assert workshop.rows("articles", "title", "body") == VALUES


def test_a_table_that_is_not_ours_follows_what_it_refers_to(workshop):
    foreign = NOTE.replace('"notes"', '"notes", migrate=False')
    workshop.begin(POST + NOTE, ROWS + NOTE_ROW)
    workshop.declare(ARTICLE + foreign)
    workshop.codegen("posts=articles")
    workshop.migrate()
    workshop.check()
    workshop.declare(ARTICLE + NOTE)
    workshop.codegen()
    workshop.migrate()
    workshop.check()
    assert workshop.schema() == workshop.fresh(ARTICLE + NOTE).schema()
    assert workshop.rows("notes", "post_id") == [(1,)]


# ------------------------------------------------------------------ again and again
def test_a_name_is_given_away_taken_back_given_to_another_and_taken_again(workshop):
    steps = [
        (ARTICLE, ["posts=articles"]),
        (POST, ["articles=posts"]),
        (ARTICLE, ["posts=articles"]),
        (ARTICLE + NEW, []),
        (ARTICLE.replace("articles", "posts") + NEW.replace("posts", "articles"), "swap"),
        (POST, []),
        (ARTICLE, ["posts=articles"]),
    ]
    workshop.begin(POST, ROWS)
    states = []
    for source, flags in steps:
        states.append(workshop.schema())
        workshop.declare(source)
        given = ["posts=articles", "articles=posts"] if flags == "swap" else flags
        workshop.codegen(*given, drop_tables=True)
        workshop.migrate()
        workshop.check()
        assert workshop.schema() == workshop.fresh(source).schema()
        workshop.sound()
    assert workshop.rows("articles", "title", "body") == VALUES
    for state in reversed(states):
        workshop.rollback()
        assert workshop.schema() == state
    assert workshop.rows("posts", "title", "body") == VALUES


def test_a_column_is_renamed_again_and_again(workshop):
    workshop.begin(POST, ROWS)
    name = "title"
    for other in ("headline", "Title", "title", "headline", "title"):
        workshop.declare(POST.replace("title", other))
        workshop.codegen(f"posts.{name}={other}")
        name = other
    workshop.migrate()
    workshop.check()
    assert workshop.rows("posts", "title", "body") == VALUES
    assert workshop.schema() == workshop.fresh(POST).schema()
