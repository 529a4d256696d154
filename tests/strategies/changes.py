"""Pairs of schemas, of which the second is the first after some changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import reject
from hypothesis import strategies as st

from ashflow.change.apply import apply_all
from ashflow.change.renames import Renames, check_renames
from ashflow.change.sequence import rename_columns, rename_tables
from ashflow.errors import UsageError
from ashflow.schema.sqltext import fold, mentions, tokens
from ashflow.schema.table import (
    ACTIONS,
    Column,
    Options,
    Schema,
    Table,
    index_mentions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
from strategies.names import Names
from strategies.rows import key_columns
from strategies.schemas import (
    columns,
    generated_columns,
    kept,
    keys_of,
    new_check,
    new_index,
    new_statement,
    new_table,
    schemas,
    with_foreign_key,
    with_table,
    written,
)
from strategies.values import ALL_TYPES, COLLATIONS, DEFAULTS, STRICT_TYPES, texts

Draw = Any


@st.composite
def changed_schemas(draw: Draw, *, keeps_rows: bool = False) -> tuple[Schema, Schema]:
    """A schema, and the same after one to three changes; renames are none of them.

    Args:
        keeps_rows: Only changes that no row can forbid: a new column may be NULL or has a default,
            nothing becomes NOT NULL, unique or of another kind of type.
    """
    old = draw(schemas())
    return old, draw(changes_of(old, keeps_rows=keeps_rows))


@st.composite
def changes_of(draw: Draw, old: Schema, *, keeps_rows: bool = False) -> Schema:
    """A schema after one to three changes, as `changed_schemas` makes them."""
    change = _Change(draw, old, keeps_rows=keeps_rows)
    for _ in range(draw(st.integers(1, 3))):
        change.once()
    return change.new


class _Change:
    """A schema that is changed step by step; what it is after each step is valid."""

    def __init__(self, draw: Draw, old: Schema, *, keeps_rows: bool) -> None:
        self.draw = draw
        self.old = old
        self.new = old
        self.keeps_rows = keeps_rows
        self.taken = Names(draw, _names_in(old))

    def once(self) -> None:
        deeds = [self.add_table, self.drop_table, self.add_column, self.drop_column]
        deeds += [self.alter_column, self.alter_column, self.add_index, self.drop_index]
        deeds += [self.add_check, self.drop_check, self.add_foreign_key, self.drop_foreign_key]
        deeds += [self.alter_foreign_key, self.change_primary_key, self.set_options]
        deeds += [self.add_statement, self.drop_statement]
        self.draw(st.sampled_from(deeds))()

    def some(self, items: Iterable[Any]) -> Any:
        """One of the items; None where there are none."""
        found = list(items)
        return self.draw(st.sampled_from(found)) if found else None

    def put(self, table: Table) -> None:
        self.new = kept(with_table(self.new, table))

    def own(self, table: Table) -> Names:
        """Names for what is new in a table; none that was there in the old schema."""
        before = self.old.get(table.name, table)
        parts = (table, before)
        return Names(self.draw, [x.name for part in parts for x in (*part.columns, *part.checks)])

    def add_table(self) -> None:
        self.put(new_table(self.draw, self.taken.new(), self.taken))

    def drop_table(self) -> None:
        if len(self.new) > 1:
            gone = self.some(self.new)
            self.new = kept(self.new.only(lambda name: name != gone))

    def add_column(self) -> None:
        if (table := self.some(self.new.values())) is None:
            return
        name = self.own(table).new()
        if self.draw(st.integers(0, 3)) == 3:
            column = self.draw(generated_columns(name, self.some(written(table))))
        else:
            column = self.draw(columns(name, self._types(table)))
            if self.keeps_rows and column.default is None:
                column = replace(column, nullable=True)
        self.put(replace(table, columns=(*table.columns, column)))

    def drop_column(self) -> None:
        table = self.some(self.new.values())
        gone = self.some(table.columns)
        leaner = without_column(table, gone.name)
        if written(leaner):
            self.put(leaner)

    def alter_column(self) -> None:
        table = self.some(self.new.values())
        column = self.some(table.columns)
        if column.generated_as is not None:
            over = self.some(written(table))
            altered = self.draw(generated_columns(column.name, over))
        else:
            altered = self._altered(table, column)
        self.put(replace(table, columns=[altered if c is column else c for c in table.columns]))

    def _altered(self, table: Table, column: Column) -> Column:
        way = self.some(["default", "nullable", "type", "comment", "collate"])
        if way == "default" and column.name not in table.primary_key:
            none = st.nothing() if self.keeps_rows and not column.nullable else st.none()
            return replace(column, default=self.draw(none | DEFAULTS[column.type]))
        if way == "nullable" and not (self.keeps_rows and column.nullable):
            return replace(column, nullable=not column.nullable)
        if way == "type" and (types := self._other_types(table, column)):
            other = self.draw(columns(column.name, types))
            return replace(other, nullable=column.nullable)
        if way == "collate" and column.type == "text":
            return replace(column, collate=self.some([None, *COLLATIONS]))
        return replace(column, comment=self.draw(texts))

    def _types(self, table: Table) -> Sequence[str]:
        return STRICT_TYPES if table.options.strict else ALL_TYPES

    def _other_types(self, table: Table, column: Column) -> Sequence[str]:
        if not self.keeps_rows:
            return self._types(table)
        keys = key_columns(self.new, table)
        if (before := self.old.get(table.name)) is not None:
            keys |= key_columns(self.old, before)
        family = next((family for family in _FAMILIES if column.type in family), ())
        return [] if column.name in keys else family

    def add_index(self) -> None:
        table = self.some(self.new.values())
        index = new_index(self.draw, table, self.taken)
        if self.keeps_rows:
            safe = bool(table.primary_key) and set(table.primary_key) <= {
                key for key in index.keys if isinstance(key, str)
            }
            index = replace(index, unique=index.unique and safe)
        self.put(replace(table, indexes=(*table.indexes, index)))

    def drop_index(self) -> None:
        table = self.some(t for t in self.new.values() if t.indexes)
        if table is not None:
            gone = self.some(table.indexes)
            self.put(replace(table, indexes=[i for i in table.indexes if i is not gone]))

    def add_check(self) -> None:
        table = self.some(self.new.values())
        check = new_check(self.draw, table, self.own(table))
        self.put(replace(table, checks=(*table.checks, check)))

    def drop_check(self) -> None:
        table = self.some(t for t in self.new.values() if t.checks)
        if table is not None:
            self.put(replace(table, checks=table.checks[1:]))

    def add_foreign_key(self) -> None:
        child, parent = self.some(self.new.values()), self.some(self.new.values())
        loose = self.keeps_rows
        own = self.own(child)
        self.put(with_foreign_key(self.draw, self.new, child, parent, own=own, loose=loose))

    def drop_foreign_key(self) -> None:
        table = self.some(t for t in self.new.values() if t.foreign_keys)
        if table is not None:
            self.put(replace(table, foreign_keys=table.foreign_keys[1:]))

    def alter_foreign_key(self) -> None:
        table = self.some(t for t in self.new.values() if t.foreign_keys)
        if table is not None:
            first, *others = table.foreign_keys
            action = self.some([None, *ACTIONS])
            altered = replace(first, on_delete=action, deferrable=self.draw(st.booleans()))
            self.put(replace(table, foreign_keys=[altered, *others]))

    def change_primary_key(self) -> None:
        table = self.some(self.new.values())
        key = self.draw(st.permutations(self.some(self._possible_keys(table))))
        rowless = replace(table.options, without_rowid=bool(key) and table.options.without_rowid)
        self.put(replace(table, primary_key=key, options=rowless))

    def _possible_keys(self, table: Table) -> list[Sequence[str]]:
        whole = written(table)
        if not self.keeps_rows:
            some = [column.name for column in whole[:2]]
            return [(), some[:1], some, [whole[-1].name]]
        filled = [column.name for column in whole if not column.nullable]
        unique = [key for key in keys_of(table) if set(key) <= set(filled)]
        longer = [[*key, name] for key in unique for name in filled if name not in key]
        return [(), *unique, *longer]

    def set_options(self) -> None:
        table = self.some(self.new.values())
        strict, rowless = self.draw(st.booleans()), self.draw(st.booleans())
        strict = strict and all(column.type in STRICT_TYPES for column in table.columns)
        self.put(replace(table, options=Options(strict=strict, without_rowid=rowless)))

    def add_statement(self) -> None:
        table = self.some(self.new.values())
        statement = new_statement(self.draw, self.taken)
        kept = [s for s in table.statements if s.name != statement.name]
        self.put(replace(table, statements=[*kept, statement]))

    def drop_statement(self) -> None:
        table = self.some(t for t in self.new.values() if t.statements)
        if table is not None:
            self.put(replace(table, statements=table.statements[1:]))


_FAMILIES = [
    ("text", "utc_datetime", "date", "time", "uuid", "json"),
    ("integer", "boolean"),
]


def without_column(table: Table, name: str) -> Table:
    """The table without a column, and without all that names it."""
    gone = {name}
    gone |= {c.name for c in table.columns if c.generated_as and mentions(c.generated_as, name)}
    return replace(
        table,
        columns=[c for c in table.columns if c.name not in gone],
        primary_key=() if gone & set(table.primary_key) else table.primary_key,
        foreign_keys=[k for k in table.foreign_keys if not gone & set(k.columns)],
        indexes=[i for i in table.indexes if not any(index_mentions(i, n) for n in gone)],
        checks=[c for c in table.checks if not any(mentions(c.sql, n) for n in gone)],
    )


def _names_in(schema: Schema) -> set[str]:
    """The names that tables, indexes and views of a schema have, and some more."""
    found = set(schema)
    for table in schema.values():
        found |= {index.name for index in table.indexes}
        for statement in table.statements:
            found |= {token.name for sql in statement.up for token in tokens(sql) if token.name}
    return found


@st.composite
def renamed_schemas(
    draw: Draw, before: Schema | None = None, *, keeps_rows: bool = True
) -> tuple[Schema, Schema, Renames]:
    """A schema, the same after changes that no row can forbid and after renames, and those.

    Names are swapped, handed on in chains, taken over from what went, given to what is new, or
    differ in case only.

    Args:
        before: The schema; None: any.
        keeps_rows: As `changed_schemas` has it.
    """
    old = draw(schemas()) if before is None else before
    new = draw(changes_of(old, keeps_rows=keeps_rows))
    renames = Renames()
    for name in [name for name in new if name in old]:
        there = [column.name for column in old[name].columns]
        wanted = [column.name for column in new[name].columns]
        for was, now in _new_names(draw, there, wanted).items():
            renames = renames.plus(name, was, now)
    others = (_names_in(old) | _names_in(new)) - {*old, *new}
    for was, now in _new_names(draw, [*old], [*new], others).items():
        renames = renames.plus(was, None, now)
    for table, pairs in renames.columns.items():
        columns = [column.name for column in new[table].columns]
        new = apply_all(new, rename_columns(table, pairs, columns))
    new = apply_all(new, rename_tables(renames.tables, new))
    new = _with_old_names(draw, old, new, renames)
    try:
        check_renames(renames, old, new)
    except UsageError:  # the name of what was renamed is given anew, and nothing came
        reject()
    return old, new, renames


def _with_old_names(draw: Draw, old: Schema, new: Schema, renames: Renames) -> Schema:
    """The new schema with a column, and a table, that have the names of others before them."""
    for name, table in new.items():
        was = renames.old_table(name)
        before = [column.name for column in old[was].columns] if was in old else []
        free = _free(before, [column.name for column in table.columns], renames.columns_of(was))
        if free and draw(st.integers(0, 3)) == 3:
            column = draw(columns(draw(st.sampled_from(free)), STRICT_TYPES))
            made = (*table.columns, replace(column, nullable=True))
            new = with_table(new, replace(table, columns=made))
    free = _free(old, {*new, *_names_in(new)}, renames.tables)
    if free and draw(st.integers(0, 3)) == 3:
        taken = Names(draw, _names_in(old) | _names_in(new))
        new = with_table(new, new_table(draw, draw(st.sampled_from(free)), taken))
    return new


def _free(old: Iterable[str], new: Iterable[str], renamed: Iterable[str]) -> list[str]:
    """The names that nothing has any more; what went is not told from what has its name."""
    taken = {fold(name) for name in new}
    found = [*renamed, *(name.swapcase() for name in old if name.swapcase() != name)]
    return [name for name in found if fold(name) not in taken]


def _new_names(
    draw: Draw, old: Sequence[str], new: Sequence[str], others: Iterable[str] = ()
) -> dict[str, str]:
    """New names for up to three of the things that stay, by their names so far."""
    stay = [name for name in old if name in new]
    chosen = draw(st.permutations(stay))[: draw(st.integers(0, 3))]
    free = [name for name in old if name not in new]
    turned = [name.swapcase() for name in chosen]
    fresh = [Names(draw, [*old, *new, *others]).new()]
    pool = draw(st.permutations([*chosen, *turned, *free, *fresh]))
    taken = {fold(name) for name in (*new, *others) if name not in chosen}
    found: dict[str, str] = {}
    for name in chosen:
        now = next(one for one in (*pool, name) if fold(one) not in taken)
        found[name] = now
        taken.add(fold(now))
    return {was: now for was, now in found.items() if was != now}
