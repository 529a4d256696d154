"""Foreign keys that change in tables with rows: up, down and up again."""

from __future__ import annotations

import pytest
from declarations import CLUBS, PLAIN, ROWS, TEAM, TEAM_ROWS, TEAMS, TITLES, circle, posts, teams

from ashflow.errors import RowsForbid

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


@pytest.mark.parametrize("count", [2, 3])
def test_tables_that_refer_to_each_other_in_a_circle(workshop, count):
    rows = "\n".join(f"INSERT INTO t{i} (id, next_id) VALUES (1, 1)" for i in range(count))
    change = workshop.goes(circle(count), circle(count, extra=", on_delete='cascade'"), rows)
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


BOTH_TABLES = TEAMS + CLUBS
OF_TWO = "key = foreign_key('{}', '{}', to={}, keys=('id', 'n'){})".format
WIDE = "    u = identity('id', 'n')\n"
PAIRS = (TEAMS + WIDE) + (CLUBS + WIDE)
TURNS = {
    "to a new table": (posts(), CLUBS + posts("club = belongs_to('Club', nullable=True)")),
    "from a table that goes to one that comes": (
        TEAMS + posts("team = belongs_to('Team', nullable=True)"),
        CLUBS + posts("club = belongs_to('Club', nullable=True)"),
    ),
    "with its column renamed": (
        BOTH_TABLES + posts("team = belongs_to('Team', nullable=True)"),
        BOTH_TABLES + posts("club = belongs_to('Club', nullable=True)"),
        "posts.team_id=club_id",
    ),
    "to a table that is renamed, and new": (
        TEAMS + posts(),
        TEAMS.replace("teams", "squads") + posts("team = belongs_to(Team, nullable=True)"),
        "teams=squads",
    ),
    "to a column that is renamed, and new": (
        TEAMS + "    u = identity('n')\n" + posts(),
        (TEAMS + "    u = identity('n')\n").replace("n: int", "m: int").replace("'n'", "'m'")
        + posts("team = belongs_to(Team, to='m', nullable=True)"),
        "teams.n=m",
    ),
    "of several columns to another table": (
        PAIRS + posts("a: int | None", "b: int | None", OF_TWO("a", "b", "Team", "")),
        PAIRS + posts("a: int | None", "b: int | None", OF_TWO("a", "b", "Club", "")),
    ),
    "of several columns to itself": (
        posts("n: int = 1", "u = identity('id', 'n')"),
        posts(
            "n: int = 1",
            "u = identity('id', 'n')",
            "a: int | None",
            OF_TWO("a", "n", "'Post'", ", on_update='cascade', deferrable=True"),
        ),
    ),
    "of one column to several": (
        PAIRS + posts("n: int = 1", "team = belongs_to(Team, nullable=True)"),
        PAIRS
        + posts("n: int = 1", PLAIN, OF_TWO("team_id", "n", "Team", ", name='posts_team_id_fkey'")),
    ),
    "that shares its column": (
        PAIRS + posts("n: int = 1", "a: int | None", OF_TWO("a", "n", "Team", "")),
        PAIRS
        + posts(
            "n: int = 1",
            "a: int | None",
            "b: int | None",
            OF_TWO("a", "n", "Team", ""),
            OF_TWO("b", "n", "Club", "").replace("key =", "other ="),
            "alone = foreign_key('b', to=Club, keys=('id',))",
        ),
    ),
    "in another order": (
        PAIRS + posts("a: int | None", "b: int = 1", OF_TWO("a", "b", "Team", "")),
        (PAIRS + posts("a: int | None", "b: int = 1", OF_TWO("b", "a", "Team", ""))).replace(
            "'id', 'n'", "'n', 'id'"
        ),
    ),
}


@pytest.mark.parametrize("way", TURNS)
@pytest.mark.parametrize("back", [False, True])
def test_a_foreign_key_leads(workshop, way, back):
    before, after, *flags = TURNS[way]
    if back:
        before, after = after, before
        flags = ["=".join(_turned(flag)) for flag in flags]
    change = workshop.goes(before, after, ROWS, *flags, drop_tables=True)
    assert change.rows("posts", "id", "title") == TITLES


def _turned(flag):
    """The two sides of an answer for the way back."""
    old, new = flag.split("=")
    table, dot, column = old.rpartition(".")
    return f"{table}{dot}{new}", column


CIRCLES = {
    "of new tables": (posts(), posts() + circle(3)),
    "of new columns": (
        circle(3, extra=", to='id'").replace("    next =", "    # next ="),
        circle(3),
    ),
    "of old and new tables": (circle(1), circle(3)),
    "that is opened": (circle(3), circle(3).replace("belongs_to('T0'", "belongs_to('T2'")),
    "that loses a table": (circle(3), circle(2)),
    "of renamed tables": (
        circle(3),
        circle(3, extra=", on_delete='cascade'", table="u{}"),
        *(f"t{i}=u{i}" for i in range(3)),
    ),
    "of tables that pass on their names": (
        circle(3),
        circle(3, table="u{}").replace("u0", "t1").replace("u1", "t2").replace("u2", "t0"),
        *("t0=t1", "t1=t2", "t2=t0"),
    ),
}


@pytest.mark.parametrize("way", CIRCLES)
def test_a_circle(workshop, way):
    before, after, *flags = CIRCLES[way]
    rows = "INSERT INTO t0 (n) VALUES (5)\nINSERT INTO t0 (n) VALUES (6)"
    rows = rows if "t0" in before else ROWS
    workshop.goes(before, after, rows, *flags, drop_tables=True)


def test_a_circle_of_keys_of_several_columns(workshop):
    tables = [
        posts("u = identity('id', 'title')", "a: int | None", "b: str | None", "{}", **names)
        for names in ({}, {"name": "Note", "table": "notes"})
    ]
    keys = [
        f"key = foreign_key('a', 'b', to='{to}', keys=('id', 'title'))" for to in ("Note", "Post")
    ]
    before = "".join(table.format("# none yet") for table in tables)
    after = "".join(table.format(key) for table, key in zip(tables, keys, strict=True))
    rows = ROWS + "INSERT INTO notes (title, a, b) VALUES ('x', 2, 'two')"
    change = workshop.goes(before, after, rows)
    assert change.did == ["AddForeignKey"] * 2


NAMES_TAKEN = {
    "of a column": (
        TEAMS.replace("n: int", "a: int") + "    n: int = 2\n    u = identity('n')\n"
        "    w = identity('a')\n" + posts("team = belongs_to(Team, to='n', nullable=True)"),
        TEAMS + "    u = identity('n')\n" + posts("team = belongs_to(Team, to='n', nullable=True)"),
        "teams.a=n",
    ),
    "of a column of its own table": (
        posts(
            "n: int = 1",
            "a: int | None",
            "u = identity('id', 'n')",
            "w = identity('id', 'a')",
            "b: int | None",
            OF_TWO("b", "n", "'Post'", ""),
        ),
        posts(
            "n: int | None",
            "u = identity('id', 'n')",
            "b: int | None",
            OF_TWO("b", "n", "'Post'", ""),
        ),
        "posts.a=n",
    ),
    "of a table": (
        TEAMS + CLUBS + posts("team = belongs_to(Team, nullable=True)"),
        TEAMS + posts("team = belongs_to(Team, nullable=True)"),
        "clubs=teams",
    ),
    "of a table that refers to itself": (
        teams("t = belongs_to('Team', nullable=True)")
        + teams("t = belongs_to('Club', nullable=True)", name="Club", table="clubs"),
        teams("t = belongs_to('Team', nullable=True)"),
        "clubs=teams",
    ),
}


@pytest.mark.parametrize("what", NAMES_TAKEN)
def test_a_foreign_key_refers_to_what_takes_the_name(workshop, what):
    """It goes before the renames, in which SQLite would let it follow the wrong one."""
    before, after, *flags = NAMES_TAKEN[what]
    change = workshop.goes(
        before,
        after,
        "INSERT INTO teams (id) VALUES (7)" if "teams" in before else ROWS,
        *flags,
        drop_tables=True,
    )
    assert change.did[0] == "DropForeignKey"


def test_a_table_that_others_refer_to_is_made_anew_and_takes_no_row_along(workshop):
    child = posts("team = belongs_to(Team, on_delete='cascade')")
    rows = "INSERT INTO teams (id) VALUES (3)\nINSERT INTO posts (title, team_id) VALUES ('x', 3)"
    change = workshop.goes(
        TEAMS + child, TEAMS.replace("n: int = 1", "n: float | None") + child, rows
    )
    assert change.rows("posts", "title", "team_id") == [("x", 3)]
