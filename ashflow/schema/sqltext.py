"""Read a piece of SQL as tokens, so that a name in it can be found or renamed and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# https://www.sqlite.org/lang_keywords.html says how names are quoted, and
# https://www.sqlite.org/lang_expr.html#literal_values_constants_ how constants are written.
# `re` compiles it when the first SQL is read; many commands read none.
_PIECES = r"""(?xs)
    (?P<space>[\t-\r\ ]+)
  | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<blob>[xX]'[0-9a-fA-F]*')
  | (?P<string>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
  | (?P<number>0[xX][0-9a-fA-F]+|(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<word>[A-Za-z_\x80-\U0010ffff][0-9A-Za-z_$\x80-\U0010ffff]*)
  | (?P<punct>\|\||<<|>>|<>|<=|>=|==|!=|->>|->|.)
"""

# The words that cannot be a bare name: those of https://www.sqlite.org/lang_keywords.html,
# and those that PostgreSQL reserves beyond them.
_KEYWORDS = frozenset(
    """
    abort action add after all alter always analyse analyze and any array as asc asymmetric attach
    autoincrement before begin between both by cascade case cast check collate column commit
    conflict constraint create cross current current_catalog current_date current_role
    current_time current_timestamp current_user database default deferrable deferred delete desc
    detach distinct do drop each else end escape except exclude exclusive exists explain fail false
    fetch filter first following for foreign freeze from full generated glob grant group groups
    having if ignore ilike immediate in index indexed initially inner insert instead intersect into
    is isnull join key last lateral leading left like limit localtime localtimestamp match
    materialized natural no not nothing notnull null nulls of offset on only or order others outer
    over overlaps partition placing plan pragma preceding primary query raise range recursive
    references regexp reindex release rename replace restrict returning right rollback row rows
    savepoint select session_user set similar some symmetric table tablesample temp temporary then
    ties to trailing transaction trigger true unbounded union unique update user using vacuum
    values variadic verbose view virtual when where window with without
    """.split()
)

# Those that SQLite itself never takes for a name, nor for one of a column where they stand bare:
# https://www.sqlite.org/src/file?name=src/parse.y has the others as %fallback.
_RESERVED = frozenset(
    """
    add all alter and as autoincrement between case cast check collate commit constraint create
    current_date current_time current_timestamp default deferrable delete distinct drop else escape
    except exists foreign from group having in index insert intersect into is isnull join limit not
    nothing notnull null on or order primary raise references returning select set table then to
    transaction union unique update using values when where
    """.split()
)


class Token(NamedTuple):
    """One token.

    Args:
        kind: `word`, `quoted`, `string`, `number`, `blob`, `space`, `comment` or `punct`.
        text: The token as it stands.
    """

    kind: str
    text: str

    @property
    def name(self) -> str | None:
        """The name that the token stands for, unquoted; None for a token that is no name."""
        if self.kind == "word":
            return self.text
        if self.kind == "quoted":
            return unquote(self.text)
        return None

    @property
    def blank(self) -> bool:
        """Whether the token says nothing: white space or a comment."""
        return self.kind in {"space", "comment"}

    def is_word(self, *words: str) -> bool:
        """Whether the token is one of the bare words, in any case."""
        return self.kind == "word" and self.text.upper() in words


def tokens(sql: str) -> Iterator[Token]:
    """Yield the tokens of a piece of SQL; joined, their texts are the piece again.

    Args:
        sql: Any text; what is no SQL comes as `punct`, a character a token.
    """
    for match in re.finditer(_PIECES, sql):
        yield Token(match.lastgroup or "punct", match.group())


def significant(sql: str) -> tuple[Token, ...]:
    """Return the tokens of a piece of SQL without white space and comments."""
    return tuple(token for token in tokens(sql) if not token.blank)


def unquote(text: str) -> str:
    """Return the name in a quoted name: `"a""b"`, `` `a` `` or `[a]`."""
    if text[0] == "[":
        return text[1:-1]
    return text[1:-1].replace(text[0] * 2, text[0])


def quote(name: str) -> str:
    """Return a name in double quotes, as standard SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(text: str) -> str:
    """Return a text in single quotes, as standard SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def fold(name: str) -> str:
    """Return a name as SQLite compares it: only the letters of ASCII lose their case."""
    if name.isascii():
        return name.lower()
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name)


def mentions(sql: str, name: str) -> bool:
    """Whether a piece of SQL has a token that may stand for the name."""
    wanted = fold(name)
    return any(_may_be(token, wanted) for token in tokens(sql))


def reads(sql: str, name: str) -> bool:
    """Whether an expression reads a column of a name.

    Unlike what it mentions, that is no function that is called, no type behind AS, no collation and
    no name of a table before a dot.

    Args:
        sql: An expression over the columns of one table.
        name: The name of the column.
    """
    return any(_columns(significant(sql), name))


def is_keyword(name: str) -> bool:
    """Whether a name is a word of the grammar, which may mean something else in an expression."""
    return fold(name) in _KEYWORDS


def _columns(found: Sequence[Token], name: str) -> Iterator[bool]:
    """Yield for each token of an expression whether it is a column of a name."""
    wanted = fold(name)
    return (_may_be(token, wanted) and _is_column(found, i) for i, token in enumerate(found))


def _may_be(token: Token, wanted: str) -> bool:
    """Whether a token may stand for a (folded) name: a bare word of the grammar does not."""
    if token.kind == "word" and wanted in _RESERVED:
        return False
    return token.name is not None and fold(token.name) == wanted


def _is_column(found: Sequence[Token], i: int) -> bool:
    following = found[i + 1].text if i + 1 < len(found) else ""
    called = following == "(" and found[i].kind == "word"
    named = i > 0 and found[i - 1].is_word("AS", "COLLATE")
    return not called and not named and following != "."


def rename(sql: str, old: str, new: str) -> str:
    """Return the piece of SQL with a column's name changed, all other text as it was.

    Args:
        sql: An expression over the columns of one table.
        old: The name of the column as it stands in the expression, in any case.
        new: Its name from now on.
    """
    columns = _columns(significant(sql), old)
    return "".join(
        _spelled(token, new) if not token.blank and next(columns) else token.text
        for token in tokens(sql)
    )


def enclosed(expression: str) -> str:
    """Return an expression in parentheses, which a comment at its end does not swallow."""
    last = next(reversed(list(tokens(expression))), None)
    open_comment = last is not None and last.kind == "comment" and last.text.startswith("--")
    return f"({expression}\n)" if open_comment else f"({expression})"


def same(left: str, right: str) -> bool:
    """Whether two pieces of SQL are the same but for white space and comments."""
    return significant(left) == significant(right)


def _spelled(token: Token, new: str) -> str:
    bare = token.kind == "word" and re.fullmatch(r"[a-z_][a-z0-9_]*", new)
    return new if bare and new not in _KEYWORDS else quote(new)
