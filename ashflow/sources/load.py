"""Import the modules that declare resources, and return what they declare."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from ashflow.errors import ResourceError, ResourceImportError
from ashflow.sources.from_resources import Declared, Gathered, declared_by
from ashflow.sources.places import place_of, written
from ashflow.sources.resource import Domain, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Declared", "load_declared"]


def load_declared(
    domains: Sequence[str], *, pythonpath: Sequence[Path], root: Path, repos: Sequence[str]
) -> dict[str, Declared]:
    """Import the domains of a project and return what they declare, by repo.

    Args:
        domains: What the configuration names: `"module"` or `"module:object"` each.
        pythonpath: Folders that go before all others on `sys.path`, in order.
        root: The project's root; errors name files in it relative to it.
        repos: The configured repos, in order; each has an entry in what comes back.

    Raises:
        ResourceImportError: A module does not import; the exception it raised is the cause.
        ResourceError: The resources declare something that is no schema.
    """
    first = list(dict.fromkeys(map(str, pythonpath)))
    sys.path[:] = first + [folder for folder in sys.path if folder not in first]
    gathered = Gathered()
    for entry in domains:
        _gather(entry, _named_by(entry), gathered, root)
    return declared_by(gathered, repos=repos, root=root)


def _named_by(entry: str) -> object:
    """Return what an entry of `domains` names: a module, or an object in one."""
    name, _, path = entry.partition(":")
    found: object = _imported(name, entry)
    for part in path.split(".") if path else ():
        if not hasattr(found, part):
            raise ResourceError(
                f"domains names {entry!r}, and {name} has no {path}",
                hint=f"It has: {', '.join(_objects(found)) or 'no resources and no domains'}.",
            )
        found = getattr(found, part)
    return found


def _imported(name: str, entry: str) -> object:
    """Import a module; what it prints goes to stderr, for stdout belongs to the command."""
    from contextlib import redirect_stdout

    try:
        with redirect_stdout(sys.stderr):
            return import_module(name)
    except (Exception, SystemExit) as error:
        raise ResourceImportError(
            f"domains names {entry!r}, which does not import: {_in_a_line(error)}",
            hint=_import_hint(name, error),
        ) from error


def _in_a_line(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it called sys.exit({error.code!r})"
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({error.filename}:{error.lineno})"
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _import_hint(name: str, error: BaseException) -> str:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing is not None and (name == missing or name.startswith(f"{missing}.")):
        return (
            "Look at `domains` in [tool.ashflow] of pyproject.toml, and at `pythonpath`, which "
            'says in which folders modules are sought; by default "." and "src".'
        )
    if missing is not None:
        return f"Install {missing} where ashflow is installed, or add its folder to `pythonpath`."
    return "Mend the module; nothing was touched."


def _objects(module: object) -> list[str]:
    """Return the names in a module that an entry may name."""
    return [name for name, value in vars(module).items() if _is_named(value)]


def _is_named(value: object) -> bool:
    return isinstance(value, Domain) or _is_resource(value)


def _is_resource(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Resource) and value is not Resource


def _gather(entry: str, found: object, gathered: Gathered, root: Path) -> None:
    """Add the resources of an entry to those that are gathered."""
    import types

    if isinstance(found, types.ModuleType):
        inside = dict.fromkeys(v for v in vars(found).values() if isinstance(v, Domain))
        for part in inside or _concrete(found):
            _add(entry, part, gathered, root)
    elif isinstance(found, Iterable) and not isinstance(found, (str, bytes, type)):
        parts = list(found)
        if isinstance(found, (set, frozenset)):  # they come in another order each time
            parts.sort(key=lambda part: (getattr(part, "__module__", ""), str(part)))
        for part in parts:
            _add(entry, part, gathered, root)
    else:
        _add(entry, found, gathered, root)


def _concrete(module: object) -> list[type[Resource]]:
    values: Mapping[str, object] = vars(module)
    return [
        value
        for value in values.values()
        if isinstance(value, type)
        and issubclass(value, Resource)
        and value is not Resource
        and not value.__ashflow__.abstract
    ]


def _add(entry: str, part: object, gathered: Gathered, root: Path) -> None:
    if isinstance(part, Domain):
        if part not in gathered.domains:
            gathered.domains.append(part)
        for member in part.resources:
            if not _is_resource(member):
                place = written(place_of(part.call), root)
                raise ResourceError(
                    f"Domain ({place}): has {member!r}, which is no resource",
                    hint="Write Domain(Team, ...) with classes that inherit from Resource.",
                )
            gathered.resources.setdefault(member, []).append(part)
    elif isinstance(part, type) and issubclass(part, Resource) and part is not Resource:
        gathered.resources.setdefault(part, [])
    else:
        raise ResourceError(
            f"domains names {entry!r}, which is or holds {part!r}: no Domain and no resource",
            hint='An entry is "module", or "module:object" with a Domain or a list of resources.',
        )
