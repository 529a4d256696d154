"""Read an annotation as the type of a column."""

from __future__ import annotations

import re
import sys
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, NamedTuple, Union
from typing import get_args as args_of
from typing import get_origin as origin_of

from ashflow.schema.datatypes import TYPES

if TYPE_CHECKING:
    from types import CodeType

    from ashflow.sources.places import Spot, Wrong

# By name, so that nothing has to be imported to know a Decimal when one comes along.
_KINDS: Final = {
    ("builtins", "str"): "text",
    ("builtins", "bool"): "boolean",
    ("builtins", "int"): "integer",
    ("builtins", "float"): "float",
    ("builtins", "bytes"): "binary",
    ("builtins", "dict"): "json",
    ("builtins", "list"): "json",
    ("decimal", "Decimal"): "decimal",
    ("datetime", "datetime"): "utc_datetime",
    ("datetime", "date"): "date",
    ("datetime", "time"): "time",
    ("uuid", "UUID"): "uuid",
}
_CLASS_VAR: Final = r"(\w+\s*\.\s*)*ClassVar\b"
_OPTIONAL: Final = r"\bOptional\b|\|\s*None\b|\bNone\s*\||\bUnion\b.*\bNone\b"


class ColumnType(NamedTuple):
    """What an annotation says of a column.

    Args:
        type: One of the column types.
        nullable: Whether it may be NULL.
        choices: The texts that it may be; None: any.
    """

    type: str
    nullable: bool = False
    choices: tuple[str, ...] | None = None


def annotations_of(cls: type) -> dict[str, Any]:
    """Return the annotations of a class body, those of no base among them.

    Args:
        cls: The class. From Python 3.14 its annotations are evaluated only now, and a name that is
            not there then stands as a `ForwardRef`.
    """
    try:
        return cls.__annotations__
    except NameError:  # only there, so only there is such a module
        from importlib import import_module

        lib = import_module("annotationlib")
        found: dict[str, Any] = lib.get_annotations(cls, format=lib.Format.FORWARDREF)
        return found


def kind_of(cls: type) -> str | None:
    """Return the column type for values of a class, or None."""
    for base in cls.__mro__:
        kind = _KINDS.get((base.__module__, base.__qualname__))
        if kind is not None:
            return kind
    return None


def is_class_var(annotation: object) -> bool:
    """Whether an annotation says that the name belongs to the class, and is no column."""
    text = _text_of(annotation)
    if text is not None:
        return "ClassVar" in text and re.match(_CLASS_VAR, text) is not None
    return annotation is ClassVar or origin_of(annotation) is ClassVar


def allows_none(annotation: object) -> bool:
    """Whether an annotation is `T | None`, also where `T` is no column type or not known yet."""
    text = _text_of(annotation)
    if text is not None:
        return re.search(_OPTIONAL, text) is not None
    return origin_of(annotation) in (Union, UnionType) and NoneType in args_of(annotation)


def column_type(annotation: object, spot: Spot) -> ColumnType:
    """Return what an annotation says of a column.

    Args:
        annotation: A type, a special form of `typing`, or the text of one.
        spot: The annotated member.

    Raises:
        Wrong: No column type is known for it.
    """
    if not isinstance(annotation, (type, UnionType)):
        return _column_type(_meant(annotation, spot), spot)
    known = _KNOWN.get(annotation)
    if known is None:
        known = _KNOWN[annotation] = _column_type(annotation, spot)
    return known


_KNOWN: dict[type | UnionType, ColumnType] = {}
"""What was found out before: a thousand tables have a dozen types."""


def _column_type(annotation: object, spot: Spot) -> ColumnType:
    if isinstance(annotation, type):
        return _of_class(annotation, spot)
    return _of_form(annotation, spot)


def _meant(annotation: object, spot: Spot) -> object:
    """Return what an annotation means that may be a text."""
    for _ in range(2):  # a text that is quoted once more, as `from __future__` makes one
        text = _text_of(annotation)
        if text is not None:
            annotation = _evaluated(text, spot)
    return annotation


def _text_of(annotation: object) -> str | None:
    if isinstance(annotation, str):
        return annotation
    text = getattr(annotation, "__forward_arg__", None)
    return text if isinstance(text, str) else None


def _of_class(cls: type, spot: Spot) -> ColumnType:
    if issubclass(cls, Enum):
        values = [member.value for member in cls.__members__.values()]
        return ColumnType("text", choices=_choices(values, cls.__name__, spot))
    kind = kind_of(cls)
    if kind is None:
        raise _unknown(cls.__name__, spot)
    return ColumnType(kind)


def _of_form(annotation: object, spot: Spot) -> ColumnType:
    origin, args = origin_of(annotation), args_of(annotation)
    if origin is Union or origin is UnionType:
        return _of_union(annotation, args, spot)
    if origin is Annotated:
        return column_type(args[0], spot)
    if origin is Literal:
        texts = [value for value in args if value is not None]
        choices = _choices(texts, _name_of(annotation), spot)
        return ColumnType("text", nullable=len(texts) < len(args), choices=choices)
    if isinstance(origin, type):
        return column_type(origin, spot)
    for behind in ("__supertype__", "__value__"):  # of NewType, and of `type X = ...`
        if hasattr(annotation, behind):
            return column_type(getattr(annotation, behind), spot)
    raise _unknown(_name_of(annotation), spot)


def _of_union(annotation: object, args: tuple[object, ...], spot: Spot) -> ColumnType:
    others = [arg for arg in args if arg is not NoneType]
    if len(others) != 1:
        raise _unknown(_name_of(annotation), spot)
    inner = column_type(others[0], spot)
    nullable = inner.nullable or len(others) < len(args)
    return ColumnType(inner.type, nullable=nullable, choices=inner.choices)


def _choices(values: list[object], name: str, spot: Spot) -> tuple[str, ...]:
    texts = tuple(dict.fromkeys(str(value) for value in values if isinstance(value, str)))
    if not values or len(texts) < len(set(map(repr, values))):
        raise spot.wrong(
            f"{name} is no column type, because its values are not all texts",
            hint="Give it values that are texts, or say type=, such as attribute(type='integer').",
        )
    return texts


def _name_of(annotation: object) -> str:
    return getattr(annotation, "__name__", None) or repr(annotation)


def _unknown(name: str, spot: Spot) -> Wrong:
    return spot.wrong(
        f"{name} is no column type",
        hint="Known are str, int, bool, float, Decimal, datetime, date, time, bytes, UUID, dict, "
        "list, a TypedDict, an Enum or Literal of texts, and each with `| None`; or say "
        f"attribute(type=...) with one of: {', '.join(TYPES)}, 'raw:<SQL type>'. A name that is no "
        "column is annotated ClassVar or begins with an underscore.",
    )


def _evaluated(text: str, spot: Spot) -> object:
    """Return what the text of an annotation means in the class that says it."""
    home = spot.home or spot.owner
    module = sys.modules.get(home.__module__) if home else None
    # A class in the class body is meant before one of the module; a member that is called as its
    # type (`date: date`) is not.
    nested = {name: value for name, value in vars(home).items() if isinstance(value, type)}
    try:
        return eval(_compiled(text), vars(module) if module else {}, nested)  # noqa: S307  (as Python would)
    except Exception as error:
        raise _unreadable(text, error, spot) from error


@lru_cache(maxsize=1024)
def _compiled(text: str) -> CodeType:
    return compile(text.strip(), "<annotation>", "eval")


def _unreadable(text: str, error: Exception, spot: Spot) -> Wrong:
    return spot.wrong(
        f"the annotation {text!r} cannot be read: {error}",
        hint="Import what it names outside of `if TYPE_CHECKING`, and define it at the top of the "
        "module or in the class.",
    )
