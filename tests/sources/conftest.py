"""Write a module of resources and load it, as a command does."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from ashflow.sources.load import load_declared

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """\
from __future__ import annotations
from datetime import date, datetime, time, timezone, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import *
from uuid import UUID
from ashflow import *
"""


class Shop:
    """A project whose resources stand in `shop.py`.

    Args:
        root: Its folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, body: str) -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(body))
        return file

    def load(self, *domains: str, repos=("repo",)):
        self.forget()
        return load_declared(
            domains or ["shop"], pythonpath=[self.root], root=self.root, repos=repos
        )

    def declare(self, body: str, *, header: str = HEADER, repos=("repo",)):
        self.write("shop.py", header + textwrap.dedent(body))
        return self.load(repos=repos)[repos[0]]

    def table(self, body: str, *, header: str = HEADER):
        return next(iter(self.declare(body, header=header).schema.values()))

    def column(self, body: str, name: str = "it", *, header: str = HEADER):
        lines = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
        table = self.table(f"class Thing(Resource, table='things'):\n{lines}\n", header=header)
        return table.column(name)

    def forget(self) -> None:
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None) or "").startswith(str(self.root)):
                del sys.modules[name]


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Shop(tmp_path)
    yield made
    made.forget()
