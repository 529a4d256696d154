"""What `codegen` finds in one repo: what differs, what is kept, and what becomes of each table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ashflow.plan.choices import Choices, standing_tables
from ashflow.schema.codec import encode_column, encode_table
from ashflow.schema.table import DOMAIN, Schema, Table
from ashflow.values import once, value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ashflow.change.operations import Operation
    from ashflow.change.renames import Renames
    from ashflow.history.snapshot import Snapshot, State
    from ashflow.schema.shape import Json
    from ashflow.schema.table import Column


class Kept(NamedTuple):
    """Something that left the resources and stays in the database, or that came back.

    Args:
        table: The table.
        column: The column; None for the table itself.
        back: Whether it came back to the resources.
    """

    table: str
    column: str | None = None
    back: bool = False

    @property
    def what(self) -> str:
        """What it is, as the options name it."""
        return self.table if self.column is None else f"{self.table}.{self.column}"

    @property
    def note(self) -> str:
        """The comment that the migration has of it."""
        what = f"table {self.table}" if self.column is None else self.what
        if self.back:
            return f"back: {what}, which had been kept."
        flag = "--drop-tables" if self.column is None else "--drop-columns"
        return f"kept: {what}. To drop it: ashflow codegen NAME {flag}"


class Outcome(NamedTuple):
    """What becomes of a table.

    Args:
        table: The table as the database will have it; empty where it is there no more.
        state: What its snapshot says of it.
        retired: Its columns that no attribute declares.
        renamed_to: Its new name, where it has one.
        came_from: The name it had until now, where that was another.
    """

    table: Table
    state: State = "live"
    retired: tuple[str, ...] = ()
    renamed_to: str | None = None
    came_from: str | None = None


@value
class Change:
    """What has to be written down of one repo.

    Args:
        operations: What leads from the snapshots to the resources.
        kept: What stays, or came back, without an operation.
        outcomes: The tables that get a new snapshot.
        resolved: The tables whose branches did not go together, and do from here on.
        fills: Those of the user's fills that have a place among the operations.
    """

    operations: tuple[Operation, ...] = ()
    kept: tuple[Kept, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    resolved: tuple[Snapshot, ...] = ()
    fills: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.operations or self.kept or self.outcomes)

    @property
    def notes(self) -> tuple[str, ...]:
        """The comments that the migration has."""
        resolved = (
            f"resolved: {one.table}, changed on branches by "
            f"{' and '.join(leaf.version for leaf in one.follows)}."
            for one in self.resolved
        )
        return (*(kept.note for kept in self.kept), *resolved)


class Generated(NamedTuple):
    """The files that a change comes to.

    Args:
        version: The version that they share.
        name: The name of the migration; empty where only snapshots are written.
        path: The file of the migration; empty where there is none.
        snapshots: The files of the snapshots.
        files: All texts, by path.
        change: What they write down.
    """

    version: str
    name: str
    path: str
    snapshots: tuple[str, ...]
    files: Mapping[str, str]
    change: Change


class Folders(NamedTuple):
    """Where a repo's files are, relative to the project's root."""

    repo: str
    migrations: str
    snapshots: str


def find_change(
    leaves: Mapping[str, Snapshot],
    declared: Schema,
    choices: Choices,
    unmanaged: frozenset[str] = frozenset(),
    in_order: Callable[[Table], Table] | None = None,
) -> Change:
    """Compare the newest snapshots with what the resources declare.

    Args:
        leaves: The newest snapshot of every table.
        declared: The tables that the resources declare.
        choices: What the user chose.
        unmanaged: Tables of resources that are to be left alone.
        in_order: Puts the columns of a declared table into the order of the source, where the
            table differs; None: they are in it.

    Returns:
        What has to be written down; false where nothing has.

    Raises:
        RenameQuestions: Only the user knows what was renamed.
        UsageError: An answer does not fit, or a name is needed by two columns.
    """
    standing = {name: leaf for name, leaf in leaves.items() if leaf.standing}
    answered = choices.renames.about
    encode = once(encode_column)
    new = Schema(
        table
        for name, table in declared.items()
        if _is_about(table, answered) or not _unchanged(standing.get(name), table, encode)
    )
    lost = [name for name in standing if name not in declared and name not in unmanaged]
    resolved = tuple(leaf for leaf in leaves.values() if leaf.resolved)
    if choices.renames:
        from ashflow.change.renames import check_renames

        check_renames(choices.renames, standing_tables(leaves), declared)
    elif not new and not lost and not resolved:
        return Change()
    if choices.renames or any(table.statements for table in new.values()):
        # One of another table may stand on what one of these makes, or name what is renamed.
        new = Schema(t for n, t in declared.items() if n in new or t.statements)
    if in_order is not None:
        new = Schema(map(in_order, new.values()))
    alone = [leaf.physical for name, leaf in standing.items() if name in unmanaged]
    return _with_resolved(_compare(standing, new, lost, alone, choices), resolved)


def check_fills(choices: Choices, changes: Sequence[Change]) -> None:
    """See to it that every fill of the user's has a place in one of the repos.

    Args:
        choices: What the user chose.
        changes: What was found in each repo.

    Raises:
        UsageError: One has none.
    """
    if not choices.fills:
        return
    from ashflow.plan.fills import refuse_unused

    used = (flag for change in changes for flag in change.fills)
    refuse_unused(choices.fills, used, [op for change in changes for op in change.operations])


def _with_resolved(change: Change, resolved: Sequence[Snapshot]) -> Change:
    """Return a change in which every fork that was resolved has an end, also one of no table."""
    told = {outcome.table.name for outcome in change.outcomes}
    ends = tuple(
        Outcome(
            one.physical if one.standing else Table(one.table),
            one.state,
            one.retired,
            one.renamed_to,
        )
        for one in resolved
        if one.table not in told
    )
    return replace(change, outcomes=(*change.outcomes, *ends), resolved=tuple(resolved))


def _is_about(table: Table, names: frozenset[str]) -> bool:
    """Whether a table has one of the names, or refers to one that has."""
    return table.name in names or any(key.table in names for key in table.foreign_keys)


def _unchanged(leaf: Snapshot | None, table: Table, encode: Callable[[Column], Json]) -> bool:
    return (
        leaf is not None
        and not leaf.resolved
        and leaf.state == "live"
        and leaf.says(encode_table(table, column=encode))
    )


def _compare(
    standing: Mapping[str, Snapshot],
    new: Schema,
    lost: Sequence[str],
    alone: Sequence[Table],
    choices: Choices,
) -> Change:
    from ashflow.change.describe import table_of
    from ashflow.change.diff import diff, renamed
    from ashflow.plan.clashes import check_kept, check_renamed, check_tables
    from ashflow.plan.fills import filled

    old = Schema(standing[name].physical for name in standing if name in new or name in lost)
    renames = choices.renames
    going = [name for name in lost if name not in renames.tables]
    retired = [n for n in going if not choices.drop_tables and n != DOMAIN]
    if not choices.drop_tables:
        check_renamed(old, renames)
    if not choices.no_renames:
        _ask(standing, old, new, choices)
    if not choices.drop_tables:
        check_tables(new, retired)
    as_renamed = renamed(old, renames)
    outcomes = [_outcome(table, old, renames, choices) for table in new.values()]
    outcomes += [Outcome(as_renamed[n], "retired", standing[n].retired) for n in retired]
    final = Schema(outcome.table for outcome in outcomes)
    dropped = [n for n in going if n not in retired]
    check_kept([as_renamed[n] for n in retired], alone, final, dropped)
    found = diff(old, final, renames)
    operations, used = filled(found, choices.fills, new_tables=choices.new_have_rows)
    outcomes += [Outcome(Table(name), "dropped") for name in dropped]
    outcomes += _renamed_away(renames, new)
    kept = [Kept(name) for name in retired if standing[name].state == "live"]
    kept += [k for o in outcomes for k in _kept(o, standing)]
    told = {table_of(operation) for operation in operations}
    written = (o for o in outcomes if o.table.name in told or _differs(o, standing))
    return Change(operations, tuple(kept), tuple(written), fills=used)


def _renamed_away(renames: Renames, new: Schema) -> Iterator[Outcome]:
    for was, now in renames.tables.items():
        if was not in new:
            yield Outcome(Table(was), "renamed", renamed_to=now)


def _ask(standing: Mapping[str, Snapshot], old: Schema, new: Schema, choices: Choices) -> None:
    """Ask of what went; what is kept since earlier, and statements, were not renamed."""
    from ashflow.change.questions import questions, unanswered

    renames = choices.renames
    for name in old:
        if standing[name].state == "retired" or name == DOMAIN:
            renames = renames.without(name, None)
        for column in standing[name].retired:
            renames = renames.without(name, column)
    asked = questions(old, new, renames)
    if asked:
        goes = {"table": choices.drop_tables, "column": choices.drop_columns}
        raise unanswered(asked, drops=[kind for kind, drops in goes.items() if drops])


def _outcome(
    declared: Table,
    old: Schema,
    renames: Renames,
    choices: Choices,
) -> Outcome:
    from ashflow.plan.kept import columns_in_place

    was = renames.old_table(declared.name)
    before = old.get(was)
    if before is None or (was in renames.tables and renames.tables[was] != declared.name):
        return Outcome(declared)
    pairs = renames.columns_of(was)
    columns = columns_in_place(before, declared, pairs, keep=not choices.drop_columns)
    live = {column.name for column in declared.columns}
    retired = tuple(column.name for column in columns if column.name not in live)
    came_from = was if was != declared.name else None
    table = replace(declared, columns=columns)
    return Outcome(table, retired=retired, came_from=came_from)


def _kept(outcome: Outcome, standing: Mapping[str, Snapshot]) -> Iterator[Kept]:
    name = outcome.table.name
    leaf = standing.get(outcome.came_from or name)
    if leaf is None or outcome.state != "live":
        return
    if leaf.state == "retired":
        yield Kept(name, back=True)
    for column in outcome.retired:
        if column not in leaf.retired:
            yield Kept(name, column)
    for column in leaf.retired:
        if column not in outcome.retired and outcome.table.column(column) is not None:
            yield Kept(name, column, back=True)


def _differs(outcome: Outcome, standing: Mapping[str, Snapshot]) -> bool:
    leaf = standing.get(outcome.table.name)
    if leaf is None or leaf.state != outcome.state or outcome.came_from is not None:
        return True
    if leaf.resolved:
        return True
    return not leaf.says(encode_table(outcome.table, outcome.retired))
