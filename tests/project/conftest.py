"""A project in this process: resources as source, real files, a real SQLite database with rows."""

from __future__ import annotations

import sqlite3
import sys
import textwrap
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from ashflow.change.renames import parse_renames
from ashflow.plan.choices import Choices
from ashflow.project import codegen, migrate
from ashflow.project.check import Asked, check
from ashflow.project.checkout import Project, open_project
from ashflow.run.clock import utc_clock
from ashflow.schema.sqltext import quote
from ashflow.schema.table import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ashflow.change.renames import Renames
    from ashflow.plan.codegen import Generated
    from ashflow.plan.problem import Problem

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
        return self.query(f"SELECT {listed} FROM {quote(table)} ORDER BY 1")

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
        wrong = [told for (told,) in self.query("PRAGMA integrity_check") if told != "ok"]
        assert [told for told in wrong if not self._null_that_is_none(told)] == []
        assert self.query("PRAGMA foreign_key_check") == []

    def _null_that_is_none(self, told: str) -> bool:
        """Whether SQLite finds a NULL where none is, as before 3.41 in a table WITHOUT ROWID."""
        table, _, column = told.removeprefix("NULL value in ").partition(".")
        if not told.startswith("NULL value in ") or sqlite3.sqlite_version_info >= (3, 41):
            return False
        return not self.query(f"SELECT 1 FROM {quote(table)} WHERE {quote(column)} IS NULL")

    def begin(self, before: str, rows: str = "") -> None:
        """Declare, write down, apply, and fill with rows."""
        self.declare(before)
        self.codegen(no_renames=True)
        self.migrate()
        self.insert(rows)

    def goes(self, before: str, after: str, rows: str, *flags: str, **choices: Any) -> Change:
        """Go from one declaration to another with rows, and back, and there again.

        Each time the schema has to be what a new database of the declaration has, the rows have
        what they had in the columns that stay, and their row ids, nothing may be stale, and SQLite
        must find nothing wrong.

        Args:
            before: The resources that the database is made from.
            after: The resources from then on.
            rows: SQL statements that fill it, one a line.
            flags: Values of `--rename`.
            choices: What else the user chose.
        """
        self.begin(before, rows)
        fresh = self.fresh(after)
        old, new = State(self.schema(), self.objects()), State(fresh.schema(), fresh.objects())
        stays = list(staying(old.tables, new.tables, parse_renames(flags)))
        old_rows = self._contents([pair.before for pair in stays])
        self.declare(after)
        (made,) = self.codegen(*flags, **{"drop_columns": True, "no_renames": not flags} | choices)
        assert self.migrate() == [made.version]
        self._is(new, [pair.after for pair in stays], old_rows)
        self.check()
        self.rollback()
        self._is(old, [pair.before for pair in stays], old_rows)
        self.migrate()
        self._is(new, [pair.after for pair in stays], old_rows)
        return Change(self, made)

    def _is(self, state: State, parts: list[Part], rows: list[Any]) -> None:
        assert self.schema() == state.tables
        assert self.objects() == state.objects
        assert self._contents(parts) == rows
        self.sound()

    def _contents(self, parts: list[Part]) -> list[Any]:
        """Return what stands in parts of tables, byte for byte."""
        found = []
        for table, columns in parts:
            listed = ", ".join(f"typeof({c}), hex({c})" for c in map(quote, columns))
            found.append(sorted(self.query(f"SELECT {listed} FROM {quote(table)}")))
        return found


class State(NamedTuple):
    """What a database has: its tables, and the names and texts of all that is in it."""

    tables: dict[str, Any]
    objects: list[Any]


class Part(NamedTuple):
    """Some columns of a table."""

    table: str
    columns: list[str]


class Pair(NamedTuple):
    """What no change touches, as it is called before and after."""

    before: Part
    after: Part


def staying(old: dict[str, Any], new: dict[str, Any], renames: Renames) -> Iterator[Pair]:
    """Yield the columns that hold the same before and after a change, and the row ids."""
    for name, table in old.items():
        target = new.get(renames.tables.get(name, name))
        if target is None or renames.old_table(target.name) != name or name == DOMAIN:
            continue
        columns = dict(_columns(table, target, renames.columns_of(name)))
        rowid = _rowid(table, target, columns)
        if rowid is not None:
            columns[rowid] = rowid
        if columns:
            yield Pair(Part(name, [*columns]), Part(target.name, [*columns.values()]))


def _columns(table: Any, target: Any, pairs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for column in table.columns:
        now = target.column(pairs.get(column.name, column.name))
        if (
            now is not None
            and (column.name in pairs or now.name not in pairs.values())
            and now.type == column.type
            and now.generated_as is column.generated_as is None
            and now.nullable >= column.nullable  # else the default may have filled it
        ):
            yield column.name, now.name


def _rowid(table: Any, target: Any, staying: Mapping[str, str]) -> str | None:
    """What the id of rows is called, where it is the same before and after."""
    old, new = _alias(table), _alias(target)
    if new is not None and (old is None or staying.get(old) != new):
        return None
    if table.options.without_rowid or target.options.without_rowid:
        return None
    taken = {column.name for column in (*table.columns, *target.columns)}
    return next(name for name in ("rowid", "oid", "_rowid_") if name not in taken)


def _alias(table: Any) -> str | None:
    """The column that is the row id by another name."""
    key = [column for column in table.columns if (column.name,) == tuple(table.primary_key)]
    return next((column.name for column in key if column.type == "raw:INTEGER"), None)


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
def workshop_at() -> Iterator[Callable[[Path], Workshop]]:
    """Make a project in this process, in a folder: `workshop_at(folder)`."""
    made: list[Workshop] = []
    path = list(sys.path)
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True

    def workshop_at(root: Path) -> Workshop:
        made.append(Workshop(root))
        return made[-1]

    yield workshop_at
    sys.path[:] = path
    sys.dont_write_bytecode = bytecode
    for name in (name for one in made for name in one.modules):
        sys.modules.pop(name, None)


@pytest.fixture
def workshop(tmp_path: Path, workshop_at: Callable[[Path], Workshop]) -> Workshop:
    """A project in this process."""
    root = tmp_path / "work"
    root.mkdir()
    return workshop_at(root)


@dataclass
class Checkout:
    """A project in a real git repository whose files are judged in this process.

    Each codegen is a second later than the one before.
    """

    project: Any
    seconds: Iterator[int] = field(default_factory=count)

    @property
    def root(self) -> Path:
        """The folder of the project."""
        return self.project.root

    @property
    def git(self) -> Any:
        """Runs git in it."""
        return self.project.git

    def declare(self, source: str, path: str = "shop/resources.py") -> None:
        """Write the resources; the imports are there already."""
        self.project.write(path, HEADER + textwrap.dedent(source))

    def codegen(self, name: str, source: str | None = None) -> str:
        """Write what differs into migrations of a name; return the version."""
        if source is not None:
            self.declare(source)
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(self.seconds))
        with forgotten():
            project = open_project(self.root, {})
            project.now = lambda: now
            found = codegen.find(project, project.repos(), Choices(no_renames=True))
            made = [codegen.generate(project, one, name) for one in found]
            codegen.write(project, [one for one in made if one is not None], found)
        return f"{now:%Y%m%d%H%M%S}"

    def check(self, *repos: str, **asked: Any) -> list[Problem]:
        """Return what is wrong with it."""
        with forgotten():
            return check(open_project(self.root, {}), repos, Asked(**asked))

    def codes(self, *repos: str, **asked: Any) -> list[str]:
        """Return the codes of what is wrong with it."""
        return [problem.code for problem in self.check(*repos, **asked)]

    def path(self, name: str) -> str:
        """Return the path of the migration of a name."""
        (found,) = self.root.glob(f"priv/*/migrations/*_{name}.py")
        return found.relative_to(self.root).as_posix()

    def snapshot(self, name: str, table: str = "posts") -> str:
        """Return the path of the snapshot of a table that belongs to the migration of a name."""
        version = self.path(name).rpartition("/")[2][:14]
        return f"priv/resource_snapshots/repo/{table}/{version}.json"

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a file by hand."""
        text = self.project.read(path)
        assert old in text
        self.project.write(path, text.replace(old, new))


@contextmanager
def forgotten() -> Iterator[None]:
    """Let go of the modules of a project when it was looked at: the next look is at new ones."""
    path, before = list(sys.path), set(sys.modules)
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.path[:] = path
        sys.dont_write_bytecode = bytecode
        sys.path_importer_cache.clear()
        for name in sys.modules.keys() - before:
            if name.partition(".")[0] in {"shop", "more"}:
                del sys.modules[name]


@pytest.fixture
def checkout(project: Any) -> Checkout:
    """A project in a real git repository, judged in this process; it has no resources yet."""
    return Checkout(project)
