"""Put together what branches did to one schema, each without the others.

What they did goes together where it comes to the same whatever the order, and what it comes to is
sound. Only then is nobody's work lost without a word, and only then does it matter to no database
in which order it gets the migrations.
"""

from __future__ import annotations

from itertools import combinations, permutations, product
from typing import TYPE_CHECKING, NamedTuple

from ashflow.change.replay import Branch, Changes, by_version, migrated, replay
from ashflow.change.touches import clash
from ashflow.errors import SchemaError
from ashflow.schema.flaws import flaws

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ashflow.change.operations import Operation
    from ashflow.schema.table import Schema


class Conflict(NamedTuple):
    """Why branches do not go together.

    Args:
        part: What they do not agree about, in words.
        left: The version on one branch.
        right: The version on another.
        deeds: The two operations that clash; None where only the whole shows it.
    """

    part: str
    left: str
    right: str
    deeds: tuple[Operation, Operation] | None = None


def merge(base: Schema, branches: Sequence[Branch]) -> Schema | Conflict:
    """Return the schema that has the changes of all branches, whichever comes first.

    Args:
        base: What all of them began with: the tables that they are to be followed in. Renames of
            other tables count where foreign keys follow them.
        branches: What each of them did; two at least.

    Returns:
        The merged schema, its columns in order of version; or what the branches clash over.
    """
    merged = _or_none(base, by_version(branches))
    if merged is None or _new_flaws(base, branches, merged):
        return _conflict(branches)
    if any(_or_none(base, order) != merged for order in _one_by_one(branches)):
        return _conflict(branches)
    return merged


def in_order(base: Schema, branches: Sequence[Branch]) -> Schema:
    """Return the schema that the migrations of all branches make in order of version.

    Args:
        base: What all of them began with.
        branches: What each of them did.

    Raises:
        SchemaError: No database can run them one after the other.
    """
    made = migrated(base, by_version(branches))
    if found := sorted(_new_flaws(base, branches, made)):
        raise SchemaError(f"what they make together is no table: {found[0]}")
    return made


def _one_by_one(branches: Sequence[Branch]) -> Iterator[list[Changes]]:
    """Yield orders in which each branch comes as a whole, and each before each other one."""
    for first in permutations(branches, 2):
        rest = [branch for branch in branches if branch not in first]
        yield list({c.version: c for branch in (*first, *rest) for c in branch}.values())


def _or_none(base: Schema, order: Iterable[Changes]) -> Schema | None:
    try:
        return replay(base, order)
    except SchemaError:
        return None


def _new_flaws(base: Schema, branches: Sequence[Branch], merged: Schema) -> frozenset[str]:
    """Return the flaws of the whole that no branch has alone."""
    alone = [base, *(_or_none(base, branch) or base for branch in branches)]
    known = {
        column.name for schema in alone for table in schema.values() for column in table.columns
    }
    stood = {flaw for schema in alone for table in schema.values() for flaw in flaws(table)}
    return frozenset(flaw for table in merged.values() for flaw in flaws(table, known) - stood)


def _conflict(branches: Sequence[Branch]) -> Conflict:
    """Return the first clash of two branches; of what both have, neither can be to blame."""
    for left, right in combinations(branches, 2):
        for ours in (changes for changes in left if changes not in right):
            for theirs in (changes for changes in right if changes not in left):
                for deeds in product(ours.operations, theirs.operations):
                    if (part := clash(*deeds)) is not None:
                        return Conflict(str(part), ours.version, theirs.version, deeds)
    return Conflict("the table as a whole", branches[0][-1].version, branches[1][-1].version)
