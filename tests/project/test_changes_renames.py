"""Columns and tables that get another name, with rows: up, down and up again."""

from __future__ import annotations

import shlex

import pytest

from ashflow.errors import RenameQuestions, RowsForbid, UsageError

ROWS = """
    INSERT INTO posts (id, title, body) VALUES (1, 'one', 'B1')
    INSERT INTO posts (id, title, body) VALUES (2, 'two', 'B2')
"""
VALUES = [("one", "B1"), ("two", "B2")]
SWAP = ("posts.title=body", "posts.body=title")


def posts(*lines, a="title", b="body", table="posts"):
    """A resource with two texts, and lines in which {a} and {b} stand for their names."""
    own_key = any("primary_key(" in line for line in lines)
    body = ("id: int" if own_key else "id: int = integer_primary_key()", "{a}: str", "{b}: str")
    source = "".join(f"    {line}\n" for line in (*body, *lines)).format(a=a, b=b)
    return f'class Post(Resource, table="{table}"):\n{source}'


# ------------------------------------------------------------------ columns
MEMBERS = {
    "nothing": (),
    "an identity": ("unique = identity('{a}')",),
    "an identity of several columns": ("unique = identity('id', desc('{a}'))",),
    "a partial identity": ("unique = identity('id', where=\"{a} <> '-'\")",),
    "an index": ("by = index('{a}', '{b}')",),
    "an index on an expression": ("by = index(sql('lower({a}) || {b} || {a}'))",),
    "a partial index": ("by = index('{b}', where='{a} IS NOT NULL')",),
    "a check": ("short = check('length({a}) < 9 OR {b} IS NULL')",),
    "a quoted name": ("short = check('length(\"{a}\") < 9')",),
    "a computed column": ("loud: str = attribute(generated_as='upper({a})')",),
    "a computed column on disk": ("loud: str = attribute(generated_as='{a} || 1', stored=True)",),
    "a computed column of another": (
        "loud: str = attribute(generated_as='upper({a})')",
        "both: str = attribute(generated_as='loud || {b}')",
    ),
    "a primary key": ("key = primary_key('id', '{a}')",),
}


@pytest.fixture(params=MEMBERS)
def lines(request):
    """Members that name a column."""
    return MEMBERS[request.param]


def test_what_names_a_column_follows_its_new_name(workshop, lines):
    after = posts(*lines, a="headline")
    change = workshop.goes(posts(*lines), after, ROWS, "posts.title=headline")
    assert change.did == ["RenameColumn"]
    assert change.rows("posts", "headline", "body") == VALUES


def test_two_columns_swap_their_names_in_all_that_names_them(workshop, lines):
    after = posts(*lines, a="body", b="title")
    change = workshop.goes(posts(*lines), after, ROWS, *SWAP)
    assert change.did == ["RenameColumn"] * 3
    assert change.rows("posts", "body", "title") == VALUES


def test_one_column_takes_the_name_of_another_in_all_that_names_them(workshop, lines):
    after = posts(*lines, a="body", b="notes")
    chain = ("posts.title=body", "posts.body=notes")
    change = workshop.goes(posts(*lines), after, ROWS, *chain)
    assert change.did == ["RenameColumn"] * 2
    assert change.rows("posts", "body", "notes") == VALUES


def test_what_names_a_column_may_stay_with_the_name(workshop, lines):
    source = posts(*lines)
    change = workshop.goes(source, source, ROWS, *SWAP)
    assert change.rows("posts", "body", "title") == VALUES


@pytest.mark.parametrize("name", ["title", "Title"])
@pytest.mark.parametrize("member", [member for member in MEMBERS if member != "an identity"])
def test_a_column_takes_the_name_of_one_that_goes(workshop, member, name):
    lines = MEMBERS[member]
    before = posts(*lines).replace("title: str", "title: str = 'back'") + "    n: str = 'n'\n"
    after = posts(*lines, a=name)
    change = workshop.goes(before, after, ROWS, f"posts.n={name}")
    assert change.rows("posts", name, "body") == [("n", "B1"), ("n", "B2")]
    workshop.rollback()
    assert workshop.rows("posts", "title", "n") == [("back", "n")] * 2


def test_three_columns_in_a_circle(workshop):
    names = ["title", "body", "n"]
    before = posts("n: str = 'n'")
    change = workshop.goes(
        before,
        before.replace("n: str = 'n'", "n: str").replace("title: str", "title: str = 'n'"),
        ROWS,
        *(f"posts.{old}={new}" for old, new in zip(names, [*names[1:], "title"], strict=True)),
    )
    assert change.rows("posts", "body", "n", "title") == [("one", "B1", "n"), ("two", "B2", "n")]


def test_a_name_changes_in_case_only(workshop, lines):
    after = posts(*lines, a="Title")
    change = workshop.goes(posts(*lines), after, ROWS, "posts.title=Title")
    assert change.did.count("RenameColumn") == 1
    assert not {"AddColumn", "DropColumn"} & {*change.did}
    assert change.rows("posts", "Title", "body") == VALUES
    assert [c.name for c in workshop.schema()["posts"].columns][1] == "Title"


def test_two_names_swap_and_change_in_case(workshop):
    flags = ("posts.title=Body", "posts.body=Title")
    change = workshop.goes(posts(), posts(a="Body", b="Title"), ROWS, *flags)
    assert change.rows("posts", "Body", "Title") == VALUES


def test_a_column_of_the_same_name_in_another_case_is_another_one_if_the_user_says_so(workshop):
    before, after = (posts(a=a).replace(f"{a}: str", f"{a}: str = ''") for a in ("title", "Title"))
    change = workshop.goes(before, after, ROWS)
    assert change.did == ["DropColumn", "AddColumn"]
    assert change.rows("posts", "Title", "body") == [("", "B1"), ("", "B2")]


@pytest.mark.parametrize("columns", ["'title'", "'title', 'id'"])
def test_a_key_goes_and_a_column_of_its_name_in_another_case_comes(workshop, columns):
    before = posts(f"key = primary_key({columns})").replace("title: str", "title: str = ''")
    after = posts("key = primary_key('id')", a="Title").replace("Title: str", "Title: str | None")
    workshop.begin(before, ROWS)
    workshop.declare(after)
    workshop.codegen(no_renames=True, drop_columns=True)
    workshop.migrate()
    workshop.check()
    assert workshop.schema() == workshop.fresh(after).schema()
    assert workshop.rows("posts", "id", "Title") == [(1, None), (2, None)]
    workshop.query("DELETE FROM posts")
    workshop.rollback()
    assert workshop.schema() == workshop.fresh(before).schema()


def test_a_rename_with_another_type(workshop):
    rows = ROWS.replace("'B1'", "'1'").replace("'B2'", "'2'")
    after = posts(b="size").replace("size: str", "size: int")
    change = workshop.goes(posts(), after, rows, "posts.body=size")
    assert change.did == ["RenameColumn", "AlterColumn"]
    assert change.rows("posts", "title", "size") == [("one", 1), ("two", 2)]


def test_a_name_is_changed_in_sql_only_where_it_is_that_column(workshop):
    lines = (
        "{c}: str = 'x'",
        "ok = check(\"title({a}) <> 'title' AND {a} <> 'title'\")".replace("title(", "upper("),
        "no = check('{c} <> {a} OR cast({a} AS text) IS NOT NULL')",
        'by = index(sql("{c} || upper({a}) || {a} COLLATE nocase /* {a} */"))',
    )
    before, after = (
        posts(*(line.replace("{c}", c) for line in lines), a=a)
        for a, c in (("upper", "text"), ("nocase", "upper"))
    )
    rows = ROWS.replace("title", "upper")
    change = workshop.goes(before, after, rows, "posts.upper=nocase", "posts.text=upper")
    assert change.rows("posts", "nocase", "body", "upper") == [(*row, "x") for row in VALUES]


# ------------------------------------------------------------------ odd names
ODD = ["a.b", "a=b", "a.b=c", "two words", 'say "hi"', '"', "it's", "größe", "null", "order", "--x"]


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_is_asked_about_with_the_option_that_answers(workshop, name):
    odd = posts(a="x").replace("x: str", f"x: str = attribute(source={name!r})")
    odd = odd.replace('"posts"', repr(name))
    rows = ROWS.replace("INTO posts", 'INTO "{0}"').replace("title", '"{0}"')
    rows = rows.format(name.replace('"', '""'))
    flags = []
    workshop.begin(odd, rows)
    for back in (False, True):
        workshop.declare(odd if back else posts())
        flags = []
        for _ in range(2):
            with pytest.raises(RenameQuestions) as asked:
                workshop.find(*flags)
            (question,) = asked.value.questions
            flags += shlex.split(question["flag"])[1:]
        workshop.codegen(*flags)
        workshop.migrate()
        workshop.check()
        table, column = (name, name) if back else ("posts", "title")
        assert workshop.rows(table, column, "body") == VALUES


# ------------------------------------------------------------------ tables and foreign keys
TEAM = """
class Team(Resource, table="{teams}"):
    {key}: int = integer_primary_key()
    {code}: str
    unique_code = identity('{code}')
"""
PLAYER = """
class Player(Resource, table="{players}"):
    id: int = integer_primary_key()
    {name}: str
    team = belongs_to('Team', source='{team}', to='{key}', on_delete='cascade', index=True)
    captain = belongs_to('Player', source='{captain}', nullable=True)
    {code}: str
    by_code = foreign_key('{code}', to='Team', keys=('{code}',))
    unique_name = identity('{name}', where="{name} <> ''")
    by_name = index(sql("lower({name})"), desc('{team}'))
    named = check("length({name}) < 99")
    loud: str = attribute(generated_as="upper({name})")
"""
NAMES = {
    "teams": "teams",
    "key": "id",
    "code": "code",
    "players": "players",
    "name": "name",
    "team": "team_id",
    "captain": "captain_id",
}
PEOPLE = """
    INSERT INTO teams (id, code) VALUES (7, 'x')
    INSERT INTO players (id, name, team_id, captain_id, code) VALUES (1, 'Ada', 7, NULL, 'x')
    INSERT INTO players (id, name, team_id, captain_id, code) VALUES (2, 'Bob', 7, 1, 'x')
"""


def league(**names):
    """Two tables that refer to each other in all ways, under other names."""
    return (TEAM + PLAYER).format(**NAMES | names)


LEAGUE = {
    "the column that refers": ({"team": "club_id"}, ["players.team_id=club_id"]),
    "the column that is referred to": ({"key": "number"}, ["teams.id=number"]),
    "both": (
        {"team": "club_id", "key": "number"},
        ["players.team_id=club_id", "teams.id=number"],
    ),
    "a column that is referred to by its name": (
        {"code": "label"},
        ["teams.code=label", "players.code=label"],
    ),
    "the column that refers to its own table": (
        {"captain": "lead_id"},
        ["players.captain_id=lead_id"],
    ),
    "the table that is referred to": ({"teams": "clubs"}, ["teams=clubs"]),
    "the table that refers, also to itself": ({"players": "people"}, ["players=people"]),
    "everything": (
        {
            "teams": "clubs",
            "key": "number",
            "code": "label",
            "players": "people",
            "name": "title",
            "team": "club_id",
            "captain": "lead_id",
        },
        [
            "players=people",
            "players.name=title",
            "players.team_id=club_id",
            "players.captain_id=people.lead_id",
            "players.code=label",
            "teams.id=number",
            "teams.code=clubs.label",
            "teams=clubs",
        ],
    ),
    "the two tables": (
        {"teams": "players", "players": "teams"},
        ["teams=players", "players=teams"],
    ),
    "the two tables, in case only": (
        {"teams": "Teams", "players": "PLAYERS"},
        ["teams=Teams", "players=PLAYERS"],
    ),
}


@pytest.mark.parametrize("what", LEAGUE)
def test_foreign_keys_and_all_members_follow_a_new_name(workshop, what):
    names, flags = LEAGUE[what]
    change = workshop.goes(league(), league(**names), PEOPLE, *flags)
    assert not {"AddColumn", "DropColumn", "CreateTable", "DropTable"} & {*change.did}
    now = NAMES | names
    columns = ["id", now["name"], now["team"], now["captain"], now["code"], "loud"]
    assert change.rows(now["players"], *columns) == [
        (1, "Ada", 7, None, "x", "ADA"),
        (2, "Bob", 7, 1, "x", "BOB"),
    ]
    assert change.rows(now["teams"], now["key"], now["code"]) == [(7, "x")]
    keys = {(key.table, *key.keys) for key in workshop.schema()[now["players"]].foreign_keys}
    assert keys == {
        (now["teams"], now["key"]),
        (now["teams"], now["code"]),
        (now["players"], "id"),
    }


VIEW = """
    view = statement(
        up="CREATE VIEW words AS SELECT {a} AS word FROM {table}", down="DROP VIEW words"
    )
    log = statement(
        up="CREATE TRIGGER log AFTER UPDATE ON {table} BEGIN "
        "UPDATE {table} SET {b} = old.{a} WHERE id = new.id; END",
        down="DROP TRIGGER log",
    )
"""


@pytest.mark.parametrize(
    ("names", "flags"),
    [
        ({"a": "headline"}, ["posts.title=headline"]),
        ({"table": "articles"}, ["posts=articles"]),
        (
            {"a": "body", "b": "title", "table": "articles"},
            ["posts=articles", "posts.title=body", "posts.body=title"],
        ),
    ],
)
def test_statements_are_made_anew_with_the_new_names(workshop, names, flags):
    usual = {"a": "title", "b": "body", "table": "posts"}
    before, after = (posts(**n) + VIEW.format(**n) for n in (usual, usual | names))
    workshop.goes(before, after, ROWS, *flags)
    assert workshop.query("SELECT word FROM words ORDER BY 1") == [("one",), ("two",)]


def test_a_new_table_takes_the_name_of_a_renamed_one_and_is_referred_to(workshop):
    after = league(teams="clubs").replace("'Team', source", "'New', source")
    after += '\nclass New(Resource, table="teams"):\n    id: int = integer_primary_key()\n'
    workshop.begin(league(), PEOPLE)
    workshop.declare(after)
    workshop.codegen("teams=clubs")
    with pytest.raises(RowsForbid, match="2 rows"):
        workshop.migrate()
    workshop.query("DELETE FROM players")
    workshop.migrate()
    assert workshop.schema() == workshop.fresh(after).schema()
    assert workshop.rows("clubs", "id", "code") == [(7, "x")]
    assert workshop.rows("teams", "id") == []
    workshop.rollback()
    assert workshop.schema() == workshop.fresh(league()).schema()


def test_a_renamed_table_takes_the_name_of_one_that_goes(workshop):
    before = posts() + TEAM.format(**NAMES)
    after = posts(table="teams")
    rows = ROWS + "INSERT INTO teams (id, code) VALUES (7, 'x')"
    workshop.begin(before, rows)
    workshop.declare(after)
    with pytest.raises(UsageError, match=r"table teams is kept, and its name is wanted for posts"):
        workshop.find("posts=teams")
    change = workshop.goes(before, after, "", "posts=teams", drop_tables=True)
    assert change.rows("teams", "title", "body") == VALUES


# ------------------------------------------------------------------ wrong answers
WRONG = [
    (["posts.title"], "say TABLE.OLD=NEW", "double quotes"),
    (["posts.title=title"], "both names are the same", ""),
    (["posts.tilte=headline"], "there was no column tilte", "There were: body, id, title."),
    (["posts.Title=headline"], "there was no column Title", "There were: body, id, title."),
    (["posts.title=nope"], "declare no column nope", "They declare: body, headline, id."),
    (["psts.title=headline"], "no table psts in the snapshots", "snapshots: posts."),
    (["posts=nope"], "declare no table nope", "They declare: posts."),
    (["psts=posts"], "there was no table psts", "There were: posts."),
    (["@domain=posts"], "there was no table @domain", ""),
    (["posts.id=body"], "id and body were there before, and both are declared", "leave the option"),
    (["posts.title=headline", "posts.title=body"], "posts.title was renamed already", "one answer"),
    (["posts.title=headline", "posts.body=headline"], "to headline already", "one answer"),
    (["posts.title=teams.headline"], "teams is another table", "posts.title=NEW"),
    (["posts=articles.headline"], "say TABLE.OLD=NEW", ""),
    (["posts.id=body", "posts.title=headline"], "both are declared", ""),
]


@pytest.mark.parametrize(("flags", "said", "hint"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_answer_is_refused(workshop, flags, said, hint):
    workshop.begin(posts(), ROWS)
    workshop.declare(posts(a="headline"))
    with pytest.raises(UsageError) as refused:
        workshop.find(*flags)
    assert refused.value.message.startswith("--rename ")
    assert said in refused.value.message
    assert hint in refused.value.hint


def test_an_answer_where_nothing_changed_is_refused(workshop):
    workshop.begin(posts(), ROWS)
    for flag in ("posts.title=body", "posts.title=headline", "posts=articles"):
        with pytest.raises(UsageError, match=f"--rename {flag}: "):
            workshop.find(flag)


def test_a_column_of_a_table_whose_name_another_takes_has_no_answer(workshop):
    workshop.begin(posts() + TEAM.format(**NAMES))
    workshop.declare(posts(table="teams"))
    with pytest.raises(UsageError, match="table teams goes, because posts takes its name"):
        workshop.find("posts=teams", "teams.code=body", drop_tables=True)


def test_a_name_in_another_case_is_asked_about_and_needs_an_answer(workshop):
    workshop.begin(posts(), ROWS)
    workshop.declare(posts(a="Title"))
    with pytest.raises(RenameQuestions, match=r"posts\.title went and Title came"):
        workshop.find()
    with pytest.raises(UsageError, match=r"column posts\.title is kept, .* wanted for Title"):
        workshop.find(no_renames=True)
    workshop.declare(posts(table="Posts"))
    with pytest.raises(RenameQuestions, match="posts went and Posts came"):
        workshop.find()
    with pytest.raises(UsageError, match=r"table posts is kept, .* wanted for Posts"):
        workshop.find(no_renames=True)


def test_what_is_kept_is_asked_about_no_more_and_may_be_renamed(workshop):
    workshop.begin(posts(), ROWS)
    workshop.declare(posts().replace("    body: str\n", ""))
    workshop.codegen()
    workshop.declare(posts(b="text"))
    assert workshop.find()[0].change
    workshop.codegen("posts.body=text")
    workshop.migrate()
    workshop.check()
    assert workshop.rows("posts", "title", "text") == VALUES
    assert workshop.schema() == workshop.fresh(posts(b="text")).schema()
