"""The hooks that git runs: put beside those that stand already, and taken away again."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from ashflow.errors import GitError
from ashflow.values import value
from ashflow.worktree.git import said
from ashflow.worktree.ground import refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ashflow.worktree.porcelain import Located

JUDGING: Final = ("pre-commit", "pre-merge-commit")
"""The hooks that stop a commit: https://git-scm.com/docs/githooks."""

WARNING: Final = ("post-checkout", "post-merge")
"""The hooks that only say something, and never fail."""

MARK: Final = "# ashflow:hook"
BEFORE: Final = ".before-ashflow"
State = Literal["installed", "absent", "another"]

LINE: Final = "ashflow hook run pre-commit"
"""What another tool has to run."""

LEFTHOOK: Final = f"""\
pre-commit:
  commands:
    ashflow:
      run: {LINE}"""
PRE_COMMIT: Final = f"""\
  - repo: local
    hooks:
      - id: ashflow-check
        name: ashflow check
        entry: {LINE}
        language: system
        pass_filenames: false
        always_run: true"""

_WATCHED: Final = "'*.py' 'priv/*' '*/priv/*' 'pyproject.toml' '*/pyproject.toml'"
_HEAD: Final = """\
#!/bin/sh
{mark} 1: put here by `ashflow hook install`, taken away by `ashflow hook uninstall`.
# What stood here before runs first, with the same arguments and input.
before="${{0%/*}}/{before}"
"""
_SAME: Final = """\
# Whether nothing that ashflow looks at differs, however the user has git read paths.
same() {
  GIT_LITERAL_PATHSPECS=0 GIT_GLOB_PATHSPECS=0 GIT_NOGLOB_PATHSPECS=0 \\
    git diff --quiet --no-ext-diff "$@" 2>/dev/null
}
"""
_RUN: Final = """\
python={python}
if [ -x "$python" ]; then set -- "$python" -P -m ashflow hook run {name} "$@"
elif command -v ashflow >/dev/null 2>&1; then set -- ashflow hook run {name} "$@"
else
  echo "ashflow: $python is gone, so {what}; ashflow hook install puts it right" >&2
  exit {code}
fi
"""
_JUDGE: Final = f"""\
if [ -x "$before" ]; then "$before" "$@" || exit $?; fi
same --cached -- {_WATCHED} && exit 0
{{run}}exec "$@"
"""
_WARN: Final = """\
code=0
if [ -x "$before" ]; then "$before" "$@" || code=$?; fi
{gate}{run}"$@" </dev/null >&2 || :
exit $code
"""
_GATES: Final = {
    "post-checkout": """\
[ "$3" = 1 ] || exit $code
case "$1" in *[!0]*) ;; *) exit $code ;; esac
# In the middle of a rebase or a bisect, what is checked out is nobody's work.
git symbolic-ref -q HEAD >/dev/null 2>&1 || exit $code
same "$1" "$2" -- 'priv/*' '*/priv/*' && exit $code
""",
    "post-merge": """\
# A squash leaves HEAD where it is, and what it brings in the index.
if [ "$1" = 1 ]; then merged=--cached; else merged=ORIG_HEAD; fi
same "$merged" HEAD -- 'priv/*' '*/priv/*' && exit $code
""",
}


@value
class Hook:
    """A hook of a git repository.

    Args:
        name: What git calls it.
        path: Where it is, or would be.
        state: `installed`: it is ours; `another`: it is not; `absent`.
        chained: Whether one that stood there before runs first.
    """

    name: str
    path: Path
    state: State
    chained: bool


def hooks(located: Located) -> tuple[Hook, ...]:
    """Return the hooks that ashflow is interested in, as they are.

    Args:
        located: Where the project lies.
    """
    folder = hooks_folder(located)
    return tuple(_hook(folder / name) for name in (*JUDGING, *WARNING))


def hooks_folder(located: Located) -> Path:
    """Return the folder in which git looks for hooks; `core.hooksPath` may have it elsewhere.

    Args:
        located: Where the project lies.

    Raises:
        GitError: git does not say.
    """
    folder = said(located, "rev-parse", "--path-format=absolute", "--git-path", "hooks")
    if not folder:
        raise GitError(
            "git does not say where its hooks are", hint="git rev-parse --git-path hooks"
        )
    return Path(folder)


def install(located: Located, python: str) -> tuple[Hook, ...]:
    """Put the hooks there; one that stands already is kept beside, and runs first.

    Args:
        located: Where the project lies.
        python: The interpreter that has ashflow.

    Raises:
        GitError: Another tool manages the hooks of this git repository, or of all of this user's.
        FileError: The disk refuses.
    """
    folder = hooks_folder(located)
    _refuse_foreign(located, folder)
    with refused(f"{folder} cannot be made"):
        folder.mkdir(parents=True, exist_ok=True)
    for name in (*JUDGING, *WARNING):
        _put(folder / name, text_of(name, python))
    return hooks(located)


def uninstall(located: Located) -> tuple[Hook, ...]:
    """Take our hooks away, and put back those that stood there before.

    Args:
        located: Where the project lies.

    Raises:
        FileError: The disk refuses.
    """
    for hook in hooks(located):
        if hook.state == "installed":
            before = _before(hook.path)
            with refused(f"{hook.path} cannot be removed"):
                before.replace(hook.path) if before.exists() else hook.path.unlink()
    return hooks(located)


def text_of(name: str, python: str) -> str:
    """Return the script of a hook.

    Args:
        name: What git calls it.
        python: The interpreter that has ashflow.
    """
    judging = name in JUDGING
    what = "nothing was checked" if judging else "the database was not looked at"
    code = "1" if judging else "$code"
    run = _RUN.format(python=shlex.quote(python), name=name, what=what, code=code)
    head = _HEAD.format(mark=MARK, before=_before(Path(name)).name) + _SAME
    if judging:
        return head + _JUDGE.format(run=run)
    return head + _WARN.format(gate=_GATES[name], run=run)


def _hook(path: Path) -> Hook:
    state: State = "absent"
    if os.path.lexists(path):
        state = "installed" if _is_ours(path) else "another"
    return Hook(path.name, path, state, chained=_before(path).exists())


def _is_ours(path: Path) -> bool:
    try:
        return MARK.encode() in path.read_bytes()[:200]
    except OSError:
        return False


def _before(path: Path) -> Path:
    return path.with_name(path.name + BEFORE)


def _put(path: Path, text: str) -> None:
    before = _before(path)
    if os.path.lexists(path) and not _is_ours(path):
        if os.path.lexists(before):
            raise GitError(
                f"{path} and {before} are both there, and neither is ashflow's",
                hint=f"Join them into {before}, and run ashflow hook install again.",
            )
        with refused(f"{path} cannot be moved to {before}"):
            path.rename(before)
    beside = path.with_name(f".{path.name}.ashflow-new")
    with refused(f"{path} cannot be written"):
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.chmod(0o755)
        beside.replace(path)


def _refuse_foreign(located: Located, folder: Path) -> None:
    """Refuse to work against another tool that writes the hooks of this git repository."""
    for tool, says in _managers(located, folder):
        raise GitError(f"{tool} manages the hooks of this git repository", hint=says)
    inside = (located.common_dir.resolve(), located.top.resolve())
    if not any(folder.resolve().is_relative_to(place) for place in inside):
        raise GitError(
            f"core.hooksPath has the hooks in {folder}, for more than this git repository",
            hint=f"Write `{LINE}` into your own hook there, or give this git "
            "repository hooks of its own: git config core.hooksPath .githooks",
        )


def _managers(located: Located, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the tool that writes the hooks, and what its configuration has to say."""
    if ".husky" in (folder.name, folder.parent.name):
        yield "husky", f"Add this line to .husky/pre-commit: {LINE}"
    standing = folder / "pre-commit"
    text = standing.read_bytes() if standing.is_file() else b""
    if b"lefthook" in text:
        yield "lefthook", f"Add to lefthook.yml:\n{LEFTHOOK}"
    if b"pre-commit.com" in text:
        path = located.top / ".pre-commit-config.yaml"
        yield "pre-commit", f"Add to {path}, below repos:\n{PRE_COMMIT}"
