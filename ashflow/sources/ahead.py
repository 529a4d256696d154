"""Compile the modules that declare resources in another process, while this one reads files."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_WORTH: Final = 100_000
"""So many bytes of source take longer to compile than a process takes to start, about twice."""
_COMPILE: Final = """\
import gc, os, sys
from importlib.machinery import SourceFileLoader
gc.disable()
for path in sys.argv[1:]:
    try:
        SourceFileLoader("", path).get_code("")
    except Exception:
        pass  # whoever imports the module finds the same, and says so
os._exit(0)  # somebody waits, and need not wait for a large tree to be taken apart
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

    def end(self) -> None:
        """End the process where nobody has waited for it."""
        if self._process is not None:
            with suppress(ChildProcessError):
                if os.waitpid(self._process, os.WNOHANG) == (0, 0):
                    os.kill(self._process, signal.SIGKILL)
            self.wait()


def compile_ahead(domains: Iterable[str], folders: Sequence[str]) -> Ahead | None:
    """Begin to compile the modules of a project that were edited since they were last imported.

    Python compiles a module when it imports it, on one core, and a thousand resources take it as
    long as all of their snapshots take us. Where there is a second core, both are done at once. No
    code of the user's is run by this, and an import finds what it would have made itself
    (https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation). What the
    compiler warns of is left to the import, which tells it.

    Args:
        domains: What the configuration names: `"module"` or `"module:object"` each.
        folders: Where modules are sought, in order.

    Returns:
        The process that does it; None where it is not worth one.
    """
    if not _can():
        return None
    try:
        sources = dict(_sources(domains, folders))
        stale = [path for path, named in sources.items() if _is_stale(path, named=named)]
        large = sum(path.stat().st_size for path in stale) >= _WORTH
        return Ahead(_begun(stale)) if large else None
    except OSError:  # a file went, or there are no more processes: the import says what it needs
        return None


def _can() -> bool:
    """Whether there is a core for it, and whether what it makes would be found."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    python = bool(sys.executable) and not hasattr(sys, "frozen") and hasattr(os, "posix_spawn")
    return python and (cores or 1) > 1 and not sys.dont_write_bytecode


def _sources(domains: Iterable[str], folders: Sequence[str]) -> Iterator[tuple[Path, bool]]:
    """Yield the files of the modules, and those that stand directly in one that is a package.

    Each comes with whether it is sure to be imported.
    """
    for name in dict.fromkeys(entry.partition(":")[0] for entry in domains):
        parts = name.split(".")
        for folder in folders if all(part.isidentifier() for part in parts) else ():
            place = Path(folder, *parts)
            if (place / "__init__.py").is_file():
                yield from ((path, False) for path in place.glob("*.py") if path.is_file())
                break
            if (module := place.with_name(f"{place.name}.py")).is_file():
                yield module, True
                break


def _is_stale(path: Path, *, named: bool) -> bool:
    """Whether an import would have to compile a file, and could keep what it makes.

    Args:
        path: The file.
        named: Whether it is imported, also where it never was.
    """
    from importlib.util import MAGIC_NUMBER, cache_from_source

    source, place = path.stat(), Path(cache_from_source(path))
    try:
        with place.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        return named and _may_be_made(place)
    if len(head) < 16 or head[:4] != MAGIC_NUMBER:
        return _may_be_made(place)
    checked, time, size = (int.from_bytes(head[i : i + 4], "little") for i in (4, 8, 12))
    known = (int(source.st_mtime) & 0xFFFFFFFF, source.st_size & 0xFFFFFFFF)
    return not checked and (time, size) != known and _may_be_made(place)


def _may_be_made(place: Path) -> bool:
    """Whether a file can be made at a place, with the folders on the way to it."""
    folder = next(folder for folder in place.parents if folder.exists())
    return folder.is_dir() and os.access(folder, os.W_OK)


def _begun(paths: Sequence[Path]) -> int:
    prefix = sys.pycache_prefix
    words = [
        *(sys.executable, "-S", "-P"),
        *(["-E"] if sys.flags.ignore_environment else []),
        *(["-" + "O" * sys.flags.optimize] if sys.flags.optimize else []),
        *(("-X", f"pycache_prefix={prefix}") if prefix else ()),
        *("-W", "error", "-c", _COMPILE, *map(str, paths)),
    ]
    nothing = [(os.POSIX_SPAWN_OPEN, at, os.devnull, os.O_RDWR, 0) for at in range(3)]
    # Ctrl-C is for the command, which ends this process too.
    return os.posix_spawn(
        sys.executable, words, os.environ, file_actions=nothing, setsigmask=[signal.SIGINT]
    )
