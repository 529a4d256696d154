"""What is done in one repo as one, as a value, and what it comes to."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from ashflow.plan.choices import NO_RENAMES
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ashflow.adapters.protocol import Database, Session
    from ashflow.change.renames import Renames
    from ashflow.history.ledger import Applied, Ledger
    from ashflow.plan.regen import Loss
    from ashflow.plan.stretch import Stretch
    from ashflow.run.bringing import Parcel
    from ashflow.run.record import Deed, Record
    from ashflow.worktree.porcelain import Entry, Kind, Located


@value
class Turn:
    """What is done in one repo, as one.

    Args:
        id: The name of the run.
        deed: What it is.
        repo: The repo.
        name: The name of the migration that it writes; empty where it writes none.
        root: The project's folder.
        database: The database of the repo.
        ledger: What is applied in it.
        stretch: What is run in it.
        rows: What is written into its ledger, in the order of the stretch.
        paths: All migrations and snapshots of the repo.
        removed: Those that go.
        files: The texts of those that come, or their bytes, by path.
        modes: The permissions of those that have not the usual ones.
        check: Sees to it, when nobody else is at work any more, that all is as it was planned from.
        losses: What the stretch is known to drop.
        keep: Whether what goes is kept aside.
        renames: What that is called where it returns.
        parcels: What comes back, that earlier runs kept aside.
        waits: The version with which comes back what is kept aside; empty for none.
        hint: What to do where rows forbid it.
        located: Where the project lies in its git repository; None where git has no part in it.
        entries: What git's index has of the files that go, and of others that are gone already.
        index: How the new files stand in git's index.
        undoes: The run that is taken back.
        restored: The entries of git's index that come back with it.
    """

    id: str
    deed: Deed
    repo: str
    name: str
    root: Path
    database: Database
    ledger: Ledger
    stretch: Stretch
    rows: tuple[Applied, ...]
    paths: tuple[str, ...]
    removed: tuple[str, ...]
    files: Mapping[str, str | bytes]
    check: Callable[[Session | None], None]
    modes: Mapping[str, int] = field(default_factory=dict)
    losses: tuple[Loss, ...] = ()
    keep: bool = True
    renames: Renames = NO_RENAMES
    parcels: tuple[Parcel, ...] = ()
    waits: str = ""
    hint: str = ""
    located: Located | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)
    index: Kind | None = None
    undoes: str = ""
    restored: Mapping[str, Entry] = field(default_factory=dict)


class Outcome(NamedTuple):
    """What a turn came to.

    Args:
        record: What was done.
        parked: The file with what was kept aside; None where there is none.
        notes: What happened to rows though no operation says so, with counts.
    """

    record: Record
    parked: Path | None
    notes: tuple[str, ...]
