"""Columns, tables and schemas that are valid on SQLite."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from ashflow.schema.datatypes import Desc, Sql
from ashflow.schema.sqltext import quote
from ashflow.schema.table import (
    ACTIONS,
    Check,
    Column,
    ForeignKey,
    Index,
    Options,
    Schema,
    Statement,
    Table,
    find,
    foreign_key_name,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
from strategies.names import Names, names
from strategies.values import ALL_TYPES, COLLATIONS, DEFAULTS, STRICT_TYPES, texts

Draw = Any


@st.composite
def columns(draw: Draw, name: str | None = None, types: Sequence[str] = ALL_TYPES) -> Column:
    """A column that is written: any type, and any default that is one of the type."""
    type_ = draw(st.sampled_from(types))
    extras: dict[str, Any] = {}
    if type_ == "text":
        extras["max_length"] = draw(st.none() | st.integers(1, 255))
        extras["collate"] = draw(st.none() | st.sampled_from(COLLATIONS))
    if type_ == "decimal" and draw(st.booleans()):
        extras |= {"precision": 10, "scale": draw(st.integers(0, 10))}
    return Column(
        name if name is not None else draw(names()),
        type_,
        nullable=draw(st.booleans()),
        default=draw(st.none() | DEFAULTS[type_]),
        comment=draw(st.none() | st.none() | texts),
        **extras,
    )


@st.composite
def generated_columns(draw: Draw, name: str, over: Column) -> Column:
    """A column that is computed of another."""
    column = quote(over.name)
    type_, text = draw(
        st.sampled_from(
            [
                ("text", f"typeof({column})"),
                ("text", f"coalesce(upper({column}), 'none')"),
                ("integer", f"coalesce(length({column}), 0)"),
                ("integer", f"{column} IS NULL"),
            ]
        )
    )
    nullable, stored = draw(st.booleans()), draw(st.booleans())
    return Column(name, type_, nullable=nullable, generated_as=text, stored=stored)


def written(table: Table) -> list[Column]:
    return [column for column in table.columns if column.generated_as is None]


@st.composite
def tables(draw: Draw, name: str | None = None) -> Table:
    """A valid table by itself: its foreign keys lead to itself."""
    name = name if name is not None else draw(names())
    table = new_table(draw, name, Names(draw, [name]))
    for _ in range(draw(st.integers(0, 1))):
        table = with_foreign_key(draw, Schema([table]), table, table)
    return table


def new_table(draw: Draw, name: str, taken: Names) -> Table:
    options = draw(st.builds(Options, strict=st.booleans(), without_rowid=st.booleans()))
    own = Names(draw)
    types = STRICT_TYPES if options.strict else ALL_TYPES
    made = [draw(columns(own.new(), types)) for _ in range(draw(st.integers(1, 4)))]
    table = _with_primary_key(draw, Table(name, made, options=options))
    if draw(st.integers(0, 3)) == 3:
        extra = draw(generated_columns(own.new(), draw(st.sampled_from(written(table)))))
        table = replace(table, columns=(*table.columns, extra))
    table = replace(
        table,
        indexes=[new_index(draw, table, taken) for _ in range(draw(st.integers(0, 2)))],
        checks=[new_check(draw, table, own) for _ in range(draw(st.integers(0, 1)))],
        statements=[new_statement(draw, taken)] if draw(st.integers(0, 4)) == 4 else [],
    )
    return _legal(table)


def _with_primary_key(draw: Draw, table: Table) -> Table:
    """The table with a primary key of some of its columns, or with none."""
    candidates = [column.name for column in written(table)]
    size = draw(st.sampled_from([1, 0, 1, 2]))
    key = tuple(draw(st.permutations(candidates)))[:size]
    counted = draw(st.booleans())
    made = [
        replace(column, nullable=False, default=None, autoincrement=counted)
        if column.name in key
        else column
        for column in table.columns
    ]
    return replace(table, columns=made, primary_key=key)


def new_index(draw: Draw, table: Table, taken: Names) -> Index:
    """An index that no row can offend: what a unique one is made of, `is_key` tells."""
    chosen = draw(st.permutations(table.columns))[: draw(st.sampled_from([1, 1, 2]))]
    unique = draw(st.booleans()) and all(column.generated_as is None for column in chosen)
    unique = unique and all(column.type != "boolean" for column in chosen)
    keys = [draw(_index_key(column, plain=unique and column.type != "text")) for column in chosen]
    where = None
    if draw(st.integers(0, 2)) == 2:
        where = _condition(draw, draw(st.sampled_from(table.columns)))
    return Index(taken.new(), keys, unique=unique, where=where)


@st.composite
def _index_key(draw: Draw, column: Column, *, plain: bool) -> Any:
    expressions = [] if plain else [Sql(f"lower({quote(column.name)})")]
    key = draw(st.sampled_from([column.name, column.name, *expressions]))
    return Desc(key) if draw(st.integers(0, 3)) == 3 else key


def _condition(draw: Draw, column: Column) -> str:
    name = quote(column.name)
    choice = [f"{name} IS NOT NULL", f"length({name}) > 0", f"typeof({name}) <> 'it''s'"]
    return draw(st.sampled_from(choice))


def new_check(draw: Draw, table: Table, own: Names) -> Check:
    """A check that every row meets."""
    name = quote(draw(st.sampled_from(table.columns)).name)
    choice = [f"length({name}) >= 0", f"typeof({name}) <> 'it''s'", f"{name} IS NULL OR 1 = 1"]
    return Check(own.take(f"{draw(names())}new_check"), draw(st.sampled_from(choice)))


def new_statement(draw: Draw, taken: Names) -> Statement:
    view = quote(taken.new())
    up = [f"CREATE VIEW {view} AS SELECT {draw(st.integers(0, 9))} AS one"]
    return Statement(draw(names()), up, [f"DROP VIEW {view}"])


def _legal(table: Table) -> Table:
    """The table with what its columns and keys do not allow taken away."""
    key = [find(table.columns, name) for name in table.primary_key]
    sole = len(key) == 1 and key[0].type == "integer"
    counted = sole and key[0].autoincrement
    made = [
        replace(
            column,
            autoincrement=column.autoincrement and sole and column is key[0],
            nullable=column.nullable and column not in key,
        )
        for column in table.columns
    ]
    rowless = table.options.without_rowid and bool(key) and not counted
    return replace(table, columns=made, options=replace(table.options, without_rowid=rowless))


_EDGES = [
    [],
    [(0, 1)],
    [(0, 0)],
    [(0, 1), (1, 0)],
    [(0, 1), (1, 2), (2, 0)],
    [(1, 0), (2, 0), (2, 1)],
    [(0, 1), (0, 1)],
]


@st.composite
def schemas(draw: Draw, max_tables: int = 3) -> Schema:
    """A valid schema; its foreign keys may run in cycles of one, two and three tables."""
    taken = Names(draw)
    wanted = [taken.new() for _ in range(draw(st.integers(1, max_tables)))]
    schema = Schema([new_table(draw, name, taken) for name in wanted])
    edges = [edge for edge in _EDGES if all(max(pair) < len(wanted) for pair in edge)]
    for child, parent in draw(st.sampled_from(edges)):
        table = with_foreign_key(draw, schema, schema[wanted[child]], schema[wanted[parent]])
        schema = with_table(schema, table)
    return schema


def with_table(schema: Schema, table: Table) -> Schema:
    return Schema({**schema, table.name: table}.values())


def keys_of(table: Table) -> list[tuple[str, ...]]:
    """What a foreign key may lead to: the primary key, and what a plain unique index is on."""
    plain = [
        index.keys
        for index in table.indexes
        if index.unique and not index.where and all(isinstance(key, str) for key in index.keys)
    ]
    return [key for key in [table.primary_key, *plain] if key]


def with_foreign_key(
    draw: Draw,
    schema: Schema,
    child: Table,
    parent: Table,
    *,
    own: Names | None = None,
    loose: bool = False,
) -> Table:
    """The child with a foreign key to one of the parent's keys, and the columns that it needs.

    Args:
        own: Names for new columns.
        loose: Only new columns that may be NULL, and are.
    """
    keys = [key for key in keys_of(parent) if _fits(child, parent, key)]
    if not keys:
        return child
    target = draw(st.sampled_from(keys))
    own = own or Names(draw, [column.name for column in child.columns])
    refers: list[str] = []
    made = list(child.columns)
    for key in target:
        aim = find(parent.columns, key)
        same = [c.name for c in written(child) if c.type == aim.type and c.name not in refers]
        if same and not loose and draw(st.booleans()):
            refers.append(draw(st.sampled_from(same)))
            continue
        nullable = loose or draw(st.booleans())
        made.append(Column(own.take(f"{draw(names())}_id"), aim.type, nullable=nullable))
        refers.append(made[-1].name)
    key = _foreign_key(draw, child.name, parent.name, target, refers)
    if find(child.foreign_keys, key.name):
        return child
    table = replace(child, columns=made, foreign_keys=[*child.foreign_keys, key])
    return kept(with_table(schema, table))[child.name]


def _fits(child: Table, parent: Table, key: tuple[str, ...]) -> bool:
    """Whether the child may have columns of the key's types."""
    types = [find(parent.columns, name).type for name in key]
    return not child.options.strict or all(type_ in STRICT_TYPES for type_ in types)


def _foreign_key(
    draw: Draw, child: str, parent: str, keys: Sequence[str], refers: Sequence[str]
) -> ForeignKey:
    usual = foreign_key_name(child, refers)
    return ForeignKey(
        parent,
        tuple(keys),
        columns=refers,
        name=draw(st.sampled_from([usual, usual, f"{draw(names())}_fkey"])),
        on_delete=draw(st.sampled_from([None, *ACTIONS])),
        on_update=draw(st.sampled_from([None, None, "cascade", "restrict"])),
        deferrable=draw(st.booleans()),
    )


def kept(schema: Schema) -> Schema:
    """The schema without foreign keys that lead nowhere, and with what its keys allow."""
    whole = Schema([_legal(table) for table in schema.values()])
    kept = []
    for table in whole.values():
        keys = [key for key in table.foreign_keys if _leads(whole, table, key)]
        kept.append(replace(table, foreign_keys=[_allowed(table, key) for key in keys]))
    return Schema(kept)


def _leads(schema: Schema, table: Table, key: ForeignKey) -> bool:
    parent = schema.get(key.table)
    if parent is None or not any(sorted(key.keys) == sorted(k) for k in keys_of(parent)):
        return False
    refers = [find(written(table), name) for name in key.columns]
    aims = [find(parent.columns, name) for name in key.keys]
    return all(c and a and c.type == a.type for c, a in zip(refers, aims, strict=True))


def _allowed(table: Table, key: ForeignKey) -> ForeignKey:
    if all(find(table.columns, name).nullable for name in key.columns):
        return key
    delete, update = (None if a == "set_null" else a for a in (key.on_delete, key.on_update))
    return replace(key, on_delete=delete, on_update=update)
