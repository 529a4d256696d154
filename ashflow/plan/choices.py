"""What the user chose, and which repo it is for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ashflow.change.renames import Renames
from ashflow.schema.table import Schema
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ashflow.history.snapshot import Snapshot

NO_RENAMES = Renames()


@value
class Choices:
    """What the user chose.

    Args:
        renames: What is a rename.
        no_renames: Whether what is not answered is none.
        drop_columns: Whether columns go that no attribute declares any more.
        drop_tables: Whether tables go that no resource declares any more.
        fills: What new and tightened columns hold in the rows that stand: `table.column=SQL` each.
        new_have_rows: Whether a table that is new to the snapshots may have rows: those of the
            migrations that a regen replaces.
        resolve: Whether branches that changed one table and do not go together count in order of
            version.
    """

    renames: Renames = NO_RENAMES
    no_renames: bool = False
    drop_columns: bool = False
    drop_tables: bool = False
    fills: tuple[str, ...] = ()
    new_have_rows: bool = False
    resolve: bool = False


def dealt(
    choices: Choices, repos: Sequence[tuple[Mapping[str, Snapshot], Schema]]
) -> list[Choices]:
    """Return what of the user's choices is for each repo: of the answers, those that fit there.

    Args:
        choices: What the user chose.
        repos: Of each repo, the newest snapshots and what the resources declare.

    Raises:
        UsageError: An answer fits nowhere.
    """
    if len(repos) == 1 or not choices.renames:
        return [choices] * len(repos)
    olds = [standing_tables(leaves) for leaves, _ in repos]
    own = [choices.renames.fitting(old, new) for old, (_, new) in zip(olds, repos, strict=True)]
    left = choices.renames
    for answers in own:
        left = left.minus(answers)
    if left:
        from ashflow.change.renames import check_renames

        tables = {*left.tables, *left.columns}
        i = next((i for i, old in enumerate(olds) if tables & old.keys()), 0)
        check_renames(left, olds[i], repos[i][1])
    return [replace(choices, renames=answers) for answers in own]


def standing_tables(leaves: Mapping[str, Snapshot]) -> Schema:
    """Return the tables that stand in the database, as the newest snapshots have them."""
    return Schema(leaf.physical for leaf in leaves.values() if leaf.standing)
