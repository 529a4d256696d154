"""Migrations that come as the data of an installed package, which is never imported."""

from __future__ import annotations

import base64
import hashlib
import importlib
import subprocess
import sys
import zipfile

import pytest
from production import table, version

from ashflow import release
from ashflow.errors import ConfigError
from ashflow.release.repos import folder_of

NEVER = 'raise RuntimeError("the package was imported")\n'
FILES = {
    "shop/__init__.py": NEVER,
    "shop/migrations/__init__.py": NEVER,
    f"shop/migrations/{version(1)}_a.py": "from ashflow.migration import *\n\n"
    f"migration = Migration(operations=[{table('a')}])\n",
    f"shop/migrations/{version(2)}_b.py": "from ashflow.migration import *\n\n\n"
    "def up(db):\n    db.execute('INSERT INTO a VALUES (7)')\n\n\n"
    "migration = Migration(operations=[Run(up=up)])\n",
    "shop/store/__init__.py": NEVER,
    f"shop/store/db/{version(3)}_c.py": "from ashflow.migration import *\n\n"
    f"migration = Migration(operations=[{table('c')}])\n",
    "shop-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n",
    "shop-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\n"
    "Root-Is-Purelib: true\nTag: py3-none-any\n",
}


def wheel(folder):
    """Write a wheel, which is a zip with a list of what is in it."""
    path = folder / "shop-1.0-py3-none-any.whl"
    record = []
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            record.append(f"{name},sha256={digest.decode().rstrip('=')},{len(text.encode())}")
        record.append("shop-1.0.dist-info/RECORD,,")
        archive.writestr("shop-1.0.dist-info/RECORD", "\n".join(record) + "\n")
    return path


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel."""
    return wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def site(built, tmp_path_factory):
    """The folder in which pip has installed it."""
    site = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-compile", "--target", str(site), str(built)], check=True)
    return site


@pytest.fixture
def installed(site, monkeypatch, tmp_path):
    """Let the package be found, in a folder that has nothing else."""
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(tmp_path)
    importlib.invalidate_caches()
    yield site
    assert not [name for name in sys.modules if name.partition(".")[0] == "shop"]


PROGRAM = """
    import sys
    from ashflow import release

    repo = release.Repo("repo", url="sqlite:///app.db", migrations="shop:migrations")
    (done,) = release.migrate([repo])
    print([one.name for one in done.migrations], "shop" in sys.modules)
    print([one.path for one in release.status([repo])[0].migrations])
    print([one.name for one in release.rollback(repo, to="20260101000002").migrations])
"""


def test_an_image_with_nothing_but_the_wheel_is_migrated(shop, site, unmeasured):
    (shop.root / "pyproject.toml").unlink()
    (shop.root / "shop/__init__.py").unlink()
    shop.runs(9, "z", "pass")
    program = PROGRAM.replace("(done,)", "sys.path.insert(0, sys.argv[1])\n    (done,)")
    failed = shop.run(program, str(site), block=True, code=1)
    assert "b can't be rolled back" in failed.err.replace(f"{version(2)}_", "")
    assert failed.out.splitlines() == [
        "['a', 'b'] False",
        f"['migrations/{version(1)}_a.py', 'migrations/{version(2)}_b.py']",
    ]
    assert shop.ask("SELECT id FROM a") == [(7,)]


def test_the_command_takes_them_from_the_package(shop, site):
    words = ("--url", "sqlite:///app.db", "--migrations", "shop:migrations", "--json")
    done = shop.run("migrate", *words, PYTHONPATH=str(site)).json()
    assert [one["name"] for one in done["repos"][0]["migrations"]] == ["a", "b"]


@pytest.mark.parametrize("where", ["shop.store:db", "shop:store/db"])
def test_they_may_stand_deeper(installed, tmp_path, where):
    repo = release.Repo("repo", url="sqlite:///app.db", migrations=where)
    (done,) = release.migrate([repo])
    assert [one.name for one in done.migrations] == ["c"]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("shop:nowhere", "no folder nowhere in the package shop"),
        ("shop:__init__.py", "no folder __init__.py in the package shop"),
        ("nosuch:migrations", "no folder migrations in the package nosuch"),
        ("nosuch.deep:migrations", "no folder migrations in the package nosuch.deep"),
        ("json:migrations", "no folder migrations in the package json"),
        ("sys:migrations", "no folder migrations in the package sys"),
        (":migrations", "no folder migrations in the package"),
        ("shop:", "'shop:' names a package, and no folder in it"),
        ("__main__:migrations", "no folder migrations in the package __main__"),
        ("x" * 300, "cannot be reached: File name too long"),
        ("nosuch", "nosuch is not there"),
        ("..:x", "no folder x in the package"),
        (".shop:migrations", "no folder migrations in the package"),
    ],
)
def test_what_is_not_there_is_named_and_no_database_is_made(installed, tmp_path, where, said):
    repo = release.Repo("repo", url="sqlite:///app.db", migrations=where)
    with pytest.raises(ConfigError) as caught:
        release.migrate([repo])
    assert said in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("field", ["url", "migrations"])
def test_what_is_empty_as_an_unset_variable_is_refused(field):
    given = {"url": "sqlite:///app.db", "migrations": "shop:migrations", field: None}
    with pytest.raises(ConfigError, match=f"{field} of the repo repo is empty") as caught:
        release.Repo("repo", **given)
    assert "environment variable" in caught.value.hint


def test_a_package_in_an_archive_is_told(built, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(built)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="no folder migrations in the package shop") as caught:
        release.migrate([release.Repo("repo", url="sqlite:///a.db", migrations="shop:migrations")])
    assert "archive" in caught.value.hint


def test_a_package_that_is_half_imported_is_not_looked_into(installed):
    # The application calls it while it starts: its own package is being imported just then.
    assert folder_of("shop:migrations") == installed / "shop/migrations"


def test_a_path_goes_before_a_package(installed, tmp_path):
    (tmp_path / "shop:migrations").mkdir()
    assert folder_of("shop:migrations") == tmp_path / "shop:migrations"
    with pytest.raises(ConfigError, match="is not there"):
        folder_of(tmp_path / "shop:store")
