"""What rows that stand get in columns that are new or become NOT NULL: up, down and up again."""

from __future__ import annotations

import pytest
from declarations import ROWS, posts

from ashflow.errors import RowsForbid
from ashflow.migration import Fill
from ashflow.run.events import Ended

POSTS = posts()


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


FILLED = {
    "posts.a=length(title)": "posts.b=a * 10",
    "posts.b=length(title)": "posts.a=b * 10",
}


@pytest.mark.parametrize("first", FILLED)
def test_a_fill_may_read_what_another_one_fills(workshop, first):
    """In the order in which the columns are declared."""
    names = ["a", "b"] if first.startswith("posts.a") else ["b", "a"]
    lines = "".join(f"    {name}: int\n" for name in names)
    workshop.begin(POSTS, "INSERT INTO posts (title) VALUES ('four')")
    start = workshop.schema()
    workshop.declare(POSTS + lines)
    workshop.codegen(fills=(FILLED[first], first))
    workshop.migrate()
    assert workshop.rows("posts", "title", *names) == [("four", 4, 40)]
    assert workshop.schema() == workshop.fresh(POSTS + lines).schema()
    workshop.rollback()
    assert workshop.schema() == start
    workshop.migrate()
    workshop.check()


def test_a_fill_goes_to_the_repo_that_has_the_table(workshop):
    workshop.more = '\n[tool.ashflow.repos.other]\nurl = "sqlite:///priv/other/dev.sqlite3"\n'
    teams = POSTS.replace("Post", "Team").replace('"posts"', '"teams", repo="other"')
    workshop.begin(POSTS + teams)
    workshop.query("INSERT INTO teams (title) VALUES ('one')", path="priv/other/dev.sqlite3")
    workshop.declare(POSTS + "    n: int = 1\n" + teams + "    rank: int\n")
    first, second = workshop.codegen(fills=("teams.rank=7",))
    assert [op for op in first.change.operations if isinstance(op, Fill)] == []
    assert second.change.operations[-1] == Fill("teams", "rank", "7")
    workshop.migrate()
    found = workshop.query("SELECT title, rank FROM teams", path="priv/other/dev.sqlite3")
    assert found == [("one", 7)]


def test_a_fill_may_read_what_becomes_not_null_in_a_table_that_is_renamed(workshop):
    workshop.begin(POSTS + "    n: int | None\n", "INSERT INTO posts (title) VALUES ('one')")
    articles = POSTS.replace('"posts"', '"articles"') + "    m: int\n    k: int\n"
    workshop.declare(articles)
    renames = ("posts=articles", "posts.n=m")
    workshop.codegen(*renames, fills=("articles.m=5", "articles.k=m + 1"))
    workshop.migrate()
    assert workshop.rows("articles", "title", "m", "k") == [("one", 5, 6)]
    workshop.check()
    workshop.rollback()
    workshop.migrate()
