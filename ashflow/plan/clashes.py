"""What is kept in the database though nobody declares it, and stands in the way of what is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.errors import UsageError
from ashflow.schema.flaws import readers
from ashflow.schema.keys import is_key
from ashflow.schema.sqltext import fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ashflow.change.renames import Renames
    from ashflow.schema.table import Column, ForeignKey, Schema, Table

_DROP_TABLES = "--drop-tables to drop it with its rows"
_DROP_COLUMNS = "--drop-columns to drop it with its values"


def check_renamed(old: Schema, renames: Renames) -> None:
    """Refuse a new name for a table that one which stays has already.

    Args:
        old: The tables that stand.
        renames: What gets another name.

    Raises:
        UsageError: A name is needed twice.
    """
    for was, now in renames.tables.items():
        if now in old and now not in renames.tables:
            raise _no_room(f"table {now}", was, _DROP_TABLES)


def check_tables(new: Schema, kept: Sequence[str]) -> None:
    """Refuse a new table of a name that a table which stays has already.

    Args:
        new: The tables that are declared.
        kept: Those that no resource declares, and that stay.

    Raises:
        UsageError: A name is needed twice.
    """
    for name in kept:
        other = next((table for table in new if fold(table) == fold(name)), None)
        if other is not None:
            raise _no_room(f"table {name}", other, _DROP_TABLES)


def check_column(column: Column, declared: Table) -> None:
    """Refuse to keep a column whose name another one of the table has, in any case.

    Raises:
        UsageError: One has.
    """
    other = next((c for c in declared.columns if fold(c.name) == fold(column.name)), None)
    if other is not None:
        what = f"column {declared.name}.{column.name}"
        raise _no_room(what, other.name, _DROP_COLUMNS)


def check_readers(before: Table, declared: Table) -> None:
    """Refuse SQL of a table that reads a column which its attributes do not declare any more.

    A kept column would be NULL in all new rows, and a database that is made anew does not have it.

    Args:
        before: The table as it stands.
        declared: What its resources declare.

    Raises:
        UsageError: A check, an index or a generated column reads one.
    """
    live = {fold(column.name) for column in declared.columns}
    for column in before.columns:
        if fold(column.name) in live:
            continue
        for reader in readers(declared, column.name):
            raise UsageError(
                f"no attribute declares {declared.name}.{column.name} any more, and {reader} "
                "reads it",
                hint=f"Change the SQL of {reader}, or take {column.name} back into the resource.",
            )


def check_kept(
    kept: Sequence[Table],
    unmanaged: Sequence[Table],
    final: Mapping[str, Table],
    going: Sequence[str],
) -> None:
    """Refuse what a table that is kept cannot live with.

    Args:
        kept: The tables that no resource declares, as they stay.
        unmanaged: The tables that stay because their resources say migrate=False.
        final: All tables that are looked at, as they will be.
        going: Those that are dropped.

    Raises:
        UsageError: A foreign key of a table that stays would refer to something that is dropped, or
            that is no key any more; or an index of another table has the name that one of its own
            has.
    """
    for table in kept:
        _check_keys(table, final, going, f"drop {table.name} too, with --drop-tables")
        _check_indexes(table, final)
    for table in unmanaged:
        _check_keys(table, final, going, "drop that foreign key first, in a migration by hand")


def _check_keys(
    table: Table, final: Mapping[str, Table], going: Sequence[str], way_out: str
) -> None:
    for key in table.foreign_keys:
        found = _lost(key, final, going)
        if found is not None:
            lost, fate = found
            raise UsageError(
                f"table {table.name} is kept, and its foreign key {key.name} refers to {lost}, "
                f"which {fate}",
                hint=f"Keep {lost} as it is, or {way_out}.",
            )


def _lost(
    key: ForeignKey, final: Mapping[str, Table], going: Sequence[str]
) -> tuple[str, str] | None:
    """Return what of the other table a foreign key would miss, and what becomes of that."""
    if key.table in going:
        return f"table {key.table}", "would be dropped"
    table = final.get(key.table)
    if table is None:
        return None
    for name in key.keys:
        if table.column(name) is None:
            return f"{key.table}.{name}", "would be dropped"
    if not is_key(table, key.keys):
        return f"{key.table} ({', '.join(key.keys)})", "would be no key any more"
    return None


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
