"""Import modules as git's index has them, though the work tree has them otherwise."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.abc import SourceLoader
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from importlib.abc import Loader


@contextmanager
def imports_from(
    texts: Mapping[Path, Callable[[], bytes]], hidden: frozenset[Path]
) -> Iterator[None]:
    """Let imports see some files as they are staged, and some not at all; nothing is written.

    All else comes from where it is: generated modules, installed packages, data.

    Args:
        texts: What the files hold that differ from the index, or that only the index has.
        hidden: The files that are not looked at.
    """

    def hook(entry: str) -> _Finder:
        folder = Path(entry or ".").resolve()
        if not any(file.is_relative_to(folder) for file in (*texts, *hidden)):
            raise ImportError(f"{entry} has nothing that is staged otherwise")
        return _Finder(folder, texts, hidden)

    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()
    try:
        yield
    finally:
        sys.path_hooks.remove(hook)
        sys.path_importer_cache.clear()
        sys.dont_write_bytecode = bytecode


class _Finder:
    """Finds the modules in one folder.

    Args:
        folder: The folder; it need not be there.
        texts: What files hold that are not as the index has them.
        hidden: The files that are not looked at.
    """

    def __init__(
        self, folder: Path, texts: Mapping[Path, Callable[[], bytes]], hidden: frozenset[Path]
    ) -> None:
        self._folder = folder
        self._texts = texts
        self._hidden = hidden

    def find_spec(self, name: str, _target: object = None) -> ModuleSpec | None:
        """Return where a module is: a package goes before a module of its name, as Python has it.

        Args:
            name: Its full name.
        """
        tail = name.rpartition(".")[2]
        package = self._folder / tail
        return (
            self._spec(name, package / "__init__.py", package)
            or self._extension(name)
            or self._spec(name, self._folder / f"{tail}.py", None)
            or self._namespace(name, package)
        )

    def invalidate_caches(self) -> None:
        """Forget what was found; nothing is remembered."""

    def _spec(self, name: str, file: Path, package: Path | None) -> ModuleSpec | None:
        inside = None if package is None else [str(package)]
        if (text := self._texts.get(file)) is not None:
            loader: Loader = _Staged(str(file), text)
        elif file not in self._hidden and file.is_file():
            loader = SourceFileLoader(name, str(file))
        else:
            return None
        return spec_from_file_location(name, file, loader=loader, submodule_search_locations=inside)

    def _extension(self, name: str) -> ModuleSpec | None:
        """Return where a module is that is no source: it is none of git's business."""
        finder = FileFinder(str(self._folder), (ExtensionFileLoader, EXTENSION_SUFFIXES))
        spec = finder.find_spec(name)
        return spec if spec is not None and spec.loader is not None else None

    def _namespace(self, name: str, package: Path) -> ModuleSpec | None:
        """Return a package without `__init__`, where its folder is on disk or in the index."""
        if not package.is_dir() and not any(file.is_relative_to(package) for file in self._texts):
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(package)]
        return spec


class _Staged(SourceLoader):
    """Loads a module from the text that the index has of its file.

    Args:
        path: The file.
        text: Returns the text.
    """

    def __init__(self, path: str, text: Callable[[], bytes]) -> None:
        self._path = path
        self._text = text

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002  (importlib has it so)
        """Return the file, for tracebacks."""
        return self._path

    def get_data(self, path: str) -> bytes:
        """Return the text of the file; of no other, and of no byte code.

        Raises:
            OSError: It is another file.
        """
        if path != self._path:
            raise OSError(path)
        return self._text()
