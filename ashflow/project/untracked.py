"""Gather what a regen plans from: what git has no part in yet, files, resources and ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ashflow.errors import GitError, UsageError
from ashflow.plan.built_on import refuse_built_on, refuse_caught_up
from ashflow.plan.migrate import applied_migration
from ashflow.plan.regen import Replaced, check_by_hand, replaced, unpaired
from ashflow.project.migrate import ledger_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ashflow.adapters.protocol import Database
    from ashflow.change.migration import Migration
    from ashflow.change.operations import Operation
    from ashflow.config import RepoConfig
    from ashflow.history.history import History
    from ashflow.history.ledger import Ledger
    from ashflow.project.checkout import Project
    from ashflow.sources.load import Declared
    from ashflow.worktree.porcelain import GitStatus, Located


@dataclass(frozen=True, slots=True)
class Scope:
    """Which migrations are replaced, beside those that git does not track.

    Args:
        since: Those too that this branch has committed since it left another one: its name.
        published: Whether they may be on a branch of a remote already.
    """

    since: str | None = None
    published: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """What git says.

    Args:
        located: Where the project is.
        scope: Which migrations are replaced, beside those that git does not track.
        new: The files that git does not track, and those that were committed in the scope.
        gone: The files that git tracks, and that are not on disk.
    """

    located: Located
    scope: Scope
    new: frozenset[str]
    gone: frozenset[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the plan of one repo is made from.

    Args:
        project: The checkout.
        repo: The repo.
        scope: Which migrations are replaced, beside those that git does not track.
        declared: What its resources declare.
        history: Its files on disk.
        replaced: Those that go.
        tracked: The files without those.
        loaded: The migrations that go, by version.
        database: Its database.
        ledger: What is applied to it.
        warnings: What is odd.
    """

    project: Project
    repo: RepoConfig
    scope: Scope
    declared: Declared
    history: History
    replaced: Replaced
    tracked: History
    loaded: Mapping[str, Migration]
    database: Database
    ledger: Ledger
    warnings: tuple[str, ...]

    @property
    def root(self) -> str:
        """The folder of the project, for tracebacks."""
        return str(self.project.root)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations of the migrations that go, oldest first."""
        return tuple(op for v in sorted(self.loaded) for op in self.loaded[v].operations)


def gather_all(
    project: Project, repos: Sequence[RepoConfig], scope: Scope, *, discard_edits: bool
) -> tuple[Ground, list[Facts]]:
    """Gather the facts of some repos; git is asked once.

    Args:
        project: The checkout.
        repos: Which of its repos.
        scope: Which migrations are replaced, beside those that git does not track.
        discard_edits: Whether work done by hand in the replaced migrations is left behind.

    Raises:
        GitError: There is no git here, it is in the middle of something, or knows no such branch.
        UsageError: A migration is published already.
        EditedError: There is such work, and it is not to be left behind.
        AshflowError: Resources, files or a database can't be read.
    """
    histories = {repo.name: project.history(repo.name) for repo in repos}
    ground = _ask_git(project, histories, scope)
    facts = [
        _gather(project, repo, histories[repo.name], ground, discard_edits=discard_edits)
        for repo in repos
    ]
    return ground, facts


def _ask_git(project: Project, histories: Mapping[str, History], scope: Scope) -> Ground:
    """Ask git once what is new, and what is gone, in the project's folders."""
    from ashflow.worktree.git import Nowhere, locate, status
    from ashflow.worktree.porcelain import FileState

    located = locate(project.root)
    if isinstance(located, Nowhere):
        raise GitError(
            f"regen finds the untracked migrations through git, and {located.value}",
            hint="git init makes a git repository; without one, use ashflow rollback and codegen.",
        )
    folders = [project.config.migrations(repo) for repo in histories]
    folders += [project.config.snapshots(repo) for repo in histories]
    git = status(located, folders)
    _check_calm(git)
    for path in (path for history in histories.values() for path in history.paths):
        if git.state_of(path) is FileState.IGNORED:
            raise GitError(
                f"git ignores {path}, so it can never be committed",
                hint=f"Find the rule with git check-ignore -v {path} and take it out.",
            )
    new = {FileState.UNTRACKED, FileState.INTENT_TO_ADD}
    gone = {FileState.DELETED, FileState.STAGED_DELETED}
    return Ground(
        located,
        scope,
        _committed(located, folders, scope).union(p for p, s in git.files.items() if s in new),
        frozenset(path for path, state in git.files.items() if state in gone),
    )


def _committed(located: Located, folders: Sequence[str], scope: Scope) -> frozenset[str]:
    """Return the files that the scope has beyond the untracked ones.

    Raises:
        UsageError: One of them is on a branch of a remote: others may have applied it.
    """
    if scope.since is None:
        return frozenset()
    from ashflow.worktree.git import branches_with
    from ashflow.worktree.revisions import added_since

    found = added_since(located, scope.since, folders)
    if not scope.published:
        for path, branches in branches_with(located, sorted(found), remote=True).items():
            if branches:
                raise UsageError(
                    f"{path} is on {branches[0]} already: others may have applied it",
                    hint="Leave it, and write what has changed with ashflow codegen NAME; or say "
                    "--published, where nobody has.",
                )
    return found


def _check_calm(git: GitStatus) -> None:
    if git.unmerged or git.busy in {"rebase", "cherry-pick", "revert"}:
        what = f"{git.unmerged[0]} is unmerged" if git.unmerged else f"a {git.busy} is under way"
        raise GitError(
            f"git is in the middle of something: {what}",
            hint="Finish it, or take it back (git status says how), then run regen again.",
        )
    if unseen := (*git.nested, *git.links):
        raise GitError(
            f"git does not look into {unseen[0]} (a link, or a git repository of its own), so "
            "it can't say what is new there",
            hint="Make it a plain folder of this git repository.",
        )


def _gather(
    project: Project, repo: RepoConfig, history: History, ground: Ground, *, discard_edits: bool
) -> Facts:
    declared = project.declared(repo.name)
    going = replaced(history, ground.new, _gone(project, repo, ground))
    refuse_built_on(history, going)
    loaded = {m.version: history.load(m, str(project.root)) for m in going.migrations}
    refuse_caught_up(history, going, loaded)
    if not discard_edits:
        by_path = {m.path: loaded[m.version] for m in going.migrations}
        check_by_hand(by_path, [history.read(s.path) for s in going.snapshots])
    database = project.database(repo)
    ledger = ledger_of(database)
    return Facts(
        project=project,
        repo=repo,
        scope=ground.scope,
        declared=declared,
        history=history,
        replaced=going,
        tracked=history.without(going.versions),
        loaded={**_without_file(going, ledger), **loaded},
        database=database,
        ledger=ledger,
        warnings=(*declared.warnings, *unpaired(history, going, ground.new)),
    )


def _gone(project: Project, repo: RepoConfig, ground: Ground) -> History:
    from ashflow.history.history import read_history

    folders = project.folders(repo.name)
    tree = dict.fromkeys(ground.gone, "")
    return read_history(tree, migrations=folders.migrations, snapshots=folders.snapshots)


def _without_file(going: Replaced, ledger: Ledger) -> dict[str, Migration]:
    """Return the applied migrations whose snapshots go, and whose file went before."""
    rows = (ledger.get(version) for version in going.versions)
    return {row.version: applied_migration(row) for row in rows if row is not None}
