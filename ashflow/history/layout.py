"""Lay calls and lists out as `ruff format` does, so that what is written stands as it is.

A call or a list stands on one line where it fits in 88 columns; where not, each of its items gets a
line of its own, and the comma after the last one keeps it so
(https://docs.astral.sh/ruff/formatter/#philosophy).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH: Final = 88
INDENT: Final = "    "


@dataclass(frozen=True, slots=True)
class Code:
    """A piece of source.

    Args:
        start: All of it, or all up to the items: `"a"`, `Column(`, `columns=[`.
        items: What stands between `start` and `end`.
        end: The closing bracket; empty where there is none.
        comments: Lines that stand before the first item.
        open: Whether it is laid out a line an item also where it would fit on one.
    """

    start: str
    items: tuple[Code, ...] = ()
    end: str = ""
    comments: tuple[str, ...] = ()
    open: bool = False

    @property
    def flat(self) -> str:
        """The piece on one line."""
        return self.start + ", ".join(item.flat for item in self.items) + self.end

    @property
    def closed(self) -> bool:
        """Whether the piece may stand on one line."""
        return not (self.open or self.comments) and all(item.closed for item in self.items)

    def named(self, keyword: str) -> Code:
        """Return the piece as the value of a keyword."""
        return Code(f"{keyword}={self.start}", self.items, self.end, self.comments, self.open)


def lines(code: Code, *, indent: str = "", after: str = "") -> Iterator[str]:
    """Yield the lines of a piece of source.

    Args:
        code: The piece.
        indent: The blanks before it.
        after: What follows it on its last line: a comma, or nothing.
    """
    empty = not (code.items or code.comments)
    if empty or code.closed:
        flat = f"{indent}{code.flat}{after}"
        if empty or columns(flat) <= WIDTH:
            yield flat
            return
    yield f"{indent}{code.start}"
    inner = indent + INDENT
    yield from (f"{inner}# {comment}" for comment in code.comments)
    for item in code.items:
        yield from lines(item, indent=inner, after=",")
    yield f"{indent}{code.end}{after}"


def columns(line: str) -> int:
    """Return how many columns a line takes, or a few more: the letters of East Asia take two.

    Signs and emoji beyond ASCII are counted as two, as some are; a line that is taken for too long
    is laid out over several lines, and that stays as it is.
    """
    return len(line) if line.isascii() else sum(map(_width, line))


_KHMER: Final = {"\u17a4": 2, "\u17d8": 3}
"""The two letters that are wider than their kind; all others of Unicode were tried on ruff."""


def _width(char: str) -> int:
    if char.isascii() or (char.isalpha() and east_asian_width(char) not in "WF"):
        return _KHMER.get(char, 1)
    return _KHMER.get(char, 2)
