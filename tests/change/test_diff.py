"""The laws of the differ, over random schemas."""

from __future__ import annotations

from hypothesis import given
from strategies import changed_schemas, renamed_schemas, schemas

from ashflow.change.apply import apply_all
from ashflow.change.diff import diff
from ashflow.change.operations import (
    AddColumn,
    AddForeignKey,
    AddIndex,
    CreateTable,
    DropColumn,
    DropForeignKey,
    DropIndex,
    DropTable,
    RenameColumn,
    RenameTable,
)
from ashflow.change.renames import Renames
from ashflow.change.reverse import reverse_all
from ashflow.schema.table import Column, ForeignKey, Index, Schema, Table


@given(changed_schemas())
def test_the_operations_of_a_diff_make_the_new_schema(pair):
    old, new = pair
    assert apply_all(old, diff(old, new)) == new


@given(changed_schemas())
def test_the_way_down_makes_the_old_schema_again(pair):
    old, new = pair
    operations = diff(old, new)
    assert apply_all(apply_all(old, operations), reverse_all(operations)) == old


@given(renamed_schemas(keeps_rows=False))
def test_with_renames_the_operations_make_the_new_schema_and_lead_back(changed):
    old, new, renames = changed
    operations = diff(old, new, renames)
    assert apply_all(old, operations) == new
    assert apply_all(new, reverse_all(operations)) == old


@given(schemas())
def test_no_change_gives_no_operation(schema):
    assert diff(schema, schema) == ()


@given(schemas())
def test_the_order_of_columns_and_tables_is_no_change(schema):
    turned = Schema(
        Table(
            table.name,
            tuple(reversed(table.columns)),
            primary_key=table.primary_key,
            foreign_keys=tuple(reversed(table.foreign_keys)),
            indexes=tuple(reversed(table.indexes)),
            checks=tuple(reversed(table.checks)),
            statements=table.statements,
            options=table.options,
        )
        for table in reversed(tuple(schema.values()))
    )
    assert diff(schema, turned) == ()


@given(changed_schemas())
def test_the_same_schemas_give_the_same_operations(pair):
    assert diff(*pair) == diff(*pair)


@given(schemas(), schemas())
def test_any_schema_leads_to_any_other(old, new):
    operations = diff(old, new)
    assert apply_all(old, operations) == new
    assert apply_all(new, reverse_all(operations)) == old


def table(name, *columns, **more):
    return Table(name, [Column("id", "integer"), *columns], primary_key=["id"], **more)


def test_a_swap_of_two_names_goes_by_a_spare_one():
    old = Schema([table("t", Column("a", "text"), Column("b", "integer"))])
    new = Schema([table("t", Column("a", "integer"), Column("b", "text"))])
    operations = diff(old, new, Renames(columns={"t": {"a": "b", "b": "a"}}))
    assert all(isinstance(operation, RenameColumn) for operation in operations)
    assert len(operations) == 3
    assert apply_all(old, operations) == new


def test_tables_that_refer_to_each_other_are_made_before_their_last_key():
    def pair():
        left = ForeignKey("b", columns=["b_id"]).owned("a")
        right = ForeignKey("a", columns=["a_id"]).owned("b")
        yield table("a", Column("b_id", "integer"), foreign_keys=[left])
        yield table("b", Column("a_id", "integer"), foreign_keys=[right])

    new = Schema(pair())
    up = diff(Schema(), new)
    assert [type(operation) for operation in up] == [CreateTable, CreateTable, AddForeignKey]
    down = diff(new, Schema())
    assert [type(operation) for operation in down] == [DropForeignKey, DropTable, DropTable]


def test_a_renamed_table_takes_the_foreign_keys_to_it_along():
    key = ForeignKey("teams", columns=["team_id"]).owned("posts")
    posts = table("posts", Column("team_id", "integer"), foreign_keys=[key])
    moved = ForeignKey("groups", columns=["team_id"]).owned("posts")
    after = table("posts", Column("team_id", "integer"), foreign_keys=[moved])
    operations = diff(
        Schema([table("teams"), posts]),
        Schema([table("groups"), after]),
        Renames({"teams": "groups"}),
    )
    assert operations == (RenameTable("teams", "groups"),)


def test_a_renamed_column_takes_index_check_and_expression_along():
    old = table("t", Column("a", "text"), indexes=[Index("t_i", ["a"], where="a > 'x'")])
    new = table("t", Column("b", "text"), indexes=[Index("t_i", ["b"], where="b > 'x'")])
    operations = diff(Schema([old]), Schema([new]), Renames(columns={"t": {"a": "b"}}))
    assert operations == (RenameColumn("t", "a", "b"),)


def test_a_column_whose_name_is_taken_goes_before_the_rename():
    old = table("t", Column("a", "text"), Column("b", "text"), indexes=[Index("i", ["b"])])
    new = table("t", Column("b", "text"), indexes=[Index("i", ["b"])])
    operations = diff(Schema([old]), Schema([new]), Renames(columns={"t": {"a": "b"}}))
    assert [type(o) for o in operations] == [DropIndex, DropColumn, RenameColumn, AddIndex]
    assert apply_all(Schema([old]), operations) == Schema([new])


def test_a_new_column_brings_its_foreign_key_with_it():
    key = ForeignKey("teams", columns=["team_id"], on_delete="cascade").owned("posts")
    posts = table("posts", Column("team_id", "integer"), foreign_keys=[key])
    operations = diff(Schema([table("teams"), table("posts")]), Schema([table("teams"), posts]))
    references = ForeignKey("teams", on_delete="cascade")
    assert operations == (AddColumn("posts", Column("team_id", "integer", references=references)),)


def test_an_index_that_changes_goes_and_comes():
    old = Schema([table("t", Column("a", "text"), indexes=[Index("i", ["a"])])])
    new = Schema([table("t", Column("a", "text"), indexes=[Index("i", ["a"], unique=True)])])
    assert [type(operation) for operation in diff(old, new)] == [DropIndex, AddIndex]


def test_a_column_with_two_foreign_keys_goes_after_both():
    keys = [
        ForeignKey("teams", columns=["team_id"]).owned("posts"),
        ForeignKey("teams", columns=["team_id"], name="another").owned("posts"),
    ]
    posts = table("posts", Column("team_id", "integer"), foreign_keys=keys)
    old = Schema([table("teams"), posts])
    new = Schema([table("teams"), table("posts")])
    operations = diff(old, new)
    assert [type(o) for o in operations] == [DropForeignKey, DropForeignKey, DropColumn]
    assert apply_all(old, operations) == new
    assert apply_all(new, reverse_all(operations)) == old
