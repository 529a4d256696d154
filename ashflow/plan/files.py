"""The files that a change comes to: a migration, and a snapshot of every table that it touches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.change.apply import take
from ashflow.change.codec import encode_lean, encode_operation
from ashflow.change.describe import table_of, title
from ashflow.change.migration import Migration
from ashflow.change.operations import DropTable, RenameColumn, RenameTable
from ashflow.history.render import NOTHING, render
from ashflow.history.snapshot import Snapshot, new_snapshot, text_of
from ashflow.history.version import is_dev
from ashflow.plan.codegen import Generated
from ashflow.schema.codec import encode_column
from ashflow.values import once
from ashflow.worktree.folders import table_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ashflow.change.operations import Operation
    from ashflow.history.render import Carried
    from ashflow.history.snapshot import Known
    from ashflow.plan.codegen import Change, Folders
    from ashflow.schema.table import Table


def generate(
    change: Change,
    leaves: Mapping[str, Snapshot],
    *,
    version: str,
    name: str | None,
    folders: Folders,
    carried: Carried = NOTHING,
) -> Generated:
    """Write a change down.

    Args:
        change: What was found.
        leaves: The newest snapshot of every table, as the change was found with.
        version: The version of the migration and its snapshots.
        name: The name of the migration; None: only snapshots are written, of what the database has
            got already.
        folders: Where the files go.
        carried: What the migration does beside that, as somebody has written it.
    """
    known: Known = {}
    snapshots = {
        snapshot.path: text_of(snapshot.data, known)
        for snapshot in _snapshots(change, leaves, version, name, folders)
    }
    if name is None:
        return Generated(version, "", "", tuple(snapshots), snapshots, change)
    path = f"{folders.migrations}/{version}_{name}.py"
    text = render(
        Migration(change.operations), title=title(name), notes=change.notes, carried=carried
    )
    return Generated(version, name, path, tuple(snapshots), {path: text, **snapshots}, change)


def _snapshots(
    change: Change, leaves: Mapping[str, Snapshot], version: str, name: str | None, folders: Folders
) -> Iterator[Snapshot]:
    full, lean = once(encode_column), once(encode_lean)
    told = _by_table(change, leaves)
    renamed: dict[str, Snapshot] = {}
    for outcome in sorted(change.outcomes, key=lambda outcome: outcome.state == "live"):
        table, was = outcome.table.name, outcome.came_from or ""
        before = leaves.get(table)
        other = renamed.get(was) or leaves.get(was)
        data = new_snapshot(
            outcome.table,
            version=version,
            repo=folders.repo,
            migration=name,
            state=outcome.state,
            renamed_to=outcome.renamed_to,
            retired=outcome.retired,
            operations=[encode_operation(one, lean) for one in told.get(table, ())],
            parents=[parent for parent in (before, other) if parent is not None],
            ancestors=0 if before is None else before.ancestors + 1,
            dev=name is not None and is_dev(name),
            column=full,
        )
        path = f"{folders.snapshots}/{table_folder(table)}/{version}.json"
        snapshot = Snapshot(data, path)
        if outcome.state == "renamed":
            renamed[table] = snapshot
        yield snapshot


def _by_table(change: Change, leaves: Mapping[str, Snapshot]) -> dict[str, list[Operation]]:
    """Return the operations that led to each table: all that changed it, under all its names.

    A table whose foreign key follows another table's new name is changed by that rename.
    """
    renames = any(isinstance(op, RenameTable | RenameColumn) for op in change.operations)
    tables = _before(change, leaves) if renames else {}
    told: dict[str, list[Operation]] = {
        name: list(leaf.by_hand) for name, leaf in leaves.items() if leaf.by_hand
    }
    left: dict[str, list[Operation]] = {}
    for operation in change.operations:
        changed = list(_take(tables, operation)) if renames else [table_of(operation)]
        if isinstance(operation, RenameTable):
            told[operation.new] = told.pop(operation.old, [])
            left[operation.old] = [*told[operation.new], operation]
        for name in changed:
            told.setdefault(name, []).append(operation)
        if isinstance(operation, DropTable):
            left[operation.table] = told.pop(operation.table)
    return {**left, **told}


def _before(change: Change, leaves: Mapping[str, Snapshot]) -> dict[str, Table]:
    names = {table_of(operation) for operation in change.operations}
    names |= {
        operation.old for operation in change.operations if isinstance(operation, RenameTable)
    }
    names |= {name for o in change.outcomes for name in (o.table.name, o.came_from or "")}
    return {
        name: leaves[name].physical for name in names if name in leaves and leaves[name].standing
    }


def _take(tables: dict[str, Table], operation: Operation) -> Iterator[str]:
    """Change tables as an operation does, and yield the names of those that it changed."""
    if not isinstance(operation, RenameTable | RenameColumn):
        take(tables, operation)
        yield table_of(operation)
        return
    before = dict(tables)
    take(tables, operation)
    yield from (name for name, table in tables.items() if before.get(name) is not table)
