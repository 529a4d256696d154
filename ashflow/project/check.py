"""Judge what a checkout has, or what is about to be committed: nothing is written or connected."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ashflow.config import FILE, is_project, read_config
from ashflow.errors import GitError
from ashflow.history.history import History, read_history
from ashflow.plan.check import problems
from ashflow.plan.choices import Choices
from ashflow.plan.problem import Facts, Problem
from ashflow.project.checkout import Project, open_project
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ashflow.config import RepoConfig
    from ashflow.history.files import MigrationFile
    from ashflow.worktree.git import Objects
    from ashflow.worktree.gittree import GitTree
    from ashflow.worktree.porcelain import Located

INSTALLED = frozenset({"site-packages", "dist-packages"})
"""The folders of packages that are installed, be it below a project."""

MAIN = ("origin/HEAD", "main", "master")
"""What the main branch may be called where nobody says."""


@value
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


def open_staged(start: Path, env: Mapping[str, str]) -> Project:
    """Find the project that a folder is in, and read its configuration as the index has it.

    Args:
        start: The folder.
        env: The environment.

    Raises:
        ConfigError: There is none, or its configuration can't be used.
    """
    from ashflow.worktree.git import Nowhere, Objects, locate
    from ashflow.worktree.revisions import names_in_index

    located = locate(start)
    if isinstance(located, Nowhere):
        return open_project(start, env)
    here = start.resolve()
    folders = [f for f in (here, *here.parents) if f.is_relative_to(located.top)]
    with Objects(located) as objects:
        names = names_in_index(located, [folder / FILE for folder in folders])
        for folder in folders:
            name = names.get(folder / FILE)
            text = None if name is None else objects.read(name)
            if text is not None and is_project(folder / FILE, text):
                return Project(read_config(folder, env, text))
    return open_project(start, env)  # it is not committed yet


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
    if not asked.staged:
        project.refuse_left_out(project.repos(repos))
    letters = _letters(project, located) if asked.staged else {}
    with Objects(located) as objects, _imports(located, objects, letters):
        eye = _Eye(project, located, objects, asked, letters, _reference(located, asked))
        return [p for repo in project.repos(repos) for p in _judged(project, eye.facts(repo.name))]


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
    choices = project.choices(Choices(no_renames=True))
    return problems(facts, declared.schema, choices, declared.unmanaged, declared.in_order)


def _letters(project: Project, located: Located) -> dict[Path, str]:
    """Return what git says of the files that a project may import, and of its own.

    Raises:
        GitError: A merge left some in conflict.
    """
    from ashflow.worktree.revisions import EDITED, UNMERGED, letters, unwatched

    places = (*project.config.pythonpath, *filter(None, sys.path))
    folders = [project.root, *map(Path, places)]
    said = letters(located, folders) | dict.fromkeys(unwatched(located, folders), EDITED)
    if unmerged := [path for path, two in said.items() if two in UNMERGED]:
        raise GitError(
            f"a merge left {unmerged[0].relative_to(located.top)} in conflict: nothing can be "
            "committed yet",
            hint="Mend it and git add it; or leave --staged out.",
        )
    return said


@contextmanager
def _imports(located: Located, objects: Objects, letters: Mapping[Path, str]) -> Iterator[None]:
    """Let the resources of a project be imported from the disk, or as the index has them."""
    from ashflow.sources.staged import imports_from
    from ashflow.worktree.revisions import INTENDED, UNTRACKED, names_in_index

    said = {path: two for path, two in letters.items() if path.suffix == ".py"}
    absent = [path for path, two in said.items() if two in (UNTRACKED, INTENDED)]
    hidden = frozenset(path for path in absent if not INSTALLED & set(path.parts))
    differing = [path for path, two in said.items() if two[1] != " " and path not in absent]
    names = names_in_index(located, differing)
    texts = {path: partial(objects.read, name) for path, name in names.items()}
    with imports_from(texts, hidden):
        yield


@value
class _Eye:
    """Sees what git and the disk have of a repo.

    Args:
        project: The project, as it is judged.
        located: Where it lies.
        objects: What git has stored.
        asked: What is to be judged.
        letters: What git says of files that are not as they were committed, where it was asked.
        reference: What the files are compared with: a commit; None before the first.
    """

    project: Project
    located: Located
    objects: Objects
    asked: Asked
    letters: Mapping[Path, str]
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
            since=self.asked.since,
            old=frozenset(old),
            new=new,
            before={m.path: old[m.path] for m in before.migrations if m.path in changed & there},
            gone=self._gone([m.path for m in before.migrations if m.path not in there]),
            lost={s.version for s in before.snapshot_files if s.path not in history.tree},
            beside=beside,
            ignored=self._ignored(repo) if beside else (),
            links=[path for path in beside if (self.project.root / path).is_symlink()],
            newest=(branch, main[-1]) if main else None,
            on_main=frozenset(migration.path for migration in main),
            everything=self.asked.everything,
        )

    def _gone(self, paths: Sequence[str]) -> list[str]:
        """Return those migrations that were taken away and that others may have applied."""
        if self.asked.since is not None or not paths:
            return list(paths)
        from ashflow.worktree.git import branches_with

        published = branches_with(self.located, paths, remote=True)
        return [path for path in paths if published[path]]

    def _judged(self, repo: str) -> tuple[History, frozenset[str]]:
        """Return the files that are judged, and those that are only on disk."""
        on_disk = self.project.history(repo, doubles=True)
        if not self.asked.staged:
            return on_disk, frozenset()
        from ashflow.worktree.gittree import GitTree
        from ashflow.worktree.revisions import INTENDED, staged

        listed = staged(self.located, self._folders(repo))
        said = {path: self.letters.get(self.project.root / path) for path in listed}
        names = {path: name for path, name in listed.items() if said[path] != INTENDED}
        tree = GitTree(names, self.objects.read, "the index")
        return self._history(repo, tree), frozenset(on_disk.tree) - names.keys()

    def _ignored(self, repo: str) -> Sequence[str]:
        """Return the files of a repo that git ignores."""
        from ashflow.worktree.revisions import ignored

        return ignored(self.located, self._folders(repo))

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
