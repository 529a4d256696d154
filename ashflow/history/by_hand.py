"""What migrations written by hand have dropped of what codegen kept."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ashflow.change.apply import apply
from ashflow.change.codec import encode_operation
from ashflow.change.operations import DropColumn, DropTable
from ashflow.errors import MigrationFileError, SchemaError
from ashflow.history.snapshot import Snapshot, new_snapshot
from ashflow.schema.table import Schema, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ashflow.history.files import MigrationFile
    from ashflow.history.history import History

    Drop = DropColumn | DropTable
    Load = Callable[[MigrationFile], tuple[Drop, ...]]

_TABLE = ""
"""What is dropped where no column is named: the table."""


def without_dropped(
    history: History, leaves: Mapping[str, Snapshot], root: str
) -> dict[str, Snapshot]:
    """Return the newest snapshots without the columns and tables that were dropped by hand.

    codegen keeps what left the resources, and lists it as retired; who drops it with an operation
    of his own need not tell. Migrations are read only where something is retired, and only those
    that speak of dropping it.

    Args:
        history: What is written down.
        leaves: The newest snapshot of every table.
        root: The folder of the project, for tracebacks.

    Raises:
        MigrationFileError: A migration that may have dropped it does not run.
    """
    load = cache(lambda file: _drops_in(history, file, root))
    return {
        name: _without(history, leaf, load) if leaf.keeps else leaf for name, leaf in leaves.items()
    }


def _drops_in(history: History, file: MigrationFile, root: str) -> tuple[Drop, ...]:
    """Return what a migration drops; it is run only where its text speaks of dropping."""
    text = history.tree[file.path]
    if "DropColumn(" not in text and "DropTable(" not in text:
        return ()
    operations = history.load(file, root).operations
    return tuple(op for op in operations if isinstance(op, DropColumn | DropTable))


def _without(history: History, leaf: Snapshot, load: Load) -> Snapshot:
    table: Table | None = leaf.physical
    drops: list[Drop] = []
    for path, operation in _drops(history, leaf, load):
        table = _after(table or Table(leaf.table), operation, path)
        drops.append(operation)
    if not drops:
        return leaf
    data = new_snapshot(
        table or Table(leaf.table),
        version=leaf.version,
        repo=leaf.repo,
        migration=leaf.migration,
        state="dropped" if table is None else leaf.state,
        retired=[c for c in leaf.retired if table is not None and table.column(c) is not None],
        parents=leaf.files,
        ancestors=leaf.ancestors,
    )
    return leaf._replace(data=data, follows=leaf.files, by_hand=tuple(drops), text="")


def _after(table: Table, operation: Drop, path: str) -> Table | None:
    try:
        return apply(Schema([table]), operation).get(table.name)
    except SchemaError as error:
        raise MigrationFileError(
            f"{path} was written by hand, and does not fit what the snapshots say: {error.message}",
            hint=f"See how {table.name} is in its newest snapshot, and drop it as it stands there.",
        ) from error


def _drops(history: History, leaf: Snapshot, load: Load) -> Iterator[tuple[str, Drop]]:
    """Yield the drops of what is retired that are in no snapshot: codegen did not write them."""
    waiting = _retired_since(history, leaf)
    first = min(waiting.values())
    for file in history.migrations:
        if file.version < first:
            continue
        ours = [operation for operation in load(file) if operation.table == leaf.table]
        written = _written(history, leaf, file.version) if ours else ()
        for operation in ours:
            name = operation.column.name if isinstance(operation, DropColumn) else _TABLE
            later = name in waiting and file.version >= waiting[name]
            if later and encode_operation(operation) not in written:
                yield file.path, operation


def _retired_since(history: History, leaf: Snapshot) -> dict[str, str]:
    """Return what is retired, and the version at which it last became so; reads no further back."""
    since = dict.fromkeys(_retired(leaf), leaf.version)
    still = frozenset(since)
    for file in reversed(history.of_table(leaf.table)):
        if not still:
            break
        still &= _retired(history.read(file.path))
        since |= dict.fromkeys(still, file.version)
    return since


def _retired(snapshot: Snapshot) -> frozenset[str]:
    return frozenset((*snapshot.retired, *([_TABLE] if snapshot.state == "retired" else [])))


def _written(history: History, leaf: Snapshot, version: str) -> Sequence[Mapping[str, Any]]:
    """Return the operations that codegen wrote for the table at a version."""
    files = (file for file in history.of_table(leaf.table) if file.version == version)
    return [operation for file in files for operation in history.read(file.path).operations]
