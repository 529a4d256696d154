"""The words that may stand in a class body; each only remembers what was said, and where."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ashflow.schema.datatypes import utc_now
from ashflow.sources.members import (
    UNSET,
    Attribute,
    BelongsTo,
    Checked,
    Indexed,
    Keyed,
    References,
    Stated,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Never

    from ashflow.schema.datatypes import Key, Sql
    from ashflow.schema.table import Action
    from ashflow.sources.members import Call

Assigned = Any
"""What a word returns: it stands where a value of the annotated type is expected.

Each word also takes `**_unknown: Never`. A type checker refuses a misspelt keyword there; at run
time it is kept, and reported with its class, member and line.
"""


def attribute(
    *,
    default: object = UNSET,
    primary_key: bool = False,
    source: str | None = None,
    type: str | None = None,  # noqa: A002  (the contract's word)
    max_length: int | None = None,
    precision: int | None = None,
    scale: int | None = None,
    collate: str | None = None,
    generated_as: str | Sql | None = None,
    stored: bool = False,
    comment: str | None = None,
    **_unknown: Never,
) -> Assigned:
    """Declare a column of which the annotation does not say everything.

    Args:
        default: What the database writes where a row says nothing: a constant, `sql("expression")`,
            `dict` or `list` for empty JSON, or `utc_now`. Another callable is the application's.
        primary_key: Whether the column is the primary key, or a part of it.
        source: The column's name; by default the attribute's.
        type: The column's type, such as `"text"` or `"raw:POINT"`, instead of the annotation's.
        max_length: The longest text, in characters.
        precision: The digits of a decimal.
        scale: Those of them behind the point.
        collate: The collation that compares and orders the values.
        generated_as: SQL that the value is computed from.
        stored: Whether a generated value is kept on disk.
        comment: A word for the reader.
    """
    return Attribute(
        here(),
        "attribute",
        _unknown,
        default=default,
        primary_key=primary_key,
        source=source,
        type=type,
        max_length=max_length,
        precision=precision,
        scale=scale,
        collate=collate,
        generated_as=generated_as,
        stored=stored,
        comment=comment,
    )


def integer_primary_key(
    *,
    autoincrement: bool = True,
    source: str | None = None,
    comment: str | None = None,
    **_unknown: Never,
) -> Assigned:
    """Declare a primary key that the database counts up.

    Args:
        autoincrement: Whether a number is never used again, also after its row is gone.
        source: The column's name; by default the attribute's.
        comment: A word for the reader.
    """
    return Attribute(
        here(),
        "integer_primary_key",
        _unknown,
        primary_key=True,
        source=source,
        type="integer",
        nullable=False,
        autoincrement=autoincrement,
        comment=comment,
    )


def uuid_primary_key(
    *, source: str | None = None, comment: str | None = None, **_unknown: Never
) -> Assigned:
    """Declare a primary key of UUIDs, which the application makes.

    Args:
        source: The column's name; by default the attribute's.
        comment: A word for the reader.
    """
    return Attribute(
        here(),
        "uuid_primary_key",
        _unknown,
        primary_key=True,
        source=source,
        type="uuid",
        nullable=False,
        comment=comment,
    )


def create_timestamp(
    *, source: str | None = None, comment: str | None = None, **_unknown: Never
) -> Assigned:
    """Declare the moment at which a row was made; the database writes it.

    Args:
        source: The column's name; by default the attribute's.
        comment: A word for the reader.
    """
    return _timestamp(here(), "create_timestamp", _unknown, source, comment)


def update_timestamp(
    *, source: str | None = None, comment: str | None = None, **_unknown: Never
) -> Assigned:
    """Declare the moment at which a row was last changed; the database writes the first one.

    Args:
        source: The column's name; by default the attribute's.
        comment: A word for the reader.
    """
    return _timestamp(here(), "update_timestamp", _unknown, source, comment)


def belongs_to(
    target: type | str,
    *,
    source: str | None = None,
    to: str = "id",
    nullable: bool | None = None,
    on_delete: Action | None = None,
    on_update: Action | None = None,
    deferrable: bool = False,
    index: bool = False,
    primary_key: bool = False,
    name: str | None = None,
    comment: str | None = None,
    **_unknown: Never,
) -> Assigned:
    """Declare a column that refers to another resource, and its foreign key.

    Args:
        target: A resource, or its name where it is declared later or is the class itself.
        source: The column's name; by default `<member>_id`.
        to: The column of the target; this column takes its type.
        nullable: Whether the column may be NULL; by default no, unless it is annotated `T | None`.
        on_delete: What happens to a row whose target goes: `"restrict"`, `"cascade"`,
            `"set_null"` or `"set_default"`; by default the target must not go.
        on_update: What happens when the target's key changes.
        deferrable: Whether the database looks only at the end of a transaction.
        index: Whether the column gets an index.
        primary_key: Whether the column is the primary key, or a part of it.
        name: The foreign key's name; by default `<table>_<column>_fkey`.
        comment: A word for the reader.
    """
    return BelongsTo(
        here(),
        "belongs_to",
        _unknown,
        target=target,
        on_delete=on_delete,
        on_update=on_update,
        deferrable=deferrable,
        name=name,
        source=source,
        to=to,
        nullable=nullable,
        index=index,
        primary_key=primary_key,
        comment=comment,
    )


def foreign_key(
    *columns: str,
    to: type | str,
    keys: Sequence[str] | str = ("id",),
    on_delete: Action | None = None,
    on_update: Action | None = None,
    deferrable: bool = False,
    name: str | None = None,
    **_unknown: Never,
) -> Assigned:
    """Declare a foreign key over columns that the class has.

    Args:
        columns: The columns that refer.
        to: A resource, or its name.
        keys: The columns of `to`, in the order of `columns`.
        on_delete: What happens to a row whose target goes; see `belongs_to`.
        on_update: What happens when the target's key changes.
        deferrable: Whether the database looks only at the end of a transaction.
        name: The foreign key's name; by default `<table>_<columns>_fkey`.
    """
    keys = (keys,) if isinstance(keys, str) else keys
    return References(
        here(),
        "foreign_key",
        _unknown,
        target=to,
        on_delete=on_delete,
        on_update=on_update,
        deferrable=deferrable,
        name=name,
        columns=columns,
        keys=keys,
    )


def identity(
    *keys: Key, where: str | Sql | None = None, name: str | None = None, **_unknown: Never
) -> Assigned:
    """Declare that no two rows agree in all of the keys.

    Args:
        keys: Names of columns, `sql("expression")` or `desc(key)`.
        where: A condition; only rows that meet it are compared.
        name: The index's name; by default `<table>_<member>_index`.
    """
    return Indexed(here(), "identity", _unknown, keys=keys, unique=True, where=where, name=name)


def index(
    *keys: Key,
    unique: bool = False,
    where: str | Sql | None = None,
    name: str | None = None,
    **_unknown: Never,
) -> Assigned:
    """Declare an index.

    Args:
        keys: Names of columns, `sql("expression")` or `desc(key)`.
        unique: Whether no two rows may agree in all of the keys.
        where: A condition; only rows that meet it are in the index.
        name: The index's name; by default `<table>_<member>_index`.
    """
    return Indexed(here(), "index", _unknown, keys=keys, unique=unique, where=where, name=name)


def check(condition: str | Sql, *, name: str | None = None, **_unknown: Never) -> Assigned:
    """Declare a condition that every row meets.

    Args:
        condition: SQL over the columns of the table.
        name: The check's name; by default `<table>_<member>_check`.
    """
    return Checked(here(), "check", _unknown, sql=condition, name=name)


def primary_key(*columns: str, **_unknown: Never) -> Assigned:
    """Declare the columns of the primary key, in the key's order.

    Args:
        columns: Names of columns.
    """
    return Keyed(here(), "primary_key", _unknown, columns=columns)


def statement(
    up: str | Sequence[str],
    down: str | Sequence[str],
    *,
    name: str | None = None,
    **_unknown: Never,
) -> Assigned:
    """Declare SQL that makes something the tool has no word for, and SQL that takes it away.

    Args:
        up: One SQL statement, or a list of them.
        down: Those that undo it.
        name: What it is called; by default the member's name, and in a `Domain` the name of what
            the first statement creates.
    """
    return Stated(here(), "statement", _unknown, up=up, down=down, name=name)


def _timestamp(
    call: Call,
    word: str,
    unknown: Mapping[str, object],
    source: str | None,
    comment: str | None,
) -> Attribute:
    return Attribute(
        call, word, unknown, default=utc_now, source=source, type="utc_datetime", comment=comment
    )


def here() -> Call:
    """Return where the user called the function that calls this one.

    Its line is found out when somebody asks: Python counts lines from the top of the module.
    """
    frame = sys._getframe(2)  # noqa: SLF001  (the documented way costs a hundred times as much)
    return frame.f_code, frame.f_lasti
