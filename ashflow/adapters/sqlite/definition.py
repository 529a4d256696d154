"""The text of a CREATE TABLE in its parts: one is changed, and all others stay as they are.

Joined, the parts of a definition are the text that it was parsed from, byte for byte.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.grammar import (
    TABLE_STARTS,
    NotUnderstood,
    Reader,
    name_of,
    take_column_clause,
    take_table_clause,
    take_type,
)
from ashflow.adapters.sqlite.spell import table_text
from ashflow.errors import SchemaError
from ashflow.schema.sqltext import Token, fold, significant, tokens
from ashflow.schema.table import Options
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ashflow.schema.table import Table


@value
class Clause:
    """One thing that is said of a column or of a table.

    Args:
        kind: `not_null`, `null`, `default`, `collate`, `generated`, `primary_key`, `unique`,
            `check`, `references`, `foreign_key`; `unknown` for what is not understood.
        text: The clause as it stands, with `CONSTRAINT name` where that is said.
        lead: The white space and the comments before it.
        name: The name of the constraint.
        glued: For a constraint of a table: no comma stands before it, as SQLite allows.
    """

    kind: str
    text: str
    lead: str = " "
    name: str | None = None
    glued: bool = False


@value
class ColumnItem:
    """A column as it stands.

    Args:
        name: Its name, unquoted.
        lead: The white space and the comments before it.
        spelled: The name as it stands.
        type: The type as it stands, with what stands before it; may be empty.
        clauses: What is said of it.
        trail: The white space and the comments after it.
    """

    name: str
    lead: str
    spelled: str
    type: str
    clauses: tuple[Clause, ...] = ()
    trail: str = ""

    @property
    def text(self) -> str:
        """The column as it stands."""
        said = "".join(clause.lead + clause.text for clause in self.clauses)
        return f"{self.lead}{self.spelled}{self.type}{said}{self.trail}"

    @property
    def declared(self) -> str:
        """The declared type, without comments and with one space between words."""
        words = [t.name if t.kind == "quoted" else t.text for t in significant(self.type)]
        text = " ".join(word for word in words if word is not None)
        return text.replace(" ( ", "(").replace(" )", ")").replace(" , ", ",")

    def all(self, kind: str) -> tuple[Clause, ...]:
        """Return the clauses of a kind."""
        return tuple(clause for clause in self.clauses if clause.kind == kind)

    def has(self, kind: str) -> bool:
        """Whether it has a clause of a kind."""
        return bool(self.all(kind))


@value
class Definition:
    """A CREATE TABLE in its parts.

    Args:
        name: The name of the table, unquoted.
        head: The text before the first parenthesis.
        columns: Its columns, in order.
        constraints: What is said of the table after its columns.
        tail: The white space before the last parenthesis.
        suffix: The text after the last parenthesis.
    """

    name: str
    head: str
    columns: tuple[ColumnItem, ...]
    constraints: tuple[Clause, ...] = ()
    tail: str = ""
    suffix: str = ""
    _by_name: dict[str, ColumnItem] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    @property
    def text(self) -> str:
        """The SQL that makes the table."""
        return f"{self.head}({self.body}){self.suffix}"

    @property
    def body(self) -> str:
        """The text between the parentheses."""
        return "".join(self._body())

    def _body(self) -> Iterator[str]:
        yield ",".join(column.text for column in self.columns)
        after_column = True
        for constraint in self.constraints:
            glue = constraint.glued and not after_column
            yield f"{'' if glue else ','}{constraint.lead}{constraint.text}"
            after_column = False
        yield self.tail

    @property
    def options(self) -> Options:
        """How the table is kept."""
        words = [token.text.upper() for token in significant(self.suffix)]
        return Options(strict="STRICT" in words, without_rowid="WITHOUT" in words)

    def column(self, name: str) -> ColumnItem | None:
        """Return the column of that name, or None."""
        if not self._by_name:  # there may be two thousand, each asked for again and again
            for column in self.columns:
                self._by_name.setdefault(fold(column.name), column)
        return self._by_name.get(fold(name))

    def named(self, head: str) -> Definition:
        """Return the definition under another head, as `CREATE TABLE "other" `."""
        return replace(self, head=head)


def definition_of(table: Table) -> Definition:
    """Return the definition of a table that is to be made.

    Args:
        table: The table; indexes and statements are no part of its definition.
    """
    return parse(table.name, table_text(table))


def parse(name: str, sql: str) -> Definition:
    """Return the CREATE TABLE of a table in its parts.

    Args:
        name: The name of the table.
        sql: The text, as `sqlite_master` has it.

    Raises:
        SchemaError: It is no table that can be changed: a virtual one, or a text that is broken.
    """
    found = list(tokens(sql))
    start, end = _parentheses(name, found)
    head, suffix = _text(found[:start]), _text(found[end + 1 :])
    columns: list[ColumnItem] = []
    constraints: list[Clause] = []
    for chunk in _chunks(found[start + 1 : end]):
        reader = Reader(chunk)
        following = reader.peek()
        if following is not None and following.is_word(*TABLE_STARTS):
            constraints += _constraints(reader)
        else:
            columns.append(_column(name, reader))
    return _with_tail(Definition(name, head, tuple(columns), tuple(constraints), "", suffix))


def _parentheses(name: str, found: list[Token]) -> tuple[int, int]:
    """Return where the first parenthesis opens, and where it closes."""
    words = [token.text.upper() for token in found if not token.blank][:2]
    depth, start = 0, None
    for at, token in enumerate(found):
        if token == Token("punct", "("):
            start = at if start is None else start
            depth += 1
        elif token == Token("punct", ")"):
            depth -= 1
            if depth == 0 and start is not None and words == ["CREATE", "TABLE"]:
                return start, at
    raise SchemaError(
        f"the definition of {name} is none that ashflow can change: {' '.join(words)} …",
        hint="Change it with an Execute of your own SQL.",
    )


def _chunks(found: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Yield the tokens between the commas that stand in no parentheses."""
    depth = start = 0
    for at, token in enumerate(found):
        if token.kind != "punct":
            continue
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == "," and depth == 0:
            yield found[start:at]
            start = at + 1
    yield found[start:]


def _column(table: str, reader: Reader) -> ColumnItem:
    lead = reader.blanks()
    start = reader.at
    try:
        name = name_of(reader.take())
    except NotUnderstood:
        text = "".join(token.text for token in reader.found).strip()
        raise SchemaError(
            f"the definition of {table} has a column that ashflow cannot read: {text}",
            hint="Change the table with an Execute of your own SQL.",
        ) from None
    spelled = reader.since(start)
    start = reader.at
    take_type(reader)
    type_ = reader.since(start)
    clauses, trail = _clauses(reader, take_column_clause)
    return ColumnItem(name, lead, spelled, type_, clauses, trail)


def _constraints(reader: Reader) -> list[Clause]:
    clauses, trail = _clauses(reader, take_table_clause)
    glued = [replace(clause, glued=at > 0) for at, clause in enumerate(clauses)]
    glued[-1] = replace(glued[-1], text=glued[-1].text + trail)
    return glued


def _clauses(reader: Reader, take: Callable[[Reader], str]) -> tuple[tuple[Clause, ...], str]:
    """Return all clauses that follow, and the blank text at the end."""
    found: list[Clause] = []
    while True:
        lead = reader.blanks()
        if reader.at == len(reader.found):
            return tuple(found), lead
        found.append(_clause(reader, lead, take))


def _clause(reader: Reader, lead: str, take: Callable[[Reader], str]) -> Clause:
    start, name = reader.at, None
    try:
        if reader.word("CONSTRAINT"):
            name = name_of(reader.take())
        return Clause(take(reader), reader.since(start), lead, name)
    except NotUnderstood:
        reader.at = len(reader.found)
        return Clause("unknown", reader.since(start), lead, name)


def _with_tail(definition: Definition) -> Definition:
    """Move the white space at the end out of the last item, so that another can follow it."""
    if definition.constraints:
        *others, last = definition.constraints
        text, tail = _split_tail(last.text)
        kept = (*others, replace(last, text=text))
        return replace(definition, constraints=kept, tail=tail)
    *before, column = definition.columns
    trail, tail = _split_tail(column.trail)
    return replace(definition, columns=(*before, replace(column, trail=trail)), tail=tail)


def _split_tail(text: str) -> tuple[str, str]:
    kept = text.rstrip()
    last = next(reversed([t for t in tokens(text) if t.kind != "space"]), None)
    if last is not None and last.kind == "comment" and last.text.startswith("--"):
        kept = text  # the line break ends the comment
    return kept, text[len(kept) :]


def _text(found: Sequence[Token]) -> str:
    return "".join(token.text for token in found)
