"""Whether a piece of JSON has the shape that is expected; a ValueError says where it has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ItemT = TypeVar("ItemT")
Json = dict[str, Any]
Kinds = frozenset[type]

TEXT: Final[Kinds] = frozenset({str})
FLAG: Final[Kinds] = frozenset({bool})
COUNT: Final[Kinds] = frozenset({int})
LIST: Final[Kinds] = frozenset({list})
OBJECT: Final[Kinds] = frozenset({dict})
SCALAR: Final[Kinds] = frozenset({str, int, float, bool})

_WORDS: Final[dict[type, str]] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def check_keys(
    data: Any,  # noqa: ANN401  (any JSON: that is what is looked at)
    what: str,
    kinds: Mapping[str, Kinds],
    *,
    required: Iterable[str] = (),
) -> None:
    """See to it that a JSON object has what it needs, and nothing that is not known here.

    Args:
        data: Any JSON.
        what: What it should be, for the message: `a column`.
        kinds: The kinds of value that each known key may have.
        required: The keys that must be there.

    Raises:
        ValueError: It is no object, or a key is missing, unknown or of another kind.
    """
    if type(data) is not dict:
        raise ValueError(f"{_word(data)} stands where {what} should")
    for key, value in data.items():
        if key not in kinds:
            raise unknown(_named(what, data), key)
        if type(value) not in kinds[key]:
            wanted = " or ".join(sorted(_WORDS[kind] for kind in kinds[key]))
            raise ValueError(f"{_named(what, data)}: {key!r} is {_word(value)}, and not {wanted}")
    for key in required:
        if key not in data:
            raise ValueError(f"{_named(what, data)} has no {key!r}")


def unknown(what: str, key: str) -> ValueError:
    """Return the error for a key that this version has not heard of."""
    return ValueError(
        f"{what} has {key!r}, which is not known here; was it written by a newer ashflow?"
    )


def text(data: Any) -> str:  # noqa: ANN401  (any JSON)
    """Return a text as it is; a ValueError says that it is none."""
    if type(data) is not str:
        raise ValueError(f"{_word(data)} stands where a text should")
    return data


def flag(data: Any) -> bool:  # noqa: ANN401  (any JSON)
    """Return true or false as it is; a ValueError says that it is neither."""
    if type(data) is not bool:
        raise ValueError(f"{_word(data)} stands where true or false should")
    return data


def texts(data: Any) -> tuple[str, ...]:  # noqa: ANN401  (any JSON)
    """Return a list of texts as a tuple; a ValueError says what is none."""
    return items(data, text)


def items(data: Any, decode: Callable[[Any], ItemT]) -> tuple[ItemT, ...]:  # noqa: ANN401
    """Return a list of JSON as a tuple, item by item decoded; a ValueError says what is wrong."""
    if type(data) is not list:
        raise ValueError(f"{_word(data)} stands where a list should")
    return tuple([decode(item) for item in data])


def _named(what: str, data: Json) -> str:
    name = data.get("name")
    return f"{what} {name!r}" if isinstance(name, str) else what


def _word(value: object) -> str:
    return _WORDS.get(type(value), type(value).__name__)
