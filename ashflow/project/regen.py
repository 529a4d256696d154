"""Plan to replace the untracked migrations of each repo by one; nothing is touched here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ashflow.change.operations import AddStatement
from ashflow.errors import ForkError, UsageError
from ashflow.plan.applied import applied_migration, down, up
from ashflow.plan.by_hand import in_order, work_left
from ashflow.plan.choices import NO_RENAMES, standing_tables
from ashflow.plan.codegen import Generated, check_fills, find_change
from ashflow.plan.fills import held
from ashflow.plan.migrate import missing, pending
from ashflow.plan.moved import Moved, moved_above
from ashflow.plan.regen import (
    Loss,
    Replaced,
    all_names,
    answers_for,
    going_down,
    is_same,
    under_all_names,
)
from ashflow.plan.steps import Up
from ashflow.plan.stretch import Stretch, concerned, plan_stretch, share, stretch_of, touched
from ashflow.project.codegen import Found, derived_name, generate, newest
from ashflow.project.untracked import Facts, Ground, Scope, gather_all
from ashflow.run.losing import returns, survey
from ashflow.schema.table import Schema
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ashflow.adapters.protocol import Database
    from ashflow.change.operations import Operation
    from ashflow.change.renames import Renames
    from ashflow.config import RepoConfig
    from ashflow.history.history import History
    from ashflow.history.ledger import Applied, Ledger
    from ashflow.history.render import Carried
    from ashflow.history.snapshot import Snapshot
    from ashflow.plan.by_hand import Work
    from ashflow.plan.choices import Choices
    from ashflow.plan.steps import Down
    from ashflow.project.asking import Ask
    from ashflow.project.checkout import Project

UNTRACKED = Scope()


@value
class Regen:
    """What a regen will do in one repo.

    Args:
        repo: The repo.
        database: Its database.
        ledger: What is applied now.
        history: Its files now.
        replaced: The files that go.
        generated: The files that come; None where the resources equal the tracked snapshots.
        stretch: What is run in the database.
        losses: Values that are dropped on the way.
        returning: Those of them that the migrations bring back a place for.
        stay: Tables of which the steps one by one would drop something that stays, with all rows.
        warnings: What is odd.
        same: Whether what would come is what is there: nothing is replaced then.
        scope: Which migrations it is about.
        moved: The migrations begun by hand that go above the one that comes.
        new: The steps that apply the migrations that come, now or later.
        begun_by_hand: The versions of new migrations that no snapshot knows.
        renames: What the values that go are called where they return.
        found: What codegen found.
    """

    repo: str
    database: Database
    ledger: Ledger
    history: History
    replaced: Replaced
    generated: Generated | None
    stretch: Stretch
    losses: tuple[Loss, ...] = ()
    returning: tuple[Loss, ...] = ()
    stay: tuple[Loss, ...] = ()
    warnings: tuple[str, ...] = ()
    same: bool = False
    scope: Scope = UNTRACKED
    moved: tuple[Moved, ...] = ()
    new: tuple[Up, ...] = ()
    begun_by_hand: frozenset[str] = frozenset()
    renames: Renames = NO_RENAMES
    found: Found | None = None

    @property
    def files(self) -> Mapping[str, str]:
        """All texts that are written, by path."""
        own = {} if self.generated is None else self.generated.files
        return {**own, **{one.file.path: one.text for one in self.moved}}

    def __bool__(self) -> bool:
        return bool(self.replaced.paths or self.generated or self.stretch)

    @property
    def is_applied(self) -> bool:
        """Whether the new migration is applied at once."""
        applied = {step.version for step in self.stretch.ups}
        return self.generated is not None and self.generated.version in applied

    @property
    def coming(self) -> tuple[Operation, ...]:
        """The operations after which values that were dropped may have a place again."""
        if self.generated is not None and not self.is_applied:
            return tuple(op for step in self.new for op in step.operations)
        if self.stretch.net is not None:
            return tuple(op for op in self.stretch.net if isinstance(op, AddStatement))
        return tuple(op for step in self.stretch.ups for op in step.operations)

    @property
    def parked(self) -> tuple[Loss, ...]:
        """The values that are kept aside, and that no migration brings back."""
        return tuple(loss for loss in self.losses if loss not in self.returning)

    @property
    def others(self) -> tuple[str, ...]:
        """The migrations that go down and are not replaced, newest first, in words."""
        gone = self.replaced.versions | self.begun_by_hand
        return tuple(
            f"{down.version}_{down.name}, which "
            + ("git tracks" if self.history.migration(down.version) else "has no file here")
            for down in self.stretch.downs
            if down.version not in gone
        )

    @property
    def rolled_back(self) -> tuple[str, ...]:
        """The versions that go down, newest first."""
        return tuple(step.version for step in self.stretch.downs)

    @property
    def reapplied(self) -> tuple[str, ...]:
        """Those of them that come up again."""
        ups = {step.version for step in self.stretch.ups}
        return tuple(version for version in reversed(self.rolled_back) if version in ups)


def plan_regen(
    project: Project,
    repos: Sequence[RepoConfig],
    name: str | None,
    *,
    migrate: bool,
    choices: Choices,
    scope: Scope = UNTRACKED,
    ask: Ask | None = None,
    discard_edits: bool = False,
) -> tuple[Ground, list[Regen]]:
    """Plan a regen of some repos; touches nothing.

    Args:
        project: The checkout.
        repos: Which of its repos.
        name: The name of the new migration; None: one from what it does.
        migrate: Whether the new migration is applied; one that replaces what was made with --dev
            is where any of that is.
        choices: What the user chose.
        scope: Which migrations are replaced, beside those that git does not track.
        ask: Lists files and waits for what git says of them; None: it is about what was made with
            --dev.
        discard_edits: Whether work done by hand in the replaced migrations is left behind.

    Raises:
        GitError: There is no git here, it is in the middle of something, or knows no such branch.
        RenameQuestions: Only the user knows what was renamed.
        AshflowError: Whatever else would stop the run is found here.
    """
    choices = project.choices(choices)
    ground, gathered = gather_all(project, repos, scope, ask, discard_edits=discard_edits)
    answers = _dealt(choices.renames, gathered)
    plans = [
        _plan(facts, name, replace(choices, renames=own), migrate=migrate)
        for facts, own in zip(gathered, answers, strict=True)
    ]
    check_fills(choices, [plan.generated.change for plan in plans if plan.generated])
    return ground, plans


def _dealt(renames: Renames, gathered: Sequence[Facts]) -> list[Renames]:
    """Return which answers are for which repo: those that fit there.

    Raises:
        UsageError: An answer fits nowhere.
    """
    if not renames:
        return [renames] * len(gathered)
    ends = [
        (
            all_names(standing_tables(newest(facts.tracked, facts.project)), facts.operations),
            under_all_names(facts.declared.schema, facts.operations),
        )
        for facts in gathered
    ]
    own = [renames.fitting(old, new) for old, new in ends]
    left = renames
    for answers in own:
        left = left.minus(answers)
    if left:
        from ashflow.change.renames import check_renames

        tables = {*left.tables, *left.columns}
        check_renames(left, *next((pair for pair in ends if tables & pair[0].keys()), ends[0]))
    return own


def _plan(facts: Facts, name: str | None, choices: Choices, *, migrate: bool) -> Regen:
    leaves = newest(facts.tracked, facts.project)
    own, rest = _split_answers(facts, leaves, choices)
    declared = facts.declared
    change = find_change(leaves, declared.schema, own, declared.unmanaged, declared.in_order)
    found = Found(
        facts.repo.name,
        facts.tracked,
        leaves,
        change,
        declared.origins,
        elsewhere=declared.elsewhere,
    )
    name = name or derived_name(found)
    if facts.scope.dev:
        migrate = any(row.version in facts.replaced.versions for row in facts.ledger)
    works = work_left(facts.olds, change.operations, lambda: standing_tables(leaves))
    if _is_there(facts, found, name, works):
        return _nothing_to_replace(facts, migrate=migrate)
    coming = _coming(facts, found, name, works)
    facts = _with_moved(facts, coming.moved)
    foreign = _in_the_way(facts, coming.steps if migrate else ())
    downs = _downs(facts, foreign)
    ups = _ups(facts, downs, migrate=migrate)
    new = coming.steps if migrate else ()
    stretch = plan_stretch(
        downs=downs,
        ups=ups,
        new=new,
        base=_base(facts, (*downs, *ups, *new)),
        renames=rest,
        no_renames=choices.no_renames,
        foreign=foreign,
    )
    planned = _planned(facts, facts.replaced, coming.generated, stretch)
    planned = replace(planned, moved=coming.moved, new=coming.steps)
    return _count(replace(planned, renames=rest, found=found))


class _Coming(NamedTuple):
    """What a regen writes.

    Args:
        generated: The new migration and its snapshots.
        moved: The migrations begun by hand that go above it.
        steps: What applies all of these.
    """

    generated: Generated | None = None
    moved: tuple[Moved, ...] = ()
    steps: tuple[Up, ...] = ()


def _carried(works: Sequence[Work], new: Sequence[Operation]) -> Carried | None:
    if not works:
        return None
    from ashflow.plan.carry import carry

    return carry(works, new)


def _coming(facts: Facts, found: Found, name: str, works: Sequence[Work]) -> _Coming:
    taken = (facts.history.newest, max(facts.ledger.applied, default=""))
    carried = _carried(works, found.change.operations)
    generated = generate(facts.project, found, name, taken=taken, carried=carried)
    if generated is None:
        return _Coming()
    moved = moved_above(facts.olds, generated, taken, facts.project.now())
    first = _written(facts, generated, works)
    return _Coming(generated, moved, (first, *(one.step for one in moved)))


def _with_moved(facts: Facts, moved: Sequence[Moved]) -> Facts:
    """Return the facts, where migrations begun by hand leave their places too."""
    if not moved:
        return facts
    going = facts.replaced.plus(one.old for one in moved)
    return replace(facts, replaced=going, tracked=facts.tracked.without(going.versions))


def _planned(
    facts: Facts,
    going: Replaced,
    generated: Generated | None,
    stretch: Stretch,
    *,
    same: bool = False,
) -> Regen:
    return Regen(
        repo=facts.repo.name,
        database=facts.database,
        ledger=facts.ledger,
        history=facts.history,
        replaced=going,
        generated=generated,
        stretch=stretch,
        warnings=facts.warnings,
        same=same,
        scope=facts.scope,
        begun_by_hand=frozenset(file.version for file in facts.olds.begun_by_hand),
    )


def _split_answers(
    facts: Facts, leaves: Mapping[str, Snapshot], choices: Choices
) -> tuple[Choices, Renames]:
    """Return the answers for codegen, and those for what only the replaced migrations made."""
    from ashflow.change.reverse import tables_of

    operations = facts.operations
    touched = {table for op in operations for table in tables_of(op) or ()}
    touched |= {*choices.renames.tables, *choices.renames.columns}
    base = Schema(
        leaf.physical for table, leaf in leaves.items() if leaf.standing and table in touched
    )
    own, rest = answers_for(base, operations, facts.declared.schema, choices.renames)
    fills = (*choices.fills, *held(operations, choices.fills))
    return replace(choices, renames=own, fills=fills, new_have_rows=True), rest


def _is_there(facts: Facts, found: Found, name: str, works: Sequence[Work]) -> bool:
    """Whether the one migration that would be replaced is what would be generated."""
    from ashflow.change.migration import Migration
    from ashflow.plan.files import generate as written

    going = facts.replaced
    if not found.change or len(going.migrations) != 1:
        return False
    (file,) = going.migrations
    again = written(
        found.change,
        found.leaves,
        version=file.version,
        name=name,
        folders=facts.project.folders(facts.repo.name),
    )
    texts = {path: text for path, text in again.files.items() if path != again.path}
    if {again.path, *texts} != set(going.paths):
        return False
    wanted = Migration(in_order(works, found.change.operations))
    row = facts.ledger.get(file.version)
    return (
        all(facts.history.tree[path] == text for path, text in texts.items())
        and is_same(facts.loaded[file.version], wanted)
        and (row is None or is_same(applied_migration(row), wanted))
    )


def _nothing_to_replace(facts: Facts, *, migrate: bool) -> Regen:
    files = pending(facts.history, facts.ledger) if migrate else ()
    ups = tuple(up(facts.history, file, facts.root) for file in files)
    return _count(_planned(facts, Replaced(), None, stretch_of(ups), same=True))


def _downs(facts: Facts, foreign: frozenset[str]) -> tuple[Down, ...]:
    """Return what goes down: loaded, and known to be reversible."""
    rows = list(facts.ledger)
    doomed = facts.replaced.versions | foreign
    first = next((i for i, row in enumerate(rows) if row.version in doomed), len(rows))
    applied = {row.version: applied_migration(row).operations for row in rows[first:]}
    chosen = going_down(rows[first:], applied, doomed)
    for row in chosen:
        _check_row(facts, row)
    return tuple(down(facts.history, row, facts.root) for row in chosen)


def _in_the_way(facts: Facts, new: Sequence[Up]) -> frozenset[str]:
    """Return what is applied, has no file here, and shares a table with what goes or comes.

    Another branch has it, or a stash; where it shares no table it stays.

    Args:
        facts: What is known.
        new: What is going to be applied.
    """
    lost = [row for row in missing(facts.history, facts.ledger) if row.version not in facts.gone]
    if not lost:
        return frozenset()
    gone = [op for v, one in facts.loaded.items() if v in facts.ledger for op in one.operations]
    tables = touched((*gone, *(op for step in new for op in step.operations)))
    rows = ((row.version, applied_migration(row).operations) for row in lost)
    return frozenset(version for version, operations in rows if share(tables, operations))


def _check_row(facts: Facts, row: Applied) -> None:
    """See to it that what was applied under a version is what is here under that version."""
    file = facts.history.migration(row.version)
    if (
        file is not None
        and file.name != row.name
        and not is_same(facts.history.load(file, facts.root), applied_migration(row))
    ):
        raise UsageError(
            f"{facts.database.shown} has applied {row.version}_{row.name}, and {file.path} is "
            "another migration of the same version",
            hint="Two branches came to one version. Roll back the one that is applied, on its own "
            "branch, or give the file here a version of its own.",
        )


def _ups(facts: Facts, downs: Sequence[Down], *, migrate: bool) -> tuple[Up, ...]:
    """Return the tracked migrations that are applied when all that goes down is down."""
    again = {step.version for step in downs} - facts.replaced.versions
    waiting = {m.version for m in pending(facts.tracked, facts.ledger)} if migrate else set()
    files = (m for m in facts.tracked.migrations if m.version in again | waiting)
    return tuple(up(facts.history, file, facts.root) for file in files)


def _written(facts: Facts, generated: Generated, works: Sequence[Work]) -> Up:
    """Return the step that applies the new migration: with its functions, where it has some."""
    from hashlib import sha256

    from ashflow.change.migration import Migration

    path, operations = generated.path, generated.change.operations
    text = generated.files[path]
    migration = Migration(operations)
    if works:
        from ashflow.plan.carry import check_written

        migration = check_written(text, f"{facts.root}/{path}", works, operations)
    checksum = sha256(text.encode()).hexdigest()
    return Up(generated.version, generated.name, path, checksum, migration)


def _base(facts: Facts, steps: Sequence[Up | Down]) -> Schema | None:
    """Return the tables below a stretch, as the snapshots know them; None where they fork.

    What has a file and is not applied is not below it: the database knows nothing of it.
    """
    waiting = {m.version for m in pending(facts.history, facts.ledger)}
    moved = facts.replaced.versions | waiting | {step.version for step in steps}
    tables = concerned(steps)
    history = facts.history.without(moved)
    try:
        leaves = newest(history if tables is None else history.of(tables), facts.project)
    except ForkError:
        return None
    return Schema(
        leaf.physical
        for name, leaf in leaves.items()
        if leaf.standing and (tables is None or name in tables)
    )


def _count(plan: Regen) -> Regen:
    """Return a plan with what it does to rows, counted."""
    if not plan.stretch or not plan.database.exists():
        return plan
    with plan.database.read() as session:
        losses = survey(session, plan.database.shown, plan.stretch)
        stay = tuple(Loss(table, None, session.count(table)) for table in plan.stretch.kept)
    back = plan.coming
    return replace(
        plan,
        losses=losses,
        stay=tuple(loss for loss in stay if loss.rows),
        returning=tuple(loss for loss in losses if returns(loss, back, plan.renames)),
    )
