"""The floors of the house: an import goes down, and each outside package has one room."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ashflow

FLOORS = {
    "errors": 1,
    "values": 1,
    "schema": 2,
    "toml": 2,
    "signals": 2,
    "traceback": 2,
    "change": 3,
    "sources": 3,
    "worktree": 3,
    "config": 3,
    "migration": 4,
    "history": 4,
    "plan": 5,
    "adapters": 5,
    "run": 6,
    "release": 7,
    "project": 8,
    "cli": 9,
    "__main__": 9,
}
APART = ({"plan", "adapters"},)
"""Rooms of one floor that know nothing of each other."""

ONLY_THERE = {
    "click": "cli",
    "rich": "cli",
    "git": "worktree.git",
    "subprocess": "worktree.git",
}
"""Outside packages that one room alone imports."""

FACE_ONLY = "sample"
"""The room that is a user's: it imports the package itself, and nothing behind it."""


@dataclass(frozen=True)
class Import:
    """One import: the module it stands in, the module it names, and where."""

    module: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.module}, line {self.line}, imports {self.target}"


def read_imports(folder: Path) -> list[Import]:
    """All imports of a package, those in functions and under TYPE_CHECKING too."""
    modules = {_name(folder, path): path for path in sorted(folder.rglob("*.py"))}
    return [
        Import(module, target, node.lineno)
        for module, path in modules.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for target in _targets(node, module, path.name == "__init__.py", modules)
    ]


def _name(folder: Path, path: Path) -> str:
    parts = (folder.name, *path.relative_to(folder).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


def _targets(node, module, is_package, modules):
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = module.split(".")
            near = parts[: len(parts) - node.level + is_package]
            base = ".".join([*near, *filter(None, [node.module])])
        inner = {f"{base}.{alias.name}" for alias in node.names}
        found = inner & modules.keys()
        yield from found
        if found != inner:
            yield base


def findings(folder: Path) -> list[str]:
    """What is wrong with the imports of a package, a sentence each."""
    package = folder.name
    imports = read_imports(folder)
    rooms = {_room(each.module) for each in imports}
    unknown = rooms - FLOORS.keys() - {"", FACE_ONLY}
    found = [f"{package}.{room} has no floor; give it one in FLOORS" for room in sorted(unknown)]
    for each in imports:
        inside = each.target.split(".")[0] == package
        wrong = _inner_fault(each) if inside else _outer_fault(each)
        if wrong:
            found.append(f"{each}: {wrong}")
    return found + _circles(imports, package)


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def _inner_fault(each: Import) -> str:
    here, there = _room(each.module), _room(each.target)
    if not here or not there or here == there:
        return ""
    if here == FACE_ONLY:
        return "the sample is a user's code, and imports `ashflow` only"
    if there == FACE_ONLY:
        return "nobody needs the sample"
    if FLOORS.get(there, 0) > FLOORS.get(here, 99):
        return f"that goes up, from floor {FLOORS[here]} to floor {FLOORS[there]}"
    if any({here, there} == pair for pair in APART):
        return f"{here} and {there} know nothing of each other"
    return ""


def _outer_fault(each: Import) -> str:
    room = ONLY_THERE.get(each.target.split(".")[0])
    inside = each.module.partition(".")[2]
    if room is None or inside == room or inside.startswith(f"{room}."):
        return ""
    return f"only {room} does that"


def _circles(imports: list[Import], package: str) -> list[str]:
    graph: dict[str, set[str]] = {}
    for each in imports:
        inside = each.target.split(".")[0] == package and package not in {each.module, each.target}
        if inside and each.module != each.target:
            graph.setdefault(each.module, set()).add(each.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [f"a circle: {' imports '.join(reversed(error.args[1]))}"]
    return []


def test_imports_go_down_and_nowhere_in_circles():
    found = findings(Path(ashflow.__file__).parent)
    assert not found, "\n" + "\n".join(found)


@pytest.fixture
def house(tmp_path):
    """Make a package called `ashflow` of a few files, and tell what is wrong with it."""

    def build(**files):
        folder = tmp_path / "ashflow"
        for name, text in {"__init__": "", **files}.items():
            path = folder.joinpath(*name.split("__to__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return findings(folder)

    return build


def test_a_house_in_order_has_no_findings(house):
    assert not house(
        errors="",
        schema__to____init__="",
        schema__to__table="import json\nfrom ashflow.errors import A\n",
        change__to__diff="from ashflow.schema import table\nfrom ..errors import B\n",
        cli__to__run="import click\nfrom rich.table import Table\nimport ashflow\n",
        worktree__to__git="import subprocess\nfrom git import Repo\n",
        sample__to__resources="from ashflow import Resource\n",
        __init__="from ashflow.cli import main\n",
    )


@pytest.mark.parametrize(
    "line",
    [
        "from ashflow.plan.steps import Plan",
        "from ashflow.plan import steps",
        "from ashflow import plan",
        "import ashflow.plan.steps",
        "from ..plan import steps",
        "if TYPE_CHECKING:\n    from ashflow.plan.steps import Plan",
        "def f():\n    from ashflow.plan.steps import Plan",
    ],
)
def test_an_import_that_goes_up_is_found(house, line):
    [found] = house(plan__to____init__="", plan__to__steps="", schema__to__table=line)
    assert "ashflow.schema.table, line" in found
    assert "goes up, from floor 2 to floor 5" in found


@pytest.mark.parametrize(
    ("file", "line", "words"),
    [
        ("plan__to__regen", "import ashflow.adapters.protocol", "know nothing of each other"),
        ("adapters__to__connect", "from ashflow.plan import steps", "know nothing of each other"),
        ("plan__to__regen", "def f():\n    import click", "only cli does that"),
        ("project", "from rich.console import Console", "only cli does that"),
        ("worktree__to__files", "from git import Repo", "only worktree.git does that"),
        ("run__to__runner", "import subprocess", "only worktree.git does that"),
        ("sample__to__resources", "from ashflow.sources import resource", "is a user's code"),
        ("cli__to__init", "import ashflow.sample", "nobody needs the sample"),
        ("attic", "import json", "attic has no floor"),
    ],
)
def test_an_import_that_does_not_belong_is_found(house, file, line, words):
    [found] = house(**{file: line})
    assert words in found


def test_a_circle_is_found_and_told(house):
    [found] = house(
        schema__to__a="from ashflow.schema.b import x\n",
        schema__to__b="def f():\n    from ashflow.schema import c\n",
        schema__to__c="from .a import y\n",
    )
    assert "a circle: " in found
    assert all(f"ashflow.schema.{name}" in found for name in "abc")


def test_no_check_is_an_assert_which_python_leaves_out_with_dash_o():
    root = Path(ashflow.__file__).parent
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in sorted(root.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert found == []
