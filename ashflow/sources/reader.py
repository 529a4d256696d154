"""Read one resource: its table's name and options, its columns, and what else its body says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ashflow.schema.datatypes import RAW, Desc, Sql
from ashflow.schema.sqltext import enclosed
from ashflow.schema.table import Check, Index, Statement
from ashflow.sources.annotations import allows_none, column_type
from ashflow.sources.bodies import body_of
from ashflow.sources.columns import check_of, column_of, type_of
from ashflow.sources.members import (
    UNSET,
    Attribute,
    BelongsTo,
    Checked,
    Indexed,
    Keyed,
    Member,
    References,
    Stated,
)
from ashflow.sources.options import (
    folded,
    is_sql,
    judge,
    judge_table,
    text_of,
)
from ashflow.sources.places import Spot
from ashflow.sources.reading import Link, Reading, claim, columns_there
from ashflow.sources.resource import Resource

if TYPE_CHECKING:
    from ashflow.schema.datatypes import Key
    from ashflow.sources.bodies import Said

# https://www.sqlite.org/stricttables.html
_STRICT: Final = ("INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY")
_INHERITED: Final = ("repo", "migrate", "strict", "without_rowid", "base_filter")


def read(cls: type[Resource], repo: str) -> Reading:
    """Read a resource.

    Args:
        cls: A concrete resource.
        repo: The configured repo of its table.

    Raises:
        Wrong: It says something that is no table.
    """
    table, options = _declared(cls)
    reading = Reading(
        cls,
        repo,
        table,
        migrate=options["migrate"] is not False,
        strict=options["strict"],
        without_rowid=options["without_rowid"],
    )
    later: list[tuple[Spot, Member]] = []
    for name, said in body_of(cls).items():
        if isinstance(said.value, Member):
            spot = Spot(cls, name, said.value.call, said.home)
            _take(reading, said.value, said, spot, later)
        elif said.annotation is not UNSET:
            _take_attribute(reading, said, Spot(cls, name, None, said.home))
    if not reading.columns:
        raise Spot(cls).wrong("has no columns", hint="Annotate a name: `name: str`.")
    for spot, member in later:
        _take_over_columns(reading, member, spot, options["base_filter"])
    _finish_key(reading)
    if reading.strict:
        _judge_strict(reading)
    return reading


def option_of(cls: type[Resource], option: str) -> Any:  # noqa: ANN401  (the keywords differ)
    """Return a keyword of a class statement, or that of the abstract base that says it first.

    Args:
        cls: A resource.
        option: The keyword.
    """
    for base in cls.__mro__:
        said = base.__dict__.get("__ashflow__")
        if said is not None and (base is cls or said.abstract):
            value = getattr(said, option)
            if value is not None:
                return value
    return None


def _declared(cls: type[Resource]) -> tuple[str, dict[str, Any]]:
    """Return the table's name, and the keywords that bases may have said."""
    spot, said = Spot(cls), cls.__ashflow__
    judge(said, spot)
    if said.abstract:
        raise spot.wrong("is abstract, so it has no table", hint="Name its subclasses instead.")
    if said.table is None:
        raise spot.wrong(
            "names no table",
            hint=f'Write class {cls.__name__}(Resource, table="..."), or abstract=True for a base '
            "that has no table of its own.",
        )
    judge_table(said.table, spot)
    if cls.__bases__ == (Resource,):
        return said.table, {option: getattr(said, option) for option in _INHERITED}
    return said.table, {option: option_of(cls, option) for option in _INHERITED}


def _take(
    reading: Reading, member: Member, said: Said, spot: Spot, later: list[tuple[Spot, Member]]
) -> None:
    """Take a word in; what speaks of columns has to wait until all of them are known."""
    judge(member, spot)
    if isinstance(member, Attribute):
        _take_attribute(reading, said, spot)
    elif isinstance(member, BelongsTo):
        _take_link(reading, member, said, spot)
    else:
        later.append((spot, member))


def _take_attribute(reading: Reading, said: Said, spot: Spot) -> None:
    attribute, name = said.value, spot.member
    if isinstance(attribute, Attribute):
        name = attribute.source or name
        if attribute.primary_key:
            reading.primary_key.append(name)
        type_ = type_of(attribute, said.annotation, spot)
    else:
        type_ = column_type(said.annotation, spot)
    claim(reading.column_spots, name, spot)
    reading.columns[name] = column_of(name, attribute, type_, spot, reading.warnings)
    if type_.choices is not None:
        check = check_of(reading.table, name, type_.choices, spot)
        claim(reading.name_spots, check.name, spot)
        reading.checks.append(check)


def _take_link(reading: Reading, link: BelongsTo, said: Said, spot: Spot) -> None:
    name = link.source or f"{spot.member}_id"
    claim(reading.column_spots, name, spot)
    nullable = link.nullable
    if nullable is None:
        nullable = said.annotation is not UNSET and allows_none(said.annotation)
    reading.columns[name] = None
    reading.links[name] = Link(link, nullable)
    if link.primary_key:
        reading.primary_key.append(name)
    if link.index:
        _take_index(reading, Index(f"{reading.table}_{name}_index", (name,)), spot)


def _take_over_columns(
    reading: Reading, member: Member, spot: Spot, base_filter: str | Sql | None
) -> None:
    """Take in a member that speaks of columns."""
    if isinstance(member, Indexed):
        _take_index(reading, _index(reading, member, spot, base_filter), spot)
    elif isinstance(member, Checked):
        name = member.name or f"{reading.table}_{spot.member}_check"
        claim(reading.name_spots, name, spot)
        reading.checks.append(Check(name, text_of(member.sql)))
    elif isinstance(member, References):
        reading.references.append((member, spot))
    elif isinstance(member, Keyed):
        _take_key(reading, member, spot)
    elif isinstance(member, Stated):
        statement = statement_of(member, member.name or spot.member, spot)
        claim(reading.name_spots, statement.name, spot)
        reading.statements.append(statement)


def _take_index(reading: Reading, index: Index, spot: Spot) -> None:
    if folded(index.name).startswith("sqlite_"):
        raise spot.wrong(f"is called {index.name!r}: SQLite keeps names with sqlite_ for itself")
    claim(reading.name_spots, index.name, spot)
    reading.indexes.append(index)


def _index(reading: Reading, member: Indexed, spot: Spot, base_filter: str | Sql | None) -> Index:
    if not member.keys:
        raise spot.wrong(f"is an {member.word} without keys", hint="Name one or more columns.")
    where = None if member.where is None else text_of(member.where)
    if base_filter is not None and member.word == "identity":
        also = text_of(base_filter)
        where = f"{enclosed(where)} AND {enclosed(also)}" if where else also
    return Index(
        member.name or f"{reading.table}_{spot.member}_index",
        tuple(_key(reading, key, spot) for key in member.keys),
        unique=member.unique,
        where=where,
    )


def _key(reading: Reading, key: Key, spot: Spot) -> Key:
    inner: object = key.key if isinstance(key, Desc) else key
    if isinstance(inner, Sql):
        if not is_sql(inner):
            raise spot.wrong("has an empty sql() as a key")
    elif isinstance(inner, str):
        columns_there(reading, (inner,), spot)
    else:
        raise spot.wrong(
            f"has the key {key!r}",
            hint="A key is the name of a column in quotes, sql('expression') or desc(key).",
        )
    return key


def statement_of(member: Stated, name: str, spot: Spot) -> Statement:
    """Return the statement that a member declares.

    Args:
        member: The member.
        name: What it is called.
        spot: Where, for errors.

    Raises:
        Wrong: There is nothing in it.
    """
    if not member.up:
        raise spot.wrong("is a statement without SQL", hint="Give up= an SQL statement.")
    return Statement(name, member.up, member.down)


def _take_key(reading: Reading, member: Keyed, spot: Spot) -> None:
    columns_there(reading, member.columns, spot)
    left_out = [name for name in reading.primary_key if name not in member.columns]
    if left_out:
        raise spot.wrong(
            f"leaves out {', '.join(left_out)}, which is a primary key too",
            hint="Name all columns of the key here, in its order.",
        )
    if not member.columns or len(set(member.columns)) < len(member.columns):
        raise spot.wrong("names no column, or one twice")
    reading.primary_key[:] = member.columns


def _finish_key(reading: Reading) -> None:
    """See that the primary key can be one; its columns are never NULL, whatever is annotated."""
    spot = Spot(reading.cls)
    if reading.without_rowid and not reading.primary_key:
        raise spot.wrong("is without_rowid and has no primary key", hint="It needs one.")
    for name in reading.primary_key:
        column = reading.columns[name]
        if column is None:
            continue
        if column.generated_as is not None:
            raise reading.spot(name).wrong("is generated, so it can be no primary key")
        if column.autoincrement and (reading.without_rowid or len(reading.primary_key) > 1):
            raise reading.spot(name).wrong(
                "counts up, which only a sole primary key of a table with rowids can",
                hint="Write integer_primary_key(autoincrement=False).",
            )
        if column.nullable:
            reading.columns[name] = replace(column, nullable=False)


def _judge_strict(reading: Reading) -> None:
    """See that a STRICT table has no type but those that it can have."""
    for name, column in reading.columns.items():
        if column is None or not column.type.startswith(RAW):
            continue
        if column.type[len(RAW) :].strip().upper() not in _STRICT:
            raise reading.spot(name).wrong(
                f"has the type {column.type!r}, and a strict table has only {', '.join(_STRICT)}"
            )
