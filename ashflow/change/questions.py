"""What might be a rename: the questions that only the user can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from ashflow.change.renames import spelled
from ashflow.errors import RenameQuestions
from ashflow.schema.table import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ashflow.change.renames import Renames
    from ashflow.schema.table import Column, Schema, Table


class Question(NamedTuple):
    """Something went and something came: is it the same under another name?

    Args:
        kind: Whether a column or a table went.
        table: The table, under its old name.
        old: What went: the column, or the table itself.
        candidates: What came, the most similar first.
    """

    kind: Literal["column", "table"]
    table: str
    old: str
    candidates: tuple[str, ...]

    @property
    def what(self) -> str:
        """What went, as the options name it."""
        return spelled(self.table, self.old if self.kind == "column" else None)

    def flag(self, candidate: str) -> str:
        """Return the option that answers the question with a candidate, as a shell takes it."""
        from shlex import quote

        return f"--rename {quote(f'{self.what}={spelled(candidate)}')}"

    def as_json(self) -> dict[str, object]:
        """Return the question as `--json` prints it."""
        return {
            "kind": self.kind,
            "table": self.table,
            "from": self.old,
            "candidates": list(self.candidates),
            "flag": self.flag(self.candidates[0]),
        }


def questions(old: Schema, new: Schema, renames: Renames) -> tuple[Question, ...]:
    """Return what has to be asked before two schemas can be compared: tables first, then columns.

    Columns of a table that is asked for are asked for when that is answered.

    Args:
        old: The tables as they were.
        new: The tables as they are declared, with what is there and was never declared.
        renames: What was answered already.
    """
    return (*_table_questions(old, new, renames), *_column_questions(old, new, renames))


def unanswered(asked: Sequence[Question], *, drops: Collection[str]) -> RenameQuestions:
    """Return the error that asks the user, with the options that answer.

    Args:
        asked: The questions; at least one.
        drops: The kinds of what goes where it is no rename; else it stays in the database.
    """
    flags = " ".join(_likely_answers(asked))
    came = dict.fromkeys(name for question in asked for name in question.candidates)
    kinds = {question.kind for question in asked}
    fate = "what went stays in the database then"
    if kinds <= set(drops):
        fate = "what went is dropped then"
    elif kinds & set(drops):
        fate = f"of what went, a {'table' if 'table' in drops else 'column'} is dropped then"
    return RenameQuestions(
        f"{', '.join(q.what for q in asked)} went and {', '.join(came)} came: is it a rename?",
        hint=f"Where it is, say {flags}; where it is not, --no-renames: {fate}.",
        questions=[question.as_json() for question in asked],
        drops=frozenset(drops),
    )


def joined(errors: Sequence[RenameQuestions]) -> RenameQuestions:
    """Return one error that asks all that several ask, as those of several repos.

    Args:
        errors: The errors; at least one, with the same fate of what is no rename.
    """
    said = (question for error in errors for question in error.questions)
    asked = (Question(q["kind"], q["table"], q["from"], tuple(q["candidates"])) for q in said)
    return unanswered([*dict.fromkeys(asked)], drops=errors[0].drops)


def _likely_answers(asked: Sequence[Question]) -> Iterator[str]:
    """Yield options that can be given together: no two of them lead to one name."""
    pairs = [(question, name) for question in asked for name in question.candidates]
    pairs.sort(key=lambda pair: -_alike(pair[0].old, pair[1]))
    pairs.sort(key=lambda pair: pair[0].candidates.index(pair[1]))
    chosen: dict[Question, str] = {}
    taken: set[tuple[str, str, str]] = set()
    for question, name in pairs:
        where = (question.kind, question.table if question.kind == "column" else "", name)
        if question not in chosen and where not in taken:
            chosen[question] = name
            taken.add(where)
    yield from (question.flag(chosen[question]) for question in asked if question in chosen)


def _table_questions(old: Schema, new: Schema, renames: Renames) -> Iterator[Question]:
    taken = renames.tables.values()
    went = [
        table
        for name, table in old.items()
        if (name not in new or name in taken) and not _answered(renames, name, None)
    ]
    stay = {name for name in old if name in new and name not in renames.tables}
    came = [new[name] for name in new if name not in {DOMAIN, *stay, *taken}]
    for table in went if came else ():
        likely = sorted(came, key=lambda other: -_likeness_of_tables(table, other))
        yield Question("table", table.name, table.name, tuple(t.name for t in likely))


def _column_questions(old: Schema, new: Schema, renames: Renames) -> Iterator[Question]:
    for name, table in old.items():
        target = new.get(renames.tables.get(name, name))
        if target is None or renames.old_table(target.name) != name:
            continue
        taken = renames.columns_of(name).values()
        went = [
            column
            for column in table.columns
            if (target.column(column.name) is None or column.name in taken)
            and not _answered(renames, name, column.name)
        ]
        stay = {c.name for c in table.columns} - set(renames.columns_of(name))
        came = [c for c in target.columns if c.name not in stay and c.name not in taken]
        for column in went if came else ():
            likely = sorted(came, key=lambda other: -_likeness(column, other))
            yield Question("column", name, column.name, tuple(c.name for c in likely))


def _answered(renames: Renames, table: str, column: str | None) -> bool:
    renamed = renames.tables if column is None else renames.columns_of(table)
    return (column or table) in renamed or (table, column) in renames.refused


def _likeness_of_tables(left: Table, right: Table) -> float:
    """Return how many of their columns two tables share, and a little how alike their names are."""
    names = [{column.name for column in table.columns} for table in (left, right)]
    shared, both = len(names[0] & names[1]), len(names[0] | names[1])
    return 2 * shared / (both or 1) + _alike(left.name, right.name)


def _likeness(left: Column, right: Column) -> float:
    same_type = 1.0 if left.type == right.type else 0.0
    return same_type + _alike(left.name, right.name)


def _alike(left: str, right: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, left.lower(), right.lower()).ratio()
