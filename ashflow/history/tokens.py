"""The words and comments of a file of Python, and the lines that a piece of it takes."""

from __future__ import annotations

import io
from token import COMMENT, NL, OP, tok_name
from tokenize import TokenInfo, generate_tokens
from typing import TYPE_CHECKING, NamedTuple

from ashflow.history.layout import Passage
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


class Item(NamedTuple):
    """An item of a list, as it stands.

    Args:
        comments: The comments above it, a line each.
        passage: Its source, with the comma and the comment behind it.
    """

    comments: tuple[str, ...]
    passage: Passage


@value
class Tokens:
    """A file of Python, in words.

    Args:
        lines: Its lines.
        all: Its words and comments, in order.
        comments: The comments that have a line of their own, by its number.
        fixed: The numbers of the lines that begin within a text.
    """

    lines: Sequence[str]
    all: Sequence[TokenInfo]
    comments: Mapping[int, TokenInfo]
    fixed: frozenset[int]

    def comment(self, first: int, last: int) -> str:
        """Return the comment on some lines; empty where there is none."""
        found = (t.string for t in self.all if t.type == COMMENT and first <= t.start[0] <= last)
        return "  ".join(found)

    def statement(self, first: int, last: int) -> str:
        """Return the lines of a statement, with the comments that belong to it.

        Those are the ones right above it, and those that stand under it with its indent.

        Args:
            first: The number of its first line.
            last: That of its last one.
        """
        while first - 1 in self.comments:
            first -= 1
        end = last
        while end < len(self.lines) and self._is_within(end + 1):
            end += 1
            last = end if end in self.comments else last
        return "\n".join(self.lines[first - 1 : last])

    def _is_within(self, number: int) -> bool:
        if number in self.comments:
            return self.comments[number].start[1] > 0
        return not self.lines[number - 1].strip()

    def items(self, line: int, offset: int) -> list[Item]:
        """Return the items of a list.

        Args:
            line: The number of the line where it opens.
            offset: How many bytes stand before it on that line.
        """
        opening = (line, len(self.lines[line - 1].encode()[:offset].decode()))
        start = next(n for n, token in enumerate(self.all) if token.start == opening)
        return [self._item(part) for part in self._parts(start)]

    def _parts(self, start: int) -> list[_Part]:
        """Return the items of a list, each with its words and the comments around it."""
        parts = [_Part()]
        depth = row = 0
        for token in self.all[start:]:
            if token.type == COMMENT:
                if depth == 1:  # those within an item are in its source
                    _place(parts, token, row)
                continue
            depth += _step(token)
            if depth == 0:
                break
            if depth == 1 and token.type == OP and token.string == ",":
                parts.append(_Part())
            elif token is not self.all[start]:
                parts[-1].take(token)
            row = token.end[0]
        return _closed(parts)

    def _item(self, part: _Part) -> Item:
        (first, column), (last, end) = part.words[0].start, part.words[-1].end
        rows = list(self.lines[first - 1 : last])
        indent = len(rows[0]) - len(rows[0].lstrip())
        rows[-1] = rows[-1][:end] + "," + "".join(f"  {note}" for note in part.behind)
        rows[0] = rows[0][column:]
        fixed = [place for place in range(1, len(rows)) if first + place in self.fixed]
        for place in range(1, len(rows)):
            if place not in fixed:
                rows[place] = _without(rows[place], indent)
        return Item(tuple(part.above), Passage((*rows, *part.below), frozenset(fixed)))


class _Part:
    """An item that is being read: its words, and the comments above, behind and below it."""

    __slots__ = ("above", "behind", "below", "words")

    def __init__(self) -> None:
        self.words: list[TokenInfo] = []
        self.above: list[str] = []
        self.behind: list[str] = []
        self.below: list[str] = []

    def take(self, word: TokenInfo) -> None:
        """Go on with a word; the comments until here are within the item."""
        self.words.append(word)
        self.behind.clear()
        self.below.clear()


def _place(parts: Sequence[_Part], comment: TokenInfo, row: int) -> None:
    """Put a comment to the item that it belongs to."""
    part = parts[-1]
    if part.words:
        (part.behind if comment.start[0] == row else part.below).append(comment.string)
    elif len(parts) > 1 and comment.start[0] == row:
        parts[-2].behind.append(comment.string)
    else:
        part.above.append(comment.string)


def _step(token: TokenInfo) -> int:
    if token.type != OP:
        return 0
    return (token.string in _OPENING) - (token.string in _CLOSING)


def _closed(parts: list[_Part]) -> list[_Part]:
    """Return the parts that have words; comments before the closing bracket go to the last one."""
    if parts[-1].words:
        return parts
    *others, last = parts
    if others:
        others[-1].below += last.above
    return others


def _without(line: str, indent: int) -> str:
    return line[min(indent, len(line) - len(line.lstrip())) :]


def read_tokens(text: str) -> Tokens:
    """Return a file of Python in words.

    Args:
        text: Its text, which is Python.
    """
    found = list(generate_tokens(io.StringIO(text).readline))
    lines = text.split("\n")
    comments = {
        t.start[0]: t for t in found if t.type == COMMENT and not t.line[: t.start[1]].strip()
    }
    return Tokens(lines, [t for t in found if t.type != NL], comments, frozenset(_fixed(found)))


def _fixed(tokens: Sequence[TokenInfo]) -> Iterator[int]:
    """Yield the numbers of the lines that begin within a text."""
    opened: list[int] = []
    for token in tokens:
        kind = tok_name[token.type]
        if kind == "STRING":
            yield from range(token.start[0] + 1, token.end[0] + 1)
        elif kind.endswith("STRING_START"):
            opened.append(token.start[0])
        elif kind.endswith("STRING_END"):
            yield from range(opened.pop() + 1, token.end[0] + 1)
