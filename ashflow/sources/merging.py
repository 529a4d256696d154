"""Make one table of several resources that name it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ashflow.schema.table import Column, Named, Options, Table
from ashflow.sources.options import folded
from ashflow.sources.places import Spot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ashflow.sources.reading import Reading

ItemT = TypeVar("ItemT", bound=Named)


def table_of(readings: Sequence[Reading]) -> Table:
    """Return the table of the resources that name it.

    Args:
        readings: The resources, one or more, all of one table.

    Returns:
        Their members together; a column that one of them does not have may be NULL.

    Raises:
        Wrong: Two of them disagree about a member, the key or an option.
    """
    if len(readings) == 1:
        return readings[0].as_table
    tables = [reading.as_table for reading in readings]
    key = _primary_key(readings)
    return Table(
        readings[0].table,
        _columns(readings, tables, key),
        primary_key=key,
        foreign_keys=_united(readings, [table.foreign_keys for table in tables], _by_name),
        indexes=_united(readings, [table.indexes for table in tables], _by_name),
        checks=_united(readings, [table.checks for table in tables], _by_name),
        statements=_united(readings, [table.statements for table in tables], _by_name),
        options=Options(
            strict=_option(readings, "strict"), without_rowid=_option(readings, "without_rowid")
        ),
    )


def _columns(
    readings: Sequence[Reading], tables: Sequence[Table], key: Sequence[str]
) -> list[Column]:
    united = _united(readings, [table.columns for table in tables], _by_column)
    return [
        column
        if column.name in key or all(column.name in reading.columns for reading in readings)
        else replace(column, nullable=True)
        for column in united
    ]


def _united(
    readings: Sequence[Reading],
    parts: Iterable[Sequence[ItemT]],
    spot_of: Callable[[Reading, str], Spot],
) -> list[ItemT]:
    """Return the items of all resources, each name once."""
    united: dict[str, tuple[ItemT, Reading]] = {}
    for reading, items in zip(readings, parts, strict=True):
        for item in items:
            other, first = united.setdefault(folded(item.name), (item, reading))
            if other != item:
                here, there = spot_of(reading, item.name), spot_of(first, item.name)
                raise here.wrong(
                    f"disagrees with {there.label} about {item.name!r} of the table "
                    f"{reading.table}: {_difference(item, other)}",
                    hint="Resources that share a table have to say the same of what they share.",
                )
    return [item for item, _ in united.values()]


def _difference(here: Any, there: Any) -> str:  # noqa: ANN401  (a dataclass of any kind)
    """Return in words what two items of one kind do not share."""
    return ", ".join(
        f"{f.name} {getattr(here, f.name)!r} here and {getattr(there, f.name)!r} there"
        for f in fields(here)
        if getattr(here, f.name) != getattr(there, f.name)
    )


def _by_column(reading: Reading, name: str) -> Spot:
    return reading.spot(name)


def _by_name(reading: Reading, name: str) -> Spot:
    return reading.name_spots[folded(name)]


def _primary_key(readings: Sequence[Reading]) -> list[str]:
    """Return the key that the resources agree on; one that names none follows the others."""
    keyed = [reading for reading in readings if reading.primary_key]
    for reading in keyed:
        if reading.primary_key != keyed[0].primary_key:
            raise Spot(reading.cls).wrong(
                f"disagrees with {keyed[0].cls.__name__} about the primary key of "
                f"{reading.table}: {reading.primary_key} here, {keyed[0].primary_key} there"
            )
    return keyed[0].primary_key if keyed else []


def _option(readings: Sequence[Reading], option: str) -> bool:
    """Return an option of the table; a resource that says nothing follows the others."""
    said = [reading for reading in readings if getattr(reading, option) is not None]
    for reading in said:
        if getattr(reading, option) != getattr(said[0], option):
            raise Spot(reading.cls).wrong(
                f"disagrees with {said[0].cls.__name__} about {option} of the table {reading.table}"
            )
    return bool(said) and bool(getattr(said[0], option))
