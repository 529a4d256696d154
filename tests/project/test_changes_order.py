"""Versions and names: their order holds, whatever the clock says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ashflow.errors import UsageError

HEAD = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
"""
NOW = datetime(2026, 11, 23, 6, 10, 0, tzinfo=UTC)
VERSION = "20261123061000"
LAST = "99999999999999"


def at(moment):
    """Return a clock that stands still."""
    return lambda: moment


def columns(count):
    """Return a declaration with so many columns."""
    return HEAD + "".join(f"    n{i}: int = {i}\n" for i in range(count))


def test_two_within_one_second_are_in_order(workshop):
    versions = []
    for count in range(3):
        workshop.declare(columns(count))
        (made,) = workshop.codegen(now=at(NOW))
        versions.append(made.version)
    assert versions == [VERSION, "20261123061001", "20261123061002"]
    assert workshop.migrate() == versions
    workshop.check()


@pytest.mark.parametrize("back", [NOW.replace(year=2001), NOW.replace(second=0, month=1)])
def test_a_clock_that_is_set_back_changes_no_order(workshop, back):
    workshop.declare(columns(0))
    workshop.codegen(now=at(NOW))
    workshop.migrate()
    workshop.declare(columns(1))
    (made,) = workshop.codegen(now=at(back))
    assert made.version == "20261123061001"
    assert workshop.migrate() == [made.version]
    assert [c.name for c in workshop.schema()["posts"].columns] == ["id", "n0"]
    workshop.check()


@pytest.mark.parametrize("kind", ["migration", "snapshot"])
def test_a_version_in_the_future_is_followed(workshop, kind):
    workshop.declare(columns(0))
    workshop.codegen(now=at(NOW.replace(year=2099)))
    if kind == "snapshot":
        (path,) = (workshop.root / "priv/repo/migrations").iterdir()
        path.unlink()
    workshop.declare(columns(1))
    (made,) = workshop.codegen(now=at(NOW))
    assert made.version == "20991123061001"


def test_at_the_last_of_all_versions_codegen_ends_and_writes_nothing(workshop):
    workshop.declare(columns(0))
    workshop.codegen(now=at(NOW))
    folder = workshop.root / "priv/repo/migrations"
    text = "from ashflow.migration import Migration\n\nmigration = Migration(operations=[])\n"
    (folder / f"{LAST}_last.py").write_text(text)
    files = sorted(folder.iterdir())
    workshop.declare(columns(1))
    with pytest.raises(UsageError, match=f"no version comes after {LAST}"):
        workshop.codegen(now=at(NOW))
    assert sorted(folder.iterdir()) == files
