"""A table that several branches changed, as one snapshot: what they did, put together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ashflow.change.describe import describe
from ashflow.change.merge import Conflict, in_order, merge
from ashflow.change.operations import RenameTable
from ashflow.change.replay import Branch, Changes
from ashflow.errors import ForkError, SchemaError
from ashflow.history.lineage import ANEW
from ashflow.history.snapshot import Snapshot, new_snapshot
from ashflow.schema.table import Schema, Table, find

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.history.lineage import Fork
    from ashflow.history.snapshot import State
    from ashflow.schema.table import Statement


def fold(fork: Fork, *, resolve: bool = False) -> Snapshot:
    """Return what the branches of a table come to together, as a snapshot that is in no file.

    Args:
        fork: The snapshots of the branches.
        resolve: Whether branches that do not go together count in order of version.

    Raises:
        ForkError: They do not go together; with `resolve`, their migrations do not even run one
            after the other.
    """
    base = Schema([fork.base.physical] if fork.base is not None and fork.base.standing else ())
    branches = [tuple(map(_changes, branch)) for branch in fork.branches]
    apart = _apart(fork)
    merged = apart[0] if apart else merge(base, branches)
    if isinstance(merged, Schema):
        return _snapshot(fork, merged)
    try:
        resolved = _in_order(fork, base, branches, merged, apart[1] if apart else "")
    except ForkError:
        if resolve:
            raise
        raise _clash(fork, merged) from None
    if not resolve:
        raise _clash(fork, merged, or_resolve=True)
    return _snapshot(fork, resolved, resolved=True)


def _changes(snapshot: Snapshot) -> Changes:
    return Changes(snapshot.version, snapshot.done)


def _apart(fork: Fork) -> tuple[Conflict, str] | None:
    """Return the conflict of a branch that renamed the table, or gave its name to another one.

    The table under its new name has snapshots of its own, which know nothing of what the other
    branch did; and what the other branch did was done to another table than the one of that name.

    Returns:
        The conflict, and why no order resolves it; None where there is none.
    """
    for branch in fork.branches:
        leaf = branch[-1]
        others = [one for other in fork.branches if other is not branch for one in other]
        changed = next((one for one in others if one.operations), None)
        if leaf.state == "renamed" and changed is not None:
            conflict = Conflict(f"table {leaf.table}", leaf.version, changed.version)
            return conflict, "one of them gives the table another name"
        known = {one.hash for one in others}
        taken = (one for one in branch if one.hash not in known and _takes_name(one))
        if leaf.standing and (taker := next(taken, None)) is not None:
            conflict = Conflict(f"table {leaf.table}", taker.version, others[-1].version)
            return conflict, "one of them gives the name of the table to another one"
    return None


def _takes_name(snapshot: Snapshot) -> bool:
    """Whether a table got its name with a snapshot, and had another one before."""
    renames = (one for one in snapshot.done if isinstance(one, RenameTable))
    return any(rename.new == snapshot.table for rename in renames)


def _in_order(
    fork: Fork, base: Schema, branches: Sequence[Branch], conflict: Conflict, apart: str
) -> Schema:
    if apart:
        raise _hopeless(fork, conflict, apart)
    try:
        return in_order(base, branches)
    except SchemaError as error:
        raise _hopeless(fork, conflict, error.message) from error


def _snapshot(fork: Fork, merged: Schema, *, resolved: bool = False) -> Snapshot:
    last = fork.leaves[-1]
    table = merged.get(last.table)
    state = _state(fork, there=table is not None)
    table = table or Table(last.table)
    data = new_snapshot(
        replace(table, statements=tuple(_as_declared(fork, table))),
        version=last.version,
        repo=last.repo,
        migration=last.migration,
        state=state,
        renamed_to=next((one.renamed_to for one in fork.leaves if one.renamed_to), None),
        retired=[name for name in _retired(fork) if table.column(name) is not None],
        parents=fork.leaves,
        ancestors=fork.size - 1,
    )
    return Snapshot(data, last.path, fork.leaves, resolved)


def _state(fork: Fork, *, there: bool) -> State:
    states = {leaf.state for leaf in fork.leaves}
    if not there:
        return "renamed" if "renamed" in states else "dropped"
    before = "retired" if fork.base is not None and fork.base.state == "retired" else "live"
    return "retired" if states - {"live"} and "live" not in states - {before} else "live"


def _retired(fork: Fork) -> Iterator[str]:
    """Yield the columns that one branch let go, and that none took back."""
    before = fork.base.retired if fork.base is not None else ()
    for name in dict.fromkeys((*before, *(c for leaf in fork.leaves for c in leaf.retired))):
        having = [name in leaf.retired for leaf in fork.leaves]
        if all(having) or (name not in before and any(having)):
            yield name


def _as_declared(fork: Fork, table: Table) -> Iterator[Statement]:
    """Yield the statements in the order in which the branches have them, the oldest first."""
    names = dict.fromkeys(name for leaf in fork.leaves for name in leaf.statements)
    for name in names:
        if (statement := find(table.statements, name)) is not None:
            yield statement


def _clash(fork: Fork, conflict: Conflict, *, or_resolve: bool = False) -> ForkError:
    stand = (
        " Or let both stand: ashflow codegen NAME --resolve takes what they make in order of "
        "version, and the resources decide."
    )
    return ForkError(
        f"{_where(fork, conflict)} do not go together: {_why(conflict)}",
        hint=ANEW + (stand if or_resolve else ""),
    )


def _hopeless(fork: Fork, conflict: Conflict, why: str) -> ForkError:
    return ForkError(
        f"{_where(fork, conflict)} cannot be resolved, as their migrations cannot run one after "
        f"the other: {why}",
        hint=ANEW,
    )


def _where(fork: Fork, conflict: Conflict) -> str:
    paths = {one.version: one.path for branch in fork.branches for one in branch}
    return (
        f"two branches changed {conflict.part}, and {paths[conflict.left]} and "
        f"{paths[conflict.right]}"
    )


def _why(conflict: Conflict) -> str:
    if conflict.deeds is None:
        return "the order in which they come matters"
    left, right = map(describe, conflict.deeds)
    return f"{left} on one branch, {right} on the other"
