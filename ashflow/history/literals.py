"""Texts, numbers and bytes as Python literals, spelled as `ruff format` spells them."""

from __future__ import annotations

import re
from functools import lru_cache
from math import isfinite
from typing import Final

_PLAIN: Final = re.compile(r"[ !#-&(-\[\]-~]*", re.ASCII)
"""A text that stands between double quotes as it is."""


def literal(value: str | float | bytes | bool | None) -> str:
    """Return the source of a constant; texts in double quotes, unless that needs more escapes.

    Args:
        value: A constant.
    """
    match value:
        case str():
            return _plain(value)
        case bytes():
            return _quoted(value)
        case float() if not isfinite(value):
            return f'float("{value}")'
        case float():
            return repr(value).replace("e+", "e")
        case _:
            return repr(value)


def printable(text: str) -> str:
    """Return a text on one line: what cannot be seen is spelled as an escape.

    Args:
        text: Any text.
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


@lru_cache(maxsize=4096)
def _plain(value: str) -> str:
    """Return the source of a text; the names of types and columns are written again and again."""
    return f'"{value}"' if _PLAIN.fullmatch(value) else _quoted(value)


def _quoted(value: str | bytes) -> str:
    # Python's repr of a value with both quotes escapes the single ones, and only those.
    both = repr("'\"" + value if isinstance(value, str) else b"'\"" + value)
    prefix, _, rest = both.partition("'")
    body = rest[len("\\'\"") : -1]
    if body.count('"') > body.count("\\'"):
        return f"{prefix}'{body}'"
    return prefix + '"' + body.replace("\\'", "'").replace('"', '\\"') + '"'
