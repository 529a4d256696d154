"""Which files a sparse checkout leaves out of the work tree, though git has them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ashflow.errors import GitError
from ashflow.worktree.git_folder import git_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def refuse_left_out(root: Path, folders: Sequence[str]) -> None:
    """See to it that no file below some folders is left out: what is not on disk is not gone then.

    git is asked only where its folder says that there is a sparse checkout
    (https://git-scm.com/docs/git-sparse-checkout).

    Args:
        root: The project's folder.
        folders: The folders, relative to it, with `/`.

    Raises:
        GitError: One is.
    """
    folder = git_folder(root.resolve())
    if folder is None or not (folder / "info/sparse-checkout").is_file():
        return
    from ashflow.worktree.git import Nowhere, asked, locate

    located = locate(root)
    if isinstance(located, Nowhere):
        return
    paths = (located.prefix + path for path in folders)
    for record in asked(located, "ls-files", "-t", "-z", "--", *paths).split(b"\0"):
        if record.startswith(b"S "):
            path = os.fsdecode(record[2:]).removeprefix(located.prefix)
            place = path.rpartition("/")[0]
            raise GitError(
                f"a sparse checkout leaves {path} out, so it can't be read, and is not gone",
                hint=f"Have it on disk: git sparse-checkout add {place}, or git sparse-checkout "
                "disable.",
            )
