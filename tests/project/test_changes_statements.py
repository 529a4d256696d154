"""Statements that come, change and go, with rows: up, down and up again."""

from __future__ import annotations

import pytest
from declarations import ROWS, TEAMS, posts, teams

from ashflow.errors import MigrationFailed

SEARCH = """\
    search = statement(
        up="CREATE VIRTUAL TABLE search USING fts5(title)", down="DROP TABLE search"
    )
    fill = statement(
        up="CREATE TRIGGER fill AFTER INSERT ON posts "
        "BEGIN INSERT INTO search (title) VALUES (new.title); END",
        down="DROP TRIGGER fill",
    )
    words = statement(up="CREATE VIEW words AS SELECT title FROM search", down="DROP VIEW words")
"""


def test_a_search_table_its_trigger_and_a_view_are_statements_in_their_order(workshop):
    change = workshop.goes(posts(), posts() + SEARCH, ROWS)
    assert change.did == ["AddStatement"] * 3
    workshop.insert("INSERT INTO posts (title) VALUES ('three')")
    assert workshop.query("SELECT title FROM words WHERE title = 'three'") == [("three",)]
    stems = SEARCH.replace("fts5(title)", "fts5(title, tokenize = 'porter')")
    workshop.declare(posts("n: int = 1") + stems)
    (made,) = workshop.codegen()
    done = [(type(op).__name__, getattr(op, "name", "n")) for op in made.change.operations]
    assert done == [("DropStatement", "search"), ("AddColumn", "n"), ("AddStatement", "search")]
    workshop.migrate()
    workshop.check()
    workshop.sound()
    workshop.rollback()
    workshop.sound()


def test_statements_that_change_go_in_turn_and_come_in_order(workshop):
    view = "{0} = statement(up='CREATE VIEW {0} AS SELECT {1} AS n FROM {2}', down='DROP VIEW {0}')"
    chain = [view.format("one", "{}", "posts"), view.format("two", "{}", "one")]
    before, after = (posts(*(line.format(n) for line in chain)) for n in (1, 2))
    change = workshop.goes(before, after, ROWS)
    done = [(type(op).__name__, op.name) for op in change.operations]
    assert done == [
        ("DropStatement", "two"),
        ("DropStatement", "one"),
        ("AddStatement", "one"),
        ("AddStatement", "two"),
    ]
    assert workshop.query("SELECT n FROM two") == [(2,), (2,)]


FTS = """\
    search = statement(
        up=[
            "CREATE VIRTUAL TABLE search USING fts5({0}, content='posts', content_rowid='id'{1})",
            "INSERT INTO search (search) VALUES ('rebuild')",
        ],
        down="DROP TABLE search",
    )
    filled = statement(
        up="CREATE TRIGGER filled AFTER INSERT ON posts "
        "BEGIN INSERT INTO search (rowid, {0}) VALUES (new.id, new.{0}); END",
        down="DROP TRIGGER filled",
    )
""".format


def found(workshop, word):
    """The rows of posts in which a search finds a word."""
    return workshop.query("SELECT rowid FROM search WHERE search MATCH ? ORDER BY 1", word)


def test_a_search_finds_the_same_after_its_table_was_made_anew_and_renamed(workshop):
    text = ("id: int = integer_primary_key()", "text: str | None = 'none'")
    before = posts("n: int = 1") + FTS("title", "")
    after = posts("n: float = 1.5", columns=text) + FTS("text", ", tokenize='porter'")
    workshop.goes(before, after, ROWS, "posts.title=text")
    assert found(workshop, "two") == [(2,)]
    workshop.insert("INSERT INTO posts (text) VALUES ('running')")
    assert found(workshop, "run") == [(3,)]
    workshop.query("DELETE FROM posts WHERE id = 3")
    workshop.rollback()
    assert found(workshop, "two") == [(2,)]


def made(name, kind, text):
    return f"{name} = statement(up='CREATE {kind} {name} {text}', down='DROP {kind} {name}')"


def view(name, select):
    return made(name, "VIEW", f"AS {select}")


NAMED = ("id: int = integer_primary_key()", "name: str")
LATER = (
    view("later", "SELECT t FROM first"),
    made("fires", "TRIGGER", "INSTEAD OF INSERT ON later BEGIN SELECT 1; END"),
)
TITLE, NAME, NAME_OF_ARTS = (
    view("first", f"SELECT {column} AS t FROM {table}")
    for column, table in [("title", "posts"), ("name", "posts"), ("name", "arts")]
)
READ_BY_LATER = {
    "renamed": (
        posts(TITLE, *LATER),
        posts(NAME, *LATER, columns=NAMED),
        "posts.title=name",
    ),
    "renamed with its table": (
        posts(TITLE, *LATER),
        posts(NAME_OF_ARTS, *LATER, columns=NAMED, table="arts"),
        "posts.title=name",
        "posts=arts",
    ),
    "dropped": (
        posts("name: str = 'x'", NAME, *LATER),
        posts(TITLE, *LATER),
    ),
}


@pytest.mark.parametrize("way", READ_BY_LATER)
def test_a_view_that_stays_reads_one_that_changes_because_a_column_is(workshop, way):
    """In between it reads what is not there, and SQLite renames nothing beside such a view."""
    before, after, *flags = READ_BY_LATER[way]
    change = workshop.goes(before, after, ROWS, *flags)
    done = [(type(op).__name__, getattr(op, "name", "")) for op in change.operations]
    assert done[0] == ("DropStatement", "first")
    assert done[-1] == ("AddStatement", "first")
    assert sum("Statement" in kind for kind, _ in done) == 2


def test_a_view_that_stays_and_names_what_is_renamed_reads_one_that_changes(workshop):
    first = view("first", "SELECT id, n AS title FROM posts")
    over = view("over", "SELECT title FROM first")
    workshop.goes(
        posts("n: int | None", first, over),
        posts("n: int | None", first, over, columns=NAMED),
        ROWS,
        "posts.title=name",
    )
    assert workshop.query("SELECT count(title) FROM over") == [(0,)]
    workshop.rollback()
    assert workshop.query("SELECT count(*) FROM over") == [(2,)]


def test_a_view_by_hand_that_is_broken_stops_no_rename_and_stays_as_it_is(workshop):
    workshop.begin(posts(), ROWS)
    text = "CREATE VIEW broken AS SELECT x FROM nowhere"
    workshop.query(text)
    workshop.declare(posts(columns=NAMED))
    workshop.codegen("posts.title=name")
    workshop.migrate()
    assert workshop.rows("posts", "id", "name") == [(1, "one"), (2, "two")]
    assert workshop.query("SELECT sql FROM sqlite_master WHERE name = 'broken'") == [(text,)]


def test_a_broken_view_by_hand_that_has_the_old_name_is_told(workshop):
    workshop.begin(posts(), ROWS)
    workshop.query("CREATE VIEW broken AS SELECT title FROM nowhere, posts")
    workshop.declare(posts(columns=NAMED))
    workshop.codegen("posts.title=name")
    with pytest.raises(MigrationFailed, match="error in view broken") as caught:
        workshop.migrate()
    assert "Mend or drop it first" in caught.value.hint


HAND = (
    "CREATE TABLE log (line)",
    "CREATE INDEX hand ON posts (title COLLATE NOCASE DESC)",
    "CREATE VIEW seen AS SELECT title, n FROM posts",
    "CREATE TRIGGER told AFTER UPDATE ON posts BEGIN INSERT INTO log VALUES (new.title); END",
    "CREATE TRIGGER gone AFTER DELETE ON posts BEGIN INSERT INTO log VALUES ('gone'); END",
    (
        "CREATE TRIGGER put INSTEAD OF INSERT ON seen "
        "BEGIN INSERT INTO posts (title) VALUES (new.title); END"
    ),
)


def test_views_and_triggers_by_hand_come_through_every_change(workshop):
    workshop.begin(posts("n: int = 1"), ROWS)
    for sql in HAND:
        workshop.query(sql)
    for source, *flags in [
        (posts("n: float = 2.0"),),
        (posts("m: float = 2.0"), "posts.n=m"),
        (posts("m: float | None", "k: int = 7"),),
        (posts("m: float | None", "k: int = 7", table="arts"), "posts=arts"),
    ]:
        workshop.declare(source)
        workshop.codegen(*flags)
        workshop.migrate()
        workshop.check()
        workshop.sound()
        assert workshop.query("SELECT * FROM log") == [], "no row was changed"
    workshop.query("INSERT INTO seen (title) VALUES ('three')")
    workshop.query("UPDATE arts SET title = 'first' WHERE id = 1")
    assert workshop.query("SELECT title, m FROM seen ORDER BY 1") == [
        ("first", 1.0),
        ("three", None),
        ("two", 1.0),
    ]
    assert workshop.query("SELECT * FROM log") == [("first",)]
    assert ("index", "hand", None) in workshop.objects()


def test_a_statement_of_a_domain_changes_and_moves_to_a_table(workshop):
    domain = "blog = Domain(Post, statements=[{}])\n".format
    seen = "statement(up='CREATE VIEW v AS SELECT {} AS n', down='DROP VIEW v')".format
    change = workshop.goes(posts() + domain(seen(1)), posts() + domain(seen(2)), ROWS)
    assert change.did == ["DropStatement", "AddStatement"]
    workshop.declare(posts(f"v = {seen(2)}"))
    workshop.codegen()
    workshop.migrate()
    workshop.check()
    assert workshop.query("SELECT n FROM v") == [(2,)]


def test_a_statement_that_comes_between_two_stands_before_what_reads_it(workshop):
    one, three = view("one", "SELECT 1 AS n"), view("three", "SELECT 3 AS n")
    two = view("two", "SELECT 2 AS n")
    after = posts(one, two, view("three", "SELECT n FROM two"))
    change = workshop.goes(posts(one, three), after, ROWS)
    assert [(type(op).__name__, op.name) for op in change.operations] == [
        ("DropStatement", "three"),
        ("AddStatement", "two"),
        ("AddStatement", "three"),
    ]
    assert workshop.query("SELECT n FROM three") == [(2,)]


def test_what_a_table_that_goes_has_as_statements_goes_before_it(workshop):
    change = workshop.goes(
        TEAMS + posts(view("v", "SELECT title FROM posts")), TEAMS, ROWS, drop_tables=True
    )
    assert change.did == ["DropStatement", "DropTable"]


FIRES = "CREATE TRIGGER fires INSTEAD OF INSERT ON v BEGIN INSERT INTO posts (title) {}; END".format
FIRES_SAID = f"statement(up=\"{FIRES('VALUES (new.title)')}\", down='DROP TRIGGER fires')"
V = "SELECT title FROM posts"
ON_A_VIEW = {
    "of the same resource": posts(view("v", V), f"fires = {FIRES_SAID}"),
    "of another resource": posts(view("v", V)) + teams(f"fires = {FIRES_SAID}"),
    "of a domain": posts(view("v", V)) + f"blog = Domain(Post, statements=[{FIRES_SAID}])\n",
}


@pytest.mark.parametrize("where", ON_A_VIEW)
def test_a_trigger_on_a_view_that_changes_comes_back_with_it(workshop, where):
    """With the view it goes, and SQLite says nothing."""
    before = ON_A_VIEW[where]
    change = workshop.goes(before, before.replace(V, "SELECT title, id FROM posts"), ROWS)
    assert change.did == ["DropStatement", "DropStatement", "AddStatement", "AddStatement"]
    workshop.query("INSERT INTO v (title) VALUES ('three')")
    assert change.rows("posts", "title") == [("one",), ("three",), ("two",)]


def test_an_index_on_a_table_of_a_statement_comes_back_with_it(workshop):
    made = 'CREATE TABLE IF NOT EXISTS main."Notes" (n)'
    lines = (
        f"notes = statement(up='{made}', down='DROP TABLE notes')",
        "by = statement(up='CREATE INDEX by_n ON notes (n)', down='DROP INDEX by_n')",
    )
    after = posts(*lines).replace("(n)', down='DROP TABLE", "(n, m)', down='DROP TABLE")
    workshop.goes(posts(*lines), after, ROWS)
