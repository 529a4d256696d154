from __future__ import annotations

from typing import get_args

import pytest
import strategies as some
from hypothesis import assume, given

from ashflow.change import operations
from ashflow.change.migration import Migration
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    AddStatement,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
    DropStatement,
    DropTable,
    Execute,
    Fill,
    Operation,
    RenameColumn,
    RenameTable,
    Run,
    SetOptions,
)
from ashflow.change.reverse import reverse, reverse_all, tables_of
from ashflow.errors import IrreversibleError
from ashflow.schema.table import Check, Column, ForeignKey, Index, Options, Statement

A, B = Column("a", "text"), Column("b", "text")
KEY = ForeignKey("u", "id", columns=["a"])
PAIRS = [
    (CreateTable("t", columns=[A]), DropTable("t", columns=[A])),
    (RenameTable("t", "u"), RenameTable("u", "t")),
    (AddColumn("t", A), DropColumn("t", A)),
    (RenameColumn("t", "a", "b"), RenameColumn("t", "b", "a")),
    (
        AlterColumn("t", old=A, new=Column("a", "integer")),
        AlterColumn("t", old=Column("a", "integer"), new=A),
    ),
    (AddIndex("t", ["a"], name="i", where="b"), DropIndex("t", ["a"], name="i", where="b")),
    (AddCheck("t", "a > 1", name="c"), DropCheck("t", "a > 1", name="c")),
    (AddForeignKey("t", KEY), DropForeignKey("t", KEY)),
    (ChangePrimaryKey("t", old=[], new=["a"]), ChangePrimaryKey("t", old=["a"], new=[])),
    (
        SetOptions("t", old=Options(), new=Options(strict=True)),
        SetOptions("t", old=Options(strict=True), new=Options()),
    ),
    (AddStatement("t", "s", up="u", down="d"), DropStatement("t", "s", up="u", down="d")),
    (Execute(up="u", down="d"), Execute(up="d", down="u")),
    (Run(up="u", down="d"), Run(up="d", down="u")),
]
WITHOUT_REVERSE = [Fill("t", "a", "1"), Execute(up="u", down=[])]


def test_every_operation_is_in_the_tests_and_in_the_strategies():
    vocabulary = set(get_args(Operation))
    named = "CreateTable DropTable RenameTable AddColumn DropColumn RenameColumn AlterColumn"
    named += " AddIndex DropIndex AddCheck DropCheck AddForeignKey DropForeignKey"
    named += " ChangePrimaryKey SetOptions AddStatement DropStatement Fill Execute Run"
    assert {kind.__name__ for kind in vocabulary} == set(named.split())
    told = [each for pair in PAIRS for each in pair] + WITHOUT_REVERSE
    assert {type(operation) for operation in told} == vocabulary
    assert set(some.BY_KIND) == vocabulary


@pytest.mark.parametrize(("there", "back"), PAIRS, ids=lambda each: type(each).__name__)
def test_an_operation_and_its_reverse(there, back):
    assert reverse(there) == (back,)
    assert reverse(back) == (there,)


@pytest.mark.parametrize("operation", WITHOUT_REVERSE, ids=repr)
def test_where_nothing_is_to_be_undone_nothing_is_done(operation):
    assert reverse(operation) == ()


@pytest.mark.parametrize("operation", [Execute(up="u"), Run(up="u")], ids=repr)
def test_what_has_no_way_down_says_so(operation):
    with pytest.raises(IrreversibleError, match="no way down"):
        reverse(operation)
    with pytest.raises(IrreversibleError, match="no way down"):
        _ = Migration([operation]).down


@given(some.operations())
def test_the_reverse_of_the_reverse_is_the_operation(operation):
    try:
        back = reverse(operation)
    except IrreversibleError:
        assert isinstance(operation, Execute | Run)
        assert operation.down is None
        return
    assume(back)
    if isinstance(operation, Execute) and not operation.up:
        return
    assert reverse_all(back) == (operation,)


@given(some.operations())
def test_an_operation_and_its_reverse_touch_the_same_tables(operation):
    try:
        back = reverse(operation)
    except IrreversibleError:
        return
    assert all(tables_of(each) == tables_of(operation) for each in back)


def test_down_runs_the_reverses_from_the_last_to_the_first():
    migration = Migration([CreateTable("t", columns=[A]), Fill("t", "a", "1"), AddColumn("t", B)])
    assert migration.down == (DropColumn("t", B), DropTable("t", columns=[A]))


def test_keys_in_columns_and_keys_of_the_table_are_the_same():
    inline = CreateTable(
        "t",
        columns=[
            Column("a", "text", primary_key=True, references=ForeignKey("u")),
            Column("b", "text", primary_key=True),
        ],
    )
    told = CreateTable(
        "t",
        columns=[A, B],
        primary_key=["a", "b"],
        foreign_keys=[ForeignKey("u", columns=["a"], name="t_a_fkey")],
    )
    assert inline == told
    assert inline.definition.primary_key == ("a", "b")


def test_the_parts_of_an_operation_are_values_of_the_schema():
    assert AddIndex("t", "a", name="i", unique=True).index == Index("i", ["a"], unique=True)
    assert AddCheck("t", "a > 1", name="c").check == Check("c", "a > 1")
    assert AddStatement("t", "s", up="u", down="d").statement == Statement("s", "u", "d")
    assert AddColumn("t", A).foreign_key is None
    key = AddColumn("t", Column("a", "text", references=ForeignKey("u"))).foreign_key
    assert key == ForeignKey("u", columns=["a"], name="t_a_fkey")
    assert RenameTable("t", "u").table == "u"


def test_a_usual_name_of_a_foreign_key_makes_no_difference():
    usual = Column("a", "text", references=ForeignKey("u", name="t_a_fkey"))
    assert AddColumn("t", usual) == AddColumn("t", Column("a", "text", references=ForeignKey("u")))
    named = ForeignKey("u", columns=["a"], name="t_a_fkey")
    assert AddForeignKey("t", named) == AddForeignKey("t", ForeignKey("u", columns=["a"]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AddColumn("t", Column("a", "text", primary_key=True)), "ChangePrimaryKey"),
        (lambda: AlterColumn("t", old=A, new=B), "RenameColumn"),
        (
            lambda: AlterColumn("t", old=A, new=Column("a", "text", references=ForeignKey("u"))),
            "AddForeignKey",
        ),
        (lambda: AddForeignKey("t", ForeignKey("u")), "columns="),
        (lambda: Migration([AddColumn("t", A)], foreign_keys=True), "a migration of its own"),
    ],
)
def test_what_can_not_be_meant_is_refused_with_the_right_word(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_no_operation_is_no_part_of_a_migration():
    with pytest.raises(TypeError, match="'DROP' is no operation"):
        Migration(["DROP"])


def test_a_run_is_told_by_the_names_of_its_functions():
    def fill(db):
        pass

    assert Run(up=fill, down="empty").names == ("fill", "empty")
    assert Run(up=fill) == Run(up="fill")
    assert hash(Run(up=fill)) == hash(Run(up="fill"))
    assert Run(up="fill") != Run(up="fill", down="empty")
    assert Run(up="fill") != "fill"
    assert operations.function_name(fill) == "fill"


@pytest.mark.parametrize(
    ("operation", "tables"),
    [
        (CreateTable("t", columns=[A], foreign_keys=[KEY]), {"t", "u"}),
        (RenameTable("t", "u"), {"t", "u"}),
        (AddColumn("t", A), {"t"}),
        (AddColumn("t", Column("a", "text", references=ForeignKey("u"))), {"t", "u"}),
        (AddForeignKey("t", KEY), {"t", "u"}),
        (Fill("t", "a", "1"), {"t"}),
        (AddIndex("t", "a", name="i"), {"t"}),
        (Execute(up="x"), None),
        (AddStatement("t", "s", up="u", down="d"), None),
    ],
)
def test_the_tables_that_an_operation_touches(operation, tables):
    assert tables_of(operation) == tables
