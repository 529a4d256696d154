from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from production import Shop, make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A project, in which we stand."""
    made = make(tmp_path / "app")
    monkeypatch.chdir(made.root)
    yield made
    made.end()
