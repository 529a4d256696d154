"""Take the tokens of a CREATE TABLE one clause after the other (https://www.sqlite.org/lang_createtable.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ashflow.schema.sqltext import Token

if TYPE_CHECKING:
    from collections.abc import Sequence

_STARTS: Final = (
    *("CONSTRAINT", "NOT", "NULL", "DEFAULT", "COLLATE", "GENERATED", "AS", "PRIMARY", "UNIQUE"),
    *("CHECK", "REFERENCES"),
)
TABLE_STARTS: Final = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")


class NotUnderstood(Exception):
    """The tokens are no clause that we know; the text is kept, and not edited."""


class Reader:
    """A place in a row of tokens.

    Args:
        found: The tokens, blank ones too.
    """

    __slots__ = ("at", "found")

    def __init__(self, found: Sequence[Token]) -> None:
        self.found = found
        self.at = 0

    def since(self, start: int) -> str:
        """Return the text from a place up to here."""
        return "".join(token.text for token in self.found[start : self.at])

    def blanks(self) -> str:
        """Take white space and comments, and return them."""
        start = self.at
        while self.at < len(self.found) and self.found[self.at].blank:
            self.at += 1
        return self.since(start)

    def peek(self, ahead: int = 0) -> Token | None:
        """Return the next token that says something, or one further ahead; None at the end."""
        rest = (token for token in self.found[self.at :] if not token.blank)
        for _ in range(ahead):
            next(rest, None)
        return next(rest, None)

    def take(self) -> Token:
        """Take a token, with the blank ones before it."""
        self.blanks()
        if self.at == len(self.found):
            raise NotUnderstood
        self.at += 1
        return self.found[self.at - 1]

    def word(self, *words: str) -> bool:
        """Take the next token if it is one of the words."""
        following = self.peek()
        if following is None or not following.is_word(*words):
            return False
        self.take()
        return True

    def need(self, *words: str) -> None:
        """Take words that have to follow, one after the other."""
        for word in words:
            if not self.word(word):
                raise NotUnderstood

    def group(self) -> bool:
        """Take what stands in parentheses, if that follows."""
        if self.peek() != Token("punct", "("):
            return False
        depth = 0
        while True:
            token = self.take()
            depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "punct" else 0
            if depth == 0:
                return True

    def need_group(self) -> None:
        """Take what stands in parentheses, which has to follow."""
        if not self.group():
            raise NotUnderstood


def name_of(token: Token) -> str:
    """Return the name that a token stands for; SQLite takes a text for a name as well."""
    if token.kind == "string":
        return token.text[1:-1].replace("''", "'")
    if token.name is None:
        raise NotUnderstood
    return token.name


def take_type(reader: Reader) -> None:
    """Take the type of a column, if it has one."""
    while (token := reader.peek()) is not None:
        if token.kind not in {"word", "quoted", "string"} or token.is_word(*_STARTS):
            break
        reader.take()
    reader.group()


def take_column_clause(reader: Reader) -> str:
    """Take a clause of a column without its name, and return its kind."""
    if reader.word("NOT"):
        reader.need("NULL")
        return _with_conflict(reader, "not_null")
    if reader.word("NULL"):
        return _with_conflict(reader, "null")
    if reader.word("DEFAULT"):
        _take_default(reader)
        return "default"
    if reader.word("COLLATE"):
        name_of(reader.take())
        return "collate"
    if reader.word("GENERATED", "AS"):
        return _take_generated(reader)
    if reader.word("PRIMARY"):
        reader.need("KEY")
        reader.word("ASC", "DESC")
        _take_conflict(reader)
        reader.word("AUTOINCREMENT")
        return "primary_key"
    if reader.word("UNIQUE"):
        return _with_conflict(reader, "unique")
    if reader.word("CHECK"):
        reader.need_group()
        return "check"
    _take_references(reader)
    return "references"


def take_table_clause(reader: Reader) -> str:
    """Take a constraint of a table without its name, and return its kind."""
    if reader.word("FOREIGN"):
        reader.need("KEY")
        reader.need_group()
        _take_references(reader)
        return "foreign_key"
    if reader.word("PRIMARY"):
        reader.need("KEY")
        kind = "primary_key"
    else:
        kind = "unique" if reader.word("UNIQUE") else "check"
        if kind == "check":
            reader.need("CHECK")
    reader.need_group()
    return _with_conflict(reader, kind)


def _with_conflict(reader: Reader, kind: str) -> str:
    _take_conflict(reader)
    return kind


def _take_conflict(reader: Reader) -> None:
    if reader.word("ON"):
        reader.need("CONFLICT")
        reader.take()


def _take_default(reader: Reader) -> None:
    if reader.group():
        return
    if reader.take().text in "+-":
        reader.take()


def _take_generated(reader: Reader) -> str:
    if reader.found[reader.at - 1].is_word("GENERATED"):
        reader.need("ALWAYS", "AS")
    reader.need_group()
    reader.word("STORED", "VIRTUAL")
    return "generated"


def _take_references(reader: Reader) -> None:
    reader.need("REFERENCES")
    name_of(reader.take())
    reader.group()
    while True:
        if reader.word("ON"):
            reader.take()
            reader.word("SET", "NO")
            reader.take()
        elif reader.word("MATCH"):
            reader.take()
        elif _deferral_follows(reader):
            reader.word("NOT")
            reader.take()
            if reader.word("INITIALLY"):
                reader.take()
        else:
            return


def _deferral_follows(reader: Reader) -> bool:
    first, second = reader.peek(), reader.peek(1)
    if first is not None and first.is_word("NOT"):
        first = second
    return first is not None and first.is_word("DEFERRABLE")
