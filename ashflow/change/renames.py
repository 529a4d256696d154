"""What might be a rename: questions that only the user can answer, and the answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from ashflow.errors import RenameQuestions, UsageError
from ashflow.schema.table import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ashflow.schema.table import Column, Schema, Table


@dataclass(frozen=True, slots=True)
class Renames:
    """The answers: what is a rename.

    Args:
        tables: New names of tables, by the old ones.
        columns: New names of columns, by the old name of the table and the old name of the column.
        refused: What was asked for and is no rename: the old name of a table, and of its column or
            None for the table itself.
    """

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refused: frozenset[tuple[str, str | None]] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns)

    @property
    def about(self) -> frozenset[str]:
        """The names, old and new, of the tables that are renamed or have a renamed column."""
        return frozenset({*self.tables, *self.tables.values(), *self.columns})

    def columns_of(self, table: str) -> Mapping[str, str]:
        """Return the new names of a table's columns by the old ones.

        Args:
            table: The table under its old name.
        """
        return self.columns.get(table, {})

    def old_table(self, new: str) -> str:
        """Return the old name of a table that is called `new` now."""
        return next((old for old, name in self.tables.items() if name == new), new)

    def split(self, base: Schema) -> tuple[Renames, Renames]:
        """Return the answers that speak of a schema, and those that speak of something else.

        Args:
            base: The schema.
        """
        columns: tuple[dict[str, dict[str, str]], ...] = ({}, {})
        for table, pairs in self.columns.items():
            for old, new in pairs.items():
                there = table in base and base[table].column(old) is not None
                columns[not there].setdefault(table, {})[old] = new
        known = {old: new for old, new in self.tables.items() if old in base}
        rest = {old: new for old, new in self.tables.items() if old not in base}
        return Renames(known, columns[0], self.refused), Renames(rest, columns[1], self.refused)

    def overruled_by(self, other: Renames) -> Renames:
        """Return these answers where another says nothing, and else its own."""
        columns: dict[str, Mapping[str, str]] = dict(self.columns)
        for table, pairs in other.columns.items():
            columns[table] = {**self.columns_of(table), **pairs}
        return Renames({**self.tables, **other.tables}, columns, self.refused | other.refused)

    def fitting(self, old: Schema, new: Schema) -> Renames:
        """Return those answers whose old name was there, and whose new one is declared.

        Args:
            old: The tables as they were.
            new: The tables as the resources declare them.
        """
        tables = {was: now for was, now in self.tables.items() if was in old and now in new}
        columns: dict[str, Mapping[str, str]] = {}
        for table, pairs in self.columns.items():
            target = new.get(self.tables.get(table, table))
            if table in old and target is not None:
                before = old[table]
                fit = {c: n for c, n in pairs.items() if before.column(c) and target.column(n)}
                columns |= {table: fit} if fit else {}
        return Renames(tables, columns, self.refused)

    def minus(self, other: Renames) -> Renames:
        """Return those answers that another does not give.

        Args:
            other: Some of these answers.
        """
        columns = {
            table: {c: new for c, new in pairs.items() if c not in other.columns_of(table)}
            for table, pairs in self.columns.items()
        }
        return Renames(
            {old: new for old, new in self.tables.items() if old not in other.tables},
            {table: pairs for table, pairs in columns.items() if pairs},
            self.refused,
        )

    def plus(self, table: str, old: str | None, new: str) -> Renames:
        """Return these answers and one more.

        Args:
            table: The old name of the table.
            old: The old name of the column; None where the table itself is renamed.
            new: The new name.
        """
        if old is None:
            return replace(self, tables={**self.tables, table: new})
        columns = {**self.columns_of(table), old: new}
        return replace(self, columns={**self.columns, table: columns})

    def without(self, table: str, old: str | None) -> Renames:
        """Return these answers and one more: that something was not renamed.

        Args:
            table: The old name of the table.
            old: The old name of the column; None for the table itself.
        """
        return replace(self, refused=self.refused | {(table, old)})


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
        return f"{self.table}.{self.old}" if self.kind == "column" else self.table

    def flag(self, candidate: str) -> str:
        """Return the option that answers the question with a candidate."""
        return f"--rename {self.what}={candidate}"

    def as_json(self) -> dict[str, object]:
        """Return the question as `--json` prints it."""
        return {
            "kind": self.kind,
            "table": self.table,
            "from": self.old,
            "candidates": list(self.candidates),
            "flag": self.flag(self.candidates[0]),
        }


def parse_renames(flags: Iterable[str]) -> Renames:
    """Return the answers in the values of `--rename`: `posts.title=headline`, `posts=articles`.

    Raises:
        UsageError: A value has not that form, or answers for one name twice.
    """
    renames = Renames()
    for flag in flags:
        left, equals, new = flag.partition("=")
        table, dot, column = left.partition(".")
        new = new.rpartition(".")[2]
        if not (equals and table and new and bool(dot) == bool(column)):
            raise UsageError(
                f"--rename {flag}: say TABLE.OLD=NEW for a column, OLD=NEW for a table",
                hint="For example: --rename posts.title=headline",
            )
        if new == (column or table):
            raise UsageError(f"--rename {flag}: both names are the same")
        taken = renames.columns_of(table) if column else renames.tables
        if (column or table) in taken:
            raise UsageError(f"--rename {flag}: {left} was renamed already in another --rename")
        if new in taken.values():
            raise UsageError(f"--rename {flag}: something else was renamed to {new} already")
        renames = renames.plus(table, column or None, new)
    return renames


def check_renames(renames: Renames, old: Schema, new: Schema) -> None:
    """Refuse answers that do not fit.

    Args:
        renames: The answers.
        old: All tables as they were.
        new: All tables as the resources declare them.

    Raises:
        UsageError: An old name was not there, a new name is not declared, or both stood before and
            still stand.
    """
    for before, after in renames.tables.items():
        tables = (set(old) - {DOMAIN}, set(new) - {DOMAIN})
        _check(f"{before}={after}", "table", (before, after), renames.tables, tables)
    for table, columns in renames.columns.items():
        target = new.get(renames.tables.get(table, table))
        if table not in old or target is None:
            where, there = ("resources", new) if table in old else ("snapshots", old)
            raise UsageError(
                f"--rename {table}.…: there is no table {table} in the {where}",
                hint=f"Tables: {', '.join(sorted(set(there) - {DOMAIN})) or 'none'}.",
            )
        names = [[column.name for column in each.columns] for each in (old[table], target)]
        for pair in columns.items():
            _check(f"{table}.{pair[0]}={pair[1]}", "column", pair, columns, (names[0], names[1]))


def _check(
    flag: str,
    kind: str,
    pair: tuple[str, str],
    pairs: Mapping[str, str],
    names: tuple[Iterable[str], Iterable[str]],
) -> None:
    (before, after), (old, new) = pair, map(sorted, names)
    if before not in old:
        raise UsageError(
            f"--rename {flag}: there was no {kind} {before}",
            hint=f"There were: {', '.join(old) or 'none'}.",
        )
    if after not in new:
        raise UsageError(
            f"--rename {flag}: the resources declare no {kind} {after}",
            hint=f"They declare: {', '.join(new) or 'none'}.",
        )
    stays, stood = before in new, after in old
    if stays and stood and before not in pairs.values() and after not in pairs:
        raise UsageError(
            f"--rename {flag}: {before} and {after} were there before, and both are declared",
            hint="Nothing went and nothing came: leave the option out.",
        )


def questions(old: Schema, new: Schema, renames: Renames) -> tuple[Question, ...]:
    """Return what has to be asked before two schemas can be compared: tables first, then columns.

    Args:
        old: The tables as they were.
        new: The tables as they are declared, with what is there and was never declared.
        renames: What was answered already.
    """
    tables = tuple(_table_questions(old, new, renames))
    return tables or tuple(_column_questions(old, new, renames))


def unanswered(asked: Sequence[Question]) -> RenameQuestions:
    """Return the error that asks the user, with the options that answer.

    Args:
        asked: The questions; at least one.
    """
    flags = " ".join(_likely_answers(asked))
    came = dict.fromkeys(name for question in asked for name in question.candidates)
    return RenameQuestions(
        f"{', '.join(q.what for q in asked)} went and {', '.join(came)} came: is it a rename?",
        hint=f"Where it is, say {flags}; where it is not, --no-renames.",
        questions=[question.as_json() for question in asked],
    )


def _likely_answers(asked: Sequence[Question]) -> Iterator[str]:
    """Yield options that can be given together: no two of them lead to one name."""
    taken: set[tuple[str, str, str]] = set()
    for question in asked:
        where = ("", "") if question.kind == "table" else ("column", question.table)
        free = [name for name in question.candidates if (*where, name) not in taken]
        if free:
            taken.add((*where, free[0]))
            yield question.flag(free[0])


def _table_questions(old: Schema, new: Schema, renames: Renames) -> Iterator[Question]:
    went = [old[name] for name in old if name not in new and not _answered(renames, name, None)]
    taken = {DOMAIN, *old, *renames.tables.values()}
    came = [new[name] for name in new if name not in taken]
    for table in went if came else ():
        likely = sorted(came, key=lambda other: -_common_columns(table, other))
        yield Question("table", table.name, table.name, tuple(t.name for t in likely))


def _column_questions(old: Schema, new: Schema, renames: Renames) -> Iterator[Question]:
    for name, table in old.items():
        target = new.get(renames.tables.get(name, name))
        if target is None or renames.old_table(target.name) != name:
            continue
        answered = renames.columns_of(name)
        kept = {column.name for column in table.columns} - set(answered)
        went = [
            c
            for c in table.columns
            if target.column(c.name) is None and not _answered(renames, name, c.name)
        ]
        came = [c for c in target.columns if c.name not in kept and c.name not in answered.values()]
        for column in went if came else ():
            likely = sorted(came, key=lambda other: -_likeness(column, other))
            yield Question("column", name, column.name, tuple(c.name for c in likely))


def _answered(renames: Renames, table: str, column: str | None) -> bool:
    renamed = renames.tables if column is None else renames.columns_of(table)
    return (column or table) in renamed or (table, column) in renames.refused


def _common_columns(left: Table, right: Table) -> int:
    return len({c.name for c in left.columns} & {c.name for c in right.columns})


def _likeness(left: Column, right: Column) -> float:
    from difflib import SequenceMatcher

    same_type = 1.0 if left.type == right.type else 0.0
    return same_type + SequenceMatcher(None, left.name, right.name).ratio()
