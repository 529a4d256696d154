"""A snapshot: a table as one migration left it, as the text of a file and as a value."""

from __future__ import annotations

import json
from hashlib import sha256
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from ashflow.errors import SnapshotError
from ashflow.history.version import is_version
from ashflow.schema.codec import decode_table, encode_table
from ashflow.schema.shape import COUNT, FLAG, LIST, OBJECT, TEXT, check_keys, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ashflow.change.operations import Operation
    from ashflow.schema.shape import Json, Kinds
    from ashflow.schema.table import Column, Table

FORMAT: Final = 1
State = Literal["live", "retired", "dropped", "renamed"]
STATES: Final = ("live", "retired", "dropped", "renamed")
_BODY: Final = (
    "columns",
    "primary_key",
    "foreign_keys",
    "identities",
    "indexes",
    "checks",
    "statements",
    "options",
    "retired",
)
_KINDS: Final[dict[str, Kinds]] = {
    "format": COUNT,
    "version": TEXT,
    "repo": TEXT,
    "table": TEXT,
    "state": TEXT,
    "renamed_to": TEXT,
    **dict.fromkeys(_BODY, LIST),
    "options": OBJECT,
    "operations": LIST,
    "migration": TEXT | {type(None)},
    "dev": FLAG,
    "parents": LIST,
    "ancestors": COUNT,
    "hash": TEXT,
}
_NEEDED: Final = tuple(key for key in _KINDS if key != "renamed_to")
Known = dict[tuple[int, str], tuple[object, str]]
"""The texts of columns, by the `id` of their JSON and how it is indented; the JSON is kept too."""
_CANONICAL: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)


class Snapshot(NamedTuple):
    """One snapshot file, read.

    Args:
        data: What its JSON says; without `operations` where they are in `text`.
        path: Where it is, relative to the project's root; for messages.
        follows: Those that it was made of, where it is in no file: the leaves of a fork, or the one
            that something was dropped of by hand.
        resolved: Whether the leaves do not go together, and the user chose to go on with what they
            make in order of version.
        by_hand: What migrations that were written by hand have dropped since.
        text: The JSON that it was read from; nearly nobody asks for its operations, and they are
            half of it.
    """

    data: Mapping[str, Any]
    path: str
    follows: tuple[Snapshot, ...] = ()
    resolved: bool = False
    by_hand: tuple[Operation, ...] = ()
    text: str = ""

    @property
    def version(self) -> str:
        """The version that it shares with its migration."""
        return str(self.data["version"])

    @property
    def repo(self) -> str:
        """The repo that the table belongs to."""
        return str(self.data["repo"])

    @property
    def table(self) -> str:
        """The table that it is of."""
        return str(self.data["table"])

    @property
    def state(self) -> State:
        """`live`; `retired`: the resource went, the table stays; `dropped`; `renamed`."""
        state: State = self.data["state"]
        return state

    @property
    def renamed_to(self) -> str | None:
        """The new name of a renamed table."""
        name: str | None = self.data.get("renamed_to")
        return name

    @property
    def files(self) -> tuple[Snapshot, ...]:
        """What the next one has to name as its parents: itself, where it is in a file."""
        return self.follows or (self,)

    @property
    def standing(self) -> bool:
        """Whether the table is in the database."""
        return self.state in {"live", "retired"}

    @property
    def retired(self) -> tuple[str, ...]:
        """The columns that left the resource and not the database."""
        return tuple(column["name"] for column in self.data["retired"])

    @property
    def keeps(self) -> bool:
        """Whether the database has something here that left the resources: columns or the table."""
        return bool(self.retired) or self.state == "retired"

    @property
    def statements(self) -> tuple[str, ...]:
        """The names of its statements, in their order."""
        return tuple(statement["name"] for statement in self.data["statements"])

    @property
    def operations(self) -> tuple[Mapping[str, Any], ...]:
        """The operations of this table that led here, as their JSON."""
        said = json.loads(self.text) if self.text else self.data
        return tuple(said["operations"])

    @property
    def done(self) -> tuple[Operation, ...]:
        """The operations of this table that led here.

        Raises:
            SnapshotError: One of them is none that is known here.
        """
        from ashflow.change.codec import decode_operation

        try:
            return tuple(map(decode_operation, self.operations))
        except (ValueError, TypeError) as error:
            raise _invalid(self.path, f"has an operation that is none: {error}") from error

    @property
    def hash(self) -> str:
        """The hash by which other snapshots name it."""
        return str(self.data["hash"])

    @property
    def parents(self) -> tuple[str, ...]:
        """The hashes of those that it follows."""
        return tuple(self.data["parents"])

    @property
    def ancestors(self) -> int:
        """How many snapshots of the table stand below it."""
        return int(self.data["ancestors"])

    @property
    def migration(self) -> str | None:
        """The name of the migration that was written with it."""
        name: str | None = self.data["migration"]
        return name

    @property
    def physical(self) -> Table:
        """The table as the database has it: with its retired columns.

        Raises:
            SnapshotError: It says something that no table says.
        """
        try:
            table, _ = decode_table({"name": self.table, **self._body})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _invalid(self.path, f"says something that no table says: {error}") from error
        return table

    @property
    def _body(self) -> dict[str, Any]:
        return {key: self.data[key] for key in _BODY}

    def says(self, body: Mapping[str, Any]) -> bool:
        """Whether it says of a table what `encode_table` says of it, in whatever order."""
        for key, value in body.items():
            said = self.data.get(key)
            same = said == value or key == "name"
            if not same and _in_any_order(said) != _in_any_order(value):
                return False
        return True


def _in_any_order(value: Any) -> Any:  # noqa: ANN401  (any JSON)
    """Return what a list of named things says, whatever their order; other values as they are."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {item["name"]: item for item in value}
    return value


def new_snapshot(
    table: Table,
    *,
    version: str,
    repo: str,
    migration: str | None,
    state: State = "live",
    renamed_to: str | None = None,
    retired: Sequence[str] = (),
    operations: Sequence[Mapping[str, Any]] = (),
    parents: Sequence[Snapshot] = (),
    ancestors: int = 0,
    dev: bool = False,
    column: Callable[[Column], Json] | None = None,
) -> dict[str, Any]:
    """Return the JSON of a new snapshot, with its keys in the order of the file.

    Args:
        table: The table as the database will have it.
        version: The version of the migration that is written with it.
        repo: The repo that the table belongs to.
        migration: The name of that migration.
        state: What became of the table.
        renamed_to: The new name of a renamed table.
        retired: The columns that left the resource and not the database.
        operations: The operations of this table that lead here, as their JSON.
        parents: The snapshots that it follows.
        ancestors: How many snapshots of the table stand below it.
        dev: Whether that migration is to be replaced by one with a name.
        column: Encodes a column, where somebody writes many snapshots.
    """
    data: dict[str, Any] = {
        "format": FORMAT,
        "version": version,
        "repo": repo,
        "table": table.name,
        "state": state,
    }
    if renamed_to is not None:
        data["renamed_to"] = renamed_to
    body = encode_table(table, retired, column)
    body.pop("name", None)
    data |= body
    data |= {
        "operations": list(operations),
        "migration": migration,
        "dev": dev,
        "parents": sorted(one.hash for parent in parents for one in parent.files),
        "ancestors": ancestors,
    }
    return {**data, "hash": hash_of(data)}


def hash_of(data: Mapping[str, Any]) -> str:
    """Return the hash of a snapshot: SHA-256 of its JSON less `hash`, keys sorted, no blanks."""
    return sha256(_canonical(data).encode()).hexdigest()


def _canonical(data: Mapping[str, Any]) -> str:
    return _CANONICAL.encode({key: value for key, value in data.items() if key != "hash"})


def text_of(data: Mapping[str, Any], known: Known | None = None) -> str:
    """Return a snapshot as its file has it: JSON with an indent of two blanks.

    Args:
        data: Its JSON.
        known: Keeps the texts of columns, where somebody writes many snapshots: many tables hold
            the same.
    """
    return _indented(data, "\n", {} if known is None else known) + "\n"


def _indented(value: Any, line: str, known: Known) -> str:  # noqa: ANN401  (any JSON)
    """Return JSON as `json.dumps(value, indent=2)` does, in a fraction of the time.

    With an indent, the standard library leaves its encoder in C for one in Python.

    Args:
        value: The value.
        line: A line break, and the blanks that a line begins with here.
        known: The texts of columns, so far.
    """
    quoted, inner = encode_basestring, f"{line}  "
    if isinstance(value, dict):
        if (id(value), line) in known:
            return known[id(value), line][1]
        pairs = [
            f"{quoted(k)}: {say(v) if (say := _PLAIN.get(type(v))) else _indented(v, inner, known)}"
            for k, v in value.items()
        ]
        text = f"{{{inner}{f',{inner}'.join(pairs)}{line}}}" if pairs else "{}"
        if "type" in value:  # a column, which many tables may hold
            known[id(value), line] = value, text
        return text
    if isinstance(value, (list, tuple)):
        items = [
            say(v) if (say := _PLAIN.get(type(v))) else _indented(v, inner, known) for v in value
        ]
        return f"[{inner}{f',{inner}'.join(items)}{line}]" if items else "[]"
    return _CANONICAL.encode(value)


_PLAIN: Final[Mapping[type, Callable[[Any], str]]] = {
    str: encode_basestring,
    int: repr,
    bool: lambda value: "true" if value else "false",
}
"""How the kinds of value are written of which there are most."""


def read_snapshot(text: str, path: str) -> Snapshot:
    """Return the snapshot in the text of a file.

    Args:
        text: The file's text.
        path: Where it is, relative to the project's root.

    Raises:
        SnapshotError: It is no snapshot, was cut off, or was changed by hand.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _invalid(path, f"is no JSON: {error}") from error
    _check_shape(data, path)
    if not _fits(data, text):
        _refuse_doubles(text, path)
        raise _invalid(
            path, "does not fit its hash: it was changed by hand, or merged line by line"
        )
    del data["operations"]
    return Snapshot(data, path, text=text)


def _fits(data: Mapping[str, Any], text: str) -> bool:
    """Whether a snapshot has the hash that it says it has, and all that its text says.

    Where a key stands twice, parsing has lost one of them, and the colon behind it.
    """
    try:
        canonical = _canonical(data)
        found = sha256(canonical.encode()).hexdigest()
    except ValueError:  # NaN, or half of a surrogate pair: we write neither
        return False
    return found == data["hash"] and canonical.count(":") + 1 == text.count(":")


def _check_shape(data: object, path: str) -> None:
    if not isinstance(data, dict):
        raise _invalid(path, "is no snapshot: it holds no JSON object")
    if data.get("format") != FORMAT:
        raise _invalid(
            path,
            f"has format {data.get('format')!r}, this ashflow reads {FORMAT}",
            hint="Install the ashflow that wrote it, or a newer one.",
        )
    try:
        check_keys(data, "a snapshot", _KINDS, required=_NEEDED)
        texts(data["parents"])
    except ValueError as error:
        raise _invalid(path, f"is no snapshot: {error}") from error
    if data["state"] not in STATES:
        raise _invalid(path, f"has the state {data['state']!r}; one of: {', '.join(STATES)}")
    if not is_version(data["version"]):
        raise _invalid(path, f"has the version {data['version']!r}, which is not 14 digits")


def _refuse_doubles(text: str, path: str) -> None:
    try:
        json.loads(text, object_pairs_hook=_no_key_twice)
    except ValueError as error:
        raise _invalid(path, f"is no JSON: {error}") from error


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands in it twice")
    return data


def _invalid(path: str, what: str, *, hint: str = "") -> SnapshotError:
    return SnapshotError(
        f"snapshot {path} {what}",
        hint=hint
        or f"Bring it back as it was written: git checkout HEAD -- {path}; where git has no copy, "
        "move it and its migration away and run ashflow codegen again.",
    )
