"""What is a rename, as the user says it: the answers, read from the options and judged."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from ashflow.errors import UsageError
from ashflow.schema.sqltext import quote, unquote
from ashflow.schema.table import DOMAIN
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ashflow.schema.table import Schema


@value
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


def parse_renames(flags: Iterable[str]) -> Renames:
    """Return the answers in the values of `--rename`: `posts.title=headline`, `posts=articles`.

    A name with a dot or an equals sign in it stands in double quotes: `posts."v1.2"=version`.

    Raises:
        UsageError: A value has not that form, answers for one name twice, or moves a column.
    """
    renames = Renames()
    said: list[_Said] = []
    for flag in flags:
        one = _parsed(flag)
        old = one.column or one.table
        taken = renames.columns_of(one.table) if one.column else renames.tables
        if one.new == old:
            raise _wrong(
                one, "both names are the same", "Leave it out, or say what it is called now."
            )
        if old in taken:
            raise _wrong(one, f"{spelled(one.table, one.column)} was renamed already", _ONE)
        if one.new in taken.values():
            raise _wrong(one, f"something else was renamed to {one.new} already", _ONE)
        said.append(one)
        renames = renames.plus(one.table, one.column, one.new)
    for one in said:
        if one.home not in {one.table, renames.tables.get(one.table)}:
            raise _wrong(
                one,
                f"{one.home} is another table, and a column stays where it is",
                f"Say the new name alone: --rename {spelled(one.table, one.column)}=NEW",
            )
    return renames


def spelled(*names: str | None) -> str:
    """Return a table, or a table and its column, as `--rename` names them.

    Args:
        names: The table, and the column; None: there is none.
    """
    import re

    given = [name for name in names if name is not None]
    return ".".join(name if re.fullmatch(_BARE, name) else quote(name) for name in given)


class _Said(NamedTuple):
    """A value of `--rename`, and what it says: `table.column=home.new`, `table=new`."""

    flag: str
    table: str
    column: str | None
    home: str
    new: str


_BARE: Final = r'[^".=][^.=]*'
_NAME: Final = rf'("(?:[^"]|"")+"|{_BARE})'
_ONE: Final = "Every name has one answer: leave one of the options out."


def _parsed(flag: str) -> _Said:
    import re

    found = re.fullmatch(rf"{_NAME}(?:\.{_NAME})?=(?:{_NAME}\.)?{_NAME}", flag)
    if found is None or (found[3] and not found[2]):
        raise UsageError(
            f"--rename {flag}: say TABLE.OLD=NEW for a column, OLD=NEW for a table",
            hint="For example: --rename posts.title=headline. A name with a dot or an equals sign "
            "in it stands in double quotes: --rename 'posts.\"v1.2\"=version'",
        )
    table, column, home, new = (n and (unquote(n) if n[0] == '"' else n) for n in found.groups())
    return _Said(flag, table, column, home or table, new)


def _wrong(said: _Said, why: str, hint: str = "") -> UsageError:
    return UsageError(f"--rename {said.flag}: {why}", hint=hint)


def check_renames(renames: Renames, old: Schema, new: Schema) -> None:
    """Refuse answers that do not fit.

    Args:
        renames: The answers.
        old: All tables as they were.
        new: All tables as the resources declare them.

    Raises:
        UsageError: An old name was not there, a new name is not declared, both stood before and
            still stand, or a column is of a table whose name another one takes.
    """
    tables = (set(old) - {DOMAIN}, set(new) - {DOMAIN})
    for before, after in renames.tables.items():
        flag = f"--rename {spelled(before)}={spelled(after)}"
        _check(flag, "table", (before, after), renames.tables, tables)
    for table, columns in renames.columns.items():
        now = renames.tables.get(table, table)
        for before, after in columns.items():
            flag = f"--rename {spelled(table, before)}={spelled(after)}"
            _check_table(flag, table, tables, renames)
            names = [{column.name for column in t.columns} for t in (old[table], new[now])]
            _check(flag, "column", (before, after), columns, (names[0], names[1]))


def _check_table(
    flag: str, table: str, tables: tuple[Collection[str], Collection[str]], renames: Renames
) -> None:
    """Refuse an answer about a column whose table is not there, or goes."""
    now = renames.tables.get(table, table)
    for name, there, where in ((table, tables[0], "snapshots"), (now, tables[1], "resources")):
        if name not in there:
            raise UsageError(
                f"{flag}: there is no table {name} in the {where}",
                hint="The old name of the table is on the left of =, also where it is renamed too. "
                f"Tables in the {where}: {', '.join(sorted(there)) or 'none'}.",
            )
    if table not in renames.tables and renames.old_table(table) != table:
        raise UsageError(
            f"{flag}: table {table} goes, because {renames.old_table(table)} takes its name",
            hint=f"A column of {renames.old_table(table)} is said by that name.",
        )


def _check(
    flag: str,
    kind: str,
    pair: tuple[str, str],
    pairs: Mapping[str, str],
    names: tuple[Collection[str], Collection[str]],
) -> None:
    """Refuse an answer whose names are not there, or which says that nothing went."""
    (before, after), (old, new) = pair, names
    if before not in old:
        raise UsageError(
            f"{flag}: there was no {kind} {before}",
            hint=f"There were: {', '.join(sorted(old)) or 'none'}.",
        )
    if after not in new:
        raise UsageError(
            f"{flag}: the resources declare no {kind} {after}",
            hint=f"They declare: {', '.join(sorted(new)) or 'none'}.",
        )
    first, last = _ends(before, pairs)
    if first in new and last in old and first != last:
        raise UsageError(
            f"{flag}: {first} and {last} were there before, and both are declared",
            hint="Nothing went and nothing came: leave the option out.",
        )


def _ends(name: str, pairs: Mapping[str, str]) -> tuple[str, str]:
    """Return where a chain of renames begins and where it ends; in a circle, one name twice."""
    back = {new: old for old, new in pairs.items()}
    first = last = name
    while last in pairs:
        last = pairs[last]
        if last == name:
            return name, name
    while first in back:
        first = back[first]
    return first, last
