"""Lay calls and lists out as `ruff format` does, so that what is written stands as it is.

A call or a list stands on one line where it fits in 88 columns; where not, each of its items gets a
line of its own, and the comma after the last one keeps it so
(https://docs.astral.sh/ruff/formatter/#philosophy).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 88
INDENT: Final = "    "


class Code:
    """A call or a list.

    Args:
        start: All up to the items: `Column(`, `columns=[`.
        items: What stands between `start` and `end`; a text is a piece that is never broken up.
        end: The closing bracket.
        comments: Lines that stand before the first item.
        spread: Whether it is laid out a line an item also where it would fit on one.

    Attributes:
        flat: The piece on one line; None where it may not stand on one, or never fits.
    """

    __slots__ = ("comments", "end", "flat", "items", "start")

    def __init__(
        self,
        start: str,
        items: Sequence[Piece],
        end: str,
        comments: Sequence[str] = (),
        *,
        spread: bool = False,
    ) -> None:
        self.start = start
        self.items = items
        self.end = end
        self.comments = comments
        self.flat = None if spread or comments else _flat(start, items, end)


class Passage(NamedTuple):
    """Lines of somebody's own that stand as they were written, a comma and comments included.

    Args:
        lines: The lines, without the indent that they had.
        fixed: The places of those that begin within a text, which no indent may change.
    """

    lines: tuple[str, ...]
    fixed: frozenset[int] = frozenset()

    @property
    def flat(self) -> None:
        """They never stand on a line with others."""
        return

    def below(self, comments: Sequence[str]) -> Passage:
        """Return the passage with comments above it."""
        fixed = frozenset(place + len(comments) for place in self.fixed)
        return Passage((*comments, *self.lines), fixed)

    def indented(self, indent: str) -> list[str]:
        """Return the lines, as they stand behind an indent."""
        return [
            line if place in self.fixed or not line else f"{indent}{line}"
            for place, line in enumerate(self.lines)
        ]


Piece = Code | str | Passage


def _flat(start: str, items: Sequence[Piece], end: str) -> str | None:
    parts = []
    for item in items:
        part = item if isinstance(item, str) else item.flat
        if part is None:
            return None
        parts.append(part)
    flat = f"{start}{', '.join(parts)}{end}"
    return flat if len(flat) <= WIDTH or not items else None


def lines(piece: Code) -> list[str]:
    """Return the lines of a piece of source.

    Args:
        piece: The piece.
    """
    found: list[str] = []
    _lay_out(piece, "", "", found)
    return found


def _lay_out(piece: Code, indent: str, after: str, found: list[str]) -> None:
    """Add the lines of a piece.

    Args:
        piece: The piece.
        indent: The blanks before it.
        after: What follows it on its last line: a comma, or nothing.
        found: Gets the lines.
    """
    if piece.flat is not None:
        flat = f"{indent}{piece.flat}{after}"
        if not piece.items or columns(flat) <= WIDTH:
            found.append(flat)
            return
    elif not (piece.items or piece.comments):
        found.append(f"{indent}{piece.start}{piece.end}{after}")
        return
    found.append(f"{indent}{piece.start}")
    inner = indent + INDENT
    found += [f"{inner}# {comment}" for comment in piece.comments]
    for item in piece.items:
        if isinstance(item, str):
            found.append(f"{inner}{item},")
        elif isinstance(item, Passage):
            found += item.indented(inner)
        else:
            _lay_out(item, inner, ",", found)
    found.append(f"{indent}{piece.end}{after}")


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
