"""Read the tables of a SQLite database back as values.

Two definitions that mean the same come out equal: a constraint inside a column or behind the
columns, names with needless quotes, white space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.sqlite import clauses
from ashflow.adapters.sqlite.grammar import Reader, name_of
from ashflow.schema.datatypes import RAW, Desc, Key, Sql
from ashflow.schema.sqltext import Token, fold, significant
from ashflow.schema.table import (
    DOMAIN,
    Check,
    Column,
    ForeignKey,
    Index,
    Schema,
    Statement,
    Table,
    foreign_key_name,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ashflow.adapters.sqlite.catalog import Catalog, Made, TableFacts
    from ashflow.adapters.sqlite.definition import Clause, ColumnItem, Definition


def introspect(catalog: Catalog, *, leave_out: Collection[str] = ()) -> Schema:
    """Return the schema of a database.

    Args:
        catalog: What the database says of itself, whole.
        leave_out: Tables that are not told, with all that stands on them.
    """
    hidden = {fold(name) for name in leave_out}
    tables = [
        table
        for table in catalog.tables
        if not table.name.startswith("sqlite_") and fold(table.name) not in hidden
    ]
    definitions = {fold(t.name): t.definition() for t in tables if t.kind == "table"}
    plain = [table for table in tables if table.kind == "table"]
    told = [_table(table, definitions) for table in plain]
    loose = [*(_made(table) for table in tables if table.kind == "virtual")]
    views = {fold(view.name) for view in catalog.views}
    on_views = [trigger for trigger in catalog.triggers if fold(trigger.table) in views]
    loose += [_statement(made) for made in (*catalog.views, *on_views)]
    return Schema([*told, Table(DOMAIN, statements=loose)] if loose else told)


def _table(facts: TableFacts, definitions: dict[str, Definition]) -> Table:
    definition = definitions[fold(facts.name)]
    return Table(
        facts.name,
        [_column(item, definition) for item in definition.columns],
        primary_key=clauses.primary_key(definition),
        foreign_keys=[
            _foreign_key(facts.name, key, definitions) for key in clauses.references(definition)
        ],
        indexes=[
            *unique_constraints(definition),
            *(index_of(i.sql, i.name) for i in facts.indexes),
        ],
        checks=list(checks_of(definition)),
        statements=[_statement(trigger) for trigger in facts.triggers],
        options=definition.options,
    )


def _column(item: ColumnItem, definition: Definition) -> Column:
    generated = item.all("generated")
    default = clauses.default_text(item)
    counted = clauses.autoincrement(definition) and item.name in clauses.primary_key(definition)
    return Column(
        item.name,
        RAW + (item.declared or "ANY"),
        nullable=not item.has("not_null"),
        default=None if default is None else Sql(clauses.normal(default)),
        autoincrement=counted,
        collate=clauses.collation(item),
        generated_as=clauses.normal(clauses.expression(generated[0])) if generated else None,
        stored=bool(generated) and significant(generated[0].text)[-1].is_word("STORED"),
    )


def _foreign_key(
    table: str, key: clauses.Reference, definitions: dict[str, Definition]
) -> ForeignKey:
    target = definitions.get(fold(key.table))
    usual = clauses.primary_key(target) if target is not None else ()
    keys = key.keys or (usual if len(usual) == len(key.columns) else key.columns)
    return ForeignKey(
        key.table,
        keys,
        columns=key.columns,
        name=key.name or foreign_key_name(table, key.columns),
        on_delete=key.on_delete,
        on_update=key.on_update,
        deferrable=key.deferrable,
    )


def checks_of(definition: Definition) -> Iterator[Check]:
    """Yield the checks of a table and of its columns; one without a name is given one."""
    found = [clause for item in definition.columns for clause in item.all("check")]
    found += [clause for clause in definition.constraints if clause.kind == "check"]
    for at, clause in enumerate(found, 1):
        name = clause.name or f"{definition.name}_unnamed_{at}_check"
        yield Check(name, clauses.normal(clauses.expression(clause)))


def unique_constraints(definition: Definition) -> Iterator[Index]:
    """Yield the UNIQUE of columns and tables, which SQLite keeps as indexes without a name."""
    found: list[tuple[Clause, tuple[str, ...]]] = []
    for item in definition.columns:
        found += [(clause, (item.name,)) for clause in item.all("unique")]
    found += [(c, clauses.key_columns(c)) for c in definition.constraints if c.kind == "unique"]
    for clause, columns in found:
        name = clause.name or f"{definition.name}_{'_'.join(columns)}_key"
        yield Index(name, columns, unique=True)


def index_of(sql: str, name: str) -> Index:
    """Return the index that a CREATE INDEX makes.

    Args:
        sql: The statement.
        name: The name of the index.
    """
    reader = Reader(significant(sql))
    unique = reader.found[1].is_word("UNIQUE")
    while not reader.word("ON"):
        reader.take()
    reader.take()
    start = reader.at
    reader.need_group()
    inner = reader.found[start + 1 : reader.at - 1]
    where = None
    if reader.word("WHERE"):
        where = clauses.normal(" ".join(token.text for token in reader.found[reader.at :]))
    return Index(name, [_key(key) for key in _split(inner)], unique=unique, where=where)


def _key(found: list[Token]) -> Key:
    if found[-1].is_word("DESC"):
        inner = _key(found[:-1])
        return inner if isinstance(inner, Desc) else Desc(inner)
    if found[-1].is_word("ASC"):
        return _key(found[:-1])
    if len(found) == 1 and found[0].kind in {"word", "quoted"}:
        return name_of(found[0])
    return Sql(clauses.normal(" ".join(token.text for token in found)))


def _split(found: Iterable[Token]) -> list[list[Token]]:
    keys: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "punct" else 0
        if token == Token("punct", ",") and depth == 0:
            keys.append([])
        else:
            keys[-1].append(token)
    return keys


def _made(table: TableFacts) -> Statement:
    return Statement(table.name, (clauses.normal(table.sql),), ())


def _statement(made: Made) -> Statement:
    return Statement(made.name, (clauses.normal(made.sql),), ())
