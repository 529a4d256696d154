"""What a regen replaces, and what of it must not be lost."""

from __future__ import annotations

import json

import pytest

from ashflow.change.codec import encode_migration
from ashflow.change.migration import Migration
from ashflow.change.operations import (
    AddColumn,
    AddForeignKey,
    CreateTable,
    Execute,
    RenameColumn,
    RenameTable,
)
from ashflow.change.renames import Renames
from ashflow.errors import UsageError
from ashflow.history.history import read_history
from ashflow.history.ledger import Applied
from ashflow.history.snapshot import Snapshot, new_snapshot, text_of
from ashflow.plan.built_on import refuse_built_on, refuse_caught_up
from ashflow.plan.regen import (
    Loss,
    Replaced,
    all_names,
    answers_for,
    going_down,
    is_same,
    replaced,
    under_all_names,
    unpaired,
)
from ashflow.schema.table import Column, ForeignKey, Schema, Table

MIGRATIONS, SNAPSHOTS = "priv/repo/migrations", "priv/resource_snapshots/repo"
ID, TITLE = Column("id", "integer"), Column("title", "text")
POSTS = Table("posts", [ID, TITLE])
COLOR = Column("color", "text", nullable=True)
ONE, TWO, THREE = (f"2026112306100{n}" for n in (1, 2, 3))
NOTHING = read_history({}, migrations=MIGRATIONS, snapshots=SNAPSHOTS)


def migration(version, name="m"):
    return f"{MIGRATIONS}/{version}_{name}.py"


def snapshot(version, *, table=POSTS, parents=(), operations=(), named="m"):
    data = new_snapshot(
        table,
        version=version,
        repo="repo",
        migration=named,
        operations=operations,
        parents=parents,
        ancestors=len(parents),
    )
    return Snapshot(data, f"{SNAPSHOTS}/{table.name}/{version}.json")


def history(*items):
    tree = {
        item.path if isinstance(item, Snapshot) else item: text_of(item.data)
        if isinstance(item, Snapshot)
        else ""
        for item in items
    }
    return read_history(tree, migrations=MIGRATIONS, snapshots=SNAPSHOTS)


FIRST = snapshot(ONE)
SECOND = snapshot(TWO, parents=[FIRST])


def test_an_untracked_migration_goes_with_its_snapshots():
    files = history(migration(ONE), FIRST, migration(TWO), SECOND)
    going = replaced(files, [migration(TWO), SECOND.path], NOTHING)
    assert going.paths == (migration(TWO), SECOND.path)
    assert going.versions == {TWO}


def test_a_snapshot_of_a_migration_that_is_not_there_goes():
    files = history(migration(ONE), FIRST, SECOND)
    assert replaced(files, [SECOND.path], NOTHING).paths == (SECOND.path,)


def test_a_snapshot_that_names_no_migration_stays():
    alone = snapshot(TWO, parents=[FIRST], named=None)
    files = history(migration(ONE), FIRST, alone)
    assert replaced(files, [alone.path], NOTHING) == Replaced()


def test_a_snapshot_of_a_tracked_migration_stays_and_is_told():
    files = history(migration(ONE), FIRST)
    going = replaced(files, [FIRST.path], NOTHING)
    assert going == Replaced()
    (warning,) = unpaired(files, going, [FIRST.path])
    assert FIRST.path in warning
    assert list(unpaired(files, going, [])) == []


def test_half_a_pair_is_refused():
    files = history(migration(ONE), FIRST)
    with pytest.raises(UsageError, match=r"git tracks .*posts/.*json, and not .*_m\.py"):
        replaced(files, [migration(ONE)], NOTHING)


def test_a_tracked_snapshot_beside_an_orphan_is_refused():
    other = snapshot(ONE, table=Table("tags", [ID]))
    with pytest.raises(UsageError, match="which is not there"):
        replaced(history(FIRST, other), [other.path], NOTHING)


def test_an_orphan_whose_migration_git_has_is_refused():
    gone = history(migration(ONE))
    with pytest.raises(UsageError, match="which is not on disk"):
        replaced(history(FIRST), [FIRST.path], gone)


def test_a_migration_whose_snapshot_only_git_has_is_refused():
    with pytest.raises(UsageError, match="which is not on disk"):
        replaced(history(migration(ONE)), [], history(FIRST))
    assert replaced(NOTHING, [], history(migration(ONE), FIRST)) == Replaced()


def test_what_stays_may_not_be_built_on_what_goes():
    files = history(migration(ONE), FIRST, migration(TWO), SECOND)
    going = replaced(files, [migration(ONE), FIRST.path], NOTHING)
    with pytest.raises(UsageError, match="was built on"):
        refuse_built_on(files, going)
    refuse_built_on(files, replaced(files, [migration(TWO), SECOND.path], NOTHING))


CAUGHT_UP = [
    ([AddColumn("posts", COLOR)], True),
    ([AddColumn("tags", COLOR)], False),
    ([Execute(up="SELECT 1", down="SELECT 1")], True),
    ([], False),
]


@pytest.mark.parametrize(("operations", "refused"), CAUGHT_UP)
def test_what_is_written_down_of_work_by_hand_may_not_lose_that_work(operations, refused):
    caught_up = snapshot(TWO, named=None)
    files = history(migration(ONE), caught_up)
    going = replaced(files, [migration(ONE), caught_up.path], NOTHING)
    assert going.snapshots == (), "no migration that is missing wrote it"
    loaded = {ONE: Migration(operations)}
    if not refused:
        refuse_caught_up(files, going, loaded)
        return
    with pytest.raises(UsageError, match=r"may say what .* has done"):
        refuse_caught_up(files, going, loaded)


def test_what_was_caught_up_with_may_not_follow_what_goes():
    caught_up = snapshot(TWO, parents=[FIRST], named=None)
    files = history(migration(ONE), FIRST, caught_up)
    going = replaced(files, [migration(ONE), FIRST.path, caught_up.path], NOTHING)
    with pytest.raises(UsageError, match="by codegen --snapshots-only and follows"):
        refuse_built_on(files, going)


ADD = AddColumn("posts", COLOR)


def rows(*versions):
    return [Applied(n, version, "m", "", "", "") for n, version in enumerate(versions)]


def test_what_is_above_and_shares_no_table_stays():
    operations = {ONE: [ADD], TWO: [CreateTable("tags", [ID])]}
    down = going_down(rows(ONE, TWO), operations, frozenset({ONE}))
    assert [row.version for row in down] == [ONE]


def test_what_is_above_and_shares_a_table_goes_too_newest_first():
    key = AddForeignKey("tags", ForeignKey("posts", columns=["id"]))
    operations = {ONE: [ADD], TWO: [key], THREE: [AddColumn("tags", COLOR)]}
    down = going_down(rows(ONE, TWO, THREE), operations, frozenset({ONE}))
    assert [row.version for row in down] == [THREE, TWO, ONE]


def test_what_is_below_stays_and_the_order_is_that_of_application():
    operations = {ONE: [ADD], THREE: [ADD], TWO: [ADD]}
    down = going_down(rows(ONE, THREE, TWO), operations, frozenset({THREE}))
    assert [row.version for row in down] == [TWO, THREE]
    assert going_down(rows(ONE), operations, frozenset()) == ()


def test_raw_sql_shares_with_everything_but_with_nothing():
    operations = {ONE: [ADD], TWO: [Execute(up="SELECT 1", down=[])], THREE: []}
    down = going_down(rows(ONE, TWO, THREE), operations, frozenset({ONE}))
    assert [row.version for row in down] == [TWO, ONE]


BASE = Schema([POSTS])
HEADLINE = Column("headline", "text")


def test_a_rename_that_still_holds_is_an_answer():
    declared = Schema([Table("posts", [ID, HEADLINE])])
    held = [RenameColumn("posts", "title", "headline")]
    own, rest = answers_for(BASE, held, declared, Renames())
    assert own == Renames(columns={"posts": {"title": "headline"}})
    assert not rest
    own, _ = answers_for(BASE, held, BASE, Renames())
    assert own == Renames()


def test_a_given_answer_overrules_a_held_one():
    declared = Schema([Table("posts", [ID, HEADLINE, Column("caption", "text")])])
    held = [RenameColumn("posts", "title", "headline")]
    given = Renames(columns={"posts": {"title": "caption"}})
    assert answers_for(BASE, held, declared, given)[0].columns == given.columns
    refused = Renames().without("posts", "title")
    assert not answers_for(BASE, held, declared, refused)[0]
    other = Renames(columns={"posts": {"id": "headline"}})
    assert answers_for(BASE, held, declared, other)[0].columns == other.columns


def test_an_answer_by_a_name_of_now_is_one_by_the_name_of_before():
    held = [RenameTable("posts", "articles"), RenameColumn("articles", "title", "headline")]
    declared = Schema([Table("blog", [ID, Column("caption", "text")])])
    given = Renames({"articles": "blog"}, {"articles": {"headline": "caption"}})
    own, rest = answers_for(BASE, held, declared, given)
    assert own == Renames({"posts": "blog"}, {"posts": {"title": "caption"}})
    assert rest.columns == given.columns


def test_all_names_are_known_that_anything_ever_had():
    held = [
        RenameTable("posts", "articles"),
        RenameColumn("articles", "title", "headline"),
        AddColumn("articles", COLOR),
        CreateTable("tags", [ID]),
        Execute(up="SELECT 1", down=[]),
    ]
    names = all_names(BASE, held)
    assert set(names) == {"posts", "articles", "tags"}
    for table in ("posts", "articles"):
        assert {c.name for c in names[table].columns} == {"id", "title", "headline", "color"}
    declared = Schema([Table("articles", [ID])])
    assert set(under_all_names(declared, held)) == {"posts", "articles"}
    assert under_all_names(BASE, held) == BASE


def test_the_same_in_the_ledger_is_the_same():
    again = Migration([AddColumn("posts", Column("color", "text", nullable=True))])
    assert is_same(Migration([ADD]), again)
    assert not is_same(Migration([ADD]), Migration([ADD], transaction=False))
    assert json.dumps(encode_migration(again))


def test_a_loss_says_how_much_goes():
    assert str(Loss("posts", None, 1)) == "table posts (1 row)"
    assert str(Loss("posts", "color", 1200)) == "column posts.color (a value in 1,200 rows)"
    assert Loss("posts", "color", 3).what == ("posts", "color")
