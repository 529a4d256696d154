"""The net change is what the steps come to one by one, and the rows stay."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import populated, schemas
from strategies.changes import _Change

from ashflow.adapters.connect import connect
from ashflow.change.diff import diff
from ashflow.change.migration import Migration
from ashflow.change.operations import (
    AddColumn,
    AddForeignKey,
    AlterColumn,
    CreateTable,
    DropColumn,
    DropTable,
    Execute,
    Fill,
    RenameColumn,
    RenameTable,
)
from ashflow.change.renames import Renames
from ashflow.errors import RenameQuestions, RowsForbid, UsageError
from ashflow.plan.steps import Down, Up
from ashflow.plan.stretch import Stretch, plan_stretch
from ashflow.schema.sqltext import quote
from ashflow.schema.table import Column, ForeignKey, Schema, Table

ID = Column("id", "integer")
POSTS = Table("posts", [ID, Column("title", "text")])
BASE = Schema([POSTS])
COLOR = Column("color", "text", nullable=True)


def down(version, *operations, **flags):
    migration = Migration(operations, **flags)
    return Down(version, f"m{version}", f"{version}.py", migration, migration.down)


def up(version, *operations, **flags):
    return Up(version, f"m{version}", f"{version}.py", "", Migration(operations, **flags))


def planned(downs=(), ups=(), new=None, *, base=BASE, renames=None, no_renames=True):
    return plan_stretch(
        downs=tuple(downs),
        ups=ups,
        new=() if new is None else (new,),
        base=base,
        renames=renames or Renames(),
        no_renames=no_renames,
    )


def test_a_column_that_comes_again_is_not_touched():
    old, new = down("1", AddColumn("posts", COLOR)), up("2", AddColumn("posts", COLOR))
    stretch = planned([old], [], new)
    assert stretch.net == ()
    assert stretch.kept == ("posts",)
    assert stretch.drops == ()
    assert stretch


def test_without_the_new_migration_the_column_goes():
    stretch = planned([down("1", AddColumn("posts", COLOR))])
    assert stretch.net == (DropColumn("posts", COLOR),)
    assert stretch.kept == ()
    assert stretch.drops == (("posts", "color"),)


def test_several_new_migrations_come_up_in_order_behind_the_others():
    own = CreateTable("log", [ID])
    olds = [down("3", own), down("1", AddColumn("posts", COLOR))]
    news = (up("4", AddColumn("posts", COLOR)), up("5", own))
    waiting = up("2", CreateTable("tags", [ID]))
    stretch = plan_stretch(
        downs=tuple(olds), ups=[waiting], new=news, base=BASE, renames=Renames(), no_renames=True
    )
    assert stretch.before == (waiting,)
    assert stretch.ups == news
    assert stretch.net == ()


def test_nothing_down_means_that_what_is_new_is_simply_run():
    new = up("2", AddColumn("posts", COLOR))
    assert planned([], [], new) == Stretch(ups=(new,))
    assert not planned()


def test_what_shares_no_table_is_run_before_by_itself():
    apart, near = up("2", CreateTable("tags", [ID])), up("3", AddColumn("posts", COLOR))
    stretch = planned([down("1", AddColumn("posts", Column("n", "text")))], [apart, near])
    assert stretch.before == (apart,)
    assert stretch.ups == (near,)


def test_what_stands_on_what_is_shared_is_shared():
    tags = Table("tags", [ID])
    near = up("2", AddForeignKey("tags", ForeignKey("posts", columns=["id"])))
    nearer = up("3", AddColumn("tags", COLOR))
    downs = [down("1", AddColumn("posts", COLOR))]
    stretch = planned(downs, [near, nearer], base=Schema([POSTS, tags]))
    assert (stretch.before, stretch.ups) == ((), (near, nearer))


@pytest.mark.parametrize("flags", [{"transaction": False}, {"foreign_keys": True}])
def test_what_can_not_be_run_in_one_transaction_is_refused(flags):
    fill = Fill("posts", "title", "''")
    with pytest.raises(UsageError, match="m1"):
        planned([down("1", fill, **flags)])
    with pytest.raises(UsageError, match="m2"):
        planned([], [up("2", fill, **flags)])


def test_raw_sql_is_really_run_and_nobody_knows_what_it_drops():
    raw = Execute(up=["CREATE TABLE a (n)"], down=["DROP TABLE a"])
    stretch = planned([down("1", AddColumn("posts", COLOR), raw)])
    assert stretch.net is None
    assert stretch.blind
    assert stretch.drops == (("posts", "color"),)
    later = planned([down("1", AddColumn("posts", COLOR))], [up("2", raw)])
    assert later.net is None
    assert not later.blind


def test_what_the_snapshots_do_not_know_is_really_run():
    strange = down("1", AddColumn("strange", COLOR))
    assert planned([strange]).net is None
    assert planned([strange], base=None).net is None
    assert not planned([strange]).blind


def test_drops_are_told_by_the_names_that_stand():
    old = down("1", RenameTable("posts", "articles"), AddColumn("articles", COLOR))
    stretch = planned([old])
    assert stretch.net is not None
    assert stretch.drops == (("articles", "color"),)
    really = replace(stretch, net=None)
    assert really.drops == (("articles", "color"),)


def test_a_column_renamed_by_the_older_of_two_is_told_by_its_name_of_now():
    downs = [
        down("2", RenameColumn("posts", "color", "paint")),
        down("1", AddColumn("posts", COLOR)),
    ]
    really = replace(planned(downs), net=None)
    assert really.drops == (("posts", "paint"),)


def test_a_rename_on_one_way_is_followed_on_the_other():
    old = down("1", RenameColumn("posts", "title", "headline"))
    new = up("2", RenameColumn("posts", "title", "caption"))
    assert planned([old], [], new).net == (RenameColumn("posts", "headline", "caption"),)


def test_two_that_would_get_one_name_are_refused():
    old = down("1", RenameColumn("posts", "title", "headline"), AddColumn("posts", COLOR))
    new = up("2", RenameColumn("posts", "title", "caption"))
    with pytest.raises(UsageError, match="both headline and color would be renamed to caption"):
        planned([old], [], new, renames=Renames(columns={"posts": {"color": "caption"}}))


def test_only_what_the_new_migration_brings_can_be_the_new_name():
    old = down("1", CreateTable("notes", [ID]))
    pulled, new = up("2", CreateTable("tags", [ID]), AddColumn("posts", COLOR)), up("3")
    base = BASE
    assert planned([old], [pulled], new, base=base, no_renames=False).net is not None
    new = up("3", CreateTable("memos", [ID]))
    with pytest.raises(RenameQuestions) as asked:
        planned([old], [pulled], new, base=base, no_renames=False)
    assert [q["flag"] for q in asked.value.questions] == ["--rename notes=memos"]


def test_what_stood_below_is_not_asked_about_again():
    base = Schema([Table("posts", [ID, Column("title", "text"), COLOR])])
    old = down("1", RenameTable("posts", "articles"), AddColumn("articles", Column("n", "text")))
    new = up(
        "2", DropColumn("posts", COLOR), AddColumn("posts", Column("m", "text", nullable=True))
    )
    with pytest.raises(RenameQuestions) as asked:
        planned([old], [], new, base=base, no_renames=False)
    assert [q["from"] for q in asked.value.questions] == ["n"]


def test_a_fill_that_was_not_run_yet_is_run():
    slug = Column("slug", "text")
    fill = Fill("posts", "slug", "title")
    pulled = up("2", AddColumn("posts", slug), fill)
    stretch = planned([down("1", AddColumn("posts", COLOR))], [pulled])
    assert stretch.net is not None
    assert stretch.net[-1] == fill
    again = planned(
        [down("1", AddColumn("posts", slug), fill)], [], up("2", AddColumn("posts", slug))
    )
    assert again.net == ()


def test_a_fill_that_was_run_is_not_run_again():
    slug = Column("slug", "text")
    operations = (AddColumn("posts", slug), Fill("posts", "slug", "title"))
    downs = [down("2", *operations), down("1", AddColumn("posts", COLOR))]
    assert planned(downs, [up("2", *operations)]).net == (DropColumn("posts", COLOR),)


def test_a_fill_that_does_not_fit_the_end_is_really_run():
    fills = up("2", AddColumn("posts", COLOR), Fill("posts", "color", "title"))
    renames = up("3", RenameColumn("posts", "color", "paint"))
    stretch = planned([down("1", AddColumn("posts", Column("n", "text")))], [fills, renames])
    assert stretch.net is None


def test_a_column_that_becomes_a_computed_one_is_a_drop():
    computed = Column("color", "text", generated_as="upper(title)")
    new = up("2", AddColumn("posts", computed))
    stretch = planned([down("1", AddColumn("posts", COLOR))], [], new)
    assert stretch.net == (AlterColumn("posts", old=COLOR, new=computed),)
    assert stretch.drops == (("posts", "color"),)


def test_a_table_dropped_and_made_again_on_the_way_is_a_drop():
    create = CreateTable("notes", [ID])
    stretch = planned([down("1", create)], [], up("2", create), base=None)
    assert stretch.drops == (("notes", None),)
    assert DropTable("notes", [ID]) in stretch.downs[0].operations


@contextmanager
def databases(number):
    with tempfile.TemporaryDirectory() as folder:
        found = [connect(f"sqlite:///{n}.db", root=Path(folder)) for n in range(number)]
        for database in found:
            database.create()
        yield found
        for database in found:
            database.close()


def run(database, *lists):
    for operations in lists:
        with database.locked() as session:
            session.run(operations)


def told(database):
    with database.read() as session:
        return dict(session.introspect())


@st.composite
def crossroads(draw):
    """A schema, and two that come of it by changes that no row forbids."""
    base = draw(schemas())
    ends = []
    for _ in range(2):
        change = _Change(draw, base, keeps_rows=True)
        for _ in range(draw(st.integers(0, 3))):
            change.once()
        ends.append(change.new)
    return base, *ends


def unchanged(*ends):
    """By table, the columns that are the same at all three corners, and hold values."""
    base = ends[0]
    return {
        name: [
            c.name
            for c in table.columns
            if c.generated_as is None
            and all(
                name in end
                and end[name].options.strict == table.options.strict
                and (there := end[name].column(c.name)) is not None
                and (there.type, there.generated_as) == (c.type, None)
                for end in ends
            )
        ]
        for name, table in base.items()
    }


def comes_back(base, now, wanted):
    """Whether a table or a column that was dropped is there again in the end."""
    return any(name in wanted and name not in now for name in base) or any(
        table.column(column.name) is None and base[name].column(column.name) is not None
        for name, table in now.items()
        if name in base and name in wanted
        for column in wanted[name].columns
    )


def contents(database, columns):
    found = {}
    with database.read() as session:
        for name, listed in columns.items():
            if listed:
                sql = f"SELECT {', '.join(map(quote, listed))} FROM {quote(name)}"
                found[name] = sorted(map(repr, session.execute(sql)))
    return found


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_net_change_comes_to_what_the_steps_come_to_one_by_one(data):
    base, now, wanted = data.draw(crossroads())
    rows = data.draw(populated(base))
    applied, coming = diff(base, now), diff(base, wanted)
    old = down("1", *applied)
    stretch = planned([old], [], up("2", *coming), base=base)
    assert stretch.net is not None
    with databases(2) as (net, single):
        run(net, diff(Schema(), base))
        with net.locked() as session:
            for name, found in rows.items():
                for row in found:
                    columns = ", ".join(map(quote, row))
                    marks = ", ".join("?" for _ in row)
                    sql = f"INSERT INTO {quote(name)} ({columns}) VALUES ({marks})"
                    session.execute(sql, list(row.values()))
        before = contents(net, unchanged(base, now, wanted))
        run(net, applied)
        here = told(net)
        run(single, diff(Schema(), base), applied, old.operations, coming)
        try:
            run(net, stretch.net)
        except RowsForbid:
            assert comes_back(base, now, wanted)  # a column whose values are gone
            assert told(net) == here
        else:
            assert told(net) == told(single)
        assert contents(net, unchanged(base, now, wanted)) == before
