"""What a SQLite database says of its tables, as a value; and how it is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.definition import Definition, parse
from ashflow.errors import SchemaError
from ashflow.schema.sqltext import fold, quote
from ashflow.values import value

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator


@value
class Made:
    """Something that a stored statement makes: an index, a trigger, a view.

    Args:
        name: Its name.
        table: The table that it stands on.
        sql: The statement.
    """

    name: str
    table: str
    sql: str

    @property
    def kind(self) -> str:
        """What it is: the word after CREATE, of which SQLite keeps one spelling."""
        return self.sql.split(maxsplit=2)[1].upper()


@value
class TableFacts:
    """A table as the database has it.

    Args:
        name: Its name, as it is spelled there.
        sql: The text of its CREATE TABLE.
        kind: `table`, `virtual` or `shadow`.
        columns: The names of its columns as SQLite understands the text, in order.
        indexes: Those that were made with CREATE INDEX, in the order of their making.
        triggers: Its triggers, in that order.
        analyzed: Whether statistics are kept of it.
    """

    name: str
    sql: str
    kind: str
    columns: tuple[str, ...]
    indexes: tuple[Made, ...] = ()
    triggers: tuple[Made, ...] = ()
    analyzed: bool = False

    def definition(self) -> Definition:
        """Return its definition in parts.

        Raises:
            SchemaError: We read other columns in the text than SQLite does.
        """
        if self.kind != "table":
            raise SchemaError(
                f"{self.name} is a {self.kind} table, which cannot be altered",
                hint="Drop it and make it anew with a statement or an Execute.",
            )
        definition = parse(self.name, self.sql)
        if tuple(column.name for column in definition.columns) != self.columns:
            raise SchemaError(
                f"the definition of {self.name} is written in a way that ashflow misreads",
                hint="Change the table with an Execute of your own SQL.",
            )
        return definition


@value
class Catalog:
    """What a database says of some of its tables.

    Args:
        tables: The tables.
        views: All views of the database.
        triggers: All triggers of the database, those of other tables too.
        counters: Whether a table with AUTOINCREMENT was ever made.
        statistics: The tables in which SQLite keeps what ANALYZE found.
        broken: The views and triggers that name what is not there, each view with its triggers;
            known only where something is to be renamed.
    """

    tables: tuple[TableFacts, ...] = ()
    views: tuple[Made, ...] = ()
    triggers: tuple[Made, ...] = ()
    counters: bool = False
    statistics: tuple[str, ...] = ()
    broken: tuple[tuple[Made, ...], ...] = ()

    def table(self, name: str) -> TableFacts:
        """Return the table of that name.

        Raises:
            SchemaError: There is none.
        """
        wanted = fold(name)
        found = next((table for table in self.tables if fold(table.name) == wanted), None)
        if found is None:
            raise SchemaError(
                f"there is no table {name} in the database, as the migration supposes",
                hint="The database was changed by hand; change it back, or mend the migration.",
            )
        return found

    def without_indexes(self, names: Collection[str]) -> Catalog:
        """Return what it is after some indexes are dropped.

        Args:
            names: Their names, in small letters.
        """
        if not names:
            return self
        tables = (
            replace(table, indexes=tuple(i for i in table.indexes if fold(i.name) not in names))
            for table in self.tables
        )
        return replace(self, tables=tuple(tables))


EMPTY = Catalog()
_STATISTICS = ("sqlite_stat1", "sqlite_stat4")


def read_catalog(connection: sqlite3.Connection, names: Collection[str] | None = None) -> Catalog:
    """Ask a database for its tables.

    Args:
        connection: A connection to it.
        names: The tables that are needed; None: all. Of none, nothing is asked.
    """
    if names is not None and not names:
        return EMPTY
    rows = connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    ).fetchall()
    made: dict[str, list[Made]] = {"table": [], "index": [], "trigger": [], "view": []}
    for kind, *row in rows:
        made[kind].append(Made(*row))
    wanted = None if names is None else {fold(name) for name in names}
    asked = [m for m in made["table"] if wanted is None or fold(m.name) in wanted]
    return Catalog(
        tuple(_facts(connection, asked, made)),
        tuple(made["view"]),
        tuple(made["trigger"]),
        any(table.name == "sqlite_sequence" for table in made["table"]),
        tuple(table.name for table in made["table"] if table.name in _STATISTICS),
    )


def _facts(
    connection: sqlite3.Connection, asked: list[Made], made: dict[str, list[Made]]
) -> Iterator[TableFacts]:
    kinds = _kinds(connection, made["table"])
    indexes, triggers = _by_table(made["index"]), _by_table(made["trigger"])
    analyzed = _analyzed(connection, made["table"])
    for table in asked:
        key = fold(table.name)
        columns = connection.execute(f"PRAGMA main.table_xinfo({quote(table.name)})").fetchall()
        yield TableFacts(
            table.name,
            table.sql,
            kinds.get(table.name, "table"),
            tuple(column[1] for column in columns),
            tuple(indexes.get(key, ())),
            tuple(triggers.get(key, ())),
            key in analyzed,
        )


def _kinds(connection: sqlite3.Connection, tables: list[Made]) -> dict[str, str]:
    """Return the kinds of the tables; without a virtual one, all are plain."""
    if not any(is_virtual(table.sql) for table in tables):
        return {}
    return dict(
        connection.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main'")
    )


def is_virtual(sql: str) -> bool:
    """Whether the text makes a virtual table."""
    return sql[:14].upper() == "CREATE VIRTUAL"


def _by_table(made: Iterable[Made]) -> dict[str, list[Made]]:
    found: dict[str, list[Made]] = {}
    for item in made:
        found.setdefault(fold(item.table), []).append(item)
    return found


def _analyzed(connection: sqlite3.Connection, tables: list[Made]) -> set[str]:
    if not any(table.name == "sqlite_stat1" for table in tables):
        return set()
    rows = connection.execute("SELECT DISTINCT tbl FROM sqlite_stat1").fetchall()
    return {fold(name) for (name,) in rows}
