"""Say where in the user's files a resource or one of its members stands."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ashflow.errors import ResourceError
from ashflow.schema.table import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ashflow.sources.members import Place
    from ashflow.sources.resource import Resource


class Spot(NamedTuple):
    """A resource, or a member of it, as an error speaks of it.

    Args:
        owner: The resource; None for what a `Domain` says.
        member: The member; empty for the resource as a whole.
        place: Where it was written, where that is known.
        home: The class in whose body it stands, where that is a base of the owner.
    """

    owner: type[Resource] | None
    member: str = ""
    place: Place | None = None
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
    """Where tables and what is in them were declared, found out when somebody asks.

    Args:
        find: Finds what declares each: by `table`, `table.column`, `table.index` and so on.
        root: The project's root; files in it are named relative to it.
    """

    __slots__ = ("_find", "_found", "_root")

    def __init__(self, find: Callable[[], Mapping[str, Spot]], root: Path) -> None:
        self._find = find
        self._found: Mapping[str, Spot] | None = None
        self._root = root

    def __getitem__(self, key: str) -> str:
        return written(self.place(key), self._root)

    def place(self, key: str) -> Place:
        """Return the file and the line in it.

        Args:
            key: What was declared, as in the mapping.
        """
        return locate(self._spots()[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._spots())

    def __len__(self) -> int:
        return len(self._spots())

    def _spots(self) -> Mapping[str, Spot]:
        if self._found is None:
            self._found = self._find()
        return self._found


def locate(spot: Spot) -> Place:
    """Return the file and line of a spot.

    Members remember theirs; the line of a bare annotation is read from the source.
    """
    if spot.place is not None:
        return spot.place
    home = spot.home or spot.owner
    if home is None:
        return (DOMAIN, 0)
    file, line = home.__ashflow__.place
    if not spot.member:
        return file, line
    from ashflow.sources.source_lines import line_of

    return file, line_of(file, home.__qualname__, spot.member, near=line)


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
