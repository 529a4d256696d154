"""What was written by hand, what is carried over, and what stops a regen."""

from __future__ import annotations

import pytest

from ashflow.change.codec import canonical, encode_operation
from ashflow.change.migration import Migration
from ashflow.change.operations import (
    AddColumn,
    AddIndex,
    CreateTable,
    DropColumn,
    Execute,
    Fill,
    RenameColumn,
)
from ashflow.errors import EditedError
from ashflow.history.files import MigrationFile
from ashflow.history.history import read_history
from ashflow.history.load import load
from ashflow.history.render import render
from ashflow.history.snapshot import Snapshot, new_snapshot, text_of
from ashflow.plan.by_hand import Old, Olds, in_order, sort_out, work_left
from ashflow.plan.carry import carry, check_written
from ashflow.plan.regen import replaced
from ashflow.schema.table import Column, Schema, Table

ID, TITLE = Column("id", "integer"), Column("title", "text")
COLOR, OWN = Column("color", "text", nullable=True), Column("own", "text", nullable=True)
BASE = Schema([Table("posts", [ID, TITLE])])
ADD, ADD_OWN = AddColumn("posts", COLOR), AddColumn("posts", OWN)
SQL = Execute(up="SELECT 1", down=[])
INDEX = AddIndex("posts", ["color"], name="by_color")
FOLDERS = {"migrations": "priv/m", "snapshots": "priv/s"}


def old(number, *operations, written=None, text=None, **flags):
    """A migration that is replaced; where it says what codegen wrote, codegen wrote something."""
    version = f"2026112306100{number}"
    file = MigrationFile(f"priv/m/{version}_m{number}.py", version, f"m{number}")
    migration = Migration(operations, **flags)
    known = None if written is None else frozenset(canonical(encode_operation(o)) for o in written)
    return Old(file, text or render(migration, title="T."), migration, known)


def left(new, *replaced, below=(), above=(), base=BASE):
    """The operations that are carried over."""
    works = work_left(Olds(replaced, tuple(below), tuple(above)), new, lambda: base)
    return [(work.operation, work.first) for work in works]


def refused(said, new, *replaced, **more):
    """See to it that the plan stops, with a message."""
    with pytest.raises(EditedError, match=said) as error:
        left(new, *replaced, **more)
    assert "--discard-edits" in error.value.hint
    assert "priv/m/" in error.value.message


def test_what_codegen_wrote_is_no_work_by_hand():
    assert left([ADD], old(1, ADD, written=[ADD])) == []
    assert left([], old(1, ADD, written=[ADD])) == []


def test_work_by_hand_stands_first_where_it_stood_before_all_that_codegen_wrote():
    more = AddColumn("posts", Column("n", "integer", default=1))
    first = old(1, SQL, ADD, ADD_OWN, written=[ADD])
    second = old(2, SQL, more, written=[more])
    assert left([ADD, more], first, second) == [(SQL, True), (ADD_OWN, False), (SQL, False)]


def test_what_is_generated_by_itself_is_not_carried_over():
    assert left([ADD, ADD_OWN], old(1, ADD, ADD_OWN, written=[ADD])) == []


def test_a_fill_stays_with_the_column_that_the_plan_fills():
    fill, other = Fill("posts", "color", "'red'"), Fill("posts", "title", "'A'")
    one = old(1, ADD, fill, other, written=[ADD])
    assert left([ADD, Fill("posts", "color", "'blue'")], one) == [(other, False)]


@pytest.mark.parametrize("back", [True, False])
def test_what_was_taken_out_does_not_come_again(back):
    one = old(1, SQL, written=[ADD])
    if back:
        refused("lacks operations that codegen wrote", [ADD], one)
    else:
        assert left([ADD_OWN], one) == [(SQL, True)]


def test_what_was_moved_to_another_file_is_not_taken_out():
    assert left([ADD], old(1, written=[ADD]), old(2, ADD, written=[])) == []


def test_how_it_is_run_and_what_is_said_twice_stop_the_plan():
    refused("how it is to be run", [ADD], old(1, ADD, written=[ADD], transaction=False))
    refused("how it is to be run", [], old(1, SQL, written=[], foreign_keys=True))
    refused("says an operation twice", [ADD], old(1, ADD, ADD, written=[ADD]))
    assert len(left([ADD], old(1, ADD, SQL, SQL, written=[ADD]))) == 2


def test_what_does_not_fit_any_more_stops_the_plan():
    otherwise = AddColumn("posts", Column("color", "integer", nullable=True))
    refused(r"add column color.*table posts", [ADD], old(1, otherwise, written=[]))
    refused("add index by_color", [], old(1, ADD, INDEX, written=[ADD]))
    table = CreateTable("tags", [ID])
    refused("create table", [CreateTable("tags", [TITLE])], old(1, table, written=[]))


def test_what_the_generated_operations_come_to_is_done():
    table = CreateTable("tags", [ID, OWN])
    narrow = CreateTable("tags", [ID])
    own = AddColumn("tags", OWN)
    index = AddIndex("tags", ["own"], name="by_own")
    assert left([table], old(1, narrow, own, index, written=[narrow])) == [(index, False)]
    renamed = CreateTable("tags", [Column("nr", "integer")])
    rename = RenameColumn("tags", "id", "nr")
    assert left([renamed], old(1, narrow, rename, written=[narrow])) == []


def test_what_no_snapshot_knew_where_it_stood_is_carried_over_unseen():
    unknown = DropColumn("log", OWN)
    assert left([ADD], old(1, ADD, unknown, written=[ADD])) == [(unknown, False)]


def test_migrations_begun_by_hand_have_to_go_with_what_is_generated():
    assert left([ADD], above=[old(2, ADD_OWN)], below=[old(1, SQL)]) == []
    refused("does that already", [ADD], above=[old(2, ADD)])
    refused("does not fit", [ADD], below=[old(1, ADD)])
    refused("does not fit", [], old(1, ADD, written=[ADD]), above=[old(2, INDEX)])


def test_nothing_is_looked_at_where_there_is_nothing():
    assert work_left(Olds(), [ADD, ADD], lambda: BASE) == ()


def test_the_snapshots_tell_who_wrote_a_migration():
    migrations = [old(n).file for n in (1, 2, 3)]
    data = new_snapshot(
        BASE["posts"],
        version=migrations[1].version,
        repo="repo",
        migration="m2",
        operations=[encode_operation(ADD)],
        parents=[],
        ancestors=0,
    )
    snapshot = Snapshot(data, f"priv/s/posts/{migrations[1].version}.json")
    tree = {**{m.path: "" for m in migrations}, snapshot.path: text_of(data)}
    history = read_history(tree, **FOLDERS)
    loaded = {m.version: Migration([SQL]) for m in migrations}
    nothing = read_history({}, **FOLDERS)
    olds = sort_out(history, replaced(history, tree, nothing), loaded)
    assert [o.file.name for o in olds.below] == ["m1"]
    assert [o.file.name for o in olds.replaced] == ["m2"]
    assert [o.file.name for o in olds.above] == ["m3"]
    assert [o.file.name for o in olds.all] == ["m1", "m2", "m3"]
    assert set(olds.begun_by_hand) == {migrations[0], migrations[2]}
    going = replaced(history, tree, nothing).but(olds.begun_by_hand)
    assert going.migrations == (migrations[1],)
    assert going.plus([migrations[0]]).migrations == tuple(migrations[:2])


RUN = """\
from ashflow.migration import Database, Migration, Run

{more}


def up(db: Database) -> None:
    {body}


migration = Migration(operations=[
    # kept: posts.own. To drop it: ashflow codegen NAME --drop-columns
    # carried over from 20261123061000_older:
    # mine
    Run(up=up),
])
"""


def run(number, *, more="X = 1", body="db.execute(str(X))"):
    """A migration with a function."""
    text = RUN.format(more=more, body=body)
    found = load(text, "/nowhere/1.py", shown="1.py")
    return old(number, *found.operations, written=[], text=text)


def works_of(*olds, new=(ADD,)):
    """What is carried over from migrations."""
    return work_left(Olds(olds), new, lambda: BASE)


def test_the_source_is_carried_under_the_name_of_its_file_and_without_our_own_comments():
    works = works_of(run(1), run(2))
    carried = carry(works, [ADD])
    assert [passage.lines[:2] for passage in carried.first] == [
        ("# carried over from 20261123061001_m1:", "# mine"),
        ("# carried over from 20261123061002_m2:", "# mine"),
    ]
    assert carried.source.count("def up") == 1
    text = render(Migration([ADD]), title="T.", carried=carried)
    found = check_written(text, "/nowhere/2.py", works, [ADD])
    assert found.operations == in_order(works, [ADD])
    assert callable(found.operations[0].up)


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ({"body": "db.execute('x')"}, "up"),
        ({"more": "X = 2"}, "X"),
        ({"more": "from os import sep as X"}, "X"),
    ],
)
def test_one_name_for_two_things_stops_the_plan(other, name):
    with pytest.raises(
        EditedError, match=rf"_m2\.py .*needs {name}, a name that .*_m1\.py"
    ) as error:
        carry(works_of(run(1), run(2, **other)), [ADD])
    assert "another name" in error.value.hint


def test_a_name_that_the_generated_operations_need_stops_the_plan():
    own = run(1, more="class Column: ...", body="Column()")
    with pytest.raises(EditedError, match="Column, a name that the new migration needs"):
        carry(works_of(own), [ADD])
    assert "class Column" in carry(works_of(own, new=()), []).source


def test_a_list_that_is_none_stops_the_plan():
    computed = old(1, SQL, written=[], text="migration = Migration(operations=[SQL][:])\n")
    with pytest.raises(EditedError, match="not written as one list"):
        carry(works_of(computed), [ADD])


def test_what_says_something_else_in_its_new_place_stops_the_plan():
    here = "Execute(up=str(__file__), down=[])"
    text = f"from ashflow.migration import *\n\nmigration = Migration(operations=[{here}])\n"
    operations = load(text, "/nowhere/1.py", shown="1.py").operations
    works = works_of(old(1, *operations, written=[], text=text))
    new = render(Migration([ADD]), title="T.", carried=carry(works, [ADD]))
    with pytest.raises(EditedError, match="says something else"):
        check_written(new, "/nowhere/2.py", works, [ADD])
    with pytest.raises(EditedError, match="can't be carried: the new migration is empty"):
        check_written("", "/nowhere/2.py", works, [ADD])


def test_nothing_by_hand_is_nothing_to_carry():
    assert not any(carry((), [ADD]))
