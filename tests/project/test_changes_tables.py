"""Tables that come, go, stay and are renamed, with rows: up, down and up again."""

from __future__ import annotations

import pytest
from declarations import CLUBS, ROWS, TEAM, TEAM_ROWS, TEAMS, TITLED, TITLES, posts

from ashflow.errors import UsageError
from ashflow.schema.sqltext import quote


# ------------------------------------------------------------------ tables
def test_a_table_comes_and_goes(workshop):
    change = workshop.goes(posts(), posts() + TEAMS, ROWS)
    assert change.did == ["CreateTable"]
    workshop.insert("INSERT INTO teams (id) VALUES (1)")
    workshop.declare(posts())
    workshop.codegen(drop_tables=True)
    workshop.migrate()
    assert [*workshop.schema()] == ["posts"]
    workshop.check()
    workshop.rollback()
    assert workshop.rows("teams", "id", "n") == []


def test_a_table_that_no_resource_declares_is_retired_and_left_alone(workshop):
    workshop.begin(posts() + TEAMS, ROWS + "INSERT INTO teams (id) VALUES (1)")
    before = workshop.schema()
    workshop.declare(posts())
    assert workshop.find()[0].change, "stale until it is written down"
    (made,) = workshop.codegen()
    assert made.change.operations == ()
    assert (
        "# kept: table teams. To drop it: ashflow codegen NAME --drop-tables"
        in made.files[made.path]
    )
    workshop.migrate()
    workshop.check()
    assert workshop.schema() == before
    workshop.declare(posts() + TEAMS)
    (back,) = workshop.codegen()
    assert back.change.operations == ()
    workshop.check()
    assert workshop.rows("teams", "id", "n") == [(1, 1)]


def test_a_retired_table_goes_later(workshop):
    workshop.begin(posts() + TEAMS, ROWS)
    workshop.declare(posts())
    workshop.codegen()
    (made,) = workshop.codegen(drop_tables=True)
    assert [type(op).__name__ for op in made.change.operations] == ["DropTable"]
    workshop.migrate()
    assert [*workshop.schema()] == ["posts"]
    workshop.check()


def test_a_renamed_table_takes_its_members_along(workshop):
    lines = (
        TEAM(", index=True"),
        "unique_title = identity('title')",
        "by = index(desc('title'))",
        "short = check('length(title) < 99')",
        "upper: str = attribute(generated_as='upper(title)')",
    )
    rows = TEAM_ROWS
    before = (
        TEAMS
        + posts(*lines)
        + 'class Note(Resource, table="notes"):\n    post = belongs_to(Post)\n'
    )
    after = before.replace('"posts"', '"articles"')
    change = workshop.goes(before, after, rows, "posts=articles")
    assert change.rows("articles", "id", "title", "team_id") == [(1, "one", 1)]
    schema = workshop.schema()
    assert {index.name for index in schema["articles"].indexes} == {
        "articles_unique_title_index",
        "articles_by_index",
        "articles_team_id_index",
    }
    assert schema["notes"].foreign_keys[0].table == "articles"


def test_two_tables_swap_their_names(workshop):
    before = TEAMS + CLUBS.replace("n: int = 1", "m: str = 'x'")
    after = before.replace('"teams"', '"-"').replace('"clubs"', '"teams"').replace('"-"', '"clubs"')
    rows = "INSERT INTO teams (n) VALUES (5)\nINSERT INTO clubs (m) VALUES ('y')"
    change = workshop.goes(before, after, rows, "teams=clubs", "clubs=teams")
    assert change.rows("clubs", "n") == [(5,)]
    assert change.rows("teams", "m") == [("y",)]


def test_a_renamed_table_gives_its_name_to_a_new_one(workshop):
    after = posts().replace('"posts"', '"articles"') + TEAMS.replace('"teams"', '"posts"')
    change = workshop.goes(posts(), after, ROWS, "posts=articles")
    assert change.rows("articles", "id", "title") == TITLES
    assert change.rows("posts", "id", "n") == []


# ------------------------------------------------------------------ resources of other kinds
def test_several_resources_on_one_table_become_one(workshop):
    more = posts(columns=["id: int = integer_primary_key()", "draft: int = 1"])
    more = more.replace("Post", "Draft")
    change = workshop.goes(posts(), posts() + more, ROWS)
    assert workshop.schema()["posts"].column("title").nullable, "Draft knows nothing of it"
    assert change.rows("posts", "id", "title", "draft") == [(1, "one", 1), (2, "two", 1)]


def test_tables_of_one_abstract_base_change_together(workshop):
    base = posts().replace('Post(Resource, table="posts"', "Entry(Resource, abstract=True")
    more = "    likes: int = 0\n    unique_title = identity('title')\n"
    both = (
        'class Post(Entry, table="posts"): ...\nclass Note(Entry, table="notes"):\n    n: int = 1\n'
    )
    before, after = base + both, base + more + both
    rows = ROWS + "INSERT INTO notes (title) VALUES ('a')"
    change = workshop.goes(before, after, rows)
    assert change.rows("notes", "title", "n", "likes") == [("a", 1, 0)]
    assert change.rows("posts", "id", "title", "likes") == [(1, "one", 0), (2, "two", 0)]


def test_a_resource_that_is_not_migrated_is_left_alone(workshop):
    workshop.begin(posts() + TEAMS, ROWS)
    workshop.declare(posts() + TEAMS.replace('"teams"', '"teams", migrate=False'))
    assert workshop.codegen(drop_tables=True) == []
    workshop.declare(
        posts() + TEAMS.replace('"teams"', '"others", migrate=False').replace("n: int", "m: int")
    )
    (made,) = workshop.codegen(drop_tables=True, no_renames=True)
    assert [type(op).__name__ for op in made.change.operations] == ["DropTable"]


def test_a_resource_of_another_repo_gives_a_column_and_no_foreign_key(tmp_path, workshop):
    workshop.more = '\n[tool.ashflow.repos.other]\nurl = "sqlite:///priv/other/dev.sqlite3"\n'
    teams = TEAMS.replace('"teams"', '"teams", repo="other"')
    workshop.declare(teams + posts(TEAM("")))
    first, second = workshop.codegen()
    workshop.migrate()
    assert workshop.schema()["posts"].column("team_id") is not None
    assert workshop.schema()["posts"].foreign_keys == ()
    assert {first.name, second.name} == {"create_posts", "create_teams"}
    assert workshop.query("SELECT name FROM sqlite_master WHERE name = 'teams'") == []
    workshop.check()


ONE = posts("n: int = 1", "u = identity('title')")
OTHER = posts("m: int = 2", "c = check('m > 0')", name="Draft")
ORDERS = {
    "of resources": OTHER + ONE,
    "of columns": posts("u = identity('title')", columns=("n: int = 1", "title: str", TITLED[0]))
    + OTHER,
    "of members": posts("u = identity('title')", "n: int = 1") + OTHER,
}


@pytest.mark.parametrize("kind", ORDERS)
def test_another_order_is_no_change_and_no_file(workshop, kind):
    workshop.begin(ONE + OTHER, ROWS)
    workshop.declare(ORDERS[kind])
    assert workshop.codegen() == []


def test_a_member_that_moves_between_resources_of_one_table_is_no_change(workshop):
    more = "m: int = 2", "c = check('m > 0')"
    workshop.begin(posts("n: int = 1") + posts(*more, name="Draft"), ROWS)
    workshop.declare(posts("n: int = 1", *more) + posts(name="Draft"))
    assert workshop.codegen() == []


def test_one_of_two_resources_leaves_a_table(workshop):
    draft = posts("note: str = 'x'", "by = index('note')", name="Draft")
    change = workshop.goes(posts() + draft, posts(), ROWS)
    assert change.did == ["DropIndex", "DropColumn"]
    assert change.rows("posts", "id", "title") == TITLES


def test_what_a_base_gets_every_table_gets_under_its_own_name(workshop):
    base = posts("{}", name="Entry", head=", abstract=True").replace('table="posts", ', "")
    lines = (
        "team = belongs_to(Team, nullable=True, index=True)\n"
        "    unique = identity('title', 'team_id')\n    some = check(\"title <> ''\")"
    )
    tables = 'class Post(Entry, table="posts"): ...\nclass Note(Entry, table="notes"): ...\n'
    before, after = (TEAMS + base.format(more) + tables for more in ("# nothing", lines))
    rows = ROWS + "INSERT INTO notes (title) VALUES ('a')"
    change = workshop.goes(before, after, rows)
    names = {index.name for t in ("posts", "notes") for index in workshop.schema()[t].indexes}
    assert names == {
        f"{table}_{member}_index"
        for table in ("posts", "notes")
        for member in ("unique", "team_id")
    }
    assert change.rows("posts", "id", "title") == TITLES


def test_a_resource_moves_to_another_repo(workshop):
    workshop.more = '\n[tool.ashflow.repos.other]\nurl = "sqlite:///priv/other/dev.sqlite3"\n'
    there = TEAMS.replace('"teams"', '"teams", repo="other"')
    workshop.begin(posts() + there, ROWS)
    workshop.declare(posts(head=', repo="other"') + there)
    first, second = workshop.codegen(drop_tables=True, no_renames=True)
    assert [type(op).__name__ for op in first.change.operations] == ["DropTable"]
    assert [type(op).__name__ for op in second.change.operations] == ["CreateTable"]
    workshop.migrate()
    workshop.check()


def test_changes_that_were_written_down_one_by_one_are_applied_at_once_and_taken_back(workshop):
    steps = [
        (posts("n: float = 1.0"),),
        (posts("m: float = 2.0", "by = index('m')"), "posts.n=m"),
        (posts("m: str = 'x'", "u = identity('m', 'id')"),),
        (posts("m: str = 'x'", table="articles"), "posts=articles"),
    ]
    workshop.begin(posts("n: int = 1"), ROWS)
    start = workshop.schema()
    for source, *flags in steps:
        workshop.declare(source)
        workshop.codegen(*flags, no_renames=True)
    assert len(workshop.migrate()) == len(steps)
    assert workshop.schema() == workshop.fresh(steps[-1][0]).schema()
    assert workshop.rows("articles", "id", "title") == TITLES
    workshop.rollback(step=len(steps))
    assert workshop.schema() == start
    assert workshop.rows("posts", "id", "title", "n") == [(1, "one", 1), (2, "two", 1)]


ODD = [
    "order",
    "two words",
    'a "quote"',
    "größe",
    "a.b",
    "x=y",
    "[x]",
    "`x`",
    "it's",
    "%s",
    "{x}",
    "a\\b",
    "日本",
    "-- x",
    "/*",
    ";",
    "CON",
    "rowid",
    "İ",
]


@pytest.mark.parametrize("name", ODD)
def test_a_table_and_all_in_it_have_an_odd_name(workshop, name):
    lines = (
        f"odd: int = attribute(default=1, source={name!r})",
        f"parent = belongs_to('Post', nullable=True, name={name!r})",
        f"by = index({name!r}, 'title')",
        f"some = check(\"title <> ''\", name={name + '!'!r})",
    )
    after = (
        f"odd: float = attribute(default=2, source={name!r})",
        f"parent = belongs_to('Post', nullable=True, name={name!r}, on_delete='cascade')",
        f"by = identity({name!r}, desc('title'), where='id > 0')",
        f"some = check(\"title <> 'a'\", name={name + '!'!r})",
    )
    rows = f"INSERT INTO {quote(name)} (title) VALUES ('x')\n"
    rows += f"INSERT INTO {quote(name)} (title, parent_id) VALUES ('y', 1)"
    change = workshop.goes(posts(*lines, table=name), posts(*after, table=name), rows)
    assert change.workshop.query(f"SELECT id, title, parent_id FROM {quote(name)}") == [
        (1, "x", None),
        (2, "y", 1),
    ]


# ------------------------------------------------------------------ what is kept stands in the way
def test_what_a_kept_table_refers_to_cannot_be_dropped(workshop):
    note = 'class Note(Resource, table="notes"):\n    n: int = 1\n    team = belongs_to(Team)\n'
    workshop.begin(TEAMS + note + posts())
    workshop.declare(TEAMS + posts())
    workshop.codegen()
    workshop.declare('class Team(Resource, table="teams"):\n    n: int = 1\n' + posts())
    with pytest.raises(UsageError, match=r"table notes is kept, and its foreign key .* teams\.id"):
        workshop.find(drop_columns=True)
    with pytest.raises(UsageError, match=r"teams \(id\), which would be no key any more") as error:
        workshop.find()
    assert error.value.hint == "Keep teams (id) as it is, or drop notes too, with --drop-tables."
    workshop.codegen(drop_tables=True)
    workshop.migrate()
    workshop.check()


@pytest.mark.parametrize("gone", ["    code: str\n", "    unique_code = identity('code')\n"])
def test_a_key_that_a_kept_table_refers_to_stays_one(workshop, gone):
    team = TEAMS + "    code: str\n    unique_code = identity('code')\n"
    note = 'class Note(Resource, table="notes"):\n    team = belongs_to(Team, to="code")\n'
    workshop.begin(team + note)
    without = team.replace("    unique_code = identity('code')\n", "").replace(gone, "")
    workshop.declare(without)
    with pytest.raises(UsageError, match=r"notes_team_id_fkey refers to teams \(code\)"):
        workshop.find(no_renames=True)
    workshop.codegen(drop_tables=True)
    workshop.migrate()
    workshop.check()


def test_what_a_table_that_is_left_alone_refers_to_cannot_be_dropped(workshop):
    note = 'class Note(Resource, table="notes"{}):\n    n: int = 1\n'
    team = "    team = belongs_to(Team)\n"
    workshop.begin(TEAMS + note.format("") + team + posts())
    workshop.declare(note.format(", migrate=False") + posts())
    with pytest.raises(UsageError, match=r"notes is kept, and .* refers to table teams") as error:
        workshop.find(drop_tables=True)
    assert "drop that foreign key first" in error.value.hint


def test_an_index_name_of_a_kept_table_cannot_be_used_again(workshop):
    workshop.begin(TEAMS + "    by = index('n', name='the_index')\n" + posts())
    workshop.declare(posts())
    workshop.codegen()
    workshop.declare(posts("by = index('title', name='The_Index')"))
    with pytest.raises(UsageError, match="index the_index of table teams, which is kept"):
        workshop.find()
    workshop.codegen(drop_tables=True)
    workshop.migrate()
    workshop.check()
