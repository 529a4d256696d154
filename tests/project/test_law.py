"""The law of codegen: whatever changes, the database is as one made so, and its rows are there.

Random pairs of schemas, declared as resources: the first is written down, applied and filled with
rows, then the second; then all of it is taken back.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import changed_schemas, populated, renamed_schemas
from strategies.sources import declarable, is_declarable, source_of

from ashflow.change.renames import Renames, spelled
from ashflow.errors import RowsForbid, UsageError
from ashflow.schema.sqltext import quote
from ashflow.schema.table import DOMAIN, Schema, Table

law = settings(
    max_examples=max(100, settings.default.max_examples),
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # each example has a folder of its own
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
NO_RENAMES = Renames()
DROPPING = {"drop_columns": True, "drop_tables": True}
LOOSE = {"decimal", "raw:ANY"}
ROWID = {"integer", "boolean"}


@dataclass
class Day:
    """A project whose resources are schemas: declare, write down, apply, look."""

    workshop: Any

    def goes(self, schema: Schema, renames: Renames = NO_RENAMES, **choices: Any) -> Any:
        """Go to a schema; return what was written, which may be nothing."""
        written = self.writes(schema, renames, **choices)
        self.workshop.migrate()
        self.workshop.check()
        return written

    def writes(self, schema: Schema, renames: Renames = NO_RENAMES, **choices: Any) -> Any:
        """Declare a schema and write down what is to be done; return it, None for nothing."""
        self.workshop.declare(source_of(schema))
        written = self.workshop.codegen(*flags(renames), no_renames=True, **choices)
        return written[0] if written else None

    def rolls_back(self) -> bool:
        """Roll back; where rows forbid it, see that they are left alone, and go without them."""
        before = self.state()
        try:
            self.workshop.rollback()
        except RowsForbid:
            assert self.state() == before
            self.empties()
            self.workshop.rollback()
            return False
        return True

    def forgets(self, written: Any, schema: Schema) -> None:
        """Take away the files of what was rolled back: all is as before they were written."""
        for path in written.files:
            (self.workshop.root / path).unlink()
        self.workshop.declare(source_of(schema))
        self.workshop.check()

    def tables(self) -> dict[str, Table]:
        """The tables as the database has them."""
        return self.workshop.schema()

    def made(self, schema: Schema) -> dict[str, Table]:
        """The tables of a new database of a schema."""
        return self.workshop.fresh(source_of(schema)).schema()

    def state(self) -> tuple[dict[str, Table], dict[str, list[Any]]]:
        """All that the database has."""
        tables = self.tables()
        return tables, self.contents(
            {name: [c.name for c in table.columns] for name, table in tables.items()}
        )

    def contents(self, columns: dict[str, list[str]]) -> dict[str, list[Any]]:
        """The rows of tables in some of their columns, byte for byte, each list sorted."""
        found = {}
        for table, names in columns.items():
            listed = ", ".join(f"typeof({name}), hex({name})" for name in map(quote, names))
            if listed:
                found[table] = sorted(self.workshop.query(f"SELECT {listed} FROM {quote(table)}"))
        return found

    def insert(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        with closing(sqlite3.connect(self.workshop.root / "priv/repo/dev.sqlite3")) as db:
            for table, found in rows.items():
                for row in found:
                    columns, marks = ", ".join(map(quote, row)), ", ".join("?" * len(row))
                    sql = f"INSERT INTO {quote(table)} ({columns}) VALUES ({marks})"
                    db.execute(sql, list(row.values()))
            db.commit()

    def empties(self) -> None:
        for name in self.tables():
            if name != DOMAIN:
                self.workshop.query(f"DELETE FROM {quote(name)}")


@contextmanager
def day_of(workshop, schema, rows):
    """Begin with a schema and rows, in a folder that goes afterwards, with its modules."""
    path = list(sys.path)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "work"
        root.mkdir()
        day = Day(replace(workshop, root=root, told=[], modules=[]))
        try:
            day.goes(schema)
            day.insert(rows)
            yield day
        finally:
            sys.path[:] = path
            for name in day.workshop.modules:
                sys.modules.pop(name, None)


def as_resources(data, old, new):
    """The schemas, as resources can declare them, and rows for the first."""
    assume(is_declarable(old) and is_declarable(new))
    return declarable(old), declarable(new), data.draw(populated(old))


def flags(renames):
    """The values of `--rename` that say so."""
    said = [f"{spelled(old)}={spelled(new)}" for old, new in renames.tables.items()]
    for table, pairs in renames.columns.items():
        said += [f"{spelled(table, old)}={spelled(new)}" for old, new in pairs.items()]
    return said


# ------------------------------------------------------------------ what no change touches
def surviving(old, new, renames=NO_RENAMES):
    """The columns and row ids that no change touches, by table: as before, and as they are then."""
    before, after = {}, {}
    for name, table in old.items():
        target = new.get(renames.tables.get(name, name))
        if target is not None and renames.old_table(target.name) == name:
            pairs = dict(_columns(table, target, renames.columns_of(name)))
            before[name], after[target.name] = [*pairs], [*pairs.values()]
    return before, after


def _columns(table, target, pairs):
    for column in table.columns:
        now = pairs.get(column.name, column.name)
        wanted = target.column(now)
        if (
            wanted is not None
            and (column.name in pairs or now not in pairs.values())
            and wanted.type == column.type
            and column.generated_as is None
            and wanted.generated_as is None
            # STRICT keeps a decimal as a text, and what is in ANY as it is given.
            and (table.options.strict == target.options.strict or column.type not in LOOSE)
        ):
            yield column.name, now
    if _keep_rowids(table, target, pairs):
        yield "rowid", "rowid"


def _keep_rowids(table, target, pairs):
    """Whether rows have an id afterwards that is no column, or is the column that it was."""
    if table.options.without_rowid or target.options.without_rowid:
        return False
    old, new = _alias(table), _alias(target)
    return new is None or (old is not None and pairs.get(old, old) == new)


def _alias(table):
    key = [c for c in table.columns if (c.name,) == tuple(table.primary_key)]
    return next((column.name for column in key if column.type in ROWID), None)


def with_kept(old, new, renames):
    """The new schema with all columns and tables that only the old one has."""
    lost = [t for name, t in old.items() if name not in new and name not in renames.tables]
    return Schema([*(_with_lost_columns(old, table, renames) for table in new.values()), *lost])


def _with_lost_columns(old, table, renames):
    was = renames.old_table(table.name)
    if was not in old or renames.tables.get(was, was) != table.name:
        return table
    pairs = renames.columns_of(was)
    lost = [c for c in old[was].columns if c.name not in pairs and table.column(c.name) is None]
    return replace(table, columns=[*table.columns, *lost])


def without_kept(tables, new):
    """The tables of a database without the columns and tables that a schema does not have."""
    return {
        name: replace(table, columns=[c for c in table.columns if new[name].column(c.name)])
        for name, table in tables.items()
        if name in new
    }


# ------------------------------------------------------------------ the laws
@law
@given(st.data())
def test_a_changed_database_is_as_one_made_so_and_leads_back(workshop, data):
    old, new, rows = as_resources(data, *data.draw(changed_schemas(keeps_rows=True)))
    with day_of(workshop, old, rows) as day:
        check_change(day, old, new)


@law
@given(st.data())
def test_values_follow_the_names(workshop, data):
    old, new, renames = data.draw(renamed_schemas())
    old, new, rows = as_resources(data, old, new)
    with day_of(workshop, old, rows) as day:
        check_change(day, old, new, renames)


def check_change(day, old, new, renames=NO_RENAMES):
    before, after = surviving(old, new, renames)
    start, contents = day.tables(), day.contents(before)
    try:
        written = day.goes(new, renames, **DROPPING)
    except RowsForbid as error:
        # A text in ANY that reads as a number is one where the table is STRICT no more.
        assume("would have another value" not in error.message)
        raise
    assert day.tables() == day.made(new)
    assert list(day.contents(after).values()) == list(contents.values())
    if written is not None:
        if day.rolls_back():
            assert day.contents(before) == contents
        assert day.tables() == start
        day.forgets(written, old)


@law
@given(st.data())
def test_what_is_kept_has_its_values_and_goes_later(workshop, data):
    old, new, renames = data.draw(renamed_schemas())
    old, new, rows = as_resources(data, old, new)
    with day_of(workshop, old, rows) as day:
        try:
            written = day.writes(new, renames)
        except UsageError as error:
            assume("is kept" not in error.message)  # and in the way of something new
            raise
        before, after = surviving(old, with_kept(old, new, renames), renames)
        start, contents = day.tables(), day.contents(before)
        day.workshop.migrate()
        day.workshop.check()
        fresh = day.made(new)
        assert without_kept(day.tables(), new) == without_kept(fresh, new)
        assert list(day.contents(after).values()) == list(contents.values())
        if written is not None:
            if day.rolls_back():
                assert day.contents(before) == contents
            assert day.tables() == start
            day.workshop.migrate()
        day.goes(new, **DROPPING)
        assert day.tables() == fresh


@law
@given(st.data())
def test_a_change_is_made_whole_or_refused_with_everything_as_it_was(workshop, data):
    old, new, renames = data.draw(renamed_schemas(keeps_rows=False))
    old, new, rows = as_resources(data, old, new)
    with day_of(workshop, old, rows) as day:
        before = day.state()
        day.writes(new, renames, **DROPPING)
        try:
            day.workshop.migrate()
        except RowsForbid:
            assert day.state() == before
            day.empties()
            day.workshop.migrate()
        assert day.tables() == day.made(new)
        day.workshop.check()
