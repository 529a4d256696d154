from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from ashflow.adapters.connect import connect


@dataclass
class Base:
    """A real SQLite file: `base.run(operation, …)`, `base.do(sql, …)`, `base.ask(sql)`."""

    database: Any
    path: Any
    log: list[str] = field(default_factory=list)

    def run(self, *operations: Any) -> list[str]:
        """Run operations in one migration, and return the statements."""
        self.log.clear()
        with self.database.locked() as session:
            session.run(operations)
        return list(self.log)

    def told(self, sql: str, ms: float | None = None) -> None:
        """Write a statement down when it begins."""
        if ms is None:
            self.log.append(sql)

    def do(self, *statements: str) -> None:
        with self.database.locked() as session:
            for sql in statements:
                session.execute(sql)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with self.database.read() as session:
            return session.execute(sql)

    def schema(self) -> Any:
        with self.database.read() as session:
            return session.introspect()

    def dump(self) -> list[Any]:
        """All that the database holds."""
        tables = self.ask("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        made = self.ask("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid")
        return [made, *([name, self.ask(f'SELECT * FROM "{name}"')] for (name,) in tables)]


@pytest.fixture
def base(tmp_path):
    log: list[str] = []
    base = Base(None, tmp_path / "base.db", log)
    base.database = connect("sqlite:///base.db", root=tmp_path, log=base.told, lock_timeout=0.3)
    base.database.create()
    yield base
    base.database.close()
