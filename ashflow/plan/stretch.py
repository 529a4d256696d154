"""How a database goes from the migrations that are applied to those that shall be.

Where the schema knows all that they do, the way is run as its net change, the difference between
the state now and the state wanted, so that rows stay where they are and no state in between has to
be legal. A statement of a resource that is the same at both ends is not touched. A way that holds
an `Execute` or a `Run` is really run, down and up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ashflow.change.apply import apply_all
from ashflow.change.diff import diff
from ashflow.change.operations import (
    AddColumn,
    CreateTable,
    DropStatement,
    Fill,
    Opaque,
    Operation,
    Raw,
    RenameColumn,
    RenameTable,
)
from ashflow.change.questions import Question, questions, unanswered
from ashflow.change.renames import Renames
from ashflow.change.reverse import tables_of
from ashflow.change.trace import between, dropped, trace
from ashflow.errors import SchemaError, UsageError
from ashflow.schema.sqltext import fold
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ashflow.change.trace import Names
    from ashflow.plan.steps import Down, Step, Up
    from ashflow.schema.table import Schema


@value
class Stretch:
    """What is run in a database, in one transaction.

    Args:
        downs: What is taken out of the ledger, newest first.
        ups: What is written into it, oldest first.
        net: The operations that stand for all of it; None: every step is really run.
        before: Migrations that share no table with the rest, and are run before it.
        kept: The tables, by their names in the end, of which the way down would drop something
            that stays.
        made: The tables and columns that the net change supposes to have been made on the way up.
    """

    downs: tuple[Down, ...] = ()
    ups: tuple[Up, ...] = ()
    net: tuple[Operation, ...] | None = None
    before: tuple[Up, ...] = ()
    kept: tuple[str, ...] = ()
    made: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.downs or self.ups or self.before)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All that is run, in order."""
        steps: tuple[Step, ...] = (*self.downs, *self.ups)
        way = (op for step in steps for op in step.operations) if self.net is None else self.net
        return (*(op for step in self.before for op in step.operations), *way)

    @property
    def drops(self) -> tuple[tuple[str, str | None], ...]:
        """The tables, and the columns of tables, whose values go on the way."""
        return dropped(self.operations)

    @property
    def blind(self) -> bool:
        """Whether SQL or functions are run back, of which nobody knows what they drop."""
        if self.net is not None:
            return any(isinstance(operation, DropStatement) for operation in self.net)
        return any(isinstance(op, Raw) for step in self.downs for op in step.operations)


def lacking(made: Iterable[tuple[str, str]], found: Schema) -> str | None:
    """Return what was made in a database and is not there; None where all of it is.

    Args:
        made: Columns, each after its table.
        found: What is there.
    """
    there = {fold(name): {fold(c.name) for c in table.columns} for name, table in found.items()}
    for table, column in made:
        if fold(table) not in there:
            return f"table {table}"
        if fold(column) not in there[fold(table)]:
            return f"column {table}.{column}"
    return None


def plan_stretch(
    *,
    downs: tuple[Down, ...],
    ups: Sequence[Up],
    new: Sequence[Up],
    base: Schema | None,
    renames: Renames,
    no_renames: bool,
    foreign: Collection[str] = (),
) -> Stretch:
    """Plan how a database goes from what is applied now to what shall be.

    Args:
        downs: What goes down, newest first.
        ups: What is applied then, oldest first, without the new migrations.
        new: The new migrations that are applied, oldest first.
        base: The tables before all of it; None where the snapshots don't know them.
        renames: Renames of what only the replaced migrations made, by the names of now.
        no_renames: Whether what is not answered is no rename.
        foreign: The versions of those that go down and that another branch has: of what they made
            nobody is asked.

    Raises:
        RenameQuestions: Something that only the replaced migrations made may have been renamed.
        UsageError: A migration runs outside a transaction, or with foreign keys on.
    """
    every = (*ups, *new)
    if not downs:
        return stretch_of(every)
    _check_plain((*downs, *every))
    before, sharing = _split(downs, ups, new)
    really = Stretch(downs, sharing, None, before)
    way = None if base is None else _way(base, downs, sharing)
    if base is None or way is None:
        return really
    answers = way.answered(renames)
    if not no_renames:
        below = apply_all(
            base, (op for step in sharing if step not in new for op in step.operations)
        )
        theirs = made_in(op for d in downs if d.version in foreign for op in d.migration.operations)
        way.ask(answers, below, theirs)
    fills = _fills(way, downs, sharing)
    if fills is None:
        return really
    net = (*diff(way.now, way.wanted, answers), *fills)
    return replace(really, net=net, kept=tuple(way.kept(answers)), made=tuple(_made(base, way.now)))


def stretch_of(ups: Sequence[Up]) -> Stretch:
    """Return a stretch in which nothing goes down.

    Args:
        ups: What is applied, oldest first.

    Raises:
        UsageError: A migration runs outside a transaction, or with foreign keys on.
    """
    _check_plain(ups)
    return Stretch(ups=tuple(ups))


@value
class _Way:
    """The two ends of a stretch that is made of schema operations.

    Args:
        now: The tables as they are.
        wanted: The tables as they shall be.
        was: What the tables below both are called now.
        will_be: What they shall be called.
    """

    now: Schema
    wanted: Schema
    was: Names
    will_be: Names

    def answered(self, renames: Renames) -> Renames:
        """Return what is a rename: of what stands below, and what the user says of the rest."""
        known = between(self.was, self.will_be)
        tables = {o: n for o, n in known.tables.items() if o in self.now and n in self.wanted}
        for old, new in renames.tables.items():
            if old in self.now and new in self.wanted:
                _add(tables, old, new)
        columns: dict[str, dict[str, str]] = {}
        for source in (known.columns, renames.columns):
            for table, pairs in source.items():
                name = table if table in self.now else self.was.get(table, (table,))[0]
                self._add_columns(columns, name, tables.get(name, name), pairs)
        return Renames(tables, columns, renames.refused)

    def _add_columns(
        self,
        columns: dict[str, dict[str, str]],
        name: str,
        target: str,
        pairs: Mapping[str, str],
    ) -> None:
        if name not in self.now or target not in self.wanted:
            return
        for old, new in pairs.items():
            if self.now[name].column(old) and self.wanted[target].column(new):
                _add(columns.setdefault(name, {}), old, new)

    def ask(
        self, answers: Renames, below: Schema, theirs: Collection[tuple[str, str | None]]
    ) -> None:
        """Ask of what only the replaced migrations made; codegen has asked of the rest.

        Args:
            answers: What is answered already.
            below: The tables before the new migration: nothing in it can be the new name.
            theirs: The tables, and the columns of tables, of which nobody is asked.

        Raises:
            RenameQuestions: Something went that may have been renamed.
        """
        old = _columns_by_table(self.was)
        found = []
        for question in questions(self.now, self.wanted, answers):
            if question.kind == "table":
                known, there = question.old in old, set(below)
            else:
                known = question.old in old.get(question.table, ())
                target = below.get(answers.tables.get(question.table, question.table))
                there = set() if target is None else {c.name for c in target.columns}
            came = tuple(name for name in question.candidates if name not in there)
            column = None if question.kind == "table" else question.old
            known = known or (question.table, column) in theirs
            if came and not known:
                found.append(Question(question.kind, question.table, question.old, came))
        if found:
            raise unanswered(found, drops=("table", "column"))

    def kept(self, answers: Renames) -> Iterator[str]:
        """Yield the tables, by their names in the end, that keep what the way down would drop."""
        old = _columns_by_table(self.was)
        for name, table in self.now.items():
            target = self.wanted.get(_name_after(name, answers.tables) or "")
            pairs = answers.columns_of(name)
            made = (c.name for c in table.columns if c.name not in old.get(name, ()))
            if target is not None and any(
                target.column(_name_after(column, pairs) or "") for column in made
            ):
                yield target.name


def made_in(operations: Iterable[Operation]) -> frozenset[tuple[str, str | None]]:
    """Return the tables, and the columns, each after its table, that operations make.

    Args:
        operations: The operations.
    """
    found: set[tuple[str, str | None]] = set()
    for operation in operations:
        match operation:
            case CreateTable(table):
                found |= {(table, None), *((table, column.name) for column in operation.columns)}
            case AddColumn(table, column):
                found.add((table, column.name))
            case RenameColumn(table, _, new):
                found.add((table, new))
            case RenameTable(_, new):
                found.add((new, None))
            case _:
                pass
    return frozenset(found)


def _way(base: Schema, downs: Sequence[Down], ups: Sequence[Up]) -> _Way | None:
    """Return the two ends of a stretch; None where only the database knows them."""
    applied = [op for step in reversed(downs) for op in step.migration.operations]
    coming = [op for step in ups for op in step.operations]
    if any(isinstance(operation, Opaque) for operation in (*applied, *coming)):
        return None
    try:
        now, wanted = apply_all(base, applied), apply_all(base, coming)
    except SchemaError:  # a migration written by hand, on a table that no snapshot knows
        return None
    return _Way(now, wanted, trace(base, applied), trace(base, coming))


def _made(base: Schema, now: Schema) -> Iterator[tuple[str, str]]:
    """Yield the columns that were not there before, or had another name."""
    for name, table in now.items():
        before = base.get(name)
        for column in table.columns:
            if before is None or before.column(column.name) is None:
                yield name, column.name


def _add(names: dict[str, str], old: str, new: str) -> None:
    other = next((o for o, n in names.items() if n == new and o != old), None)
    if other is not None:
        raise UsageError(
            f"both {other} and {old} would be renamed to {new}",
            hint="One of them only; what a replaced migration renamed is renamed already.",
        )
    names[old] = new


def _name_after(name: str, renamed: Mapping[str, str]) -> str | None:
    """Return what something is called after renames; None where another takes its name."""
    if name in renamed:
        return renamed[name]
    return None if name in renamed.values() else name


def _columns_by_table(names: Names) -> dict[str, set[str]]:
    return {table: set(columns.values()) for table, columns in names.values()}


def _fills(way: _Way, downs: Sequence[Down], ups: Sequence[Up]) -> tuple[Fill, ...] | None:
    """Return the fills of what has not been applied yet; None where one does not fit the end.

    Those of what was applied have done their work on the rows, which stay.
    """
    again = {step.version for step in downs}
    fills = [
        operation
        for step in ups
        if step.version not in again
        for operation in step.operations
        if isinstance(operation, Fill)
    ]
    fit = all(f.table in way.wanted and way.wanted[f.table].column(f.column) for f in fills)
    return tuple(fills) if fit else None


def _check_plain(steps: Iterable[Step]) -> None:
    for step in steps:
        if not step.migration.transaction or step.migration.foreign_keys:
            how = "with foreign keys on" if step.migration.foreign_keys else "outside a transaction"
            raise UsageError(
                f"{step.version}_{step.name} ({step.path}) runs {how}, and regen changes a "
                "database in one transaction",
                hint="Apply it with ashflow migrate, or take it back with ashflow rollback, first.",
            )


def _split(
    downs: Sequence[Down], ups: Sequence[Up], new: Sequence[Up]
) -> tuple[tuple[Up, ...], tuple[Up, ...]]:
    """Return the migrations that share no table with what goes down or is new, and the others."""
    tables = concerned((*downs, *new))
    before: list[Up] = []
    sharing: list[Up] = []
    for step in ups:
        if share(tables, step.operations):
            sharing.append(step)
            tables = joined(tables, touched(step.operations))
        else:
            before.append(step)
    return tuple(before), (*sharing, *new)


def concerned(steps: Iterable[Step]) -> frozenset[str] | None:
    """Return the tables that migrations touch; None: any."""
    return joined(*(touched(step.migration.operations) for step in steps))


def touched(operations: Iterable[Operation]) -> frozenset[str] | None:
    """Return the tables that operations touch; None: any, only SQL knows."""
    return joined(*(tables_of(operation) for operation in operations))


def joined(*parts: frozenset[str] | None) -> frozenset[str] | None:
    """Return all tables of some sets of tables; None, any table, swallows the rest."""
    known = [part for part in parts if part is not None]
    return frozenset().union(*known) if len(known) == len(parts) else None


def share(tables: frozenset[str] | None, operations: Iterable[Operation]) -> bool:
    """Whether operations touch one of some tables; raw SQL shares with everything."""
    others = touched(operations)
    if tables is None or others is None:
        return tables != frozenset() and others != frozenset()
    return not tables.isdisjoint(others)
