"""Say where in the user's files a resource or one of its members stands."""

from __future__ import annotations

import os
from bisect import bisect
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from ashflow.errors import ResourceError
from ashflow.schema.table import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import CodeType

    from ashflow.sources.members import Call
    from ashflow.sources.resource import Resource

Place = tuple[str, int]
"""A file and a line in it."""


class Spot(NamedTuple):
    """A resource, or a member of it, as an error speaks of it.

    Args:
        owner: The resource; None for what a `Domain` says.
        member: The member; empty for the resource as a whole.
        call: The word that says it, where there is one.
        home: The class in whose body it stands, where that is a base of the owner.
    """

    owner: type[Resource] | None
    member: str = ""
    call: Call | None = None
    home: type[Resource] | None = None

    @property
    def label(self) -> str:
        """The name in an error: `Team.name`, `Team` or `Domain`."""
        owner = self.owner.__name__ if self.owner else "Domain"
        return f"{owner}.{self.member}" if self.member else owner

    def wrong(self, message: str, *, hint: str = "") -> Wrong:
        """Return the error that something is wrong here.

        Args:
            message: What is wrong.
            hint: What to do about it.
        """
        return Wrong(self, message, hint)


class Wrong(Exception):
    """Something is wrong with a resource; it never leaves this room.

    Whoever finds a mistake need not know the project's root or read the source for a line: the rim
    of the room turns this into a `ResourceError` that names the file and the line.

    Args:
        spot: What it is wrong with.
        message: What is wrong.
        hint: What to do about it.
    """

    def __init__(self, spot: Spot, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.spot = spot
        self.message = message
        self.hint = hint

    def told(self, root: Path) -> ResourceError:
        """Return the error as the user sees it.

        Args:
            root: The project's root; files in it are named relative to it.
        """
        place = written(locate(self.spot), root)
        return ResourceError(f"{self.spot.label} ({place}): {self.message}", hint=self.hint)


class Origins(Mapping[str, str]):
    """Where tables and what is in them were declared, found out table by table when somebody asks.

    Args:
        find: Finds what declares a table and what is in it, by the names of its columns, indexes
            and so on; the table itself by None.
        tables: The names of the tables.
        root: The project's root; files in it are named relative to it.
    """

    __slots__ = ("_find", "_root", "_tables")

    def __init__(
        self, find: Callable[[str], Mapping[str | None, Spot]], tables: Iterable[str], root: Path
    ) -> None:
        self._find = find
        self._tables: dict[str, Mapping[str | None, Spot] | None] = dict.fromkeys(tables)
        self._root = root

    def __getitem__(self, key: str) -> str:
        return written(self.place(key), self._root)

    def place(self, key: str) -> Place:
        """Return the file and the line in it.

        Args:
            key: What was declared: `table`, or `table.member`; both may have dots in them.
        """
        table, member = key, None
        while table not in self._tables or member not in self.spots(table):
            table, dot, last = table.rpartition(".")
            if not dot:
                raise KeyError(key)
            member = last if member is None else f"{last}.{member}"
        return locate(self.spots(table)[member])

    def spots(self, table: str) -> Mapping[str | None, Spot]:
        """Return what declares a table and what is in it, as `find` does.

        Args:
            table: One of the tables.
        """
        found = self._tables[table]
        if found is None:
            found = self._tables[table] = self._find(table)
        return found

    def __iter__(self) -> Iterator[str]:
        for table in self._tables:
            for member in self.spots(table):
                yield table if member is None else f"{table}.{member}"

    def __len__(self) -> int:
        return sum(len(self.spots(table)) for table in self._tables)


def locate(spot: Spot) -> Place:
    """Return the file and line of a spot.

    Members remember theirs; the line of a bare annotation is read from the source.
    """
    if spot.call is not None:
        return place_of(spot.call)
    home = spot.home or spot.owner
    if home is None:
        return (DOMAIN, 0)
    file, line = place_of(home.__ashflow__.call)
    if not spot.member:
        return file, line
    from ashflow.sources.source_lines import line_of

    return file, line_of(file, home.__qualname__, spot.member, near=line)


def place_of(call: Call) -> Place:
    """Return the file and line of a call in the user's source.

    A frame says its line too, and counts to it from the top of the module each time: for a thousand
    classes, half a million steps. So the lines of a long piece of code are listed once.
    """
    code, at = call
    if len(code.co_code) < _SHORT:
        found = (line for start, end, line in code.co_lines() if start <= at < end)
        return code.co_filename, next(found, None) or code.co_firstlineno
    known = _LINES.get(id(code))
    if known is None:
        lines = [(start, line) for start, _, line in code.co_lines() if line is not None]
        known = _LINES[id(code)] = code, lines
    lines = known[1]
    return code.co_filename, lines[bisect(lines, (at + 1,)) - 1][1]


_SHORT: Final = 4096
"""So many bytes of code, those of a class body, are looked through faster than listed."""
_LINES: dict[int, tuple[CodeType, list[tuple[int, int]]]] = {}
"""Where in a piece of code each line starts, by its `id`: to hash it is to hash all that is in it.

The code is kept, so that no other has its `id`.
"""


def written(place: Place, root: Path) -> str:
    """Return a place as `path/to/file.py:LINE`, relative to the root where it lies in it."""
    file, line = place
    return f"{_shown(file, root)}:{line}"


@lru_cache(maxsize=1024)
def _shown(file: str, root: Path) -> str:
    real, base = os.path.realpath(file), os.path.realpath(root)
    if real.startswith(base + os.sep):
        file = os.path.relpath(real, base)
    return file.replace(os.sep, "/")
