"""Speak git: where a project lies in its git repository, and what git knows of its files."""

from __future__ import annotations

import os
import re
import subprocess
import time
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from ashflow.errors import FileError, GitError, LockedError
from ashflow.worktree.porcelain import GitStatus, Located, read_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from git.refs.reference import Reference

OLDEST: Final = "2.31"

# What selects another git repository, index or reading of paths. A hook of git runs with some of
# these set, for its own git repository. What only configures git (GIT_CONFIG_*, GIT_SSH*) stays.
_SELECTING: Final = frozenset(
    """
    GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_ATTR_SOURCE GIT_COMMON_DIR GIT_CONFIG
    GIT_CONFIG_PARAMETERS GIT_DIR GIT_GLOB_PATHSPECS GIT_GRAFT_FILE GIT_ICASE_PATHSPECS
    GIT_IMPLICIT_WORK_TREE GIT_INDEX_FILE GIT_INTERNAL_SUPER_PREFIX GIT_LITERAL_PATHSPECS
    GIT_NAMESPACE GIT_NOGLOB_PATHSPECS GIT_NO_REPLACE_OBJECTS GIT_OBJECT_DIRECTORY GIT_PREFIX
    GIT_REPLACE_REF_BASE GIT_SHALLOW_FILE GIT_WORK_TREE
    """.split()
)

# The user's own git, wherever it is.
_COMMAND: Final = ("git", "--literal-pathspecs", "-c", "core.fsmonitor=false")

_ONE_THREAD: Final = ("-c", "core.preloadIndex=false")

_PAUSE: Final = 0.05
"""So many seconds pass until a locked index is tried again."""

_QUESTIONS: Final = ("--show-toplevel", "--git-dir", "--git-common-dir", "--show-prefix")

_UNDER_WAY: Final = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "sequencer": "cherry-pick",
    "BISECT_LOG": "bisect",
}


class Nowhere(Enum):
    """Why a folder is in no git repository."""

    NO_GIT = "git is not installed"
    NO_REPOSITORY = "this is no git repository"


def locate(path: Path) -> Located | Nowhere:
    """Find the git repository that a project lies in, with one call of git.

    Args:
        path: The project's folder.

    Raises:
        GitError: git is too old, or refuses the git repository.
    """
    folder = path.resolve()
    question = ("rev-parse", "--path-format=absolute")
    try:
        answer = _git(folder, *question, *_QUESTIONS)
    except (FileNotFoundError, PermissionError):
        return Nowhere.NO_GIT
    if b"not a git repository (or any" in answer.stderr:  # a broken one is "not … : /its/path"
        return Nowhere.NO_REPOSITORY
    if answer.returncode:
        raise _refusal(answer, folder)
    if answer.stdout.startswith(b"--path-format"):  # git before 2.31 repeats what it does not know
        raise _too_old(folder)
    lines = answer.stdout.split(b"\n")[:-1]
    if len(lines) != len(_QUESTIONS):  # a folder with a line break in its name
        lines = [_git(folder, *question, one).stdout[:-1] for one in _QUESTIONS]
    top, git_dir, common_dir, prefix = (os.fsdecode(line) for line in lines)
    return Located(Path(top), Path(git_dir), Path(common_dir), prefix)


def status(located: Located, folders: Sequence[str]) -> GitStatus:
    """Ask git once for the state of all files below some folders of a project.

    Args:
        located: Where the project lies.
        folders: The folders, relative to the project, with `/`.

    Raises:
        GitError: git refuses.
    """
    with asking(located, folders, beside=False) as answer:
        return answer()


@contextmanager
def asking(
    located: Located, folders: Sequence[str], *, beside: bool = True
) -> Iterator[Callable[[], GitStatus]]:
    """Ask git once for the state of all files below some folders, and go on meanwhile.

    git looks at each file that it tracks there, which takes as long as much of a command.

    Args:
        located: Where the project lies.
        folders: The folders, relative to the project, with `/`.
        beside: Whether much is done meanwhile: then git looks with one thread, as with more of them
            it would take the core that is worked on.
            https://git-scm.com/docs/git-config#Documentation/git-config.txt-corepreloadIndex

    Yields:
        What waits for the answer and returns it; it raises `GitError` where git refuses.
    """
    command = [
        *(*_COMMAND, *(_ONE_THREAD if beside else ())),
        *("status", "--porcelain=v2", "--branch", "-z"),
        *("--untracked-files=all", "--ignored=matching", "--no-renames", "--"),
        *(located.prefix + folder for folder in folders),
    ]
    with subprocess.Popen(  # noqa: S603 - no shell, and the arguments are ours
        command,
        cwd=located.top,
        env=_environment(None),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as git:

        def answer() -> GitStatus:
            out, told = git.communicate()
            if git.returncode:
                raise _refusal(
                    subprocess.CompletedProcess(command, git.returncode, out, told), located.top
                )
            root = located.top / located.prefix
            return read_status(
                out,
                located,
                links=tuple(_links(root, folders)),
                nested=tuple(_nested(root, folders)),
                busy=_busy(located.git_dir),
            )

        yield answer


class Objects:
    """What git has stored, read through one process, which begins with the first question.

    Args:
        located: Where the project lies.
    """

    def __init__(self, located: Located) -> None:
        self._top = located.top
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Objects:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.communicate()

    def read(self, name: str) -> bytes:
        """Return the content of an object.

        Args:
            name: Its name, as git lists it.

        Raises:
            GitError: It is not there, as in a clone that was cut off.
        """
        if self._process is None:
            self._process = self._begun()
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise GitError("git cat-file was started without pipes")
        stdin.write(f"{name}\n".encode())
        stdin.flush()
        head = stdout.readline().split()
        if len(head) != 3:
            raise GitError(f"git has no object {name}", hint="git fsck says what is missing.")
        return stdout.read(int(head[2]) + 1)[:-1]

    def _begun(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - no shell, and the arguments are ours
            [*_COMMAND, "cat-file", "--batch"],
            cwd=self._top,
            env=_environment(None),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


def asked(located: Located, *arguments: str) -> bytes:
    """Return what git answers, with the index of the commit that a hook is run for.

    Args:
        located: Where the project lies.
        arguments: What is asked; it must write nothing.

    Raises:
        GitError: git refuses.
    """
    answer = _git(located.top, *arguments, index=index_of_hook(located))
    if answer.returncode:
        raise _refusal(answer, located.top)
    return answer.stdout


def said(located: Located, *arguments: str) -> str:
    """Return the one line that git answers; empty where it refuses or has nothing to say.

    Args:
        located: Where the project lies.
        arguments: What is asked; it must write nothing.
    """
    answer = _git(located.top, *arguments)
    return "" if answer.returncode else os.fsdecode(answer.stdout).strip()


def change(located: Located, *arguments: str, stdin: bytes, patience: float) -> bytes:
    """Have git change what it keeps: its objects, or the index of the work tree.

    While another git writes the index, index.lock lies beside it. That is waited for and never
    removed: only the user knows that no git is at work.

    Args:
        located: Where the project lies.
        arguments: What git is to do.
        stdin: What git reads.
        patience: How many seconds a locked index is waited for.

    Raises:
        LockedError: Another git holds the index for longer.
        FileError: git refuses.
    """
    end = time.monotonic() + patience
    answer = _git(located.top, *arguments, stdin=stdin)
    while (locked := b"index.lock': File exists" in answer.stderr) and time.monotonic() < end:
        time.sleep(_PAUSE)
        answer = _git(located.top, *arguments, stdin=stdin)
    if locked:
        raise LockedError(f"another git holds the index: {located.git_dir / 'index.lock'} is there")
    if answer.returncode:
        raise FileError(f"git refuses in {located.top}: {_reason(answer)}")
    return answer.stdout


def index_of_hook(located: Located) -> Path | None:
    """Return the index that a hook's git works with, where it is one of this work tree.

    git makes a partial commit and `commit -a` from an index of their own, beside the usual one
    (https://git-scm.com/docs/githooks).

    Args:
        located: Where the project lies.
    """
    said = os.environ.get("GIT_INDEX_FILE")
    for base in (Path.cwd(), located.top) if said else ():
        path = base / (said or "")
        if path.is_file() and path.parent.resolve() == located.git_dir.resolve():
            return path.resolve()
    return None


def branches_with(
    located: Located, paths: Iterable[str], *, remote: bool = False
) -> dict[str, tuple[str, ...]]:
    """Say of each path which branches have it, local ones first, then those of remotes.

    Args:
        located: Where the project lies.
        paths: Paths relative to the project, with `/`.
        remote: Whether only the branches of remotes are asked, as the last fetch left them.
    """
    from git import Repo  # loads 150 modules, and only a missing migration asks

    found: dict[str, list[str]] = {path: [] for path in paths}
    with Repo(located.top, expand_vars=False) as repository:
        # It expands variables all the same in the folder that it runs git in, so say where to look.
        repository.git.update_environment(GIT_DIR=str(located.git_dir))
        of_remotes = [branch for remote in repository.remotes for branch in remote.refs]
        real = [branch for branch in of_remotes if branch.remote_head != "HEAD"]
        for branch in real if remote else (*repository.heads, *real):
            for path in _paths_of(branch, located.prefix, found):
                found[path].append(branch.name)
    return {path: tuple(names) for path, names in found.items()}


def _git(
    folder: Path, *arguments: str, index: Path | None = None, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder; it asks nothing, starts no monitor, and writes what it is told only."""
    return subprocess.run(  # noqa: S603 - no shell, and the arguments are ours
        [*_COMMAND, *arguments],
        cwd=folder,
        env=_environment(index),
        input=stdin,
        capture_output=True,
        check=False,
    )


def _environment(index: Path | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _SELECTING}
    own = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    return kept | own | ({} if index is None else {"GIT_INDEX_FILE": str(index)})


def _refusal(answer: subprocess.CompletedProcess[bytes], folder: Path) -> GitError:
    """Return what git said as an error, with what to do."""
    said = answer.stderr.decode(errors="replace").strip()
    if mend := re.search(r"git config --global --add safe\.directory .+", said):
        return GitError(
            f"git does not trust {folder}: its files belong to another user",
            hint=f"If you trust them: {mend[0]}",
        )
    if "must be run in a work tree" in said:
        return GitError(
            f"{folder} is in a git repository without a work tree",
            hint="Go to a checkout of it: git worktree add makes one.",
        )
    first = said.partition("\n")[0].removeprefix("fatal: ")
    return GitError(
        f"git refuses in {folder}: {first}", hint="Mend that; `git status` says it too."
    )


def _reason(answer: subprocess.CompletedProcess[bytes]) -> str:
    """Return what git said on one line, without its advice: paths may stand below the sentence."""
    lines = answer.stderr.decode(errors="replace").splitlines()
    told = (line for line in lines if not line.startswith(("hint:", "warning:")))
    return " ".join(told).removeprefix("fatal: ")


def _too_old(folder: Path) -> GitError:
    version = os.fsdecode(_git(folder, "--version").stdout).removeprefix("git version ").strip()
    return GitError(
        f"git is too old: it is {version}, and ashflow needs {OLDEST}", hint="Install a newer git."
    )


def _links(root: Path, folders: Iterable[str]) -> Iterator[str]:
    """Yield the links among some folders and those above them, up to the project's."""
    return (step for step in _steps(folders) if (root / step).is_symlink())


def _nested(root: Path, folders: Iterable[str]) -> Iterator[str]:
    """Yield the git repositories among them: asked for what is inside, git says nothing at all."""
    return (step for step in _steps(folders) if (root / step / ".git").exists())


def _steps(folders: Iterable[str]) -> Iterator[str]:
    steps = (step for path in map(PurePosixPath, folders) for step in (path, *path.parents))
    return (f"{step}/" for step in dict.fromkeys(steps) if step.parts)


def _busy(git_dir: Path) -> str | None:
    """Return what is under way, from the files that git keeps meanwhile."""
    return next((deed for name, deed in _UNDER_WAY.items() if (git_dir / name).exists()), None)


def _paths_of(branch: Reference, prefix: str, paths: Iterable[str]) -> Iterator[str]:
    """Yield those of the paths that a branch has."""
    try:
        tree = branch.commit.tree
    except ValueError:  # a broken branch, or objects named by SHA-256, which GitPython cannot read
        return
    for path in paths:
        with suppress(KeyError):
            tree.join(prefix + path)
            yield path
