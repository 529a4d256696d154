"""Bring databases up, or take them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ashflow.errors import AshflowError, ConfigError, UsageError
from ashflow.plan.applied import applied_migration, up
from ashflow.plan.migrate import Asked, check_known, pending
from ashflow.run.carry_out import carry_out
from ashflow.run.events import Created, Warned
from ashflow.run.migrating import (
    Planned,
    ledger_of,
    planned_all,
    planned_down,
    planned_up,
)
from ashflow.run.one_by_one import one_by_one

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from ashflow.config import RepoConfig
    from ashflow.history.history import History
    from ashflow.plan.steps import Done
    from ashflow.project.checkout import Project
    from ashflow.schema.table import Table


ALL: Final = Asked()
"""All that is pending, by the usual rules."""


class Ran(NamedTuple):
    """What was run on one database.

    Args:
        repo: The repo.
        done: The migrations, in order.
    """

    repo: str
    done: tuple[Done, ...]


def plan_up(project: Project, repos: Sequence[RepoConfig], asked: Asked = ALL) -> list[Planned]:
    """Choose and load the migrations that are to be applied; touches nothing.

    Args:
        project: The checkout.
        repos: Which of its repos.
        asked: Which of the pending ones.

    Raises:
        AshflowError: A migration does not load, or a database can't be read.
    """
    return [planned_up(project.target(repo), asked) for repo in repos]


def plan_all(project: Project, repos: Sequence[RepoConfig]) -> list[Planned]:
    """Load all migrations, for databases that are going to be made anew; touches nothing.

    Raises:
        AshflowError: A migration does not load.
    """
    return [planned_all(project.target(repo)) for repo in repos]


def plan_down(
    project: Project,
    repos: Sequence[RepoConfig],
    *,
    step: int = 1,
    to: str | None = None,
    everything: bool = False,
) -> list[Planned]:
    """Choose the migrations that are to be taken back; touches nothing.

    Args:
        project: The checkout.
        repos: Which of its repos.
        step: How many.
        to: Back to and including this version.
        everything: All of them.

    Raises:
        IrreversibleError: One of them has no way back.
        AshflowError: A migration does not load, or a database can't be read.
    """
    targets = [project.target(repo) for repo in repos]
    return [planned_down(target, step=step, to=to, everything=everything) for target in targets]


def run(
    project: Project,
    planned: Sequence[Planned],
    *,
    create: bool = False,
    backup: bool = True,
    fold: bool = True,
) -> list[Ran]:
    """Run what was planned, one repo after the other; the first failure ends it.

    Args:
        project: The checkout.
        planned: What is to be run.
        create: Whether a database that is not there is made.
        backup: Whether a database is copied before values in it go.
        fold: Whether migrations may be folded where nothing is applied yet.

    Raises:
        AshflowError: A migration failed; what was done before it stays, and is told.
    """

    def deed(one: Planned) -> Ran:
        return _run_one(project, one, create=create, backup=backup, fold=fold)

    return list(one_by_one([(one.repo, one) for one in planned], deed))


def _run_one(project: Project, one: Planned, *, create: bool, backup: bool, fold: bool) -> Ran:
    from ashflow.worktree.store import open_store

    try:
        done = carry_out(
            one,
            now=project.now,
            tell=project.tell,
            create=create,
            fold=fold,
            copies=(lambda: open_store(project.root) / "parked") if backup else None,
            limit_mb=project.config.repo(one.repo).backup_limit_mb,
        )
        _tell_of_strangers(project, one)
    finally:
        one.database.close()
    return Ran(one.repo, done)


def _tell_of_strangers(project: Project, planned: Planned) -> None:
    """Say what of the changed tables is in the database and is written down nowhere."""
    if not planned.steps:
        return
    try:
        told = list(_strangers(project, planned))
    except AshflowError as error:  # what was to be done is done: this must not fail it
        told = [f"what else is in the changed tables can't be told: {error.message}"]
    for text in told:
        project.tell(Warned(planned.repo, text))


def _strangers(project: Project, planned: Planned) -> Iterator[str]:
    from ashflow.plan.drift import changed_tables, strangers, unwritten

    tables = changed_tables(op for step in planned.steps for op in step.operations)
    if not tables:
        return
    history = project.history(planned.repo)
    with planned.database.read() as session:
        ledger, schema = session.ledger(), session.introspect(tables)
    waiting = {file.version for file in pending(history, ledger)}
    for table in tables:
        known = _snapshot_of(history, table, waiting)
        if known is None or table not in schema:
            continue  # there is nothing to compare it with
        if found := strangers(known, schema[table]):  # only now is all that was applied decoded
            applied = (op for row in ledger for op in applied_migration(row).operations)
            if told := ", ".join(unwritten(found, applied)):
                yield f"{table} has what no snapshot tells of, and keeps it: {told}"


def _snapshot_of(history: History, table: str, waiting: Collection[str]) -> Table | None:
    """Return a table as what is applied has it; None where no snapshot tells.

    Args:
        history: The files.
        table: The table.
        waiting: The versions that are not applied.
    """
    from ashflow.history.lineage import Fork, newest

    files = history.of_table(table)
    applied = [file.path for file in files if file.version not in waiting]
    if not applied or [file.path for file in files[: len(applied)]] != applied:
        return None  # one that waits is older than one that is applied
    found = newest(applied, history.read)
    if not isinstance(found, Fork):
        return found.physical if found.standing else None
    return history.leaf(files[0].folder).physical if len(applied) == len(files) else None


def rehearse(planned: Sequence[Planned], *, fold: bool = True) -> None:
    """Run what was planned on copies without rows, in memory, so that the log tells the SQL.

    Functions of `Run` are not called: they may reach outside the database.

    Args:
        planned: What is to be run.
        fold: Whether migrations may be folded where nothing is applied yet.

    Raises:
        AshflowError: A migration does not fit the database.
    """
    from ashflow.run.taking import run_in

    for one in planned:
        with one.database.rehearsal() as session:
            run_in(session, one.steps, fold=fold and not one.mark.rows)
        one.database.close()


def mark_up(project: Project, repo: RepoConfig, version: str) -> Ran:
    """Write a migration into the ledger without running it.

    Raises:
        UsageError: There is no such migration, or it is applied already.
        AshflowError: It does not load, or the database can't be written.
    """
    from ashflow.plan.steps import Done
    from ashflow.run.taking import row_of

    history = project.history(repo.name)
    database = project.database(repo)
    check_known(version, history, ledger_of(database))
    file = history.migration(version)
    if file is None or version in ledger_of(database):
        raise UsageError(f"migration {version} is applied already, nothing is to be marked")
    step = up(history, file, str(project.root))
    if database.create():
        project.tell(Created(repo.name, database.shown))
    with database.locked() as session:
        session.record(row_of(step, project.now()))
    database.close()
    return Ran(repo.name, (Done(version, file.name, "up", 0.0),))


def mark_down(project: Project, repo: RepoConfig, version: str) -> Ran:
    """Take a migration out of the ledger without running it.

    Raises:
        UsageError: It is not applied.
        AshflowError: The database can't be written.
    """
    from ashflow.plan.steps import Done

    database = project.database(repo)
    with database.read() as session:
        row = session.ledger().get(version)
    if row is None:
        raise UsageError(
            f"migration {version} is not applied, nothing is to be forgotten",
            hint="ashflow status shows what is applied.",
        )
    with database.locked() as session:
        session.forget(version)
    database.close()
    return Ran(repo.name, (Done(version, row.name, "down", 0.0),))


def create(project: Project, repos: Sequence[RepoConfig]) -> list[tuple[str, bool]]:
    """Make the databases of some repos.

    Returns:
        For each repo, whether its database was made; False where it was there.

    Raises:
        DatabaseError: One can't be made.
    """
    return _each(repos, lambda repo: _made(project, repo))


def refuse_held_together(
    project: Project, going: Sequence[RepoConfig], others: Sequence[RepoConfig]
) -> None:
    """Refuse to remove a database that holds another repo too.

    Args:
        project: The checkout.
        going: The repos whose databases are going to be removed.
        others: Those whose rows must not go with them.

    Raises:
        UsageError: One of them does: its rows would go unasked.
    """
    holders = {project.database(repo).target: repo.name for repo in going}
    for other in others:
        try:
            holder = holders.get(project.database(other).target, other.name)
        except ConfigError:  # who needs that database hears of it
            continue
        if holder != other.name:
            raise UsageError(
                f"the database of the repo {holder} holds the repo {other.name} too",
                hint="Nothing was removed. Roll back what is of one of them: ashflow rollback "
                f"--all --repo {holder}; or give each a url of its own.",
            )


def _each(
    repos: Sequence[RepoConfig], deed: Callable[[RepoConfig], bool]
) -> list[tuple[str, bool]]:
    """Do something with one repo after the other; the first failure ends it."""
    done = one_by_one([(repo.name, repo) for repo in repos], deed)
    return [(repo.name, one) for repo, one in zip(repos, done, strict=True)]


def _made(project: Project, repo: RepoConfig) -> bool:
    database = project.database(repo)
    made = database.create()
    database.close()
    return made


def drop(project: Project, repos: Sequence[RepoConfig]) -> list[tuple[str, bool]]:
    """Remove the databases of some repos, with all that is in them.

    Returns:
        For each repo, whether its database was removed; False where it was not there.

    Raises:
        DatabaseError: One can't be removed.
    """
    databases = {repo.name: project.database(repo) for repo in repos}
    return _each(repos, lambda repo: databases[repo.name].drop())
