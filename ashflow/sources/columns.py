"""Make a column of an attribute: its annotation, its options, its default."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

from ashflow.schema.sqltext import rename, text_literal
from ashflow.schema.table import Check, Column
from ashflow.sources.annotations import ColumnType, allows_none, column_type
from ashflow.sources.defaults import Unsayable, default_of, is_sayable
from ashflow.sources.members import UNSET, Attribute
from ashflow.sources.options import text_of

if TYPE_CHECKING:
    from ashflow.schema.datatypes import Default
    from ashflow.sources.places import Spot

# The options that only some types have.
_FOR: Final = {
    "max_length": ("text", "binary"),
    "precision": ("decimal",),
    "scale": ("decimal",),
}


def type_of(attribute: Attribute, annotation: object, spot: Spot) -> ColumnType:
    """Return the type of an attribute's column: what its options say, else its annotation.

    Args:
        attribute: What the class assigns to the name.
        annotation: The annotation of the name; `UNSET`: none.
        spot: The member, for errors.

    Raises:
        Wrong: There is neither, or no column type is known for the annotation.
    """
    if attribute.type is not None:
        nullable = attribute.nullable
        if nullable is None:
            nullable = annotation is not UNSET and allows_none(annotation)
        return ColumnType(attribute.type, nullable)
    if annotation is UNSET:
        raise spot.wrong(
            "has no annotation, so its type is not known",
            hint=f"Write `{spot.member}: str = attribute(...)`, or give it type=.",
        )
    return column_type(annotation, spot)


def column_of(
    name: str, attribute: object, type_: ColumnType, spot: Spot, warnings: list[str]
) -> Column:
    """Return the column of an attribute.

    Args:
        name: The column's name.
        attribute: What the class assigns to the name; `UNSET`: nothing.
        type_: The column's type.
        spot: The member, for errors.
        warnings: Takes what could not be said in SQL.

    Raises:
        Wrong: The options contradict each other, or the default is of another kind.
    """
    if attribute is UNSET:
        return shared_column(name, type_.type, type_.nullable)
    if not isinstance(attribute, Attribute):
        default = _default(attribute, type_, spot, warnings)
        return Column(name, type_.type, nullable=type_.nullable, default=default)
    _judge(attribute, type_, spot)
    generated = attribute.generated_as
    column = shared_column(
        name,
        type_.type,
        type_.nullable,
        attribute.autoincrement,
        attribute.max_length,
        attribute.precision,
        attribute.scale,
        attribute.collate,
        None if generated is None else text_of(generated),
        attribute.stored,
        attribute.comment,
    )
    default = _default(attribute.default, type_, spot, warnings)
    return column if default is None else replace(column, default=default)


@cache
def shared_column(
    name: str,
    type_: str,
    nullable: bool,
    autoincrement: bool = False,
    max_length: int | None = None,
    precision: int | None = None,
    scale: int | None = None,
    collate: str | None = None,
    generated_as: str | None = None,
    stored: bool = False,
    comment: str | None = None,
) -> Column:
    """Return a column without a default; many tables have the same ones, and each is made once.

    A default is none of the arguments: `1` and `True` are one key of a cache, and two defaults.

    Args:
        name: As in `Column`, like all that follow.
        type_: Its type.
        nullable: Whether it may be NULL.
        autoincrement: Whether a key is never used again.
        max_length: The longest text, in characters.
        precision: The digits of a decimal.
        scale: Those of them behind the point.
        collate: The collation.
        generated_as: What the value is computed from.
        stored: Whether that is kept on disk.
        comment: A word for the reader.
    """
    return Column(
        name,
        type_,
        nullable=nullable,
        autoincrement=autoincrement,
        max_length=max_length,
        precision=precision,
        scale=scale,
        collate=collate,
        generated_as=generated_as,
        stored=stored,
        comment=comment,
    )


def check_of(table: str, column: str, choices: tuple[str, ...], spot: Spot) -> Check:
    """Return the check that a column has one of some texts.

    Args:
        table: The table's name.
        column: The column's name.
        choices: The texts.
        spot: The member, for errors.

    Raises:
        Wrong: A text cannot be said in SQL.
    """
    for choice in choices:
        if not is_sayable(choice):
            raise spot.wrong(f"has the value {choice!r}, which no text in SQL can hold")
    listed = ", ".join(map(text_literal, choices))
    return Check(f"{table}_{column}_check", f"{rename('x', 'x', column)} IN ({listed})")


def _default(value: object, type_: ColumnType, spot: Spot, warnings: list[str]) -> Default:
    if value is UNSET:
        return None
    try:
        return default_of(value, type_, spot)
    except Unsayable as error:
        warnings.append(
            f"{spot.label} gets no default in the database: SQL has no words for {error}."
        )
        return None


def _judge(attribute: Attribute, type_: ColumnType, spot: Spot) -> None:
    for option, types in _FOR.items():
        if getattr(attribute, option) is not None and type_.type not in types:
            raise spot.wrong(f"has {option}, which is for {' and '.join(types)}, not {type_.type}")
    if attribute.scale is not None and attribute.scale > (attribute.precision or 0):
        raise spot.wrong(
            f"has the scale {attribute.scale} and the precision {attribute.precision}",
            hint="The precision counts all digits, the scale those of them behind the point.",
        )
    if attribute.generated_as is None and attribute.stored:
        raise spot.wrong("is stored, and says not what it is generated from", hint="generated_as=")
    if attribute.generated_as is not None and attribute.default is not UNSET:
        raise spot.wrong("is generated, so it can have no default")
    if attribute.generated_as is not None and attribute.primary_key:
        raise spot.wrong("is generated, so it can be no primary key")
