"""Tables that branches changed and git merged: codegen goes on from both, or says why not."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import changed_schemas, changes_of
from strategies.repo import NO, Repo

from ashflow.adapters.connect import connect
from ashflow.change.renames import Renames
from ashflow.errors import ForkError, SnapshotError, UsageError
from ashflow.history.snapshot import hash_of
from ashflow.plan.choices import Choices
from ashflow.schema.datatypes import sql
from ashflow.schema.table import (
    DOMAIN,
    Check,
    Column,
    ForeignKey,
    Index,
    Options,
    Schema,
    Statement,
    Table,
)

DROP = Choices(no_renames=True, drop_columns=True, drop_tables=True)
RESOLVE = replace(NO, resolve=True)


def text(name, **more):
    return Column(name, "text", nullable=True, **more)


def posts(*columns, **more):
    return Table("posts", [Column("id", "integer"), *columns], primary_key=["id"], **more)


TITLE = text("title")
BASE = Schema([posts(TITLE)])


def branches(base, *schemas, choices=DROP, apart=10):
    """A repo, and branches of it that have gone on to other schemas."""
    trunk = Repo(base)
    found = []
    for i, schema in enumerate(schemas):
        branch = trunk.branch(apart * i)
        branch.codegen(schema, choices if isinstance(choices, Choices) else choices[i])
        found.append(branch)
    return trunk, found


def merged(base, *schemas, **more):
    trunk, found = branches(base, *schemas, **more)
    return trunk.merge(*found)


def on_sqlite(tmp_path, repo, orders):
    """The schemas of databases that got the migrations of a repo in some orders."""
    for i, order in enumerate(orders):
        database = connect(f"sqlite:///{i}.db", root=tmp_path)
        database.create()
        with database.locked() as session:
            for version in order:
                session.run(repo.operations(version))
            if "posts" in session.introspect():
                session.execute("INSERT INTO posts (id) VALUES (1)")
            yield dict(session.introspect())
        database.close()


# ------------------------------------------------------------------ what goes together
GO_TOGETHER = {
    "two columns": ([text("a")], {}, [text("b")], {}),
    "a column and an index": (
        [text("a")],
        {},
        [],
        {"indexes": [Index("posts_title_index", ["title"])]},
    ),
    "a check and a column": ([], {"checks": [Check("posts_id_check", "id > 0")]}, [text("b")], {}),
    "two statements": (
        [],
        {"statements": [Statement("one", "CREATE VIEW one AS SELECT 1", "DROP VIEW one")]},
        [],
        {"statements": [Statement("two", "CREATE VIEW two AS SELECT 2", "DROP VIEW two")]},
    ),
}


@pytest.mark.parametrize("case", GO_TOGETHER)
def test_both_changes_are_there_and_nothing_is_left_to_do(case, tmp_path):
    left, on_left, right, on_right = GO_TOGETHER[case]
    ours = Schema([posts(TITLE, *left, **on_left)])
    theirs = Schema([posts(TITLE, *right, **on_right)])
    more = {key: [*on_left.get(key, ()), *on_right.get(key, ())] for key in on_left | on_right}
    both = Schema([posts(TITLE, *left, *right, **more)])
    for parts in ([ours, theirs], [theirs, ours]):
        repo = merged(BASE, *parts)
        assert not repo.find(both)
        assert repo.said == both
        first, *others = [file.version for file in repo.history.migrations]
        orders = [(first, *order) for order in permutations(others)]
        schemas = list(on_sqlite(tmp_path, repo, orders))
        for path in tmp_path.iterdir():
            path.unlink()
        assert schemas[0] == schemas[1]


def test_the_next_snapshot_follows_both_and_ends_the_fork():
    repo = merged(BASE, Schema([posts(TITLE, text("a"))]), Schema([posts(TITLE, text("b"))]))
    leaves = repo.history.leaves()["posts"].follows
    both = Schema([posts(TITLE, text("a"), text("b"), text("c"))])
    change = repo.codegen(both)
    assert [type(operation).__name__ for operation in change.operations] == ["AddColumn"]
    last = repo.history.leaves()["posts"]
    assert not last.follows
    assert set(last.parents) == {leaf.hash for leaf in leaves}
    assert last.ancestors == 3
    assert [c["name"] for c in last.data["columns"]] == ["id", "title", "a", "b", "c"]
    assert not repo.find(both)
    assert repo.said == repo.database == both


def test_three_branches_at_once():
    wide = [Schema([posts(TITLE, text(name))]) for name in "abc"]
    both = Schema([posts(TITLE, *map(text, "abc"))])
    for order in permutations(wide):
        repo = merged(BASE, *order)
        assert not repo.find(both)
        assert len(repo.history.leaves()["posts"].follows) == 3


def test_a_branch_of_several_steps_goes_together_with_another():
    trunk = Repo(BASE)
    left, right = trunk.branch(0), trunk.branch(50)
    for columns in ([text("a")], [text("a"), text("b")], [text("b")]):
        left.codegen(Schema([posts(TITLE, *columns)]), DROP)
    right.codegen(Schema([posts(TITLE, text("c"))]), DROP)
    repo = trunk.merge(left, right)
    assert not repo.find(Schema([posts(TITLE, text("b"), text("c"))]))


def test_branches_that_went_apart_again_after_a_merge_go_together_too():
    repo = merged(BASE, Schema([posts(TITLE, text("a"))]), Schema([posts(TITLE, text("b"))]))
    repo.codegen(Schema([posts(TITLE, text("a"), text("b"), text("c"))]))
    left, right = repo.branch(10), repo.branch(20)
    left.codegen(Schema([posts(TITLE, *map(text, "abcd"))]))
    right.codegen(Schema([posts(TITLE, *map(text, "abce"))]))
    assert not repo.merge(left, right).find(Schema([posts(TITLE, *map(text, "abcde"))]))


def test_a_column_that_one_branch_let_go_is_retired_in_the_whole():
    repo = merged(BASE, Schema([posts()]), Schema([posts(TITLE, text("a"))]), choices=NO)
    leaf = repo.history.leaves()["posts"]
    assert leaf.retired == ("title",)
    assert not repo.find(Schema([posts(text("a"))]))
    assert repo.find(Schema([posts(TITLE, text("a"))])).kept[0].back


def test_a_column_that_one_branch_took_back_is_back_in_the_whole():
    trunk = Repo(BASE)
    trunk.codegen(Schema([posts()]))
    left, right = trunk.branch(10), trunk.branch(20)
    left.codegen(Schema([posts(TITLE)]))
    right.codegen(Schema([posts(text("a"))]))
    repo = trunk.merge(left, right)
    assert repo.history.leaves()["posts"].retired == ()
    assert not repo.find(Schema([posts(TITLE, text("a"))]))


def test_a_table_that_one_branch_let_go_is_retired_with_what_the_other_did():
    repo = merged(BASE, Schema(), Schema([posts(TITLE, text("a"))]), choices=NO)
    leaf = repo.history.leaves()["posts"]
    assert leaf.state == "retired"
    assert leaf.physical == posts(TITLE, text("a"))
    assert not repo.find(Schema())
    assert repo.find(Schema([posts(TITLE, text("a"))])).kept[0].back


def test_a_retired_table_that_one_branch_took_back_is_live():
    trunk = Repo(BASE)
    trunk.codegen(Schema())
    left, right = trunk.branch(10), trunk.branch(20)
    left.codegen(BASE)
    right.codegen(Schema([posts(TITLE, text("a"))]))
    assert trunk.merge(left, right).history.leaves()["posts"].state == "live"


def test_a_foreign_key_follows_a_table_that_one_branch_renamed():
    teams = Table("teams", [Column("id", "integer")], primary_key=["id"])
    key = ForeignKey("teams", "id", columns=["team_id"], name="posts_team_id_fkey")
    team = Column("team_id", "integer", nullable=True)
    base = Schema([teams, posts(team, foreign_keys=[key])])
    squads = replace(teams, name="squads")
    moved = replace(key, table="squads")
    left = Schema([squads, posts(team, foreign_keys=[moved])])
    right = Schema([teams, posts(team, text("a"), foreign_keys=[key])])
    renaming = Choices(Renames({"teams": "squads"}))
    both = Schema([squads, posts(team, text("a"), foreign_keys=[moved])])
    repo = merged(base, left, right, choices=[renaming, NO])
    assert not repo.find(both)
    assert repo.said == both


def test_statements_of_the_domain_go_together():
    def domain(*names):
        made = [Statement(n, f"CREATE VIEW {n} AS SELECT 1", f"DROP VIEW {n}") for n in names]
        return Schema([*BASE.values(), Table(DOMAIN, statements=made)])

    repo = merged(domain("a", "b"), domain("a", "x", "b"), domain("b", "y"))
    assert not repo.find(domain("x", "b", "y"))
    gone = merged(domain("a", "b"), domain("a"), domain("b"))
    assert gone.history.leaves()[DOMAIN].state == "dropped"
    assert not gone.find(BASE)


# ------------------------------------------------------------------ what does not
CLASHES = {
    "one drops what the other indexes": (
        posts(),
        posts(TITLE, indexes=[Index("posts_title_index", ["title"])]),
        NO,
        "column posts.title",
    ),
    "one renames what the other alters": (
        posts(text("headline")),
        posts(replace(TITLE, default="x")),
        Choices(Renames({}, {"posts": {"title": "headline"}})),
        "column posts.title",
    ),
    "one renames what the other checks": (
        posts(text("headline")),
        posts(TITLE, checks=[Check("posts_title_check", "title <> ''")]),
        Choices(Renames({}, {"posts": {"title": "headline"}})),
        "column posts.title",
    ),
    "both alter one column": (
        posts(replace(TITLE, default="x")),
        posts(replace(TITLE, default="y")),
        NO,
        "column posts.title",
    ),
    "both add one column": (
        posts(TITLE, text("a")),
        posts(TITLE, text("a", default="x")),
        NO,
        "column posts.a",
    ),
}


@pytest.mark.parametrize("case", CLASHES)
def test_a_clash_names_the_member_and_both_files_and_the_ways_out(case):
    left, right, choices, part = CLASHES[case]
    first = replace(choices, drop_columns=True)
    for parts, both in (([left, right], [first, NO]), ([right, left], [NO, first])):
        repo = merged(BASE, *(Schema([table]) for table in parts), choices=both)
        with pytest.raises(ForkError) as caught:
            repo.find(BASE)
        message = caught.value.message
        assert message.startswith(f"two branches changed {part}, ")
        for file in repo.history.snapshots["posts"][1:]:
            assert file.path in message
        assert "regen NAME --since" in caught.value.hint
        assert ("codegen NAME --resolve" in caught.value.hint) == can_be_resolved(repo)


def can_be_resolved(repo):
    try:
        repo.history.leaves(resolve=True)
    except ForkError:
        return False
    return True


VIEW = Statement("seen", "CREATE VIEW seen AS SELECT title FROM posts", "DROP VIEW seen")


@pytest.mark.parametrize(
    ("older", "younger", "renames"),
    [
        (posts(text("name")), posts(TITLE, checks=[Check("c", "title <> ''")]), "title"),
        (posts(text("name")), posts(TITLE, indexes=[Index("i", ["title"])]), "title"),
        (posts(), posts(TITLE, indexes=[Index("i", [sql("lower(title)")])]), ""),
        (posts(), posts(TITLE, text("big", generated_as="upper(title)")), ""),
        (posts(), posts(TITLE, statements=[VIEW]), ""),
    ],
)
def test_what_is_made_of_a_column_that_the_older_one_takes_can_not_be_resolved(
    older, younger, renames
):
    answers = Renames(columns={"posts": {"title": "name"}}) if renames else Renames()
    first = Choices(answers, drop_columns=True)
    repo = merged(BASE, Schema([older]), Schema([younger]), choices=[first, NO])
    with pytest.raises(ForkError) as caught:
        repo.find(BASE)
    assert "--resolve" not in caught.value.hint
    with pytest.raises(ForkError, match=r"is about posts\.title, which is gone"):
        repo.find(BASE, RESOLVE)


def test_a_table_renamed_and_changed_is_a_clash():
    renamed = Schema([replace(posts(TITLE), name="articles")])
    repo = merged(
        BASE,
        renamed,
        Schema([posts(TITLE, text("a"))]),
        choices=[Choices(Renames({"posts": "articles"})), NO],
    )
    with pytest.raises(ForkError, match="two branches changed table posts"):
        repo.find(renamed)
    with pytest.raises(ForkError, match="one of them gives the table another name"):
        repo.find(renamed, RESOLVE)


def test_a_table_dropped_and_changed_is_a_clash():
    repo = merged(BASE, Schema(), Schema([posts(TITLE, text("a"))]))
    with pytest.raises(ForkError, match="two branches changed table posts"):
        repo.find(BASE)


@pytest.mark.parametrize("schema", [posts(TITLE, text("a")), posts(text("name"))])
def test_a_table_that_the_younger_one_drops_without_knowing_a_column_can_not_be_resolved(schema):
    renamed = Choices(Renames(columns={"posts": {"title": "name"}}))
    first = renamed if schema.column("name") else NO
    repo = merged(BASE, Schema([schema]), Schema(), choices=[first, DROP])
    with pytest.raises(ForkError, match="two branches changed") as caught:
        repo.find(BASE)
    assert "--resolve" not in caught.value.hint
    with pytest.raises(ForkError, match=r"drop table posts does not know its column (a|name)"):
        repo.find(BASE, RESOLVE)


DRAFTS = replace(posts(TITLE), name="drafts")


def test_a_table_whose_name_another_one_takes_goes_together_with_no_change_of_it():
    """Nor does any order, and what the name stands for then was never changed on the other."""
    base = Schema([posts(TITLE), DRAFTS])
    taken = Schema([posts(TITLE)])
    swap = Choices(Renames({"drafts": "posts"}), drop_tables=True)
    named = Choices(Renames(columns={"posts": {"title": "name"}}))
    for other, choice in ((posts(text("name")), named), (posts(TITLE, text("a")), NO)):
        repo = merged(base, taken, Schema([other, DRAFTS]), choices=[swap, choice])
        with pytest.raises(ForkError, match="two branches changed table posts") as caught:
            repo.find(taken)
        assert "--resolve" not in caught.value.hint
        with pytest.raises(ForkError, match="gives the name of the table to another one"):
            repo.find(taken, RESOLVE)


@pytest.mark.parametrize("away", ["archive", None])
def test_a_name_that_was_taken_and_given_on_goes_together_with_a_column_let_go(away):
    trunk = Repo(Schema([posts(TITLE), DRAFTS]))
    left, right = trunk.branch(0), trunk.branch(10)
    kept = [] if away is None else [replace(posts(TITLE), name=away)]
    if away is not None:
        left.codegen(Schema([*kept, DRAFTS]), Choices(Renames({"posts": away})))
    else:
        left.codegen(Schema([DRAFTS]), DROP)
    left.codegen(Schema([*kept, posts(TITLE)]), Choices(Renames({"drafts": "posts"})))
    articles = Schema([*kept, replace(posts(TITLE), name="articles")])
    left.codegen(articles, Choices(Renames({"posts": "articles"})))
    right.codegen(Schema([posts(), DRAFTS]))  # title is kept, and nothing done
    repo = trunk.merge(left, right)
    assert repo.leaves()["posts"].state == "renamed"


def test_a_primary_key_that_both_take_away_is_a_clash_that_no_order_resolves():
    loose = Schema([Table("posts", [Column("id", "integer"), TITLE])])
    repo = merged(BASE, loose, loose)
    with pytest.raises(ForkError, match="two branches changed"):
        repo.find(loose)
    with pytest.raises(ForkError, match="comes too late"):
        repo.find(loose, RESOLVE)


def test_a_table_without_rowids_whose_key_the_older_one_takes_can_not_be_resolved():
    loose = Schema([Table("posts", [Column("id", "integer"), TITLE])])
    bare = Schema([posts(TITLE, options=Options(without_rowid=True))])
    repo = merged(BASE, loose, bare)
    with pytest.raises(ForkError, match="two branches changed"):
        repo.find(loose)
    with pytest.raises(ForkError, match="no table: WITHOUT ROWID, and no primary key"):
        repo.find(loose, RESOLVE)


def test_the_same_table_made_on_both_is_a_clash_that_no_order_resolves():
    repo = merged(Schema(), BASE, BASE)
    with pytest.raises(ForkError, match="two branches changed table posts"):
        repo.find(BASE)
    with pytest.raises(ForkError, match=r"cannot run one after the other.*is there already"):
        repo.find(BASE, RESOLVE)


# ------------------------------------------------------------------ --resolve
def test_resolve_takes_what_both_make_in_order_of_version_and_the_resources_decide(tmp_path):
    left = Schema([posts(replace(TITLE, default="x"))])
    right = Schema([posts(replace(TITLE, default="y"), text("a"))])
    repo = merged(BASE, left, right)
    last = repo.leaves(resolve=True)["posts"]
    assert last.physical.column("title").default == "y"
    change = repo.codegen(left, replace(DROP, resolve=True))
    assert [type(operation).__name__ for operation in change.operations] == [
        "AlterColumn",
        "DropColumn",
    ]
    assert not repo.find(left)
    assert repo.said == repo.database == left
    versions = [file.version for file in repo.history.migrations]
    (schema,) = on_sqlite(tmp_path, repo, [versions])
    assert schema["posts"].column("title").default == sql("'x'")


def test_resolve_says_of_a_column_that_both_altered_what_the_database_makes_of_it(tmp_path):
    left = Schema([posts(replace(TITLE, default="x", comment="left"))])
    right = Schema([posts(replace(TITLE, nullable=False, collate="NOCASE"))])
    repo = merged(BASE, left, right, choices=[NO, NO])
    (title,) = (c for c in repo.leaves(resolve=True)["posts"].physical.columns if c.name == "title")
    assert title == Column("title", "text", default="x", collate="NOCASE", comment="left")
    versions = [file.version for file in repo.history.migrations]
    (found,) = on_sqlite(tmp_path, repo, [versions])
    (there,) = (column for column in found["posts"].columns if column.name == "title")
    assert there == Column("title", "raw:TEXT", default=sql("'x'"), collate="NOCASE")


def test_resolve_writes_an_end_of_the_fork_where_nothing_else_is_to_be_done():
    left = Schema([posts(replace(TITLE, default="x"))])
    right = Schema([posts(replace(TITLE, default="y"))])
    repo = merged(BASE, left, right)
    change = repo.codegen(right, RESOLVE)
    assert change.operations == ()
    assert not repo.find(right)
    newest = repo.history.migrations[-1]
    assert "# resolved: posts, changed on branches by " in repo.files[newest.path]
    assert repo.operations(newest.version) == ()


def test_resolve_ends_the_fork_of_a_table_that_no_resource_declares_any_more():
    right = Schema([posts(TITLE, indexes=[Index("posts_title_index", ["title"])])])
    repo = merged(BASE, right, Schema(), choices=[NO, DROP])
    with pytest.raises(ForkError):
        repo.find(Schema())
    change = repo.codegen(Schema(), RESOLVE)
    assert change.operations == ()
    assert repo.history.leaves()["posts"].state == "dropped"
    assert not repo.find(Schema())


def test_resolve_changes_nothing_where_branches_go_together():
    both = Schema([posts(TITLE, text("a"), text("b"))])
    repo = merged(BASE, Schema([posts(TITLE, text("a"))]), Schema([posts(TITLE, text("b"))]))
    assert not repo.find(both, RESOLVE)


def test_an_operation_that_is_none_is_an_error_that_names_the_file():
    repo = merged(BASE, Schema([posts(TITLE, text("a"))]), Schema([posts(TITLE, text("b"))]))
    path = repo.history.snapshots["posts"][-1].path
    data = json.loads(repo.files[path])
    data["operations"] = [{"op": "Explode"}]
    repo.files[path] = json.dumps({**data, "hash": hash_of(data)}, ensure_ascii=False)
    with pytest.raises(SnapshotError, match=f"{path} has an operation that is none"):
        repo.find(BASE)


# ------------------------------------------------------------------ the law
@given(changed_schemas(), st.data())
def test_whatever_branches_do_codegen_goes_on_or_refuses_whichever_is_older(pair, data):
    base, left = pair
    right = data.draw(changes_of(base))
    ends = []
    for schemas in ((left, right), (right, left)):
        try:
            repo = merged(base, *schemas)
        except UsageError:
            assume(False)
        try:
            said = repo.said
        except ForkError:
            ends.append(None)
            continue
        ends.append(said)
        repo.codegen(left, DROP)
        assert not repo.find(left)
        assert repo.said == left
    assert ends[0] == ends[1]
