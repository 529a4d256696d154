"""A schema as the source text of the resources that declare it."""

from __future__ import annotations

import json
import keyword
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ashflow.schema.datatypes import Desc, Sql
from ashflow.schema.sqltext import fold
from ashflow.schema.table import Column, ForeignKey, Index, Schema, Table, foreign_key_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ANNOTATIONS = {
    "text": "str",
    "integer": "int",
    "boolean": "bool",
    "float": "float",
    "decimal": "Decimal",
    "utc_datetime": "datetime",
    "date": "date",
    "time": "time",
    "binary": "bytes",
    "uuid": "UUID",
    "json": "dict",
}
HEADER = """\
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

from ashflow import (
    Resource, attribute, belongs_to, check, desc, foreign_key, identity, index,
    integer_primary_key, primary_key, sql, statement, utc_now, uuid_primary_key,
)
"""
# What a member of a class must not be called, since the rest of the body needs the name.
TAKEN = {*keyword.kwlist, *HEADER.replace(",", " ").split(), *ANNOTATIONS.values()}
SIZES = ("max_length", "precision", "scale", "collate")


def is_declarable(schema: Schema) -> bool:
    """Whether resources can declare a schema: no name is blank, and no two members share one."""
    tables = schema.values()
    return all(name.strip() for table in tables for name in _names_in(table)) and not any(
        count > 1 for table in tables for count in Counter(map(fold, _claims(table))).values()
    )


def declarable(schema: Schema) -> Schema:
    """The schema with the defaults that Python has no literal for as SQL."""
    return Schema(
        replace(table, columns=[_sayable(column) for column in table.columns])
        for table in schema.values()
    )


def source_of(schema: Schema) -> str:
    """The source of a module whose resources declare a schema."""
    return "\n\n".join([HEADER, *_Module(schema).classes()])


def _names_in(table: Table) -> Iterator[str]:
    yield table.name
    yield from (column.name for column in table.columns)
    yield from _claims(table)


def _claims(table: Table) -> Iterator[str]:
    for items in (table.indexes, table.checks, table.foreign_keys, table.statements):
        yield from (item.name for item in items)


def _sayable(column: Column) -> Column:
    if column.default in (float("inf"), float("-inf")):
        return replace(column, default=Sql(f"{column.default:.0f}".replace("inf", "9e999")))
    return column


class _Module:
    """The classes of a module, each of which may refer to all others."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.called = {name: f"Resource{n}" for n, name in enumerate(schema)}
        self.links: dict[tuple[str, str], tuple[str, str]] = {}
        self.linked: dict[tuple[str, str], ForeignKey] = {}
        for table in schema.values():
            for key in table.foreign_keys:
                self._link(table, key)

    def _link(self, table: Table, key: ForeignKey) -> None:
        """Take a foreign key for a `belongs_to`, where that says all of its column."""
        place, target = (table.name, key.columns[0]), (key.table, key.keys[0])
        if len(key.columns) > 1 or place in self.links or self._leads_to(target, place):
            return
        column, aim = table.column(place[1]), self.schema[key.table].column(target[1])
        if column == replace(
            Column(column.name, aim.type, nullable=column.nullable, comment=column.comment),
            **{size: getattr(aim, size) for size in SIZES},
        ):
            self.links[place], self.linked[place] = target, key

    def _leads_to(self, start: tuple[str, str], end: tuple[str, str]) -> bool:
        while start != end and start in self.links:
            start = self.links[start]
        return start == end

    def classes(self) -> Iterator[str]:
        for table in self.schema.values():
            yield "\n".join([self._head(table), *(f"    {line}" for line in self._body(table))])

    def _head(self, table: Table) -> str:
        options = {
            "table": table.name,
            "strict": table.options.strict or None,
            "without_rowid": table.options.without_rowid or None,
        }
        return f"class {self.called[table.name]}(Resource, {_said(options)}):"

    def _body(self, table: Table) -> Iterator[str]:
        for n, column in enumerate(table.columns):
            key = self.linked.get((table.name, column.name))
            sole = tuple(table.primary_key) == (column.name,)
            if key is not None:
                yield self._belongs_to(f"link_{n}", table, column, key, sole=sole)
            else:
                yield _attribute(f"column_{n}", column, sole=sole)
        if len(table.primary_key) > 1:
            yield f"key = primary_key({_listed(table.primary_key)})"
        for n, key in enumerate(table.foreign_keys):
            if self.linked.get((table.name, key.columns[0])) is not key:
                columns = _listed(key.columns)
                to = {"to": _Bare(f"{self.called[key.table]!r}"), "keys": key.keys}
                said = _said(to | _of_key(table, key))
                yield f"key_{n} = foreign_key({columns}, {said})"
        for n, index in enumerate(table.indexes):
            yield f"index_{n} = {_index(index)}"
        for n, check in enumerate(table.checks):
            yield f"check_{n} = check({check.sql!r}, name={check.name!r})"
        for n, statement in enumerate(table.statements):
            up, down = list(statement.up), list(statement.down)
            yield f"statement_{n} = statement({up!r}, {down!r}, name={statement.name!r})"

    def _belongs_to(
        self, member: str, table: Table, column: Column, key: ForeignKey, *, sole: bool
    ) -> str:
        said = {
            "source": column.name,
            "to": key.keys[0],
            "nullable": column.nullable,
            "primary_key": sole or None,
            "comment": column.comment,
        }
        stem = column.name.removesuffix("_id")
        if stem != column.name and _is_plain(stem) and table.column(stem) is None:
            member = stem
            del said["source"]
        said = _said(said | _of_key(table, key))
        return f"{member} = belongs_to({self.called[key.table]!r}, {said})"


class _Bare(str):
    """A text that is source already."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _said(options: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in options.items() if value is not None)


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(map(repr, values))


def _of_key(table: Table, key: ForeignKey) -> dict[str, Any]:
    usual = foreign_key_name(table.name, key.columns)
    return {
        "on_delete": key.on_delete,
        "on_update": key.on_update,
        "deferrable": key.deferrable or None,
        "name": None if key.name == usual else key.name,
    }


def _index(index: Index) -> str:
    word, unique = ("identity", None) if index.unique else ("index", None)
    if index.unique and any(isinstance(key, Desc) for key in index.keys):
        word, unique = "index", True
    said = _said({"unique": unique, "where": index.where, "name": index.name})
    return f"{word}({_listed(index.keys)}, {said})"


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isidentifier() and name[0] != "_" and name not in TAKEN


def _attribute(member: str, column: Column, *, sole: bool) -> str:
    """A line that declares a column in the shortest way that there is for it."""
    source = None if _is_plain(column.name) else column.name
    member = member if source else column.name
    if column.autoincrement or (sole and column == Column(column.name, "uuid")):
        word = "integer_primary_key" if column.autoincrement else "uuid_primary_key"
        return f"{member} = {word}({_said({'source': source, 'comment': column.comment})})"
    raw = column.type not in ANNOTATIONS
    annotation = ANNOTATIONS.get(column.type, "object") + " | None" * column.nullable
    options = {
        "default": _default(column),
        "primary_key": sole or None,
        "source": source,
        "type": column.type if raw else None,
        **{size: getattr(column, size) for size in SIZES},
        "generated_as": column.generated_as,
        "stored": column.stored or None,
        "comment": column.comment,
    }
    given = {name: value for name, value in options.items() if value is not None}
    if not given:
        return f"{member}: {annotation}"
    value = repr(given["default"]) if [*given] == ["default"] else f"attribute({_said(given)})"
    return f"{member}: {annotation} = {value}"


def _default(column: Column) -> Any:
    if column.type == "json" and isinstance(column.default, str):
        return json.loads(column.default)
    return column.default
