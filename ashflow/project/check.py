"""Judge what a checkout has, or what is about to be committed: nothing is written or connected."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ashflow.config import FILE, read_config
from ashflow.errors import GitError
from ashflow.history.history import History, read_history
from ashflow.plan.check import Declared, Facts, Problem, problems
from ashflow.plan.choices import Choices
from ashflow.project.checkout import Project

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ashflow.config import RepoConfig
    from ashflow.history.history import MigrationFile
    from ashflow.worktree.git import Objects
    from ashflow.worktree.gittree import GitTree
    from ashflow.worktree.porcelain import Located

MAIN = ("origin/HEAD", "main", "master")
"""What the main branch may be called where nobody says."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be judged.

    Args:
        staged: The index, not the work tree.
        since: What this branch adds over another one: its name. None: over the last commit.
        everything: Old snapshots and migrations too.
    """

    staged: bool = False
    since: str | None = None
    everything: bool = False


def check(project: Project, repos: Sequence[str], asked: Asked) -> list[Problem]:
    """Return what is wrong with a project.

    Args:
        project: The checkout.
        repos: Which of its repos; none: all.
        asked: What is to be judged.

    Raises:
        GitError: git can't say what has to be known.
        AshflowError: The resources can't be used, or what they want has no room.
    """
    from ashflow.worktree.git import Nowhere, Objects, locate

    located = locate(project.root)
    if isinstance(located, Nowhere):
        if asked.staged or asked.since is not None:
            raise GitError(
                f"the index and branches are git's, and {located.value}",
                hint="Leave --staged and --since out: ashflow check judges the files on disk.",
            )
        return [
            p
            for repo in project.repos(repos)
            for p in _judged(project, _alone(project, repo, asked))
        ]
    with Objects(located) as objects, _as_asked(project, located, objects, asked) as seen:
        eye = _Eye(seen, located, objects, asked, _reference(located, asked))
        return [p for repo in seen.repos(repos) for p in _judged(seen, eye.facts(repo.name))]


def _alone(project: Project, repo: RepoConfig, asked: Asked) -> Facts:
    """Return what is known of a repo where there is no git."""
    history = project.history(repo.name, doubles=True)
    return Facts(repo.name, str(project.root), history, everything=asked.everything)


def _reference(located: Located, asked: Asked) -> str | None:
    """Return the commit that the files are compared with; None before the first one."""
    from ashflow.worktree.revisions import first_known, merge_base

    if asked.since is not None:
        return merge_base(located, asked.since)
    return first_known(located, ["HEAD"])


def _judged(project: Project, facts: Facts) -> list[Problem]:
    declared = project.declared(facts.repo)
    said = Declared(declared.schema, declared.unmanaged, declared.in_order)
    return problems(facts, said, project.choices(Choices(no_renames=True)))


@contextmanager
def _as_asked(
    project: Project, located: Located, objects: Objects, asked: Asked
) -> Iterator[Project]:
    """Hand out the project as it is on disk, or as the index has it."""
    if not asked.staged:
        yield project
        return
    from ashflow.sources.staged import imports_from
    from ashflow.worktree.revisions import letters, names_in_index

    folders = [project.root, *map(Path, project.config.pythonpath)]
    said = {path: two for path, two in letters(located, folders).items() if _counts(path)}
    hidden = frozenset(path for path, two in said.items() if two == "??")
    differing = [path for path, two in said.items() if two != "??" and two[1] != " "]
    names = names_in_index(located, differing)
    texts = {path: partial(objects.read, name) for path, name in names.items()}
    with ExitStack() as stack:
        if own := texts.pop(project.root / FILE, None):
            project = Project(read_config(project.root, os.environ, own()), tell=project.tell)
        if texts or hidden:
            stack.enter_context(imports_from(texts, hidden))
        yield project


def _counts(path: Path) -> bool:
    return path.suffix == ".py" or path.name == FILE


@dataclass(frozen=True, slots=True)
class _Eye:
    """Sees what git and the disk have of a repo.

    Args:
        project: The project, as it is judged.
        located: Where it lies.
        objects: What git has stored.
        asked: What is to be judged.
        reference: What the files are compared with: a commit; None before the first.
    """

    project: Project
    located: Located
    objects: Objects
    asked: Asked
    reference: str | None

    def facts(self, repo: str) -> Facts:
        """Return what is known of a repo."""
        history, beside = self._judged(repo)
        old = self._commit(repo, self.reference)
        new = frozenset(path for path in history.tree if path not in old)
        changed = self._changed(repo, history, old)
        there = {migration.path for migration in history.migrations}
        before = self._history(repo, old)
        branch, main = self._main(repo) if new else ("", ())
        return Facts(
            repo,
            str(self.project.root),
            history,
            since=self.asked.since or "the last commit",
            new=new,
            before={m.path: old[m.path] for m in before.migrations if m.path in changed & there},
            gone=[m.path for m in before.migrations if m.path not in there and self.asked.since],
            beside=beside,
            newest=(branch, main[-1]) if main else None,
            on_main=frozenset(migration.path for migration in main),
            everything=self.asked.everything,
        )

    def _judged(self, repo: str) -> tuple[History, frozenset[str]]:
        """Return the files that are judged, and those that are only on disk."""
        on_disk = self.project.history(repo, doubles=True)
        if not self.asked.staged:
            return on_disk, frozenset()
        from ashflow.worktree.gittree import GitTree
        from ashflow.worktree.revisions import staged

        names = staged(self.located, self._folders(repo))
        tree = GitTree(names, self.objects.read, "the index")
        return self._history(repo, tree), frozenset(on_disk.tree) - names.keys()

    def _commit(self, repo: str, revision: str | None) -> GitTree:
        from ashflow.worktree.gittree import GitTree
        from ashflow.worktree.revisions import committed

        folders = self._folders(repo)
        names = {} if revision is None else committed(self.located, revision, folders)
        return GitTree(names, self.objects.read, revision or "")

    def _changed(self, repo: str, history: History, old: GitTree) -> frozenset[str]:
        """Return the files that the commit has otherwise."""
        from ashflow.worktree.gittree import GitTree
        from ashflow.worktree.revisions import changed_since

        if isinstance(history.tree, GitTree):
            tree = history.tree
            return frozenset(p for p in old if p in tree and tree.name(p) != old.name(p))
        if self.reference is None:
            return frozenset()
        return changed_since(self.located, self.reference, self._folders(repo))

    def _main(self, repo: str) -> tuple[str, tuple[MigrationFile, ...]]:
        """Return the main branch and its migrations; none where it is not known."""
        from ashflow.worktree.revisions import first_known

        own = self.asked.since or self.project.config.base
        branch = first_known(self.located, [own] if own else MAIN)
        if branch is None:
            return "", ()
        return branch, self._history(repo, self._commit(repo, branch)).migrations

    def _history(self, repo: str, tree: Mapping[str, str]) -> History:
        folders = self.project.folders(repo)
        return read_history(
            tree, migrations=folders.migrations, snapshots=folders.snapshots, doubles=True
        )

    def _folders(self, repo: str) -> tuple[str, str]:
        folders = self.project.folders(repo)
        return folders.migrations, folders.snapshots
