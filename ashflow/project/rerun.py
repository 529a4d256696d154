"""Run what regen, codegen and undo have planned, each repo as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from ashflow.errors import LockedError
from ashflow.history.history import read_history
from ashflow.history.ledger import NOTHING
from ashflow.project.meanwhile import came_or_went_in, changed_meanwhile
from ashflow.run.bringing import renamed
from ashflow.run.events import Created
from ashflow.run.journal import next_run, prune, standing
from ashflow.run.one_by_one import one_by_one
from ashflow.run.turn import Turn
from ashflow.run.waiting import is_waited, still_wanted, waiting
from ashflow.run.whole import id_of, run_turn
from ashflow.worktree.files import DiskTree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Database, Session
    from ashflow.history.history import History
    from ashflow.history.ledger import Ledger
    from ashflow.plan.regen import Replaced
    from ashflow.project.checkout import Project
    from ashflow.project.regen import Regen
    from ashflow.project.untracked import Ground
    from ashflow.run.bringing import Parcel
    from ashflow.run.record import Deed
    from ashflow.run.turn import Outcome
    from ashflow.worktree.porcelain import Entry, Kind

_WITH_M: Final = (
    "With -m (ashflow regen NAME -m) the new migration is applied and the rows may stay."
)


class Planned(Protocol):
    """What is going to be done in one repo, and what that was planned from."""

    @property
    def repo(self) -> str:
        """The repo."""

    @property
    def database(self) -> Database:
        """Its database."""

    @property
    def ledger(self) -> Ledger:
        """What is applied."""

    @property
    def history(self) -> History:
        """The files."""

    @property
    def replaced(self) -> Replaced:
        """Those that go."""


PlanT = TypeVar("PlanT", bound=Planned)


class Ran(NamedTuple):
    """What was done in one repo.

    Args:
        plan: What was to be done.
        outcome: What it came to; None where there was nothing to do.
    """

    plan: Regen
    outcome: Outcome | None = None


def run_regen(
    project: Project,
    ground: Ground,
    plans: Sequence[Regen],
    *,
    keep: bool = True,
    deed: Deed = "regen",
) -> Iterator[Ran]:
    """Run planned regens, one repo after the other; the first failure ends it.

    Args:
        project: The checkout.
        ground: What git said.
        plans: What is to be done.
        keep: Whether values that go are kept aside.
        deed: What it is.

    Yields:
        What was done in each repo, as soon as it is done.

    Raises:
        AshflowError: A repo failed; its files and its database are as they were.
    """
    if not any(plans):
        yield from map(Ran, plans)
        return

    def turn_of(plan: Regen, run: str, store: Path) -> Turn:
        return _turn(project, ground, plan, run, store, keep=keep, deed=deed)

    outcomes = run_turns(project, plans, turn_of)
    yield from (Ran(plan, outcome) for plan, outcome in zip(plans, outcomes, strict=True))


def run_turns(
    project: Project,
    plans: Sequence[PlanT],
    turn_of: Callable[[PlanT, str, Path], Turn],
) -> Iterator[Outcome | None]:
    """Run plans, each repo a run of its own; the first failure ends it.

    Args:
        project: The checkout.
        plans: What is to be done; one that is false is left out.
        turn_of: Says what a plan comes to, in a run of a name, with a store that is held.

    Yields:
        What each one came to; None where there was nothing to do.

    Raises:
        AshflowError: A repo failed; those before it are done, those after it not begun.
    """
    from ashflow.run.cut_off import cut_off
    from ashflow.worktree.store import held, open_store

    store = open_store(project.root)
    with held(store):
        if (record := standing(store)) is not None:
            raise cut_off(record)
        run = next_run(store, project.now())

        def deed(plan: PlanT) -> Outcome | None:
            return run_turn(turn_of(plan, run, store), store) if plan else None

        for outcome in one_by_one([(plan.repo, plan) for plan in plans], deed):
            if outcome is not None and outcome.record.made:
                project.tell(Created(outcome.record.repo, outcome.record.database))
            yield outcome
        prune(store, project.config.keep_runs, still_wanted(store))


def _turn(
    project: Project,
    ground: Ground,
    plan: Regen,
    run: str,
    store: Path,
    *,
    keep: bool,
    deed: Deed,
) -> Turn:
    from ashflow.run.taking import row_of

    ups = (*plan.stretch.before, *plan.stretch.ups)
    later = plan.generated is not None and not plan.is_applied
    entries, index = _in_index(project, ground, plan)
    return Turn(
        id=run,
        deed=deed,
        repo=plan.repo,
        name=plan.generated.name if plan.generated else "",
        root=project.root,
        database=plan.database,
        ledger=plan.ledger,
        stretch=plan.stretch,
        rows=tuple(row_of(up, project.now()) for up in ups),
        paths=plan.history.paths,
        removed=plan.replaced.paths,
        files=plan.files,
        check=lambda session: check_unchanged(project, plan, session),
        losses=plan.losses,
        keep=keep,
        renames=plan.renames,
        parcels=_waiting(plan, store, {up.version for up in ups}, replaced=not later),
        waits=plan.generated.version if plan.generated and later else "",
        hint=_WITH_M if later else "",
        located=ground.located,
        entries=entries,
        index=index,
    )


def _waiting(plan: Regen, store: Path, ups: set[str], *, replaced: bool) -> tuple[Parcel, ...]:
    """Return what waits for migrations that were not applied until now.

    Args:
        plan: What is done.
        store: The store.
        ups: The versions that are applied.
        replaced: Whether that is brought in too which waits for those that are replaced.
    """
    if not is_waited(store, plan.repo):
        return ()
    applied, database_id = set(plan.ledger.versions), id_of(plan.database)
    gone = plan.replaced.versions - applied if replaced else ()
    of_gone = waiting(store, plan.repo, gone, database_id)
    of_ups = waiting(store, plan.repo, ups - applied, database_id)
    known = {parcel.run for parcel in of_gone}
    return (
        *(renamed(parcel, plan.renames) for parcel in of_gone),
        *(parcel for parcel in of_ups if parcel.run not in known),
    )


def _in_index(
    project: Project, ground: Ground, plan: Regen
) -> tuple[Mapping[str, Entry], Kind | None]:
    """Return what leaves git's index, and how the new files come into it."""
    if not ground.entries:
        return {}, None
    from ashflow.worktree.index import kinds_for

    entries = ground.entries_of(project.folders(plan.repo), plan.replaced.paths)
    kinds = kinds_for(plan.files, entries.values())
    return entries, next(iter(kinds.values()), None)


def check_unchanged(project: Project, plan: Planned, session: Session | None) -> None:
    """See to it that a plan is still true, now that nobody else works on it.

    Args:
        project: The checkout.
        plan: What it was planned from.
        session: A session of the database; None where that is not there.

    Raises:
        LockedError: The database was migrated meanwhile, or files were changed.
    """
    mark = NOTHING if session is None else session.mark()
    if mark != plan.ledger.mark:
        raise LockedError(
            f"{plan.database.shown} was migrated by another process meanwhile",
            hint="Nothing was changed. Run it again: it plans anew.",
        )
    folders, then = project.folders(plan.repo), plan.history.tree
    others = came_or_went_in(project, plan.repo, then)
    ours = read_history(
        dict.fromkeys(others, ""),
        migrations=folders.migrations,
        snapshots=folders.snapshots,
        doubles=True,
    ).paths
    now = DiskTree(project.root, plan.replaced.paths)
    if ours or any(now[path] != then[path] for path in now):
        raise changed_meanwhile([plan.repo])
