"""A project in this process: resources as source, real files, a real SQLite database with rows."""

from __future__ import annotations

import sqlite3
import sys
import textwrap
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from ashflow.change.renames import parse_renames
from ashflow.plan.choices import Choices
from ashflow.project import codegen, migrate
from ashflow.project.checkout import Project, open_project, utc_clock
from ashflow.schema.sqltext import quote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ashflow.plan.codegen import Generated

HEADER = """\
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Literal
from uuid import UUID

from ashflow import (
    Domain, Resource, attribute, belongs_to, check, create_timestamp, desc, foreign_key, identity,
    index, integer_primary_key, primary_key, sql, statement, update_timestamp, utc_now,
    uuid_primary_key,
)


"""
PYPROJECT = """\
[tool.ashflow]
domains = ["{module}"]

[tool.ashflow.repos.repo]
url = "sqlite:///priv/repo/dev.sqlite3"
{more}"""
DEV = "priv/repo/dev.sqlite3"
_modules = count()


@dataclass
class Workshop:
    """A project whose commands run in this process: declare, codegen, migrate, look."""

    root: Path
    more: str = ""
    told: list[Any] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)

    def declare(self, source: str) -> None:
        """Write the resources, as a module that was never imported; the imports are there."""
        name = f"resources_{next(_modules)}"
        text = HEADER + textwrap.dedent(source)
        (self.root / f"{name}.py").write_text(text, encoding="utf-8")
        toml = PYPROJECT.format(module=name, more=self.more)
        (self.root / "pyproject.toml").write_text(toml)
        self.modules.append(name)

    def open(self, env: dict[str, str] | None = None) -> Project:
        """Return the project, read anew."""
        return open_project(self.root, env or {}, tell=self.told.append)

    def find(self, *flags: str, **choices: Any) -> list[codegen.Found]:
        """Compare resources and snapshots; flags are values of `--rename`."""
        chosen = Choices(renames=parse_renames(flags), **choices)
        project = self.open()
        return codegen.find(project, project.repos(), chosen)

    def codegen(self, *flags: str, now: Any = utc_clock, **choices: Any) -> list[Generated]:
        """Write what differs; return what was written."""
        found = self.find(*flags, **choices)
        project = self.open()
        project.now = now
        made = [codegen.generate(project, one, codegen.derived_name(one)) for one in found]
        written = [one for one in made if one is not None]
        if written:
            codegen.write(project, written, found)
        return written

    def migrate(self, env: dict[str, str] | None = None) -> list[str]:
        """Apply what is pending; return the versions."""
        project = self.open(env)
        planned = migrate.plan_up(project, project.repos())
        ran = migrate.run(project, planned, create=True)
        return [done.version for one in ran for done in one.done]

    def rollback(self, *, step: int = 1) -> None:
        """Take back what was applied last."""
        project = self.open()
        planned = migrate.plan_down(project, project.repos(), step=step)
        migrate.run(project, planned)

    def check(self) -> None:
        """See to it that nothing is stale."""
        assert not any(one.change for one in self.find(no_renames=True))

    def query(self, sql: str, *values: Any, path: str = DEV) -> list[Any]:
        """Run SQL on a database."""
        with closing(sqlite3.connect(self.root / path, isolation_level=None)) as db:
            return db.execute(sql, values).fetchall()

    def insert(self, rows: str) -> None:
        """Run SQL statements, one a line."""
        for line in textwrap.dedent(rows).strip().splitlines():
            self.query(line)

    def rows(self, table: str, *columns: str) -> list[Any]:
        """Return the rows of a table in some columns, in order of the first."""
        listed = ", ".join(map(quote, columns))
        return self.query(f'SELECT {listed} FROM "{table}" ORDER BY 1')

    def schema(self, path: str = DEV) -> dict[str, Any]:
        """Return the tables of a database as they stand."""
        project = self.open({"ASHFLOW_REPO_URL": f"sqlite:///{path}"})
        with project.database(project.repos()[0]).read() as session:
            return dict(session.introspect())

    def objects(self, path: str = DEV) -> list[Any]:
        """Return the kinds and names of all that a database has, and the SQL of views."""
        text = "CASE WHEN type IN ('view', 'trigger') THEN sql END"
        return self.query(
            f"SELECT type, name, {text} FROM sqlite_master WHERE name NOT LIKE 'ashflow%' "
            "AND name NOT LIKE 'sqlite_%' ORDER BY 1, 2",
            path=path,
        )

    def fresh(self, source: str) -> Workshop:
        """Return a project that has been declared in one go."""
        root = self.root.parent / f"fresh_{next(_modules)}"
        root.mkdir()
        other = replace(self, root=root, modules=self.modules)
        other.declare(source)
        other.codegen(no_renames=True)
        other.migrate()
        return other

    def sound(self) -> None:
        """See to it that SQLite finds nothing wrong."""
        assert self.query("PRAGMA integrity_check") == [("ok",)]
        assert self.query("PRAGMA foreign_key_check") == []

    def begin(self, before: str, rows: str = "") -> None:
        """Declare, write down, apply, and fill with rows."""
        self.declare(before)
        self.codegen(no_renames=True)
        self.migrate()
        self.insert(rows)

    def goes(self, before: str, after: str, rows: str, *flags: str, **choices: Any) -> Change:
        """Go from one declaration to another with rows, and back, and there again.

        Each time the schema has to be what a new database of the declaration has, nothing may be
        stale, and SQLite must find nothing wrong.

        Args:
            before: The resources that the database is made from.
            after: The resources from then on.
            rows: SQL statements that fill it, one a line.
            flags: Values of `--rename`.
            choices: What else the user chose.
        """
        self.begin(before, rows)
        start, objects = self.schema(), self.objects()
        self.declare(after)
        (made,) = self.codegen(*flags, **{"drop_columns": True, "no_renames": not flags} | choices)
        assert self.migrate() == [made.version]
        fresh = self.fresh(after)
        change = Change(self, made)
        self._is(fresh.schema(), fresh.objects())
        self.check()
        self.rollback()
        self._is(start, objects)
        self.migrate()
        self._is(fresh.schema(), fresh.objects())
        return change

    def _is(self, schema: dict[str, Any], objects: list[Any]) -> None:
        assert self.schema() == schema
        assert self.objects() == objects
        self.sound()


@dataclass
class Change:
    """What a change came to: the operations that were written, and the project to look into."""

    workshop: Workshop
    made: Generated

    @property
    def did(self) -> list[str]:
        """The kinds of its operations."""
        return [type(operation).__name__ for operation in self.made.change.operations]

    @property
    def operations(self) -> list[Any]:
        """Its operations."""
        return list(self.made.change.operations)

    def rows(self, table: str, *columns: str) -> list[Any]:
        """Return the rows of a table in some columns."""
        return self.workshop.rows(table, *columns)


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A project in this process."""
    root = tmp_path / "work"
    root.mkdir()
    found = Workshop(root)
    path = list(sys.path)
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    yield found
    sys.path[:] = path
    sys.dont_write_bytecode = bytecode
    for name in found.modules:
        sys.modules.pop(name, None)
