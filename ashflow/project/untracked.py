"""Gather what a regen plans from: what git has no part in yet, files, resources and ledger."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from ashflow.errors import GitError, UsageError
from ashflow.plan.applied import applied_migration
from ashflow.plan.built_on import refuse_built_on, refuse_caught_up
from ashflow.plan.by_hand import Olds, sort_out
from ashflow.plan.regen import RESTORE, Replaced, replaced, unpaired
from ashflow.run.migrating import ledger_of
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from ashflow.adapters.protocol import Database
    from ashflow.change.migration import Migration
    from ashflow.change.operations import Operation
    from ashflow.config import RepoConfig
    from ashflow.history.history import History
    from ashflow.history.ledger import Ledger
    from ashflow.plan.codegen import Folders
    from ashflow.project.asking import Ask
    from ashflow.project.checkout import Project
    from ashflow.sources.load import Declared
    from ashflow.worktree.porcelain import Entry, GitStatus, Located


@value
class Scope:
    """Which migrations are replaced, beside those that git does not track.

    Args:
        since: Those too that this branch has committed since it left another one: its name.
        published: Whether they may be on a branch of a remote already.
        staged: Those too that are staged, and that the last commit does not have.
        dev: Those alone that were made with --dev, whatever git says of them.
    """

    since: str | None = None
    published: bool = False
    staged: bool = False
    dev: bool = False

    @property
    def kind(self) -> str:
        """What the migrations are called that are replaced."""
        if self.dev:
            return "dev migration"
        plain = self.since is None and not self.staged
        return "untracked migration" if plain else "migration"


@value
class Ground:
    """What git says, or what is known without it.

    Args:
        located: Where the project is; None where git was not asked.
        scope: Which migrations are replaced, beside those that git does not track.
        new: The files that git does not track, and those that the scope has beside them.
        gone: The files that git tracks, and that are not on disk; each with what brings it back.
        entries: What the index has of new files, also of those that are not on disk.
    """

    located: Located | None
    scope: Scope
    new: frozenset[str]
    gone: Mapping[str, str] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def entries_of(self, folders: Folders, paths: Collection[str]) -> dict[str, Entry]:
        """Return what leaves the index with the files that are replaced in one repo.

        Args:
            folders: Where the files of the repo are.
            paths: The files that are replaced.

        Returns:
            Their entries, and those of the repo's new migrations and snapshots that are not on
            disk, by path.
        """
        from ashflow.history.history import read_history

        lost = dict.fromkeys(self.entries.keys() - self.new, "")
        history = read_history(
            lost, migrations=folders.migrations, snapshots=folders.snapshots, doubles=True
        )
        leaving = {*paths, *history.paths}
        return {path: entry for path, entry in self.entries.items() if path in leaving}


@value
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
        gone: The versions of migrations that git has, and that are not on disk.
        loaded: The migrations that go, by version.
        olds: The migrations in which there may be work by hand, which is to be kept.
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
    gone: frozenset[str]
    loaded: Mapping[str, Migration]
    olds: Olds
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
    project: Project,
    repos: Sequence[RepoConfig],
    scope: Scope,
    ask: Ask | None,
    *,
    discard_edits: bool,
) -> tuple[Ground, list[Facts]]:
    """Gather the facts of some repos.

    Args:
        project: The checkout.
        repos: Which of its repos.
        scope: Which migrations are replaced, beside those that git does not track.
        ask: Lists files and waits for what git says of them; None: it is about what was made with
            --dev.
        discard_edits: Whether work done by hand in the replaced migrations is left behind.

    Raises:
        GitError: git is in the middle of something, or knows no such branch.
        UsageError: A migration is published already.
        AshflowError: Resources, files or a database can't be read.
    """
    histories: Mapping[str, History]
    if ask is None:
        histories = _histories(project, repos)
        ground = _ground(project, histories, scope)
    else:
        histories, ground = _ask_git(project, repos, scope, ask)
    facts = [
        _gather(project, repo, histories[repo.name], ground, discard_edits=discard_edits)
        for repo in repos
    ]
    return ground, facts


def _histories(project: Project, repos: Sequence[RepoConfig]) -> dict[str, History]:
    return {repo.name: project.history(repo.name) for repo in repos}


def _ground(project: Project, histories: Mapping[str, History], scope: Scope) -> Ground:
    """Return which files were made with --dev: their names, and what is in them, say so.

    git only tells what of them its index has.
    """
    new = frozenset(path for history in histories.values() for path in history.dev_paths)
    found = git_of(project, list(histories)) if new else None
    if found is None:
        return Ground(None, scope, new)
    located, git = found
    entries = {path: entry for path, entry in git.entries.items() if path in new}
    return Ground(located, scope, new, entries=entries)


def git_of(project: Project, repos: Sequence[str]) -> tuple[Located, GitStatus] | None:
    """Return where a project lies, and what git says of the files of some repos.

    Args:
        project: The checkout.
        repos: The names of the repos.

    Returns:
        None where there is no git, or where it refuses: who asks can do without.
    """
    from ashflow.worktree.git import Nowhere, locate, status

    try:
        located = locate(project.root)
        if isinstance(located, Nowhere):
            return None
        return located, status(located, project.config.folders(repos))
    except GitError:
        return None


def _ask_git(
    project: Project, repos: Sequence[RepoConfig], scope: Scope, ask: Ask
) -> tuple[Mapping[str, History], Ground]:
    """List the files of some repos, while git looks what is new there, and what is gone."""

    def look() -> dict[str, History]:
        for repo in repos:
            project.database(repo)  # what speaks to it is imported meanwhile
        return _histories(project, repos)

    histories, located, git = ask(look)
    folders = project.config.folders([repo.name for repo in repos])
    return histories, _told(located, git, histories, folders, scope)


def _told(
    located: Located,
    git: GitStatus,
    histories: Mapping[str, History],
    folders: Sequence[str],
    scope: Scope,
) -> Ground:
    """Return what is new and what is gone, as git says.

    Raises:
        GitError: It is in the middle of something, or ignores a file.
        UsageError: A migration is published already.
    """
    from ashflow.worktree.porcelain import FileState

    _check_calm(git)
    _refuse_ignored(git, histories.values())
    new = {FileState.UNTRACKED, FileState.INTENT_TO_ADD}
    gone = {FileState.DELETED: RESTORE}
    if scope.staged:
        paths = frozenset(path for history in histories.values() for path in history.paths)
        _check_staged(located, git, paths, scope)
        new |= {FileState.STAGED, FileState.STAGED_MODIFIED}
    else:
        gone[FileState.STAGED_DELETED] = "git restore"  # the index has the only copy
    return Ground(
        located,
        scope,
        _committed(located, folders, scope).union(p for p, s in git.files.items() if s in new),
        {path: gone[state] for path, state in git.files.items() if state in gone},
        {p: e for p, e in git.entries.items() if scope.staged or e.kind == "intent"},
    )


def _refuse_ignored(git: GitStatus, histories: Iterable[History]) -> None:
    from ashflow.worktree.porcelain import FileState

    if not git.ignored and FileState.IGNORED not in git.files.values():
        return
    for path in (path for history in histories for path in history.paths):
        if git.state_of(path) is FileState.IGNORED:
            raise GitError(
                f"git ignores {path}, so it can never be committed",
                hint=f"Find the rule with git check-ignore -v {path} and take it out.",
            )


def _check_staged(located: Located, git: GitStatus, paths: frozenset[str], scope: Scope) -> None:
    """Refuse to take what is staged for new, where it came from another branch.

    Raises:
        GitError: A merge is under way.
        UsageError: One of the files is on a branch of a remote.
    """
    if git.busy == "merge":
        raise GitError(
            "a merge is under way, and what it brings is staged: --staged would replace that too",
            hint="Commit the merge, or take it back (git merge --abort), then run regen again.",
        )
    staged = (path for path, entry in git.entries.items() if entry.kind == "staged")
    _check_published(located, paths.intersection(staged), scope)


def _committed(located: Located, folders: Sequence[str], scope: Scope) -> frozenset[str]:
    """Return the files that the scope has beyond the untracked ones.

    Raises:
        UsageError: One of them is on a branch of a remote: others may have applied it.
    """
    if scope.since is None:
        return frozenset()
    from ashflow.worktree.revisions import added_since

    found = added_since(located, scope.since, folders)
    _check_published(located, found, scope)
    return found


def _check_published(located: Located, paths: frozenset[str], scope: Scope) -> None:
    if scope.published or not paths:
        return
    from ashflow.worktree.git import branches_with

    for path, branches in branches_with(located, sorted(paths), remote=True).items():
        if branches:
            raise UsageError(
                f"{path} is on {branches[0]} already: others may have applied it",
                hint="Leave it, and write what has changed with ashflow codegen NAME; or say "
                "--published, where nobody has.",
            )


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
    gone = _gone(project, repo, ground)
    going = replaced(history, ground.new, gone, ground.gone)
    refuse_built_on(history, going)
    loaded = {m.version: history.load(m, str(project.root)) for m in going.migrations}
    olds = Olds() if discard_edits else sort_out(history, going, loaded)
    refuse_caught_up(history, going.but([old.file for old in olds.below]), loaded)
    going = going.but(olds.begun_by_hand)
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
        gone=frozenset(migration.version for migration in gone.migrations),
        loaded={
            **_without_file(going, ledger),
            **{file.version: loaded[file.version] for file in going.migrations},
        },
        olds=olds,
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
