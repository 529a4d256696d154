from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import changed_schemas, populated

from ashflow.adapters.connect import connect
from ashflow.adapters.protocol import CAREFUL, Care
from ashflow.change.diff import diff
from ashflow.change.reverse import reverse_all
from ashflow.errors import RowsForbid
from ashflow.schema.datatypes import Sql, UtcNow
from ashflow.schema.sqltext import quote
from ashflow.schema.table import DOMAIN, Schema

NOTHING = Schema()
LOOSE = {"decimal", "raw:ANY"}


@contextmanager
def databases(number, *, care=CAREFUL, log=None):
    """Some empty databases; the care is for the last of them."""
    with tempfile.TemporaryDirectory() as folder:
        cares = [*[CAREFUL] * (number - 1), care]
        found = [
            connect(f"sqlite:///{n}.db", root=Path(folder), care=one, log=log)
            for n, one in enumerate(cares)
        ]
        for database in found:
            database.create()
        yield found
        for database in found:
            database.close()


def run(database, operations):
    with database.locked() as session:
        session.run(operations)


def insert(database, schema, rows):
    with database.locked() as session:
        for name, found in rows.items():
            for row in found:
                columns = ", ".join(quote(column) for column in row)
                marks = ", ".join("?" for _ in row)
                sql = f"INSERT INTO {quote(name)} ({columns}) VALUES ({marks})"
                session.execute(sql, list(row.values()))


def contents(database, tables):
    """The rows of tables in some of their columns, byte for byte: a text may be no UTF-8."""
    with database.read() as session:
        found = {}
        for name, columns in tables.items():
            listed = ", ".join(f"typeof({quote(c)}), hex({quote(c)})" for c in columns)
            found[name] = sorted(session.execute(f"SELECT {listed} FROM {quote(name)}"))
        return found


def told(database):
    with database.read() as session:
        return dict(session.introspect())


def healthy(database):
    with database.read() as session:
        found = session.execute("PRAGMA integrity_check")
        # SQLite 3.40 mixes columns up where the key of WITHOUT ROWID does not stand in front.
        assert [told for (told,) in found if " value in " not in told] in ([], ["ok"])
        assert session.execute("PRAGMA foreign_key_check") == []


def kept(old, new):
    """By table, the columns whose values no change touches."""
    return {
        name: [
            column.name
            for column in table.columns
            if column.generated_as is None
            and (after := new[name].column(column.name)) is not None
            and after.generated_as is None
            and after.type == column.type
            # STRICT keeps a decimal as a text, and what is in ANY as it is given.
            and (new[name].options.strict == table.options.strict or column.type not in LOOSE)
        ]
        for name, table in old.items()
        if name in new and name != DOMAIN
    }


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_changed_database_is_as_one_made_so_and_its_rows_are_there(data):
    old, new = data.draw(changed_schemas(keeps_rows=True))
    rows = data.draw(populated(old))
    with databases(2) as (changed, made):
        run(changed, diff(NOTHING, old))
        insert(changed, old, rows)
        shared = {name: columns for name, columns in kept(old, new).items() if columns}
        before = contents(changed, shared)
        try:
            run(changed, diff(old, new))
        except RowsForbid as error:
            # A text in ANY that reads as a number is one where the table is STRICT no more.
            assume("would have another value" not in error.message)
            raise
        run(made, diff(NOTHING, new))
        assert told(changed) == told(made)
        assert contents(changed, shared) == before
        healthy(changed)


@given(changed_schemas())
def test_a_way_down_leads_back(pair):
    old, new = pair
    with databases(1) as (database,):
        run(database, diff(NOTHING, old))
        before = told(database)
        operations = diff(old, new)
        run(database, operations)
        run(database, reverse_all(operations))
        assert told(database) == before


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_change_is_made_whole_or_refused_with_everything_as_it_was(data):
    old, new = data.draw(changed_schemas())
    rows = data.draw(populated(old))
    with databases(1) as (database,):
        run(database, diff(NOTHING, old))
        insert(database, old, rows)
        everything = {
            name: [c.name for c in table.columns] for name, table in old.items() if name != DOMAIN
        }
        before = told(database), contents(database, everything)
        try:
            run(database, diff(old, new))
        except RowsForbid:
            assert (told(database), contents(database, everything)) == before
        else:
            shared = {name: columns for name, columns in kept(old, new).items() if columns}
            counted = {name: len(found) for name, found in before[1].items() if name in shared}
            after = contents(database, shared)
            assert {name: len(found) for name, found in after.items()} == counted
        healthy(database)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_table_that_is_edited_in_place_is_as_one_that_is_made_anew(data):
    old, new = data.draw(changed_schemas())
    rows = data.draw(populated(old))
    with databases(2, care=Care(rebuild=True)) as both:
        found = []
        for database in both:
            run(database, diff(NOTHING, old))
            insert(database, old, rows)
            try:
                run(database, diff(old, new))
                refused = False
            except RowsForbid:
                refused = True
            there = {
                name: [c.name for c in table.columns if not isinstance(c.default, Sql | UtcNow)]
                for name, table in (old if refused else new).items()
                if name != DOMAIN
            }
            found.append(
                (refused, told(database), contents(database, {n: c for n, c in there.items() if c}))
            )
            healthy(database)
        assert found[0] == found[1]


@given(changed_schemas())
def test_no_table_is_made_anew_twice_in_one_migration(pair):
    old, new = pair
    log = []

    def told(sql, ms=None):
        log.extend([sql] if ms is None else [])

    with databases(1, care=Care(rebuild=True), log=told) as (database,):
        run(database, diff(NOTHING, old))
        log.clear()
        run(database, diff(old, new))
    made = [sql for sql in log if sql.startswith('CREATE TABLE "__ashflow_')]
    assert len({sql.partition(" (")[0] for sql in made}) == len(made)
