"""Values: frozen dataclasses that cost little to declare, and what is made of each only once."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

ValueT = TypeVar("ValueT")
MadeT = TypeVar("MadeT")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[ValueT]) -> type[ValueT]:
    """Make a dataclass that is frozen and has slots.

    `dataclass` writes an `__eq__`, a `__hash__` and a `__repr__` for each class and compiles them,
    which is near half of its work. Here they are written once, and do the same.

    Args:
        cls: A class as `dataclass` takes it. Those of these methods that it has itself stay.
    """
    new: Any = cls
    if "__eq__" not in vars(cls):
        new.__eq__, new.__hash__ = _equal, _hash
    if "__repr__" not in vars(cls):
        new.__repr__ = _repr
    return dataclass(frozen=True, slots=True, eq=False, repr=False)(cls)


def once(make: Callable[[ValueT], MadeT]) -> Callable[[ValueT], MadeT]:
    """Return a function that makes something of an object, of each only once.

    A thousand tables hold the same few columns. It goes by the object and not by what it equals, as
    1 and True are equal, and are not written alike.

    Args:
        make: What makes it, of that object alone. Nobody may change the object, or what was made of
            it, from then on.
    """
    known: dict[int, tuple[ValueT, MadeT]] = {}

    def made(one: ValueT) -> MadeT:
        found = known.get(id(one))
        if found is None:  # it is kept too, so that no other has its `id`
            found = known[id(one)] = one, make(one)
        return found[1]

    return made


def _equal(one: Any, other: object) -> bool:  # noqa: ANN401  (a value of any class)
    parts = _parts_of(one.__class__)
    return parts(one) == parts(other) if type(other) is type(one) else NotImplemented


def _hash(one: Any) -> int:  # noqa: ANN401  (a value of any class)
    return hash(_parts_of(one.__class__)(one))


def _repr(one: Any) -> str:  # noqa: ANN401  (a value of any class)
    told = (f"{part.name}={getattr(one, part.name)!r}" for part in fields(one) if part.repr)
    return f"{type(one).__qualname__}({', '.join(told)})"


@cache
def _parts_of(cls: Any) -> Callable[[object], tuple[object, ...]]:  # noqa: ANN401  (a class)
    """Return the function that takes a value apart."""
    names = [part.name for part in fields(cls) if part.compare]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda one: tuple([getattr(one, name) for name in names])
