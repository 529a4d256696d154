"""Compare the resources with the snapshots, and write what differs."""

from __future__ import annotations

from contextlib import nullcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ashflow.errors import RenameQuestions
from ashflow.plan.choices import Choices, dealt
from ashflow.plan.codegen import Change, Generated, check_fills, find_change

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ashflow.config import RepoConfig
    from ashflow.history.history import History
    from ashflow.history.render import Carried
    from ashflow.history.snapshot import Snapshot
    from ashflow.project.checkout import Project


class Found(NamedTuple):
    """What codegen found in one repo.

    Args:
        repo: The repo.
        history: What is written down of it.
        leaves: The newest snapshot of every table.
        change: What differs; false where nothing does.
        origins: Where the things are declared: `table` or `table.member` to `file:line`.
        warnings: What is odd in the resources.
        elsewhere: What refers to a table of another repo, by `table.column`: that table in words.
    """

    repo: str
    history: History
    leaves: Mapping[str, Snapshot]
    change: Change
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = MappingProxyType({})


def find(
    project: Project,
    repos: Sequence[RepoConfig],
    choices: Choices,
    name: str | None = None,
    *,
    histories: Sequence[History] | None = None,
) -> list[Found]:
    """Compare the resources of some repos with their snapshots; touches nothing.

    Args:
        project: The checkout.
        repos: Which of its repos.
        choices: What the user chose.
        name: The name that a migration shall get. Where only one repo can get one, a name that is
            taken is an error before the resources are imported.
        histories: What is written down of each repo; None: as it is on disk now.

    Raises:
        UsageError: The name is taken.
        RenameQuestions: Only the user knows what was renamed.
        AshflowError: Resources, snapshots or answers can't be used.
    """
    choices = project.choices(choices)
    if histories is None:
        histories = [project.history(repo.name) for repo in repos]
    if name is not None and len(repos) == 1:
        from ashflow.history.history import check_new_name

        check_new_name(histories[0], name)
    leaves = [newest(history, project, resolve=choices.resolve) for history in histories]
    declared = [project.declared(repo.name) for repo in repos]
    answers = dealt(choices, [(old, new.schema) for old, new in zip(leaves, declared, strict=True)])
    found: list[Found] = []
    open_questions: list[RenameQuestions] = []
    for repo, history, old, new, own in zip(
        repos, histories, leaves, declared, answers, strict=True
    ):
        try:
            change = find_change(old, new.schema, own, new.unmanaged, new.in_order)
        except RenameQuestions as error:  # those of all repos are asked together
            open_questions.append(error)
            continue
        told = (new.origins, new.warnings, new.elsewhere)
        found.append(Found(repo.name, history, old, change, *told))
    if open_questions:
        from ashflow.change.questions import joined

        raise joined(open_questions)
    check_fills(choices, [one.change for one in found])
    return found


def dev_among(histories: Sequence[History]) -> tuple[str, ...]:
    """Return the migrations and snapshots that were made with --dev, by their paths.

    Args:
        histories: What is written down of some repos.

    Raises:
        SnapshotError: A snapshot without a migration can't be read.
    """
    return tuple(path for history in histories for path in history.dev_paths)


def newest(history: History, project: Project, *, resolve: bool = False) -> dict[str, Snapshot]:
    """Return the newest snapshot of every table, without what was dropped by hand since.

    Args:
        history: What is written down.
        project: The checkout.
        resolve: Whether branches that do not go together count in order of version.

    Raises:
        SnapshotError: A file that has to be read is no snapshot.
        ForkError: Branches changed one table in ways that do not go together.
        MigrationFileError: A migration that may have dropped something by hand does not run.
    """
    leaves = history.leaves(resolve=resolve)
    if not any(leaf.keeps for leaf in leaves.values()):
        return leaves
    from ashflow.history.by_hand import without_dropped

    return without_dropped(history, leaves, str(project.root))


def generate(
    project: Project,
    found: Found,
    name: str | None,
    *,
    taken: Iterable[str] | None = None,
    carried: Carried | None = None,
) -> Generated | None:
    """Return the files that a change comes to; None where there is no change and nothing else.

    Args:
        project: The checkout.
        found: What codegen found.
        name: The name of the migration; None: only snapshots are written.
        taken: The versions that the new one has to be greater than; None: those of the history.
        carried: What the migration does beside the change, as somebody has written it.

    Raises:
        UsageError: The name is taken, or there is no greater version.
    """
    from ashflow.history.history import check_new_name

    wanted = bool(found.change) or carried is not None
    if not wanted and len(project.config.repos) > 1:
        return None  # the name may stand in a repo that gets no file
    if name is not None:
        check_new_name(found.history, name)
    if not wanted:
        return None
    from ashflow.history.render import NOTHING
    from ashflow.history.version import next_version
    from ashflow.plan.files import generate as written

    return written(
        found.change,
        found.leaves,
        version=next_version(project.now(), [found.history.newest] if taken is None else taken),
        name=name,
        folders=project.folders(found.repo),
        carried=NOTHING if carried is None else carried,
    )


def derived_name(found: Found, *, dev: bool = False) -> str:
    """Return a name for the migration of a change, from what it does; none has it in the repo.

    Args:
        found: What codegen found.
        dev: Whether the migration is to be replaced by one with a name.
    """
    from ashflow.change.naming import auto_name
    from ashflow.history.version import DEV

    kept = (
        one.table if one.column is None else f"{one.table}.{one.column}"
        for one in found.change.kept
    )
    taken = {migration.name.removesuffix(DEV) for migration in found.history.migrations}
    name = auto_name(found.change.operations, kept, taken)
    return name + DEV if dev else name


def empty(project: Project, history: History, repo: str, name: str) -> Generated:
    """Return a migration to be filled by hand.

    Args:
        project: The checkout.
        history: What is written down of the repo.
        repo: The repo.
        name: The name of the migration.

    Raises:
        UsageError: The name is taken, or there is no greater version.
    """
    from ashflow.change.describe import title
    from ashflow.change.migration import Migration
    from ashflow.history.history import check_new_name
    from ashflow.history.render import BY_HAND, render
    from ashflow.history.version import next_version

    check_new_name(history, name)
    version = next_version(project.now(), [history.newest])
    path = f"{project.folders(repo).migrations}/{version}_{name}.py"
    hint = 'write operations here, such as Execute(up="…", down="…").'
    text = render(Migration(), title=title(name), about=BY_HAND, notes=[hint])
    return Generated(version, name, path, (), {path: text}, Change())


def write(project: Project, generated: Sequence[Generated], found: Sequence[Found] = ()) -> None:
    """Write the files of some repos: all of them, or none.

    Args:
        project: The checkout.
        generated: The files.
        found: What they were made from, which must still be so.

    Raises:
        FileError: A file is there already, or the disk refuses.
        LockedError: Another process wrote meanwhile.
    """
    from ashflow.project.meanwhile import came_or_went_in, changed_meanwhile
    from ashflow.worktree.files import write_new
    from ashflow.worktree.store import held, store_folder

    store = store_folder(project.root)
    with held(store) if store.is_dir() else nullcontext():  # no regen was here: there is none
        for one in found:
            if came_or_went_in(project, one.repo, one.history.tree):
                raise changed_meanwhile([one.repo])
        write_new(project.root, {p: text for one in generated for p, text in one.files.items()})
