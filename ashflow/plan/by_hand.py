"""What was written by hand in migrations that a regen replaces, and where it stands after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.change.apply import take
from ashflow.change.codec import canonical, encode_operation
from ashflow.change.describe import describe, table_of
from ashflow.change.operations import Fill
from ashflow.change.reverse import reverse
from ashflow.change.touches import touches
from ashflow.errors import EditedError, IrreversibleError, SchemaError
from ashflow.history.version import LAST
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from ashflow.change.migration import Migration
    from ashflow.change.operations import Operation
    from ashflow.history.files import MigrationFile
    from ashflow.history.history import History
    from ashflow.history.snapshot import Snapshot
    from ashflow.plan.regen import Replaced
    from ashflow.schema.table import Schema, Table

HINT = (
    "Mend it; or commit it and go on with ashflow codegen; or say --discard-edits: the file is "
    "kept in the store."
)


@value
class Old:
    """A migration that a regen is about, and what codegen wrote of it.

    Args:
        file: Its file.
        text: The text of the file.
        migration: What it says.
        written: What codegen wrote of it, as canonical JSON; None: it was begun by hand, and no
            snapshot knows it.
    """

    file: MigrationFile
    text: str
    migration: Migration
    written: frozenset[str] | None = None


@value
class Olds:
    """The new migrations of a repo, by what becomes of them; oldest first.

    Args:
        replaced: Those that codegen wrote.
        below: Those begun by hand that are older than all of these: they stay.
        above: The others that were begun by hand: they go above what is written.
    """

    replaced: tuple[Old, ...] = ()
    below: tuple[Old, ...] = ()
    above: tuple[Old, ...] = ()

    @property
    def begun_by_hand(self) -> tuple[MigrationFile, ...]:
        """Those that no snapshot knows."""
        return tuple(old.file for old in (*self.below, *self.above))

    @property
    def all(self) -> tuple[Old, ...]:
        """All of them, oldest first."""
        everyone = (*self.below, *self.replaced, *self.above)
        return tuple(sorted(everyone, key=lambda old: old.file.version))


@value
class Work:
    """An operation that was written by hand.

    Args:
        old: The migration that it stands in.
        place: Where it stands in its list.
        first: Whether it stands before all that codegen wrote of the replaced migrations.
    """

    old: Old
    place: int
    first: bool

    @property
    def operation(self) -> Operation:
        """What it does."""
        return self.old.migration.operations[self.place]


def sort_out(history: History, going: Replaced, loaded: Mapping[str, Migration]) -> Olds:
    """Tell what becomes of the migrations that a regen is about.

    Args:
        history: The files on disk.
        going: Those that are new.
        loaded: The migrations among them, by version.

    Raises:
        SnapshotError: A snapshot can't be read.
    """
    written = _written(history.read(file.path) for file in going.snapshots)
    oldest = min(written, default=LAST)
    olds = [
        Old(file, history.tree[file.path], loaded[file.version], written.get(file.version))
        for file in going.migrations
    ]
    own = [old for old in olds if old.written is None]
    return Olds(
        tuple(old for old in olds if old.written is not None),
        tuple(old for old in own if old.file.version < oldest),
        tuple(old for old in own if old.file.version >= oldest),
    )


def _written(snapshots: Iterable[Snapshot]) -> dict[str, frozenset[str]]:
    """Return what codegen wrote, as canonical JSON, by version."""
    found: dict[str, frozenset[str]] = {}
    for snapshot in snapshots:
        told = frozenset(map(canonical, snapshot.operations))
        found[snapshot.version] = found.get(snapshot.version, frozenset()) | told
    return found


def work_left(olds: Olds, new: Sequence[Operation], base: Callable[[], Schema]) -> tuple[Work, ...]:
    """Return the operations by hand that go into the new migration, sure that they can.

    Args:
        olds: The migrations that the regen is about.
        new: What is generated.
        base: Returns the tables before all of them; asked only where there is work by hand.

    Raises:
        EditedError: Work by hand would be lost, or does not go with what is generated.
    """
    if not olds.all:
        return ()
    _check_plain(olds.replaced)
    works = _by_hand(olds.replaced, new)
    if not (works or olds.below or olds.above):
        return ()
    return _fitting(works, new, base(), olds)


def _check_plain(olds: Iterable[Old]) -> None:
    """Refuse what a migration says of how it is run, and what it says twice."""
    for old in olds:
        texts = [text for text in _texts(old) if text in (old.written or ())]
        if len(set(texts)) != len(texts):
            raise edited(old.file, "says an operation twice")
        if not old.migration.transaction or old.migration.foreign_keys:
            raise edited(old.file, "says how it is to be run, which codegen did not write")


def _by_hand(olds: Sequence[Old], new: Sequence[Operation]) -> tuple[Work, ...]:
    """Return the operations by hand that the new migration does not have by itself, in order."""
    again = frozenset(map(_text, new))
    _check_taken_out(olds, again)
    filled = {(op.table, op.column) for op in new if isinstance(op, Fill)}
    return tuple(
        work
        for work in _found(olds)
        if _text(work.operation) not in again and not _is_filled(work.operation, filled)
    )


def _found(olds: Sequence[Old]) -> Iterator[Work]:
    first = True
    for old in olds:
        for place, text in enumerate(_texts(old)):
            if text in (old.written or ()):
                first = False
            else:
                yield Work(old, place, first)


def _is_filled(operation: Operation, filled: Collection[tuple[str, str]]) -> bool:
    return isinstance(operation, Fill) and (operation.table, operation.column) in filled


def _check_taken_out(olds: Sequence[Old], again: frozenset[str]) -> None:
    """Refuse to generate what somebody has taken out."""
    there = {text for old in olds for text in _texts(old)}
    for old in olds:
        if ((old.written or frozenset()) - there) & again:
            raise edited(
                old.file,
                "lacks operations that codegen wrote, and that it would write again",
                hint="Change the resource, where it should not be so; or say --discard-edits: the "
                "file is kept in the store, and codegen's operations come back.",
            )


def _texts(old: Old) -> list[str]:
    return [_text(operation) for operation in old.migration.operations]


def _text(operation: Operation) -> str:
    return canonical(encode_operation(operation))


def in_order(works: Sequence[Work], new: Sequence[Operation]) -> tuple[Operation, ...]:
    """Return all operations of the new migration.

    Args:
        works: Those that are carried over.
        new: Those that are generated.
    """
    first = (work.operation for work in works if work.first)
    return (*first, *new, *(work.operation for work in works if not work.first))


def _fitting(
    works: Sequence[Work], new: Sequence[Operation], base: Schema, olds: Olds
) -> tuple[Work, ...]:
    """Return the operations by hand that are still to be done, sure that they can be.

    What did not fit the snapshots where it stood, speaks of what only the database knows.
    """
    unknown = _misfits(base, olds.all)
    tables = dict(base)
    below = [work for work in _own(olds.below) if _fits(tables, work, unknown)]
    left = [work for work in works if work.first and _fits(tables, work, unknown)]
    for operation in new:
        _generate(tables, operation, [*below, *left])
    left += [work for work in works if not work.first and _fits(tables, work, unknown)]
    for work in _own(olds.above):
        if not _fits(tables, work, unknown):
            raise _conflict(work, "what regen would write does that already")
    return tuple(left)


def _own(olds: Iterable[Old]) -> Iterator[Work]:
    for old in olds:
        for place in range(len(old.migration.operations)):
            yield Work(old, place, first=False)


def _fits(tables: dict[str, Table], work: Work, unknown: Collection[tuple[str, int]]) -> bool:
    """Do an operation by hand; whether it is still to be done.

    Raises:
        EditedError: It does not fit, and did where it stood.
    """
    try:
        _take(tables, work.operation)
    except SchemaError as error:
        if (work.old.file.path, work.place) in unknown:
            return True
        if not _is_done(tables, work.operation):
            raise _conflict(work, error.message) from error
        return False
    return True


def _take(tables: dict[str, Table], operation: Operation) -> None:
    """Change tables as an operation does, where the columns that it needs are there.

    Raises:
        SchemaError: It does not fit.
    """
    for part in touches(operation).needs:
        table = tables.get(part.table)
        lost = part.kind == "column" and table is not None and table.column(part.name) is None
        if lost or (part.kind == "table" and table is None):
            raise SchemaError(f"there is no {part}")
    take(tables, operation)


def _generate(tables: dict[str, Table], operation: Operation, before: Sequence[Work]) -> None:
    try:
        take(tables, operation)
    except SchemaError as error:
        table = table_of(operation)
        blamed = [w for w in before if table_of(w.operation) == table] or before
        if not blamed:
            raise
        raise _conflict(blamed[-1], error.message) from error


def _is_done(tables: Mapping[str, Table], operation: Operation) -> bool:
    """Whether tables are as an operation makes them: undone and done again, it changes nothing."""
    again = dict(tables)
    try:
        for step in (*reverse(operation), operation):
            take(again, step)
    except (SchemaError, IrreversibleError):
        return False
    return _unordered(again) == _unordered(tables)


def _unordered(tables: Mapping[str, Table]) -> dict[str, list[object]]:
    return {
        name: [
            table.options,
            table.primary_key,
            table.statements,
            *(
                sorted(part, key=lambda one: one.name)
                for part in (table.columns, table.indexes, table.checks, table.foreign_keys)
            ),
        ]
        for name, table in tables.items()
    }


def _misfits(base: Schema, olds: Iterable[Old]) -> frozenset[tuple[str, int]]:
    """Return the operations that did not fit the snapshots where they stood."""
    tables = dict(base)
    found = set()
    for old in olds:
        for place, operation in enumerate(old.migration.operations):
            try:
                _take(tables, operation)
            except SchemaError:
                found.add((old.file.path, place))
    return frozenset(found)


def _conflict(work: Work, reason: str) -> EditedError:
    table = table_of(work.operation)
    what = f"{describe(work.operation)}{f' (table {table})' if table else ''}"
    return edited(work.old.file, f"has work by hand that does not fit any more: {what}: {reason}")


def edited(file: MigrationFile, what: str, *, hint: str = HINT) -> EditedError:
    """Return the error that a migration holds work by hand which can't be carried over.

    Args:
        file: The migration.
        what: What it does.
        hint: What to do next.
    """
    return EditedError(
        f"{file.path} {what}: it was written or edited by hand, and regen would lose that",
        hint=hint,
    )
