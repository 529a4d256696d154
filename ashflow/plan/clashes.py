"""What is kept in the database though nobody declares it, and stands in the way of what is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.errors import UsageError
from ashflow.schema.sqltext import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ashflow.change.renames import Renames
    from ashflow.schema.table import Column, Schema, Table

_DROP_TABLES = "--drop-tables to drop it with its rows"
_DROP_COLUMNS = "--drop-columns to drop it with its values"


def check_tables(old: Schema, new: Schema, kept: Sequence[str], renames: Renames) -> None:
    """Refuse a new table, or a new name of one, that a table which stays has already.

    Args:
        old: The tables that stand.
        new: Those that are declared.
        kept: Those of the old ones that no resource declares, and that stay.
        renames: What gets another name.

    Raises:
        UsageError: A name is needed twice.
    """
    for name in kept:
        other = next((table for table in new if fold(table) == fold(name)), None)
        if other is not None:
            raise _no_room(f"table {name}", other, _DROP_TABLES)
    for was, now in renames.tables.items():
        if now in old and now not in renames.tables:
            raise _no_room(f"table {now}", was, _DROP_TABLES)


def check_column(column: Column, declared: Table) -> None:
    """Refuse to keep a column whose name another one of the table has, in any case.

    Raises:
        UsageError: One has.
    """
    other = next((c for c in declared.columns if fold(c.name) == fold(column.name)), None)
    if other is not None:
        what = f"column {declared.name}.{column.name}"
        raise _no_room(what, other.name, _DROP_COLUMNS)


def check_kept(kept: Iterable[Table], final: Mapping[str, Table], going: Sequence[str]) -> None:
    """Refuse what a table that is kept cannot live with.

    Args:
        kept: The tables that no resource declares, as they stay.
        final: All tables that are looked at, as they will be.
        going: Those that are dropped.

    Raises:
        UsageError: A foreign key of a kept table would refer to something that is dropped, or an
            index of another table has the name that one of its own has.
    """
    for table in kept:
        for key in table.foreign_keys:
            for lost in _lost(key.table, key.keys, final, going):
                raise UsageError(
                    f"table {table.name} is kept, and its foreign key {key.name} refers to {lost}, "
                    "which would be dropped",
                    hint=f"Drop {table.name} too, with --drop-tables, or keep {lost}: leave out "
                    "the option that drops it.",
                )
        _check_indexes(table, final)


def _lost(
    table: str, columns: Iterable[str], final: Mapping[str, Table], going: Sequence[str]
) -> Iterator[str]:
    if table in going:
        yield f"table {table}"
    elif table in final:
        found = (f"{table}.{c}" for c in columns if final[table].column(c) is None)
        yield from found


def _check_indexes(kept: Table, final: Mapping[str, Table]) -> None:
    names = {fold(index.name): index.name for index in kept.indexes}
    for table in final.values():
        for index in table.indexes:
            if table.name != kept.name and fold(index.name) in names:
                raise UsageError(
                    f"index {names[fold(index.name)]} of table {kept.name}, which is kept, has the "
                    f"name that {table.name} wants for one of its own",
                    hint=f"Give that of {table.name} another name, with name=..., or say "
                    "--drop-tables to drop the kept table with its rows.",
                )


def _no_room(kept: str, other: str, way_out: str) -> UsageError:
    return UsageError(
        f"{kept} is kept, and its name is wanted for {other}",
        hint=f"Say {way_out}, or choose another name.",
    )
