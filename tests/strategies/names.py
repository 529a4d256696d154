"""Names that SQLite takes when they are quoted."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterable

Draw = Any

_PLAIN = "a b id name posts team_id größe c1 c2 t1 t2 t3 Upper _x".split()
_NASTY = [
    "order",
    "select",
    "group",
    "two words",
    " blank ",
    'say "hi"',
    "it's",
    "back`tick",
    "[bracket]",
    "semi;colon",
    "dash--dash",
    "/*c*/",
    "per%cent",
    "slash/es",
    "back\\slash",
    "..",
    "new\nline",
    "{brace}",
    "?",
    ":param",
    "名前",
    "Ж",
    "naïve",
    "e\u0301",
    "🐘",
    "1st",
    "null",
    "upper",
]
_LETTERS = "abcxyzABÉß語_ \"'`[]0"


def names() -> st.SearchStrategy[str]:
    """A name that SQLite takes when it is quoted; two of them may differ in case only."""
    return st.one_of(
        st.sampled_from(_PLAIN),
        st.sampled_from(_NASTY),
        st.text(_LETTERS, min_size=1, max_size=5),
    )


class Names:
    """Names of which no two are the same in any case."""

    def __init__(self, draw: Draw, taken: Iterable[str] = ()) -> None:
        self._draw = draw
        self._taken = {name.casefold() for name in taken}

    def take(self, wanted: str) -> str:
        """The name, or the name with a number."""
        for n in count():
            name = f"{wanted}{n or ''}"
            if name.casefold() not in self._taken:
                self._taken.add(name.casefold())
                return name
        raise AssertionError("count() has no end")

    def new(self) -> str:
        """Any name."""
        return self.take(self._draw(names()))
