"""List what class bodies say, in the order in which they say it."""

from __future__ import annotations

from dataclasses import MISSING
from types import MemberDescriptorType, UnionType
from typing import TYPE_CHECKING, NamedTuple

from ashflow.sources.annotations import annotations_of, is_class_var
from ashflow.sources.members import (
    UNSET,
    Attribute,
    BelongsTo,
    Member,
)
from ashflow.sources.places import Spot
from ashflow.sources.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Said(NamedTuple):
    """What a class and its bases say about a name.

    Args:
        annotation: Its annotation; `UNSET`: none.
        value: What was assigned to it; `UNSET`: nothing.
        home: The class in whose body it stands.
    """

    annotation: object
    value: object
    home: type[Resource]


def body_of(cls: type[Resource]) -> dict[str, Said]:
    """Return the names that may be members of a resource, those of its bases first.

    What a class says goes before what its bases say, as Python has it: a new value keeps the
    annotation of the base, and a new annotation its value.

    Args:
        cls: A resource.

    Raises:
        Wrong: A base that is no resource has members, which nobody would see.
    """
    if cls.__bases__ == (Resource,):
        return _own(cls, {})
    said: dict[str, Said] = {}
    for base in _family(cls):
        for name, own in _own(base, said).items():
            said[name] = _nearest(cls, said[name], own) if name in said else own
    return said


def in_order(annotated: Collection[str], assigned: Collection[str]) -> list[str]:
    """Return the names of a class body in the order of its lines, as well as it can be known.

    Python keeps two lists. The names on both are the fixed points; between two of them those that
    are only annotated go before those that are only assigned.

    Args:
        annotated: The annotated names, in order; each once.
        assigned: The assigned names, in order; each once.
    """
    order: dict[str, None] = {}
    rest = iter(assigned)
    for name in annotated:
        if name in assigned and name not in order:
            for other in rest:
                if other == name:
                    break
                order[other] = None
        order[name] = None
    order.update(dict.fromkeys(rest))
    return list(order)


def _family(cls: type[Resource]) -> list[type[Resource]]:
    """Return the class and the resources that it stands on, bases first, from left to right."""
    family: dict[type[Resource], None] = {}
    for base in cls.__bases__:
        if base is not Resource and issubclass(base, Resource):
            family.update(dict.fromkeys(_family(base)))
        elif base is not Resource:
            _no_members(cls, base)
    family[cls] = None
    return list(family)


def _no_members(cls: type[Resource], base: type) -> None:
    for name, value in vars(base).items():
        if isinstance(value, Member):
            raise Spot(cls, name, value.call).wrong(
                f"stands in {base.__name__}, which is no resource, so {cls.__name__} does not "
                "inherit it",
                hint=f"Write class {base.__name__}(Resource, abstract=True).",
            )


def _own(cls: type[Resource], inherited: Mapping[str, Said]) -> dict[str, Said]:
    annotations, values = annotations_of(cls), dict[str, object]()
    for name, value in vars(cls).items():
        if name[0] == "_":
            continue
        if isinstance(value, Member) or name in annotations or name in inherited:
            slot = type(value) is MemberDescriptorType
            values[name] = _behind_slot(cls, name) if slot else value
    own: dict[str, Said] = {}
    for name in in_order(annotations, values):
        if name[0] == "_":
            continue
        annotation, value = annotations.get(name, UNSET), values.get(name, UNSET)
        usual = annotation is UNSET or isinstance(annotation, (type, UnionType))
        if usual or not _of_the_class(annotation, value):
            own[name] = Said(annotation, value, cls)
    return own


def _behind_slot(cls: type[Resource], name: str) -> object:
    """Return what was assigned to a name before `@dataclass(slots=True)` put a slot there."""
    field = getattr(cls, "__dataclass_fields__", {}).get(name)
    default = getattr(field, "default", MISSING)
    return UNSET if default is MISSING else default


def _of_the_class(annotation: object, value: object) -> bool:
    """Whether a name is a ClassVar and no member; an index may be called one, a column not."""
    if not is_class_var(annotation):
        return False
    return not isinstance(value, Member) or isinstance(value, (Attribute, BelongsTo))


def _nearest(cls: type[Resource], base: Said, own: Said) -> Said:
    """Join what two classes of a family say, the one that Python asks first going first."""
    order = cls.__mro__
    near, far = (own, base) if order.index(own.home) < order.index(base.home) else (base, own)
    return Said(
        far.annotation if near.annotation is UNSET else near.annotation,
        far.value if near.value is UNSET else near.value,
        near.home,
    )
