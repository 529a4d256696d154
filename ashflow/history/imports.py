"""The imports of a migration's file: what each brings, and how all of them are written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from ashflow import migration as face
from ashflow.history.layout import WIDTH, Code, lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FUTURE = "__future__"


class Import(NamedTuple):
    """One name that is imported.

    Args:
        module: The module.
        name: What is taken from it; empty: the module itself.
        alias: What it is called here, where that is another name.
        comment: The comment on its line.
    """

    module: str
    name: str = ""
    alias: str = ""
    comment: str = ""

    @property
    def binds(self) -> str:
        """The name that stands for it."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def what(self) -> tuple[str, str]:
        """What stands behind that name."""
        return (self.module if self.name or self.alias else self.binds), self.name

    @property
    def written(self) -> str:
        """What is imported, as the statement says it."""
        what = self.name or self.module
        return f"{what} as {self.alias}" if self.alias else what


def word(name: str) -> Import:
    """Return the import of a word of migrations."""
    return Import(face.__name__, name)


def import_block(imports: Iterable[Import]) -> str:
    """Return import statements: those of Python itself first, a blank line between the kinds.

    Args:
        imports: What is imported, in any order.
    """
    kinds: dict[int, list[Sequence[Import]]] = {}
    for together in sorted(_together(imports), key=lambda ones: _place(ones[0])):
        kinds.setdefault(_kind(together[0].module), []).append(together)
    return "\n\n".join("\n".join(map(_statement, kinds[kind])) for kind in sorted(kinds))


def _kind(module: str) -> int:
    if module == _FUTURE:
        return 0
    return 1 if module.partition(".")[0] in sys.stdlib_module_names else 2


def _place(one: Import) -> tuple[bool, str, str, tuple[int, str, str], str]:
    """Where an import stands in its kind, as `ruff check` has it: whole modules come first."""
    return bool(one.name), one.module.lower(), one.module, _rank(one.name), one.alias


def _rank(name: str) -> tuple[int, str, str]:
    """Where a name stands among those of its module: constants, classes, all others."""
    kind = 0 if len(name) > 1 and name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name.lower(), name


def _together(imports: Iterable[Import]) -> Iterable[Sequence[Import]]:
    """Return the imports that one statement brings, for every statement."""
    found: dict[tuple[str, str], list[Import]] = {}
    for one in sorted(set(imports), key=_place):
        alone = one.written if one.alias or not one.name else ""
        found.setdefault((one.module, alone), []).append(one)
    return found.values()


def _statement(imports: Sequence[Import]) -> str:
    first = f"from {imports[0].module} import " if imports[0].name else "import "
    words = list(dict.fromkeys(one.written for one in imports))
    comments = dict.fromkeys(one.comment for one in imports if one.comment)
    after = "".join(f"  {comment}" for comment in comments)
    flat = first + ", ".join(words)
    if len(flat) <= WIDTH or len(words) == 1:
        return flat + after
    opening, *rest = lines(Code(f"{first}(", words, ")", spread=True))
    return "\n".join((opening + after, *rest))
