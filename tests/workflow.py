"""A checkout at work, and what may never become of it: for the tests of whole days."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forge import Forge, Said

DATABASE = "priv/repo/dev.sqlite3"
PYPROJECT = f"""\
[tool.ashflow]
domains = ["shop.resources"]

[tool.ashflow.repos.repo]
url = "sqlite:///{DATABASE}"
"""
IMPORTS = """\
from ashflow import Resource, attribute, belongs_to, check, identity, index, integer_primary_key
from ashflow import statement
"""


# ------------------------------------------------------------------ what the resources declare
@dataclass
class Attribute:
    """A column: its type (`str` or `int`), whether it may be NULL, whether it has a default."""

    type: str
    null: bool = True
    default: bool = False

    def __str__(self) -> str:
        value = {"str": '"x"', "int": "0"}[self.type] if self.default else None
        return (
            self.type + " | None" * self.null + (f" = attribute(default={value})" if value else "")
        )


@dataclass
class Declared:
    """A table as it is declared; every one has an id and a token."""

    columns: dict[str, Attribute] = field(default_factory=dict)
    unique: str = ""
    indexed: str = ""
    checked: bool = False
    parent: str = ""
    raw: bool = False

    def source(self, name: str) -> str:
        """The class that declares it."""
        lines = [
            f'class {name.title()}(Resource, table="{name}"):',
            "id: int = integer_primary_key()",
            "token: str",
            *(f"{column}: {attribute}" for column, attribute in self.columns.items()),
        ]
        if self.parent:
            lines.append(f'up = belongs_to("{self.parent.title()}", nullable=True)')
        if self.unique:
            lines.append(f'one = identity("{self.unique}")')
        if self.indexed:
            lines.append(f'by = index("{self.indexed}")')
        if self.checked:
            lines.append('filled = check("length(token) > 0")')
        if self.raw:
            made, gone = f"CREATE TABLE {name}_raw (token TEXT)", f"DROP TABLE {name}_raw"
            lines.append(f'raw = statement(up="{made}", down="{gone}")')
        return "\n    ".join(lines) + "\n"


def spelled(tables: dict[str, Declared]) -> str:
    """The module that declares tables; its first line is what `read` reads."""
    said = json.dumps(tables, default=lambda one: vars(one), sort_keys=True)
    classes = "".join(f"\n\n{table.source(name)}" for name, table in sorted(tables.items()))
    return f"# {said}\n{IMPORTS}{classes}"


def read(source: str) -> dict[str, Declared]:
    """The tables that a module declares."""
    said = json.loads(source.partition("\n")[0].removeprefix("# "))
    return {name: Declared(**{**one, "columns": _columns(one)}) for name, one in said.items()}


def _columns(table: Any) -> dict[str, Attribute]:
    return {name: Attribute(**one) for name, one in table["columns"].items()}


# ------------------------------------------------------------------ the checkout
@dataclass
class Checkout:
    """A git repository with a project in it and a database with rows, and what they may not lose.

    Every value of a row is a mark: a text or a number that is in no other row.

    Args:
        forge: Runs the commands.
        root: The folder.
        owners: The marks that were ever written, each with the token of its row.
        gone: Those that the user deleted.
        away: Those that a step took away, and said so.
        named: How many names were given so far.
        log: What was done, for who reads a failure.
        now: The moment that the last command believed in; the next one comes an hour later, so that
            no two migrations get one version.
    """

    forge: Forge
    root: Path
    owners: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)
    named: int = 0
    log: list[str] = field(default_factory=list)
    now: datetime = datetime(2027, 1, 1, tzinfo=UTC)

    @classmethod
    def made(cls, forge: Forge) -> Checkout:
        """Make one, in a folder of its own."""
        self = cls(forge, Path(tempfile.mkdtemp(prefix="workflow-")) / "work")
        (self.root / "shop").mkdir(parents=True)
        (self.root / "pyproject.toml").write_text(PYPROJECT)
        (self.root / ".gitignore").write_text(f"__pycache__/\n/{DATABASE}*\n")
        (self.root / "shop/__init__.py").write_text("")
        self.declare({})
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit()
        return self

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.root.parent)

    def git(self, *arguments: str) -> bool:
        """Run git; returns whether it did what it was told."""
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, check=False)
        self.log.append(f"git {' '.join(arguments)}: {done.returncode}")
        return done.returncode == 0

    def asked(self, *arguments: str) -> str:
        """What git answers."""
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, check=True)
        return done.stdout.decode()

    def commit(self) -> None:
        """Commit all that is there."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "work")

    def stash(self) -> bool:
        """Stash all that is not committed; returns whether there was something."""
        self.git("stash", "push", "--include-untracked")
        return bool(self.asked("stash", "list"))

    def pop(self) -> None:
        """Bring back what was stashed; where that does not go here, give it up."""
        if not self.git("stash", "pop", "--quiet"):
            self.git("reset", "--quiet", "--hard")
            self.git("clean", "--quiet", "--force", "-d")
            self.git("stash", "drop", "--quiet")

    def name(self) -> str:
        """A name that was not given yet."""
        self.named += 1
        return f"change_{self.named}"

    @property
    def declared(self) -> dict[str, Declared]:
        """What the resources declare now."""
        return read((self.root / "shop/resources.py").read_text())

    def declare(self, tables: dict[str, Declared]) -> None:
        """Write the resources."""
        text = spelled(tables)
        (self.root / "shop/resources.py").write_text(text)
        self.log.append(text)

    # -------------------------------------------------------------- looking
    def database(self) -> closing[sqlite3.Connection]:
        """Open the database, which is made where it is not there."""
        return closing(sqlite3.connect(self.root / DATABASE, isolation_level=None))

    @property
    def exists(self) -> bool:
        """Whether there is a database."""
        return (self.root / DATABASE).exists()

    def dump(self) -> list[str]:
        """All that the database holds."""
        if not self.exists:
            return []
        with self.database() as db:
            return list(db.iterdump())

    def files(self) -> dict[str, bytes]:
        """The files of migrations and snapshots."""
        found = [p for p in (self.root / "priv").rglob("*") if p.is_file()]
        return {
            str(p.relative_to(self.root)): p.read_bytes() for p in found if ".sqlite3" not in p.name
        }

    def state(self) -> dict[str, Any]:
        """All that a command which refuses leaves as it was."""
        git = self.asked("status", "--porcelain=v2", "--untracked-files=all")
        return {"files": self.files(), "database": self.dump(), "git": git}

    def things(self) -> dict[str, Any]:
        """All that an undo brings back: files, git's index, the ledger, the tables, their rows."""
        git = self.asked("status", "--porcelain=v2", "--untracked-files=all")
        found: dict[str, Any] = {"files": self.files(), "git": git}
        if self.exists:
            with self.database() as db:
                rows = {table: rows_of(db, table) for table in all_tables(db)}
            del rows["ashflow_meta"]
            found |= {"rows": rows, "schema": schema_of(self.root / DATABASE)}
        return found

    def marks(self) -> dict[str, set[str]]:
        """The marks that are in the database, each with the tokens of the rows that have it."""
        if not self.exists:
            return {}
        with self.database() as db:
            return marks_in(db)

    def tables(self) -> list[str]:
        """The tables into which rows can be written."""
        if not self.exists:
            return []
        with self.database() as db:
            return tables_of(db)

    def copies(self) -> dict[str, Path]:
        """The files with values that are kept aside, by what a message says of them."""
        stores = (self.root / ".git/ashflow").glob("*")
        return {
            path.relative_to(store).as_posix(): path
            for store in stores
            for path in store.rglob("*.sqlite3")
        }

    # -------------------------------------------------------------- doing
    def insert(self, table: str, nulls: set[str] = frozenset(), skipped: bool = False) -> None:
        """Write a row of new marks, NULL where that may be, and leave defaults to the database."""
        with self.database() as db:
            row = {}
            for column, kind, required, default in columns_of(db, table):
                row |= self._value(table, column, kind, required, default, nulls, skipped)
            self._refer(db, table, row)
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            try:
                db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))
            except sqlite3.IntegrityError as error:  # a default that is to be unique
                self.log.append(f"insert into {table}: {error}")
                return
        self.log.append(f"insert into {table}: {row}")
        self.owners.update({str(v): row["token"] for n, v in row.items() if n != "up_id"})

    def _value(self, table, column, kind, required, default, nulls, skipped):
        self.named += 1
        mark = 1_000_000 + self.named
        if column in {"id", "up_id"}:
            return {}
        if not required and column in nulls:
            return {column: None}
        if default is not None and skipped:
            return {}
        start = "r" if is_raw(table) else column[0]
        return {column: mark if kind == "INTEGER" else f"{start}{mark}"}

    def _refer(self, db, table, row):
        for _, _, parent, own, *_ in db.execute(f"PRAGMA foreign_key_list({table})").fetchall():
            found = db.execute(f"SELECT max(id) FROM {parent}").fetchone()
            row[own] = found[0]

    def delete(self, table: str) -> None:
        """Delete the first row of a table that no other refers to."""
        with self.database() as db:
            db.execute("PRAGMA foreign_keys = ON")
            before = marks_in(db)
            try:
                db.execute(f"DELETE FROM {table} WHERE rowid = (SELECT min(rowid) FROM {table})")
            except sqlite3.IntegrityError:
                return
            gone = set(before) - set(marks_in(db))
        self.log.append(f"delete from {table}: {sorted(gone)}")
        self.gone |= {mark for mark, token in self.owners.items() if token in gone}

    def told(self, *arguments: str, kill: int = 0, env: dict[str, str] | None = None) -> Said:
        """Run a command, which may be killed at a moment of it."""
        self.now += timedelta(hours=1)
        return self.forge.run(self.root, *arguments, now=self.now.isoformat(), at=kill, env=env)

    def run(self, *arguments: str, kill: int = 0) -> Said:
        """Run a command, and see to it that nothing is lost without a word."""
        before, had = self.state(), self.marks()
        said = self.told(*arguments, kill=kill)
        killed = f" killed at {kill}" if said.code < 0 else ""
        self.log.append(f"ashflow {' '.join(arguments)}{killed}: {said}")
        assert "Traceback" not in said.err, said
        if said.code >= 0:
            assert said.code in {0, 1, 2}, said
            self._check_refused(arguments[0], said, before)
        self._check_marks(arguments[0], had, said)
        return said

    def _check_refused(self, deed: str, said: Said, before: dict[str, Any]) -> None:
        if not said.code:
            return
        after = self.state()
        if said.code == 1 and deed in {"migrate", "rollback"}:  # those before the one that failed
            del before["database"], after["database"]
        for what, was in before.items():
            assert after[what] == was, f"{what} changed by a command that failed: {said}"

    def _check_marks(self, deed: str, had: dict[str, set[str]], said: Said) -> None:
        has = self.marks()
        lost, back = set(had) - set(has), set(has) - set(had)
        kept: set[str] = set()
        if deed in {"migrate", "rollback"} or not goes_down(said):
            # What SQL of the user takes away is his to know.
            kept = {mark for mark in lost if mark.startswith("r")}
        for name, path in self.copies().items() if lost else ():
            if said.code < 0 or name in said.out + said.err:
                with closing(sqlite3.connect(path)) as db:
                    kept |= set(marks_in(db))
        assert lost <= kept, f"{sorted(lost - kept)} are gone, and nothing said so: {said}"
        assert back <= self.away, f"{sorted(back - self.away)} came from nowhere: {said}"
        self.away |= lost
        for mark, tokens in has.items():
            assert tokens == {self.owners[mark]}, f"{mark} is in the row of {tokens}"
        assert not self.gone & set(has), f"deleted, and there again: {sorted(self.gone & set(has))}"

    def change(self, *arguments: str, renames: bool = False) -> Said:
        """Run codegen or regen, and answer what it asks: all are renames, or none is."""
        said = self.run(*arguments, "--json")
        for _ in range(9):
            questions = said.json().get("error", {}).get("questions") if said.code == 2 else None
            if not questions:
                return said
            answers: tuple[str, ...] = ("--no-renames",)
            if renames and questions[0]["candidates"]:
                answers = tuple(questions[0]["flag"].split())
            arguments = (*arguments, *answers)
            said = self.run(*arguments, "--json")
        raise AssertionError(said)

    # -------------------------------------------------------------- what is always true
    def check(self) -> None:
        """See to it that the database is sound, that two commands agree, and the files are true."""
        if self.exists:
            with self.database() as db:
                assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        found = self._check_stale()
        status = self.told("status", "--json")
        assert "Traceback" not in status.err, status
        if status.code:
            return
        found |= {
            "edited" if one["edited"] else one["state"]
            for one in status.json()["repos"][0]["migrations"]
        }
        if found <= {"up", "stale-snapshot"} and self.exists:
            self._check_fresh()

    def _check_stale(self) -> set[str]:
        stale = self.told("codegen", "--check", "--json")
        check = self.told("check", "--json")
        assert "Traceback" not in stale.err + check.err, (stale, check)
        assert {stale.code, check.code} <= {0, 1, 2}, (stale, check)
        if check.code == 2:
            assert stale.code == 2, (stale, check)
            return {"unknown"}
        codes = {problem["code"] for problem in check.json()["problems"]}
        if stale.code == 2:
            assert codes, (stale, check)
        else:
            assert stale.code == ("stale-snapshot" in codes), (stale, check)
        return codes

    def _check_fresh(self) -> None:
        fresh = self.root.parent / "fresh.sqlite3"
        fresh.unlink(missing_ok=True)
        url = {"ASHFLOW_REPO_URL": f"sqlite:///{fresh}"}
        made = self.told("migrate", "--quiet", env=url)
        assert made.code == 0, made
        assert schema_of(self.root / DATABASE) == schema_of(fresh)


def goes_down(said: Said) -> bool:
    """Whether a run has rolled something back."""
    return "roll back" in said.out or '"rolled_back": [\n' in said.out


def is_raw(table: str) -> bool:
    """Whether a table is made by SQL, so that nobody knows of it."""
    return table.endswith("_raw") or table.startswith("change_")


def all_tables(db: sqlite3.Connection) -> list[str]:
    """The tables of a database but SQLite's own."""
    names = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return sorted(name for name in names if not name.startswith("sqlite_"))


def rows_of(db: sqlite3.Connection, table: str) -> list[str]:
    """The rows of a table, whatever the order of its columns."""
    names = sorted(name for name, *_ in columns_of(db, table))
    listed = ", ".join(f'"{name}"' for name in names)
    return sorted(repr((names, row)) for row in db.execute(f"SELECT {listed} FROM {table}"))


def tables_of(db: sqlite3.Connection) -> list[str]:
    """The tables of a database that have a token."""
    sql = (
        "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c "
        "WHERE m.type = 'table' AND c.name = 'token' ORDER BY m.name"
    )
    return [name for (name,) in db.execute(sql)]


def columns_of(db: sqlite3.Connection, table: str) -> list[tuple[str, str, bool, Any]]:
    """The columns of a table: name, type, whether one must give a value, default."""
    return [(c[1], c[2], bool(c[3]), c[4]) for c in db.execute(f"PRAGMA table_info({table})")]


def marks_in(db: sqlite3.Connection) -> dict[str, set[str]]:
    """The marks in a database, each with the tokens of the rows that have it."""
    found: dict[str, set[str]] = {}
    for table in all_tables(db):
        if table.startswith("ashflow_"):
            continue
        columns = [name for name, *_ in columns_of(db, table)]
        at = columns.index("token") if "token" in columns else None
        for row in db.execute(f"SELECT * FROM {table}"):
            for value in row:
                if is_mark(value):
                    found.setdefault(str(value), set()).add("" if at is None else row[at])
    return found


def is_mark(value: Any) -> bool:
    """Whether a value was written by a row of ours."""
    return len(text := str(value)) >= 7 and text[-7:].isdecimal() and text[-7] == "1"


def schema_of(path: Path) -> dict[str, Any]:
    """The tables of a database, as they stand."""
    from ashflow.adapters.connect import connect

    place = f"sqlite:///{path}"
    with closing(connect(place, root=path.parent)) as database, database.read() as session:
        return dict(session.introspect())
