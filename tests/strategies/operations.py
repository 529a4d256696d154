"""Operations and migrations with any fields: valid as values, not on any schema."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from hypothesis import strategies as st

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
from ashflow.schema.datatypes import Desc, Sql, utc_now
from ashflow.schema.table import (
    ACTIONS,
    Check,
    Column,
    ForeignKey,
    Index,
    Options,
)

if TYPE_CHECKING:
    from collections.abc import Callable
from strategies.names import names
from strategies.values import ALL_TYPES

Draw = Any

wild = st.one_of(
    names(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.text("\"'\\\n\0a語 ", max_size=8),
)
_sql = wild | st.sampled_from(["lower(name)", "a IS NOT NULL", "SELECT 'it''s'", "x" * 60])
_names = st.lists(wild, max_size=3, unique=True)
_some_names = st.lists(wild, min_size=1, max_size=2, unique=True)
_keys = st.one_of(wild, st.builds(Sql, _sql), st.builds(Desc, wild | st.builds(Sql, _sql)))
_actions = st.sampled_from([None, *ACTIONS])
_options = st.builds(Options, strict=st.booleans(), without_rowid=st.booleans())
_statements = st.lists(_sql, max_size=2)
_any_default = st.one_of(
    st.none(),
    wild,
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
    st.binary(max_size=8),
    st.builds(Sql, _sql),
    st.just(utc_now),
)


@st.composite
def foreign_keys(draw: Draw, *, inline: bool = False) -> ForeignKey:
    """Any foreign key; one that stands in a column has no columns of its own."""
    keys = draw(st.just(["id"]) | st.lists(wild, min_size=1, max_size=1 if inline else 2))
    refers = [] if inline else draw(st.lists(wild, min_size=len(keys), max_size=len(keys)))
    return ForeignKey(
        draw(wild),
        keys,
        columns=refers,
        name=draw(st.just("") | wild),
        on_delete=draw(_actions),
        on_update=draw(_actions),
        deferrable=draw(st.booleans()),
    )


@st.composite
def any_columns(draw: Draw, name: str | None = None, *, keys: bool = False) -> Column:
    """Any value of `Column`, also one that no database would take."""
    few = st.none() | st.integers(0, 300)
    return Column(
        draw(wild) if name is None else name,
        draw(st.sampled_from(ALL_TYPES)),
        nullable=draw(st.booleans()),
        default=draw(_any_default),
        references=draw(st.none() | foreign_keys(inline=True)) if keys else None,
        autoincrement=draw(st.booleans()),
        max_length=draw(few),
        precision=draw(few),
        scale=draw(few),
        collate=draw(st.none() | wild),
        generated_as=draw(st.none() | _sql),
        stored=draw(st.booleans()),
        comment=draw(st.none() | wild),
    )


any_checks = st.builds(Check, wild, _sql)
any_indexes = st.builds(
    Index,
    wild,
    st.lists(_keys, min_size=1, max_size=3),
    unique=st.booleans(),
    where=st.none() | _sql,
)


@st.composite
def _whole_tables(draw: Draw, kind: Callable[..., Any]) -> Any:
    made = [draw(any_columns(name, keys=True)) for name in draw(_some_names)]
    own = [column.name for column in made]
    key = draw(st.sampled_from([[], own[:1], own, own[::-1]]))
    ours = foreign_keys()
    if draw(st.booleans()):
        ours = ours.map(lambda key: replace(key, columns=own[:1], keys=key.keys[:1]))
    return kind(
        draw(wild),
        columns=made,
        primary_key=key,
        foreign_keys=draw(st.lists(ours, max_size=2)),
        checks=draw(st.lists(any_checks, max_size=1)),
        indexes=draw(st.lists(any_indexes, max_size=1)),
        options=draw(_options),
    )


@st.composite
def _altered_columns(draw: Draw) -> AlterColumn:
    name = draw(wild)
    return AlterColumn(draw(wild), old=draw(any_columns(name)), new=draw(any_columns(name)))


_functions = st.sampled_from(["fill", "empty", "up", "größer"])
BY_KIND: dict[type, st.SearchStrategy[Any]] = {
    **{kind: _whole_tables(kind) for kind in (CreateTable, DropTable)},
    RenameTable: st.builds(RenameTable, wild, wild),
    **{kind: st.builds(kind, wild, any_columns(keys=True)) for kind in (AddColumn, DropColumn)},
    RenameColumn: st.builds(RenameColumn, wild, wild, wild),
    AlterColumn: _altered_columns(),
    **{
        kind: st.builds(
            kind,
            wild,
            st.lists(_keys, min_size=1, max_size=3),
            name=wild,
            unique=st.booleans(),
            where=st.none() | _sql,
        )
        for kind in (AddIndex, DropIndex)
    },
    **{kind: st.builds(kind, wild, _sql, name=wild) for kind in (AddCheck, DropCheck)},
    **{kind: st.builds(kind, wild, foreign_keys()) for kind in (AddForeignKey, DropForeignKey)},
    ChangePrimaryKey: st.builds(ChangePrimaryKey, wild, old=_names, new=_names),
    SetOptions: st.builds(SetOptions, wild, old=_options, new=_options),
    **{
        kind: st.builds(kind, wild, wild, up=_statements, down=_statements)
        for kind in (AddStatement, DropStatement)
    },
    Fill: st.builds(Fill, wild, wild, _sql),
    Execute: st.builds(Execute, up=_statements, down=st.none() | _statements),
    Run: st.builds(Run, up=_functions, down=st.none() | _functions),
}
"""A strategy for every operation of the vocabulary, by its class."""


def operations(*kinds: type) -> st.SearchStrategy[Operation]:
    """Any operation with any fields; of the kinds given, or of all."""
    return st.one_of([BY_KIND[kind] for kind in kinds or get_args(Operation)])


@st.composite
def migrations(draw: Draw, *, runs: bool = True) -> Migration:
    """Any migration; with `runs` also such as call functions, which stand as names."""
    enforced = draw(st.integers(0, 9)) == 9
    kinds = [Fill, Execute, Run] if enforced else list(get_args(Operation))
    if not runs:
        kinds.remove(Run)
    return Migration(
        draw(st.lists(operations(*kinds), max_size=4)),
        transaction=draw(st.booleans()),
        foreign_keys=enforced,
    )
