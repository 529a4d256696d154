"""Make a project of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ashflow.config import DEFAULT_REPO, DEFAULT_URL, FILE
from ashflow.errors import FileError, UnreadableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack
    from pathlib import Path

_SAMPLE: Final = "workshop"
_KEEP: Final = f"priv/{DEFAULT_REPO}/migrations/.gitkeep"


def start(folder: Path, *, sample: bool) -> list[str]:
    """Make a project of a folder: its section, its folders, the line that git ignores.

    Args:
        folder: The folder.
        sample: Whether a first file of resources is written.

    Returns:
        The files that were written, relative to the folder; none where it was a project.

    Raises:
        ConfigError: pyproject.toml can't be read, or can't take the section.
        UsageError: A folder of the sample's name is there already.
        UnreadableError: A file that is to be added to is no text.
        FileError: Something is in the way, or the disk refuses.
    """
    files = _files(folder, sample=sample)
    for path in files:
        _check_place(folder, path)
    _write(folder, files)
    return list(files)


def _check_place(folder: Path, path: str) -> None:
    """See that nothing but folders is on the way to a file."""
    on_the_way = [parent for parent in (folder / path).parents if parent.is_relative_to(folder)]
    for place in on_the_way:
        if place.exists() and not place.is_dir():
            raise FileError(
                f"{place.relative_to(folder)} is a file, and a folder has to be there",
                hint="Move it away, and run ashflow init again.",
            )


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files, new ones and new texts of old ones: all of them, or none."""
    from contextlib import ExitStack

    from ashflow.worktree.ground import make_folders, refused, stage

    with ExitStack() as undo:
        staged: dict[Path, Path] = {}
        for path, text in files.items():
            place = (folder / path).resolve()  # where it is a link, its target gets the text
            with refused(f"{path} cannot be written"):
                make_folders(place.parent, undo)
                staged[place] = stage(place.parent, text, undo)
        for place, new in reversed(staged.items()):  # the section last: it makes the project
            with refused(f"{place} cannot be written"):
                _put(new, place, undo)
        undo.pop_all()


def _put(new: Path, place: Path, undo: ExitStack) -> None:
    """Move a file to its place; what stood there gives its permissions, and comes back."""
    from ashflow.worktree.ground import remove

    if place.exists():
        new.chmod(place.stat().st_mode)
        undo.callback(place.write_bytes, place.read_bytes())
    else:
        undo.callback(remove, place)
    new.replace(place)


def _files(folder: Path, *, sample: bool) -> dict[str, str]:
    from ashflow.worktree.scaffold import add_section

    before = _text(folder, FILE)
    if before is not None and _is_project(folder):
        return {}
    if sample and (folder / _SAMPLE).exists():
        raise UsageError(
            f"{_SAMPLE}/ is there already, and the sample goes there",
            hint="Move it away, or run ashflow init without --sample.",
        )
    domains = [f"{_SAMPLE}.resources"] if sample else []
    files = {FILE: add_section(before, domains), **_ignored(folder, sample=sample)}
    if not (folder / _KEEP).parent.is_dir():
        files[_KEEP] = ""
    if sample:
        files |= {f"{_SAMPLE}/__init__.py": "", f"{_SAMPLE}/resources.py": _sample_text()}
    return files


def _is_project(folder: Path) -> bool:
    from ashflow.config import find_project
    from ashflow.errors import ConfigError

    try:
        return find_project(folder) == folder.resolve()
    except ConfigError:
        return False  # no section yet; a file that can't be read is told when it is written to


def _ignored(folder: Path, *, sample: bool) -> dict[str, str]:
    """Return .gitignore with the lines that it lacks: the development database, and byte code."""
    wanted = ["/" + DEFAULT_URL.removeprefix("sqlite:///") + "*"]
    wanted += ["__pycache__/"] if sample else []
    before = _text(folder, ".gitignore") or ""
    lacking = [line for line in wanted if line not in before.splitlines()]
    if not lacking:
        return {}
    gap = "" if not before or before.endswith("\n") else "\n"
    return {".gitignore": before + gap + "".join(f"{line}\n" for line in lacking)}


def _text(folder: Path, path: str) -> str | None:
    place = folder / path
    if not place.exists():
        return None
    try:
        return place.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(
            f"{place} cannot be read: {error}", hint="Save it as UTF-8, readable for you."
        ) from error


def _sample_text() -> str:
    from importlib.resources import files

    return files("ashflow.sample").joinpath("resources.py").read_text(encoding="utf-8")
