"""Plan to replace the untracked migrations of each repo by one; nothing is touched here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ashflow.errors import ForkError, SchemaError, UsageError
from ashflow.plan.choices import standing_tables
from ashflow.plan.codegen import Generated, check_fills, find_change
from ashflow.plan.fills import held
from ashflow.plan.migrate import applied_migration, down, pending, up
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
from ashflow.plan.stretch import Stretch, concerned, lacking, plan_stretch
from ashflow.project.codegen import Found, generate, newest
from ashflow.project.untracked import Facts, Ground, Scope, gather_all
from ashflow.schema.table import Schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ashflow.adapters.protocol import Database, Session
    from ashflow.change.renames import Renames
    from ashflow.config import RepoConfig
    from ashflow.history.history import History
    from ashflow.history.ledger import Applied, Ledger
    from ashflow.history.snapshot import Snapshot
    from ashflow.plan.choices import Choices
    from ashflow.plan.steps import Down
    from ashflow.project.checkout import Project

UNTRACKED = Scope()


@dataclass(frozen=True, slots=True)
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
        losses: Values that would be dropped on the way.
        warnings: What is odd.
        same: Whether what would come is what is there: nothing is replaced then.
        scope: Which migrations it is about.
    """

    repo: str
    database: Database
    ledger: Ledger
    history: History
    replaced: Replaced
    generated: Generated | None
    stretch: Stretch
    losses: tuple[Loss, ...] = ()
    warnings: tuple[str, ...] = ()
    same: bool = False
    scope: Scope = UNTRACKED

    def __bool__(self) -> bool:
        return bool(self.replaced.paths or self.generated or self.stretch)

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
    name: str,
    *,
    migrate: bool,
    choices: Choices,
    scope: Scope = UNTRACKED,
    discard_edits: bool = False,
) -> tuple[Ground, list[Regen]]:
    """Plan a regen of some repos; touches nothing.

    Args:
        project: The checkout.
        repos: Which of its repos.
        name: The name of the new migration.
        migrate: Whether the new migration is applied.
        choices: What the user chose.
        scope: Which migrations are replaced, beside those that git does not track.
        discard_edits: Whether work done by hand in the replaced migrations is left behind.

    Raises:
        GitError: There is no git here, it is in the middle of something, or knows no such branch.
        RenameQuestions: Only the user knows what was renamed.
        AshflowError: Whatever else would stop the run is found here.
    """
    choices = project.choices(choices)
    ground, gathered = gather_all(project, repos, scope, discard_edits=discard_edits)
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


def _plan(facts: Facts, name: str, choices: Choices, *, migrate: bool) -> Regen:
    leaves = newest(facts.tracked, facts.project)
    own, rest = _split_answers(facts, leaves, choices)
    declared = facts.declared
    change = find_change(leaves, declared.schema, own, declared.unmanaged, declared.in_order)
    found = Found(facts.repo.name, facts.tracked, leaves, change, facts.declared.origins)
    if _is_there(facts, found, name):
        return _nothing_to_replace(facts, migrate=migrate)
    taken = facts.history.versions.union(facts.ledger.versions)
    generated = generate(facts.project, found, name, taken=taken)
    downs = _downs(facts)
    ups = _ups(facts, downs, migrate=migrate)
    new = _new(generated) if migrate and generated is not None else None
    stretch = plan_stretch(
        downs=downs,
        ups=ups,
        new=new,
        base=_base(facts, (*downs, *ups) if new is None else (*downs, *ups, new)),
        renames=rest,
        no_renames=choices.no_renames,
    )
    return _planned(facts, facts.replaced, generated, stretch)


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
        losses=_losses(facts.database, stretch),
        warnings=facts.warnings,
        same=same,
        scope=facts.scope,
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


def _is_there(facts: Facts, found: Found, name: str) -> bool:
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
    wanted = Migration(found.change.operations)
    row = facts.ledger.get(file.version)
    return (
        all(facts.history.tree[path] == text for path, text in texts.items())
        and is_same(facts.loaded[file.version], wanted)
        and (row is None or is_same(applied_migration(row), wanted))
    )


def _nothing_to_replace(facts: Facts, *, migrate: bool) -> Regen:
    files = pending(facts.history, facts.ledger) if migrate else ()
    ups = tuple(up(facts.history, file, facts.root) for file in files)
    return _planned(facts, Replaced(), None, Stretch(ups=ups), same=True)


def _downs(facts: Facts) -> tuple[Down, ...]:
    """Return what goes down: loaded, and known to be reversible."""
    doomed = facts.replaced.versions
    rows = list(facts.ledger)
    first = next((i for i, row in enumerate(rows) if row.version in doomed), len(rows))
    applied = {row.version: applied_migration(row).operations for row in rows[first:]}
    chosen = going_down(rows[first:], applied, doomed)
    for row in chosen:
        _check_row(facts, row)
    return tuple(down(facts.history, row, facts.root) for row in chosen)


def _check_row(facts: Facts, row: Applied) -> None:
    """See to it that what was applied under a version is what is here under that version."""
    file = facts.history.migration(row.version)
    if file is None:
        if row.version not in facts.replaced.versions:
            raise UsageError(
                f"migration {row.version}_{row.name} was applied after the untracked ones, shares "
                "a table with them and has no file here",
                hint="It is of another branch: go there and roll it back, or bring its file here.",
            )
    elif file.name != row.name and not is_same(
        facts.history.load(file, facts.root), applied_migration(row)
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


def _new(generated: Generated) -> Up:
    from hashlib import sha256

    from ashflow.change.migration import Migration

    checksum = sha256(generated.files[generated.path].encode()).hexdigest()
    migration = Migration(generated.change.operations)
    return Up(generated.version, generated.name, generated.path, checksum, migration)


def _base(facts: Facts, steps: Sequence[Up | Down]) -> Schema | None:
    """Return the tables below a stretch, as the snapshots know them; None where they fork.

    What has a file and is not applied is not below it: the database knows nothing of it.
    """
    waiting = {m.version for m in pending(facts.history, facts.ledger)}
    moved = facts.replaced.versions | waiting | {step.version for step in steps}
    tables = concerned(steps)
    try:
        leaves = newest(facts.history.without(moved), facts.project)
    except ForkError:
        return None
    return Schema(
        leaf.physical
        for name, leaf in leaves.items()
        if leaf.standing and (tables is None or name in tables)
    )


def survey(session: Session, shown: str, stretch: Stretch) -> tuple[Loss, ...]:
    """Count what a stretch would drop, and see to it that what it supposes is there.

    Args:
        session: A session of the database.
        shown: The database, for messages.
        stretch: What is to be run.

    Raises:
        SchemaError: The database is not what the applied migrations made.
    """
    tables = {table for table, _ in stretch.made}
    gone = lacking(stretch.made, session.introspect(tables)) if tables else None
    if gone is not None:
        raise SchemaError(
            f"{shown} has no {gone}, though the migrations that it has applied made it",
            hint="It was changed by hand; change it back, then run regen again.",
        )
    counted = [Loss(t, c, session.count(t, where_not_null=c)) for t, c in stretch.drops]
    return tuple(loss for loss in counted if loss.rows)


def _losses(database: Database, stretch: Stretch) -> tuple[Loss, ...]:
    if not stretch or not database.exists():
        return ()
    with database.read() as session:
        return survey(session, database.shown, stretch)
