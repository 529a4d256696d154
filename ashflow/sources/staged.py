"""Import modules as git's index has them, though the work tree has them otherwise."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from importlib.abc import Loader
    from types import CodeType

    Texts = Mapping[Path, Callable[[], bytes]]


@contextmanager
def imports_from(texts: Texts, hidden: frozenset[Path]) -> Iterator[None]:
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

    def __init__(self, folder: Path, texts: Texts, hidden: frozenset[Path]) -> None:
        self._folder = folder
        self._texts = texts
        self._hidden = hidden
        self._compiled = FileFinder(
            str(folder),
            (ExtensionFileLoader, EXTENSION_SUFFIXES),
            (SourcelessFileLoader, BYTECODE_SUFFIXES),
        )

    def find_spec(self, name: str, _target: object = None) -> ModuleSpec | None:
        """Return where a module is: a package goes before a module of its name, as Python has it.

        Args:
            name: Its full name.
        """
        tail = name.rpartition(".")[2]
        package = self._folder / tail
        return (
            self._spec(name, package / "__init__.py", package)
            or self._spec(name, self._folder / f"{tail}.py", None)
            or self._of_no_source(name)
            or self._namespace(name, package)
        )

    def iter_modules(self, prefix: str = "") -> Iterator[tuple[str, bool]]:
        """Yield the modules that are here, and whether each is a package, as pkgutil asks.

        Args:
            prefix: Goes before each name.
        """
        names = {self._name_below(file) for file in self._texts}
        if self._folder.is_dir():
            names |= {path.name.partition(".")[0] for path in self._folder.iterdir()}
        for name in sorted(names - {"", "__init__", "__pycache__"}):
            spec = self.find_spec(name) if name.isidentifier() else None
            if spec is not None and spec.loader is not None:
                yield prefix + name, spec.submodule_search_locations is not None

    def invalidate_caches(self) -> None:
        """Forget what was found."""
        self._compiled.invalidate_caches()

    def _name_below(self, file: Path) -> str:
        """Return the name of the module here that a file is, or is a part of; empty for none."""
        if not file.is_relative_to(self._folder):
            return ""
        return file.relative_to(self._folder).parts[0].partition(".")[0]

    def _spec(self, name: str, file: Path, package: Path | None) -> ModuleSpec | None:
        inside = None if package is None else [str(package)]
        real = file.resolve()
        if (text := self._texts.get(real)) is not None:
            loader: Loader = _Staged(name, str(file), text)
        elif real not in self._hidden and file.is_file():
            loader = SourceFileLoader(name, str(file))
        else:
            return None
        return spec_from_file_location(name, file, loader=loader, submodule_search_locations=inside)

    def _of_no_source(self, name: str) -> ModuleSpec | None:
        """Return where a module is that is no source: it is none of git's business."""
        spec = self._compiled.find_spec(name)
        return spec if spec is not None and spec.loader is not None else None

    def _namespace(self, name: str, package: Path) -> ModuleSpec | None:
        """Return a package without `__init__`, where its folder is on disk or in the index."""
        if not package.is_dir() and not any(file.is_relative_to(package) for file in self._texts):
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(package)]
        return spec


class _Staged(SourceFileLoader):
    """Loads a module from the text that the index has of its file; data beside it is on disk.

    Args:
        name: The module.
        path: The file.
        text: Returns the text.
    """

    def __init__(self, name: str, path: str, text: Callable[[], bytes]) -> None:
        super().__init__(name, path)
        self._text = text

    def path_stats(self, path: str) -> Mapping[str, float]:
        """Say that nothing is known of the file: no byte code is of this text.

        Raises:
            OSError: Always.
        """
        raise OSError(path)

    def get_data(self, path: str) -> bytes:
        """Return the text of the module, or what another file holds.

        Raises:
            OSError: It cannot be read.
        """
        return self._text() if path == self.path else super().get_data(path)

    def get_code(self, fullname: str) -> CodeType | None:
        """Compile the text, and have tracebacks show its lines and not those on disk.

        Args:
            fullname: The module.
        """
        from linecache import cache

        lines = (self.get_source(fullname) or "").splitlines(keepends=True)
        cache[self.path] = (0, None, lines, self.path)
        return super().get_code(fullname)
