"""A name for a migration, from what it does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    AddStatement,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
    DropStatement,
    DropTable,
    Execute,
    Fill,
    Operation,
    RenameColumn,
    RenameTable,
    Run,
    SetOptions,
)
from ashflow.schema.table import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

LONGEST: Final = 60
"""How long a name that is made here may be, in letters; the number behind it comes on top."""

_ENDINGS: Final = ("_index", "_check", "_fkey")
_PLACES: Final = {"add": "to", "drop": "from", "change": "in", "rename": "in"}
_Deed = tuple[str, str, str]
"""A verb, what it is done to, and in which table; empty where it is done to the table itself."""


def auto_name(
    operations: Sequence[Operation], kept: Iterable[str] = (), taken: Collection[str] = ()
) -> str:
    """Return a name for a migration, such as `add_rpm_to_combobulators`.

    Args:
        operations: What it does.
        kept: What it does nothing to, and notes: named where there are no operations.
        taken: The names that it cannot have.

    Returns:
        Letters a to z, digits and `_`; whole words, `LONGEST` letters at most, and a number behind
        it where the name is taken.
    """
    phrases = _phrases(_deeds(operations)) or [f"keep_{_slug(name)}" for name in kept]
    name = _bounded(phrases or ["change_nothing"])
    number, unique = 2, name
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    return unique


def _deeds(operations: Iterable[Operation]) -> list[_Deed]:
    """Return what is done, each once: what is dropped and added again is changed.

    What is added to a table that is new goes without saying.
    """
    found = [deed for deed in map(_deed, operations) if deed is not None]
    new = {what for verb, what, _ in found if verb == "create"}
    found = [deed for deed in found if deed[2] not in new]
    again = {(what, table) for verb, what, table in found if verb == "drop"}
    again &= {(what, table) for verb, what, table in found if verb == "add"}
    changed = (("change" if (w, t) in again else verb, w, t) for verb, w, t in found)
    return list(dict.fromkeys(changed))


def _deed(operation: Operation) -> _Deed | None:
    match operation:
        case CreateTable(table):
            return "create", _slug(table), ""
        case DropTable(table):
            return "drop", _slug(table), ""
        case RenameTable(old, new):
            return "rename", f"{_slug(old)}_to_{_slug(new)}", ""
        case RenameColumn(table, old, new):
            return "rename", f"{_slug(old)}_to_{_slug(new)}", _slug(table)
        case Fill():
            return None
        case Execute() | Run():
            return "run", "sql" if isinstance(operation, Execute) else "code", ""
        case _:
            return _part(operation)


def _part(
    operation: AddColumn
    | DropColumn
    | AlterColumn
    | AddIndex
    | DropIndex
    | AddCheck
    | DropCheck
    | AddForeignKey
    | DropForeignKey
    | ChangePrimaryKey
    | SetOptions
    | AddStatement
    | DropStatement,
) -> _Deed:
    table = "" if operation.table == DOMAIN else operation.table
    match operation:
        case AddColumn(_, column):
            return "add", _slug(column.name), _slug(table)
        case DropColumn(_, column):
            return "drop", _slug(column.name), _slug(table)
        case AlterColumn(new=new):
            return "change", _slug(new.name), _slug(table)
        case AddIndex() | AddCheck() | AddStatement():
            return "add", _short(operation.name, table), _slug(table)
        case DropIndex() | DropCheck() | DropStatement():
            return "drop", _short(operation.name, table), _slug(table)
        case AddForeignKey(_, key):
            return "add", _short(key.name, table), _slug(table)
        case DropForeignKey(_, key):
            return "drop", _short(key.name, table), _slug(table)
        case ChangePrimaryKey():
            return "change", "primary_key", _slug(table)
        case SetOptions():
            return "change", "options", _slug(table)
        case _:
            assert_never(operation)


def _short(name: str, table: str) -> str:
    """Return the name of a member: without the table before it and its kind behind it."""
    short = name.removeprefix(f"{table}_")
    for ending in _ENDINGS:
        short = short.removesuffix(ending)
    return _slug(short)


def _slug(name: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return words or ("it" if name else "")


def _phrases(deeds: Sequence[_Deed]) -> list[str]:
    """Return the deeds as phrases: what is done alike in one table, in one phrase."""
    groups: dict[tuple[str, str], list[str]] = {}
    for verb, what, table in deeds:
        groups.setdefault((verb, table), []).append(what)
    return [_phrase(verb, whats, table) for (verb, table), whats in groups.items()]


def _phrase(verb: str, whats: Sequence[str], table: str) -> str:
    place = f"_{_PLACES[verb]}_{table}" if table else ""
    for count in range(len(whats), 0, -1):
        more = f"_and_{len(whats) - count}_more" if count < len(whats) else ""
        phrase = f"{verb}_{'_and_'.join(whats[:count])}{more}{place}"
        if len(phrase) <= LONGEST:
            return phrase
    return _cut(f"{verb}_{len(whats)}{place}" if len(whats) > 1 else f"{verb}_{whats[0]}{place}")


def _bounded(phrases: Sequence[str]) -> str:
    """Return as many of the phrases as there is room for."""
    for count in range(len(phrases), 0, -1):
        more = f"_and_{len(phrases) - count}_more" if count < len(phrases) else ""
        name = "_and_".join(phrases[:count]) + more
        if len(name) <= LONGEST:
            return name
    return _cut(phrases[0])


def _cut(name: str) -> str:
    """Return the first words of a name that is too long."""
    if len(name) <= LONGEST:
        return name
    return name[: LONGEST + 1].rpartition("_")[0] or name[:LONGEST]
