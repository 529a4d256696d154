"""Tables, their keys, indexes, checks, options and statements, with rows: up, down and up again."""

from __future__ import annotations

import pytest

from ashflow.errors import RowsForbid, UsageError


def posts(*lines, head="", columns=("id: int = integer_primary_key()", "title: str")):
    body = "".join(f"    {line}\n" for line in (*columns, *lines))
    return f'class Post(Resource, table="posts"{head}):\n{body}'


ROWS = """
    INSERT INTO posts (title) VALUES ('one')
    INSERT INTO posts (title) VALUES ('two')
"""
TITLES = [(1, "one"), (2, "two")]


# ------------------------------------------------------------------ primary keys
A, B = "a: int = 1", "b: str = 'x'"
KEYS = {
    "comes": ([A, B], [A, B, "key = primary_key('a')"]),
    "goes": ([A, B, "key = primary_key('a')"], [A, B]),
    "moves": ([A, B, "key = primary_key('a')"], [A, B, "key = primary_key('b')"]),
    "grows": ([A, B, "key = primary_key('a')"], [A, B, "key = primary_key('b', 'a')"]),
    "shrinks": ([A, B, "key = primary_key('a', 'b')"], [A, B, "key = primary_key('a')"]),
    "turns": ([A, B, "key = primary_key('a', 'b')"], [A, B, "key = primary_key('b', 'a')"]),
    "counts up": (
        ["a: int = integer_primary_key(autoincrement=False)", B],
        ["a: int = integer_primary_key()", B],
    ),
    "counts up no more": (
        ["a: int = integer_primary_key()", B],
        ["a: int = integer_primary_key(autoincrement=False)", B],
    ),
    "is new": ([A, B], [A, B, "c: int = attribute(default=0)", "key = primary_key('a', 'c')"]),
}


@pytest.mark.parametrize("way", KEYS)
def test_a_primary_key(workshop, way):
    before, after = (posts(columns=columns) for columns in KEYS[way])
    rows = "INSERT INTO posts (a, b) VALUES (7, 'x')\nINSERT INTO posts (a, b) VALUES (5, 'y')"
    change = workshop.goes(before, after, rows)
    assert change.rows("posts", "a", "b") == [(5, "y"), (7, "x")]


def test_a_counter_is_kept(workshop):
    rows = ROWS + "DELETE FROM posts WHERE id = 2"
    workshop.goes(posts("n: int = 1"), posts("n: float = 1.0"), rows)
    workshop.insert("INSERT INTO posts (title) VALUES ('three')")
    assert workshop.rows("posts", "id", "title") == [(1, "one"), (3, "three")]


def test_a_key_that_rows_do_not_have_is_refused_whole(workshop):
    workshop.begin(posts(columns=[A, B]), "INSERT INTO posts VALUES (1, 'x'), (1, 'y')")
    workshop.declare(posts(columns=[A, B, "key = primary_key('a')"]))
    workshop.codegen()
    before = workshop.query("SELECT sql FROM sqlite_master")
    with pytest.raises(RowsForbid, match="2 rows of posts would not be unique"):
        workshop.migrate()
    assert workshop.query("SELECT sql FROM sqlite_master") == before


# ------------------------------------------------------------------ foreign keys
TEAMS = (
    'class Team(Resource, table="teams"):\n    id: int = integer_primary_key()\n    n: int = 1\n'
)
CLUBS = TEAMS.replace("Team", "Club").replace("teams", "clubs")
TEAM_ROWS = (
    "INSERT INTO teams (id) VALUES (1)\nINSERT INTO teams (id) VALUES (2)\n"
    "INSERT INTO posts (title, team_id) VALUES ('one', 1)"
)
TEAM = "team = belongs_to('Team', nullable=True{})".format
PLAIN = "team_id: int | None"
FOREIGN = {
    "comes to a column that is there": (PLAIN, TEAM("")),
    "goes and leaves its column": (TEAM(""), PLAIN),
    "gets another action": (TEAM(""), TEAM(", on_delete='cascade', on_update='restrict'")),
    "loses its action": (TEAM(", on_delete='set_null'"), TEAM("")),
    "is deferred": (TEAM(""), TEAM(", deferrable=True")),
    "gets an index": (TEAM(""), TEAM(", index=True")),
    "gets another name": (TEAM(""), TEAM(", name='posts_of_team'")),
}


@pytest.mark.parametrize("way", FOREIGN)
def test_a_foreign_key(workshop, way):
    before, after = (TEAMS + posts(line) for line in FOREIGN[way])
    change = workshop.goes(before, after, TEAM_ROWS)
    assert change.rows("posts", "title", "team_id") == [("one", 1)]
    assert change.rows("teams", "id", "n") == [(1, 1), (2, 1)]


def test_a_foreign_key_with_its_column_comes_and_goes(workshop):
    change = workshop.goes(TEAMS + posts(), TEAMS + posts(TEAM("")), ROWS)
    assert change.did == ["AddColumn"]
    assert change.rows("posts", "title", "team_id") == [("one", None), ("two", None)]


def test_a_foreign_key_leads_to_another_table(workshop):
    clubs = TEAM("").replace("'Team'", "'Club'")
    before, after = (TEAMS + CLUBS + posts(line) for line in (TEAM(""), clubs + "  # team_id"))
    after = after.replace("belongs_to('Club'", "belongs_to('Club', source='team_id'")
    rows = TEAM_ROWS + "\nINSERT INTO clubs (id) VALUES (1)"
    change = workshop.goes(before, after, rows)
    assert set(change.did) == {"DropForeignKey", "AddForeignKey"}
    assert change.rows("posts", "title", "team_id") == [("one", 1)]


def test_a_foreign_key_that_rows_break_is_refused_whole(workshop):
    workshop.begin(TEAMS + posts(PLAIN), "INSERT INTO posts (title, team_id) VALUES ('one', 9)")
    workshop.declare(TEAMS + posts(TEAM("")))
    workshop.codegen()
    with pytest.raises(RowsForbid, match=r"1 row"):
        workshop.migrate()
    assert workshop.schema()["posts"].foreign_keys == ()


PAIR = TEAMS + "    unique_n = identity('id', 'n')\n"
BOTH = "key = foreign_key('team_id', 'n', to=Team, keys=('id', 'n'){})".format
SEVERAL = {
    "comes": ([], [BOTH("")]),
    "goes": ([BOTH("")], []),
    "gets another action": ([BOTH("")], [BOTH(", on_delete='cascade'")]),
}


@pytest.mark.parametrize("way", SEVERAL)
def test_a_foreign_key_of_several_columns(workshop, way):
    before, after = (PAIR + posts(PLAIN, "n: int | None", *lines) for lines in SEVERAL[way])
    rows = """
        INSERT INTO teams (id) VALUES (1)
        INSERT INTO posts (title, team_id, n) VALUES ('one', 1, 1)
    """
    change = workshop.goes(before, after, rows)
    assert change.rows("posts", "title", "team_id", "n") == [("one", 1, 1)]


SELF = "parent = belongs_to('Post', nullable=True{})".format


@pytest.mark.parametrize("ways", [("", ", on_delete='cascade'"), (", on_delete='cascade'", "")])
def test_a_table_that_refers_to_itself(workshop, ways):
    rows = ROWS + "UPDATE posts SET parent_id = 1 WHERE id = 2"
    change = workshop.goes(*(posts(SELF(way)) for way in ways), rows)
    assert change.rows("posts", "id", "parent_id") == [(1, None), (2, 1)]
    workshop.declare(posts())
    workshop.codegen(drop_columns=True)
    workshop.migrate()
    assert change.rows("posts", "id", "title") == TITLES


def circle(count, extra=""):
    return "".join(
        f'class T{i}(Resource, table="t{i}"):\n    id: int = integer_primary_key()\n'
        f"    n: int = 1\n    next = belongs_to('T{(i + 1) % count}', nullable=True{extra})\n"
        for i in range(count)
    )


@pytest.mark.parametrize("count", [2, 3])
def test_tables_that_refer_to_each_other_in_a_circle(workshop, count):
    rows = "\n".join(f"INSERT INTO t{i} (id, next_id) VALUES (1, 1)" for i in range(count))
    change = workshop.goes(circle(count), circle(count, ", on_delete='cascade'"), rows)
    assert [change.rows(f"t{i}", "id", "next_id") for i in range(count)] == [[(1, 1)]] * count
    workshop.declare(posts())
    workshop.codegen(drop_tables=True, no_renames=True)
    workshop.migrate()
    assert [*workshop.schema()] == ["posts"]
    workshop.rollback()
    workshop.sound()
    assert len(workshop.schema()) == count


def test_a_foreign_key_follows_a_table_that_is_renamed_in_the_same_run(workshop):
    after = (TEAMS + posts(TEAM(", on_delete='cascade'"))).replace('"teams"', '"squads"')
    change = workshop.goes(TEAMS + posts(TEAM("")), after, TEAM_ROWS, "teams=squads")
    assert change.did[:2] == ["DropForeignKey", "RenameTable"]
    assert change.rows("squads", "id", "n") == [(1, 1), (2, 1)]
    assert change.rows("posts", "title", "team_id") == [("one", 1)]


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


# ------------------------------------------------------------------ options and statements
@pytest.mark.parametrize("option", ["strict", "without_rowid", "strict=True, without_rowid"])
@pytest.mark.parametrize("way", ["on", "off"])
def test_an_option_is_turned(workshop, option, way):
    columns = ["id: int = attribute(primary_key=True)", "title: str", "price: Decimal = 1"]
    off, on = posts(columns=columns), posts(columns=columns, head=f", {option}=True")
    rows = "INSERT INTO posts (id, title) VALUES (1, 'one')\nINSERT INTO posts VALUES (2, 'two', 3)"
    change = workshop.goes(*((off, on) if way == "on" else (on, off)), rows)
    assert change.rows("posts", "id", "title") == TITLES


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
