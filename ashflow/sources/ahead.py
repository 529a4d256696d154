"""Compile the modules that declare resources in another process, while this one reads files."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_WORTH: Final = 100_000
"""So many bytes of source take longer to compile than a process takes to start, about twice."""
_COMPILE: Final = """\
import gc, sys
from importlib.machinery import SourceFileLoader
gc.disable()
for path in sys.argv[1:]:
    try:
        SourceFileLoader("", path).get_code("")
    except Exception:
        pass  # whoever imports the module finds the same, and says so
"""
"""Has Python keep the byte code of some files where an import looks for it."""


class Ahead:
    """A process that compiles.

    Args:
        process: Its id.
    """

    __slots__ = ("_process",)

    def __init__(self, process: int) -> None:
        self._process: int | None = process

    def wait(self) -> None:
        """Wait until all is compiled, or the process has ended otherwise."""
        if self._process is not None:
            with suppress(ChildProcessError):  # who ignores SIGCHLD has no child to wait for
                os.waitpid(self._process, 0)
            self._process = None


def compile_ahead(domains: Iterable[str], folders: Sequence[str]) -> Ahead | None:
    """Begin to compile the modules of a project that were edited since they were last imported.

    Python compiles a module when it imports it, on one core, and a thousand resources take it as
    long as all of their snapshots take us. Where there is a second core, both are done at once. No
    code of the user's is run by this, and an import finds what it would have made itself
    (https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation).

    Args:
        domains: What the configuration names: `"module"` or `"module:object"` each.
        folders: Where modules are sought, in order.

    Returns:
        The process that does it; None where it is not worth one.
    """
    if not _can():
        return None
    try:
        stale = [path for path in dict.fromkeys(_sources(domains, folders)) if _is_stale(path)]
        large = sum(path.stat().st_size for path in stale) >= _WORTH
        return Ahead(_begun(stale)) if large else None
    except OSError:  # a file went, or there are no more processes: the import says what it needs
        return None


def _can() -> bool:
    """Whether there is a core for it, and whether what it makes would be found."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    python = bool(sys.executable) and not hasattr(sys, "frozen") and hasattr(os, "posix_spawn")
    return python and (cores or 1) > 1 and not sys.dont_write_bytecode


def _sources(domains: Iterable[str], folders: Sequence[str]) -> Iterator[Path]:
    """Yield the files of the modules, and of those that stand directly in one that is a package."""
    for name in dict.fromkeys(entry.partition(":")[0] for entry in domains):
        for folder in folders:
            place = Path(folder, *name.split("."))
            if (place / "__init__.py").is_file():
                yield from (path for path in place.glob("*.py") if path.is_file())
                break
            if (module := place.with_name(f"{place.name}.py")).is_file():
                yield module
                break


def _is_stale(path: Path) -> bool:
    """Whether an import would have to compile a file."""
    from importlib.util import MAGIC_NUMBER, cache_from_source

    source = path.stat()
    try:
        with Path(cache_from_source(path)).open("rb") as file:
            head = file.read(16)
    except OSError:
        return True
    if len(head) < 16 or head[:4] != MAGIC_NUMBER:
        return True
    checked, time, size = (int.from_bytes(head[i : i + 4], "little") for i in (4, 8, 12))
    known = (int(source.st_mtime) & 0xFFFFFFFF, source.st_size & 0xFFFFFFFF)
    return not checked and (time, size) != known


def _begun(paths: Sequence[Path]) -> int:
    prefix = sys.pycache_prefix
    words = [
        *(sys.executable, "-S", "-P"),
        *(["-" + "O" * sys.flags.optimize] if sys.flags.optimize else []),
        *(f"-W{option}" for option in sys.warnoptions),
        *(("-X", f"pycache_prefix={prefix}") if prefix else ()),
        *("-c", _COMPILE, *map(str, paths)),
    ]
    nothing = [(os.POSIX_SPAWN_OPEN, at, os.devnull, os.O_RDWR, 0) for at in (0, 1)]
    return os.posix_spawn(sys.executable, words, os.environ, file_actions=nothing)
