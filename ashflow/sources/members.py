"""What the words of a class body remember: the members of resources, as they were said.

Nothing is judged here. A class body runs while the user's module is imported, where an error would
be a traceback; `from_resources` reads the members when all modules are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import CodeType

    from ashflow.schema.datatypes import Key, Sql
    from ashflow.schema.table import Action

    Call = tuple[CodeType, int]
    """A call in the user's source: the code that makes it, and how far into it; see `place_of`."""


class Unset:
    """The absence of a value, where None is one; there is one such object, `UNSET`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()


class Member:
    """What a class body assigns to a name, where a bare annotation says too little.

    A plain record, and no dataclass: every start of a command makes these classes and, in a project
    of a hundred resources, hundreds of members, and a frozen dataclass takes ten times as long for
    both.

    Args:
        call: Where it was written.
        word: The function that made it.
        unknown: Keywords that the word does not have.
        said: The options of the word, as the classes below list them.

    Attributes:
        required: The options that are never None.
    """

    __slots__ = ("__dict__", "call", "unknown", "word")

    required: ClassVar[Sequence[str]] = ()

    def __init__(
        self, call: Call, word: str, unknown: Mapping[str, object], **said: object
    ) -> None:
        self.__dict__ = said  # ours alone, and no copy of it
        self.call = call
        self.word = word
        self.unknown = unknown


class Attribute(Member):
    """A column; the arguments are those of `attribute` and the keys that are made of it."""

    default: object = UNSET
    primary_key: bool = False
    source: str | None = None
    type: str | None = None
    nullable: bool | None = None
    autoincrement: bool = False
    max_length: int | None = None
    precision: int | None = None
    scale: int | None = None
    collate: str | None = None
    generated_as: str | Sql | None = None
    stored: bool = False
    comment: str | None = None


class Reference(Member):
    """What `belongs_to` and `foreign_key` share: where to, and how."""

    target: object
    on_delete: Action | None
    on_update: Action | None
    deferrable: bool
    name: str | None


class BelongsTo(Reference):
    """A column that refers to another resource, and its foreign key."""

    required = ("to",)

    source: str | None
    to: str
    nullable: bool | None
    index: bool
    primary_key: bool
    comment: str | None


class References(Reference):
    """A foreign key over columns that the class has."""

    columns: Sequence[str]
    keys: Sequence[str]


class Indexed(Member):
    """An identity or an index."""

    keys: Sequence[Key]
    unique: bool
    where: str | Sql | None
    name: str | None


class Checked(Member):
    """A condition that every row meets."""

    required = ("sql",)

    sql: str | Sql
    name: str | None


class Keyed(Member):
    """The columns of the primary key, in its order."""

    columns: Sequence[str]


class Stated(Member):
    """SQL that makes something the tool has no word for, and SQL that takes it away."""

    required = ("up", "down")

    up: str | Sequence[str]
    down: str | Sequence[str]
    name: str | None


class Declaration(Member):
    """The keywords of a resource's class statement; None: nothing was said."""

    table: str | None
    repo: str | None
    migrate: bool | None
    strict: bool | None
    without_rowid: bool | None
    base_filter: str | Sql | None
    abstract: bool
