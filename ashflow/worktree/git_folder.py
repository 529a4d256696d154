"""Find git's folder as git finds it, without asking git: every command looks into it.

https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

import os
from pathlib import Path

from ashflow.errors import FileError


def git_folder(root: Path) -> Path | None:
    """Return git's folder for the work tree that a folder is in; None where it is in none.

    Args:
        root: The folder, a real path.

    Raises:
        FileError: A file of git can't be read.
    """
    for folder in (root, *root.parents):
        place = folder / ".git"
        found = place if place.is_dir() else pointed(place, "gitdir: ")
        if found is not None and (found / "HEAD").is_file():
            return found
    return None


def pointed(file: Path, before: str = "") -> Path | None:
    """Return the folder that a file of git names; None where there is no such file.

    A linked work tree, and a submodule, have such a file in place of the folder.

    Args:
        file: The file.
        before: What stands in it before the path.

    Raises:
        FileError: It can't be read.
    """
    try:
        text = os.fsdecode(file.read_bytes()).rstrip("\r\n")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FileError(f"{file} cannot be read: {error.strerror}") from error
    return Path(os.path.realpath(file.parent / text.removeprefix(before)))
