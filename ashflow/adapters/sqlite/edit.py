"""Change one part of a definition; what is not understood and would have to change is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ashflow.adapters.sqlite.clauses import (
    Reference,
    expression,
    normal,
    primary_key,
    reference,
)
from ashflow.adapters.sqlite.definition import Clause, ColumnItem, Definition, parse
from ashflow.adapters.sqlite.spell import (
    STRICT_DECIMAL,
    check_text,
    clauses,
    column_text,
    foreign_key_text,
    new_column_text,
    options_text,
    primary_key_text,
    type_text,
)
from ashflow.errors import SchemaError
from ashflow.schema.sqltext import fold, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from ashflow.schema.table import Check, Column, ForeignKey, Options

_ORDER: Final = ("not_null", "null", "primary_key", "default", "collate", "generated")


def add_column(definition: Definition, column: Column, key: ForeignKey | None = None) -> Definition:
    """Return the definition with a column behind the others.

    Args:
        definition: The table.
        column: The column.
        key: Its foreign key, which is written into the column.
    """
    if definition.column(column.name) is not None:
        raise SchemaError(
            f"{definition.name} has a column {column.name} already",
            hint="Something made it that these files do not tell: ashflow status shows what is "
            "missing or edited. Where the database is right as it is, record the migration "
            "without running it: ashflow migrate --mark VERSION",
        )
    text = new_column_text(column, key, strict=definition.options.strict)
    item = parse(definition.name, f"CREATE TABLE x ({text})").columns[0]
    item = replace(item, lead=_lead(definition))
    return replace(definition, columns=(*definition.columns, item))


def drop_column(definition: Definition, name: str) -> Definition:
    """Return the definition without a column, and without what is said inside of the column."""
    gone = _column(definition, name)
    _understood(definition, gone)
    return replace(definition, columns=tuple(c for c in definition.columns if c is not gone))


def alter_column(definition: Definition, old: Column, new: Column) -> Definition:
    """Return the definition with those facets of a column changed in which two columns differ.

    Args:
        definition: The table.
        old: The column as the schema has it.
        new: The column as it shall be; AUTOINCREMENT is set with `set_autoincrement`.
    """
    item = _column(definition, new.name)
    strict = definition.options.strict
    type_ = type_text(new.type, strict=strict)
    if type_ != type_text(old.type, strict=strict):
        _understood(definition, item)
        item = _spaced(replace(item, type=f" {type_}"))
    before, after = dict(clauses(old)), dict(clauses(new))
    for kind in _ORDER:
        if before.get(kind) != after.get(kind):
            _understood(definition, item)
            item = _with_clause(item, kind, after.get(kind))
    return _put(definition, item)


def set_default(definition: Definition, name: str, sql: str) -> Definition:
    """Return the definition with another default of a column.

    Args:
        definition: The table.
        name: The column.
        sql: The default, as SQL.
    """
    item = _with_clause(_column(definition, name), "default", f"DEFAULT {sql}")
    return _put(definition, item)


def facets_differ(old: Column, new: Column) -> bool:
    """Whether SQLite has to hear of the change from one column to the other."""
    return old.autoincrement != new.autoincrement or any(
        column_text(old, strict=strict) != column_text(new, strict=strict)
        for strict in (False, True)
    )


def set_autoincrement(definition: Definition, name: str, *, on: bool) -> Definition:
    """Return the definition with AUTOINCREMENT said of a sole primary key, or not said any more."""
    if primary_key(definition) != (name,):
        return definition
    item = _column(definition, name)
    if item.has("primary_key"):
        changed = tuple(
            _autoincrementing(clause, on=on) if clause.kind == "primary_key" else clause
            for clause in item.clauses
        )
        return _put(definition, replace(item, clauses=changed))
    constraints = tuple(
        _autoincrementing(clause, on=on) if clause.kind == "primary_key" else clause
        for clause in definition.constraints
    )
    return replace(definition, constraints=constraints)


def change_primary_key(
    definition: Definition, old: Sequence[str], new: Sequence[str], gone: Collection[str] = ()
) -> Definition:
    """Return the definition with another primary key.

    Args:
        definition: The table.
        old: The key so far.
        new: The key from now on.
        gone: The columns that were dropped, in small letters; others may have their names now.

    Raises:
        SchemaError: The key that stands is another one than the operation says.
    """
    there = [fold(name) for name in primary_key(definition)]
    wanted = [fold(name) for name in old if definition.column(name) is not None]
    if there not in (wanted, [name for name in wanted if name not in gone]):
        raise SchemaError(
            f"the primary key of {definition.name} is ({', '.join(there)}), and not "
            f"({', '.join(old)}) as the migration has it",
            hint="The table was changed by hand; change it back, or mend the migration.",
        )
    definition = _without_primary_key(definition)
    if len(new) == 1:
        item = _column(definition, new[0])
        return _put(definition, _with_clause(item, "primary_key", "PRIMARY KEY"))
    for name in new:
        _column(definition, name)
    if not new:
        return definition
    return add_constraint(definition, Clause("primary_key", primary_key_text(new)))


def add_check(definition: Definition, check: Check) -> Definition:
    """Return the definition with a check."""
    return add_constraint(definition, Clause("check", check_text(check), name=check.name))


def drop_check(definition: Definition, check: Check) -> Definition:
    """Return the definition without a check: that of its name, else one that says the same."""
    named = _dropped(definition, "check", lambda clause, _: _is_called(clause, check.name))
    if named is not None:
        return named
    wanted = normal(check.sql)
    same = _dropped(
        definition,
        "check",
        lambda clause, _: clause.name is None and normal(expression(clause)) == wanted,
    )
    if same is None:
        raise _missing(definition, f"check {check.name}")
    return same


def add_foreign_key(definition: Definition, key: ForeignKey) -> Definition:
    """Return the definition with a foreign key."""
    return add_constraint(definition, Clause("foreign_key", foreign_key_text(key), name=key.name))


def drop_foreign_key(definition: Definition, key: ForeignKey) -> Definition:
    """Return the definition without a foreign key: that of its name, else one of its columns."""
    found = drop_foreign_key_if_there(definition, key)
    if found is None:
        raise _missing(definition, f"foreign key {key.name}")
    return found


def drop_foreign_key_if_there(definition: Definition, key: ForeignKey) -> Definition | None:
    """Return the definition without a foreign key; None where there is no such key."""
    for kind in ("foreign_key", "references"):
        named = _dropped(definition, kind, lambda clause, _: _is_called(clause, key.name))
        if named is not None:
            return named
    for kind in ("foreign_key", "references"):
        same = _dropped(
            definition, kind, lambda clause, own: _is_same_key(reference(clause, own), key)
        )
        if same is not None:
            return same
    return None


def set_options(definition: Definition, options: Options) -> Definition:
    """Return the definition with other options; decimals take the type that fits them."""
    if options == definition.options:
        return definition
    decimal = STRICT_DECIMAL if options.strict else "NUMERIC"
    columns = tuple(
        _spaced(replace(item, type=f" {decimal}")) if _is_decimal(item) else item
        for item in definition.columns
    )
    return replace(definition, columns=columns, suffix=options_text(options))


def add_constraint(definition: Definition, clause: Clause) -> Definition:
    """Return the definition with a constraint behind the others."""
    clause = replace(clause, lead=_lead(definition))
    return replace(definition, constraints=(*definition.constraints, clause))


def _column(definition: Definition, name: str) -> ColumnItem:
    item = definition.column(name)
    if item is None:
        raise _missing(definition, f"column {name}")
    return item


def _missing(definition: Definition, what: str) -> SchemaError:
    return SchemaError(
        f"{definition.name} has no {what} in the database, as the migration supposes",
        hint="The table was changed by hand; change it back, or mend the migration.",
    )


def _understood(definition: Definition, item: ColumnItem) -> None:
    for clause in item.all("unknown"):
        raise SchemaError(
            f"column {definition.name}.{item.name} says what ashflow does not understand: "
            f"{clause.text}",
            hint="Change the table with an Execute of your own SQL.",
        )


def _lead(definition: Definition) -> str:
    return "\n  " if "\n" in definition.tail or not definition.columns else " "


def _put(definition: Definition, item: ColumnItem) -> Definition:
    columns = (item if c.name == item.name else c for c in definition.columns)
    return replace(definition, columns=tuple(columns))


def _spaced(item: ColumnItem) -> ColumnItem:
    """Return a column of which no two words run into one after a change."""
    spaced = tuple(replace(c, lead=c.lead or " ") for c in item.clauses)
    return replace(item, clauses=spaced)


def _with_clause(item: ColumnItem, kind: str, text: str | None) -> ColumnItem:
    """Return a column with a clause put in, changed or taken out."""
    kinds = {"not_null", "null"} if kind == "not_null" else {kind}
    at = next((i for i, c in enumerate(item.clauses) if c.kind in kinds), None)
    kept = [c for c in item.clauses if c.kind not in kinds]
    if text is not None:
        at = _place(item, kind) if at is None else at
        kept.insert(at, Clause(kind, text))
    return _spaced(replace(item, clauses=tuple(kept)))


def _place(item: ColumnItem, kind: str) -> int:
    """Return where a clause goes among the others: before all that usually follow it."""
    later = {*_ORDER[_ORDER.index(kind) + 1 :], "unique", "check", "references"}
    places = (i for i, clause in enumerate(item.clauses) if clause.kind in later)
    return next(places, len(item.clauses))


def _autoincrementing(clause: Clause, *, on: bool) -> Clause:
    kept = [t.text for t in tokens(clause.text) if not t.is_word("AUTOINCREMENT")]
    text = "".join(kept).rstrip()
    if on and clause.text.rstrip().endswith(")"):
        text = f"{text[:-1].rstrip()} AUTOINCREMENT)"
    elif on:
        text = f"{text} AUTOINCREMENT"
    return replace(clause, text=text.replace(" )", ")") if text.endswith(" )") else text)


def _without_primary_key(definition: Definition) -> Definition:
    for item in definition.columns:
        if item.has("primary_key"):
            definition = _put(definition, _with_clause(item, "primary_key", None))
    kept = tuple(clause for clause in definition.constraints if clause.kind != "primary_key")
    return replace(definition, constraints=kept)


def _dropped(
    definition: Definition, kind: str, wanted: Callable[[Clause, tuple[str, ...]], bool]
) -> Definition | None:
    """Return the definition without the first clause of a kind that is wanted; None: no such."""
    for clause in definition.constraints:
        if clause.kind == kind and wanted(clause, ()):
            kept = tuple(c for c in definition.constraints if c is not clause)
            return replace(definition, constraints=kept)
    for item in definition.columns:
        for clause in item.all(kind):
            if wanted(clause, (item.name,)):
                left = tuple(c for c in item.clauses if c is not clause)
                return _put(definition, _spaced(replace(item, clauses=left)))
    return None


def _is_called(clause: Clause, name: str) -> bool:
    return clause.name is not None and fold(clause.name) == fold(name)


def _is_same_key(there: Reference, key: ForeignKey) -> bool:
    return (
        _folded(there.columns) == _folded(key.columns)
        and fold(there.table) == fold(key.table)
        and (not there.keys or _folded(there.keys) == _folded(key.keys))
    )


def _is_decimal(item: ColumnItem) -> bool:
    said = [t.text for t in tokens(item.type) if t.kind != "space"]
    return item.declared.upper() == "NUMERIC" or said == STRICT_DECIMAL.rsplit(" ", 1)


def _folded(names: Sequence[str]) -> list[str]:
    return [fold(name) for name in names]
